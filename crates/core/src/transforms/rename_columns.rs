//! Gives columns new names.
//!
//! # Method
//! All names change at once, so two columns may swap theirs. Later steps know the new names only,
//! and draws are keyed by them.
//!
//! # Shape
//! Columns of any kind in, the same columns out, in place. Columns that `names` does not mention
//! keep their name.
//!
//! # Missing
//! Does not matter.
//!
//! # Ties and order
//! None.
//!
//! # Errors
//! An old name that is not among the step's columns, and a new name that another column has, are
//! refused. So is an empty list of names.
//!
//! # Example
//! `names = { "1stFlrSF" = "FirstFlrSF" }` gives column `1stFlrSF` the name `FirstFlrSF`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Field, Schema};
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// The new names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RenameColumnsParams {
    /// The new name of each old name; at least one.
    pub names: BTreeMap<String, String>,
}

impl RenameColumnsParams {
    /// Renames `old` to `new` for each pair.
    pub fn of(names: &[(&str, &str)]) -> Self {
        let names = names.iter();
        RenameColumnsParams {
            names: names.map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect(),
        }
    }
}

impl RenameColumnsParams {
    fn state(&self, columns: &[String]) -> RenameColumns {
        let new_name = |old: &String| self.names.get(old).unwrap_or(old).clone();
        RenameColumns { names: columns.iter().map(new_name).collect() }
    }
}

impl FitTransform for RenameColumnsParams {
    type Fitted = RenameColumns;

    fn validate(&self) -> Result<()> {
        if self.names.is_empty() {
            let message = "expected a name in `names`, found none";
            return Err(Error::new(Code::BadParameter, message));
        }
        match self.names.iter().find(|(_, new)| new.is_empty()) {
            None => Ok(()),
            Some((old, _)) => {
                Err(Error::new(Code::BadParameter, "expected a new name, found an empty one")
                    .column(old))
            }
        }
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, _rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<RenameColumns> {
        let old_names = ctx.names();
        if let Some(unknown) = self.names.keys().find(|old| !old_names.contains(old)) {
            // A name that the schema lacks is answered with those that it has.
            ctx.schema.slot(unknown)?;
            return Err(Error::new(Code::UnknownColumn, "expected it among the step's columns")
                .column(unknown)
                .remedy("leave `columns` out, or list it there"));
        }
        Ok(self.state(&old_names))
    }

    fn made(&self, fitted: &RenameColumns, columns: &[String]) -> bool {
        *fitted == self.state(columns)
    }

    fn examples() -> Vec<Example<Self>> {
        let swap = RenameColumnsParams::of(&[("age", "fare"), ("fare", "age")]);
        vec![
            Example::on(
                &["area", "seen", "sex"],
                RenameColumnsParams::of(&[("area", "surface"), ("sex", "género")]),
            ),
            Example::on(&["age", "fare"], swap),
        ]
    }
}

/// The new name of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameColumns {
    names: Vec<String>,
}

impl Transform for RenameColumns {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.names.len(), slots.len())?;
        let mut fields: Vec<Field> = input.fields().to_vec();
        for (&slot, name) in slots.iter().zip(&self.names) {
            fields[slot].name.clone_from(name);
        }
        Schema::new(fields).map_err(|e| e.remedy("choose another new name"))
    }

    fn apply(&self, _batch: &mut Batch, _slots: &[usize]) -> Result<()> {
        // The schema behind the step has the names; a block takes it as a whole.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table};

    fn two() -> Batch {
        table(&[("1st", nums(&[1.0])), ("2nd", nums(&[2.0]))])
    }

    #[test]
    fn values_stay_where_they_are_and_names_may_swap() {
        let swap = RenameColumnsParams::of(&[("1st", "2nd"), ("2nd", "1st")]);
        let fitted = fit(&swap, &two(), &["1st", "2nd"]).unwrap();
        let batch = apply(&fitted, &two(), &["1st", "2nd"]);
        assert_eq!(batch.schema().names().collect::<Vec<_>>(), ["2nd", "1st"]);
        assert_eq!((batch.num(0), batch.num(1)), (&[1.0][..], &[2.0][..]));
    }

    #[test]
    fn a_name_that_another_column_has_is_refused() {
        let params = RenameColumnsParams::of(&[("1st", "2nd")]);
        let fitted = fit(&params, &two(), &["1st"]).unwrap();
        assert_eq!(
            fitted.output(two().schema(), &[0]).unwrap_err().to_string(),
            "column `2nd`: expected unique names, found it twice (choose another new name)"
        );
    }

    #[test]
    fn an_old_name_must_be_among_the_columns() {
        let refused = |old: &str| {
            let params = RenameColumnsParams::of(&[(old, "new")]);
            fit(&params, &two(), &["1st"]).unwrap_err().to_string()
        };
        assert_eq!(refused("3rd"), "column `3rd`: expected a column that exists, found 1st, 2nd");
        assert_eq!(
            refused("2nd"),
            "column `2nd`: expected it among the step's columns \
             (leave `columns` out, or list it there)"
        );
    }

    #[test]
    fn names_must_be_there() {
        assert!(RenameColumnsParams::default().validate().is_err());
        let empty = RenameColumnsParams::of(&[("1st", "")]);
        assert_eq!(
            empty.validate().unwrap_err().to_string(),
            "column `1st`: expected a new name, found an empty one"
        );
    }
}
