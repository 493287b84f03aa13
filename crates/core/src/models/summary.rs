//! How well coefficients are known: standard errors from a fit, and the tests and intervals that
//! follow from them.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::CoefficientSummary;

/// What a fit stores: no more than cannot be derived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardErrors {
    /// Of the intercept, then of each column; none where a coefficient was not fitted.
    pub(super) errors: Vec<Option<f64>>,
    /// Rows less coefficients, for Student's t; 0 stands for the normal distribution.
    pub(super) degrees_of_freedom: u64,
    /// Named numbers about the whole fit.
    pub(super) facts: Vec<(String, f64)>,
}

impl StandardErrors {
    /// Checks a stored form: one entry for the intercept and for each column.
    ///
    /// # Errors
    /// If it is another one: the artifact is damaged.
    pub(super) fn check(&self, n_features: usize) -> Result<()> {
        crate::step::check_width(self.errors.len(), n_features + 1)?;
        let is_canonical = |x: &f64| x.to_bits() == math::canonical(*x).to_bits();
        let fine = |x: &f64| x.is_finite() && is_canonical(x);
        let facts = self.facts.iter().all(|(_, x)| fine(x));
        if facts && self.errors.iter().flatten().all(|x| *x >= 0.0 && fine(x)) {
            return Ok(());
        }
        Err(Error::new(Code::Malformed, "expected finite standard errors, found another value"))
    }

    /// Tests against 0 and intervals that miss the true value with probability `tail`.
    pub(super) fn summary(
        &self,
        intercept: f64,
        coefficients: &[f64],
        tail: f64,
    ) -> Vec<CoefficientSummary> {
        let df = match self.degrees_of_freedom {
            0 => f64::INFINITY,
            df => df as f64,
        };
        let critical = math::student_t_critical(tail, df);
        let estimates = [&intercept].into_iter().chain(coefficients);
        estimates
            .zip(&self.errors)
            .map(|(&estimate, error)| {
                let standard_error = error.unwrap_or(math::MISSING);
                let statistic = math::canonical(estimate / standard_error);
                CoefficientSummary {
                    estimate,
                    standard_error,
                    statistic,
                    degrees_of_freedom: df,
                    p_value: math::student_t_two_sided(statistic, df),
                    low: math::canonical(estimate - critical * standard_error),
                    high: math::canonical(estimate + critical * standard_error),
                }
            })
            .collect()
    }
}

/// √(factor · g' H⁻¹ g) for H = `hi` + `lo`; `None` if H is too near to a singular matrix.
pub(super) fn standard_error([hi, lo]: [&[f64]; 2], direction: &[f64], factor: f64) -> Option<f64> {
    let n = direction.len();
    let found = math::solve_spd_refined(hi, lo, n, direction, &vec![0.0; n])?;
    let mut total = math::ExactSum::new();
    direction.iter().zip(&found).for_each(|(g, u)| total.add_product(*g, *u));
    let error = math::sqrt(factor * math::max(total.round(), 0.0));
    error.is_finite().then_some(error)
}

/// Says that the matrix of a summary is singular.
pub(super) fn no_summary() -> Error {
    let message = "expected columns that can be told apart for their standard errors, found some \
                   that depend on others up to rounding";
    Error::new(Code::NotConverged, message).remedy("drop near duplicates or `summary`")
}

/// Whether a param keeps its default, so that the stored form leaves it out.
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
