//! Keeps the columns whose weight in a linear model is large.
//!
//! # Method
//! As scikit-learn 1.9.1 `SelectFromModel` over a linear estimator: fit the model on the columns, keep
//! those with |coefficient| ≥ threshold.
//!
//! # Shape
//! Numeric columns in; those kept stay where they are, the others are dropped. Other columns are never
//! touched.
//!
//! # Missing
//! Refused in the fit: a linear model needs a number in every row.
//!
//! # Ties and order
//! A coefficient equal to the threshold is kept. The default threshold, 1e-5 in absolute value, is
//! scikit-learn's for L1 penalties.
//!
//! # Errors
//! A model without one weight per column, or a missing value.
//!
//! # Example
//! Coefficients 0 and −2 with threshold 0.5: the first column is dropped.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::models::{LinearRegressionParams, ModelParams};
use crate::step::{Example, FitContext, FitSelector, Selection};

/// The model and the threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectByCoefficientParams {
    /// The linear model whose weights judge the columns.
    pub estimator: ModelParams,
    /// The smallest absolute weight of a column that is kept, at least 0.
    pub threshold: f64,
}

impl Default for SelectByCoefficientParams {
    fn default() -> Self {
        SelectByCoefficientParams {
            estimator: LinearRegressionParams::default().into(),
            threshold: 1e-5,
        }
    }
}

impl FitSelector for SelectByCoefficientParams {
    fn validate(&self) -> Result<()> {
        self.estimator.validate()?;
        if self.threshold >= 0.0 && self.threshold.is_finite() {
            return Ok(());
        }
        let found = self.threshold;
        Err(Error::new(
            Code::BadParameter,
            format!("expected threshold of at least 0, found {found}"),
        ))
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn select(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Selection> {
        if !self.estimator.tasks().contains(&ctx.task) {
            let found = self.estimator.kind();
            let message = format!("`{found}` cannot do task {:?}", ctx.task);
            return Err(Error::new(Code::BadTarget, message));
        }
        let model = self.estimator.fit(rows, ctx)?;
        let Some(weights) = model.coefficients() else {
            let found = self.estimator.kind();
            let message = format!("expected a model with one weight per column, found `{found}`");
            return Err(Error::new(Code::BadParameter, message));
        };
        let kept = weights.iter().map(|w| w.abs() >= self.threshold).collect();
        Ok(Selection {
            kept,
            scores: weights.to_vec(),
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let large = SelectByCoefficientParams {
            threshold: 10.0,
            ..Default::default()
        };
        debug_assert!(
            large.estimator.tasks().contains(&Task::Regression),
            "the example's task"
        );
        vec![Example::on(COMPLETE_COLUMNS, large)]
    }
}
