//! A PostgreSQL server.

use samescore_core::error::{Code, Error, Result};

use super::reader::Reader;
use super::source::{Address, Relation};
use super::taker::Taker;

/// An open table or query of a server.
pub(super) enum Rows {}

/// Opens a table or query.
///
/// # Errors
/// Always, so far.
pub(super) fn open(_: &Address, _: &Relation) -> Result<Rows> {
    Err(Error::new(Code::UnknownSource, "expected a source that this build reads, found a server"))
}

impl Reader for Rows {
    fn names(&self) -> &[String] {
        match *self {}
    }

    fn read<T: Taker>(&mut self, _: &[usize], _: &mut [T], _: usize) -> Result<usize> {
        match *self {}
    }
}
