//! Scores a row by the mean of models of one kind, each fitted on a draw of rows and columns.
//!
//! # Method
//! As scikit-learn 1.9.1 `BaggingRegressor` and `BaggingClassifier` with probabilities, with draws
//! that belong to rows: of all rows a share `max_samples` is kept, and with `bootstrap` each of
//! those is repeated as often as a Poisson draw of mean 1 says. So the size of a sample is itself
//! random, and a row's part in it does not depend on other rows. Each model gets its own draw of
//! `max_features` of the columns.
//!
//! # Shape
//! The columns that the estimator takes; the tasks that the estimator can do. Weights of rows are
//! honoured if the estimator honours them.
//!
//! # Missing
//! As the estimator: what it refuses is refused, and its reason for a row is the row's reason.
//!
//! # Ties and order
//! Scores are added in the order of the models, then divided by their number. The columns of a
//! model keep their order; the number of them is rounded down, and at least 1. Model i draws under
//! the step name `model/i`: rows by fitting key, columns by position.
//!
//! # Errors
//! `n_estimators` of 0 or above 10,000, shares outside 0 to 1, models of models more than 2 deep,
//! or what the estimator refuses, as a sample without rows; the model is named.
//!
//! # Example
//! Two models that say 0.2 and 0.8: 0.5.

use serde::{Deserialize, Serialize};

use super::combine::{self, fit_child};
use super::{AnyModel, GaussianNaiveBayesParams, LinearRegressionParams, ModelParams, ranges};
use crate::aggregate::{Rows, Subset};
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Task;
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::par;
use crate::rng;
use crate::step::{Example, FitContext, FitModel, Predict, TargetLoss};

/// The model, how many of them, and what each sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaggingParams {
    /// The model that is fitted on each sample.
    pub estimator: Box<ModelParams>,
    /// How many models, from 1 to 10,000.
    pub n_estimators: u32,
    /// The share of the rows that each model sees, above 0 and at most 1.
    pub max_samples: f64,
    /// The share of the columns that each model sees, above 0 and at most 1.
    pub max_features: f64,
    /// Whether rows are repeated as drawn; otherwise each stands once.
    pub bootstrap: bool,
}

impl Default for BaggingParams {
    fn default() -> Self {
        BaggingParams {
            estimator: Box::new(LinearRegressionParams::default().into()),
            n_estimators: 10,
            max_samples: 1.0,
            max_features: 1.0,
            bootstrap: true,
        }
    }
}

impl FitModel for BaggingParams {
    type Fitted = Bagging;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&[&self.estimator])?;
        ranges::between("n_estimators", self.n_estimators, 1, combine::N_CHILDREN_MAX)?;
        ranges::share("max_samples", self.max_samples)?;
        ranges::share("max_features", self.max_features)
    }

    fn depth(&self) -> u32 {
        combine::depth(&[&self.estimator])
    }

    fn tasks(&self) -> &'static [Task] {
        self.estimator.tasks()
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        self.estimator.accepts()
    }

    fn weighs(&self) -> bool {
        self.estimator.weighs()
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        self.estimator.target_loss()
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Bagging> {
        let numbers: Vec<u32> = (0..self.n_estimators).collect();
        let parts = par::map(&numbers, |&i| self.member(rows, ctx, i));
        let mut members = Vec::with_capacity(parts.len());
        for part in parts {
            members.push(part?);
            ctx.progress.at(members.len() as u64, u64::from(self.n_estimators));
        }
        Ok(Bagging { members })
    }

    fn examples() -> Vec<Example<Self>> {
        let classes = BaggingParams {
            estimator: Box::new(GaussianNaiveBayesParams::default().into()),
            n_estimators: 3,
            max_features: 0.5,
            ..Default::default()
        };
        let once = BaggingParams {
            n_estimators: 4,
            max_samples: 0.75,
            bootstrap: false,
            ..Default::default()
        };
        vec![Example::on(COMPLETE_COLUMNS, classes), Example::on(&["area", "rooms"], once)]
    }
}

impl BaggingParams {
    fn member(&self, rows: &dyn Rows, ctx: &FitContext<'_>, i: u32) -> Result<Member> {
        let name = i.to_string();
        let step = format!("{}/{name}", ctx.step);
        let own = FitContext { step: &step, ..*ctx };
        let columns = self.columns(&own);
        let slots: Vec<usize> = columns.iter().map(|&j| ctx.slots[j as usize]).collect();
        let (share, times) = (own.stream("", "rows"), own.stream("", "bootstrap"));
        let count = |key: RowKey| match rng::below(&share, key, self.max_samples) {
            false => 0,
            true if self.bootstrap => rng::poisson_bootstrap(&times, key),
            true => 1,
        };
        let rows = Subset::repeated(rows, count);
        let ctx = FitContext { slots: &slots, ..*ctx };
        let model = fit_child(&self.estimator, &rows, &ctx, &name)?;
        Ok(Member { columns, model })
    }

    /// The positions of the columns that are drawn, ascending.
    fn columns(&self, ctx: &FitContext<'_>) -> Vec<u32> {
        let n_columns = ctx.slots.len() as u64;
        let n_chosen = Ord::max((self.max_features * n_columns as f64) as u64, 1);
        let mut draws = ctx.stream("", "columns").pcg();
        let chosen = rng::sample_indices(n_columns, n_chosen, &mut draws);
        let mut chosen: Vec<u32> = chosen.into_iter().map(|j| j as u32).collect();
        chosen.sort();
        chosen
    }
}

/// The models with their columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bagging {
    members: Vec<Member>,
}

/// One model and the positions of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    columns: Vec<u32>,
    model: AnyModel,
}

impl Predict for Bagging {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        let n_outputs = self.n_outputs();
        let malformed = |message: &str| Err(Error::new(Code::Malformed, message));
        if self.members.is_empty() {
            return malformed("expected models, found none");
        }
        for member in &self.members {
            let fields: Option<Vec<_>> =
                member.columns.iter().map(|&j| features.fields().get(j as usize)).collect();
            let ascends = member.columns.windows(2).all(|pair| pair[0] < pair[1]);
            let Some(fields) = fields.filter(|fields| ascends && !fields.is_empty()) else {
                return malformed("expected columns of the model, found others");
            };
            let schema = Schema::new(fields.into_iter().cloned())?;
            combine::check_child(&member.model, &schema, n_outputs)?;
        }
        Ok(())
    }

    fn n_outputs(&self) -> usize {
        self.members.first().map_or(1, |member| member.model.n_outputs())
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        scores.fill(0.0);
        let mut own = batch.take_slots();
        for Member { columns, model } in &self.members {
            own.clear();
            own.extend(columns.iter().map(|&j| slots[j as usize]));
            combine::add_scores(model, batch, &own, 1.0, scores)?;
        }
        batch.give_slots(own);
        let n = self.members.len() as f64;
        scores.iter_mut().for_each(|score| *score /= n);
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        self.members.iter().flat_map(|member| member.model.warnings()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, regression};

    fn table() -> Batch {
        let x: Vec<f64> = (0..60).map(f64::from).collect();
        let z: Vec<f64> = (0..60).map(|i| f64::from(i * i % 7)).collect();
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| 2.0 * x - z + 1.0).collect();
        regression(&[&x, &z], &y)
    }

    #[test]
    fn each_model_is_that_of_its_own_sample() {
        let t = table();
        let params = BaggingParams { n_estimators: 2, max_samples: 0.5, ..Default::default() };
        let bag = fit_model(&params, &t).unwrap();
        let ctx_stream = |i: u32, purpose: &str| {
            rng::Stream::new(rng::Seed(7), &format!("model/{i}"), "", purpose)
        };
        for (i, member) in (0..).zip(&bag.members) {
            let (share, times) = (ctx_stream(i, "rows"), ctx_stream(i, "bootstrap"));
            let mut places = Vec::new();
            for (row, &key) in t.fit_keys().iter().enumerate() {
                let n = rng::poisson_bootstrap(&times, key);
                let n = if rng::below(&share, key, 0.5) { n } else { 0 };
                (0..n).for_each(|_| places.push(row));
            }
            assert!((10..60).contains(&places.len()), "{}", places.len());
            let own = fit_model(&LinearRegressionParams::default(), &t.select(&places)).unwrap();
            assert_eq!(member.model, AnyModel::LinearRegressionParams(own));
        }
        // All of them are exact fits of the same plane, up to rounding in the last places.
        let mut scores = vec![0.0; 60];
        bag.predict(&mut t.clone(), &[0, 1], &mut scores).unwrap();
        for (score, y) in scores.iter().zip(t.target()) {
            assert!((score - y).abs() < 1e-11, "{score} {y}");
        }
    }

    #[test]
    fn columns_are_drawn_per_model() {
        let params = BaggingParams { n_estimators: 8, max_features: 0.5, ..Default::default() };
        let bag = fit_model(&params, &table()).unwrap();
        let first: Vec<&[u32]> = bag.members.iter().map(|m| m.columns.as_slice()).collect();
        assert!(first.iter().all(|columns| columns.len() == 1));
        assert!(first.contains(&&[0][..]) && first.contains(&&[1][..]), "{first:?}");
        assert!(bag.check(&features(2)).is_ok() && bag.check(&features(1)).is_err());
    }

    #[test]
    fn params_out_of_range_are_refused() {
        let none = BaggingParams { n_estimators: 0, ..Default::default() };
        let much = BaggingParams { max_samples: 1.5, ..Default::default() };
        let zero = BaggingParams { max_features: 0.0, ..Default::default() };
        for params in [none, much, zero] {
            assert!(params.validate().is_err());
        }
    }
}
