//! The one door: it validates, keys rows, binds columns by name, and names the step in every error.
//!
//! [`Table`], in memory, or [`StreamedTable`] is what a fit gets, [`Pipeline`] what it gives,
//! [`Plan`] what scores. A plan resolves
//! names to positions once; its operations per row are those of each step's `apply`, whether the
//! batch holds one row or a million. Research and deploy both score through a plan: there is no
//! other way.
//!
//! **Order of a row's life.** Bind input columns by name (extra columns are ignored); key the row;
//! drop the declared key columns, which are never features; apply the steps; predict; undo the
//! target's transform. n rows in, n results out: a row that a step or the model cannot handle gets
//! the first reason instead of a score.

mod fit;
mod fit_rows;
mod ledger;
mod plan;
mod population;
mod scores;
mod streamed;
mod table;
mod target;
mod traced;

use serde::{Deserialize, Serialize};

use crate::batch::Schema;
use crate::config::{TargetTransform, Task};
use crate::error::Result;
use crate::models::AnyModel;
use crate::selectors::AnySelector;
use crate::transforms::AnyTransform;

pub use fit::{Fitted, fit, fit_heard};
pub use fit_rows::FitRows;
pub(crate) use ledger::check_keys;
pub use plan::Plan;
pub use population::{FilterCounts, INSIDE, Membership, PopulationCounts};
pub use scores::Scores;
pub use streamed::{StreamedRows, StreamedTable};
pub use table::Table;

pub use crate::step::check_width;

/// A fitted pipeline: everything that a score depends on besides the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// The columns that a row must have, in name order.
    pub input: Schema,
    /// The declared key columns; empty means that the whole row is its key.
    pub key: Vec<String>,
    /// What a score is.
    pub task: Task,
    /// What is undone after each prediction.
    pub target: TargetTransform,
    /// The fitted steps in order.
    pub steps: Vec<FittedStep>,
    /// The columns that the model sees, in its order.
    pub features: Vec<String>,
    /// The fitted model.
    pub model: AnyModel,
}

impl Pipeline {
    /// The model's facts; those of a class have its label, one of `classes` in their order.
    pub fn facts(&self, classes: &[String]) -> Vec<(String, f64)> {
        let mut facts = self.model.facts();
        for (name, values) in self.model.class_facts() {
            for (class, value) in values.into_iter().enumerate() {
                let label = classes.get(class).cloned().unwrap_or_else(|| class.to_string());
                facts.push((format!("{name} of class {label}"), value));
            }
        }
        facts
    }
}

/// A step after its fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedStep {
    /// The step's name.
    pub name: String,
    /// Its columns, then its references, by name.
    pub columns: Vec<String>,
    /// What it learned.
    pub state: FittedState,
}

/// What a step learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedState {
    /// A transform's state.
    Transform(AnyTransform),
    /// A selector's finding.
    Selector(AnySelector),
}

impl FittedState {
    /// The tag.
    pub fn kind(&self) -> &'static str {
        match self {
            FittedState::Transform(t) => t.kind(),
            FittedState::Selector(s) => s.kind(),
        }
    }

    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        match self {
            FittedState::Transform(t) => t.output(input, slots),
            FittedState::Selector(s) => crate::step::Transform::output(s.selection(), input, slots),
        }
    }

    fn apply(&self, batch: &mut crate::batch::Batch, slots: &[usize]) -> Result<()> {
        match self {
            FittedState::Transform(t) => t.apply(batch, slots),
            FittedState::Selector(s) => crate::step::Transform::apply(s.selection(), batch, slots),
        }
    }
}
