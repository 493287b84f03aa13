//! The integer form of the Gram matrix for two and three digits: a value is one integer of 42 or
//! 63 bits, products have 128 bits and sums 192, so nothing is rounded and no order matters.

use super::exact_sum::ExactSum;
use super::fixed::power_of_two;
use super::gram::{DIGIT_BITS, GramSpec, centred};
use serde::{Deserialize, Serialize};

/// Rows seen at a time, so that the integers of all columns stay in the cache.
const ROWS: usize = 512;
/// From here on every f64 is an integer.
const INTEGERS_FROM: f64 = 4_503_599_627_370_496.0;

/// A signed integer of 192 bits: high * 2^128 + low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WideSum {
    high: i64,
    low: u128,
}

impl WideSum {
    #[inline]
    fn add(&mut self, x: i128) {
        let (low, carries) = self.low.overflowing_add(x as u128);
        self.low = low;
        self.high = self.high.wrapping_add((x >> 127) as i64).wrapping_add(i64::from(carries));
    }

    /// Adds another sum: associative and commutative.
    pub(super) fn merge(&mut self, other: &Self) {
        let (low, carries) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high = self.high.wrapping_add(other.high).wrapping_add(i64::from(carries));
    }

    /// Adds the integer times 2^exp2 to `total`.
    pub(super) fn add_to(&self, total: &mut ExactSum, exp2: i32) {
        total.add_integer(i128::from(self.low as u64), exp2);
        total.add_integer((self.low >> 64) as i128, exp2 + 64);
        total.add_integer(i128::from(self.high), exp2 + 128);
    }
}

/// Adds the products of every pair of columns.
pub(super) fn add_wide(
    spec: &GramSpec,
    sums: &mut [WideSum],
    block: &[&[f64]],
    roots: Option<&[f64]>,
) {
    let n = block.first().map_or(0, |c| c.len());
    let mut values = Vec::with_capacity(ROWS);
    let mut columns: Vec<(Vec<i64>, bool)> = vec![(Vec::with_capacity(ROWS), false); block.len()];
    for first in (0..n).step_by(ROWS) {
        let rows = first..Ord::min(first + ROWS, n);
        for (j, (x, (out, is_full))) in block.iter().zip(&mut columns).enumerate() {
            let roots = roots.map(|r| &r[rows.clone()]);
            centred(&x[rows.clone()], spec.centers[j], roots, &mut values);
            *is_full = integers(&values, spec, j, out);
        }
        let mut sums = sums.iter_mut();
        for (i, (a, a_full)) in columns.iter().enumerate() {
            for ((b, b_full), sum) in columns[i..].iter().zip(&mut sums) {
                if *a_full || *b_full {
                    a.iter().zip(b).for_each(|(&a, &b)| sum.add(whole(a) * whole(b)));
                } else {
                    add_products(sum, a, b);
                }
            }
        }
    }
}

/// Values of column j as integers, and whether one of them is 2^63 in size; 2^63 itself stands as
/// the largest i64, which no other value becomes.
fn integers(values: &[f64], spec: &GramSpec, j: usize, out: &mut Vec<i64>) -> bool {
    let factor = power_of_two(spec.exponent(j));
    let bound = power_of_two((DIGIT_BITS * u32::from(spec.slices)) as i32);
    let mut is_full = false;
    out.clear();
    out.extend(values.iter().map(|&v| {
        let y = v * factor;
        let cut = if y > bound { bound } else { y };
        let cut = if cut < -bound { -bound } else { cut };
        let magic = if cut < 0.0 { -INTEGERS_FROM } else { INTEGERS_FROM };
        // Nearest, ties to even; missing becomes 0.
        let rounded = if cut.abs() < INTEGERS_FROM { (cut + magic) - magic } else { cut };
        let integer = rounded as i64;
        is_full |= integer == i64::MAX || integer == i64::MIN;
        integer
    }));
    is_full
}

/// The integer that [`integers`] stands for.
#[inline]
fn whole(x: i64) -> i128 {
    if x == i64::MAX { 1 << 63 } else { i128::from(x) }
}

/// Two products below 2^126 at a time: their sum is an i128, and needs one carry.
fn add_products(sum: &mut WideSum, a: &[i64], b: &[i64]) {
    let product = |a: i64, b: i64| i128::from(a).wrapping_mul(i128::from(b));
    let (pairs, b_pairs) = (a.chunks_exact(2), b.chunks_exact(2));
    let last = pairs.remainder().iter().zip(b_pairs.remainder());
    let mut total = *sum;
    last.for_each(|(&a, &b)| total.add(product(a, b)));
    for (a, b) in pairs.zip(b_pairs) {
        total.add(product(a[0], b[0]).wrapping_add(product(a[1], b[1])));
    }
    *sum = total;
}
