//! A source that cannot be cut, read once from its beginning to its end, into blocks that are kept.
//!
//! # Shape
//! | source | in memory while it is read |
//! |---|---|
//! | packed CSV, CSV from a pipe | some 8 MiB per thread |
//! | JSON lines | some 8 MiB per thread |
//! | Arrow IPC | one record batch, and the dictionaries |
//! | Parquet or Arrow IPC from a pipe | the whole file: both are read from their ends |
//! | SQLite, PostgreSQL | one block |
//!
//! # Errors
//! Those of reading the source whole. Of several things that are wrong with it, the one that comes
//! first in its order is told.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use samescore_core::batch::{Batch, Schema};
use samescore_core::config::DataConfig;
use samescore_core::error::{Error, Result};

use super::super::folders::Filed;
use super::super::reader::Reader;
use super::super::table::{choose, take_file};
use super::super::taker::{Filling, Part};
use super::super::{Format, Source, check_names, check_size, filled, gzip, ipc, json_lines};
use super::super::{postgres, sqlite};
use super::kept::{Keep, Kept};
use super::{csv, name_file, parquet};
use crate::file::{self, Stamp, changed};
use crate::output_file::refused;

/// Rows on their way from a source into blocks.
pub(super) struct Gathered<'a> {
    data: &'a DataConfig,
    names: Vec<&'a str>,
    step: usize,
    schema: Arc<Schema>,
    kept: Kept,
    starts: Vec<u64>,
    /// Rows of the files before.
    before: u64,
    /// The file, if it is one of several.
    file: Option<std::path::PathBuf>,
}

/// Reads all rows of a source: the blocks, and where each begins, behind the last one how many rows
/// there are.
pub(super) fn gather(
    source: &Source,
    data: &DataConfig,
    (schema, step): (&Arc<Schema>, usize),
    keep: &Keep,
) -> Result<(Kept, Vec<u64>)> {
    let mut gathered = Gathered {
        data,
        names: data.columns.keys().map(String::as_str).collect(),
        step,
        schema: Arc::clone(schema),
        kept: Kept::new(keep, schema),
        starts: vec![0],
        before: 0,
        file: None,
    };
    match &source.clone().keyed(&data.key) {
        Source::Files(_) => {
            let files = source.filed()?;
            for file in &files {
                gathered.before = gathered.n_rows();
                gathered.file = (files.len() > 1).then(|| file.path.clone());
                let read = gathered.file_rows(file);
                match &gathered.file {
                    Some(path) => read.map_err(|e| e.within(&format!("`{}`", path.display())))?,
                    None => read?,
                }
            }
        }
        Source::Sqlite(path, relation) => {
            sqlite::open(path, relation, |reader| gathered.rows(path, reader))?;
        }
        Source::Postgres(address, relation) => {
            let mut reader = postgres::open(address, relation)?;
            gathered.rows(Path::new(&source.to_string()), &mut reader)?;
        }
    }
    Ok((gathered.kept, gathered.starts))
}

/// The columns of a plain file, and behind them those that folders give.
pub(in crate::gather) fn names(file: &Filed) -> Result<Vec<String>> {
    let file = file.opened()?;
    let mut names = names_inside(&file.path)?;
    names.extend(file.names_outside().map(str::to_owned));
    Ok(names)
}

/// The columns that are in a plain file.
pub(in crate::gather) fn names_inside(path: &Path) -> Result<Vec<String>> {
    match Format::of(path)? {
        Format::Csv => csv::names(path, file::open(path)?, unread),
        Format::CsvGz => {
            csv::names(path, gzip::unpacking(BufReader::new(file::open(path)?)), gzip::failed)
        }
        Format::JsonLines => json_lines::names(path, file::open(path)?),
        Format::Ipc => ipc::names(path),
        Format::Parquet => parquet::cut(path, None, 1 << 20).map(|(groups, _)| groups.names()),
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Error {
    refused("read", path, error)
}

/// Shows the columns called `names` of a file, part by part, to takers that `make` makes for every
/// part; `take` gets them with the number of their rows. The file must stay what it is meanwhile.
pub(in crate::gather) fn parts<T: Part>(
    file: &Filed,
    (names, step): (&[&str], usize),
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    let (file, mut before) = (file.opened()?, 0);
    parts_inside(&file.path, (&file.inside(names), step), make, |columns, n_rows| {
        let columns = file.whole(names, columns, (before, n_rows), make)?;
        before += n_rows;
        take(columns, n_rows)
    })
}

/// The same of columns that are in the file.
fn parts_inside<T: Part>(
    path: &Path,
    (names, step): (&[&str], usize),
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    let stamp = Stamp::of(path).map_err(|e| refused("read", path, &e))?;
    let wanted = (names, step);
    let read = match (Format::of(path)?, stamp.is_plain || path.is_dir()) {
        (Format::CsvGz, _) => {
            let bytes = gzip::unpacking(BufReader::new(file::open(path)?));
            csv::feed(path, bytes, gzip::failed, wanted, make, take)
        }
        (Format::Csv, _) => csv::feed(path, file::open(path)?, unread, wanted, make, take),
        (Format::JsonLines, _) => json_lines::feed(path, file::open(path)?, wanted, make, take),
        (Format::Ipc, true) => ipc::feed(path, names, make, take),
        (Format::Parquet, true) => row_groups(path, wanted, make, take),
        (Format::Ipc | Format::Parquet, false) => {
            let taken = take_file(path, Some(names), make)?;
            take(taken.columns, taken.n_rows)
        }
    };
    match stamp.is_plain && Stamp::of(path).ok().as_ref() != Some(&stamp) {
        true => Err(changed(path)),
        false => read,
    }
}

fn row_groups<T: Part>(
    path: &Path,
    (names, step): (&[&str], usize),
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    super::check_snapshot(path)?;
    let (groups, heights) = parquet::cut(path, Some(names), step)?;
    for (index, height) in heights.into_iter().enumerate() {
        take(groups.read(path, index, height, make)?, height)?;
    }
    Ok(())
}

impl Gathered<'_> {
    fn n_rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// The rows of a file.
    fn file_rows(&mut self, file: &Filed) -> Result<()> {
        let (data, names, step) = (self.data, self.names.clone(), self.step);
        let make = |name: &str| Filling::new(&data.columns[name], &data.missing);
        parts(file, (&names, step), &make, |columns, _| self.take(&file.path, columns))
    }

    /// The rows of a source that gives them one after another.
    fn rows(&mut self, path: &Path, reader: &mut impl Reader) -> Result<()> {
        let found = reader.names().to_vec();
        check_size(path, 0, found.len())?;
        check_names(path, &found)?;
        let (_, places) = choose(path, &found, Some(&self.names))?;
        let data = self.data;
        loop {
            let make = |column| Filling::new(column, &data.missing);
            let mut columns: Vec<Filling> = data.columns.values().map(make).collect();
            if reader.read(&places, &mut columns, self.step)? == 0 {
                return Ok(());
            }
            self.take(path, columns)?;
        }
    }

    /// The next rows of a source.
    fn take(&mut self, path: &Path, mut columns: Vec<Filling>) -> Result<()> {
        let first_row = self.n_rows();
        if let Some(file) = &self.file {
            let before = (first_row - self.before) as usize;
            columns.iter_mut().for_each(|column| name_file(column, before, file));
        }
        let batch = filled(&self.schema, columns)?;
        let n_rows = batch.n_rows();
        let total = usize::try_from(first_row).unwrap_or(usize::MAX).saturating_add(n_rows);
        check_size(path, total, self.names.len())?;
        if n_rows <= self.step {
            return self.push(batch);
        }
        let slots: Vec<usize> = (0..self.schema.len()).collect();
        for from in (0..n_rows).step_by(self.step) {
            let mut block = Batch::default();
            block.fill(&self.schema, &batch, &slots, from..n_rows.min(from + self.step));
            self.push(block)?;
        }
        Ok(())
    }

    fn push(&mut self, block: Batch) -> Result<()> {
        if block.n_rows() > 0 {
            self.starts.push(self.n_rows() + block.n_rows() as u64);
            self.kept.push(block)?;
        }
        Ok(())
    }
}
