//! Adds a column that says where another one is missing: 1 where it is, 0 where it is not.
//!
//! # Method
//! As feature-engine 1.9.4 `AddMissingIndicator`.
//!
//! # Shape
//! Columns of any kind in. They stay; behind the last column comes one numeric column `NAME_na` for
//! each, in the order of the step's columns. With `missing_only`, only for those that had a missing
//! value at fit.
//!
//! # Missing
//! Counted, never filled: place this step before an imputer. A column that was complete at fit gets
//! no indicator under `missing_only`, also if a value is missing at scoring.
//!
//! # Ties and order
//! None: one missing training value is enough.
//!
//! # Errors
//! If a column of the new name exists already.
//!
//! # Example
//! `age` with 30 and a missing value gives `age_na` with 0 and 1.

use serde::{Deserialize, Serialize};

use crate::aggregate::{MissingCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, Field, Schema};
use crate::error::Result;
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// Which columns get an indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MissingIndicatorParams {
    /// Only columns that had a missing value at fit; else every column of the step.
    pub missing_only: bool,
}

impl Default for MissingIndicatorParams {
    fn default() -> Self {
        MissingIndicatorParams { missing_only: true }
    }
}

impl FitTransform for MissingIndicatorParams {
    type Fitted = MissingIndicator;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MissingIndicator> {
        let (_, n_missing) = rows.aggregate(MissingCounts::new(ctx.slots))?.finish();
        let shown = n_missing.iter().map(|&n| n > 0 || !self.missing_only);
        Ok(MissingIndicator { shown: shown.collect() })
    }

    fn made(&self, fitted: &MissingIndicator, _: &[String]) -> bool {
        self.missing_only || fitted.shown.iter().all(|shown| *shown)
    }

    fn examples() -> Vec<Example<Self>> {
        let every = MissingIndicatorParams { missing_only: false };
        vec![
            Example::on(&["age", "area", "deck", "seen"], MissingIndicatorParams::default()),
            Example::on(&["rooms", "fare"], every),
        ]
    }
}

/// Whether each column has an indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingIndicator {
    shown: Vec<bool>,
}

impl MissingIndicator {
    /// The slots of the columns that have an indicator.
    fn shown<'a>(&'a self, slots: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        let pairs = slots.iter().zip(&self.shown);
        pairs.filter(|(_, shown)| **shown).map(|(&slot, _)| slot)
    }
}

impl Transform for MissingIndicator {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.shown.len(), slots.len())?;
        let name = |slot: usize| format!("{}_na", input.fields()[slot].name);
        input.with(self.shown(slots).map(|slot| Field::new(name(slot), ColumnKind::Num)))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for slot in self.shown(slots) {
            let mut output = batch.take_num();
            let column = batch.column(slot);
            let rows = 0..batch.n_rows();
            output.extend(rows.map(|row| f64::from(u8::from(column.is_missing(row)))));
            batch.push(Column::Num(output));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::MISSING_TIME;
    use crate::testing::{apply, fit, nums, table, texts};

    fn mixed() -> Batch {
        table(&[
            ("n", nums(&[f64::NAN, 0.0])),
            ("full", nums(&[1.0, 2.0])),
            ("t", texts(&["a", ""])),
            ("s", Column::Time(vec![MISSING_TIME, 0])),
        ])
    }

    #[test]
    fn every_kind_of_column_has_its_indicator_in_the_order_of_the_step() {
        let t = mixed();
        let columns = ["s", "full", "t", "n"];
        let fitted = fit(&MissingIndicatorParams::default(), &t, &columns).unwrap();
        let batch = apply(&fitted, &t, &columns);
        let names: Vec<&str> = batch.schema().names().skip(4).collect();
        assert_eq!(names, ["s_na", "t_na", "n_na"]);
        let got: Vec<&[f64]> = (4..7).map(|slot| batch.num(slot)).collect();
        assert_eq!(got, [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
        assert!(batch.column(0).is_missing(0), "the column itself stays");
    }

    #[test]
    fn a_complete_column_has_one_only_if_asked() {
        let every = MissingIndicatorParams { missing_only: false };
        let fitted = fit(&every, &mixed(), &["full"]).unwrap();
        assert_eq!(apply(&fitted, &mixed(), &["full"]).num(4), [0.0, 0.0]);
    }

    #[test]
    fn an_existing_name_is_refused() {
        let t = table(&[("x", nums(&[f64::NAN])), ("x_na", nums(&[1.0]))]);
        let fitted = fit(&MissingIndicatorParams::default(), &t, &["x"]).unwrap();
        assert_eq!(
            fitted.output(t.schema(), &[0]).unwrap_err().to_string(),
            "column `x_na`: expected unique names, found it twice"
        );
    }
}
