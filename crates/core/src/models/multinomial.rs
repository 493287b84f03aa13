//! Multinomial logistic regression: one line per class, fitted together.
//!
//! Adding one number to a column's weights of every class moves no probability. Without a penalty
//! on squares the rule is that they sum to 0; so do the intercepts, always. It is held by the
//! square of that sum, which is 0 at the optimum and so moves nothing else.

use serde::{Deserialize, Serialize};

use super::linear::{self, Ranges};
use super::loss_fit::{Strength, placed};
use super::minimise::{Found, Objective, Shape, Stop, Value, minimise};
use crate::aggregate::{Rows, SoftmaxCurvature, SoftmaxPass, SoftmaxPoint};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::FitContext;

/// Bounds the memory of the second derivatives: 4096² numbers.
const VARIABLES_MAX: usize = 4096;

/// Rows and columns of a multinomial fit.
pub(super) struct Multinomial<'a> {
    rows: &'a dyn Rows,
    ctx: &'a FitContext<'a>,
    chosen: Vec<usize>,
    slots: Vec<usize>,
    point: SoftmaxPoint,
    /// On half the squares, by the position in a line.
    ridge: Vec<f64>,
    /// On half the square of a column's sum over the classes, by the position in a line.
    tie: Vec<f64>,
    shape: Shape,
}

/// What the weighted sum of one class is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassLine {
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
}

impl<'a> Multinomial<'a> {
    /// Of the columns `chosen`, positions in `ctx.slots`.
    ///
    /// # Errors
    /// If there are too many variables.
    pub(super) fn new(
        rows: &'a dyn Rows,
        ctx: &'a FitContext<'a>,
        ranges: &Ranges,
        chosen: Vec<usize>,
        class_weights: Vec<f64>,
        fit_intercept: bool,
        strength: Strength,
    ) -> Result<Self> {
        let n_classes = class_weights.len();
        let n = n_classes * (chosen.len() + 1);
        if n > VARIABLES_MAX {
            let message = format!(
                "expected at most {VARIABLES_MAX} coefficients over all classes, found {n}"
            );
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("select columns or group rare classes"));
        }
        let places: Vec<(f64, f64)> =
            chosen.iter().map(|&j| placed(&ranges.features[j], fit_intercept)).collect();
        let (centres, scales): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
        let (mut ridge, mut tie, mut l1) = (vec![0.0], vec![ranges.total_weight], vec![0.0]);
        for scale in &scales {
            let is_free = strength.l2 == 0.0 && strength.l1 == 0.0;
            ridge.push(strength.l2 * (scale * scale));
            tie.push(if is_free { ranges.total_weight } else { 0.0 });
            l1.push(strength.l1 * scale);
        }
        let width = scales.len() + 1;
        let is_free = (0..n).map(|v| fit_intercept || v % width != 0).collect();
        Ok(Multinomial {
            rows,
            ctx,
            slots: chosen.iter().map(|&j| ctx.slots[j]).collect(),
            chosen,
            point: SoftmaxPoint {
                centres,
                scales,
                lines: vec![vec![0.0; width]; n_classes],
                class_weights,
            },
            ridge,
            tie,
            shape: Shape {
                is_free,
                l1: l1.repeat(n_classes),
                floor: None,
                is_smooth: true,
                total_weight: ranges.total_weight,
            },
        })
    }

    /// # Errors
    /// If a block cannot be read.
    pub(super) fn run(&self, stop: Stop) -> Result<Found> {
        minimise(self, self.point.lines.concat(), stop)
    }

    /// The lines for columns as they are.
    ///
    /// # Errors
    /// If a coefficient leaves the range of numbers.
    pub(super) fn finish(&self, x: &[f64]) -> Result<Vec<ClassLine>> {
        let line_of = |line: &[f64]| {
            let pairs = line[1..].iter().zip(&self.point.scales);
            let weights: Vec<f64> =
                pairs.map(|(weight, scale)| math::canonical(weight * scale)).collect();
            let intercept = linear::uncentred(line[0], 0.0, &weights, &self.point.centres);
            let mut coefficients = vec![0.0; self.ctx.slots.len()];
            self.chosen.iter().zip(&weights).for_each(|(&j, &weight)| coefficients[j] = weight);
            linear::check_fitted(&coefficients, intercept, self.ctx)?;
            Ok(ClassLine { coefficients, intercept })
        };
        let mut lines = x.chunks(self.width()).map(line_of).collect::<Result<Vec<ClassLine>>>()?;
        // They summed to 0 for centred columns.
        let total = math::sum_in_order(lines.iter().map(|line| line.intercept));
        let mean = total / lines.len() as f64;
        if mean.is_finite() {
            lines.iter_mut().for_each(|l| l.intercept = math::canonical(l.intercept - mean));
        }
        Ok(lines)
    }

    /// The slot of the column with the largest weight on the common scale.
    pub(super) fn furthest(&self, x: &[f64]) -> Option<usize> {
        let mut furthest: Option<(f64, usize)> = None;
        for line in x.chunks(self.width()) {
            for (weight, &slot) in line[1..].iter().zip(&self.slots) {
                if furthest.is_none_or(|(size, _)| weight.abs() > size) {
                    furthest = Some((weight.abs(), slot));
                }
            }
        }
        furthest.map(|(_, slot)| slot)
    }

    fn width(&self) -> usize {
        self.slots.len() + 1
    }

    fn at(&self, x: &[f64]) -> SoftmaxPoint {
        let lines = x.chunks(self.width()).map(<[f64]>::to_vec).collect();
        SoftmaxPoint { lines, ..self.point.clone() }
    }
}

impl Objective for Multinomial<'_> {
    fn value(&self, x: &[f64]) -> Result<Value> {
        let sums = self.rows.aggregate(SoftmaxPass::new(&self.slots, self.at(x)))?.finish();
        let (mut value, mut gradient) = (sums.loss, sums.gradient);
        let width = self.width();
        for a in 0..width {
            let column = x.iter().skip(a).step_by(width).copied();
            let sum = math::sum_in_order(column.clone());
            value += self.tie[a] * sum * sum / 2.0;
            for (g, x) in gradient.iter_mut().skip(a).step_by(width).zip(column) {
                *g += self.ridge[a] * x + self.tie[a] * sum;
                value += self.ridge[a] * x * x / 2.0;
            }
        }
        Ok(Value { value, gradient, peak: sums.heaviest })
    }

    fn hessian(&self, x: &[f64], here: &Value, slices: u8) -> Result<Vec<f64>> {
        let pass = SoftmaxCurvature::new(&self.slots, self.at(x), here.peak, slices);
        let pairs = self.rows.aggregate(pass)?.finish();
        let (n, width) = (x.len(), self.width());
        let n_classes = n / width;
        let mut hessian = vec![0.0; n * n];
        let mut pairs = pairs.iter();
        for k in 0..n_classes {
            for (l, pair) in (k + 1..n_classes).zip(&mut pairs) {
                for a in 0..width {
                    for b in 0..width {
                        let h = pair.hi[a * width + b];
                        let (u, v) = (k * width, l * width);
                        hessian[(u + a) * n + u + b] += h;
                        hessian[(v + a) * n + v + b] += h;
                        hessian[(u + a) * n + v + b] -= h;
                        hessian[(v + a) * n + u + b] -= h;
                    }
                }
            }
        }
        for v in 0..n {
            hessian[v * n + v] += self.ridge[v % width];
            for u in (v % width..n).step_by(width) {
                hessian[v * n + u] += self.tie[v % width];
            }
        }
        Ok(hessian)
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }
}
