//! `fit`: a config and rows to an artifact.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use samescore_core::batch::Batch;
use samescore_core::config::{Config, MODEL_STEP, RowFilter};
use samescore_core::par::Threads;
use samescore_core::pipeline::PopulationCounts;
use samescore_core::rng::Seed;
use samescore_research::gather::SourceBlocks;
use samescore_research::stream::HeardBlocks;
use samescore_research::workflow::Outcome;
use samescore_research::{output_file, render, workflow};
use serde_json::json;

use super::failure::Failure;
use super::folding;
use super::load::{DataArgs, Inputs, Loaded};
use super::model;
use super::reading::{Opened, ReadArgs};
use super::score::{self, write_trace};
use super::shell::{Answer, Progress, Shell};

/// Fit a pipeline and write its artifact.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore fit titanic.toml --out titanic.samescore")]
pub(super) struct Args {
    /// The config, in TOML.
    config: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// The artifact; without it, the config's name ending in .samescore.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The seed, instead of the config's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Where to write the digests of every stage over all rows of the source.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Read the rows block by block on every pass instead of holding them, for a table that is
    /// larger than memory: slower, with some 24 bytes a row, 40 in the first pass. It cannot change
    /// a bit. Files from 1 GiB on, and more rows of another source than --hold, by default 1 GiB,
    /// are read so without being asked.
    #[arg(long)]
    stream: bool,
    #[command(flatten)]
    reading: ReadArgs,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let progress = Arc::new(shell.progress("reading the config"));
    let mut loaded = Loaded::read(&args.config, &args.data)?;
    let out = args.out.clone().unwrap_or_else(|| args.config.with_extension("samescore"));
    let inputs = Inputs::gathered(&[("the config", &*args.config)], &loaded.gathering)?;
    let outputs = [("--out", Some(&*out)), ("--trace", args.trace.as_deref())];
    output_file::keep_apart(&inputs.all(), &outputs)?;
    if loaded.is_inferred {
        let n_columns = loaded.config.data.columns.len();
        shell.note(&format!(
            "note: {n_columns} columns inferred from all rows; declare them to pin them"
        ));
    }
    if let Some(seed) = args.seed {
        loaded.config.seed = Seed(seed);
    }
    let threads = Threads::new(args.threads)?;
    progress.say(&format!("reading {}", loaded.gathering.source));
    let rows = loaded.take_rows();
    let opened = threads.run(|| args.reading.open(&loaded.gathering, rows, args.stream))?;
    let outcome = match opened {
        Opened::Whole(batch) => fit_whole(args, &loaded, *batch, &threads, &progress),
        Opened::Streamed(blocks) => fit_streamed(args, &loaded, *blocks, &threads, &progress),
    }?;
    output_file::replace(&out, outcome.artifact.bytes())?;
    drop(progress);
    for warning in model::warnings(outcome.artifact.payload()) {
        shell.note(&format!("warning: step `{MODEL_STEP}`: {warning}"));
    }
    let shown = out.display().to_string();
    Ok(Answer::yes(shell.body(
        || text(&outcome, &shown),
        || {
            let payload = outcome.artifact.payload();
            json!({
                "command": "fit",
                "artifact": outcome.artifact.digest().to_string(),
                "path": shown,
                "bytes": outcome.artifact.bytes().len(),
                "config_fingerprint": payload.config_fingerprint.to_string(),
                "data_fingerprint": payload.data_fingerprint.to_string(),
                "population": payload.population,
                "n_train": outcome.n_train,
                "n_test": outcome.n_test,
                "n_unscored": outcome.n_unscored,
                "metrics": outcome.metrics,
                "weight": payload.config.data.weight,
                "own_figures": model::own_figures(payload),
                "warnings": model::warnings(payload),
                "decision_threshold": payload.pipeline.model.threshold(),
                "summary": model::summary_json(payload),
            })
        },
    )))
}

/// Fits on a table in memory.
fn fit_whole(
    args: &Args,
    loaded: &Loaded,
    batch: Batch,
    threads: &Threads,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let config = &loaded.config;
    progress.say(&fitting(config, batch.n_rows() as u64));
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let block_rows = args.reading.held_rows();
    let outcome = workflow::fit_in_blocks(config, &batch, threads, block_rows, &hear)
        .map_err(|e| loaded.failure(e))?;
    if let Some(path) = &args.trace {
        let trace = threads.run(|| outcome.artifact.plan().trace(&batch))?.1;
        write_trace(path, &trace)?;
    }
    Ok(outcome)
}

/// Fits on a table that stays in its file.
fn fit_streamed(
    args: &Args,
    loaded: &Loaded,
    blocks: SourceBlocks,
    threads: &Threads,
    progress: &Arc<Progress>,
) -> Result<Outcome, Failure> {
    let config = &loaded.config;
    progress.say(&fitting(config, blocks.n_rows()));
    let (n_rows, blocks) = (blocks.n_rows().max(1), Arc::new(blocks));
    let doing = Arc::new(Mutex::new(String::new()));
    let (now, shown) = (Arc::clone(&doing), Arc::clone(progress));
    let hear_rows = move |n: u64| {
        let step = now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (pass, done) = (n.div_ceil(n_rows), n.saturating_sub(1) % n_rows + 1);
        shown.rows(&format!("{step}, reading {pass}"), done, n_rows);
    };
    let heard = HeardBlocks::new(Arc::clone(&blocks) as _, hear_rows);
    let hear = |step: &str, _, _| {
        step.clone_into(&mut doing.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let outcome = workflow::fit_streamed(config, Arc::new(heard), threads, &hear)
        .map_err(|e| loaded.failure(e))?;
    if let Some(path) = &args.trace {
        score::trace(path, &outcome.artifact, &blocks, (threads, progress))?;
    }
    Ok(outcome)
}

fn fitting(config: &Config, n_rows: u64) -> String {
    let (n_steps, model) = (config.steps.len(), config.model.kind());
    format!("fitting {n_steps} steps and {model} on {n_rows} rows")
}

/// A line per filter of the population.
pub(super) fn population_table(filters: &[RowFilter], counts: &PopulationCounts) -> String {
    let rows = filters
        .iter()
        .zip(&counts.filters)
        .map(|(filter, n)| vec![filter.to_string(), n.before.to_string(), n.after.to_string()]);
    render::table(&["population", "rows before", "after"], &rows.collect::<Vec<_>>())
}

fn text(outcome: &Outcome, path: &str) -> String {
    let payload = outcome.artifact.payload();
    let mut text = render::pairs(&[
        ("artifact", outcome.artifact.digest().to_string()),
        ("written to", format!("{path}, {} bytes", outcome.artifact.bytes().len())),
        ("config", payload.config_fingerprint.to_string()),
        ("data", payload.data_fingerprint.to_string()),
        ("rows", format!("{} fitted on, {} kept for the test", outcome.n_train, outcome.n_test)),
    ]);
    if let Some(counts) = &payload.population {
        text.push_str(&population_table(&payload.config.population, counts));
    }
    if outcome.n_unscored > 0 {
        text.push_str(&format!(
            "{} rows of the metrics got a reason, no score\n",
            outcome.n_unscored
        ));
    }
    let rows: Vec<Vec<String>> = outcome
        .metrics
        .iter()
        .map(|(name, value)| vec![name.clone(), render::short(*value)])
        .collect();
    if let Some(threshold) = payload.pipeline.model.threshold() {
        text.push_str(&format!("a row is positive from a score of {threshold} on\n"));
    }
    text.push_str(&model::summary_text(payload));
    text.push_str(&render::table(&["metric", "value"], &rows));
    text.push_str(&folding::weighed(&payload.config));
    let own = payload.pipeline.model.own_figures().into_iter();
    let own: Vec<Vec<String>> = own.map(|(name, x)| vec![name, render::short(x)]).collect();
    if own.is_empty() { text } else { text + &render::table(&["of the fit itself", "value"], &own) }
}
