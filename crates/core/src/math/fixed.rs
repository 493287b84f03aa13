//! Fixed-point sums: values times a power of two, rounded to i64, added in i128. Order-free and
//! very fast.
//!
//! For histograms and gradients: the rounding happens once per value, by a scale that depends only
//! on the largest size of the data, so it is part of the definition; the additions are integers, so
//! no order can matter.

use super::big::compose;
use serde::{Deserialize, Serialize};

/// 1.5 * 2^52: adding it rounds any |y| <= 2^51 to an integer, nearest, ties to even, in the low
/// bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;
const EXACT_FROM: f64 = 4_503_599_627_370_496.0;
const MAGIC_BITS_MAX: u32 = 51;
const EXPONENT_LIMIT: i32 = 1000;

/// A power of two that takes values to integers: quantum = 2^-exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(i32, u32)", into = "(i32, u32)")]
pub struct FixedScale {
    exponent: i32,
    /// Every |integer| is at most 2^bits.
    bits: u32,
}

impl FixedScale {
    /// The finest scale at which a value of size `max_abs` is at most 2^`bits` (1 to 62, else
    /// clamped). For `n` values whose integers are added in i64, `bits` = 62 - ceil(log2 n);
    /// [`FixedSum`] adds in i128 and needs no allowance.
    ///
    /// The exponent stays within -1000 and 1000; `max_abs` = 0 gives 0; a missing or infinite one
    /// the coarsest scale.
    pub fn for_max(max_abs: f64, bits: u32) -> Self {
        let bits = bits.clamp(1, 62);
        let exponent = if max_abs == 0.0 {
            0
        } else if !max_abs.is_finite() {
            -EXPONENT_LIMIT
        } else {
            (bits as i32 - ceil_log2(max_abs.abs())).clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT)
        };
        FixedScale { exponent, bits }
    }

    /// log2 of the number of quanta in 1.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The integer nearest to x * 2^exponent, ties to even. Beyond the size the scale was made for,
    /// the nearest i64 bound at worst; missing gives 0.
    #[inline]
    pub fn quantise(&self, x: f64) -> i64 {
        let y = x * power_of_two(self.exponent);
        if y.abs() < EXACT_FROM / 2.0 {
            (y + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
        } else {
            large(y)
        }
    }

    /// The integers of a slice, into `out`; stops at the shorter one.
    pub fn quantise_slice(&self, values: &[f64], out: &mut [i64]) {
        let scale = power_of_two(self.exponent);
        let is_large = |&x: &f64| (x * scale).abs() >= EXACT_FROM / 2.0 || x.is_nan();
        if values.iter().fold(false, |any, x| any | is_large(x)) {
            return out.iter_mut().zip(values).for_each(|(q, &x)| *q = self.quantise(x));
        }
        for (q, &x) in out.iter_mut().zip(values) {
            *q = (x * scale + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64;
        }
    }

    /// total * 2^-exponent, rounded once to nearest, ties to even.
    pub fn value(&self, total: i128) -> f64 {
        compose(total < 0, total.unsigned_abs(), false, -i64::from(self.exponent))
    }
}

impl From<FixedScale> for (i32, u32) {
    fn from(scale: FixedScale) -> Self {
        (scale.exponent, scale.bits)
    }
}

impl TryFrom<(i32, u32)> for FixedScale {
    type Error = String;

    fn try_from((exponent, bits): (i32, u32)) -> Result<Self, String> {
        if exponent.unsigned_abs() > EXPONENT_LIMIT as u32 || !(1..=62).contains(&bits) {
            return Err(format!(
                "expected a fixed-point scale, found exponent {exponent}, {bits} bits"
            ));
        }
        Ok(FixedScale { exponent, bits })
    }
}

/// A sum of quantised values. Exact in its integers, so order-free and mergeable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedSum {
    scale: FixedScale,
    n: u64,
    total: i128,
}

impl FixedSum {
    /// The empty sum at a scale.
    pub fn new(scale: FixedScale) -> Self {
        FixedSum { scale, n: 0, total: 0 }
    }

    /// Adds one value, quantised.
    #[inline]
    pub fn add(&mut self, x: f64) {
        self.add_quantised(self.scale.quantise(x));
    }

    /// Adds one integer that this scale made.
    #[inline]
    pub fn add_quantised(&mut self, q: i64) {
        self.n += 1;
        self.total = self.total.wrapping_add(i128::from(q));
    }

    /// Adds every value of a slice.
    pub fn add_slice(&mut self, values: &[f64]) {
        // 2^11 integers of at most 2^51 fit one i64; only then is the magic number enough as well.
        const LANES: usize = 8;
        let factor = power_of_two(self.scale.exponent);
        for block in values.chunks(2048) {
            self.n += block.len() as u64;
            let fits = self.scale.bits < MAGIC_BITS_MAX
                && block
                    .iter()
                    .fold(true, |fits, x| fits & ((x * factor).abs() < EXACT_FROM / 2.0));
            if !fits {
                block.iter().for_each(|&x| self.total += i128::from(self.scale.quantise(x)));
                continue;
            }
            let mut lanes = [0i64; LANES];
            let parts = block.chunks_exact(LANES);
            for &x in parts.remainder() {
                self.total += i128::from(self.scale.quantise(x));
            }
            for part in parts {
                for (lane, &x) in lanes.iter_mut().zip(part) {
                    *lane += (x * factor + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64;
                }
            }
            self.total += i128::from(lanes.iter().sum::<i64>());
        }
    }

    /// Adds another sum of the same scale: associative and commutative.
    ///
    /// # Panics
    /// When the scales differ: states of one fit share theirs.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.scale, other.scale, "fixed-point sums of one fit share their scale");
        self.n = self.n.saturating_add(other.n);
        self.total = self.total.wrapping_add(other.total);
    }

    /// The sum of the quantised values, rounded once to nearest, ties to even.
    pub fn round(&self) -> f64 {
        self.scale.value(self.total)
    }

    /// Number of values added.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// The integer sum, in quanta.
    pub fn total(&self) -> i128 {
        self.total
    }
}

/// 2^e for |e| <= 1022.
#[inline]
pub(super) fn power_of_two(e: i32) -> f64 {
    f64::from_bits(((e + 1023) as u64) << 52)
}

/// The smallest e with x <= 2^e, for finite x > 0.
pub(super) fn ceil_log2(x: f64) -> i32 {
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    if exponent == 0 {
        return -1074 + (64 - (bits - 1).leading_zeros() as i32);
    }
    exponent - 1023 + i32::from(fraction != 0)
}

/// Nearest integer, ties to even, where the magic number does not reach: above 2^52 every f64 is an
/// integer.
fn large(y: f64) -> i64 {
    if y.abs() >= EXACT_FROM {
        return y as i64;
    }
    let whole = y as i64;
    let rest = y - whole as f64;
    // Here the quantum of y is 1/2, so the rest is 0 or a tie.
    whole + i64::from(rest != 0.0 && whole & 1 == 1) * whole.signum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scales_are_the_finest_that_fit() {
        assert_eq!(FixedScale::for_max(1.0, 20).exponent(), 20);
        assert_eq!(FixedScale::for_max(1.0, 20).quantise(1.0), 1 << 20);
        assert_eq!(FixedScale::for_max(1.0 + f64::EPSILON, 20).exponent(), 19);
        assert_eq!(FixedScale::for_max(0.75, 20).exponent(), 20);
        assert_eq!(FixedScale::for_max(0.0, 20).exponent(), 0);
        assert_eq!(FixedScale::for_max(f64::from_bits(1), 20).exponent(), 1000);
        assert_eq!(FixedScale::for_max(f64::MAX, 20).exponent(), -1000);
        assert_eq!(FixedScale::for_max(f64::NAN, 20).exponent(), -1000);
        assert_eq!(ceil_log2(f64::from_bits(1)), -1074);
        assert_eq!(ceil_log2(f64::from_bits(3)), -1072);
    }

    #[test]
    fn ties_go_to_even() {
        let scale = FixedScale::for_max(1024.0, 10);
        let found =
            [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994].map(|x| scale.quantise(x));
        assert_eq!(found, [0, 2, 2, 0, -2, -2, 0]);
        let two51 = EXACT_FROM / 2.0;
        let found = [two51 + 0.5, two51 + 1.5, -two51 - 0.5, -two51 - 1.5, EXACT_FROM + 1.0];
        let base = 1i64 << 51;
        assert_eq!(
            found.map(|x| scale.quantise(x)),
            [base, base + 2, -base, -base - 2, 2 * base + 1]
        );
        assert_eq!(scale.quantise(f64::NAN), 0);
        assert_eq!(scale.quantise(f64::INFINITY), i64::MAX);
    }

    #[test]
    fn sums_in_quanta() {
        // 0.1 * 2^8 = 25.6 -> 26; ten of them are 260 / 256.
        let mut sum = FixedSum::new(FixedScale::for_max(1.0, 8));
        sum.add_slice(&[0.1; 10]);
        assert_eq!((sum.count(), sum.total(), sum.round()), (10, 260, 1.015625));
        assert_eq!(
            FixedScale::for_max(f64::from_bits(1), 62).value(1),
            super::super::functions::powi(2.0, -1000)
        );
        assert_eq!(
            FixedScale::for_max(1.0, 60).value(-1),
            -super::super::functions::powi(2.0, -60)
        );
    }

    proptest! {
        #[test]
        fn order_chunks_and_merges_give_the_same_state(
            (values, shuffled) in prop::collection::vec(-1e3f64..1e3, 0..300)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
            bits in 1u32..=62,
        ) {
            let scale = FixedScale::for_max(1e3, bits);
            let mut whole = FixedSum::new(scale);
            values.iter().for_each(|&x| whole.add(x));
            let (left, right) = shuffled.split_at(at.index(values.len() + 1));
            let (mut a, mut b) = (FixedSum::new(scale), FixedSum::new(scale));
            a.add_slice(left);
            b.add_slice(right);
            b.merge(&a);
            prop_assert_eq!(&b, &whole);
            let bytes = rmp_serde::to_vec(&b).expect("serialise");
            prop_assert_eq!(rmp_serde::from_slice::<FixedSum>(&bytes).expect("read"), whole);
        }
    }
}
