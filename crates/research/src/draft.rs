//! A config to begin with: what `init` writes for a table that nobody has described yet.

use std::collections::{BTreeMap, BTreeSet};

use samescore_core::aggregate::Blocks;
use samescore_core::batch::{Column, ColumnKind, show_num};
use samescore_core::config::{ColumnConfig, DataConfig, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use crate::gather::{self, Keep, Source};

/// The parts of a config, each behind a line `#: NAME`.
const PARTS: &str = include_str!("draft.toml");

/// The part of that name; nothing if there is none.
fn part(name: &str) -> &'static str {
    let mut parts = PARTS.split("#: ").filter_map(|part| part.split_once('\n'));
    parts.find(|(found, _)| *found == name).map_or("", |(_, text)| text)
}

/// A text column of more labels than this is no target.
const N_LABELS_MAX: usize = 100;

/// What to predict, and how.
pub struct Target {
    /// The column.
    pub column: String,
    /// What it is.
    pub task: Task,
    /// For a column of two labels: the one that counts as 1.
    pub positive: Option<String>,
    /// For a column of more labels: all of them, sorted.
    pub classes: Vec<String>,
}

/// The wanted column, or the last column of numbers by name. Two labels, or only 0 and 1, make the
/// task binary, more labels make it multiclass.
///
/// # Errors
/// If there is no such column, or it holds neither numbers nor labels of classes.
pub fn choose_target(
    source: &Source,
    wanted: Option<&str>,
    columns: &BTreeMap<String, ColumnConfig>,
) -> Result<Target> {
    let is_num = |(_, column): &(&String, &ColumnConfig)| column.kind == ColumnKind::Num;
    let (name, column) = match wanted {
        None => columns.iter().rfind(is_num).ok_or_else(|| {
            Error::new(Code::BadTarget, "expected a column of numbers to predict, found none")
                .remedy("name one with --target")
        })?,
        Some(wanted) => columns.get_key_value(wanted).ok_or_else(|| {
            let listed: Vec<&str> = columns.keys().take(20).map(String::as_str).collect();
            let message = format!("expected a column that exists, found {}", listed.join(", "));
            Error::new(Code::MissingColumn, message).column(wanted)
        })?,
    };
    let read = read_column(source, name, column, &[])?;
    let of_task =
        |task: Task| Target { column: name.clone(), task, positive: None, classes: Vec::new() };
    match &read {
        Column::Num(values) if values.iter().all(|y| *y == 0.0 || *y == 1.0) => {
            Ok(of_task(Task::Binary))
        }
        Column::Num(_) => Ok(of_task(Task::Regression)),
        Column::Text(labels) if labels.n_levels() == 2 => {
            let positive = labels.levels().max().map(str::to_owned);
            Ok(Target { positive, ..of_task(Task::Binary) })
        }
        Column::Text(labels) if (3..=N_LABELS_MAX).contains(&labels.n_levels()) => {
            Ok(Target { classes: labels_of(&read), ..of_task(Task::Multiclass) })
        }
        Column::Text(labels) => {
            let n = labels.n_levels();
            let message =
                format!("expected numbers or 2 to {N_LABELS_MAX} labels, found {n} labels");
            Err(Error::new(Code::BadTarget, message).column(name))
        }
        other => {
            let message = format!("expected numbers or labels to predict, found {}", other.kind());
            Err(Error::new(Code::BadTarget, message).column(name))
        }
    }
}

/// The classes of a column that a config names as multiclass target without listing them: its
/// labels, or its numbers in shortest decimal form, in ascending order. A block of the source is in
/// memory at a time.
///
/// # Errors
/// If the source cannot be read.
pub fn classes(source: &Source, data: &DataConfig, column: &str) -> Result<Vec<String>> {
    let Some(declared) = data.columns.get(column) else {
        return Ok(Vec::new());
    };
    let columns = BTreeMap::from([(column.to_owned(), declared.clone())]);
    let (key, missing) = (data.key.clone(), data.missing.clone());
    let data = DataConfig { columns, missing, key, ..DataConfig::default() };
    let blocks = gather::blocks(source, &data, gather::BLOCK_ROWS, &Keep::default())?;
    let mut seen = Column::empty(declared.kind);
    for index in 0..blocks.n_blocks() {
        seen.append(&[blocks.read(index)?.column(0)]);
        seen = distinct(&seen);
    }
    Ok(labels_of(&seen))
}

/// Every value once, in ascending order.
fn distinct(column: &Column) -> Column {
    match column {
        Column::Num(values) => {
            let order = math::argsort(values).into_iter();
            let sorted = order.map(|row| values[row as usize]).filter(|x| !math::is_missing(*x));
            let mut once: Vec<f64> = sorted.collect();
            once.dedup();
            Column::Num(once)
        }
        Column::Text(text) => {
            let seen: BTreeSet<&str> = (0..text.len()).filter_map(|row| text.get(row)).collect();
            Column::text(seen.into_iter().map(Some))
        }
        Column::Time(_) => Column::Time(Vec::new()),
    }
}

fn read_column(
    source: &Source,
    name: &str,
    column: &ColumnConfig,
    missing: &[String],
) -> Result<Column> {
    let columns = BTreeMap::from([(name.to_owned(), column.clone())]);
    let data = DataConfig { columns, missing: missing.to_vec(), ..DataConfig::default() };
    Ok(gather::read(source, &data, &[])?.column(0).clone())
}

/// The distinct values that are not missing: text by code point, numbers by size.
pub fn labels_of(column: &Column) -> Vec<String> {
    match column {
        Column::Text(text) => {
            let seen: BTreeSet<&str> = (0..text.len()).filter_map(|row| text.get(row)).collect();
            seen.into_iter().map(str::to_owned).collect()
        }
        Column::Num(values) => {
            let order = math::argsort(values);
            let sorted = order.into_iter().map(|row| values[row as usize]);
            let mut labels: Vec<String> =
                sorted.filter(|x| !math::is_missing(*x)).map(show_num).collect();
            labels.dedup();
            labels
        }
        Column::Time(_) => Vec::new(),
    }
}

/// A config that fits as it stands: gaps are filled, rare labels grouped, labels spread over
/// columns, everything scaled.
pub fn config_text(
    source: &str,
    columns: &BTreeMap<String, ColumnConfig>,
    target: &Target,
) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let is_used = |kind: ColumnKind| {
        let mut of_kind = columns.iter().filter(|(_, column)| column.kind == kind);
        of_kind.any(|(name, _)| *name != target.column)
    };
    let mut text = format!("{}source = {}\n{}", part("head"), quoted(source), part("data"));
    for (name, column) in columns {
        text.push_str(&format!("{} = \"{}\"\n", quoted(name), column.kind));
    }
    text.push_str(&format!("\n[target]\ncolumn = {}\n", quoted(&target.column)));
    text.push_str(match target.task {
        Task::Regression => "task = \"regression\"\n",
        Task::Binary => "task = \"binary\"\n",
        Task::Multiclass => "task = \"multiclass\"\n",
    });
    if let Some(positive) = &target.positive {
        text.push_str(&format!("positive = {}\n", quoted(positive)));
    }
    if !target.classes.is_empty() {
        let classes: Vec<String> = target.classes.iter().map(|c| quoted(c)).collect();
        text.push_str(&format!("classes = [{}]\n", classes.join(", ")));
    }
    text.push_str("\n[split]\ntest_ratio = 0.2\n");
    if is_used(ColumnKind::Time) {
        text.push_str(part("time"));
    }
    if is_used(ColumnKind::Num) || is_used(ColumnKind::Time) {
        text.push_str(part("num"));
    }
    if is_used(ColumnKind::Text) {
        text.push_str(part("text"));
    }
    text.push_str(part("scale"));
    text.push_str(match target.task {
        Task::Regression => part("regression"),
        Task::Binary | Task::Multiclass => part("binary"),
    });
    text
}
