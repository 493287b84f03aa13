//! e^x, and the logistic function, of whole slices.
//!
//! **Split.** n is the integer nearest to 128 x / ln 2, but for rounding, and t the rest: x = t + n
//! ln 2 / 128, |t| <= 2^-8.5. So e^x = 2^⌊n / 128⌋ T e^t with T = 2^(j / 128), j = n mod 128. The
//! step ln 2 / 128 is C1 + C2, C1 a multiple of 2^-43 below 2^-7.5: with |x| <= 708, |n| < 2^17 and
//! n C1 is exact. r = x - n C1 is exact too: with n = 0 it is x; else |x| >= 2^-9, so that both are
//! multiples of 2^-61, and |r| < 2^-8.5. c = -n C2 is below 2^-29, its error below 2^-81.
//!
//! **Sum.** With T = Th + Tl (|Tl| <= 2^-53, the rest below 2^-106), S = Th rounded to a multiple
//! of 1/4 and s = c + t²/2 + t³/6 + ...:
//!
//! T e^t = Th + S r + [(Th - S) r + Tl + Tl r + Th s] + Tl s, |Tl s| < 2^-71.
//!
//! S r is exact: from |x| >= 2^-6 on, r is a multiple of 2^-58 below 2^-8.5, and S is 4, 5, 6, 7 or
//! 8 times 1/4; nearer to 0, |n| <= 3 and S is 1 or 2. The sum of Th and S r leaves an exact rest
//! e. Th - S is exact, at most 1/8.
//!
//! **Bound.** In units of 2^-65. s: the polynomial ends with t^6, what follows is below 2^-71.8; p
//! = r + c is off by 2^-62, so p² / 2 by 2^-70.5; rounding p² by 2^-71 (half of it counts), the
//! bracket by 2^-53.9 (times 2^-17), the product and the sum by 2^-72 each: 0.08 together, 0.16
//! times Th. (Th - S) r is below 2^-11.5, half a unit of it 1. Products and sums of the bracket
//! beside it are below 2^-16, four roundings by 2^-70 at most: 0.13. Adding it to them and to e
//! stays below 2^-11: 1 each. Tl s: 0.02. Together below 3.4. The ends `l - E` and `l + E` are
//! rounded by 1 again, so E = 5 · 2^-65 leaves 4.
//!
//! The value of T e^t is in [0.99, 2.01], its product with 2^⌊n / 128⌋ normal, so both round alike.

use super::super::functions::{exp, sigmoid};
use super::super::order::MISSING;
use super::fixed::{ONE, high_product, pair};
use super::{BLOCK, Block, each_block, settled, sum_and_rest};
use crate::faults::{self, Fault};

const N_POINTS: usize = 128;

/// Beyond, results may be subnormal or too large.
const REACH: f64 = 708.0;

/// 1.5 · 2^52: adding it leaves the nearest integer in the lowest bits.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// 1.5 · 2^50: adding and subtracting it rounds to a multiple of 1/4.
const TO_QUARTER: f64 = 1_688_849_860_263_936.0;

/// 128 / ln 2, rounded.
const PER_POINT: f64 = 184.664_965_233_787_3;

/// ln 2 / 128 cut to a multiple of 2^-43, and the rest, rounded.
const STEP: (f64, f64) =
    (f64::from_bits(0x3f76_2e42_fefa_0000), f64::from_bits(0x3d0c_f79a_bc9e_3b3a));

/// 2^(1/128) / 2 in units of 2^-127, cut.
const ROOT: u128 = 0x4058_f6a7_eccc_d5b6_1299_ab8c_db73_7e90;

/// 5 · 2^-65.
const BOUND: f64 = 5.0 / ((1u128 << 65) as f64);

/// 2^(j / 128) as the sum of two. A product cuts less than four units of 2^-126, and the root is
/// cut: over 127 products less than 2^-116.
static POINTS: [(f64, f64); N_POINTS] = points();

const fn points() -> [(f64, f64); N_POINTS] {
    let mut points = [(1.0, 0.0); N_POINTS];
    let (mut half, mut j) = (ONE / 2, 1);
    while j < N_POINTS {
        half = high_product(half, ROOT) << 2;
        let (high, low) = pair(half);
        points[j] = (2.0 * high, 2.0 * low);
        j += 1;
    }
    points
}

/// Puts `exp` of each value in its place.
pub fn exp_all(values: &mut [f64]) {
    if faults::on(Fault::StdExp) {
        values.iter_mut().for_each(|x| *x = exp(*x));
        return;
    }
    each_block(values, exp_block, exp);
}

/// Puts `sigmoid` of each value in its place.
pub fn sigmoid_all(values: &mut [f64]) {
    for values in values.chunks_mut(BLOCK) {
        if values.len() < super::N_SHORT {
            values.iter_mut().for_each(|x| *x = sigmoid(*x));
            continue;
        }
        let mut powers = [0.0; BLOCK];
        let powers = &mut powers[..values.len()];
        powers.iter_mut().zip(&*values).for_each(|(e, x)| *e = -x.abs());
        exp_all(powers);
        for (x, &e) in values.iter_mut().zip(&*powers) {
            let share = (if *x >= 0.0 { 1.0 } else { e }) / (1.0 + e);
            *x = if share.is_nan() { MISSING } else { share };
        }
    }
}

#[inline(always)]
pub(super) fn exp_block(x: &Block, found: &mut Block) -> bool {
    let mut n = [0; BLOCK];
    let (mut rests, mut corrections) = ([0.0; BLOCK], [0.0; BLOCK]);
    for i in 0..BLOCK {
        let shifted = x[i] * PER_POINT + TO_INTEGER;
        n[i] = shifted.to_bits();
        let whole = shifted - TO_INTEGER;
        rests[i] = x[i] - whole * STEP.0;
        corrections[i] = -whole * STEP.1;
    }
    let mut n_open = 0;
    for i in 0..BLOCK {
        let (r, c) = (rests[i], corrections[i]);
        let (high, low) = POINTS[(n[i] % N_POINTS as u64) as usize];
        let p = r + c;
        let series =
            0.5 + p * (1.0 / 6.0 + p * (1.0 / 24.0 + p * (1.0 / 120.0 + p * (1.0 / 720.0))));
        let s = c + p * p * series;
        let few = (high + TO_QUARTER) - TO_QUARTER;
        let (sum, rest) = sum_and_rest(high, few * r);
        let low = rest + ((high - few) * r + (low + (low * r + high * s)));
        let y = settled(sum, low, BOUND);
        let is_open = y.is_nan() | (x[i].abs() > REACH);
        n_open |= u64::from(is_open);
        // The bits of n above the lowest seven go to those of the exponent.
        let scaled = y.to_bits().wrapping_add((n[i] / N_POINTS as u64) << 52);
        found[i] = if is_open { f64::NAN } else { f64::from_bits(scaled) };
    }
    n_open != 0
}

#[cfg(test)]
mod tests {
    use super::super::fixed::exact;
    use super::*;
    use crate::math::exp2;

    #[test]
    fn the_table_multiplies_as_powers_do() {
        let power = |j: usize| POINTS.get(j).map_or(exact((2.0, 0.0)), |pair| exact(*pair));
        for (j, point) in POINTS.iter().enumerate() {
            assert_eq!(point.0, exp2(j as f64 / 128.0));
            let off = power(j).times(&power(1)).minus(&power(j + 1)).round();
            assert!(off.abs() < 1.0 / (1u128 << 103) as f64, "{j}: {off:e}");
        }
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        let step = exact(STEP).times_integer(128).minus(&exact((std::f64::consts::LN_2, 0.0)));
        // ln 2 is off by its own rest, 2.3190468e-17.
        assert!((step.round() - 2.319_046_813_846_299_6e-17).abs() < 1e-27, "{}", step.round());
        assert_eq!(STEP.0 * (1u64 << 43) as f64 % 1.0, 0.0);
        assert_eq!(
            (TO_INTEGER, TO_QUARTER),
            (1.5 * (1u64 << 52) as f64, 1.5 * (1u64 << 50) as f64)
        );
        assert!((PER_POINT * STEP.0 - 1.0).abs() < 1e-10);
        // The product of S and a rest needs no rounding beside 0.
        for (j, (point, _)) in POINTS.iter().enumerate() {
            let few = (point + TO_QUARTER) - TO_QUARTER;
            assert!(few * 4.0 % 1.0 == 0.0 && (few - point).abs() <= 0.125);
            assert!((4..125).contains(&j) || few == if j < 4 { 1.0 } else { 2.0 });
        }
    }
}
