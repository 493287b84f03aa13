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
//! # Missing
//! A figure that is not defined is absent: `r2` of a constant target, the areas of a single class.

mod ranking;

use std::collections::BTreeMap;

use samescore_core::config::Task;
use samescore_core::math::{self, ExactSum, Moments};

pub(crate) use ranking::Needs;
pub use ranking::{Metric, named, ranking};

/// Probabilities are kept this far from 0 and 1 in the logarithmic loss.
const LOG_LOSS_MARGIN: f64 = f64::EPSILON;
/// Scores from here on count as positive.
const THRESHOLD: f64 = 0.5;

/// The figures of a task by name. `truth` and `scores` belong together row by row and are finite;
/// a row has `width` scores, one per class of several.
pub fn of(task: Task, truth: &[f64], scores: &[f64], width: usize) -> BTreeMap<String, f64> {
    decided(task, truth, scores, width, THRESHOLD)
}

/// The same where scores from `threshold` on count as positive.
pub fn decided(
    task: Task,
    truth: &[f64],
    scores: &[f64],
    width: usize,
    threshold: f64,
) -> BTreeMap<String, f64> {
    if truth.is_empty() {
        return BTreeMap::new();
    }
    let figures = match task {
        Task::Regression => vec![
            ("r2", r2(truth, scores)),
            ("rmse", Some(math::sqrt(mean_squared_error(truth, scores)))),
            ("mae", Some(mean_absolute_error(truth, scores))),
        ],
        Task::Binary => {
            let [tn, fp, fn_, tp] = confusion(truth, scores, threshold);
            let count = |n: u64| Some(n as f64);
            vec![
                ("roc_auc", roc_auc(truth, scores)),
                ("pr_auc", average_precision(truth, scores)),
                ("log_loss", Some(log_loss(truth, scores))),
                ("brier", Some(mean_squared_error(truth, scores))),
                ("accuracy", Some((tn + tp) as f64 / truth.len() as f64)),
                ("true_negatives", count(tn)),
                ("false_positives", count(fp)),
                ("false_negatives", count(fn_)),
                ("true_positives", count(tp)),
            ]
        }
        Task::Multiclass => {
            let counts = class_counts(truth, scores, width);
            vec![
                ("log_loss", Some(class_log_loss(truth, scores, width))),
                ("accuracy", Some(accuracy(&counts))),
                ("balanced_accuracy", Some(balanced_accuracy(&counts))),
                ("macro_f1", Some(macro_f1(&counts))),
            ]
        }
    };
    let defined = figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    defined.filter(|(_, value)| value.is_finite()).collect()
}

/// The mean of (y − p)².
pub fn mean_squared_error(truth: &[f64], scores: &[f64]) -> f64 {
    let unit = Unit::of(truth, scores);
    unit.grow(unit.grow(math::mean(&squares(truth, scores, &unit), truth.len() as u64)))
}

/// The mean of |y − p|.
pub fn mean_absolute_error(truth: &[f64], scores: &[f64]) -> f64 {
    let mut sum = ExactSum::new();
    for (&y, &p) in truth.iter().zip(scores) {
        let (high, low) = if y >= p { (y, p) } else { (p, y) };
        sum.add(high);
        sum.add(-low);
    }
    math::mean(&sum, truth.len() as u64)
}

/// 1 − Σ(y−p)² / Σ(y−ȳ)²; `None` if the target is constant.
pub fn r2(truth: &[f64], scores: &[f64]) -> Option<f64> {
    let unit = Unit::of(truth, scores);
    let mut moments = Moments::new();
    truth.iter().for_each(|&y| moments.observe(unit.shrink(y)));
    let variance = moments.variance(0).filter(|v| *v > 0.0)?;
    let total = variance * truth.len() as f64;
    Some(1.0 - squares(truth, scores, &unit).round() / total)
}

/// Σ(y−p)² of values that were brought near 1.
fn squares(truth: &[f64], scores: &[f64], unit: &Unit) -> ExactSum {
    let mut sum = ExactSum::new();
    for (&y, &p) in truth.iter().zip(scores) {
        let (y, p) = (unit.shrink(y), unit.shrink(p));
        sum.add_product(y, y);
        sum.add_product(-2.0 * y, p);
        sum.add_product(p, p);
    }
    sum
}

/// A power of two by which values are divided, exactly, so that their squares neither overflow nor
/// vanish.
struct Unit {
    exponent: i32,
}

impl Unit {
    fn of(truth: &[f64], scores: &[f64]) -> Self {
        let largest = truth.iter().chain(scores).map(|x| x.abs()).fold(0.0, math::max);
        let exponent = ((largest.to_bits() >> 52) & 0x7ff) as i32 - 1023;
        // Powers of two are normal numbers within these bounds.
        Unit { exponent: if largest == 0.0 { 0 } else { exponent.clamp(-1000, 1000) } }
    }

    fn power(exponent: i32) -> f64 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    }

    fn shrink(&self, x: f64) -> f64 {
        x * Unit::power(-self.exponent)
    }

    fn grow(&self, x: f64) -> f64 {
        x * Unit::power(self.exponent)
    }
}

/// The area under the ROC curve: the share of pairs of a positive and a negative row that the
/// scores order rightly, ties counting one half. `None` for a single class.
pub fn roc_auc(truth: &[f64], scores: &[f64]) -> Option<f64> {
    let (mut n_below, mut halves, mut n_positive) = (0u128, 0u128, 0u128);
    for (negatives, positives) in ascending_ties(truth, scores) {
        halves += u128::from(positives) * (2 * n_below + u128::from(negatives));
        n_below += u128::from(negatives);
        n_positive += u128::from(positives);
    }
    let pairs = 2 * n_below * n_positive;
    (pairs > 0).then(|| halves as f64 / pairs as f64)
}

/// Average precision. `None` without a positive row.
pub fn average_precision(truth: &[f64], scores: &[f64]) -> Option<f64> {
    let mut ties = ascending_ties(truth, scores);
    ties.reverse();
    let n_positive = ties.iter().map(|(_, positives)| *positives).sum::<u64>();
    if n_positive == 0 {
        return None;
    }
    let (mut seen, mut hits) = (0u64, 0u64);
    let mut sum = ExactSum::new();
    for (negatives, positives) in ties {
        seen += negatives + positives;
        hits += positives;
        sum.add_product(positives as f64, hits as f64 / seen as f64);
    }
    Some(sum.round() / n_positive as f64)
}

/// Negative and positive rows of each distinct score, scores ascending.
fn ascending_ties(truth: &[f64], scores: &[f64]) -> Vec<(u64, u64)> {
    let mut ties: Vec<(u64, u64)> = Vec::new();
    let mut last = None;
    for row in math::argsort(scores) {
        let row = row as usize;
        if last != Some(math::order_key(scores[row])) {
            ties.push((0, 0));
            last = Some(math::order_key(scores[row]));
        }
        if let Some((negatives, positives)) = ties.last_mut() {
            if truth[row] == 1.0 {
                *positives += 1;
            } else {
                *negatives += 1;
            }
        }
    }
    ties
}

/// The mean of −ln of the probability given to what came true.
pub fn log_loss(truth: &[f64], scores: &[f64]) -> f64 {
    let mut sum = ExactSum::new();
    for (&y, &p) in truth.iter().zip(scores) {
        let p = math::clamp(p, LOG_LOSS_MARGIN, 1.0 - LOG_LOSS_MARGIN);
        sum.add(if y == 1.0 { -math::ln(p) } else { -math::ln_1p(-p) });
    }
    math::mean(&sum, truth.len() as u64)
}

/// True negatives, false positives, false negatives, true positives; scores from `threshold` on are
/// positive.
pub fn confusion(truth: &[f64], scores: &[f64], threshold: f64) -> [u64; 4] {
    let mut counts = [0; 4];
    for (&y, &p) in truth.iter().zip(scores) {
        counts[usize::from(y == 1.0) * 2 + usize::from(p >= threshold)] += 1;
    }
    counts
}

/// The mean of −ln of the probability given to the class that came true.
pub fn class_log_loss(truth: &[f64], scores: &[f64], width: usize) -> f64 {
    let mut sum = ExactSum::new();
    for (&y, row) in truth.iter().zip(scores.chunks_exact(width)) {
        sum.add(-math::ln(math::clamp(row[y as usize], LOG_LOSS_MARGIN, 1.0)));
    }
    math::mean(&sum, truth.len() as u64)
}

/// Rows by class: of it, said to be of it, and both. A row is said to be of its most probable
/// class, the first one of equals.
fn class_counts(truth: &[f64], scores: &[f64], width: usize) -> Vec<[u64; 3]> {
    let mut counts = vec![[0u64; 3]; width];
    for (&y, row) in truth.iter().zip(scores.chunks_exact(width)) {
        let best =
            (1..width).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        counts[y as usize][0] += 1;
        counts[best][1] += 1;
        counts[best][2] += u64::from(best == y as usize);
    }
    counts
}

fn accuracy(counts: &[[u64; 3]]) -> f64 {
    let (mut n, mut hits) = (0, 0);
    counts.iter().for_each(|[of, _, both]| {
        n += of;
        hits += both;
    });
    hits as f64 / n as f64
}

/// The mean over the classes that have rows of the share of them that was found.
fn balanced_accuracy(counts: &[[u64; 3]]) -> f64 {
    mean_of(counts.iter().filter(|c| c[0] > 0).map(|[of, _, both]| *both as f64 / *of as f64))
}

/// The mean over the classes that have rows, or were said, of 2 · both / (of + said).
fn macro_f1(counts: &[[u64; 3]]) -> f64 {
    let known = counts.iter().filter(|c| c[0] + c[1] > 0);
    mean_of(known.map(|[of, said, both]| (2 * both) as f64 / (of + said) as f64))
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (ExactSum::new(), 0);
    values.for_each(|x| {
        sum.add(x);
        n += 1;
    });
    math::mean(&sum, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        // Errors 1, 0, -2: mse (1 + 0 + 4) / 3, mae 3 / 3; mean of y is 2, Σ(y-2)² = 2.
        let (y, p) = ([1.0, 2.0, 3.0], [2.0, 2.0, 1.0]);
        assert_eq!(mean_squared_error(&y, &p), 5.0 / 3.0);
        assert_eq!(mean_absolute_error(&y, &p), 1.0);
        assert_eq!(r2(&y, &p), Some(1.0 - 2.5));
        assert_eq!(r2(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn figures_of_classes_by_hand() {
        // Classes 0, 0, 1, 2; said 0, 1, 1, 1 (the first of equals).
        let y = [0.0, 0.0, 1.0, 2.0];
        let p = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.25, 0.0, 0.5, 0.5];
        let figures = of(Task::Multiclass, &y, &p, 3);
        assert_eq!(figures["accuracy"], 0.5);
        // Recalls 1/2, 1, 0.
        assert_eq!(figures["balanced_accuracy"], 0.5);
        // 2/3, 2/4, 0 over 3.
        assert_eq!(figures["macro_f1"], mean_of([2.0 / 3.0, 0.5, 0.0].into_iter()));
        // Probabilities 1/2, 1/4, 1/2, 1/2 of what came true: 5 ln 2 over 4.
        assert_eq!(figures["log_loss"], 1.25 * math::ln(2.0));
    }

    #[test]
    fn every_figure_that_can_rank_is_a_figure_of_its_task() {
        let scores = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25];
        for (task, width) in [(Task::Regression, 1), (Task::Binary, 1), (Task::Multiclass, 3)] {
            let figures = of(task, &[0.0, 1.0], &scores[..2 * width], width);
            for metric in ranking(task) {
                assert!(figures.contains_key(metric.name), "{task:?} {metric:?}");
                assert_eq!(named(task, Some(metric.name)).unwrap(), *metric);
            }
            assert_eq!(named(task, None).unwrap(), ranking(task)[0]);
            assert!(named(task, Some("true_positives")).is_err());
        }
    }

    #[test]
    fn a_tied_pair_counts_one_half() {
        // Pairs (0.5 > 0.2), (0.5 = 0.5): 1 and 1/2 of 2.
        assert_eq!(roc_auc(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.5]), Some(0.75));
        assert_eq!(roc_auc(&[1.0, 1.0], &[0.2, 0.5]), None);
        // Threshold 0.5: precision 1/2, recall 1.
        assert_eq!(average_precision(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.5]), Some(0.5));
    }

    #[test]
    fn half_is_positive() {
        assert_eq!(confusion(&[0.0, 0.0, 1.0, 1.0], &[0.5, 0.4, 0.5, 0.4], 0.5), [1, 1, 1, 1]);
    }

    #[test]
    fn order_of_rows_cannot_matter() {
        let y: Vec<f64> = (0..500).map(|i| f64::from(i * 7919 % 500) * 0.1).collect();
        let p: Vec<f64> = (0..500).map(|i| f64::from(i * 104_729 % 499) * 0.1).collect();
        let (mut back_y, mut back_p) = (y.clone(), p.clone());
        back_y.reverse();
        back_p.reverse();
        let bits = |m: BTreeMap<String, f64>| m.into_values().map(f64::to_bits).collect::<Vec<_>>();
        let forward = bits(of(Task::Regression, &y, &p, 1));
        assert_eq!(forward, bits(of(Task::Regression, &back_y, &back_p, 1)));
    }

    #[test]
    fn squares_that_would_vanish_or_overflow_do_not() {
        assert_eq!(r2(&[1e-160, 3e-160], &[1e-160, 2e-160]), Some(0.5));
        assert!(mean_squared_error(&[1e150], &[-1e150]).is_finite());
        assert_eq!(r2(&[1e300, 3e300], &[1e300, 3e300]), Some(1.0));
    }
}
