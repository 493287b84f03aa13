//! The large form of [`ExactSum`]: long slices go through one bin per (exponent, sign), without a
//! carry or a shift.
//!
//! A bin is a u64 of summed 53-bit significands, emptied into the limbs after 2048 values (2^11 *
//! 2^53 = 2^64); squares use a u128 per exponent (2^11 * 2^106 = 2^117). Only the span of bins that
//! a block used is visited.

use super::exact_sum::{ExactSum, MANTISSA, UNIT};

const BLOCK: usize = 2048;
/// The first bin of NaN and infinities.
const SPECIAL: usize = 0xffe;

/// Adds every value to `sum`.
pub(super) fn add(sum: &mut ExactSum, values: &[f64]) {
    let mut bins = [0u64; 4096];
    for block in values.chunks(BLOCK) {
        let (mut first, mut last) = (4095, 0);
        for &x in block {
            let (at, significand) = split(x);
            bins[at & 4095] += significand;
            first = Ord::min(first, at);
            last = Ord::max(last, at);
        }
        count(sum, block, last);
        empty(&mut bins, first, last, sum);
    }
}

/// Adds every value to `sum` and its exact square to `squares`.
pub(super) fn add_with_squares(sum: &mut ExactSum, squares: &mut ExactSum, values: &[f64]) {
    let mut bins = [0u64; 4096];
    let mut square_bins = [0u128; 2048];
    for block in values.chunks(BLOCK) {
        let (mut first, mut last) = (4095, 0);
        for &x in block {
            let (at, significand) = split(x);
            bins[at & 4095] += significand;
            let wide = u128::from(significand);
            square_bins[at >> 1 & 2047] += wide * wide;
            first = Ord::min(first, at);
            last = Ord::max(last, at);
        }
        let (n_finite, [nan, plus, minus]) = count(sum, block, last);
        squares.count_items(n_finite, [nan, plus + minus, 0]);
        empty(&mut bins, first, last, sum);
        let used = square_bins.iter_mut().enumerate().take(last / 2 + 1).skip(first / 2);
        for (at, total) in used {
            let total = std::mem::take(total);
            if at < SPECIAL / 2 {
                squares.add_wide(false, total, 2 * (at as u32).saturating_sub(1));
            }
        }
    }
}

/// Bin and significand. The exponent is the upper part of the bin, the sign its lowest bit, so used
/// bins are near each other.
#[inline]
fn split(x: f64) -> (usize, u64) {
    let bits = x.to_bits();
    let at = (bits >> 51 & 0xffe | bits >> 63) as usize;
    (at, bits & MANTISSA | u64::from(at > 1) << 52)
}

fn empty(bins: &mut [u64; 4096], first: usize, last: usize, sum: &mut ExactSum) {
    for (at, total) in bins.iter_mut().enumerate().take(last + 1).skip(first) {
        let total = u128::from(std::mem::take(total));
        if at < SPECIAL {
            sum.add_wide(at & 1 == 1, total, (at as u32 >> 1).saturating_sub(1) + UNIT);
        }
    }
}

/// Counts the items of a block whose highest bin is `last`: finite ones, then NaN, +inf, -inf.
fn count(sum: &mut ExactSum, block: &[f64], last: usize) -> (u64, [u64; 3]) {
    let mut special = [0u64; 3];
    if last >= SPECIAL {
        for &x in block {
            special[0] += u64::from(x.is_nan());
            special[1] += u64::from(x == f64::INFINITY);
            special[2] += u64::from(x == f64::NEG_INFINITY);
        }
    }
    let n_finite = block.len() as u64 - (special[0] + special[1] + special[2]);
    sum.count_items(n_finite, special);
    (n_finite, special)
}
