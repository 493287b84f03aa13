//! How the values of a column spread in training: quantiles, counts between the deciles, counts of
//! labels. All exact, so that drift compares with what training saw and not with an estimate.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, ColumnQuantiles, Counts, Rows, Slots};
use crate::batch::{Batch, MISSING_TIME};
use crate::error::Result;
use crate::math::{self, Moments, QuantileType};

/// The shares of rows whose quantiles a profile holds.
pub const PROFILE_QUANTILES: [f64; 13] =
    [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// Where the nine deciles stand among the quantiles.
const DECILES: std::ops::Range<usize> = 2..11;
/// A profile counts so many labels of a column one by one: the most frequent ones, of equally
/// frequent ones those that come first in code-point order.
pub const PROFILE_LEVELS_MAX: usize = 100;
/// Longer labels are not listed, to bound the artifact: their rows are among the rest.
pub const PROFILE_LEVEL_BYTES_MAX: usize = 200;

/// How the values of a column spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Of numbers.
    Num(NumSpread),
    /// Of labels.
    Text(LevelSpread),
    /// Of times.
    Time(TimeSpread),
}

/// Quantiles of numbers or times, and how many rows are between the deciles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderedSpread<T> {
    /// At [`PROFILE_QUANTILES`]. Empty if there is no value.
    pub quantiles: Vec<T>,
    /// Rows per bin of the deciles; see `bin`. Empty if there is no value.
    pub bins: Vec<u64>,
}

/// Of numbers: quantiles of type 7; in a column with infinities, between which no number lies, of
/// the type `lower`.
pub type NumSpread = OrderedSpread<f64>;

/// Of times, in microseconds: quantiles of the type `lower`, since between two times no other is
/// made up.
pub type TimeSpread = OrderedSpread<i64>;

/// How often each label occurs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSpread {
    /// Rows per listed label: of at most [`PROFILE_LEVELS_MAX`].
    pub levels: BTreeMap<String, u64>,
    /// Rows with another label.
    pub n_rest: u64,
}

/// The bin of a number among ascending edges e1, e2, ...: bin i holds the numbers above e(i) up to
/// e(i+1), so that there is one bin more than edges.
///
/// An edge that stands there more than once is a value of many rows, and has a bin of its own: the
/// second one of its bins. So it is told from what lies below, and bins between its other
/// repetitions stay empty.
pub(super) fn bin<T: Copy + PartialOrd>(edges: &[T], x: T) -> usize {
    let below = edges.partition_point(|edge| *edge < x);
    let is_repeated = edges.get(below..below + 2).is_some_and(|pair| pair == [x, x]);
    below + usize::from(is_repeated)
}

impl<T: Copy + PartialOrd> OrderedSpread<T> {
    /// That of a column with these quantiles, whose bins are not counted yet.
    fn of_quantiles(quantiles: Vec<Option<T>>) -> Self {
        let quantiles = quantiles.into_iter().collect::<Option<_>>().unwrap_or_default();
        OrderedSpread { quantiles, bins: Vec::new() }
    }

    /// The edges of the bins: the deciles.
    pub fn deciles(&self) -> &[T] {
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
}

impl TimeSpread {
    /// The spread of each time column at `slots`, in at most five passes.
    pub(super) fn of(rows: &dyn Rows, slots: &[usize]) -> Result<BTreeMap<usize, TimeSpread>> {
        let found = match slots {
            [] => Vec::new(),
            slots => ColumnQuantiles::of_times(rows, slots, &PROFILE_QUANTILES)?,
        };
        let spreads = found.into_iter().map(TimeSpread::of_quantiles);
        counted(rows, slots.iter().copied().zip(spreads).collect())
    }
}

impl NumSpread {
    /// The spread of each column at `slots`, whose moments are known. The passes are at most five
    /// per group of columns; groups bound the memory that selection takes.
    pub(super) fn of(
        rows: &dyn Rows,
        slots: &[usize],
        moments: &[Moments],
        n_rows: u64,
    ) -> Result<BTreeMap<usize, NumSpread>> {
        let is_finite =
            |m: &Moments| m.min().zip(m.max()).is_none_or(|(a, b)| a.is_finite() && b.is_finite());
        let (finite, infinite): (Vec<_>, Vec<_>) =
            slots.iter().zip(moments).partition(|(_, m)| is_finite(m));
        // A table of counts of a 16-bit digit takes half a megabyte, and beyond so many rows every
        // quantile may need its own.
        let group = if n_rows <= 1 << 16 { 64 } else { 16 };
        let mut spreads = BTreeMap::new();
        for (columns, kind) in [(finite, QuantileType::Linear), (infinite, QuantileType::Lower)] {
            let slots: Vec<usize> = columns.iter().map(|(slot, _)| **slot).collect();
            for slots in slots.chunks(group) {
                let found = ColumnQuantiles::of(rows, slots, &PROFILE_QUANTILES, kind)?;
                let found = found.into_iter().map(NumSpread::of_quantiles);
                spreads.extend(slots.iter().copied().zip(found));
            }
        }
        counted(rows, spreads)
    }
}

/// The spreads of the columns at their slots, with their rows per bin.
fn counted<T: Cell>(
    rows: &dyn Rows,
    mut spreads: BTreeMap<usize, OrderedSpread<T>>,
) -> Result<BTreeMap<usize, OrderedSpread<T>>> {
    if spreads.is_empty() {
        return Ok(spreads);
    }
    let edges = spreads.values().map(|spread| spread.deciles().to_vec()).collect();
    let slots: Vec<usize> = spreads.keys().copied().collect();
    let counts = rows.aggregate(BinCounts::new(&slots, edges))?.counts;
    for (spread, counts) in spreads.values_mut().zip(counts) {
        spread.bins = if spread.quantiles.is_empty() { Vec::new() } else { counts };
    }
    Ok(spreads)
}

impl LevelSpread {
    /// The most frequent labels of a column.
    pub(super) fn of(counts: &Counts) -> Self {
        let mut by_count: Vec<(u64, &String)> =
            counts.levels.iter().map(|(level, n)| (*n, level)).collect();
        by_count.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let listed = by_count.iter().filter(|(_, level)| level.len() <= PROFILE_LEVEL_BYTES_MAX);
        let levels: BTreeMap<String, u64> =
            listed.take(PROFILE_LEVELS_MAX).map(|(n, level)| ((*level).clone(), *n)).collect();
        let n_listed = levels.values().sum::<u64>();
        LevelSpread { n_rest: counts.n_rows() - counts.n_missing - n_listed, levels }
    }

    /// Whether it has no more than it may have.
    pub(super) fn is_sound(&self) -> bool {
        self.levels.len() <= PROFILE_LEVELS_MAX
    }
}

/// What stands in a column of numbers or times.
trait Cell: Copy + PartialOrd + Send + Sync + Serialize + DeserializeOwned {
    /// The cells of a column.
    fn cells(block: &Batch, slot: usize) -> &[Self];

    fn is_missing(self) -> bool;
}

impl Cell for f64 {
    fn cells(block: &Batch, slot: usize) -> &[f64] {
        block.num(slot)
    }

    fn is_missing(self) -> bool {
        math::is_missing(self)
    }
}

impl Cell for i64 {
    fn cells(block: &Batch, slot: usize) -> &[i64] {
        block.time(slot)
    }

    fn is_missing(self) -> bool {
        self == MISSING_TIME
    }
}

/// Rows per bin of columns; missing is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct BinCounts<T> {
    slots: Slots,
    edges: Vec<Vec<T>>,
    counts: Vec<Vec<u64>>,
}

impl<T> BinCounts<T> {
    fn new(slots: &[usize], edges: Vec<Vec<T>>) -> Self {
        let counts = edges.iter().map(|edges| vec![0; edges.len() + 1]).collect();
        BinCounts { slots: Slots::new(slots), edges, counts }
    }
}

impl<T: Cell> Aggregate for BinCounts<T> {
    fn observe(&mut self, block: &Batch) {
        for ((slot, edges), counts) in self.slots.iter().zip(&self.edges).zip(&mut self.counts) {
            let values = T::cells(block, slot).iter().filter(|x| !x.is_missing());
            values.for_each(|&x| counts[bin(edges, x)] += 1);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_on_an_edge_belongs_below_it_but_for_a_repeated_one() {
        let edges = [1.0, 2.0, 2.0, 2.0, 5.0];
        let bins = [0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 6.0].map(|x| bin(&edges, x));
        assert_eq!(bins, [0, 0, 1, 2, 4, 4, 5]);
        // A flag that is nearly always 1, and one that is nearly always 0.
        assert_eq!([0.0, 1.0, 2.0].map(|x| bin(&[1.0; 9], x)), [0, 1, 9]);
        assert_eq!([-1.0, 0.0, 1.0].map(|x| bin(&[0.0; 9], x)), [0, 1, 9]);
        assert_eq!(bin(&[], 3.0), 0);
    }

    #[test]
    fn the_most_frequent_labels_are_listed_and_ties_go_by_label() {
        let mut counts = Counts { n_missing: 3, ..Counts::default() };
        (0..150).for_each(|i| {
            counts.levels.insert(format!("{i:03}"), if i == 149 { 9 } else { 1 });
        });
        counts.levels.insert("x".repeat(201), 50);
        let spread = LevelSpread::of(&counts);
        assert_eq!((spread.levels.len(), spread.levels["149"]), (100, 9));
        assert!(spread.levels.contains_key("098") && !spread.levels.contains_key("099"));
        assert_eq!(spread.n_rest, 50 + 50);
    }
}
