//! Fills missing numbers with the training mean or median of their column.
//!
//! # Method
//! As feature-engine 1.9.4 `MeanMedianImputer`. The mean is the correctly rounded quotient of the
//! exact sum; feature-engine's is a float sum whose roundings follow the order of the rows, so its
//! last bits may differ. Medians are equal to the bit.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Filled. Infinite values take part in the median; a mean with one of them is refused.
//!
//! # Ties and order
//! The median of an even count is the mean of the two middle values a and b: (a + b) / 2, the sum
//! rounded, as in NumPy and pandas (a / 2 + b / 2 where the sum overflows). The type 7 quantile at
//! 1/2 is the same point by other operations, and in about one pair of forty its last bit differs.
//! Neither statistic depends on the order of the rows.
//!
//! # Errors
//! A column without any value, or whose mean or median is not finite, cannot be fitted.
//!
//! # Example
//! `method = "median"` on values 1, 3, 8 and a missing one fills 3.

use serde::{Deserialize, Serialize};

use super::state::{check_finite, fill_missing};
use crate::aggregate::{ColumnMoments, ColumnQuantiles, Rows};
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math::{self, QuantileType};
use crate::step::{Example, FitContext, FitTransform, Transform};

/// What to fill with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanMedianImputerParams {
    /// The statistic.
    pub method: ImputeMethod,
}

/// A statistic of the training values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeMethod {
    /// The arithmetic mean.
    Mean,
    /// The median.
    #[default]
    Median,
}

impl FitTransform for MeanMedianImputerParams {
    type Fitted = MeanMedianImputer;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MeanMedianImputer> {
        let found: Vec<Option<f64>> = match self.method {
            ImputeMethod::Mean => {
                let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
                moments.iter().map(|m| m.mean()).collect()
            }
            ImputeMethod::Median => {
                let middle = |kind| ColumnQuantiles::of(rows, ctx.slots, &[0.5], kind);
                let (low, high) = (middle(QuantileType::Lower)?, middle(QuantileType::Higher)?);
                let pairs = low.iter().zip(&high);
                pairs.map(|(a, b)| Some(midpoint(a[0]?, b[0]?))).collect()
            }
        };
        let mut fill = Vec::with_capacity(found.len());
        for (&slot, value) in ctx.slots.iter().zip(found) {
            fill.push(finite(value).map_err(|e| e.column(ctx.name(slot)))?);
        }
        Ok(MeanMedianImputer { fill })
    }

    fn examples() -> Vec<Example<Self>> {
        let mean = MeanMedianImputerParams { method: ImputeMethod::Mean };
        vec![
            Example::on(&["age", "fare"], MeanMedianImputerParams::default()),
            Example::on(&["age"], mean),
        ]
    }
}

/// Halfway between two values, the sum rounded before it is halved.
fn midpoint(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_infinite() && a.is_finite() && b.is_finite() {
        return a / 2.0 + b / 2.0;
    }
    math::canonical(sum / 2.0)
}

fn finite(value: Option<f64>) -> Result<f64> {
    match value {
        None => Err(Error::new(Code::TooFewRows, "expected a value to learn from, found none")
            .remedy("drop the column, or fill it with a constant")),
        Some(x) if !x.is_finite() => Err(Error::new(
            Code::NotFinite,
            "expected a finite mean or median, found none because of infinite values",
        )),
        Some(x) => Ok(x),
    }
}

/// The fill value of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanMedianImputer {
    fill: Vec<f64>,
}

impl Transform for MeanMedianImputer {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_finite(&self.fill, slots.len())?;
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        fill_missing(batch, slots, &self.fill);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table};

    #[test]
    fn the_median_of_an_even_count_lies_halfway() {
        // Values 1, 3, 8, 9: (3 + 8) / 2 = 5.5.
        let t = table(&[("x", nums(&[9.0, 1.0, f64::NAN, 8.0, 3.0]))]);
        let fitted = fit(&MeanMedianImputerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [9.0, 1.0, 5.5, 8.0, 3.0]);
    }

    #[test]
    fn the_median_adds_before_it_halves() {
        // 0.2 + 1.9 = 2.1, halved 1.05; 1.9 - (1.9 - 0.2) / 2 would be 1.0499999999999998.
        let t = table(&[("x", nums(&[1.9, 0.2]))]);
        let fitted = fit(&MeanMedianImputerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(fitted.fill, [1.05]);
        // The sum of two huge values overflows, their middle does not.
        let t = table(&[("x", nums(&[f64::MAX, f64::MAX]))]);
        let fitted = fit(&MeanMedianImputerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(fitted.fill, [f64::MAX]);
    }

    #[test]
    fn infinite_values_take_part_in_the_median_only() {
        let t = table(&[("x", nums(&[f64::NEG_INFINITY, 2.0, f64::INFINITY]))]);
        let fitted = fit(&MeanMedianImputerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(fitted.fill, [2.0]);
        let mean = MeanMedianImputerParams { method: ImputeMethod::Mean };
        assert_eq!(fit(&mean, &t, &["x"]).unwrap_err().code(), Code::NotFinite);
    }

    #[test]
    fn a_forged_state_is_refused() {
        let t = table(&[("x", nums(&[1.0]))]);
        for fill in [vec![], vec![f64::NAN]] {
            let forged = MeanMedianImputer { fill };
            assert_eq!(forged.output(t.schema(), &[0]).unwrap_err().code(), Code::Malformed);
        }
    }

    #[test]
    fn the_mean_is_exact_where_a_float_sum_is_not() {
        // 1e16 + 1 - 1e16 + 1 = 2, over 4; a running float sum gives 1, over 4.
        let t = table(&[("x", nums(&[1e16, 1.0, -1e16, 1.0]))]);
        let params = MeanMedianImputerParams { method: ImputeMethod::Mean };
        assert_eq!(fit(&params, &t, &["x"]).unwrap().fill, [0.5]);
    }

    #[test]
    fn a_column_without_values_is_named() {
        let t = table(&[("x", nums(&[f64::NAN]))]);
        let error = fit(&MeanMedianImputerParams::default(), &t, &["x"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `x`: expected a value to learn from, found none \
             (drop the column, or fill it with a constant)"
        );
    }
}
