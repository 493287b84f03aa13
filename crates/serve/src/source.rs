//! The rows of a CSV file as the artifact's input columns: all of them, or part by part.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use samescore_core::batch::{Batch, Column};
use samescore_core::csv_form::{CsvTable, PART_BYTES, Records, error_in_file};
use samescore_core::error::{Code, Error, Result};
use samescore_deploy::{Scorer, file};

use crate::output_file::refused;

/// The rows in two forms: as columns, and as the text that they are in the file.
pub struct Source<'a> {
    /// The artifact's input columns. A row with a cell that cannot be read has a fault.
    pub batch: Batch,
    table: CsvTable<'a>,
}

impl<'a> Source<'a> {
    /// Reads the input columns of `scorer`, by name, by its declared kinds, time formats and
    /// missing markers. Other columns are ignored.
    ///
    /// # Errors
    /// If the file is not well-formed CSV, or lacks a column.
    pub fn read(path: &Path, bytes: &'a [u8], scorer: &Scorer) -> Result<Self> {
        let name = path.display().to_string();
        refuse_other(path)?;
        let table = CsvTable::open(&name, bytes)?;
        let schema = Arc::new(scorer.schema().clone());
        let places = table.places(schema.names())?;
        let fields = schema.fields().iter();
        let mut columns: Vec<Column> = fields.map(|field| Column::empty(field.kind)).collect();
        let mut faults = Vec::new();
        let mut row = 0;
        table.for_each_row(|cells| {
            let targets = columns.iter_mut().zip(scorer.readers()).zip(&places);
            for (slot, ((column, reader), &place)) in targets.enumerate() {
                if let Err(error) = reader.push(column, &cells[place]) {
                    faults.push((row, slot, error));
                }
            }
            row += 1;
        });
        let mut batch = Batch::new(schema, columns)?;
        for (row, slot, error) in faults {
            batch.fault(row, slot, error);
        }
        Ok(Source { batch, table })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.table.n_rows()
    }

    /// Shows each row as a map of names to cells, with all columns of the file.
    pub fn for_each_row(&self, mut see: impl FnMut(CellRow<'_>)) {
        let names = self.table.names();
        self.table.for_each_row(|cells| see(CellRow { names, cells }));
    }

    /// The rows at `rows`, in that order, with their faults.
    pub fn pick(&self, rows: &[usize]) -> Batch {
        let mut picked = self.batch.select(rows);
        for (place, &row) in rows.iter().enumerate() {
            let fault = u32::try_from(row).ok().and_then(|row| self.batch.faults().get(&row));
            if let Some(error) = fault {
                picked.fault_row(place, error.clone());
            }
        }
        picked
    }
}

/// Refuses a file that is known to be no CSV by its name.
fn refuse_other(path: &Path) -> Result<()> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
        let message = format!("expected a CSV file, found `{}`", path.display());
        return Err(Error::new(Code::UnknownSource, message).remedy("convert it to CSV"));
    }
    Ok(())
}

/// Rows in memory at a time.
const PART_ROWS: usize = 65_536;
/// How many bytes are read at a time.
const READ_BYTES: u64 = 1 << 20;
/// A larger file is not held whole.
pub const WHOLE_BYTES_MAX: u64 = 1 << 30;

/// The bytes of a file that is held whole.
///
/// # Errors
/// If it has more than [`WHOLE_BYTES_MAX`], or cannot be read.
pub fn whole(path: &Path) -> Result<Vec<u8>> {
    let n_bytes = std::fs::metadata(path).map_or(0, |found| found.len());
    if n_bytes > WHOLE_BYTES_MAX {
        let message = format!(
            "`{}`: expected at most {WHOLE_BYTES_MAX} bytes where all rows are held, found \
             {n_bytes}",
            path.display()
        );
        return Err(Error::new(Code::LimitExceeded, message)
            .remedy("score without --trace and --way, or in parts"));
    }
    file::read(path)
}

/// Shows the rows of a file part by part, in their order, to `see`. A plain file is gone through
/// twice, so that what is wrong with its form is told before anything is made of its rows; what can
/// be read once alone is held whole.
///
/// # Errors
/// Those of [`Source::read`] and of `see`; if the file changes meanwhile.
pub fn each_part(
    path: &Path,
    scorer: &Scorer,
    mut see: impl FnMut(&Batch) -> Result<()>,
) -> Result<()> {
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return see(&Source::read(path, &whole(path)?, scorer)?.batch);
    }
    refuse_other(path)?;
    let name = path.display().to_string();
    let checked = parts(path, |text, before| {
        let (rows, lines) = before;
        let table =
            CsvTable::open(&name, text).map_err(|e| error_in_file(&e, &name, rows, lines))?;
        Ok(table.n_rows() as u64)
    })?;
    let again = parts(path, |text, (rows, _)| {
        let mut batch = Source::read(path, text, scorer)?.batch;
        batch.set_first_row(rows);
        see(&batch)?;
        Ok(batch.n_rows() as u64)
    })?;
    match again == checked {
        true => Ok(()),
        false => {
            let message = format!("expected `{name}` to stay as it is, found it changed");
            let error = Error::new(Code::SourceChanged, message);
            Err(error.remedy("read it again when nobody writes to it"))
        }
    }
}

/// Shows every part of a file, its header before it, with how many rows and lines stand before it;
/// `see` says how many rows it has. Gives the number of all rows.
fn parts(path: &Path, mut see: impl FnMut(&[u8], (u64, u64)) -> Result<u64>) -> Result<u64> {
    let name = path.display().to_string();
    let io = |e: std::io::Error| refused("read", path, &e);
    let mut from = std::fs::File::open(path).map_err(io)?;
    let mut records = Records::csv();
    let mut next = |rows_max: usize, bytes_max: usize| -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        loop {
            if let Some(part) = records.next(rows_max, bytes_max) {
                return Ok(Some(part));
            }
            bytes.clear();
            if (&mut from).take(READ_BYTES).read_to_end(&mut bytes).map_err(io)? == 0 {
                return Ok(records.last());
            }
            records.push(&name, &bytes)?;
        }
    };
    let header = next(1, usize::MAX)?.unwrap_or_default();
    let (mut n_rows, mut n_lines, mut is_first) = (0, 0, true);
    loop {
        let part = next(PART_ROWS, PART_BYTES)?;
        // A file without rows has one part as well.
        let Some(part) = part.or_else(|| is_first.then(Vec::new)) else {
            return Ok(n_rows);
        };
        is_first = false;
        let text = [&*header, &*part].concat();
        n_rows += see(&text, (n_rows, n_lines))?;
        n_lines += part.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

/// One row of the file, for serde a map of texts.
pub struct CellRow<'a> {
    names: &'a [String],
    cells: &'a [Cow<'a, str>],
}

impl serde::Serialize for CellRow<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_map(self.names.iter().zip(self.cells))
    }
}
