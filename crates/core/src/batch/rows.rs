//! A block of rows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::sync::Arc;

use super::{BLOCK_ROWS, Column, ColumnKind, Field, Schema, TextColumn, check_rows};
use crate::digest::RowKey;
use crate::error::{Code, Error};
use crate::par;

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

/// Buffers given back, to be handed out again.
#[derive(Clone, Debug, Default)]
struct Spare {
    num: Vec<Vec<f64>>,
    text: Vec<TextColumn>,
    time: Vec<Vec<i64>>,
    slots: Vec<Vec<usize>>,
    codes: Codes,
}

/// Buffers for rows as small whole numbers, which models of trees work on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes {
    /// 64 rows of a column at a time.
    pub narrow: Vec<[i8; 64]>,
    /// Row by row.
    pub wide: Vec<u16>,
    /// Per text column the level of each label of the block's dictionary.
    pub levels: Vec<u32>,
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

    /// An empty numeric buffer, warm if one was given back.
    pub fn take_num(&mut self) -> Vec<f64> {
        self.spare.num.pop().unwrap_or_default()
    }

    /// An empty text buffer, warm if one was given back.
    pub fn take_text(&mut self) -> TextColumn {
        self.spare.text.pop().unwrap_or_default()
    }

    /// An empty time buffer, warm if one was given back.
    pub fn take_time(&mut self) -> Vec<i64> {
        self.spare.time.pop().unwrap_or_default()
    }

    /// An empty buffer of positions, warm if one was given back.
    pub fn take_slots(&mut self) -> Vec<usize> {
        self.spare.slots.pop().unwrap_or_default()
    }

    /// Gives a buffer of positions back.
    pub fn give_slots(&mut self, mut slots: Vec<usize>) {
        slots.clear();
        self.spare.slots.push(slots);
    }

    /// Gives a buffer back.
    pub fn give(&mut self, mut column: Column) {
        column.clear();
        match column {
            Column::Num(v) => self.spare.num.push(v),
            Column::Text(v) => self.spare.text.push(v),
            Column::Time(v) => self.spare.time.push(v),
        }
    }

    /// The buffers for codes, warm if they were given back.
    pub(crate) fn take_codes(&mut self) -> Codes {
        std::mem::take(&mut self.spare.codes)
    }

    /// Gives the buffers for codes back.
    pub(crate) fn give_codes(&mut self, buffers: Codes) {
        self.spare.codes = buffers;
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

    /// Records that `row` cannot be scored. The first fault of a row stays.
    pub fn fault(&mut self, row: usize, slot: usize, error: Error) {
        let name = self.schema.fields().get(slot).map(|f| f.name.as_str());
        let error = match name {
            Some(name) => error.column(name),
            None => error,
        };
        self.fault_row(row, error);
    }

    /// Records a fault that belongs to no one column.
    pub fn fault_row(&mut self, row: usize, error: Error) {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        if let Entry::Vacant(place) = self.faults.entry(row) {
            place.insert(error);
            self.fresh_faults.push(row);
        }
    }

    /// Why `row` cannot be scored, if so.
    pub fn fault_of(&self, row: usize) -> Option<&Error> {
        u32::try_from(row).ok().and_then(|row| self.faults.get(&row))
    }

    /// Whether `row` has a fault.
    pub fn has_fault(&self, row: usize) -> bool {
        !self.faults.is_empty()
            && u32::try_from(row).is_ok_and(|row| self.faults.contains_key(&row))
    }

    /// The faults by row of this block.
    pub fn faults(&self) -> &BTreeMap<u32, Error> {
        &self.faults
    }

    /// Names the step in the faults that came since the last call.
    pub(crate) fn name_faults(&mut self, step: &str) {
        for row in self.fresh_faults.drain(..) {
            if let Some(error) = self.faults.get_mut(&row) {
                *error = error.clone().step(step);
            }
        }
    }

    /// Leaves the faults that came so far without a step: they are about the row as it arrived.
    pub(crate) fn keep_faults_unnamed(&mut self) {
        self.fresh_faults.clear();
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

    /// The rows `rows` as a batch of their own, in that order, without faults.
    pub fn select(&self, rows: &[usize]) -> Batch {
        let columns = self.columns.iter().map(|c| {
            let mut column = Column::empty(c.kind());
            column.extend_from(c, rows.iter().copied());
            column
        });
        Batch {
            schema: Arc::clone(&self.schema),
            columns: columns.collect(),
            keys: pick(&self.keys, rows),
            fit_keys: pick(&self.fit_keys, rows),
            target: pick(&self.target, rows),
            weights: pick(&self.weights, rows),
            source_rows: rows.iter().map(|&i| self.source_row(i)).collect(),
            n_rows: rows.len(),
            ..Batch::default()
        }
    }

    /// Appends the rows of `other`, which has the same schema.
    pub fn append(&mut self, other: &Batch) {
        for (column, o) in self.columns.iter_mut().zip(&other.columns) {
            column.extend_from(o, 0..other.n_rows);
        }
        self.keys.extend_from_slice(&other.keys);
        self.fit_keys.extend_from_slice(&other.fit_keys);
        self.target.extend_from_slice(&other.target);
        self.weights.extend_from_slice(&other.weights);
        if self.source_rows.is_empty() {
            self.source_rows = (0..self.n_rows).map(|row| self.source_row(row)).collect();
        }
        let behind = (0..other.n_rows).map(|row| other.source_row(row));
        self.source_rows.extend(behind);
        self.n_rows += other.n_rows;
    }

    /// Makes this batch the rows `range` of `source`, of its columns at `slots` under `schema`;
    /// buffers are reused.
    pub fn fill(
        &mut self,
        schema: &Arc<Schema>,
        source: &Batch,
        slots: &[usize],
        range: Range<usize>,
    ) {
        self.clear();
        self.schema = Arc::clone(schema);
        for &slot in slots {
            let column = match &source.columns[slot] {
                Column::Num(v) => {
                    let mut buffer = self.take_num();
                    buffer.extend_from_slice(&v[range.clone()]);
                    Column::Num(buffer)
                }
                Column::Time(v) => {
                    let mut buffer = self.take_time();
                    buffer.extend_from_slice(&v[range.clone()]);
                    Column::Time(buffer)
                }
                Column::Text(v) => {
                    let mut buffer = self.take_text();
                    buffer.extend_from(v, range.clone());
                    Column::Text(buffer)
                }
            };
            self.columns.push(column);
        }
        self.n_rows = range.len();
        self.first_row = source.source_row(range.start);
        if !source.source_rows.is_empty() {
            self.source_rows.extend_from_slice(&source.source_rows[range.clone()]);
        }
        if !source.faults.is_empty() {
            // The door let no more rows in than 32 bits count.
            let place = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
            let start = place(range.start);
            let faults = source.faults.range(start..place(range.end));
            let ours = faults.filter(|(_, error)| concerns(error, schema));
            self.faults.extend(ours.map(|(&row, error)| (row - start, error.clone())));
        }
    }

    /// An empty batch of that schema.
    pub fn empty(schema: &Arc<Schema>) -> Batch {
        Batch {
            schema: Arc::clone(schema),
            columns: schema.fields().iter().map(|f| Column::empty(f.kind)).collect(),
            ..Batch::default()
        }
    }

    /// Cuts the batch into blocks of at most `block_rows` rows.
    pub fn into_blocks(self, block_rows: usize) -> Vec<Batch> {
        let step = block_rows.max(1);
        if self.n_rows <= step {
            return vec![self];
        }
        let mut blocks = Vec::with_capacity(self.n_rows.div_ceil(step));
        let mut start = 0;
        while start < self.n_rows {
            let rows: Vec<usize> = (start..(start + step).min(self.n_rows)).collect();
            let mut block = self.select(&rows);
            if self.source_rows.is_empty() {
                block.source_rows = Vec::new();
                block.first_row = self.first_row + start as u64;
            }
            blocks.push(block);
            start += step;
        }
        blocks
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

/// What every row has, for the rows `rows`; nothing stays nothing.
fn pick<T: Copy>(source: &[T], rows: &[usize]) -> Vec<T> {
    if source.is_empty() { Vec::new() } else { rows.iter().map(|&i| source[i]).collect() }
}

/// Whether a fault is of a column of `schema`, or of no one column.
pub(crate) fn concerns(error: &Error, schema: &Schema) -> bool {
    error.column_name().is_none_or(|name| schema.position(name).is_some())
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

    fn batch() -> Batch {
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
    fn blocks_hold_the_same_rows_and_say_where_they_begin() {
        let blocks = batch().into_blocks(2);
        assert_eq!(blocks.iter().map(Batch::n_rows).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(blocks[1].source_row(0), 2);
        assert_eq!(blocks[1].text(1).get(0), Some("m"));
    }

    #[test]
    fn the_first_fault_of_a_row_stays_and_names_its_column() {
        let mut b = batch();
        b.fault(1, 0, Error::new(Code::MissingValue, "first"));
        b.fault(1, 1, Error::new(Code::MissingValue, "second"));
        assert_eq!(b.faults()[&1].to_string(), "column `age`: first");
    }

    #[test]
    fn a_step_is_named_only_in_the_faults_that_came_in_it() {
        let mut b = batch();
        b.fault(0, 0, Error::new(Code::WrongKind, "on arrival"));
        b.keep_faults_unnamed();
        b.fault(0, 0, Error::new(Code::MissingValue, "too late"));
        b.fault(1, 0, Error::new(Code::MissingValue, "in the step"));
        b.name_faults("impute");
        b.name_faults("scale");
        let shown: Vec<String> = b.faults().values().map(ToString::to_string).collect();
        assert_eq!(shown, ["column `age`: on arrival", "step `impute`: column `age`: in the step"]);
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

    #[test]
    fn buffers_given_back_are_handed_out_again() {
        let mut b = batch();
        b.replace(0, Column::num([1.0, 2.0, 3.0]));
        assert!(b.take_num().capacity() >= 3);
    }
}
