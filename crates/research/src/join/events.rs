//! The event that counts for a key as of a time.

use std::cmp::Reverse;

use samescore_core::batch::{Batch, Column, ColumnKind, MISSING_TIME};
use samescore_core::digest::RowKey;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;

use super::{AsOf, LISTED, Tie};

/// The other table's events by key and time.
pub(super) struct Events<'a> {
    rule: &'a AsOf,
    table: &'a Batch,
    max_age: Option<i64>,
    known: Option<&'a [i64]>,
    /// Key, event time and row, ascending.
    sorted: Vec<(RowKey, i64, u32)>,
}

impl<'a> Events<'a> {
    pub(super) fn new(rule: &'a AsOf, table: &'a Batch, keys: &[Option<RowKey>]) -> Result<Self> {
        let event = times(table, &rule.event_time)?;
        let known = rule.known_time.as_ref().map(|name| times(table, name)).transpose()?;
        let keyed = (0u32..).zip(keys.iter().zip(event));
        let mut sorted: Vec<(RowKey, i64, u32)> = keyed
            .filter(|(_, (_, event))| **event != MISSING_TIME)
            .filter_map(|(row, (key, event))| Some(((*key)?, *event, row)))
            .collect();
        sorted.sort();
        Ok(Events { rule, table, max_age: rule.max_age_micros()?, known, sorted })
    }

    pub(super) fn as_of(&self, left: &Batch, keys: &[Option<RowKey>]) -> Result<Vec<Option<u32>>> {
        let at = times(left, &self.rule.time)?;
        let rows = keys.iter().zip(at).enumerate();
        rows.map(|(row, (key, &at))| match key {
            Some(key) if at != MISSING_TIME => {
                self.latest(*key, at).map_err(|e| e.row(left.source_row(row)))
            }
            _ => Ok(None),
        })
        .collect()
    }

    /// The event that counts for a key at a time.
    fn latest(&self, key: RowKey, at: i64) -> Result<Option<u32>> {
        let end = self.sorted.partition_point(|event| (event.0, event.1) <= (key, at));
        let is_known = |row: u32| {
            let known = self.known.map(|known| known[row as usize]);
            known.is_none_or(|known| known != MISSING_TIME && known <= at)
        };
        let mut before = self.sorted[..end].iter().rev().take_while(|event| event.0 == key);
        let Some(&(_, time, first)) = before.find(|event| is_known(event.2)) else {
            return Ok(None);
        };
        if self.max_age.is_some_and(|age| at.saturating_sub(time) > age) {
            return Ok(None);
        }
        let ties = before.take_while(|event| event.1 == time).map(|event| event.2);
        let ties: Vec<u32> = ties.filter(|&row| is_known(row)).collect();
        if ties.is_empty() {
            return Ok(Some(first));
        }
        self.best(&[&[first], &ties[..]].concat()).map(Some)
    }

    /// The one of several events at one time that the tie rule names.
    fn best(&self, rows: &[u32]) -> Result<u32> {
        let mut ranked: Vec<(Reverse<Rank>, u32)> = Vec::with_capacity(rows.len());
        for &row in rows {
            ranked.push((Reverse(self.rank(row as usize)?), row));
        }
        ranked.sort();
        let (top, best) = (&ranked[0].0, ranked[0].1);
        let equals = ranked.iter().take_while(|other| other.0 == *top).map(|other| other.1);
        let equals: Vec<u32> = equals.collect();
        let differs = |column: &Column, row: u32| {
            let (row, best) = (row as usize, best as usize);
            match (column.is_missing(row), column.is_missing(best)) {
                (false, false) => column.value(row) != column.value(best),
                (a, b) => a != b,
            }
        };
        let columns = self.table.columns();
        if !equals.iter().any(|&row| columns.iter().any(|column| differs(column, row))) {
            return Ok(best);
        }
        let rows = equals.iter().take(LISTED).map(|&row| self.table.source_row(row as usize));
        let rows: Vec<u64> = rows.collect();
        let message = format!("expected one latest event, found rows {rows:?} at one time");
        Err(Error::new(Code::WrongMatches, message)
            .remedy("set `tie`, or make event times unique per key")
            .column(&self.rule.event_time))
    }

    fn rank(&self, row: usize) -> Result<Rank> {
        let none = (0, 0, String::new());
        Ok(match &self.rule.tie {
            Tie::Error => none,
            Tie::LatestKnown => (0, self.known.map_or(0, |known| ordered(known[row])), none.2),
            Tie::Largest(name) => {
                let column = self.table.column(self.table.schema().required(name)?);
                match column {
                    _ if column.is_missing(row) => none,
                    Column::Num(v) => (1, math::order_key(v[row]), none.2),
                    Column::Time(v) => (1, ordered(v[row]), none.2),
                    Column::Text(v) => (1, 0, v.get(row).unwrap_or_default().to_owned()),
                }
            }
        })
    }
}

/// Whether there is a value, its place among numbers or times, its place among labels.
type Rank = (u8, u64, String);

/// A number that is ordered as `time` is.
fn ordered(time: i64) -> u64 {
    (time as u64) ^ (1 << 63)
}

/// The times of a column.
fn times<'a>(batch: &'a Batch, name: &str) -> Result<&'a [i64]> {
    match batch.column(batch.schema().required(name)?) {
        Column::Time(times) => Ok(times),
        column => {
            let message = format!("expected {}, found {}", ColumnKind::Time, column.kind());
            Err(Error::new(Code::WrongKind, message).column(name))
        }
    }
}
