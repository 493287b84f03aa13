//! Every example of every registry as one case.

use std::collections::BTreeMap;

use samescore_core::aggregate::Rows;
use samescore_core::batch::ColumnKind;
use samescore_core::config::{Columns, StepConfig, StepParams, Task};
use samescore_core::error::Result;
use samescore_core::models::ModelParams;
use samescore_core::rng::Seed;
use samescore_core::selectors::SelectorParams;
use samescore_core::step::FitContext;
use samescore_core::transforms::TransformParams;

use super::run::State;
use super::{run, tables};

/// The name under which the step under test draws.
pub const STEP: &str = "step";

/// One example of one kind.
#[derive(Clone, Debug)]
pub struct Case {
    /// `kind__n`, counted from 1 for each kind.
    pub name: String,
    /// Its columns of the example table.
    pub columns: Columns,
    /// Its params.
    pub params: Params,
    /// The tasks in which it can be fitted.
    pub tasks: Vec<Task>,
}

/// The params of any room.
#[derive(Clone, Debug, PartialEq)]
pub enum Params {
    /// Of a transform.
    Transform(TransformParams),
    /// Of a selector.
    Selector(SelectorParams),
    /// Of a model.
    Model(ModelParams),
}

impl Params {
    pub fn kind(&self) -> &'static str {
        match self {
            Params::Transform(p) => p.kind(),
            Params::Selector(p) => p.kind(),
            Params::Model(p) => p.kind(),
        }
    }

    pub fn draws(&self) -> bool {
        match self {
            Params::Transform(p) => p.draws(),
            Params::Selector(p) => p.draws(),
            Params::Model(p) => p.draws(),
        }
    }

    pub fn accepts(&self) -> &'static [ColumnKind] {
        match self {
            Params::Transform(p) => p.accepts(),
            Params::Selector(p) => p.accepts(),
            Params::Model(p) => p.accepts(),
        }
    }

    /// Whether a fit honours the weights of rows.
    pub fn weighs(&self) -> bool {
        matches!(self, Params::Model(p) if p.weighs())
    }

    pub fn references(&self) -> Vec<String> {
        match self {
            Params::Transform(p) => p.references(),
            _ => Vec::new(),
        }
    }

    pub fn validate(&self) -> Result<()> {
        match self {
            Params::Transform(p) => p.validate(),
            Params::Selector(p) => p.validate(),
            Params::Model(p) => p.validate(),
        }
    }

    /// The params as those of a step; a model is none.
    pub fn step(&self) -> Option<StepParams> {
        match self {
            Params::Transform(p) => Some(StepParams::Transform(p.clone())),
            Params::Selector(p) => Some(StepParams::Selector(p.clone())),
            Params::Model(_) => None,
        }
    }

    pub fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<State> {
        Ok(match self {
            Params::Transform(p) => State::Transform(p.fit(rows, ctx)?),
            Params::Selector(p) => State::Selector(p.fit(rows, ctx)?),
            Params::Model(p) => State::Model(p.fit(rows, ctx)?),
        })
    }
}

impl Case {
    /// The case as a step of a config; a model is none.
    pub fn step(&self) -> Option<StepConfig> {
        Some(StepConfig {
            name: STEP.to_owned(),
            columns: self.columns.clone(),
            params: self.params.step()?,
        })
    }

    /// The task for a table: the tasks take turns.
    pub fn task(&self, turn: u64) -> Task {
        self.tasks[turn as usize % self.tasks.len()]
    }
}

/// Every example of every registry, in the order of the registries.
///
/// # Panics
/// If an example is invalid, or cannot be fitted on the example table for any task.
pub fn cases() -> Vec<Case> {
    let transforms = TransformParams::examples().into_iter();
    let selectors = SelectorParams::examples().into_iter();
    let models = ModelParams::examples().into_iter();
    let all = transforms
        .map(|e| (e.columns, Params::Transform(e.params)))
        .chain(selectors.map(|e| (e.columns, Params::Selector(e.params))))
        .chain(models.map(|e| (e.columns, Params::Model(e.params))));
    let mut n_of_kind: BTreeMap<&str, u32> = BTreeMap::new();
    all.map(|(columns, params)| {
        let n = n_of_kind.entry(params.kind()).or_default();
        *n += 1;
        let name = format!("{}__{n}", params.kind());
        let tasks = Vec::new();
        with_tasks(Case { name, columns, params, tasks })
    })
    .collect()
}

fn with_tasks(mut case: Case) -> Case {
    if let Err(error) = case.params.validate() {
        panic!("{}: the example is invalid: {error}", case.name);
    }
    let mut reasons = String::new();
    for task in [Task::Regression, Task::Binary, Task::Multiclass] {
        // What classes mean is the model's business; a step sees numbers either way.
        let can = match &case.params {
            Params::Model(p) => p.tasks().contains(&task),
            _ => task != Task::Multiclass,
        };
        if !can {
            continue;
        }
        let batch = tables::keyed(&tables::example(0, 60), task);
        let rows = tables::rows(&batch, 64);
        match run::fit(&case, task, &rows, Seed(7)) {
            Ok(_) => case.tasks.push(task),
            Err(error) => reasons += &format!("\n  {task:?}: {error}"),
        }
    }
    assert!(
        !case.tasks.is_empty(),
        "{}: the example does not fit the example table:{reasons}",
        case.name
    );
    case
}
