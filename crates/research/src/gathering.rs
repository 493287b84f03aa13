//! How the rows of a fit are gathered: a source, its columns, and what is joined to it.
//!
//! # Shape
//! In a config, `[source]` (or `source` under `[data]`) says where rows come from, and each
//! `[[join]]` brings columns of another source, in the order in which they stand:
//!
//! ```toml
//! [source]
//! path = "applications/*.parquet"
//!
//! [[join]]
//! source = { url = "sqlite://bureau.db?table=reports" }
//! on = ["customer"]
//! as_of = { time = "applied_at", event_time = "reported_at", known_time = "loaded_at" }
//! ```
//!
//! A joined source has the kinds that `columns` of its table declare, else those inferred from all
//! its rows; a key column is of the kind that the left table's is.
//!
//! The result is a plain table: nothing of this is part of a config's fingerprint. The same rows,
//! however gathered, are the same fit.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::batch::{Batch, ColumnKind};
use samescore_core::config::{ColumnConfig, Config, DataConfig};
use samescore_core::error::{Code, Error, Result};
use serde::Deserialize;

use crate::gather::{self, Source, SourceTable};
use crate::join::Join;
use crate::snapshot::About;

/// The tables of a config that say how rows are gathered.
pub const TABLES: [&str; 2] = ["source", "join"];

/// How rows are gathered.
#[derive(Clone, Debug)]
pub struct Gathering {
    /// Where they come from.
    pub source: Source,
    /// The columns to read; none means all, inferred.
    pub data: DataConfig,
    /// What is joined to them, in order.
    pub joins: Vec<(Source, Join)>,
}

/// The tables as they stand in a config, whose other tables are read elsewhere.
#[derive(Deserialize)]
struct Tables {
    source: Option<SourceTable>,
    #[serde(default)]
    join: Vec<Join>,
}

impl Gathering {
    /// The rows of a source, all its columns.
    ///
    /// # Errors
    /// If the text names no source.
    pub fn of(source: &str) -> Result<Self> {
        let source = Source::parse(source, Path::new(""))?;
        Ok(Gathering { source, data: DataConfig::default(), joins: Vec::new() })
    }

    /// What a config says, whose file stands in `folder`; `instead` stands in for its source.
    ///
    /// # Errors
    /// If the text is not readable, names no source or two, or a join makes no sense.
    pub fn read(text: &str, config: &Config, folder: &Path, instead: Option<&str>) -> Result<Self> {
        let tables: Tables = toml::from_str(text).map_err(|e| {
            let error = Error::new(Code::BadParameter, e.message());
            match e.span() {
                Some(span) => error.at(span),
                None => error,
            }
        })?;
        let source = match (instead, &tables.source, &config.data.source) {
            (Some(text), _, _) => Source::parse(text, Path::new(""))?,
            (None, Some(_), Some(_)) => {
                let message = "expected one source, found [source] and `source` under [data]";
                return Err(Error::new(Code::Usage, message).remedy("leave one of them out"));
            }
            (None, Some(table), None) => table.source(folder)?,
            (None, None, Some(text)) => Source::parse(text, folder)?,
            (None, None, None) => {
                let error = Error::new(Code::Usage, "expected a source of rows, found none");
                return Err(error.remedy("set [source] in the config, or name one on the command line"));
            }
        };
        let mut joins = Vec::with_capacity(tables.join.len());
        for join in tables.join {
            join.validate()?;
            joins.push((join.source.source(folder)?, join));
        }
        Ok(Gathering { source, data: config.data.clone(), joins })
    }

    /// The rows: the declared columns, those of the joins, and what the joins need.
    ///
    /// # Errors
    /// As [`gather::read`] and [`Join::apply`].
    pub fn read_rows(&self) -> Result<Batch> {
        let others: Vec<Batch> =
            self.joins.iter().map(|(source, join)| self.other(source, join)).collect::<Result<_>>()?;
        let mut left = self.left(&others)?;
        for ((_, join), other) in self.joins.iter().zip(&others) {
            left = join.apply(&left, other)?;
        }
        Ok(left)
    }

    /// The rows of a joined source.
    fn other(&self, source: &Source, join: &Join) -> Result<Batch> {
        let mut columns = join.columns.clone();
        if columns.is_empty() {
            columns = gather::infer(source, &self.data.missing)?;
        }
        for (name, other) in join.on.iter().zip(join.other_on()) {
            if let Some(declared) = self.data.columns.get(name) {
                columns.insert(other.clone(), declared.clone());
            }
        }
        let data = DataConfig { columns, ..self.data.clone() };
        gather::read(source, &data, &[])
    }

    /// The rows of the source itself: its own columns and those that the joins need.
    fn left(&self, others: &[Batch]) -> Result<Batch> {
        let mut columns = self.data.columns.clone();
        if columns.is_empty() {
            columns = gather::infer(&self.source, &self.data.missing)?;
        }
        for ((_, join), other) in self.joins.iter().zip(others) {
            for (_, name) in join.taken(other.schema())? {
                columns.remove(&name);
            }
            for (name, kind) in needs(join, other)? {
                columns.entry(name).or_insert_with(|| ColumnConfig::from(kind));
            }
        }
        let data = DataConfig { columns, ..self.data.clone() };
        gather::read(&self.source, &data, &[])
    }

    /// What a manifest says of the source.
    pub fn about(&self) -> About {
        let joined = self.joins.iter().map(|(source, _)| format!(" + {source}"));
        About {
            source: self.source.to_string() + &joined.collect::<String>(),
            query: self.source.query().map(str::to_owned),
            key: self.data.key.clone(),
            readers: gather::readers(),
        }
    }
}

/// The left columns that a join needs, with their kinds.
fn needs(join: &Join, other: &Batch) -> Result<BTreeMap<String, ColumnKind>> {
    let mut kinds = BTreeMap::new();
    for (name, other_name) in join.on.iter().zip(join.other_on()) {
        let slot = other.schema().required(other_name)?;
        kinds.insert(name.clone(), other.column(slot).kind());
    }
    for as_of in &join.as_of {
        kinds.insert(as_of.time.clone(), ColumnKind::Time);
    }
    Ok(kinds)
}
