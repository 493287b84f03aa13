//! Fits the mean of a target that is often 0 and else positive, such as a cost per policy, as the
//! exponential of a weighted sum of the columns.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `TweedieRegressor` with a logarithmic link: the mean
//! over rows of half the Tweedie deviance of `power` p up to a constant, μ^(2 − p) / (2 − p) − y
//! μ^(1 − p) / (1 − p), with μ = e^(b₀ + Σ bⱼ xⱼ), and `alpha` / 2 · Σ bⱼ². b₀ has no penalty. p =
//! 1 is `poisson_regression` and p = 2 `gamma_regression`, with their bits. Only powers from 1 to 2
//! are taken: there the objective is convex, so that one optimum exists. Above 2 it is not, so that
//! the result would be where the steps happen to lead, and between 0 and 1 there is no such
//! distribution; both are refused by name.
//! Newton's method with step halving from a constant mean, on columns that are centred and scaled
//! by powers of two. Each pass adds the rows' losses and gradients exactly and rounds once. The
//! gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H of the sum of losses
//! and penalty and the number of rows (or sum of weights) n: about the root mean square by which
//! one more step would move the logarithm of the mean, weighted by the curvature. When it is at
//! most `tolerance`, that one step is taken and the fit ends: the steps converge quadratically, so
//! the optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in; the score is the mean, above 0. Regression only, targets of at least 0
//! (above 0 for p = 2). The target must not be transformed to its logarithm before: the link does
//! that.
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
//! `power` outside 1 to 2; `alpha` below 0, `tolerance` not above 0, `max_iter` of 0; a target
//! below 0 (for p = 2, not above 0), or 0 in all rows; a
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
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, TargetLoss};

/// The penalty, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TweedieRegressionParams {
    /// The variance grows as this power of the mean; 1 to 2.
    pub power: f64,
    /// Weight of half the squared coefficients against the mean loss, at least 0.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
}

impl Default for TweedieRegressionParams {
    fn default() -> Self {
        TweedieRegressionParams {
            power: 1.5,
            alpha: 1.0,
            fit_intercept: true,
            max_iter: 100,
            tolerance: 1e-10,
        }
    }
}

impl FitModel for TweedieRegressionParams {
    type Fitted = TweedieRegression;

    fn validate(&self) -> Result<()> {
        if !(1.0..=2.0).contains(&self.power) {
            let message = format!("expected `power` between 1 and 2, found {}", self.power);
            let error = Error::new(Code::BadParameter, message);
            return Err(if self.power > 2.0 {
                error.remedy("above 2 the optimum need not be unique; 2 is the gamma distribution")
            } else {
                error
            });
        }
        self.options().validate()
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        Some(TargetLoss::Tweedie(self.power))
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<TweedieRegression> {
        self.options().fit(self.loss(), rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let late = TweedieRegressionParams { power: 1.9, alpha: 0.0, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, TweedieRegressionParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], late),
        ]
    }
}

impl TweedieRegressionParams {
    fn loss(&self) -> Loss {
        if self.power == 1.0 {
            Loss::Poisson
        } else if self.power == 2.0 {
            Loss::Gamma
        } else {
            Loss::Tweedie(self.power)
        }
    }

    fn options(&self) -> Options {
        Options {
            alpha: self.alpha,
            fit_intercept: self.fit_intercept,
            stop: Stop { max_iter: self.max_iter, tolerance: self.tolerance },
            zero_allowed: self.power < 2.0,
        }
    }
}

/// Coefficients and intercept of the logarithm of the mean.
pub type TweedieRegression = LogLinear;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::models::tests::{fit_model, refused, regression};

    fn free() -> TweedieRegressionParams {
        TweedieRegressionParams { alpha: 0.0, ..Default::default() }
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
    fn the_ends_are_poisson_and_gamma() {
        use crate::models::{GammaRegressionParams, PoissonRegressionParams};
        let t = regression(&[&X], &[1.0, 2.0, 3.0, 3.0, 6.0, 9.0]);
        let with = |power: f64| {
            let params = TweedieRegressionParams { power, ..Default::default() };
            fit_model(&params, &t).unwrap()
        };
        assert_eq!(with(1.0), fit_model(&PoissonRegressionParams::default(), &t).unwrap());
        assert_eq!(with(2.0), fit_model(&GammaRegressionParams::default(), &t).unwrap());
        // Near the ends it is near them: the optimum is continuous in the power.
        assert!((with(1.0 + 1e-9).coefficients[0] - with(1.0).coefficients[0]).abs() < 1e-7);
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let t = regression(&[&X], &[1.0, -0.5, 2.0, 1.0, 1.0, 1.0]);
        let found = refused(&free(), &t);
        assert!(found.contains(": expected targets of at least 0, found -0.5 (repair"), "{found}");
        for power in [0.0, 0.5, 2.5, f64::NAN, f64::INFINITY] {
            let error = TweedieRegressionParams { power, ..free() }.validate().unwrap_err();
            assert_eq!(error.to_string().contains("need not be unique"), power > 2.0, "{error}");
        }
    }
}
