//! Rows seen through a change of each block: some of them, some of them several times, or with
//! another target.
//!
//! A block stays a block and its rows keep their order, so that whatever is decided by a row's
//! fitting key alone is decided alike however the rows arrive. Each pass makes the change anew.

use std::sync::Arc;

use super::Rows;
use crate::batch::{Batch, Schema};
use crate::digest::RowKey;
use crate::error::Result;

/// Rows behind a change of each block.
pub struct Subset<'a> {
    rows: &'a dyn Rows,
    change: Box<dyn Fn(&Batch) -> Batch + Sync + 'a>,
}

impl<'a> Subset<'a> {
    /// Each row as often as `times` says of its fitting key.
    pub fn repeated(rows: &'a dyn Rows, times: impl Fn(RowKey) -> u32 + Sync + 'a) -> Self {
        let change = move |block: &Batch| {
            let mut places = Vec::new();
            for (row, &key) in block.fit_keys().iter().enumerate() {
                (0..times(key)).for_each(|_| places.push(row));
            }
            block.select(&places)
        };
        Subset { rows, change: Box::new(change) }
    }

    /// The rows of whose fitting key `keep` says so.
    pub fn kept(rows: &'a dyn Rows, keep: impl Fn(RowKey) -> bool + Sync + 'a) -> Self {
        Subset::repeated(rows, move |key| u32::from(keep(key)))
    }

    /// All rows with another target.
    pub fn retargeted(rows: &'a dyn Rows, target: impl Fn(f64) -> f64 + Sync + 'a) -> Self {
        let change = move |block: &Batch| {
            let mut block = block.clone();
            block.target_mut().iter_mut().for_each(|y| *y = target(*y));
            block
        };
        Subset { rows, change: Box::new(change) }
    }
}

impl Rows for Subset<'_> {
    fn schema(&self) -> &Arc<Schema> {
        self.rows.schema()
    }

    fn n_blocks(&self) -> usize {
        self.rows.n_blocks()
    }

    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()> {
        self.rows.with_block(index, &mut |block| see(&(self.change)(block)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::testing::{nums, table_with_target};

    fn values(rows: &dyn Rows) -> Vec<(f64, f64)> {
        let mut found = Vec::new();
        for index in 0..rows.n_blocks() {
            let mut see = |block: &Batch| {
                found.extend(block.num(0).iter().copied().zip(block.target().iter().copied()));
            };
            rows.with_block(index, &mut see).unwrap();
        }
        found
    }

    #[test]
    fn rows_are_left_out_repeated_and_retargeted_in_place() {
        let t = table_with_target(&[("x", nums(&[1.0, 2.0, 3.0]))], &[0.0, 1.0, 2.0]);
        let keys = t.fit_keys().to_vec();
        let rows = MemoryRows::new(Arc::clone(t.schema()), t.into_blocks(2));
        let first = keys[0];
        assert_eq!(values(&Subset::kept(&rows, |key| key != first)), [(2.0, 1.0), (3.0, 2.0)]);
        let twice = Subset::repeated(&rows, |key| if key == first { 2 } else { 0 });
        assert_eq!(values(&twice), [(1.0, 0.0), (1.0, 0.0)]);
        let is_two = Subset::retargeted(&rows, |y| f64::from(u8::from(y == 2.0)));
        assert_eq!(values(&is_two), [(1.0, 0.0), (2.0, 0.0), (3.0, 1.0)]);
    }
}
