//! A schema for a table that has none yet, for `init` and for a config that declares no columns.
//!
//! # Method
//! All rows are read, never a sample. A column is num if every cell that is not missing is a
//! number, else time if every such cell is an ISO time, else text. A column without any value is
//! num. Parquet gives the answer that the same table as CSV gives: a text column is judged by its
//! cells; booleans are the labels `true` and `false`, so text; integers are num unless one is
//! beyond 2^53, then text; floats are num, dates and timestamps time.
//!
//! What is inferred is written into the config or the artifact: nothing is inferred at scoring.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{ChunkedArray, DataType, PolarsError, PolarsNumericType, Series};
use samescore_core::batch::{CellReader, ColumnKind, TimeFormat, read_num, read_time};
use samescore_core::config::ColumnConfig;
use samescore_core::csv_form::CsvTable;
use samescore_core::error::{Code, Error, Result};

use super::{Format, foreign, parquet};
use crate::file;

/// Name and kind of every column of a source. `missing` are the texts that mean missing.
///
/// # Errors
/// If the file cannot be read, is not a table, or has no row.
pub fn infer(source: &Path, missing: &[String]) -> Result<BTreeMap<String, ColumnConfig>> {
    let bytes = file::read(source)?;
    match Format::of(source)? {
        Format::Csv => infer_csv(source, &bytes, missing),
        Format::Parquet => infer_parquet(source, &bytes, missing),
    }
}

fn infer_csv(
    source: &Path,
    bytes: &[u8],
    missing: &[String],
) -> Result<BTreeMap<String, ColumnConfig>> {
    let table = CsvTable::open(&source.display().to_string(), bytes)?;
    check_rows(source, table.n_rows())?;
    let mut seen = vec![Seen::new(missing); table.names().len()];
    table.for_each_row(|cells| {
        seen.iter_mut().zip(cells).for_each(|(seen, cell)| seen.see(cell));
    });
    let kinds = seen.iter().map(|seen| seen.kind().into());
    Ok(table.names().iter().cloned().zip(kinds).collect())
}

fn check_rows(source: &Path, n_rows: usize) -> Result<()> {
    if n_rows > 0 {
        return Ok(());
    }
    let message =
        format!("`{}`: expected rows to infer a schema from, found none", source.display());
    Err(Error::new(Code::TooFewRows, message))
}

fn infer_parquet(
    source: &Path,
    bytes: &[u8],
    missing: &[String],
) -> Result<BTreeMap<String, ColumnConfig>> {
    let frame = parquet::load(source, bytes, |names| Ok(names.to_vec()))?;
    check_rows(source, frame.height())?;
    let mut columns = BTreeMap::new();
    for column in frame.columns() {
        let kind = stored_kind(column.as_materialized_series(), missing);
        let kind = kind.map_err(|e| foreign(source, &e))?;
        columns.insert(column.name().to_string(), kind.into());
    }
    Ok(columns)
}

/// The kind of a stored column: that of its cells as text.
fn stored_kind(series: &Series, missing: &[String]) -> Result<ColumnKind, PolarsError> {
    if series.null_count() == series.len() {
        return Ok(ColumnKind::Num);
    }
    Ok(match series.dtype() {
        DataType::String => {
            let mut seen = Seen::new(missing);
            series.str()?.iter().flatten().for_each(|cell| seen.see(cell));
            seen.kind()
        }
        DataType::Boolean => ColumnKind::Text,
        DataType::Int64 => whole(series.i64()?, missing),
        DataType::UInt64 => whole(series.u64()?, missing),
        DataType::Date | DataType::Datetime(..) => ColumnKind::Time,
        _ => ColumnKind::Num,
    })
}

/// Numbers, unless f64 does not hold one of them.
fn whole<T>(values: &ChunkedArray<T>, missing: &[String]) -> ColumnKind
where
    T: PolarsNumericType,
    i128: From<T::Native>,
{
    let reader = CellReader::new(ColumnKind::Num, &TimeFormat::default(), missing);
    let is_held = |x: T::Native| reader.integer(i128::from(x)).is_ok();
    if values.iter().flatten().all(is_held) { ColumnKind::Num } else { ColumnKind::Text }
}

/// What the cells of a column have been so far.
#[derive(Clone)]
struct Seen {
    reader: CellReader,
    format: TimeFormat,
    is_num: bool,
    is_time: bool,
}

impl Seen {
    fn new(missing: &[String]) -> Self {
        let format = TimeFormat::default();
        let reader = CellReader::new(ColumnKind::Text, &format, missing);
        Seen { reader, format, is_num: true, is_time: true }
    }

    fn see(&mut self, cell: &str) {
        if self.reader.is_marker(cell) {
            return;
        }
        self.is_num = self.is_num && read_num(cell).is_some();
        self.is_time = self.is_time && read_time(cell, &self.format).is_some();
    }

    fn kind(&self) -> ColumnKind {
        match (self.is_num, self.is_time) {
            (true, _) => ColumnKind::Num,
            (false, true) => ColumnKind::Time,
            (false, false) => ColumnKind::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;

    use super::*;

    #[test]
    fn a_kind_holds_for_every_value_or_not_at_all() {
        let of = |cells: &[&str]| {
            let mut seen = Seen::new(&["?".to_owned()]);
            cells.iter().for_each(|cell| seen.see(cell));
            seen.kind()
        };
        assert_eq!(of(&["1", "", "2.5e3", "?"]), ColumnKind::Num);
        assert_eq!(of(&["1", "x"]), ColumnKind::Text);
        assert_eq!(of(&["2010-05-01", "", "2010-05-01T10:00Z"]), ColumnKind::Time);
        assert_eq!(of(&["2010-05-01", "2010"]), ColumnKind::Text);
        assert_eq!(of(&["9007199254740993"]), ColumnKind::Text);
        assert_eq!(of(&["", "?"]), ColumnKind::Num);
    }

    #[test]
    fn stored_columns_are_what_their_text_would_be() {
        let of = |series: &Series| stored_kind(series, &["9007199254740995".to_owned()]).unwrap();
        let name = || "x".into();
        assert_eq!(of(&Series::new(name(), [true, false])), ColumnKind::Text);
        assert_eq!(of(&Series::new(name(), [None::<bool>, None])), ColumnKind::Num);
        assert_eq!(of(&Series::new(name(), [1i64, 9_007_199_254_740_992])), ColumnKind::Num);
        assert_eq!(of(&Series::new(name(), [1i64, 9_007_199_254_740_993])), ColumnKind::Text);
        // A marker is no value.
        assert_eq!(of(&Series::new(name(), [1i64, 9_007_199_254_740_995])), ColumnKind::Num);
        assert_eq!(of(&Series::new(name(), [u64::MAX])), ColumnKind::Text);
        assert_eq!(of(&Series::new(name(), [0.5f32])), ColumnKind::Num);
        assert_eq!(of(&Series::new(name(), ["1", ""])), ColumnKind::Num);
    }
}
