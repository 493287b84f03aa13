//! Subtracts the training mean and divides by the training standard deviation.
//!
//! # Method
//! As scikit-learn 1.9.1 `StandardScaler`: z = (x − mean) / sd with the population deviation (divisor n).
//! Mean and variance are correctly rounded; scikit-learn's are float sums and may differ in the last bits.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Skipped in the fit, stays missing.
//!
//! # Ties and order
//! A column whose variance is 0 is divided by 1, as in scikit-learn. First the subtraction, then the
//! division; never a multiplication by a reciprocal.
//!
//! # Errors
//! A column without a value, or with infinite ones, cannot be fitted.
//!
//! # Example
//! 1, 3 becomes −1, 1: mean 2, variance ((1−2)² + (3−2)²) / 2 = 1.

use serde::{Deserialize, Serialize};

use crate::aggregate::{ColumnMoments, Rows};
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::pipeline::check_width;
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
        StandardScalerParams {
            with_mean: true,
            with_std: true,
        }
    }
}

impl FitTransform for StandardScalerParams {
    type Fitted = StandardScaler;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<StandardScaler> {
        let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
        let mut state = StandardScaler {
            means: Vec::new(),
            scales: Vec::new(),
        };
        for (&slot, m) in ctx.slots.iter().zip(&moments) {
            let found = m
                .mean()
                .zip(m.std(0))
                .filter(|(a, b)| a.is_finite() && b.is_finite());
            let Some((mean, std)) = found else {
                return Err(Error::new(
                    Code::NotFinite,
                    "expected a finite mean and deviation, found none",
                )
                .column(ctx.name(slot)));
            };
            state.means.push(if self.with_mean { mean } else { 0.0 });
            state
                .scales
                .push(if self.with_std && std > 0.0 { std } else { 1.0 });
        }
        Ok(state)
    }

    fn examples() -> Vec<Example<Self>> {
        let no_mean = StandardScalerParams {
            with_mean: false,
            ..Default::default()
        };
        vec![
            Example::on(
                &["age", "fare", "constant"],
                StandardScalerParams::default(),
            ),
            Example::on(&["area"], no_mean),
        ]
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
        check_width(self.means.len(), slots.len())?;
        check_width(self.scales.len(), slots.len())?;
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
}
