//! The ranges of parameters that several kinds share.

use crate::error::{Code, Error, Result};

fn refused(message: String) -> Result<()> {
    Err(Error::new(Code::BadParameter, message))
}

/// `value` is finite and above 0.
///
/// # Errors
/// If it is not.
pub(super) fn above_zero(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    refused(format!("expected `{name}` above 0, found {value}"))
}

/// `value` is finite and at least 0.
///
/// # Errors
/// If it is not.
pub(super) fn at_least_zero(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    refused(format!("expected `{name}` of at least 0, found {value}"))
}

/// `value` is above 0 and at most 1.
///
/// # Errors
/// If it is not.
pub(super) fn share(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    refused(format!("expected `{name}` above 0 and at most 1, found {value}"))
}

/// Far beyond every use, and far enough from the end of numbers that sums with it stay below it.
const LARGEST: f64 = 1e100;

/// `value` is above 0 and of a size that sums can have.
///
/// # Errors
/// If it is not.
pub(super) fn moderate_above_zero(name: &str, value: f64) -> Result<()> {
    above_zero(name, value)?;
    moderate(name, value)
}

/// `value` is at least 0 and of a size that sums can have.
///
/// # Errors
/// If it is not.
pub(super) fn moderate_at_least_zero(name: &str, value: f64) -> Result<()> {
    at_least_zero(name, value)?;
    moderate(name, value)
}

fn moderate(name: &str, value: f64) -> Result<()> {
    if value <= LARGEST {
        return Ok(());
    }
    refused(format!("expected `{name}` of at most {LARGEST:e}, found {value:e}"))
}

/// `value` lies from `low` to `high`.
///
/// # Errors
/// If it does not.
pub(super) fn between(name: &str, value: u32, low: u32, high: u32) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    refused(format!("expected `{name}` from {low} to {high}, found {value}"))
}

/// `values` are probabilities that add up to 1; none at all means that they are learned.
///
/// # Errors
/// If they are not.
pub(super) fn probabilities(name: &str, values: &[f64]) -> Result<()> {
    let total = crate::math::sum_in_order(values.iter().copied());
    let in_range = values.iter().all(|p| (0.0..=1.0).contains(p));
    if values.is_empty() || (in_range && (total - 1.0).abs() <= 1e-8) {
        return Ok(());
    }
    refused(format!("expected `{name}` from 0 to 1 with sum 1, found {values:?}"))
}
