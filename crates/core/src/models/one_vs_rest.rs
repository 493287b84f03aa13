//! Fits the probability of each of several classes by one binary model per class.
//!
//! # Method
//! As scikit-learn 1.9.1 `OneVsRestClassifier`: for each class the `estimator` is fitted on the
//! same rows with the target 1 for this class and 0 for every other, which are also the labels
//! of its `class_weight`. A row's probabilities are the
//! scores of these models, each divided by their sum.
//!
//! # Shape
//! The columns that the estimator takes; the scores are the probabilities of the classes.
//! Multiclass tasks only; the estimator must do binary ones. Weights of rows are honoured if the
//! estimator honours them.
//!
//! # Missing
//! As the estimator: what it refuses is refused, and its reason for a row is the row's reason.
//!
//! # Ties and order
//! The sum is in the order of the classes. If every model says 0, all classes have the same
//! probability. The model of class c draws under the step name `model/c`.
//!
//! # Errors
//! An estimator that cannot do binary tasks, models of models more than 2 deep, or what the
//! estimator refuses, as a class without rows; the class is named.
//!
//! # Example
//! Three classes with the scores 0.5, 0.25 and 0.5: the probabilities are 0.4, 0.2 and 0.4.

use serde::{Deserialize, Serialize};

use super::combine::{self, fit_child};
use super::{AnyModel, LogisticRegressionParams, ModelParams};
use crate::aggregate::{Rows, Subset};
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::config::{Labels, Task};
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The model of each class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneVsRestParams {
    /// The binary model that is fitted once per class.
    pub estimator: Box<ModelParams>,
}

impl Default for OneVsRestParams {
    fn default() -> Self {
        OneVsRestParams { estimator: Box::new(LogisticRegressionParams::default().into()) }
    }
}

impl FitModel for OneVsRestParams {
    type Fitted = OneVsRest;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&[&self.estimator])?;
        if self.estimator.tasks().contains(&Task::Binary) {
            return Ok(());
        }
        let kind = self.estimator.kind();
        let message = format!("expected an `estimator` for binary tasks, found `{kind}`");
        Err(Error::new(Code::BadParameter, message))
    }

    fn depth(&self) -> u32 {
        combine::depth(&[&self.estimator])
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Multiclass]
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        self.estimator.accepts()
    }

    fn weighs(&self) -> bool {
        self.estimator.weighs()
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<OneVsRest> {
        let mut models = Vec::new();
        let labels = Labels::Numbers;
        let binary = FitContext { task: Task::Binary, n_classes: 2, labels, ..*ctx };
        for class in 0..ctx.n_classes {
            let is_class = move |y: f64| f64::from(u8::from(y == f64::from(class)));
            let rows = Subset::retargeted(rows, is_class);
            models.push(fit_child(&self.estimator, &rows, &binary, &class.to_string())?);
            ctx.progress.at(u64::from(class) + 1, u64::from(ctx.n_classes));
        }
        Ok(OneVsRest { models })
    }

    fn examples() -> Vec<Example<Self>> {
        let counts = super::BernoulliNaiveBayesParams { binarize: 3.0, ..Default::default() };
        let counts = OneVsRestParams { estimator: Box::new(counts.into()) };
        let bags = super::BaggingParams {
            estimator: Box::new(super::GaussianNaiveBayesParams::default().into()),
            n_estimators: 2,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, OneVsRestParams::default()),
            Example::on(&["count", "rooms"], counts),
            Example::on(&["area", "rooms"], OneVsRestParams { estimator: Box::new(bags.into()) }),
        ]
    }
}

/// One model per class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneVsRest {
    models: Vec<AnyModel>,
}

impl Predict for OneVsRest {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        if self.models.len() < 2 {
            let message = format!("expected a model per class, found {}", self.models.len());
            return Err(Error::new(Code::Malformed, message));
        }
        self.models.iter().try_for_each(|model| combine::check_child(model, features, 1))
    }

    fn n_outputs(&self) -> usize {
        self.models.len()
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_classes = self.models.len();
        let mut own = batch.take_num();
        own.resize(batch.n_rows(), 0.0);
        for (class, model) in self.models.iter().enumerate() {
            model.predict(batch, slots, &mut own)?;
            for (scores, score) in scores.chunks_mut(n_classes).zip(&own) {
                scores[class] = *score;
            }
        }
        batch.give(Column::Num(own));
        scores.chunks_mut(n_classes).for_each(normalise);
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        self.models.iter().flat_map(AnyModel::warnings).collect()
    }
}

/// Divides by the sum in order; without one all are alike.
pub(super) fn normalise(scores: &mut [f64]) {
    let total = crate::math::sum_in_order(scores.iter().copied());
    let n = scores.len() as f64;
    scores.iter_mut().for_each(|p| *p = if total == 0.0 { 1.0 / n } else { *p / total });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::models::tests::{features, regression};
    use crate::models::{ElasticNetParams, GaussianNaiveBayesParams};
    use crate::rng::Seed;

    fn fit(params: &OneVsRestParams, t: &Batch) -> Result<OneVsRest> {
        params.validate()?;
        let schema = std::sync::Arc::clone(t.schema());
        let ctx = FitContext::new("model", Seed(7), Task::Multiclass, &schema, &[0]).classes(3);
        params.fit(&MemoryRows::from_batch(t.clone()), &ctx)
    }

    fn of(estimator: impl Into<ModelParams>) -> OneVsRestParams {
        OneVsRestParams { estimator: Box::new(estimator.into()) }
    }

    #[test]
    fn probabilities_are_shares_of_the_scores() {
        let mut scores = [0.5, 0.25, 0.5];
        normalise(&mut scores);
        assert_eq!(scores, [0.4, 0.2, 0.4]);
        let mut none = [0.0; 4];
        normalise(&mut none);
        assert_eq!(none, [0.25; 4]);
    }

    #[test]
    fn each_class_has_the_model_of_its_own_target() {
        let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let t = regression(&[&x], &[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
        let found = fit(&of(GaussianNaiveBayesParams::default()), &t).unwrap();
        let alone = regression(&[&x], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        let binary = GaussianNaiveBayesParams::default();
        let binary = crate::models::tests::fit_model(&binary, &alone).unwrap();
        assert_eq!(found.models[1], AnyModel::GaussianNaiveBayesParams(binary));
        let mut scores = [0.0; 18];
        found.predict(&mut t.clone(), &[0], &mut scores).unwrap();
        for (row, scores) in scores.chunks(3).enumerate() {
            let best = (0..3).max_by_key(|&class| crate::math::order_key(scores[class]));
            assert_eq!(best, Some(row / 2), "{scores:?}");
        }
        assert!(found.check(&features(1)).is_ok() && found.check(&features(2)).is_err());
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let t = regression(&[&[0.0, 1.0, 2.0]], &[0.0, 1.0, 1.0]);
        assert_eq!(
            fit(&OneVsRestParams::default(), &t).unwrap_err().to_string(),
            "in 2, `logistic_regression`: expected rows of two classes, found one"
        );
        assert!(of(ElasticNetParams::default()).validate().is_err());
        assert!(of(of(OneVsRestParams::default())).validate().is_err());
    }
}
