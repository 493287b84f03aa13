//! `init`: a config to begin with, from a table or with an example of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samescore_core::config::{ColumnConfig, Config, Task};
use samescore_core::error::{Code, Error};
use samescore_core::example;
use samescore_research::draft::{self, Target};
use samescore_research::gather::Source;
use samescore_research::gathering::Gathering;
use samescore_research::{convert, gather, output_file};
use serde_json::json;

use super::failure::Failure;
use super::load;
use super::shell::{Answer, Shell};

const EXAMPLE_ROWS: usize = 400;
const EXAMPLE_SEED: u64 = 1;
const EXAMPLE_SOURCE: &str = "example.csv";

/// Write a config to begin with.
///
/// With a table, the config declares its columns, inferred from all its rows. Without one, a small
/// example table is written as well, and the config can be fitted at once.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore init houses.csv --target price --out houses.toml")]
pub(super) struct Args {
    /// A table: a file, a folder or pattern of files, or the address of a database.
    source: Option<PathBuf>,
    /// The column to predict; without it, the last column of numbers by name.
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// The config to write.
    #[arg(long, value_name = "FILE", default_value = "samescore.toml")]
    out: PathBuf,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    refuse_existing(&args.out, args.force)?;
    let folder = args.out.parent().unwrap_or(Path::new("")).to_owned();
    let (source, columns, target) = match &args.source {
        Some(source) => {
            let source = load::source(source)?;
            let inputs = load::Inputs::gathered(&[], &Gathering::of(source.clone()))?;
            output_file::keep_apart(&inputs.all(), &[("--out", Some(&args.out))])?;
            let columns = gather::infer(&source, &[])?;
            let target = draft::choose_target(&source, args.target.as_deref(), &columns)?;
            (from_folder(source, &folder), columns, target)
        }
        None => {
            let table = folder.join(EXAMPLE_SOURCE);
            let outputs = [("the example table", Some(&*table)), ("--out", Some(&*args.out))];
            output_file::keep_apart(&[], &outputs)?;
            write_example(&table, args.force)?;
            let target = Target {
                column: example::REGRESSION_TARGET.to_owned(),
                task: Task::Regression,
                positive: None,
                classes: Vec::new(),
            };
            (EXAMPLE_SOURCE.to_owned(), example_columns(), target)
        }
    };
    let text = draft::config_text(&source, &columns, &target);
    Config::from_toml(&text)
        .map_err(|e| Failure::in_config(e, &args.out.display().to_string(), &text))?;
    output_file::replace(&args.out, text.as_bytes())?;
    let shown = args.out.display().to_string();
    Ok(Answer::yes(shell.body(
        || format!("{shown} written; next: samescore fit {shown}\n"),
        || json!({ "command": "init", "path": shown, "source": source, "target": target.column }),
    )))
}

fn refuse_existing(path: &Path, force: bool) -> Result<(), Error> {
    if force || !path.exists() {
        return Ok(());
    }
    let message = format!("expected a new file, found `{}`", path.display());
    Err(Error::new(Code::Usage, message).remedy("choose another --out, or --force"))
}

fn write_example(path: &Path, force: bool) -> Result<(), Error> {
    refuse_existing(path, force)?;
    let table = example::table(EXAMPLE_ROWS, EXAMPLE_SEED);
    output_file::replace(path, &convert::write(&table, &example_columns(), &convert::Form::CSV)?)
}

fn example_columns() -> BTreeMap<String, ColumnConfig> {
    let shown = example::COLUMNS.iter().filter(|(name, _)| {
        // A price that is told in three words, and what a row counts, would give the price away.
        *name != example::MULTICLASS_TARGET && *name != example::WEIGHT
    });
    shown.map(|(name, kind)| ((*name).to_owned(), (*kind).into())).collect()
}

/// A source as the config will see it, relative to its own folder.
fn from_folder(source: Source, folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        return source.to_string();
    }
    match &source {
        Source::Files(path) => match path.strip_prefix(folder) {
            Ok(inside) => inside.display().to_string(),
            Err(_) => source.absolute().to_string(),
        },
        _ => source.absolute().to_string(),
    }
}
