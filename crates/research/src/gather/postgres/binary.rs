//! The binary form of COPY: its frame, and the bytes of each type.
//!
//! # Method
//! A header, then a count of fields and each field with its length; a count of -1 ends the rows. All
//! integers are big-endian. Every length is checked; what does not fit is an error, not a guess.

use samescore_core::error::{Code, Error};
use tokio_postgres::types::{Kind, Type};

use super::super::taker::{Stored, Taker};

const SIGNATURE: [u8; 11] = *b"PGCOPY\n\xff\r\n\0";
/// Days and microseconds from 1970-01-01 to 2000-01-01, where the server counts from.
const EPOCH_DAYS: i64 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;

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
            Type::TIMESTAMP | Type::TIMESTAMPTZ => Cell::Timestamp,
            _ => return None,
        })
    }

    pub(super) fn stored(self) -> Stored {
        match self {
            Cell::Bool => Stored::Bool,
            Cell::Int2 | Cell::Int4 | Cell::Int8 | Cell::Oid => Stored::Integer,
            Cell::Float4 | Cell::Float8 => Stored::Float,
            Cell::Numeric | Cell::Text | Cell::Uuid => Stored::Text,
            Cell::Date | Cell::Timestamp => Stored::Time,
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
            Cell::Numeric => show_numeric(bytes, taker, buffer)?,
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
                days => taker.time(Some((i64::from(days) + EPOCH_DAYS) * DAY_MICROS)),
            },
            Cell::Timestamp => match i64::from_be_bytes(fixed(bytes)?) {
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

fn infinite() -> Error {
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

/// A numeric: its digits in groups of four, the place of the first group, a sign, and how many digits
/// are shown behind the point.
fn show_numeric<T: Taker>(
    bytes: &[u8],
    taker: &mut T,
    buffer: &mut String,
) -> Result<(), Mismatch> {
    let wrong = |found: String| ("a numeric", found);
    let short = || wrong(format!("{} bytes", bytes.len()));
    let (head, groups) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let part = |at: usize| [head[at], head[at + 1]];
    let (n_groups, weight) = (u16::from_be_bytes(part(0)), i16::from_be_bytes(part(2)));
    let (sign, scale) = (u16::from_be_bytes(part(4)), u16::from_be_bytes(part(6)));
    if groups.len() != 2 * usize::from(n_groups) {
        return Err(short());
    }
    match sign {
        0 | 0x4000 => (),
        0xC000 => {
            taker.missing();
            return Ok(());
        }
        0xD000 | 0xF000 => {
            taker.refused(infinite());
            return Ok(());
        }
        _ => return Err(wrong(format!("the sign {sign:#x}"))),
    }
    // The group that counts `place` powers of 10,000.
    let group = |place: i32| -> Result<u16, Mismatch> {
        let at = usize::try_from(i32::from(weight) - place).ok();
        let bytes = at.and_then(|at| groups.get(2 * at..2 * at + 2));
        match bytes.map(|pair| u16::from_be_bytes([pair[0], pair[1]])) {
            None => Ok(0),
            Some(digits @ 0..10_000) => Ok(digits),
            Some(digits) => Err(wrong(format!("the digits {digits}"))),
        }
    };
    buffer.clear();
    if sign == 0x4000 {
        buffer.push('-');
    }
    let begin = buffer.len();
    for place in (0..=i32::from(weight).max(0)).rev() {
        push_group(buffer, group(place)?, 4, begin);
    }
    if buffer.len() == begin {
        buffer.push('0');
    }
    if scale > 0 {
        buffer.push('.');
        let mut left = usize::from(scale);
        let mut place = -1;
        while left > 0 {
            let n_digits = left.min(4);
            push_group(buffer, group(place)?, n_digits, usize::MAX);
            left -= n_digits;
            place -= 1;
        }
    }
    taker.text(buffer);
    Ok(())
}

/// The first `n_digits` of a group's four digits, without zeros at `begin`.
fn push_group(text: &mut String, group: u16, n_digits: usize, begin: usize) {
    for power in [1000, 100, 10, 1].into_iter().take(n_digits) {
        let digit = group / power % 10;
        if digit != 0 || text.len() != begin {
            text.push(char::from(b'0' + digit as u8));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samescore_core::error::Result;

    /// Says what it was shown.
    #[derive(Default)]
    struct Saying(Vec<String>);

    impl Taker for Saying {
        fn missing(&mut self) {
            self.0.push("missing".to_owned());
        }
        fn text(&mut self, cell: &str) {
            self.0.push(cell.to_owned());
        }
        fn integer(&mut self, value: i128) {
            self.0.push(format!("integer {value}"));
        }
        fn float(&mut self, value: f64) {
            self.0.push(format!("float {value:?}"));
        }
        fn bool(&mut self, value: bool) {
            self.0.push(format!("bool {value}"));
        }
        fn time(&mut self, micros: Option<i64>) {
            self.0.push(format!("time {micros:?}"));
        }
        fn refused(&mut self, why: Error) {
            self.0.push(why.message().to_owned());
        }
        fn expect(&mut self, _: Stored) -> Result<()> {
            Ok(())
        }
    }

    fn shown(cell: Cell, bytes: &[u8]) -> std::result::Result<String, Mismatch> {
        let mut taker = Saying::default();
        cell.show(bytes, &mut taker, &mut String::new()).map(|()| taker.0.concat())
    }

    fn numeric(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let head = [groups.len() as u16, weight as u16, sign, scale];
        head.iter().chain(groups).flat_map(|part| part.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_are_their_digits() {
        for (expected, weight, sign, scale, groups) in [
            ("0", 0, 0, 0, &[][..]),
            ("0.000", 0, 0, 3, &[]),
            ("12345.67", 1, 0, 2, &[1, 2345, 6700]),
            ("-0.00012", -1, 0x4000, 5, &[1, 2000]),
            ("10000", 1, 0, 0, &[1]),
            ("100000000", 2, 0, 0, &[1]),
            ("0.00000005", -2, 0, 8, &[5]),
            ("7.50", 0, 0, 2, &[7, 5000]),
            ("missing", 0, 0xC000, 0, &[]),
            ("expected a finite value, found infinity", 0, 0xD000, 0, &[]),
        ] {
            let bytes = numeric(weight, sign, scale, groups);
            assert_eq!(shown(Cell::Numeric, &bytes).unwrap(), expected);
        }
        for bytes in [
            numeric(0, 0x1234, 0, &[1]),
            numeric(0, 0, 0, &[10_000]),
            numeric(0, 0, 0, &[1])[..9].to_vec(),
            vec![0; 7],
        ] {
            assert!(shown(Cell::Numeric, &bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn fixed_types_have_their_length_and_range() {
        for (cell, bytes, expected) in [
            (Cell::Bool, &[1][..], "bool true"),
            (Cell::Int2, &[0xff, 0xfe], "integer -2"),
            (Cell::Int4, &[0, 0, 1, 0], "integer 256"),
            (Cell::Int8, &[0x80, 0, 0, 0, 0, 0, 0, 0], "integer -9223372036854775808"),
            (Cell::Oid, &[0xff; 4], "integer 4294967295"),
            (Cell::Float4, &[0x3f, 0xc0, 0, 0], "float 1.5"),
            (Cell::Float8, &[0x80, 0, 0, 0, 0, 0, 0, 0], "float -0.0"),
            (Cell::Date, &[0, 0, 0, 0], "time Some(946684800000000)"),
            (Cell::Date, &[0xff, 0xff, 0xd5, 0x33], "time Some(0)"),
            (Cell::Date, &[0x7f, 0xff, 0xff, 0xff], "expected a finite value, found infinity"),
            (Cell::Timestamp, &[0; 8], "time Some(946684800000000)"),
            (
                Cell::Timestamp,
                &[0x80, 0, 0, 0, 0, 0, 0, 0],
                "expected a finite value, found infinity",
            ),
            (Cell::Text, "é".as_bytes(), "é"),
            (Cell::Text, &[0xff], "expected UTF-8 from the server, found other bytes"),
            (Cell::Uuid, &[0xab; 16], "abababab-abab-abab-abab-abababababab"),
        ] {
            assert_eq!(shown(cell, bytes).unwrap(), expected, "{cell:?}");
            if !matches!(cell, Cell::Text) {
                assert!(shown(cell, &bytes[1..]).is_err(), "{cell:?}");
            }
        }
        assert!(shown(Cell::Bool, &[2]).is_err());
    }

    #[test]
    fn frames_are_read_whole_or_not_yet() {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        assert_eq!(header(&bytes), Ok(Some(Step::Header(19))));
        (0..19).for_each(|n| assert_eq!(header(&bytes[..n]), Ok(None)));
        bytes[14] = 1;
        assert!(header(&bytes).is_err());
        assert!(header(&[0; 19]).is_err());

        let row = [0, 2, 0, 0, 0, 1, 7, 0xff, 0xff, 0xff, 0xff, 9];
        let mut tuple = Tuple::new(2);
        assert_eq!(tuple.read(&row), Ok(Some(Step::Row(11))));
        assert_eq!((tuple.field(&row, 0), tuple.field(&row, 1)), (Some(&[7][..]), None));
        (0..11).for_each(|n| assert_eq!(tuple.read(&row[..n]), Ok(None)));
        assert_eq!(tuple.read(&[0xff, 0xff]), Ok(Some(Step::End)));
        assert!(Tuple::new(3).read(&row).is_err());
        assert!(Tuple::new(1).read(&[0, 1, 0xff, 0xff, 0xff, 0xfe]).is_err());
    }
}
