//! Which columns there are and how they are read, and which rows are kept from the fit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::columns::refuse_repeated;
use super::target::task_name;
use super::{TargetConfig, TargetTransform, Task, Zone, bad, undeclared};
use crate::batch::{COLUMNS_MAX, CellReader, ColumnKind, TimeFormat};
use crate::error::{Code, Error, Result};

/// The columns to read and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Where the rows come from, relative to the config; not part of the fingerprint.
    #[serde(skip)]
    pub source: Option<String>,
    /// The columns that identify a row; empty means the row's own content does.
    pub key: Vec<String>,
    /// The column that says what each row counts in the fit; none means that each counts one. It is
    /// no feature, and rows to be scored need not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Texts that mean missing, besides an empty cell; in num and time columns also the values that
    /// they read as (see [`CellReader`]). Sorted when read from TOML.
    pub missing: Vec<String>,
    /// The declared columns by name.
    pub columns: BTreeMap<String, ColumnConfig>,
}

/// One declared column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// What it holds.
    pub kind: ColumnKind,
    /// How times are written in text sources.
    pub format: TimeFormat,
    /// Where times without an offset are local times; none means that they are UTC. Of texts alone:
    /// what a source stores as an instant is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

impl ColumnConfig {
    /// How cells of the column are read. A zone that is named only, which no validated config has,
    /// reads as UTC.
    pub fn reader(&self, missing: &[String]) -> CellReader {
        let rules = self.zone.as_ref().and_then(Zone::rules);
        CellReader::zoned(self.kind, &self.format, rules, missing)
    }

    fn validate(&self) -> Result<()> {
        self.format.validate()?;
        let misplaced = |what: &str| {
            let message =
                format!("expected `{what}` of a time column, found it of a {}", self.kind);
            Err(bad(message).remedy("leave it out"))
        };
        match (self.kind, &self.zone) {
            (ColumnKind::Time, None) => Ok(()),
            (ColumnKind::Time, Some(zone)) => zone.validate(),
            (_, Some(_)) => misplaced("zone"),
            (_, None) if self.format != TimeFormat::default() => misplaced("format"),
            _ => Ok(()),
        }
    }
}

impl From<ColumnKind> for ColumnConfig {
    fn from(kind: ColumnKind) -> Self {
        ColumnConfig { kind, format: TimeFormat::default(), zone: None }
    }
}

/// Which rows are kept from the fit, for an honest evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// The share of rows, or of groups, to keep from the fit; each by the hash of its key.
    pub test_ratio: f64,
    /// Rows that are equal in this column stay on one side.
    pub group: Option<String>,
}

impl DataConfig {
    pub(super) fn validate(&self, target: &TargetConfig) -> Result<()> {
        if self.columns.len() > COLUMNS_MAX {
            let found = self.columns.len();
            return Err(bad(format!("expected at most {COLUMNS_MAX} columns, found {found}")));
        }
        for (name, column) in &self.columns {
            column.validate().map_err(|e| e.column(name))?;
        }
        if self.missing.iter().any(String::is_empty) {
            let message = "expected a text in `missing`, found an empty one";
            return Err(bad(message.to_owned()).remedy("an empty cell is missing in any case"));
        }
        if let Some(pair) = sorted(&self.missing).windows(2).find(|pair| pair[0] == pair[1]) {
            let message =
                format!("expected each text once in `missing`, found {:?} twice", pair[0]);
            return Err(bad(message));
        }
        refuse_repeated(&self.key)?;
        for name in &self.key {
            if !self.columns.contains_key(name) {
                return Err(undeclared(name, "key"));
            }
            if *name == target.column {
                return Err(
                    Error::new(Code::BadTarget, "expected a key without the target").column(name)
                );
            }
        }
        if let Some(weight) = &self.weight {
            self.validate_weight(weight, target)?;
        }
        target.validate_classes()?;
        let Some(column) = self.columns.get(&target.column) else {
            return Err(undeclared(&target.column, "target"));
        };
        let fits = match (target.task, column.kind) {
            (Task::Regression, ColumnKind::Num) => target.positive.is_none(),
            (Task::Binary, ColumnKind::Num) => target.positive.is_none(),
            (Task::Binary, ColumnKind::Text) => target.positive.is_some(),
            (Task::Multiclass, ColumnKind::Num | ColumnKind::Text) => target.positive.is_none(),
            _ => false,
        };
        if !fits {
            return Err(Error::new(
                Code::BadTarget,
                format!(
                    "expected a target that task {} can use, found a {} column {} `positive`",
                    task_name(target.task),
                    column.kind,
                    if target.positive.is_some() { "with" } else { "without" },
                ),
            )
            .remedy("use a num column, or for task binary a text column with `positive`")
            .column(&target.column));
        }
        if target.task != Task::Regression && target.transform != TargetTransform::Identity {
            let message = "expected no `transform` of a target of classes, found one";
            return Err(Error::new(Code::BadTarget, message).column(&target.column));
        }
        Ok(())
    }

    fn validate_weight(&self, weight: &str, target: &TargetConfig) -> Result<()> {
        let Some(column) = self.columns.get(weight) else {
            return Err(undeclared(weight, "weight"));
        };
        if column.kind != ColumnKind::Num {
            let message = format!("expected a num column of weights, found {}", column.kind);
            return Err(bad(message).column(weight));
        }
        if weight == target.column || self.key.iter().any(|key| key == weight) {
            let message = "expected a weight that is neither target nor key, found one that is";
            return Err(bad(message.to_owned()).column(weight));
        }
        Ok(())
    }
}

impl SplitConfig {
    pub(super) fn validate(&self, data: &DataConfig) -> Result<()> {
        check_test_ratio(self.test_ratio)?;
        match &self.group {
            Some(group) if !data.columns.contains_key(group) => Err(undeclared(group, "split")),
            _ => Ok(()),
        }
    }
}

pub(super) fn check_test_ratio(found: f64) -> Result<()> {
    // Written so that NaN is refused as well.
    if found > 0.0 && found < 1.0 {
        return Ok(());
    }
    Err(bad(format!("expected test_ratio between 0 and 1, found {found}")))
}

pub(super) fn sorted(texts: &[String]) -> Vec<&String> {
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort();
    sorted
}
