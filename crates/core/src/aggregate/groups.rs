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
//! | `first`, `last` | any column, with `order` | the value of the row that is first or last by `order` |
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
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::batch::{Column, MISSING_TIME};
    use crate::math;
    use crate::testing::{nums, table, texts};

    fn batch() -> Batch {
        table(&[
            ("g", texts(&["b", "a", "b", "", "a", "b"])),
            ("x", nums(&[1e16, 2.0, 1.0, 5.0, f64::NAN, -1e16])),
            ("t", Column::Time(vec![7, MISSING_TIME, 7, 1, 3, 9])),
            ("s", texts(&["p", "q", "r", "", "u", ""])),
        ])
    }

    fn all() -> GroupBy {
        use GroupFunc::*;
        GroupBy::new(&["g"])
            .column("count", Count, None)
            .column("count_x", Count, Some("x"))
            .column("max", Max, Some("t"))
            .column("mean", Mean, Some("x"))
            .column("min", Min, Some("x"))
            .column("sum", Sum, Some("x"))
            .column("var", Var, Some("x"))
            .ordered("first", First, "s", "t")
            .ordered("last", Last, "s", "t")
            .quantile("median", "x", 0.5)
    }

    fn run(by: &GroupBy, batch: &Batch, block_rows: usize) -> Batch {
        let blocks = batch.clone().into_blocks(block_rows);
        let rows = MemoryRows::new(Arc::clone(batch.schema()), blocks);
        let made = by.run(&rows).unwrap();
        assert_eq!(**made.schema(), by.output(batch.schema()).unwrap());
        made
    }

    fn shown(batch: &Batch, name: &str) -> Vec<String> {
        let column = batch.column(batch.schema().slot(name).unwrap());
        (0..batch.n_rows()).map(|row| column.value(row).to_string()).collect()
    }

    #[test]
    fn every_function_by_hand() {
        // a: x 2 and missing; b: x 1e16, 1, -1e16; the missing key: x 5.
        let made = run(&all(), &batch(), 100);
        assert_eq!(shown(&made, "g"), ["text \"a\"", "text \"b\"", "missing text"]);
        let num = |name: &str| made.num(made.schema().slot(name).unwrap()).to_vec();
        assert_eq!(num("count"), [2.0, 3.0, 1.0]);
        assert_eq!(num("count_x"), [1.0, 3.0, 1.0]);
        // In floats 1e16 + 1 - 1e16 is 0; exactly it is 1.
        assert_eq!(num("sum"), [2.0, 1.0, 5.0]);
        assert_eq!(num("mean"), [2.0, 1.0 / 3.0, 5.0]);
        assert_eq!(num("min"), [2.0, -1e16, 5.0]);
        assert_eq!(num("median"), [2.0, 1.0, 5.0]);
        let var = num("var");
        assert!(math::is_missing(var[0]) && math::is_missing(var[2]));
        // (2e32 + 1 - 1/3) / 2 = 1e32 + 1/3, which rounds to 1e32.
        assert_eq!(var[1], 1e32);
        assert_eq!(made.time(made.schema().slot("max").unwrap()), [3, 9, 1]);
        // a: the row without a time is skipped; b: both rows of time 7 have a value, the row of
        // time 9 has none.
        assert_eq!(shown(&made, "first"), ["text \"u\"", "text \"p\"", "missing text"]);
        assert_eq!(shown(&made, "last"), ["text \"u\"", "text \"r\"", "missing text"]);
    }

    #[test]
    fn order_and_blocks_cannot_matter() {
        let wide = |n: usize| -> Batch {
            let g: Vec<f64> = (0..n).map(|i| (i * 7 % 13) as f64).collect();
            let x: Vec<f64> = (0..n).map(|i| ((i * 31 % 101) as f64) * 1e10 + 0.1).collect();
            let h: Vec<String> = (0..n).map(|i| format!("l{}", i * 5 % 4)).collect();
            let h: Vec<&str> = h.iter().map(String::as_str).collect();
            let t: Vec<i64> = (0..n as i64).map(|i| i * 17 % 50).collect();
            let columns =
                [("g", nums(&g)), ("x", nums(&x)), ("t", Column::Time(t)), ("s", texts(&h))];
            table(&columns)
        };
        let batch = wide(500);
        let by = GroupBy { by: vec!["s".to_owned(), "g".to_owned()], ..all() };
        let expected = run(&by, &batch, 500);
        assert_eq!(expected.n_rows(), 52);
        let reversed: Vec<usize> = (0..500).rev().collect();
        for block_rows in [1, 3, 64] {
            let made = run(&by, &batch.select(&reversed), block_rows);
            for name in expected.schema().names() {
                assert_eq!(shown(&made, name), shown(&expected, name), "{name}");
            }
        }
        let threads = crate::par::Threads::new(3).unwrap();
        let made = threads.run(|| run(&by, &batch, 10));
        assert_eq!(shown(&made, "sum"), shown(&expected, "sum"));
    }

    #[test]
    fn sums_and_quantiles_are_those_of_the_rows_of_a_group() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i * i % 37) / 8.0).collect();
        let g: Vec<f64> = (0..200).map(|i| f64::from(i % 3)).collect();
        let batch = table(&[("g", nums(&g)), ("x", nums(&x))]);
        let by =
            GroupBy::new(&["g"]).quantile("q", "x", 0.3).column("v", GroupFunc::Var, Some("x"));
        let made = run(&by, &batch, 17);
        for group in 0..3 {
            let mut values: Vec<f64> = x.iter().copied().skip(group).step_by(3).collect();
            let mut moments = math::Moments::new();
            moments.observe_slice(&values);
            values.sort_by(|a, b| math::total_cmp(*a, *b));
            let q = math::quantile_sorted(&values, 0.3, math::QuantileType::Linear);
            assert_eq!(Some(made.num(1)[group]), q);
            assert_eq!(Some(made.num(2)[group]), moments.variance(1));
        }
    }

    #[test]
    fn no_row_makes_no_group_and_infinities_are_said() {
        assert_eq!(run(&all(), &batch().select(&[]), 10).n_rows(), 0);
        let x = nums(&[f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 1.0]);
        let batch = table(&[("g", nums(&[1.0, 1.0, 2.0, 2.0])), ("x", x)]);
        let made = run(&GroupBy::new(&["g"]).column("s", GroupFunc::Sum, Some("x")), &batch, 10);
        assert!(math::is_missing(made.num(1)[0]) && made.num(1)[1] == f64::INFINITY);
    }

    #[test]
    fn what_cannot_be_computed_is_refused_by_name() {
        use GroupFunc::*;
        let refused = |by: GroupBy, expected: &str| {
            let error = by.output(batch().schema()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        let by = || GroupBy::new(&["g"]);
        refused(by(), "expected key columns in `by` and new ones in `columns`");
        refused(GroupBy { by: vec![], ..all() }, "expected key columns in `by`");
        refused(
            GroupBy { by: vec!["g".to_owned(), "g".to_owned()], ..all() },
            "column `g`: expected each column once in `by`",
        );
        refused(by().column("g", Count, None), "column `g`: expected another name than");
        refused(by().column("n", Sum, None), "column `n`: expected `of` with sum, found none");
        refused(
            by().column("n", Sum, Some("s")),
            "column `s`: expected sum of a num column, found",
        );
        refused(by().column("n", Max, Some("s")), "column `s`: expected max of a num or time");
        refused(by().column("n", Sum, Some("z")), "column `z`: expected a column that exists");
        refused(by().column("n", First, Some("s")), "column `n`: expected `order` with first");
        refused(by().ordered("n", Sum, "x", "t"), "column `n`: expected no `order` with sum");
        refused(by().quantile("n", "x", 1.5), "column `n`: expected `q` from 0 to 1, found 1.5");
        refused(by().quantile("n", "x", f64::NAN), "column `n`: expected `q` from 0 to 1");
        refused(by().column("n", Quantile, Some("x")), "column `n`: expected `q` with quantile");
        refused(GroupBy::new(&["z"]).column("n", Count, None), "column `z`: expected a column");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let mut bad = batch();
        bad.fault(4, 1, Error::new(Code::WrongKind, "expected number"));
        bad.fault(2, 1, Error::new(Code::WrongKind, "expected number"));
        let mut rows = Vec::new();
        for range in [0..3, 3..6] {
            let slots: Vec<usize> = (0..4).collect();
            let mut block = Batch::default();
            block.fill(bad.schema(), &bad, &slots, range);
            rows.push(block);
        }
        let error = all().run(&MemoryRows::new(Arc::clone(bad.schema()), rows)).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: row 2: expected number");
    }

    #[test]
    fn a_table_of_toml_reads_and_writes() {
        let text = "by = [\"g\"]\n[columns]\nn = { func = \"count\" }\n\
                    p = { func = \"quantile\", of = \"x\", q = 0.9 }\n";
        let by: GroupBy = toml::from_str(text).unwrap();
        let expected =
            GroupBy::new(&["g"]).column("n", GroupFunc::Count, None).quantile("p", "x", 0.9);
        assert_eq!(by, expected);
        assert_eq!(toml::from_str::<GroupBy>(&toml::to_string(&by).unwrap()).unwrap(), by);
        assert!(toml::from_str::<GroupBy>(&text.replace("of =", "off =")).is_err());
    }
}
