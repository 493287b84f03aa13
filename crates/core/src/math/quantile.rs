//! Quantiles: thirteen definitions, one rule for positions, and exact selection by passes over the
//! data.
//!
//! A quantile is two order statistics and a weight. The arithmetic of position and weight is
//! written out below and follows NumPy 2.4 operation by operation, so results agree with
//! `numpy.quantile` to the bit.

use super::order::{MISSING, canonical};
use serde::{Deserialize, Serialize};

/// Definition of a quantile. The first nine are those of Hyndman and Fan (1996), in their order;
/// then NumPy's four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantileType {
    /// Type 1: the smallest value whose cumulative share reaches q.
    InvertedCdf,
    /// Type 2: as type 1, with the mean of two at a jump.
    AveragedInvertedCdf,
    /// Type 3: the nearest order statistic; a tie goes to the even one, counted from 1.
    ClosestObservation,
    /// Type 4: linear between points of the empirical distribution function.
    InterpolatedInvertedCdf,
    /// Type 5: linear, points at (k - 1/2) / n.
    Hazen,
    /// Type 6: linear, points at k / (n + 1).
    Weibull,
    /// Type 7: linear, points at (k - 1) / (n - 1). The default here as in NumPy, pandas and R.
    #[default]
    Linear,
    /// Type 8: linear, points at (k - 1/3) / (n + 1/3).
    MedianUnbiased,
    /// Type 9: linear, points at (k - 3/8) / (n + 1/4).
    NormalUnbiased,
    /// The order statistic below the position of type 7.
    Lower,
    /// The order statistic above the position of type 7.
    Higher,
    /// The order statistic nearest to the position of type 7; a tie goes to the even position,
    /// counted from 0.
    Nearest,
    /// Halfway between `Lower` and `Higher`.
    Midpoint,
}

/// The order statistics (from 0) that a quantile needs, and the weight of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) weight: f64,
}

/// The quantile `q` of values in ascending order, without missing ones; `None` for no value or `q`
/// outside [0, 1].
///
/// `t < 1/2`: `a + (b - a) * t`, else `b - (b - a) * (1 - t)`; where a = b it is that value.
pub fn quantile_sorted(sorted: &[f64], q: f64, kind: QuantileType) -> Option<f64> {
    let position = kind.position(sorted.len() as u64, q)?;
    let (a, b) = (sorted.get(position.low as usize)?, sorted.get(position.high as usize)?);
    Some(position.blend(*a, *b))
}

/// The same of ascending distinct values with how often each occurs.
pub fn quantile_counted(counted: &[(f64, u64)], q: f64, kind: QuantileType) -> Option<f64> {
    let n = counted.iter().fold(0u64, |n, (_, count)| n.saturating_add(*count));
    let position = kind.position(n, q)?;
    let statistic = |rank: u64| {
        let mut below = 0u64;
        let found = counted.iter().find(|(_, count)| {
            below = below.saturating_add(*count);
            below > rank
        });
        found.map(|(x, _)| *x)
    };
    Some(position.blend(statistic(position.low)?, statistic(position.high)?))
}

impl QuantileType {
    /// Where the quantile lies among `n` values; `None` for `n` = 0 or `q` outside [0, 1].
    pub(super) fn position(self, n: u64, q: f64) -> Option<Position> {
        if n == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let n_f = n as f64;
        let from_seven = (n - 1) as f64 * q;
        let shifted = |alpha: f64, beta: f64| n_f * q + (alpha + q * (1.0 - alpha - beta)) - 1.0;
        let at = match self {
            Self::InvertedCdf => return Some(boundary(n, n_f * q - 1.0, |_| true)),
            Self::ClosestObservation => {
                return Some(boundary(n, n_f * q - 1.0 - 0.5, |k| k % 2.0 != 0.0));
            }
            Self::Lower => return Some(single(n, from_seven.floor())),
            Self::Higher => return Some(single(n, from_seven.ceil())),
            Self::Nearest => return Some(single(n, from_seven.round_ties_even())),
            Self::Midpoint => 0.5 * (from_seven.floor() + from_seven.ceil()),
            Self::AveragedInvertedCdf => n_f * q - 1.0,
            Self::InterpolatedInvertedCdf => shifted(0.0, 1.0),
            Self::Hazen => shifted(0.5, 0.5),
            Self::Weibull => shifted(0.0, 0.0),
            Self::Linear => from_seven,
            Self::MedianUnbiased => shifted(1.0 / 3.0, 1.0 / 3.0),
            Self::NormalUnbiased => shifted(3.0 / 8.0, 3.0 / 8.0),
        };
        let mut position = between(n, at);
        position.weight = match self {
            Self::AveragedInvertedCdf if position.weight == 0.0 => 0.5,
            Self::AveragedInvertedCdf => 1.0,
            Self::Midpoint if at % 1.0 == 0.0 => 0.0,
            Self::Midpoint => 0.5,
            _ => position.weight,
        };
        Some(position)
    }
}

impl Position {
    /// The quantile from its two order statistics.
    pub(super) fn blend(&self, a: f64, b: f64) -> f64 {
        if a == b {
            return canonical(a);
        }
        let (t, step) = (self.weight, b - a);
        let value = if t < 0.5 { a + step * t } else { b - step * (1.0 - t) };
        if value.is_nan() { MISSING } else { canonical(value) }
    }
}

/// Both neighbours of a fractional position; beyond the ends, the end itself.
fn between(n: u64, at: f64) -> Position {
    let floor = at.floor();
    let weight = at - floor;
    if at >= (n - 1) as f64 {
        return Position { low: n - 1, high: n - 1, weight };
    }
    if at < 0.0 {
        return Position { low: 0, high: 0, weight };
    }
    Position { low: floor as u64, high: floor as u64 + 1, weight }
}

/// The order statistic at a whole position, or the next one: on the position only where `stays`
/// allows.
fn boundary(n: u64, at: f64, stays: impl Fn(f64) -> bool) -> Position {
    let floor = at.floor();
    let stay = at == floor && stays(floor);
    single(n, if stay { floor } else { floor + 1.0 })
}

fn single(n: u64, at: f64) -> Position {
    let k = Ord::min(at as u64, n - 1);
    Position { low: k, high: k, weight: 0.0 }
}

/// Every definition.
#[cfg(test)]
pub(super) const ALL_TYPES: [QuantileType; 13] = [
    QuantileType::InvertedCdf,
    QuantileType::AveragedInvertedCdf,
    QuantileType::ClosestObservation,
    QuantileType::InterpolatedInvertedCdf,
    QuantileType::Hazen,
    QuantileType::Weibull,
    QuantileType::Linear,
    QuantileType::MedianUnbiased,
    QuantileType::NormalUnbiased,
    QuantileType::Lower,
    QuantileType::Higher,
    QuantileType::Nearest,
    QuantileType::Midpoint,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_on_five_values() {
        // numpy.quantile([1, 2, 4, 8, 16], q, method=...) for q = 0.3 and 0.5, NumPy 2.4.6.
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        let expected = EXPECTED_FIVE;
        for (kind, row) in ALL_TYPES.iter().zip(expected) {
            let found = [0.0, 0.3, 0.5, 0.9, 1.0].map(|q| quantile_sorted(&sorted, q, *kind));
            assert_eq!(found, row.map(Some), "{kind:?}");
        }
    }

    #[test]
    fn counted_values_have_the_quantiles_of_sorted_ones() {
        let counted = [(-1.0, 2), (0.5, 1), (3.0, 4)];
        let sorted = [-1.0, -1.0, 0.5, 3.0, 3.0, 3.0, 3.0];
        for kind in ALL_TYPES {
            for k in 0..=20 {
                let q = f64::from(k) / 20.0;
                let found = quantile_counted(&counted, q, kind);
                assert_eq!(found, quantile_sorted(&sorted, q, kind), "{kind:?} {q}");
            }
        }
        assert_eq!(quantile_counted(&[], 0.5, QuantileType::Linear), None);
    }

    #[test]
    fn outside_and_empty() {
        assert_eq!(quantile_sorted(&[], 0.5, QuantileType::Linear), None);
        assert_eq!(quantile_sorted(&[1.0], 1.5, QuantileType::Linear), None);
        assert_eq!(quantile_sorted(&[1.0], f64::NAN, QuantileType::Linear), None);
        for kind in ALL_TYPES {
            assert_eq!(quantile_sorted(&[7.0], 0.37, kind), Some(7.0), "{kind:?}");
        }
        let infinite = [f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY];
        assert_eq!(quantile_sorted(&infinite, 0.75, QuantileType::Linear), Some(f64::INFINITY));
        let mixed = quantile_sorted(&infinite[..2], 0.5, QuantileType::Linear);
        assert_eq!(mixed.map(f64::to_bits), Some(MISSING.to_bits()));
    }

    #[test]
    fn a_digest_of_numpy() {
        // Random samples of NumPy 2.4.6, drawn by the integer recurrence below; each result's bits
        // are folded as digest = digest * 31 + bits (mod 2^64). The script is in
        // data/vectors/README.md.
        for (kind, expected) in ALL_TYPES.iter().zip(EXPECTED_DIGESTS) {
            let (mut state, mut digest) = (1u64, 0u64);
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / 9_007_199_254_740_992.0
            };
            for n in 1..60 {
                let mut sorted: Vec<f64> = (0..n).map(|_| next()).collect();
                sorted.sort_by(|a, b| crate::math::total_cmp(*a, *b));
                for _ in 0..20 {
                    let q = next();
                    let bits = quantile_sorted(&sorted, q, *kind).map_or(0, f64::to_bits);
                    digest = digest.wrapping_mul(31).wrapping_add(bits);
                }
                for k in 0..=20 {
                    let q = f64::from(k) / 20.0;
                    let bits = quantile_sorted(&sorted, q, *kind).map_or(0, f64::to_bits);
                    digest = digest.wrapping_mul(31).wrapping_add(bits);
                }
            }
            assert_eq!(digest, expected, "{kind:?}");
        }
    }

    const EXPECTED_FIVE: [[f64; 5]; 13] = [
        [1.0, 2.0, 4.0, 16.0, 16.0],
        [1.0, 2.0, 4.0, 16.0, 16.0],
        [1.0, 2.0, 2.0, 8.0, 16.0],
        [1.0, 1.5, 3.0, 12.0, 16.0],
        [1.0, 2.0, 4.0, 16.0, 16.0],
        [1.0, 1.8, 4.0, 16.0, 16.0],
        [1.0, 2.4, 4.0, 12.8, 16.0],
        [1.0, 1.9333333333333333, 4.0, 16.0, 16.0],
        [1.0, 1.95, 4.0, 16.0, 16.0],
        [1.0, 2.0, 4.0, 8.0, 16.0],
        [1.0, 4.0, 4.0, 16.0, 16.0],
        [1.0, 2.0, 4.0, 16.0, 16.0],
        [1.0, 3.0, 4.0, 12.0, 16.0],
    ];

    const EXPECTED_DIGESTS: [u64; 13] = [
        0xd3e1_76c3_4072_1e2a,
        0x2959_d86b_a485_076f,
        0x87f8_af75_58de_cd63,
        0x635e_29fb_3149_cc45,
        0x6b8f_fec7_94ca_ee3a,
        0x0a4d_58a3_398b_bed5,
        0x5a54_a68b_df2e_b63e,
        0xfe73_5953_0b7a_5265,
        0x63b0_ebde_f6f6_6440,
        0xaec4_dd14_ce1f_7d01,
        0x3f8f_4b6d_6bc1_6028,
        0xeb49_1401_490f_189f,
        0xcabc_09d9_7861_ad69,
    ];
}
