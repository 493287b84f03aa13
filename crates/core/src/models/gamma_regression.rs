//! Fits the mean of a positive, skewed target as the exponential of a weighted sum of the columns.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `GammaRegressor`: the mean over rows of y / μ + ln μ
//! (half the gamma deviance up to a constant), with μ = e^(b₀ + Σ bⱼ xⱼ), and `alpha` / 2 · Σ bⱼ².
//! b₀ has no penalty.
//! Newton's method with step halving from a constant mean, on columns that are centred and scaled
//! by powers of two. Each pass adds the rows' losses and gradients exactly and rounds once. The
//! gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H of the sum of losses
//! and penalty and the number of rows (or sum of weights) n: about the root mean square by which
//! one more step would move the logarithm of the mean, weighted by the curvature. When it is at
//! most `tolerance`, that one step is taken and the fit ends: the steps converge quadratically, so
//! the optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in; the score is the mean, above 0. Regression only, targets above 0. The target
//! must not be transformed to its logarithm before: the link does that.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The logarithm of the mean starts with b₀ and adds bⱼ xⱼ in the order of the columns, each
//! product rounded. With `alpha` = 0 a column that depends on earlier ones has coefficient 0, by
//! the rule of `linear_regression`; otherwise the optimum is unique.
//!
//! # Errors
//! `alpha` below 0, `tolerance` not above 0, `max_iter` of 0; a target not above 0; a
//! missing or infinite value; no optimum within `max_iter` steps, as when a group of rows without
//! any target above 0 has a column of its own and there is no penalty. At scoring, an infinite
//! value or a mean that overflows is a row's reason.
//!
//! # Example
//! The optimum for x = 0, 0, 0, 1, 1, 1 and y = 1, 2, 3, 3, 6, 9 with `alpha` = 0: the means of the
//! groups are 2 and 6, so b₀ = ln 2 and b₁ = ln 3.

use serde::{Deserialize, Serialize};

use super::glm::{LogLinear, Options};
use super::minimise::Stop;
use crate::aggregate::{Loss, Rows};
use crate::config::Task;
use crate::error::Result;
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, TargetLoss};

/// The penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GammaRegressionParams {
    /// Weight of half the squared coefficients against the mean loss, at least 0.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
}

impl Default for GammaRegressionParams {
    fn default() -> Self {
        GammaRegressionParams { alpha: 1.0, fit_intercept: true, max_iter: 100, tolerance: 1e-10 }
    }
}

impl FitModel for GammaRegressionParams {
    type Fitted = GammaRegression;

    fn validate(&self) -> Result<()> {
        self.options().validate()
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        Some(TargetLoss::Gamma)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<GammaRegression> {
        self.options().fit(Loss::Gamma, rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let free = GammaRegressionParams { alpha: 0.0, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, GammaRegressionParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], free),
        ]
    }
}

impl GammaRegressionParams {
    fn options(&self) -> Options {
        Options {
            alpha: self.alpha,
            fit_intercept: self.fit_intercept,
            stop: Stop { max_iter: self.max_iter, tolerance: self.tolerance },
            zero_allowed: false,
        }
    }
}

/// Coefficients and intercept of the logarithm of the mean.
pub type GammaRegression = LogLinear;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::models::tests::{fit_model, refused, regression};

    fn free() -> GammaRegressionParams {
        GammaRegressionParams { alpha: 0.0, ..Default::default() }
    }

    /// A mathematical distance, not a sameness: the expected value itself is rounded.
    fn close(found: f64, expected: f64) {
        let distance = (found - expected).abs();
        assert!(distance <= 1e-14 * (1.0 + expected.abs()), "{found} {expected}");
    }

    const X: [f64; 6] = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];

    #[test]
    fn two_groups_have_their_own_means() {
        // Means 2 and 6: b0 = ln 2, b1 = ln 3.
        let t = regression(&[&X], &[1.0, 2.0, 3.0, 3.0, 6.0, 9.0]);
        let model = fit_model(&free(), &t).unwrap();
        close(model.intercept, math::ln(2.0));
        close(model.coefficients[0], math::ln(3.0));
        assert!(model.n_iterations <= 10 && model.gradient_norm <= 1e-10);
        let flat = fit_model(&free(), &regression(&[&[7.5; 3]], &[2.0; 3])).unwrap();
        assert_eq!(flat.coefficients, [0.0]);
        close(flat.intercept, math::ln(2.0));
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let t = regression(&[&X], &[1.0, 0.0, 2.0, 1.0, 1.0, 1.0]);
        let found = refused(&free(), &t);
        assert!(found.contains(": expected targets above 0, found 0 (repair"), "{found}");
        assert!(GammaRegressionParams { alpha: f64::NAN, ..free() }.validate().is_err());
    }

    #[test]
    fn the_scale_of_the_target_moves_the_intercept_alone() {
        let y = [1.0, 2.0, 3.0, 3.0, 6.0, 9.0];
        let model = fit_model(&GammaRegressionParams::default(), &regression(&[&X], &y)).unwrap();
        let t = regression(&[&X], &y.map(|y| 1024.0 * y));
        let large = fit_model(&GammaRegressionParams::default(), &t).unwrap();
        close(large.coefficients[0], model.coefficients[0]);
        close(large.intercept, model.intercept + 10.0 * math::ln(2.0));
    }
}
