//! Bytes by hand, and what they are shown as.

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
    fn local_time(&mut self, micros: Option<i64>) {
        self.0.push(format!("local time {micros:?}"));
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
        (Cell::Date, &[0, 0, 0, 0], "local time Some(946684800000000)"),
        (Cell::Date, &[0xff, 0xff, 0xd5, 0x33], "local time Some(0)"),
        (Cell::Date, &[0x7f, 0xff, 0xff, 0xff], "expected a finite value, found infinity"),
        (Cell::Timestamp, &[0; 8], "local time Some(946684800000000)"),
        (Cell::TimestampTz, &[0; 8], "time Some(946684800000000)"),
        (Cell::Timestamp, &[0x80, 0, 0, 0, 0, 0, 0, 0], "expected a finite value, found infinity"),
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
