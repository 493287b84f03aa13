//! Replaces labels by given numbers or labels.
//!
//! # Method
//! A table lookup, as `Series.map` of pandas with a dictionary: `mapping` holds for every column of
//! the step. Labels are compared byte by byte. Nothing is learned.
//!
//! # Shape
//! Text columns in. If `mapping` gives numbers, numeric columns of the same names out; if it gives
//! labels, text columns; in place. One step cannot give both.
//!
//! # Missing
//! Becomes `missing`; stays missing if that is left out.
//!
//! # Ties and order
//! None: a label stands in `mapping` once.
//!
//! # Errors
//! A label that is not in `mapping` follows `unseen`: `ignore` gives missing, `keep` leaves the
//! label as it is (labels only), `raise` gives the row a reason instead of a score (at fit it is an
//! error). An empty mapping, a mixed one, and a number that is not finite are refused.
//!
//! # Example
//! `mapping = { Po = 1, Fa = 2, TA = 3, Gd = 4, Ex = 5 }`, `missing = 0` makes Gd the number 4 and
//! a missing label the number 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LevelMap, NumberOrLabel};
use crate::aggregate::Rows;
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// The table, and what becomes of labels that are not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapValuesParams {
    /// The number or label of each label: at least one, all numbers or all labels.
    pub mapping: BTreeMap<String, NumberOrLabel>,
    /// What missing becomes, of the same kind; missing if left out.
    pub missing: Option<NumberOrLabel>,
    /// What becomes of labels that are not in `mapping`.
    pub unseen: UnmappedRule,
}

/// What becomes of labels that are not in the mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmappedRule {
    /// The value is missing.
    #[default]
    Ignore,
    /// The label stays.
    Keep,
    /// The row gets a reason instead of a score.
    Raise,
}

impl MapValuesParams {
    /// Maps the first of each pair to the second.
    pub fn of<'a, T: Into<NumberOrLabel>>(mapping: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let pairs = mapping.into_iter();
        MapValuesParams {
            mapping: pairs.map(|(l, v)| (l.to_owned(), v.into())).collect(),
            ..Default::default()
        }
    }

    /// The table by kind of value.
    fn table(&self) -> Result<MapTable> {
        let number = |value: &NumberOrLabel| match value {
            NumberOrLabel::Number(x) => Some(math::canonical(*x)),
            NumberOrLabel::Label(_) => None,
        };
        let label = |value: &NumberOrLabel| match value {
            NumberOrLabel::Number(_) => None,
            NumberOrLabel::Label(label) => Some(label.clone()),
        };
        if self.mapping.is_empty() {
            let message = "expected a label in `mapping`, found none";
            return Err(Error::new(Code::BadParameter, message));
        }
        let numbers = Table::of(self, number).map(MapTable::Numbers);
        let table = numbers.or_else(|| Table::of(self, label).map(MapTable::Labels));
        table.ok_or_else(|| {
            let message =
                "expected only numbers or only labels in `mapping` and `missing`, found both";
            Error::new(Code::BadParameter, message)
        })
    }
}

impl FitTransform for MapValuesParams {
    type Fitted = MapValues;

    fn validate(&self) -> Result<()> {
        self.table()?.check(self.unseen)
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, _rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MapValues> {
        Ok(MapValues {
            n_columns: ctx.slots.len() as u32,
            table: self.table()?,
            unseen: self.unseen,
        })
    }

    fn made(&self, fitted: &MapValues, _: &[String]) -> bool {
        self.table().is_ok_and(|table| table == fitted.table) && self.unseen == fitted.unseen
    }

    fn examples() -> Vec<Example<Self>> {
        let grades = [("Po", 1.0), ("Fa", 2.0), ("TA", 3.0), ("Gd", 4.0), ("Ex", 5.0)];
        let quality = MapValuesParams {
            missing: Some(NumberOrLabel::Number(0.0)),
            unseen: UnmappedRule::Raise,
            ..MapValuesParams::of(grades)
        };
        let sexes = MapValuesParams::of([("f", "female"), ("m", "male")]);
        let decks = MapValuesParams {
            missing: Some(NumberOrLabel::Label("none".to_owned())),
            unseen: UnmappedRule::Keep,
            ..MapValuesParams::of([("B5 B7", "B"), ("F G3", "F")])
        };
        vec![
            Example::on(&["grade"], quality),
            Example::on(&["sex"], sexes),
            Example::on(&["deck"], decks),
        ]
    }
}

/// Nothing is learned but the number of columns; the table as the params give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapValues {
    n_columns: u32,
    table: MapTable,
    unseen: UnmappedRule,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MapTable {
    Numbers(Table<f64>),
    Labels(Table<String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "T: Deserialize<'de>", serialize = "T: Serialize + Clone"))]
struct Table<T> {
    values: LevelMap<T>,
    missing: Option<T>,
}

impl Transform for MapValues {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.n_columns as usize, slots.len())?;
        self.table.check(self.unseen)?;
        Ok(match self.table {
            MapTable::Numbers(_) => input.with_kind(slots, ColumnKind::Num),
            MapTable::Labels(_) => input.clone(),
        })
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for &slot in slots {
            if self.unseen == UnmappedRule::Raise {
                self.table.fault_rows(batch, slot);
            }
            let output = match &self.table {
                MapTable::Numbers(table) => {
                    let mut output = batch.take_num();
                    let missing = table.missing.unwrap_or(math::MISSING);
                    let number = |l: &str| *table.values.get(l).unwrap_or(&math::MISSING);
                    batch.text(slot).numbers_into(&mut output, missing, number);
                    Column::Num(output)
                }
                MapTable::Labels(table) => {
                    let mut output = batch.take_text();
                    let text = batch.text(slot);
                    text.relabel_into(&mut output, table.missing.as_deref(), |label| {
                        match table.values.get(label) {
                            Some(to) => Some(to.as_str()),
                            None if self.unseen == UnmappedRule::Keep => Some(label),
                            None => None,
                        }
                    });
                    Column::Text(output)
                }
            };
            batch.replace(slot, output);
        }
        Ok(())
    }
}

impl<T> Table<T> {
    /// The table, if `as_value` takes every value of the params.
    fn of(
        params: &MapValuesParams,
        as_value: impl Fn(&NumberOrLabel) -> Option<T>,
    ) -> Option<Self> {
        let pairs = params.mapping.iter();
        let values = pairs.map(|(label, value)| Some((label.clone(), as_value(value)?)));
        let values: Vec<(String, T)> = values.collect::<Option<_>>()?;
        let missing = match &params.missing {
            None => None,
            Some(value) => Some(as_value(value)?),
        };
        Some(Table { values: LevelMap::new(values), missing })
    }
}

impl MapTable {
    fn has(&self, label: &str) -> bool {
        match self {
            MapTable::Numbers(table) => table.values.get(label).is_some(),
            MapTable::Labels(table) => table.values.get(label).is_some(),
        }
    }

    /// Refuses numbers that no batch may hold, and a rule that has no number.
    fn check(&self, unseen: UnmappedRule) -> Result<()> {
        let MapTable::Numbers(table) = self else {
            return Ok(());
        };
        let canonical = |x: f64| x.is_finite() && x.to_bits() == math::canonical(x).to_bits();
        let mut numbers = table.values.iter().map(|(_, x)| *x).chain(table.missing);
        if let Some(x) = numbers.find(|x| !canonical(*x)) {
            let message = format!("expected finite numbers in `mapping`, found {x}");
            return Err(Error::new(Code::BadParameter, message));
        }
        if unseen == UnmappedRule::Keep {
            let message = "expected labels in `mapping` for `unseen = \"keep\"`, found numbers";
            return Err(Error::new(Code::BadParameter, message));
        }
        Ok(())
    }

    /// Gives every row of the text column at `slot` whose label is not in the table a fault.
    fn fault_rows(&self, batch: &mut Batch, slot: usize) {
        if batch.text(slot).levels().all(|label| self.has(label)) {
            return;
        }
        for row in 0..batch.n_rows() {
            let Some(label) = batch.text(slot).get(row).filter(|l| !self.has(l)) else {
                continue;
            };
            let message = format!("expected a label of `mapping`, found {label:?}");
            let error = Error::new(Code::UnseenLevel, message);
            batch.fault(row, slot, error.remedy("add it, or choose another `unseen` rule"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, table, texts};

    fn quality() -> MapValuesParams {
        MapValuesParams {
            missing: Some(NumberOrLabel::Number(0.0)),
            ..MapValuesParams::of([("TA", 3.0), ("Gd", 4.0)])
        }
    }

    #[test]
    fn labels_become_numbers_and_missing_its_own() {
        let t = table(&[("x", texts(&["Gd", "", "TA", "Ex"]))]);
        let batch = apply(&fit(&quality(), &t, &["x"]).unwrap(), &t, &["x"]);
        assert_eq!(batch.num(0)[..3], [4.0, 0.0, 3.0]);
        assert!(math::is_missing(batch.num(0)[3]));
    }

    #[test]
    fn labels_become_labels_and_others_stay_or_go() {
        let t = table(&[("x", texts(&["Mlle", "Mr", ""]))]);
        for (unseen, expected) in [
            (UnmappedRule::Ignore, [Some("Miss"), None, None]),
            (UnmappedRule::Keep, [Some("Miss"), Some("Mr"), None]),
        ] {
            let params = MapValuesParams { unseen, ..MapValuesParams::of([("Mlle", "Miss")]) };
            let batch = apply(&fit(&params, &t, &["x"]).unwrap(), &t, &["x"]);
            let got: Vec<_> = (0..3).map(|row| batch.text(0).get(row)).collect();
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_label_that_is_not_there_is_named_under_raise() {
        let params = MapValuesParams { unseen: UnmappedRule::Raise, ..quality() };
        let t = table(&[("x", texts(&["TA", "Ex", "", "Gd"]))]);
        let batch = apply(&fit(&params, &t, &["x"]).unwrap(), &t, &["x"]);
        assert_eq!(batch.faults().len(), 1);
        assert_eq!(
            batch.faults()[&1].to_string(),
            "column `x`: expected a label of `mapping`, found \"Ex\" \
             (add it, or choose another `unseen` rule)"
        );
        assert_eq!(batch.num(0)[2], 0.0);
    }

    #[test]
    fn mappings_without_one_kind_of_value_are_refused() {
        let mut mixed = quality();
        mixed.mapping.insert("Ex".to_owned(), "best".into());
        let mut other_missing = quality();
        other_missing.missing = Some("none".into());
        let expected =
            "expected only numbers or only labels in `mapping` and `missing`, found both";
        for params in [mixed, other_missing] {
            assert_eq!(params.validate().unwrap_err().to_string(), expected);
        }
        assert!(MapValuesParams::default().validate().is_err());
        let infinite = MapValuesParams::of([("a", f64::INFINITY)]);
        assert!(infinite.validate().is_err());
        let keep = MapValuesParams { unseen: UnmappedRule::Keep, ..quality() };
        assert!(keep.validate().is_err());
    }
}
