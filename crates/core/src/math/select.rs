//! Exact quantiles of data too large to sort: at most four passes of integer counts, mergeable at
//! every pass.
//!
//! Values become order keys of 64 bits. Pass one counts the highest 16 bits of every key; the
//! wanted ranks then lie in known buckets, and each later pass counts the next 16 bits inside
//! those. As soon as the buckets of all ranks together hold at most 65,536 values, the next pass
//! keeps these values and is the last. Which pass does what depends on the multiset of values
//! alone.

use super::digit_counts::{Counts, DIGIT_BITS};
use super::order::{from_order_key, order_key};
use super::quantile::QuantileType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DIGITS: u32 = 4;
const KEPT_MAX: u64 = 1 << 16;

/// Quantiles by passes: `observe_slice` every block (or `merge` parts), then `advance`; again while
/// it says so; then `finish`. Missing values are skipped. Equal to
/// [`quantile_sorted`](super::quantile_sorted) on the sorted values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct QuantileSelect {
    qs: Vec<f64>,
    kind: QuantileType,
    n: u64,
    targets: Vec<Target>,
    pass: Pass,
}

/// A rank and what is known of its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Target {
    rank: u64,
    /// The leading digits of the key; all of it in the end.
    prefix: u64,
    /// Rank among the values with this prefix.
    inside: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pass {
    /// Counts of the digit after `known` leading ones, one table per prefix; prefixes ascend.
    Count {
        known: u32,
        prefixes: Vec<u64>,
        counts: Vec<Counts>,
    },
    /// Counts of whole keys that start with one of the prefixes.
    Keep {
        known: u32,
        prefixes: Vec<u64>,
        keys: BTreeMap<u64, u64>,
    },
    Done,
}

impl QuantileSelect {
    /// The first pass for quantiles `qs` of one definition.
    pub fn new(qs: &[f64], kind: QuantileType) -> Self {
        let pass = Pass::Count { known: 0, prefixes: vec![0], counts: vec![Counts::default()] };
        QuantileSelect { qs: qs.to_vec(), kind, n: 0, targets: Vec::new(), pass }
    }

    /// Takes a block of this pass in.
    pub fn observe_slice(&mut self, values: &[f64]) {
        self.observe_keys(values.iter().filter(|x| !x.is_nan()).map(|&x| order_key(x)));
    }

    /// The same of values that are no floats but have keys of the same order.
    pub(crate) fn observe_keys(&mut self, keys: impl Iterator<Item = u64>) {
        match &mut self.pass {
            Pass::Count { known: 0, counts, .. } => {
                if let Some(counts) = counts.first_mut() {
                    keys.for_each(|key| counts.add((key >> 48) as u16));
                }
            }
            Pass::Count { known, prefixes, counts } => {
                let shift = DIGIT_BITS * (DIGITS - *known);
                for key in keys {
                    let slot = prefixes.binary_search(&(key >> shift));
                    if let Some(counts) = slot.ok().and_then(|slot| counts.get_mut(slot)) {
                        counts.add((key >> (shift - DIGIT_BITS)) as u16);
                    }
                }
            }
            Pass::Keep { known, prefixes, keys: kept } => {
                let shift = DIGIT_BITS * (DIGITS - *known);
                for key in keys {
                    if prefixes.binary_search(&(key >> shift)).is_ok() {
                        *kept.entry(key).or_insert(0) += 1;
                    }
                }
            }
            Pass::Done => {}
        }
    }

    /// Adds another part of the same pass: associative and commutative.
    ///
    /// # Panics
    /// When the parts are not of the same quantiles and pass.
    pub fn merge(&mut self, other: &Self) {
        let same = self.qs == other.qs && self.kind == other.kind && self.targets == other.targets;
        assert!(same, "parts of one selection share quantiles and pass");
        match (&mut self.pass, &other.pass) {
            (Pass::Count { counts: a, .. }, Pass::Count { counts: b, .. }) => {
                a.iter_mut().zip(b).for_each(|(a, b)| a.merge(b));
            }
            (Pass::Keep { keys: a, .. }, Pass::Keep { keys: b, .. }) => {
                b.iter().for_each(|(&key, n)| {
                    let count = a.entry(key).or_insert(0);
                    *count = count.saturating_add(*n);
                });
            }
            (Pass::Done, Pass::Done) => {}
            _ => panic!("parts of one selection share quantiles and pass"),
        }
    }

    /// Closes a pass. True when all data must be observed once more.
    pub fn advance(&mut self) -> bool {
        match std::mem::replace(&mut self.pass, Pass::Done) {
            Pass::Count { known, prefixes, counts } => self.refine(known, &prefixes, &counts),
            Pass::Keep { known, keys, .. } => {
                let shift = DIGIT_BITS * (DIGITS - known);
                self.targets.retain_mut(|target| {
                    let range =
                        target.prefix << shift..=(target.prefix << shift) | ((1 << shift) - 1);
                    target.step(keys.range(range).map(|(&key, &n)| (key, n))).is_some()
                });
                false
            }
            Pass::Done => false,
        }
    }

    /// The quantiles in the order asked; `None` without values, for `q` outside [0, 1], or before
    /// the last pass.
    pub fn finish(&self) -> Vec<Option<f64>> {
        let value = |rank: u64| {
            let at = self.targets.binary_search_by_key(&rank, |t| t.rank).ok()?;
            Some(from_order_key(self.targets[at].prefix))
        };
        let quantile = |&q: &f64| {
            let position = self.kind.position(self.n, q)?;
            Some(position.blend(value(position.low)?, value(position.high)?))
        };
        match self.pass {
            Pass::Done => self.qs.iter().map(quantile).collect(),
            _ => vec![None; self.qs.len()],
        }
    }

    /// The keys of the order statistics below the quantiles, which are `Lower` ones; `None` as
    /// above.
    pub(crate) fn finish_keys(&self) -> Vec<Option<u64>> {
        let key = |&q: &f64| {
            let position = QuantileType::Lower.position(self.n, q)?;
            let at = self.targets.binary_search_by_key(&position.low, |t| t.rank).ok()?;
            Some(self.targets[at].prefix)
        };
        match self.pass {
            Pass::Done => self.qs.iter().map(key).collect(),
            _ => vec![None; self.qs.len()],
        }
    }

    /// Number of values that were not missing; 0 before the first pass is closed.
    pub fn n(&self) -> u64 {
        self.n
    }

    fn refine(&mut self, known: u32, prefixes: &[u64], counts: &[Counts]) -> bool {
        if known == 0 {
            self.n = counts.first().map_or(0, |c| c.present().map(|(_, n)| n).sum());
            self.targets = self.wanted_ranks();
        }
        let mut buckets = BTreeMap::new();
        self.targets.retain_mut(|target| {
            let slot = prefixes.binary_search(&target.prefix);
            let Some(counts) = slot.ok().and_then(|slot| counts.get(slot)) else {
                return false;
            };
            let prefix = target.prefix << DIGIT_BITS;
            let found = target.step(counts.present().map(|(d, n)| (prefix | u64::from(d), n)));
            found.map(|n| buckets.insert(target.prefix, n)).is_some()
        });
        let known = known + 1;
        if known == DIGITS || self.targets.is_empty() {
            return false;
        }
        let n_inside = buckets.values().fold(0u64, |n, count| n.saturating_add(*count));
        let prefixes: Vec<u64> = buckets.into_keys().collect();
        self.pass = if n_inside <= KEPT_MAX {
            Pass::Keep { known, prefixes, keys: BTreeMap::new() }
        } else {
            let counts = vec![Counts::default(); prefixes.len()];
            Pass::Count { known, prefixes, counts }
        };
        true
    }

    fn wanted_ranks(&self) -> Vec<Target> {
        let positions = self.qs.iter().filter_map(|&q| self.kind.position(self.n, q));
        let mut ranks: Vec<u64> = positions.flat_map(|p| [p.low, p.high]).collect();
        ranks.sort();
        ranks.dedup();
        ranks.into_iter().map(|rank| Target { rank, prefix: 0, inside: rank }).collect()
    }
}

impl Target {
    /// Moves to the bucket that holds the rank and gives its number of values; `None` when there is
    /// none.
    fn step(&mut self, buckets: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        for (prefix, n) in buckets {
            if self.inside < n {
                self.prefix = prefix;
                return Some(n);
            }
            self.inside -= n;
        }
        None
    }
}

/// [`QuantileSelect`] as read, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    qs: Vec<f64>,
    kind: QuantileType,
    n: u64,
    targets: Vec<Target>,
    pass: Pass,
}

impl TryFrom<Stored> for QuantileSelect {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { qs, kind, n, targets, pass } = stored;
        let (known, lowest, prefixes, n_tables) = match &pass {
            Pass::Count { known, prefixes, counts } => (*known, 0, &prefixes[..], counts.len()),
            Pass::Keep { known, prefixes, .. } => (*known, 1, &prefixes[..], prefixes.len()),
            Pass::Done => (DIGITS - 1, 0, &[][..], 0),
        };
        let ascend = prefixes.windows(2).all(|w| w[0] < w[1])
            && targets.windows(2).all(|w| w[0].rank < w[1].rank);
        let known_fits = (lowest..DIGITS).contains(&known);
        let short = |prefix: u64| prefix >> (DIGIT_BITS * known) == 0;
        let done = matches!(pass, Pass::Done);
        let sound = known_fits
            && ascend
            && n_tables == prefixes.len()
            && prefixes.iter().all(|&p| short(p))
            && (done || targets.iter().all(|t| short(t.prefix)));
        if !sound {
            return Err("expected the state of a quantile selection, found another one".into());
        }
        Ok(QuantileSelect { qs, kind, n, targets, pass })
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantile::{ALL_TYPES, quantile_sorted};
    use super::*;
    use proptest::prelude::*;

    /// Runs all passes over the parts, each observed by itself and merged; also the number of
    /// passes.
    fn select(parts: &[&[f64]], qs: &[f64], kind: QuantileType) -> (Vec<Option<f64>>, u32) {
        let mut state = QuantileSelect::new(qs, kind);
        let mut n_passes = 0;
        loop {
            n_passes += 1;
            let empty = state.clone();
            for part in parts.iter().rev() {
                let mut worker = empty.clone();
                worker.observe_slice(part);
                let bytes = rmp_serde::to_vec(&worker).expect("serialise");
                state.merge(&rmp_serde::from_slice(&bytes).expect("read"));
            }
            if !state.advance() {
                return (state.finish(), n_passes);
            }
        }
    }

    fn sorted(values: &[f64]) -> Vec<f64> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_by(|a, b| super::super::order::total_cmp(*a, *b));
        sorted
    }

    #[test]
    fn medians_by_hand() {
        let values = [3.0, f64::NAN, -1.0, 7.0, 4.0];
        let (found, n_passes) = select(&[&values], &[0.5, 0.0, 2.0], QuantileType::Linear);
        assert_eq!((found, n_passes), (vec![Some(3.5), Some(-1.0), None], 2));
        assert_eq!(select(&[&[]], &[0.5], QuantileType::Linear), (vec![None], 1));
        assert_eq!(select(&[&[1.0]], &[], QuantileType::Linear), (vec![], 1));
        assert_eq!(QuantileSelect::new(&[0.5], QuantileType::Linear).finish(), [None]);
    }

    #[test]
    fn many_equal_and_close_values_take_all_passes() {
        // 100,000 values that agree in their leading 48 bits, so that no bucket is small before the
        // last digit.
        let values: Vec<f64> =
            (0..100_000u64).map(|i| f64::from_bits(1.0f64.to_bits() + i % 7)).collect();
        let (found, n_passes) = select(&[&values], &[0.0, 0.5, 1.0], QuantileType::Lower);
        let expected = [0, 3, 6].map(|i| Some(f64::from_bits(1.0f64.to_bits() + i)));
        assert_eq!((found, n_passes), (expected.to_vec(), 4));
    }

    #[test]
    fn only_sound_states_are_read() {
        let stored = |pass| Stored {
            qs: vec![0.5],
            kind: QuantileType::Linear,
            n: 0,
            targets: vec![],
            pass,
        };
        let count = |known, prefixes: Vec<u64>| {
            let counts = vec![Counts::default(); prefixes.len()];
            QuantileSelect::try_from(stored(Pass::Count { known, prefixes, counts }))
        };
        assert!(count(0, vec![0]).is_ok() && count(3, vec![1, 2]).is_ok());
        assert!(count(4, vec![0]).is_err() && count(1, vec![2, 1]).is_err());
        assert!(count(1, vec![1 << 16]).is_err());
        let keep = Pass::Keep { known: 0, prefixes: vec![0], keys: BTreeMap::new() };
        assert!(QuantileSelect::try_from(stored(keep)).is_err());
        let few = Pass::Count { known: 1, prefixes: vec![0], counts: vec![] };
        assert!(QuantileSelect::try_from(stored(few)).is_err());
    }

    proptest! {
        #[test]
        fn equals_sorting(
            values in prop::collection::vec(
                prop_oneof![prop::num::f64::ANY, -2f64..2.0, Just(0.5), Just(-0.0)], 0..120),
            at in any::<prop::sample::Index>(),
            qs in prop::collection::vec(0f64..=1.0, 1..6),
            kind in prop::sample::select(ALL_TYPES.to_vec()),
        ) {
            let (left, right) = values.split_at(at.index(values.len() + 1));
            let bits = |x: Option<f64>| x.map(f64::to_bits);
            let all = sorted(&values);
            let expected: Vec<_> =
                qs.iter().map(|&q| bits(quantile_sorted(&all, q, kind))).collect();
            let (found, n_passes) = select(&[left, right], &qs, kind);
            prop_assert_eq!(found.into_iter().map(bits).collect::<Vec<_>>(), expected);
            prop_assert!(n_passes <= 4);
        }
    }
}
