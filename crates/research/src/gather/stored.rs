//! Columns as polars holds them, cell by cell to a taker.

use polars::prelude::{ChunkedArray, DataType, PolarsError, PolarsNumericType, Series, TimeUnit};
use samescore_core::batch::BLOCK_ROWS;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use super::taker::{Stored, Taker, decimal_text};

pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// Shows every cell of a stored column. Its times without a zone are instants if `is_utc`.
///
/// # Errors
/// If the taker does not expect values of that type.
pub(super) fn show(series: &Series, is_utc: bool, taker: &mut impl Taker) -> Result<()> {
    if series.null_count() == series.len() {
        // No value, no kind: what a CSV file says with empty cells.
        (0..series.len()).for_each(|_| taker.missing());
        return Ok(());
    }
    match of_polars(series.dtype()) {
        Some(stored) => taker.expect(stored)?,
        None => {
            let message = format!("expected a number, text or time, found {}", series.dtype());
            return Err(Error::new(Code::WrongKind, message));
        }
    }
    taker.reserve(series.len());
    show_cells(series, is_utc, taker).map_err(|e| Error::new(Code::WrongKind, e.to_string()))
}

fn of_polars(stored: &DataType) -> Option<Stored> {
    Some(match stored {
        DataType::String | DataType::Decimal(..) => Stored::Text,
        DataType::Boolean => Stored::Bool,
        DataType::Float32 | DataType::Float64 => Stored::Float,
        DataType::Date | DataType::Datetime(..) => Stored::Time,
        other if other.is_integer() => Stored::Integer,
        _ => return None,
    })
}

fn show_cells(series: &Series, is_utc: bool, taker: &mut impl Taker) -> Result<(), PolarsError> {
    match series.dtype() {
        DataType::String => {
            for cell in series.str()?.iter() {
                match cell {
                    Some(cell) => taker.text(cell),
                    None => taker.missing(),
                }
            }
        }
        DataType::Boolean => series.bool()?.iter().for_each(|b| match b {
            Some(b) => taker.bool(b),
            None => taker.missing(),
        }),
        DataType::Int8 => integers(series.i8()?, taker),
        DataType::Int16 => integers(series.i16()?, taker),
        DataType::Int32 => integers(series.i32()?, taker),
        DataType::Int64 => integers(series.i64()?, taker),
        DataType::UInt8 => integers(series.u8()?, taker),
        DataType::UInt16 => integers(series.u16()?, taker),
        DataType::UInt32 => integers(series.u32()?, taker),
        DataType::UInt64 => integers(series.u64()?, taker),
        DataType::Float32 => floats(series.f32()?.iter().map(|x| x.map(f64::from)), taker),
        DataType::Float64 => {
            for chunk in series.f64()?.downcast_iter() {
                match chunk.validity() {
                    None => taker.floats(chunk.values().as_slice()),
                    Some(valid) => valid_floats(chunk.values().as_slice(), valid.iter(), taker),
                }
            }
        }
        DataType::Decimal(_, n_decimals) => {
            for units in series.decimal()?.physical().iter() {
                match units {
                    Some(units) => taker.text(&decimal_text(units, *n_decimals)),
                    None => taker.missing(),
                }
            }
        }
        DataType::Date => {
            let days = series.date()?.physical().iter();
            let midnights = days.map(|d| d.map(|d| i64::from(d).checked_mul(DAY_MICROS)));
            times(midnights, is_utc, taker);
        }
        DataType::Datetime(unit, zone) => {
            let unit = *unit;
            let ticks = series.datetime()?.physical().iter();
            let is_utc = is_utc || zone.is_some();
            times(ticks.map(|t| t.map(|t| micros(t, unit))), is_utc, taker);
        }
        other => polars::prelude::polars_bail!(ComputeError: "{other} is not known"),
    }
    Ok(())
}

fn integers<N: PolarsNumericType>(values: &ChunkedArray<N>, taker: &mut impl Taker)
where
    i128: From<N::Native>,
{
    values.iter().for_each(|value| match value {
        Some(value) => taker.integer(i128::from(value)),
        None => taker.missing(),
    });
}

fn floats(values: impl Iterator<Item = Option<f64>>, taker: &mut impl Taker) {
    values.for_each(|value| match value {
        Some(value) => taker.float(value),
        None => taker.missing(),
    });
}

/// Floats of which those that are not valid are missing, whatever stands in their place.
fn valid_floats(values: &[f64], mut valid: impl Iterator<Item = bool>, taker: &mut impl Taker) {
    let mut block = Vec::with_capacity(BLOCK_ROWS);
    for values in values.chunks(BLOCK_ROWS) {
        block.clear();
        block.extend_from_slice(values);
        for (x, is_valid) in block.iter_mut().zip(valid.by_ref()) {
            if !is_valid {
                *x = math::MISSING;
            }
        }
        taker.floats(&block);
    }
}

/// Times; an inner `None` is an instant that has no whole microseconds.
fn times(values: impl Iterator<Item = Option<Option<i64>>>, is_utc: bool, taker: &mut impl Taker) {
    values.for_each(|value| match value {
        Some(micros) if is_utc => taker.time(micros),
        Some(micros) => taker.local_time(micros),
        None => taker.missing(),
    });
}

/// Whole microseconds; `None` if there are none, or too many.
fn micros(ticks: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Milliseconds => ticks.checked_mul(1000),
        TimeUnit::Microseconds => Some(ticks),
        TimeUnit::Nanoseconds => (ticks % 1000 == 0).then_some(ticks / 1000),
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
