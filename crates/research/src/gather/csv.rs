//! CSV through polars' eager reader, every cell as text, then through core's reader of cells.
//!
//! # Method
//! The file is checked by core's [`CsvTable`] first, as deploy does: what readers would guess about
//! is refused. polars (0.55) then splits it, told that every column is a string: no inference, no
//! dates, no null markers. It gives null for an empty cell and an empty string for a quoted empty
//! one; core's reader of cells takes both as missing, because no other source can tell them apart.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataFrame, DataType, Field as PolarsField, SerReader,
    StringChunked,
};
use samescore_core::batch::{CellReader, Column};
use samescore_core::config::ColumnConfig;
use samescore_core::csv_form::CsvTable;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::{Gathered, foreign, guard};
use crate::file;

/// The declared columns, in name order.
pub(super) fn read(
    path: &Path,
    columns: &BTreeMap<String, ColumnConfig>,
    missing: &[String],
) -> Result<Vec<Gathered>> {
    let bytes = file::read(path)?;
    let table = CsvTable::open(&path.display().to_string(), &bytes)?;
    let places = table.places(columns.keys().map(String::as_str))?;
    let frame = cells(path, &table, &places)?;
    let wanted: Vec<(usize, &ColumnConfig)> = places.into_iter().zip(columns.values()).collect();
    let gathered = par::map(&wanted, |(place, column)| {
        let reader = CellReader::new(column.kind, &column.format, missing);
        Ok(read_cells(text_column(path, &frame, *place)?, &reader))
    });
    gathered.into_iter().collect()
}

/// The names of a file's columns, and their cells as text: see [`text_column`].
pub(super) fn read_texts(path: &Path, bytes: &[u8]) -> Result<(Vec<String>, DataFrame)> {
    let table = CsvTable::open(&path.display().to_string(), bytes)?;
    let places: Vec<usize> = (0..table.names().len()).collect();
    let frame = cells(path, &table, &places)?;
    Ok((table.names().to_vec(), frame))
}

/// The cells of the columns at `places`, each under its place.
fn cells(path: &Path, table: &CsvTable<'_>, places: &[usize]) -> Result<DataFrame> {
    let fields = (0..table.names().len())
        .map(|place| PolarsField::new(place.to_string().into(), DataType::String));
    let schema: polars::prelude::Schema = fields.collect();
    if table.n_rows() == 0 {
        return Ok(DataFrame::empty_with_schema(&schema));
    }
    let mut projection = places.to_vec();
    projection.sort();
    let options = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        .with_infer_schema_length(Some(0))
        .with_projection(Some(Arc::new(projection)))
        .with_rechunk(false)
        .with_parse_options(CsvParseOptions::default().with_try_parse_dates(false));
    let body = Cursor::new(table.body().as_bytes());
    let frame = guard(path, || {
        options.into_reader_with_file_handle(body).finish().map_err(|e| foreign(path, &e))
    })?;
    if frame.height() != table.n_rows() {
        let message = format!(
            "`{}`: two readers disagree on the number of rows, {} and {}",
            path.display(),
            table.n_rows(),
            frame.height()
        );
        return Err(Error::new(Code::BadValue, message).remedy("write the file again, with quotes"));
    }
    Ok(frame)
}

/// The cells of the column that stood at `place` in the file.
pub(super) fn text_column<'a>(
    path: &Path,
    frame: &'a DataFrame,
    place: usize,
) -> Result<&'a StringChunked> {
    let column = frame.column(&place.to_string()).map_err(|e| foreign(path, &e))?;
    column.as_materialized_series().str().map_err(|e| foreign(path, &e))
}

/// The values of text cells, and the rows whose cell cannot be read.
pub(super) fn read_cells(cells: &StringChunked, reader: &CellReader) -> Gathered {
    let mut column = Column::empty(reader.kind());
    let mut faults = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if let Err(error) = reader.push(&mut column, cell.unwrap_or_default()) {
            faults.push((row, error));
        }
    }
    (column, faults)
}
