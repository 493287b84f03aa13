//! Functions of a number and a reference, each with its order of operations.

use serde::{Deserialize, Serialize};

use crate::math;

/// A function of a column x and a reference r.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelativeFunc {
    /// x + r.
    Add,
    /// x − r.
    Sub,
    /// x × r.
    Mul,
    /// x / r.
    Div,
    /// The whole part of x / r, towards −infinity.
    Floordiv,
    /// What `floordiv` leaves, with the sign of r.
    Mod,
    /// x to the power r.
    Pow,
    /// r − x.
    Elapsed,
}

impl RelativeFunc {
    /// The name in a config and in the names of new columns.
    pub(super) fn name(self) -> &'static str {
        match self {
            RelativeFunc::Add => "add",
            RelativeFunc::Sub => "sub",
            RelativeFunc::Mul => "mul",
            RelativeFunc::Div => "div",
            RelativeFunc::Floordiv => "floordiv",
            RelativeFunc::Mod => "mod",
            RelativeFunc::Pow => "pow",
            RelativeFunc::Elapsed => "elapsed",
        }
    }

    /// Whether a reference of 0 has no result.
    pub(super) fn divides(self) -> bool {
        matches!(self, RelativeFunc::Div | RelativeFunc::Floordiv | RelativeFunc::Mod)
    }

    /// The result; NaN where there is none, also for a division by zero.
    pub(super) fn of(self, x: f64, r: f64) -> f64 {
        match self {
            RelativeFunc::Add => x + r,
            RelativeFunc::Sub => x - r,
            RelativeFunc::Mul => x * r,
            RelativeFunc::Pow => math::pow(x, r),
            RelativeFunc::Elapsed => r - x,
            _ if r == 0.0 => math::MISSING,
            RelativeFunc::Div => x / r,
            RelativeFunc::Floordiv => divide(x, r).0,
            RelativeFunc::Mod => divide(x, r).1,
        }
    }
}

/// Quotient and remainder towards −infinity; `r` is not 0. The remainder of `%` is exact.
fn divide(x: f64, r: f64) -> (f64, f64) {
    let mut remainder = x % r;
    let mut quotient = (x - remainder) / r;
    if remainder != 0.0 && (r < 0.0) != (remainder < 0.0) {
        remainder += r;
        quotient -= 1.0;
    }
    if quotient.is_infinite() {
        // Beyond the numbers of f64, where every number is whole.
        return (quotient, remainder);
    }
    // The quotient lies next to a whole number; `%` by 1 and the difference are exact.
    let towards_zero = quotient - quotient % 1.0;
    let floor = towards_zero - f64::from(u8::from(towards_zero > quotient));
    let whole = if quotient - floor > 0.5 { floor + 1.0 } else { floor };
    (whole, remainder)
}

#[cfg(test)]
mod tests {
    use super::RelativeFunc::{Floordiv, Mod};

    #[test]
    fn remainders_have_the_sign_of_the_reference() {
        // 7 = 2 * 3 + 1; -7 = -3 * 3 + 2; 7 = -3 * -3 - 2; -7 = 2 * -3 - 1.
        for (x, r, quotient, remainder) in [
            (7.0, 3.0, 2.0, 1.0),
            (-7.0, 3.0, -3.0, 2.0),
            (7.0, -3.0, -3.0, -2.0),
            (-7.0, -3.0, 2.0, -1.0),
        ] {
            assert_eq!(Floordiv.of(x, r), quotient, "{x} by {r}");
            assert_eq!(Mod.of(x, r), remainder, "{x} by {r}");
        }
    }

    #[test]
    fn odd_divisions_are_those_of_python() {
        // The double 0.1 is a little more than 1/10, so it goes into 1 only 9 times.
        assert_eq!(Floordiv.of(1.0, 0.1), 9.0);
        assert_eq!(Mod.of(6.0, 3.0), 0.0);
        // An infinite reference goes in 0 times, or -1 times from the other side.
        assert_eq!(Floordiv.of(5.0, f64::INFINITY), 0.0);
        assert_eq!(Floordiv.of(-5.0, f64::INFINITY), -1.0);
        assert_eq!(Mod.of(-5.0, f64::INFINITY), f64::INFINITY);
        // A quotient beyond f64 is infinite, as that of `div` is.
        assert_eq!(Floordiv.of(1e308, 1e-10), f64::INFINITY);
        assert_eq!(Floordiv.of(-1e308, 1e-10), f64::NEG_INFINITY);
        assert_eq!(Mod.of(1e308, 1e-10), 1e308 % 1e-10);
        assert!(Floordiv.of(f64::INFINITY, 2.0).is_nan());
        assert!(Mod.of(f64::INFINITY, 2.0).is_nan() && Mod.of(1.0, 0.0).is_nan());
    }
}
