//! Values as Parquet stores them to values of the declared kinds: the table in
//! [`parquet`](super::parquet).

use polars::prelude::{
    BooleanChunked, ChunkedArray, DataType, PolarsNumericType, Series, TimeUnit,
};
use samescore_core::batch::{
    CellReader, Column, ColumnKind, MISSING_TIME, TextColumn, integer_num, parse_num, push_missing,
};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use super::Gathered;
use super::csv::read_cells;

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
        let numbers = markers.iter().filter_map(|marker| parse_num(marker).ok()).collect();
        Sink { kind, markers, numbers }
    }

    fn refuse(&self, found: &str) -> Error {
        Error::new(Code::WrongKind, format!("expected {}, found {found}", self.kind))
            .remedy("declare the kind that the file has, and cast it in a step")
    }

    fn bools(&self, values: &BooleanChunked) -> Result<Gathered> {
        let label = |b: bool| if b { "true" } else { "false" };
        match self.kind {
            ColumnKind::Num => {
                let number = |b: Option<bool>| b.map_or(math::MISSING, |b| f64::from(u8::from(b)));
                Ok((Column::Num(values.iter().map(number).collect()), Vec::new()))
            }
            ColumnKind::Text => Ok((Column::text(values.iter().map(|b| b.map(label))), Vec::new())),
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
        let number = match i64::try_from(value) {
            Ok(value) => integer_num(value),
            Err(_) => parse_num(&value.to_string()),
        };
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
    fn nanoseconds_become_whole_microseconds_or_nothing() {
        assert_eq!(micros(1_500, TimeUnit::Nanoseconds), None);
        assert_eq!(micros(-3_000, TimeUnit::Nanoseconds), Some(-3));
        assert_eq!(micros(i64::MAX, TimeUnit::Milliseconds), None);
    }
}
