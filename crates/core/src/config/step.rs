//! The steps, one by one.

use serde::{Deserialize, Serialize};

use super::{Columns, MODEL_STEP, bad, canonical};
use crate::batch::ColumnKind;
use crate::error::Result;
use crate::selectors::SelectorParams;
use crate::trace::{INPUT_STAGE, SCORE_STAGE};
use crate::transforms::TransformParams;

/// What traces and errors call the stages that are no steps.
const RESERVED_STEPS: [&str; 3] = [INPUT_STAGE, SCORE_STAGE, MODEL_STEP];

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

    pub(super) fn validate(&self) -> Result<()> {
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

impl StepConfig {
    pub(super) fn validate(&self) -> Result<()> {
        check_step_name(&self.name)?;
        let checks = || -> Result<()> {
            self.columns.validate()?;
            self.params.validate()?;
            canonical::check(&self.params)
        };
        checks().map_err(|e| e.step(&self.name))
    }
}

pub(super) fn check_step_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(bad("expected a step name, found an empty one".to_owned()));
    }
    if RESERVED_STEPS.contains(&name) || name.chars().any(char::is_control) {
        let message = "expected a step name that is not reserved, in plain characters";
        return Err(bad(message.to_owned()).step(name));
    }
    Ok(())
}
