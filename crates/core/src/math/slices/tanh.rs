//! Hyperbolic tangent of whole slices.
//!
//! **Split.** a = |x|, cut to 20, where the result has long been 1. n is the integer nearest to 64
//! a; d = a - n / 64 is exact (with n = 0 it is a, else both are multiples of the last place of a),
//! at most 2^-7. With t = tanh(n / 64), k = 1 - t² and tanh d = d (1 + v), v = -d²/3 + 2 d⁴/15 - 17
//! d⁶/315 + 62 d⁸/2835, what follows below 2^-76, the addition theorem says
//!
//! tanh a = t + k d (1 + v) / (1 + w) = t + k d (1 + q), w = t d (1 + v), q = (v - w) / (1 + w).
//!
//! **Sum.** With t = th + tl, k = S + R, d = dh + dl, S and dh being k and d cut to 26 bits:
//!
//! tanh a = th + S dh + [tl + S (dl + d q) + R (d + d q)].
//!
//! S dh has 52 bits at most and is exact; the sum of th and S dh leaves an exact rest.
//!
//! **Bound.** For n = 0 the sum is dh + (dl + d v): rounding dl + d v and v gives less than 2^-66
//! of the result. For n >= 1, with y the smallest result, at (n - 1/2) / 64, and D = 2^-7, V =
//! D²/3, W = t D (1 + V), Q = (V + W) / (1 - W) the largest sizes of d, v, w and q:
//!
//! - v is off by 4 u V; w by 3 u W (th for t, two products or sums, as u v is small; 3.01 covers
//!   products of errors); q by (both + u (V + W)) / (1 - W) from above and u Q each from the
//!   denominator and the division; this times k D.
//! - d q, its sum with dl, the product of this with S, the sums with the product with R, with tl
//!   and with the rest, and the ends of the test are each off by u (Q + 2^-24) k D at most, the
//!   product with R and R itself by u 2^-23 k D; tl and its rest by less than 2^-104.
//!
//! Over the whole table their sum is below 0.97 · 2^-62 y, as a test computes. The bound is 2^-62
//! times the upper part of the sum, which is at least 0.999 y. Where d² is subnormal, d v is too
//! small to be seen beside d.

use super::super::functions::tanh;
use super::fixed::{ONE, high_product, nearest, nearest_difference, pair, ratio};
use super::{BLOCK, Block, SIGN, TO_POINT, UPPER, along, each_block, settled};

/// tanh 20 rounds to 1, as do all beyond.
const REACH: f64 = 20.0;

const N_POINTS: usize = 20 * 64 + 1;

/// A power of two, so that no index needs a check.
const N_ROWS: usize = 2048;

/// e^(-1/32) in units of 2^-127, cut.
const DECAY: u128 = 0x7c0f_d5aa_22d7_5e45_2c02_afe5_dd89_cd74;

/// 2^-62, of the result.
const BOUND: f64 = 1.0 / ((1u64 << 62) as f64);

/// th, tl, S and R of each point; behind the last one there is none.
static POINTS: [[f64; 4]; N_ROWS] = points();

/// tanh(j / 64) = (1 - e) / (1 + e) with e = e^(-j / 32). A product cuts less than two units, the
/// decay is cut: over 1280 products below 2^-115.
const fn points() -> [[f64; 4]; N_ROWS] {
    let mut points = [[0.0, 0.0, 1.0, 0.0]; N_ROWS];
    let (mut power, mut j) = (ONE, 1);
    while j < N_POINTS {
        power = high_product(power, DECAY) << 1;
        let t = ratio(ONE - power, ONE + power);
        let slope = ONE - (high_product(t, t) << 1);
        let few = f64::from_bits(nearest(slope).to_bits() & UPPER);
        let rest = nearest_difference(slope, (few * ONE as f64) as u128);
        let (high, low) = pair(t);
        points[j] = [high, low, few, rest];
        j += 1;
    }
    points
}

/// Puts `tanh` of each value in its place.
pub fn tanh_all(values: &mut [f64]) {
    each_block(values, tanh_block, tanh);
}

#[inline(always)]
pub(super) fn tanh_block(x: &Block, found: &mut Block) -> bool {
    let (mut rests, mut places, mut rows) = ([0.0; BLOCK], [0; BLOCK], [[0.0; 4]; BLOCK]);
    for i in 0..BLOCK {
        let size = x[i].abs();
        let size = if size > REACH { REACH } else { size };
        let shifted = size + TO_POINT;
        rests[i] = size - (shifted - TO_POINT);
        places[i] = shifted.to_bits();
    }
    for (row, place) in rows.iter_mut().zip(places) {
        *row = POINTS[(place % N_ROWS as u64) as usize];
    }
    let mut n_open = 0;
    for i in 0..BLOCK {
        let (d, high) = (rests[i], rows[i][0]);
        let d2 = d * d;
        let series = 2.0 / 15.0 + d2 * (-17.0 / 315.0 + d2 * (62.0 / 2835.0));
        let v = d2 * (-1.0 / 3.0 + d2 * series);
        let u = high * d;
        let w = u + u * v;
        let q = (v - w) / (1.0 + w);
        let (sum, low) = along(rows[i], d, q);
        let y = settled(sum, low, sum * BOUND);
        let is_open = y.is_nan();
        n_open |= u64::from(is_open);
        // -0 is read as +0.
        let sign = (x[i] + 0.0).to_bits() & SIGN;
        found[i] = if is_open { f64::NAN } else { f64::from_bits(y.to_bits() | sign) };
    }
    n_open != 0
}

#[cfg(test)]
mod tests {
    use super::super::super::big::Exact;
    use super::super::fixed::exact;
    use super::*;

    #[test]
    fn the_table_adds_as_tangents_do() {
        let one = exact((1.0, 0.0));
        let point = |j: usize| exact((POINTS[j][0], POINTS[j][1]));
        let sum = |a: &Exact, b: &Exact| a.minus(&b.times(&exact((-1.0, 0.0))));
        let small = |x: Exact, bits: u32, j: usize| {
            let off = x.round().abs();
            assert!(off < 1.0 / (1u128 << bits) as f64, "{j}: {off:e}");
        };
        for (j, [high, _, few, rest]) in POINTS.into_iter().take(N_POINTS - 1).enumerate() {
            assert_eq!(high, tanh(j as f64 / 64.0));
            let (this, next) = (point(j), point(j + 1));
            let product = sum(&one, &point(1).times(&this)).times(&next);
            small(product.minus(&sum(&point(1), &this)), 104, j);
            let slope = one.minus(&this.times(&this));
            small(slope.minus(&exact((few, rest))), 78, j);
            assert!(few.to_bits() & !UPPER == 0 && rest.abs() <= few / (1 << 25) as f64, "{j}");
        }
        assert_eq!(POINTS[N_POINTS - 1][0], 1.0);
    }

    #[test]
    fn no_row_of_the_table_exceeds_the_bound() {
        let u = f64::EPSILON / 2.0;
        let large = 1.0 / 128.0;
        let mut worst = 0.0;
        for (n, &[t, _, few, _]) in POINTS.iter().enumerate().take(N_POINTS).skip(1) {
            let y = tanh((n as f64 - 0.5) / 64.0);
            let v = large * large / 3.0;
            let w = t * large * (1.0 + v);
            let q = (v + w) / (1.0 - w);
            let off_q = u * (4.0 * v + 3.01 * w + v + w) / (1.0 - w) + 2.02 * u * q;
            let others = u * (7.0 * (q + f64::EPSILON * (1 << 28) as f64) + 1.0 / (1 << 23) as f64);
            let sum = few * large * 1.001 * (off_q + others) + 16.0 * u * u;
            worst = crate::math::max(worst, sum / y);
            assert!(few * large * (q + 1.0 / (1 << 22) as f64) < 0.001 * y, "{n}");
        }
        // 2.085e-19 against 2.168e-19.
        assert!(worst < 0.97 * BOUND, "{worst:e}");
    }
}
