//! What the fits of linear models share: complete features, where they are centred, and what is
//! checked of what they find.

use super::minimise::Stop;
use crate::aggregate::{FeatureExtents, Rows, WeightSummary};
use crate::batch::{Batch, Value};
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum, Extent, FixedScale};
use crate::step::FitContext;
pub(super) use crate::step::line::{ADD_IMPUTER, contributions, fault, no_output, predictor};

/// Where the features and the target lie, none of which is missing or infinite anywhere.
pub(super) struct Ranges {
    pub(super) features: Vec<Extent>,
    pub(super) target: Extent,
    /// The sum of the rows' weights.
    pub(super) total_weight: f64,
    /// The largest of them.
    pub(super) heaviest: f64,
}

/// One pass for the ranges.
///
/// # Errors
/// If there is no row, or a value is missing or infinite; the column is named.
pub(super) fn ranges(rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Ranges> {
    let (features, target) = rows.aggregate(FeatureExtents::new(ctx.slots))?.finish();
    for (&slot, m) in ctx.slots.iter().zip(&features) {
        let values = |block: &Batch| block.num(slot).to_vec();
        check_complete(m, rows, &values).map_err(|e| e.column(ctx.name(slot)))?;
    }
    let values = |block: &Batch| block.target().to_vec();
    check_complete(&target, rows, &values).map_err(|e| ctx.of_target(e))?;
    let (total_weight, heaviest) = rows.aggregate(WeightSummary::default())?.finish();
    if !(total_weight > 0.0 && total_weight.is_finite()) {
        let message = format!("expected weights with a positive, finite sum, found {total_weight}");
        return Err(Error::new(Code::BadWeight, message));
    }
    Ok(Ranges { features, target, total_weight, heaviest })
}

/// The error with the first row by the source whose value `is_wrong`.
///
/// # Errors
/// If a block cannot be read.
pub(super) fn at_first(
    error: Error,
    rows: &dyn Rows,
    values: &dyn Fn(&Batch) -> Vec<f64>,
    is_wrong: impl Fn(f64) -> bool,
) -> Result<Error> {
    let mut first: Option<u64> = None;
    for index in 0..rows.n_blocks() {
        let mut see = |block: &Batch| {
            let values = values(block);
            let wrong = (0..values.len()).filter(|&row| is_wrong(values[row]));
            first = wrong.map(|row| block.source_row(row)).chain(first).min();
        };
        rows.with_block(index, &mut see)?;
    }
    Ok(match first {
        Some(row) => error.row(row),
        None => error,
    })
}

fn check_complete(m: &Extent, rows: &dyn Rows, values: &dyn Fn(&Batch) -> Vec<f64>) -> Result<()> {
    if m.n_missing() > 0 {
        let found = m.n_missing();
        let message = format!("expected a number in every row, found {found} missing");
        let error = Error::new(Code::MissingValue, message).remedy(ADD_IMPUTER);
        return Err(at_first(error, rows, values, math::is_missing)?);
    }
    let Some((low, high)) = m.min().zip(m.max()) else {
        return Err(Error::new(Code::TooFewRows, "expected rows to fit on, found none"));
    };
    if !low.is_finite() || !high.is_finite() {
        let found = if high.is_finite() { low } else { high };
        let message = format!("expected finite numbers, found {}", Value::Num(found));
        let error = Error::new(Code::NotFinite, message)
            .remedy("repair the value, or make it missing and add an imputer before the model");
        return Err(at_first(error, rows, values, |x| x == found)?);
    }
    if !(high - low).is_finite() {
        return Err(Error::new(
            Code::NotFinite,
            "expected a finite range, found one that overflows",
        )
        .remedy("scale the column"));
    }
    Ok(())
}

/// A number near the mean that has few digits, so that subtracting it is exact for most data: the
/// mean rounded to a multiple of a power of two between 1/32 and 1/16 of the range. A constant
/// column gives its value.
pub(super) fn centre(m: &Extent) -> f64 {
    let (low, high) = (m.min().unwrap_or_default(), m.max().unwrap_or_default());
    if low == high {
        return low;
    }
    let grid = FixedScale::for_max(high - low, 5);
    grid.value(i128::from(grid.quantise(m.mean().unwrap_or_default())))
}

/// The largest distance of a value from `centre`.
pub(super) fn reach(m: &Extent, centre: f64) -> f64 {
    let (low, high) = (m.min().unwrap_or_default(), m.max().unwrap_or_default());
    math::max((low - centre).abs(), (high - centre).abs())
}

/// The intercept for columns as they are, from one for centred columns: target centre + intercept
/// − Σ coefficient · centre, rounded once.
pub(super) fn uncentred(
    intercept: f64,
    target_centre: f64,
    coefficients: &[f64],
    centres: &[f64],
) -> f64 {
    let mut total = ExactSum::new();
    total.add(intercept);
    total.add(target_centre);
    for (&weight, &centre) in coefficients.iter().zip(centres) {
        total.add_product(-weight, centre);
    }
    total.round()
}

/// Checks a stored predictor: a coefficient per column and an intercept, all finite and canonical.
///
/// # Errors
/// If it is another one: the artifact is damaged.
pub(super) fn check(coefficients: &[f64], intercept: f64, n_features: usize) -> Result<()> {
    crate::step::check_width(coefficients.len(), n_features)?;
    let sound = |x: &&f64| x.is_finite() && math::canonical(**x).to_bits() == x.to_bits();
    match coefficients.iter().chain([&intercept]).find(|x| !sound(x)) {
        None => Ok(()),
        Some(x) => {
            let message = format!("expected finite canonical coefficients, found {x:?}");
            Err(Error::new(Code::Malformed, message))
        }
    }
}

/// What a fit says that stopped at its cap.
pub(super) fn unsettled(is_unsettled: bool, n_iterations: u32, gradient_norm: f64) -> Vec<String> {
    let message = format!(
        "expected an optimum, found a gradient norm of {gradient_norm:e} after {n_iterations} \
         steps (raise `max_iter`, scale the columns, or add a penalty)"
    );
    if is_unsettled { vec![message] } else { Vec::new() }
}

/// Checks a stored gradient norm.
///
/// # Errors
/// If it is none: the artifact is damaged.
pub(super) fn check_norm(gradient_norm: f64) -> Result<()> {
    let is_canonical = gradient_norm.to_bits() == math::canonical(gradient_norm).to_bits();
    if gradient_norm >= 0.0 && gradient_norm.is_finite() && is_canonical {
        return Ok(());
    }
    let message = format!("expected a gradient norm, found {gradient_norm:?}");
    Err(Error::new(Code::Malformed, message))
}

/// Checks a parameter that must be at least 0.
///
/// # Errors
/// If it is less, or not finite.
pub(super) fn check_not_negative(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    let message = format!("expected `{name}` of at least 0, found {value}");
    Err(Error::new(Code::BadParameter, message))
}

/// Checks a parameter that must be above 0.
///
/// # Errors
/// If it is not, or not finite.
pub(super) fn check_positive(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    let message = format!("expected `{name}` above 0, found {value}");
    Err(Error::new(Code::BadParameter, message))
}

/// Checks `tolerance` and `max_iter`.
///
/// # Errors
/// If one is out of its range.
pub(super) fn check_stop(stop: Stop) -> Result<()> {
    check_positive("tolerance", stop.tolerance)?;
    if stop.max_iter > 0 {
        return Ok(());
    }
    Err(Error::new(Code::BadParameter, "expected `max_iter` of at least 1, found 0"))
}

/// Refuses coefficients that left the range of numbers.
///
/// # Errors
/// If one is not finite; its column is named.
pub(super) fn check_fitted(
    coefficients: &[f64],
    intercept: f64,
    ctx: &FitContext<'_>,
) -> Result<()> {
    let overflow = |found: f64| {
        let message = format!("expected a finite coefficient, found {found}");
        Error::new(Code::NotFinite, message).remedy("scale the columns")
    };
    for (&slot, &weight) in ctx.slots.iter().zip(coefficients) {
        if !weight.is_finite() {
            return Err(overflow(weight).column(ctx.name(slot)));
        }
    }
    if intercept.is_finite() {
        return Ok(());
    }
    Err(overflow(intercept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_predictor_is_finite_and_canonical() {
        assert!(check(&[0.0, -1.5], 2.0, 2).is_ok());
        for forged in [-0.0, f64::NAN, f64::INFINITY] {
            assert!(check(&[0.0, forged], 2.0, 2).is_err(), "{forged:?}");
            assert!(check(&[0.0, 1.0], forged, 2).is_err(), "{forged:?}");
        }
        assert!(check(&[0.0], 2.0, 2).is_err());
    }
}
