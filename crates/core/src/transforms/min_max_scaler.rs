//! Scales each column so that its training minimum and maximum land on the ends of a range.
//!
//! # Method
//! As scikit-learn 1.9.1 `MinMaxScaler`, operation by operation and so with its bits: `scale =
//! (high − low) / (max − min)`, `offset = low − min × scale`, z = x × scale + offset, each
//! operation rounded, the product before the sum. The other usual form, `(x − min) / (max − min)`,
//! has other bits.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Skipped in the fit, stays missing.
//!
//! # Ties and order
//! In a constant column `max − min` counts as 1, so that it becomes `low`: exactly where `low` is
//! 0, elsewhere up to the roundings of `offset` and z. scikit-learn counts every column with `max −
//! min` below 2.2e-15 as constant; here only a true constant is one, because minimum and maximum
//! are exact, and a column in small units has as much to say as one in large units. Because of the
//! roundings, training values may lie an ulp or so outside the range; `clip` moves them, and any
//! later value beyond the training extremes, to its ends.
//!
//! # Errors
//! `feature_range` must ascend. A column without a value, with an infinite one, or whose scale or
//! offset is beyond the numbers of f64, cannot be fitted.
//!
//! # Example
//! 2, 3, 6 becomes 0, 0.25, 1: scale 1 / 4, offset 0 − 2 × 0.25 = −0.5.

use serde::{Deserialize, Serialize};

use super::state::{check_finite, malformed};
use crate::aggregate::{ColumnMoments, Rows};
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// The range and whether it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MinMaxScalerParams {
    /// Where the training minimum and maximum land.
    pub feature_range: [f64; 2],
    /// Whether values beyond the range are moved to its ends.
    pub clip: bool,
}

impl Default for MinMaxScalerParams {
    fn default() -> Self {
        MinMaxScalerParams { feature_range: [0.0, 1.0], clip: false }
    }
}

impl FitTransform for MinMaxScalerParams {
    type Fitted = MinMaxScaler;

    fn validate(&self) -> Result<()> {
        if ascends(self.feature_range) {
            return Ok(());
        }
        let [low, high] = self.feature_range;
        let message = format!(
            "expected two finite numbers in ascending order in `feature_range`, \
             found {low} and {high}"
        );
        Err(Error::new(Code::BadParameter, message))
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MinMaxScaler> {
        let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
        let [low, high] = self.feature_range.map(math::canonical);
        let mut state = MinMaxScaler {
            scales: Vec::with_capacity(moments.len()),
            offsets: Vec::with_capacity(moments.len()),
            clip: self.clip.then_some([low, high]),
        };
        for (&slot, m) in ctx.slots.iter().zip(&moments) {
            let extremes = m.min().zip(m.max());
            let (scale, offset) =
                line(extremes, low, high).map_err(|e| e.column(ctx.name(slot)))?;
            state.scales.push(scale);
            state.offsets.push(offset);
        }
        Ok(state)
    }

    fn made(&self, fitted: &MinMaxScaler, _: &[String]) -> bool {
        fitted.clip == self.clip.then_some(self.feature_range)
    }

    fn examples() -> Vec<Example<Self>> {
        let clipped = MinMaxScalerParams { feature_range: [-1.0, 1.0], clip: true };
        vec![
            Example::on(&["age", "fare", "constant"], MinMaxScalerParams::default()),
            Example::on(&["area", "year"], clipped),
        ]
    }
}

fn ascends([low, high]: [f64; 2]) -> bool {
    low < high && low.is_finite() && high.is_finite()
}

/// Scale and offset of a column with these extremes.
fn line(extremes: Option<(f64, f64)>, low: f64, high: f64) -> Result<(f64, f64)> {
    let Some((min, max)) = extremes else {
        return Err(Error::new(Code::TooFewRows, "expected a value to learn from, found none")
            .remedy("drop the column, or fill it with a constant"));
    };
    let range = if max > min { max - min } else { 1.0 };
    let scale = (high - low) / range;
    let offset = math::canonical(low - min * scale);
    if scale > 0.0 && scale.is_finite() && offset.is_finite() {
        return Ok((scale, offset));
    }
    let message = format!("expected extremes that can be scaled, found {min:?} and {max:?}");
    Err(Error::new(Code::NotFinite, message))
}

/// Scale and offset of each column, and the range if values are kept in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinMaxScaler {
    scales: Vec<f64>,
    offsets: Vec<f64>,
    clip: Option<[f64; 2]>,
}

impl Transform for MinMaxScaler {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_finite(&self.scales, slots.len())?;
        check_finite(&self.offsets, slots.len())?;
        if self.scales.iter().any(|&scale| scale <= 0.0) {
            return Err(malformed("expected scales above 0"));
        }
        if self.clip.is_some_and(|range| !ascends(range)) {
            return Err(malformed("expected an ascending range"));
        }
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        let lines = self.scales.iter().zip(&self.offsets);
        for (&slot, (&scale, &offset)) in slots.iter().zip(lines) {
            for x in batch.num_mut(slot) {
                let z = *x * scale + offset;
                *x = match self.clip {
                    Some([low, high]) => math::clamp(z, low, high),
                    None => math::canonical(z),
                };
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
    fn extremes_land_on_the_ends() {
        // 2, 3, 6 to [-1, 1]: scale 2 / 4 = 0.5, offset -1 - 2 * 0.5 = -2.
        let t = table(&[("x", nums(&[2.0, 3.0, 6.0]))]);
        let params = MinMaxScalerParams { feature_range: [-1.0, 1.0], ..Default::default() };
        let fitted = fit(&params, &t, &["x"]).unwrap();
        assert_eq!((fitted.scales[0], fitted.offsets[0]), (0.5, -2.0));
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [-1.0, -0.5, 1.0]);
    }

    #[test]
    fn the_product_comes_before_the_sum() {
        // Years 1872 to 2009: scale 1 / 137, offset 0 - 1872 / 137. 1980 lies 108 / 137 of the
        // way, and the nearest double to that is not what product and sum give.
        let t = table(&[("x", nums(&[1872.0, 2009.0, 1980.0]))]);
        let fitted = fit(&MinMaxScalerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(fitted.offsets, [-13.664_233_576_642_335]);
        let scaled = apply(&fitted, &t, &["x"]).num(0)[2];
        assert_eq!(scaled, 1980.0 * (1.0 / 137.0) - 13.664_233_576_642_335);
        assert_ne!(scaled, 108.0 / 137.0);
    }

    #[test]
    fn a_constant_column_becomes_the_lower_end_and_later_values_may_leave() {
        let t = table(&[("x", nums(&[7.5, 7.5, f64::NAN]))]);
        let later = table(&[("x", nums(&[8.0, f64::INFINITY, f64::NAN]))]);
        for (clip, expected) in [(false, [0.5, f64::INFINITY]), (true, [0.5, 1.0])] {
            let params = MinMaxScalerParams { clip, ..Default::default() };
            let fitted = fit(&params, &t, &["x"]).unwrap();
            assert_eq!(apply(&fitted, &t, &["x"]).num(0)[..2], [0.0, 0.0]);
            let batch = apply(&fitted, &later, &["x"]);
            assert_eq!(batch.num(0)[..2], expected);
            assert_eq!(batch.num(0)[2].to_bits(), math::MISSING.to_bits());
        }
    }

    #[test]
    fn small_units_are_scaled_and_what_overflows_is_refused() {
        let t = table(&[("x", nums(&[1e-20, 3e-20]))]);
        let fitted = fit(&MinMaxScalerParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [0.0, 1.0]);
        for extremes in [[-1e308, 1e308], [0.0, 5e-324], [0.0, f64::INFINITY]] {
            let t = table(&[("x", nums(&extremes))]);
            let error = fit(&MinMaxScalerParams::default(), &t, &["x"]).unwrap_err();
            assert_eq!(error.code(), Code::NotFinite, "{extremes:?}");
        }
        let none = table(&[("x", nums(&[f64::NAN]))]);
        let error = fit(&MinMaxScalerParams::default(), &none, &["x"]).unwrap_err();
        assert_eq!(error.column_name(), Some("x"));
    }
}
