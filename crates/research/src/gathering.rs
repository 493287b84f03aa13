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
//! `[aggregate]` makes one row per group of the source before anything is joined, and
//! `[join.aggregate]` one of the other source, with exact sums ([`GroupBy`]):
//!
//! ```toml
//! [aggregate]
//! by = ["customer"]
//! columns = { n = { func = "count" }, total = { func = "sum", of = "amount" } }
//! read = { amount = "num" }   # kinds of the columns that are read; else they are inferred
//! ```
//!
//! A joined source has the kinds that `columns` of its table declare, else those inferred from all
//! its rows; a key column is of the kind that the left table's is.
//!
//! The result is a plain table: nothing of this is part of a config's fingerprint. The same rows,
//! however gathered, are the same fit.

mod forms;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samescore_core::aggregate::{GroupBy, MemoryRows};
use samescore_core::batch::{Batch, ColumnKind};
use samescore_core::config::{ColumnConfig, Config, DataConfig, Zone};
use samescore_core::error::{Code, Error, Result};

use crate::gather::{self, Keep, Source, SourceBlocks};
use crate::join::{Join, by_name};
use crate::snapshot::About;
use forms::{Grouping, Tables};

/// The tables of a config that say how rows are gathered.
pub const TABLES: [&str; 3] = ["source", "aggregate", "join"];

/// Files of undeclared columns are held from one reading up to here.
const ONCE_BYTES: u64 = 64 << 20;

/// How rows are gathered.
#[derive(Clone, Debug)]
pub struct Gathering {
    /// Where they come from.
    pub source: Source,
    /// The columns to read; none means all, inferred.
    pub data: DataConfig,
    /// What is made of groups of the source's rows, instead of the rows.
    pub aggregate: Option<Aggregate>,
    /// What is joined to them, in order.
    pub joins: Vec<Joined>,
}

/// What stands in for the source of a config.
#[derive(Clone, Debug)]
pub struct Instead {
    /// Where its rows come from.
    pub source: Source,
    /// Whether they are what the config gathers already, with all that it joins.
    pub is_gathered: bool,
}

/// One row per group instead of the rows that are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Which rows are a group, and what is made of each.
    pub groups: GroupBy,
    /// The columns to read; none means all, inferred.
    pub read: BTreeMap<String, ColumnConfig>,
}

/// Another source, and how it is joined.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Where its rows come from.
    pub source: Source,
    /// Its declared columns; none means all, inferred.
    pub columns: BTreeMap<String, ColumnConfig>,
    /// What is made of groups of its rows, instead of the rows.
    pub aggregate: Option<GroupBy>,
    /// How the tables belong together.
    pub join: Join,
}

impl Gathering {
    /// All columns of a source.
    pub fn of(source: Source) -> Self {
        Gathering { source, data: DataConfig::default(), aggregate: None, joins: Vec::new() }
    }

    /// What a config says, whose file stands in `folder`. `instead` stands in for its source: it is
    /// grouped, and all is joined to it, as to that.
    ///
    /// # Errors
    /// If the text names no source or two, or a join is not of its form; with the place in the
    /// text.
    pub fn read(
        text: &str,
        config: &Config,
        folder: &Path,
        instead: Option<Instead>,
    ) -> Result<Self> {
        let tables: Tables = toml::from_str(text).map_err(|e| {
            let error = Error::new(Code::BadParameter, e.message().trim_end_matches('.'));
            match e.span() {
                Some(span) => error.at(span),
                None => error,
            }
        })?;
        let aggregate = tables.aggregate.map(Grouping::aggregate).transpose()?;
        let joins = tables.join.into_iter().map(|table| table.joined(folder));
        let joins: Vec<Joined> = joins.collect::<Result<_>>()?;
        let named = gather::of_config(text, config, folder)?;
        let data = config.data.clone();
        match (instead, named) {
            (Some(Instead { source, is_gathered: true }), _) => {
                Ok(Gathering { data, ..Gathering::of(source) })
            }
            (Some(Instead { source, .. }), _) | (None, Some(source)) => {
                Ok(Gathering { source, data, aggregate, joins })
            }
            (None, None) => {
                let error = Error::new(Code::Usage, "expected a source of rows, found none");
                Err(error.remedy("set [source] in the config, or name one on the command line"))
            }
        }
    }

    /// The rows: the declared columns, those of the joins, and what the joins need.
    ///
    /// # Errors
    /// As [`gather::read`] and [`Join::apply`].
    pub fn read_rows(&self) -> Result<Batch> {
        let others = self.joins.iter().map(|joined| {
            let read = self.other(joined).and_then(without_faults);
            read.map_err(|e| e.within(&format!("`{}`", joined.source)))
        });
        let others: Vec<Batch> = others.collect::<Result<_>>()?;
        let mut left = self.left(&others)?;
        for (joined, other) in self.joins.iter().zip(&others) {
            let place = format!("joining `{}`", joined.source);
            left = joined.join.apply(&left, other).map_err(|e| e.within(&place))?;
        }
        Ok(left)
    }

    /// The rows in blocks of at most `block_rows`; joined and grouped ones are held in memory,
    /// those of a source that cannot be cut are kept as `keep` says.
    ///
    /// # Errors
    /// As [`Gathering::read_rows`].
    pub fn blocks(&self, block_rows: usize, keep: &Keep) -> Result<SourceBlocks> {
        match self.is_plain() {
            true => gather::blocks(&self.source, &self.data, block_rows, keep),
            false => Ok(SourceBlocks::held(self.read_rows()?, block_rows)),
        }
    }

    /// Name and kind of every column of the rows: the declared ones, or those inferred.
    ///
    /// # Errors
    /// As [`Gathering::read_rows`].
    pub fn columns(&self) -> Result<BTreeMap<String, ColumnConfig>> {
        if !self.data.columns.is_empty() {
            return Ok(self.data.columns.clone());
        }
        if self.is_plain() {
            let source = self.source.clone().keyed(&self.data.key);
            return gather::infer(source, &self.data.missing);
        }
        Ok(columns_of(&self.read_rows()?))
    }

    /// The rows of a config that declares no columns, with inferred ones, from one reading; `None`
    /// where there may be too many to hold: a reading for their kinds, another for their values.
    ///
    /// # Errors
    /// As [`Gathering::read_rows`].
    pub fn read_once(&self) -> Result<Option<Batch>> {
        let is_small = match self.is_plain() {
            true => self.n_bytes()?.is_some_and(|n_bytes| n_bytes < ONCE_BYTES),
            // What is joined or grouped is held.
            false => true,
        };
        is_small.then(|| self.read_rows()).transpose()
    }

    /// Whether the rows can be read in blocks where they lie.
    ///
    /// # Errors
    /// If there is no such file.
    pub fn is_cut(&self) -> Result<bool> {
        Ok(self.is_plain() && gather::is_cut(&self.source)?)
    }

    /// How many bytes the files have that are read; `None` if there are others than files.
    ///
    /// # Errors
    /// As [`Gathering::files`].
    pub fn n_bytes(&self) -> Result<Option<u64>> {
        let is_server = |source: &Source| matches!(source, Source::Postgres(..));
        if is_server(&self.source) || self.joins.iter().any(|joined| is_server(&joined.source)) {
            return Ok(None);
        }
        let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |found| found.len());
        Ok(Some(self.files()?.iter().map(length).sum::<u64>()))
    }

    /// Whether the rows are those of the source, with nothing made of them.
    pub fn is_plain(&self) -> bool {
        self.joins.is_empty() && self.aggregate.is_none()
    }

    /// The rows of a joined source.
    fn other(&self, joined: &Joined) -> Result<Batch> {
        let (source, join) = (&joined.source, &joined.join);
        let mut columns = joined.columns.clone();
        if let Some(groups) = &joined.aggregate {
            return self.grouped(source, groups, &columns);
        }
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

    /// One row per group of a source's rows. A key column that the config declares is read so.
    fn grouped(
        &self,
        source: &Source,
        groups: &GroupBy,
        read: &BTreeMap<String, ColumnConfig>,
    ) -> Result<Batch> {
        let rows = match read.is_empty() {
            true => gather::read_inferred(source, &self.data.missing)?,
            false => {
                let mut columns = read.clone();
                for name in &groups.by {
                    if let Some(declared) = self.data.columns.get(name) {
                        columns.entry(name.clone()).or_insert_with(|| declared.clone());
                    }
                }
                gather::read(source, &DataConfig { columns, ..self.data.clone() }, &[])?
            }
        };
        let grouped = groups.run(&MemoryRows::from_batch(rows))?;
        let fields = grouped.schema().fields().iter().cloned();
        by_name(fields.zip(grouped.columns().iter().cloned()).collect())
    }

    /// The rows of the source itself: its own columns and those that the joins need.
    fn left(&self, others: &[Batch]) -> Result<Batch> {
        if let Some(aggregate) = &self.aggregate {
            return self.grouped(&self.source, &aggregate.groups, &aggregate.read);
        }
        let mut columns = self.data.columns.clone();
        if columns.is_empty() {
            // A join asks for its own columns of whatever there is.
            let source = self.source.clone().keyed(&self.data.key);
            return gather::read_inferred(source, &self.data.missing);
        }
        for (Joined { join, .. }, other) in self.joins.iter().zip(others) {
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

    /// The files on this machine that are read.
    ///
    /// # Errors
    /// If a folder cannot be listed, or a pattern matches nothing.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = self.source.files()?;
        for joined in &self.joins {
            files.extend(joined.source.files()?);
        }
        Ok(files)
    }

    /// The same for whoever stands in another folder.
    #[must_use]
    pub fn absolute(mut self) -> Self {
        self.source = self.source.absolute();
        for joined in &mut self.joins {
            joined.source = joined.source.clone().absolute();
        }
        self
    }

    /// The tables of a config that gathers so.
    ///
    /// # Errors
    /// Never for what a config can say.
    pub fn to_tables(&self) -> Result<String> {
        let unwritten = |e: toml::ser::Error| Error::new(Code::BadParameter, e.to_string());
        let mut text = gather::to_table(&self.source);
        if let Some(aggregate) = &self.aggregate {
            text += &grouping("aggregate", &aggregate.groups, &aggregate.read)?;
        }
        for joined in &self.joins {
            let rules = toml::to_string(&joined.join).map_err(unwritten)?;
            let (keys, times) = rules.split_at(rules.find("\n[as_of").unwrap_or(rules.len()));
            text += &format!("\n[[join]]\n{keys}\n");
            text += &gather::to_table(&joined.source).replace("[source]", "[join.source]");
            text += &times.replace("\n[as_of", "\n[join.as_of");
            for (name, column) in &joined.columns {
                let column = toml::to_string(column).map_err(unwritten)?;
                let name = toml::Value::String(name.clone());
                text += &format!("\n[join.columns.{name}]\n{column}");
            }
            if let Some(groups) = &joined.aggregate {
                text += &grouping("join.aggregate", groups, &BTreeMap::new())?;
            }
        }
        Ok(text)
    }

    /// What a manifest says of the source.
    pub fn about(&self) -> About {
        let joined = self.joins.iter().map(|joined| format!(" + {}", joined.source));
        let sources = self.joins.iter().map(|joined| &joined.source);
        let mut readers = gather::readers(std::iter::once(&self.source).chain(sources));
        let own = self.data.columns.values();
        let read = self.aggregate.iter().flat_map(|aggregate| aggregate.read.values());
        let others = self.joins.iter().flat_map(|joined| joined.columns.values());
        let zones = own.chain(read).chain(others).filter_map(|column| column.zone.as_ref());
        if let Some(rules) = zones.filter_map(Zone::rules).next() {
            readers.insert("tzdb".to_owned(), rules.tzdb.clone());
        }
        About {
            source: self.source.to_string() + &joined.collect::<String>(),
            query: self.source.query().map(str::to_owned),
            key: self.data.key.clone(),
            readers,
        }
    }
}

/// The rows, if every cell of them could be read.
fn without_faults(rows: Batch) -> Result<Batch> {
    match rows.faults().first_key_value() {
        Some((&row, error)) => Err(error.clone().row(rows.source_row(row as usize))),
        None => Ok(rows),
    }
}

/// Name and kind of every column.
pub fn columns_of(rows: &Batch) -> BTreeMap<String, ColumnConfig> {
    let fields = rows.schema().fields().iter();
    fields.map(|field| (field.name.clone(), field.kind.into())).collect()
}

/// The table of a config that groups so.
fn grouping(name: &str, groups: &GroupBy, read: &BTreeMap<String, ColumnConfig>) -> Result<String> {
    let unwritten = |e: toml::ser::Error| Error::new(Code::BadParameter, e.to_string());
    let by: Vec<toml::Value> = groups.by.iter().cloned().map(toml::Value::String).collect();
    let mut text = format!("\n[{name}]\nby = {}\n", toml::Value::Array(by));
    for (column, made) in &groups.columns {
        let made = toml::to_string(made).map_err(unwritten)?;
        text += &format!("\n[{name}.columns.{}]\n{made}", toml::Value::String(column.clone()));
    }
    for (column, declared) in read {
        let declared = toml::to_string(declared).map_err(unwritten)?;
        text += &format!("\n[{name}.read.{}]\n{declared}", toml::Value::String(column.clone()));
    }
    Ok(text)
}

/// The left columns that a join needs, with their kinds.
fn needs(join: &Join, other: &Batch) -> Result<BTreeMap<String, ColumnKind>> {
    let mut kinds = BTreeMap::new();
    for (name, other_name) in join.on.iter().zip(join.other_on()) {
        let slot = other.schema().required(other_name)?;
        kinds.insert(name.clone(), other.column(slot).kind());
    }
    if let Some(as_of) = &join.as_of {
        kinds.insert(as_of.time.clone(), ColumnKind::Time);
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "[aggregate]\nby = [\"id\"]\ncolumns = { n = { func = \"count\" }, \
        q = { func = \"quantile\", of = \"x\", q = 0.5 } }\nread = { x = \"num\" }\n";

    const CONFIG: &str = "[data.columns]\ny = \"num\"\n[target]\ncolumn = \"y\"\n\
        [model]\nkind = \"linear_regression\"\n[source]\npath = \"a.csv\"\n";

    fn read(joins: &str) -> Result<Gathering> {
        let text = format!("{CONFIG}{joins}");
        let config = Config::parse_beside(&text, &TABLES)?;
        Gathering::read(&text, &config, Path::new("/base"), None)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let joins = "[[join]]\nsource = { path = \"b.csv\" }\non = [\"id\"]\nprefix = \"b_\"\n\
            [[join]]\nsource = { url = \"sqlite://c.db?table=t\" }\non = [\"id\", \"no\"]\n\
            other_on = [\"key\", \"n\"]\ntake = [\"x\"]\nmatches = \"one_to_one\"\n\
            unmatched = \"error\"\n\
            columns = { x = \"num\", \"a b\" = { kind = \"time\", format = \"%Y-%m-%d\" } }\n\
            as_of = { time = \"t\", event_time = \"e\", tie = { largest = \"x\" } }\n";
        let grouped = joins.to_owned()
            + "aggregate = { by = [\"key\", \"n\"], columns = { x = { func = \"sum\", of = \"y\" \
            } } }\n";
        let gathering = read(&(GROUPS.to_owned() + &grouped)).unwrap();
        assert_eq!(gathering.joins.len(), 2);
        let written = gathering.to_tables().unwrap();
        let text = CONFIG.split("[source]").next().unwrap().to_owned() + &written;
        let config = Config::parse_beside(&text, &TABLES).unwrap();
        let again = Gathering::read(&text, &config, Path::new("/"), None).unwrap();
        assert_eq!((&again.source, &again.aggregate), (&gathering.source, &gathering.aggregate));
        assert!(gathering.aggregate.is_some() && gathering.joins[1].aggregate.is_some());
        for (a, b) in again.joins.iter().zip(&gathering.joins) {
            assert_eq!((&a.source, &a.columns, &a.join), (&b.source, &b.columns, &b.join));
            assert_eq!(a.aggregate, b.aggregate);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_where_it_stands() {
        for (joins, expected) in [
            ("[[join]]\non = [\"id\"]\n", "missing field `source`"),
            ("[[join]]\nsource = { path = \"b\" }\non = []\n", "expected key columns"),
            ("[[join]]\nsource = { path = \"b\" }\non = [\"a\"]\nhow = 1\n", "unknown field `how`"),
            ("[[join]]\nsource = { file = \"b\" }\non = [\"a\"]\n", "unknown field `file`"),
            ("[aggregate]\nby = []\ncolumns = {}\n", "expected key columns in `by`"),
            ("[[join]]\nsource = {}\non = [\"a\"]\n", "expected one of `path`, `url`"),
        ] {
            let error = read(joins).unwrap_err();
            assert!(error.to_string().contains(expected), "{error} lacks {expected}");
            assert!(error.span().is_some(), "{joins}");
        }
    }
}
