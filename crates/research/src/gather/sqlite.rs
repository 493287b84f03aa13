//! A table or a query of an SQLite file.
//!
//! # Method
//! The file is opened to be read only, and everything is read in one transaction: what others write
//! meanwhile is not seen. SQLite stores each value in a type of its own, so each cell is judged by
//! itself. Which order rows come in means nothing. A query, and the queries of the views that it or
//! a table's name stands for, are looked at by `sql` with what the file says of its tables.
//!
//! A decimal text that was put into a column of reals was made a number by SQLite, whose last bit
//! may be another than that of a CSV file: bind numbers, or keep such columns as text.
//!
//! # Errors
//! A blob, or a text that is not UTF-8, is a fault of its row.

mod catalogue;

use std::fs::File;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use samescore_core::error::{Code, Error, Result};

use super::reader::Reader;
use super::source::Relation;
use super::sql::{self, Allowed, Dialect, identifier};
use super::taker::Taker;
use crate::output_file::refused;

/// The rows of an open statement.
pub(super) struct Rows<'s> {
    path: &'s Path,
    names: Vec<String>,
    rows: rusqlite::Rows<'s>,
    n_rows: u64,
}

/// What `work` makes of a table or query.
///
/// # Errors
/// If the file is no SQLite file, has no such table, or refuses the query; and those of `work`.
pub(super) fn open<R>(
    path: &Path,
    relation: &Relation,
    work: impl FnOnce(&mut Rows<'_>) -> Result<R>,
) -> Result<R> {
    let wrong = |e: &rusqlite::Error| failed(path, e);
    let (text, allowed, key) = match relation {
        Relation::Table(name) => {
            (format!("SELECT * FROM {}", quoted(name)), Allowed::default(), &[][..])
        }
        Relation::Query(query) => {
            (query.text.clone(), Allowed::read(&query.allow)?, query.key.as_slice())
        }
    };
    if path.is_dir() {
        let message = format!("expected an SQLite file, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    File::open(path).map_err(|e| refused("read", path, &e))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| wrong(&e))?;
    connection.execute_batch("PRAGMA query_only = 1; BEGIN").map_err(|e| wrong(&e))?;
    let known = catalogue::read(&connection).map_err(|e| wrong(&e))?;
    let checked = sql::check(Dialect::Sqlite, &text, &allowed, key, &known)?;
    for (rule, terms) in &checked.orders {
        let has_ties = catalogue::has_ties(&connection, checked.uncut, terms);
        if has_ties.map_err(|e| wrong(&e))? {
            sql::refuse_ties(&allowed, *rule, terms)?;
        }
    }
    let mut statement = connection.prepare(&text).map_err(|e| wrong(&e))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if names.is_empty() || !statement.readonly() {
        let message = format!("`{}`: expected a query that gives rows", path.display());
        return Err(Error::new(Code::RefusedQuery, message).remedy("begin it with SELECT"));
    }
    let rows = statement.query([]).map_err(|e| wrong(&e))?;
    work(&mut Rows { path, names, rows, n_rows: 0 })
}

/// A name of a table as SQL writes it; behind a point one of an attached schema, as `main.t`.
fn quoted(name: &str) -> String {
    match name.split_once('.') {
        Some((schema @ ("main" | "temp"), name)) => {
            format!("{}.{}", identifier(schema), identifier(name))
        }
        _ => identifier(name),
    }
}

fn failed(path: &Path, error: &rusqlite::Error) -> Error {
    let said = match error {
        rusqlite::Error::SqliteFailure(_, Some(said)) => said.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    Error::new(Code::Io, format!("`{}`: SQLite says: {}", path.display(), said.to_lowercase()))
}

impl Reader for Rows<'_> {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read<T: Taker>(
        &mut self,
        wanted: &[usize],
        takers: &mut [T],
        n_rows_max: usize,
    ) -> Result<usize> {
        for n_rows in 0..n_rows_max {
            let row = self.rows.next().map_err(|e| failed(self.path, &e).row(self.n_rows))?;
            let Some(row) = row else {
                return Ok(n_rows);
            };
            for (taker, &place) in takers.iter_mut().zip(wanted) {
                match row.get_ref(place) {
                    Ok(value) => show(value, taker),
                    Err(e) => return Err(failed(self.path, &e).row(self.n_rows)),
                }
            }
            self.n_rows += 1;
        }
        Ok(n_rows_max)
    }
}

fn show(value: ValueRef<'_>, taker: &mut impl Taker) {
    match value {
        ValueRef::Null => taker.missing(),
        ValueRef::Integer(value) => taker.integer(i128::from(value)),
        ValueRef::Real(value) => taker.float(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(cell) => taker.text(cell),
            Err(_) => {
                let message = "expected UTF-8 text, found other bytes";
                taker.refused(Error::new(Code::BadValue, message));
            }
        },
        ValueRef::Blob(bytes) => {
            let message =
                format!("expected a number or text, found a blob of {} bytes", bytes.len());
            taker.refused(Error::new(Code::WrongKind, message).remedy("cast it in the query"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_and_nothing_else() {
        assert_eq!(quoted("t\" WHERE 1; --"), "\"t\"\" WHERE 1; --\"");
        assert_eq!(quoted("main.a b"), "\"main\".\"a b\"");
        assert_eq!(quoted("a.b"), "\"a.b\"");
    }
}
