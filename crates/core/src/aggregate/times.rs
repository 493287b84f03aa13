//! Exact quantiles of times.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Rows, Slots};
use crate::batch::{Batch, MISSING_TIME};
use crate::error::Result;
use crate::math::{QuantileSelect, QuantileType};

/// A time is ordered as this key is.
const SIGN: u64 = 1 << 63;

/// Exact quantiles of time columns in at most four passes, each a time that occurs: of the type
/// `lower`. Missing is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimeQuantiles {
    slots: Slots,
    columns: Vec<QuantileSelect>,
}

impl TimeQuantiles {
    /// The quantiles `qs` of each column at `slots`; `None` where a column has no value.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub fn of(rows: &dyn Rows, slots: &[usize], qs: &[f64]) -> Result<Vec<Vec<Option<i64>>>> {
        let start = QuantileSelect::new(qs, QuantileType::Lower);
        let columns = vec![start; slots.len()];
        let mut passes = TimeQuantiles { slots: Slots::new(slots), columns };
        loop {
            passes = rows.aggregate(passes)?;
            let mut another = false;
            for column in &mut passes.columns {
                another |= column.advance();
            }
            if !another {
                let time = |key: Option<u64>| key.map(|key| (key ^ SIGN) as i64);
                let found = passes.columns.iter().map(QuantileSelect::finish_keys);
                return Ok(found.map(|keys| keys.into_iter().map(time).collect()).collect());
            }
        }
    }
}

impl Aggregate for TimeQuantiles {
    fn observe(&mut self, block: &Batch) {
        for (slot, select) in self.slots.iter().zip(&mut self.columns) {
            let times = block.time(slot).iter().filter(|t| **t != MISSING_TIME);
            select.observe_keys(times.map(|t| (*t as u64) ^ SIGN));
        }
    }

    fn merge(&mut self, other: &Self) {
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::batch::Column;
    use crate::testing::table;

    #[test]
    fn quantiles_are_the_times_that_sorting_finds() {
        // Years before 1970, and beyond what a double can tell from its neighbours.
        let micros = |i: i64| (i * 7919 % 1009 - 500) * 100_000_000_000_001;
        let mut times: Vec<i64> = (0..1009).map(micros).collect();
        times.push(MISSING_TIME);
        let batch = table(&[("t", Column::Time(times.clone()))]);
        let qs = [0.0, 0.1, 0.5, 0.99, 1.0];
        let of = |block_rows: usize| {
            let schema = std::sync::Arc::clone(batch.schema());
            let rows = MemoryRows::new(schema, batch.clone().into_blocks(block_rows));
            TimeQuantiles::of(&rows, &[0], &qs).unwrap()
        };
        let found = of(1 << 12);
        assert_eq!(of(7), found);
        times.pop();
        times.sort();
        // The rank below 1008 q: 0, 100, 504, 997, 1008.
        let expected = [0, 100, 504, 997, 1008].map(|rank: usize| Some(times[rank]));
        assert_eq!(found, [expected]);
        let none = table(&[("t", Column::Time(vec![MISSING_TIME; 3]))]);
        let none = TimeQuantiles::of(&MemoryRows::from_batch(none), &[0], &qs).unwrap();
        assert_eq!(none, [[None; 5]]);
    }
}
