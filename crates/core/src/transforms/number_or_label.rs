//! What several kinds share: a parameter that is a number or a label.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::batch::integer_num;

/// A number or a label; in TOML a number or a string. Whole numbers beyond 2^53 are refused.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberOrLabel {
    /// A number.
    Number(f64),
    /// A label.
    Label(String),
}

impl From<f64> for NumberOrLabel {
    fn from(x: f64) -> Self {
        NumberOrLabel::Number(x)
    }
}

impl From<&str> for NumberOrLabel {
    fn from(label: &str) -> Self {
        NumberOrLabel::Label(label.to_owned())
    }
}

impl Serialize for NumberOrLabel {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            NumberOrLabel::Number(x) => to.serialize_f64(*x),
            NumberOrLabel::Label(label) => to.serialize_str(label),
        }
    }
}

impl<'de> Deserialize<'de> for NumberOrLabel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Form)
    }
}

struct Form;

impl Visitor<'_> for Form {
    type Value = NumberOrLabel;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a string")
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<NumberOrLabel, E> {
        Ok(NumberOrLabel::Number(x))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<NumberOrLabel, E> {
        integer_num(n).map(NumberOrLabel::Number).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<NumberOrLabel, E> {
        let n = i64::try_from(n).map_err(E::custom)?;
        self.visit_i64(n)
    }

    fn visit_str<E: de::Error>(self, label: &str) -> Result<NumberOrLabel, E> {
        Ok(NumberOrLabel::Label(label.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::codec;

    type Values = BTreeMap<String, NumberOrLabel>;

    #[test]
    fn whole_numbers_are_numbers_and_both_forms_survive_storing() {
        let read: Values = toml::from_str("a = 3\nb = 0.5\nc = \"3\"").unwrap();
        let values: Vec<NumberOrLabel> = read.values().cloned().collect();
        assert_eq!(values, [3.0.into(), 0.5.into(), "3".into()]);
        let back: Values = codec::decode(&codec::encode(&read).unwrap()).unwrap();
        assert_eq!(back, read);
        let again: Values = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn what_is_neither_or_not_exact_is_refused() {
        for text in ["a = 9007199254740993", "a = true", "a = [1]"] {
            assert!(toml::from_str::<Values>(text).is_err(), "{text}");
        }
    }
}
