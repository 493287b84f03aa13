//! Figures of several classes.

use samescore_core::math::{self, ExactSum};

use super::LOG_LOSS_MARGIN;
use super::cases::Cases;

/// The mean of −ln of the probability given to the class that came true.
pub fn class_log_loss(cases: &Cases<'_>) -> f64 {
    let mut sum = ExactSum::new();
    for (w, class, scores) in cases.classes() {
        sum.add_product(w, -math::ln(math::clamp(scores[class], LOG_LOSS_MARGIN, 1.0)));
    }
    cases.mean(&sum)
}

/// What the rows of a class count: of it, said to be of it, and both.
pub(super) struct ClassCount {
    of: f64,
    said: f64,
    both: f64,
}

/// The counts by class. A row is said to be of its most probable class, the first one of equals.
pub(super) fn class_counts(cases: &Cases<'_>) -> Vec<ClassCount> {
    let width = cases.width;
    let mut counts = vec![[ExactSum::new(), ExactSum::new(), ExactSum::new()]; width];
    for (w, class, row) in cases.classes() {
        let best =
            (1..width).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        counts[class][0].add(w);
        counts[best][1].add(w);
        if best == class {
            counts[best][2].add(w);
        }
    }
    let rounded = |[of, said, both]: &[ExactSum; 3]| ClassCount {
        of: of.round(),
        said: said.round(),
        both: both.round(),
    };
    counts.iter().map(rounded).collect()
}

pub(super) fn accuracy(counts: &[ClassCount]) -> f64 {
    let (mut n, mut hits) = (ExactSum::new(), ExactSum::new());
    counts.iter().for_each(|count| {
        n.add(count.of);
        hits.add(count.both);
    });
    hits.round() / n.round()
}

/// The mean over the classes that have rows of the share of them that was found.
pub(super) fn balanced_accuracy(counts: &[ClassCount]) -> f64 {
    mean_of(counts.iter().filter(|c| c.of > 0.0).map(|c| c.both / c.of))
}

/// The mean over the classes that have rows, or were said, of 2 · both / (of + said).
pub(super) fn macro_f1(counts: &[ClassCount]) -> f64 {
    let known = counts.iter().filter(|c| c.of + c.said > 0.0);
    mean_of(known.map(|c| 2.0 * c.both / (c.of + c.said)))
}

pub(super) fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (ExactSum::new(), 0);
    values.for_each(|x| {
        sum.add(x);
        n += 1;
    });
    math::mean(&sum, n)
}
