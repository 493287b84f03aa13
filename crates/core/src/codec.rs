//! Canonical MessagePack: the only room that knows the codec.
//!
//! Structs are maps by field name, enums are tagged by name, floats are always eight bytes,
//! integers take their one shortest form. Decoding is depth-capped, and refuses whatever does not
//! encode back to the same bytes: trailing data, other spellings of a value, and repeated keys.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// Nothing that is stored nests deeper.
const DEPTH_MAX: usize = 64;

/// The canonical bytes of a value.
///
/// # Errors
/// Only if a value cannot be stored at all, which no stored type allows.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value)
        .map_err(|e| Error::new(Code::Malformed, format!("the value cannot be stored: {e}")))
}

/// The value of canonical bytes.
///
/// # Errors
/// If the bytes are no value of that type, or not its canonical form.
pub fn decode<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(DEPTH_MAX);
    let value = T::deserialize(&mut reader)
        .map_err(|e| Error::new(Code::Malformed, format!("the content cannot be read: {e}")))?;
    if encode(&value)? != bytes {
        return Err(Error::new(Code::Malformed, "the content is not in canonical form"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn other_spellings_of_a_value_are_refused() {
        let value = BTreeMap::from([("a".to_owned(), 1u64), ("b".to_owned(), 2)]);
        let bytes = encode(&value).unwrap();
        assert_eq!(decode::<BTreeMap<String, u64>>(&bytes).unwrap(), value);
        let mut trailing = bytes.clone();
        trailing.push(0xc0);
        assert!(decode::<BTreeMap<String, u64>>(&trailing).is_err());
        let unsorted = [0x82, 0xa1, b'b', 2, 0xa1, b'a', 1];
        assert!(decode::<BTreeMap<String, u64>>(&unsorted).is_err());
        let wide = [0x82, 0xa1, b'a', 0xcc, 1, 0xa1, b'b', 2];
        assert!(decode::<BTreeMap<String, u64>>(&wide).is_err());
    }

    #[test]
    fn every_bit_of_a_float_survives() {
        for x in [0.1, -5e-324, f64::MAX, f64::INFINITY] {
            let back: f64 = decode(&encode(&x).unwrap()).unwrap();
            assert_eq!(back.to_bits(), x.to_bits());
        }
    }
}
