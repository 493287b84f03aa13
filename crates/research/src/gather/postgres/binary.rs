//! The binary form of COPY: its frame, and the bytes of each type.
//!
//! # Method
//! A header, then a count of fields and each field with its length; a count of -1 ends the rows.
//! All
//! integers are big-endian. Every length is checked; what does not fit is an error, not a guess.

use samescore_core::error::{Code, Error};
use tokio_postgres::types::{Kind, Type};

use super::super::stored::DAY_MICROS;
use super::super::taker::{Stored, Taker};
use super::numeric;

const SIGNATURE: [u8; 11] = *b"PGCOPY\n\xff\r\n\0";
/// Days and microseconds from 1970-01-01 to 2000-01-01, where the server counts from.
const EPOCH_DAYS: i64 = 10_957;

/// What was expected and what was found.
pub(super) type Mismatch = (&'static str, String);

/// What stands at the beginning of some bytes, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Header(usize),
    Row(usize),
    End,
}

/// `None` if the bytes end too early.
pub(super) fn header(bytes: &[u8]) -> Result<Option<Step>, Mismatch> {
    let Some((signature, rest)) = bytes.split_first_chunk::<11>() else {
        return Ok(None);
    };
    if *signature != SIGNATURE {
        return Err(("its signature", "other bytes".to_owned()));
    }
    let Some((flags, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let Some((extension, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let (flags, extension) = (u32::from_be_bytes(*flags), u32::from_be_bytes(*extension));
    if flags != 0 || extension != 0 {
        return Err(("no flags", format!("flags {flags:#x}, {extension} bytes of extension")));
    }
    Ok(Some(Step::Header(bytes.len() - rest.len())))
}

/// Where the fields of one row are.
pub(super) struct Tuple {
    n_columns: usize,
    /// Beginning and end of each field; `None` is a null.
    fields: Vec<Option<(usize, usize)>>,
}

impl Tuple {
    pub(super) fn new(n_columns: usize) -> Self {
        Tuple { n_columns, fields: Vec::with_capacity(n_columns) }
    }

    /// `None` if the bytes end too early.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<Step>, Mismatch> {
        let Some(count) = bytes.first_chunk::<2>() else {
            return Ok(None);
        };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(Some(Step::End));
        }
        if usize::try_from(count) != Ok(self.n_columns) {
            return Err(("as many fields as columns", format!("{count}")));
        }
        self.fields.clear();
        let mut at = 2;
        for _ in 0..self.n_columns {
            let Some(length) = bytes[at..].first_chunk::<4>() else {
                return Ok(None);
            };
            at += 4;
            let length = i32::from_be_bytes(*length);
            if length == -1 {
                self.fields.push(None);
                continue;
            }
            let Ok(length) = usize::try_from(length) else {
                return Err(("a length", format!("{length}")));
            };
            if length > bytes.len() - at {
                return Ok(None);
            }
            self.fields.push(Some((at, at + length)));
            at += length;
        }
        Ok(Some(Step::Row(at)))
    }

    /// The bytes of a field of the row that was read from `bytes`.
    pub(super) fn field<'a>(&self, bytes: &'a [u8], place: usize) -> Option<&'a [u8]> {
        self.fields[place].map(|(begin, end)| &bytes[begin..end])
    }
}

/// How the bytes of a type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Uuid,
    Date,
    Timestamp,
    TimestampTz,
}

impl Cell {
    /// `None` for a type that is not gathered.
    pub(super) fn of(found: &Type) -> Option<Self> {
        match found.kind() {
            Kind::Enum(_) => return Some(Cell::Text),
            Kind::Domain(inner) => return Cell::of(inner),
            Kind::Simple => (),
            _ => return None,
        }
        Some(match *found {
            Type::BOOL => Cell::Bool,
            Type::INT2 => Cell::Int2,
            Type::INT4 => Cell::Int4,
            Type::INT8 => Cell::Int8,
            Type::OID => Cell::Oid,
            Type::FLOAT4 => Cell::Float4,
            Type::FLOAT8 => Cell::Float8,
            Type::NUMERIC => Cell::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR => Cell::Text,
            Type::UUID => Cell::Uuid,
            Type::DATE => Cell::Date,
            Type::TIMESTAMP => Cell::Timestamp,
            Type::TIMESTAMPTZ => Cell::TimestampTz,
            _ => return None,
        })
    }

    pub(super) fn stored(self) -> Stored {
        match self {
            Cell::Bool => Stored::Bool,
            Cell::Int2 | Cell::Int4 | Cell::Int8 | Cell::Oid => Stored::Integer,
            Cell::Float4 | Cell::Float8 => Stored::Float,
            Cell::Numeric | Cell::Text | Cell::Uuid => Stored::Text,
            Cell::Date | Cell::Timestamp | Cell::TimestampTz => Stored::Time,
        }
    }

    /// Shows a value that is no null; `buffer` is room for its text.
    pub(super) fn show<T: Taker>(
        self,
        bytes: &[u8],
        taker: &mut T,
        buffer: &mut String,
    ) -> Result<(), Mismatch> {
        match self {
            Cell::Bool => match fixed::<1>(bytes)?[0] {
                0 => taker.bool(false),
                1 => taker.bool(true),
                other => return Err(("0 or 1 of a boolean", format!("{other}"))),
            },
            Cell::Int2 => taker.integer(i16::from_be_bytes(fixed(bytes)?).into()),
            Cell::Int4 => taker.integer(i32::from_be_bytes(fixed(bytes)?).into()),
            Cell::Int8 => taker.integer(i64::from_be_bytes(fixed(bytes)?).into()),
            Cell::Oid => taker.integer(u32::from_be_bytes(fixed(bytes)?).into()),
            Cell::Float4 => taker.float(f32::from_be_bytes(fixed(bytes)?).into()),
            Cell::Float8 => taker.float(f64::from_be_bytes(fixed(bytes)?)),
            Cell::Numeric => numeric::show(bytes, taker, buffer)?,
            Cell::Text => match std::str::from_utf8(bytes) {
                Ok(text) => taker.text(text),
                Err(_) => taker.refused(Error::new(
                    Code::BadValue,
                    "expected UTF-8 from the server, found other bytes",
                )),
            },
            Cell::Uuid => {
                write_uuid(fixed(bytes)?, buffer);
                taker.text(buffer);
            }
            Cell::Date => match i32::from_be_bytes(fixed(bytes)?) {
                i32::MIN | i32::MAX => taker.refused(infinite()),
                days => taker.local_time(Some((i64::from(days) + EPOCH_DAYS) * DAY_MICROS)),
            },
            Cell::Timestamp => match i64::from_be_bytes(fixed(bytes)?) {
                i64::MIN | i64::MAX => taker.refused(infinite()),
                micros => taker.local_time(micros.checked_add(EPOCH_DAYS * DAY_MICROS)),
            },
            Cell::TimestampTz => match i64::from_be_bytes(fixed(bytes)?) {
                i64::MIN | i64::MAX => taker.refused(infinite()),
                micros => taker.time(micros.checked_add(EPOCH_DAYS * DAY_MICROS)),
            },
        }
        Ok(())
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Mismatch> {
    bytes.try_into().map_err(|_| ("the length of its type", format!("{} bytes", bytes.len())))
}

pub(super) fn infinite() -> Error {
    Error::new(Code::BadValue, "expected a finite value, found infinity")
        .remedy("give such rows a value of their own in the query, for instance by NULLIF")
}

fn write_uuid(bytes: [u8; 16], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.clear();
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests;
