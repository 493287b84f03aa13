//! Parquet through polars' reader: what is stored in the file's own types, to the declared kinds.
//!
//! # Method
//! Only Parquet's own schema counts: the Arrow schema that writers add as a note is ignored, so a
//! categorical column is text and a zoned time is its instant in UTC, whoever wrote the file. Before
//! anything is read the footer is held against the file: what it claims must fit into it.
//!
//! # Shape
//! | stored as | num | text | time |
//! |---|---|---|---|
//! | integer | itself, up to 2^53 | its decimal digits | refused |
//! | float | itself (32 bits widened) | refused | refused |
//! | bool | 0 or 1 | `false` or `true` | refused |
//! | string | read as a CSV cell | itself | read as a CSV cell |
//! | date, timestamp (ms, us, ns) | refused | refused | UTC, whole microseconds |
//!
//! Everything else (decimal, nested, binary, time of day) is refused by name.
//!
//! # Missing
//! Null, NaN, an empty string, and the declared markers: of a string by its text, of an integer by its
//! digits, of a float by the number that the marker reads as.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    ArrowDataType, BooleanChunked, ChunkedArray, DataFrame, DataType, ParquetReader,
    PolarsNumericType, SerReader, Series, TimeUnit,
};
use samescore_core::batch::{
    CellReader, Column, ColumnKind, MISSING_TIME, TextColumn, integer_num, parse_num, push_missing,
};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;
use samescore_core::par;

use super::csv::read_cells;
use super::{Gathered, check_names, check_size, foreign, guard, positions};
use crate::file;

const MAGIC: &[u8] = b"PAR1";
/// Magic, empty footer, its length, magic.
const FILE_BYTES_MIN: usize = 12;
/// Columns of a file may not claim more than this many bytes together when they are unpacked.
const UNPACKED_BYTES_MAX: u64 = 64 << 30;
const DAY_MICROS: i64 = 86_400_000_000;
/// Years 1 to 9999, as text sources allow.
const TIME_MIN: i64 = -62_135_596_800_000_000;
const TIME_MAX: i64 = 253_402_300_799_999_999;

/// The declared columns, in name order.
pub(super) fn read(
    path: &Path,
    columns: &BTreeMap<String, ColumnConfig>,
    missing: &[String],
) -> Result<Vec<Gathered>> {
    let bytes = file::read(path)?;
    let names: Vec<String> = columns.keys().cloned().collect();
    let frame = load(path, &bytes, |found| {
        positions(path, found, columns)?;
        Ok(names.clone())
    })?;
    let wanted: Vec<(&String, &ColumnConfig)> = columns.iter().collect();
    let gathered = par::map(&wanted, |(name, column)| {
        let series = frame.column(name).map_err(|e| foreign(path, &e))?;
        convert(series.as_materialized_series(), column, missing).map_err(|e| e.column(name))
    });
    gathered.into_iter().collect()
}

/// Reads the columns that `choose` picks from the names in the file.
pub(super) fn load(
    path: &Path,
    bytes: &[u8],
    choose: impl Fn(&[String]) -> Result<Vec<String>>,
) -> Result<DataFrame> {
    check_frame(path, bytes)?;
    guard(path, || {
        let mut reader = ParquetReader::new(Cursor::new(bytes));
        let mut footer = reader
            .get_metadata()
            .map_err(|e| foreign(path, &e))?
            .as_ref()
            .clone();
        footer.key_value_metadata = None;
        let fields = footer.schema_descr.fields().iter();
        let names: Vec<String> = fields
            .map(|f| f.get_field_info().name.to_string())
            .collect();
        check_size(path, footer.num_rows, names.len())?;
        check_names(path, &names)?;
        let groups = footer.row_groups.iter();
        let claims: Vec<Claim> = groups
            .flat_map(|group| group.parquet_columns().iter())
            .map(|chunk| (chunk.compressed_size(), chunk.uncompressed_size()))
            .collect();
        check_claims(path, bytes.len(), &claims)?;
        let counted: usize = footer.row_groups.iter().map(|group| group.num_rows()).sum();
        if counted != footer.num_rows {
            let what = format!(
                "{} rows, found {counted} in its row groups",
                footer.num_rows
            );
            return Err(damaged(path, &what));
        }
        let chosen = choose(&names)?;
        reader.set_metadata(Arc::new(footer));
        let schema = reader.schema().map_err(|e| foreign(path, &e))?;
        for name in &chosen {
            if let Some(field) = schema.get(name.as_str()) {
                check_type(&field.dtype).map_err(|e| e.column(name))?;
            }
        }
        reader
            .with_columns(Some(chosen))
            .finish()
            .map_err(|e| foreign(path, &e))
    })
}

/// Compressed and unpacked bytes that the footer claims for a chunk of a column.
type Claim = (i64, i64);

/// The frame around the content: magic at both ends, and a footer that fits between.
fn check_frame(path: &Path, bytes: &[u8]) -> Result<()> {
    if bytes.len() < FILE_BYTES_MIN || !bytes.starts_with(MAGIC) || !bytes.ends_with(MAGIC) {
        let what = "PAR1 at both ends, found something else";
        return Err(damaged(path, what).remedy("check the path, or write the file again"));
    }
    let mut length = [0u8; 4];
    length.copy_from_slice(&bytes[bytes.len() - 8..bytes.len() - 4]);
    let length = u32::from_le_bytes(length) as usize;
    if length > bytes.len() - FILE_BYTES_MIN {
        let what = format!("a footer within the file, found one of {length} bytes");
        return Err(damaged(path, &what));
    }
    Ok(())
}

/// What the footer claims must fit into the file, and into a stated amount of memory.
fn check_claims(path: &Path, file_bytes: usize, claims: &[Claim]) -> Result<()> {
    let (mut packed, mut unpacked) = (0u64, 0u64);
    for &(compressed, uncompressed) in claims {
        let (Ok(compressed), Ok(uncompressed)) =
            (u64::try_from(compressed), u64::try_from(uncompressed))
        else {
            return Err(damaged(path, "sizes of at least 0, found a negative one"));
        };
        packed = packed.saturating_add(compressed);
        unpacked = unpacked.saturating_add(uncompressed);
    }
    if packed > file_bytes as u64 {
        let what = format!("columns within its {file_bytes} bytes, found {packed} claimed");
        return Err(damaged(path, &what));
    }
    if unpacked > UNPACKED_BYTES_MAX {
        let message = format!(
            "`{}`: expected at most {UNPACKED_BYTES_MAX} bytes when unpacked, found {unpacked} claimed",
            path.display()
        );
        return Err(Error::new(Code::LimitExceeded, message));
    }
    Ok(())
}

fn damaged(path: &Path, expected: &str) -> Error {
    Error::new(
        Code::BadValue,
        format!("`{}`: expected {expected}", path.display()),
    )
}

fn check_type(stored: &ArrowDataType) -> Result<()> {
    use ArrowDataType as A;
    let found = match stored {
        A::Boolean | A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Date32 | A::Timestamp(..) => {
            return Ok(());
        }
        A::Int8 | A::Int16 | A::Int32 | A::Int64 => return Ok(()),
        A::UInt8 | A::UInt16 | A::UInt32 | A::UInt64 | A::Float32 | A::Float64 => return Ok(()),
        A::Decimal(..) | A::Decimal32(..) | A::Decimal64(..) | A::Decimal256(..) => "decimal",
        A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => "binary",
        A::List(_) | A::LargeList(_) | A::FixedSizeList(..) | A::Struct(_) | A::Map(..) => "nested",
        A::Time32(_) | A::Time64(_) => "time of day",
        A::Float16 => "16-bit float",
        _ => "another type",
    };
    let message = format!("expected a bool, number, string, date or timestamp, found {found}");
    Err(Error::new(Code::WrongKind, message).remedy("cast it where the file is written"))
}

/// A stored column as one of the declared kind.
fn convert(series: &Series, declared: &ColumnConfig, missing: &[String]) -> Result<Gathered> {
    let sink = Sink::new(declared.kind, missing);
    let wrong = |e: polars::prelude::PolarsError| Error::new(Code::WrongKind, e.to_string());
    match series.dtype() {
        DataType::String => {
            let reader = CellReader::new(declared.kind, &declared.format, missing);
            Ok(read_cells(series.str().map_err(wrong)?, &reader))
        }
        DataType::Boolean => sink.bools(series.bool().map_err(wrong)?),
        DataType::Int8 => sink.integers(series.i8().map_err(wrong)?),
        DataType::Int16 => sink.integers(series.i16().map_err(wrong)?),
        DataType::Int32 => sink.integers(series.i32().map_err(wrong)?),
        DataType::Int64 => sink.integers(series.i64().map_err(wrong)?),
        DataType::UInt8 => sink.integers(series.u8().map_err(wrong)?),
        DataType::UInt16 => sink.integers(series.u16().map_err(wrong)?),
        DataType::UInt32 => sink.integers(series.u32().map_err(wrong)?),
        DataType::UInt64 => sink.integers(series.u64().map_err(wrong)?),
        DataType::Float32 => sink.floats(
            series
                .f32()
                .map_err(wrong)?
                .iter()
                .map(|x| x.map(f64::from)),
        ),
        DataType::Float64 => sink.floats(series.f64().map_err(wrong)?.iter()),
        DataType::Date => {
            let days = series.date().map_err(wrong)?.physical().iter();
            sink.times(
                "date",
                days.map(|d| d.map(|d| Some(i64::from(d) * DAY_MICROS))),
            )
        }
        DataType::Datetime(unit, _) => {
            let unit = *unit;
            let ticks = series.datetime().map_err(wrong)?.physical().iter();
            sink.times("timestamp", ticks.map(|t| t.map(|t| micros(t, unit))))
        }
        other => Err(Error::new(
            Code::WrongKind,
            format!("expected {}, found {other}", declared.kind),
        )),
    }
}

/// Whole microseconds; `None` if there are none, or too many.
fn micros(ticks: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Milliseconds => ticks.checked_mul(1000),
        TimeUnit::Microseconds => Some(ticks),
        TimeUnit::Nanoseconds => (ticks % 1000 == 0).then_some(ticks / 1000),
    }
}

/// Where stored values become values of the declared kind.
struct Sink<'a> {
    kind: ColumnKind,
    markers: &'a [String],
    numbers: Vec<f64>,
}

impl<'a> Sink<'a> {
    fn new(kind: ColumnKind, markers: &'a [String]) -> Self {
        let numbers = markers
            .iter()
            .filter_map(|marker| parse_num(marker).ok())
            .collect();
        Sink {
            kind,
            markers,
            numbers,
        }
    }

    fn refuse(&self, found: &str) -> Error {
        Error::new(
            Code::WrongKind,
            format!("expected {}, found {found}", self.kind),
        )
        .remedy("declare the kind that the file has, and cast it in a step")
    }

    fn bools(&self, values: &BooleanChunked) -> Result<Gathered> {
        let label = |b: bool| if b { "true" } else { "false" };
        match self.kind {
            ColumnKind::Num => {
                let number = |b: Option<bool>| b.map_or(math::MISSING, |b| f64::from(u8::from(b)));
                Ok((Column::Num(values.iter().map(number).collect()), Vec::new()))
            }
            ColumnKind::Text => Ok((
                Column::text(values.iter().map(|b| b.map(label))),
                Vec::new(),
            )),
            ColumnKind::Time => Err(self.refuse("bool")),
        }
    }

    fn integers<T>(&self, values: &ChunkedArray<T>) -> Result<Gathered>
    where
        T: PolarsNumericType,
        i128: From<T::Native>,
    {
        match self.kind {
            ColumnKind::Num => {
                let mut column = Column::Num(Vec::with_capacity(values.len()));
                let mut faults = Vec::new();
                for (row, value) in values.iter().enumerate() {
                    if let Err(error) = self.integer(&mut column, value.map(i128::from)) {
                        push_missing(&mut column);
                        faults.push((row, error));
                    }
                }
                Ok((column, faults))
            }
            ColumnKind::Text => {
                let mut text = TextColumn::default();
                for value in values.iter() {
                    let digits = value.map(|x| i128::from(x).to_string());
                    text.push(digits.as_deref().filter(|d| !self.is_marker(d)));
                }
                Ok((Column::Text(text), Vec::new()))
            }
            ColumnKind::Time => Err(self.refuse("integer")),
        }
    }

    fn integer(&self, column: &mut Column, value: Option<i128>) -> Result<()> {
        let Some(value) = value else {
            push_missing(column);
            return Ok(());
        };
        // Beyond 64 bits the nearest such integer is refused like the value itself.
        let number = integer_num(i64::try_from(value).unwrap_or(i64::MAX));
        if !self.numbers.is_empty() && self.is_marker(&value.to_string()) {
            push_missing(column);
            return Ok(());
        }
        if let Column::Num(values) = column {
            values.push(number?);
        }
        Ok(())
    }

    fn is_marker(&self, text: &str) -> bool {
        self.markers.iter().any(|marker| marker == text)
    }

    fn floats(&self, values: impl Iterator<Item = Option<f64>>) -> Result<Gathered> {
        if self.kind != ColumnKind::Num {
            return Err(self.refuse("float"));
        }
        let number = |x: Option<f64>| match x {
            Some(x) if !self.numbers.contains(&x) => x,
            _ => math::MISSING,
        };
        Ok((Column::num(values.map(number)), Vec::new()))
    }

    /// Times; an inner `None` is an instant that has no whole microseconds.
    fn times(
        &self,
        stored: &str,
        values: impl Iterator<Item = Option<Option<i64>>>,
    ) -> Result<Gathered> {
        if self.kind != ColumnKind::Time {
            return Err(self.refuse(stored));
        }
        let (mut times, mut faults) = (Vec::new(), Vec::new());
        for (row, value) in values.enumerate() {
            times.push(match value {
                None => MISSING_TIME,
                Some(Some(micros)) if (TIME_MIN..=TIME_MAX).contains(&micros) => micros,
                Some(_) => {
                    let message =
                        "expected whole microseconds from year 1 to 9999, found another instant";
                    faults.push((row, Error::new(Code::BadValue, message)));
                    MISSING_TIME
                }
            });
        }
        Ok((Column::Time(times), faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_none_is_refused_before_it_is_read() {
        let path = Path::new("t.parquet");
        for bytes in [
            &b"PAR1"[..],
            b"PAR1PAR",
            b"PAR1\xff\xff\xff\xffPAR1",
            b"PAR1....\0\0\0\0PARE",
        ] {
            assert!(check_frame(path, bytes).is_err(), "{bytes:?}");
        }
        assert!(check_claims(path, 100, &[(60, 10), (60, 10)]).is_err());
        assert!(check_claims(path, 100, &[(-1, 10)]).is_err());
        assert!(check_claims(path, 100, &[(1, i64::MAX)]).is_err());
        assert!(check_claims(path, 100, &[(60, 1000), (40, 1000)]).is_ok());
    }

    #[test]
    fn nanoseconds_become_whole_microseconds_or_nothing() {
        assert_eq!(micros(1_500, TimeUnit::Nanoseconds), None);
        assert_eq!(micros(-3_000, TimeUnit::Nanoseconds), Some(-3));
        assert_eq!(micros(i64::MAX, TimeUnit::Milliseconds), None);
    }
}
