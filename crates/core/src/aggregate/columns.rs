//! Aggregates of columns by themselves: counts, moments, quantiles, values, levels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Aggregate, Rows, Slots};
use crate::batch::{Batch, Column, MISSING_CODE, MISSING_TIME};
use crate::error::Result;
use crate::math::{DistinctCounts, Moments, QuantileSelect, QuantileType};

/// A time is ordered as its bits with this one changed.
const SIGN: u64 = 1 << 63;

/// Count, exact sum, mean, variance, minimum and maximum of numeric columns; missing is counted
/// apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnMoments {
    slots: Slots,
    columns: Vec<Moments>,
}

impl ColumnMoments {
    /// Of the numeric columns at `slots`.
    pub fn new(slots: &[usize]) -> Self {
        ColumnMoments { slots: Slots::new(slots), columns: vec![Moments::default(); slots.len()] }
    }

    /// The moments by position in `slots`.
    pub fn finish(self) -> Vec<Moments> {
        self.columns
    }
}

impl Aggregate for ColumnMoments {
    fn observe(&mut self, block: &Batch) {
        for (slot, moments) in self.slots.iter().zip(&mut self.columns) {
            moments.observe_slice(block.num(slot));
        }
    }

    fn merge(&mut self, other: &Self) {
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
    }
}

/// Exact quantiles of columns of numbers or times in at most four passes; missing is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnQuantiles {
    slots: Slots,
    columns: Vec<QuantileSelect>,
}

impl ColumnQuantiles {
    /// The quantiles `qs` of each numeric column at `slots`; `None` where a column has no value.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub fn of(
        rows: &dyn Rows,
        slots: &[usize],
        qs: &[f64],
        kind: QuantileType,
    ) -> Result<Vec<Vec<Option<f64>>>> {
        let found = Self::found(rows, slots, QuantileSelect::new(qs, kind))?;
        Ok(found.iter().map(QuantileSelect::finish).collect())
    }

    /// The same of time columns, each a time that occurs: of the type `lower`.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub fn of_times(rows: &dyn Rows, slots: &[usize], qs: &[f64]) -> Result<Vec<Vec<Option<i64>>>> {
        let found = Self::found(rows, slots, QuantileSelect::new(qs, QuantileType::Lower))?;
        let time = |key: Option<u64>| key.map(|key| (key ^ SIGN) as i64);
        let times = found.iter().map(|select| select.finish_keys().into_iter().map(time).collect());
        Ok(times.collect())
    }

    fn found(
        rows: &dyn Rows,
        slots: &[usize],
        start: QuantileSelect,
    ) -> Result<Vec<QuantileSelect>> {
        let mut passes =
            ColumnQuantiles { slots: Slots::new(slots), columns: vec![start; slots.len()] };
        loop {
            passes = rows.aggregate(passes)?;
            let mut another = false;
            for column in &mut passes.columns {
                another |= column.advance();
            }
            if !another {
                return Ok(passes.columns);
            }
        }
    }
}

impl Aggregate for ColumnQuantiles {
    fn observe(&mut self, block: &Batch) {
        for (slot, select) in self.slots.iter().zip(&mut self.columns) {
            match block.column(slot) {
                Column::Time(times) => {
                    let times = times.iter().filter(|t| **t != MISSING_TIME);
                    select.observe_keys(times.map(|t| (*t as u64) ^ SIGN));
                }
                _ => select.observe_slice(block.num(slot)),
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
    }
}

/// The multiset of values of numeric columns; missing is skipped. Memory grows with distinct
/// values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnValues {
    slots: Slots,
    columns: Vec<DistinctCounts>,
}

impl ColumnValues {
    /// Of the numeric columns at `slots`.
    pub fn new(slots: &[usize]) -> Self {
        let columns = vec![DistinctCounts::default(); slots.len()];
        ColumnValues { slots: Slots::new(slots), columns }
    }

    /// Per column the ascending values with their counts.
    pub fn finish(self) -> Vec<Vec<(f64, u64)>> {
        self.columns.iter().map(DistinctCounts::finish).collect()
    }
}

impl Aggregate for ColumnValues {
    fn observe(&mut self, block: &Batch) {
        for (slot, counts) in self.slots.iter().zip(&mut self.columns) {
            counts.observe_slice(block.num(slot));
        }
    }

    fn merge(&mut self, other: &Self) {
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
    }
}

/// How often each label occurs in text columns, in code-point order of the labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelCounts {
    slots: Slots,
    columns: Vec<Counts>,
}

/// The labels of one column with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows per label.
    pub levels: BTreeMap<String, u64>,
    /// Rows without a label.
    pub n_missing: u64,
}

impl Counts {
    /// Rows with and without a label.
    pub fn n_rows(&self) -> u64 {
        self.n_missing + self.levels.values().sum::<u64>()
    }
}

impl LevelCounts {
    /// Of the text columns at `slots`.
    pub fn new(slots: &[usize]) -> Self {
        LevelCounts { slots: Slots::new(slots), columns: vec![Counts::default(); slots.len()] }
    }

    /// The counts by position in `slots`.
    pub fn finish(self) -> Vec<Counts> {
        self.columns
    }
}

impl Aggregate for LevelCounts {
    fn observe(&mut self, block: &Batch) {
        for (slot, counts) in self.slots.iter().zip(&mut self.columns) {
            let text = block.text(slot);
            let mut by_code = vec![0u64; text.n_levels()];
            for &code in text.codes() {
                match code {
                    MISSING_CODE => counts.n_missing += 1,
                    code => by_code[code as usize] += 1,
                }
            }
            for (level, n) in text.levels().zip(by_code) {
                add_count(&mut counts.levels, level, n);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.columns.iter_mut().zip(&other.columns) {
            a.n_missing += b.n_missing;
            b.levels.iter().for_each(|(level, n)| add_count(&mut a.levels, level, *n));
        }
    }
}

/// Adds `n` rows to a label; a label without rows does not exist.
fn add_count(levels: &mut BTreeMap<String, u64>, level: &str, n: u64) {
    if n == 0 {
        return;
    }
    match levels.get_mut(level) {
        Some(count) => *count += n,
        None => {
            levels.insert(level.to_owned(), n);
        }
    }
}

/// Rows and missing values of columns of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingCounts {
    slots: Slots,
    n_rows: u64,
    n_missing: Vec<u64>,
}

impl MissingCounts {
    /// Of the columns at `slots`.
    pub fn new(slots: &[usize]) -> Self {
        MissingCounts { slots: Slots::new(slots), n_rows: 0, n_missing: vec![0; slots.len()] }
    }

    /// The number of rows, and the number of missing values by position in `slots`.
    pub fn finish(self) -> (u64, Vec<u64>) {
        (self.n_rows, self.n_missing)
    }
}

impl Aggregate for MissingCounts {
    fn observe(&mut self, block: &Batch) {
        self.n_rows += block.n_rows() as u64;
        for (slot, n) in self.slots.iter().zip(&mut self.n_missing) {
            let column = block.column(slot);
            *n += (0..block.n_rows()).filter(|&row| column.is_missing(row)).count() as u64;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.n_rows += other.n_rows;
        self.n_missing.iter_mut().zip(&other.n_missing).for_each(|(a, b)| *a += b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::testing::table;

    #[test]
    fn quantiles_of_times_are_those_that_sorting_finds() {
        // Years before 1970, and beyond what a double can tell from its neighbours.
        let micros = |i: i64| (i * 7919 % 1009 - 500) * 100_000_000_000_001;
        let mut times: Vec<i64> = (0..1009).map(micros).collect();
        times.push(MISSING_TIME);
        let batch = table(&[("t", Column::Time(times.clone()))]);
        let qs = [0.0, 0.1, 0.5, 0.99, 1.0];
        let of = |block_rows: usize| {
            let schema = std::sync::Arc::clone(batch.schema());
            let rows = MemoryRows::new(schema, batch.clone().into_blocks(block_rows));
            ColumnQuantiles::of_times(&rows, &[0], &qs).unwrap()
        };
        let found = of(1 << 12);
        assert_eq!(of(7), found);
        times.pop();
        times.sort();
        // The rank below 1008 q: 0, 100, 504, 997, 1008.
        let expected = [0, 100, 504, 997, 1008].map(|rank: usize| Some(times[rank]));
        assert_eq!(found, [expected]);
        let none = table(&[("t", Column::Time(vec![MISSING_TIME; 3]))]);
        let none = ColumnQuantiles::of_times(&MemoryRows::from_batch(none), &[0], &qs).unwrap();
        assert_eq!(none, [[None; 5]]);
    }
}
