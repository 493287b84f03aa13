//! How the times of a column spread in training: quantiles and counts between the deciles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::{DECILES, PROFILE_QUANTILES, bin};
use crate::aggregate::{Aggregate, Rows, Slots, TimeQuantiles};
use crate::batch::{Batch, MISSING_TIME};
use crate::error::Result;

/// Quantiles of times, and how many rows are between the deciles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpread {
    /// At [`PROFILE_QUANTILES`], in microseconds, of the type `lower`: between two times no other
    /// is made up. Empty if there is no value.
    pub quantiles: Vec<i64>,
    /// Rows per bin of the deciles, as of numbers. Empty if there is no value.
    pub bins: Vec<u64>,
}

impl TimeSpread {
    /// The edges of the bins: the deciles.
    pub fn deciles(&self) -> &[i64] {
        self.quantiles.get(DECILES).unwrap_or_default()
    }

    /// Whether it has the parts that it must have.
    pub(super) fn is_sound(&self) -> bool {
        let ascend = self.quantiles.windows(2).all(|pair| pair[0] <= pair[1]);
        match (self.quantiles.len(), self.bins.len()) {
            (0, 0) => true,
            (n, bins) => ascend && n == PROFILE_QUANTILES.len() && bins == DECILES.len() + 1,
        }
    }

    /// The spread of each column at `slots`, in at most five passes.
    pub(super) fn of(rows: &dyn Rows, slots: &[usize]) -> Result<BTreeMap<usize, TimeSpread>> {
        if slots.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = TimeQuantiles::of(rows, slots, &PROFILE_QUANTILES)?;
        let mut spreads: Vec<TimeSpread> = found
            .into_iter()
            .map(|quantiles| {
                let quantiles = quantiles.into_iter().collect::<Option<_>>().unwrap_or_default();
                TimeSpread { quantiles, bins: Vec::new() }
            })
            .collect();
        let edges: Vec<Vec<i64>> = spreads.iter().map(|spread| spread.deciles().to_vec()).collect();
        let counts = edges.iter().map(|edges| vec![0; edges.len() + 1]).collect();
        let bins = TimeBins { slots: Slots::new(slots), edges, counts };
        for (spread, counts) in spreads.iter_mut().zip(rows.aggregate(bins)?.counts) {
            spread.bins = if spread.quantiles.is_empty() { Vec::new() } else { counts };
        }
        Ok(slots.iter().copied().zip(spreads).collect())
    }
}

/// Rows per bin of time columns; missing is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TimeBins {
    slots: Slots,
    edges: Vec<Vec<i64>>,
    counts: Vec<Vec<u64>>,
}

impl Aggregate for TimeBins {
    fn observe(&mut self, block: &Batch) {
        for ((slot, edges), counts) in self.slots.iter().zip(&self.edges).zip(&mut self.counts) {
            let times = block.time(slot).iter().filter(|t| **t != MISSING_TIME);
            times.for_each(|&t| counts[bin(edges, t)] += 1);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
    }
}
