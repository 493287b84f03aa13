//! `transform`: rows to the columns behind a step, as the model sees them.

use std::path::PathBuf;

use samescore_core::aggregate::Blocks;
use samescore_core::batch::Batch;
use samescore_core::listing;
use samescore_core::par::Threads;
use samescore_research::{output_file, render, workflow};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::listing::Listing;
use super::load::{self, RowArgs};
use super::reading::ReadArgs;
use super::score::json_value;
use super::shell::{Answer, Shell};
use super::write_back;

/// Write the columns that a step of an artifact makes of rows.
///
/// Prints CSV: row_key, the columns behind the last step or the one given by --until, code, reason.
/// A row with a reason has no values. A column called like one of these, or `bits`, gets a `_`.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  samescore transform titanic.samescore passengers.csv --until scale"
)]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
    #[command(flatten)]
    rows: RowArgs,
    /// The last step to apply, by name; `input` means none.
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    /// Where to write the CSV; without it, stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    reading: ReadArgs,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let mut gathering = args.rows.gathering()?;
    if let Some(out) = &args.out {
        write_back::check_csv(out, "a file ending in .csv")?;
    }
    let inputs = args.rows.inputs(&args.artifact, &gathering)?;
    output_file::keep_apart(&inputs.all(), &[("--out", args.out.as_deref())])?;
    let artifact = load::artifact(&args.artifact)?;
    let threads = Threads::new(args.threads)?;
    let progress = shell.progress(&format!("reading {}", gathering.source));
    gathering.data = workflow::scoring_data(&artifact.payload().config);
    let transform = |batch: &Batch| artifact.plan().transform(batch, args.until.as_deref());
    let source = args.reading.blocks(&args.rows, &gathering, &threads)?;
    let listing = Listing { shell, progress, doing: "transforming", out: args.out.as_deref() };
    if args.out.is_none() && shell.is_json() {
        let answer = |rows: Value| json!({ "command": "transform", "rows": rows });
        let make = |batch: &Batch| Ok(json_rows(&transform(batch)?));
        listing.write_json(&source, &threads, answer, make)?;
        return Ok(Answer::yes(String::new()));
    }
    let make = |batch: &Batch| {
        let blocks = transform(batch)?;
        let n_columns = blocks.first().map_or(0, |block| block.schema().len());
        Ok((listing::features(&blocks), n_columns))
    };
    let (_, n_columns) = threads.run(|| make(&Batch::empty(source.schema())))?;
    let hash = listing.write(&source, &threads, make, |_| ())?.to_string();
    let Some(path) = &args.out else {
        return Ok(Answer::yes(String::new()));
    };
    let shown = path.display().to_string();
    Ok(Answer::yes(shell.body(
        || {
            render::pairs(&[
                ("written to", shown.clone()),
                ("sha256", hash.clone()),
                ("rows", source.n_rows().to_string()),
                ("columns", n_columns.to_string()),
            ])
        },
        || {
            json!({
                "command": "transform",
                "path": shown,
                "sha256": hash,
                "n_rows": source.n_rows(),
                "n_columns": n_columns,
            })
        },
    )))
}

fn json_rows(blocks: &[Batch]) -> Vec<Value> {
    let mut rows = Vec::new();
    for block in blocks {
        for row in 0..block.n_rows() {
            let mut object = Map::new();
            object.insert("row_key".to_owned(), json!(block.keys()[row].to_string()));
            match block.fault_of(row) {
                Some(reason) => {
                    object.insert("code".to_owned(), json!(reason.code().id()));
                    object.insert("reason".to_owned(), json!(reason.to_string()));
                }
                None => {
                    let names = block.schema().names().enumerate();
                    let values =
                        names.map(|(slot, n)| (n.to_owned(), json_value(block, slot, row)));
                    object.insert("values".to_owned(), Value::Object(values.collect()));
                }
            }
            rows.push(Value::Object(object));
        }
    }
    rows
}
