//! One pass of a logistic fit: objective, gradient and second derivatives at a point.
//!
//! **Exact where it counts.** Each row's terms are plain f64 in a fixed expression; every term is
//! then rounded to a multiple of 2^-50 of the largest size it can have and added in integers. So
//! the sums do not depend on the order of rows, blocks or threads. The second derivatives only
//! steer the steps; they are a weighted [`math::Gram`] of few digits, and may be left out.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::math::{self, FixedScale, FixedSum, GramMatrix, GramSpec};

/// Terms have this many bits; with 50, sums take the fast path of [`FixedSum`].
const TERM_BITS: u32 = 50;
/// Rows seen at a time, so that their scaled columns stay in the cache.
const CHUNK: usize = 1024;

/// Where the log-odds are evaluated: intercept + Σ weight · scaled value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticPoint {
    /// What is subtracted from each column.
    pub centres: Vec<f64>,
    /// What a centred value is multiplied by: a power of two that takes it into [-1, 1].
    pub scales: Vec<f64>,
    /// The intercept.
    pub intercept: f64,
    /// One weight per scaled column.
    pub weights: Vec<f64>,
    /// What a row of class 0 and of class 1 counts, above 0.
    pub class_weights: [f64; 2],
    /// The largest weight of a row.
    pub heaviest: f64,
}

/// What the rows say about a point.
#[derive(Clone, Debug)]
pub struct LogisticSums {
    /// The weighted sum of −ln(probability of the row's class); 0 if it was not asked for.
    pub loss: f64,
    /// Its derivatives by the intercept, then by each weight.
    pub gradient: Vec<f64>,
    /// Its second derivatives, in that order, if they were asked for.
    pub hessian: Option<GramMatrix>,
}

/// Sums over rows at one point; the target is 0 or 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticPass {
    slots: Slots,
    point: LogisticPoint,
    loss: FixedSum,
    gradient: Vec<FixedSum>,
    hessian: Option<math::Gram>,
}

impl LogisticPass {
    /// At `point`, of the columns at `slots`; `slices` is the number of digits of the second
    /// derivatives, 1 to 3. With 0 only the gradient is summed.
    pub fn new(slots: &[usize], point: LogisticPoint, slices: u8) -> Self {
        let [a, b] = point.class_weights;
        let heaviest = math::max(a, b) * point.heaviest;
        let mut reach = point.intercept.abs() + 1.0;
        for weight in &point.weights {
            reach += weight.abs();
        }
        let n = slots.len() + 1;
        // A row's second derivative is at most a quarter of its weight, its root at most half.
        let spec = GramSpec {
            n_rows: u64::MAX,
            centers: vec![0.0; n],
            max_abs: vec![math::sqrt(heaviest) / 2.0; n],
            slices,
        };
        LogisticPass {
            slots: Slots::new(slots),
            loss: FixedSum::new(FixedScale::for_max(reach * heaviest, TERM_BITS)),
            gradient: vec![FixedSum::new(FixedScale::for_max(heaviest, TERM_BITS)); n],
            hessian: (slices > 0).then(|| math::Gram::new(&spec)),
            point,
        }
    }

    /// The sums.
    pub fn finish(&self) -> LogisticSums {
        LogisticSums {
            loss: self.loss.round(),
            gradient: self.gradient.iter().map(FixedSum::round).collect(),
            hessian: self.hessian.as_ref().map(math::Gram::finish),
        }
    }
}

impl Aggregate for LogisticPass {
    fn observe(&mut self, block: &Batch) {
        let n = self.slots.len() + 1;
        let mut columns = vec![1.0; n * CHUNK];
        let mut terms = [0.0; CHUNK];
        for first in (0..block.n_rows()).step_by(CHUNK) {
            let rows = first..Ord::min(first + CHUNK, block.n_rows());
            let n_rows = rows.len();
            let mut log_odds = [self.point.intercept; CHUNK];
            for (j, slot) in self.slots.iter().enumerate() {
                let (centre, scale) = (self.point.centres[j], self.point.scales[j]);
                let weight = self.point.weights[j];
                let scaled = &mut columns[(j + 1) * CHUNK..][..n_rows];
                let values = &block.num(slot)[rows.clone()];
                for ((v, x), z) in scaled.iter_mut().zip(values).zip(&mut log_odds) {
                    *v = (x - centre) * scale;
                    *z += weight * *v;
                }
            }
            let mut each = Terms::default();
            let target = &block.target()[rows.clone()];
            if self.hessian.is_some() {
                each.of::<true>(&log_odds[..n_rows], target, &self.point);
            } else {
                each.of::<false>(&log_odds[..n_rows], target, &self.point);
            }
            if !block.weights().is_empty() {
                each.weigh(&block.weights()[rows]);
            }
            self.loss.add_slice(&each.losses[..n_rows]);
            let columns: Vec<&[f64]> = columns.chunks(CHUNK).map(|c| &c[..n_rows]).collect();
            for (sum, column) in self.gradient.iter_mut().zip(&columns) {
                let products = each.residuals.iter().zip(*column);
                for (term, (residual, v)) in terms.iter_mut().zip(products) {
                    *term = residual * v;
                }
                sum.add_slice(&terms[..n_rows]);
            }
            if let Some(hessian) = &mut self.hessian {
                hessian.observe_weighted(&columns, &each.curvatures[..n_rows]);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.loss.merge(&other.loss);
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(a, b)| a.merge(b));
        if let (Some(a), Some(b)) = (&mut self.hessian, &other.hessian) {
            a.merge(b);
        }
    }
}

/// What each row of a chunk adds.
struct Terms {
    /// p − y.
    residuals: [f64; CHUNK],
    /// p (1 − p).
    curvatures: [f64; CHUNK],
    losses: [f64; CHUNK],
}

impl Default for Terms {
    fn default() -> Self {
        Terms { residuals: [0.0; CHUNK], curvatures: [0.0; CHUNK], losses: [0.0; CHUNK] }
    }
}

impl Terms {
    /// With t = log-odds of the other class than the row's: the residual is sigmoid(t) in size, the
    /// loss softplus(t), with the expressions of `math`, whose exponential they share. Unless
    /// `WHOLE`, residuals alone.
    fn of<const WHOLE: bool>(&mut self, log_odds: &[f64], target: &[f64], point: &LogisticPoint) {
        let (mut others, mut powers) = ([0.0; CHUNK], [0.0; CHUNK]);
        let powers = &mut powers[..log_odds.len()];
        for (i, (&z, &y)) in log_odds.iter().zip(target).enumerate() {
            others[i] = if y == 1.0 { -z } else { z };
            powers[i] = -others[i].abs();
        }
        math::exp_all(powers);
        for (i, (&e, &y)) in powers.iter().zip(target).enumerate() {
            let (is_positive, t) = (y == 1.0, others[i]);
            let weight = point.class_weights[usize::from(is_positive)];
            let odds = 1.0 + e;
            let residual = if t >= 0.0 { 1.0 / odds } else { e / odds };
            let signed = if is_positive { -residual } else { residual };
            self.residuals[i] = weight * signed;
            if WHOLE {
                self.curvatures[i] = weight * (e / (odds * odds));
                self.losses[i] = weight * (if t > 0.0 { t } else { 0.0 } + math::ln_1p(e));
            }
        }
    }

    /// Multiplies the terms of each row by its weight.
    fn weigh(&mut self, weights: &[f64]) {
        for (i, weight) in weights.iter().enumerate() {
            self.residuals[i] *= weight;
            self.curvatures[i] *= weight;
            self.losses[i] *= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(weights: &[f64], class_weights: [f64; 2]) -> LogisticPoint {
        LogisticPoint {
            centres: vec![0.0; weights.len()],
            scales: vec![1.0; weights.len()],
            intercept: 0.0,
            weights: weights.to_vec(),
            class_weights,
            heaviest: 1.0,
        }
    }

    #[test]
    fn terms_are_the_functions_of_math_bit_by_bit() {
        let z = [-800.0, -40.0, -3.25, -1e-9, 0.0, 0.7, 36.9, 745.0];
        for y in [0.0, 1.0] {
            let mut terms = Terms::default();
            terms.of::<true>(&z, &[y; 8], &point(&[], [1.0, 1.0]));
            for (i, z) in z.iter().enumerate() {
                let (sign, t) = if y == 1.0 { (-1.0, -z) } else { (1.0, *z) };
                assert_eq!(terms.residuals[i], sign * math::sigmoid(t), "{z} {y}");
                assert_eq!(terms.losses[i], math::softplus(t), "{z} {y}");
            }
        }
    }

    #[test]
    fn two_rows_by_hand() {
        // At 0 every p is 1/2: residuals 1/2 and -1/2, curvature 1/4, loss ln 2 each.
        let t = crate::testing::table_with_target(
            &[("x", crate::testing::nums(&[1.0, -0.5]))],
            &[0.0, 1.0],
        );
        let mut pass = LogisticPass::new(&[0], point(&[0.0], [1.0, 2.0]), 1);
        pass.observe(&t);
        let sums = pass.finish();
        // Class 1 counts twice: 1/2 - 1, and 1/2 * 1 - 1 * -0.5.
        assert_eq!(sums.gradient, [-0.5, 1.0]);
        let mut bare = LogisticPass::new(&[0], point(&[0.0], [1.0, 2.0]), 0);
        bare.observe(&t);
        let bare = bare.finish();
        assert_eq!((bare.gradient, bare.hessian.is_none()), (sums.gradient, true));
        // The distance to 3 ln 2: each term of the loss is rounded once.
        assert!((sums.loss - 3.0 * math::ln(2.0)).abs() < 1e-14);
        // Weights 1/4 and 1/2: sums 3/4, 1/4 - 1/4, 1/4 + 1/8, up to 21 bits of the root of 1/2.
        let expected = [0.75, 0.0, 0.0, 0.375];
        for (found, expected) in sums.hessian.expect("asked for").hi.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
