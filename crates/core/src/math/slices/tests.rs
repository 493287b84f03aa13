//! The bits of slices against those of single values.

use super::erf::erf_block;
use super::exp::exp_block;
use super::tanh::tanh_block;
use super::*;
use crate::math::{MISSING, erf, exp, sigmoid, tanh};

const VECTORS: &str = include_str!("../../../../../data/vectors/functions.txt");

type One = fn(f64) -> f64;
type All = fn(&mut [f64]);
type Try = fn(&Block, &mut Block) -> bool;

const FUNCTIONS: [(&str, One, All); 4] = [
    ("exp", exp, exp_all),
    ("tanh", tanh, tanh_all),
    ("sigmoid", sigmoid, sigmoid_all),
    ("erf", erf, erf_all),
];

/// Draws for arguments: xorshift, which knows no float.
fn draws() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// In [0, 1).
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / 9_007_199_254_740_992.0
}

fn assert_same(arguments: &[f64]) {
    for (name, one, all) in FUNCTIONS {
        let mut found = arguments.to_vec();
        all(&mut found);
        for (&x, y) in arguments.iter().zip(found) {
            let expected = one(x);
            assert_eq!(y.to_bits(), expected.to_bits(), "{name}({x:e}): {y:e} {expected:e}");
        }
    }
}

#[test]
fn special_values() {
    let ends = [
        0.0,
        f64::from_bits(1),
        f64::MIN_POSITIVE,
        1e-300,
        1e-160,
        1e-20,
        7.450_580_596_923_828e-9,
        0.5,
        // Where tanh becomes 1 and the table ends.
        19.061_547_465_398_498,
        19.061_547_465_398_494,
        20.0,
        32.0,
        // Where powers leave the fast way, become subnormal, 0 and infinite.
        708.0,
        708.396_418_532_264_1,
        709.782_712_893_384,
        709.782_712_893_384_1,
        745.133_219_101_941_1,
        745.133_219_101_941_2,
        1e300,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
        MISSING,
    ];
    let both: Vec<f64> = ends.iter().flat_map(|&x| [x, -x]).collect();
    assert_same(&both);
    for x in [-0.0, f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001)] {
        assert_same(&[x; BLOCK]);
    }
}

#[test]
fn arguments_of_every_exponent() {
    let mut draw = draws();
    let bits: Vec<f64> = (0..100_000).map(|_| f64::from_bits(draw())).collect();
    assert_same(&bits);
    // The exponents that matter: 2^-60 to 2^12, both signs.
    let near = |bits: u64| {
        let exponent = 1023 - 60 + (bits >> 12) % 73;
        f64::from_bits((bits & (SIGN | ((1 << 52) - 1))) | (exponent << 52))
    };
    let near: Vec<f64> = (0..200_000).map(|_| near(draw())).collect();
    assert_same(&near);
}

#[test]
fn arguments_of_sums_of_units() {
    let mut draw = draws();
    for reach in [0.01, 0.3, 3.0, 25.0, 750.0] {
        let drawn: Vec<f64> = (0..60_000).map(|_| reach * (2.0 * unit(draw()) - 1.0)).collect();
        assert_same(&drawn);
    }
    // Around every point of the tables, and between them.
    for j in -2600..2600 {
        let middle = f64::from(j) / 128.0;
        let power = f64::from(j) / 2.0 * std::f64::consts::LN_2 / 128.0;
        let beside = [middle, middle + 1e-9, middle - 1e-9, power, power + 1e-12, power - 1e-12];
        assert_same(&beside);
    }
}

#[test]
fn hard_arguments_take_the_slow_way_and_are_right() {
    let hard = |name: &str| -> Vec<(f64, f64)> {
        let lines = VECTORS.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number = |hex: &str| f64::from_bits(u64::from_str_radix(hex, 16).expect("bits"));
        lines.map(|line| (number(&line[..16]), number(&line[17..]))).collect()
    };
    let blocks: [(&str, All, Try); 3] =
        [("exp", exp_all, exp_block), ("tanh", tanh_all, tanh_block), ("erf", erf_all, erf_block)];
    for (name, all, block) in blocks {
        let lines = hard(name);
        assert_eq!(lines.len(), 2000);
        let (mut values, expected): (Vec<f64>, Vec<f64>) = lines.iter().copied().unzip();
        let n_open = |x: f64| usize::from(block(&[x; BLOCK], &mut [0.0; BLOCK]));
        let n_open: usize = values.iter().map(|x| n_open(*x)).sum();
        // Most are known for being closer to the middle of two f64 than any bound here.
        assert!(n_open > 300, "{name}: {n_open}");
        all(&mut values);
        for ((found, expected), (x, _)) in values.iter().zip(expected).zip(lines) {
            assert_eq!(found.to_bits(), expected.to_bits(), "{name}({x:e})");
        }
    }
}

#[test]
fn few_drawn_arguments_take_the_slow_way() {
    let mut draw = draws();
    let blocks: [(Try, usize); 3] = [(exp_block, 30), (tanh_block, 60), (erf_block, 60)];
    for (block, at_most) in blocks {
        let mut n_open = 0;
        for _ in 0..10_000 {
            let x = 6.0 * unit(draw()) - 3.0;
            n_open += usize::from(block(&[x; BLOCK], &mut [0.0; BLOCK]));
        }
        assert!((1..at_most).contains(&n_open), "{n_open} of 10000");
    }
}

#[test]
fn a_value_does_not_depend_on_the_slice_around_it() {
    let mut draw = draws();
    let drawn: Vec<f64> = (0..100).map(|_| 4.0 * unit(draw()) - 2.0).collect();
    for (_, one, all) in FUNCTIONS {
        for n in 0..100 {
            let mut found = drawn[..n].to_vec();
            all(&mut found);
            assert!(found.iter().zip(&drawn).all(|(y, &x)| *y == one(x)), "{n}");
        }
    }
}
