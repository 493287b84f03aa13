//! Columns of another table, row by row: by key, or as of each row's time.
//!
//! # Method
//! A plain join takes the one row of the other table with the same key. A join as of a time takes
//! the latest event that is not later than the row's time, among those that were known by then;
//! never a value from the future, and with a declared known time a later back-fill changes no old
//! table. The rows of the left table stay as they are, each once, in their order.
//!
//! # Missing
//! A row without a key or without a time matches nothing. Neither does an event without event time,
//! nor, where known times are declared, one that was never known.
//!
//! # Ties and order
//! Keys are compared by value, so the order of neither table matters. Two rows of the other table
//! with one key are an error of a plain join. Two events at one time fall under the declared rule:
//! an error (the default), the one known last, or the one with the largest value of a column; two
//! that the rule leaves equal are an error unless they are the same row twice.
//!
//! # Errors
//! A column that is absent or of another kind; keys that match more often than declared, with the
//! first ten; unmatched rows where they are declared an error; a name that both tables have.

mod events;

use std::sync::Arc;

use samescore_core::batch::{Batch, Column, Field, RowKeyer, Schema, push_missing};
use samescore_core::digest::RowKey;
use samescore_core::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use events::Events;

/// How many rows or keys a message lists.
const LISTED: usize = 10;
const SECOND_MICROS: i64 = 1_000_000;

/// How two tables belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Join {
    /// The key columns.
    pub on: Vec<String>,
    /// What the other table calls them, in the same order; without it, the same.
    pub other_on: Option<Vec<String>>,
    /// The columns to take; without it, all but key and times.
    pub take: Option<Vec<String>>,
    /// What stands before the names of the taken columns.
    pub prefix: String,
    /// How often a key may occur.
    pub matches: Matches,
    /// What a row without match is.
    pub unmatched: Unmatched,
    /// The latest event as of each row's time, instead of the one row.
    pub as_of: Option<AsOf>,
}

/// How often a key may occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matches {
    /// Once in the other table, any number of times in the left one.
    #[default]
    ManyToOne,
    /// Once in each table.
    OneToOne,
}

/// What a row without match is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// A row whose taken columns are missing.
    #[default]
    Missing,
    /// An error.
    Error,
}

/// Which event is the latest one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The left column that says as of when.
    pub time: String,
    /// The other table's column that says when an event happened.
    pub event_time: String,
    /// The other table's column that says since when the event is known.
    pub known_time: Option<String>,
    /// Older events are none: a whole number and one of `s`, `m`, `h`, `d`, such as `90d`.
    pub max_age: Option<String>,
    /// Which of two events at one time counts.
    #[serde(default)]
    pub tie: Tie,
}

/// Which of two events at one time counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// None: two different ones are an error.
    #[default]
    Error,
    /// The one known last.
    LatestKnown,
    /// The one with the largest value of this column: numbers and times by size, text by code
    /// points, missing below all.
    Largest(String),
}

impl Join {
    /// The columns that the left table must have.
    pub fn left_columns(&self) -> Vec<&str> {
        let times = self.as_of.iter().map(|as_of| as_of.time.as_str());
        self.on.iter().map(String::as_str).chain(times).collect()
    }

    /// The key columns of the other table.
    pub fn other_on(&self) -> &[String] {
        self.other_on.as_ref().unwrap_or(&self.on)
    }

    /// The other table's columns to take, and their names in the result.
    ///
    /// # Errors
    /// If one that is named is absent.
    pub fn taken(&self, other: &Schema) -> Result<Vec<(String, String)>> {
        let names: Vec<String> = match &self.take {
            Some(names) => names.clone(),
            None => {
                let is_taken = |name: &&str| {
                    let times = self.as_of.iter();
                    let mut times =
                        times.flat_map(|t| [Some(&t.event_time), t.known_time.as_ref()]);
                    !self.other_on().iter().any(|on| on == name)
                        && !times.any(|time| time.is_some_and(|time| time == name))
                };
                other.names().filter(is_taken).map(str::to_owned).collect()
            }
        };
        for name in &names {
            other.required(name)?;
        }
        Ok(names.into_iter().map(|name| (name.clone(), format!("{}{name}", self.prefix))).collect())
    }

    /// Checks what needs no table.
    ///
    /// # Errors
    /// If there is no key, a duration is none, or the tie rule asks for a known time that is not
    /// declared.
    pub fn validate(&self) -> Result<()> {
        let refused = |message: &str, remedy: &str| {
            Err(Error::new(Code::BadParameter, message).remedy(remedy))
        };
        if self.on.is_empty() {
            return refused("expected key columns of a join, found none", "set `on`");
        }
        if self.other_on().len() != self.on.len() {
            return refused(
                "expected one name in `other_on` for each in `on`",
                "list both in order",
            );
        }
        let Some(as_of) = &self.as_of else {
            return Ok(());
        };
        if as_of.tie == Tie::LatestKnown && as_of.known_time.is_none() {
            return refused("expected `known_time` for tie latest_known, found none", "declare it");
        }
        as_of.max_age_micros().map(|_| ())
    }

    /// The left table with the taken columns of `other`, columns in name order.
    ///
    /// # Errors
    /// As the module docs say.
    pub fn apply(&self, left: &Batch, other: &Batch) -> Result<Batch> {
        self.validate()?;
        if let Some((&row, error)) = other.faults().first_key_value() {
            return Err(error.clone().row(other.source_row(row as usize)));
        }
        let (left_names, other_names) = (self.on.as_slice(), self.other_on());
        check_kinds(left, left_names, other, other_names)?;
        let ours = keys(left, left_names)?;
        let theirs = keys(other, other_names)?;
        if self.matches == Matches::OneToOne {
            refuse_repeated(left, left_names, &ours)?;
        }
        let found = match &self.as_of {
            None => {
                refuse_repeated(other, other_names, &theirs)?;
                plain(&ours, &theirs)
            }
            Some(as_of) => Events::new(as_of, other, &theirs)?.as_of(left, &ours)?,
        };
        if self.unmatched == Unmatched::Error {
            refuse_unmatched(left, left_names, &found)?;
        }
        self.compose(left, other, &found)
    }

    /// The left columns, and the taken ones at the rows that were found.
    fn compose(&self, left: &Batch, other: &Batch, found: &[Option<u32>]) -> Result<Batch> {
        let mut columns: Vec<(Field, Column)> =
            left.schema().fields().iter().cloned().zip(left.columns().iter().cloned()).collect();
        for (name, shown) in self.taken(other.schema())? {
            let column = other.column(other.schema().slot(&name)?);
            let mut with_missing = column.clone();
            push_missing(&mut with_missing);
            let rows = found.iter().map(|row| row.map_or(column.len(), |row| row as usize));
            let mut taken = Column::empty(column.kind());
            taken.extend_from(&with_missing, rows);
            columns.push((Field::new(shown, column.kind()), taken));
        }
        let mut joined = by_name(columns).map_err(|e| e.remedy("set a `prefix` for the join"))?;
        for (&row, error) in left.faults() {
            joined.fault_row(row as usize, error.clone());
        }
        Ok(joined)
    }
}

/// The columns as a table, in name order.
pub(crate) fn by_name(mut columns: Vec<(Field, Column)>) -> Result<Batch> {
    columns.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let (fields, columns): (Vec<Field>, Vec<Column>) = columns.into_iter().unzip();
    Batch::new(Arc::new(Schema::new(fields)?), columns)
}

impl AsOf {
    /// The age beyond which an event is none.
    fn max_age_micros(&self) -> Result<Option<i64>> {
        let Some(text) = &self.max_age else {
            return Ok(None);
        };
        let seconds = |unit: char| match unit {
            's' => Some(1),
            'm' => Some(60),
            'h' => Some(3_600),
            'd' => Some(86_400),
            _ => None,
        };
        let unit = text.chars().last().and_then(seconds);
        let count = text.get(..text.len().saturating_sub(1)).and_then(|n| n.parse::<u32>().ok());
        match unit.zip(count) {
            Some((unit, count)) => {
                let micros = i64::from(count).checked_mul(unit * SECOND_MICROS);
                Ok(Some(micros.unwrap_or(i64::MAX)))
            }
            None => {
                let message =
                    format!("expected `max_age` such as 90d, 12h, 30m or 45s, found {text:?}");
                Err(Error::new(Code::BadParameter, message))
            }
        }
    }
}

/// The key of every row; `None` where a key column is missing.
fn keys(batch: &Batch, names: &[String]) -> Result<Vec<Option<RowKey>>> {
    // Columns are called by their place in `on`, so that both tables give one key to one value.
    let slots: Vec<usize> =
        names.iter().map(|name| batch.schema().required(name)).collect::<Result<_>>()?;
    let kinds = slots.iter().map(|&slot| batch.column(slot).kind()).enumerate();
    let schema = Schema::new(kinds.map(|(place, kind)| Field::new(format!("{place:04}"), kind)))?;
    let columns: Vec<Column> = slots.iter().map(|&slot| batch.column(slot).clone()).collect();
    let keyed = Batch::new(Arc::new(schema), columns)?;
    let keys = RowKeyer::new(keyed.schema(), &[])?.keys(&keyed, 0..keyed.n_rows());
    let is_whole = |row: usize| keyed.columns().iter().all(|column| !column.is_missing(row));
    Ok(keys.into_iter().enumerate().map(|(row, key)| is_whole(row).then_some(key)).collect())
}

/// Keys are compared as values of one kind.
fn check_kinds(left: &Batch, ours: &[String], other: &Batch, theirs: &[String]) -> Result<()> {
    for (name, other_name) in ours.iter().zip(theirs) {
        let expected = left.column(left.schema().required(name)?).kind();
        let found = other.column(other.schema().required(other_name)?).kind();
        if expected != found {
            let message = format!("expected a key column of kind {expected}, found {found}");
            return Err(Error::new(Code::WrongKind, message)
                .remedy("declare both columns with one kind")
                .column(other_name));
        }
    }
    Ok(())
}

/// The row of the other table with each key.
fn plain(ours: &[Option<RowKey>], theirs: &[Option<RowKey>]) -> Vec<Option<u32>> {
    let keyed = (0u32..).zip(theirs).filter_map(|(row, key)| Some(((*key)?, row)));
    let mut sorted: Vec<(RowKey, u32)> = keyed.collect();
    sorted.sort();
    let find = |key: RowKey| {
        let at = sorted.binary_search_by(|other| other.0.cmp(&key)).ok()?;
        Some(sorted[at].1)
    };
    ours.iter().map(|key| key.and_then(find)).collect()
}

/// Every key occurs once.
fn refuse_repeated(batch: &Batch, names: &[String], keys: &[Option<RowKey>]) -> Result<()> {
    let keyed = (0u32..).zip(keys).filter_map(|(row, key)| Some(((*key)?, row)));
    let mut sorted: Vec<(RowKey, u32)> = keyed.collect();
    sorted.sort();
    let again = sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
    let mut again: Vec<u32> = again.collect();
    again.sort();
    refuse(batch, names, &again, "expected each key once, found some again in rows")
}

fn refuse_unmatched(left: &Batch, names: &[String], found: &[Option<u32>]) -> Result<()> {
    let rows = (0u32..).zip(found).filter(|(_, row)| row.is_none()).map(|(row, _)| row);
    let rows: Vec<u32> = rows.collect();
    refuse(left, names, &rows, "expected a match for every row, found none for rows")
}

/// Refuses if there are `rows`, listing the first ten with their keys.
fn refuse(batch: &Batch, names: &[String], rows: &[u32], what: &str) -> Result<()> {
    let Some(&first) = rows.first() else {
        return Ok(());
    };
    let slots = names.iter().filter_map(|name| batch.schema().position(name));
    let value = |slot: usize| batch.column(slot).value(first as usize).to_string();
    let shown: Vec<String> = slots.map(value).collect();
    let listed = rows.iter().take(LISTED).map(|&row| batch.source_row(row as usize));
    let listed: Vec<u64> = listed.collect();
    let message = format!("{what} {listed:?}, first {}", shown.join(", "));
    Err(Error::new(Code::WrongMatches, message)
        .column(&names.join("+"))
        .row(batch.source_row(first as usize)))
}

#[cfg(test)]
mod tests;
