//! CSV through core's one reader of the form, and its reader of cells: what production uses, so
//! that one text has the same cells on both sides.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::batch::{CellReader, Column};
use samescore_core::config::ColumnConfig;
use samescore_core::csv_form::CsvTable;
use samescore_core::error::Result;

use super::Gathered;
use crate::file;

/// The declared columns, in name order.
pub(super) fn read(
    path: &Path,
    columns: &BTreeMap<String, ColumnConfig>,
    missing: &[String],
) -> Result<Vec<Gathered>> {
    let bytes = file::read(path)?;
    read_table(&CsvTable::open(&path.display().to_string(), &bytes)?, columns, missing)
}

/// The declared columns of a table whose form has been checked, in name order.
pub(super) fn read_table(
    table: &CsvTable<'_>,
    columns: &BTreeMap<String, ColumnConfig>,
    missing: &[String],
) -> Result<Vec<Gathered>> {
    let places = table.places(columns.keys().map(String::as_str))?;
    let readers = columns.values().map(|c| CellReader::new(c.kind, &c.format, missing));
    let readers: Vec<CellReader> = readers.collect();
    let mut gathered: Vec<Gathered> =
        readers.iter().map(|reader| (Column::empty(reader.kind()), Vec::new())).collect();
    let mut row = 0;
    table.for_each_row(|cells| {
        let targets = gathered.iter_mut().zip(&readers).zip(&places);
        for (((column, faults), reader), &place) in targets {
            if let Err(error) = reader.push(column, &cells[place]) {
                faults.push((row, error));
            }
        }
        row += 1;
    });
    Ok(gathered)
}
