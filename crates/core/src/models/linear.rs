//! What the linear models share: complete features, the centred exact normal equations, the predictor.

use crate::aggregate::{ColumnMoments, Gram, Rows, TargetSummary};
use crate::batch::Batch;
use crate::error::{Code, Error, Result};
use crate::math::{self, GramMatrix, GramSpec, Moments};
use crate::step::FitContext;

/// The exact moments of every feature, none of which is missing or infinite anywhere.
///
/// # Errors
/// If a value is missing or infinite; the column is named.
pub(super) fn complete_features(rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Vec<Moments>> {
    let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
    for (&slot, m) in ctx.slots.iter().zip(&moments) {
        if m.n_missing() > 0 {
            return Err(Error::new(
                Code::MissingValue,
                format!(
                    "expected a number in every row, found {} missing",
                    m.n_missing()
                ),
            )
            .column(ctx.name(slot))
            .remedy("add an imputer before the model"));
        }
        let finite = m
            .min()
            .zip(m.max())
            .is_some_and(|(a, b)| a.is_finite() && b.is_finite());
        if !finite {
            return Err(Error::new(
                Code::NotFinite,
                "expected finite numbers, found an infinity",
            )
            .column(ctx.name(slot)));
        }
    }
    Ok(moments)
}

/// The normal equations of centred features and target.
pub(super) struct NormalEquations {
    pub(super) n_rows: u64,
    pub(super) means: Vec<f64>,
    pub(super) target_mean: f64,
    /// Features, then the target.
    pub(super) gram: GramMatrix,
}

/// Three passes at most: moments, then the Gram matrix.
///
/// # Errors
/// If a feature is not complete.
pub(super) fn normal_equations(rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<NormalEquations> {
    let features = complete_features(rows, ctx)?;
    let target = rows.aggregate(TargetSummary::default())?.finish();
    let n_rows = target.n();
    let all: Vec<&Moments> = features.iter().chain([&target]).collect();
    let mean = |m: &Moments| m.mean().unwrap_or_default();
    let centers: Vec<f64> = all.iter().map(|m| mean(m)).collect();
    let reach = |m: &Moments| {
        let (low, high) = (m.min().unwrap_or_default(), m.max().unwrap_or_default());
        math::max((low - mean(m)).abs(), (high - mean(m)).abs())
    };
    let max_abs = all.iter().map(|m| reach(m)).collect();
    let spec = GramSpec {
        centers: centers.clone(),
        max_abs,
        slices: 3,
        n_rows,
    };
    let gram = rows.aggregate(Gram::new(ctx.slots, &spec))?.finish();
    let target_mean = mean(&target);
    let means = centers[..features.len()].to_vec();
    Ok(NormalEquations {
        n_rows,
        means,
        target_mean,
        gram,
    })
}

impl NormalEquations {
    /// The coefficients under an L2 penalty `alpha` on their squared norm; `None` if the features are
    /// collinear.
    pub(super) fn solve(&self, alpha: f64) -> Option<Vec<f64>> {
        let p = self.means.len();
        let stride = p + 1;
        let mut hi = Vec::with_capacity(p * p);
        let mut lo = Vec::with_capacity(p * p);
        let (mut rhs_hi, mut rhs_lo) = (Vec::with_capacity(p), Vec::with_capacity(p));
        for i in 0..p {
            for j in 0..p {
                let at = i * stride + j;
                let (h, l) = (self.gram.hi[at], self.gram.lo[at]);
                let (h, l) = if i == j {
                    add_to_pair(h, l, alpha)
                } else {
                    (h, l)
                };
                hi.push(h);
                lo.push(l);
            }
            rhs_hi.push(self.gram.hi[i * stride + p]);
            rhs_lo.push(self.gram.lo[i * stride + p]);
        }
        math::solve_spd_refined(&hi, &lo, p, &rhs_hi, &rhs_lo)
    }

    /// The intercept that belongs to coefficients of centred features.
    pub(super) fn intercept(&self, coefficients: &[f64]) -> f64 {
        math::canonical(self.target_mean - math::dot(&self.means, coefficients))
    }
}

/// (h + l) + x as a pair, with the error of the addition kept.
fn add_to_pair(h: f64, l: f64, x: f64) -> (f64, f64) {
    let sum = h + x;
    let part = sum - h;
    let error = (h - (sum - part)) + (x - part);
    (sum, error + l)
}

/// Writes intercept + Σ coefficient · value, in the order of the columns, for every row; a row with a
/// missing value gets a fault.
pub(super) fn predictor(
    batch: &mut Batch,
    slots: &[usize],
    coefficients: &[f64],
    intercept: f64,
    scores: &mut [f64],
) {
    scores.fill(intercept);
    for (&slot, &weight) in slots.iter().zip(coefficients) {
        for (score, &x) in scores.iter_mut().zip(batch.num(slot)) {
            *score += weight * x;
        }
    }
    if scores.iter().any(|score| math::is_missing(*score)) {
        fault_missing(batch, slots);
    }
}

/// Gives every row with a missing feature a fault that names the first such column.
fn fault_missing(batch: &mut Batch, slots: &[usize]) {
    for &slot in slots {
        for row in 0..batch.n_rows() {
            if math::is_missing(batch.num(slot)[row]) {
                let error = Error::new(
                    Code::MissingValue,
                    "expected a number, found a missing value",
                );
                batch.fault(row, slot, error.remedy("add an imputer before the model"));
            }
        }
    }
}
