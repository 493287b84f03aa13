//! Parquet files by row groups: each column's pages are made by a thread of its own, and are
//! written in the order of the columns while those of the next row group are made.
//!
//! # Shape
//! As [`convert`](crate::convert) says of Parquet. Labels and numbers that recur are places in a
//! dictionary. Pages are packed by LZ4; there are no statistics, which readers of whole columns
//! have no use for. The bytes depend on the rows, their order and the size of a row group alone.

use std::io::Write;
use std::ops::Range;

use polars::error::{PolarsError, PolarsResult};
use polars::io::parquet::write::get_encodings;
use polars::prelude::{ArrowSchema, CompatLevel, StatisticsOptions};
use polars_arrow::array::{DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter,
    ParquetType, Version, WriteOptions, array_to_columns, compress, fallible_streaming_iterator,
};
use samescore_core::batch::{Batch, Column, MISSING_CODE, TextColumn};
use samescore_core::par;

use crate::convert::polars_column;

const PACKED: CompressionOptions = CompressionOptions::Lz4Raw;
/// So many rows tell whether a column has few different numbers.
const SAMPLE_ROWS: usize = 4096;

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
    let stored = || -> PolarsResult<_> {
        let series = polars_column(name, column, rows.clone())?;
        Ok(series.as_materialized_series().to_arrow(0, CompatLevel::newest()))
    };
    let (array, encoding) = match column {
        Column::Text(texts) => match dictionary(texts, rows.clone())? {
            Some(labels) => (labels.boxed(), &[Encoding::RleDictionary][..]),
            None => (stored()?, &[Encoding::Plain][..]),
        },
        Column::Num(numbers) if are_distinct(&numbers[rows.clone()]) => {
            (stored()?, &[Encoding::Plain][..])
        }
        Column::Num(_) | Column::Time(_) => (stored()?, encoding),
    };
    let mut made = Vec::new();
    for pages in array_to_columns(array, field.clone(), options(), encoding)? {
        for page in pages {
            made.push(compress(page?, Vec::new(), PACKED)?);
        }
    }
    Ok(made)
}

/// The labels of some rows as places among those that these rows have, in the order in which they
/// come; `None` where that would save little.
fn dictionary(
    texts: &TextColumn,
    rows: Range<usize>,
) -> PolarsResult<Option<DictionaryArray<u32>>> {
    const NOWHERE: u32 = u32::MAX;
    let mut places = vec![NOWHERE; texts.n_levels()];
    let (mut labels, codes) = (Vec::new(), &texts.codes()[rows]);
    let mut place = |code: u32| {
        let place = &mut places[code as usize];
        if *place == NOWHERE {
            *place = labels.len() as u32;
            labels.push(texts.level(code as usize));
        }
        *place
    };
    let keys: PrimitiveArray<u32> =
        codes.iter().map(|&code| (code != MISSING_CODE).then(|| place(code))).collect();
    if exceeds_share(labels.len(), codes.len()) {
        return Ok(None);
    }
    let labels = Utf8ViewArray::from_slice_values(&labels);
    DictionaryArray::try_from_keys(keys, labels.boxed(), false).map(Some)
}

/// Whether the first numbers are so many different ones that a dictionary of all would save little.
fn are_distinct(numbers: &[f64]) -> bool {
    let mut some: Vec<u64> = numbers.iter().take(SAMPLE_ROWS).map(|x| x.to_bits()).collect();
    let n_rows = some.len();
    some.sort();
    some.dedup();
    exceeds_share(some.len(), n_rows)
}

fn exceeds_share(n_labels: usize, n_rows: usize) -> bool {
    n_labels > n_rows / 4 * 3
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use polars::prelude::{DataFrame, ParquetReader, SerReader};
    use samescore_core::batch::{ColumnKind, Field, Schema};
    use samescore_core::canonical::Canonical;
    use samescore_core::math;

    use super::*;

    /// Few labels, as many as rows, and gaps; few numbers, as many as rows, and gaps.
    fn table(n_rows: usize) -> Batch {
        let (mut few, mut many) = (TextColumn::default(), TextColumn::default());
        for row in 0..n_rows {
            few.push((!row.is_multiple_of(5)).then_some(["u", "v", "w"][row * row % 3]));
            many.push((!row.is_multiple_of(7)).then_some(&format!("label {row}")));
        }
        let numbers = |n: usize| {
            let value =
                |row: usize| if row.is_multiple_of(11) { math::MISSING } else { (row % n) as f64 };
            Column::Num((0..n_rows).map(value).collect())
        };
        let kinds = [ColumnKind::Text, ColumnKind::Text, ColumnKind::Num, ColumnKind::Num];
        let fields = ["a", "b", "c", "d"].into_iter().zip(kinds);
        let schema = Schema::new(fields.map(|(name, kind)| Field::new(name, kind))).unwrap();
        let columns =
            vec![Column::Text(few), Column::Text(many), numbers(3), numbers(n_rows.max(1))];
        Batch::new(Arc::new(schema), columns).unwrap()
    }

    fn read(bytes: &[u8]) -> DataFrame {
        ParquetReader::new(Cursor::new(bytes)).finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_by_others() {
        for n_rows in [0, 1, 2, 3000] {
            let batch = table(n_rows);
            let whole = write(Vec::new(), &batch, 1000).unwrap();
            let found = read(&whole);
            assert_eq!(found.height(), n_rows);
            for (name, column) in batch.schema().names().zip(batch.columns()) {
                let expected = polars_column(name, column, 0..n_rows).unwrap();
                assert!(found.column(name).unwrap().equals_missing(&expected), "{name}");
            }
        }
    }

    #[test]
    fn the_bytes_depend_on_the_rows_alone() {
        let rows: Vec<usize> = (0..3000).collect();
        let bytes = |rows: &[usize], n_threads: usize| {
            // Rows in one order, the labels of which were met in another.
            let table = Canonical::new(table(3000).select(rows), &[]).unwrap();
            let write = || write(Vec::new(), table.batch(), 1000).unwrap();
            par::Threads::new(n_threads).unwrap().run(write)
        };
        let reversed: Vec<usize> = rows.iter().rev().copied().collect();
        assert_eq!(bytes(&rows, 1), bytes(&reversed, 3));
    }
}
