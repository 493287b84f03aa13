//! How a step says which columns it works on.

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::batch::{ColumnKind, Schema};
use crate::error::{Code, Error, Result};

/// Columns by name, kind or pattern. In TOML: `"all"`, a list of names, or a table of `kind`,
/// `pattern` (with `*` for any text) and `except`. What a step resolves to is stored in the
/// artifact by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// These columns in this order; `None` means every column that the step accepts.
    pub named: Option<Vec<String>>,
    /// Only columns of this kind.
    pub kind: Option<ColumnKind>,
    /// Only columns whose name is of this pattern.
    pub pattern: Option<String>,
    /// None of these columns.
    pub except: Vec<String>,
}

impl Columns {
    /// These columns in this order.
    pub fn named(names: &[&str]) -> Self {
        let named = names.iter().map(|n| (*n).to_owned()).collect();
        Columns { named: Some(named), ..Columns::default() }
    }

    /// Refuses a choice that would say one thing in two ways: a list of names takes no other part,
    /// and no name stands twice.
    ///
    /// # Errors
    /// If so.
    pub(super) fn validate(&self) -> Result<()> {
        let narrows = self.kind.is_some() || self.pattern.is_some() || !self.except.is_empty();
        if self.named.is_some() && narrows {
            let message = "expected a list of names or a choice by kind, pattern and except, \
                           found both";
            return Err(Error::new(Code::BadParameter, message)
                .remedy("leave the names that are not wanted out of the list"));
        }
        refuse_repeated(self.named.as_deref().unwrap_or_default())?;
        refuse_repeated(&self.except)
    }

    /// The positions of the chosen columns: in the listed order, else in schema order.
    ///
    /// # Errors
    /// If a named column does not exist or is listed twice, one has a kind that is not accepted, or
    /// the choice is narrower than `"all"` and leaves no column.
    pub fn resolve(&self, schema: &Schema, accepts: &[ColumnKind]) -> Result<Vec<usize>> {
        let slots = self.choose(schema, accepts)?;
        if slots.is_empty() && *self != Columns::default() {
            return Err(Error::new(
                Code::UnknownColumn,
                "expected a column to work on, found none",
            )
            .remedy("list columns that exist here, or widen the pattern"));
        }
        Ok(slots)
    }

    fn choose(&self, schema: &Schema, accepts: &[ColumnKind]) -> Result<Vec<usize>> {
        for name in &self.except {
            schema.slot(name)?;
        }
        let Some(named) = &self.named else {
            let fields = schema.fields().iter().enumerate();
            return Ok(fields
                .filter(|(_, f)| accepts.contains(&f.kind))
                .filter(|(_, f)| self.kind.is_none_or(|kind| kind == f.kind))
                .filter(|(_, f)| self.pattern.as_ref().is_none_or(|p| matches(p, &f.name)))
                .filter(|(_, f)| !self.except.contains(&f.name))
                .map(|(slot, _)| slot)
                .collect());
        };
        refuse_repeated(named)?;
        let mut slots = Vec::with_capacity(named.len());
        for name in named {
            let slot = schema.slot(name)?;
            let kind = schema.fields()[slot].kind;
            if !accepts.contains(&kind) {
                let expected: Vec<String> = accepts.iter().map(ToString::to_string).collect();
                return Err(Error::new(
                    Code::ColumnKindMismatch,
                    format!("expected {}, found {kind}", expected.join(" or ")),
                )
                .column(name));
            }
            slots.push(slot);
        }
        Ok(slots)
    }
}

/// Refuses a list of columns with a name that occurs twice.
pub(super) fn refuse_repeated(names: &[String]) -> Result<()> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => {
            let message = "expected each column once, found it twice";
            Err(Error::new(Code::RepeatedColumn, message).column(pair[0]))
        }
    }
}

/// Whether `name` is of `pattern`, where `*` stands for any text, also none.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(tail) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(tail)
}

/// The stored form and the table of a config.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Table {
    named: Option<Vec<String>>,
    kind: Option<ColumnKind>,
    pattern: Option<String>,
    except: Vec<String>,
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = Columns;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"all\", a list of names, or a table of kind, pattern and except")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Columns, E> {
        match text {
            "all" => Ok(Columns::default()),
            other => Err(E::custom(format!("expected \"all\" or a list, found {other:?}"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Columns, A::Error> {
        let mut named = Vec::new();
        while let Some(name) = seq.next_element::<String>()? {
            named.push(name);
        }
        Ok(Columns { named: Some(named), ..Columns::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Columns, A::Error> {
        let t = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Columns { named: t.named, kind: t.kind, pattern: t.pattern, except: t.except })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Field;

    fn schema() -> Schema {
        Schema::new([
            Field::new("garage_area", ColumnKind::Num),
            Field::new("garage_finish", ColumnKind::Text),
            Field::new("year", ColumnKind::Num),
        ])
        .unwrap()
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("garage_*", "garage_area", true),
            ("*_area", "garage_area", true),
            ("g*_a*a", "garage_area", true),
            ("garage", "garage_area", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn columns_resolve_by_name_kind_and_pattern() {
        let accepts = [ColumnKind::Num];
        let all = Columns::default().resolve(&schema(), &accepts).unwrap();
        assert_eq!(all, [0, 2]);
        let pattern = Columns { pattern: Some("garage_*".into()), ..Columns::default() };
        assert_eq!(pattern.resolve(&schema(), &accepts).unwrap(), [0]);
        let except = Columns { except: vec!["year".into()], ..Columns::default() };
        assert_eq!(except.resolve(&schema(), &accepts).unwrap(), [0]);
        let listed = Columns::named(&["year", "garage_area"]);
        assert_eq!(listed.resolve(&schema(), &accepts).unwrap(), [2, 0]);
    }

    #[test]
    fn a_choice_without_a_column_is_refused() {
        let none = Columns { pattern: Some("cellar_*".into()), ..Columns::default() };
        for columns in [none, Columns::named(&[])] {
            let error = columns.resolve(&schema(), &[ColumnKind::Num]).unwrap_err();
            assert_eq!(error.code(), Code::UnknownColumn);
        }
        assert_eq!(Columns::default().resolve(&schema(), &[ColumnKind::Time]).unwrap(), [0; 0]);
    }

    #[test]
    fn a_column_listed_twice_is_named() {
        let twice = Columns::named(&["year", "garage_area", "year"]);
        let error = twice.resolve(&schema(), &[ColumnKind::Num]).unwrap_err();
        assert_eq!(error.to_string(), "column `year`: expected each column once, found it twice");
        assert_eq!(twice.validate().unwrap_err(), error);
    }

    #[test]
    fn a_column_of_the_wrong_kind_is_named() {
        let error = Columns::named(&["garage_finish"]).resolve(&schema(), &[ColumnKind::Num]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "column `garage_finish`: expected num, found text"
        );
    }
}
