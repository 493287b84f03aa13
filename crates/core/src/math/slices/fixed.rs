//! Numbers of [0, 1] in units of 2^-127, from which the compiler makes tables.

#[cfg(test)]
use super::super::big::Exact;

/// 1.
pub(super) const ONE: u128 = 1 << 127;

/// a b / 2^128, cut: less than one unit too small.
pub(super) const fn high_product(a: u128, b: u128) -> u128 {
    let low = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & low, b >> 64, b & low);
    let first = a1 * b0 + ((a0 * b0) >> 64);
    let second = a0 * b1 + (first & low);
    a1 * b1 + (first >> 64) + (second >> 64)
}

/// a / b for 0 <= a <= b, cut: less than one unit too small. Bit by bit.
pub(super) const fn ratio(a: u128, b: u128) -> u128 {
    if a == b {
        return ONE;
    }
    let (mut rest, mut quotient, mut bit) = (a, 0, 0);
    while bit < 127 {
        // Twice the rest may be too large for the type.
        let is_one = rest >= b - rest;
        rest = if is_one { rest - (b - rest) } else { rest + rest };
        quotient = (quotient << 1) | is_one as u128;
        bit += 1;
    }
    quotient
}

/// The nearest f64: the conversion rounds, the scale is a power of two.
pub(super) const fn nearest(x: u128) -> f64 {
    x as f64 / ONE as f64
}

/// The nearest f64 of a - b.
pub(super) const fn nearest_difference(a: u128, b: u128) -> f64 {
    if a < b { -nearest(b - a) } else { nearest(a - b) }
}

/// The nearest f64 and the nearest f64 of what it leaves. The first is at most 1 and a whole number
/// of units, for x is.
pub(super) const fn pair(x: u128) -> (f64, f64) {
    let high = nearest(x);
    (high, nearest_difference(x, (high * ONE as f64) as u128))
}

/// A sum of two as it is.
#[cfg(test)]
pub(super) fn exact((high, low): (f64, f64)) -> Exact {
    let one = |x: f64| {
        let (bits, exponent) = (x.to_bits(), ((x.to_bits() >> 52) & 0x7ff) as i64);
        let digits = (bits & ((1 << 52) - 1)) | (u64::from(exponent > 0) << 52);
        let digits = vec![digits as u32, (digits >> 32) as u32];
        Exact::new(bits >> 63 == 1, digits, Ord::max(exponent, 1) - 1075)
    };
    one(high).minus(&one(-low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_ratios_by_hand() {
        assert_eq!(high_product(u128::MAX, u128::MAX), u128::MAX - 1);
        assert_eq!(high_product(3 << 126, 5 << 125), 15 << 123);
        assert_eq!(high_product(u128::MAX, 1), 0);
        assert_eq!(ratio(1, 4), ONE / 4);
        assert_eq!(ratio(1, 3), ONE / 3);
        assert_eq!((ratio(0, 7), ratio(7, 7)), (0, ONE));
        assert_eq!(ratio(u128::MAX - 1, u128::MAX), ONE - 1);
    }

    #[test]
    fn a_pair_is_the_number_and_its_rest() {
        assert_eq!(pair(ONE), (1.0, 0.0));
        assert_eq!(pair(ONE / 2 + 1), (0.5, 1.0 / ONE as f64));
        assert_eq!(pair(ONE - 1), (1.0, -1.0 / ONE as f64));
        assert_eq!(nearest_difference(1, 1).to_bits(), 0);
    }
}
