//! Nested shares of the training rows: what is in a small share is in every larger one.
//!
//! # Method
//! One order of all rows, of which a share is the first part. For regression rows are in the order
//! of the draws that belong to their keys. With classes, the rows of each class are in that order,
//! row r of n standing at (2r + 1) / 2n, so every share has the classes in proportion. The number
//! of rows of a share is rounded up.
//!
//! # Ties and order
//! Equal places are in the order of the classes, equal draws in the order of the keys: a share is a
//! function of seed, keys and the multiset of rows.

use samescore_core::aggregate::MemoryRows;
use samescore_core::config::{Config, Task};
use samescore_core::digest::RowKey;
use samescore_core::rng::Stream;

use crate::split;

/// A share of the whole, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many parts.
    pub part: u64,
    /// Of so many, above 0.
    pub of: u64,
}

impl Share {
    /// Everything.
    pub const WHOLE: Share = Share { part: 1, of: 1 };

    /// How many of `n` rows it is, rounded up.
    pub fn n_rows(self, n: usize) -> usize {
        let rows = (n as u128 * u128::from(self.part)).div_ceil(u128::from(self.of));
        usize::try_from(rows).unwrap_or(usize::MAX).min(n)
    }

    /// The share as a number, for the eye.
    pub fn ratio(self) -> f64 {
        self.part as f64 / self.of as f64
    }
}

/// The rows of a share.
pub fn nested(config: &Config, rows: &MemoryRows, share: Share) -> MemoryRows {
    if share.part >= share.of {
        return rows.clone();
    }
    let mut kept: Vec<Vec<bool>> =
        rows.blocks().iter().map(|block| vec![false; block.n_rows()]).collect();
    for (block, row) in order(config, rows).into_iter().take(share.n_rows(rows.n_rows())) {
        kept[block][row] = true;
    }
    split::select(rows, |block, row| kept[block][row])
}

/// Block and row of every row, in the order of which shares are the first parts.
fn order(config: &Config, rows: &MemoryRows) -> Vec<(usize, usize)> {
    let stream = Stream::new(config.seed, split::STEP, "", "share");
    let is_whole = config.target.task == Task::Regression;
    let mut drawn: Vec<(u32, u64, RowKey, (usize, usize))> = Vec::with_capacity(rows.n_rows());
    for (place, block) in rows.blocks().iter().enumerate() {
        for (row, key) in block.fit_keys().iter().enumerate() {
            let class = if is_whole { 0 } else { block.target()[row] as u32 };
            drawn.push((class, stream.hash(*key), *key, (place, row)));
        }
    }
    drawn.sort();
    let mut placed = Vec::with_capacity(drawn.len());
    for class in drawn.chunk_by(|a, b| a.0 == b.0) {
        let n = class.len() as u64;
        for (rank, (class, _, _, place)) in class.iter().enumerate() {
            placed.push((2 * rank as u64 + 1, n, *class, *place));
        }
    }
    // (2r + 1) / 2n against (2s + 1) / 2m, without dividing.
    placed.sort_by(|a, b| {
        let left = u128::from(a.0) * u128::from(b.1);
        let right = u128::from(b.0) * u128::from(a.1);
        left.cmp(&right).then(a.2.cmp(&b.2))
    });
    placed.into_iter().map(|(_, _, _, place)| place).collect()
}
