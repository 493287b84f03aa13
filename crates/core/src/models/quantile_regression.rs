//! Fits a weighted sum of the columns that a given share of the rows lies below.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `QuantileRegressor`: the mean over rows of
//! `quantile` · (y − z) where y is above z and (1 − `quantile`) · (z − y) elsewhere, with z = b₀ +
//! Σ bⱼ xⱼ, and `alpha` · Σ |bⱼ|; b₀ has no penalty. Columns and target are centred and scaled by
//! powers of two. The kink of the loss is rounded off over a width; Newton's method with step
//! halving finds the optimum of that, the width is made smaller, and the solution follows its path,
//! which is straight while the same rows lie in the kink. Sums over rows are exact and rounded
//! once.
//!
//! **What is guaranteed.** The rounded loss lies below the loss, so its minimum is a lower bound of
//! the optimum: the fit ends when the objective at the solution exceeds that bound by at most
//! `tolerance` of itself (the duality gap), or when the width is 2^-46 of the target's reach, as
//! for rows that a line meets exactly. The solution that meets the rows in the kink exactly is
//! taken if it is no worse.
//!
//! # Shape
//! Numeric columns in; the score is b₀ + Σ bⱼ xⱼ. Regression only.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The prediction starts with b₀ and adds bⱼ xⱼ in the order of the columns, each product rounded.
//! Where several solutions are best (the median of an even number of rows), the one to which the
//! rounded losses lead is taken, near the middle; it does not depend on the order of rows. With
//! `alpha` = 0 a column that depends on earlier ones has coefficient 0, by the rule of
//! `linear_regression`.
//!
//! # Errors
//! `quantile` not between 0 and 1, `alpha` below 0, `tolerance` not above 0, `max_iter` of 0; a
//! missing or infinite value; no optimum within `max_iter` Newton steps in all. At scoring, an
//! infinite value is a row's reason.
//!
//! # Example
//! y = 1, 2, 3, 4, 100 without columns: at `quantile` = 0.5, b₀ = 3.

use serde::{Deserialize, Serialize};

use super::exact_plane;
use super::linear;
use super::loss_fit::{LossFit, Strength};
use super::minimise::{Found, Objective, Stop, minimise};
use super::model_step::Model;
use super::normal_equations::Solution;
use super::summary::is_false;
use crate::aggregate::{Loss, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict, TargetLoss};

/// The first width, the last, and what a stage multiplies it by; after one whose rows in the kink
/// were those of the stage before, the last factor.
const WIDTH_FIRST: f64 = 0.25;
const WIDTH_LAST: f64 = 1.0 / 70_368_744_177_664.0;
const WIDTH_FACTOR: f64 = 1.0 / 8.0;
const WIDTH_FACTOR_SETTLED: f64 = 1.0 / 1024.0;
/// The gradient norm of a stage; its square bounds what a stage may leave.
const STAGE_TOLERANCE: f64 = 1e-9;

/// The quantile, the penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuantileRegressionParams {
    /// The share of rows below, between 0 and 1.
    pub quantile: f64,
    /// Weight of the sizes of the coefficients against the mean loss, at least 0.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps in all, at least 1.
    pub max_iter: u32,
    /// The duality gap, as a share of the objective, at which the fit ends; above 0.
    pub tolerance: f64,
}

impl Default for QuantileRegressionParams {
    fn default() -> Self {
        QuantileRegressionParams {
            quantile: 0.5,
            alpha: 0.0,
            fit_intercept: true,
            max_iter: 1000,
            tolerance: 1e-12,
        }
    }
}

impl FitModel for QuantileRegressionParams {
    type Fitted = QuantileRegression;

    fn validate(&self) -> Result<()> {
        linear::check_not_negative("alpha", self.alpha)?;
        linear::check_stop(Stop { max_iter: self.max_iter, tolerance: self.tolerance })?;
        if self.quantile > 0.0 && self.quantile < 1.0 {
            return Ok(());
        }
        let message = format!("expected `quantile` between 0 and 1, found {}", self.quantile);
        Err(Error::new(Code::BadParameter, message))
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        Some(TargetLoss::Quantile(self.quantile))
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<QuantileRegression> {
        let ranges = linear::ranges(rows, ctx)?;
        let loss = self.rounded(WIDTH_FIRST);
        let is_unique = self.alpha > 0.0;
        let strength = Strength { l2: 0.0, l1: self.alpha * ranges.total_weight };
        let fit = LossFit::new(rows, ctx, &ranges, self.fit_intercept, is_unique, loss)?
            .with_scaled_target(&ranges.target, self.fit_intercept)
            .with_penalty(strength);
        let mut path = Path { params: self, fit };
        let ended = path.follow(ctx);
        if self.alpha == 0.0 && !matches!(&ended, Ok((.., false))) {
            if let Some(plane) = exact_plane::through_all(rows, ctx, self.fit_intercept)? {
                return Ok(QuantileRegression::through_all(plane.solution));
            }
        }
        let (x, n_iterations, gap, is_unsettled) = ended?;
        let solution = path.fit.finish(&x)?;
        Ok(QuantileRegression {
            coefficients: solution.coefficients,
            intercept: solution.intercept,
            n_iterations,
            gap,
            is_unsettled,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let high = QuantileRegressionParams { quantile: 0.9, alpha: 2.0, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, QuantileRegressionParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], high),
        ]
    }
}

impl QuantileRegressionParams {
    fn rounded(&self, width: f64) -> Loss {
        Loss::Pinball { quantile: self.quantile, width }
    }
}

/// The solutions of ever smaller widths.
struct Path<'a> {
    params: &'a QuantileRegressionParams,
    fit: LossFit<'a>,
}

impl Path<'_> {
    /// The variables, the number of Newton steps, the gap as a share of the objective, and whether
    /// the path stopped at its cap.
    fn follow(&mut self, ctx: &FitContext<'_>) -> Result<(Vec<f64>, u32, f64, bool)> {
        let mut x = self.fit.start();
        let (mut width, mut n_steps) = (WIDTH_FIRST, 0);
        loop {
            self.fit.loss = self.params.rounded(width);
            let left = self.params.max_iter - n_steps;
            let stop = Stop { max_iter: left, tolerance: STAGE_TOLERANCE };
            let found = minimise(&self.fit, x, stop)?;
            n_steps += found.n_iterations;
            if !found.is_optimal {
                if !ctx.keeps(found.gradient_norm) {
                    return Err(self.no_optimum(&found));
                }
                // No objective is below 0: the gap is all of it at most.
                return Ok((found.x, n_steps, 1.0, true));
            }
            let bound = self.bound(&found)?;
            let inward = self.inward(&found.x, width)?;
            let (best, value) = self.better(&found.x, &inward)?;
            let gap = math::max(value - bound, 0.0);
            if gap <= self.params.tolerance * value || width <= WIDTH_LAST {
                let share = if value > 0.0 { gap / value } else { 0.0 };
                return Ok((best, n_steps, share, false));
            }
            let settled = found.n_iterations <= 2;
            let factor = if settled { WIDTH_FACTOR_SETTLED } else { WIDTH_FACTOR };
            width = math::max(width * factor, WIDTH_LAST);
            x = found.x.iter().zip(&inward).map(|(x, d)| x + (1.0 - factor) * d).collect();
        }
    }

    /// No solution has a smaller objective.
    fn bound(&self, found: &Found) -> Result<f64> {
        let value = self.fit.value(&found.x)?.value + self.fit.absolute(&found.x);
        let rest = self.fit.shape.total_weight * (found.gradient_norm * found.gradient_norm);
        Ok(value - rest)
    }

    /// The way to the solution that meets the rows in the kink, as far as they decide it.
    fn inward(&self, x: &[f64], width: f64) -> Result<Vec<f64>> {
        let kink = Loss::PinballKink { quantile: self.params.quantile, width };
        let pull = self.fit.value_of(kink, x)?;
        let hessian = self.fit.hessian(x, &pull, 3)?;
        let n = x.len();
        let shape = &self.fit.shape;
        let moves = |v: &usize| shape.is_free[*v] && (shape.l1[*v] == 0.0 || x[*v] != 0.0);
        let free: Vec<usize> = (0..n).filter(moves).collect();
        let pairs = free.iter().flat_map(|&v| free.iter().map(move |&u| (v, u)));
        let model = Model {
            hessian: pairs.map(|(v, u)| hessian[v * n + u]).collect(),
            gradient: free.iter().map(|&v| pull.gradient[v]).collect(),
            x: free.iter().map(|&v| x[v]).collect(),
            l1: vec![0.0; free.len()],
            damped: true,
        };
        let mut way = vec![0.0; n];
        if let Some(step) = model.solve() {
            free.iter().zip(&step.change).for_each(|(&v, &d)| way[v] = d);
        }
        Ok(way)
    }

    /// The end of the way if it is no worse than x, with its objective.
    fn better(&self, x: &[f64], way: &[f64]) -> Result<(Vec<f64>, f64)> {
        let exact = self.params.rounded(0.0);
        let objective = |x: &[f64]| Ok(self.fit.value_of(exact, x)?.value + self.fit.absolute(x));
        let end: Vec<f64> = x.iter().zip(way).map(|(x, d)| x + d).collect();
        let (here, there) = (objective(x)?, objective(&end)?);
        Ok(if there <= here { (end, there) } else { (x.to_vec(), here) })
    }

    fn no_optimum(&self, found: &Found) -> Error {
        let remedy = "scale the columns, raise `alpha`, or raise `max_iter`";
        self.fit.no_optimum(found, self.params.max_iter, remedy)
    }
}

/// Coefficients and intercept, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileRegression {
    coefficients: Vec<f64>,
    intercept: f64,
    n_iterations: u32,
    gap: f64,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    is_unsettled: bool,
}

impl QuantileRegression {
    /// A plane without a residual.
    fn through_all(plane: Solution) -> Self {
        QuantileRegression {
            coefficients: plane.coefficients,
            intercept: plane.intercept,
            n_iterations: 0,
            gap: 0.0,
            is_unsettled: false,
        }
    }
}

impl Predict for QuantileRegression {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        linear::check_norm(self.gap)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        Some((&self.coefficients, self.intercept))
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![
            ("intercept".to_owned(), self.intercept),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("duality gap as a share of the objective".to_owned(), self.gap),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        let message = format!(
            "expected an optimum, found none after {} steps (raise `max_iter`, or scale the \
             columns)",
            self.n_iterations
        );
        if self.is_unsettled { vec![message] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests;
