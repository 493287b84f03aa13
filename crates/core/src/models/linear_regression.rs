//! Ordinary least squares and ridge regression.

use serde::{Deserialize, Serialize};

use super::linear;
use crate::aggregate::Rows;
use crate::batch::Batch;
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The penalty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearRegressionParams {
    /// Weight of the squared L2 norm of the coefficients; 0 is ordinary least squares.
    pub alpha: f64,
}

impl FitModel for LinearRegressionParams {
    type Fitted = LinearRegression;

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<LinearRegression> {
        let system = linear::normal_equations(rows, ctx)?;
        let coefficients = system
            .solve(self.alpha)
            .ok_or_else(|| Error::new(Code::NotConverged, "columns are collinear"))?;
        let intercept = system.intercept(&coefficients);
        Ok(LinearRegression {
            coefficients,
            intercept,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        vec![Example::on(
            COMPLETE_COLUMNS,
            LinearRegressionParams::default(),
        )]
    }
}

/// Coefficients and intercept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRegression {
    coefficients: Vec<f64>,
    intercept: f64,
}

impl Predict for LinearRegression {
    fn check(&self, n_features: usize) -> Result<()> {
        crate::pipeline::check_width(self.coefficients.len(), n_features)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        Ok(())
    }

    fn coefficients(&self) -> Option<&[f64]> {
        Some(&self.coefficients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn x() {
        let _ = math::MISSING;
    }
}
