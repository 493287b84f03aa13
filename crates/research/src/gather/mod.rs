//! Sources to batches: the declared columns of files or of a database's table, by name.
//!
//! # Method
//! [`Source`] says what a source is called. Every reader shows its cells, in the type in which the
//! source has them, to one kind of taker: a column of the declared kind, or the inference of a
//! schema. So one table says what a stored value is (`taker`), text of any source is read by one
//! function, [`CellReader`](samescore_core::batch::CellReader), which deploy uses as well, and the
//! same table gives the same batch, whatever it comes from, here and there. The schema is declared,
//! never guessed: each declared column is found by name and becomes a column of its declared kind,
//! columns in name order.
//!
//! | source | rows |
//! |---|---|
//! | CSV, also packed by gzip | [`csv_form`](samescore_core::csv_form), as in production |
//! | JSON lines | own reader, to the letter of RFC 8259 |
//! | Parquet | polars |
//! | Arrow IPC | own reader, by the format's description |
//! | SQLite, PostgreSQL | one read-only transaction |
//!
//! # Missing
//! A cell without text is missing, quoted or not; so is a null, NaN, and whatever the config
//! declares as a missing marker. Nothing else is.
//!
//! # Errors
//! What is wrong with the source is an error with its path, row and column. A cell that cannot be
//! read is a fault of its row: a fit refuses it, and at scoring the row gets the reason instead of
//! a score.
//!
//! Rows are numbered from 0, without the header; over several files in the order of their paths.

mod arrow;
mod arrow_schema;
mod blocks;
mod csv;
mod files;
mod flat;
mod folders;
mod guess;
mod gzip;
mod infer;
mod ipc;
mod json;
mod json_lines;
mod named;
mod parquet;
pub mod postgres;
mod reader;
mod snapshot_check;
mod source;
mod sql;
mod sqlite;
mod stored;
mod table;
mod taker;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use samescore_core::batch::{Batch, Column, Field, Schema, found};
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::error::{Code, Error, Result};

use taker::Filling;

pub use blocks::{Keep, SourceBlocks, blocks, is_cut};
pub use guess::read_inferred;
pub use infer::infer;
pub use named::{Named, of_config, to_table};
pub use reader::BLOCK_ROWS;
pub(crate) use snapshot_check::check_manifest;
pub use source::{Address, Query, Relation, Source};
pub(crate) use sql::identifier;

/// The kinds of file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated UTF-8 text with a header, RFC 4180 quotes.
    Csv,
    /// The same, packed by gzip.
    CsvGz,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, also called Feather.
    Ipc,
    /// A JSON object per line.
    JsonLines,
}

/// Formats by the ending of a file's name; the first that fits.
const ENDINGS: [(&str, Format); 8] = [
    (".csv", Format::Csv),
    (".csv.gz", Format::CsvGz),
    (".parquet", Format::Parquet),
    (".arrow", Format::Ipc),
    (".ipc", Format::Ipc),
    (".feather", Format::Ipc),
    (".jsonl", Format::JsonLines),
    (".ndjson", Format::JsonLines),
];

impl Format {
    /// The format of a file by the ending of its name, whatever its case.
    ///
    /// # Errors
    /// If it is none that is known; the message lists those.
    pub fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let known = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        known.map(|(_, format)| *format).ok_or_else(|| {
            let (last, others) = ENDINGS.split_last().unwrap_or((&ENDINGS[0], &[]));
            let others: Vec<&str> = others.iter().map(|(ending, _)| *ending).collect();
            let message = format!(
                "expected a file ending in {} or {}, found `{}`",
                others.join(", "),
                last.0,
                path.display()
            );
            Error::new(Code::UnknownSource, message)
        })
    }
}

/// The declared columns of a source, and `extra` ones, in name order. Rows keep the order of the
/// source.
///
/// # Errors
/// If the source cannot be read, is not a table, or lacks a column. Cells that cannot be read are
/// faults of their rows.
pub fn read(
    source: impl Into<Source>,
    data: &DataConfig,
    extra: &[(String, ColumnConfig)],
) -> Result<Batch> {
    let mut columns = data.columns.clone();
    columns.extend(extra.iter().cloned());
    if columns.is_empty() {
        return Err(Error::new(Code::MissingColumn, "expected declared columns, found none")
            .remedy("declare them under [data.columns]"));
    }
    let source = source.into().keyed(&data.key);
    let fillings = fill(&source, &columns, &data.missing)?;
    snapshot_check::check_read(&source, (&columns, &data.missing), &fillings)?;
    let fields = columns.iter().map(|(name, column)| Field::new(name.clone(), column.kind));
    filled(&Arc::new(Schema::new(fields)?), fillings)
}

/// Declared columns of a source, in name order.
fn fill(
    source: &Source,
    columns: &BTreeMap<String, ColumnConfig>,
    missing: &[String],
) -> Result<Vec<Filling>> {
    let names: Vec<&str> = columns.keys().map(String::as_str).collect();
    let make = |name: &str| Filling::new(&columns[name], missing);
    Ok(table::take(source, Some(&names), &make)?.columns)
}

/// The batch of filled columns, with the faults of their rows.
fn filled(schema: &Arc<Schema>, columns: Vec<Filling>) -> Result<Batch> {
    let filled = columns.into_iter().map(|filling| (filling.column, filling.faults));
    let (values, faults): (Vec<Column>, Vec<_>) = filled.unzip();
    let mut batch = Batch::new(Arc::clone(schema), values)?;
    for (slot, faults) in faults.into_iter().enumerate() {
        faults.into_iter().for_each(|(row, error)| batch.fault(row, slot, error));
    }
    Ok(batch)
}

/// Where each wanted column is among `found`.
///
/// # Errors
/// If one is absent; the message lists what there is.
fn positions(path: &Path, found: &[String], wanted: &[&str]) -> Result<Vec<usize>> {
    found::places(&path.display().to_string(), found, wanted.iter().copied())
}

/// Refuses tables beyond the stated limits.
fn check_size(path: &Path, n_rows: usize, n_columns: usize) -> Result<()> {
    found::check_size(&path.display().to_string(), n_rows, n_columns)
}

/// Refuses names that occur twice.
fn check_names(path: &Path, names: &[String]) -> Result<()> {
    found::check_names(&path.display().to_string(), names)
}

/// Who reads these sources, with versions, as a manifest says it: a server's own once it was
/// connected to; the table of a snapshot is polars' in any case.
pub fn readers<'a>(sources: impl IntoIterator<Item = &'a Source>) -> BTreeMap<String, String> {
    let mut readers = BTreeMap::from([("polars".to_owned(), polars::VERSION.to_owned())]);
    for source in sources {
        match source {
            Source::Files(_) => {}
            Source::Sqlite(..) => {
                readers.insert("sqlite".to_owned(), rusqlite::version().to_owned());
            }
            Source::Postgres(address, _) => {
                let of_server = postgres::readers(address).into_iter();
                readers.extend(of_server.map(|(name, version)| (name.to_owned(), version)));
            }
        }
    }
    readers
}

/// How many foreign readers are at work, whose panics are errors of a file.
static GUARDED: AtomicUsize = AtomicUsize::new(0);

/// Whether a foreign reader is at work. The panic hook of a program may stay silent then: the panic
/// comes back as an error that names the file.
pub fn is_guarded() -> bool {
    GUARDED.load(Ordering::SeqCst) > 0
}

/// Runs a foreign reader over bytes that nobody vouches for; its panic is an error of the file.
fn guard<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    GUARDED.fetch_add(1, Ordering::SeqCst);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    GUARDED.fetch_sub(1, Ordering::SeqCst);
    done.unwrap_or_else(|_| {
        let message =
            format!("`{}`: expected a readable file, found damaged content", path.display());
        Err(Error::new(Code::BadValue, message).remedy("write the file again"))
    })
}

/// An error of a foreign reader: the first line of what it says.
fn foreign(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_end_matches('.');
    Error::new(Code::BadValue, format!("`{}` cannot be read: {first}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_a_format_whatever_its_case() {
        for (name, format) in [
            ("a.CSV", Format::Csv),
            ("a.csv.gz", Format::CsvGz),
            ("x/a.b.parquet", Format::Parquet),
            ("a.feather", Format::Ipc),
            ("a.arrow", Format::Ipc),
            ("a.NDJSON", Format::JsonLines),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format);
        }
        let refused = Format::of(Path::new("a.gz")).unwrap_err();
        assert_eq!(refused.code(), Code::UnknownSource);
        assert_eq!(
            refused.to_string(),
            "expected a file ending in .csv, .csv.gz, .parquet, .arrow, .ipc, .feather, .jsonl \
             or .ndjson, found `a.gz`"
        );
    }
}
