//! Grouped aggregates of a table: one row per group of equal keys, as a database gives them, but
//! with exact sums, so that they are the same on every run.
//!
//! # Shape
//! The key columns as they are, then the new columns in name order; one row per group, in the order
//! of the keys: column by column ascending, labels by code point, missing last.
//!
//! # Functions
//! | function | of | gives |
//! |---|---|---|
//! | `count` | any column, or none | the number of values; without `of`, of rows |
//! | `sum`, `mean` | num | exact, rounded once |
//! | `var` | num | divisor n - 1, exact, rounded once |
//! | `min`, `max` | num, time | the extreme |
//! | `first`, `last` | any column, with `order` | the value of the first or last row by `order` |
//! | `quantile` | num, with `q` | of type 7 |
//!
//! # Missing
//! A missing key is a key: its rows are a group. Missing values are skipped, and so are rows
//! without a value of `order` by `first` and `last`. What is left without a value (for `var`
//! without two) is missing; a count is 0.
//!
//! # Ties and order
//! Of rows that are first by `order` together, `first` gives the smallest value, and `last` the
//! largest one of those that are last. So nothing depends on the order of the rows, on blocks,
//! threads or machines.
//!
//! # Memory
//! Grows with the number of groups; `quantile` holds the distinct values of each group.

mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Rows;
use crate::batch::{Batch, ColumnKind, Field, Schema};
use crate::error::{Code, Error, Result};
use state::{Groups, Part};

/// Which rows make a group, and what is made of each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    /// The key columns: rows that are equal in all of them are a group.
    pub by: Vec<String>,
    /// The new columns by name.
    pub columns: BTreeMap<String, GroupColumn>,
}

/// One new column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupColumn {
    /// The function.
    pub func: GroupFunc,
    /// The column that it is of; only `count` can do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// For `first` and `last`: the column that says which row is first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// For `quantile`: the share of values below, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
}

/// A function of the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupFunc {
    /// The number of values, or of rows.
    Count,
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The variance with divisor n - 1.
    Var,
    /// The value of the first row.
    First,
    /// The value of the last row.
    Last,
    /// A quantile.
    Quantile,
}

impl GroupFunc {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// The kinds of column that it is of.
    fn accepts(self) -> &'static [ColumnKind] {
        use ColumnKind::{Num, Text, Time};
        match self {
            GroupFunc::Count | GroupFunc::First | GroupFunc::Last => &[Num, Text, Time],
            GroupFunc::Min | GroupFunc::Max => &[Num, Time],
            GroupFunc::Sum | GroupFunc::Mean | GroupFunc::Var | GroupFunc::Quantile => &[Num],
        }
    }
}

impl GroupBy {
    /// Groups by these columns, with no new column yet.
    pub fn new(by: &[&str]) -> Self {
        let by = by.iter().map(|name| (*name).to_owned()).collect();
        GroupBy { by, columns: BTreeMap::new() }
    }

    /// Adds a new column.
    #[must_use]
    pub fn column(mut self, name: &str, func: GroupFunc, of: Option<&str>) -> Self {
        let of = of.map(str::to_owned);
        self.columns.insert(name.to_owned(), GroupColumn { func, of, order: None, q: None });
        self
    }

    /// Adds the first or last value of a column by another one.
    #[must_use]
    pub fn ordered(mut self, name: &str, func: GroupFunc, of: &str, order: &str) -> Self {
        let (of, order) = (Some(of.to_owned()), Some(order.to_owned()));
        self.columns.insert(name.to_owned(), GroupColumn { func, of, order, q: None });
        self
    }

    /// Adds a quantile.
    #[must_use]
    pub fn quantile(mut self, name: &str, of: &str, q: f64) -> Self {
        let (func, of) = (GroupFunc::Quantile, Some(of.to_owned()));
        self.columns.insert(name.to_owned(), GroupColumn { func, of, order: None, q: Some(q) });
        self
    }

    /// Checks what needs no data.
    ///
    /// # Errors
    /// If there is no key or no new column, a key stands twice, a new column is called like a key,
    /// or a function lacks a part or has one that it does not use.
    pub fn validate(&self) -> Result<()> {
        let bad = |message: &str| Error::new(Code::BadParameter, message);
        if self.by.is_empty() || self.columns.is_empty() {
            let message = "expected key columns in `by` and new ones in `columns`, found none";
            return Err(bad(message));
        }
        let mut by: Vec<&String> = self.by.iter().collect();
        by.sort();
        if let Some(pair) = by.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = "expected each column once in `by`, found it twice";
            return Err(Error::new(Code::RepeatedColumn, message).column(pair[0]));
        }
        for (name, column) in &self.columns {
            if self.by.contains(name) {
                let message = "expected another name than that of a key column, found the same";
                return Err(Error::new(Code::NameTaken, message).column(name));
            }
            column.validate().map_err(|e| e.column(name))?;
        }
        Ok(())
    }

    /// The columns of the result.
    ///
    /// # Errors
    /// As [`GroupBy::validate`], and if a column does not exist or is of a kind that the function
    /// cannot use.
    pub fn output(&self, input: &Schema) -> Result<Schema> {
        Ok(self.bind(input)?.1)
    }

    /// One row per group of `rows`.
    ///
    /// # Errors
    /// As [`GroupBy::output`], and if a block cannot be read, a row has a cell that could not be
    /// read, or there are more groups than a batch may hold.
    pub fn run(&self, rows: &dyn Rows) -> Result<Batch> {
        let (groups, output) = self.bind(rows.schema())?;
        let found = rows.aggregate(groups)?;
        if let Some(row) = found.first_unreadable() {
            return Err(unreadable(rows, row));
        }
        Batch::new(Arc::new(output), found.finish(rows.schema()))
    }

    fn bind(&self, input: &Schema) -> Result<(Groups, Schema)> {
        self.validate()?;
        let by: Vec<usize> = self.by.iter().map(|name| input.slot(name)).collect::<Result<_>>()?;
        let mut fields: Vec<Field> = by.iter().map(|&slot| input.fields()[slot].clone()).collect();
        let mut parts = Vec::with_capacity(self.columns.len());
        for (name, column) in &self.columns {
            let of = column.of.as_ref().map(|of| input.slot(of)).transpose()?;
            let order = column.order.as_ref().map(|order| input.slot(order)).transpose()?;
            let of_kind = of.map(|slot| input.fields()[slot].kind);
            if let Some(found) = of_kind.filter(|kind| !column.func.accepts().contains(kind)) {
                let accepts: Vec<String> =
                    column.func.accepts().iter().map(ToString::to_string).collect();
                let (func, accepts) = (column.func.name(), accepts.join(" or "));
                let message = format!("expected {func} of a {accepts} column, found {found}");
                let of = column.of.as_deref().unwrap_or(name);
                return Err(Error::new(Code::ColumnKindMismatch, message).column(of));
            }
            let kind = match column.func {
                GroupFunc::Min | GroupFunc::Max | GroupFunc::First | GroupFunc::Last => of_kind,
                _ => None,
            };
            fields.push(Field::new(name.clone(), kind.unwrap_or(ColumnKind::Num)));
            parts.push(Part::new(column.func, of, order, column.q));
        }
        Ok((Groups::new(&by, parts), Schema::new(fields)?))
    }
}

impl GroupColumn {
    fn validate(&self) -> Result<()> {
        let func = self.func.name();
        let bad = |message: String| Err(Error::new(Code::BadParameter, message));
        if self.of.is_none() && self.func != GroupFunc::Count {
            return bad(format!("expected `of` with {func}, found none"));
        }
        let is_ordered = matches!(self.func, GroupFunc::First | GroupFunc::Last);
        match (is_ordered, &self.order) {
            (true, None) => return bad(format!("expected `order` with {func}, found none")),
            (false, Some(_)) => return bad(format!("expected no `order` with {func}, found one")),
            _ => {}
        }
        match (self.func == GroupFunc::Quantile, self.q) {
            (true, Some(q)) if (0.0..=1.0).contains(&q) => Ok(()),
            (true, Some(q)) => bad(format!("expected `q` from 0 to 1, found {q:?}")),
            (true, None) => bad("expected `q` with quantile, found none".to_owned()),
            (false, Some(_)) => bad(format!("expected no `q` with {func}, found one")),
            (false, None) => Ok(()),
        }
    }
}

/// The error of the row of the source that could not be read.
fn unreadable(rows: &dyn Rows, wanted: u64) -> Error {
    let mut found = None;
    for index in 0..rows.n_blocks() {
        let seen = rows.with_block(index, &mut |block| {
            let mut faults = block.faults().iter();
            let place = |row: u32| block.source_row(row as usize);
            if let Some((_, error)) = faults.find(|(row, _)| place(**row) == wanted) {
                found.get_or_insert_with(|| error.clone().row(wanted));
            }
        });
        if let Err(error) = seen {
            return error;
        }
    }
    let changed = || Error::new(Code::SourceChanged, "expected the same rows on a second reading");
    found.unwrap_or_else(changed)
}

#[cfg(test)]
mod tests;
