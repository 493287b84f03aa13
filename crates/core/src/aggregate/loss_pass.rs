//! Passes of a fit that minimises a sum of losses of a weighted sum of columns: value and gradient
//! at a point, then second derivatives there.
//!
//! **Exact where it counts.** Each row's terms are plain f64 in a fixed expression; their sums are
//! exact and rounded once, so order, blocks and threads cannot move a bit. The second derivatives
//! only steer the steps; they are a weighted [`math::Gram`] of few digits whose scale the first
//! pass found.

use serde::{Deserialize, Serialize};

use super::loss::{Loss, LossTerms};
use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::math::{self, ExactSum, GramMatrix, GramSpec};

/// Rows seen at a time, so that their scaled columns stay in the cache.
const CHUNK: usize = 1024;

/// Where the sums are evaluated: z = intercept + Σ weight · scaled value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossPoint {
    /// What is subtracted from each column.
    pub centres: Vec<f64>,
    /// What a centred value is multiplied by: a power of two that takes it into [-1, 1].
    pub scales: Vec<f64>,
    /// What is subtracted from the target.
    pub target_centre: f64,
    /// What the centred target is multiplied by.
    pub target_scale: f64,
    /// The intercept.
    pub intercept: f64,
    /// One weight per scaled column.
    pub weights: Vec<f64>,
    /// The spread of the scaled target; without effect for a loss that has none.
    pub spread: f64,
}

/// What the rows say about a point.
#[derive(Clone, Debug)]
pub struct LossSums {
    /// The weighted sum of losses.
    pub loss: f64,
    /// Its derivatives by the intercept, each weight, and the spread if the loss has one.
    pub gradient: Vec<f64>,
    /// The largest second derivative of a row.
    pub peak: f64,
}

/// Value and gradient at a point.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossPass {
    slots: Slots,
    loss: Loss,
    point: LossPoint,
    value: ExactSum,
    gradient: Vec<ExactSum>,
    peak: f64,
}

impl LossPass {
    /// At `point`, of the columns at `slots`.
    pub fn new(slots: &[usize], loss: Loss, point: LossPoint) -> Self {
        let n = slots.len() + 1 + usize::from(loss.has_spread());
        LossPass {
            slots: Slots::new(slots),
            loss,
            point,
            value: ExactSum::new(),
            gradient: vec![ExactSum::new(); n],
            peak: 0.0,
        }
    }

    /// The sums.
    pub fn finish(&self) -> LossSums {
        LossSums {
            loss: self.value.round(),
            gradient: self.gradient.iter().map(ExactSum::round).collect(),
            peak: self.peak,
        }
    }
}

impl Aggregate for LossPass {
    fn observe(&mut self, block: &Batch) {
        let LossPass { slots, loss, point, value, gradient, peak } = self;
        let mut products = [0.0; CHUNK];
        each_chunk(slots, *loss, point, block, |columns, terms| {
            let n = terms.losses.len();
            value.add_slice(&terms.losses);
            for (sum, column) in gradient.iter_mut().zip(columns) {
                for ((product, slope), v) in products.iter_mut().zip(&terms.slopes).zip(*column) {
                    *product = slope * v;
                }
                sum.add_slice(&products[..n]);
            }
            if let Some(sum) = gradient.get_mut(columns.len()) {
                sum.add_slice(&terms.spread_slopes);
            }
            *peak = terms.curvatures.iter().fold(*peak, |peak, c| math::max(peak, *c));
        });
    }

    fn merge(&mut self, other: &Self) {
        self.value.merge(&other.value);
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(a, b)| a.merge(b));
        self.peak = math::max(self.peak, other.peak);
    }
}

/// Second derivatives at a point.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvaturePass {
    slots: Slots,
    loss: Loss,
    point: LossPoint,
    hessian: math::Gram,
}

impl CurvaturePass {
    /// At `point`, whose largest second derivative of a row is `peak`; `slices` is the number of
    /// digits, 1 to 3.
    pub fn new(slots: &[usize], loss: Loss, point: LossPoint, peak: f64, slices: u8) -> Self {
        let root = math::sqrt(peak);
        let mut max_abs = vec![root; slots.len() + 1];
        if loss.has_spread() {
            max_abs.push(root * loss.lever_max());
        }
        let centers = vec![0.0; max_abs.len()];
        let spec = GramSpec { n_rows: u64::MAX, centers, max_abs, slices };
        CurvaturePass { slots: Slots::new(slots), loss, point, hessian: math::Gram::new(&spec) }
    }

    /// The matrix, in the order of [`LossSums::gradient`].
    pub fn finish(&self) -> GramMatrix {
        self.hessian.finish()
    }
}

impl Aggregate for CurvaturePass {
    fn observe(&mut self, block: &Batch) {
        let CurvaturePass { slots, loss, point, hessian } = self;
        each_chunk(slots, *loss, point, block, |columns, terms| {
            let mut columns = columns.to_vec();
            if loss.has_spread() {
                columns.push(&terms.levers);
            }
            hessian.observe_weighted(&columns, &terms.curvatures);
        });
    }

    fn merge(&mut self, other: &Self) {
        self.hessian.merge(&other.hessian);
    }
}

/// What each row of a chunk adds, times its weight.
#[derive(Default)]
struct ChunkTerms {
    losses: Vec<f64>,
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
    spread_slopes: Vec<f64>,
    levers: Vec<f64>,
}

impl ChunkTerms {
    fn clear(&mut self) {
        self.losses.clear();
        self.slopes.clear();
        self.curvatures.clear();
        self.spread_slopes.clear();
        self.levers.clear();
    }

    fn push(&mut self, terms: LossTerms, weight: f64) {
        self.losses.push(weight * terms.loss);
        self.slopes.push(weight * terms.slope);
        self.curvatures.push(weight * terms.curvature);
        self.spread_slopes.push(weight * terms.spread_slope);
        self.levers.push(terms.lever);
    }
}

/// Shows the scaled columns of each chunk, ones first, with the terms of its rows.
fn each_chunk(
    slots: &Slots,
    loss: Loss,
    point: &LossPoint,
    block: &Batch,
    mut see: impl FnMut(&[&[f64]], &ChunkTerms),
) {
    let mut columns = vec![1.0; (slots.len() + 1) * CHUNK];
    let mut terms = ChunkTerms::default();
    let weights = block.weights();
    for first in (0..block.n_rows()).step_by(CHUNK) {
        let rows = first..Ord::min(first + CHUNK, block.n_rows());
        let n_rows = rows.len();
        let mut sums = [point.intercept; CHUNK];
        for (j, slot) in slots.iter().enumerate() {
            let (centre, scale, weight) = (point.centres[j], point.scales[j], point.weights[j]);
            let scaled = &mut columns[(j + 1) * CHUNK..][..n_rows];
            let values = &block.num(slot)[rows.clone()];
            for ((v, x), z) in scaled.iter_mut().zip(values).zip(&mut sums) {
                *v = (x - centre) * scale;
                *z += weight * *v;
            }
        }
        terms.clear();
        for (i, (&z, &y)) in sums.iter().zip(&block.target()[rows.clone()]).enumerate() {
            let y = (y - point.target_centre) * point.target_scale;
            let weight = weights.get(first + i).copied().unwrap_or(1.0);
            terms.push(loss.terms(z, y, point.spread), weight);
        }
        let columns: Vec<&[f64]> = columns.chunks(CHUNK).map(|c| &c[..n_rows]).collect();
        see(&columns, &terms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_by_hand() {
        let t = crate::testing::table_with_target(
            &[("x", crate::testing::nums(&[1.0, -0.5]))],
            &[2.0, 1.0],
        );
        let point = LossPoint {
            centres: vec![0.0],
            scales: vec![1.0],
            target_centre: 0.0,
            target_scale: 1.0,
            intercept: 0.0,
            weights: vec![0.0],
            spread: 1.0,
        };
        // Poisson at z = 0: losses 1 and 1, slopes -1 and 0, second derivatives 1 and 1.
        let mut pass = LossPass::new(&[0], Loss::Poisson, point.clone());
        pass.observe(&t);
        let sums = pass.finish();
        assert_eq!((sums.loss, sums.gradient, sums.peak), (2.0, vec![-1.0, -1.0], 1.0));
        let mut pass = CurvaturePass::new(&[0], Loss::Poisson, point.clone(), 1.0, 1);
        pass.observe(&t);
        assert_eq!(pass.finish().hi, [2.0, 0.5, 0.5, 1.25]);
        // Huber with spread 1 and epsilon 2: loss 1 + 4 and 1 + 1, slopes -4 and -2, by the spread
        // 1 - 4 and 1 - 1; levers 2 and 1, second derivatives 2 and 2.
        let mut pass = LossPass::new(&[0], Loss::Huber(2.0), point.clone());
        pass.observe(&t);
        let sums = pass.finish();
        assert_eq!((sums.loss, sums.gradient), (7.0, vec![-6.0, -3.0, -3.0]));
        let mut pass = CurvaturePass::new(&[0], Loss::Huber(2.0), point, 2.0, 3);
        pass.observe(&t);
        let found = pass.finish().hi;
        for (found, expected) in found.iter().zip([4.0, 1.0, 6.0, 1.0, 2.5, 3.0, 6.0, 3.0, 10.0]) {
            // Digits are cut from values times a rounded root of 2.
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
    }
}
