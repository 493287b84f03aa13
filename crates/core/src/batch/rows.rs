//! A block of rows.

mod faults;
mod select;
mod spare;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BLOCK_ROWS, Column, ColumnKind, Field, Schema, TextColumn, check_rows};
use crate::digest::RowKey;
use crate::error::{Code, Error};
use crate::par;

pub(crate) use faults::concerns;
pub(crate) use spare::Codes;
use spare::Spare;

/// A block of rows: a schema, its columns, and per row a key, perhaps a target, perhaps a fault.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    keys: Vec<RowKey>,
    fit_keys: Vec<RowKey>,
    target: Vec<f64>,
    weights: Vec<f64>,
    faults: BTreeMap<u32, Error>,
    /// Rows that got their fault since the last call of `name_faults`.
    fresh_faults: Vec<u32>,
    /// Where the rows stand in their source, for messages only: from here on, or as listed.
    first_row: u64,
    source_rows: Vec<u64>,
    n_rows: usize,
    spare: Spare,
}

impl Batch {
    /// A batch of these columns, whose kinds and lengths must fit the schema. Every number is made
    /// canonical.
    ///
    /// # Errors
    /// If the number, kind or length of a column differs from what the schema says, or there are
    /// more rows than [`ROWS_MAX`](super::ROWS_MAX).
    pub fn new(schema: Arc<Schema>, mut columns: Vec<Column>) -> Result<Self, Error> {
        let n_rows = columns.first().map_or(0, Column::len);
        match n_rows > BLOCK_ROWS {
            true => _ = par::map_mut(&mut columns, Column::make_canonical),
            false => columns.iter_mut().for_each(Column::make_canonical),
        }
        check_rows(n_rows)?;
        if columns.len() != schema.len() {
            return Err(Error::new(
                Code::MissingColumn,
                format!("expected {} columns, found {}", schema.len(), columns.len()),
            ));
        }
        for (field, column) in schema.fields().iter().zip(&columns) {
            if column.kind() != field.kind {
                return Err(Error::new(
                    Code::WrongKind,
                    format!("expected {}, found {}", field.kind, column.kind()),
                )
                .column(&field.name));
            }
            check_len(field, column, n_rows)?;
        }
        Ok(Batch { schema, columns, n_rows, ..Batch::default() })
    }

    /// A batch of columns that were those of another one of the same schema and number of rows.
    pub(crate) fn of_columns(schema: Arc<Schema>, columns: Vec<Column>, n_rows: usize) -> Self {
        debug_assert!(
            columns.iter().all(|column| column.len() == n_rows),
            "as many rows as before"
        );
        Batch { schema, columns, n_rows, ..Batch::default() }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The schema of the columns.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The columns in schema order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column at `slot`.
    pub fn column(&self, slot: usize) -> &Column {
        &self.columns[slot]
    }

    /// The numbers at `slot`, which the schema says is numeric.
    pub fn num(&self, slot: usize) -> &[f64] {
        match &self.columns[slot] {
            Column::Num(v) => v,
            other => unreachable!("slot {slot} is bound as num and holds {}", other.kind()),
        }
    }

    /// The numbers at `slot`, to be changed in place. Write canonical values only.
    pub fn num_mut(&mut self, slot: usize) -> &mut [f64] {
        match &mut self.columns[slot] {
            Column::Num(v) => v,
            other => unreachable!("slot {slot} is bound as num and holds {}", other.kind()),
        }
    }

    /// The labels at `slot`, which the schema says is text.
    pub fn text(&self, slot: usize) -> &TextColumn {
        match &self.columns[slot] {
            Column::Text(v) => v,
            other => unreachable!("slot {slot} is bound as text and holds {}", other.kind()),
        }
    }

    /// The times at `slot`, which the schema says is time.
    pub fn time(&self, slot: usize) -> &[i64] {
        match &self.columns[slot] {
            Column::Time(v) => v,
            other => unreachable!("slot {slot} is bound as time and holds {}", other.kind()),
        }
    }

    /// Puts `column` at `slot` in place of what was there.
    pub fn replace(&mut self, slot: usize, column: Column) {
        debug_assert_eq!(column.len(), self.n_rows, "a step may not change the number of rows");
        let old = std::mem::replace(&mut self.columns[slot], column);
        self.give(old);
    }

    /// Adds `column` behind the last one.
    pub fn push(&mut self, column: Column) {
        debug_assert_eq!(column.len(), self.n_rows, "a step may not change the number of rows");
        self.columns.push(column);
    }

    /// Removes the columns at `slots`, which ascend.
    pub fn remove(&mut self, slots: &[usize]) {
        debug_assert!(slots.is_sorted(), "slots to remove must ascend");
        for &slot in slots.iter().rev() {
            let old = self.columns.remove(slot);
            self.give(old);
        }
    }

    /// The scoring key of each row; empty until keyed.
    pub fn keys(&self) -> &[RowKey] {
        &self.keys
    }

    /// The fitting key of each row (key, target, occurrence number); empty outside a fit.
    pub fn fit_keys(&self) -> &[RowKey] {
        &self.fit_keys
    }

    /// The target of each row; empty outside a fit.
    pub fn target(&self) -> &[f64] {
        &self.target
    }

    /// The weight of each row; empty outside a fit, and where every row counts one.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The weight of `row`: one where rows have none.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }

    /// Where `row` stands in its source, from 0; for messages only.
    pub fn source_row(&self, row: usize) -> u64 {
        self.source_rows.get(row).copied().unwrap_or(self.first_row + row as u64)
    }

    pub(crate) fn set_schema(&mut self, schema: &Arc<Schema>) {
        self.schema = Arc::clone(schema);
    }

    pub(crate) fn columns_mut(&mut self) -> &mut Vec<Column> {
        &mut self.columns
    }

    pub(crate) fn set_n_rows(&mut self, n_rows: usize) {
        self.n_rows = n_rows;
    }

    /// Sets the scoring keys, one per row.
    pub fn set_keys(&mut self, keys: Vec<RowKey>) {
        debug_assert_eq!(keys.len(), self.n_rows, "one key per row");
        self.keys = keys;
    }

    pub(crate) fn keys_mut(&mut self) -> &mut Vec<RowKey> {
        &mut self.keys
    }

    /// Sets target and fitting keys, one per row, for a fit.
    pub fn set_target(&mut self, target: Vec<f64>, fit_keys: Vec<RowKey>) {
        debug_assert_eq!(target.len(), self.n_rows, "one target per row");
        debug_assert_eq!(fit_keys.len(), self.n_rows, "one fitting key per row");
        self.target = target;
        self.fit_keys = fit_keys;
    }

    /// Sets the weights, one per row or none at all, for a fit.
    pub fn set_weights(&mut self, weights: Vec<f64>) {
        debug_assert!(weights.is_empty() || weights.len() == self.n_rows, "one weight per row");
        self.weights = weights;
    }

    pub(crate) fn target_mut(&mut self) -> &mut [f64] {
        &mut self.target
    }

    /// The rows stand in their source where those of `other` do.
    pub(crate) fn set_source_rows(&mut self, other: &Batch) {
        self.first_row = other.first_row;
        self.source_rows.clone_from(&other.source_rows);
    }

    /// Says where the block begins in its source, for messages.
    pub fn set_first_row(&mut self, first_row: u64) {
        self.first_row = first_row;
        self.source_rows.clear();
    }

    /// An empty batch of that schema.
    pub fn empty(schema: &Arc<Schema>) -> Batch {
        Batch {
            schema: Arc::clone(schema),
            columns: schema.fields().iter().map(|f| Column::empty(f.kind)).collect(),
            ..Batch::default()
        }
    }

    /// Makes this an empty batch of `schema`, to be filled with [`Batch::column_mut`] and closed
    /// with [`Batch::close`]; buffers are reused.
    pub fn open(&mut self, schema: &Arc<Schema>) {
        self.clear();
        self.schema = Arc::clone(schema);
        for field in schema.fields() {
            let column = match field.kind {
                ColumnKind::Num => Column::Num(self.take_num()),
                ColumnKind::Text => Column::Text(self.take_text()),
                ColumnKind::Time => Column::Time(self.take_time()),
            };
            self.columns.push(column);
        }
    }

    /// The column at `slot` of an open batch. Append canonical values of its kind.
    pub fn column_mut(&mut self, slot: usize) -> &mut Column {
        &mut self.columns[slot]
    }

    /// Closes an open batch: its rows are those that every column has got.
    ///
    /// # Errors
    /// If one column has more rows than another, or there are more than
    /// [`ROWS_MAX`](super::ROWS_MAX).
    pub fn close(&mut self) -> Result<(), Error> {
        let n_rows = self.columns.first().map_or(0, Column::len);
        check_rows(n_rows)?;
        for (field, column) in self.schema.fields().iter().zip(&self.columns) {
            check_len(field, column, n_rows)?;
        }
        self.columns.iter_mut().for_each(Column::make_canonical);
        self.n_rows = n_rows;
        Ok(())
    }

    /// Forgets the rows, gives every column back, and keeps the buffers.
    pub fn clear(&mut self) {
        while let Some(column) = self.columns.pop() {
            self.give(column);
        }
        self.keys.clear();
        self.fit_keys.clear();
        self.target.clear();
        self.weights.clear();
        self.faults.clear();
        self.fresh_faults.clear();
        self.n_rows = 0;
        self.first_row = 0;
        self.source_rows.clear();
    }
}

fn check_len(field: &Field, column: &Column, n_rows: usize) -> Result<(), Error> {
    if column.len() == n_rows {
        return Ok(());
    }
    let message = format!("expected {n_rows} rows, found {}", column.len());
    Err(Error::new(Code::WrongKind, message).column(&field.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::push_missing;

    pub(super) fn batch() -> Batch {
        let schema =
            Schema::new([Field::new("age", ColumnKind::Num), Field::new("sex", ColumnKind::Text)])
                .unwrap();
        let columns =
            vec![Column::num([1.0, f64::NAN, -0.0]), Column::text([Some("f"), None, Some("m")])];
        Batch::new(Arc::new(schema), columns).unwrap()
    }

    #[test]
    fn values_are_canonical_at_the_door() {
        let b = batch();
        assert_eq!(b.num(0)[2].to_bits(), 0);
        assert!(b.column(1).is_missing(1));
        assert_eq!(b.column(1).value(2).to_string(), "text \"m\"");
    }

    #[test]
    fn a_column_of_another_kind_or_length_is_refused_by_name() {
        let b = batch();
        let bad =
            Batch::new(Arc::clone(b.schema()), vec![b.column(1).clone(), b.column(1).clone()]);
        assert_eq!(bad.unwrap_err().to_string(), "column `age`: expected num, found text");
        let short = Batch::new(
            Arc::clone(b.schema()),
            vec![Column::num([1.0, 2.0, 3.0]), Column::text([None])],
        );
        assert_eq!(short.unwrap_err().to_string(), "column `sex`: expected 3 rows, found 1");
    }

    #[test]
    fn an_opened_batch_has_the_rows_that_every_column_got() {
        let mut b = batch();
        let schema = Arc::clone(b.schema());
        b.open(&schema);
        push_missing(b.column_mut(0));
        assert_eq!(b.close().unwrap_err().to_string(), "column `sex`: expected 1 rows, found 0");
        push_missing(b.column_mut(1));
        b.close().unwrap();
        assert_eq!((b.n_rows(), b.faults().len()), (1, 0));
    }
}
