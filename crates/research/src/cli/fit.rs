//! `fit`: a config and rows to an artifact.

use std::path::PathBuf;

use samescore_core::batch::BLOCK_ROWS;
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_research::workflow::Outcome;
use samescore_research::{gather, output_file, render, workflow};
use serde_json::json;

use super::failure::Failure;
use super::load::{Inputs, Loaded};
use super::score::write_trace;
use super::shell::{Answer, Shell};

/// Fit a pipeline and write its artifact.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore fit titanic.toml --out titanic.samescore")]
pub(super) struct Args {
    /// The config, in TOML.
    config: PathBuf,
    /// The rows: a file, a folder or pattern of files, or the address of a database; instead of the
    /// source that the config names.
    #[arg(long, value_name = "SOURCE")]
    data: Option<PathBuf>,
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
    /// Rows per block. It cannot change a bit.
    #[arg(long, hide = true, value_name = "N", default_value_t = BLOCK_ROWS)]
    block_rows: usize,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let progress = shell.progress("reading the config");
    let mut loaded = Loaded::read(&args.config, args.data.as_deref())?;
    let out = args.out.clone().unwrap_or_else(|| args.config.with_extension("samescore"));
    let inputs = Inputs::of(&[("the config", &*args.config)], &loaded.source)?;
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
    progress.say(&format!("reading {}", loaded.source));
    let batch = threads.run(|| gather::read(&loaded.source, &loaded.config.data, &[]))?;
    progress.say(&format!(
        "fitting {} steps and {} on {} rows",
        loaded.config.steps.len(),
        loaded.config.model.kind(),
        batch.n_rows()
    ));
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let (config, block_rows) = (&loaded.config, args.block_rows);
    let outcome = workflow::fit_in_blocks(config, &batch, &threads, block_rows, &hear)
        .map_err(|e| loaded.failure(e))?;
    if let Some(path) = &args.trace {
        let trace = threads.run(|| outcome.artifact.plan().trace(&batch))?.1;
        write_trace(path, &trace)?;
    }
    output_file::replace(&out, outcome.artifact.bytes())?;
    drop(progress);
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
                "n_train": outcome.n_train,
                "n_test": outcome.n_test,
                "n_unscored": outcome.n_unscored,
                "metrics": outcome.metrics,
            })
        },
    )))
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
    text + &render::table(&["metric", "value"], &rows)
}
