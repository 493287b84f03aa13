//! Names and kinds of columns. A column's name is its only identity.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// Tables with more columns are refused, also between two steps: models hold products of pairs of
/// columns.
pub const COLUMNS_MAX: usize = 10_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// f64.
    Num,
    /// UTF-8 labels.
    Text,
    /// Microseconds since the epoch, UTC.
    Time,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnKind::Num => "num",
            ColumnKind::Text => "text",
            ColumnKind::Time => "time",
        })
    }
}

/// One column of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name, unique in its schema, compared byte by byte.
    pub name: String,
    /// What the column holds.
    pub kind: ColumnKind,
}

impl Field {
    /// A column of that name and kind.
    pub fn new(name: impl Into<String>, kind: ColumnKind) -> Self {
        Field { name: name.into(), kind }
    }
}

/// An ordered list of columns with unique names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Field>", into = "Vec<Field>")]
pub struct Schema {
    fields: Vec<Field>,
}

impl Schema {
    /// A schema of these columns.
    ///
    /// # Errors
    /// If two columns have one name, or there are more than [`COLUMNS_MAX`].
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Result<Self> {
        // Names may be made on the way: none beyond the limit is.
        let fields: Vec<Field> = fields.into_iter().take(COLUMNS_MAX + 1).collect();
        if fields.len() > COLUMNS_MAX {
            let message = format!("expected at most {COLUMNS_MAX} columns, found more");
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("drop columns, or choose fewer to combine or encode"));
        }
        let mut names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::new(Code::DuplicateColumn, "expected unique names, found it twice")
                .column(pair[0]));
        }
        Ok(Schema { fields })
    }

    /// The columns in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|f| f.name.as_str())
    }

    /// The position of a column that rows must have.
    ///
    /// # Errors
    /// If there is none; the message lists what there is.
    pub fn required(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            let message = format!("expected it, found {}", self.first_names(10));
            Error::new(Code::MissingColumn, message).column(name)
        })
    }

    /// The position of a column that a config names.
    ///
    /// # Errors
    /// If there is none; the message lists what there is.
    pub fn slot(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            let message = format!("expected a column that exists, found {}", self.first_names(20));
            Error::new(Code::UnknownColumn, message).column(name)
        })
    }

    /// The first `n_max` names, and how many more there are.
    fn first_names(&self, n_max: usize) -> String {
        let known: Vec<&str> = self.names().take(n_max).collect();
        match self.len() - known.len() {
            0 => known.join(", "),
            more => format!("{} and {more} more", known.join(", ")),
        }
    }

    /// The same schema with `fields` added behind the last column.
    ///
    /// # Errors
    /// If a name exists already, or there are more than [`COLUMNS_MAX`] columns.
    pub fn with(&self, fields: impl IntoIterator<Item = Field>) -> Result<Self> {
        Schema::new(self.fields.iter().cloned().chain(fields))
    }

    /// The same schema without the columns at `slots`.
    #[must_use]
    pub fn without(&self, slots: &[usize]) -> Self {
        let kept = self.fields.iter().enumerate().filter(|(i, _)| !slots.contains(i));
        Schema { fields: kept.map(|(_, f)| f.clone()).collect() }
    }

    /// The same schema with another kind at each of `slots`.
    #[must_use]
    pub fn with_kind(&self, slots: &[usize], kind: ColumnKind) -> Self {
        let mut schema = self.clone();
        slots.iter().for_each(|&slot| schema.fields[slot].kind = kind);
        schema
    }
}

impl TryFrom<Vec<Field>> for Schema {
    type Error = Error;

    fn try_from(fields: Vec<Field>) -> Result<Self> {
        Schema::new(fields)
    }
}

impl From<Schema> for Vec<Field> {
    fn from(schema: Schema) -> Self {
        schema.fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_stands_for_one_column() {
        let twice =
            Schema::new([Field::new("a", ColumnKind::Num), Field::new("a", ColumnKind::Text)]);
        assert_eq!(
            twice.unwrap_err().to_string(),
            "column `a`: expected unique names, found it twice"
        );
    }

    #[test]
    fn more_columns_than_the_limit_are_refused_before_they_are_made() {
        let many = (0..usize::MAX).map(|i| Field::new(i.to_string(), ColumnKind::Num));
        let error = Schema::new(many).unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
        assert_eq!(error.message(), "expected at most 10000 columns, found more");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let schema = Schema::new([Field::new("a", ColumnKind::Num)]).unwrap();
        assert_eq!(
            schema.slot("b").unwrap_err().to_string(),
            "column `b`: expected a column that exists, found a"
        );
    }
}
