//! Losses: where scores start, gradients and second derivatives, leaf values, links.
//!
//! With score s, target y and weight w, and p the probability that s stands for:
//!
//! | loss | gradient / w | second derivative / w |
//! |---|---|---|
//! | squared | s − y | 1 |
//! | absolute | sign(s − y) | 1, leaf value: median of y − s |
//! | huber | s − y, cut at ±`alpha` | 1 |
//! | quantile | 1 − `alpha` if s ≥ y, else −`alpha` | 1, leaf value: quantile of y − s |
//! | poisson | eˢ − y | eˢ e^0.7 |
//! | gamma | 1 − y e⁻ˢ | y e⁻ˢ |
//! | tweedie, power r | e^((2−r)s) − y e^((1−r)s) | (2−r) e^((2−r)s) − (1−r) y e^((1−r)s) |
//! | log, two classes | p − y | p (1 − p) |
//! | log, k classes | p − y | p (1 − p) k / (k − 1) |

use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum, FixedScale};

use super::table::Table;

/// e^0.7, by which Poisson steps are damped.
const POISSON_DAMPING: f64 = 2.013_752_707_470_476_6;
/// Second derivatives of a log loss are at least this much of the weight.
pub(super) const HESSIAN_MIN: f64 = 1e-16;
/// Probabilities from which scores start are at least this.
const PRIOR_MIN: f64 = 1e-15;

/// A loss with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::models) enum Objective {
    Squared,
    Absolute,
    Huber { delta: f64 },
    Quantile { level: f64 },
    Poisson,
    Gamma,
    Tweedie { power: f64 },
    Binary,
    Softmax { n_classes: usize },
}

/// A row seen by a loss.
#[derive(Clone, Copy)]
pub(in crate::models) struct Seen {
    pub score: f64,
    pub target: f64,
}

impl Objective {
    /// Whether second derivatives are the weights.
    pub fn is_unit(self) -> bool {
        matches!(
            self,
            Objective::Squared
                | Objective::Absolute
                | Objective::Huber { .. }
                | Objective::Quantile { .. }
        )
    }

    /// The quantile that leaf values are, if they are one.
    pub fn leaf_quantile(self) -> Option<f64> {
        match self {
            Objective::Absolute => Some(0.5),
            Objective::Quantile { level } => Some(level),
            _ => None,
        }
    }

    /// Refuses targets that the loss does not know.
    ///
    /// # Errors
    /// If a target is out of the range of the loss, or all targets are 0 or of one class.
    pub fn check(self, table: &Table) -> Result<()> {
        let least = |rule: &str, holds: &dyn Fn(f64) -> bool| match table
            .target
            .iter()
            .find(|&y| !holds(y))
        {
            None => Ok(()),
            Some(y) => {
                let message = format!("expected targets {rule}, found {y}");
                Err(Error::new(Code::BadValue, message).remedy("choose another `loss`"))
            }
        };
        match self {
            Objective::Poisson | Objective::Tweedie { .. } => {
                least("of at least 0", &|y| y >= 0.0)?;
                if table.target.iter().all(|y| y == 0.0) {
                    let message = "expected a target above 0, found only zeros";
                    return Err(Error::new(Code::TooFewRows, message));
                }
                Ok(())
            }
            Objective::Gamma => least("above 0", &|y| y > 0.0),
            Objective::Binary => check_classes(table, 2),
            Objective::Softmax { n_classes } => check_classes(table, n_classes),
            _ => Ok(()),
        }
    }

    /// Where the scores of each output start.
    pub fn base(self, table: &Table, rows: &[u32]) -> Vec<f64> {
        let mean = || table.mean(rows);
        let one = match self {
            Objective::Squared | Objective::Huber { .. } => mean(),
            Objective::Absolute => quantile_of(table, rows, 0.5, |row| table.target.at(row)),
            Objective::Quantile { level } => {
                quantile_of(table, rows, level, |row| table.target.at(row))
            }
            Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } => {
                math::ln(math::max(mean(), PRIOR_MIN))
            }
            Objective::Binary => math::logit(math::clamp(mean(), PRIOR_MIN, 1.0 - PRIOR_MIN)),
            Objective::Softmax { n_classes } => return log_priors(table, rows, n_classes),
        };
        vec![one]
    }

    /// Replaces scores by the exponential that gradient and second derivative share, for losses of
    /// one score: most of what they cost.
    pub fn powers(self, scores: &mut [f64]) {
        match self {
            Objective::Poisson => {}
            Objective::Gamma => scores.iter_mut().for_each(|s| *s = -*s),
            Objective::Binary => scores.iter_mut().for_each(|s| *s = -s.abs()),
            _ => return,
        }
        math::exp_all(scores);
    }

    /// Gradient and second derivative of a row of weight 1, for losses of one score, whose
    /// exponential is `e`, see [`Objective::powers`].
    #[inline]
    pub fn gradient(self, Seen { score: s, target: y }: Seen, e: f64) -> (f64, f64) {
        let sign = |x: f64| {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                0.0
            }
        };
        match self {
            Objective::Squared => (s - y, 1.0),
            Objective::Absolute => (sign(s - y), 1.0),
            Objective::Huber { delta } => (math::clamp(s - y, -delta, delta), 1.0),
            Objective::Quantile { level } => (if s >= y { 1.0 - level } else { -level }, 1.0),
            Objective::Poisson => (e - y, e * POISSON_DAMPING),
            Objective::Gamma => {
                let ratio = y * e;
                (1.0 - ratio, ratio)
            }
            Objective::Tweedie { power } => {
                let a = y * math::exp((1.0 - power) * s);
                let b = math::exp((2.0 - power) * s);
                (b - a, (2.0 - power) * b - (1.0 - power) * a)
            }
            Objective::Binary | Objective::Softmax { .. } => {
                // p with the expressions of `math::sigmoid`.
                let odds = 1.0 + e;
                let p = (if s >= 0.0 { 1.0 } else { e }) / odds;
                (p - y, math::max(e / (odds * odds), HESSIAN_MIN))
            }
        }
    }

    /// The loss of a row of weight 1, for losses of one score, up to a constant of the row.
    pub fn loss(self, Seen { score: s, target: y }: Seen) -> f64 {
        let r = y - s;
        match self {
            Objective::Squared => r * r,
            Objective::Absolute => r.abs(),
            Objective::Huber { delta } if r.abs() <= delta => 0.5 * r * r,
            Objective::Huber { delta } => delta * (r.abs() - 0.5 * delta),
            Objective::Quantile { level } if r >= 0.0 => level * r,
            Objective::Quantile { level } => (level - 1.0) * r,
            Objective::Poisson => math::exp(s) - y * s,
            Objective::Gamma => s + y * math::exp(-s),
            Objective::Tweedie { power } => {
                let a = y * math::exp((1.0 - power) * s) / (1.0 - power);
                let b = math::exp((2.0 - power) * s) / (2.0 - power);
                b - a
            }
            Objective::Binary | Objective::Softmax { .. } => {
                math::softplus(if y == 1.0 { -s } else { s })
            }
        }
    }

    /// The prediction or probability from the scores of a row, in place.
    pub fn link(self, scores: &mut [f64]) {
        match self {
            Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } => {
                scores.iter_mut().for_each(|s| *s = math::exp(*s));
            }
            Objective::Binary => scores.iter_mut().for_each(|s| *s = math::sigmoid(*s)),
            Objective::Softmax { .. } => {
                math::softmax(scores);
            }
            _ => {}
        }
    }
}

fn check_classes(table: &Table, n_classes: usize) -> Result<()> {
    let mut seen = vec![false; n_classes];
    table.target.iter().for_each(|y| {
        if let Some(seen) = seen.get_mut(y as usize) {
            *seen = true;
        }
    });
    if seen.iter().filter(|&&seen| seen).count() < 2 {
        let message = "expected rows of two classes, found one";
        return Err(Error::new(Code::TooFewRows, message));
    }
    Ok(())
}

fn log_priors(table: &Table, rows: &[u32], n_classes: usize) -> Vec<f64> {
    let mut totals = vec![ExactSum::new(); n_classes];
    let mut all = ExactSum::new();
    for &row in rows {
        let w = table.weight_of(row as usize);
        all.add(w);
        if let Some(total) = totals.get_mut(table.target.at(row as usize) as usize) {
            total.add(w);
        }
    }
    let all = all.round();
    totals.iter().map(|total| math::ln(math::max(total.round() / all, PRIOR_MIN))).collect()
}

/// The weighted quantile of `value` over `rows`: the least value at which the weight up to it
/// reaches `level` of the total; halfway to the next where it meets it exactly.
pub(super) fn quantile_of(
    table: &Table,
    rows: &[u32],
    level: f64,
    value: impl Fn(usize) -> f64,
) -> f64 {
    let heaviest = rows.iter().fold(0.0, |top, &row| math::max(top, table.weight_of(row as usize)));
    let scale = FixedScale::for_max(heaviest, 40);
    let mut pairs: Vec<(u64, i64)> = rows
        .iter()
        .map(|&row| {
            let row = row as usize;
            (math::order_key(value(row)), scale.quantise(table.weight_of(row)).max(1))
        })
        .collect();
    pairs.sort();
    let total = pairs.iter().map(|&(_, w)| i128::from(w)).sum::<i128>();
    // The share as a whole number, rounded once.
    let share = FixedScale::for_max(1.0, 50);
    let wanted = total * i128::from(share.quantise(level));
    let mut up_to = 0i128;
    for (place, &(key, w)) in pairs.iter().enumerate() {
        up_to += i128::from(w) << 50;
        if up_to >= wanted {
            let here = math::from_order_key(key);
            return match pairs.get(place + 1) {
                Some(&(next, _)) if up_to == wanted => {
                    here * 0.5 + math::from_order_key(next) * 0.5
                }
                _ => here,
            };
        }
    }
    pairs.last().map_or(0.0, |&(key, _)| math::from_order_key(key))
}

#[cfg(test)]
mod tests {
    use super::super::table::Targets;
    use super::*;

    fn table(target: &[f64], weight: &[f64]) -> Table {
        let keys = vec![crate::digest::RowKey::default(); target.len()];
        Table { target: Targets::Any(target.to_vec()), weight: weight.to_vec(), keys, kept: vec![] }
    }

    #[test]
    fn quantiles_by_hand() {
        let t = table(&[4.0, 1.0, 3.0, 2.0], &[]);
        let all = [0, 1, 2, 3];
        let of =
            |t: &Table, rows: &[u32], level| quantile_of(t, rows, level, |row| t.target.at(row));
        assert_eq!(of(&t, &all, 0.5), 2.5);
        assert_eq!(of(&t, &all[..3], 0.5), 3.0);
        assert_eq!(of(&t, &all, 0.9), 4.0);
        let heavy = table(&[4.0, 1.0, 3.0, 2.0], &[5.0, 1.0, 1.0, 1.0]);
        assert_eq!(of(&heavy, &all, 0.5), 4.0);
    }

    #[test]
    fn gradients_are_slopes_of_the_loss() {
        let losses = [
            Objective::Squared,
            Objective::Huber { delta: 0.5 },
            Objective::Quantile { level: 0.9 },
            Objective::Absolute,
            Objective::Poisson,
            Objective::Gamma,
            Objective::Tweedie { power: 1.5 },
            Objective::Binary,
        ];
        for loss in losses {
            for (score, target) in [(0.3, 1.0), (-0.7, 1.0), (2.0, 1.0)] {
                let at = |score| loss.loss(Seen { score, target });
                let slope = (at(score + 1e-6) - at(score - 1e-6)) / 2e-6;
                let mut power = [score];
                loss.powers(&mut power);
                let (g, h) = loss.gradient(Seen { score, target }, power[0]);
                // The squared loss is without its half.
                let g = if loss == Objective::Squared { 2.0 * g } else { g };
                // The distance to a difference quotient.
                assert!((g - slope).abs() < 1e-5, "{loss:?} at {score}: {g} {slope}");
                assert!(h > 0.0);
            }
        }
    }

    #[test]
    fn scores_start_at_the_best_constant() {
        let rows = [0, 1, 2, 3];
        let t = table(&[1.0, 2.0, 3.0, 10.0], &[]);
        assert_eq!(Objective::Squared.base(&t, &rows), [4.0]);
        assert_eq!(Objective::Absolute.base(&t, &rows), [2.5]);
        assert_eq!(Objective::Poisson.base(&t, &rows), [math::ln(4.0)]);
        let t = table(&[1.0, 0.0, 0.0, 0.0], &[3.0, 1.0, 1.0, 1.0]);
        assert_eq!(Objective::Binary.base(&t, &rows), [0.0]);
        let of_two = Objective::Softmax { n_classes: 2 }.base(&t, &rows);
        assert_eq!(of_two, [math::ln(0.5), math::ln(0.5)]);
    }
}
