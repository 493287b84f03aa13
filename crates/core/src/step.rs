//! What a kind is: the traits of transforms, selectors and models, and the list that registers
//! them.
//!
//! A kind is two types in one file: params (before a fit) and the fitted state (after). Params have
//! public fields, one `Default`, and refuse unknown fields; the fitted state has learned values
//! only. The [`registry!`](crate::registry) list turns the kinds of a room into two closed enums,
//! from which config, artifact, deploy, conformance, values, parity and the catalogue take what
//! they need.

pub(crate) mod line;
mod parameters;
mod registry;

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::{Columns, Labels, OnMaxIter, Task};
use crate::error::{Code, Error, Result};
use crate::models::ClassWeight;
use crate::rng::{Seed, Stream};

pub use parameters::{Form, Parameter, parameters};
pub use registry::KindInfo;

/// What a fit is told besides the rows.
#[derive(Clone, Copy, Debug)]
pub struct FitContext<'a> {
    /// The step's name, by which its draws are keyed.
    pub step: &'a str,
    /// The seed of the pipeline.
    pub seed: Seed,
    /// What the target is.
    pub task: Task,
    /// The number of classes: 0 for regression, 2 for binary. A class is its position: 0, 1, …
    pub n_classes: u32,
    /// What the classes are called.
    pub labels: Labels<'a>,
    /// The schema that the step sees.
    pub schema: &'a Schema,
    /// The positions of the step's columns in that schema, then of its references.
    pub slots: &'a [usize],
    /// Who hears how far the fit is.
    pub progress: Progress<'a>,
    /// What becomes of an iterative fit at its cap; none for the model's own rule.
    pub on_max_iter: Option<OnMaxIter>,
    /// The column of the target, for errors; empty where it is not known.
    pub target: &'a str,
}

/// Hears how far a fit is: so much done of so much. What it does cannot reach a number.
#[derive(Clone, Copy, Default)]
pub struct Progress<'a>(Option<&'a (dyn Fn(u64, u64) + Sync)>);

impl<'a> Progress<'a> {
    /// Tells `hear`.
    pub fn new(hear: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Progress(Some(hear))
    }

    /// `done` of `total` is done.
    pub fn at(&self, done: u64, total: u64) {
        if let Some(hear) = self.0 {
            hear(done, total);
        }
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Progress(heard)" } else { "Progress(silent)" })
    }
}

impl<'a> FitContext<'a> {
    /// A fit of `step` that nobody listens to, with the two classes of a binary task.
    pub fn new(
        step: &'a str,
        seed: Seed,
        task: Task,
        schema: &'a Schema,
        slots: &'a [usize],
    ) -> Self {
        let n_classes = if task == Task::Binary { 2 } else { 0 };
        let progress = Progress::default();
        let (labels, on_max_iter, target) = (Labels::Numbers, None, "");
        FitContext {
            step,
            seed,
            task,
            n_classes,
            labels,
            schema,
            slots,
            progress,
            on_max_iter,
            target,
        }
    }

    /// The same with so many classes.
    #[must_use]
    pub fn classes(mut self, n_classes: u32) -> Self {
        self.n_classes = n_classes;
        self
    }

    /// The same with classes that are called so.
    #[must_use]
    pub fn labels(mut self, labels: Labels<'a>) -> Self {
        self.labels = labels;
        self
    }

    /// Whether a fit that ends at its cap, as far as `measure` says, is kept with a warning where
    /// it would be an error.
    pub fn keeps(&self, measure: f64) -> bool {
        self.on_max_iter == Some(OnMaxIter::Warn) && measure.is_finite()
    }

    /// The error of a target, with its column.
    pub fn of_target(&self, error: Error) -> Error {
        if self.target.is_empty() { error } else { error.column(self.target) }
    }

    /// The draws for one column and purpose.
    pub fn stream(&self, column: &str, purpose: &str) -> Stream {
        Stream::new(self.seed, self.step, column, purpose)
    }

    /// The name of the column at `slot`.
    pub fn name(&self, slot: usize) -> &str {
        &self.schema.fields()[slot].name
    }

    /// The step's columns and references by name, in slot order.
    pub fn names(&self) -> Vec<String> {
        self.slots.iter().map(|&slot| self.name(slot).to_owned()).collect()
    }
}

/// A small, varied use of a kind over the example table ([`crate::example`]).
#[derive(Clone, Debug)]
pub struct Example<P> {
    /// The columns it works on.
    pub columns: Columns,
    /// Its params.
    pub params: P,
}

impl<P> Example<P> {
    /// `params` on the named columns of the example table.
    pub fn on(columns: &[&str], params: P) -> Self {
        Example { columns: Columns::named(columns), params }
    }
}

/// The params of a transform: what a config says.
pub trait FitTransform:
    Clone + PartialEq + Serialize + for<'de> Deserialize<'de> + Default
{
    /// What a fit gives.
    type Fitted: Transform;

    /// Whether a fit or the fitted state draws random numbers; the seed matters to no other kind.
    const DRAWS: bool = false;

    /// Checks ranges of parameters; knows no data.
    ///
    /// # Errors
    /// If a parameter is out of its documented range.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The kinds of column that the step's `columns` may be. A config that names no columns takes
    /// all columns of these kinds.
    fn accepts(&self) -> &'static [ColumnKind];

    /// Columns that the params name besides the step's `columns`; their slots follow those.
    fn references(&self) -> Vec<String> {
        Vec::new()
    }

    /// Learns from the rows.
    ///
    /// # Errors
    /// If the data do not allow it, naming the column.
    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Self::Fitted>;

    /// Whether these params can have made a state on the named columns (then references): what a
    /// state repeats of its params must be what they say. Loading an artifact asks.
    fn made(&self, _fitted: &Self::Fitted, _columns: &[String]) -> bool {
        true
    }

    /// Uses over the example table, for conformance, values, parity and docs.
    fn examples() -> Vec<Example<Self>>;
}

/// A fitted transform: what an artifact holds.
pub trait Transform:
    Clone + PartialEq + Send + Sync + Serialize + for<'de> Deserialize<'de>
{
    /// The schema behind the step.
    ///
    /// # Errors
    /// If the state does not fit the columns (a damaged artifact), or a new name exists already.
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema>;

    /// Changes the columns of a block to those of [`Transform::output`]. `slots` are the positions
    /// of the step's columns and references in the schema that the block has. A row that cannot be
    /// transformed gets a fault and a missing value.
    ///
    /// # Errors
    /// Never on values; only if the block does not have the bound columns.
    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()>;
}

/// The params of a selector: which columns to keep.
pub trait FitSelector: Clone + PartialEq + Serialize + for<'de> Deserialize<'de> + Default {
    /// Whether the selection draws random numbers.
    const DRAWS: bool = false;

    /// Checks ranges of parameters; knows no data.
    ///
    /// # Errors
    /// If a parameter is out of its documented range.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The kinds of column that it can judge; columns of other kinds are never its business.
    fn accepts(&self) -> &'static [ColumnKind];

    /// Judges the columns at `ctx.slots`.
    ///
    /// # Errors
    /// If the data do not allow it.
    fn select(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Selection>;

    /// Uses over the example table.
    fn examples() -> Vec<Example<Self>>;
}

/// What a selector found: the columns to drop, and each judged column's score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Whether each judged column is kept, in the order in which the step names them.
    pub kept: Vec<bool>,
    /// The score of each judged column.
    pub scores: Vec<f64>,
}

impl Transform for Selection {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.kept.len(), slots.len())?;
        check_width(self.scores.len(), slots.len())?;
        Ok(input.without(&self.dropped(slots)))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        if slots.is_sorted() {
            // From behind, so that the positions before stay what they are; without a list.
            let pairs = slots.iter().zip(&self.kept).rev();
            pairs.filter(|(_, kept)| !**kept).for_each(|(&slot, _)| batch.remove(&[slot]));
            return Ok(());
        }
        let mut dropped = self.dropped(slots);
        dropped.sort();
        batch.remove(&dropped);
        Ok(())
    }
}

impl Selection {
    fn dropped(&self, slots: &[usize]) -> Vec<usize> {
        let pairs = slots.iter().zip(&self.kept);
        pairs.filter(|(_, kept)| !**kept).map(|(&slot, _)| slot).collect()
    }
}

/// Refuses a state that was learned for another number of columns: the artifact is damaged.
///
/// # Errors
/// If the two differ.
pub fn check_width(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let message = format!("expected learned values for {expected} columns, found {found}");
    Err(Error::new(Code::Malformed, message))
}

/// The params of a model.
pub trait FitModel: Clone + PartialEq + Serialize + for<'de> Deserialize<'de> + Default {
    /// What a fit gives.
    type Fitted: Predict;

    /// Whether the fit draws random numbers.
    const DRAWS: bool = false;

    /// Checks ranges of parameters; knows no data.
    ///
    /// # Errors
    /// If a parameter is out of its documented range.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The tasks that the model can do.
    fn tasks(&self) -> &'static [Task];

    /// What of the params decides about the task, as a message goes on behind the kind.
    fn task_reason(&self) -> String {
        String::new()
    }

    /// The kinds of column that it takes as features.
    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    /// Whether the fit honours the weights of rows ([`Batch::weights`]). A config with a weight
    /// column is refused otherwise.
    fn weighs(&self) -> bool {
        false
    }

    /// What a row of each class counts, for a kind that can weigh classes.
    fn class_weight(&self) -> Option<&ClassWeight> {
        None
    }

    /// What a model of a number minimises the mean of, if not an error.
    fn target_loss(&self) -> Option<TargetLoss> {
        None
    }

    /// How many levels of models these params hold: 0 for most kinds.
    fn depth(&self) -> u32 {
        0
    }

    /// Learns from the rows. The columns at `ctx.slots` are of the accepted kinds; a missing value
    /// in one of them is an error unless the model documents a rule.
    ///
    /// # Errors
    /// If the data do not allow it, naming the column.
    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Self::Fitted>;

    /// Uses over the example table.
    fn examples() -> Vec<Example<Self>>;
}

/// What a model of a number minimises the mean of, where that is another loss than the squared
/// or absolute error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetLoss {
    /// That of a quantile, from 0 to 1.
    Quantile(f64),
    /// The Poisson deviance.
    Poisson,
    /// The gamma deviance.
    Gamma,
    /// The Tweedie deviance of a power from 1 to 2.
    Tweedie(f64),
}

/// What a model can say of a row besides its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The sum behind the link function: log-odds, the logarithm of a mean, the prediction itself.
    Margin,
    /// The leaf that the row falls into, per tree.
    Leaf,
    /// What each feature adds to the margin, and the margin of no feature known.
    Contribution,
}

/// How well a coefficient is known; missing numbers where it was not fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoefficientSummary {
    /// The coefficient.
    pub estimate: f64,
    /// The deviation of its estimates over samples alike.
    pub standard_error: f64,
    /// The estimate in standard errors.
    pub statistic: f64,
    /// Those of Student's t that the statistic is held against; infinite for a normal one.
    pub degrees_of_freedom: f64,
    /// The probability of a statistic as far from 0 if the true coefficient is 0.
    pub p_value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// A fitted model.
pub trait Predict: Clone + PartialEq + Send + Sync + Serialize + for<'de> Deserialize<'de> {
    /// Checks that the state fits these features and is well formed, whoever wrote it.
    ///
    /// # Errors
    /// If it does not.
    fn check(&self, features: &Schema) -> Result<()>;

    /// How many scores a row gets: one, or for a multiclass task one per class.
    fn n_outputs(&self) -> usize {
        1
    }

    /// Whether it holds other models.
    fn holds_models(&self) -> bool {
        false
    }

    /// Writes the scores of every row into `scores`, row by row, [`Predict::n_outputs`] each. For
    /// regression the score is the prediction, for binary tasks the probability of the positive
    /// class, for multiclass tasks the probability of each class. A row that the model cannot score
    /// gets a fault.
    ///
    /// # Errors
    /// Never on values.
    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()>;

    /// The names of the columns of another output, or `None` if the model does not have it.
    fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        self.line().and_then(|_| output.names(1, features))
    }

    /// Writes that output of every row into `values`, row by row, one value per name of
    /// [`Predict::outputs`].
    ///
    /// # Errors
    /// If the model does not have it. Never on values.
    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        if let Some(line) = self.line() {
            return line::output(output, batch, slots, line, values);
        }
        let message = format!("expected an output of this model, found {output:?}");
        Err(Error::new(Code::Usage, message))
    }

    /// For models of one weighted sum: its coefficients, one per column on the scale of the
    /// columns, and its intercept. Margin, contributions and coefficients follow from it.
    fn line(&self) -> Option<(&[f64], f64)> {
        None
    }

    /// One weight per column for linear models, on the scale of the columns.
    fn coefficients(&self) -> Option<&[f64]> {
        self.line().map(|(coefficients, _)| coefficients)
    }

    /// How much each feature matters, by named measure: one value per feature.
    fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
        Vec::new()
    }

    /// For linear models fitted with a summary: how well the intercept and each coefficient are
    /// known, with intervals that miss the true value with probability `tail`.
    fn summary(&self, tail: f64) -> Option<Vec<CoefficientSummary>> {
        let _ = tail;
        None
    }

    /// Facts for `inspect`: name and value, such as the intercept or the number of iterations.
    fn facts(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// Those of the facts that say how good the model is on rows that a part of its fit has not
    /// seen.
    fn own_figures(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// Facts of which every class has its own: name and a value per class of a multiclass task.
    fn class_facts(&self) -> Vec<(&'static str, Vec<f64>)> {
        Vec::new()
    }

    /// One weight per column for each class of a multiclass linear model.
    fn class_coefficients(&self) -> Vec<&[f64]> {
        Vec::new()
    }

    /// For a model of groups: each one's centre, one value per column.
    fn centres(&self) -> Vec<&[f64]> {
        Vec::new()
    }

    /// For a binary model that has chosen one: the score from which a row is of class 1.
    fn threshold(&self) -> Option<f64> {
        None
    }

    /// What a user should know about how the fit ended: that it stopped at its cap.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
