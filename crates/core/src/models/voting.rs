//! Scores a row by the mean of the scores of several models, or by the class that most of them say.
//!
//! # Method
//! As scikit-learn 1.9.1 `VotingRegressor` and `VotingClassifier`: each of the `estimators` is
//! fitted on all rows. With `voting` = "soft" the score is the mean of their predictions or
//! probabilities, by `weights` if there are any. With "hard" each estimator gives its weight to the
//! class that it says: of two classes 1 from its threshold on, 0.5 where it has chosen none, else
//! the most probable one. The class with the most has the score 1, every other one 0.
//!
//! # Shape
//! The columns that every estimator takes; the tasks that every estimator can do, with "hard" those
//! of classes. Weights of rows are honoured if every estimator honours them.
//!
//! # Missing
//! As the estimators: what one refuses is refused, and the first reason for a row is the row's
//! reason.
//!
//! # Ties and order
//! Scores times weights are added in the order of the estimators, then divided by the sum of the
//! weights. Of equally probable classes an estimator says the lower one, and of classes with equal
//! votes the lower one wins. Estimator i, from 0, draws under the step name `model/i`.
//!
//! # Errors
//! No estimator, "hard" for a regression, models of models more than 2 deep, not one weight above 0
//! per estimator, or what an estimator refuses; it is named.
//!
//! # Example
//! Scores 0.2 and 0.8 with weights 1 and 3: (0.2 + 2.4) / 4 = 0.65; "hard": 3 votes to 1 for class
//! 1.

use serde::{Deserialize, Serialize};

use super::combine::{self, fit_child};
use super::{AnyModel, GaussianNaiveBayesParams, LogisticRegressionParams, ModelParams, ranges};
use crate::aggregate::Rows;
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict, TargetLoss};

/// From this score on a model says class 1, unless it has chosen another.
const THRESHOLD: f64 = 0.5;

/// The models and what each counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VotingParams {
    /// The models.
    pub estimators: Vec<ModelParams>,
    /// What each counts, above 0; none means that all count the same.
    pub weights: Vec<f64>,
    /// What is added up. Left out of the stored form where it is "soft".
    #[serde(skip_serializing_if = "is_soft")]
    pub voting: Vote,
}

/// What is added up of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// Their scores.
    #[default]
    Soft,
    /// One vote each for a class.
    Hard,
}

fn is_soft(vote: &Vote) -> bool {
    *vote == Vote::Soft
}

impl Default for VotingParams {
    fn default() -> Self {
        let estimators = vec![
            LogisticRegressionParams::default().into(),
            GaussianNaiveBayesParams::default().into(),
        ];
        VotingParams { estimators, weights: Vec::new(), voting: Vote::Soft }
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
        let all = combine::tasks(&self.all());
        match self.voting {
            Vote::Soft => all,
            // Numbers are no candidates. In front of the classes, where they are.
            Vote::Hard => all.strip_prefix(&[Task::Regression]).unwrap_or(all),
        }
    }

    fn task_reason(&self) -> String {
        match self.voting {
            Vote::Soft => String::new(),
            Vote::Hard => " with `voting` = \"hard\"".to_owned(),
        }
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        combine::accepts(&self.all())
    }

    fn weighs(&self) -> bool {
        self.estimators.iter().all(ModelParams::weighs)
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        let mut losses = self.estimators.iter().map(ModelParams::target_loss);
        let first = losses.next().flatten();
        if losses.all(|loss| loss == first) { first } else { None }
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
        Ok(Voting { models, weights, vote: self.voting })
    }

    fn examples() -> Vec<Example<Self>> {
        let mean = VotingParams {
            estimators: vec![
                super::LinearRegressionParams::default().into(),
                super::KNearestNeighboursParams::default().into(),
            ],
            weights: vec![1.0, 0.5],
            ..Default::default()
        };
        let bag = super::BaggingParams { n_estimators: 2, ..Default::default() };
        let bags = VotingParams {
            estimators: vec![bag.into(), super::LinearRegressionParams::default().into()],
            ..Default::default()
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
    #[serde(default, skip_serializing_if = "is_soft")]
    vote: Vote,
}

impl Voting {
    /// Adds what each model gives to each class, and settles the vote.
    fn count(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_outputs = self.n_outputs();
        let mut own = batch.take_num();
        own.resize(scores.len(), 0.0);
        for (model, weight) in self.models.iter().zip(&self.weights) {
            model.predict(batch, slots, &mut own)?;
            let threshold = model.threshold().unwrap_or(THRESHOLD);
            for (votes, own) in scores.chunks_exact_mut(n_outputs).zip(own.chunks(n_outputs)) {
                match own {
                    // Of two classes what is above 0 is for class 1.
                    [p] => votes[0] += if *p >= threshold { *weight } else { -weight },
                    several => votes[highest(several)] += weight,
                }
            }
        }
        batch.give(Column::Num(own));
        for votes in scores.chunks_exact_mut(n_outputs) {
            match votes {
                [balance] => *balance = f64::from(u8::from(*balance > 0.0)),
                several => {
                    let winner = highest(several);
                    several.fill(0.0);
                    several[winner] = 1.0;
                }
            }
        }
        Ok(())
    }
}

/// The place of the largest value, the first one of equals.
fn highest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
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
        if self.vote == Vote::Hard {
            return self.count(batch, slots, scores);
        }
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
    use crate::config::Config;
    use crate::models::tests::{bytes, features, fit_as, fit_model, regression};
    use crate::models::{DecisionTreeParams, KNearestNeighboursParams, LinearRegressionParams};

    #[test]
    fn the_mean_is_weighted() {
        // The line gives 1, 3, 5 back; the nearest of all three rows gives their mean, 3.
        let t = regression(&[&[0.0, 1.0, 2.0]], &[1.0, 3.0, 5.0]);
        let all = KNearestNeighboursParams { n_neighbors: 3, ..Default::default() };
        let params = VotingParams {
            estimators: vec![LinearRegressionParams::default().into(), all.into()],
            weights: vec![1.0, 3.0],
            ..Default::default()
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

    /// A tree that says class 1 from `cut` on, or before it.
    fn stump(cut: f64, is_above: bool) -> AnyModel {
        let x: Vec<f64> = [-0.5, 0.5].map(|off| cut + off).to_vec();
        let y = [f64::from(u8::from(!is_above)), f64::from(u8::from(is_above))];
        let tree = fit_as(&DecisionTreeParams::default(), &regression(&[&x], &y), Task::Binary);
        AnyModel::DecisionTreeParams(tree.unwrap())
    }

    #[test]
    fn votes_are_counted_by_hand() {
        // At 0, 1, 2 and 3: models for class 1 from 1 on, from 2 on, and before 3.
        let t = regression(&[&[0.0, 1.0, 2.0, 3.0]], &[0.0, 1.0, 1.0, 0.0]);
        let models = vec![stump(0.5, true), stump(1.5, true), stump(2.5, false)];
        let of = |weights: &[f64]| {
            let weights = weights.to_vec();
            let voting = Voting { models: models.clone(), weights, vote: Vote::Hard };
            let mut scores = [7.0; 4];
            voting.predict(&mut t.clone(), &[0], &mut scores).unwrap();
            scores
        };
        assert_eq!(of(&[1.0, 1.0, 1.0]), [0.0, 1.0, 1.0, 1.0]);
        // At 0 and at 3 the last one has as much as both others: the lower class wins.
        assert_eq!(of(&[1.0, 1.0, 2.0]), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(of(&[1.0, 1.0, 3.0]), [1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn of_several_classes_the_lower_one_wins_a_tie() {
        let t = regression(&[&[0.0, 1.0, 2.0, 0.0, 1.0, 2.0]], &[0.0, 1.0, 2.0, 2.0, 1.0, 0.0]);
        let first = regression(&[&[0.0, 1.0, 2.0]], &[0.0, 1.0, 2.0]);
        let other = regression(&[&[0.0, 1.0, 2.0]], &[2.0, 1.0, 0.0]);
        let tree = |t: &Batch| {
            let tree = fit_as(&DecisionTreeParams::default(), t, Task::Multiclass).unwrap();
            AnyModel::DecisionTreeParams(tree)
        };
        let models = vec![tree(&other), tree(&first)];
        for (weights, expected) in [
            (vec![1.0, 1.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
            (vec![1.0, 2.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
            (vec![2.0, 1.0], [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
        ] {
            let voting = Voting { models: models.clone(), weights, vote: Vote::Hard };
            let mut scores = [7.0; 9];
            voting.predict(&mut first.clone(), &[0], &mut scores).unwrap();
            assert_eq!(scores, expected);
        }
        let params = VotingParams {
            estimators: vec![DecisionTreeParams::default().into()],
            voting: Vote::Hard,
            ..Default::default()
        };
        let fitted = fit_as(&params, &t, Task::Multiclass).unwrap();
        // Classes 0 and 2 share the ends evenly: the lower one.
        let mut scores = [7.0; 18];
        fitted.predict(&mut t.clone(), &[0], &mut scores).unwrap();
        assert_eq!(scores[..9], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn numbers_cannot_be_voted_on_and_soft_is_stored_as_ever() {
        let model = VotingParams {
            estimators: vec![DecisionTreeParams::default().into()],
            voting: Vote::Hard,
            ..Default::default()
        };
        assert_eq!(model.tasks(), [Task::Binary, Task::Multiclass]);
        let config =
            Config::new("y", Task::Regression, model.clone()).columns(ColumnKind::Num, &["x", "y"]);
        let said = config.validate().unwrap_err().to_string();
        assert!(said.contains("expected task binary or multiclass for `voting` with"), "{said}");
        let soft = VotingParams { voting: Vote::Soft, ..model.clone() };
        let key = b"voting";
        let holds = |params: &VotingParams| bytes(params).windows(6).any(|part| part == key);
        assert!(holds(&model) && !holds(&soft));
        let lines = VotingParams {
            estimators: vec![LinearRegressionParams::default().into()],
            voting: Vote::Hard,
            ..Default::default()
        };
        let config =
            Config::new("y", Task::Regression, lines).columns(ColumnKind::Num, &["x", "y"]);
        assert!(config.validate().is_err());
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
