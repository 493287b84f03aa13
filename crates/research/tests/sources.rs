//! Sources one by one: the same table from each, and what is wrong with each.

#[path = "sources/arrow.rs"]
mod arrow;
#[path = "sources/bad_input.rs"]
mod bad_input;
#[path = "sources/claims.rs"]
mod claims;
#[path = "sources/commands.rs"]
mod commands;
#[path = "sources/databases.rs"]
mod databases;
#[path = "sources/folders.rs"]
mod folders;
#[path = "sources/lines.rs"]
mod lines;
#[path = "sources/same.rs"]
mod same;
#[path = "sources/snapshots.rs"]
mod snapshots;
#[path = "sources/told.rs"]
mod told;
#[path = "sources/zones.rs"]
mod zones;

use std::path::{Path, PathBuf};

use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::DataConfig;
use samescore_core::error::{Error, Result};
use samescore_research::convert::{self, Form};
use samescore_research::gather::{self, Format, Keep, Source};
use tempfile::TempDir;

/// The endings of every format of files.
const FILES: [&str; 5] = ["csv", "csv.gz", "parquet", "arrow", "jsonl"];

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn declared(columns: &[(&str, ColumnKind)]) -> DataConfig {
    let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).into()));
    DataConfig { columns: columns.collect(), ..DataConfig::default() }
}

fn batch(columns: Vec<(&str, Column)>) -> Batch {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.kind()));
    let schema = Schema::new(fields).unwrap();
    Batch::new(schema.into(), columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}

/// Writes a batch as a file of that ending, and gives its path.
fn written(folder: &Path, name: &str, batch: &Batch, group_rows: Option<usize>) -> PathBuf {
    let path = folder.join(name);
    let form = Form::File { format: Format::of(&path).unwrap(), group_rows };
    let bytes = convert::write(batch, &Default::default(), &form).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Writes bytes as a file, and gives its path.
fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A Parquet file with its footer changed.
fn with_footer(file: &[u8], change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let end = file.len() - 8;
    let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
    let footer = change(&file[end - length..end]);
    let n_bytes = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [&file[..end - length], &footer, &n_bytes, b"PAR1"].concat()
}

/// A number in Thrift's compact form, as the next field of a footer.
fn thrift_number(n: u64) -> Vec<u8> {
    let (mut n, mut bytes) = (n << 1, vec![0x16]);
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// Writes a batch as a table of SQLite, and gives its address.
fn stored(folder: &Path, name: &str, batch: &Batch) -> Source {
    let bytes = convert::write(batch, &Default::default(), &Form::Sqlite("t".to_owned())).unwrap();
    let path = put(folder, name, bytes);
    Source::parse(format!("sqlite://{}?table=t", path.display()), Path::new("")).unwrap()
}

/// What reading these columns of a source is refused with, without the folder.
fn refusal(folder: &Path, source: impl Into<Source>, columns: &[(&str, ColumnKind)]) -> String {
    let read = gather::read(source, &declared(columns), &[]);
    shown(folder, read.map(|batch| batch.n_rows()))
}

/// The same of reading it in blocks of which none stays in memory.
fn unstreamed(folder: &Path, source: impl Into<Source>, columns: &[(&str, ColumnKind)]) -> String {
    let keep = Keep { bytes_max: 0, ..Keep::default() };
    let opened = gather::blocks(&source.into(), &declared(columns), 7, &keep);
    shown(folder, opened.map(|blocks| blocks.n_rows()))
}

/// The same of inferring a schema.
fn uninferred(folder: &Path, source: impl Into<Source>) -> String {
    shown(folder, gather::infer(source, &[]).map(|columns| columns.len()))
}

fn shown<T: std::fmt::Debug>(folder: &Path, result: Result<T>) -> String {
    let text = match result {
        Ok(value) => format!("no refusal: {value:?}"),
        Err(error) => error.to_string(),
    };
    text.replace(&format!("{}/", folder.display()), "")
}

/// The faults of a batch: row and message.
fn faults(batch: &Batch) -> Vec<(u32, String)> {
    let named =
        |(row, error): (&u32, &Error)| (*row, error.clone().row(u64::from(*row)).to_string());
    batch.faults().iter().map(named).collect()
}

/// Every cell of a column, as messages show it.
fn cells(batch: &Batch, name: &str) -> Vec<String> {
    let slot = batch.schema().names().position(|known| known == name).unwrap();
    (0..batch.n_rows()).map(|row| batch.column(slot).value(row).to_string()).collect()
}
