//! What a user declares: columns, target, split, steps, model, seed. From strict TOML or from a
//! builder.
//!
//! Both ways give the same [`Config`], hence the same fingerprint and the same artifact. Defaults
//! are filled in when a config is read, so the stored form spells every parameter. Unknown keys are
//! errors with their place. The source of the rows is not part of the fingerprint: the same rows
//! from another file are the same fit.

mod canonical;
mod columns;
mod data;
mod drift;
mod on_max_iter;
mod peers;
mod places;
mod population;
mod read;
mod step;
mod target;
mod task;
mod words;
mod write;
mod zone;

use serde::{Deserialize, Serialize};

use crate::batch::{ColumnKind, Field, Schema};
use crate::codec;
use crate::digest::{Fingerprint, Hasher};
use crate::error::{Code, Error, Result};
use crate::models::ModelParams;
use crate::rng::Seed;

pub use columns::Columns;
pub use data::{ColumnConfig, DataConfig, SplitConfig};
pub use drift::DriftLimits;
pub use on_max_iter::OnMaxIter;
pub use population::{Bound, MissingRows, RowFilter};
pub use read::ColumnForm;
pub use step::{StepConfig, StepParams};
pub use target::{Labels, N_CLASSES_MAX, TargetConfig, TargetTransform, Task};
pub use zone::Zone;

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
    /// What becomes of an iterative fit of the model that ends at its cap; each model's own rule
    /// where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_max_iter: Option<OnMaxIter>,
    /// How many rows the artifact carries as its self-test, 0 to 64. They are training rows.
    pub golden_rows: u32,
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
            on_max_iter: None,
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
            drift.check_columns(&self.data)?;
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
        self.steps.iter().try_for_each(StepConfig::validate)?;
        let named = |e: Error| e.step(MODEL_STEP);
        self.model.validate().map_err(named)?;
        canonical::check(&self.model).map_err(named)?;
        self.model.check_class_weights(&self.target).map_err(named)?;
        task::check(&self.model, self.target.task)?;
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
        write::toml(self)
    }
}

/// The name under which the model draws and is named in errors.
pub const MODEL_STEP: &str = "model";
const DEFAULT_GOLDEN_ROWS: u32 = 16;
const MAX_GOLDEN_ROWS: u32 = 64;
fn check_golden_rows(found: u32) -> Result<()> {
    if found <= MAX_GOLDEN_ROWS {
        return Ok(());
    }
    Err(bad(format!("expected golden_rows from 0 to {MAX_GOLDEN_ROWS}, found {found}")))
}

fn bad(message: String) -> Error {
    Error::new(Code::BadParameter, message)
}

fn undeclared(name: &str, place: &str) -> Error {
    let message = format!("expected a declared column in `{place}`, found another name");
    Error::new(Code::UnknownColumn, message).remedy("declare it under [data.columns]").column(name)
}
