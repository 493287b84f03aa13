//! Scores to files and tables of databases, block by block.
//!
//! # Method
//! [`open`] begins, each block of rows is given to [`Sink::block`], and [`Sink::finish`] makes all
//! of it visible at once; a sink that is dropped before leaves what was there. Each row becomes one
//! row: the declared key columns, `row_key`, the scores, their `bits`, `code` and `reason` where
//! there is no score, the digest of the `artifact`, and if it is asked for the `population`.
//!
//! # Shape
//! CSV is not made here but by [`listing`](samescore_core::listing), as in production. A number is
//! a double, a label a text, a time a timestamp in UTC (in SQLite and JSON an ISO text).
//! A key column that is called like one of the others gets a `_` behind its name.
//!
//! # Ties and order
//! A table of a database may hold the scores of many artifacts. Rows of this artifact are replaced
//! whole: scoring again gives the same table. One run at a time writes into it.
//!
//! # Errors
//! A table of that name with other columns is refused, and left as it was.

mod file;
mod postgres;
mod rows;
mod sqlite;

use samescore_core::error::{Code, Error, Result};

use crate::gather::{Format, Relation, Source};
pub use rows::{Scored, Shape};

/// Where scored rows go.
pub trait Sink: Send {
    /// Takes the scores of some rows.
    ///
    /// # Errors
    /// If they cannot be written. Nothing is visible then, and the sink is of no more use.
    fn block(&mut self, scored: &Scored<'_>) -> Result<()>;

    /// Makes everything visible at once.
    ///
    /// # Errors
    /// If it cannot be written. What was there before is unchanged.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Begins to write scores of that shape.
///
/// # Errors
/// If the target is no file of a format that is written, nor a table, or the database refuses.
pub fn open(target: &Source, shape: Shape) -> Result<Box<dyn Sink>> {
    match target {
        Source::Files(path) => match Format::of(path)? {
            Format::Parquet => Ok(Box::new(file::Parquet::new(path, shape)?)),
            Format::JsonLines => Ok(Box::new(file::JsonLines::new(path, shape)?)),
            _ => Err(not_written(target)),
        },
        Source::Sqlite(path, Relation::Table(name)) => {
            Ok(Box::new(sqlite::Table::open(path, name, shape)?))
        }
        Source::Postgres(address, Relation::Table(name)) => {
            Ok(Box::new(postgres::Table::open(address, name, shape)?))
        }
        _ => Err(not_written(target)),
    }
}

fn not_written(target: &Source) -> Error {
    let known = "file ending in .csv, .parquet or .jsonl, or a table of SQLite or PostgreSQL";
    Error::new(Code::Usage, format!("expected a {known} to write, found `{target}`"))
}

/// A table of another shape than the scores have.
fn another_shape(place: &str, expected: &[String], found: &[String]) -> Error {
    let (expected, found) = (expected.join(", "), found.join(", "));
    Error::new(Code::WrongKind, format!("{place}: expected the columns {expected}, found {found}"))
        .remedy("write to another table, or drop this one; it was left as it was")
}
