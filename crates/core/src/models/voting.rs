//! Scores a row by the mean of the scores of several models.
//!
//! # Method
//! As scikit-learn 1.9.1 `VotingRegressor`, and `VotingClassifier` with `voting` = "soft": each of
//! the `estimators` is fitted on all rows; the score is the mean of their predictions or
//! probabilities, by `weights` if there are any.
//!
//! # Shape
//! The columns that every estimator takes; the tasks that every estimator can do. Weights of rows
//! are honoured if every estimator honours them.
//!
//! # Missing
//! As the estimators: what one refuses is refused, and the first reason for a row is the row's
//! reason.
//!
//! # Ties and order
//! Scores times weights are added in the order of the estimators, then divided by the sum of the
//! weights. Estimator i, from 0, draws under the step name `model/i`.
//!
//! # Errors
//! No estimator, models of models more than 2 deep, not one weight above 0 per estimator, or what
//! an estimator refuses; it is named.
//!
//! # Example
//! Scores 0.2 and 0.8 with weights 1 and 3: (0.2 + 2.4) / 4 = 0.65.

use serde::{Deserialize, Serialize};

use super::combine::{self, fit_child};
use super::{AnyModel, GaussianNaiveBayesParams, LogisticRegressionParams, ModelParams, ranges};
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The models and what each counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VotingParams {
    /// The models.
    pub estimators: Vec<ModelParams>,
    /// What each counts, above 0; none means that all count the same.
    pub weights: Vec<f64>,
}

impl Default for VotingParams {
    fn default() -> Self {
        let estimators = vec![
            LogisticRegressionParams::default().into(),
            GaussianNaiveBayesParams::default().into(),
        ];
        VotingParams { estimators, weights: Vec::new() }
    }
}

impl VotingParams {
    fn all(&self) -> Vec<&ModelParams> {
        self.estimators.iter().collect()
    }
}

impl FitModel for VotingParams {
    type Fitted = Voting;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&self.all())?;
        let (n_models, n_weights) = (self.estimators.len(), self.weights.len());
        if n_weights != 0 && n_weights != n_models {
            let message = format!("expected `weights` for {n_models} models, found {n_weights}");
            return Err(Error::new(Code::BadParameter, message));
        }
        self.weights.iter().try_for_each(|weight| ranges::above_zero("weights", *weight))
    }

    fn depth(&self) -> u32 {
        combine::depth(&self.all())
    }

    fn tasks(&self) -> &'static [Task] {
        combine::tasks(&self.all())
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        combine::accepts(&self.all())
    }

    fn weighs(&self) -> bool {
        self.estimators.iter().all(ModelParams::weighs)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Voting> {
        let mut models = Vec::new();
        for (i, estimator) in self.estimators.iter().enumerate() {
            models.push(fit_child(estimator, rows, ctx, &i.to_string())?);
            ctx.progress.at(i as u64 + 1, self.estimators.len() as u64);
        }
        let weights = match self.weights.as_slice() {
            [] => vec![1.0; models.len()],
            weights => weights.to_vec(),
        };
        Ok(Voting { models, weights })
    }

    fn examples() -> Vec<Example<Self>> {
        let mean = VotingParams {
            estimators: vec![
                super::LinearRegressionParams::default().into(),
                super::KNearestNeighboursParams::default().into(),
            ],
            weights: vec![1.0, 0.5],
        };
        let bag = super::BaggingParams { n_estimators: 2, ..Default::default() };
        let bags = VotingParams {
            estimators: vec![bag.into(), super::LinearRegressionParams::default().into()],
            weights: Vec::new(),
        };
        vec![
            Example::on(COMPLETE_COLUMNS, VotingParams::default()),
            Example::on(COMPLETE_COLUMNS, mean),
            Example::on(&["area", "rooms"], bags),
        ]
    }
}

/// The models with their weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voting {
    models: Vec<AnyModel>,
    weights: Vec<f64>,
}

impl Predict for Voting {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        let n_outputs = self.n_outputs();
        let is_sound = self.weights.iter().all(|w| *w > 0.0 && w.is_finite())
            && self.weights.len() == self.models.len()
            && !self.models.is_empty();
        if !is_sound {
            let message = "expected models with a weight above 0 each, found another state";
            return Err(Error::new(Code::Malformed, message));
        }
        self.models.iter().try_for_each(|m| combine::check_child(m, features, n_outputs))
    }

    fn n_outputs(&self) -> usize {
        self.models.first().map_or(1, AnyModel::n_outputs)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        scores.fill(0.0);
        for (model, weight) in self.models.iter().zip(&self.weights) {
            combine::add_scores(model, batch, slots, *weight, scores)?;
        }
        let total = math::sum_in_order(self.weights.iter().copied());
        scores.iter_mut().for_each(|score| *score /= total);
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        self.models.iter().flat_map(AnyModel::warnings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, regression};
    use crate::models::{KNearestNeighboursParams, LinearRegressionParams};

    #[test]
    fn the_mean_is_weighted() {
        // The line gives 1, 3, 5 back; the nearest of all three rows gives their mean, 3.
        let t = regression(&[&[0.0, 1.0, 2.0]], &[1.0, 3.0, 5.0]);
        let all = KNearestNeighboursParams { n_neighbors: 3, ..Default::default() };
        let params = VotingParams {
            estimators: vec![LinearRegressionParams::default().into(), all.into()],
            weights: vec![1.0, 3.0],
        };
        assert_eq!(params.tasks(), [Task::Regression]);
        let model = fit_model(&params, &t).unwrap();
        let mut scores = [0.0; 3];
        model.predict(&mut t.clone(), &[0], &mut scores).unwrap();
        assert_eq!(scores, [2.5, 3.0, 3.5]);
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        let fewer = Voting { weights: vec![1.0], ..model };
        assert!(fewer.check(&features(1)).is_err());
    }

    #[test]
    fn params_out_of_range_are_refused() {
        let none = VotingParams { estimators: Vec::new(), ..Default::default() };
        let short = VotingParams { weights: vec![1.0], ..Default::default() };
        let zero = VotingParams { weights: vec![1.0, 0.0], ..Default::default() };
        for params in [none, short, zero] {
            assert!(params.validate().is_err());
        }
        let bad = LinearRegressionParams { alpha: -1.0, ..Default::default() };
        let bad = VotingParams { estimators: vec![bad.into()], ..Default::default() };
        assert_eq!(
            bad.validate().unwrap_err().to_string(),
            "in estimator, `linear_regression`: expected `alpha` of at least 0, found -1"
        );
    }
}
