//! One weighted sum of a row's numbers: what linear models score by, and what its parts are.

use super::Output;
use crate::batch::{Batch, Schema};
use crate::error::{Code, Error, Result};
use crate::faults;
use crate::math;

/// What to do about a missing value.
pub(crate) const ADD_IMPUTER: &str = "add an imputer before the model";

impl Output {
    /// The names of its columns where a row has so many sums: those of several are numbered. Leaves
    /// are none of a sum.
    pub(crate) fn names(self, n_sums: usize, features: &Schema) -> Option<Vec<String>> {
        let lead = |sum: usize| match n_sums {
            1 => String::new(),
            _ => format!("_{sum}"),
        };
        match self {
            Output::Margin => Some((0..n_sums).map(|sum| format!("margin{}", lead(sum))).collect()),
            Output::Contribution => {
                let base = base_name(features);
                let terms = || features.names().chain([base.as_str()]);
                let of = |sum| {
                    let lead = lead(sum);
                    terms().map(move |term| format!("contribution{lead}_{term}"))
                };
                Some((0..n_sums).flat_map(of).collect())
            }
            Output::Leaf => None,
        }
    }
}

/// `base`, longer if a feature has that name.
fn base_name(features: &Schema) -> String {
    let mut name = "base".to_owned();
    while features.position(&name).is_some() {
        name.push('_');
    }
    name
}

/// Writes intercept + Σ coefficient · value, in the order of the columns, for every row. A row with
/// a missing or infinite value gets a fault that names the first such column.
pub(crate) fn predictor(
    batch: &mut Batch,
    slots: &[usize],
    coefficients: &[f64],
    intercept: f64,
    scores: &mut [f64],
) {
    scores.fill(intercept);
    for (&slot, &weight) in slots.iter().zip(coefficients) {
        for (score, &x) in scores.iter_mut().zip(batch.num(slot)) {
            *score = faults::multiply_add(*score, weight, x);
        }
    }
    for (row, score) in scores.iter().enumerate() {
        if !score.is_finite() {
            fault(batch, slots, row);
        }
    }
}

/// Faults a row whose sum is not finite, naming the first column that is the reason.
///
/// An infinite value makes every score infinite or missing, because 0 times it is missing too.
pub(crate) fn fault(batch: &mut Batch, slots: &[usize], row: usize) {
    let culprit =
        slots.iter().map(|&slot| (slot, batch.num(slot)[row])).find(|(_, x)| !x.is_finite());
    match culprit {
        Some((slot, x)) if math::is_missing(x) => {
            let message = "expected a number, found a missing value";
            let error = Error::new(Code::MissingValue, message).remedy(ADD_IMPUTER);
            batch.fault(row, slot, error);
        }
        Some((slot, _)) => {
            let message = "expected a finite number, found an infinity";
            batch.fault(row, slot, Error::new(Code::NotFinite, message));
        }
        None => {
            let message = "expected a finite sum of the model's terms, found an overflow";
            batch.fault_row(row, Error::new(Code::NotFinite, message));
        }
    }
}

/// Writes an output of one weighted sum: the sum itself, or each column's product and then the
/// intercept, which added up from the intercept on, in the order of the columns, are that sum.
///
/// # Errors
/// If it has no such output.
pub(crate) fn output(
    output: Output,
    batch: &mut Batch,
    slots: &[usize],
    (coefficients, intercept): (&[f64], f64),
    values: &mut [f64],
) -> Result<()> {
    match output {
        Output::Margin => predictor(batch, slots, coefficients, intercept, values),
        Output::Contribution => contributions(batch, slots, &[(coefficients, intercept)], values),
        Output::Leaf => return Err(no_output(output)),
    }
    Ok(())
}

/// Says that weighted sums have no such output.
pub(crate) fn no_output(found: Output) -> Error {
    let message =
        format!("expected an output of this model (margin, contribution), found {found:?}");
    Error::new(Code::Usage, message)
}

/// Writes each line's products of coefficient and value, then its intercept, line after line.
pub(crate) fn contributions(
    batch: &mut Batch,
    slots: &[usize],
    lines: &[(&[f64], f64)],
    values: &mut [f64],
) {
    let width = slots.len() + 1;
    let n_rows = batch.n_rows();
    for row in 0..n_rows {
        let own = &mut values[row * width * lines.len()..][..width * lines.len()];
        let mut is_finite = true;
        for ((coefficients, intercept), own) in lines.iter().zip(own.chunks_exact_mut(width)) {
            for ((&slot, &weight), value) in slots.iter().zip(*coefficients).zip(own.iter_mut()) {
                *value = weight * batch.num(slot)[row];
                is_finite &= value.is_finite();
            }
            own[width - 1] = *intercept;
        }
        if !is_finite {
            fault(batch, slots, row);
        }
    }
}
