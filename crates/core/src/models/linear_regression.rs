//! Fits a weighted sum of the columns by least squares, with an optional penalty on large weights.
//!
//! # Method
//! Minimises Σ (y − b₀ − Σ bⱼ xⱼ)² + `alpha` Σ bⱼ². `alpha` = 0 is ordinary least squares, larger
//! values are ridge regression with the objective of scikit-learn 1.9.1 `Ridge`: the intercept b₀
//! has no penalty. Every column is centred near its mean, at a number of few digits, so that the
//! subtraction is exact for most data and else rounds once; the sums of products are exact and each
//! rounded to two halves of 53 bits (above 4,000,000 products the values are first cut to 63 bits
//! of their column's largest one); the system is solved by Cholesky and refined with exact
//! residuals. While the squared condition number of the columns stays below about 1e15, the result
//! is the optimum for the centred values to about one unit in the last place, whatever the order of
//! the rows.
//!
//! With `summary` the standard errors √(s² (X'X)⁻¹ⱼⱼ) are kept, where s² is the sum of squared
//! residuals, a form in the exact products, over rows less coefficients; with R² and F. From them
//! follow t, its two-sided p-value by Student's distribution, and intervals, as in statsmodels'
//! `OLS`. Rows with weights count those weights in all sums, as in its `WLS`.
//!
//! # Shape
//! Numeric columns in; the score is b₀ + Σ bⱼ xⱼ. Fewer rows than columns are allowed. Regression
//! only.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The prediction starts with b₀ and adds bⱼ xⱼ in the order of the columns, each product rounded.
//! Without penalty, dependent columns have many optima with equal predictions on the training rows.
//! The rule: going through the intercept and then the columns in order, one of whose sum of squares
//! the columns before it leave at most 2^-46 (1.4e-14; for more than 64 columns, their number times
//! 2^-52) is set aside and has coefficient 0. So a constant column, the second of two equal columns
//! and the last of a full set of 0/1 columns have 0. With a penalty the optimum is unique and
//! nothing is set aside.
//!
//! # Errors
//! `alpha` below 0, or above 0 with `summary`; no more rows than coefficients with `summary`; a
//! missing or infinite value; squares that overflow; columns so nearly dependent
//! that neither the rule nor a tiny `alpha` decides. At scoring, an infinite value is a row's
//! reason.
//!
//! # Example
//! x = 0, 1, 2 and y = 1, 3, 5 give b₀ = 1, b₁ = 2; with `alpha` = 2, b₁ = 4 / (2 + 2) = 1 and b₀ =
//! 2.

use serde::{Deserialize, Serialize};

use super::linear;
use super::normal_equations::NormalEquations;
use super::summary::{StandardErrors, is_false};
use crate::aggregate::Rows;
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{CoefficientSummary, Example, FitContext, FitModel, Predict};

/// The penalty, and whether there is an intercept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearRegressionParams {
    /// Weight of the squared coefficients, at least 0; 0 is ordinary least squares.
    pub alpha: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// Whether standard errors are kept; for `alpha` = 0 only. Left out of the stored form where it
    /// is false.
    #[serde(skip_serializing_if = "is_false")]
    pub summary: bool,
}

impl Default for LinearRegressionParams {
    fn default() -> Self {
        LinearRegressionParams { alpha: 0.0, fit_intercept: true, summary: false }
    }
}

impl FitModel for LinearRegressionParams {
    type Fitted = LinearRegression;

    fn validate(&self) -> Result<()> {
        linear::check_not_negative("alpha", self.alpha)?;
        if self.summary && self.alpha > 0.0 {
            let message = format!("expected `alpha` = 0 for a `summary`, found {}", self.alpha);
            return Err(Error::new(Code::BadParameter, message));
        }
        Ok(())
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<LinearRegression> {
        let equations = NormalEquations::new(rows, ctx, self.fit_intercept)?;
        let mut variables = equations.variables(|_| true);
        if self.alpha == 0.0 {
            variables = equations.independent(&variables);
        }
        let Some(found) = equations.solve(&variables, self.alpha, |_| 0.0) else {
            let message = "expected columns that can be told apart, found some that depend \
                           on others up to rounding";
            return Err(Error::new(Code::NotConverged, message)
                .remedy("drop near duplicates or raise `alpha`"));
        };
        let summary =
            if self.summary { Some(equations.standard_errors(&variables, &found)?) } else { None };
        let found = equations.finish(found);
        linear::check_fitted(&found.coefficients, found.intercept, ctx)?;
        let n_set_aside = equations.variables(|_| true).len() - variables.len();
        Ok(LinearRegression {
            coefficients: found.coefficients,
            intercept: found.intercept,
            n_set_aside: n_set_aside as u32,
            summary,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let ridge = LinearRegressionParams { alpha: 2.5, ..Default::default() };
        let known = LinearRegressionParams { summary: true, ..Default::default() };
        let dependent = &["area", "constant", "rooms", "sold", "year"];
        vec![
            Example::on(COMPLETE_COLUMNS, LinearRegressionParams::default()),
            Example::on(dependent, LinearRegressionParams::default()),
            Example::on(dependent, ridge),
            Example::on(dependent, known),
        ]
    }
}

/// Coefficients and intercept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRegression {
    coefficients: Vec<f64>,
    intercept: f64,
    n_set_aside: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<StandardErrors>,
}

impl Predict for LinearRegression {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        self.summary.as_ref().map_or(Ok(()), |summary| summary.check(features.len()))
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        Some((&self.coefficients, self.intercept))
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let mut facts = vec![
            ("intercept".to_owned(), self.intercept),
            ("columns set aside as dependent".to_owned(), f64::from(self.n_set_aside)),
        ];
        facts.extend(self.summary.iter().flat_map(|summary| summary.facts.clone()));
        facts
    }

    fn summary(&self, tail: f64) -> Option<Vec<CoefficientSummary>> {
        let errors = self.summary.as_ref()?;
        Some(errors.summary(self.intercept, &self.coefficients, tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, refused, regression};

    fn ols() -> LinearRegressionParams {
        LinearRegressionParams::default()
    }

    fn ridge(alpha: f64) -> LinearRegressionParams {
        LinearRegressionParams { alpha, ..Default::default() }
    }

    #[test]
    fn a_line_through_three_points() {
        let t = regression(&[&[0.0, 1.0, 2.0]], &[1.0, 3.0, 5.0]);
        let line = fit_model(&ols(), &t).unwrap();
        assert_eq!((line.coefficients.as_slice(), line.intercept), (&[2.0][..], 1.0));
        // Centred: x'x = 2, x'y = 4; 4 / (2 + 2) = 1; mean of y 3, less 1 times the mean of x 1.
        let flat = fit_model(&ridge(2.0), &t).unwrap();
        assert_eq!((flat.coefficients.as_slice(), flat.intercept), (&[1.0][..], 2.0));
    }

    #[test]
    fn without_intercept_the_line_goes_through_zero() {
        // x'x = 5, x'y = 13.
        let params = LinearRegressionParams { fit_intercept: false, ..ols() };
        let t = regression(&[&[0.0, 1.0, 2.0]], &[1.0, 3.0, 5.0]);
        let line = fit_model(&params, &t).unwrap();
        assert_eq!((line.coefficients.as_slice(), line.intercept), (&[2.6][..], 0.0));
    }

    #[test]
    fn a_column_that_depends_on_earlier_ones_has_coefficient_zero() {
        let x = [1.0, 2.0, 4.0, 7.0];
        let y = [3.0, 5.0, 9.0, 15.0];
        let twice = x.map(|x| 2.0 * x - 3.0);
        let t = regression(&[&[7.5; 4], &x, &x, &twice], &y);
        let line = fit_model(&ols(), &t).unwrap();
        assert_eq!(line.coefficients, [0.0, 2.0, 0.0, 0.0]);
        assert_eq!((line.intercept, line.n_set_aside), (1.0, 3));
        // A full set of 0/1 columns: the last one is the intercept's.
        let t = regression(&[&[1.0, 1.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 1.0]], &[4.0, 6.0, 1.0, 2.0]);
        let groups = fit_model(&ols(), &t).unwrap();
        assert_eq!((groups.coefficients.as_slice(), groups.intercept), (&[3.5, 0.0][..], 1.5));
    }

    #[test]
    fn a_penalty_shares_between_equal_columns() {
        // Each of two equal columns: x'y / (2 x'x + alpha) = 4 / (4 + 4).
        let x = [0.0, 1.0, 2.0];
        let shared = fit_model(&ridge(4.0), &regression(&[&x, &x], &[1.0, 3.0, 5.0])).unwrap();
        assert_eq!(shared.coefficients, [0.5, 0.5]);
    }

    #[test]
    fn more_columns_than_rows_and_one_row() {
        let t = regression(&[&[1.0, 2.0], &[5.0, 3.0], &[0.0, 9.0]], &[1.0, 4.0]);
        let found = fit_model(&ols(), &t).unwrap();
        assert_eq!((found.coefficients.as_slice(), found.intercept), (&[3.0, 0.0, 0.0][..], -2.0));
        let one = fit_model(&ols(), &regression(&[&[1.5], &[-2.0]], &[4.0])).unwrap();
        assert_eq!((one.coefficients.as_slice(), one.intercept), (&[0.0, 0.0][..], 4.0));
    }

    #[test]
    fn a_large_offset_costs_nothing() {
        let x = [1e15, 1e15 + 1.0, 1e15 + 2.0];
        let found = fit_model(&ols(), &regression(&[&x], &[1e9, 1e9 + 2.0, 1e9 + 4.0])).unwrap();
        assert_eq!((found.coefficients.as_slice(), found.intercept), (&[2.0][..], 1e9 - 2e15));
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let y = [1.0, 2.0];
        assert_eq!(
            refused(&ols(), &regression(&[&[1.0, f64::NAN]], &y)),
            "column `x0`: row 1: expected a number in every row, found 1 missing \
             (add an imputer before the model)"
        );
        assert_eq!(
            refused(&ols(), &regression(&[&y, &[1.0, f64::INFINITY]], &y)),
            "column `x1`: row 1: expected finite numbers, found number inf \
             (repair the value, or make it missing and add an imputer before the model)"
        );
        assert_eq!(
            refused(&ols(), &regression(&[&[1e200, -1e200]], &y)),
            "column `x0`: expected a finite sum of squares, found one that overflows \
             (scale the column)"
        );
        let near = refused(&ridge(1e-30), &regression(&[&y, &y], &y));
        assert!(near.contains("drop near duplicates or raise `alpha`"), "{near}");
        assert_eq!(
            refused(&ols(), &regression(&[&[]], &[])),
            "column `x0`: expected rows to fit on, found none"
        );
        assert!(ridge(-1.0).validate().is_err() && ridge(f64::NAN).validate().is_err());
    }

    #[test]
    fn rows_that_cannot_be_scored_get_a_reason() {
        let model = LinearRegression {
            coefficients: vec![1.0, 0.0],
            intercept: 0.5,
            n_set_aside: 0,
            summary: None,
        };
        let x = [1.0, f64::NAN, 2.0, f64::MAX];
        let z = [1.0, 1.0, f64::INFINITY, f64::MAX];
        let mut batch = regression(&[&x, &z], &[0.0; 4]);
        let mut scores = [0.0; 4];
        model.predict(&mut batch, &[0, 1], &mut scores).unwrap();
        assert_eq!((scores[0], scores[3]), (1.5, f64::MAX));
        let reasons: Vec<String> = batch.faults().values().map(Error::to_string).collect();
        assert_eq!(
            reasons,
            [
                "column `x0`: expected a number, found a missing value \
                 (add an imputer before the model)",
                "column `x1`: expected a finite number, found an infinity",
            ]
        );
    }

    #[test]
    fn a_summary_by_hand() {
        // x = 0, 1, 2 and y = 1, 2, 4: slope 3/2, intercept 5/6, residuals 1/6, -1/3, 1/6: s² = 1/6
        // with one degree of freedom. Var slope = s² / 2, var intercept = s² (1/3 + 1/2).
        let params = LinearRegressionParams { summary: true, ..ols() };
        let t = regression(&[&[0.0, 1.0, 2.0], &[7.5; 3]], &[1.0, 2.0, 4.0]);
        let line = fit_model(&params, &t).unwrap();
        let rows = line.summary(0.05).unwrap();
        let close = |found: f64, expected: f64| {
            // A mathematical distance: the expected value itself is rounded.
            assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found} {expected}");
        };
        close(rows[1].standard_error, crate::math::sqrt(1.0 / 12.0));
        close(rows[0].standard_error, crate::math::sqrt(5.0 / 36.0));
        // t = 1.5 √12 with one degree of freedom: p = 1 − 2 atan(t) / π; t(0.975, 1) = 12.7062...
        let t = 1.5 * crate::math::sqrt(12.0);
        close(rows[1].p_value, 2.0 * crate::math::atan(1.0 / t) / std::f64::consts::PI);
        close(rows[1].high, 1.5 + 12.706_204_736_174_69 * crate::math::sqrt(1.0 / 12.0));
        assert!(rows[2].standard_error.is_nan() && rows[2].p_value.is_nan());
        close(line.facts()[4].1, 27.0 / 28.0);
        assert!(
            fit_model(&ols(), &regression(&[&[0.0, 1.0]], &[1.0, 2.0]))
                .unwrap()
                .summary(0.1)
                .is_none()
        );
        let short = refused(&params, &regression(&[&[0.0, 1.0]], &[1.0, 2.0]));
        assert!(short.starts_with("expected more rows than coefficients"), "{short}");
        let ridge = LinearRegressionParams { alpha: 1.0, ..params };
        assert!(ridge.validate().is_err());
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let state = |coefficients: Vec<f64>, intercept| LinearRegression {
            coefficients,
            intercept,
            n_set_aside: 0,
            summary: None,
        };
        assert!(state(vec![1.0], 0.0).check(&features(1)).is_ok());
        assert!(state(vec![1.0], 0.0).check(&features(2)).is_err());
        assert!(state(vec![f64::NAN], 0.0).check(&features(1)).is_err());
        assert!(state(vec![1.0], f64::INFINITY).check(&features(1)).is_err());
    }
}
