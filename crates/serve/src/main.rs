//! `samescore-serve`: the production side as a program. It embeds `samescore-deploy` and nothing of
//! research: an artifact and rows in, keyed scores out.
//!
//! Results go to standard output or to `--out`, errors to standard error; the exit code is that of
//! the error's kind: 2 usage, 3 schema or data, 4 artifact, 5 input or output.

#![forbid(unsafe_code)]

mod output;
mod output_file;
mod source;
mod way;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use samescore_core::error::{Code, Error, Kind, Result};
use samescore_core::listing;
use samescore_core::step::Output;
use samescore_deploy::{Batch, Scorer, Scores};

use source::Source;
use way::Way;

#[derive(Parser)]
#[command(name = "samescore-serve", version, about = "Scores rows with a fitted artifact.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Makes a mistake on purpose, so that the proof of sameness is seen to fail.
    #[cfg(debug_assertions)]
    #[arg(long, global = true, hide = true, value_name = "NAME")]
    inject_fault: Option<samescore_core::faults::Fault>,
}

#[derive(Subcommand)]
enum Command {
    /// Scores every row of a CSV file: one line per row, in its order.
    Score(Score),
    /// Shows the columns behind the steps: row_key, the columns, code, reason.
    Transform(Transform),
    /// Re-scores the golden rows of an artifact on this machine.
    Verify(Verify),
}

#[derive(Args)]
struct Score {
    /// The artifact.
    artifact: PathBuf,
    /// The rows, as CSV with a header.
    rows: PathBuf,
    /// Where the scores go; standard output if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes a digest per stage as JSON.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// How many threads; 0 means one per core. No result depends on it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// How the rows are handed to the scorer: batch, rows, reversed, shuffled, chunks=N or
    /// reloaded. No result depends on it.
    #[arg(long, value_name = "WAY", default_value = "batch")]
    way: Way,
    /// What of each row: its score, the sum behind it, the leaf of every tree, or what each feature
    /// adds to the sum.
    #[arg(long, value_enum, default_value_t = What::Score, conflicts_with = "way")]
    output: What,
    /// Adds a column `population`: `in`, or the column of the first filter that a row does not
    /// meet.
    #[arg(long, conflicts_with = "output")]
    mark: bool,
}

/// What is asked of a row.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    Score,
    Margin,
    Leaf,
    Contribution,
}

impl What {
    fn output(self) -> Option<Output> {
        match self {
            What::Score => None,
            What::Margin => Some(Output::Margin),
            What::Leaf => Some(Output::Leaf),
            What::Contribution => Some(Output::Contribution),
        }
    }
}

#[derive(Args)]
struct Transform {
    /// The artifact.
    artifact: PathBuf,
    /// The rows, as CSV with a header.
    rows: PathBuf,
    /// The last step to apply; the last one of the pipeline if not given.
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    /// Where the columns go; standard output if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Verify {
    /// The artifact.
    artifact: PathBuf,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(debug_assertions)]
    samescore_core::faults::inject(cli.inject_fault);
    let done = match cli.command {
        Command::Score(args) => score(&args),
        Command::Transform(args) => transform(&args),
        Command::Verify(args) => verify(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error.line());
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn score(args: &Score) -> Result<()> {
    let inputs = [("the artifact", &*args.artifact), ("the rows", &*args.rows)];
    let outputs = [("--out", args.out.as_deref()), ("--trace", args.trace.as_deref())];
    output_file::keep_apart(&inputs, &outputs)?;
    let scorer = Scorer::from_file(&args.artifact)?.threads(args.threads)?;
    if args.trace.is_some() || args.way != Way::Batch {
        return score_whole(args, &scorer);
    }
    let list = |batch: &Batch| match args.output.output() {
        None => args.listing(&scorer, batch, &scorer.score_batch(batch)?),
        Some(output) => {
            let values = scorer.output(output, batch)?;
            let names = scorer.outputs(output).unwrap_or_default();
            listing::outputs(batch, scorer.key(), &names, &values)
        }
    };
    give_parts(args.out.as_deref(), (&args.rows, &scorer), list)
}

impl Score {
    fn listing(&self, scorer: &Scorer, batch: &Batch, scores: &Scores) -> Result<String> {
        let marks = self.mark.then(|| scorer.membership(batch)).transpose()?;
        listing::marked_scores(batch, scorer.key(), scorer.classes(), scores, marks.as_ref())
    }
}

/// Scores rows that are all in memory: for a trace of them, or another way of handing them over.
fn score_whole(args: &Score, scorer: &Scorer) -> Result<()> {
    let bytes = source::whole(&args.rows)?;
    let source = Source::read(&args.rows, &bytes, scorer)?;
    if let Some(path) = &args.trace {
        let trace = args.way.trace(scorer, &source)?;
        output_file::replace(path, json(&trace)?.as_bytes())?;
    }
    if let Some(output) = args.output.output() {
        let values = scorer.output(output, &source.batch)?;
        let names = scorer.outputs(output).unwrap_or_default();
        let text = listing::outputs(&source.batch, scorer.key(), &names, &values)?;
        return give(args.out.as_deref(), &text);
    }
    let scores = args.way.score(scorer, &source)?;
    give(args.out.as_deref(), &args.listing(scorer, &source.batch, &scores)?)
}

fn transform(args: &Transform) -> Result<()> {
    let inputs = [("the artifact", &*args.artifact), ("the rows", &*args.rows)];
    output_file::keep_apart(&inputs, &[("--out", args.out.as_deref())])?;
    let scorer = Scorer::from_file(&args.artifact)?;
    let list =
        |batch: &Batch| Ok(listing::features(&scorer.transform(batch, args.until.as_deref())?));
    give_parts(args.out.as_deref(), (&args.rows, &scorer), list)
}

/// Writes what `list` makes of every part of a file: a text that begins with the same header.
fn give_parts(
    out: Option<&Path>,
    (rows, scorer): (&Path, &Scorer),
    list: impl Fn(&Batch) -> Result<String>,
) -> Result<()> {
    let header = list(&Batch::empty(&Arc::new(scorer.schema().clone())))?;
    let mut draft = out.map(output_file::Draft::begin).transpose()?;
    let mut put = |text: &str| match &mut draft {
        Some(draft) => draft.write(text.as_bytes()),
        None => output::print(text),
    };
    let mut is_begun = false;
    source::each_part(rows, scorer, |batch| {
        let text = list(batch)?;
        let begin = if std::mem::replace(&mut is_begun, true) { header.len() } else { 0 };
        put(&text[begin..])
    })?;
    draft.map_or(Ok(()), output_file::Draft::finish)
}

/// The answer of `verify`.
#[derive(serde::Serialize)]
struct Verdict {
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<samescore_deploy::Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    golden_rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn verify(args: &Verify) -> Result<()> {
    let scorer = Scorer::from_file(&args.artifact);
    let verified = scorer.and_then(|scorer| scorer.verify().map(|()| scorer));
    let verdict = match &verified {
        Ok(scorer) => Verdict {
            verified: true,
            digest: Some(scorer.digest()),
            golden_rows: Some(scorer.artifact().payload().golden.n_rows()),
            code: None,
            reason: None,
        },
        Err(error) => Verdict {
            verified: false,
            digest: None,
            golden_rows: None,
            code: Some(error.code().id()),
            reason: Some(error.to_string()),
        },
    };
    match (args.format, &verified) {
        (Format::Json, Ok(_)) => output::print(&json(&verdict)?)?,
        (Format::Json, Err(error)) if error.kind() == Kind::Artifact => {
            output::print(&json(&verdict)?)?;
        }
        (Format::Text, Ok(scorer)) => {
            let n = scorer.artifact().payload().golden.n_rows();
            let digest = scorer.digest();
            output::print(&format!("{digest}: {n} golden rows score as recorded\n"))?;
        }
        (_, Err(_)) => {}
    }
    verified.map(drop)
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(Code::Io, format!("cannot be written as JSON: {e}")))?;
    Ok(text + "\n")
}

fn give(out: Option<&Path>, text: &str) -> Result<()> {
    match out {
        Some(path) => output_file::replace(path, text.as_bytes()),
        None => output::print(text),
    }
}
