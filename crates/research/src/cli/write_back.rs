//! `score --out` to what is no CSV: Parquet, JSON lines, a table of SQLite or PostgreSQL.

use std::path::Path;

use samescore_core::batch::Batch;
use samescore_core::error::{Code, Error};
use samescore_core::par::Threads;
use samescore_core::step::Output;
use samescore_research::gather::{Format, Source};
use samescore_research::gathering::Gathering;
use samescore_research::sink::{self, Scored, Shape};
use samescore_research::{output_file, render, stream, workflow};
use serde_json::json;

use super::failure::Failure;
use super::load::{self, RowArgs};
use super::reading::ReadArgs;
use super::score;
use super::shell::{Answer, Shell};

/// The target that `--out` names, if it is none for a CSV.
pub(super) fn target(out: Option<&Path>) -> Result<Option<Source>, Error> {
    let Some(out) = out else {
        return Ok(None);
    };
    let target = load::source(out)?;
    match &target {
        Source::Files(path) => {
            if matches!(Format::of(path), Ok(Format::Parquet | Format::JsonLines)) {
                return Ok(Some(target));
            }
            check_csv(path, "a file ending in .csv, .parquet or .jsonl")?;
            Ok(None)
        }
        _ => Ok(Some(target)),
    }
}

/// Endings of files that are no CSV, whatever is written into them.
const OTHER_ENDINGS: [&str; 14] = [
    "gz", "zst", "bz2", "xz", "zip", "parquet", "arrow", "ipc", "feather", "json", "jsonl",
    "ndjson", "xlsx", "tsv",
];

/// Refuses a file for a CSV whose name says that it is something else. `expected` is what is
/// written.
pub(super) fn check_csv(path: &Path, expected: &str) -> Result<(), Error> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if !OTHER_ENDINGS.contains(&ending.as_str()) {
        return Ok(());
    }
    let message = format!("expected {expected} to write, found `{}`", path.display());
    Err(Error::new(Code::Usage, message)
        .remedy("write it in one of these forms, and pack or convert that file"))
}

/// What is scored, and what of it is written.
pub(super) struct Job<'a> {
    pub(super) artifact: &'a Path,
    pub(super) rows: &'a RowArgs,
    pub(super) gathering: Gathering,
    pub(super) target: &'a Source,
    pub(super) output: Option<Output>,
    pub(super) is_marked: bool,
    /// Whether the class of each row is written beside its score.
    pub(super) wants_class: bool,
    pub(super) trace: Option<&'a Path>,
    pub(super) n_threads: usize,
    pub(super) reading: &'a ReadArgs,
}

impl Job<'_> {
    pub(super) fn run(mut self, shell: &Shell) -> Result<Answer, Failure> {
        let inputs = self.rows.inputs(self.artifact, &self.gathering)?;
        let inputs = inputs.besides(&self.gathering, self.target)?;
        let out = match self.target {
            Source::Files(path) | Source::Sqlite(path, _) => Some(path.as_path()),
            Source::Postgres(..) => None,
        };
        output_file::keep_apart(&inputs.all(), &[("--out", out), ("--trace", self.trace)])?;
        let progress = shell.progress("loading the artifact");
        let artifact = load::artifact(self.artifact)?;
        let (plan, threads) = (artifact.plan(), Threads::new(self.n_threads)?);
        self.gathering.data = workflow::scoring_data(&artifact.payload().config);
        progress.say(&format!("looking through {}", self.gathering.source));
        let blocks = self.reading.blocks(self.rows, &self.gathering, &threads)?;
        if let Some(path) = self.trace {
            score::trace(path, &artifact, &blocks, (&threads, &progress))?;
        }
        let (n_rows, mut n_done, mut n_unscored) = (blocks.n_rows(), 0u64, 0u64);
        let mut shape = Shape::of(&artifact, self.output, self.is_marked)?;
        if self.wants_class {
            score::check_class(artifact.payload().config.target.task)?;
            shape = if plan.classes().is_empty() { shape.decided(plan.threshold()) } else { shape };
        }
        let mut sink = sink::open(self.target, shape)?;
        let score = |block: Batch| {
            let scores = match self.output {
                None => plan.score(&block)?,
                Some(output) => plan.output(output, &block)?,
            };
            let marks = self.is_marked.then(|| plan.membership(&block)).transpose()?;
            Ok((block, scores, marks))
        };
        stream::each_block(&blocks, &threads, score, |(block, scores, marks)| {
            sink.block(&Scored { batch: &block, scores: &scores, marks: marks.as_ref() })?;
            n_unscored +=
                (0..scores.len()).filter(|&row| scores.values(row).is_err()).count() as u64;
            n_done += block.n_rows() as u64;
            progress.rows("scoring", n_done, n_rows);
            Ok::<bool, Error>(true)
        })?;
        sink.finish()?;
        drop(progress);
        let (digest, shown) = (artifact.digest().to_string(), self.target.to_string());
        Ok(Answer::yes(shell.body(
            || {
                let rows = format!("{n_rows}, of which {n_unscored} without a score");
                let written = ("written to", shown.clone());
                render::pairs(&[("artifact", digest.clone()), written, ("rows", rows)])
            },
            || {
                json!({
                    "command": "score",
                    "artifact": digest,
                    "path": shown,
                    "n_rows": n_rows,
                    "n_unscored": n_unscored,
                })
            },
        )))
    }
}
