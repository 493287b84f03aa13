//! Drops columns.
//!
//! # Method
//! As feature-engine 1.9.4 `DropFeatures`. Nothing is learned.
//!
//! # Shape
//! Columns of any kind in, none of them out. The others keep their order.
//!
//! # Missing
//! Does not matter.
//!
//! # Ties and order
//! None. The order in which `columns` lists them does not matter.
//!
//! # Errors
//! Dropping every column is refused, so a step must say which columns it drops.
//!
//! # Example
//! `columns = ["name", "ticket"]` on name, fare, ticket leaves fare.

use serde::{Deserialize, Serialize};

use super::columns::remove_columns;
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Columns;
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform};

/// No parameters: the step's `columns` say what is dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropColumnsParams {}

impl FitTransform for DropColumnsParams {
    type Fitted = DropColumns;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, _rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<DropColumns> {
        if ctx.slots.len() == ctx.schema.len() {
            let message = format!("expected columns to drop, found all {}", ctx.schema.len());
            return Err(
                Error::new(Code::BadParameter, message).remedy("name the `columns` to drop")
            );
        }
        Ok(DropColumns {})
    }

    fn examples() -> Vec<Example<Self>> {
        let by_pattern = Columns { pattern: Some("se*".to_owned()), ..Columns::default() };
        vec![
            Example::on(&["seen", "constant", "name"], DropColumnsParams {}),
            Example { columns: by_pattern, params: DropColumnsParams {} },
        ]
    }
}

/// Nothing is learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropColumns {}

impl Transform for DropColumns {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        Ok(input.without(slots))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        remove_columns(batch, slots);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table, texts};

    fn three() -> Batch {
        table(&[("name", texts(&["x"])), ("fare", nums(&[2.5])), ("ticket", texts(&["y"]))])
    }

    #[test]
    fn the_others_stay_in_order_whatever_the_list_says() {
        for columns in [["name", "ticket"], ["ticket", "name"]] {
            let t = three();
            let fitted = fit(&DropColumnsParams {}, &t, &columns).unwrap();
            let left = apply(&fitted, &t, &columns);
            assert_eq!(left.schema().names().collect::<Vec<_>>(), ["fare"]);
            assert_eq!((left.num(0), left.n_rows()), (&[2.5][..], 1));
        }
    }

    #[test]
    fn dropping_every_column_is_refused() {
        let error = fit(&DropColumnsParams {}, &three(), &["name", "fare", "ticket"]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "expected columns to drop, found all 3 \
             (name the `columns` to drop)"
        );
    }
}
