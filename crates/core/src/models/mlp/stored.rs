//! What is left out of the stored form of the parameters: what is as it is by default.

use super::LearningRate;

pub(super) fn is_constant(rate: &LearningRate) -> bool {
    *rate == LearningRate::Constant
}

pub(super) fn is_half(x: &f64) -> bool {
    *x == 0.5
}

pub(super) fn is_ten(n: &u32) -> bool {
    *n == 10
}

pub(super) fn is_tenth(x: &f64) -> bool {
    *x == 0.1
}

pub(super) fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

pub(super) fn is_none(n: &u32) -> bool {
    *n == 0
}
