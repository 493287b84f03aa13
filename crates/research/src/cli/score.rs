//! `score`: rows to keyed scores, each with its bits, or to the reason why there is none.

use std::path::{Path, PathBuf};

use samescore_core::artifact::Artifact;
use samescore_core::batch::Batch;
use samescore_core::digest::sha256;
use samescore_core::error::{Code, Error};
use samescore_core::listing;
use samescore_core::par::Threads;
use samescore_core::pipeline::{Membership, Scores};
use samescore_core::step::{Output, Progress};
use samescore_core::trace::Trace;
use samescore_research::{gather, output_file, render, workflow};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::load::{self, Inputs};
use super::shell::{Answer, Shell};
use super::write_back;

/// Score rows with an artifact.
///
/// Prints CSV: the declared key columns, then row_key, score, bits, code, reason. n rows in, n rows
/// out.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  samescore score titanic.samescore passengers.parquet --out scores.csv"
)]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
    /// The rows: a file, a folder or pattern of files, or the address of a database.
    source: PathBuf,
    /// What of each row: its score, the sum behind it, the leaf of every tree, or what each feature
    /// adds to the sum. Models of trees have all of them.
    #[arg(long, value_enum, default_value_t = What::Score)]
    output: What,
    /// Adds a column `population`: `in`, or the column of the first filter that a row does not
    /// meet.
    #[arg(long, conflicts_with = "output")]
    mark: bool,
    /// Where to write: a CSV file (without it, stdout), .parquet, .jsonl, or a table such as
    /// sqlite://scores.db?table=t or postgres://host/db?table=t, where the rows of this artifact
    /// are replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to write the digests of every stage.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

/// What is asked of a row.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let source = load::source(&args.source)?;
    if let Some(target) = write_back::target(args.out.as_deref())? {
        let job = write_back::Job {
            artifact: &args.artifact,
            source: &source,
            target: &target,
            output: args.output.output(),
            trace: args.trace.as_deref(),
            n_threads: args.threads,
        };
        return job.run(shell);
    }
    let inputs = Inputs::of(&[("the artifact", &*args.artifact)], &source)?;
    let outputs = [("--out", args.out.as_deref()), ("--trace", args.trace.as_deref())];
    output_file::keep_apart(&inputs.all(), &outputs)?;
    let progress = shell.progress("loading the artifact");
    let artifact = load::artifact(&args.artifact)?;
    let config = &artifact.payload().config;
    let threads = Threads::new(args.threads)?;
    progress.say(&format!("reading {}", source));
    let data = workflow::scoring_data(config);
    let batch = threads.run(|| gather::read(&source, &data, &[]))?;
    progress.say(&format!("scoring {} rows", batch.n_rows()));
    if let Some(output) = args.output.output() {
        if let Some(path) = &args.trace {
            write_trace(path, &threads.run(|| artifact.plan().trace(&batch))?.1)?;
        }
        let values = threads.run(|| artifact.plan().output(output, &batch))?;
        drop(progress);
        return other(args, shell, &artifact, (&batch, &values), output);
    }
    let scores = match &args.trace {
        None => {
            let hear = |done, total| progress.at("scoring", done, total);
            threads.run(|| artifact.plan().score_heard(&batch, Progress::new(&hear)))?
        }
        Some(path) => {
            let (scores, trace) = threads.run(|| artifact.plan().trace(&batch))?;
            write_trace(path, &trace)?;
            scores
        }
    };
    drop(progress);
    answer(args, shell, &artifact, (&batch, &scores))
}

/// Answers with the scores.
fn answer(
    args: &Args,
    shell: &Shell,
    artifact: &Artifact,
    (batch, scores): (&Batch, &Scores),
) -> Result<Answer, Failure> {
    let key = &artifact.payload().config.data.key;
    let classes = artifact.plan().classes();
    let digest = artifact.digest().to_string();
    let marks = args.mark.then(|| artifact.plan().membership(batch)).transpose()?;
    let marks = marks.as_ref();
    match &args.out {
        None if shell.is_json() => {
            let row = |row| marked(json_row(batch, key, classes, scores, row), marks, row);
            let rows: Vec<Value> = (0..scores.len()).map(row).collect();
            let answer = json!({ "command": "score", "artifact": digest, "rows": rows });
            Ok(Answer::yes(shell.body(String::new, || answer)))
        }
        None => Ok(Answer::yes(listing::marked_scores(batch, key, classes, scores, marks)?)),
        Some(path) => {
            let listed = listing::marked_scores(batch, key, classes, scores, marks)?;
            output_file::replace(path, listed.as_bytes())?;
            let n_unscored = (0..scores.len()).filter(|&row| scores.get(row).is_err()).count();
            // A histogram of classes shows how many rows each got.
            let values: Vec<f64> =
                (0..scores.len()).filter_map(|row| scores.get(row).ok()).collect();
            let hash = sha256(listed.as_bytes()).to_string();
            Ok(Answer::yes(shell.body(
                || {
                    let about = render::pairs(&[
                        ("artifact", digest.clone()),
                        ("written to", path.display().to_string()),
                        ("sha256", hash.clone()),
                        (
                            "rows",
                            format!("{}, of which {n_unscored} without a score", scores.len()),
                        ),
                    ]);
                    about + &render::histogram(&values, 10, 40)
                },
                || {
                    json!({
                        "command": "score",
                        "artifact": digest,
                        "path": path.display().to_string(),
                        "sha256": hash,
                        "n_rows": scores.len(),
                        "n_unscored": n_unscored,
                    })
                },
            )))
        }
    }
}

/// Answers with another output than the score.
fn other(
    args: &Args,
    shell: &Shell,
    artifact: &Artifact,
    (batch, values): (&Batch, &Scores),
    output: Output,
) -> Result<Answer, Failure> {
    let key = &artifact.payload().config.data.key;
    let names = artifact.plan().outputs(output).unwrap_or_default();
    let digest = artifact.digest().to_string();
    if args.out.is_none() && shell.is_json() {
        let row = |row: usize| {
            let mut object = match json_row(batch, key, &[], values, row) {
                Value::Object(object) => object,
                _ => Map::new(),
            };
            if let Ok(found) = values.values(row) {
                object.retain(|name, _| name == "key" || name == "row_key");
                let pairs = names.iter().cloned().zip(found.iter().map(|x| json!(x)));
                let bits = found.iter().map(|x| json!(format!("{:016x}", x.to_bits())));
                object.insert("values".to_owned(), Value::Object(pairs.collect()));
                object.insert("bits".to_owned(), bits.collect());
            }
            Value::Object(object)
        };
        let rows: Vec<Value> = (0..values.len()).map(row).collect();
        let answer = json!({ "command": "score", "artifact": digest, "rows": rows });
        return Ok(Answer::yes(shell.body(String::new, || answer)));
    }
    let listed = listing::outputs(batch, key, &names, values)?;
    let Some(path) = &args.out else {
        return Ok(Answer::yes(listed));
    };
    output_file::replace(path, listed.as_bytes())?;
    let pairs = [
        ("artifact", digest),
        ("path", path.display().to_string()),
        ("sha256", sha256(listed.as_bytes()).to_string()),
        ("n_rows", values.len().to_string()),
    ];
    Ok(Answer::yes(shell.body(
        || render::pairs(&pairs),
        || {
            json!({
                "command": "score",
                "artifact": pairs[0].1,
                "path": pairs[1].1,
                "sha256": pairs[2].1,
                "n_rows": values.len(),
            })
        },
    )))
}

/// A row with whether it is inside the population, if that was asked.
fn marked(mut row: Value, marks: Option<&Membership>, place: usize) -> Value {
    if let (Value::Object(object), Some(marks)) = (&mut row, marks) {
        object.insert("population".to_owned(), json!(listing::mark(marks, place)));
    }
    row
}

fn json_row(
    batch: &Batch,
    key: &[String],
    classes: &[String],
    scores: &Scores,
    row: usize,
) -> Value {
    let mut object = Map::new();
    let slots = key.iter().filter_map(|name| Some((name, batch.schema().position(name)?)));
    let declared: Map<String, Value> =
        slots.map(|(name, slot)| (name.clone(), json_value(batch, slot, row))).collect();
    if !declared.is_empty() {
        object.insert("key".to_owned(), Value::Object(declared));
    }
    object.insert("row_key".to_owned(), json!(scores.keys()[row].to_string()));
    let bits = |score: &f64| format!("{:016x}", score.to_bits());
    match scores.values(row) {
        Ok([score]) => {
            object.insert("score".to_owned(), json!(score));
            object.insert("bits".to_owned(), json!(bits(score)));
        }
        Ok(values) => {
            let class = scores.class(row).ok().and_then(|class| classes.get(class));
            object.insert("class".to_owned(), json!(class));
            object.insert("scores".to_owned(), json!(values));
            let bits: Vec<String> = values.iter().map(bits).collect();
            object.insert("bits".to_owned(), json!(bits));
        }
        Err(reason) => {
            object.insert("code".to_owned(), json!(reason.code().id()));
            object.insert("reason".to_owned(), json!(reason.to_string()));
        }
    }
    Value::Object(object)
}

/// A value as JSON: numbers as numbers (infinities as text), times as ISO text, missing as null.
pub(super) fn json_value(batch: &Batch, slot: usize, row: usize) -> Value {
    use samescore_core::batch::{Column, show_num, show_time};
    let column = batch.column(slot);
    if column.is_missing(row) {
        return Value::Null;
    }
    match column {
        Column::Num(v) if v[row].is_finite() => json!(v[row]),
        Column::Num(v) => json!(show_num(v[row])),
        Column::Time(v) => json!(show_time(v[row])),
        Column::Text(v) => json!(v.get(row)),
    }
}

/// Writes a trace as JSON.
pub(super) fn write_trace(path: &Path, trace: &Trace) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(trace)
        .map_err(|e| Error::new(Code::Io, format!("the trace cannot be written: {e}")))?;
    Ok(output_file::replace(path, format!("{text}\n").as_bytes())?)
}
