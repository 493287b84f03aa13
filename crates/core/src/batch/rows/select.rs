//! Rows of a block as another block.

use std::ops::Range;
use std::sync::Arc;

use super::{Batch, Column, Schema, concerns};

impl Batch {
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
}

/// What every row has, for the rows `rows`; nothing stays nothing.
fn pick<T: Copy>(source: &[T], rows: &[usize]) -> Vec<T> {
    if source.is_empty() { Vec::new() } else { rows.iter().map(|&i| source[i]).collect() }
}

#[cfg(test)]
mod tests {
    use crate::batch::Batch;
    use crate::batch::rows::tests::batch;

    #[test]
    fn blocks_hold_the_same_rows_and_say_where_they_begin() {
        let blocks = batch().into_blocks(2);
        assert_eq!(blocks.iter().map(Batch::n_rows).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(blocks[1].source_row(0), 2);
        assert_eq!(blocks[1].text(1).get(0), Some("m"));
    }
}
