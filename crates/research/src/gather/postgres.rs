//! Tables and queries of a PostgreSQL server, row by row.
//!
//! # Method
//! The rows come as a binary COPY in one read-only transaction at repeatable read: what others
//! write meanwhile is not seen. A query is looked at first by `sql`, then
//! prepared, so that the server says what its columns are and which of the functions that it calls
//! are volatile. How texts of dates, numbers and floats look is set for the transaction, whatever
//! the server's configuration says. Nothing but a few messages is held.
//!
//! # Shape
//! | type | shown as |
//! |---|---|
//! | `smallint`, `integer`, `bigint`, `oid` | integer |
//! | `real`, `double precision` | float, NaN missing |
//! | `numeric` | its digits; NaN missing |
//! | `boolean` | bool |
//! | `text`, `varchar`, `char`, `name`, enums, `uuid` | text |
//! | `timestamptz` | instant |
//! | `date`, `timestamp` | local time of the declared zone, or UTC |
//!
//! # Errors
//! Other types (cast them in the query), `infinity` in dates and numbers (a fault of the row), and
//! whatever the server says: [`Code::Server`], with its words and its SQLSTATE. A password is in no
//! message.

mod binary;
mod catalogue;
mod failure;
mod numeric;
mod password;
mod session;
mod tls;
mod versions;

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt;
use samescore_core::batch::{Batch, Field, Schema};
use samescore_core::config::DataConfig;
use samescore_core::error::{Code, Error, Result};
use tokio_postgres::CopyOutStream;

use super::reader::{BLOCK_ROWS, Reader};
use super::source::{Address, Relation};
use super::sql::{self, Allowed, Dialect, Known};
use super::taker::{Filling, Taker};
use binary::{Cell, Tuple};
pub(crate) use session::{Session, quoted};
pub use tls::{Options, TlsMode};
pub(crate) use versions::readers;

/// An open table or query of a server.
pub struct Rows {
    session: Session,
    stream: Pin<Box<CopyOutStream>>,
    names: Vec<String>,
    /// The name of each column's type, and how it is read if it is.
    types: Vec<(String, Option<Cell>)>,
    /// Whether a taker was asked about the column already.
    is_expected: Vec<bool>,
    /// What came and was not shown yet begins at `at`.
    held: Vec<u8>,
    at: usize,
    n_rows: u64,
    progress: Progress,
    /// The stream has said that nothing more comes, and must not be asked again.
    is_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Reading,
    Done,
}

/// Opens a table or query.
///
/// # Errors
/// If the query is refused, the server cannot be reached or refuses, or there is no such table.
pub fn open(address: &Address, relation: &Relation) -> Result<Rows> {
    let (text, allowed, key) = match relation {
        Relation::Table(name) => {
            (format!("SELECT * FROM {}", quoted(name)?), Allowed::default(), &[][..])
        }
        Relation::Query(query) => {
            (query.text.clone(), Allowed::read(&query.allow)?, query.key.as_slice())
        }
    };
    let checked = sql::check(Dialect::Postgres, &text, &allowed, key, &Known::default())?;
    let text = checked.text;
    let session = Session::open(address)?;
    session.begin_reading(address.options.statement_timeout_seconds)?;
    let columns = session.columns(text)?;
    catalogue::check(&session, &checked, &allowed, &columns)?;
    if columns.is_empty() {
        let message = format!("{}: expected columns, found none", session.place());
        return Err(Error::new(Code::MissingColumn, message));
    }
    // A comment at the end of the text ends with its line.
    let stream = session.copy_out(&format!("COPY ({text}\n) TO STDOUT (FORMAT binary)"))?;
    let is_expected = vec![false; columns.len()];
    let (names, types) = columns
        .into_iter()
        .map(|(name, found)| (name, (found.name().to_owned(), Cell::of(&found))))
        .unzip();
    let (held, progress) = (Vec::new(), Progress::Begun);
    Ok(Rows {
        session,
        stream,
        names,
        types,
        is_expected,
        held,
        at: 0,
        n_rows: 0,
        progress,
        is_ended: false,
    })
}

impl Rows {
    /// The next rows of the declared columns, `n_rows_max` at most; `None` after the last.
    ///
    /// # Errors
    /// If a column is absent or has another type than declared, or the server goes away.
    pub fn next_batch(&mut self, data: &DataConfig, n_rows_max: usize) -> Result<Option<Batch>> {
        let place = |name: &String| {
            self.names.iter().position(|known| known == name).ok_or_else(|| {
                let message = format!("expected it at {}", self.session.place());
                Error::new(Code::MissingColumn, message).column(name)
            })
        };
        let wanted = data.columns.keys().map(place).collect::<Result<Vec<usize>>>()?;
        let declared = data.columns.values();
        let mut takers: Vec<Filling> =
            declared.map(|column| Filling::new(column, &data.missing)).collect();
        if self.read(&wanted, &mut takers, n_rows_max)? == 0 {
            return Ok(None);
        }
        let fields =
            data.columns.iter().map(|(name, column)| Field::new(name.clone(), column.kind));
        let schema = Arc::new(Schema::new(fields)?);
        let (values, faults): (Vec<_>, Vec<_>) =
            takers.into_iter().map(|taker| (taker.column, taker.faults)).unzip();
        let mut batch = Batch::new(schema, values)?;
        for (slot, faults) in faults.into_iter().enumerate() {
            faults.into_iter().for_each(|(row, error)| batch.fault(row, slot, error));
        }
        Ok(Some(batch))
    }

    /// The next rows in blocks of the usual size.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn next_block(&mut self, data: &DataConfig) -> Result<Option<Batch>> {
        self.next_batch(data, BLOCK_ROWS)
    }

    /// How the wanted columns are read.
    fn cells(&self, wanted: &[usize]) -> Result<Vec<Cell>> {
        let cell = |&place: &usize| {
            let (name, cell) = &self.types[place];
            cell.ok_or_else(|| {
                let message = format!("expected a type that can be gathered, found `{name}`");
                Error::new(Code::WrongKind, message)
                    .remedy("cast it in the query, for instance to text or numeric")
                    .column(&self.names[place])
            })
        };
        wanted.iter().map(cell).collect()
    }

    /// Takes the next messages of the server into what is held.
    fn receive(&mut self) -> Result<()> {
        self.held.drain(..self.at);
        self.at = 0;
        if self.is_ended {
            return Err(self.malformed("the end of the rows", "the end of the stream"));
        }
        let Rows { session, stream, held, is_ended, .. } = self;
        // One wait for all that is there already.
        let taken = session.wait(async {
            let mut next = stream.next().await;
            loop {
                match next {
                    Some(message) => held.extend_from_slice(&message?),
                    None => *is_ended = true,
                }
                if *is_ended || held.len() >= HELD_BYTES {
                    return Ok(());
                }
                next = match futures_util::poll!(stream.next()) {
                    Poll::Ready(next) => next,
                    Poll::Pending => return Ok(()),
                };
            }
        });
        taken.map_err(|error| session.failed(&error))
    }

    fn malformed(&self, expected: &str, found: &str) -> Error {
        let place = self.session.place();
        let message = format!("{place}: expected {expected} in a binary COPY, found {found}");
        Error::new(Code::Server, message).row(self.n_rows)
    }

    /// Ends the transaction after the last row.
    fn finish(&mut self) -> Result<()> {
        let Rows { session, stream, is_ended, .. } = self;
        if !*is_ended {
            match session.wait(stream.next()) {
                None => *is_ended = true,
                Some(Err(error)) => return Err(session.failed(&error)),
                Some(Ok(_)) => return Err(self.malformed("the end of the stream", "more")),
            }
        }
        self.progress = Progress::Done;
        self.session.run("COMMIT")
    }
}

/// How much is taken in at once.
const HELD_BYTES: usize = 1 << 16;

impl Reader for Rows {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read<T: Taker>(
        &mut self,
        wanted: &[usize],
        takers: &mut [T],
        n_rows_max: usize,
    ) -> Result<usize> {
        let cells = self.cells(wanted)?;
        let mut tuple = Tuple::new(self.names.len());
        let mut digits = String::new();
        let mut n_rows = 0;
        while n_rows < n_rows_max && self.progress != Progress::Done {
            let bytes = &self.held[self.at..];
            let found = match self.progress {
                Progress::Begun => binary::header(bytes),
                _ => tuple.read(bytes),
            };
            let found = found.map_err(|(expected, found)| self.malformed(expected, &found))?;
            let step = match found {
                None => {
                    self.receive()?;
                    continue;
                }
                Some(step) => step,
            };
            match step {
                binary::Step::Header(n_bytes) => {
                    self.at += n_bytes;
                    self.progress = Progress::Reading;
                }
                binary::Step::End => self.finish()?,
                binary::Step::Row(n_bytes) => {
                    for ((&place, &cell), taker) in wanted.iter().zip(&cells).zip(&mut *takers) {
                        let Some(value) = tuple.field(bytes, place) else {
                            taker.missing();
                            continue;
                        };
                        if !self.is_expected[place] {
                            self.is_expected[place] = true;
                            taker
                                .expect(cell.stored())
                                .map_err(|error| error.column(&self.names[place]))?;
                        }
                        if let Err((expected, found)) = cell.show(value, taker, &mut digits) {
                            return Err(self.malformed(expected, &found));
                        }
                    }
                    self.at += n_bytes;
                    self.n_rows += 1;
                    n_rows += 1;
                }
            }
        }
        Ok(n_rows)
    }
}
