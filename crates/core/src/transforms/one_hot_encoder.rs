//! Replaces a label column by one 0/1 column per label.
//!
//! # Method
//! As feature-engine 1.9.4 `OneHotEncoder`. A row has 1 in the column of its label and 0 elsewhere.
//! `drop` leaves out a column that follows from the others: `first` or `last` of every column's
//! labels, or with `binary` the last one of columns that have two labels. `top_categories` gives
//! columns to the most frequent labels only; the others are all 0, so `first` and `last` are
//! refused together with it (feature-engine ignores `drop_last` then), and `binary` goes before it.
//!
//! # Shape
//! Text columns in; they are dropped, and numeric columns named `<column>_<label>` appear behind
//! the last column: column by column as the step lists them, within one in the order of its labels.
//!
//! # Missing
//! 0 in every new column, as is a label that the fit did not see. feature-engine refuses missing
//! labels; impute first to give them a column.
//!
//! # Ties and order
//! Labels are in code-point order; feature-engine takes them as they appear, so that the order of
//! the training rows decides which label is dropped and with it the coefficients behind. With
//! `top_categories` they go by falling number of rows, as in feature-engine, equal ones by code
//! point.
//!
//! # Errors
//! A new name that a column has already is refused, as are more than 10000 new columns.
//!
//! # Example
//! Column x of b, a becomes `x_a` = 0, 1 and `x_b` = 1, 0.

use serde::{Deserialize, Serialize};

use super::columns::remove_columns;
use crate::aggregate::{Counts, LevelCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, Field, Schema};
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// More new columns are refused, to bound memory.
const NEW_COLUMNS_MAX: usize = 10_000;

/// Which labels get a column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneHotEncoderParams {
    /// Which label of a column is left out.
    pub drop: OneHotDrop,
    /// Only so many of the most frequent labels, at least 1; all if left out.
    pub top_categories: Option<u32>,
}

/// Which label of a column is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OneHotDrop {
    /// None.
    #[default]
    None,
    /// The first.
    First,
    /// The last.
    Last,
    /// The last, in columns of two labels.
    Binary,
}

impl FitTransform for OneHotEncoderParams {
    type Fitted = OneHotEncoder;

    fn validate(&self) -> Result<()> {
        match (self.top_categories, self.drop) {
            (Some(0), _) => Err(Error::new(
                Code::BadParameter,
                "expected `top_categories` of at least 1, found 0",
            )),
            (Some(_), OneHotDrop::First | OneHotDrop::Last) => Err(Error::new(
                Code::BadParameter,
                "expected `drop` of none or binary with `top_categories`, found first or last",
            )
            .remedy("labels outside the top are all 0 already, so no column is redundant")),
            _ => Ok(()),
        }
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<OneHotEncoder> {
        let counts = rows.aggregate(LevelCounts::new(ctx.slots))?.finish();
        Ok(OneHotEncoder { levels: counts.into_iter().map(|c| self.levels(c)).collect() })
    }

    fn examples() -> Vec<Example<Self>> {
        let dropping = |drop| OneHotEncoderParams { drop, top_categories: None };
        let top = OneHotEncoderParams { drop: OneHotDrop::None, top_categories: Some(2) };
        vec![
            Example::on(&["sex", "deck"], OneHotEncoderParams::default()),
            Example::on(&["grade", "deck"], dropping(OneHotDrop::Last)),
            Example::on(&["grade", "sex"], dropping(OneHotDrop::Binary)),
            Example::on(&["grade", "deck"], top),
        ]
    }
}

impl OneHotEncoderParams {
    /// The labels of one column that get a column, in its order.
    fn levels(&self, counts: Counts) -> Vec<String> {
        let is_binary = self.drop == OneHotDrop::Binary && counts.levels.len() == 2;
        let mut levels: Vec<(String, u64)> = counts.levels.into_iter().collect();
        if let (false, Some(n)) = (is_binary, self.top_categories) {
            levels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            levels.truncate(n as usize);
        }
        if self.drop == OneHotDrop::First && !levels.is_empty() {
            levels.remove(0);
        }
        if is_binary || self.drop == OneHotDrop::Last {
            levels.pop();
        }
        levels.into_iter().map(|(level, _)| level).collect()
    }
}

/// The labels of each column that have a new column, in the order of the new columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneHotEncoder {
    levels: Vec<Vec<String>>,
}

impl Transform for OneHotEncoder {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.levels.len(), slots.len())?;
        let n_new = self.levels.iter().map(Vec::len).sum::<usize>();
        if n_new > NEW_COLUMNS_MAX {
            let message = format!("expected at most {NEW_COLUMNS_MAX} new columns, found {n_new}");
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("group rare labels before, or set `top_categories`"));
        }
        let mut new = Vec::with_capacity(n_new);
        for (&slot, levels) in slots.iter().zip(&self.levels) {
            let column = &input.fields()[slot].name;
            let names = levels.iter().map(|level| format!("{column}_{level}"));
            new.extend(names.map(|name| Field::new(name, ColumnKind::Num)));
        }
        let output = input.with(new);
        let output = output.map_err(|e| e.remedy("rename the column before this step"))?;
        Ok(output.without(slots))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for (&slot, levels) in slots.iter().zip(&self.levels) {
            for level in levels {
                let mut output = batch.take_num();
                let text = batch.text(slot);
                // Codes count the levels of this block; a block without the label has none equal.
                let own = text.levels().position(|l| l == level);
                let is_own = |&code: &u32| f64::from(u8::from(own == Some(code as usize)));
                output.extend(text.codes().iter().map(is_own));
                batch.push(Column::Num(output));
            }
        }
        remove_columns(batch, slots);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table, texts};

    fn dropping(drop: OneHotDrop) -> OneHotEncoderParams {
        OneHotEncoderParams { drop, top_categories: None }
    }

    fn names(params: &OneHotEncoderParams, columns: &[&str]) -> Vec<String> {
        let t = table(&[
            ("x", texts(&["b", "c", "a", "c"])),
            ("n", nums(&[1.0, 2.0, 3.0, 4.0])),
            ("y", texts(&["v", "u", "v", ""])),
        ]);
        let batch = apply(&fit(params, &t, columns).unwrap(), &t, columns);
        batch.schema().names().map(str::to_owned).collect()
    }

    #[test]
    fn each_label_has_a_column_behind_the_last_one() {
        let t = table(&[("x", texts(&["b", "a", "b"])), ("n", nums(&[1.0, 2.0, 3.0]))]);
        let fitted = fit(&OneHotEncoderParams::default(), &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        let got: Vec<&str> = batch.schema().names().collect();
        assert_eq!(got, ["n", "x_a", "x_b"]);
        assert_eq!(batch.num(0), [1.0, 2.0, 3.0]);
        assert_eq!(batch.num(1), [0.0, 1.0, 0.0]);
        assert_eq!(batch.num(2), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn missing_and_unseen_labels_are_zero_everywhere() {
        let train = table(&[("x", texts(&["b", "a"]))]);
        let other = table(&[("x", texts(&["z", "", "b"]))]);
        let fitted = fit(&OneHotEncoderParams::default(), &train, &["x"]).unwrap();
        let batch = apply(&fitted, &other, &["x"]);
        assert_eq!(batch.num(0), [0.0, 0.0, 0.0]);
        assert_eq!(batch.num(1), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn columns_come_as_listed_and_labels_by_code_point() {
        let all = names(&OneHotEncoderParams::default(), &["y", "x"]);
        assert_eq!(all, ["n", "y_u", "y_v", "x_a", "x_b", "x_c"]);
    }

    #[test]
    fn the_dropped_label_follows_the_rule() {
        for (drop, expected) in [
            (OneHotDrop::First, vec!["n", "x_b", "x_c", "y_v"]),
            (OneHotDrop::Last, vec!["n", "x_a", "x_b", "y_u"]),
            (OneHotDrop::Binary, vec!["n", "x_a", "x_b", "x_c", "y_u"]),
        ] {
            assert_eq!(names(&dropping(drop), &["x", "y"]), expected, "{drop:?}");
        }
    }

    #[test]
    fn top_categories_go_by_rows_and_then_by_code_point() {
        // x: c twice, a and b once; y: v twice, u once.
        let top = |n, drop| OneHotEncoderParams { drop, top_categories: Some(n) };
        let got = names(&top(2, OneHotDrop::None), &["x", "y"]);
        assert_eq!(got, ["n", "x_c", "x_a", "y_v", "y_u"]);
        let got = names(&top(1, OneHotDrop::Binary), &["x", "y"]);
        assert_eq!(got, ["n", "x_c", "y_u"]);
        for refused in [top(0, OneHotDrop::None), top(2, OneHotDrop::Last)] {
            assert!(refused.validate().is_err());
        }
    }

    #[test]
    fn a_column_without_labels_leaves_nothing() {
        let t = table(&[("x", texts(&[""])), ("n", nums(&[1.0]))]);
        for drop in [OneHotDrop::None, OneHotDrop::First, OneHotDrop::Last] {
            let batch = apply(&fit(&dropping(drop), &t, &["x"]).unwrap(), &t, &["x"]);
            assert_eq!(batch.schema().names().collect::<Vec<_>>(), ["n"]);
        }
    }

    #[test]
    fn a_name_that_exists_is_refused() {
        let t = table(&[("x", texts(&["a"])), ("x_a", nums(&[1.0]))]);
        let fitted = fit(&OneHotEncoderParams::default(), &t, &["x"]).unwrap();
        assert_eq!(
            fitted.output(t.schema(), &[0]).unwrap_err().to_string(),
            "column `x_a`: expected unique names, found it twice \
             (rename the column before this step)"
        );
    }
}
