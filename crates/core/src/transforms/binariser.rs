//! Turns numbers into 1 where they are above a threshold and 0 elsewhere.
//!
//! # Method
//! As scikit-learn 1.9.1 `Binarizer`: x > threshold. scikit-learn refuses missing and infinite
//! values; here they follow the rules below.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Stays missing. +infinity gives 1, −infinity 0.
//!
//! # Ties and order
//! A value equal to the threshold gives 0. Nothing is learned.
//!
//! # Errors
//! The threshold must be finite.
//!
//! # Example
//! `threshold = 0` turns −2, 0 and 120 into 0, 0 and 1.

use serde::{Deserialize, Serialize};

use super::state::check_finite;
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// Where to cut.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinariserParams {
    /// Values above it give 1.
    pub threshold: f64,
}

impl FitTransform for BinariserParams {
    type Fitted = Binariser;

    fn validate(&self) -> Result<()> {
        if self.threshold.is_finite() {
            return Ok(());
        }
        let message = format!("expected a finite `threshold`, found {}", self.threshold);
        Err(Error::new(Code::BadParameter, message))
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, _: &dyn Rows, _: &FitContext<'_>) -> Result<Binariser> {
        Ok(Binariser { threshold: math::canonical(self.threshold) })
    }

    fn made(&self, fitted: &Binariser, _: &[String]) -> bool {
        fitted.threshold == self.threshold
    }

    fn examples() -> Vec<Example<Self>> {
        let above = |threshold| BinariserParams { threshold };
        vec![
            Example::on(&["fare", "count"], BinariserParams::default()),
            Example::on(&["area"], above(250.5)),
        ]
    }
}

/// The threshold; nothing is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binariser {
    threshold: f64,
}

impl Transform for Binariser {
    fn output(&self, input: &Schema, _: &[usize]) -> Result<Schema> {
        check_finite(&[self.threshold], 1)?;
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for &slot in slots {
            for x in batch.num_mut(slot) {
                if !math::is_missing(*x) {
                    *x = f64::from(u8::from(*x > self.threshold));
                }
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
    fn a_value_at_the_threshold_is_not_above_it() {
        let t = table(&[("x", nums(&[1.5, 1.5 + f64::EPSILON, -3.0, f64::NAN]))]);
        let fitted = fit(&BinariserParams { threshold: 1.5 }, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        assert_eq!(batch.num(0)[..3], [0.0, 1.0, 0.0]);
        assert_eq!(batch.num(0)[3].to_bits(), math::MISSING.to_bits());
    }

    #[test]
    fn infinities_lie_on_their_sides_and_zero_is_not_above_zero() {
        let t = table(&[("x", nums(&[f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324]))]);
        let fitted = fit(&BinariserParams { threshold: -0.0 }, &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [1.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_threshold_that_is_no_number_is_refused() {
        let error = BinariserParams { threshold: f64::NAN }.validate().unwrap_err();
        assert_eq!(error.to_string(), "expected a finite `threshold`, found NaN");
    }
}
