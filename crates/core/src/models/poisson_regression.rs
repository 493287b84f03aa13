//! Fits the mean of a count or rate as the exponential of a weighted sum of the columns.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `PoissonRegressor`: the mean over rows of μ − y ln μ
//! (half the Poisson deviance up to a constant), with μ = e^(b₀ + Σ bⱼ xⱼ), and `alpha` / 2 · Σ
//! bⱼ². b₀ has no penalty.
//! Newton's method with step halving from a constant mean, on columns that are centred and scaled
//! by powers of two. Each pass adds the rows' losses and gradients exactly and rounds once. The
//! gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H of the sum of losses
//! and penalty and the number of rows (or sum of weights) n: about the root mean square by which
//! one more step would move the logarithm of the mean, weighted by the curvature. When it is at
//! most `tolerance`, that one step is taken and the fit ends: the steps converge quadratically, so
//! the optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in; the score is the mean, above 0. Regression only, targets of at least 0. The
//! target must not be transformed to its logarithm before: the link does that.
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
//! `alpha` below 0, `tolerance` not above 0, `max_iter` of 0; a target below 0, or 0 in all rows; a
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
pub struct PoissonRegressionParams {
    /// Weight of half the squared coefficients against the mean loss, at least 0.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
}

impl Default for PoissonRegressionParams {
    fn default() -> Self {
        PoissonRegressionParams { alpha: 1.0, fit_intercept: true, max_iter: 100, tolerance: 1e-10 }
    }
}

impl FitModel for PoissonRegressionParams {
    type Fitted = PoissonRegression;

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
        Some(TargetLoss::Poisson)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<PoissonRegression> {
        self.options().fit(Loss::Poisson, rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let free = PoissonRegressionParams { alpha: 0.0, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, PoissonRegressionParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], free),
        ]
    }
}

impl PoissonRegressionParams {
    fn options(&self) -> Options {
        Options {
            alpha: self.alpha,
            fit_intercept: self.fit_intercept,
            stop: Stop { max_iter: self.max_iter, tolerance: self.tolerance },
            zero_allowed: true,
        }
    }
}

/// Coefficients and intercept of the logarithm of the mean.
pub type PoissonRegression = LogLinear;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::models::tests::{fit_model, refused, regression};

    fn free() -> PoissonRegressionParams {
        PoissonRegressionParams { alpha: 0.0, ..Default::default() }
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
    fn the_penalty_balances_the_residuals() {
        // One symmetric column without an intercept: mean of (e^bx - y) x is - alpha b. With x =
        // -1, 1 and y = 0, 2 e: (e^b - e^-b - 2 e) / 2 = - alpha b, at b = 1 for alpha = (e + 1/e)
        // / 2.
        let e = math::exp(1.0);
        let params = PoissonRegressionParams {
            alpha: (e + 1.0 / e) / 2.0,
            fit_intercept: false,
            ..Default::default()
        };
        let model = fit_model(&params, &regression(&[&[-1.0, 1.0]], &[0.0, 2.0 * e])).unwrap();
        close(model.coefficients[0], 1.0);
        assert_eq!(model.intercept, 0.0);
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let t = |y: &[f64]| regression(&[&X], y);
        assert_eq!(
            refused(&free(), &t(&[1.0, -1.0, 0.0, 0.0, 0.0, 0.0])),
            "row 1: expected targets of at least 0, found -1 \
             (repair the value, or choose a model for such targets)"
        );
        assert_eq!(
            refused(&free(), &t(&[0.0; 6])),
            "expected a target above 0 in some row, found 0 in all"
        );
        // The group of x = 1 has no target above 0: its mean would be 0.
        let lost = refused(&free(), &t(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0]));
        assert!(lost.starts_with("column `x0`: expected an optimum within 100 steps"), "{lost}");
        let held = PoissonRegressionParams { alpha: 1e-6, ..Default::default() };
        assert!(fit_model(&held, &t(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0])).is_ok());
        for (alpha, tolerance, max_iter) in [(-1.0, 1e-9, 9), (1.0, f64::NAN, 9), (1.0, 1e-9, 0)] {
            let params =
                PoissonRegressionParams { alpha, tolerance, max_iter, ..Default::default() };
            assert!(params.validate().is_err());
        }
    }

    #[test]
    fn extreme_scales_neither_panic_nor_hang() {
        for scale in [1e-320, 1e-200, 1e200, 8e307] {
            for (x, y) in [(scale, 1.0), (1.0, scale)] {
                let t = regression(&[&X.map(|v| v * x)], &X.map(|v| y * (1.0 + v)));
                for params in [free(), PoissonRegressionParams::default()] {
                    if let Ok(model) = fit_model(&params, &t) {
                        assert!(
                            crate::step::Predict::check(&model, &crate::models::tests::features(1))
                                .is_ok()
                        );
                    }
                }
            }
        }
    }
}
