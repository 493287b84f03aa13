//! A config to begin with: what `init` writes for a table that nobody has described yet.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::batch::{Column, ColumnKind};
use samescore_core::config::{ColumnConfig, DataConfig, Task};
use samescore_core::error::{Code, Error, Result};

use crate::gather;

/// The parts of a config, each behind a line `#: NAME`.
const PARTS: &str = include_str!("draft.toml");

/// The part of that name; nothing if there is none.
fn part(name: &str) -> &'static str {
    let mut parts = PARTS.split("#: ").filter_map(|part| part.split_once('\n'));
    parts.find(|(found, _)| *found == name).map_or("", |(_, text)| text)
}

/// What to predict, and how.
pub struct Target {
    /// The column.
    pub column: String,
    /// What it is.
    pub task: Task,
    /// For a column of two labels: the one that counts as 1.
    pub positive: Option<String>,
}

/// The wanted column, or the last column of numbers by name. Two labels, or only 0 and 1, make the
/// task binary.
///
/// # Errors
/// If there is no such column, or it holds neither numbers nor two labels.
pub fn choose_target(
    source: &Path,
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
    let only = BTreeMap::from([(name.clone(), column.clone())]);
    let data = DataConfig { columns: only, ..DataConfig::default() };
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
            let message =
                format!("expected numbers or two labels to predict, found {}", other.kind());
            return Err(Error::new(Code::BadTarget, message).column(name));
        }
    };
    Ok(Target { column: name.clone(), task, positive })
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
    });
    if let Some(positive) = &target.positive {
        text.push_str(&format!("positive = {}\n", quoted(positive)));
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
        Task::Binary => part("binary"),
    });
    text
}
