//! Subtracts the training mean and divides by the training standard deviation.
//!
//! # Method
//! As scikit-learn 1.9.1 `StandardScaler`: z = (x − mean) / sd with the population deviation
//! (divisor n). Mean and variance are the exact values rounded once; sd is the square root of that
//! variance, rounded again. scikit-learn's are float sums in the order of the rows, so their last
//! bits may differ.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Skipped in the fit, stays missing.
//!
//! # Ties and order
//! First the subtraction, then the division; never a multiplication by a reciprocal. A column whose
//! variance rounds to 0 is divided by 1. scikit-learn divides by 1 also where its variance lies
//! within the error of its sums; here there is no such error, so a column that varies in its last
//! digits is scaled.
//!
//! # Errors
//! A column without a value, with an infinite one, or whose variance overflows, cannot be fitted.
//!
//! # Example
//! 1, 3 becomes −1, 1: mean 2, variance ((1−2)² + (3−2)²) / 2 = 1.

use serde::{Deserialize, Serialize};

use super::state::{check_finite, malformed};
use crate::aggregate::{ColumnMoments, Rows};
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// Whether to centre and to scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StandardScalerParams {
    /// Subtract the mean.
    pub with_mean: bool,
    /// Divide by the standard deviation.
    pub with_std: bool,
}

impl Default for StandardScalerParams {
    fn default() -> Self {
        StandardScalerParams { with_mean: true, with_std: true }
    }
}

impl FitTransform for StandardScalerParams {
    type Fitted = StandardScaler;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<StandardScaler> {
        let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
        let mut state = StandardScaler { means: Vec::new(), scales: Vec::new() };
        for (&slot, m) in ctx.slots.iter().zip(&moments) {
            let found = m.mean().zip(m.std(0));
            let (mean, std) = finite(found).map_err(|e| e.column(ctx.name(slot)))?;
            let scaled = self.with_std && std > 0.0;
            state.means.push(if self.with_mean { mean } else { 0.0 });
            state.scales.push(if scaled { std } else { 1.0 });
        }
        Ok(state)
    }

    fn made(&self, fitted: &StandardScaler, _: &[String]) -> bool {
        (self.with_mean || fitted.means.iter().all(|mean| *mean == 0.0))
            && (self.with_std || fitted.scales.iter().all(|scale| *scale == 1.0))
    }

    fn examples() -> Vec<Example<Self>> {
        let no_mean = StandardScalerParams { with_mean: false, ..Default::default() };
        vec![
            Example::on(&["age", "fare", "constant"], StandardScalerParams::default()),
            Example::on(&["area"], no_mean),
        ]
    }
}

fn finite(found: Option<(f64, f64)>) -> Result<(f64, f64)> {
    match found {
        None => Err(Error::new(Code::TooFewRows, "expected a value to learn from, found none")
            .remedy("drop the column, or fill it with a constant")),
        Some((mean, std)) if !mean.is_finite() || !std.is_finite() => Err(Error::new(
            Code::NotFinite,
            format!("expected a finite mean and deviation, found {mean} and {std}"),
        )),
        Some(found) => Ok(found),
    }
}

/// Mean and scale of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardScaler {
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl Transform for StandardScaler {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_finite(&self.means, slots.len())?;
        check_finite(&self.scales, slots.len())?;
        if self.scales.iter().any(|&scale| scale <= 0.0) {
            return Err(malformed("expected scales above 0"));
        }
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for ((&slot, &mean), &scale) in slots.iter().zip(&self.means).zip(&self.scales) {
            for x in batch.num_mut(slot) {
                *x = math::canonical((*x - mean) / scale);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table};

    #[test]
    fn two_values_become_minus_one_and_one() {
        let t = table(&[("x", nums(&[1.0, 3.0]))]);
        let fitted = fit(&StandardScalerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [-1.0, 1.0]);
    }

    #[test]
    fn a_constant_column_is_only_centred() {
        let t = table(&[("x", nums(&[7.5, 7.5]))]);
        let fitted = fit(&StandardScalerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [0.0, 0.0]);
    }

    #[test]
    fn missing_stays_missing() {
        let t = table(&[("x", nums(&[1.0, f64::NAN, 3.0]))]);
        let fitted = fit(&StandardScalerParams::default(), &t, &["x"]).unwrap();
        assert!(math::is_missing(apply(&fitted, &t, &["x"]).num(0)[1]));
    }

    #[test]
    fn a_column_that_varies_in_its_last_digits_is_scaled() {
        // 1e15 and 1e15 + 1: mean 1e15 + 0.5, variance 1/4, so -1 and 1.
        let t = table(&[("x", nums(&[1e15, 1e15 + 1.0]))]);
        let fitted = fit(&StandardScalerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [-1.0, 1.0]);
    }

    #[test]
    fn centring_and_scaling_can_be_left_out() {
        let t = table(&[("x", nums(&[1.0, 5.0]))]);
        for (with_mean, with_std, expected) in
            [(true, false, [-2.0, 2.0]), (false, true, [0.5, 2.5]), (false, false, [1.0, 5.0])]
        {
            let params = StandardScalerParams { with_mean, with_std };
            let fitted = fit(&params, &t, &["x"]).unwrap();
            assert_eq!(apply(&fitted, &t, &["x"]).num(0), expected);
        }
    }

    #[test]
    fn columns_without_a_finite_mean_are_named() {
        let cases = [(f64::NAN, Code::TooFewRows), (f64::INFINITY, Code::NotFinite)];
        for (x, code) in cases {
            let t = table(&[("x", nums(&[x]))]);
            let error = fit(&StandardScalerParams::default(), &t, &["x"]).unwrap_err();
            assert_eq!((error.code(), error.column_name()), (code, Some("x")));
        }
    }
}
