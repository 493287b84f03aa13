//! `init`: a config to begin with, from a table or with an example of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samescore_core::batch::{Column, ColumnKind};
use samescore_core::config::{ColumnConfig, Config, DataConfig, Task};
use samescore_core::error::{Code, Error};
use samescore_core::example;
use samescore_research::{convert, file, gather};
use serde_json::json;

use super::failure::Failure;
use super::shell::{Answer, Shell};

const EXAMPLE_ROWS: usize = 400;
const EXAMPLE_SEED: u64 = 1;
const EXAMPLE_SOURCE: &str = "example.csv";

/// Write a config to begin with.
///
/// With a table, the config declares its columns, inferred from all its rows. Without one, a small example
/// table is written as well, and the config can be fitted at once.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore init houses.csv --target price --out houses.toml")]
pub(super) struct Args {
    /// A table, CSV or Parquet.
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
            let columns = gather::infer(source, &[])?;
            let target = choose_target(source, args.target.as_deref(), &columns)?;
            (from_folder(source, &folder), columns, target)
        }
        None => {
            write_example(&folder.join(EXAMPLE_SOURCE), args.force)?;
            let target = Target {
                column: example::REGRESSION_TARGET.to_owned(),
                task: Task::Regression,
                positive: None,
            };
            (EXAMPLE_SOURCE.to_owned(), example_columns(), target)
        }
    };
    let text = config_text(&source, &columns, &target);
    Config::from_toml(&text)
        .map_err(|e| Failure::in_config(e, &args.out.display().to_string(), &text))?;
    file::replace(&args.out, text.as_bytes())?;
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
    file::replace(
        path,
        &convert::write(&table, &example_columns(), gather::Format::Csv, None)?,
    )
}

fn example_columns() -> BTreeMap<String, ColumnConfig> {
    example::COLUMNS
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), (*kind).into()))
        .collect()
}

/// The path of a source as the config will see it, relative to its own folder.
fn from_folder(source: &Path, folder: &Path) -> String {
    if folder.as_os_str().is_empty() || source.is_absolute() {
        return source.display().to_string();
    }
    match (source.strip_prefix(folder), std::path::absolute(source)) {
        (Ok(inside), _) => inside.display().to_string(),
        (Err(_), Ok(whole)) => whole.display().to_string(),
        (Err(_), Err(_)) => source.display().to_string(),
    }
}

/// What to predict, and how.
struct Target {
    column: String,
    task: Task,
    /// For a column of two labels: the one that counts as 1.
    positive: Option<String>,
}

/// The wanted column, or the last column of numbers by name. Two labels, or only 0 and 1, make the task
/// binary.
fn choose_target(
    source: &Path,
    wanted: Option<&str>,
    columns: &BTreeMap<String, ColumnConfig>,
) -> Result<Target, Error> {
    let is_num = |(_, column): &(&String, &ColumnConfig)| column.kind == ColumnKind::Num;
    let (name, column) = match wanted {
        None => columns.iter().rfind(is_num).ok_or_else(|| {
            Error::new(
                Code::BadTarget,
                "expected a column of numbers to predict, found none",
            )
            .remedy("name one with --target")
        })?,
        Some(wanted) => columns.get_key_value(wanted).ok_or_else(|| {
            let listed: Vec<&str> = columns.keys().take(20).map(String::as_str).collect();
            let message = format!("no such column, found {}", listed.join(", "));
            Error::new(Code::MissingColumn, message).column(wanted)
        })?,
    };
    let only = BTreeMap::from([(name.clone(), column.clone())]);
    let data = DataConfig {
        columns: only,
        ..DataConfig::default()
    };
    let batch = gather::read(source, &data, &[])?;
    let (task, positive) = match batch.column(0) {
        Column::Num(values) if values.iter().all(|y| *y == 0.0 || *y == 1.0) => {
            (Task::Binary, None)
        }
        Column::Num(_) => (Task::Regression, None),
        Column::Text(labels) if labels.n_levels() == 2 => {
            (Task::Binary, labels.levels().max().map(str::to_owned))
        }
        other => {
            let message = format!(
                "expected numbers or two labels to predict, found {}",
                other.kind()
            );
            return Err(Error::new(Code::BadTarget, message).column(name));
        }
    };
    Ok(Target {
        column: name.clone(),
        task,
        positive,
    })
}

/// A config that fits as it stands: gaps are filled, rare labels grouped, labels spread over columns,
/// everything scaled.
fn config_text(source: &str, columns: &BTreeMap<String, ColumnConfig>, target: &Target) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let is_used = |kind: ColumnKind| {
        let mut of_kind = columns.iter().filter(|(_, column)| column.kind == kind);
        of_kind.any(|(name, _)| *name != target.column)
    };
    let mut text = format!("{HEAD}source = {}\n{DATA}", quoted(source));
    for (name, column) in columns {
        text.push_str(&format!("{} = \"{}\"\n", quoted(name), column.kind));
    }
    text.push_str(&format!(
        "\n[target]\ncolumn = {}\n",
        quoted(&target.column)
    ));
    text.push_str(match target.task {
        Task::Regression => "task = \"regression\"\n",
        Task::Binary => "task = \"binary\"\n",
    });
    if let Some(positive) = &target.positive {
        text.push_str(&format!("positive = {}\n", quoted(positive)));
    }
    text.push_str("\n[split]\ntest_ratio = 0.2\n");
    if is_used(ColumnKind::Time) {
        text.push_str(TIME_STEPS);
    }
    if is_used(ColumnKind::Num) || is_used(ColumnKind::Time) {
        text.push_str(NUM_STEPS);
    }
    if is_used(ColumnKind::Text) {
        text.push_str(TEXT_STEPS);
    }
    text.push_str(SCALE_STEP);
    text.push_str(match target.task {
        Task::Regression => "\n[model]\nkind = \"linear_regression\"\nalpha = 1.0\n",
        Task::Binary => "\n[model]\nkind = \"logistic_regression\"\nc = 1.0\n",
    });
    text
}

const HEAD: &str = "\
# `samescore kinds` lists every step and model; `samescore kinds KIND` is its manual.
seed = 0

[data]
";
const DATA: &str = "\
key = []        # columns that identify a row; none: its content does
missing = []    # texts that mean missing, besides an empty cell

[data.columns]
";
const TIME_STEPS: &str = "
[[step]]
kind = \"cast\"
name = \"days\"
columns = { kind = \"time\" }
to = \"num\"
unit = \"days\"
";
const NUM_STEPS: &str = "
[[step]]
kind = \"mean_median_imputer\"
name = \"fill_numbers\"
columns = { kind = \"num\" }
";
const TEXT_STEPS: &str = "
[[step]]
kind = \"categorical_imputer\"
name = \"fill_labels\"
columns = { kind = \"text\" }

[[step]]
kind = \"rare_label_encoder\"
name = \"group_rare\"
columns = { kind = \"text\" }

[[step]]
kind = \"one_hot_encoder\"
name = \"one_hot\"
columns = { kind = \"text\" }
";
const SCALE_STEP: &str = "
[[step]]
kind = \"standard_scaler\"
name = \"scale\"
columns = \"all\"
";
