//! Fits a weighted sum of the columns in which rows far from it count by their distance, not by its
//! square.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `HuberRegressor`: Σ (s + h((y − z) / s) s) + `alpha`
//! Σ bⱼ² over the intercept b₀, the coefficients and the spread s above 0, with z = b₀ + Σ bⱼ xⱼ
//! and h(u) = u² up to |u| = `epsilon`, then 2 `epsilon` |u| − `epsilon`². It is convex in all of
//! them together, and scaling the target scales the result. Newton's method with step halving on
//! columns and target that are centred and scaled by powers of two; the sums over rows are exact
//! and rounded once. The gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H
//! in those scaled variables and n rows (or the sum of weights); when it is at most `tolerance`,
//! that one step is taken and the fit ends. While no row sits on the edge between both branches the
//! steps converge quadratically, so the optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in; the score is b₀ + Σ bⱼ xⱼ. Regression only.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The prediction starts with b₀ and adds bⱼ xⱼ in the order of the columns, each product rounded.
//! A row whose distance is `epsilon` spreads counts as near. The spread is at least 2^-40 of the
//! power of two above the target's reach: rows that lie exactly on a line would take it to 0, where
//! no optimum is. With `alpha` = 0 a column that depends on earlier ones has coefficient 0, by the
//! rule of `linear_regression`.
//!
//! # Errors
//! `epsilon` below 1, `alpha` below 0, `tolerance` not above 0, `max_iter` of 0; a missing or
//! infinite value; no optimum within `max_iter` steps. At scoring, an infinite value is a row's
//! reason.
//!
//! # Example
//! Four rows y = −1, four rows y = 1 and one y = 100, without columns and with `epsilon` = 2: the
//! last row pulls with its edge only, b₀ = 1/3 and s = 4/3.

use serde::{Deserialize, Serialize};

use super::exact_plane;
use super::linear;
use super::loss_fit::{LossFit, Strength};
use super::minimise::Stop;
use super::normal_equations::Solution;
use super::summary::is_false;
use crate::aggregate::{Loss, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The least spread of the scaled target: 2^-40.
const SPREAD_MIN: f64 = 1.0 / 1_099_511_627_776.0;

/// Where distances begin to count by their size, the penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HuberRegressionParams {
    /// The distance, in spreads, up to which the square counts; at least 1.
    pub epsilon: f64,
    /// Weight of the squared coefficients, at least 0.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
}

impl Default for HuberRegressionParams {
    fn default() -> Self {
        HuberRegressionParams {
            epsilon: 1.35,
            alpha: 1e-4,
            fit_intercept: true,
            max_iter: 200,
            tolerance: 1e-10,
        }
    }
}

impl FitModel for HuberRegressionParams {
    type Fitted = HuberRegression;

    fn validate(&self) -> Result<()> {
        linear::check_not_negative("alpha", self.alpha)?;
        linear::check_stop(self.stop())?;
        if self.epsilon >= 1.0 && self.epsilon.is_finite() {
            return Ok(());
        }
        let message = format!("expected `epsilon` of at least 1, found {}", self.epsilon);
        Err(Error::new(Code::BadParameter, message))
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<HuberRegression> {
        let ranges = linear::ranges(rows, ctx)?;
        let loss = Loss::Huber(self.epsilon);
        let is_unique = self.alpha > 0.0;
        let mut fit = LossFit::new(rows, ctx, &ranges, self.fit_intercept, is_unique, loss)?
            .with_scaled_target(&ranges.target, self.fit_intercept);
        let unit = fit.point.target_scale;
        fit = fit.with_penalty(Strength { l2: 2.0 * self.alpha / unit, l1: 0.0 });
        let spread = fit.shape.l1.len() - 1;
        fit.shape.floor = Some((spread, SPREAD_MIN));
        let found = fit.run(self.stop())?;
        if !found.is_optimal {
            if let Some(plane) = exact_plane::through_all(rows, ctx, self.fit_intercept)? {
                // The rows hold weights with multipliers 2 alpha X (X'X)⁻¹ w. If the sum of their
                // squares is at most 4, no spread and no residual lowers the objective.
                if self.alpha * self.alpha * plane.pull <= 1.0 {
                    return Ok(HuberRegression::through_all(plane.solution));
                }
            }
        }
        let remedy = "scale the columns, raise `alpha`, or raise `max_iter`";
        let is_unsettled = fit.settle(&found, self.max_iter, remedy)?;
        let solution = fit.finish(&found.x)?;
        let spread = found.x[spread] / unit;
        Ok(HuberRegression {
            coefficients: solution.coefficients,
            intercept: solution.intercept,
            spread: if spread.is_finite() { spread } else { f64::MAX },
            n_iterations: found.n_iterations,
            gradient_norm: found.gradient_norm,
            is_unsettled,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let wide = HuberRegressionParams { epsilon: 3.0, alpha: 0.0, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, HuberRegressionParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], wide),
        ]
    }
}

impl HuberRegressionParams {
    fn stop(&self) -> Stop {
        Stop { max_iter: self.max_iter, tolerance: self.tolerance }
    }
}

/// Coefficients, intercept and spread, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuberRegression {
    coefficients: Vec<f64>,
    intercept: f64,
    spread: f64,
    n_iterations: u32,
    gradient_norm: f64,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    is_unsettled: bool,
}

impl HuberRegression {
    /// A plane without a residual, hence without a spread.
    fn through_all(plane: Solution) -> Self {
        HuberRegression {
            coefficients: plane.coefficients,
            intercept: plane.intercept,
            spread: 0.0,
            n_iterations: 0,
            gradient_norm: 0.0,
            is_unsettled: false,
        }
    }
}

impl Predict for HuberRegression {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        linear::check_norm(self.spread)?;
        linear::check_norm(self.gradient_norm)
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
            ("spread".to_owned(), self.spread),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("gradient norm before the last step".to_owned(), self.gradient_norm),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        linear::unsettled(self.is_unsettled, self.n_iterations, self.gradient_norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::models::tests::{fit_model, regression};

    /// A mathematical distance, not a sameness: the expected value itself is rounded.
    fn close(found: f64, expected: f64) {
        let distance = (found - expected).abs();
        assert!(distance <= 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
    }

    #[test]
    fn a_plane_through_all_rows_is_the_optimum() {
        let columns: [&[f64]; 2] = [&[0.3456, 0.3304, 0.9054], &[0.8216, 1.3032, 0.4464]];
        let t = regression(&columns, &[1.0, 2.0, 3.0]);
        let model = fit_model(&HuberRegressionParams::default(), &t).unwrap();
        let mut scores = [0.0; 3];
        model.predict(&mut t.clone(), &[0, 1], &mut scores).unwrap();
        scores.iter().zip([1.0, 2.0, 3.0]).for_each(|(found, y)| close(*found, y));
        assert_eq!(model.spread, 0.0);
    }

    #[test]
    fn a_far_row_pulls_with_its_edge_only() {
        // The eight near rows balance the edge of the far one: 2 · 8 b0 / s = 2 · 2, so b0 = s / 4.
        // By s: 9 − (8 + 8 b0²) / s² − 4 = 0, so 5 s² = 8 + s² / 2: s = 4/3.
        let params = HuberRegressionParams { epsilon: 2.0, alpha: 0.0, ..Default::default() };
        let y = [-1.0, -1.0, 1.0, 1.0, 100.0, -1.0, 1.0, 1.0, -1.0];
        let model = fit_model(&params, &regression(&[&[7.5; 9]], &y)).unwrap();
        close(model.intercept, 1.0 / 3.0);
        close(model.spread, 4.0 / 3.0);
    }

    #[test]
    fn wide_epsilon_is_least_squares() {
        let x = [0.0, 1.0, 2.0, 3.0];
        let params = HuberRegressionParams { epsilon: 50.0, alpha: 0.0, ..Default::default() };
        let y = [1.0, 3.5, 4.5, 7.0];
        let model = fit_model(&params, &regression(&[&x], &y)).unwrap();
        // Σ (x − 1.5) y / 5 = 9.5 / 5.
        close(model.coefficients[0], 1.9);
        close(model.intercept, 4.0 - 1.9 * 1.5);
        // Residuals -0.15, 0.45, -0.45, 0.15: the spread is their root mean square.
        close(model.spread, math::sqrt(0.45 / 4.0));
        assert!(model.n_iterations <= 20, "{}", model.n_iterations);
    }

    #[test]
    fn outliers_hardly_move_it_and_the_scale_follows() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let noise = |i: usize| f64::from(u32::try_from(i * 7919 % 11).unwrap()) / 11.0 - 0.5;
        let mut y: Vec<f64> = (0..40).map(|i| 3.0 * x[i] + 1.0 + noise(i)).collect();
        y[3] = 1e4;
        y[37] = -2e4;
        let model = fit_model(&HuberRegressionParams::default(), &regression(&[&x], &y)).unwrap();
        assert!((model.coefficients[0] - 3.0).abs() < 0.05, "{model:?}");
        let large: Vec<f64> = y.iter().map(|y| 1024.0 * y).collect();
        let free = HuberRegressionParams { alpha: 0.0, ..Default::default() };
        let small = fit_model(&free, &regression(&[&x], &y)).unwrap();
        let large = fit_model(&free, &regression(&[&x], &large)).unwrap();
        assert_eq!(large.coefficients[0], 1024.0 * small.coefficients[0]);
    }

    #[test]
    fn exact_lines_constant_targets_and_bad_params() {
        let x = [0.0, 1.0, 2.0];
        let free = HuberRegressionParams { alpha: 0.0, ..Default::default() };
        let line = fit_model(&free, &regression(&[&x], &[1.0, 3.0, 5.0])).unwrap();
        close(line.coefficients[0], 2.0);
        let flat = fit_model(&free, &regression(&[&x], &[4.0; 3])).unwrap();
        assert_eq!((flat.coefficients[0], flat.intercept), (0.0, 4.0));
        for (epsilon, alpha) in [(0.5, 0.0), (f64::NAN, 0.0), (2.0, -1.0)] {
            let params = HuberRegressionParams { epsilon, alpha, ..Default::default() };
            assert!(params.validate().is_err());
        }
    }
}
