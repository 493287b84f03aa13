//! Our estimators behind the traits of linfa: [`Fit`] gives a sealed artifact, [`PredictInplace`]
//! (hence `Predict`) scores through the plan that deploy runs, [`Transformer`] gives the columns
//! that the model sees.
//!
//! # Shape
//! Records are n × p of f64, every column numeric, named by the dataset's feature names. Targets
//! are one value per row: a number, or 0 and 1 for the binary task.
//!
//! # Missing
//! NaN is missing in records. In predictions and transformed records NaN stands for a row that got
//! a reason instead of a score; [`FittedEstimator::score`] tells the reasons.
//!
//! # Ties and order
//! The rows of a dataset are a set: their order, and the threads that linfa or this crate use,
//! cannot move a bit. There is no split here: linfa's own functions split and fold datasets.

use std::sync::Arc;

use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::{Fit, PredictInplace, Transformer};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};
use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::{Config, StepConfig, StepParams, Task};
use samescore_core::error::{Code, Error};
use samescore_core::math;
use samescore_core::models::ModelParams;
use samescore_core::par::Threads;
use samescore_core::pipeline::Scores;
use samescore_core::rng::Seed;

use crate::workflow;

/// The target's column in the config that an estimator makes.
const TARGET: &str = "target";

/// Steps and a model, to be fitted on a linfa dataset.
#[derive(Clone, Debug)]
pub struct Estimator {
    task: Task,
    model: ModelParams,
    steps: Vec<StepConfig>,
    seed: Seed,
}

impl Estimator {
    /// A model without steps.
    pub fn new(task: Task, model: impl Into<ModelParams>) -> Self {
        Estimator { task, model: model.into(), steps: Vec::new(), seed: Seed(0) }
    }

    /// Adds a step on every column that it accepts.
    #[must_use]
    pub fn step(mut self, name: &str, params: impl Into<StepParams>) -> Self {
        self.steps.push(StepConfig {
            name: name.to_owned(),
            columns: Default::default(),
            params: params.into(),
        });
        self
    }

    /// The seed of every draw.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Seed(seed);
        self
    }

    fn config(&self, names: &[String]) -> Config {
        let mut config = Config::new(TARGET, self.task, self.model.clone());
        config.seed = self.seed;
        config.steps.clone_from(&self.steps);
        let columns = names.iter().map(String::as_str).chain([TARGET]);
        let declared = columns.map(|name| (name.to_owned(), ColumnKind::Num.into()));
        config.data.columns = declared.collect();
        config
    }
}

/// Why an estimator could not be fitted.
#[derive(Debug)]
pub enum FitError {
    /// One of our errors, with its place.
    Samescore(Error),
    /// One of linfa's.
    Linfa(linfa::Error),
}

impl std::fmt::Display for FitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FitError::Samescore(e) => e.fmt(f),
            FitError::Linfa(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for FitError {}

impl From<linfa::Error> for FitError {
    fn from(error: linfa::Error) -> Self {
        FitError::Linfa(error)
    }
}

impl From<Error> for FitError {
    fn from(error: Error) -> Self {
        FitError::Samescore(error)
    }
}

impl<D, T> Fit<ArrayBase<D, Ix2>, T, FitError> for Estimator
where
    D: Data<Elem = f64>,
    T: AsSingleTargets<Elem = f64>,
{
    type Object = FittedEstimator;

    fn fit(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<FittedEstimator, FitError> {
        let names = names_of(dataset.feature_names(), dataset.records().ncols());
        let targets = dataset.as_single_targets();
        if targets.len() != dataset.records().nrows() {
            let (n, m) = (dataset.records().nrows(), targets.len());
            return Err(linfa::Error::MismatchedShapes(n, m).into());
        }
        let mut columns = columns_of(dataset.records());
        columns.push(Column::num(targets.iter().copied()));
        let fields = names.iter().map(String::as_str).chain([TARGET]);
        let schema = Schema::new(fields.map(|name| Field::new(name, ColumnKind::Num)))?;
        let batch = Batch::new(Arc::new(schema), columns)?;
        let outcome = workflow::fit(&self.config(&names), &batch, &Threads::new(0)?)?;
        Ok(FittedEstimator { artifact: outcome.artifact, names })
    }
}

/// A fitted estimator: a sealed artifact and the order of the columns.
#[derive(Clone)]
pub struct FittedEstimator {
    artifact: Artifact,
    names: Vec<String>,
}

impl FittedEstimator {
    /// The artifact, as deploy takes it.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The score of each row, or the reason why there is none.
    ///
    /// # Errors
    /// If `x` has another number of columns than the training records.
    pub fn score<D: Data<Elem = f64>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Scores, Error> {
        self.artifact.plan().score(&self.batch(x)?)
    }

    /// The columns that the model sees, NaN throughout for a row that has a reason.
    ///
    /// # Errors
    /// If `x` has another number of columns than the training records.
    pub fn features<D: Data<Elem = f64>>(
        &self,
        x: &ArrayBase<D, Ix2>,
    ) -> Result<Array2<f64>, Error> {
        let blocks = self.artifact.plan().transform(&self.batch(x)?, None)?;
        let n_columns = self.artifact.payload().pipeline.features.len();
        let mut features = Array2::from_elem((x.nrows(), n_columns), math::MISSING);
        let mut start = 0;
        for block in &blocks {
            for slot in 0..n_columns {
                for (row, value) in block.num(slot).iter().enumerate() {
                    if !block.has_fault(row) {
                        features[[start + row, slot]] = *value;
                    }
                }
            }
            start += block.n_rows();
        }
        Ok(features)
    }

    fn batch<D: Data<Elem = f64>>(&self, x: &ArrayBase<D, Ix2>) -> Result<Batch, Error> {
        if x.ncols() != self.names.len() {
            let message = format!("expected {} columns, found {}", self.names.len(), x.ncols());
            return Err(Error::new(Code::MissingColumn, message));
        }
        let fields = self.names.iter().map(|name| Field::new(name, ColumnKind::Num));
        Batch::new(Arc::new(Schema::new(fields)?), columns_of(x))
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for FittedEstimator {
    /// Writes NaN for rows without a score, and for all rows if the number of columns is wrong.
    fn predict_inplace<'a>(&'a self, x: &'a ArrayBase<D, Ix2>, y: &mut Array1<f64>) {
        y.fill(math::MISSING);
        if let Ok(scores) = self.score(x) {
            let results = y.iter_mut().zip(scores.iter());
            results.for_each(|(y, (_, score))| *y = score.unwrap_or(math::MISSING));
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::from_elem(x.nrows(), math::MISSING)
    }
}

impl<D: Data<Elem = f64>> Transformer<&ArrayBase<D, Ix2>, Array2<f64>> for FittedEstimator {
    /// Gives no column if `x` has another number of columns than the training records.
    fn transform(&self, x: &ArrayBase<D, Ix2>) -> Array2<f64> {
        self.features(x).unwrap_or_else(|_| Array2::zeros((x.nrows(), 0)))
    }
}

impl<D: Data<Elem = f64>, T>
    Transformer<DatasetBase<ArrayBase<D, Ix2>, T>, DatasetBase<Array2<f64>, T>>
    for FittedEstimator
{
    /// The same targets with the columns that the model sees.
    fn transform(&self, dataset: DatasetBase<ArrayBase<D, Ix2>, T>) -> DatasetBase<Array2<f64>, T> {
        let records = Transformer::transform(self, dataset.records());
        let is_whole = records.ncols() == self.artifact.payload().pipeline.features.len();
        let names =
            if is_whole { self.artifact.payload().pipeline.features.clone() } else { Vec::new() };
        DatasetBase::new(records, dataset.targets).with_feature_names(names)
    }
}

fn columns_of<D: Data<Elem = f64>>(x: &ArrayBase<D, Ix2>) -> Vec<Column> {
    x.columns().into_iter().map(|column| Column::num(column.iter().copied())).collect()
}

/// The dataset's names, or `x0`, `x1`, ... where it has none.
fn names_of<S: AsRef<str>>(names: &[S], n_columns: usize) -> Vec<String> {
    if names.len() == n_columns {
        return names.iter().map(|name| name.as_ref().to_owned()).collect();
    }
    (0..n_columns).map(|place| format!("x{place}")).collect()
}

#[cfg(test)]
mod tests {
    use linfa::Dataset;
    use linfa::traits::Predict;
    use samescore_core::models::LinearRegressionParams;
    use samescore_core::transforms::{MeanMedianImputerParams, StandardScalerParams};

    use super::*;

    fn dataset() -> Dataset<f64, f64, ndarray::Ix1> {
        let records = Array2::from_shape_fn((40, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f64);
        let targets =
            records.rows().into_iter().map(|r| 1.0 + 2.0 * r[0] - r[1]).collect::<Array1<_>>();
        Dataset::new(records, targets).with_feature_names(vec!["b", "a"])
    }

    fn estimator() -> Estimator {
        Estimator::new(Task::Regression, LinearRegressionParams::default())
            .step("impute", MeanMedianImputerParams::default())
            .step("scale", StandardScalerParams::default())
    }

    #[test]
    fn predictions_are_the_scores_of_the_artifact() {
        let fitted = estimator().fit(&dataset()).unwrap();
        let predicted: Array1<f64> = fitted.predict(&dataset());
        let scores = fitted.score(dataset().records()).unwrap();
        for (row, y) in predicted.iter().enumerate() {
            assert_eq!(scores.get(row).unwrap().to_bits(), y.to_bits());
        }
        let again = Artifact::from_bytes(fitted.artifact().bytes()).unwrap();
        assert_eq!(again.digest(), fitted.artifact().digest());
    }

    #[test]
    fn order_of_rows_cannot_reach_the_artifact() {
        let dataset = dataset();
        let backward: Vec<usize> = (0..40).rev().collect();
        let reversed = Dataset::new(
            dataset.records().select(ndarray::Axis(0), &backward),
            dataset.targets().select(ndarray::Axis(0), &backward),
        )
        .with_feature_names(vec!["b", "a"]);
        let (a, b) = (estimator().fit(&dataset).unwrap(), estimator().fit(&reversed).unwrap());
        assert_eq!(a.artifact().bytes(), b.artifact().bytes());
    }

    #[test]
    fn transformed_records_are_what_the_model_sees() {
        let fitted = estimator().fit(&dataset()).unwrap();
        let transformed: DatasetBase<Array2<f64>, _> = fitted.transform(dataset());
        assert_eq!(transformed.records().dim(), (40, 2));
        assert_eq!(transformed.feature_names(), ["a", "b"]);
        let total = transformed.records().column(0).iter().fold(0.0, |sum, x| sum + x);
        // The mean is 0 in mathematics; each of 40 scaled values is rounded.
        assert!(total.abs() < 1e-9, "a scaled column has mean 0, found {total}");
    }

    #[test]
    fn a_wrong_number_of_columns_is_told() {
        let fitted = estimator().fit(&dataset()).unwrap();
        let wrong = Array2::<f64>::zeros((3, 5));
        assert!(fitted.score(&wrong).is_err());
        let predicted: Array1<f64> = fitted.predict(&wrong);
        assert!(predicted.iter().all(|y| y.is_nan()));
        let missing: Result<_, FitError> =
            Estimator::new(Task::Regression, LinearRegressionParams::default())
                .fit(&Dataset::new(Array2::from_elem((4, 1), f64::NAN), Array1::zeros(4)));
        assert!(missing.is_err());
    }
}
