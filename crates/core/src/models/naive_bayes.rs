//! What the naive Bayes kinds share: priors, and probabilities out of joint logarithms.
//!
//! A class has a joint logarithm: that of its prior and of the likelihood of the row's values. The
//! probabilities are e^(joint − largest joint), each divided by their sum in the order of the
//! classes. A class of prior 0 has probability 0.

use super::linear;
use crate::batch::Batch;
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::FitContext;

/// How many scores a row gets.
pub(super) fn n_outputs(ctx: &FitContext<'_>) -> u32 {
    if ctx.task == Task::Multiclass { ctx.n_classes } else { 1 }
}

/// The prior of each class: the given ones, else the shares of the weights, else all alike.
///
/// # Errors
/// If there is not one for each class, no row weighs anything, or a class without rows has a prior.
pub(super) fn priors(
    name: &str,
    given: &[f64],
    are_learned: bool,
    weights: &[f64],
) -> Result<Vec<f64>> {
    let total = math::sum_in_order(weights.iter().copied());
    if !(total > 0.0 && total.is_finite()) {
        let message = "expected rows with a weight, found none";
        return Err(Error::new(Code::TooFewRows, message));
    }
    let n_classes = weights.len();
    let priors: Vec<f64> = match (given, are_learned) {
        ([], true) => weights.iter().map(|w| w / total).collect(),
        ([], false) => vec![1.0 / n_classes as f64; n_classes],
        (given, _) => given.to_vec(),
    };
    if priors.len() != n_classes {
        let found = priors.len();
        let message = format!("expected `{name}` for {n_classes} classes, found {found}");
        return Err(Error::new(Code::BadParameter, message));
    }
    let unknown = priors.iter().zip(weights).position(|(p, w)| *p > 0.0 && *w <= 0.0);
    if let Some(class) = unknown {
        let message = format!("expected rows of every class with a prior, found none of {class}");
        return Err(Error::new(Code::TooFewRows, message).remedy("drop the class"));
    }
    Ok(priors)
}

/// The logarithm of a prior; that of prior 0 is never used and stored as 0.
pub(super) fn log_prior(prior: f64) -> f64 {
    if prior > 0.0 { math::ln(prior) } else { 0.0 }
}

/// Checks stored priors and tables: a prior for each class, `n_tables` tables of one finite value
/// per class and column.
///
/// # Errors
/// If the state is another one: the artifact is damaged.
pub(super) fn check(
    priors: &[f64],
    n_outputs: u32,
    constants: &[f64],
    tables: &[&[f64]],
    n_features: usize,
) -> Result<()> {
    let n_classes = priors.len();
    let outputs_fit = n_outputs as usize == n_classes || (n_outputs == 1 && n_classes == 2);
    let priors_fit =
        priors.iter().all(|p| (0.0..=1.0).contains(p)) && priors.iter().any(|p| *p > 0.0);
    if !outputs_fit || !priors_fit {
        let message = format!("expected a prior for each class, found {n_classes} priors");
        return Err(Error::new(Code::Malformed, message));
    }
    let n_values = n_classes.checked_mul(n_features);
    let tables_fit = tables.iter().all(|table| Some(table.len()) == n_values);
    if constants.len() != n_classes || !tables_fit {
        let message = "expected a value per class and column, found another number of values";
        return Err(Error::new(Code::Malformed, message));
    }
    let mut values = tables.iter().flat_map(|table| table.iter()).chain(constants);
    match values.all(|x| x.is_finite()) {
        true => Ok(()),
        false => Err(Error::new(Code::Malformed, "expected finite values, found another value")),
    }
}

/// Writes the probabilities of every row from the joint logarithms that `joint` gives for a row
/// and class. A row with a missing or infinite value gets a fault.
pub(super) fn predict(
    batch: &mut Batch,
    slots: &[usize],
    priors: &[f64],
    scores: &mut [f64],
    joint: impl Fn(&Batch, usize, usize) -> f64,
) {
    let n_rows = batch.n_rows();
    let width = scores.len().checked_div(n_rows).unwrap_or(1);
    for row in 0..n_rows {
        let mut pair = [0.0; 2];
        let place = &mut scores[row * width..][..width];
        let logs: &mut [f64] = if width == 1 { &mut pair } else { &mut *place };
        for (class, log) in logs.iter_mut().enumerate() {
            *log = joint(batch, row, class);
        }
        let is_sound = slots.iter().all(|&slot| batch.num(slot)[row].is_finite());
        if !normalise(logs, priors) || !is_sound {
            linear::fault(batch, slots, row);
        }
        if width == 1 {
            place[0] = pair[1];
        }
    }
}

/// Makes probabilities of joint logarithms; false if they are too small for numbers.
fn normalise(logs: &mut [f64], priors: &[f64]) -> bool {
    let mut largest = f64::NEG_INFINITY;
    for (log, prior) in logs.iter().zip(priors) {
        if *prior > 0.0 && *log > largest {
            largest = *log;
        }
    }
    let mut total = 0.0;
    for (log, prior) in logs.iter_mut().zip(priors) {
        *log = if *prior > 0.0 { math::exp(*log - largest) } else { 0.0 };
        total += *log;
    }
    logs.iter_mut().for_each(|p| *p /= total);
    largest.is_finite()
}

/// The priors as facts.
pub(super) fn facts(priors: &[f64]) -> Vec<(String, f64)> {
    let named = priors.iter().enumerate().filter(|_| priors.len() == 2);
    named.map(|(class, prior)| (format!("prior of class {class}"), *prior)).collect()
}

/// The same of several classes.
pub(super) fn class_facts(priors: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
    if priors.len() == 2 { Vec::new() } else { vec![("prior", priors.to_vec())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priors_are_given_learned_or_alike() {
        assert_eq!(priors("p", &[], true, &[1.0, 3.0]).unwrap(), [0.25, 0.75]);
        assert_eq!(priors("p", &[], false, &[1.0, 3.0]).unwrap(), [0.5, 0.5]);
        assert_eq!(priors("p", &[0.1, 0.9], true, &[1.0, 3.0]).unwrap(), [0.1, 0.9]);
        assert_eq!(priors("p", &[], true, &[1.0, 0.0]).unwrap(), [1.0, 0.0]);
        assert!(priors("p", &[0.1, 0.9], true, &[1.0, 0.0]).is_err());
        assert!(priors("p", &[1.0], true, &[1.0, 1.0]).is_err());
        assert!(priors("p", &[], true, &[0.0, 0.0]).is_err());
    }

    #[test]
    fn probabilities_do_not_overflow_and_skip_unknown_classes() {
        let mut logs = [-2000.0, 5e5, -2000.0 + math::ln(3.0)];
        assert!(normalise(&mut logs, &[0.25, 0.0, 0.75]));
        // The rounding of the logarithm at 2000 costs up to 2^-43 of the ratio.
        assert!((logs[0] - 0.25).abs() < 1e-12 && logs[1] == 0.0, "{logs:?}");
        assert!(!normalise(&mut [f64::NEG_INFINITY; 2], &[0.5, 0.5]));
    }
}
