//! Parquet files by row groups: each column's pages are made by a thread of its own, and are
//! written in the order of the columns while those of the next row group are made.
//!
//! # Shape
//! As [`convert`](crate::convert) says of Parquet. Pages are packed by LZ4; there are no
//! statistics, which readers of whole columns have no use for. The bytes depend on the rows, their
//! order and the size of a row group alone.

use std::io::Write;
use std::ops::Range;

use polars::error::{PolarsError, PolarsResult};
use polars::io::parquet::write::get_encodings;
use polars::prelude::{ArrowSchema, CompatLevel, StatisticsOptions};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter,
    ParquetType, Version, WriteOptions, array_to_columns, compress, fallible_streaming_iterator,
};
use samescore_core::batch::{Batch, Column};
use samescore_core::par;

use crate::convert::polars_column;

const PACKED: CompressionOptions = CompressionOptions::Lz4Raw;

fn options() -> WriteOptions {
    WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V1,
        compression: PACKED,
        data_page_size: None,
    }
}

/// What is done at a time: a column is made into pages, or the row group before is written.
enum Work<'a> {
    Make(&'a str, &'a Column, &'a ParquetType, &'a [Encoding]),
    Write(Vec<Vec<CompressedPage>>, u64),
}

/// Writes the rows of `batch` as a file of row groups of `group_rows` rows, and gives `to` back.
///
/// # Errors
/// If `to` refuses, or a column cannot be stored.
pub(crate) fn write<W: Write + Send>(to: W, batch: &Batch, group_rows: usize) -> PolarsResult<W> {
    let columns: Vec<(&str, &Column)> = batch.schema().names().zip(batch.columns()).collect();
    let fields = columns.iter().map(|(name, column)| {
        let none = polars_column(name, column, 0..0)?;
        Ok(none.field().to_arrow(CompatLevel::newest()))
    });
    let schema: ArrowSchema = fields.collect::<PolarsResult<_>>()?;
    let encodings = get_encodings(&schema);
    let mut writer = FileWriter::try_new(to, schema, options())?;
    let types = writer.parquet_schema().fields().to_vec();
    let mut before = None;
    let n_groups = batch.n_rows().div_ceil(group_rows);
    // One turn more than there are row groups: it writes the last one.
    for group in 0..=n_groups {
        let rows = group * group_rows..batch.n_rows().min((group + 1) * group_rows);
        let make = columns.iter().zip(&types).zip(encodings.iter());
        let make = make.take_while(|_| group < n_groups);
        let make = make
            .map(|(((name, column), field), encoding)| Work::Make(name, column, field, encoding));
        let mut all: Vec<(Work<'_>, Option<&mut FileWriter<W>>)> = Vec::new();
        if let Some((pages, n_rows)) = before.take() {
            all.push((Work::Write(pages, n_rows), Some(&mut writer)));
        }
        all.extend(make.map(|work| (work, None)));
        let done = par::map_mut(&mut all, |(work, writer)| match (work, writer) {
            (Work::Make(name, column, field, encoding), _) => {
                pages(name, column, rows.clone(), field, encoding).map(Some)
            }
            (Work::Write(pages, n_rows), Some(writer)) => {
                append(writer, *n_rows, pages).map(|()| None)
            }
            (Work::Write(..), None) => Ok(None),
        });
        let made = done.into_iter().collect::<PolarsResult<Vec<_>>>()?.into_iter().flatten();
        before = (group < n_groups).then(|| (made.collect(), rows.len() as u64));
    }
    writer.end(None)?;
    Ok(writer.into_inner())
}

/// The pages of some rows of a column.
fn pages(
    name: &str,
    column: &Column,
    rows: Range<usize>,
    field: &ParquetType,
    encoding: &[Encoding],
) -> PolarsResult<Vec<CompressedPage>> {
    let series = polars_column(name, column, rows)?;
    let array = series.as_materialized_series().to_arrow(0, CompatLevel::newest());
    let mut made = Vec::new();
    for pages in array_to_columns(array, field.clone(), options(), encoding)? {
        for page in pages {
            made.push(compress(page?, Vec::new(), PACKED)?);
        }
    }
    Ok(made)
}

fn append<W: Write>(
    writer: &mut FileWriter<W>,
    n_rows: u64,
    pages: &[Vec<CompressedPage>],
) -> PolarsResult<()> {
    let columns = pages.iter().map(|pages| {
        let pages = pages.iter().map(Ok::<_, PolarsError>);
        Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(pages)))
    });
    writer.write(n_rows, DynIter::new(columns))
}
