//! A sum of f64 values or products without any rounding: order, chunks and merges cannot move a
//! bit.
//!
//! **State.** An integer times 2^-2148, in two's-complement digits of 32 bits held in i64 limbs.
//! The unit is the square of the smallest subnormal, so products need no special case. Only the
//! limbs that the data touched are held (a few for typical columns, 134 at most for all of f64 and
//! its products). A value of 53 bits shifted by up to 31 leaves a low part below 2^32 and a high
//! part below 2^52, so carries may wait for 2^63 / 2^52 - 1 = 2047 additions. Counts of finite
//! items, NaN, +inf and -inf stand beside it, so that nothing poisons the integer.
//!
//! **Long slices** take the large form: per (exponent, sign) one u64 of summed significands,
//! emptied into the limbs after 2048 values (2^11 * 2^53 = 2^64).
//!
//! **Canonical form**: sign, magnitude digits without outer zeros, position. Equality, bytes and
//! serde use it alone.

use super::big::Exact;
use super::exact_sum_stored::Stored;
use super::large_form;
use super::order::{MISSING, canonical};
use crate::faults::{self, Fault};
use serde::{Deserialize, Serialize};

pub(super) const MANTISSA: u64 = (1 << 52) - 1;
/// Position of 2^-1074, the unit of f64, above the lowest bit, 2^-2148.
pub(super) const UNIT: u32 = 1074;
pub(super) const UNIT_EXP2: i64 = -2148;
const ADDS_MAX: u32 = 2047;
const LARGE_MIN: usize = 256;

/// Exact sum of finite values, with counts of the others. See the module text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct ExactSum {
    pub(super) n_finite: u64,
    pub(super) n_nan: u64,
    pub(super) n_plus_inf: u64,
    pub(super) n_minus_inf: u64,
    /// Limb index of `limbs[0]`.
    pub(super) base: u32,
    pub(super) limbs: Vec<i64>,
    pub(super) adds: u32,
}

impl ExactSum {
    /// The empty sum, 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one value; NaN and infinities are only counted.
    #[inline]
    pub fn add(&mut self, x: f64) {
        let (significand, position) = parts(x);
        if position > 2045 {
            return self.count_special(x);
        }
        self.n_finite += 1;
        self.add_at(x.is_sign_negative(), significand, position + UNIT);
    }

    /// Adds the exact product `a * b` (106 bits, nothing lost). A product with a NaN or an infinity
    /// is only counted, as what IEEE multiplication makes of it.
    #[inline]
    pub fn add_product(&mut self, a: f64, b: f64) {
        let ((ma, pa), (mb, pb)) = (parts(a), parts(b));
        if pa > 2045 || pb > 2045 {
            return self.count_special(a * b);
        }
        self.n_finite += 1;
        let negative = a.is_sign_negative() != b.is_sign_negative();
        self.add_wide(negative, u128::from(ma) * u128::from(mb), pa + pb);
    }

    /// Adds every value of a slice.
    pub fn add_slice(&mut self, values: &[f64]) {
        if values.len() < LARGE_MIN {
            values.iter().for_each(|&x| self.add(x));
        } else {
            large_form::add(self, values);
        }
    }

    /// Adds every value to `self` and every exact square to `squares`.
    pub(super) fn add_slice_and_squares(&mut self, squares: &mut ExactSum, values: &[f64]) {
        if values.len() < LARGE_MIN {
            for &x in values {
                self.add(x);
                squares.add_product(x, x);
            }
        } else {
            large_form::add_with_squares(self, squares, values);
        }
    }

    /// Adds another sum, counts included: associative and commutative, equal to having added its
    /// items here.
    pub fn merge(&mut self, other: &Self) {
        if faults::on(Fault::SumSplitByThread) {
            let mut part = ExactSum::new();
            part.add(other.round());
            self.combine(&part, 1);
        } else {
            self.combine(other, 1);
        }
        self.n_finite = self.n_finite.saturating_add(other.n_finite);
        self.n_nan = self.n_nan.saturating_add(other.n_nan);
        self.n_plus_inf = self.n_plus_inf.saturating_add(other.n_plus_inf);
        self.n_minus_inf = self.n_minus_inf.saturating_add(other.n_minus_inf);
    }

    /// The same as [`merge`](Self::merge).
    pub fn add_sum(&mut self, other: &Self) {
        self.merge(other);
    }

    /// Takes another sum away, counts included: the inverse of [`merge`](Self::merge). Counts stop
    /// at 0.
    pub fn sub(&mut self, other: &Self) {
        self.combine(other, -1);
        self.n_finite = self.n_finite.saturating_sub(other.n_finite);
        self.n_nan = self.n_nan.saturating_sub(other.n_nan);
        self.n_plus_inf = self.n_plus_inf.saturating_sub(other.n_plus_inf);
        self.n_minus_inf = self.n_minus_inf.saturating_sub(other.n_minus_inf);
    }

    /// Changes the sign of the sum; the infinities change places, the other counts stay.
    pub fn negate(&mut self) {
        self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
        std::mem::swap(&mut self.n_plus_inf, &mut self.n_minus_inf);
    }

    /// Number of finite items added.
    pub fn count(&self) -> u64 {
        self.n_finite
    }

    /// Number of NaN, of +inf and of -inf items added.
    pub fn special_counts(&self) -> (u64, u64, u64) {
        (self.n_nan, self.n_plus_inf, self.n_minus_inf)
    }

    /// True when the finite items sum to exactly zero and no other item was added.
    pub fn is_zero(&self) -> bool {
        self.special().is_none() && self.exact().is_zero()
    }

    /// The sum rounded once to nearest, ties to even; beyond the range of f64, an infinity.
    ///
    /// Any NaN, or infinities of both signs, give [`MISSING`]; infinities of one sign give that
    /// infinity.
    pub fn round(&self) -> f64 {
        self.special().unwrap_or_else(|| self.exact().round())
    }

    /// The sum times 2^shift, rounded once.
    pub(super) fn round_scaled(&self, shift: i32) -> f64 {
        let mut exact = self.exact();
        exact.exp2 += i64::from(shift);
        self.special().unwrap_or_else(|| exact.round())
    }

    /// `(hi, lo)`: `hi` is [`round`](Self::round), `lo` the exact remainder rounded; `lo` is 0 if
    /// `hi` is not finite.
    pub fn round_pair(&self) -> (f64, f64) {
        let hi = self.round();
        if !hi.is_finite() {
            return (hi, 0.0);
        }
        let mut rest = self.clone();
        rest.add(-hi);
        (hi, rest.round())
    }

    /// What NaN and infinities make of the sum, if there are any.
    pub(super) fn special(&self) -> Option<f64> {
        match (self.n_nan, self.n_plus_inf, self.n_minus_inf) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(MISSING),
        }
    }

    /// The finite part.
    pub(super) fn exact(&self) -> Exact {
        let mut limbs = self.limbs.clone();
        carry(&mut limbs);
        let negative = limbs.last().is_some_and(|&top| top < 0);
        if negative {
            limbs.iter_mut().for_each(|limb| *limb = -*limb);
            carry(&mut limbs);
        }
        let digits = limbs.into_iter().map(|limb| limb as u32).collect();
        Exact::new(negative, digits, UNIT_EXP2 + 32 * i64::from(self.base))
    }

    /// Counts items that another form has added: finite ones, then NaN, +inf and -inf.
    pub(super) fn count_items(&mut self, n_finite: u64, [nan, plus, minus]: [u64; 3]) {
        self.n_finite += n_finite;
        self.n_nan += nan;
        self.n_plus_inf += plus;
        self.n_minus_inf += minus;
    }

    /// Drops the count of NaN items and says what it was.
    pub(super) fn forget_nan(&mut self) -> u64 {
        std::mem::take(&mut self.n_nan)
    }

    /// Adds m * 2^position without counting an item; m is below 2^156, position counts from
    /// 2^-2148.
    pub(super) fn add_wide(&mut self, negative: bool, mut m: u128, mut position: u32) {
        const PIECE: u32 = 52;
        while m != 0 {
            self.add_at(negative, (m & ((1 << PIECE) - 1)) as u64, position);
            m >>= PIECE;
            position += PIECE;
        }
    }

    /// Adds m * 2^exp2 without counting an item; exp2 is at least -2148.
    pub(super) fn add_integer(&mut self, m: i128, exp2: i32) {
        let position = (i64::from(exp2) - UNIT_EXP2) as u32;
        self.add_wide(m < 0, m.unsigned_abs(), position);
    }

    #[cold]
    fn count_special(&mut self, x: f64) {
        if x.is_nan() {
            self.n_nan += 1;
        } else if x > 0.0 {
            self.n_plus_inf += 1;
        } else {
            self.n_minus_inf += 1;
        }
    }

    /// Adds significand (below 2^53) * 2^position, in units of 2^-2148.
    #[inline]
    fn add_at(&mut self, negative: bool, significand: u64, position: u32) {
        if self.adds == ADDS_MAX {
            self.settle();
        }
        self.adds += 1;
        let (limb, shift) = (position >> 5, position & 31);
        let low = (significand << shift) as u32;
        let high = significand >> (32 - shift);
        let at = limb.wrapping_sub(self.base) as usize;
        let flip = -i64::from(negative);
        if let Some([a, b]) = self.limbs.get_mut(at..at.wrapping_add(2)) {
            *a += (i64::from(low) ^ flip) - flip;
            *b += (high as i64 ^ flip) - flip;
        } else if significand != 0 {
            self.hold(limb, 2);
            self.adds -= 1;
            self.add_at(negative, significand, position);
        }
    }

    /// Makes limbs `first .. first + n` exist.
    #[cold]
    fn hold(&mut self, first: u32, n: u32) {
        if self.limbs.is_empty() {
            self.base = first;
        }
        if first < self.base {
            let missing = (self.base - first) as usize;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.base = first;
        }
        let needed = (first + n - self.base) as usize;
        if self.limbs.len() < needed {
            self.limbs.resize(needed, 0);
        }
    }

    fn combine(&mut self, other: &Self, factor: i64) {
        if other.limbs.is_empty() {
            return;
        }
        if self.adds == ADDS_MAX {
            self.settle();
        }
        self.adds += 1;
        let mut limbs = other.limbs.clone();
        carry(&mut limbs);
        self.hold(other.base, limbs.len() as u32);
        let at = (other.base - self.base) as usize;
        for (limb, digit) in self.limbs[at..].iter_mut().zip(limbs) {
            *limb += factor * digit;
        }
    }

    #[cold]
    fn settle(&mut self) {
        carry(&mut self.limbs);
        self.adds = 0;
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.n_finite == other.n_finite
            && (self.n_nan, self.n_plus_inf, self.n_minus_inf) == other.special_counts()
            && self.exact() == other.exact()
    }
}

impl Eq for ExactSum {}

/// Exact mean `sum / n`, rounded once. NaN and infinities as in [`ExactSum::round`]; `n = 0` gives
/// [`MISSING`].
pub fn mean(sum: &ExactSum, n: u64) -> f64 {
    match sum.special() {
        Some(x) => x,
        None if n == 0 => MISSING,
        None => canonical(sum.exact().over(u128::from(n))),
    }
}

/// Significand and position of its lowest bit above 2^-1074; a position of 2046 means NaN or
/// infinity.
#[inline]
pub(super) fn parts(x: f64) -> (u64, u32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as u32 & 0x7ff;
    let implicit = u64::from(exponent != 0);
    (bits & MANTISSA | implicit << 52, exponent - implicit as u32)
}

/// Propagates carries: every limb but the last in [0, 2^32), the last one signed and below 2^32 in
/// size.
fn carry(limbs: &mut Vec<i64>) {
    const DIGIT: i64 = 0xffff_ffff;
    let mut over = 0i64;
    for limb in limbs.iter_mut() {
        let t = *limb + over;
        *limb = t & DIGIT;
        over = t >> 32;
    }
    let Some(last) = limbs.last_mut() else { return };
    *last += over << 32;
    while let Some(last) = limbs.last_mut().filter(|last| last.unsigned_abs() > DIGIT as u64) {
        let over = *last >> 32;
        *last &= DIGIT;
        limbs.push(over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        values.iter().for_each(|&x| sum.add(x));
        sum
    }

    #[test]
    fn hand_worked_sums() {
        assert_eq!(sum_of(&[1e16, 1.0, -1e16]).round(), 1.0);
        assert_eq!(sum_of(&[0.1; 10]).round(), 1.0);
        // 0.1 is stored as 0x1999999999999a * 2^-56; three of them are 0x4cccccccccccce * 2^-56,
        // whose last three bits, 110, lie above a 53-bit significand by two: ...3|10 is a tie and
        // goes to the even ...4.
        assert_eq!(sum_of(&[0.1, 0.1, 0.1]).round(), 0.300_000_000_000_000_04);
        assert_eq!(sum_of(&[f64::MAX, f64::MAX, -f64::MAX]).round(), f64::MAX);
        assert_eq!(sum_of(&[f64::MAX, f64::MAX]).round(), f64::INFINITY);
        assert_eq!(sum_of(&[-f64::MAX, -1e292]).round(), f64::NEG_INFINITY);
        assert_eq!(sum_of(&[f64::from_bits(1); 3]).round(), f64::from_bits(3));
        assert_eq!(sum_of(&[-0.0]).round().to_bits(), 0);
        assert!(sum_of(&[1.5, -1.5]).is_zero() && ExactSum::new().is_zero());
    }

    #[test]
    fn what_is_not_finite_is_counted() {
        assert_eq!(sum_of(&[1.0, f64::INFINITY]).round(), f64::INFINITY);
        assert_eq!(sum_of(&[1.0, f64::NEG_INFINITY]).round(), f64::NEG_INFINITY);
        let both = sum_of(&[f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(both.round().to_bits(), MISSING.to_bits());
        let mut sum = sum_of(&[2.0, f64::NAN]);
        assert_eq!((sum.count(), sum.special_counts()), (1, (1, 0, 0)));
        assert_eq!(sum.round().to_bits(), MISSING.to_bits());
        sum.sub(&sum_of(&[f64::NAN]));
        assert_eq!(sum.round(), 2.0);
        let mut sum = ExactSum::new();
        sum.add_product(0.0, f64::INFINITY);
        sum.add_product(-1.0, f64::INFINITY);
        assert_eq!(sum.special_counts(), (1, 0, 1));
    }

    #[test]
    fn products_keep_every_bit() {
        let tiny = f64::from_bits(1);
        let mut sum = ExactSum::new();
        sum.add_product(tiny, tiny);
        assert!(!sum.is_zero() && sum.round() == 0.0);
        sum.add_product(f64::MAX, f64::MAX);
        sum.add_product(-f64::MAX, f64::MAX);
        sum.add_product(-tiny, tiny);
        assert!(sum.is_zero());
        let x = 1.0 + f64::EPSILON;
        sum.add_product(x, x);
        assert_eq!(sum.round_pair(), (1.0 + 2.0 * f64::EPSILON, f64::EPSILON * f64::EPSILON));
    }

    #[test]
    fn means_round_once() {
        assert_eq!(mean(&sum_of(&[0.1, 0.2, 0.4]), 3), 0.233_333_333_333_333_35);
        assert_eq!(mean(&sum_of(&[-1.0, -1.0, 1.0]), 3), -1.0 / 3.0);
        assert_eq!(mean(&sum_of(&[f64::MAX; 9]), 9), f64::MAX);
        assert_eq!(mean(&sum_of(&[f64::INFINITY]), 1), f64::INFINITY);
        assert!(mean(&ExactSum::new(), 0).is_nan());
    }
}
