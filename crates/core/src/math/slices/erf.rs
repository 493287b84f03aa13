//! Error function of whole slices.
//!
//! **Split.** a = |x|, cut to 6, where the result has long been 1. n is the integer nearest to 64
//! a; d = a - n / 64 is exact, at most 2^-7, as in `tanh`. With A = n / 64, t = erf A, its slope k
//! = 2 / √π · e^(-A²) and Hermite's polynomials H, Taylor's series says
//!
//! erf a = t + k d (1 + q), q = c1 d + c2 d² + ... + c8 d⁸, ci = (-1)^i Hi(A) / (i + 1)!.
//!
//! **Sum.** As in `tanh`, with t = th + tl, k = S + R, d = dh + dl, S and dh being k and d cut to
//! 26 bits:
//!
//! erf a = th + S dh + [tl + S (dl + d q) + R (d + d q)].
//!
//! **Bound.** Of the sum as in `tanh`, with Q the sum of Ci D^i, D = 2^-7, Ci as ci with all signs
//! in the recurrence of H positive. q is off by what Horner's rule is: from the last step on, with
//! V the size of the step before, D times what that is off plus u (3 i Ci + Ci + 2 D V): the
//! recurrence takes three roundings a term (none for c1 = -A), the step a product and a sum; and by
//! the next term of the series, less than 2 C9 D⁹. For n = 0 the same counts, with y almost k D:
//! all is proportional to d, and to d² or less what is to Q.
//!
//! Over the whole table the sum of all is below 0.8 · 2^-62 times the smallest result y, as a test
//! computes. The bound is 2^-62 times the upper part of the sum, which is at least 0.999 y. Nearer
//! to 0 than 2^-900 the rest of a rest may be subnormal: there the function of one value is asked.

use super::super::functions::erf;
use super::fixed::{ONE, high_product, nearest, nearest_difference, pair};
use super::{BLOCK, Block, SIGN, TO_POINT, UPPER, along, each_block, settled};

/// erf 6 rounds to 1, as do all beyond.
const REACH: f64 = 6.0;

/// 2^-900: nearer to 0, rests may be subnormal.
const NEAREST: f64 = f64::from_bits((1023 - 900) << 52);

const N_POINTS: usize = 6 * 64 + 1;

/// A power of two, so that no index needs a check.
const N_ROWS: usize = 512;

/// 2^-62, of the result.
const BOUND: f64 = 1.0 / ((1u64 << 62) as f64);

/// c1 to c8.
const N_TERMS: usize = 8;

type Row = [f64; 4 + N_TERMS];

/// th, tl, S, R and c1 to c8 of each point; behind the last one there is none.
static POINTS: [Row; N_ROWS] = points();

/// 2 / √π, and times e^(-2^-14), in units of 2^-127, cut.
const PEAK: u128 = 0x906e_ba82_14db_688d_71d4_8a7f_6bfe_c344;
const PEAK_BETWEEN: u128 = 0x906c_78cb_ae42_e499_6051_7365_8536_46cf;

/// e^(-1/4096) and e^(-1/2048), in units of 2^-127, cut.
const DECAY: u128 = 0x7ff8_003f_feaa_afff_eeef_1c71_5f16_c16a;
const DECAY_TWICE: u128 = 0x7ff0_00ff_f555_aaa8_8893_e90a_9179_14ad;

/// erf and its slopes step from point to point. A step multiplies the slope e^(-A²) by
/// e^(-(2 n + 1) / 4096), and adds the integral between, its slope in the middle times `between`.
/// Products cut less than four units each: over 384 steps below 2^-108.
const fn points() -> [Row; N_ROWS] {
    let mut points = [[0.0; 4 + N_TERMS]; N_ROWS];
    let (mut t, mut slope, mut middle, mut power) = (0, PEAK, PEAK_BETWEEN, ONE);
    let mut n = 0;
    while n < N_ROWS {
        if n < N_POINTS {
            points[n] = row(n, t, slope);
            t += high_product(middle, between(n)) << 6;
            slope = high_product(slope, high_product(power, DECAY) << 1) << 1;
            power = high_product(power, DECAY_TWICE) << 1;
            middle = high_product(middle, power) << 1;
        } else {
            points[n][0] = 1.0;
        }
        n += 1;
    }
    points
}

const fn row(n: usize, t: u128, slope: u128) -> Row {
    let few = f64::from_bits(nearest(slope).to_bits() & UPPER);
    let rest = nearest_difference(slope, (few * ONE as f64) as u128);
    let (high, low) = pair(t);
    let mut row = [0.0; 4 + N_TERMS];
    (row[0], row[1], row[2], row[3]) = (high, low, few, rest);
    // Hi(A) / i! from the two before, i from 0.
    let twice = n as f64 / 32.0;
    let (mut before, mut this, mut i) = (0.0, 1.0, 1);
    while i <= N_TERMS {
        (before, this) = (this, (twice * this - 2.0 * before) / i as f64);
        let size = this / (i + 1) as f64;
        row[3 + i] = if i % 2 == 1 { -size } else { size };
        i += 1;
    }
    row
}

/// The mean of e^(c² - x²) over x between n / 64 and (n + 1) / 64, c in the middle, in units of
/// 2^-116: the sum of Hi(c) s^i / (i! (i + 1)) over even i, s = 2^-7, by the recurrence of H with c
/// = (2 n + 1) s.
const fn between(n: usize) -> u128 {
    let (mut before, mut this, mut i, mut sum) = (0, 1i128 << 116, 0, 0);
    while i < 30 {
        if i % 2 == 0 {
            sum += this / (i + 1);
        }
        i += 1;
        (before, this) = (this, ((2 * n as i128 + 1) * this - before) / (i << 13));
    }
    sum as u128
}

/// Puts `erf` of each value in its place.
pub fn erf_all(values: &mut [f64]) {
    each_block(values, erf_block, erf);
}

#[inline(always)]
pub(super) fn erf_block(x: &Block, found: &mut Block) -> bool {
    let (mut rests, mut places) = ([0.0; BLOCK], [0; BLOCK]);
    let mut rows = [[0.0; 4 + N_TERMS]; BLOCK];
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
        let (d, [high, low, few, rest, c1, c2, c3, c4, c5, c6, c7, c8]) = (rests[i], rows[i]);
        let end = c5 + d * (c6 + d * (c7 + d * c8));
        let q = d * (c1 + d * (c2 + d * (c3 + d * (c4 + d * end))));
        let (sum, low) = along([high, low, few, rest], d, q);
        let y = settled(sum, low, sum * BOUND);
        let is_open = y.is_nan() | (x[i].abs() < NEAREST);
        n_open |= u64::from(is_open);
        // -0 is read as +0.
        let sign = (x[i] + 0.0).to_bits() & SIGN;
        found[i] = if is_open { f64::NAN } else { f64::from_bits(y.to_bits() | sign) };
    }
    n_open != 0
}

#[cfg(test)]
mod tests {
    use super::super::fixed::exact;
    use super::*;
    use crate::math::exp;

    #[test]
    fn the_table_has_the_function_and_its_slopes() {
        for (n, row) in POINTS.iter().enumerate().take(N_POINTS) {
            let a = n as f64 / 64.0;
            assert_eq!(row[0], erf(a), "{n}");
            let slope = std::f64::consts::FRAC_2_SQRT_PI * exp(-(a * a));
            assert!((row[2] + row[3] - slope).abs() <= 2.0 * f64::EPSILON * slope, "{n}");
            assert!(row[2].to_bits() & !UPPER == 0 && row[3].abs() * (1 << 25) as f64 <= row[2]);
            // H1 = 2 A, H2 = 4 A² - 2, H4 = 16 A⁴ - 48 A² + 12.
            let a2 = a * a;
            let expected = [-a, (2.0 * a2 - 1.0) / 3.0, (4.0 * a2 * a2 - 12.0 * a2 + 3.0) / 30.0];
            for (found, expected) in [row[4], row[5], row[7]].iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-14 * (1.0 + a2 * a2), "{n}: {found}");
            }
        }
        assert_eq!(POINTS[N_POINTS - 1][0], 1.0);
    }

    /// Both series of a step give one value in the middle, up to the rounding of q.
    #[test]
    fn neighbours_meet_in_the_middle() {
        for n in 0..N_POINTS - 1 {
            let at = |row: &Row, d: f64| {
                let q = row[4..].iter().rev().fold(0.0, |total, c| d * (c + total));
                let slope = exact((row[2], row[3]));
                let bend = slope.times(&exact((d * q, 0.0)));
                let straight = slope.times(&exact((d, 0.0)));
                (exact((row[0], row[1])), straight, bend)
            };
            let half = 1.0 / 128.0;
            let (a, b) = (at(&POINTS[n], half), at(&POINTS[n + 1], -half));
            let off = a.0.minus(&b.0);
            let off = off.minus(&b.1.minus(&a.1)).minus(&b.2.minus(&a.2)).round().abs();
            assert!(off < 1.0 / (1u128 << 67) as f64, "{n}: {off:e}");
        }
    }

    #[test]
    fn no_row_of_the_table_exceeds_the_bound() {
        let u = f64::EPSILON / 2.0;
        let mut worst = 0.0;
        for (n, row) in POINTS.iter().enumerate().take(N_POINTS) {
            let large = 1.0 / 128.0;
            let (k, twice) = (row[2], n as f64 / 32.0);
            let y = if n == 0 { 0.99 * k * large } else { erf((n as f64 - 0.5) / 64.0) };
            let mut sizes = [1.0; N_TERMS + 2];
            for i in 1..=N_TERMS + 1 {
                let before = if i == 1 { 0.0 } else { sizes[i - 2] };
                sizes[i] = (twice * sizes[i - 1] + 2.0 * before) / i as f64;
            }
            let (mut step, mut off) = (0.0, 2.0 * large * sizes[N_TERMS + 1] / 10.0);
            for i in (1..=N_TERMS).rev() {
                let c = sizes[i] / (i + 1) as f64;
                let stored = if i == 1 { 0.0 } else { 3.0 * i as f64 * c };
                off = large * off + u * (stored + c + 2.0 * large * step);
                step = c + large * step;
            }
            let q = large * step;
            let off_q = large * off + u * q;
            let others = u * (7.0 * (q + f64::EPSILON * (1 << 28) as f64) + 1.0 / (1 << 23) as f64);
            let sum =
                k * large * 1.001 * (off_q + others) + 16.0 * u * u * f64::from(u8::from(n > 0));
            worst = crate::math::max(worst, sum / y);
            assert!(k * large * (q + 1.0 / (1 << 22) as f64) < 0.001 * y, "{n}");
        }
        assert!(worst < 0.8 * BOUND, "{worst:e}");
    }
}
