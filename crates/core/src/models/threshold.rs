//! Fits a binary model and the threshold of its scores at which errors cost least.
//!
//! # Method
//! Like scikit-learn 1.9.1 `TunedThresholdClassifierCV` with a metric of costs: the rows are dealt
//! into `n_folds` folds; the `estimator` is fitted on all folds but one and scores that one; of all
//! thresholds of these scores of unseen rows the one is chosen at which `cost_false_positive` times
//! the weight of rows wrongly taken for class 1 plus `cost_false_negative` times that of rows
//! wrongly taken for class 0 is least. The estimator is fitted again on all rows.
//!
//! # Shape
//! The columns that the estimator takes; the score stays the probability of class 1. Threshold and
//! cost are facts of the model: whoever decides takes a row for class 1 if its score is at least
//! the threshold. Binary tasks only. Weights of rows are honoured if the estimator honours them.
//!
//! # Missing
//! As the estimator: what it refuses is refused, and its reason for a row is the row's reason.
//!
//! # Ties and order
//! A threshold lies halfway between two neighbouring scores, rounded; below all scores it is 0,
//! above all 1, or if there is a score of 1 the next larger number. Of equal costs the threshold
//! nearest to 1/2 is chosen, of two at one distance the higher. Weights count as integers of 62
//! bits less those of the number of rows. The estimator draws under the step name `model/0`,
//! without fold f under `model/0/fold f`.
//!
//! # Errors
//! Costs that are negative or both 0, `n_folds` outside 2 to 100, an estimator that cannot do
//! binary tasks, models of models more than 2 deep, a training row that the estimator cannot score,
//! or what the estimator refuses.
//!
//! # Example
//! Unseen scores 0.1, 0.4, 0.6, 0.8 with targets 0, 1, 0, 1. If both errors cost 1, the thresholds
//! 0.25 and 0.7 cost 1 each; 0.7 is nearer to 1/2. If missing a class 1 costs 5, it is 0.25.

use serde::{Deserialize, Serialize};

use super::calibrated::whole_weights;
use super::combine::{self, Folds, Judged, fit_child};
use super::{AnyModel, LogisticRegressionParams, ModelParams, ranges};
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Output, Predict};

/// The model and what errors cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThresholdParams {
    /// The model that scores.
    pub estimator: Box<ModelParams>,
    /// What a row of class 0 costs that is taken for class 1, from 0 to 1e100.
    pub cost_false_positive: f64,
    /// What a row of class 1 costs that is taken for class 0, from 0 to 1e100.
    pub cost_false_negative: f64,
    /// How many folds, from 2 to 100.
    pub n_folds: u32,
}

impl Default for ThresholdParams {
    fn default() -> Self {
        ThresholdParams {
            estimator: Box::new(LogisticRegressionParams::default().into()),
            cost_false_positive: 1.0,
            cost_false_negative: 1.0,
            n_folds: 5,
        }
    }
}

impl FitModel for ThresholdParams {
    type Fitted = Threshold;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&[&self.estimator])?;
        combine::validate_folds(self.n_folds)?;
        ranges::moderate_at_least_zero("cost_false_positive", self.cost_false_positive)?;
        ranges::moderate_at_least_zero("cost_false_negative", self.cost_false_negative)?;
        if self.cost_false_positive == 0.0 && self.cost_false_negative == 0.0 {
            let message = "expected a cost above 0, found two of 0";
            return Err(Error::new(Code::BadParameter, message));
        }
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
        &[Task::Binary]
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        self.estimator.accepts()
    }

    fn weighs(&self) -> bool {
        self.estimator.weighs()
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Threshold> {
        let folds = Folds::new(ctx, self.n_folds);
        let unseen = folds.unseen(&self.estimator, rows, ctx, "0")?;
        ctx.progress.at(1, 2);
        let judged = Judged::new(&unseen, rows)?;
        let (scores, targets) = judged.of(0, 1);
        let (threshold, cost) = self.choose(&scores, &targets, &judged.weights);
        let model = vec![fit_child(&self.estimator, rows, ctx, "0")?];
        Ok(Threshold { model, threshold, cost })
    }

    fn examples() -> Vec<Example<Self>> {
        let dear = ThresholdParams {
            estimator: Box::new(super::GaussianNaiveBayesParams::default().into()),
            cost_false_negative: 5.0,
            n_folds: 3,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, ThresholdParams::default()),
            Example::on(COMPLETE_COLUMNS, dear),
        ]
    }
}

impl ThresholdParams {
    /// The best threshold, and its cost per unit of weight.
    fn choose(&self, scores: &[f64], targets: &[f64], weights: &[f64]) -> (f64, f64) {
        let weights = whole_weights(weights);
        let order = math::argsort(scores);
        let is_positive = |row: u32| targets[row as usize] > 0.0;
        let weight = |row: u32| i128::from(weights[row as usize]);
        // Below all scores, every row is taken for class 1.
        let mut false_positive =
            order.iter().filter(|row| !is_positive(**row)).map(|row| weight(*row)).sum::<i128>();
        let mut false_negative: i128 = 0;
        let total = order.iter().map(|row| weight(*row)).sum::<i128>();
        let mut best = (self.cost(false_positive, false_negative), 0.0);
        for (place, &row) in order.iter().enumerate() {
            match is_positive(row) {
                true => false_negative += weight(row),
                false => false_positive -= weight(row),
            }
            let score = scores[row as usize];
            let next = order.get(place + 1).map(|&next| scores[next as usize]);
            if next == Some(score) {
                continue;
            }
            let candidate = (self.cost(false_positive, false_negative), between(score, next));
            if is_better(candidate, best) {
                best = candidate;
            }
        }
        let total = if total > 0 { total as f64 } else { 1.0 };
        (math::canonical(best.1), math::canonical(best.0 / total))
    }

    fn cost(&self, false_positive: i128, false_negative: i128) -> f64 {
        let wrong = self.cost_false_positive * false_positive as f64;
        wrong + self.cost_false_negative * false_negative as f64
    }
}

/// A threshold above `score` and not above the `next` one.
fn between(score: f64, next: Option<f64>) -> f64 {
    match next {
        Some(next) => {
            let middle = score / 2.0 + next / 2.0;
            if middle > score && middle <= next { middle } else { next }
        }
        None if score < 1.0 => 1.0,
        None => 1.0 + f64::EPSILON,
    }
}

/// Lower cost; of equal ones nearer to 1/2, then higher.
fn is_better((cost, threshold): (f64, f64), (least, chosen): (f64, f64)) -> bool {
    let (distance, other) = ((threshold - 0.5).abs(), (chosen - 0.5).abs());
    cost < least
        || (cost == least && (distance < other || (distance == other && threshold > chosen)))
}

/// The model, the threshold and its cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Exactly one; a list, because a model cannot hold itself.
    model: Vec<AnyModel>,
    threshold: f64,
    cost: f64,
}

impl Predict for Threshold {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        let is_sound = self.threshold.is_finite() && self.cost.is_finite();
        let ([model], true) = (self.model.as_slice(), is_sound) else {
            let message = "expected a model, a threshold and a cost, found another state";
            return Err(Error::new(Code::Malformed, message));
        };
        combine::check_child(model, features, 1)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        self.model.iter().try_for_each(|model| model.predict(batch, slots, scores))
    }

    fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        self.model.first()?.outputs(output, features)
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        self.model.iter().try_for_each(|model| model.output(output, batch, slots, values))
    }

    fn coefficients(&self) -> Option<&[f64]> {
        self.model.first()?.coefficients()
    }

    fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
        self.model.first().map(AnyModel::importances).unwrap_or_default()
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let mut facts = self.model.first().map(AnyModel::facts).unwrap_or_default();
        facts.push(("threshold".to_owned(), self.threshold));
        facts.push(("cost per row of unseen rows".to_owned(), self.cost));
        facts
    }

    fn threshold(&self) -> Option<f64> {
        Some(self.threshold)
    }

    fn warnings(&self) -> Vec<String> {
        self.model.iter().flat_map(AnyModel::warnings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, regression};

    fn costs(cost_false_positive: f64, cost_false_negative: f64) -> ThresholdParams {
        ThresholdParams { cost_false_positive, cost_false_negative, ..Default::default() }
    }

    const SCORES: [f64; 4] = [0.8, 0.1, 0.6, 0.4];
    const TARGETS: [f64; 4] = [1.0, 0.0, 0.0, 1.0];

    #[test]
    fn the_cheapest_threshold_by_hand() {
        let choose = |p: &ThresholdParams| p.choose(&SCORES, &TARGETS, &[1.0; 4]);
        assert_eq!(choose(&costs(1.0, 1.0)), (0.3 + 0.4, 0.25));
        assert_eq!(choose(&costs(1.0, 5.0)), (0.1 / 2.0 + 0.4 / 2.0, 0.25));
        // Only one error costs: 0 and 0.25 are free, and 0.25 is nearer to 1/2; so is 0.7 than 1.
        assert_eq!(choose(&costs(0.0, 1.0)), (0.1 / 2.0 + 0.4 / 2.0, 0.0));
        assert_eq!(choose(&costs(1.0, 0.0)), (0.3 + 0.4, 0.0));
        // Class 1 never, though there is a score of 1.
        let found = costs(1.0, 0.0).choose(&[1.0, 0.5], &[0.0, 1.0], &[1.0, 1.0]);
        assert_eq!(found, (1.0 + f64::EPSILON, 0.0));
    }

    #[test]
    fn no_threshold_is_cheaper() {
        let mut draws = crate::rng::Stream::new(crate::rng::Seed(2), "threshold", "", "t").pcg();
        use crate::rng::Draw;
        for _ in 0..20 {
            let scores: Vec<f64> = (0..30).map(|_| draws.bounded(12) as f64 / 12.0).collect();
            let targets: Vec<f64> = (0..30).map(|_| draws.bounded(2) as f64).collect();
            let params = costs(2.0, 3.0);
            let (threshold, cost) = params.choose(&scores, &targets, &[1.0; 30]);
            let cost_at = |t: f64| {
                let mut total = 0.0;
                for (score, y) in scores.iter().zip(&targets) {
                    total += match (*score >= t, *y > 0.0) {
                        (true, false) => 2.0,
                        (false, true) => 3.0,
                        _ => 0.0,
                    };
                }
                total / 30.0
            };
            assert_eq!(cost_at(threshold), cost);
            assert!((0..30).all(|t| cost_at(f64::from(t) / 24.0) >= cost));
        }
    }

    #[test]
    fn the_score_stays_that_of_the_model() {
        let t = regression(&[&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]], &[0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        let params = ThresholdParams {
            estimator: Box::new(super::super::GaussianNaiveBayesParams::default().into()),
            n_folds: 2,
            ..Default::default()
        };
        let model = fit_model(&params, &t).unwrap();
        let alone = fit_model(&super::super::GaussianNaiveBayesParams::default(), &t).unwrap();
        let (mut scores, mut expected) = ([0.0; 6], [0.0; 6]);
        model.predict(&mut t.clone(), &[0], &mut scores).unwrap();
        alone.predict(&mut t.clone(), &[0], &mut expected).unwrap();
        assert_eq!(scores, expected);
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        let damaged = Threshold { threshold: f64::NAN, ..model };
        assert!(damaged.check(&features(1)).is_err());
        assert!(costs(0.0, 0.0).validate().is_err() && costs(-1.0, 1.0).validate().is_err());
    }
}
