//! Order, extremes and short sums of f64: the rules that decide a tie, a sign of zero or a missing
//! value.
//!
//! **Missing** is NaN, always the one pattern `0x7ff8000000000000`. **Zero** has one sign: -0 reads
//! as +0. The total order is -inf < negative < 0 < positive < +inf < missing; it is the order of
//! [`order_key`].

use std::cmp::Ordering;

use crate::faults::{self, Fault};

/// The canonical missing value: the quiet NaN `0x7ff8000000000000`.
pub const MISSING: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

const SIGN: u64 = 1 << 63;

/// `x` with its one representation: every NaN becomes [`MISSING`], -0 becomes +0.
#[inline]
pub fn canonical(x: f64) -> f64 {
    if x.is_nan() {
        return MISSING;
    }
    // Adding +0 turns -0 into +0 and leaves every other value.
    x + if faults::on(Fault::NegativeZero) { -0.0 } else { 0.0 }
}

/// True when `x` is missing (any NaN).
#[inline]
pub fn is_missing(x: f64) -> bool {
    x.is_nan()
}

/// The smaller of two values, canonical. A missing value is skipped: `min(NaN, b) = b`; both
/// missing give [`MISSING`].
#[inline]
pub fn min(a: f64, b: f64) -> f64 {
    canonical(if a < b || b.is_nan() { a } else { b })
}

/// The larger of two values, canonical. A missing value is skipped: `max(NaN, b) = b`; both missing
/// give [`MISSING`].
#[inline]
pub fn max(a: f64, b: f64) -> f64 {
    canonical(if a > b || b.is_nan() { a } else { b })
}

/// `x` moved into `[low, high]`, canonical: `low` if `x < low`, else `high` if `x > high`, else
/// `x`.
///
/// Missing `x` stays missing; a missing bound is no bound; with `low > high` the first comparison
/// that holds decides.
#[inline]
pub fn clamp(x: f64, low: f64, high: f64) -> f64 {
    canonical(if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    })
}

/// Maps `x` to an integer with the same order: -0 folded into +0, missing last.
#[inline]
pub fn order_key(x: f64) -> u64 {
    let bits = canonical(x).to_bits();
    if bits & SIGN != 0 { !bits } else { bits | SIGN }
}

/// The inverse of [`order_key`]; a key that no value has gives the canonical value of its pattern.
#[inline]
pub fn from_order_key(key: u64) -> f64 {
    let bits = if key & SIGN != 0 { key ^ SIGN } else { !key };
    canonical(f64::from_bits(bits))
}

/// Compares in the total order: equal zeros, missing values equal to each other and after +inf.
#[inline]
pub fn total_cmp(a: f64, b: f64) -> Ordering {
    order_key(a).cmp(&order_key(b))
}

/// Positions of `values` in ascending total order; ties keep the lower position first, missing
/// values come last.
///
/// At most 2^32 values (asserted).
pub fn argsort(values: &[f64]) -> Vec<u32> {
    let n = row_count(values.len());
    let mut pairs: Vec<(u64, u32)> = values.iter().map(|&x| order_key(x)).zip(0..n).collect();
    pairs.sort();
    pairs.into_iter().map(|(_, i)| i).collect()
}

/// Positions `0..n` sorted by `cmp`; ties keep the lower position first. At most 2^32 positions
/// (asserted).
pub fn argsort_by(n: usize, mut cmp: impl FnMut(u32, u32) -> Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0..row_count(n)).collect();
    order.sort_by(|&a, &b| cmp(a, b));
    order
}

/// Number of representable values between `a` and `b`: 0 when equal (zeros and missing values
/// included), `u64::MAX` between a number and a missing value.
#[inline]
pub fn ulps_between(a: f64, b: f64) -> u64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0,
        (false, false) => signed_distance(order_key(a)).abs_diff(signed_distance(order_key(b))),
        _ => u64::MAX,
    }
}

/// Sum of `a[i] * b[i]`, index ascending from 0.0, each product rounded, then added. For vectors of
/// one row or one fixed length; sums over rows are [`ExactSum`](super::ExactSum)'s. Stops at the
/// shorter slice.
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut total = 0.0;
    for (x, y) in a.iter().zip(b) {
        total += x * y;
    }
    total
}

/// Sum in the order given, starting from 0.0 (an empty sum is +0). For short sums of fixed length
/// and declared order.
#[inline]
pub fn sum_in_order(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut total = 0.0;
    for x in values {
        total += x;
    }
    total
}

fn row_count(n: usize) -> u32 {
    u32::try_from(n).expect("a block holds at most 2^32 - 1 rows")
}

/// Steps from zero. In key space -0 keeps a place of its own below +0, which the distance must not
/// count.
fn signed_distance(key: u64) -> i64 {
    if key & SIGN != 0 { (key ^ SIGN) as i64 } else { -((!key ^ SIGN) as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_zero_and_one_missing_value() {
        assert_eq!(canonical(-0.0).to_bits(), 0);
        assert_eq!(canonical(-f64::NAN).to_bits(), 0x7ff8_0000_0000_0000);
        assert_eq!(canonical(f64::from_bits(0x7ff0_0000_0000_0001)).to_bits(), MISSING.to_bits());
        assert_eq!(min(0.0, -0.0).to_bits(), 0);
        assert_eq!(max(-0.0, -0.0).to_bits(), 0);
        assert!(is_missing(MISSING) && !is_missing(f64::INFINITY));
    }

    #[test]
    fn missing_is_skipped_by_extremes() {
        assert_eq!(min(f64::NAN, 2.0), 2.0);
        assert_eq!(min(2.0, f64::NAN), 2.0);
        assert_eq!(max(f64::NAN, -2.0), -2.0);
        assert_eq!(max(-2.0, f64::NAN), -2.0);
        assert!(min(f64::NAN, f64::NAN).is_nan());
        assert_eq!(clamp(5.0, 0.0, 3.0), 3.0);
        assert_eq!(clamp(-5.0, 0.0, 3.0), 0.0);
        assert_eq!(clamp(1.0, f64::NAN, f64::NAN), 1.0);
        assert_eq!(clamp(1.0, 4.0, 2.0), 4.0);
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
    }

    #[test]
    fn keys_follow_the_total_order() {
        let tiny = f64::from_bits(1);
        let line = [f64::NEG_INFINITY, -1.0, -tiny, 0.0, tiny, 1.0, f64::INFINITY, f64::NAN];
        for pair in line.windows(2) {
            assert!(order_key(pair[0]) < order_key(pair[1]), "{pair:?}");
        }
        assert_eq!(order_key(-0.0), order_key(0.0));
    }

    #[test]
    fn argsort_breaks_ties_by_position() {
        assert_eq!(argsort(&[2.0, f64::NAN, -0.0, 2.0, 0.0, -1.0]), [5, 2, 4, 0, 3, 1]);
        assert_eq!(argsort_by(4, |a, b| (a % 2).cmp(&(b % 2))), [0, 2, 1, 3]);
        assert!(argsort(&[]).is_empty());
    }

    #[test]
    fn ulps_count_steps_and_zero_is_one_place() {
        let tiny = f64::from_bits(1);
        assert_eq!(ulps_between(1.0, 1.0 + f64::EPSILON), 1);
        assert_eq!(ulps_between(-tiny, tiny), 2);
        assert_eq!(ulps_between(-0.0, tiny), 1);
        assert_eq!(ulps_between(f64::NAN, -f64::NAN), 0);
        assert_eq!(ulps_between(f64::NAN, f64::INFINITY), u64::MAX);
        assert_eq!(ulps_between(f64::MAX, f64::INFINITY), 1);
    }

    #[test]
    fn short_sums_run_in_order() {
        assert_eq!(dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
        assert_eq!(sum_in_order([1e16, 1.0, -1e16]), 0.0);
        assert_eq!(sum_in_order([]).to_bits(), 0);
    }

    proptest! {
        #[test]
        fn key_round_trip(bits in any::<u64>()) {
            let x = f64::from_bits(bits);
            prop_assert_eq!(from_order_key(order_key(x)).to_bits(), canonical(x).to_bits());
        }

        #[test]
        fn key_order_is_number_order(a in prop::num::f64::ANY, b in prop::num::f64::ANY) {
            if let Some(order) = a.partial_cmp(&b) {
                prop_assert_eq!(total_cmp(a, b), order);
            }
        }
    }
}
