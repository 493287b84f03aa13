//! A schema for a table that has none yet, for `init` and for a config that declares no columns.
//!
//! # Method
//! All rows are read, never a sample. A column is num if every cell that is not missing is a
//! number, else time if every such cell is an ISO time, else text. A column without any value is
//! num. Types that Parquet stores are taken as they are; its text columns are judged like those of
//! a CSV file.
//!
//! What is inferred is written into the config or the artifact: nothing is inferred at scoring.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{DataType, StringChunked};
use samescore_core::batch::{ColumnKind, TimeFormat, parse_num, parse_time};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::{Format, csv, foreign, parquet};
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
    let (names, frame) = csv::read_texts(source, bytes)?;
    check_rows(source, frame.height())?;
    let places: Vec<usize> = (0..names.len()).collect();
    let kinds =
        par::map(&places, |&place| Ok(kind_of(csv::text_column(source, &frame, place)?, missing)));
    names.into_iter().zip(kinds).map(|(name, kind)| Ok((name, kind?))).collect()
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
        let series = column.as_materialized_series();
        let kind = match series.dtype() {
            DataType::String => {
                let cells = series.str().map_err(|e| foreign(source, &e))?;
                kind_of(cells, missing)
            }
            DataType::Date | DataType::Datetime(..) => ColumnKind::Time.into(),
            _ => ColumnKind::Num.into(),
        };
        columns.insert(column.name().to_string(), kind);
    }
    Ok(columns)
}

fn kind_of(cells: &StringChunked, missing: &[String]) -> ColumnConfig {
    let format = TimeFormat::default();
    let is_value = |cell: &&str| !cell.is_empty() && !missing.iter().any(|marker| marker == cell);
    let values = || cells.iter().flatten().filter(is_value);
    let kind = if values().all(|cell| parse_num(cell).is_ok()) {
        ColumnKind::Num
    } else if values().all(|cell| parse_time(cell, &format).is_ok()) {
        ColumnKind::Time
    } else {
        ColumnKind::Text
    };
    kind.into()
}

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;

    use super::*;

    #[test]
    fn a_kind_holds_for_every_value_or_not_at_all() {
        let of = |cells: &[&str]| {
            let cells = StringChunked::new("".into(), cells);
            kind_of(&cells, &["?".to_owned()]).kind
        };
        assert_eq!(of(&["1", "", "2.5e3", "?"]), ColumnKind::Num);
        assert_eq!(of(&["1", "x"]), ColumnKind::Text);
        assert_eq!(of(&["2010-05-01", "", "2010-05-01T10:00Z"]), ColumnKind::Time);
        assert_eq!(of(&["2010-05-01", "2010"]), ColumnKind::Text);
        assert_eq!(of(&["9007199254740993"]), ColumnKind::Text);
        assert_eq!(of(&["", "?"]), ColumnKind::Num);
    }
}
