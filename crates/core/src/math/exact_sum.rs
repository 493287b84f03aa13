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
use super::large_form;
use super::order::MISSING;
use serde::{Deserialize, Serialize};

pub(super) const MANTISSA: u64 = (1 << 52) - 1;
/// Position of 2^-1074, the unit of f64, above the lowest bit, 2^-2148.
pub(super) const UNIT: u32 = 1074;
const UNIT_EXP2: i64 = -2148;
const ADDS_MAX: u32 = 2047;
const DIGITS_MAX: usize = 140;
const LARGE_MIN: usize = 256;
const HEADER: usize = 37;

/// Exact sum of finite values, with counts of the others. See the module text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct ExactSum {
    n_finite: u64,
    n_nan: u64,
    n_plus_inf: u64,
    n_minus_inf: u64,
    /// Limb index of `limbs[0]`.
    base: u32,
    limbs: Vec<i64>,
    adds: u32,
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
        self.combine(other, 1);
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

    /// The canonical bytes: four u64 counts (finite, NaN, +inf, -inf), sign (u8), position (u16),
    /// number of digits (u16), digits (u32 each); all little-endian. This layout cannot change.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored::from(self.clone());
        let mut out = Vec::with_capacity(HEADER + 4 * stored.digits.len());
        stored
            .counts
            .iter()
            .for_each(|c| out.extend(c.to_le_bytes()));
        out.push(u8::from(stored.negative));
        out.extend(stored.position.to_le_bytes());
        out.extend((stored.digits.len() as u16).to_le_bytes());
        stored
            .digits
            .iter()
            .for_each(|d| out.extend(d.to_le_bytes()));
        out
    }

    /// Reads [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// A wrong length, or bytes that are not the canonical form of any sum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected the bytes of an exact sum, found {} bytes",
                bytes.len()
            )
        };
        let (head, rest) = bytes.split_at_checked(HEADER).ok_or_else(wrong)?;
        let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|k| head[8 * i + k]));
        if head[32] > 1 {
            return Err(format!(
                "expected sign 0 or 1 in an exact sum, found {}",
                head[32]
            ));
        }
        let n_digits = usize::from(u16::from_le_bytes([head[35], head[36]]));
        if rest.len() != 4 * n_digits {
            return Err(wrong());
        }
        let digits = rest
            .chunks_exact(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
        Self::try_from(Stored {
            counts: [word(0), word(1), word(2), word(3)],
            negative: head[32] == 1,
            position: u16::from_le_bytes([head[33], head[34]]),
            digits: digits.collect(),
        })
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
        None => sum.exact().over(u128::from(n)),
    }
}

/// The stored form. Its layout cannot change; another one would be another type.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Finite, NaN, +inf, -inf.
    counts: [u64; 4],
    negative: bool,
    /// The lowest digit counts 2^(32 * position - 2148).
    position: u16,
    digits: Vec<u32>,
}

impl From<ExactSum> for Stored {
    fn from(sum: ExactSum) -> Self {
        let exact = sum.exact();
        let position = if exact.is_zero() {
            0
        } else {
            (exact.exp2 - UNIT_EXP2) / 32
        };
        Stored {
            counts: [sum.n_finite, sum.n_nan, sum.n_plus_inf, sum.n_minus_inf],
            negative: exact.negative,
            position: position as u16,
            digits: exact.digits,
        }
    }
}

impl TryFrom<Stored> for ExactSum {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let n = stored.digits.len();
        let outer_zero = stored.digits.first() == Some(&0) || stored.digits.last() == Some(&0);
        let spare = n == 0 && (stored.negative || stored.position != 0);
        if outer_zero || spare || usize::from(stored.position) + n > DIGITS_MAX {
            return Err("expected the canonical form of an exact sum, found another one".into());
        }
        let sign = if stored.negative { -1 } else { 1 };
        let [n_finite, n_nan, n_plus_inf, n_minus_inf] = stored.counts;
        let limbs = stored.digits.iter().map(|&d| sign * i64::from(d)).collect();
        let base = u32::from(stored.position);
        Ok(ExactSum {
            n_finite,
            n_nan,
            n_plus_inf,
            n_minus_inf,
            base,
            limbs,
            adds: 1,
        })
    }
}

/// Significand and position of its lowest bit above 2^-1074; a position of 2046 means NaN or
/// infinity.
#[inline]
fn parts(x: f64) -> (u64, u32) {
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
    while let Some(last) = limbs
        .last_mut()
        .filter(|last| last.unsigned_abs() > DIGIT as u64)
    {
        let over = *last >> 32;
        *last &= DIGIT;
        limbs.push(over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An independent oracle: the sum as one wide two's-complement integer, bit by bit, in units of
    /// 2^-2148.
    #[derive(Clone, PartialEq, Debug)]
    struct Wide([u64; 70]);

    impl Wide {
        fn zero() -> Self {
            Wide([0; 70])
        }

        fn add(&mut self, negative: bool, m: u128, position: u32) {
            let (word, shift) = ((position / 64) as usize, position % 64);
            let low = m << shift;
            let high = if shift == 0 { 0 } else { m >> (128 - shift) };
            let pieces = [low as u64, (low >> 64) as u64, high as u64];
            let mut carry = false;
            for i in word..70 {
                let piece = pieces.get(i - word).copied().unwrap_or(0);
                let (a, c1) = if negative {
                    self.0[i].overflowing_sub(piece)
                } else {
                    self.0[i].overflowing_add(piece)
                };
                let (b, c2) = if negative {
                    a.overflowing_sub(u64::from(carry))
                } else {
                    a.overflowing_add(u64::from(carry))
                };
                self.0[i] = b;
                carry = c1 || c2;
            }
        }

        fn add_f64(&mut self, x: f64) {
            let (m, position) = parts(x);
            self.add(x < 0.0, u128::from(m), position + UNIT);
        }

        fn add_product(&mut self, a: f64, b: f64) {
            let ((ma, pa), (mb, pb)) = (parts(a), parts(b));
            self.add(
                (a < 0.0) != (b < 0.0),
                u128::from(ma) * u128::from(mb),
                pa + pb,
            );
        }

        fn bit(&self, i: usize) -> bool {
            self.0[i / 64] >> (i % 64) & 1 == 1
        }

        /// Rounds by walking the bits: written apart from `big`, on purpose slow.
        fn round(&self) -> f64 {
            let negative = self.bit(70 * 64 - 1);
            let mut magnitude = self.clone();
            if negative {
                magnitude = Wide(self.0.map(|w| !w));
                magnitude.add(false, 1, 0);
            }
            let Some(top) = (0..70 * 64).rev().find(|&i| magnitude.bit(i)) else {
                return 0.0;
            };
            let lowest = top.saturating_sub(52).max(UNIT as usize);
            let q = (lowest..=top.max(lowest))
                .rev()
                .fold(0u64, |q, i| q << 1 | u64::from(magnitude.bit(i)));
            let half = magnitude.bit(lowest - 1);
            let below = (0..lowest - 1).any(|i| magnitude.bit(i));
            let q = q + u64::from(half && (below || q & 1 == 1));
            let exponent = lowest as i32 - 2148;
            // q * 2^exponent in two exact steps: the first factor is a power of two in range.
            let sign = if negative { -1.0 } else { 1.0 };
            let value = if exponent > 971 {
                f64::INFINITY
            } else if exponent <= -1000 {
                q as f64
                    * f64::from_bits(1)
                    * f64::from_bits(((exponent + 1074 + 1023) as u64) << 52)
            } else {
                q as f64 * f64::from_bits(((exponent + 1023) as u64) << 52)
            };
            if value == 0.0 { 0.0 } else { sign * value }
        }
    }

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        values.iter().for_each(|&x| sum.add(x));
        sum
    }

    /// Any finite value, with the exponents that make trouble preferred.
    fn finite() -> impl Strategy<Value = f64> {
        let half = any::<u64>().prop_map(|b| f64::from_bits(b & !(1 << 62)));
        let near = (-1e3f64..1e3).prop_map(|x| x);
        let tiny = (0u64..1 << 54).prop_map(f64::from_bits);
        let huge = any::<u64>().prop_map(|b| f64::from_bits((b & !(0x7ff << 52)) | 2046 << 52));
        let all = any::<f64>().prop_filter("finite", |x| x.is_finite());
        prop_oneof![half, near, tiny, huge, all, Just(0.0), Just(-0.0)]
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
        assert_eq!(
            sum.round_pair(),
            (1.0 + 2.0 * f64::EPSILON, f64::EPSILON * f64::EPSILON)
        );
    }

    #[test]
    fn long_runs_carry_in_time() {
        for x in [f64::MAX, -f64::MAX, 1.0, -1.0 - f64::EPSILON] {
            let mut sum = ExactSum::new();
            let mut wide = Wide::zero();
            for _ in 0..10_000 {
                sum.add(x);
                wide.add_f64(x);
            }
            assert_eq!(sum.round(), wide.round());
            let mut large = ExactSum::new();
            large.add_slice(&[x; 10_000]);
            assert_eq!(large, sum);
            for _ in 0..10_000 {
                sum.merge(&large.clone());
                sum.sub(&large);
            }
            assert_eq!(large, sum);
            assert!(sum.limbs.len() < 12, "{}", sum.limbs.len());
        }
    }

    #[test]
    fn means_round_once() {
        assert_eq!(mean(&sum_of(&[0.1, 0.2, 0.4]), 3), 0.233_333_333_333_333_35);
        assert_eq!(mean(&sum_of(&[-1.0, -1.0, 1.0]), 3), -1.0 / 3.0);
        assert_eq!(mean(&sum_of(&[f64::MAX; 9]), 9), f64::MAX);
        assert_eq!(mean(&sum_of(&[f64::INFINITY]), 1), f64::INFINITY);
        assert!(mean(&ExactSum::new(), 0).is_nan());
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let good = sum_of(&[1.0, f64::NAN]).to_bytes();
        assert_eq!(
            ExactSum::from_bytes(&good).map(|s| s.to_bytes()),
            Ok(good.clone())
        );
        assert!(ExactSum::from_bytes(&good[..good.len() - 1]).is_err());
        assert!(ExactSum::from_bytes(&[]).is_err());
        for (at, byte) in [(32, 2), (34, 200), (HEADER - 2, 9)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(ExactSum::from_bytes(&bad).is_err(), "{at}");
        }
        let mut negative_zero = ExactSum::new().to_bytes();
        negative_zero[32] = 1;
        assert!(ExactSum::from_bytes(&negative_zero).is_err());
        let mut outer_zero = good.clone();
        outer_zero[HEADER - 2] += 1;
        outer_zero.extend([0; 4]);
        assert!(ExactSum::from_bytes(&outer_zero).is_err());
    }

    proptest! {
        #[test]
        fn equals_the_oracle(values in prop::collection::vec(finite(), 0..40)) {
            let mut wide = Wide::zero();
            values.iter().for_each(|&x| wide.add_f64(x));
            let sum = sum_of(&values);
            prop_assert_eq!(sum.round().to_bits(), wide.round().to_bits());
            let (hi, lo) = sum.round_pair();
            if hi.is_finite() {
                wide.add_f64(-hi);
                prop_assert_eq!(lo.to_bits(), wide.round().to_bits());
            }
        }

        #[test]
        fn products_equal_the_oracle(pairs in prop::collection::vec((finite(), finite()), 0..30)) {
            let (mut sum, mut wide) = (ExactSum::new(), Wide::zero());
            for &(a, b) in &pairs {
                sum.add_product(a, b);
                wide.add_product(a, b);
            }
            prop_assert_eq!(sum.round().to_bits(), wide.round().to_bits());
        }

        #[test]
        fn cancellation_is_exact(values in prop::collection::vec(finite(), 0..40), last in finite()) {
            let mut sum = sum_of(&values);
            sum.add(last);
            let mut minus = sum_of(&values);
            minus.negate();
            sum.merge(&minus);
            prop_assert_eq!(sum.round(), last);
        }

        #[test]
        fn order_chunks_and_merges_give_the_same_bytes(
            (values, shuffled) in prop::collection::vec(prop::num::f64::ANY, 0..700)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
        ) {
            let bytes = sum_of(&values).to_bytes();
            let (left, right) = shuffled.split_at(at.index(values.len() + 1));
            let (mut a, mut b) = (ExactSum::new(), sum_of(right));
            a.add_slice(left);
            b.merge(&a);
            a.add_sum(&sum_of(right));
            prop_assert_eq!(&a.to_bytes(), &bytes);
            prop_assert_eq!(&b.to_bytes(), &bytes);
            let back = ExactSum::from_bytes(&bytes).expect("canonical");
            prop_assert_eq!(&back, &a);
            let packed = rmp_serde::to_vec(&a).expect("serialise");
            prop_assert_eq!(rmp_serde::from_slice::<ExactSum>(&packed).expect("read"), b);
        }
    }
}
