//! Passes of a multinomial logistic fit: value and gradient at a point, then second derivatives.
//!
//! The terms of rows are plain f64 in a fixed expression; their sums are exact and rounded once.
//! The second derivatives are those of Σ over pairs of classes: the Gram matrix of the columns
//! weighted by the product of both probabilities, which pulls the two classes together. Written so,
//! the whole is never indefinite, however few digits each has.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::math::{self, ExactSum, GramMatrix, GramSpec};

/// Rows seen at a time, so that their scaled columns stay in the cache.
const CHUNK: usize = 512;

/// Where the log-odds are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftmaxPoint {
    /// What is subtracted from each column.
    pub centres: Vec<f64>,
    /// What a centred value is multiplied by: a power of two that takes it into [-1, 1].
    pub scales: Vec<f64>,
    /// Per class the intercept, then one weight per scaled column.
    pub lines: Vec<Vec<f64>>,
    /// What a row of each class counts, above 0.
    pub class_weights: Vec<f64>,
}

/// What the rows say about a point.
#[derive(Clone, Debug)]
pub struct SoftmaxSums {
    /// The weighted sum of −ln(probability of the row's class).
    pub loss: f64,
    /// Its derivatives, class by class in the order of a line.
    pub gradient: Vec<f64>,
    /// The largest weight of a row.
    pub heaviest: f64,
}

/// Value and gradient; the target is the number of a class.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftmaxPass {
    slots: Slots,
    point: SoftmaxPoint,
    value: ExactSum,
    gradient: Vec<ExactSum>,
    heaviest: f64,
}

impl SoftmaxPass {
    /// At `point`, of the columns at `slots`.
    pub fn new(slots: &[usize], point: SoftmaxPoint) -> Self {
        let n = point.lines.len() * (slots.len() + 1);
        SoftmaxPass {
            slots: Slots::new(slots),
            point,
            value: ExactSum::new(),
            gradient: vec![ExactSum::new(); n],
            heaviest: 0.0,
        }
    }

    /// The sums.
    pub fn finish(&self) -> SoftmaxSums {
        SoftmaxSums {
            loss: self.value.round(),
            gradient: self.gradient.iter().map(ExactSum::round).collect(),
            heaviest: self.heaviest,
        }
    }
}

impl Aggregate for SoftmaxPass {
    fn observe(&mut self, block: &Batch) {
        let SoftmaxPass { slots, point, value, gradient, heaviest } = self;
        let mut products = [0.0; CHUNK];
        each_chunk(slots, point, block, |columns, rows| {
            value.add_slice(&rows.losses);
            let mut sums = gradient.iter_mut();
            for residuals in &rows.residuals {
                for (column, sum) in columns.iter().zip(&mut sums) {
                    for ((product, r), v) in products.iter_mut().zip(residuals).zip(*column) {
                        *product = r * v;
                    }
                    sum.add_slice(&products[..residuals.len()]);
                }
            }
            *heaviest = rows.weights.iter().fold(*heaviest, |most, w| math::max(most, *w));
        });
    }

    fn merge(&mut self, other: &Self) {
        self.value.merge(&other.value);
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(a, b)| a.merge(b));
        self.heaviest = math::max(self.heaviest, other.heaviest);
    }
}

/// Second derivatives, one matrix for each pair of classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftmaxCurvature {
    slots: Slots,
    point: SoftmaxPoint,
    pairs: Vec<math::Gram>,
}

impl SoftmaxCurvature {
    /// At `point`; `heaviest` is the largest weight of a row, `slices` the number of digits, 1 to
    /// 3.
    pub fn new(slots: &[usize], point: SoftmaxPoint, heaviest: f64, slices: u8) -> Self {
        let n = slots.len() + 1;
        // A product of two probabilities is at most a quarter, its root at most half.
        let spec = GramSpec {
            n_rows: u64::MAX,
            centers: vec![0.0; n],
            max_abs: vec![math::sqrt(heaviest) / 2.0; n],
            slices,
        };
        let n_classes = point.lines.len();
        let n_pairs = n_classes * n_classes.saturating_sub(1) / 2;
        let pairs = vec![math::Gram::new(&spec); n_pairs];
        SoftmaxCurvature { slots: Slots::new(slots), point, pairs }
    }

    /// The matrices of classes (0, 1), (0, 2), ..., (1, 2), ...
    pub fn finish(&self) -> Vec<GramMatrix> {
        self.pairs.iter().map(math::Gram::finish).collect()
    }
}

impl Aggregate for SoftmaxCurvature {
    fn observe(&mut self, block: &Batch) {
        let SoftmaxCurvature { slots, point, pairs } = self;
        let mut products = [0.0; CHUNK];
        each_chunk(slots, point, block, |columns, rows| {
            let n_rows = rows.weights.len();
            let mut pairs = pairs.iter_mut();
            for (k, first) in rows.shares.iter().enumerate() {
                for (second, gram) in rows.shares[k + 1..].iter().zip(&mut pairs) {
                    let terms = first.iter().zip(second).zip(&rows.weights);
                    for (product, ((p, q), w)) in products.iter_mut().zip(terms) {
                        *product = w * (p * q);
                    }
                    gram.observe_weighted(columns, &products[..n_rows]);
                }
            }
        });
    }

    fn merge(&mut self, other: &Self) {
        self.pairs.iter_mut().zip(&other.pairs).for_each(|(a, b)| a.merge(b));
    }
}

/// What each row of a chunk adds.
struct ChunkRows {
    weights: Vec<f64>,
    losses: Vec<f64>,
    /// Per class the probabilities.
    shares: Vec<Vec<f64>>,
    /// Per class weight · (probability − whether it is the row's).
    residuals: Vec<Vec<f64>>,
}

/// Shows the scaled columns of each chunk, ones first, with its rows.
fn each_chunk(
    slots: &Slots,
    point: &SoftmaxPoint,
    block: &Batch,
    mut see: impl FnMut(&[&[f64]], &ChunkRows),
) {
    let n_classes = point.lines.len();
    let mut columns = vec![1.0; (slots.len() + 1) * CHUNK];
    let row_weights = block.weights();
    for first in (0..block.n_rows()).step_by(CHUNK) {
        let rows = first..Ord::min(first + CHUNK, block.n_rows());
        let n_rows = rows.len();
        for (j, slot) in slots.iter().enumerate() {
            let (centre, scale) = (point.centres[j], point.scales[j]);
            let scaled = &mut columns[(j + 1) * CHUNK..][..n_rows];
            let values = &block.num(slot)[rows.clone()];
            scaled.iter_mut().zip(values).for_each(|(v, x)| *v = (x - centre) * scale);
        }
        let columns: Vec<&[f64]> = columns.chunks(CHUNK).map(|c| &c[..n_rows]).collect();
        let mut shares: Vec<Vec<f64>> = Vec::with_capacity(n_classes);
        for line in &point.lines {
            let mut log_odds = vec![line[0]; n_rows];
            for (weight, column) in line[1..].iter().zip(&columns[1..]) {
                log_odds.iter_mut().zip(*column).for_each(|(z, v)| *z += weight * v);
            }
            shares.push(log_odds);
        }
        let mut seen = ChunkRows {
            weights: Vec::with_capacity(n_rows),
            losses: Vec::with_capacity(n_rows),
            residuals: vec![Vec::with_capacity(n_rows); n_classes],
            shares,
        };
        let classes = &block.target()[rows];
        let own = seen.raise(classes);
        for (i, (&y, own)) in classes.iter().zip(own).enumerate() {
            let class = y as usize;
            let row_weight = row_weights.get(first + i).copied().unwrap_or(1.0);
            seen.push(i, class, own, row_weight * point.class_weights[class]);
        }
        see(&columns, &seen);
    }
}

impl ChunkRows {
    /// Turns log-odds into e^(z − m), where m is the row's largest z, and gives z − m of the row's
    /// own class.
    fn raise(&mut self, classes: &[f64]) -> Vec<f64> {
        let mut highest = vec![f64::NEG_INFINITY; classes.len()];
        for share in &self.shares {
            highest.iter_mut().zip(share).for_each(|(high, z)| *high = math::max(*high, *z));
        }
        for share in &mut self.shares {
            share.iter_mut().zip(&highest).for_each(|(z, high)| *z -= high);
        }
        let own = |(i, &y): (usize, &f64)| self.shares[y as usize][i];
        let own = classes.iter().enumerate().map(own).collect();
        self.shares.iter_mut().for_each(|share| math::exp_all(share));
        own
    }

    /// Turns the powers of row `i` into its terms.
    fn push(&mut self, i: usize, class: usize, own: f64, weight: f64) {
        let shares = &mut self.shares;
        let mut total = 0.0;
        for class in shares.iter() {
            total += class[i];
        }
        self.weights.push(weight);
        self.losses.push(weight * (math::ln(total) - own));
        for (k, (share, residuals)) in shares.iter_mut().zip(&mut self.residuals).enumerate() {
            share[i] /= total;
            let residual = share[i] - f64::from(u8::from(k == class));
            residuals.push(weight * residual);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_by_hand() {
        let t = crate::testing::table_with_target(
            &[("x", crate::testing::nums(&[1.0, -0.5]))],
            &[2.0, 0.0],
        );
        let point = SoftmaxPoint {
            centres: vec![0.0],
            scales: vec![1.0],
            lines: vec![vec![0.0; 2]; 4],
            class_weights: vec![1.0, 1.0, 2.0, 1.0],
        };
        let mut pass = SoftmaxPass::new(&[0], point.clone());
        pass.observe(&t);
        let sums = pass.finish();
        // Every probability is 1/4; the first row counts twice.
        assert_eq!(sums.heaviest, 2.0);
        // The distance to 3 ln 4: each term of the loss is rounded once.
        assert!((sums.loss - 3.0 * math::ln(4.0)).abs() < 1e-15);
        let expected = [
            2.0 / 4.0 - 0.75,
            2.0 / 4.0 + 0.75 / 2.0, // class 0: 2 (1/4) and −3/4 at −1/2
            0.75,
            0.5 - 0.125,
            -1.5 + 0.25,
            -1.5 - 0.125,
            0.75,
            0.5 - 0.125,
        ];
        assert_eq!(sums.gradient, expected);
        let mut pass = SoftmaxCurvature::new(&[0], point, 2.0, 3);
        pass.observe(&t);
        let pairs = pass.finish();
        assert_eq!(pairs.len(), 6);
        for (found, expected) in pairs[0].hi.iter().zip([3.0, 1.5, 1.5, 2.25]) {
            // Digits are cut from values times a rounded root of 1/8.
            assert!((found - expected / 16.0).abs() < 1e-15, "{found} {expected}");
        }
    }
}
