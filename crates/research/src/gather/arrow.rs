//! Arrow's arrays, as an IPC file has them, to the cells of a taker.

use std::borrow::Cow;

use super::stored::DAY_MICROS;
use super::taker::{Taker, decimal_text};

/// How a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Int {
        bytes: usize,
        is_signed: bool,
    },
    Float {
        bytes: usize,
    },
    Decimal {
        bytes: usize,
        n_decimals: usize,
    },
    /// Text with offsets of 4 or 8 bytes.
    Text {
        offset_bytes: usize,
    },
    TextView,
    /// Days, or milliseconds, since 1970.
    Date {
        bytes: usize,
    },
    /// A timestamp: an instant if it has a zone, else a local time.
    Time {
        unit: Unit,
        has_zone: bool,
    },
    /// What cannot be a column, by name.
    Other(&'static str),
}

/// What a timestamp counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Milli,
    Micro,
    Nano,
}

/// A column of one batch: its rows and buffers, the first of which says what is missing.
#[derive(Clone, Debug)]
pub(super) struct Array<'a> {
    pub(super) stored: Type,
    pub(super) n_rows: usize,
    pub(super) buffers: Vec<Cow<'a, [u8]>>,
}

/// A cell of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Missing,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Decimal(i128, usize),
    Text(&'a str),
    /// Microseconds; `None` if there are no whole ones.
    Time(Option<i64>),
    /// The same of a date or time without a zone.
    LocalTime(Option<i64>),
}

impl Array<'_> {
    /// Whether the buffers hold all rows; else a row claims what is not there.
    pub(super) fn is_whole(&self) -> bool {
        let n = self.n_rows;
        let has = |buffer: usize, n_bytes: Option<usize>| {
            let held = self.buffers.get(buffer).map_or(0, |buffer| buffer.len());
            n_bytes.is_some_and(|n_bytes| held >= n_bytes)
        };
        let valid = self.buffers.first().map_or(0, |buffer| buffer.len());
        if valid > 0 && valid < n.div_ceil(8) {
            return false;
        }
        match self.stored {
            Type::Null | Type::Other(_) => true,
            Type::Bool => has(1, Some(n.div_ceil(8))),
            Type::Int { bytes, .. } | Type::Float { bytes } | Type::Date { bytes } => {
                has(1, n.checked_mul(bytes))
            }
            Type::Decimal { bytes, .. } => has(1, n.checked_mul(bytes)),
            Type::Time { .. } => has(1, n.checked_mul(8)),
            Type::TextView => has(1, n.checked_mul(16)),
            Type::Text { .. } if n == 0 => true,
            Type::Text { offset_bytes } => has(1, (n + 1).checked_mul(offset_bytes)),
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        match self.buffers.first() {
            Some(valid) if !valid.is_empty() => !bit(valid, row),
            _ => self.stored == Type::Null,
        }
    }

    /// The cell of a row; `None` if it points outside its buffers or is not UTF-8.
    pub(super) fn value(&self, row: usize) -> Option<Value<'_>> {
        if self.is_missing(row) {
            return Some(Value::Missing);
        }
        let buffer = self.buffers.get(1).map_or(&[][..], |buffer| buffer);
        Some(match self.stored {
            Type::Null | Type::Other(_) => Value::Missing,
            Type::Bool => Value::Bool(bit(buffer, row)),
            Type::Int { bytes, is_signed } => {
                Value::Integer(integer(buffer, row, bytes, is_signed)?)
            }
            Type::Float { bytes: 4 } => {
                Value::Float(f64::from(f32::from_le_bytes(item(buffer, row)?)))
            }
            Type::Float { .. } => Value::Float(f64::from_le_bytes(item(buffer, row)?)),
            Type::Decimal { bytes, n_decimals } => {
                Value::Decimal(integer(buffer, row, bytes, true)?, n_decimals)
            }
            Type::Date { bytes: 4 } => {
                let days = i32::from_le_bytes(item(buffer, row)?);
                Value::LocalTime(i64::from(days).checked_mul(DAY_MICROS))
            }
            Type::Date { .. } => {
                Value::LocalTime(i64::from_le_bytes(item(buffer, row)?).checked_mul(1000))
            }
            Type::Time { unit, has_zone } => {
                let micros = micros(i64::from_le_bytes(item(buffer, row)?), unit);
                if has_zone { Value::Time(micros) } else { Value::LocalTime(micros) }
            }
            Type::Text { offset_bytes } => {
                let offset = |row: usize| {
                    let read = integer(buffer, row, offset_bytes, true)?;
                    usize::try_from(read).ok()
                };
                let text = self.buffers.get(2)?.get(offset(row)?..offset(row + 1)?)?;
                Value::Text(std::str::from_utf8(text).ok()?)
            }
            Type::TextView => Value::Text(std::str::from_utf8(self.view(buffer, row)?).ok()?),
        })
    }

    /// The bytes of a view: within itself, or in one of the buffers behind.
    fn view<'v>(&'v self, views: &'v [u8], row: usize) -> Option<&'v [u8]> {
        const INLINE_MAX: usize = 12;
        let view = views.get(row * 16..row * 16 + 16)?;
        let number = |at: usize| -> Option<usize> {
            let read = i32::from_le_bytes(view.get(at..at + 4)?.try_into().ok()?);
            usize::try_from(read).ok()
        };
        let len = number(0)?;
        if len <= INLINE_MAX {
            return view.get(4..4 + len);
        }
        let start = number(12)?;
        self.buffers.get(number(8)?.checked_add(2)?)?.get(start..start.checked_add(len)?)
    }
}

/// Shows a cell.
pub(super) fn show(value: Value<'_>, taker: &mut impl Taker) {
    match value {
        Value::Missing => taker.missing(),
        Value::Bool(b) => taker.bool(b),
        Value::Integer(value) => taker.integer(value),
        Value::Float(value) => taker.float(value),
        Value::Decimal(units, n_decimals) => taker.text(&decimal_text(units, n_decimals)),
        Value::Text(text) => taker.text(text),
        Value::Time(micros) => taker.time(micros),
        Value::LocalTime(micros) => taker.local_time(micros),
    }
}

fn bit(bytes: &[u8], row: usize) -> bool {
    bytes.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

fn item<const N: usize>(bytes: &[u8], row: usize) -> Option<[u8; N]> {
    let at = row.checked_mul(N)?;
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn integer(bytes: &[u8], row: usize, n_bytes: usize, is_signed: bool) -> Option<i128> {
    Some(match (n_bytes, is_signed) {
        (1, true) => i128::from(i8::from_le_bytes(item(bytes, row)?)),
        (1, false) => i128::from(u8::from_le_bytes(item(bytes, row)?)),
        (2, true) => i128::from(i16::from_le_bytes(item(bytes, row)?)),
        (2, false) => i128::from(u16::from_le_bytes(item(bytes, row)?)),
        (4, true) => i128::from(i32::from_le_bytes(item(bytes, row)?)),
        (4, false) => i128::from(u32::from_le_bytes(item(bytes, row)?)),
        (8, true) => i128::from(i64::from_le_bytes(item(bytes, row)?)),
        (8, false) => i128::from(u64::from_le_bytes(item(bytes, row)?)),
        _ => i128::from_le_bytes(item(bytes, row)?),
    })
}

fn micros(ticks: i64, unit: Unit) -> Option<i64> {
    match unit {
        Unit::Second => ticks.checked_mul(1_000_000),
        Unit::Milli => ticks.checked_mul(1000),
        Unit::Micro => Some(ticks),
        Unit::Nano => (ticks % 1000 == 0).then_some(ticks / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<'a>(stored: Type, n_rows: usize, buffers: &[&'a [u8]]) -> Array<'a> {
        let buffers = buffers.iter().map(|bytes| Cow::Borrowed(*bytes)).collect();
        Array { stored, n_rows, buffers }
    }

    #[test]
    fn cells_are_read_from_their_buffers() {
        let text = array(
            Type::Text { offset_bytes: 4 },
            2,
            &[&[0b01], &[0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0], b"ab"],
        );
        assert!(text.is_whole());
        assert_eq!((text.value(0), text.value(1)), (Some(Value::Text("ab")), Some(Value::Missing)));
        let mut views = [0u8; 32];
        views[0] = 2;
        views[4..6].copy_from_slice(b"ab");
        views[16] = 13;
        views[28] = 1;
        let view = array(Type::TextView, 2, &[&[], &views, b"xabcdefghijklmno"]);
        assert_eq!(view.value(0), Some(Value::Text("ab")));
        assert_eq!(view.value(1), Some(Value::Text("abcdefghijklm")));
        let bools = array(Type::Bool, 9, &[&[], &[0b10, 1]]);
        let read: Vec<_> = [0, 1, 8].map(|row| bools.value(row)).to_vec();
        assert_eq!(read, [false, true, true].map(|b| Some(Value::Bool(b))));
        let int = Type::Int { bytes: 2, is_signed: true };
        assert_eq!(array(int, 1, &[&[], &[0xfe, 0xff]]).value(0), Some(Value::Integer(-2)));
        let decimal = Type::Decimal { bytes: 4, n_decimals: 2 };
        assert_eq!(array(decimal, 1, &[&[], &[5, 0, 0, 0]]).value(0), Some(Value::Decimal(5, 2)));
        let nano = Type::Time { unit: Unit::Nano, has_zone: true };
        let nano = array(nano, 1, &[&[], &[1, 0, 0, 0, 0, 0, 0, 0]]);
        assert_eq!(nano.value(0), Some(Value::Time(None)));
    }

    #[test]
    fn what_points_outside_is_not_there() {
        let int = Type::Int { bytes: 8, is_signed: false };
        assert!(!array(int, 2, &[&[], &[0; 15]]).is_whole());
        assert!(!array(int, usize::MAX, &[&[], &[0; 16]]).is_whole());
        assert!(!array(Type::Bool, 9, &[&[1], &[0, 0]]).is_whole());
        let offsets = [0, 0, 0, 0, 9, 0, 0, 0];
        let text = array(Type::Text { offset_bytes: 4 }, 1, &[&[], &offsets, b"ab"]);
        assert_eq!(text.value(0), None);
        let mut view = [0xffu8; 16];
        assert_eq!(array(Type::TextView, 1, &[&[], &view]).value(0), None);
        view[..4].copy_from_slice(&[20, 0, 0, 0]);
        assert_eq!(array(Type::TextView, 1, &[&[], &view, b"abc"]).value(0), None);
        let bad =
            array(Type::Text { offset_bytes: 4 }, 1, &[&[], &[0, 0, 0, 0, 1, 0, 0, 0], &[0xff]]);
        assert_eq!(bad.value(0), None);
    }
}
