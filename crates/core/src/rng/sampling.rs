//! Choosing rows and orders: what has a canonical order is shuffled, what has a key is hashed.

use std::collections::{BTreeMap, BinaryHeap};

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{Draw, Stream};
use crate::digest::RowKey;

/// Puts `items` into a uniformly drawn order: Durstenfeld's shuffle from the last position down,
/// position `i` swapped with `bounded(i + 1)`.
///
/// The result depends on the order before: shuffle only what has a canonical order.
pub fn shuffle<T>(items: &mut [T], draws: &mut impl Draw) {
    for last in (1..items.len()).rev() {
        let other = draws.bounded(last as u64 + 1);
        items.swap(last, other as usize);
    }
}

/// A uniformly drawn order of 0..n: [`shuffle`] of the ascending numbers.
pub fn permutation(n: u64, draws: &mut impl Draw) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    shuffle(&mut order, draws);
    order
}

/// `k` of the numbers 0..n without repetition (all of them if `k > n`), in the order in which they
/// were drawn: number `i` is what stands at `i + bounded(n - i)` after the earlier choices were
/// swapped to the front. Takes space for `k` numbers, whatever `n` is.
pub fn sample_indices(n: u64, k: u64, draws: &mut impl Draw) -> Vec<u64> {
    let mut moved = BTreeMap::new();
    let mut chosen = Vec::new();
    for front in 0..k.min(n) {
        let place = front + draws.bounded(n - front);
        let at_front = moved.remove(&front).unwrap_or(front);
        if place == front {
            chosen.push(at_front);
        } else {
            chosen.push(moved.insert(place, at_front).unwrap_or(place));
        }
    }
    chosen
}

/// The fold of a row, 0 to `n_folds - 1`: the first draws of the row, [`Draw::bounded`].
///
/// Rows that must stay together are given the key of their group.
///
/// # Panics
/// If `n_folds` is 0: the config is validated before anything is drawn.
pub fn fold(stream: &Stream, key: RowKey, n_folds: u64) -> u64 {
    stream.row(key).bounded(n_folds)
}

/// Whether a row belongs to a share `ratio` of all rows: its first draw is below
/// [`share_threshold`]. A row in a share is in every larger share of the same stream.
pub fn below(stream: &Stream, key: RowKey, ratio: f64) -> bool {
    u128::from(stream.hash(key)) < share_threshold(ratio)
}

/// How many words `w` of 0..2^64 satisfy `w < ratio * 2^64`: the product rounded up to an integer,
/// from the mantissa and exponent of `ratio`, exact. A ratio of 1 or more gives 2^64; 0, less, and
/// NaN give 0.
pub fn share_threshold(ratio: f64) -> u128 {
    if ratio >= 1.0 {
        return 1 << 64;
    }
    if ratio.is_nan() || ratio <= 0.0 {
        return 0;
    }
    let bits = ratio.to_bits();
    let biased = (bits >> 52) as u32;
    let fraction = u128::from(bits & ((1 << 52) - 1));
    // ratio = mantissa * 2^(exponent - 1075); the product is mantissa * 2^(exponent - 1011).
    let (mantissa, exponent) = if biased == 0 {
        (fraction, 1)
    } else {
        (fraction | 1 << 52, biased)
    };
    if exponent >= 1011 {
        return mantissa << (exponent - 1011);
    }
    // Further down than 53 bits, the product is above 0 and not above 1.
    let shift = (1011 - exponent).min(64);
    (mantissa + ((1 << shift) - 1)) >> shift
}

/// Thresholds of Poisson(1): entry `k` is floor(2^64 * P(count <= k)).
const POISSON_1: [u64; 20] = [
    0x5e2d_58d8_b3bc_df1a,
    0xbc5a_b1b1_6779_be35,
    0xeb71_5e1d_c158_2dc2,
    0xfb23_9797_34a2_52f1,
    0xff10_25f5_9174_dc3d,
    0xffd9_0f3b_a405_5e19,
    0xfffa_8b71_fc72_c913,
    0xffff_540c_0914_b3c9,
    0xffff_ed1f_4aa8_f120,
    0xffff_fe21_6e64_1462,
    0xffff_ffd4_d85d_3183,
    0xffff_fffc_6da2_62b4,
    0xffff_ffff_ba12_d178,
    0xffff_ffff_fb07_c64c,
    0xffff_ffff_ffab_8ea5,
    0xffff_ffff_fffa_be22,
    0xffff_ffff_ffff_b11a,
    0xffff_ffff_ffff_fba1,
    0xffff_ffff_ffff_ffc5,
    0xffff_ffff_ffff_fffd,
];

/// How often a row occurs in a bootstrap sample: Poisson(1) from its first draw.
///
/// The count is the number of entries of a fixed table, floor(2^64 * P(count <= k)) for k = 0 to 19,
/// that are not above the draw: integers only. Replaces n draws with replacement; the size of the
/// sample is itself random, n on average.
pub fn poisson_bootstrap(stream: &Stream, key: RowKey) -> u32 {
    let draw = stream.hash(key);
    POISSON_1
        .iter()
        .take_while(|&&threshold| draw >= threshold)
        .count() as u32
}

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
        BottomK {
            k,
            heap: BinaryHeap::new(),
        }
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
        self.heap
            .peek()
            .is_some_and(|largest| (hash, key) <= (largest.0, largest.1))
    }

    /// Counts one entry in. `hash` is a draw of the row, as a rule [`Stream::hash`].
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
            return Err(de::Error::custom(
                "expected sampled entries in order, found disorder",
            ));
        }
        Ok(BottomK {
            k,
            heap: entries.into(),
        })
    }
}
