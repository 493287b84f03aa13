//! Fits a model and a monotone function from its scores to probabilities that can be trusted.
//!
//! # Method
//! As scikit-learn 1.9.1 `CalibratedClassifierCV` with `ensemble` = false: the rows are dealt into
//! `n_folds` folds; the `estimator` is fitted on all folds but one and scores that one; on these
//! scores of unseen rows the function is fitted; the estimator is fitted again on all rows.
//! `method` = "isotonic": the non-decreasing function of least weighted squares, by pooling
//! adjacent violators in exact integers, linear between the scores and constant outside. "sigmoid":
//! Platt's 1 / (1 + e^−(a z + b)), by Newton's method on his smoothed targets; z is the log-odds of
//! the score, or the score itself if an unseen score is 0 or 1, as those of neighbours and trees
//! can be: they have no log-odds. scikit-learn takes the score of every model without a decision
//! function. Several classes have one function each, and their values are divided by their sum.
//!
//! # Shape
//! The columns that the estimator takes; the score is the probability of class 1, or of each class.
//! Binary and multiclass tasks, as the estimator can. Weights of rows are honoured if the estimator
//! honours them.
//!
//! # Missing
//! As the estimator: what it refuses is refused, and its reason for a row is the row's reason.
//!
//! # Ties and order
//! Rows of one score are one point with their mean target. A score from 0 to 2^-53 from the ends
//! has the log-odds of that distance. Weights count as integers of 62 bits less those of the number
//! of rows. Folds belong to rows, and are not stratified. The estimator draws under the step name
//! `model/0`, without fold f under `model/0/fold f`.
//!
//! # Errors
//! `n_folds` outside 2 to 100, models of models more than 2 deep, a training row that the estimator
//! cannot score, no optimum within 100 Newton steps, or what the estimator refuses.
//!
//! # Example
//! Unseen scores 0.1, 0.4, 0.6, 0.8 with targets 0, 1, 0, 1: the isotonic function is 0, 1/2, 1/2,
//! 1 there.

mod isotonic;
mod sigmoid;

use serde::{Deserialize, Serialize};

use super::combine::{self, Folds, Judged, fit_child};
use super::{AnyModel, GaussianNaiveBayesParams, ModelParams, one_vs_rest};
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, Predict};
use isotonic::Isotonic;
pub(super) use isotonic::whole_weights;
use sigmoid::Sigmoid;

/// The model and the kind of function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibratedParams {
    /// The model whose scores are calibrated.
    pub estimator: Box<ModelParams>,
    /// The kind of function.
    pub method: Calibration,
    /// How many folds, from 2 to 100.
    pub n_folds: u32,
}

/// The kind of function from scores to probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// Platt's logistic function.
    #[default]
    Sigmoid,
    /// Non-decreasing steps joined by lines.
    Isotonic,
}

impl Default for CalibratedParams {
    fn default() -> Self {
        CalibratedParams {
            estimator: Box::new(GaussianNaiveBayesParams::default().into()),
            method: Calibration::Sigmoid,
            n_folds: 5,
        }
    }
}

impl FitModel for CalibratedParams {
    type Fitted = Calibrated;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&[&self.estimator])?;
        combine::validate_folds(self.n_folds)?;
        if !self.tasks().is_empty() {
            return Ok(());
        }
        let kind = self.estimator.kind();
        let message = format!("expected an `estimator` for tasks of classes, found `{kind}`");
        Err(Error::new(Code::BadParameter, message))
    }

    fn depth(&self) -> u32 {
        combine::depth(&[&self.estimator])
    }

    fn tasks(&self) -> &'static [Task] {
        let can = |task: Task| self.estimator.tasks().contains(&task);
        match (can(Task::Binary), can(Task::Multiclass)) {
            (true, true) => &[Task::Binary, Task::Multiclass],
            (true, false) => &[Task::Binary],
            (false, true) => &[Task::Multiclass],
            (false, false) => &[],
        }
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        self.estimator.accepts()
    }

    fn weighs(&self) -> bool {
        self.estimator.weighs()
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Calibrated> {
        let folds = Folds::new(ctx, self.n_folds);
        let unseen = folds.unseen(&self.estimator, rows, ctx, "0")?;
        ctx.progress.at(1, 2);
        let judged = Judged::new(&unseen, rows)?;
        let n_outputs = unseen.n_outputs;
        let mut functions = Vec::new();
        for output in 0..n_outputs {
            let class = if n_outputs == 1 { 1 } else { output };
            let (scores, targets) = judged.of(output, class);
            functions.push(match self.method {
                Calibration::Isotonic => {
                    Function::Isotonic(Isotonic::fit(&scores, &targets, &judged.weights)?)
                }
                Calibration::Sigmoid => {
                    Function::Sigmoid(Sigmoid::fit(&scores, &targets, &judged.weights)?)
                }
            });
        }
        let model = vec![fit_child(&self.estimator, rows, ctx, "0")?];
        Ok(Calibrated { model, functions })
    }

    fn examples() -> Vec<Example<Self>> {
        let steps = CalibratedParams {
            estimator: Box::new(super::KNearestNeighboursParams::default().into()),
            method: Calibration::Isotonic,
            n_folds: 3,
        };
        vec![
            Example::on(COMPLETE_COLUMNS, CalibratedParams::default()),
            Example::on(COMPLETE_COLUMNS, steps),
        ]
    }
}

/// A function from scores to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Function {
    Isotonic(Isotonic),
    Sigmoid(Sigmoid),
}

impl Function {
    fn is_sound(&self) -> bool {
        match self {
            Function::Isotonic(f) => f.is_sound(),
            Function::Sigmoid(f) => f.is_sound(),
        }
    }

    fn facts(&self) -> Vec<(&'static str, f64)> {
        match self {
            Function::Isotonic(f) => vec![("knots of the function", f.n_knots() as f64)],
            Function::Sigmoid(f) => {
                let (slope, offset) = f.line();
                vec![("slope of the function", slope), ("offset of the function", offset)]
            }
        }
    }

    fn of(&self, score: f64) -> f64 {
        match self {
            Function::Isotonic(f) => f.of(score),
            Function::Sigmoid(f) => f.of(score),
        }
    }
}

/// The model and a function per score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrated {
    /// Exactly one; a list, because a model cannot hold itself.
    model: Vec<AnyModel>,
    functions: Vec<Function>,
}

impl Predict for Calibrated {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        let ([model], true) =
            (self.model.as_slice(), self.functions.iter().all(Function::is_sound))
        else {
            let message = "expected a model and functions of its scores, found another state";
            return Err(Error::new(Code::Malformed, message));
        };
        if self.functions.is_empty() {
            return Err(Error::new(Code::Malformed, "expected a function per score, found none"));
        }
        combine::check_child(model, features, self.functions.len())
    }

    fn n_outputs(&self) -> usize {
        Ord::max(self.functions.len(), 1)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let Some(model) = self.model.first() else { return Ok(()) };
        model.predict(batch, slots, scores)?;
        let n_outputs = self.n_outputs();
        for scores in scores.chunks_mut(n_outputs) {
            for (score, function) in scores.iter_mut().zip(&self.functions) {
                *score = function.of(*score);
            }
            if n_outputs > 1 {
                one_vs_rest::normalise(scores);
            }
        }
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let [function] = self.functions.as_slice() else { return Vec::new() };
        let facts = function.facts().into_iter();
        facts.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn class_facts(&self) -> Vec<(&'static str, Vec<f64>)> {
        if self.functions.len() < 2 {
            return Vec::new();
        }
        let mut facts: Vec<(&str, Vec<f64>)> = Vec::new();
        for function in &self.functions {
            for (place, (name, value)) in function.facts().into_iter().enumerate() {
                match facts.get_mut(place) {
                    Some((_, values)) => values.push(value),
                    None => facts.push((name, vec![value])),
                }
            }
        }
        facts
    }

    fn warnings(&self) -> Vec<String> {
        self.model.iter().flat_map(AnyModel::warnings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, regression};
    use crate::models::{LinearRegressionParams, LogisticRegressionParams, VotingParams};

    fn table() -> Batch {
        let x: Vec<f64> = (0..80).map(f64::from).collect();
        let y: Vec<f64> = (0..80).map(|i| f64::from(u8::from(i * 37 % 80 < i))).collect();
        regression(&[&x], &y)
    }

    #[test]
    fn calibrated_scores_have_the_order_of_the_model_and_the_mean_of_the_target() {
        let t = table();
        for method in [Calibration::Sigmoid, Calibration::Isotonic] {
            let estimator = Box::new(LogisticRegressionParams::default().into());
            let params = CalibratedParams { estimator, method, n_folds: 4 };
            let model = fit_model(&params, &t).unwrap();
            let mut scores = vec![0.0; 80];
            model.predict(&mut t.clone(), &[0], &mut scores).unwrap();
            assert!(scores.windows(2).all(|pair| pair[0] <= pair[1]), "{scores:?}");
            assert!(scores.iter().all(|p| (0.0..=1.0).contains(p)));
            assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
            let none = Calibrated { functions: Vec::new(), ..model.clone() };
            assert!(none.check(&features(1)).is_err());
        }
    }

    #[test]
    fn the_estimator_must_know_classes() {
        let linear = LinearRegressionParams::default();
        let params = CalibratedParams { estimator: Box::new(linear.into()), ..Default::default() };
        assert!(params.validate().is_err());
        let voting = CalibratedParams {
            estimator: Box::new(VotingParams::default().into()),
            ..Default::default()
        };
        let both = [Task::Binary, Task::Multiclass];
        assert_eq!((voting.validate().is_ok(), voting.tasks()), (true, &both[..]));
    }
}
