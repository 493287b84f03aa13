//! Figures of two classes.

use samescore_core::math::{self, ExactSum};

use super::LOG_LOSS_MARGIN;
use super::cases::Cases;

/// The area under the ROC curve: the share of pairs of a positive and a negative row that the
/// scores order rightly, ties counting one half; a pair counts the product of its weights. `None`
/// for a single class.
pub fn roc_auc(cases: &Cases<'_>) -> Option<f64> {
    let (mut below, mut n_positive) = (Total::of(cases), Total::of(cases));
    let mut halves = ExactSum::new();
    for [negatives, positives] in ascending_ties(cases) {
        halves.add_product(2.0 * positives, below.value());
        halves.add_product(positives, negatives);
        below.add(negatives);
        n_positive.add(positives);
    }
    let pairs = 2.0 * below.value() * n_positive.value();
    (pairs > 0.0).then(|| halves.round() / pairs)
}

/// Average precision. `None` without a positive row.
pub fn average_precision(cases: &Cases<'_>) -> Option<f64> {
    let (mut seen, mut hits) = (Total::of(cases), Total::of(cases));
    let mut sum = ExactSum::new();
    for [negatives, positives] in ascending_ties(cases).into_iter().rev() {
        seen.add(negatives);
        seen.add(positives);
        hits.add(positives);
        if positives > 0.0 {
            sum.add_product(positives, hits.value() / seen.value());
        }
    }
    let n_positive = hits.value();
    (n_positive > 0.0).then(|| sum.round() / n_positive)
}

/// What was counted so far. Numbers of rows add up exactly as they are.
enum Total {
    Rows(f64),
    Weights(ExactSum),
}

impl Total {
    fn of(cases: &Cases<'_>) -> Self {
        if cases.is_plain() { Total::Rows(0.0) } else { Total::Weights(ExactSum::new()) }
    }

    fn add(&mut self, x: f64) {
        match self {
            Total::Rows(n) => *n += x,
            Total::Weights(sum) => sum.add(x),
        }
    }

    fn value(&self) -> f64 {
        match self {
            Total::Rows(n) => *n,
            Total::Weights(sum) => sum.round(),
        }
    }
}

/// What the negative and the positive rows of each distinct score count, scores ascending.
fn ascending_ties(cases: &Cases<'_>) -> Vec<[f64; 2]> {
    let order = math::argsort(cases.scores);
    let key = |row: &u32| math::order_key(cases.scores[*row as usize]);
    let of_tie = |rows: &[u32]| {
        let mut sides = [Total::of(cases), Total::of(cases)];
        for &row in rows {
            let is_positive = cases.truth[row as usize] == 1.0;
            sides[usize::from(is_positive)].add(cases.weight(row as usize));
        }
        sides.map(|side| side.value())
    };
    order.chunk_by(|a, b| key(a) == key(b)).map(of_tie).collect()
}

/// The mean of −ln of the probability given to what came true.
pub fn log_loss(cases: &Cases<'_>) -> f64 {
    let mut sum = ExactSum::new();
    for (w, y, p) in cases.rows() {
        let p = math::clamp(p, LOG_LOSS_MARGIN, 1.0 - LOG_LOSS_MARGIN);
        sum.add_product(w, if y == 1.0 { -math::ln(p) } else { -math::ln_1p(-p) });
    }
    cases.mean(&sum)
}

/// True negatives, false positives, false negatives, true positives, by weight; scores from
/// `threshold` on are positive.
pub fn confusion(cases: &Cases<'_>, threshold: f64) -> [f64; 4] {
    let mut counts: [ExactSum; 4] = std::array::from_fn(|_| ExactSum::new());
    for (w, y, p) in cases.rows() {
        counts[usize::from(y == 1.0) * 2 + usize::from(p >= threshold)].add(w);
    }
    counts.map(|count| count.round())
}
