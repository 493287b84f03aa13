//! A product without its rounding.

/// 2^27 + 1: splits a number into two halves of its digits.
const SPLITTER: f64 = 134_217_729.0;

/// The product as it is rounded, and what the rounding left: a b is their sum, exactly, as long as
/// neither factor exceeds 2^400 and the product is not below 2^-900.
pub fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (halves(a), halves(b));
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

/// The upper and the lower half of the digits.
fn halves(x: f64) -> (f64, f64) {
    let big = SPLITTER * x;
    let high = big - (big - x);
    (high, x - high)
}

#[cfg(test)]
mod tests {
    use super::super::ExactSum;
    use super::*;

    #[test]
    fn nothing_is_lost() {
        for i in 1..2000 {
            let (a, b) = (f64::from(i) / 7.0, f64::from(i * i) / -3.0e7);
            let (high, low) = two_product(a, b);
            assert_eq!(high, a * b);
            let mut left = ExactSum::new();
            left.add_product(a, b);
            left.add(-high);
            assert_eq!(left.round(), low, "{a} {b}");
        }
        // (1 + 2^-52)² = 1 + 2^-51 + 2^-104.
        let next = 1.0 + f64::EPSILON;
        let expected = (1.0 + 2.0 * f64::EPSILON, f64::EPSILON * f64::EPSILON);
        assert_eq!(two_product(next, next), expected);
    }
}
