//! Text, debug and stored forms of everything that is a fixed number of bytes.
//!
//! **Method.** Text is lower-case hex, two digits per byte in byte order, and nothing else is read
//! back, so one value has one text. Formats for machines store the bytes as a byte string of that
//! length (MessagePack `bin`), formats for people the text.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Digest, Fingerprint, RowKey};

/// Lower-case hex, two digits per byte, in byte order.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for &byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// The 64 bits of `x` as `0x` and 16 hex digits, most significant first. The bits are shown as they
/// are: -0 and the many NaNs stay distinguishable.
pub fn bits_hex(x: f64) -> String {
    format!("0x{:016x}", x.to_bits())
}

/// Why a text is not the hex form that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseHexError {
    digits: u64,
    found: String,
}

impl fmt::Display for ParseHexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digits, found } = self;
        write!(f, "expected {digits} lower-case hex digits, found {found} (copy the whole value)")
    }
}

impl std::error::Error for ParseHexError {}

/// The `N` bytes written as `2 N` lower-case hex digits; nothing else is accepted, so that one
/// value has one text.
fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let error = |found: String| ParseHexError { digits: 2 * N as u64, found };
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(error(format!("text of {} bytes", digits.len())));
    }
    let mut bytes = [0; N];
    for (i, &digit) in digits.iter().enumerate() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(error(format!("`{}` at byte {i}", digit.escape_ascii()))),
        };
        bytes[i / 2] = bytes[i / 2] << 4 | value;
    }
    Ok(bytes)
}

/// Writes a fixed number of bytes: as they are, or as hex where people read.
fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&hex(bytes))
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// Reads what [`serialize_bytes`] wrote; any other length, and a list of numbers, is an error.
fn deserialize_bytes<'de, const N: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    struct Bytes<const N: usize>;
    impl<const N: usize> Visitor<'_> for Bytes<N> {
        type Value = [u8; N];
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }
        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
            bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
        }
    }
    struct Hex<const N: usize>;
    impl<const N: usize> Visitor<'_> for Hex<N> {
        type Value = [u8; N];
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} lower-case hex digits", 2 * N)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<[u8; N], E> {
            parse_hex(text).map_err(E::custom)
        }
    }
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(Hex)
    } else {
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Text, debug and stored forms of a type that is `$n` bytes; `$to` and `$from` convert.
macro_rules! byte_forms {
    ($type:ident, $n:literal, $to:expr, $from:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&hex(&$to(self)))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }
        impl FromStr for $type {
            type Err = ParseHexError;
            fn from_str(text: &str) -> Result<$type, ParseHexError> {
                parse_hex::<$n>(text).map($from)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_bytes(&$to(self), serializer)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                deserialize_bytes::<$n, D>(deserializer).map($from)
            }
        }
    };
}

byte_forms!(Digest, 32, |x: &Digest| x.0, Digest);
byte_forms!(Fingerprint, 32, |x: &Fingerprint| x.0, Fingerprint);
byte_forms!(RowKey, 16, |x: &RowKey| x.0.to_be_bytes(), |b| RowKey(u128::from_be_bytes(b)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    #[test]
    fn hex_keeps_byte_order_and_bits() {
        assert_eq!(hex(&[0, 1, 0xab, 0xff]), "0001abff");
        assert_eq!(bits_hex(-0.0), "0x8000000000000000");
        assert_eq!(bits_hex(1.0), "0x3ff0000000000000");
    }

    #[test]
    fn text_form_is_unique() {
        let digest = sha256(b"abc");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let upper = digest.to_string().to_uppercase().parse::<Digest>();
        let message =
            "expected 64 lower-case hex digits, found `B` at byte 0 (copy the whole value)";
        assert_eq!(upper.map_err(|e| e.to_string()), Err(message.to_string()));
        let short = "ba7816bf8f01".parse::<Fingerprint>().map_err(|e| e.to_string());
        let message =
            "expected 64 lower-case hex digits, found text of 12 bytes (copy the whole value)";
        assert_eq!(short, Err(message.to_string()));
    }

    #[test]
    fn stored_form_is_fixed_width() {
        let digest = sha256(b"abc");
        let stored = rmp_serde::to_vec(&digest).unwrap();
        assert_eq!(stored[..2], [0xc4, 32]);
        assert_eq!(stored[2..], digest.0);
        assert_eq!(rmp_serde::from_slice::<Digest>(&stored).unwrap(), digest);
        let shorter = rmp_serde::to_vec(&RowKey(7)).unwrap();
        assert!(rmp_serde::from_slice::<Digest>(&shorter).is_err());
        let list = rmp_serde::to_vec(&digest.0.to_vec()).unwrap();
        assert!(rmp_serde::from_slice::<Digest>(&list).is_err());
    }
}
