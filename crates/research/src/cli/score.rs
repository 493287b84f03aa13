//! `score`: rows to keyed scores, each with its bits, or to the reason why there is none.

use std::path::{Path, PathBuf};

use samescore_core::artifact::Artifact;
use samescore_core::batch::Batch;
use samescore_core::digest::Digest;
use samescore_core::error::{Code, Error};
use samescore_core::listing;
use samescore_core::par::Threads;
use samescore_core::pipeline::{Membership, Scores};
use samescore_core::step::{Output, Progress};
use samescore_core::trace::Trace;
use samescore_research::gather::SourceBlocks;
use samescore_research::{output_file, render, workflow};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::listing::Listing;
use super::load::{self, RowArgs};
use super::reading::ReadArgs;
use super::shell::{self, Answer, Shell};
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
    #[command(flatten)]
    rows: RowArgs,
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
    #[command(flatten)]
    reading: ReadArgs,
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
    let mut gathering = args.rows.gathering()?;
    if let Some(target) = write_back::target(args.out.as_deref())? {
        let job = write_back::Job {
            artifact: &args.artifact,
            rows: &args.rows,
            gathering,
            target: &target,
            output: args.output.output(),
            is_marked: args.mark,
            trace: args.trace.as_deref(),
            n_threads: args.threads,
            reading: &args.reading,
        };
        return job.run(shell);
    }
    let inputs = args.rows.inputs(&args.artifact, &gathering)?;
    let outputs = [("--out", args.out.as_deref()), ("--trace", args.trace.as_deref())];
    output_file::keep_apart(&inputs.all(), &outputs)?;
    let progress = shell.progress("loading the artifact");
    let artifact = load::artifact(&args.artifact)?;
    let threads = Threads::new(args.threads)?;
    progress.say(&format!("looking through {}", gathering.source));
    gathering.data = workflow::scoring_data(&artifact.payload().config);
    let blocks = args.reading.blocks(&args.rows, &gathering, &threads)?;
    if let Some(path) = &args.trace {
        trace(path, &artifact, &blocks, (&threads, &progress))?;
    }
    let listing = Listing { shell, progress, doing: "scoring", out: args.out.as_deref() };
    if args.out.is_none() && shell.is_json() {
        let digest = artifact.digest().to_string();
        let answer = |rows: Value| json!({ "command": "score", "artifact": digest, "rows": rows });
        let make = |block: &Batch| args.json_rows(&artifact, block);
        listing.write_json(&blocks, &threads, answer, make)?;
        return Ok(Answer::yes(String::new()));
    }
    let mut told = Told::default();
    let make = |block: &Batch| {
        let scores = args.score(&artifact, block)?;
        let text = args.list(&artifact, block, &scores)?;
        Ok((text, args.told(&scores)))
    };
    let digest = listing.write(&blocks, &threads, make, |part| told.merge(part))?;
    Ok(match &args.out {
        None => Answer::yes(String::new()),
        Some(path) => args.answer(shell, &artifact, path, digest, &told),
    })
}

/// Writes the digests of all stages over all rows.
pub(super) fn trace(
    path: &Path,
    artifact: &Artifact,
    blocks: &SourceBlocks,
    (threads, progress): (&Threads, &shell::Progress),
) -> Result<(), Failure> {
    let hear = |done, total| progress.at("tracing", done, total);
    let traced = threads.run(|| artifact.plan().trace_streamed(blocks, Progress::new(&hear)))?;
    write_trace(path, &traced)
}

/// So many scores are shown as a histogram.
const N_SHOWN_MAX: usize = 1 << 20;

/// What an answer says of the rows of a listing.
#[derive(Default)]
struct Told {
    n_rows: usize,
    n_unscored: usize,
    /// A histogram of classes shows how many rows each got. No more than are shown.
    scores: Vec<f64>,
}

impl Told {
    fn merge(&mut self, behind: Told) {
        self.n_rows += behind.n_rows;
        self.n_unscored += behind.n_unscored;
        let room = N_SHOWN_MAX - self.scores.len();
        self.scores.extend(behind.scores.into_iter().take(room));
    }
}

impl Args {
    /// What is asked of the rows of a block.
    fn score(&self, artifact: &Artifact, batch: &Batch) -> Result<Scores, Error> {
        match self.output.output() {
            None => artifact.plan().score(batch),
            Some(output) => artifact.plan().output(output, batch),
        }
    }

    /// The same as JSON, row by row.
    fn json_rows(&self, artifact: &Artifact, batch: &Batch) -> Result<Vec<Value>, Error> {
        let scores = self.score(artifact, batch)?;
        let (plan, key) = (artifact.plan(), &artifact.payload().config.data.key);
        let names = self.output.output().and_then(|output| plan.outputs(output));
        let marks = self.mark.then(|| plan.membership(batch)).transpose()?;
        let row = |row: usize| match &names {
            None => {
                let listed = json_row(batch, key, plan.classes(), &scores, row);
                marked(listed, marks.as_ref(), row)
            }
            Some(names) => {
                json_values(json_row(batch, key, &[], &scores, row), names, &scores, row)
            }
        };
        Ok((0..scores.len()).map(row).collect())
    }

    /// The listing of it.
    fn list(&self, artifact: &Artifact, batch: &Batch, scores: &Scores) -> Result<String, Error> {
        let (plan, key) = (artifact.plan(), &artifact.payload().config.data.key);
        match self.output.output() {
            None => {
                let marks = self.mark.then(|| plan.membership(batch)).transpose()?;
                listing::marked_scores(batch, key, plan.classes(), scores, marks.as_ref())
            }
            Some(output) => {
                let names = plan.outputs(output).unwrap_or_default();
                listing::outputs(batch, key, &names, scores)
            }
        }
    }

    fn told(&self, scores: &Scores) -> Told {
        let values = (0..scores.len()).filter_map(|row| scores.get(row).ok());
        let mut told = Told { n_rows: scores.len(), ..Told::default() };
        if self.output == What::Score && self.out.is_some() {
            told.scores = values.collect();
            told.n_unscored = told.n_rows - told.scores.len();
            told.scores.truncate(N_SHOWN_MAX);
        }
        told
    }

    /// The answer beside a listing in a file.
    fn answer(
        &self,
        shell: &Shell,
        artifact: &Artifact,
        path: &Path,
        digest: Digest,
        told: &Told,
    ) -> Answer {
        let (shown, n_rows, n_unscored) = (path.display(), told.n_rows, told.n_unscored);
        let is_score = self.output == What::Score;
        let text = || {
            let mut pairs = vec![("artifact", artifact.digest().to_string())];
            if is_score {
                let rows = format!("{n_rows}, of which {n_unscored} without a score");
                pairs.push(("written to", shown.to_string()));
                pairs.push(("sha256", digest.to_string()));
                pairs.push(("rows", rows));
                let first = match told.scores.len() + n_unscored < n_rows {
                    true => format!("the first {} scores:\n", told.scores.len()),
                    false => String::new(),
                };
                let histogram = render::histogram(&told.scores, 10, 40);
                return render::pairs(&pairs) + &first + &histogram;
            }
            pairs.push(("path", shown.to_string()));
            pairs.push(("sha256", digest.to_string()));
            pairs.push(("n_rows", n_rows.to_string()));
            render::pairs(&pairs)
        };
        Answer::yes(shell.body(text, || {
            let mut answer = json!({
                "command": "score",
                "artifact": artifact.digest().to_string(),
                "path": shown.to_string(),
                "sha256": digest.to_string(),
                "n_rows": n_rows,
            });
            if is_score {
                answer["n_unscored"] = json!(n_unscored);
            }
            answer
        }))
    }
}

/// The row with named values in the place of scores.
fn json_values(listed: Value, names: &[String], values: &Scores, row: usize) -> Value {
    let mut object = match listed {
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
