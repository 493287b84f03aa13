//! `evaluate`: how good a config is on rows that its fit has not seen.

use std::sync::Arc;

use samescore_core::config::Config;
use samescore_core::par::Threads;
use samescore_research::workflow::{Evaluation, Hear};
use samescore_research::{metrics, render, workflow};
use serde_json::{Value, json};

use super::failure::Failure;
use super::folding::{self, FoldArgs, Source, SourceArgs};
use super::load::Loaded;
use super::reading::{Opened, ReadArgs};
use super::shell::{Answer, Shell};

/// Evaluate a config on rows kept from its fit.
///
/// Without --folds, on the share that the config's split keeps; with it, on each fold in turn, all
/// rows in memory.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore evaluate titanic.toml --folds 5")]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The number of folds, at least 2.
    #[arg(long, value_name = "K")]
    folds: Option<u64>,
    #[command(flatten)]
    scheme: FoldArgs,
    /// A metric to show besides those of the task and the model's loss; may be given again.
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,
    /// Read the rows block by block on every pass, as `fit --stream` does. It cannot change a bit.
    #[arg(long, conflicts_with = "folds")]
    stream: bool,
    #[command(flatten)]
    reading: ReadArgs,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let plan = args.scheme.plan_if(args.folds)?;
    let (config, evaluation) = match plan {
        Some(plan) => {
            let Source { loaded, batch, threads } = Source::read(&args.source, shell)?;
            let also = metrics::all_named(&loaded.config, &args.metrics)?;
            evaluate(shell, loaded, |config, hear| {
                workflow::evaluate(config, &batch, Some(&plan), &also, &threads, hear)
            })
        }
        None => {
            let mut loaded = Loaded::read(&args.source.config, &args.source.data)?;
            let also = metrics::all_named(&loaded.config, &args.metrics)?;
            let threads = Threads::new(args.source.threads)?;
            let progress = shell.progress(&format!("reading {}", loaded.gathering.source));
            let rows = loaded.take_rows();
            let opened = threads.run(|| args.reading.open(&loaded.gathering, rows, args.stream))?;
            drop(progress);
            evaluate(shell, loaded, |config, hear| match opened {
                Opened::Whole(batch) => {
                    workflow::evaluate(config, &batch, None, &also, &threads, hear)
                }
                Opened::Streamed(blocks) => {
                    workflow::evaluate_streamed(config, Arc::new(*blocks), &also, &threads, hear)
                }
            })
        }
    }?;
    let weight = config.data.weight.clone();
    Ok(Answer::yes(shell.body(
        || text(&evaluation) + &folding::weighed(&config),
        || to_json(&evaluation, weight.as_deref()),
    )))
}

fn evaluate(
    shell: &Shell,
    loaded: Loaded,
    work: impl FnOnce(&Config, Hear<'_>) -> samescore_core::error::Result<Evaluation>,
) -> Result<(Config, Evaluation), Failure> {
    let progress = shell.progress("fitting");
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let evaluation = work(&loaded.config, &hear).map_err(|e| loaded.failure(e))?;
    Ok((loaded.config, evaluation))
}

fn text(evaluation: &Evaluation) -> String {
    // Counts of a confusion are in the JSON answer.
    let is_shown = |name: &&String| !name.ends_with("tives");
    let names: Vec<&String> = evaluation.summary.keys().filter(is_shown).collect();
    let mut header = vec!["part", "train rows", "test rows"];
    header.extend(names.iter().map(|name| name.as_str()));
    let figures = |get: &dyn Fn(&String) -> Option<f64>| -> Vec<String> {
        names.iter().map(|name| get(name).map_or("-".to_owned(), render::short)).collect()
    };
    let mut rows = Vec::new();
    for (place, part) in evaluation.parts.iter().enumerate() {
        let mut row =
            vec![(place + 1).to_string(), part.n_train.to_string(), part.n_test.to_string()];
        row.extend(figures(&|name| part.metrics.get(name).copied()));
        rows.push(row);
    }
    if evaluation.parts.len() > 1 {
        for (label, nth) in [("mean", 0), ("sd", 1)] {
            let mut row = vec![label.to_owned(), "-".to_owned(), "-".to_owned()];
            row.extend(figures(&|name| match (evaluation.summary.get(name), nth) {
                (Some((mean, _)), 0) => Some(*mean),
                (Some((_, sd)), _) => *sd,
                (None, _) => None,
            }));
            rows.push(row);
        }
    }
    let mut text = render::table(&header, &rows);
    let n_unscored = evaluation.parts.iter().map(|part| part.n_unscored).sum::<u64>();
    if n_unscored > 0 {
        text.push_str(&format!("{n_unscored} rows got a reason instead of a score\n"));
    }
    text
}

fn to_json(evaluation: &Evaluation, weight: Option<&str>) -> Value {
    let parts: Vec<Value> = evaluation
        .parts
        .iter()
        .map(|part| {
            json!({
                "n_train": part.n_train,
                "n_test": part.n_test,
                "n_unscored": part.n_unscored,
                "metrics": part.metrics,
            })
        })
        .collect();
    let summary: serde_json::Map<String, Value> = evaluation
        .summary
        .iter()
        .map(|(name, (mean, sd))| (name.clone(), json!({ "mean": mean, "sd": sd })))
        .collect();
    json!({ "command": "evaluate", "weight": weight, "parts": parts, "summary": summary })
}
