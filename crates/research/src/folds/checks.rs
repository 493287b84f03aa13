//! What folds must have to say anything.

use samescore_core::config::Task;
use samescore_core::error::{Code, Error, Result};

use crate::metrics::{Metric, Needs};

/// Refuses training targets that are all the same: there is nothing to learn.
pub(crate) fn check_train(name: &str, targets: &[f64], task: Task) -> Result<()> {
    if has_two_values(targets) {
        return Ok(());
    }
    let (expected, found) = match task {
        Task::Regression => ("a target that varies", "one value"),
        Task::Binary | Task::Multiclass => ("rows of two classes", "one class"),
    };
    let n = targets.len();
    let message = format!("{name}: expected {expected} to train on, found {found} in all {n} rows");
    Err(Error::new(Code::TooFewRows, message)
        .remedy("ask for fewer folds, use the scheme stratified, or give more rows"))
}

/// Refuses targets to test on of which the metric is not defined.
pub(super) fn check_test(name: &str, targets: &[f64], task: Task, metric: &Metric) -> Result<()> {
    let is_defined = match metric.needs {
        Needs::Rows => true,
        Needs::TwoValues => has_two_values(targets),
        Needs::Positive => targets.contains(&1.0),
        Needs::NoZero => targets.iter().all(|y| *y != 0.0),
        Needs::NoneBelowZero => targets.iter().all(|y| *y >= 0.0),
        Needs::AllAboveZero => targets.iter().all(|y| *y > 0.0),
    };
    if is_defined {
        return Ok(());
    }
    let (expected, found) = match (metric.needs, task) {
        (Needs::Positive, _) => ("a row of the positive class", "none"),
        (Needs::NoZero, _) => ("targets other than 0", "one of 0"),
        (Needs::NoneBelowZero, _) => ("targets of at least 0", "one below"),
        (Needs::AllAboveZero, _) => ("targets above 0", "another"),
        (_, Task::Regression) => ("a target that varies", "one value"),
        _ => ("rows of two classes", "one class"),
    };
    let (n, metric) = (targets.len(), metric.name);
    let message =
        format!("{name}: `{metric}` expected {expected} to test on, found {found} in {n} rows");
    Err(Error::new(Code::TooFewRows, message)
        .remedy("ask for fewer folds, use the scheme stratified, or choose another metric"))
}

fn has_two_values(targets: &[f64]) -> bool {
    targets.windows(2).any(|pair| pair[0] != pair[1])
}

/// Fewer than the folds need.
pub(super) fn too_few(what: &str, n_wanted: u64, n_found: usize) -> Error {
    let message = format!("expected at least {n_wanted} {what} for the folds, found {n_found}");
    Error::new(Code::TooFewRows, message).remedy("ask for fewer folds, or give more rows")
}

/// Refuses a group column where rows do not stay together.
pub(super) fn refuse_group(group: Option<usize>, scheme: &str) -> Result<()> {
    if group.is_none() {
        return Ok(());
    }
    let message = format!("expected no group column with the scheme {scheme}, found one");
    Err(Error::new(Code::Usage, message)
        .remedy("use the scheme k-fold, or leave `group` out of [split]"))
}
