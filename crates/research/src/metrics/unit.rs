//! A power of two that brings values near 1.

use samescore_core::math;

/// A power of two by which values are divided, exactly, so that their squares neither overflow nor
/// vanish.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    exponent: i32,
}

impl Unit {
    /// Leaves values as they are.
    pub(super) const ONE: Self = Unit { exponent: 0 };

    /// Brings the largest of the values to at least 1 and below 2.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let largest = values.map(f64::abs).fold(0.0, math::max);
        let exponent = ((largest.to_bits() >> 52) & 0x7ff) as i32 - 1023;
        // Powers of two are normal numbers within these bounds.
        Unit { exponent: if largest == 0.0 { 0 } else { exponent.clamp(-1000, 1000) } }
    }

    fn power(exponent: i32) -> f64 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    }

    pub(super) fn shrink(self, x: f64) -> f64 {
        x * Unit::power(-self.exponent)
    }

    pub(super) fn grow(self, x: f64) -> f64 {
        x * Unit::power(self.exponent)
    }
}
