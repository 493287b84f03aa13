//! A fit that minimises Σ loss + ½ Σ `ridge` · weight² + Σ `l1` · |weight| over columns that are
//! centred and scaled into [-1, 1] by powers of two.

use super::linear::{self, Ranges};
use super::minimise::{Found, Objective, Shape, Stop, Value, minimise};
use super::normal_equations::{NormalEquations, Solution};
use crate::aggregate::{CurvaturePass, Loss, LossPass, LossPoint, Rows};
use crate::error::{Code, Error, Result};
use crate::math::{self, Extent, FixedScale};
use crate::step::FitContext;

/// Columns are scaled by 2^500 at most, so that squares of scales stay in range.
const SCALE_MAX: f64 = f64::from_bits((500 + 1023) << 52);

/// The power of two that takes sizes up to `reach` to at most 1.
pub(super) fn scale_of(reach: f64) -> f64 {
    // for_max(reach, 1) has the exponent at which reach becomes at most 2.
    let half_unit = FixedScale::for_max(reach, 1).value(1);
    math::clamp(0.5 / half_unit, 1.0 / SCALE_MAX, SCALE_MAX)
}

/// How large coefficients are held back, in units of the columns and the target as they are.
#[derive(Clone, Copy)]
pub(super) struct Strength {
    /// Of half the squared coefficients.
    pub(super) l2: f64,
    /// Of their sizes.
    pub(super) l1: f64,
}

/// Rows, columns and loss of a fit.
pub(super) struct LossFit<'a> {
    rows: &'a dyn Rows,
    ctx: &'a FitContext<'a>,
    /// Positions in `ctx.slots` of the columns that take part, and their slots.
    chosen: Vec<usize>,
    slots: Vec<usize>,
    pub(super) loss: Loss,
    pub(super) point: LossPoint,
    ridge: Vec<f64>,
    pub(super) shape: Shape,
}

impl<'a> LossFit<'a> {
    /// Every column if `is_unique`, else those that do not depend on the ones before them. With
    /// `scaled_target` the target is centred and scaled too.
    ///
    /// # Errors
    /// If a block cannot be read, or a sum of squares overflows.
    pub(super) fn new(
        rows: &'a dyn Rows,
        ctx: &'a FitContext<'a>,
        ranges: &Ranges,
        fit_intercept: bool,
        is_unique: bool,
        loss: Loss,
    ) -> Result<Self> {
        let chosen = if is_unique {
            (0..ctx.slots.len()).collect()
        } else {
            independent(ranges, rows, ctx, fit_intercept)?
        };
        let (mut centres, mut scales) = (Vec::new(), Vec::new());
        for &j in &chosen {
            let (centre, scale) = placed(&ranges.features[j], fit_intercept);
            centres.push(centre);
            scales.push(scale);
        }
        let n = chosen.len() + 1 + usize::from(loss.has_spread());
        let mut is_free = vec![true; n];
        is_free[0] = fit_intercept;
        Ok(LossFit {
            rows,
            ctx,
            slots: chosen.iter().map(|&j| ctx.slots[j]).collect(),
            loss,
            point: LossPoint {
                centres,
                scales,
                target_centre: 0.0,
                target_scale: 1.0,
                intercept: 0.0,
                weights: vec![0.0; chosen.len()],
                spread: 1.0,
            },
            ridge: vec![0.0; chosen.len()],
            chosen,
            shape: Shape {
                is_free,
                l1: vec![0.0; n],
                floor: None,
                is_smooth: loss.is_smooth(),
                total_weight: ranges.total_weight,
            },
        })
    }

    /// Centres and scales the target, too.
    pub(super) fn with_scaled_target(mut self, target: &Extent, fit_intercept: bool) -> Self {
        (self.point.target_centre, self.point.target_scale) = placed(target, fit_intercept);
        self
    }

    /// With a penalty, in units of the scaled target.
    pub(super) fn with_penalty(mut self, strength: Strength) -> Self {
        for (j, scale) in self.point.scales.iter().enumerate() {
            self.ridge[j] = strength.l2 * (scale * scale);
            self.shape.l1[j + 1] = strength.l1 * scale;
        }
        self
    }

    /// Runs from the point.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub(super) fn run(&self, stop: Stop) -> Result<Found> {
        minimise(self, self.start(), stop)
    }

    /// The variables of the point.
    pub(super) fn start(&self) -> Vec<f64> {
        let mut start = vec![self.point.intercept];
        start.extend(&self.point.weights);
        if self.loss.has_spread() {
            start.push(self.point.spread);
        }
        start
    }

    /// The value of another loss at x, penalty included.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub(super) fn value_of(&self, loss: Loss, x: &[f64]) -> Result<Value> {
        let pass = LossPass::new(&self.slots, loss, self.at(x));
        let sums = self.rows.aggregate(pass)?.finish();
        let (mut value, mut gradient) = (sums.loss, sums.gradient);
        for ((g, ridge), weight) in gradient[1..].iter_mut().zip(&self.ridge).zip(&x[1..]) {
            *g += ridge * weight;
            value += ridge * weight * weight / 2.0;
        }
        Ok(Value { value, gradient, peak: sums.peak })
    }

    /// Σ `l1` |x|.
    pub(super) fn absolute(&self, x: &[f64]) -> f64 {
        math::sum_in_order(x.iter().zip(&self.shape.l1).map(|(x, l)| l * x.abs()))
    }

    /// The point with other variables.
    pub(super) fn at(&self, x: &[f64]) -> LossPoint {
        let n = self.slots.len();
        LossPoint {
            intercept: x[0],
            weights: x[1..=n].to_vec(),
            spread: x.get(n + 1).copied().unwrap_or(1.0),
            ..self.point.clone()
        }
    }

    /// The solution for columns and target as they are.
    ///
    /// # Errors
    /// If a coefficient leaves the range of numbers.
    pub(super) fn finish(&self, x: &[f64]) -> Result<Solution> {
        let point = self.at(x);
        let unit = point.target_scale;
        let pairs = point.weights.iter().zip(&point.scales);
        let weights: Vec<f64> =
            pairs.map(|(weight, scale)| math::canonical(weight * scale / unit)).collect();
        let intercept = linear::uncentred(
            point.intercept / unit,
            point.target_centre,
            &weights,
            &point.centres,
        );
        let mut coefficients = vec![0.0; self.ctx.slots.len()];
        for (&j, &weight) in self.chosen.iter().zip(&weights) {
            coefficients[j] = weight;
        }
        linear::check_fitted(&coefficients, intercept, self.ctx)?;
        Ok(Solution { coefficients, intercept })
    }

    /// Whether the fit ended without its optimum and is kept nonetheless.
    ///
    /// # Errors
    /// If it did and is not, as [`LossFit::no_optimum`] says.
    pub(super) fn settle(&self, found: &Found, max_iter: u32, remedy: &str) -> Result<bool> {
        if found.is_optimal || self.ctx.keeps(found.gradient_norm) {
            return Ok(!found.is_optimal);
        }
        Err(self.no_optimum(found, max_iter, remedy))
    }

    /// Says that no optimum was found; names the column with the largest weight on the common
    /// scale: it is the one that runs away.
    pub(super) fn no_optimum(&self, found: &Found, max_iter: u32, remedy: &str) -> Error {
        let message = format!(
            "expected an optimum within {max_iter} steps, found a gradient norm of {:e} after {}",
            found.gradient_norm, found.n_iterations
        );
        let error = Error::new(Code::NotConverged, message).remedy(remedy);
        let mut furthest: Option<(f64, usize)> = None;
        for (weight, &slot) in found.x[1..].iter().zip(&self.slots) {
            if furthest.is_none_or(|(size, _)| weight.abs() > size) {
                furthest = Some((weight.abs(), slot));
            }
        }
        match furthest {
            Some((_, slot)) => error.column(self.ctx.name(slot)),
            None => error,
        }
    }
}

impl Objective for LossFit<'_> {
    fn value(&self, x: &[f64]) -> Result<Value> {
        self.value_of(self.loss, x)
    }

    fn hessian(&self, x: &[f64], here: &Value, slices: u8) -> Result<Vec<f64>> {
        let pass = CurvaturePass::new(&self.slots, self.loss, self.at(x), here.peak, slices);
        let matrix = self.rows.aggregate(pass)?.finish();
        let mut hessian = matrix.hi;
        for (j, ridge) in self.ridge.iter().enumerate() {
            hessian[(j + 1) * (matrix.p + 1)] += ridge;
        }
        Ok(hessian)
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// Centre and scale of a column.
pub(super) fn placed(m: &Extent, is_centred: bool) -> (f64, f64) {
    let centre = if is_centred { linear::centre(m) } else { 0.0 };
    (centre, scale_of(linear::reach(m, centre)))
}

/// Positions in `ctx.slots` of the columns that do not depend on earlier ones.
///
/// # Errors
/// If a block cannot be read, or a sum of squares overflows.
pub(super) fn independent(
    ranges: &Ranges,
    rows: &dyn Rows,
    ctx: &FitContext<'_>,
    fit_intercept: bool,
) -> Result<Vec<usize>> {
    let equations = NormalEquations::within(ranges, rows, ctx, fit_intercept)?;
    let kept = equations.independent(&equations.variables(|_| true));
    Ok(kept.iter().filter_map(|v| v.checked_sub(1)).collect())
}
