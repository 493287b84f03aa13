//! Scores as a table of a PostgreSQL server, by binary COPY in one transaction.

use samescore_core::batch::{Batch, Column, ColumnKind, Field, MISSING_TIME};
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use super::{Scored, Shape, Sink, another_shape};
use crate::gather::Address;
use crate::gather::postgres::{Session, quoted};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds from 1970-01-01 to 2000-01-01, where the server counts from.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// An open table: dropped before its end, the server rolls back.
pub(super) struct Table {
    session: Session,
    /// The name as SQL writes it.
    name: String,
    shape: Shape,
}

impl Table {
    pub(super) fn open(address: &Address, name: &str, shape: Shape) -> Result<Self> {
        let session = Session::open(address)?;
        let table = Table { session, name: quoted(name)?, shape };
        table.begin()?;
        Ok(table)
    }

    fn begin(&self) -> Result<()> {
        let (session, name) = (&self.session, &self.name);
        let columns: Vec<String> = self.shape.fields().iter().map(declared).collect();
        session.run("SET client_min_messages = error; BEGIN")?;
        if !session.has_table(name)? {
            let text = format!(
                "CREATE TABLE {name} ({}); CREATE INDEX ON {name} (artifact, row_key)",
                columns.join(", ")
            );
            session.run(&text)?;
        }
        // One writer at a time; readers see what was there until the end.
        session.run(&format!("LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))?;
        let found = session.columns(&format!("SELECT * FROM {name}"))?;
        let found: Vec<String> = found
            .iter()
            .map(|(name, found)| {
                let kind = match found.name() {
                    "float8" => "double precision",
                    "timestamptz" => "timestamp with time zone",
                    other => other,
                };
                format!("\"{}\" {kind}", name.replace('"', "\"\""))
            })
            .collect();
        if found != columns {
            let place = format!("{}, table {name}", session.place());
            return Err(another_shape(&place, &columns, &found));
        }
        let artifact = self.shape.artifact();
        // A digest is made of hexadecimal digits and needs no quoting.
        session.run(&format!("DELETE FROM {name} WHERE artifact = '{artifact}'"))
    }
}

impl Sink for Table {
    fn block(&mut self, scored: &Scored<'_>) -> Result<()> {
        let rows = self.shape.rows(scored)?;
        let text = format!("COPY {} FROM STDIN (FORMAT binary)", self.name);
        let n_rows = self.session.copy_in(&text, encoded(&rows)?)?;
        match usize::try_from(n_rows) {
            Ok(n_rows) if n_rows == rows.n_rows() => Ok(()),
            _ => {
                let place = self.session.place();
                let n_sent = rows.n_rows();
                let message = format!("{place}: expected {n_sent} rows written, found {n_rows}");
                Err(Error::new(Code::Server, message))
            }
        }
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.session.run("COMMIT")
    }
}

fn declared(field: &Field) -> String {
    let kind = match field.kind {
        ColumnKind::Num => "double precision",
        ColumnKind::Text => "text",
        ColumnKind::Time => "timestamp with time zone",
    };
    format!("\"{}\" {kind}", field.name.replace('"', "\"\""))
}

/// The rows as a binary COPY.
fn encoded(rows: &Batch) -> Result<Vec<u8>> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([0; 8]);
    let columns = rows.columns();
    let too_large = || Error::new(Code::LimitExceeded, "expected fewer columns or shorter texts");
    let count = i16::try_from(columns.len()).map_err(|_| too_large())?;
    for row in 0..rows.n_rows() {
        bytes.extend(count.to_be_bytes());
        for column in columns {
            match column {
                Column::Num(v) if !math::is_missing(v[row]) => {
                    bytes.extend(8_i32.to_be_bytes());
                    bytes.extend(v[row].to_be_bytes());
                }
                Column::Time(v) if v[row] != MISSING_TIME => {
                    bytes.extend(8_i32.to_be_bytes());
                    bytes.extend((v[row] - EPOCH_MICROS).to_be_bytes());
                }
                Column::Text(v) => match v.get(row) {
                    Some(text) => {
                        let length = i32::try_from(text.len()).map_err(|_| too_large())?;
                        bytes.extend(length.to_be_bytes());
                        bytes.extend(text.as_bytes());
                    }
                    None => bytes.extend((-1_i32).to_be_bytes()),
                },
                _ => bytes.extend((-1_i32).to_be_bytes()),
            }
        }
    }
    bytes.extend((-1_i16).to_be_bytes());
    Ok(bytes)
}
