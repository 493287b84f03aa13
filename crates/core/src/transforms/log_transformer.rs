//! Replaces positive numbers by their logarithm to base e, 10 or 2.
//!
//! # Method
//! As feature-engine 1.9.4 `LogTransformer`, with base 2 added. The logarithm is correctly rounded:
//! the one double nearest to the true value, on every machine. NumPy's logarithms are those of the
//! C library or of vector code and may be one unit in the last place away.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Stays missing.
//!
//! # Ties and order
//! None: nothing is learned. The logarithm of +infinity is +infinity.
//!
//! # Errors
//! A number that is not above 0 has no logarithm: an error at fit, with column and row; at scoring
//! the row gets this reason instead of a score.
//!
//! # Example
//! `base = "10"` turns 1000 into 3.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema, Value};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// Which logarithm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogTransformerParams {
    /// The base.
    pub base: LogBase,
}

/// The base of a logarithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogBase {
    /// Natural.
    #[default]
    #[serde(rename = "e")]
    E,
    /// Decimal.
    #[serde(rename = "10")]
    Ten,
    /// Binary.
    #[serde(rename = "2")]
    Two,
}

impl LogBase {
    fn log(self) -> fn(f64) -> f64 {
        match self {
            LogBase::E => math::ln,
            LogBase::Ten => math::log10,
            LogBase::Two => math::log2,
        }
    }
}

impl FitTransform for LogTransformerParams {
    type Fitted = LogTransformer;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, _: &dyn Rows, _: &FitContext<'_>) -> Result<LogTransformer> {
        Ok(LogTransformer { base: self.base })
    }

    fn made(&self, fitted: &LogTransformer, _: &[String]) -> bool {
        fitted.base == self.base
    }

    fn examples() -> Vec<Example<Self>> {
        let base = |base| LogTransformerParams { base };
        vec![
            Example::on(&["area", "rooms"], LogTransformerParams::default()),
            Example::on(&["year"], base(LogBase::Ten)),
            Example::on(&["area"], base(LogBase::Two)),
        ]
    }
}

/// The base; nothing is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogTransformer {
    base: LogBase,
}

impl Transform for LogTransformer {
    fn output(&self, input: &Schema, _: &[usize]) -> Result<Schema> {
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        let log = self.base.log();
        for &slot in slots {
            for row in 0..batch.n_rows() {
                let x = batch.num(slot)[row];
                // Of a missing value the logarithm is missing.
                batch.num_mut(slot)[row] = if x <= 0.0 { math::MISSING } else { log(x) };
                if x <= 0.0 {
                    let found = Value::Num(x);
                    let message = format!("expected a number above 0, found {found}");
                    let error = Error::new(Code::BadValue, message);
                    batch.fault(row, slot, error.remedy("add a constant, or impute, before it"));
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

    fn logs(base: LogBase, values: &[f64]) -> Batch {
        let t = table(&[("x", nums(values))]);
        let fitted = fit(&LogTransformerParams { base }, &t, &["x"]).unwrap();
        apply(&fitted, &t, &["x"])
    }

    #[test]
    fn powers_of_the_base_have_whole_logarithms() {
        // 10^-3 as a double is nearest to 10^-3, so its decimal logarithm rounds to -3.
        assert_eq!(logs(LogBase::Ten, &[1000.0, 1.0, 1e-3]).num(0), [3.0, 0.0, -3.0]);
        assert_eq!(logs(LogBase::Two, &[1024.0, 0.125]).num(0), [10.0, -3.0]);
        // ln 2 = 0.69314718055994530941..., of which the nearest double is LN_2.
        assert_eq!(logs(LogBase::E, &[2.0]).num(0), [std::f64::consts::LN_2]);
    }

    #[test]
    fn zero_and_below_give_the_row_a_reason() {
        let batch = logs(LogBase::E, &[0.0, -3.5, 1.0]);
        assert!(math::is_missing(batch.num(0)[0]) && math::is_missing(batch.num(0)[1]));
        assert_eq!(batch.faults().len(), 2);
        assert_eq!(
            batch.faults()[&1].to_string(),
            "column `x`: expected a number above 0, found number -3.5 \
             (add a constant, or impute, before it)"
        );
    }

    #[test]
    fn missing_and_infinity_stay_what_they_are() {
        let batch = logs(LogBase::Ten, &[f64::NAN, f64::INFINITY, 5e-324]);
        assert_eq!(batch.num(0)[0].to_bits(), math::MISSING.to_bits());
        assert_eq!(batch.num(0)[1], f64::INFINITY);
        // log10(2^-1074) = -1074 * 0.30102999566398119521... = -323.30621534311580...
        assert_eq!(batch.num(0)[2], -323.306_215_343_115_8);
        assert!(batch.faults().is_empty());
    }

    #[test]
    fn a_fit_names_column_and_row() {
        use crate::config::Task;
        use crate::models::LinearRegressionParams;
        use crate::pipeline::{Table, fit};
        let mut config =
            crate::example::config(Task::Regression, LinearRegressionParams::default());
        config.data.columns.retain(|name, _| name == "count" || name == "price");
        let config = config.step("log", &["count"], LogTransformerParams::default());
        let batch = crate::example::table(20, 3);
        let slot = batch.schema().position("count").unwrap();
        let row = batch.num(slot).iter().position(|&x| x == 0.0).unwrap();
        let error = fit(&config, Table::new(&config, &batch).unwrap().into_rows()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "step `log`: column `count`: row {row}: expected a number above 0, found number 0 \
                 (add a constant, or impute, before it)"
            )
        );
    }
}
