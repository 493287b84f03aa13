//! Which rows the model is for: filters that a fit applies and that scoring can tell a row by.
//!
//! In TOML a list of `[[population]]` tables, all of which a row must meet:
//!
//! ```toml
//! [[population]]
//! column = "age"
//! min = 18
//! max = 120
//!
//! [[population]]
//! column = "country"
//! is = ["AT", "DE"]
//! missing = "keep"
//! ```
//!
//! **Conditions.** `min` and `max` are inclusive, numbers for a num column and ISO times for a time
//! column. `is` and `not` list labels of a text column, or numbers of a num column. A filter has
//! one condition: a range, `is` or `not`; a column may have several filters. Without a condition it
//! asks for a value alone.
//!
//! **Missing.** A row without a value is outside; with `missing = "keep"` it is inside.
//!
//! **What can be filtered.** Columns that a row to be scored has. The target and the weight are
//! refused: production could not tell by them whether a row belongs.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DataConfig;
use crate::batch::{
    ColumnKind, MISSING_TIME, TimeFormat, integer_num, parse_time, read_num, show_num, show_time,
};
use crate::error::{Code, Error, Result};
use crate::math;

/// One condition on the rows that a model is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFilter {
    /// The column that it looks at.
    pub column: String,
    /// The smallest value that is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Bound>,
    /// The largest value that is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Bound>,
    /// The labels that are inside; none means no such condition. The label of a number is its
    /// shortest decimal form. Sorted when read from TOML.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "labels")]
    pub is: Vec<String>,
    /// The labels that are outside. Sorted when read from TOML.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "labels")]
    pub not: Vec<String>,
    /// What a row without a value is.
    #[serde(default)]
    pub missing: MissingRows,
}

/// What a filter makes of a row without a value in its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRows {
    /// It is inside.
    Keep,
    /// It is outside.
    #[default]
    Drop,
}

/// An end of a range: a number, or a time that is written as ISO text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Of a num column.
    Num(f64),
    /// Of a time column, in microseconds.
    Time(i64),
}

impl Bound {
    fn kind(self) -> ColumnKind {
        match self {
            Bound::Num(_) => ColumnKind::Num,
            Bound::Time(_) => ColumnKind::Time,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Num(x) => f.write_str(&show_num(*x)),
            Bound::Time(t) => f.write_str(&show_time(*t)),
        }
    }
}

impl RowFilter {
    /// A filter that asks for a value in `column`.
    pub fn present(column: &str) -> Self {
        RowFilter { column: column.to_owned(), ..RowFilter::default() }
    }

    fn is_bare(&self) -> bool {
        self.min.is_none() && self.max.is_none() && self.is.is_empty() && self.not.is_empty()
    }

    /// Checks what needs no declared column: that the filter has one condition, and means
    /// something.
    pub(super) fn check(&self) -> Result<()> {
        let bad = |message: &str| {
            Err(Error::new(Code::BadParameter, message.to_owned()).column(&self.column))
        };
        let has_range = self.min.is_some() || self.max.is_some();
        let n_conditions = [has_range, !self.is.is_empty(), !self.not.is_empty()];
        match n_conditions.iter().filter(|has| **has).count() {
            0 if self.missing == MissingRows::Keep => {
                return bad("expected a condition, found a filter that every row meets");
            }
            0 | 1 => {}
            _ => {
                let message = "expected one of min and max, `is` or `not`, found more";
                let error = Error::new(Code::BadParameter, message).column(&self.column);
                return Err(error.remedy("write a filter for each: a row must meet all of them"));
            }
        }
        for bound in [self.min, self.max].into_iter().flatten() {
            match bound {
                Bound::Num(x) if !x.is_finite() || x.to_bits() != math::canonical(x).to_bits() => {
                    return bad(&format!("expected a finite number, found {x:?}"));
                }
                Bound::Time(MISSING_TIME) => return bad("expected a time, found a missing one"),
                _ => {}
            }
        }
        let is_empty = match (self.min, self.max) {
            (Some(Bound::Num(min)), Some(Bound::Num(max))) => min > max,
            (Some(Bound::Time(min)), Some(Bound::Time(max))) => min > max,
            (Some(min), Some(max)) => min.kind() != max.kind(),
            _ => false,
        };
        if let (true, Some(min), Some(max)) = (is_empty, self.min, self.max) {
            return bad(&format!("expected min up to max, found {min} and {max}"));
        }
        for labels in [&self.is, &self.not] {
            if let Some(pair) =
                super::data::sorted(labels).windows(2).find(|pair| pair[0] == pair[1])
            {
                return bad(&format!("expected each label once, found {:?} twice", pair[0]));
            }
        }
        Ok(())
    }

    /// Checks the filter against the declared columns.
    pub(super) fn validate(&self, data: &DataConfig, target: &str) -> Result<()> {
        self.check()?;
        let Some(column) = data.columns.get(&self.column) else {
            return Err(super::undeclared(&self.column, "population"));
        };
        if self.column == target || data.weight.as_ref() == Some(&self.column) {
            let what = if self.column == target { "target" } else { "weight" };
            let message =
                format!("expected a column that rows to be scored have, found the {what}");
            return Err(Error::new(Code::BadParameter, message)
                .remedy("leave such rows out where they are gathered")
                .column(&self.column));
        }
        let bad =
            |message: String| Err(Error::new(Code::BadParameter, message).column(&self.column));
        for bound in [self.min, self.max].into_iter().flatten() {
            if bound.kind() != column.kind {
                let expected = match column.kind {
                    ColumnKind::Num => "numbers as min and max",
                    ColumnKind::Time => "ISO times as min and max",
                    ColumnKind::Text => "`is` or `not` of a text column",
                };
                return bad(format!("expected {expected}, found {bound}"));
            }
        }
        for label in self.is.iter().chain(&self.not) {
            match column.kind {
                ColumnKind::Text => {}
                ColumnKind::Time => {
                    return bad(format!("expected min or max of a time column, found {label:?}"));
                }
                ColumnKind::Num => {
                    let shortest = read_num(label).map(show_num);
                    if shortest.as_ref() != Some(label) {
                        let expected = shortest.unwrap_or_else(|| "a number".to_owned());
                        return bad(format!("expected {expected}, found {label:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (None, None) => f.write_str(&self.column)?,
            (Some(min), None) => write!(f, "{} from {min}", self.column)?,
            (None, Some(max)) => write!(f, "{} up to {max}", self.column)?,
            (Some(min), Some(max)) => write!(f, "{} from {min} to {max}", self.column)?,
        }
        for (word, labels) in [("is", &self.is), ("is not", &self.not)] {
            if let [first, others @ ..] = &labels[..] {
                write!(f, " {word} {first:?}")?;
                others.iter().try_for_each(|label| write!(f, " or {label:?}"))?;
            }
        }
        match (self.missing, self.is_bare()) {
            (MissingRows::Keep, _) => f.write_str(", or missing"),
            (MissingRows::Drop, true) => f.write_str(" is not missing"),
            (MissingRows::Drop, false) => Ok(()),
        }
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Bound::Num(x) => to.serialize_f64(*x),
            Bound::Time(t) => to.serialize_str(&show_time(*t)),
        }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Bound;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a time as ISO text")
            }

            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Bound, E> {
                Ok(Bound::Num(math::canonical(x)))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Bound, E> {
                integer_num(n).map(Bound::Num).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bound, E> {
                parse_time(text, &TimeFormat::default()).map(Bound::Time).map_err(E::custom)
            }
        }
        from.deserialize_any(Form)
    }
}

/// A list of labels, sorted; in TOML a number stands for its shortest decimal form.
fn labels<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Label(String);
    impl<'de> Deserialize<'de> for Label {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Form;
            impl Visitor<'_> for Form {
                type Value = Label;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a label or a number")
                }

                fn visit_f64<E: de::Error>(self, x: f64) -> Result<Label, E> {
                    Ok(Label(show_num(math::canonical(x))))
                }

                fn visit_i64<E: de::Error>(self, n: i64) -> Result<Label, E> {
                    integer_num(n).map(|x| Label(show_num(x))).map_err(E::custom)
                }

                fn visit_str<E: de::Error>(self, text: &str) -> Result<Label, E> {
                    Ok(Label(text.to_owned()))
                }
            }
            from.deserialize_any(Form)
        }
    }
    struct List;
    impl<'de> Visitor<'de> for List {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of labels or numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut labels = Vec::new();
            while let Some(Label(label)) = seq.next_element()? {
                labels.push(label);
            }
            if labels.is_empty() {
                let message = "expected labels in the list, found none";
                return Err(de::Error::custom(format!("{message} (leave the key out)")));
            }
            labels.sort();
            Ok(labels)
        }
    }
    from.deserialize_seq(List)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::error::Error;

    const TEXT: &str = "[data]\nkey = [\"id\"]\nweight = \"w\"\n[data.columns]\nage = \"num\"\n\
                        sex = \"text\"\nid = \"text\"\nat = \"time\"\nw = \"num\"\ny = \"num\"\n\
                        [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n";

    fn with(filter: &str) -> Result<Config, Error> {
        Config::from_toml(&format!("{TEXT}[[population]]\n{filter}\n"))
    }

    #[test]
    fn one_meaning_has_one_fingerprint_and_survives_toml() {
        let print = |filter: &str| {
            let config = with(filter).unwrap();
            let again = Config::from_toml(&config.to_toml().unwrap()).unwrap();
            assert_eq!(again, config, "{filter}");
            let stored = crate::codec::encode(&config).unwrap();
            assert_eq!(crate::codec::decode::<Config>(&stored).unwrap(), config);
            config.fingerprint().unwrap()
        };
        assert_eq!(
            print("column = \"age\"\nmin = 18"),
            print("column = \"age\"\nmin = 18.0\nmissing = \"drop\"")
        );
        assert_eq!(
            print("column = \"sex\"\nis = [\"m\", \"f\"]"),
            print("column = \"sex\"\nis = [\"f\", \"m\"]")
        );
        assert_eq!(
            print("column = \"age\"\nnot = [0, 2.5]"),
            print("column = \"age\"\nnot = [\"2.5\", \"-0.0\"]".replace("-0.0", "0").as_str())
        );
        assert_eq!(
            print("column = \"at\"\nmin = \"2020-01-01\""),
            print("column = \"at\"\nmin = \"2020-01-01T01:00:00+01:00\"")
        );
        assert_ne!(print("column = \"age\"\nmin = 18"), print("column = \"age\"\nmax = 18"));
        let plain = Config::from_toml(TEXT).unwrap();
        assert!(!plain.to_toml().unwrap().contains("population"));
    }

    #[test]
    fn what_a_filter_cannot_mean_is_refused_with_its_column() {
        for (filter, expected) in [
            ("column = \"b\"", "column `b`: expected a declared column in `population`"),
            (
                "column = \"y\"\nmin = 0",
                "column `y`: expected a column that rows to be scored have",
            ),
            (
                "column = \"w\"\nmin = 0",
                "column `w`: expected a column that rows to be scored have",
            ),
            ("column = \"age\"\nmin = 2\nmax = 1", "column `age`: expected min up to max, found 2"),
            ("column = \"age\"\nmin = inf", "column `age`: expected a finite number, found inf"),
            ("column = \"age\"\nmin = 1\nnot = [3]", "column `age`: expected one of min and max"),
            ("column = \"age\"\nmissing = \"keep\"", "column `age`: expected a condition, found"),
            ("column = \"age\"\nis = [1, \"1\"]", "column `age`: expected each label once, found"),
            ("column = \"age\"\nis = [\"1.0\"]", "column `age`: expected 1, found \"1.0\""),
            ("column = \"age\"\nis = [\"old\"]", "column `age`: expected a number, found \"old\""),
            ("column = \"sex\"\nmin = 1", "column `sex`: expected `is` or `not` of a text column"),
            ("column = \"at\"\nmin = 1", "column `at`: expected ISO times as min and max, found 1"),
            ("column = \"at\"\nis = [\"a\"]", "column `at`: expected min or max of a time column"),
            ("column = \"at\"\nmin = \"soon\"", "expected time as \"iso\", found text \"soon\""),
        ] {
            let error = with(filter).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{filter}: {error}");
        }
    }

    #[test]
    fn a_filter_is_refused_where_it_stands() {
        let place = |filter: &str| {
            let text = format!("{TEXT}[[population]]\n{filter}\n");
            let error = Config::from_toml(&text).unwrap_err();
            let span = error.span().unwrap_or(0..0);
            text[..span.start].matches('\n').count() + 1
        };
        let line = TEXT.matches('\n').count() + 1;
        assert_eq!(place("column = \"age\"\nmin = 2\nmax = 1"), line);
        assert_eq!(place("column = \"age\"\nmni = 2"), line + 2);
        assert_eq!(place("column = \"age\"\nmin = \"soon\""), line + 2);
    }
}
