//! Values as Parquet stores them to values of the declared kinds: the table in
//! [`parquet`](super::parquet).

use polars::prelude::{
    BooleanChunked, ChunkedArray, DataType, PolarsNumericType, Series, StringChunked, TimeUnit,
};
use samescore_core::batch::{
    CellReader, Column, ColumnKind, MISSING_TIME, TextColumn, push_missing,
};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use super::Gathered;

const DAY_MICROS: i64 = 86_400_000_000;
/// Years 1 to 9999, as text sources allow.
const TIME_MIN: i64 = -62_135_596_800_000_000;
const TIME_MAX: i64 = 253_402_300_799_999_999;

/// A stored column as one of the declared kind.
pub(super) fn convert(
    series: &Series,
    declared: &ColumnConfig,
    missing: &[String],
) -> Result<Gathered> {
    let reader = CellReader::new(declared.kind, &declared.format, missing);
    if series.null_count() == series.len() && !matches!(series.dtype(), DataType::String) {
        // No value, no kind: what a CSV file says with empty cells.
        return Ok(nothing(declared.kind, series.len()));
    }
    let sink = Sink { kind: declared.kind, reader };
    let wrong = |e: polars::prelude::PolarsError| Error::new(Code::WrongKind, e.to_string());
    match series.dtype() {
        DataType::String => Ok(read_cells(series.str().map_err(wrong)?, &sink.reader)),
        DataType::Boolean => sink.bools(series.bool().map_err(wrong)?),
        DataType::Int8 => sink.integers(series.i8().map_err(wrong)?),
        DataType::Int16 => sink.integers(series.i16().map_err(wrong)?),
        DataType::Int32 => sink.integers(series.i32().map_err(wrong)?),
        DataType::Int64 => sink.integers(series.i64().map_err(wrong)?),
        DataType::UInt8 => sink.integers(series.u8().map_err(wrong)?),
        DataType::UInt16 => sink.integers(series.u16().map_err(wrong)?),
        DataType::UInt32 => sink.integers(series.u32().map_err(wrong)?),
        DataType::UInt64 => sink.integers(series.u64().map_err(wrong)?),
        DataType::Float32 => {
            sink.floats(series.f32().map_err(wrong)?.iter().map(|x| x.map(f64::from)))
        }
        DataType::Float64 => sink.floats(series.f64().map_err(wrong)?.iter()),
        DataType::Date => {
            let days = series.date().map_err(wrong)?.physical().iter();
            sink.times("date", days.map(|d| d.map(|d| Some(i64::from(d) * DAY_MICROS))))
        }
        DataType::Datetime(unit, _) => {
            let unit = *unit;
            let ticks = series.datetime().map_err(wrong)?.physical().iter();
            sink.times("timestamp", ticks.map(|t| t.map(|t| micros(t, unit))))
        }
        other => {
            Err(Error::new(Code::WrongKind, format!("expected {}, found {other}", declared.kind)))
        }
    }
}

/// The values of text cells, and the rows whose cell cannot be read.
fn read_cells(cells: &StringChunked, reader: &CellReader) -> Gathered {
    let mut column = Column::empty(reader.kind());
    let mut faults = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if let Err(error) = reader.push(&mut column, cell.unwrap_or_default()) {
            faults.push((row, error));
        }
    }
    (column, faults)
}

/// Whole microseconds; `None` if there are none, or too many.
fn micros(ticks: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Milliseconds => ticks.checked_mul(1000),
        TimeUnit::Microseconds => Some(ticks),
        TimeUnit::Nanoseconds => (ticks % 1000 == 0).then_some(ticks / 1000),
    }
}

/// A column of that kind without any value.
fn nothing(kind: ColumnKind, n_rows: usize) -> Gathered {
    let mut column = Column::empty(kind);
    (0..n_rows).for_each(|_| push_missing(&mut column));
    (column, Vec::new())
}

/// Where stored values become values of the declared kind; what is missing, the reader says.
struct Sink {
    kind: ColumnKind,
    reader: CellReader,
}

impl Sink {
    fn refuse(&self, found: &str) -> Error {
        Error::new(Code::WrongKind, format!("expected {}, found {found}", self.kind))
            .remedy("declare the kind that the file has, and cast it in a step")
    }

    fn bools(&self, values: &BooleanChunked) -> Result<Gathered> {
        let label = |b: bool| if b { "true" } else { "false" };
        match self.kind {
            ColumnKind::Num => {
                let number = |b: bool| self.reader.num(f64::from(u8::from(b)));
                let numbers = values.iter().map(|b| b.map_or(math::MISSING, number));
                Ok((Column::Num(numbers.collect()), Vec::new()))
            }
            ColumnKind::Text => {
                let labels = values.iter().map(|b| b.map(label));
                let labels = labels.map(|l| l.filter(|l| !self.reader.is_marker(l)));
                Ok((Column::text(labels), Vec::new()))
            }
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
                let mut numbers = Vec::with_capacity(values.len());
                let mut faults = Vec::new();
                for (row, value) in values.iter().enumerate() {
                    let read = value.map(|x| self.reader.integer(i128::from(x)));
                    numbers.push(match read {
                        Some(Ok(x)) => x,
                        None => math::MISSING,
                        Some(Err(error)) => {
                            faults.push((row, error));
                            math::MISSING
                        }
                    });
                }
                Ok((Column::Num(numbers), faults))
            }
            ColumnKind::Text => {
                let mut text = TextColumn::default();
                for value in values.iter() {
                    let digits = value.map(|x| i128::from(x).to_string());
                    text.push(digits.as_deref().filter(|d| !self.reader.is_marker(d)));
                }
                Ok((Column::Text(text), Vec::new()))
            }
            ColumnKind::Time => Err(self.refuse("integer")),
        }
    }

    fn floats(&self, values: impl Iterator<Item = Option<f64>>) -> Result<Gathered> {
        if self.kind != ColumnKind::Num {
            return Err(self.refuse("float"));
        }
        let number = |x: Option<f64>| x.map_or(math::MISSING, |x| self.reader.num(x));
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
                Some(Some(micros)) if (TIME_MIN..=TIME_MAX).contains(&micros) => {
                    self.reader.time(micros)
                }
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
    fn nanoseconds_become_whole_microseconds_or_nothing() {
        assert_eq!(micros(1_500, TimeUnit::Nanoseconds), None);
        assert_eq!(micros(-3_000, TimeUnit::Nanoseconds), Some(-3));
        assert_eq!(micros(i64::MAX, TimeUnit::Milliseconds), None);
    }
}
