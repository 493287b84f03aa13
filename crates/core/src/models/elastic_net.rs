//! Fits a weighted sum of the columns by least squares with a penalty that sets small weights to
//! zero.
//!
//! # Method
//! The objective is that of scikit-learn 1.9.1 `ElasticNet`: the sum of 1/(2n) Σ (y − b₀ − Σ bⱼ
//! xⱼ)², `alpha` · `l1_ratio` · Σ |bⱼ| and `alpha` · (1 − `l1_ratio`) / 2 · Σ bⱼ². `l1_ratio` = 1
//! is the lasso, 0 is ridge regression. Coordinate descent from 0 on the exact products of
//! `linear_regression` finds which coefficients are not 0 and their signs. As soon as a sweep
//! leaves the signs as they were, the system of those columns is solved with exact residuals; if
//! its signs agree and no other column's gradient exceeds the penalty, then this is the optimum
//! itself, to about 1e-14, however early the descent stops.
//!
//! # Shape
//! Numeric columns in; the score is b₀ + Σ bⱼ xⱼ. Fewer rows than columns are allowed. Regression
//! only. Columns on one scale share the penalty fairly: put a scaler before the model.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! Coordinates are visited in the order of the columns; the prediction starts with b₀ and adds bⱼ
//! xⱼ in that order. Equal columns under the lasso: the first has the weight, the others have 0, by
//! the rule for dependent columns of `linear_regression`, which also holds without a penalty. Where
//! columns with a weight depend on each other in another way, no system gives the weights: the
//! result is where the descent stands when the duality gap is at most `tolerance` times Σ (y −
//! mean)², or when a sweep changes no bit.
//!
//! # Errors
//! `alpha` below 0, `l1_ratio` outside 0 to 1, `max_iter` of 0, `tolerance` not above 0; a missing
//! or infinite value; squares that overflow; `max_iter` sweeps without an optimum. At scoring, an
//! infinite value is a row's reason.
//!
//! # Example
//! x = −1, 0, 1 and y = −3, 0, 3 with `l1_ratio` = 1, `alpha` = 1: n alpha = 3 comes off x'y = 6,
//! so b₁ = (6 − 3) / 2 = 1.5.

use serde::{Deserialize, Serialize};

use super::descent::{self, Descent};
use super::linear;
use super::normal_equations::NormalEquations;
use super::summary::is_false;
use crate::aggregate::Rows;
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The penalty and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticNetParams {
    /// Weight of the whole penalty, at least 0.
    pub alpha: f64,
    /// The share of the absolute values in the penalty, 0 to 1; the rest is that of the squares.
    pub l1_ratio: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most sweeps over the columns, at least 1.
    pub max_iter: u32,
    /// The duality gap, as a share of Σ (y − mean)², at which the descent may stop; above 0.
    pub tolerance: f64,
}

impl Default for ElasticNetParams {
    fn default() -> Self {
        ElasticNetParams {
            alpha: 1.0,
            l1_ratio: 0.5,
            fit_intercept: true,
            max_iter: 10_000,
            tolerance: 1e-12,
        }
    }
}

impl FitModel for ElasticNetParams {
    type Fitted = ElasticNet;

    fn validate(&self) -> Result<()> {
        let refuse = |rule: &str, found: f64| {
            let message = format!("expected {rule}, found {found}");
            Err(Error::new(Code::BadParameter, message))
        };
        if !(self.alpha >= 0.0 && self.alpha.is_finite()) {
            return refuse("`alpha` of at least 0", self.alpha);
        }
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return refuse("`l1_ratio` between 0 and 1", self.l1_ratio);
        }
        if self.max_iter == 0 {
            return refuse("`max_iter` of at least 1", 0.0);
        }
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            return refuse("`tolerance` above 0", self.tolerance);
        }
        Ok(())
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<ElasticNet> {
        let equations = NormalEquations::new(rows, ctx, self.fit_intercept)?;
        let penalty = equations.total_weight() * self.alpha;
        let l1 = penalty * self.l1_ratio;
        let l2 = penalty * (1.0 - self.l1_ratio);
        let mut descent = Descent::new(&equations, l1, l2);
        let found = descent.run(self.max_iter, self.tolerance);
        let is_unsettled = found.is_none();
        let found = found.or_else(|| ctx.keeps(0.0).then(|| (descent.settled(), self.max_iter)));
        let Some((solution, n_iterations)) = found else {
            let message =
                format!("expected an optimum within {} sweeps, found none", self.max_iter);
            return Err(Error::new(Code::NotConverged, message)
                .remedy("scale the columns, raise `max_iter`, or lower `l1_ratio`"));
        };
        let found = equations.finish(solution);
        linear::check_fitted(&found.coefficients, found.intercept, ctx)?;
        Ok(ElasticNet {
            coefficients: found.coefficients,
            intercept: found.intercept,
            n_iterations,
            is_unsettled,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let lasso = ElasticNetParams { alpha: 20.0, l1_ratio: 1.0, ..Default::default() };
        let dependent = &["area", "constant", "rooms", "sold", "year"];
        vec![
            Example::on(COMPLETE_COLUMNS, ElasticNetParams::default()),
            Example::on(dependent, lasso),
        ]
    }
}

/// Coefficients and intercept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNet {
    coefficients: Vec<f64>,
    intercept: f64,
    n_iterations: u32,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    is_unsettled: bool,
}

impl Predict for ElasticNet {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        Some((&self.coefficients, self.intercept))
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let n_nonzero = self.coefficients.iter().filter(|b| **b != 0.0).count();
        vec![
            ("intercept".to_owned(), self.intercept),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("coefficients not zero".to_owned(), n_nonzero as f64),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        descent::unsettled(self.is_unsettled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::LinearRegressionParams;
    use crate::models::tests::{fit_model, refused, regression};

    fn net(alpha: f64, l1_ratio: f64) -> ElasticNetParams {
        ElasticNetParams { alpha, l1_ratio, ..Default::default() }
    }

    #[test]
    fn one_column_by_hand() {
        // x'x = 2, x'y = 6, n = 3. Lasso: (6 - 3) / 2. Half and half: (6 - 1.5) / (2 + 1.5).
        let t = regression(&[&[-1.0, 0.0, 1.0]], &[-3.0, 0.0, 3.0]);
        assert_eq!(fit_model(&net(1.0, 1.0), &t).unwrap().coefficients, [1.5]);
        assert_eq!(fit_model(&net(1.0, 0.5), &t).unwrap().coefficients, [4.5 / 3.5]);
        // At alpha = 2 the penalty 6 just reaches x'y.
        assert_eq!(fit_model(&net(2.0, 1.0), &t).unwrap().coefficients, [0.0]);
        // The sign of x changes that of the coefficient only; an offset goes to the intercept.
        let t = regression(&[&[11.0, 10.0, 9.0]], &[-3.0, 0.0, 3.0]);
        let found = fit_model(&net(1.0, 1.0), &t).unwrap();
        assert_eq!((found.coefficients.as_slice(), found.intercept), (&[-1.5][..], 15.0));
    }

    #[test]
    fn orthogonal_columns_are_thresholded_one_by_one() {
        // x'y = 8 and 2, x'x = 4, n alpha = 4: (8 - 4) / 4 = 1, and 2 < 4 gives 0.
        let a = [1.0, 1.0, -1.0, -1.0];
        let b = [1.0, -1.0, 1.0, -1.0];
        let y: Vec<f64> = a.iter().zip(b).map(|(a, b)| 2.0 * a + 0.5 * b).collect();
        let found = fit_model(&net(1.0, 1.0), &regression(&[&a, &b], &y)).unwrap();
        assert_eq!((found.coefficients.as_slice(), found.intercept), (&[1.0, 0.0][..], 0.0));
        assert_eq!(found.facts()[2].1, 1.0);
    }

    #[test]
    fn without_a_penalty_it_is_least_squares_and_without_l1_ridge() {
        let a = [1.0, 2.0, 4.0, 7.0, 1.0];
        let b = [0.5, -1.0, 3.0, 2.0, 2.5];
        let t = regression(&[&a, &b, &a], &[3.0, 1.0, 4.0, 1.0, 5.0]);
        let ols = fit_model(&LinearRegressionParams::default(), &t).unwrap();
        let free = fit_model(&net(0.0, 0.5), &t).unwrap();
        assert_eq!(Some(free.coefficients.as_slice()), ols.coefficients());
        // n alpha = 5 * 0.5.
        let ridge = LinearRegressionParams { alpha: 2.5, ..Default::default() };
        let ridge = fit_model(&ridge, &t).unwrap();
        let l2 = fit_model(&net(0.5, 0.0), &t).unwrap();
        assert_eq!(Some(l2.coefficients.as_slice()), ridge.coefficients());
    }

    #[test]
    fn the_first_of_equal_columns_has_the_weight() {
        let x = [-1.0, 0.0, 1.0];
        let t = regression(&[&[4.0; 3], &x, &x], &[-3.0, 0.0, 3.0]);
        let found = fit_model(&net(1.0, 1.0), &t).unwrap();
        assert_eq!(found.coefficients, [0.0, 1.5, 0.0]);
        // With squares in the penalty they share: 2 b + 2 b + 1.5 b = 6 - 1.5.
        let found = fit_model(&net(1.0, 0.5), &t).unwrap();
        assert_eq!(found.coefficients, [0.0, 4.5 / 5.5, 4.5 / 5.5]);
    }

    #[test]
    fn more_columns_than_rows() {
        // y is twice column 2; the others are smaller multiples of unit patterns.
        let columns: [&[f64]; 4] =
            [&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[-2.0, 0.0, 2.0], &[0.0, 0.0, 1.0]];
        let t = regression(&columns, &[-4.0, 0.0, 4.0]);
        let found = fit_model(&net(0.1, 1.0), &t).unwrap();
        // x'y = 16, x'x = 8, n alpha = 0.3.
        assert_eq!(found.coefficients, [0.0, 0.0, 15.7 / 8.0, 0.0]);
    }

    #[test]
    fn a_constant_target_has_no_weights() {
        let t = regression(&[&[1.0, 2.0, 5.0]], &[4.0; 3]);
        let found = fit_model(&net(0.3, 0.5), &t).unwrap();
        assert_eq!((found.coefficients.as_slice(), found.intercept), (&[0.0][..], 4.0));
    }

    #[test]
    fn the_cap_is_an_error_and_params_have_ranges() {
        let short = ElasticNetParams { max_iter: 1, ..net(1e-3, 1.0) };
        let t = regression(&[&[1.0, 2.0, 4.0, 8.0], &[1.0, 2.0, 4.0, 9.0]], &[1.0, 0.0, 3.0, 2.0]);
        assert!(refused(&short, &t).starts_with("expected an optimum within 1 sweeps, found none"));
        assert!(net(-1.0, 0.5).validate().is_err());
        assert!(net(1.0, 1.5).validate().is_err());
        assert!(net(1.0, f64::NAN).validate().is_err());
        let zero = ElasticNetParams { tolerance: 0.0, ..Default::default() };
        assert!(zero.validate().is_err());
    }
}
