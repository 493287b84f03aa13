//! Distribution functions for tests and intervals: normal, Student's t, and the incomplete beta
//! function behind it.
//!
//! They are compositions of correctly rounded functions in a fixed order, so their bits are the
//! same everywhere; they are not correctly rounded themselves. Stated accuracy: relative 1e-13 for
//! tails above 1e-300 and up to a million degrees of freedom.

use super::functions::{erfc, exp, ln, ln_1p, ln_gamma, normal_quantile, sqrt};
use super::order::{MISSING, max, min};

/// ln π / 2 = ln Γ(1/2).
const LN_ROOT_PI: f64 = 0.572_364_942_924_700_1;
const FRACTIONS_MAX: u32 = 200_000;
const BISECTIONS_MAX: u32 = 2100;
const TINY: f64 = 1e-300;

/// P(|Z| ≥ |z|) of the standard normal distribution: erfc(|z| / √2).
pub fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / sqrt(2.0))
}

/// P(|T| ≥ |t|) of Student's t distribution with `df` degrees of freedom, above 0: the regularised
/// incomplete beta function I(df / (df + t²); df / 2, 1 / 2).
pub fn student_t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return MISSING;
    }
    if df.is_infinite() {
        return normal_two_sided(t);
    }
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    if square == 0.0 {
        return 1.0;
    }
    half_beta(square, df)
}

/// The t with P(|T| ≥ t) = `tail`, between 0 and 1: by halving an interval until its ends are
/// neighbours or `BISECTIONS_MAX` times.
pub fn student_t_critical(tail: f64, df: f64) -> f64 {
    if !(tail > 0.0 && tail < 1.0 && df > 0.0) {
        return MISSING;
    }
    // Tails of t are heavier than the normal one's.
    let mut low = max(-normal_quantile(tail / 2.0), 0.0) * (1.0 - 1e-9);
    if df.is_infinite() {
        return -normal_quantile(tail / 2.0);
    }
    let mut high = max(2.0 * low, 1.0);
    while student_t_two_sided(high, df) > tail {
        low = high;
        high *= 2.0;
        if high.is_infinite() {
            return f64::INFINITY;
        }
    }
    for _ in 0..BISECTIONS_MAX {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if student_t_two_sided(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// I(df / (df + square); df / 2, 1 / 2), by the continued fraction on the side where it converges
/// fast.
fn half_beta(square: f64, df: f64) -> f64 {
    let (a, b) = (df / 2.0, 0.5);
    // x^a (1 − x)^(1/2) / B(a, 1/2), with x = df / (df + square).
    let ln_x = -ln_1p(square / df);
    let rest = square / (df + square);
    let ln_front = a * ln_x + ln(rest) / 2.0 + ln_half_ratio(a) - LN_ROOT_PI;
    let x = df / (df + square);
    if x < (a + 1.0) / (a + b + 2.0) {
        return min(exp(ln_front) * fraction(x, a, b) / a, 1.0);
    }
    max(1.0 - exp(ln_front) * fraction(rest, b, a) / b, 0.0)
}

/// ln(Γ(a + 1/2) / Γ(a)); above 20 by its asymptotic series, where the difference of two large
/// logarithms would lose digits.
fn ln_half_ratio(a: f64) -> f64 {
    if a < 20.0 {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    let u = 1.0 / a;
    let v = u * u;
    let series = -1.0 / 8.0
        + v * (1.0 / 192.0 + v * (-1.0 / 640.0 + v * (17.0 / 14336.0 + v * (-31.0 / 18432.0))));
    ln(a) / 2.0 + u * series
}

/// The continued fraction of the incomplete beta function (modified Lentz).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=FRACTIONS_MAX {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative distance to a published or closed value.
    fn close(found: f64, expected: f64, share: f64) {
        assert!((found - expected).abs() <= share * expected.abs(), "{found} {expected}");
    }

    #[test]
    fn closed_forms() {
        // df = 1 (Cauchy): 1 − 2 atan(t) / π; df = 2: 1 − t / √(2 + t²); df = 4: with u = t² / (4 +
        // t²): 1 − √u (1 + (1 − u) / 2).
        for t in [0.01, 0.5, 1.0, 2.5, 30.0] {
            let one = 1.0 - 2.0 * crate::math::atan(t) / std::f64::consts::PI;
            close(student_t_two_sided(t, 1.0), one, 1e-13 * (1.0 + t));
            let two = 2.0 / (sqrt(2.0 + t * t) * (sqrt(2.0 + t * t) + t));
            close(student_t_two_sided(-t, 2.0), two, 1e-13);
            let u = t * t / (4.0 + t * t);
            let four = 1.0 - sqrt(u) * (1.0 + (1.0 - u) / 2.0);
            close(student_t_two_sided(t, 4.0), four, 1e-13 / four);
        }
    }

    #[test]
    fn critical_values_of_the_tables() {
        // NIST/SEMATECH e-Handbook, table of critical values of Student's t, three decimals.
        for (df, tail, expected) in [
            (1.0, 0.05, 12.706),
            (2.0, 0.05, 4.303),
            (5.0, 0.01, 4.032),
            (10.0, 0.05, 2.228),
            (30.0, 0.1, 1.697),
            (100.0, 0.002, 3.174),
        ] {
            let found = student_t_critical(tail, df);
            assert!((found - expected).abs() <= 0.000_5 + 1e-9, "{df} {tail}: {found}");
            close(student_t_two_sided(found, df), tail, 1e-12);
        }
        close(student_t_critical(0.05, 1e6), 1.959_966_358_1, 1e-9);
        close(student_t_critical(0.05, f64::INFINITY), 1.959963984540054, 1e-15);
    }

    #[test]
    fn both_sides_of_the_series_and_the_normal_limit() {
        close(ln_half_ratio(20.0), ln_gamma(20.5) - ln_gamma(20.0), 1e-14);
        close(ln_half_ratio(1e3), ln_gamma(1000.5) - ln_gamma(1e3), 1e-11);
        close(normal_two_sided(1.959963984540054), 0.05, 1e-14);
        for z in [0.1, 1.0, 3.0] {
            close(student_t_two_sided(z, 1e9), normal_two_sided(z), 1e-7);
        }
    }

    #[test]
    fn odd_arguments() {
        assert_eq!((student_t_two_sided(0.0, 3.0), student_t_two_sided(1e200, 3.0)), (1.0, 0.0));
        assert_eq!(student_t_two_sided(f64::INFINITY, 3.0), 0.0);
        for (t, df) in [(f64::NAN, 3.0), (1.0, 0.0), (1.0, f64::NAN)] {
            assert!(student_t_two_sided(t, df).is_nan());
        }
        assert!(student_t_critical(0.0, 3.0).is_nan() && student_t_critical(0.05, -1.0).is_nan());
        assert!(student_t_two_sided(1e-200, 3.0) == 1.0);
    }
}
