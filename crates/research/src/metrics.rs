//! Figures of merit.
//!
//! # Method
//! Sums are exact and rounded once, ranks are integers: neither the order of rows nor the number of
//! threads can move a bit. Regression: `r2` = 1 − Σ(y−p)² / Σ(y−ȳ)², `rmse`, `mae`. Binary:
//! `roc_auc` (a tied pair counts one half), `pr_auc` (average precision: Σ of precision times the
//! gain in recall over the distinct scores, descending), `log_loss` (natural logarithm,
//! probabilities kept within 2^-52 of 0 and 1), `brier`, and at the model's threshold, 0.5 where it
//! has chosen none (a score of just that is positive), `accuracy` and the counts `true_negatives`,
//! `false_positives`, `false_negatives`, `true_positives`. Multiclass: `log_loss`, `accuracy`,
//! `balanced_accuracy` and `macro_f1` (means over classes of recall and of F1) of the most probable
//! class.
//!
//! A model that minimises another loss of a number has the mean of that too: `pinball` at its
//! quantile, `poisson_deviance`, `gamma_deviance`, `tweedie_deviance` at its power. The two without
//! a parameter, and `mape`, the mean of |y−p| / |y|, are there for whoever asks by name.
//!
//! # Weights
//! Where a config names a column of weights, each row counts its weight in every figure, as by
//! `sample_weight` in scikit-learn 1.9.1: a pair of rows the product, a count of a confusion the
//! sum. Weights of 1 give the bits of none. None of the figures is a quantile.
//!
//! # Missing
//! A figure that is not defined is absent: `r2` of a constant target, the areas of a single class,
//! a deviance of predictions or targets outside its range, `mape` with a target of 0 (scikit-learn
//! divides by 2^-52 there, which says nothing of the other rows), all of rows without a weight.

mod binary;
mod cases;
mod classes;
mod ranking;
mod regression;
mod unit;

use std::collections::BTreeMap;

use samescore_core::config::Task;
use samescore_core::math;

pub use binary::{average_precision, confusion, log_loss, roc_auc};
pub use cases::Cases;
pub use classes::class_log_loss;
pub(crate) use ranking::Needs;
pub use ranking::{Metric, all_named, named, ranking};
pub use regression::{mean_absolute_error, mean_squared_error, r2};

/// Probabilities are kept this far from 0 and 1 in the logarithmic loss.
const LOG_LOSS_MARGIN: f64 = f64::EPSILON;
/// Scores from here on count as positive.
const THRESHOLD: f64 = 0.5;

/// The figures of a task by name.
pub fn of(task: Task, cases: &Cases<'_>) -> BTreeMap<String, f64> {
    decided(task, cases, THRESHOLD, &[])
}

/// The same where scores from `threshold` on count as positive, and with those of `also`.
pub fn decided(
    task: Task,
    cases: &Cases<'_>,
    threshold: f64,
    also: &[Metric],
) -> BTreeMap<String, f64> {
    if cases.truth.is_empty() {
        return BTreeMap::new();
    }
    let mut figures = match task {
        Task::Regression => vec![
            ("r2", r2(cases)),
            ("rmse", Some(math::sqrt(mean_squared_error(cases)))),
            ("mae", Some(mean_absolute_error(cases))),
        ],
        Task::Binary => two_classes(cases, threshold),
        Task::Multiclass => {
            let counts = classes::class_counts(cases);
            vec![
                ("log_loss", Some(class_log_loss(cases))),
                ("accuracy", Some(classes::accuracy(&counts))),
                ("balanced_accuracy", Some(classes::balanced_accuracy(&counts))),
                ("macro_f1", Some(classes::macro_f1(&counts))),
            ]
        }
    };
    let asked = also.iter().map(|metric| (metric.name, metric.figure(cases)));
    figures.extend(asked.filter(|(_, figure)| figure.is_some()));
    let defined = figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    defined.filter(|(_, value)| value.is_finite()).collect()
}

fn two_classes(cases: &Cases<'_>, threshold: f64) -> Vec<(&'static str, Option<f64>)> {
    let [tn, fp, fn_, tp] = confusion(cases, threshold);
    let count = |n: f64| Some(cases.as_given(n));
    vec![
        ("roc_auc", roc_auc(cases)),
        ("pr_auc", average_precision(cases)),
        ("log_loss", Some(log_loss(cases))),
        ("brier", Some(mean_squared_error(cases))),
        ("accuracy", Some((tn + tp) / cases.total())),
        ("true_negatives", count(tn)),
        ("false_positives", count(fp)),
        ("false_negatives", count(fn_)),
        ("true_positives", count(tp)),
    ]
}

#[cfg(test)]
mod tests;
