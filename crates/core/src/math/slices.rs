//! Elementary functions of whole slices: the bits of the functions of one value, in a fraction of
//! the time.
//!
//! **Method.** A correctly rounded result is unique, so whoever finds it may find it in any way.
//! Here each value is found in three moves, without a branch, so that the compiler takes two or
//! more at a time on any machine:
//!
//! 1. The argument is split into a point of a table and a rest, exactly.
//! 2. The exact value v lies within E of a sum h + l of two f64, E proven in the file of the
//!    function.
//! 3. Where `h + (l - E)` and `h + (l + E)` round alike, v rounds so too, for rounding keeps the
//!    order. That is the result, whatever the operations before it were. Elsewhere, about once in
//!    a few hundred values, the function of one value is asked.
//!
//! So a mistake in speed costs speed, and a mistake in E alone could move a bit. Every bound counts
//! each rounding by half a unit in the last place of the largest value it can have, or by u = 2^-53
//! times it; sums and products that need none are exact for the reason given. No rounding is
//! assumed but that of IEEE 754 to nearest, nothing is fused, and no subnormal is met where a
//! bound counts on none.
//!
//! **Sources.** The test of both ends is A. Ziv's (Fast evaluation of elementary mathematical
//! functions with correctly rounded last bit, ACM TOMS 17, 1991); tables with an exact rest are P.
//! T. P. Tang's (Table-driven implementation of the exponential function, ACM TOMS 15, 1989); the
//! error of a sum of a large and a small value is T. J. Dekker's (Numerische Mathematik 18, 1971).
//!
//! **Tables** are made by the compiler in integers of 128 bits, see `fixed`.

mod erf;
mod exp;
mod fixed;
mod tanh;

pub use erf::erf_all;
pub use exp::{exp_all, sigmoid_all};
pub use tanh::tanh_all;

/// Values that are taken together.
const BLOCK: usize = 32;

/// With fewer values, one after the other is as fast.
const N_SHORT: usize = 6;

const SIGN: u64 = 1 << 63;

/// The highest 26 of 53 bits.
const UPPER: u64 = !((1 << 27) - 1);

/// 1.5 · 2^46: adding it leaves the nearest multiple of 1/64 in the lowest bits.
const TO_POINT: f64 = 105_553_116_266_496.0;

/// A block of arguments.
type Block = [f64; BLOCK];

/// The sum of a value and a smaller one, rounded, and what the rounding lost, exactly.
#[inline(always)]
fn sum_and_rest(large: f64, small: f64) -> (f64, f64) {
    let sum = large + small;
    (sum, (large - sum) + small)
}

/// (t + tl) + (S + R) d (1 + q) as a sum of two, for a row of t, tl, S with 26 bits and R: S times
/// the upper 26 bits of d is exact.
#[inline(always)]
fn along([high, low, few, rest]: [f64; 4], d: f64, q: f64) -> (f64, f64) {
    let upper = f64::from_bits(d.to_bits() & UPPER);
    let bend = d * q;
    let (sum, lost) = sum_and_rest(high, few * upper);
    (sum, lost + (low + (few * ((d - upper) + bend) + rest * (d + bend))))
}

/// `high + low` rounded once, if `bound` off either way it rounds alike; else missing.
#[inline(always)]
fn settled(high: f64, low: f64, bound: f64) -> f64 {
    let (a, b) = (high + (low - bound), high + (low + bound));
    if a == b { a } else { f64::NAN }
}

/// Puts the value of each argument in its place. `block` writes missing where it cannot tell, or
/// where the value is missing, and whether it did; `one` then has the last word.
#[inline(always)]
fn each_block(values: &mut [f64], block: impl Fn(&Block, &mut Block) -> bool, one: fn(f64) -> f64) {
    for values in values.chunks_mut(BLOCK) {
        if values.len() < N_SHORT {
            values.iter_mut().for_each(|x| *x = one(*x));
            continue;
        }
        let (mut arguments, mut found) = ([0.0; BLOCK], [0.0; BLOCK]);
        arguments[..values.len()].copy_from_slice(values);
        if block(&arguments, &mut found) {
            mend(&arguments, &mut found, one);
        }
        values.copy_from_slice(&found[..values.len()]);
    }
}

#[cold]
#[inline(never)]
fn mend(arguments: &Block, found: &mut Block, one: fn(f64) -> f64) {
    for (y, x) in found.iter_mut().zip(arguments) {
        if y.is_nan() {
            *y = one(*x);
        }
    }
}

#[cfg(test)]
mod tests;
