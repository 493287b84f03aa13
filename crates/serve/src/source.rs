//! The rows of a CSV file as the artifact's input columns.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use samescore_core::batch::{Batch, Column};
use samescore_core::csv_form::CsvTable;
use samescore_core::error::{Code, Error, Result};
use samescore_deploy::Scorer;

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
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            let message = format!("expected a CSV file, found `{name}`");
            return Err(Error::new(Code::UnknownSource, message).remedy("convert it to CSV"));
        }
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
