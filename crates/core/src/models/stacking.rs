//! Fits a final model on the scores that several models give to rows they have not seen.
//!
//! # Method
//! As scikit-learn 1.9.1 `StackingRegressor` and `StackingClassifier` with probabilities: the rows
//! are dealt into `n_folds` folds; each of the `estimators` is fitted on all folds but one and
//! scores that one; the `final_estimator` is fitted on these scores. For scoring, the estimators
//! are fitted again on all rows. A fold belongs to the row, not to its place: folds are of equal
//! size only on average, and not stratified.
//!
//! # Shape
//! The columns that every estimator takes. The final estimator sees one column per score, named
//! `estimator 0`, or `estimator 0 class 1`; with `passthrough` also the columns themselves, before
//! those. The tasks that all of them can do. Weights of rows are honoured if all honour them.
//!
//! # Missing
//! As the estimators: what one refuses is refused, and the first reason for a row is the row's
//! reason.
//!
//! # Ties and order
//! A binary score is one column, a multiclass one a column per class. Estimator i, from 0, draws
//! under the step name `model/i`, its fit without fold f under `model/i/fold f`, the final one
//! under `model/final`.
//!
//! # Errors
//! No estimator, `n_folds` outside 2 to 100, models of models more than 2 deep, a training row that
//! an estimator cannot score, or what an estimator refuses; it is named.
//!
//! # Example
//! An estimator that says 1, 2, 3 of unseen rows with targets 2, 4, 6, and a line on top: a row
//! that it scores with 5 gets 10.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::combine::{self, Folds, Unseen, fit_child};
use super::{AnyModel, KNearestNeighboursParams, LinearRegressionParams, ModelParams};
use crate::aggregate::{MemoryRows, Rows};
use crate::batch::{Batch, Column, ColumnKind, Field, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel, Predict, TargetLoss};

/// The models and the one on top.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StackingParams {
    /// The models whose scores are the columns of the final one.
    pub estimators: Vec<ModelParams>,
    /// The model on top.
    pub final_estimator: Box<ModelParams>,
    /// How many folds, from 2 to 100.
    pub n_folds: u32,
    /// Whether the final model sees the columns as well.
    pub passthrough: bool,
}

impl Default for StackingParams {
    fn default() -> Self {
        let estimators = vec![
            LinearRegressionParams::default().into(),
            KNearestNeighboursParams::default().into(),
        ];
        let top = LinearRegressionParams { alpha: 1.0, ..Default::default() };
        StackingParams {
            estimators,
            final_estimator: Box::new(top.into()),
            n_folds: 5,
            passthrough: false,
        }
    }
}

impl StackingParams {
    /// Every model, the final one last.
    pub(super) fn all(&self) -> Vec<&ModelParams> {
        self.estimators.iter().chain([self.final_estimator.as_ref()]).collect()
    }

    fn lower(&self) -> Vec<&ModelParams> {
        self.estimators.iter().collect()
    }
}

impl FitModel for StackingParams {
    type Fitted = Stacking;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        combine::validate(&self.lower())?;
        combine::validate(&self.all())?;
        combine::validate_folds(self.n_folds)
    }

    fn depth(&self) -> u32 {
        combine::depth(&self.all())
    }

    fn tasks(&self) -> &'static [Task] {
        combine::tasks(&self.all())
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        let seen = if self.passthrough { self.all() } else { self.lower() };
        combine::accepts(&seen)
    }

    fn weighs(&self) -> bool {
        self.all().into_iter().all(ModelParams::weighs)
    }

    fn target_loss(&self) -> Option<TargetLoss> {
        self.final_estimator.target_loss()
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Stacking> {
        let folds = Folds::new(ctx, self.n_folds);
        let n_parts = self.estimators.len() as u64 + 1;
        let (mut models, mut unseen) = (Vec::new(), Vec::new());
        for (i, estimator) in self.estimators.iter().enumerate() {
            let name = i.to_string();
            unseen.push(folds.unseen(estimator, rows, ctx, &name)?);
            models.push(fit_child(estimator, rows, ctx, &name)?);
            ctx.progress.at(i as u64 + 1, n_parts);
        }
        let mut fields = Vec::new();
        if self.passthrough {
            fields.extend(ctx.slots.iter().map(|&slot| ctx.schema.fields()[slot].clone()));
        }
        let n_outputs: Vec<usize> = unseen.iter().map(|scores| scores.n_outputs).collect();
        let schema = Arc::new(score_schema(fields, &n_outputs)?);
        let own = if self.passthrough { ctx.slots } else { &[] };
        let scored = scored_rows(rows, own, &schema, &unseen)?;
        let slots: Vec<usize> = (0..schema.len()).collect();
        let ctx = FitContext { schema: &schema, slots: &slots, ..*ctx };
        let top = vec![fit_child(&self.final_estimator, &scored, &ctx, "final")?];
        ctx.progress.at(n_parts, n_parts);
        Ok(Stacking { models, top, passthrough: self.passthrough })
    }

    fn examples() -> Vec<Example<Self>> {
        let classes = StackingParams {
            estimators: vec![
                super::GaussianNaiveBayesParams::default().into(),
                KNearestNeighboursParams { n_neighbors: 3, ..Default::default() }.into(),
            ],
            final_estimator: Box::new(super::GaussianNaiveBayesParams::default().into()),
            n_folds: 3,
            passthrough: true,
        };
        vec![
            Example::on(COMPLETE_COLUMNS, StackingParams::default()),
            Example::on(&["area", "rooms"], classes),
        ]
    }
}

/// `fields`, then one column per score of each model.
fn score_schema(mut fields: Vec<Field>, n_outputs: &[usize]) -> Result<Schema> {
    for (i, &n) in n_outputs.iter().enumerate() {
        for class in 0..n {
            let name = match n {
                1 => format!("estimator {i}"),
                _ => format!("estimator {i} class {class}"),
            };
            fields.push(Field::new(name, ColumnKind::Num));
        }
    }
    Schema::new(fields)
}

/// The rows with the columns at `own`, then the scores.
fn scored_rows(
    rows: &dyn Rows,
    own: &[usize],
    schema: &Arc<Schema>,
    unseen: &[Unseen],
) -> Result<MemoryRows> {
    let mut blocks = Vec::new();
    for index in 0..rows.n_blocks() {
        let mut made = Ok(Batch::default());
        let mut see = |block: &Batch| {
            let mut columns: Vec<Column> =
                own.iter().map(|&slot| block.column(slot).clone()).collect();
            for Unseen { n_outputs, blocks } in unseen {
                let scores: &[f64] = blocks.get(index).map_or(&[], Vec::as_slice);
                for class in 0..*n_outputs {
                    columns
                        .push(Column::num(scores.iter().skip(class).step_by(*n_outputs).copied()));
                }
            }
            made = Batch::new(Arc::clone(schema), columns).map(|mut made| {
                made.set_keys(block.keys().to_vec());
                made.set_target(block.target().to_vec(), block.fit_keys().to_vec());
                made.set_weights(block.weights().to_vec());
                made
            });
        };
        rows.with_block(index, &mut see)?;
        blocks.push(made?);
    }
    Ok(MemoryRows::new(Arc::clone(schema), blocks))
}

/// The models and the one on top.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stacking {
    models: Vec<AnyModel>,
    /// Exactly one; a list, because a model cannot hold itself.
    top: Vec<AnyModel>,
    passthrough: bool,
}

impl Predict for Stacking {
    fn holds_models(&self) -> bool {
        true
    }

    fn check(&self, features: &Schema) -> Result<()> {
        let (false, [top]) = (self.models.is_empty(), self.top.as_slice()) else {
            let message = "expected models and one on top, found another state";
            return Err(Error::new(Code::Malformed, message));
        };
        for model in &self.models {
            combine::check_child(model, features, model.n_outputs())?;
        }
        let own = if self.passthrough { features.fields().to_vec() } else { Vec::new() };
        let n_outputs: Vec<usize> = self.models.iter().map(AnyModel::n_outputs).collect();
        combine::check_child(top, &score_schema(own, &n_outputs)?, top.n_outputs())
    }

    fn n_outputs(&self) -> usize {
        self.top.first().map_or(1, AnyModel::n_outputs)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let Some(top) = self.top.first() else { return Ok(()) };
        let n_rows = batch.n_rows();
        let (mut added, mut seen) = (batch.take_slots(), batch.take_slots());
        if self.passthrough {
            seen.extend_from_slice(slots);
        }
        let mut own = batch.take_num();
        for model in &self.models {
            let width = model.n_outputs();
            own.clear();
            own.resize(n_rows * width, 0.0);
            model.predict(batch, slots, &mut own)?;
            for class in 0..width {
                let mut column = batch.take_num();
                let of_class = own.iter().skip(class).step_by(width);
                column.extend(of_class.map(|score| crate::math::canonical(*score)));
                added.push(batch.columns().len());
                batch.push(Column::Num(column));
            }
        }
        batch.give(Column::Num(own));
        seen.extend_from_slice(&added);
        let done = top.predict(batch, &seen, scores);
        batch.remove(&added);
        batch.give_slots(seen);
        batch.give_slots(added);
        done
    }

    fn warnings(&self) -> Vec<String> {
        self.models.iter().chain(&self.top).flat_map(AnyModel::warnings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, regression};

    /// A line y = 2 x + 1, exact for every model that sees enough rows.
    fn line() -> Batch {
        let x: Vec<f64> = (0..30).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
        regression(&[&x], &y)
    }

    fn params() -> StackingParams {
        StackingParams {
            estimators: vec![LinearRegressionParams::default().into()],
            final_estimator: Box::new(LinearRegressionParams::default().into()),
            n_folds: 3,
            passthrough: false,
        }
    }

    #[test]
    fn the_top_is_fitted_on_scores_of_unseen_rows() {
        let t = line();
        let neighbour = KNearestNeighboursParams { n_neighbors: 1, ..Default::default() };
        let params = StackingParams { estimators: vec![neighbour.into()], ..params() };
        let model = fit_model(&params, &t).unwrap();
        // The nearest other row is at least 2 away in the target: never the row itself.
        let rows = MemoryRows::from_batch(t.clone());
        let schema = Arc::clone(t.schema());
        let seed = crate::rng::Seed(7);
        let ctx = FitContext::new("model", seed, Task::Regression, &schema, &[0]);
        let folds = Folds::new(&ctx, 3);
        let unseen = folds.unseen(&params.estimators[0], &rows, &ctx, "0").unwrap();
        assert!(unseen.blocks[0].iter().zip(t.target()).all(|(a, b)| (a - b).abs() >= 2.0));
        let column = unseen.blocks[0].clone();
        let scored = regression(&[&column], t.target());
        let top = fit_model(&LinearRegressionParams::default(), &scored).unwrap();
        assert_eq!(model.top, [AnyModel::LinearRegressionParams(top)]);
    }

    #[test]
    fn exact_models_stay_exact_and_columns_leave_as_they_came() {
        let t = line();
        for passthrough in [false, true] {
            let model = fit_model(&StackingParams { passthrough, ..params() }, &t).unwrap();
            let mut batch = t.clone();
            let mut scores = [0.0; 30];
            model.predict(&mut batch, &[0], &mut scores).unwrap();
            assert_eq!(batch.columns().len(), 1);
            for (score, y) in scores.iter().zip(t.target()) {
                // The distance is that of two fits of rounded scores.
                assert!((score - y).abs() < 1e-10, "{score} {y}");
            }
            assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
            let without = Stacking { top: Vec::new(), ..model };
            assert!(without.check(&features(1)).is_err());
        }
    }
}
