//! The fit: step by step through [`Rows`], each step seeing what the steps before it made.
//!
//! Behind each step all rows are looked at once: whether one could not be transformed, and what
//! became of the golden rows. Where rows are streamed, that is a pass over the source per step,
//! besides those that the steps and the model need.

use std::sync::Arc;

use super::plan::{self, Stage};
use super::{FitRows, FittedState, FittedStep, Pipeline, PopulationCounts};
use crate::aggregate::Rows;
use crate::artifact::{Golden, Profile};
use crate::batch::Batch;
use crate::config::{Config, MODEL_STEP, OnMaxIter, StepConfig, StepParams, Task};
use crate::error::{Code, Error, Result};
use crate::step::{FitContext, Progress};
use crate::trace::{INPUT_STAGE, RowOrder, StageDigest};

/// What a fit gives: the pipeline, and what the artifact says about the fit.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The fitted pipeline.
    pub pipeline: Pipeline,
    /// The number of rows fitted on.
    pub n_rows: u64,
    /// What the filters of the population saw and kept: whoever made the rows sets it, from
    /// [`Table::population`](super::Table::population).
    pub population: Option<PopulationCounts>,
    /// Counts and ranges of the input columns.
    pub profile: Profile,
    /// Training rows with what every stage made of them.
    pub golden: Golden,
}

/// Fits `config` on `rows`, whose schema is the config's input schema. Uses the threads of the
/// surrounding [`Threads::run`](crate::par::Threads::run).
///
/// # Errors
/// The first thing that the config or the data make impossible, with step, column and row.
pub fn fit(config: &Config, rows: impl Into<FitRows>) -> Result<Fitted> {
    fit_heard(config, rows, &|_, _, _| ())
}

/// The same, telling `hear` how far it is: the step under way, and so much done of so much. The
/// steps before the model count one each.
///
/// # Errors
/// As [`fit`].
pub fn fit_heard(
    config: &Config,
    rows: impl Into<FitRows>,
    hear: &(dyn Fn(&str, u64, u64) + Sync),
) -> Result<Fitted> {
    let mut rows = rows.into();
    config.validate()?;
    crate::par::check_float_mode()?;
    let input = Arc::clone(rows.schema());
    let n_rows = rows.n_rows() as u64;
    if n_rows == 0 {
        return Err(Error::new(Code::TooFewRows, "expected rows to fit on, found none"));
    }
    if config.target.task == Task::Binary {
        check_classes(&rows).map_err(|e| e.column(&config.target.column))?;
    }
    let profile = Profile::of(&rows, &config.data.key)?;
    let mut golden_run = GoldenRun::new(config, &rows)?;
    let (_, key_slots, unkeyed) = plan::keying(config, &input)?;
    let forward = config.target.transform;
    let bare = Arc::clone(&unkeyed);
    rows.apply(&unkeyed, move |block| {
        block.remove(&key_slots);
        block.set_schema(&bare);
        block.target_mut().iter_mut().for_each(|y| *y = forward.forward(*y));
        Ok(())
    })?;
    golden_run.record(INPUT_STAGE, &rows, rows.pick(&golden_run.places)?);

    let n_steps = config.steps.len();
    let mut steps = Vec::with_capacity(n_steps);
    for (place, declared) in config.steps.iter().enumerate() {
        hear(&declared.name, place as u64, n_steps as u64);
        let (step, stage) =
            fit_step(config, declared, &rows).map_err(|e| e.step(&declared.name))?;
        let (made, output) = (step.clone(), Arc::clone(&stage.output));
        rows.apply(&output, move |block| plan::step_block(&made, &stage, block))?;
        golden_run.record(&step.name, &rows, rows.survey(&golden_run.places)?);
        steps.push(step);
    }

    let schema = Arc::clone(rows.schema());
    let slots = plan::model_slots(&schema, config)?;
    hear(MODEL_STEP, 0, 1);
    let hear_model = |done: u64, total: u64| hear(MODEL_STEP, done, total);
    let ctx = FitContext {
        progress: Progress::new(&hear_model),
        on_max_iter: config.on_max_iter,
        target: &config.target.column,
        ..context(config, MODEL_STEP, &schema, &slots)
    };
    let model = config.model.fit(&rows, &ctx).map_err(|e| e.step(MODEL_STEP))?;
    OnMaxIter::judge(config.on_max_iter, &model).map_err(|e| e.step(MODEL_STEP))?;
    model.check(&schema).map_err(|e| out_of_range(&e))?;
    let pipeline = Pipeline {
        input: input.as_ref().clone(),
        key: config.data.key.clone(),
        task: config.target.task,
        target: forward,
        steps,
        features: schema.names().map(str::to_owned).collect(),
        model,
    };
    let golden = golden_run.finish(config, &pipeline)?;
    Ok(Fitted { pipeline, n_rows, population: None, profile, golden })
}

/// A fit whose state its own check refuses has left the range of numbers.
fn out_of_range(error: &Error) -> Error {
    let message = format!("expected a fit within the range of numbers, but {}", error.message());
    Error::new(Code::NotFinite, message)
        .remedy("scale the columns, or bring the parameters nearer to their defaults")
        .step(MODEL_STEP)
}

/// Both classes must be left where rows were kept from the fit.
fn check_classes(rows: &FitRows) -> Result<()> {
    if rows.any_target(|y| y == 1.0) && rows.any_target(|y| y != 1.0) {
        return Ok(());
    }
    let message = "expected rows of two classes to fit on, found one";
    Err(Error::new(Code::TooFewRows, message)
        .remedy("keep fewer rows or other groups from the fit"))
}

fn fit_step(config: &Config, declared: &StepConfig, rows: &FitRows) -> Result<(FittedStep, Stage)> {
    let schema = Arc::clone(rows.schema());
    let slots = plan::resolve(declared, &schema)?;
    let ctx = context(config, &declared.name, &schema, &slots);
    let state = match &declared.params {
        StepParams::Transform(p) => FittedState::Transform(p.fit(rows, &ctx)?),
        StepParams::Selector(p) => FittedState::Selector(p.fit(rows, &ctx)?),
    };
    let output = state.output(&schema, &slots).map_err(|e| match e.code() {
        Code::DuplicateColumn => e.coded(Code::NameTaken),
        _ => e,
    });
    let output = Arc::new(output?);
    let columns = ctx.names();
    Ok((FittedStep { name: declared.name.clone(), columns, state }, Stage { slots, output }))
}

fn context<'a>(
    config: &'a Config,
    step: &'a str,
    schema: &'a crate::batch::Schema,
    slots: &'a [usize],
) -> FitContext<'a> {
    let target = &config.target;
    FitContext::new(step, config.seed, target.task, schema, slots)
        .classes(target.n_classes())
        .labels(target.labels())
}

/// Follows the golden rows through the fit, so that what the artifact records is what training saw.
struct GoldenRun {
    places: Vec<(usize, usize)>,
    raw: Option<Batch>,
    stages: Vec<StageDigest>,
}

impl GoldenRun {
    fn new(config: &Config, rows: &FitRows) -> Result<Self> {
        let places = rows.smallest_keys(config.golden_rows as usize);
        let raw = rows.pick(&places)?;
        Ok(GoldenRun { places, raw, stages: Vec::new() })
    }

    /// Takes down what became of them.
    fn record(&mut self, name: &str, rows: &FitRows, golden: Option<Batch>) {
        if let Some(batch) = golden {
            let blocks = [batch];
            let order = RowOrder::new(&blocks);
            self.stages.push(order.stage(name, rows.schema(), &blocks));
        }
    }

    fn finish(self, config: &Config, pipeline: &Pipeline) -> Result<Golden> {
        match self.raw {
            None => Ok(Golden::default()),
            Some(raw) => Golden::record(config, pipeline, &raw, self.stages),
        }
    }
}
