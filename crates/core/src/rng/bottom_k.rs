//! A uniform sample of rows that does not know in which order they came.

use std::collections::BinaryHeap;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::digest::RowKey;

/// The `k` entries with the smallest (hash, row key) of all that were observed: a uniform sample
/// without replacement that any order of rows and any merging of parts gives alike.
///
/// Ties: equal hashes are ordered by row key, equal keys by value; entries equal in all three are
/// interchangeable and each counts. Stored as `k` and the entries in ascending order.
#[derive(Clone, Debug)]
pub struct BottomK<T> {
    k: u64,
    heap: BinaryHeap<(u64, RowKey, T)>,
}

impl<T: Ord> BottomK<T> {
    /// An empty sample of at most `k` entries.
    pub fn new(k: u64) -> BottomK<T> {
        BottomK { k, heap: BinaryHeap::new() }
    }

    /// The largest number of entries.
    pub fn k(&self) -> u64 {
        self.k
    }

    /// The number of entries held.
    pub fn len(&self) -> u64 {
        self.heap.len() as u64
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Whether an entry with this hash and key could be kept now. When false, it never will be, and
    /// its value need not be built.
    pub fn accepts(&self, hash: u64, key: RowKey) -> bool {
        if self.len() < self.k {
            return true;
        }
        self.heap.peek().is_some_and(|largest| (hash, key) <= (largest.0, largest.1))
    }

    /// Counts one entry in. `hash` is a draw of the row, as a rule
    /// [`Stream::hash`](super::Stream::hash).
    pub fn observe(&mut self, hash: u64, key: RowKey, value: T) {
        if self.len() < self.k {
            self.heap.push((hash, key, value));
        } else if let Some(mut largest) = self.heap.peek_mut() {
            let entry = (hash, key, value);
            if entry < *largest {
                *largest = entry;
            }
        }
    }

    /// Takes the entries of another part. Associative and commutative; of two different `k`, the
    /// smaller holds.
    pub fn merge(&mut self, other: BottomK<T>) {
        self.k = self.k.min(other.k);
        while self.len() > self.k {
            self.heap.pop();
        }
        for (hash, key, value) in other.heap {
            self.observe(hash, key, value);
        }
    }

    /// The entries in ascending order of (hash, row key, value).
    pub fn finish(self) -> Vec<(u64, RowKey, T)> {
        self.heap.into_sorted_vec()
    }
}

impl<T: Ord + Serialize> Serialize for BottomK<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<_> = self.heap.iter().collect();
        entries.sort();
        (self.k, entries).serialize(serializer)
    }
}

impl<'de, T: Ord + Deserialize<'de>> Deserialize<'de> for BottomK<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BottomK<T>, D::Error> {
        let (k, entries) = <(u64, Vec<(u64, RowKey, T)>)>::deserialize(deserializer)?;
        let n = entries.len();
        if n as u64 > k {
            let message = format!("expected at most {k} sampled entries, found {n}");
            return Err(de::Error::custom(message));
        }
        if !entries.is_sorted() {
            return Err(de::Error::custom("expected sampled entries in order, found disorder"));
        }
        Ok(BottomK { k, heap: entries.into() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Seed, Stream};

    #[test]
    fn bottom_k_never_moves() {
        // Recomputed by an independent SipHash and a sort.
        let stream = Stream::new(Seed(42), "bag", "fare", "rows");
        let mut sample = BottomK::new(3);
        for key in (1..=10_000).map(RowKey) {
            sample.observe(stream.hash(key), key, key.0 as u64);
        }
        let expected = [
            (0x0002_1a8a_12e7_5e8c, RowKey(4021), 4021),
            (0x0009_dc90_a41b_73dc, RowKey(12), 12),
            (0x000a_2beb_142d_44ab, RowKey(7697), 7697),
        ];
        assert_eq!(sample.finish(), expected);
    }

    #[test]
    fn bottom_k_refuses_what_it_never_wrote() {
        let read = |k: u64, entries: &[(u64, RowKey, u8)]| {
            let stored = rmp_serde::to_vec(&(k, entries)).unwrap();
            rmp_serde::from_slice::<BottomK<u8>>(&stored)
                .map(|s| s.len())
                .map_err(|e| e.to_string())
        };
        let (a, b) = ((1, RowKey(5), 0), (1, RowKey(6), 0));
        assert_eq!(read(2, &[a, b]), Ok(2));
        let disorder = "expected sampled entries in order, found disorder";
        assert_eq!(read(2, &[b, a]), Err(disorder.to_string()));
        let too_many = "expected at most 1 sampled entries, found 2";
        assert_eq!(read(1, &[a, b]), Err(too_many.to_string()));
    }

    proptest! {
        #[test]
        fn bottom_k_is_the_k_smallest_in_any_order_of_parts(
            k in 0u64..12,
            rows in prop::collection::vec((0u64..8, 0u128..4, 0u8..3), 0..60),
            cuts in prop::collection::vec(0usize..60, 3),
            order in Just((0..4usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(rows.len())).collect();
            cuts.sort();
            let bounds = [0, cuts[0], cuts[1], cuts[2], rows.len()];
            let mut merged = BottomK::new(k);
            for part in order {
                let mut sample = BottomK::new(k);
                for &(hash, key, value) in rows[bounds[part]..bounds[part + 1]].iter().rev() {
                    if sample.accepts(hash, RowKey(key)) {
                        sample.observe(hash, RowKey(key), value);
                    }
                }
                let stored = rmp_serde::to_vec(&sample).unwrap();
                merged.merge(rmp_serde::from_slice(&stored).unwrap());
            }
            let mut sorted: Vec<_> = rows.iter().map(|&(h, key, v)| (h, RowKey(key), v)).collect();
            sorted.sort();
            sorted.truncate(k as usize);
            prop_assert_eq!(
                rmp_serde::to_vec(&merged).unwrap(),
                rmp_serde::to_vec(&(k, &sorted)).unwrap()
            );
            prop_assert_eq!(merged.finish(), sorted);
        }

        #[test]
        fn bottom_k_of_different_sizes_is_the_smaller(
            a in prop::collection::vec(any::<u64>(), 0..20),
            b in prop::collection::vec(any::<u64>(), 0..20),
        ) {
            let sample = |k, rows: &[u64]| {
                let mut sample = BottomK::new(k);
                rows.iter().for_each(|&hash| sample.observe(hash, RowKey(0), ()));
                sample
            };
            let (mut left, mut right) = (sample(3, &a), sample(7, &b));
            left.merge(sample(7, &b));
            right.merge(sample(3, &a));
            let both: Vec<u64> = a.iter().chain(&b).copied().collect();
            let expected = sample(3, &both).finish();
            prop_assert_eq!(left.finish(), expected.clone());
            prop_assert_eq!(right.finish(), expected);
        }
    }
}
