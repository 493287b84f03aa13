//! Fits the probability of the positive class as the logistic function of a weighted sum of the
//! columns.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `LogisticRegression`: ½ Σ bⱼ² + `c` Σ loss, where a
//! row's loss is −ln(probability of its class); the intercept b₀ has no penalty. `penalty` = "none"
//! leaves the squares out. `class_weight` = "balanced" multiplies the loss of a row by n / (2
//! n_class). Newton's method with step halving from b = 0, on columns that are centred and scaled
//! by powers of two from 2^-500 to 2^500. Each pass adds the gradient exactly: a row's terms are
//! rounded to 2^-50 of their bound and added as integers. The gradient norm is √(g' H⁻¹ g / n),
//! with gradient g and second derivatives H of the sum of losses and penalty: the root mean square
//! by which one more step would move the log-odds, weighted by p (1 − p). When it is at most
//! `tolerance`, that one step is taken and the fit ends. The steps converge quadratically, so the
//! optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in; the score is the probability of class 1, from 0 to 1. Binary tasks only.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The log-odds start with b₀ and add bⱼ xⱼ in the order of the columns, each product rounded; the
//! score is 1 / (1 + e^−z) for z ≥ 0, else e^z / (1 + e^z). Without penalty a column that depends
//! on earlier ones has coefficient 0, by the rule of `linear_regression`.
//!
//! # Errors
//! `c` not above 0, `tolerance` not above 0, `max_iter` of 0; a missing or infinite value; a target
//! of one class; no optimum within `max_iter` steps, as when a column separates the classes and
//! there is no penalty. At scoring, an infinite value is a row's reason.
//!
//! # Example
//! x = 0, 0, 0, 1, 1, 1 and y = 0, 0, 1, 0, 1, 1 with `penalty` = "none": the odds are 1/2 where x
//! = 0 and 2 where x = 1, so b₀ = −ln 2 and b₁ = 2 ln 2.

use serde::{Deserialize, Serialize};

use super::linear::{self, Ranges};
use super::newton::{Ended, Newton};
use super::normal_equations::NormalEquations;
use crate::aggregate::{LogisticPoint, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math::{self, FixedScale, Moments};
use crate::step::{Example, FitContext, FitModel, Predict};

/// Columns are scaled by 2^500 at most, so that squares of scales stay in range.
const SCALE_MAX: f64 = f64::from_bits((500 + 1023) << 52);

/// The penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegressionParams {
    /// The weight of the losses against the penalty, above 0; without effect if there is no
    /// penalty.
    pub c: f64,
    /// What large coefficients cost.
    pub penalty: Penalty,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// What a row of each class counts.
    pub class_weight: ClassWeight,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
}

/// What large coefficients cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Half the sum of their squares.
    #[default]
    L2,
    /// Nothing.
    None,
}

/// What a row of each class counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// One.
    #[default]
    None,
    /// n / (2 n_class): both classes count the same.
    Balanced,
}

impl Default for LogisticRegressionParams {
    fn default() -> Self {
        LogisticRegressionParams {
            c: 1.0,
            penalty: Penalty::L2,
            fit_intercept: true,
            class_weight: ClassWeight::None,
            max_iter: 100,
            tolerance: 1e-10,
        }
    }
}

impl FitModel for LogisticRegressionParams {
    type Fitted = LogisticRegression;

    fn validate(&self) -> Result<()> {
        for (name, value) in [("c", self.c), ("tolerance", self.tolerance)] {
            if !(value > 0.0 && value.is_finite()) {
                let message = format!("expected `{name}` above 0, found {value}");
                return Err(Error::new(Code::BadParameter, message));
            }
        }
        if self.max_iter == 0 {
            let message = "expected `max_iter` of at least 1, found 0";
            return Err(Error::new(Code::BadParameter, message));
        }
        Ok(())
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Binary]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<LogisticRegression> {
        let ranges = linear::ranges(rows, ctx)?;
        let class_weights = self.class_weights(&ranges.target)?;
        let chosen = self.chosen(&ranges, rows, ctx)?;
        let slots: Vec<usize> = chosen.iter().map(|&j| ctx.slots[j]).collect();
        let (mut centres, mut scales) = (Vec::new(), Vec::new());
        for &j in &chosen {
            let m = &ranges.features[j];
            let centre = if self.fit_intercept { linear::centre(m) } else { 0.0 };
            centres.push(centre);
            scales.push(scale_of(linear::reach(m, centre)));
        }
        let strength = match self.penalty {
            Penalty::L2 => 1.0 / self.c,
            Penalty::None => 0.0,
        };
        let newton = Newton {
            rows,
            slots: &slots,
            n_rows: ranges.target.n(),
            fit_intercept: self.fit_intercept,
            ridge: scales.iter().map(|s| strength * (s * s)).collect(),
        };
        let start = LogisticPoint {
            centres,
            scales,
            intercept: 0.0,
            weights: vec![0.0; chosen.len()],
            class_weights,
        };
        let ended = newton.run(start, self.max_iter, self.tolerance)?;
        if !ended.is_optimal {
            return Err(self.no_optimum(&ended, &slots, ctx));
        }
        finish(ended, &chosen, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let weak = LogisticRegressionParams {
            c: 0.05,
            class_weight: ClassWeight::Balanced,
            ..Default::default()
        };
        let free = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, LogisticRegressionParams::default()),
            Example::on(COMPLETE_COLUMNS, weak),
            Example::on(&["constant", "count", "sold", "year"], free),
        ]
    }
}

impl LogisticRegressionParams {
    fn class_weights(&self, target: &Moments) -> Result<[f64; 2]> {
        let n = target.n() as f64;
        let n_positive = target.exact_sum().round();
        let n_negative = n - n_positive;
        if n_positive <= 0.0 || n_negative <= 0.0 {
            let message = "expected rows of two classes, found one";
            return Err(Error::new(Code::TooFewRows, message));
        }
        Ok(match self.class_weight {
            ClassWeight::None => [1.0, 1.0],
            ClassWeight::Balanced => [n / (2.0 * n_negative), n / (2.0 * n_positive)],
        })
    }

    /// The features that take part: without penalty, those that do not depend on earlier ones.
    fn chosen(&self, ranges: &Ranges, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Vec<usize>> {
        if self.penalty == Penalty::L2 {
            return Ok((0..ranges.features.len()).collect());
        }
        let equations = NormalEquations::within(ranges, rows, ctx, self.fit_intercept)?;
        let kept = equations.independent(&equations.variables(|_| true));
        Ok(kept.iter().filter_map(|v| v.checked_sub(1)).collect())
    }

    /// Names the column with the largest weight on the common scale: it is the one that runs away.
    fn no_optimum(&self, ended: &Ended, slots: &[usize], ctx: &FitContext<'_>) -> Error {
        let message = format!(
            "expected an optimum within {} steps, found a gradient norm of {:e} after {}",
            self.max_iter, ended.gradient_norm, ended.n_iterations
        );
        let error = Error::new(Code::NotConverged, message);
        let error = match self.penalty {
            Penalty::L2 => error.remedy("scale the columns, lower `c`, or raise `max_iter`"),
            Penalty::None => error.remedy(
                "the column may separate the classes, then no finite weight is best: \
                 add a penalty or drop it",
            ),
        };
        let mut furthest: Option<(f64, usize)> = None;
        for (weight, &slot) in ended.point.weights.iter().zip(slots) {
            if furthest.is_none_or(|(size, _)| weight.abs() > size) {
                furthest = Some((weight.abs(), slot));
            }
        }
        match furthest {
            Some((_, slot)) => error.column(ctx.name(slot)),
            None => error,
        }
    }
}

/// The power of two that takes sizes up to `reach` to at most 1.
fn scale_of(reach: f64) -> f64 {
    // for_max(reach, 1) has the exponent at which reach becomes at most 2.
    let half_unit = FixedScale::for_max(reach, 1).value(1);
    math::clamp(0.5 / half_unit, 1.0 / SCALE_MAX, SCALE_MAX)
}

fn finish(ended: Ended, chosen: &[usize], ctx: &FitContext<'_>) -> Result<LogisticRegression> {
    let point = ended.point;
    let weights: Vec<f64> = point
        .weights
        .iter()
        .zip(&point.scales)
        .map(|(weight, scale)| math::canonical(weight * scale))
        .collect();
    let intercept = linear::uncentred(point.intercept, 0.0, &weights, &point.centres);
    let mut coefficients = vec![0.0; ctx.slots.len()];
    for (&j, &weight) in chosen.iter().zip(&weights) {
        coefficients[j] = weight;
    }
    linear::check_fitted(&coefficients, intercept, ctx)?;
    Ok(LogisticRegression {
        coefficients,
        intercept,
        n_iterations: ended.n_iterations,
        gradient_norm: ended.gradient_norm,
    })
}

/// Coefficients and intercept of the log-odds, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticRegression {
    coefficients: Vec<f64>,
    intercept: f64,
    n_iterations: u32,
    gradient_norm: f64,
}

impl Predict for LogisticRegression {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        let norm = self.gradient_norm;
        if norm.is_finite() && norm >= 0.0 && norm.to_bits() == math::canonical(norm).to_bits() {
            return Ok(());
        }
        let message = format!("expected a gradient norm, found {norm:?}");
        Err(Error::new(Code::Malformed, message))
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        for score in scores {
            *score = math::sigmoid(*score);
        }
        Ok(())
    }

    fn coefficients(&self) -> Option<&[f64]> {
        Some(&self.coefficients)
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![
            ("intercept".to_owned(), self.intercept),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("gradient norm before the last step".to_owned(), self.gradient_norm),
        ]
    }
}

#[cfg(test)]
mod tests;
