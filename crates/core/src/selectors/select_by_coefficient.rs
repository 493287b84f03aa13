//! Keeps the columns whose weight in a linear model is large.
//!
//! # Method
//! As scikit-learn 1.9.1 `SelectFromModel` over a linear estimator: fit the model on the columns,
//! keep those with |coefficient| ≥ threshold. `rule` = "value" takes `threshold` itself, "mean" and
//! "median" those of the absolute coefficients. With `elastic_net` and `l1_ratio` = 1 it is
//! selection by the lasso. Coefficients depend on the columns' scales: put a scaler before the
//! step.
//!
//! # Shape
//! Numeric columns in; those kept stay where they are, the others are dropped. Other columns are
//! never touched. The estimator must do the pipeline's task: `logistic_regression` for a binary
//! one.
//!
//! # Missing
//! Refused in the fit: a linear model needs a number in every row.
//!
//! # Ties and order
//! A coefficient equal to the threshold is kept. The default threshold, 1e-5, is scikit-learn's for
//! L1 penalties. The mean is exact and rounded once; the median is the quantile of type 7, which
//! of an even number with a and b in the middle is b − (b − a) / 2. NumPy's (a + b) / 2 may be one
//! unit in the last place away.
//!
//! # Errors
//! A model without one weight per column or for another task, a negative threshold, or what the
//! model refuses.
//!
//! # Example
//! Coefficients 0 and −2 with threshold 0.5: the first column is dropped.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math::{self, ExactSum, QuantileType};
use crate::models::{
    ElasticNetParams, LinearRegressionParams, LogisticRegressionParams, ModelParams,
};
use crate::step::{Example, FitContext, FitSelector, Selection};

/// The model and the threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectByCoefficientParams {
    /// The linear model whose weights judge the columns.
    pub estimator: ModelParams,
    /// What the absolute weights are compared with.
    pub rule: ThresholdRule,
    /// The smallest absolute weight of a column that is kept, at least 0; used by rule "value"
    /// only.
    pub threshold: f64,
}

/// What the absolute weights are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdRule {
    /// The param `threshold`.
    #[default]
    Value,
    /// Their mean.
    Mean,
    /// Their median.
    Median,
}

impl Default for SelectByCoefficientParams {
    fn default() -> Self {
        SelectByCoefficientParams {
            estimator: LinearRegressionParams::default().into(),
            rule: ThresholdRule::Value,
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
            format!("expected `threshold` of at least 0, found {found}"),
        ))
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn select(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Selection> {
        let kind = self.estimator.kind();
        if !self.estimator.tasks().contains(&ctx.task) {
            let task = format!("{:?}", ctx.task).to_lowercase();
            let message = format!("expected an estimator for a {task} target, found `{kind}`");
            return Err(Error::new(Code::BadTarget, message).remedy("choose another `estimator`"));
        }
        let model = self.estimator.fit(rows, ctx)?;
        let Some(weights) = model.coefficients() else {
            let message = format!("expected a model with one weight per column, found `{kind}`");
            return Err(Error::new(Code::BadParameter, message).remedy("choose a linear model"));
        };
        let sizes: Vec<f64> = weights.iter().map(|w| w.abs()).collect();
        let threshold = self.threshold_of(&sizes);
        Ok(Selection {
            kept: sizes.iter().map(|size| *size >= threshold).collect(),
            scores: weights.to_vec(),
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let large = SelectByCoefficientParams { threshold: 10.0, ..Default::default() };
        let lasso = ElasticNetParams { alpha: 20.0, l1_ratio: 1.0, ..Default::default() };
        let lasso = SelectByCoefficientParams { estimator: lasso.into(), ..Default::default() };
        let binary = SelectByCoefficientParams {
            estimator: LogisticRegressionParams::default().into(),
            rule: ThresholdRule::Median,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, large),
            Example::on(COMPLETE_COLUMNS, lasso),
            Example::on(COMPLETE_COLUMNS, binary),
        ]
    }
}

impl SelectByCoefficientParams {
    fn threshold_of(&self, sizes: &[f64]) -> f64 {
        match self.rule {
            ThresholdRule::Value => self.threshold,
            ThresholdRule::Mean => {
                let mut total = ExactSum::new();
                total.add_slice(sizes);
                math::mean(&total, sizes.len() as u64)
            }
            ThresholdRule::Median => {
                let order = math::argsort(sizes);
                let sorted: Vec<f64> = order.iter().map(|&i| sizes[i as usize]).collect();
                math::quantile_sorted(&sorted, 0.5, QuantileType::default()).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::config::Task;
    use crate::rng::Seed;
    use crate::step::Transform;
    use crate::testing::{nums, table_with_target};

    /// y = 0 a − 2 b + 4 c over independent columns, and text that is nobody's business.
    fn select(params: &SelectByCoefficientParams, task: Task) -> Result<Selection> {
        params.validate()?;
        let a = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let b = [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0];
        let c = [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0];
        let y: Vec<f64> = match task {
            Task::Regression => b.iter().zip(c).map(|(b, c)| 4.0 * c - 2.0 * b).collect(),
            _ => vec![0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
        };
        let table = table_with_target(&[("a", nums(&a)), ("b", nums(&b)), ("c", nums(&c))], &y);
        let schema = std::sync::Arc::clone(table.schema());
        let ctx = FitContext::new("select", Seed(7), task, &schema, &[0, 1, 2]);
        let selection = params.select(&MemoryRows::from_batch(table.clone()), &ctx)?;
        let output = selection.output(&schema, &[0, 1, 2])?;
        let kept: Vec<&str> = output.names().collect();
        assert_eq!(kept.len(), selection.kept.iter().filter(|k| **k).count());
        Ok(selection)
    }

    fn with(rule: ThresholdRule, threshold: f64) -> SelectByCoefficientParams {
        SelectByCoefficientParams { rule, threshold, ..Default::default() }
    }

    #[test]
    fn large_weights_stay_and_equality_counts() {
        let found = select(&with(ThresholdRule::Value, 2.0), Task::Regression).unwrap();
        assert_eq!(found.scores, [0.0, -2.0, 4.0]);
        assert_eq!(found.kept, [false, true, true]);
        let all = select(&with(ThresholdRule::Value, 0.0), Task::Regression).unwrap();
        assert_eq!(all.kept, [true; 3]);
    }

    #[test]
    fn mean_and_median_of_the_absolute_weights() {
        // 0, 2, 4: both are 2.
        for rule in [ThresholdRule::Mean, ThresholdRule::Median] {
            let found = select(&with(rule, 1e-5), Task::Regression).unwrap();
            assert_eq!(found.kept, [false, true, true], "{rule:?}");
        }
        let params = with(ThresholdRule::Mean, 0.0);
        assert_eq!(params.threshold_of(&[1.0, 0.0, 8.0, 3.0]), 3.0);
        let params = with(ThresholdRule::Median, 0.0);
        assert_eq!(params.threshold_of(&[1.0, 0.0, 8.0, 3.0]), 2.0);
    }

    #[test]
    fn the_lasso_keeps_what_it_does_not_set_to_zero() {
        // Σ x² = n = 8: b = 2 − alpha and 4 − alpha; alpha = 2.5 leaves c alone.
        let lasso = ElasticNetParams { alpha: 2.5, l1_ratio: 1.0, ..Default::default() };
        let params = SelectByCoefficientParams { estimator: lasso.into(), ..Default::default() };
        let found = select(&params, Task::Regression).unwrap();
        assert_eq!(found.scores, [0.0, 0.0, 1.5]);
        assert_eq!(found.kept, [false, false, true]);
    }

    #[test]
    fn the_estimator_must_do_the_task() {
        let logistic = SelectByCoefficientParams {
            estimator: LogisticRegressionParams::default().into(),
            ..with(ThresholdRule::Mean, 0.0)
        };
        // Class 1 is rare where b is 1 and common where c is 1; a says least.
        let found = select(&logistic, Task::Binary).unwrap();
        assert_eq!(found.kept, [false, true, true]);
        assert_eq!(
            select(&logistic, Task::Regression).unwrap_err().to_string(),
            "expected an estimator for a regression target, found `logistic_regression` \
             (choose another `estimator`)"
        );
        assert!(select(&with(ThresholdRule::Value, 1.0), Task::Binary).is_err());
        assert!(with(ThresholdRule::Value, -1.0).validate().is_err());
        assert!(with(ThresholdRule::Value, f64::NAN).validate().is_err());
    }
}
