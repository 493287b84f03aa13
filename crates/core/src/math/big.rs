//! Exact arithmetic behind the sums: magnitudes of any size, and the one place that rounds them to
//! f64.
//!
//! Sizes here are tens of 32-bit digits at most; everything is schoolbook and allocation is not
//! avoided.

use std::cmp::Ordering;

/// A sign, and a magnitude of little-endian 32-bit digits times 2^exp2. Zero is positive, without
/// digits, exp2 = 0; otherwise the lowest and the highest digit are non-zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) negative: bool,
    pub(super) digits: Vec<u32>,
    pub(super) exp2: i64,
}

impl Exact {
    /// Brings digits with outer zeros into the canonical form.
    pub(super) fn new(negative: bool, mut digits: Vec<u32>, exp2: i64) -> Self {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let low = digits.iter().take_while(|&&d| d == 0).count();
        digits.drain(..low);
        if digits.is_empty() {
            return Exact { negative: false, digits, exp2: 0 };
        }
        Exact { negative, digits, exp2: exp2 + 32 * low as i64 }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// `self * other`, exact.
    pub(super) fn times(&self, other: &Exact) -> Exact {
        let mut out = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, &a) in self.digits.iter().enumerate() {
            let mut carry = 0u64;
            for (j, &b) in other.digits.iter().enumerate() {
                let t = u64::from(a) * u64::from(b) + u64::from(out[i + j]) + carry;
                out[i + j] = t as u32;
                carry = t >> 32;
            }
            out[i + other.digits.len()] = carry as u32;
        }
        Exact::new(self.negative != other.negative, out, self.exp2 + other.exp2)
    }

    /// `self * n`, exact.
    pub(super) fn times_integer(&self, n: u64) -> Exact {
        self.times(&Exact::new(false, vec![n as u32, (n >> 32) as u32], 0))
    }

    /// `self - other`, exact.
    pub(super) fn minus(&self, other: &Exact) -> Exact {
        let (a, b) = (self.at(self.common(other)), other.at(self.common(other)));
        let exp2 = self.common(other);
        if self.negative != other.negative {
            return Exact::new(self.negative, add(&a, &b), exp2);
        }
        match compare(&a, &b) {
            Ordering::Less => Exact::new(!self.negative, subtract(&b, &a), exp2),
            _ => Exact::new(self.negative, subtract(&a, &b), exp2),
        }
    }

    /// `self / divisor`, rounded once to nearest, ties to even. The divisor is between 1 and 2^126.
    pub(super) fn over(&self, divisor: u128) -> f64 {
        assert!(divisor > 0 && divisor >> 126 == 0, "divisor out of range");
        if self.is_zero() {
            return 0.0;
        }
        let length = i64::from(128 - divisor.leading_zeros());
        // Keep exactly `length + 65` leading bits: the quotient then has 65 or 66 bits, more than a
        // rounding needs.
        let skip = self.bit_length() - (length + 65);
        let mut rest = 0u128;
        let mut quotient = 0u128;
        for i in (0..length + 65).rev() {
            rest = rest << 1 | u128::from(self.bit(i + skip));
            quotient <<= 1;
            if rest >= divisor {
                rest -= divisor;
                quotient |= 1;
            }
        }
        let sticky = rest != 0 || self.any_below(skip);
        compose(self.negative, quotient, sticky, self.exp2 + skip)
    }

    /// The value rounded once to nearest, ties to even.
    pub(super) fn round(&self) -> f64 {
        let Some((&last, lower)) = self.digits.split_last() else {
            return 0.0;
        };
        let taken = lower.len().min(3);
        let (low, top) = lower.split_at(lower.len() - taken);
        let leading = top.iter().rev().fold(u128::from(last), |m, &d| m << 32 | u128::from(d));
        compose(self.negative, leading, !low.is_empty(), self.exp2 + 32 * low.len() as i64)
    }

    fn bit_length(&self) -> i64 {
        let top = self.digits.last().map_or(0, |d| 32 - d.leading_zeros());
        32 * (self.digits.len() as i64 - 1) + i64::from(top)
    }

    fn bit(&self, i: i64) -> bool {
        let digit = usize::try_from(i.div_euclid(32)).ok().and_then(|k| self.digits.get(k));
        digit.is_some_and(|d| d >> i.rem_euclid(32) & 1 == 1)
    }

    fn any_below(&self, i: i64) -> bool {
        // The lowest digit is non-zero, so its lowest set bit decides.
        self.digits.first().is_some_and(|d| i64::from(d.trailing_zeros()) < i)
    }

    /// The exponent at which both values are integers.
    fn common(&self, other: &Exact) -> i64 {
        match (self.is_zero(), other.is_zero()) {
            (true, _) => other.exp2,
            (_, true) => self.exp2,
            _ => Ord::min(self.exp2, other.exp2),
        }
    }

    /// Digits of the magnitude as a multiple of 2^exp2, which is at most `self.exp2` unless self is
    /// zero.
    fn at(&self, exp2: i64) -> Vec<u32> {
        if self.is_zero() {
            return Vec::new();
        }
        let shift = self.exp2 - exp2;
        let mut out = vec![0u32; (shift / 32) as usize];
        let mut carry = 0u64;
        for &d in &self.digits {
            let t = u64::from(d) << (shift % 32) | carry;
            out.push(t as u32);
            carry = t >> 32;
        }
        out.push(carry as u32);
        out
    }
}

/// (-1)^negative * (m + sticky * something in (0, 1)) * 2^exp2, rounded once: nearest, ties to
/// even, subnormals and overflow to infinity included. With `sticky`, `m` must have at least 55
/// bits.
pub(super) fn compose(negative: bool, m: u128, sticky: bool, exp2: i64) -> f64 {
    if m == 0 {
        return 0.0;
    }
    let length = i64::from(128 - m.leading_zeros());
    let lowest = Ord::max(exp2 + length - 53, -1074);
    let shift = lowest - exp2;
    let (mut q, round_up) = if shift <= 0 {
        ((m << -shift) as u64, false)
    } else if shift > length {
        (0, false)
    } else {
        let q = if shift == 128 { 0 } else { (m >> shift) as u64 };
        let rest = m << (128 - shift);
        let half = 1u128 << 127;
        (q, rest > half || (rest == half && (sticky || q & 1 == 1)))
    };
    q += u64::from(round_up);
    // q has at most 53 bits, or is 2^53 after a carry, which the addition below turns into the next
    // exponent.
    let bits = if q >> 52 == 0 { q } else { (((lowest + 1074) as u64) << 52) + q };
    let bits =
        if lowest > 971 || bits > f64::INFINITY.to_bits() { f64::INFINITY.to_bits() } else { bits };
    if q == 0 { 0.0 } else { f64::from_bits(bits | u64::from(negative) << 63) }
}

fn add(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len().max(b.len()) + 1);
    let mut carry = 0u64;
    for i in 0..a.len().max(b.len()) {
        let t = u64::from(digit(a, i)) + u64::from(digit(b, i)) + carry;
        out.push(t as u32);
        carry = t >> 32;
    }
    out.push(carry as u32);
    out
}

/// `a - b` where `a >= b`.
fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    let mut borrow = 0i64;
    for i in 0..a.len().max(b.len()) {
        let t = i64::from(digit(a, i)) - i64::from(digit(b, i)) + borrow;
        out.push(t as u32);
        borrow = t >> 32;
    }
    assert_eq!(borrow, 0, "subtract needs a >= b");
    out
}

fn compare(a: &[u32], b: &[u32]) -> Ordering {
    (0..a.len().max(b.len()))
        .rev()
        .map(|i| digit(a, i).cmp(&digit(b, i)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn digit(a: &[u32], i: usize) -> u32 {
    a.get(i).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(n: u64) -> Exact {
        Exact::new(false, vec![n as u32, (n >> 32) as u32], 0)
    }

    #[test]
    fn products_and_differences() {
        let a = integer(u64::MAX).times(&integer(u64::MAX));
        // (2^64 - 1)^2 - (2^64 - 1) * (2^64 - 2) = 2^64 - 1
        let b = integer(u64::MAX).times_integer(u64::MAX - 1);
        assert_eq!(a.minus(&b), integer(u64::MAX));
        assert!(b.minus(&a).negative);
        assert!(a.minus(&a).is_zero());
        assert_eq!(integer(0).minus(&integer(5)).round(), -5.0);
        assert_eq!(integer(1 << 40).minus(&Exact::new(true, vec![3], -1)).round(), 1099511627777.5);
    }

    #[test]
    fn quotients_round_once() {
        assert_eq!(integer(1).over(3), 1.0 / 3.0);
        assert_eq!(integer(2).over(3), 2.0 / 3.0);
        assert_eq!(integer(10).over(1), 10.0);
        assert_eq!(integer(1).over(1 << 100), 1.0 / (1u128 << 100) as f64);
        // 2^54 + 1 over 2 = 2^53 + 1/2 rounds to 2^53; 2^54 + 2 over 2 = 2^53 + 1, a tie, goes to
        // even 2^53; 2^54 + 6 over 2 = 2^53 + 3, a tie, goes to 2^53 + 4.
        assert_eq!(integer((1 << 54) + 1).over(2), 9007199254740992.0);
        assert_eq!(integer((1 << 54) + 2).over(2), 9007199254740992.0);
        assert_eq!(integer((1 << 54) + 6).over(2), 9007199254740996.0);
        assert_eq!(Exact::new(true, vec![7], -1074).over(2), -f64::from_bits(4));
        assert_eq!(Exact::new(false, vec![5], -1074).over(2), f64::from_bits(2));
    }

    #[test]
    fn compose_at_the_ends_of_the_range() {
        let max = (1u128 << 53) - 1;
        assert_eq!(compose(false, max, false, 971), f64::MAX);
        assert_eq!(compose(true, (max << 1) + 1, false, 970), f64::NEG_INFINITY);
        assert_eq!(compose(false, (max << 2) + 1, false, 969), f64::MAX);
        assert_eq!(compose(false, 1, false, 1024), f64::INFINITY);
        assert_eq!(compose(false, 1, false, -1074), f64::from_bits(1));
        assert_eq!(compose(true, 1, false, -1075).to_bits(), 0);
        assert_eq!(compose(false, 3, false, -1076), f64::from_bits(1));
        assert_eq!(compose(false, 1 << 60, true, -1135), f64::from_bits(1));
        assert_eq!(compose(false, u128::MAX, false, -128), 1.0);
        assert_eq!(compose(false, u128::MAX, false, -5000), 0.0);
        assert_eq!(compose(false, (1 << 53) - 1, false, -1075), f64::from_bits(1 << 52));
    }
}
