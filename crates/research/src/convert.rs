//! The same rows in another format or order, so that sameness across formats can be tried.
//!
//! # Shape
//! CSV: a header and the columns in the order of the batch, `\n` line ends, quotes where they are
//! needed, numbers as the shortest decimal that reads back to the same bits, times in their
//! declared format. JSON lines: the same values, an object per row, infinities as text. Parquet and
//! Arrow IPC: doubles, strings, and timestamps in microseconds, without compression tricks that
//! depend on the writer's threads. SQLite: reals, and texts as in CSV.
//!
//! # Missing
//! An empty cell, or null.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::Range;

use flate2::Compression;
use flate2::write::GzEncoder;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column as PolarsColumn, DataFrame, Float64Chunked, Int64Chunked, IntoColumn, IntoSeries,
    IpcWriter, NewChunkedArray, ParquetWriter, PolarsError, SerWriter, StringChunked, TimeUnit,
    TimeZone,
};
use polars_arrow::bitmap::Bitmap;
use samescore_core::batch::{
    Batch, Column, ColumnKind, MISSING_TIME, TimeFormat, civil_date, show_num, show_time,
};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;
use samescore_core::par;
use samescore_core::rng::{Seed, Stream, permutation};

use crate::gather::{Format, identifier};

/// The rows in an order drawn from `seed`.
pub fn shuffled(batch: &Batch, seed: Seed) -> Batch {
    let mut draws = Stream::new(seed, "convert", "", "shuffle").pcg();
    let order = permutation(batch.n_rows() as u64, &mut draws);
    let order: Vec<usize> = order.into_iter().map(|row| row as usize).collect();
    batch.select(&order)
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A file of that format.
    File {
        /// The format.
        format: Format,
        /// Rows per row group of Parquet, or per batch of Arrow IPC.
        group_rows: Option<usize>,
    },
    /// An SQLite file with a table of that name.
    Sqlite(String),
}

impl Form {
    /// CSV.
    pub const CSV: Self = Form::File { format: Format::Csv, group_rows: None };
}

/// The file that holds the rows of `batch`.
///
/// # Errors
/// If a row has a cell that could not be read, or the file cannot be made.
pub fn write(
    batch: &Batch,
    columns: &BTreeMap<String, ColumnConfig>,
    form: &Form,
) -> Result<Vec<u8>> {
    if let Some((&row, error)) = batch.faults().first_key_value() {
        return Err(error.clone().row(u64::from(row)));
    }
    let made = |e: std::io::Error| Error::new(Code::Io, format!("the file cannot be made: {e}"));
    let (format, group_rows) = match form {
        Form::Sqlite(table) => return sqlite(batch, columns, table).map_err(unmade),
        Form::File { format, group_rows } => (format, *group_rows),
    };
    match format {
        Format::Csv => Ok(csv(batch, columns).into_bytes()),
        Format::CsvGz => {
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            packer.write_all(csv(batch, columns).as_bytes()).map_err(made)?;
            packer.finish().map_err(made)
        }
        Format::JsonLines => Ok(json_lines(batch, columns).into_bytes()),
        Format::Parquet => parquet(batch, group_rows).map_err(unmade),
        Format::Ipc => ipc(batch, group_rows).map_err(unmade),
    }
}

fn unmade(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Io, format!("the file cannot be made: {error}"))
}

/// The formats of times, column by column.
fn formats(batch: &Batch, columns: &BTreeMap<String, ColumnConfig>) -> Vec<TimeFormat> {
    let names = batch.schema().names();
    names.map(|name| columns.get(name).map(|c| c.format.clone()).unwrap_or_default()).collect()
}

fn json_lines(batch: &Batch, columns: &BTreeMap<String, ColumnConfig>) -> String {
    let string = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let formats = formats(batch, columns);
    let names: Vec<String> = batch.schema().names().map(string).collect();
    let mut text = String::new();
    for row in 0..batch.n_rows() {
        for (slot, column) in batch.columns().iter().enumerate() {
            text.push(if slot == 0 { '{' } else { ',' });
            text.push_str(&names[slot]);
            text.push(':');
            text.push_str(&match column {
                _ if column.is_missing(row) => "null".to_owned(),
                Column::Num(v) if v[row].is_infinite() => string(&show_num(v[row])),
                Column::Num(v) => show_num(v[row]),
                Column::Time(v) => string(&time_text(v[row], &formats[slot])),
                Column::Text(v) => string(v.get(row).unwrap_or_default()),
            });
        }
        text.push_str("}\n");
    }
    text
}

/// The bytes of an SQLite file with the rows as a table.
fn sqlite(
    batch: &Batch,
    columns: &BTreeMap<String, ColumnConfig>,
    table: &str,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let formats = formats(batch, columns);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("table.db");
    let mut connection = rusqlite::Connection::open(&path)?;
    let transaction = connection.transaction()?;
    let fields = batch.schema().fields().iter().map(|field| {
        let affinity = if field.kind == ColumnKind::Num { "REAL" } else { "TEXT" };
        format!("{} {affinity}", identifier(&field.name))
    });
    let fields: Vec<String> = fields.collect();
    let marks = vec!["?"; fields.len()].join(", ");
    let create = format!("CREATE TABLE {} ({})", identifier(table), fields.join(", "));
    transaction.execute(&create, [])?;
    {
        let insert = format!("INSERT INTO {} VALUES ({marks})", identifier(table));
        let mut insert = transaction.prepare(&insert)?;
        for row in 0..batch.n_rows() {
            for (slot, column) in batch.columns().iter().enumerate() {
                match column {
                    _ if column.is_missing(row) => {
                        insert.raw_bind_parameter(slot + 1, None::<f64>)?
                    }
                    Column::Num(v) => insert.raw_bind_parameter(slot + 1, v[row])?,
                    Column::Time(v) => {
                        insert.raw_bind_parameter(slot + 1, time_text(v[row], &formats[slot]))?;
                    }
                    Column::Text(v) => insert.raw_bind_parameter(slot + 1, v.get(row))?,
                }
            }
            insert.raw_execute()?;
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, e)| e)?;
    Ok(std::fs::read(path)?)
}

fn csv(batch: &Batch, columns: &BTreeMap<String, ColumnConfig>) -> String {
    let mut text = String::new();
    let header: Vec<String> = batch.schema().names().map(quoted).collect();
    text.push_str(&header.join(","));
    text.push('\n');
    let formats = formats(batch, columns);
    for row in 0..batch.n_rows() {
        for (slot, column) in batch.columns().iter().enumerate() {
            if slot > 0 {
                text.push(',');
            }
            match column {
                Column::Num(v) => text.push_str(&show_num(v[row])),
                Column::Time(v) => text.push_str(&quoted(&time_text(v[row], &formats[slot]))),
                Column::Text(v) => text.push_str(&quoted(v.get(row).unwrap_or_default())),
            }
        }
        // A row of one missing cell is not a blank line.
        if batch.columns().len() == 1 && batch.column(0).is_missing(row) {
            text.push_str("\"\"");
        }
        text.push('\n');
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

/// A time as its format writes it.
fn time_text(micros: i64, format: &TimeFormat) -> String {
    if micros == MISSING_TIME || format.0 == "iso" {
        return show_time(micros);
    }
    let (year, month, day) = civil_date(micros);
    let of_day = micros.rem_euclid(86_400_000_000);
    let (second, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = String::new();
    let mut chars = format.0.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        text.push_str(&match chars.next() {
            Some('Y') => format!("{year:04}"),
            Some('m') => format!("{month:02}"),
            Some('d') => format!("{day:02}"),
            Some('H') => format!("{:02}", second / 3600),
            Some('M') => format!("{:02}", second / 60 % 60),
            Some('S') => format!("{:02}", second % 60),
            Some('f') => format!("{fraction:06}"),
            _ => String::new(),
        });
    }
    text
}

/// Rows per row group of a file that is written as its rows come.
const GROUP_ROWS: usize = 1 << 17;

/// A Parquet file that is written as its rows come, in row groups of one size, so that how they
/// came in blocks is not seen.
pub(crate) struct ParquetGroups<W: Write> {
    to: Option<W>,
    writer: Option<BatchedWriter<W>>,
    /// Rows of no group yet.
    rest: DataFrame,
}

impl<W: Write> ParquetGroups<W> {
    pub(crate) fn new(to: W) -> Self {
        ParquetGroups { to: Some(to), writer: None, rest: DataFrame::default() }
    }

    /// Adds rows of one schema.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<()> {
        let rows = frame(batch).map_err(unmade)?;
        match self.rest.width() {
            0 => self.rest = rows,
            _ => self.rest.vstack_mut(&rows).map(|_| ()).map_err(unmade)?,
        }
        while self.rest.height() >= GROUP_ROWS {
            let behind = self.rest.slice(GROUP_ROWS as i64, usize::MAX);
            let group = std::mem::replace(&mut self.rest, behind);
            self.write(group.slice(0, GROUP_ROWS)).map_err(unmade)?;
        }
        Ok(())
    }

    fn write(&mut self, mut group: DataFrame) -> Result<(), PolarsError> {
        group.rechunk_mut();
        if let Some(to) = self.to.take() {
            self.writer = Some(ParquetWriter::new(to).batched(group.schema())?);
        }
        match &mut self.writer {
            Some(writer) => writer.write_batch(&group),
            None => Ok(()),
        }
    }

    /// Writes what is left, and the footer.
    pub(crate) fn finish(mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.rest);
        if rest.height() > 0 || self.writer.is_none() {
            self.write(rest).map_err(unmade)?;
        }
        self.writer.map_or(Ok(()), |writer| writer.finish().map(|_| ()).map_err(unmade))
    }
}

fn parquet(batch: &Batch, group_rows: Option<usize>) -> Result<Vec<u8>, PolarsError> {
    let mut file = Cursor::new(Vec::new());
    ParquetWriter::new(&mut file).with_row_group_size(group_rows).finish(&mut frame(batch)?)?;
    Ok(file.into_inner())
}

fn ipc(batch: &Batch, group_rows: Option<usize>) -> Result<Vec<u8>, PolarsError> {
    let mut file = Vec::new();
    let whole = frame(batch)?;
    let n = group_rows.unwrap_or(whole.height()).max(1);
    // Each chunk of a frame becomes a batch of the file.
    let mut chunks = whole.slice(0, n);
    for start in (n..whole.height()).step_by(n) {
        chunks.vstack_mut(&whole.slice(start as i64, n))?;
    }
    IpcWriter::new(&mut file).finish(&mut chunks)?;
    Ok(file)
}

/// The rows as polars has them.
pub(crate) fn frame(batch: &Batch) -> Result<DataFrame, PolarsError> {
    let named: Vec<(&str, &Column)> = batch.schema().names().zip(batch.columns()).collect();
    let columns = par::map(&named, |(name, column)| polars_column(name, column, 0..column.len()));
    DataFrame::new(batch.n_rows(), columns.into_iter().collect::<Result<_, _>>()?)
}

/// Some rows of a column as polars has them; what is missing is null.
pub(crate) fn polars_column(
    name: &str,
    column: &Column,
    rows: Range<usize>,
) -> Result<PolarsColumn, PolarsError> {
    let name = name.into();
    let series = match column {
        Column::Num(v) => {
            let values = &v[rows];
            let valid = validity(values, |x| !math::is_missing(*x));
            Float64Chunked::from_vec_validity(name, values.to_vec(), valid).into_series()
        }
        Column::Text(v) => {
            let values = rows.map(|row| v.get(row));
            StringChunked::from_iter_options(name, values).into_series()
        }
        Column::Time(v) => {
            let values = &v[rows];
            let valid = validity(values, |t| *t != MISSING_TIME);
            let ticks = Int64Chunked::from_vec_validity(name, values.to_vec(), valid);
            // With its zone, so that whoever reads it with another takes it for what it is.
            ticks.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
        }
    };
    Ok(series.into_column())
}

/// Which values there are; `None` means all.
fn validity<T>(values: &[T], is_there: impl Fn(&T) -> bool) -> Option<Bitmap> {
    let valid = Bitmap::from_trusted_len_iter(values.iter().map(is_there));
    (valid.unset_bits() > 0).then_some(valid)
}

#[cfg(test)]
mod tests {
    use samescore_core::batch::{Field, Schema};
    use samescore_core::example;

    use super::*;
    use crate::gather;
    use samescore_core::config::DataConfig;

    fn data() -> DataConfig {
        let columns =
            example::COLUMNS.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).into()));
        DataConfig { columns: columns.collect(), ..DataConfig::default() }
    }

    fn values(batch: &Batch) -> Vec<(String, String)> {
        let columns = batch.schema().names().zip(batch.columns());
        let cells = columns.flat_map(|(name, column)| {
            (0..column.len()).map(move |row| (name.to_owned(), column.value(row).to_string()))
        });
        let mut cells: Vec<(String, String)> = cells.collect();
        cells.sort();
        cells
    }

    #[test]
    fn a_table_is_the_same_batch_from_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let table = example::table(500, 3);
        for name in ["t.csv", "t.csv.gz", "t.parquet", "t.arrow", "t.jsonl"] {
            let path = folder.path().join(name);
            let form = Form::File { format: Format::of(&path).unwrap(), group_rows: Some(64) };
            let bytes = write(&table, &data().columns, &form).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let back = gather::read(&path, &data(), &[]).unwrap();
            assert_eq!(values(&back), values(&table), "{name}");
            assert!(back.schema().names().is_sorted());
            let kinds = gather::infer(&path, &[]).unwrap();
            assert_eq!(kinds, data().columns, "{name}");
        }
    }

    #[test]
    fn a_marker_is_missing_in_every_format() {
        let folder = tempfile::tempdir().unwrap();
        let kinds = [("n", ColumnKind::Num), ("s", ColumnKind::Text), ("t", ColumnKind::Time)];
        let schema = Schema::new(kinds.map(|(name, kind)| Field::new(name, kind))).unwrap();
        let day = 86_400_000_000;
        let columns = vec![
            Column::num([-999.0, 1.5, 9_007_199_254_740_994.0]),
            Column::text([Some("-999"), Some("-999.0"), Some("a,\"b\"")]),
            Column::Time(vec![day, 0, day + 1]),
        ];
        let table = Batch::new(schema.into(), columns).unwrap();
        let columns = kinds.map(|(name, kind)| (name.to_owned(), kind.into()));
        let missing = vec!["-999".to_owned(), "1970-01-02".to_owned()];
        let data = DataConfig { columns: columns.into(), missing, ..DataConfig::default() };
        for name in ["m.csv", "m.parquet", "m.arrow", "m.jsonl"] {
            let path = folder.path().join(name);
            let form = Form::File { format: Format::of(&path).unwrap(), group_rows: None };
            std::fs::write(&path, write(&table, &data.columns, &form).unwrap()).unwrap();
            let read = gather::read(&path, &data, &[]).unwrap();
            assert!(read.faults().is_empty(), "{name}");
            let missing = |slot: usize| [0, 1, 2].map(|row| read.column(slot).is_missing(row));
            assert_eq!([0, 1, 2].map(missing), [[true, false, false]; 3], "{name}");
            assert_eq!(read.num(0)[2], 9_007_199_254_740_994.0, "{name}");
        }
    }

    #[test]
    fn a_shuffled_table_has_the_same_rows() {
        let table = example::table(100, 3);
        let other = shuffled(&table, Seed(1));
        assert_eq!(values(&other), values(&table));
        assert_ne!(other.column(1).value(0), table.column(1).value(0));
    }

    #[test]
    fn times_are_written_in_their_format() {
        let format = TimeFormat("%d.%m.%Y %H:%M".to_owned());
        assert_eq!(time_text(86_400_000_000 + 3_660_000_000, &format), "02.01.1970 01:01");
        assert_eq!(time_text(MISSING_TIME, &format), "");
    }
}
