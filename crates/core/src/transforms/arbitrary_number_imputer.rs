//! Fills missing numbers with a given number.
//!
//! # Method
//! As feature-engine 1.9.4 `ArbitraryNumberImputer`: one number for all columns, or one by column
//! name.
//!
//! # Shape
//! Numeric columns in, the same columns out, in place.
//!
//! # Missing
//! Filled. Nothing is learned from the values, so a column may be missing throughout.
//!
//! # Ties and order
//! `numbers` wins over `number` for the columns that it names; the others take `number`. In
//! feature-engine a dictionary also chooses the columns; here the step's `columns` do.
//!
//! # Errors
//! A number must be finite. A name in `numbers` that is not a column of the step is an error at
//! fit, because a misspelt name would fill with the wrong number.
//!
//! # Example
//! `number = -1` turns 3 and a missing value into 3 and −1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::{check_finite, fill_missing};
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// What to fill with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArbitraryNumberImputerParams {
    /// The number for every column that `numbers` does not name.
    pub number: f64,
    /// Numbers of single columns, by name.
    pub numbers: BTreeMap<String, f64>,
}

impl Default for ArbitraryNumberImputerParams {
    fn default() -> Self {
        ArbitraryNumberImputerParams { number: 999.0, numbers: BTreeMap::new() }
    }
}

impl FitTransform for ArbitraryNumberImputerParams {
    type Fitted = ArbitraryNumberImputer;

    fn validate(&self) -> Result<()> {
        check_number("number", self.number)?;
        for (name, &number) in &self.numbers {
            check_number("numbers", number).map_err(|e| e.column(name))?;
        }
        Ok(())
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn fit(&self, _: &dyn Rows, ctx: &FitContext<'_>) -> Result<ArbitraryNumberImputer> {
        let names = ctx.names();
        if let Some(stray) = self.numbers.keys().find(|name| !names.contains(name)) {
            let message = "expected a column of the step in `numbers`, found another name";
            let error = Error::new(Code::UnknownColumn, message).column(stray);
            return Err(error.remedy("add it to the step's columns, or leave it out of `numbers`"));
        }
        Ok(self.state(&names))
    }

    fn made(&self, fitted: &ArbitraryNumberImputer, columns: &[String]) -> bool {
        *fitted == self.state(columns)
    }

    fn examples() -> Vec<Example<Self>> {
        let by_name = ArbitraryNumberImputerParams {
            number: -1.0,
            numbers: BTreeMap::from([("fare".to_owned(), 0.5)]),
        };
        vec![
            Example::on(&["age", "fare"], ArbitraryNumberImputerParams::default()),
            Example::on(&["age", "fare", "area"], by_name),
        ]
    }
}

impl ArbitraryNumberImputerParams {
    fn state(&self, columns: &[String]) -> ArbitraryNumberImputer {
        let number = |name: &String| *self.numbers.get(name).unwrap_or(&self.number);
        let fill = columns.iter().map(|name| math::canonical(number(name)));
        ArbitraryNumberImputer { fill: fill.collect() }
    }
}

fn check_number(param: &str, number: f64) -> Result<()> {
    if number.is_finite() {
        return Ok(());
    }
    let message = format!("expected a finite number in `{param}`, found {number}");
    Err(Error::new(Code::BadParameter, message))
}

/// The fill value of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArbitraryNumberImputer {
    fill: Vec<f64>,
}

impl Transform for ArbitraryNumberImputer {
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

    fn by_name(name: &str, number: f64) -> ArbitraryNumberImputerParams {
        ArbitraryNumberImputerParams {
            number: -1.0,
            numbers: BTreeMap::from([(name.to_owned(), number)]),
        }
    }

    #[test]
    fn a_named_column_takes_its_own_number() {
        let t = table(&[("x", nums(&[f64::NAN, 3.0])), ("y", nums(&[4.0, f64::NAN]))]);
        let fitted = fit(&by_name("y", 0.1), &t, &["x", "y"]).unwrap();
        let batch = apply(&fitted, &t, &["x", "y"]);
        assert_eq!((batch.num(0), batch.num(1)), (&[-1.0, 3.0][..], &[4.0, 0.1][..]));
    }

    #[test]
    fn a_column_missing_throughout_is_filled_and_minus_zero_is_zero() {
        let t = table(&[("x", nums(&[f64::NAN, f64::NAN]))]);
        let fitted = fit(&by_name("x", -0.0), &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        assert!(batch.num(0).iter().all(|x| x.to_bits() == 0));
    }

    #[test]
    fn a_stray_name_and_an_infinite_number_are_refused() {
        let t = table(&[("x", nums(&[1.0]))]);
        let error = fit(&by_name("z", 0.0), &t, &["x"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `z`: expected a column of the step in `numbers`, found another name \
             (add it to the step's columns, or leave it out of `numbers`)"
        );
        let error = by_name("x", f64::INFINITY).validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `x`: expected a finite number in `numbers`, found inf"
        );
    }
}
