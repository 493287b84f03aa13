//! `score --out` to what is no CSV: Parquet, JSON lines, a table of SQLite or PostgreSQL.

use std::path::Path;

use samescore_core::error::Error;
use samescore_core::par::Threads;
use samescore_core::step::{Output, Progress};
use samescore_research::gather::{self, Format, Source};
use samescore_research::sink::{self, Shape};
use samescore_research::{output_file, render, workflow};
use serde_json::json;

use super::failure::Failure;
use super::load::{self, Inputs};
use super::score::write_trace;
use super::shell::{Answer, Shell};

/// The target that `--out` names, if it is none for a CSV.
pub(super) fn target(out: Option<&Path>) -> Result<Option<Source>, Error> {
    let Some(out) = out else {
        return Ok(None);
    };
    let target = load::source(out)?;
    match &target {
        Source::Files(path) => {
            let is_ours = matches!(Format::of(path), Ok(Format::Parquet | Format::JsonLines));
            Ok(is_ours.then_some(target))
        }
        _ => Ok(Some(target)),
    }
}

/// What is scored, and what of it is written.
pub(super) struct Job<'a> {
    pub(super) artifact: &'a Path,
    pub(super) source: &'a Source,
    pub(super) target: &'a Source,
    pub(super) output: Option<Output>,
    pub(super) trace: Option<&'a Path>,
    pub(super) n_threads: usize,
}

impl Job<'_> {
    pub(super) fn run(&self, shell: &Shell) -> Result<Answer, Failure> {
        let inputs = Inputs::of(&[("the artifact", self.artifact)], self.source)?;
        let out = match self.target {
            Source::Files(path) | Source::Sqlite(path, _) => Some(path.as_path()),
            Source::Postgres(..) => None,
        };
        output_file::keep_apart(&inputs.all(), &[("--out", out), ("--trace", self.trace)])?;
        let progress = shell.progress("loading the artifact");
        let artifact = load::artifact(self.artifact)?;
        let (plan, threads) = (artifact.plan(), Threads::new(self.n_threads)?);
        progress.say(&format!("reading {}", self.source));
        let data = workflow::scoring_data(&artifact.payload().config);
        let batch = threads.run(|| gather::read(self.source, &data, &[]))?;
        progress.say(&format!("scoring {} rows", batch.n_rows()));
        if let Some(path) = self.trace {
            write_trace(path, &threads.run(|| plan.trace(&batch))?.1)?;
        }
        let hear = |done, total| progress.at("scoring", done, total);
        let scores = threads.run(|| match self.output {
            None => plan.score_heard(&batch, Progress::new(&hear)),
            Some(output) => plan.output(output, &batch),
        })?;
        progress.say(&format!("writing to {}", self.target));
        let mut sink = sink::open(self.target, Shape::of(&artifact, self.output)?)?;
        sink.block(&batch, &scores)?;
        sink.finish()?;
        drop(progress);
        let n_unscored = (0..scores.len()).filter(|&row| scores.values(row).is_err()).count();
        let (digest, shown) = (artifact.digest().to_string(), self.target.to_string());
        Ok(Answer::yes(shell.body(
            || {
                let rows = format!("{}, of which {n_unscored} without a score", scores.len());
                let written = ("written to", shown.clone());
                render::pairs(&[("artifact", digest.clone()), written, ("rows", rows)])
            },
            || {
                json!({
                    "command": "score",
                    "artifact": digest,
                    "path": shown,
                    "n_rows": scores.len(),
                    "n_unscored": n_unscored,
                })
            },
        )))
    }
}
