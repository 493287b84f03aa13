//! Keeps the step's columns and drops every other one.
//!
//! # Method
//! Nothing is learned. It makes the steps behind it independent of whatever else the schema
//! declares, for instance with a hand-written list of features.
//!
//! # Shape
//! Columns of any kind in, the same columns out, in the order of the schema; all others are
//! dropped.
//!
//! # Missing
//! Does not matter.
//!
//! # Ties and order
//! None. The order in which `columns` lists them does not matter.
//!
//! # Errors
//! A step that chooses no column is refused.
//!
//! # Example
//! `columns = ["sex", "fare"]` on name, fare, sex leaves fare, sex.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Columns;
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform};

/// No parameters: the step's `columns` say what is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepColumnsParams {}

impl FitTransform for KeepColumnsParams {
    type Fitted = KeepColumns;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, _rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<KeepColumns> {
        if ctx.slots.is_empty() {
            return Err(Error::new(Code::BadParameter, "expected a column to keep, found none")
                .remedy("no column is of that kind or pattern"));
        }
        Ok(KeepColumns {})
    }

    fn examples() -> Vec<Example<Self>> {
        let numeric = Columns { kind: Some(ColumnKind::Num), ..Columns::default() };
        vec![
            Example::on(&["rooms", "deck", "area"], KeepColumnsParams {}),
            Example { columns: numeric, params: KeepColumnsParams {} },
        ]
    }
}

/// Nothing is learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepColumns {}

impl Transform for KeepColumns {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        let is_sorted = slots.is_sorted();
        let dropped: Vec<usize> =
            (0..input.len()).filter(|slot| !is_kept(slots, is_sorted, *slot)).collect();
        Ok(input.without(&dropped))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        let is_sorted = slots.is_sorted();
        for slot in (0..batch.columns().len()).rev() {
            if !is_kept(slots, is_sorted, slot) {
                batch.remove(&[slot]);
            }
        }
        Ok(())
    }
}

fn is_kept(slots: &[usize], is_sorted: bool, slot: usize) -> bool {
    if is_sorted { slots.binary_search(&slot).is_ok() } else { slots.contains(&slot) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table, texts};

    #[test]
    fn the_kept_columns_stay_in_schema_order_whatever_the_list_says() {
        let t = table(&[
            ("name", texts(&["x"])),
            ("fare", nums(&[2.5])),
            ("age", nums(&[40.0])),
            ("sex", texts(&["f"])),
        ]);
        for columns in [["fare", "sex"], ["sex", "fare"]] {
            let fitted = fit(&KeepColumnsParams {}, &t, &columns).unwrap();
            let left = apply(&fitted, &t, &columns);
            assert_eq!(left.schema().names().collect::<Vec<_>>(), ["fare", "sex"]);
            assert_eq!((left.num(0), left.text(1).get(0)), (&[2.5][..], Some("f")));
        }
    }

    #[test]
    fn keeping_no_column_is_refused() {
        let t = table(&[("fare", nums(&[2.5]))]);
        assert_eq!(
            fit(&KeepColumnsParams {}, &t, &[]).unwrap_err().to_string(),
            "expected a column to keep, found none (no column is of that kind or pattern)"
        );
    }
}
