//! `convert`: the declared columns of a source as another file, perhaps in another order: to move
//! rows, or to try that neither format nor order changes a bit.

use std::path::PathBuf;

use samescore_core::error::{Code, Error};
use samescore_core::rng::Seed;
use samescore_research::convert::{self, Form};
use samescore_research::gather::{Format, Relation, Source};
use samescore_research::output_file;
use serde_json::json;

use super::failure::Failure;
use super::load::{self, DataArgs, Inputs, Loaded};
use super::shell::{Answer, Shell};

/// Write the rows of a config's source in another format.
///
/// The declared columns, or all if none are declared; what the config joins is joined. CSV (.csv,
/// .csv.gz), Parquet, Arrow IPC (.arrow), JSON lines (.jsonl) or a new file of SQLite. The
/// fingerprint of the rows stays what it is.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore convert titanic.toml titanic.parquet --shuffle 7")]
pub(super) struct Args {
    /// The config, in TOML.
    config: PathBuf,
    /// The file to write, its format by its ending, or a new `sqlite://FILE?table=NAME`.
    out: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Put the rows into an order drawn from this seed.
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Rows per row group of a Parquet file.
    #[arg(long, value_name = "N")]
    row_group_rows: Option<usize>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    if args.row_group_rows == Some(0) {
        return Err(Error::new(Code::Usage, "expected at least 1 row per group, found 0").into());
    }
    let loaded = Loaded::read(&args.config, &args.data)?;
    let inputs = Inputs::gathered(&[("the config", &*args.config)], &loaded.gathering)?;
    let (out, form) = form(args)?;
    output_file::keep_apart(&inputs.all(), &[("the output", Some(&out))])?;
    let mut batch = loaded.gathering.read_rows()?;
    if let (Some(seed), true) = (args.shuffle, batch.faults().is_empty()) {
        batch = convert::shuffled(&batch, Seed(seed));
    }
    let bytes = convert::write(&batch, &loaded.config.data.columns, &form)?;
    output_file::replace(&out, &bytes)?;
    let shown = args.out.display().to_string();
    Ok(Answer::yes(shell.body(
        || format!("{} rows written to {shown}\n", batch.n_rows()),
        || json!({ "command": "convert", "path": shown, "n_rows": batch.n_rows() }),
    )))
}

/// The file to write, and in which form.
fn form(args: &Args) -> Result<(PathBuf, Form), Error> {
    match load::source(&args.out)? {
        Source::Files(path) => {
            let format = Format::of(&path)?;
            Ok((path, Form::File { format, group_rows: args.row_group_rows }))
        }
        // What is written is the whole file: its other tables would be gone.
        Source::Sqlite(path, Relation::Table(_)) if path.exists() => {
            let message =
                format!("expected a new file of SQLite to write, found `{}`", path.display());
            Err(Error::new(Code::Usage, message).remedy("remove it, or name another file"))
        }
        Source::Sqlite(path, Relation::Table(name)) => Ok((path, Form::Sqlite(name))),
        other => {
            let message = format!("expected a file or a table of SQLite to write, found `{other}`");
            Err(Error::new(Code::Usage, message))
        }
    }
}
