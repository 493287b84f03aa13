//! A pipeline resolved to positions, ready to score.

use std::ops::Range;
use std::sync::Arc;

use super::{FittedState, Membership, Pipeline, Scores, table};
use crate::batch::{BLOCK_ROWS, Batch, ColumnKind, RowKeyer, Schema};
use crate::config::{Config, MODEL_STEP, RowFilter, StepParams};
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::faults::{self, Fault};
use crate::math;
use crate::par;
use crate::step::Output;
use crate::trace::INPUT_STAGE;

/// A compiled pipeline.
#[derive(Clone)]
pub struct Plan {
    pipeline: Pipeline,
    input: Arc<Schema>,
    keyer: RowKeyer,
    /// Positions of the declared key columns in the input; they leave before the first step.
    key_slots: Vec<usize>,
    /// The schema that the first step sees.
    pub(super) unkeyed: Arc<Schema>,
    pub(super) stages: Vec<Stage>,
    model_slots: Vec<usize>,
    classes: Vec<String>,
    population: Vec<RowFilter>,
}

#[derive(Clone)]
pub(super) struct Stage {
    pub(super) slots: Vec<usize>,
    pub(super) output: Arc<Schema>,
}

impl Plan {
    /// Resolves names to positions, and checks that the fitted state is what the config describes:
    /// kinds, columns and widths. A plan that exists cannot fail on a batch that [`Plan::bind`]
    /// accepted.
    ///
    /// # Errors
    /// If pipeline and config do not fit together: the artifact is damaged or forged.
    pub fn new(config: &Config, pipeline: Pipeline) -> Result<Self> {
        let differ = |what: &str| {
            Err(Error::new(
                Code::Malformed,
                format!("expected the fitted {what} to be what the config says, found another"),
            ))
        };
        if pipeline.input != config.input_schema()? || pipeline.key != config.data.key {
            return differ("input");
        }
        let n_outputs = config.target.n_outputs();
        if pipeline.task != config.target.task
            || pipeline.model.n_outputs() != n_outputs
            || pipeline.target != config.target.transform
        {
            return differ("target");
        }
        if pipeline.steps.len() != config.steps.len() {
            return differ("list of steps");
        }
        let mut plan = Plan::begin(config, pipeline)?;
        let mut schema = Arc::clone(&plan.unkeyed);
        for (step, declared) in plan.pipeline.steps.iter().zip(&config.steps) {
            let named = |e: Error| e.step(&step.name);
            let slots = resolve(declared, &schema).map_err(named)?;
            let columns: Vec<&str> = slots.iter().map(|&s| name_at(&schema, s)).collect();
            if step.name != declared.name
                || step.state.kind() != declared.params.kind()
                || step.columns != columns
            {
                return differ("step").map_err(named);
            }
            if !made(&declared.params, &step.state, &step.columns) {
                return differ("state").map_err(named);
            }
            schema = Arc::new(step.state.output(&schema, &slots).map_err(named)?);
            plan.stages.push(Stage { slots, output: Arc::clone(&schema) });
        }
        plan.model_slots = model_slots(&schema, config)?;
        if !schema.names().eq(plan.pipeline.features.iter().map(String::as_str))
            || plan.pipeline.model.kind() != config.model.kind()
        {
            return differ("model");
        }
        plan.pipeline.model.check(&schema).map_err(|e| e.step(MODEL_STEP))?;
        plan.classes.clone_from(&config.target.classes);
        plan.population.clone_from(&config.population);
        Ok(plan)
    }

    fn begin(config: &Config, pipeline: Pipeline) -> Result<Self> {
        let input = Arc::new(pipeline.input.clone());
        let (keyer, key_slots, unkeyed) = keying(config, &input)?;
        Ok(Plan {
            pipeline,
            input,
            keyer,
            key_slots,
            unkeyed,
            stages: Vec::new(),
            model_slots: Vec::new(),
            classes: Vec::new(),
            population: Vec::new(),
        })
    }

    /// The fitted pipeline.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The columns that a row must have.
    pub fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    /// The labels of a multiclass task, in the order of the scores; none for another task.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Which rows of `batch` are inside the population that the model was fitted on: a property of
    /// each row alone, as its score is.
    ///
    /// # Errors
    /// If the config has no filters, so that nothing can be told, or an input column is absent or
    /// of another kind.
    pub fn membership(&self, batch: &Batch) -> Result<Membership> {
        if self.population.is_empty() {
            let message = "expected an artifact that states its population, found no filter";
            return Err(Error::new(Code::Usage, message)
                .remedy("declare [[population]] in the config and fit again"));
        }
        table::bind_slots(batch.schema(), &self.input)?;
        Membership::of(&self.population, batch)
    }

    /// How many scores a row gets: one, or for a multiclass task one per class.
    pub fn n_outputs(&self) -> usize {
        self.pipeline.model.n_outputs()
    }

    /// The schema that the model sees.
    pub fn features(&self) -> &Schema {
        self.stages.last().map_or(&self.unkeyed, |stage| &stage.output)
    }

    /// The names of the stages: the input, then each step.
    pub fn stage_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(INPUT_STAGE).chain(self.pipeline.steps.iter().map(|s| s.name.as_str()))
    }

    /// The input columns out of whatever `batch` has, by name; extra columns are left out.
    ///
    /// # Errors
    /// If a column is absent or of another kind.
    pub fn bind(&self, batch: &Batch) -> Result<Batch> {
        table::bind(batch, &self.input)
    }

    /// Scores a block that has exactly the input columns, in place. Once `block` and `scores` are
    /// warm, a block of one row allocates nothing, a larger one only tables of its labels.
    ///
    /// # Errors
    /// Never on values; if the float mode of the thread has been changed.
    pub fn score_block(&self, block: &mut Batch, scores: &mut Scores) -> Result<()> {
        // The float mode belongs to the thread, and a library in it may have changed it.
        par::check_float_mode()?;
        self.key_block(block);
        for index in 0..self.stages.len() {
            self.step_block(index, block)?;
        }
        self.predict_block(block, scores)
    }

    /// Scores every row of `batch`, whatever other columns it has and in whatever order.
    ///
    /// # Errors
    /// If an input column is absent or of another kind, or the float mode of a thread has been
    /// changed.
    pub fn score(&self, batch: &Batch) -> Result<Scores> {
        let slots = table::bind_slots(batch.schema(), &self.input)?;
        let parts = par::map(&ranges(batch.n_rows()), |range| {
            let mut block = Batch::default();
            block.fill(&self.input, batch, &slots, range.clone());
            let mut scores = Scores::default();
            self.score_block(&mut block, &mut scores)?;
            Ok(scores)
        });
        let mut all = Scores::of_width(self.n_outputs());
        for part in parts {
            all.append(part?);
        }
        Ok(all)
    }

    /// The columns behind step `until` (behind the last one if `None`), in blocks in the order of
    /// the rows. Rows with a fault keep it in their block. There is one block at least, so that the
    /// schema is known for zero rows as well.
    ///
    /// # Errors
    /// If there is no such step, an input column is absent or of another kind, or the float mode of
    /// a thread has been changed.
    pub fn transform(&self, batch: &Batch, until: Option<&str>) -> Result<Vec<Batch>> {
        let n_steps = match until {
            None => self.stages.len(),
            Some(name) => self.stage_names().position(|n| n == name).ok_or_else(|| {
                let known: Vec<&str> = self.stage_names().collect();
                Error::new(
                    Code::Usage,
                    format!("expected a step, found `{name}`; there are {}", known.join(", ")),
                )
            })?,
        };
        let mut blocks = self.cut(batch)?;
        if blocks.is_empty() {
            blocks.push(self.bind(batch)?);
        }
        let done = par::map_mut(&mut blocks, |block| {
            par::check_float_mode()?;
            self.key_block(block);
            (0..n_steps).try_for_each(|index| self.step_block(index, block))
        });
        done.into_iter().collect::<Result<()>>()?;
        Ok(blocks)
    }

    /// The names of the columns of another output of the model, or `None` if it has none such.
    /// Those of a class have its label, as its score has.
    pub fn outputs(&self, output: Output) -> Option<Vec<String>> {
        let names = self.pipeline.model.outputs(output, self.features())?;
        Some(labelled(names, output, &self.classes))
    }

    /// The score from which a row of a binary task is of class 1.
    pub fn threshold(&self) -> f64 {
        self.pipeline.model.threshold().unwrap_or(0.5)
    }

    /// Another output of the model for every row: as many values as [`Plan::outputs`] names.
    ///
    /// # Errors
    /// If the model does not have it, or an input column is absent or of another kind.
    pub fn output(&self, output: Output, batch: &Batch) -> Result<Scores> {
        let Some(names) = self.outputs(output) else {
            let kind = self.pipeline.model.kind();
            let name = format!("{output:?}").to_lowercase();
            let message = format!("expected a model that has a {name}, found `{kind}`");
            return Err(Error::new(Code::Usage, message)
                .remedy("every model has a score; the importance of columns asks for no more")
                .step(MODEL_STEP));
        };
        let width = names.len().max(1);
        let mut blocks = self.transform(batch, None)?;
        let parts = par::map_mut(&mut blocks, |block| {
            par::check_float_mode()?;
            let mut scores = Scores::default();
            let values = scores.open(block.n_rows(), width);
            self.pipeline.model.output(output, block, &self.model_slots, values)?;
            values.iter_mut().for_each(|x| *x = math::canonical(*x));
            block.name_faults(MODEL_STEP);
            scores.close(block.keys(), block.faults());
            Ok(scores)
        });
        let mut all = Scores::of_width(width);
        for part in parts {
            all.append(part?);
        }
        Ok(all)
    }

    /// The input columns of a batch in blocks.
    pub(super) fn cut(&self, batch: &Batch) -> Result<Vec<Batch>> {
        let slots = table::bind_slots(batch.schema(), &self.input)?;
        Ok(par::map(&ranges(batch.n_rows()), |range| {
            let mut block = Batch::default();
            block.fill(&self.input, batch, &slots, range.clone());
            block
        }))
    }

    pub(super) fn key_block(&self, block: &mut Batch) {
        if faults::on(Fault::DroppedRow) {
            *block = block.select(&(1..block.n_rows()).collect::<Vec<_>>());
        }
        block.keep_faults_unnamed();
        self.keyer.key(block);
        block.remove(&self.key_slots);
        block.set_schema(&self.unkeyed);
    }

    pub(super) fn step_block(&self, index: usize, block: &mut Batch) -> Result<()> {
        let (step, stage) = (&self.pipeline.steps[index], &self.stages[index]);
        step_block(step, stage, block)
    }

    pub(super) fn predict_block(&self, block: &mut Batch, scores: &mut Scores) -> Result<()> {
        let model = &self.pipeline.model;
        let width = model.n_outputs();
        let values = scores.open(block.n_rows(), width);
        model.predict(block, &self.model_slots, values).map_err(|e| e.step(MODEL_STEP))?;
        for (at, score) in values.iter_mut().enumerate() {
            *score = math::canonical(self.pipeline.target.inverse(*score));
            if !score.is_finite() && !block.has_fault(at / width) {
                let found = crate::batch::Value::Num(*score);
                let message = format!("expected a finite score, found {found}");
                block.fault_row(at / width, Error::new(Code::NotFinite, message));
            }
        }
        block.name_faults(MODEL_STEP);
        scores.close(block.keys(), block.faults());
        Ok(())
    }
}

/// Names that a model numbers by class, with the labels in the place of the numbers.
fn labelled(mut names: Vec<String>, output: Output, classes: &[String]) -> Vec<String> {
    let lead = match output {
        Output::Margin => "margin_",
        Output::Contribution => "contribution_",
        Output::Leaf => return names,
    };
    if classes.is_empty() || names.len() % classes.len() != 0 {
        return names;
    }
    let width = names.len() / classes.len();
    for place in 0..names.len() {
        let class = place / width;
        let Some(rest) = names[place].strip_prefix(&format!("{lead}{class}")) else {
            continue;
        };
        let mut name = format!("{lead}{}{rest}", classes[class]);
        while names[..place].contains(&name) {
            name.push('_');
        }
        names[place] = name;
    }
    names
}

/// Whether what a state repeats of its params is what they say.
fn made(params: &StepParams, state: &FittedState, columns: &[String]) -> bool {
    match (params, state) {
        (StepParams::Transform(p), FittedState::Transform(t)) => p.made(t, columns),
        (StepParams::Selector(p), FittedState::Selector(s)) => p.kind() == s.kind(),
        _ => false,
    }
}

/// Applies one fitted step to a block.
pub(super) fn step_block(step: &super::FittedStep, stage: &Stage, block: &mut Batch) -> Result<()> {
    let keys = faults::on(Fault::DrawByBatchPosition).then(|| number_rows(block));
    step.state.apply(block, &stage.slots).map_err(|e| e.step(&step.name))?;
    if let Some(keys) = keys {
        block.set_keys(keys);
    }
    block.name_faults(&step.name);
    block.set_schema(&stage.output);
    Ok(())
}

/// For a fault: puts each row's position in the place of its key, which it gives back.
fn number_rows(block: &mut Batch) -> Vec<RowKey> {
    let keys = block.keys().to_vec();
    block.set_keys((0..block.n_rows() as u128).map(RowKey).collect());
    keys
}

/// The keyer, the positions of the declared key columns, and the schema without them.
pub(super) fn keying(
    config: &Config,
    input: &Schema,
) -> Result<(RowKeyer, Vec<usize>, Arc<Schema>)> {
    let keyer = RowKeyer::new(input, &config.data.key)?;
    let mut key_slots: Vec<usize> =
        config.data.key.iter().map(|name| input.slot(name)).collect::<Result<_>>()?;
    key_slots.sort();
    let unkeyed = Arc::new(input.without(&key_slots));
    Ok((keyer, key_slots, unkeyed))
}

/// The positions of a step's columns and references.
pub(super) fn resolve(step: &crate::config::StepConfig, schema: &Schema) -> Result<Vec<usize>> {
    let mut slots = step.columns.resolve(schema, step.params.accepts())?;
    for name in step.params.references() {
        slots.push(schema.slot(&name)?);
    }
    Ok(slots)
}

/// Every column is a feature and must be of a kind that the model accepts.
pub(super) fn model_slots(schema: &Schema, config: &Config) -> Result<Vec<usize>> {
    let accepted = config.model.accepts();
    if let Some(field) = schema.fields().iter().find(|f| !accepted.contains(&f.kind)) {
        let kinds: Vec<String> = accepted.iter().map(ColumnKind::to_string).collect();
        return Err(Error::new(
            Code::NoModelColumns,
            format!(
                "expected only {} columns for the model, found {}",
                kinds.join(" or "),
                field.kind
            ),
        )
        .column(&field.name)
        .step(MODEL_STEP)
        .remedy("encode, cast or drop it in a step"));
    }
    if schema.is_empty() {
        return Err(Error::new(
            Code::NoModelColumns,
            "expected a column for the model, found none",
        )
        .step(MODEL_STEP));
    }
    Ok((0..schema.len()).collect())
}

pub(super) fn name_at(schema: &Schema, slot: usize) -> &str {
    &schema.fields()[slot].name
}

fn ranges(n_rows: usize) -> Vec<Range<usize>> {
    (0..n_rows).step_by(BLOCK_ROWS).map(|start| start..(start + BLOCK_ROWS).min(n_rows)).collect()
}
