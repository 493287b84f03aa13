//! Scores as a table of an SQLite file, in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use samescore_core::batch::{Batch, Column, ColumnKind, Field, show_time};
use samescore_core::error::{Code, Error, Result};

use crate::gather::identifier;

use super::{Scored, Shape, Sink, another_shape};

/// An open table.
pub(super) struct Table {
    /// Gone when the transaction has ended.
    connection: Option<Connection>,
    path: PathBuf,
    /// The file is ours to take away if nothing comes of it.
    is_new: bool,
    insert: String,
    shape: Shape,
}

impl Table {
    pub(super) fn open(path: &Path, name: &str, shape: Shape) -> Result<Self> {
        let is_new = !path.exists();
        let opened = Connection::open(path).map_err(|error| failed(path, &error))?;
        let insert = format!(
            "INSERT INTO {} VALUES ({})",
            identifier(name),
            vec!["?"; shape.fields().len()].join(", ")
        );
        // From here on, whatever fails rolls back and takes a new file away.
        let connection = Some(opened);
        let table = Table { connection, path: path.to_owned(), is_new, insert, shape };
        table.begin(name)?;
        Ok(table)
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(|| {
            Error::new(Code::Io, format!("`{}`: expected an open file", self.path.display()))
        })
    }

    fn begin(&self, name: &str) -> Result<()> {
        let wrong = |error: rusqlite::Error| failed(&self.path, &error);
        let connection = self.connection()?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(wrong)?;
        let columns: Vec<String> = self.shape.fields().iter().map(declared).collect();
        let kind = connection
            .query_row(
                "SELECT type FROM sqlite_master WHERE lower(name) = lower(?)",
                [name],
                |row| row.get::<_, String>(0),
            )
            .optional()
            .map_err(wrong)?;
        if let Some(kind) = kind {
            let text = "SELECT name, type FROM pragma_table_info(?) ORDER BY cid";
            let mut statement = connection.prepare(text).map_err(wrong)?;
            let rows = statement.query_map([name], |row| {
                let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
                Ok(format!("{} {declared}", identifier(&name)))
            });
            let found: Vec<String> = rows.and_then(Iterator::collect).map_err(wrong)?;
            if kind != "table" || found != columns {
                let place = format!("`{}`, {kind} `{name}`", self.path.display());
                return Err(another_shape(&place, &columns, &found));
            }
        } else {
            let text = format!("CREATE TABLE {} ({})", identifier(name), columns.join(", "));
            connection.execute_batch(&text).map_err(wrong)?;
            let text = format!(
                "CREATE INDEX {} ON {} (artifact, row_key)",
                identifier(&format!("{name}_by_row_key")),
                identifier(name)
            );
            connection.execute_batch(&text).map_err(wrong)?;
        }
        let text = format!("DELETE FROM {} WHERE artifact = ?", identifier(name));
        connection.execute(&text, [self.shape.artifact()]).map_err(wrong)?;
        Ok(())
    }

    fn insert(&self, rows: &Batch) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        let mut insert = connection.prepare_cached(&self.insert)?;
        for row in 0..rows.n_rows() {
            for (slot, column) in rows.columns().iter().enumerate() {
                let place = slot + 1;
                match column {
                    _ if column.is_missing(row) => {
                        insert.raw_bind_parameter(place, None::<f64>)?;
                    }
                    Column::Num(v) => insert.raw_bind_parameter(place, v[row])?,
                    Column::Time(v) => insert.raw_bind_parameter(place, show_time(v[row]))?,
                    Column::Text(v) => insert.raw_bind_parameter(place, v.get(row))?,
                }
            }
            insert.raw_execute()?;
        }
        Ok(())
    }
}

impl Sink for Table {
    fn block(&mut self, scored: &Scored<'_>) -> Result<()> {
        let rows = self.shape.rows(scored)?;
        self.insert(&rows).map_err(|error| failed(&self.path, &error))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.connection()?.execute_batch("COMMIT").map_err(|error| failed(&self.path, &error))?;
        self.is_new = false;
        let closed = self.connection.take().map(Connection::close);
        match closed {
            Some(Err((_, error))) => Err(failed(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        drop(self.connection.take());
        if self.is_new {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}

fn declared(field: &Field) -> String {
    let affinity = if field.kind == ColumnKind::Num { "REAL" } else { "TEXT" };
    format!("{} {affinity}", identifier(&field.name))
}

fn failed(path: &Path, error: &rusqlite::Error) -> Error {
    let said = error.to_string();
    Error::new(Code::Io, format!("`{}`: SQLite says: {said}", path.display()))
}
