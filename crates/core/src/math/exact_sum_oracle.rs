//! [`ExactSum`] against an independent oracle: one wide integer, added to and rounded bit by bit.

use super::exact_sum::{ExactSum, UNIT, parts};
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
        self.add((a < 0.0) != (b < 0.0), u128::from(ma) * u128::from(mb), pa + pb);
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
            q as f64 * f64::from_bits(1) * f64::from_bits(((exponent + 1074 + 1023) as u64) << 52)
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
    fn cancellation_is_exact(
        values in prop::collection::vec(finite(), 0..40),
        last in finite(),
    ) {
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
