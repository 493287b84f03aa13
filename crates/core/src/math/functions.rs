//! Elementary functions of f64: the exact mathematical value, rounded once to nearest, ties to
//! even.
//!
//! A correctly rounded result is unique, so the implementation behind this façade (`metallic`,
//! without fused multiply-add) can be replaced without moving a bit; `data/vectors` holds the proof
//! by example. Every argument is read with -0 as +0, every result is canonical: one NaN, no -0.
//! Outside its domain a function gives [`MISSING`]; poles give infinities as in
//! IEEE 754.
//!
//! There is no `gamma`: `metallic::tgamma` 0.3.1 is wrong at its overflow threshold and near the
//! poles below -179.5. The compositions at the end are not correctly rounded: their expression is
//! their definition.

use super::order::{MISSING, canonical};
use crate::faults::{self, Fault};

/// A name and the function of one argument that it stands for.
pub type Unary = (&'static str, fn(f64) -> f64);

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $implementation:path;)*) => {
        $($(#[$doc])* #[inline] pub fn $name(x: f64) -> f64 {
            canonical($implementation(x + 0.0))
        })*

        /// Every function of one argument by its name, for vectors and self-tests.
        pub const UNARY: &[Unary] = &[$((stringify!($name), $name)),*];
    };
}

unary! {
    /// e^x.
    exp = exp_whole;
    /// 2^x.
    exp2 = metallic::exp2;
    /// 10^x.
    exp10 = metallic::exp10;
    /// e^x - 1.
    exp_m1 = exp_m1_whole;
    /// Natural logarithm; -inf at 0, missing below.
    ln = metallic::log;
    /// Logarithm to base 2; -inf at 0, missing below.
    log2 = metallic::log2;
    /// Logarithm to base 10; -inf at 0, missing below.
    log10 = metallic::log10;
    /// ln(1 + x); -inf at -1, missing below.
    ln_1p = metallic::log1p;
    /// Square root; missing below 0.
    sqrt = f64::sqrt;
    /// 1 / sqrt(x); +inf at 0, missing below.
    rsqrt = metallic::rsqrt;
    /// Cube root.
    cbrt = metallic::cbrt;
    /// Sine, x in radians.
    sin = metallic::sin;
    /// Cosine, x in radians.
    cos = metallic::cos;
    /// Tangent, x in radians.
    tan = metallic::tan;
    /// Arcsine in radians; missing outside [-1, 1].
    asin = metallic::asin;
    /// Arccosine in radians; missing outside [-1, 1].
    acos = metallic::acos;
    /// Arctangent in radians.
    atan = metallic::atan;
    /// Hyperbolic sine.
    sinh = metallic::sinh;
    /// Hyperbolic cosine.
    cosh = metallic::cosh;
    /// Hyperbolic tangent.
    tanh = metallic::tanh;
    /// Inverse hyperbolic sine.
    asinh = metallic::asinh;
    /// Inverse hyperbolic cosine; missing below 1.
    acosh = metallic::acosh;
    /// Inverse hyperbolic tangent; infinite at -1 and 1, missing outside.
    atanh = metallic::atanh;
    /// Error function.
    erf = metallic::erf;
    /// 1 - erf(x).
    erfc = metallic::erfc;
    /// sin(pi x).
    sin_pi = metallic::sinpi;
    /// cos(pi x).
    cos_pi = metallic::cospi;
    /// tan(pi x); at n + 1/2, +inf for even n and -inf for odd n.
    tan_pi = metallic::tanpi;
    /// ln |gamma(x)|; +inf at 0 and negative integers.
    ln_gamma = metallic::lgamma;
}

/// A name and the function of two arguments that it stands for.
pub type Binary = (&'static str, fn(f64, f64) -> f64);

/// Every function of two arguments by its name, for vectors and self-tests.
pub const BINARY: &[Binary] = &[("pow", pow), ("hypot", hypot), ("atan2", atan2)];

/// x^y. As in IEEE 754, `pow(x, 0)` and `pow(1, y)` are 1 even when the other argument is missing;
/// negative `x` with `y` not an integer gives missing.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    canonical(metallic::pow(x + 0.0, y + 0.0))
}

/// sqrt(x^2 + y^2) without overflow in between; an infinite argument gives +inf even when the other
/// is missing.
#[inline]
pub fn hypot(x: f64, y: f64) -> f64 {
    canonical(metallic::hypot(x + 0.0, y + 0.0))
}

/// The angle of the point (x, y) in radians, in (-pi, pi]; 0 at the origin.
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    canonical(metallic::atan2(y + 0.0, x + 0.0))
}

/// Logistic function: `x >= 0`: `1 / (1 + exp(-x))`, else `e / (1 + e)` with `e = exp(x)`. In [0,
/// 1].
#[inline]
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        return 1.0 / (1.0 + exp(-x));
    }
    let e = exp(x);
    canonical(e / (1.0 + e))
}

/// Log-odds: `ln(p / (1 - p))`; -inf at 0, +inf at 1, missing outside.
#[inline]
pub fn logit(p: f64) -> f64 {
    ln(p / (1.0 - p))
}

/// `x > 0`: `x + ln_1p(exp(-x))`, else `ln_1p(exp(x))`.
#[inline]
pub fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + ln_1p(exp(-x)) } else { ln_1p(exp(x)) }
}

/// Integer power by repeated squaring, each product rounded: `result = 1; base = x; for each bit of
/// |n| from the lowest: if set, result = result * base; base = base * base`, and at last `1 /
/// result` if `n < 0`. `powi(x, 0) = 1` for every x.
pub fn powi(x: f64, n: i32) -> f64 {
    let (mut result, mut base, mut left) = (1.0, x, n.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            result *= base;
        }
        left >>= 1;
        if left > 0 {
            base *= base;
        }
    }
    canonical(if n < 0 { 1.0 / result } else { result })
}

/// Quantile of the standard normal distribution: Wichura's algorithm AS 241 (PPND16, 1988),
/// relative error about 1e-16. Three ratios of polynomials of degree 7, evaluated by Horner's rule,
/// multiply then add; the tails use `r = sqrt(-ln(min(p, 1 - p)))`. -inf at 0, +inf at 1, missing
/// outside [0, 1].
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return MISSING;
    }
    let q = p - 0.5;
    if (-0.425..=0.425).contains(&q) {
        let r = 0.180_625 - q * q;
        return canonical(q * horner(&CENTRE.0, r) / horner(&CENTRE.1, r));
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = sqrt(-ln(tail));
    let z = if r <= 5.0 {
        horner(&MIDDLE.0, r - 1.6) / horner(&MIDDLE.1, r - 1.6)
    } else {
        horner(&FAR.0, r - 5.0) / horner(&FAR.1, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

#[inline]
#[allow(clippy::disallowed_methods, reason = "the fault is to ask the host")]
fn exp_whole(x: f64) -> f64 {
    if faults::on(Fault::StdExp) {
        return x.exp();
    }
    metallic::exp(x)
}

/// `metallic::expm1` 0.3.1 gives infinity one input too early, at 709.782712893384. Above 700, e^x
/// - 1 and e^x round alike: they differ by less than 2^-1000 of their size.
#[inline]
fn exp_m1_whole(x: f64) -> f64 {
    if x > 700.0 { metallic::exp(x) } else { metallic::expm1(x) }
}

/// Polynomial with ascending coefficients: from the last one down, multiply by x, then add.
fn horner(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |total, c| total * x + c)
}

type Ratio = ([f64; 8], [f64; 8]);

const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

const MIDDLE: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_2e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::super::order::ulps_between;
    use super::*;

    #[test]
    fn every_result_is_canonical() {
        let odd = [-0.0, f64::NAN, -f64::NAN, f64::from_bits(1), -f64::from_bits(1), -1e-320];
        for &(name, f) in UNARY {
            for x in odd.into_iter().chain([-1.0, 1.0, -2.5, f64::INFINITY, f64::NEG_INFINITY]) {
                let y = f(x);
                assert_eq!(y.to_bits(), canonical(y).to_bits(), "{name}({x})");
            }
            assert_eq!(f(-0.0).to_bits(), f(0.0).to_bits(), "{name} reads -0 as +0");
            assert_eq!(f(f64::NAN).to_bits(), MISSING.to_bits(), "{name}");
        }
        for &(name, f) in BINARY {
            for x in odd {
                for y in odd {
                    let z = f(x, y);
                    assert_eq!(z.to_bits(), canonical(z).to_bits(), "{name}({x}, {y})");
                }
            }
        }
    }

    #[test]
    fn domains_and_poles() {
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(rsqrt(-0.0), f64::INFINITY);
        assert_eq!(
            (ln_gamma(1.0), ln_gamma(-0.0), ln_gamma(-3.0)),
            (0.0, f64::INFINITY, f64::INFINITY)
        );
        assert_eq!((pow(-0.0, -1.0), pow(f64::NAN, 0.0)), (f64::INFINITY, 1.0));
        assert_eq!(atan2(-0.0, -1.0), atan2(0.0, -1.0));
        for x in [ln(-1.0), sqrt(-1.0), asin(1.5), acosh(0.5), atanh(-2.0), pow(-8.0, 1.0 / 3.0)] {
            assert_eq!(x.to_bits(), MISSING.to_bits());
        }
    }

    #[test]
    fn compositions() {
        assert_eq!((sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)), (0.5, 0.0, 1.0));
        // exp(-745) = 4.94e-324 is the smallest subnormal: the branch for x < 0 keeps it.
        assert_eq!(sigmoid(-745.0), f64::from_bits(1));
        assert_eq!((logit(0.5), logit(0.0), logit(1.0)), (0.0, f64::NEG_INFINITY, f64::INFINITY));
        assert!(logit(1.5).is_nan() && sigmoid(f64::NAN).is_nan() && softplus(f64::NAN).is_nan());
        assert_eq!((softplus(1000.0), softplus(-1000.0)), (1000.0, 0.0));
        assert_eq!(softplus(0.0), ln(2.0));
    }

    #[test]
    fn integer_powers_follow_the_written_order() {
        assert_eq!((powi(3.0, 5), powi(2.0, -3), powi(0.0, 0)), (243.0, 0.125, 1.0));
        assert_eq!(powi(-2.0, 3), -8.0);
        assert_eq!(powi(2.0, i32::MIN), 0.0);
        let x: f64 = 1.1;
        let x2 = x * x;
        let x4 = x2 * x2;
        let x8 = x4 * x4;
        assert_eq!(powi(x, 13), x * x4 * x8);
    }

    #[test]
    fn normal_quantile_matches_known_values() {
        // 50-digit values of sqrt(2) * erfinv(2 p - 1), rounded; AS 241 states 1e-16 relative.
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.9599639845400538),
            (0.025, -1.9599639845400543),
            (0.75, 0.6744897501960817),
            (0.999, 3.090232306167813),
            (1e-9, -5.9978070150076865),
            (1e-100, -21.273453560965326),
            (1e-300, -37.0470962993612),
        ] {
            assert!(ulps_between(normal_quantile(p), z) <= 4, "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}
