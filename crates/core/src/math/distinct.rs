//! The distinct values of a column with their counts: an exact, mergeable multiset.

use super::order::{from_order_key, order_key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ascending distinct values and how often each occurred. -0 counts as +0; missing values are
/// counted apart.
///
/// Memory is proportional to the number of distinct values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct DistinctCounts {
    n_missing: u64,
    counts: BTreeMap<u64, u64>,
}

impl DistinctCounts {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes every value of a slice in.
    pub fn observe_slice(&mut self, values: &[f64]) {
        let mut keys: Vec<u64> =
            values.iter().filter(|x| !x.is_nan()).map(|&x| order_key(x)).collect();
        self.n_missing += (values.len() - keys.len()) as u64;
        keys.sort();
        for run in keys.chunk_by(|a, b| a == b) {
            *self.counts.entry(run[0]).or_insert(0) += run.len() as u64;
        }
    }

    /// Takes the values of another state in: associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.n_missing = self.n_missing.saturating_add(other.n_missing);
        for (&key, &n) in &other.counts {
            let count = self.counts.entry(key).or_insert(0);
            *count = count.saturating_add(n);
        }
    }

    /// Number of distinct values.
    pub fn n_distinct(&self) -> u64 {
        self.counts.len() as u64
    }

    /// Number of values that were not missing.
    pub fn n(&self) -> u64 {
        self.counts.values().fold(0, |n, count| n.saturating_add(*count))
    }

    /// Number of missing values.
    pub fn n_missing(&self) -> u64 {
        self.n_missing
    }

    /// Every value with its count, ascending.
    pub fn finish(&self) -> Vec<(f64, u64)> {
        self.counts.iter().map(|(&key, &n)| (from_order_key(key), n)).collect()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    n_missing: u64,
    counts: Vec<(f64, u64)>,
}

impl From<DistinctCounts> for Stored {
    fn from(distinct: DistinctCounts) -> Self {
        Stored { n_missing: distinct.n_missing, counts: distinct.finish() }
    }
}

impl TryFrom<Stored> for DistinctCounts {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let canonical =
            |&(x, n): &(f64, u64)| n > 0 && from_order_key(order_key(x)).to_bits() == x.to_bits();
        let ascending = stored.counts.windows(2).all(|w| w[0].0 < w[1].0);
        let numbers = stored.counts.iter().all(|(x, _)| !x.is_nan());
        if !(ascending && numbers && stored.counts.iter().all(canonical)) {
            return Err("expected ascending values with counts above 0, found others".into());
        }
        let counts = stored.counts.into_iter().map(|(x, n)| (order_key(x), n)).collect();
        Ok(DistinctCounts { n_missing: stored.n_missing, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts_of(values: &[f64]) -> DistinctCounts {
        let mut counts = DistinctCounts::new();
        counts.observe_slice(values);
        counts
    }

    #[test]
    fn hand_worked() {
        let counts = counts_of(&[2.0, -0.0, f64::NAN, 2.0, 0.0, -1.0, f64::INFINITY]);
        assert_eq!(counts.finish(), [(-1.0, 1), (0.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
        assert_eq!((counts.n(), counts.n_distinct(), counts.n_missing()), (6, 4, 1));
        assert_eq!(counts.finish()[1].0.to_bits(), 0);
        assert!(DistinctCounts::new().finish().is_empty());
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        for counts in [
            vec![(2.0, 1), (1.0, 1)],
            vec![(1.0, 1), (1.0, 1)],
            vec![(1.0, 0)],
            vec![(-0.0, 1)],
            vec![(f64::NAN, 1)],
        ] {
            assert!(DistinctCounts::try_from(Stored { n_missing: 0, counts }).is_err());
        }
    }

    proptest! {
        #[test]
        fn order_chunks_and_merges_give_the_same_bytes(
            (values, shuffled) in prop::collection::vec(
                prop_oneof![prop::num::f64::ANY, (-3i8..3).prop_map(f64::from)], 0..200)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
        ) {
            let whole = counts_of(&values);
            let (left, right) = shuffled.split_at(at.index(values.len() + 1));
            let mut merged = counts_of(right);
            merged.merge(&counts_of(left));
            prop_assert_eq!(&merged, &whole);
            let bytes = rmp_serde::to_vec(&merged).expect("serialise");
            prop_assert_eq!(&bytes, &rmp_serde::to_vec(&whole).expect("serialise"));
            prop_assert_eq!(rmp_serde::from_slice::<DistinctCounts>(&bytes).expect("read"), whole);
        }
    }
}
