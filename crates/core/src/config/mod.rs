//! What a user declares: columns, target, split, steps, model, seed. From strict TOML or from a
//! builder.
//!
//! Both ways give the same [`Config`], hence the same fingerprint and the same artifact. Defaults
//! are filled in when a config is read, so the stored form spells every parameter. Unknown keys are
//! errors with their place. The source of the rows is not part of the fingerprint: the same rows
//! from another file are the same fit.

mod canonical;
mod columns;
mod drift;
mod population;
mod read;
mod zone;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::batch::{COLUMNS_MAX, CellReader, ColumnKind, Field, Schema, TimeFormat};
use crate::codec;
use crate::digest::{Fingerprint, Hasher};
use crate::error::{Code, Error, Result};
use crate::models::ModelParams;
use crate::rng::Seed;
use crate::selectors::SelectorParams;
use crate::trace::{INPUT_STAGE, SCORE_STAGE};
use crate::transforms::TransformParams;

pub use columns::Columns;
pub use drift::DriftLimits;
pub use population::{Bound, MissingRows, RowFilter};
pub use read::ColumnForm;
pub use zone::Zone;

/// What the target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A number.
    #[default]
    Regression,
    /// One of two classes; scores are probabilities of the positive one.
    Binary,
    /// One of several classes; a score is a probability per class.
    Multiclass,
}

/// A whole pipeline before its fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The one number from which every draw of the pipeline is derived.
    pub seed: Seed,
    /// The columns to read and how.
    pub data: DataConfig,
    /// What to predict.
    pub target: TargetConfig,
    /// Which rows the model is for: those that meet every filter. The others are no part of the
    /// fit, of its split or of its fingerprint of rows, and scoring can mark them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub population: Vec<RowFilter>,
    /// How far new data may be from the training data; the defaults where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftLimits>,
    /// Which rows are kept from the fit, if any.
    pub split: Option<SplitConfig>,
    /// The steps in order.
    pub steps: Vec<StepConfig>,
    /// The model behind the steps.
    pub model: ModelParams,
    /// How many rows the artifact carries as its self-test, 0 to 64. They are training rows.
    pub golden_rows: u32,
}

/// The columns to read and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Where the rows come from, relative to the config; not part of the fingerprint.
    #[serde(skip)]
    pub source: Option<String>,
    /// The columns that identify a row; empty means the row's own content does.
    pub key: Vec<String>,
    /// The column that says what each row counts in the fit; none means that each counts one. It is
    /// no feature, and rows to be scored need not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Texts that mean missing, besides an empty cell; in num and time columns also the values that
    /// they read as (see [`CellReader`]). Sorted when read from TOML.
    pub missing: Vec<String>,
    /// The declared columns by name.
    pub columns: BTreeMap<String, ColumnConfig>,
}

/// One declared column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// What it holds.
    pub kind: ColumnKind,
    /// How times are written in text sources.
    pub format: TimeFormat,
    /// Where times without an offset are local times; none means that they are UTC. Of texts alone:
    /// what a source stores as an instant is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

impl ColumnConfig {
    /// How cells of the column are read. A zone that is named only, which no validated config has,
    /// reads as UTC.
    pub fn reader(&self, missing: &[String]) -> CellReader {
        let rules = self.zone.as_ref().and_then(Zone::rules);
        CellReader::zoned(self.kind, &self.format, rules, missing)
    }

    fn validate(&self) -> Result<()> {
        self.format.validate()?;
        let misplaced = |what: &str| {
            let message =
                format!("expected `{what}` of a time column, found it of a {}", self.kind);
            Err(bad(message).remedy("leave it out"))
        };
        match (self.kind, &self.zone) {
            (ColumnKind::Time, None) => Ok(()),
            (ColumnKind::Time, Some(zone)) => zone.validate(),
            (_, Some(_)) => misplaced("zone"),
            (_, None) if self.format != TimeFormat::default() => misplaced("format"),
            _ => Ok(()),
        }
    }
}

impl From<ColumnKind> for ColumnConfig {
    fn from(kind: ColumnKind) -> Self {
        ColumnConfig { kind, format: TimeFormat::default(), zone: None }
    }
}

/// What to predict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The column.
    pub column: String,
    /// What it is.
    pub task: Task,
    /// For a binary target of text: the label that counts as 1.
    pub positive: Option<String>,
    /// For a multiclass target: its labels, in the order of the scores. The class of a num column
    /// is its number in shortest decimal form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// What the model learns instead of the target itself; undone after every prediction.
    pub transform: TargetTransform,
}

/// A transform of the target with its inverse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetTransform {
    /// The target itself.
    #[default]
    Identity,
    /// Natural logarithm; the target must be positive. Undone by `exp`.
    Log,
    /// ln(1 + y); the target must be above −1. Undone by `exp_m1`.
    Log1p,
    /// Square root; the target must not be negative. Undone by squaring, also below 0: a prediction
    /// z of −3 gives 9, as 3 does. Choose a model or features that do not predict below 0.
    Sqrt,
}

/// Which rows are kept from the fit, for an honest evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// The share of rows, or of groups, to keep from the fit; each by the hash of its key.
    pub test_ratio: f64,
    /// Rows that are equal in this column stay on one side.
    pub group: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// The name, unique in the pipeline; the step's draws are keyed by it.
    pub name: String,
    /// The columns that it works on.
    pub columns: Columns,
    /// Its kind and params.
    pub params: StepParams,
}

/// The params of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepParams {
    /// Changes columns.
    Transform(TransformParams),
    /// Drops columns.
    Selector(SelectorParams),
}

impl StepParams {
    /// The tag.
    pub fn kind(&self) -> &'static str {
        match self {
            StepParams::Transform(p) => p.kind(),
            StepParams::Selector(p) => p.kind(),
        }
    }

    /// The kinds of column that the step accepts.
    pub fn accepts(&self) -> &'static [ColumnKind] {
        match self {
            StepParams::Transform(p) => p.accepts(),
            StepParams::Selector(p) => p.accepts(),
        }
    }

    /// Columns that the params name besides the step's columns.
    pub fn references(&self) -> Vec<String> {
        match self {
            StepParams::Transform(p) => p.references(),
            StepParams::Selector(_) => Vec::new(),
        }
    }

    fn validate(&self) -> Result<()> {
        match self {
            StepParams::Transform(p) => p.validate(),
            StepParams::Selector(p) => p.validate(),
        }
    }
}

impl<P: Into<TransformParams>> From<P> for StepParams {
    fn from(params: P) -> Self {
        StepParams::Transform(params.into())
    }
}

impl TargetConfig {
    /// The number of classes: 0 for regression, 2 for binary.
    pub fn n_classes(&self) -> u32 {
        match self.task {
            Task::Regression => 0,
            Task::Binary => 2,
            Task::Multiclass => u32::try_from(self.classes.len()).unwrap_or(u32::MAX),
        }
    }

    /// How many scores a row gets.
    pub fn n_outputs(&self) -> usize {
        match self.task {
            Task::Regression | Task::Binary => 1,
            Task::Multiclass => self.classes.len(),
        }
    }

    fn validate_classes(&self) -> Result<()> {
        let refused = |message: String| {
            let error = Error::new(Code::BadTarget, message).column(&self.column);
            Err(error.remedy("list each label once under `classes`"))
        };
        if self.task != Task::Multiclass {
            return match self.classes.as_slice() {
                [] => Ok(()),
                _ => refused("expected `classes` for task multiclass alone, found some".to_owned()),
            };
        }
        let n_classes = self.classes.len();
        if n_classes == 2 {
            let message = "expected three or more classes, found two";
            let error = Error::new(Code::BadTarget, message).column(&self.column);
            return Err(error.remedy("two classes are task binary, with `positive` for labels"));
        }
        if !(3..=N_CLASSES_MAX).contains(&n_classes) {
            return refused(format!("expected 3 to {N_CLASSES_MAX} classes, found {n_classes}"));
        }
        let mut sorted: Vec<&String> = self.classes.iter().collect();
        sorted.sort();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => refused(format!("expected unique classes, found {:?} twice", pair[0])),
            None => Ok(()),
        }
    }
}

impl Config {
    /// A config without steps, to be built on.
    pub fn new(target: &str, task: Task, model: impl Into<ModelParams>) -> Self {
        Config {
            seed: Seed(0),
            data: DataConfig::default(),
            target: TargetConfig {
                column: target.to_owned(),
                task,
                positive: None,
                classes: Vec::new(),
                transform: TargetTransform::Identity,
            },
            population: Vec::new(),
            drift: None,
            split: None,
            steps: Vec::new(),
            model: model.into(),
            golden_rows: DEFAULT_GOLDEN_ROWS,
        }
    }

    /// Reads a config.
    ///
    /// # Errors
    /// If the text is not TOML, has an unknown key, or a value out of range; with its byte range.
    pub fn from_toml(text: &str) -> Result<Self> {
        let config = read::config(text, &[])?;
        config.validate()?;
        Ok(config)
    }

    /// Reads a config that may not declare its columns yet: they are completed from the source, and
    /// then the config is checked by [`Config::validate`].
    ///
    /// # Errors
    /// If the text is not TOML, has an unknown key, or a step's value out of range; with its byte
    /// range.
    pub fn parse(text: &str) -> Result<Self> {
        read::config(text, &[])
    }

    /// The same beside tables that say how rows are gathered, which others read: the tables at the
    /// root called `foreign` are left to them. They are no part of the config, hence of no
    /// fingerprint: the same rows, however gathered, are the same fit.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_beside(text: &str, foreign: &[&str]) -> Result<Self> {
        read::config(text, foreign)
    }

    /// Declares columns of one kind.
    #[must_use]
    pub fn columns(mut self, kind: ColumnKind, names: &[&str]) -> Self {
        for name in names {
            self.data.columns.insert((*name).to_owned(), kind.into());
        }
        self
    }

    /// Adds a step on the named columns.
    #[must_use]
    pub fn step(mut self, name: &str, columns: &[&str], params: impl Into<StepParams>) -> Self {
        let columns = Columns::named(columns);
        self.steps.push(StepConfig { name: name.to_owned(), columns, params: params.into() });
        self
    }

    /// Adds a step on all columns of the kinds that it accepts.
    #[must_use]
    pub fn step_on_all(mut self, name: &str, params: impl Into<StepParams>) -> Self {
        let columns = Columns::default();
        self.steps.push(StepConfig { name: name.to_owned(), columns, params: params.into() });
        self
    }

    /// Checks what needs no data: ranges, names, and that key and target are declared columns.
    ///
    /// # Errors
    /// The first thing that is wrong, with its step or column.
    pub fn validate(&self) -> Result<()> {
        self.data.validate(&self.target)?;
        for filter in &self.population {
            filter.validate(&self.data, &self.target.column)?;
        }
        if let Some(drift) = &self.drift {
            drift.validate()?;
        }
        if let Some(split) = &self.split {
            split.validate(&self.data)?;
        }
        check_golden_rows(self.golden_rows)?;
        let mut names: Vec<&str> = self.steps.iter().map(|s| s.name.as_str()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::new(
                Code::DuplicateName,
                "expected unique step names, found it twice",
            )
            .remedy("give each step its own `name`")
            .step(pair[0]));
        }
        for step in &self.steps {
            let named = |e: Error| e.step(&step.name);
            check_step_name(&step.name)?;
            step.columns.validate().map_err(named)?;
            step.params.validate().map_err(named)?;
            canonical::check(&step.params).map_err(named)?;
        }
        let named = |e: Error| e.step(MODEL_STEP);
        self.model.validate().map_err(named)?;
        canonical::check(&self.model).map_err(named)?;
        check_task(&self.model, self.target.task)?;
        if self.data.weight.is_some() && !self.model.weighs() {
            let kind = self.model.kind();
            let message =
                format!("expected a model that honours the weights of rows, found `{kind}`");
            return Err(Error::new(Code::BadParameter, message)
                .remedy("choose another model, or leave `weight` out of [data]")
                .step(MODEL_STEP));
        }
        Ok(())
    }

    /// The columns that a row to be scored must have: the declared ones without target and weight,
    /// in name order.
    ///
    /// # Errors
    /// Never for a validated config.
    pub fn input_schema(&self) -> Result<Schema> {
        let columns = self.data.columns.iter();
        let inputs = columns.filter(|(name, _)| {
            **name != self.target.column && Some(*name) != self.data.weight.as_ref()
        });
        Schema::new(inputs.map(|(name, column)| Field::new(name.clone(), column.kind)))
    }

    /// The identity of the config: of every value that it resolves to, defaults included.
    ///
    /// # Errors
    /// Never for a validated config.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let mut hasher = Hasher::new("samescore config v1");
        hasher.bytes(&codec::encode(self)?);
        Ok(hasher.finish_fingerprint())
    }

    /// The config as TOML with every default written out.
    ///
    /// # Errors
    /// Never for a validated config.
    pub fn to_toml(&self) -> Result<String> {
        read::write(self)
    }
}

/// What traces and errors call the stages that are no steps.
const RESERVED_STEPS: [&str; 3] = [INPUT_STAGE, SCORE_STAGE, MODEL_STEP];
/// The name under which the model draws and is named in errors.
pub const MODEL_STEP: &str = "model";
const DEFAULT_GOLDEN_ROWS: u32 = 16;
const MAX_GOLDEN_ROWS: u32 = 64;
/// More classes than this are refused: each is a column of scores.
pub const N_CLASSES_MAX: usize = 1_000;

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort();
    sorted
}

fn check_golden_rows(found: u32) -> Result<()> {
    if found <= MAX_GOLDEN_ROWS {
        return Ok(());
    }
    Err(bad(format!("expected golden_rows from 0 to {MAX_GOLDEN_ROWS}, found {found}")))
}

fn check_test_ratio(found: f64) -> Result<()> {
    // Written so that NaN is refused as well.
    if found > 0.0 && found < 1.0 {
        return Ok(());
    }
    Err(bad(format!("expected test_ratio between 0 and 1, found {found}")))
}

fn check_step_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(bad("expected a step name, found an empty one".to_owned()));
    }
    if RESERVED_STEPS.contains(&name) || name.chars().any(char::is_control) {
        let message = "expected a step name that is not reserved, in plain characters";
        return Err(bad(message.to_owned()).step(name));
    }
    Ok(())
}

fn check_task(model: &ModelParams, task: Task) -> Result<()> {
    if model.tasks().contains(&task) {
        return Ok(());
    }
    let known: Vec<String> = model.tasks().iter().map(|&task| task_name(task)).collect();
    let (known, found) = (known.join(" or "), task_name(task));
    let message = format!("expected task {known} for `{}`, found {found}", model.kind());
    Err(Error::new(Code::BadTarget, message).step(MODEL_STEP))
}

/// A task as a config writes it.
fn task_name(task: Task) -> String {
    format!("{task:?}").to_lowercase()
}

fn bad(message: String) -> Error {
    Error::new(Code::BadParameter, message)
}

impl DataConfig {
    fn validate(&self, target: &TargetConfig) -> Result<()> {
        if self.columns.len() > COLUMNS_MAX {
            let found = self.columns.len();
            return Err(bad(format!("expected at most {COLUMNS_MAX} columns, found {found}")));
        }
        for (name, column) in &self.columns {
            column.validate().map_err(|e| e.column(name))?;
        }
        if self.missing.iter().any(String::is_empty) {
            let message = "expected a text in `missing`, found an empty one";
            return Err(bad(message.to_owned()).remedy("an empty cell is missing in any case"));
        }
        if let Some(pair) = sorted(&self.missing).windows(2).find(|pair| pair[0] == pair[1]) {
            let message =
                format!("expected each text once in `missing`, found {:?} twice", pair[0]);
            return Err(bad(message));
        }
        columns::refuse_repeated(&self.key)?;
        for name in &self.key {
            if !self.columns.contains_key(name) {
                return Err(undeclared(name, "key"));
            }
            if *name == target.column {
                return Err(
                    Error::new(Code::BadTarget, "expected a key without the target").column(name)
                );
            }
        }
        if let Some(weight) = &self.weight {
            self.validate_weight(weight, target)?;
        }
        target.validate_classes()?;
        let Some(column) = self.columns.get(&target.column) else {
            return Err(undeclared(&target.column, "target"));
        };
        let fits = match (target.task, column.kind) {
            (Task::Regression, ColumnKind::Num) => target.positive.is_none(),
            (Task::Binary, ColumnKind::Num) => target.positive.is_none(),
            (Task::Binary, ColumnKind::Text) => target.positive.is_some(),
            (Task::Multiclass, ColumnKind::Num | ColumnKind::Text) => target.positive.is_none(),
            _ => false,
        };
        if !fits {
            return Err(Error::new(
                Code::BadTarget,
                format!(
                    "expected a target that task {} can use, found a {} column {} `positive`",
                    task_name(target.task),
                    column.kind,
                    if target.positive.is_some() { "with" } else { "without" },
                ),
            )
            .remedy("use a num column, or for task binary a text column with `positive`")
            .column(&target.column));
        }
        if target.task != Task::Regression && target.transform != TargetTransform::Identity {
            let message = "expected no `transform` of a target of classes, found one";
            return Err(Error::new(Code::BadTarget, message).column(&target.column));
        }
        Ok(())
    }

    fn validate_weight(&self, weight: &str, target: &TargetConfig) -> Result<()> {
        let Some(column) = self.columns.get(weight) else {
            return Err(undeclared(weight, "weight"));
        };
        if column.kind != ColumnKind::Num {
            let message = format!("expected a num column of weights, found {}", column.kind);
            return Err(bad(message).column(weight));
        }
        if weight == target.column || self.key.iter().any(|key| key == weight) {
            let message = "expected a weight that is neither target nor key, found one that is";
            return Err(bad(message.to_owned()).column(weight));
        }
        Ok(())
    }
}

impl SplitConfig {
    fn validate(&self, data: &DataConfig) -> Result<()> {
        check_test_ratio(self.test_ratio)?;
        match &self.group {
            Some(group) if !data.columns.contains_key(group) => Err(undeclared(group, "split")),
            _ => Ok(()),
        }
    }
}

fn undeclared(name: &str, place: &str) -> Error {
    let message = format!("expected a declared column in `{place}`, found another name");
    Error::new(Code::UnknownColumn, message).remedy("declare it under [data.columns]").column(name)
}
