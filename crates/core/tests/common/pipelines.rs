//! A case inside a whole pipeline: the step, then whatever registered kinds turn what is left into
//! numbers without a gap, then the first registered model that can be fitted on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Column, ColumnKind, Schema};
use samescore_core::config::{Columns, Config, StepConfig, Task};
use samescore_core::error::Result;
use samescore_core::example;
use samescore_core::models::ModelParams;
use samescore_core::pipeline::{self, Table};
use samescore_core::rng::Seed;
use samescore_core::transforms::TransformParams;

use super::cases::{Case, Params};
use super::{run, tables};

/// Columns that every pipeline has besides those of its case.
pub const COMPANIONS: [&str; 2] = ["area", "rooms"];

/// The case in a pipeline over `table`. Where no model takes a constant column, the case goes
/// without it.
///
/// # Errors
/// In words, if the registry has nothing that closes the pipeline.
pub fn config(case: &Case, task: Task, table: &Batch) -> Result<Config, String> {
    let found = closed(case, task, table);
    let Some(named) = &case.columns.named else {
        return found;
    };
    let varies = |name: &String| {
        let slot = table.schema().slot(name);
        slot.is_ok_and(|s| (1..table.n_rows()).any(|row| differ(table.column(s), 0, row)))
    };
    found.or_else(|reasons| {
        let mut varied = case.clone();
        varied.columns.named = Some(named.iter().filter(|n| varies(n)).cloned().collect());
        closed(&varied, task, table).map_err(|_| reasons)
    })
}

fn differ(column: &Column, row: usize, other: usize) -> bool {
    run::cell(column, row) != run::cell(column, other)
}

fn closed(case: &Case, task: Task, table: &Batch) -> Result<Config, String> {
    let features = tables::keyed(table, task);
    let mut config = declared(case, task, features.schema());
    let Some(step) = case.step() else {
        return Ok(config);
    };
    let gone = features.schema().names().enumerate();
    let gone = gone.filter(|(_, name)| !config.data.columns.contains_key(*name));
    let gone: Vec<usize> = gone.map(|(slot, _)| slot).collect();
    let mut features = remove(&features, &gone);
    features = applied(case, task, &features).map_err(|e| e.to_string())?;
    config.steps.push(step);
    for stage in 0..OPEN.len() {
        close(stage, task, &mut features, &mut config.steps)?;
    }
    let mut reasons = String::new();
    for model in ModelParams::examples() {
        let params = &model.params;
        let is_plain = params.accepts() == [ColumnKind::Num] && !params.draws();
        if !params.tasks().contains(&task) || !is_plain {
            continue;
        }
        config.model = model.params;
        match Table::new(&config, table).and_then(|t| pipeline::fit(&config, t.into_rows())) {
            Ok(_) => return Ok(config),
            Err(error) => reasons += &format!("\n    {}: {error}", config.model.kind()),
        }
    }
    Err(format!("no model can be fitted behind it:{reasons}"))
}

/// Fits and seals.
pub fn seal(config: &Config, table: &Batch, block_rows: usize) -> Result<Artifact> {
    let table = Table::with_block_rows(config, table, block_rows)?;
    let fingerprint = table.fingerprint();
    let fitted = pipeline::fit(config, table.into_rows())?;
    Artifact::seal(config, fingerprint, fitted, BTreeMap::new())
}

fn declared(case: &Case, task: Task, schema: &Schema) -> Config {
    let slots = run::slots(case, schema).expect("the example's columns");
    let mut names: BTreeSet<&str> =
        slots.iter().map(|&slot| schema.fields()[slot].name.as_str()).collect();
    names.extend(case.columns.except.iter().map(String::as_str));
    let model = match &case.params {
        Params::Model(p) => p.clone(),
        _ => {
            names.extend(COMPANIONS);
            ModelParams::examples().swap_remove(0).params
        }
    };
    let mut config = example::config(task, model);
    let target = config.target.column.clone();
    let columns = &mut config.data.columns;
    columns.retain(|name, _| *name == target || names.contains(name.as_str()));
    config.seed = Seed(7);
    config
}

/// Whether a column cannot go into a model as it is.
type Open = fn(&Column) -> bool;

const OPEN: &[(&str, Open)] = &[
    // A time may become a text, which the next step closes.
    ("close_time", |c| c.kind() == ColumnKind::Time),
    ("close_text", |c| c.kind() == ColumnKind::Text),
    ("close_missing", |c| matches!(c, Column::Num(v) if v.iter().any(|x| !x.is_finite()))),
];

/// Adds a step that leaves no column open for this stage or one before, if there is an open one.
fn close(
    stage: usize,
    task: Task,
    features: &mut Batch,
    steps: &mut Vec<StepConfig>,
) -> Result<(), String> {
    let (name, open) = OPEN[stage];
    let fields = features.schema().fields().iter().zip(features.columns());
    let columns = fields.filter(|(_, column)| open(column));
    let columns: Vec<&str> = columns.map(|(field, _)| field.name.as_str()).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let candidates = all_transforms().filter_map(|params| {
        let case = Case {
            name: name.to_owned(),
            columns: Columns::named(&columns),
            params: Params::Transform(params),
            tasks: Vec::new(),
        };
        let usable = !case.params.draws()
            && case.params.references().is_empty()
            && case.params.validate().is_ok();
        let after = applied(&case, task, features).ok().filter(|_| usable)?;
        let is_open = |column: &Column| OPEN[..=stage].iter().any(|(_, open)| open(column));
        let closed = after.faults().is_empty() && !after.columns().iter().any(is_open);
        closed.then_some((case, after))
    });
    // A closer that keeps the columns says more about the step before it than one that drops them.
    let change = |after: &Batch| after.schema().len().abs_diff(features.schema().len());
    let best = candidates.min_by_key(|(_, after)| change(after));
    let (case, after) = best.ok_or(format!("no kind can be the step `{name}` on {columns:?}"))?;
    let step = case.step().ok_or("a transform is a step")?;
    steps.push(StepConfig { name: name.to_owned(), ..step });
    *features = after;
    Ok(())
}

fn all_transforms() -> impl Iterator<Item = TransformParams> {
    let tags = TransformParams::KINDS.iter();
    let defaults = tags.filter_map(|kind| TransformParams::default_of(kind.tag));
    defaults.chain(TransformParams::examples().into_iter().map(|e| e.params))
}

/// Steps of every kind that can stand in a pipeline on a complete column and leaves it as it is:
/// they change nothing, though some of them draw.
pub fn bystanders(task: Task, table: &Batch) -> Vec<StepConfig> {
    let features = tables::keyed(table, task);
    let idle = all_transforms().filter_map(|params| {
        let case = Case {
            name: "bystander".to_owned(),
            columns: Columns::named(&COMPANIONS[..1]),
            params: Params::Transform(params),
            tasks: Vec::new(),
        };
        let usable = case.params.references().is_empty() && case.params.validate().is_ok();
        let after = applied(&case, task, &features).ok().filter(|_| usable)?;
        let same = after.schema() == features.schema()
            && after.keys() == features.keys()
            && (0..after.schema().len()).all(|slot| {
                let (a, b) = (after.column(slot), features.column(slot));
                (0..after.n_rows()).all(|row| run::cell(a, row) == run::cell(b, row))
            });
        case.step().filter(|_| same)
    });
    let named =
        idle.enumerate().map(|(i, step)| StepConfig { name: format!("bystander {i}"), ..step });
    named.collect()
}

/// What the case makes of a batch on which it is fitted, with keys and targets.
fn applied(case: &Case, task: Task, batch: &Batch) -> Result<Batch> {
    let slots = run::slots(case, batch.schema())?;
    let state = run::fit(case, task, &tables::rows(batch, 64), Seed(7))?;
    let schema = Arc::new(state.output(batch.schema(), &slots)?);
    let mut changed = batch.clone();
    let columns = state.apply_to(&mut changed, &slots)?;
    with_rows(batch, schema, columns)
}

fn remove(batch: &Batch, slots: &[usize]) -> Batch {
    let mut kept = batch.clone();
    kept.remove(slots);
    let schema = Arc::new(batch.schema().without(slots));
    with_rows(batch, schema, kept.columns().to_vec()).expect("columns of the batch")
}

fn with_rows(batch: &Batch, schema: Arc<Schema>, columns: Vec<Column>) -> Result<Batch> {
    let mut rows = Batch::new(schema, columns)?;
    rows.set_keys(batch.keys().to_vec());
    rows.set_target(batch.target().to_vec(), batch.fit_keys().to_vec());
    Ok(rows)
}
