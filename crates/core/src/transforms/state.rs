//! What several kinds check of a learned state, whoever wrote it, and do with it.

use crate::batch::Batch;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::check_width;

/// Refuses learned numbers that are not finite or not canonical, or not one for each of
/// `n_columns`.
///
/// # Errors
/// If so: the artifact is damaged.
pub(super) fn check_finite(values: &[f64], n_columns: usize) -> Result<()> {
    check_width(values.len(), n_columns)?;
    check_numbers(values)
}

/// Refuses learned numbers that are not finite or not canonical.
///
/// # Errors
/// If so: the artifact is damaged.
pub(super) fn check_numbers(values: &[f64]) -> Result<()> {
    let sound = |x: &f64| x.is_finite() && math::canonical(*x).to_bits() == x.to_bits();
    match values.iter().find(|x| !sound(x)) {
        None => Ok(()),
        Some(x) => Err(malformed(format!("expected finite canonical numbers, found {x:?}"))),
    }
}

/// A learned state that no fit can have made.
pub(super) fn malformed(message: impl Into<String>) -> Error {
    Error::new(Code::Malformed, message)
}

/// Puts the number of each column in the place of its missing ones.
pub(super) fn fill_missing(batch: &mut Batch, slots: &[usize], numbers: &[f64]) {
    for (&slot, &number) in slots.iter().zip(numbers) {
        for x in batch.num_mut(slot) {
            if math::is_missing(*x) {
                *x = number;
            }
        }
    }
}
