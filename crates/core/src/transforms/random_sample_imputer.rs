//! Fills missing values with values drawn from the training rows, each row by its own key.
//!
//! # Method
//! Every training value is equally likely, with replacement, as in feature-engine 1.9.4
//! `RandomSampleImputer`; the draw is another. There, one seed gives as many draws as the batch has
//! gaps, so a filled value depends on the rows around it, and the order of the training rows
//! decides which value a draw means. Here the draw of a row is a function of seed, step name,
//! column name and the row's scoring key: the stream of (seed, step, column, `random sample`),
//! drawn for the key, gives a bounded integer k, and the fill is value k of the sorted training
//! values, counted from 0 with repetition. A row scored alone is filled as in any batch, also years
//! later.
//!
//! # Shape
//! Columns of any kind in, the same columns out, in place.
//!
//! # Missing
//! Filled. An infinite value at scoring stays what it is.
//!
//! # Ties and order
//! Training values are sorted: numbers and times ascending, labels by code point. Rows with equal
//! keys are filled alike. Two columns of one row are drawn apart, so their joint distribution is
//! not kept.
//!
//! # Errors
//! A column without any training value, or with an infinite one, cannot be fitted. The state holds
//! each distinct training value with its count: personal data may be among them.
//!
//! # Example
//! Training values 1, 1, 1, 5: a missing value becomes 1 for k = 0, 1, 2 and 5 for k = 3.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sample::{Sample, SampleValue};
use super::state::malformed;
use crate::aggregate::{Aggregate, ColumnValues, LevelCounts, Rows, Slots};
use crate::batch::{Batch, Column, ColumnKind, MISSING_TIME, Schema};
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::rng::Stream;
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};

/// No choice is left: the seed is the pipeline's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomSampleImputerParams {}

impl FitTransform for RandomSampleImputerParams {
    type Fitted = RandomSampleImputer;

    const DRAWS: bool = true;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<RandomSampleImputer> {
        let of_kind = |kind: ColumnKind| -> Vec<usize> {
            let fields = ctx.schema.fields();
            let slots = ctx.slots.iter().copied();
            slots.filter(|&slot| fields[slot].kind == kind).collect()
        };
        let nums = of_kind(ColumnKind::Num);
        let texts = of_kind(ColumnKind::Text);
        let times = of_kind(ColumnKind::Time);
        let mut nums = rows.aggregate(ColumnValues::new(&nums))?.finish().into_iter();
        let mut texts = rows.aggregate(LevelCounts::new(&texts))?.finish().into_iter();
        let mut times = rows.aggregate(TimeCounts::new(&times))?.columns.into_iter();
        let mut columns = Vec::with_capacity(ctx.slots.len());
        for &slot in ctx.slots {
            let name = ctx.name(slot);
            // Each kind's columns come in the order of the slots.
            let values = match ctx.schema.fields()[slot].kind {
                ColumnKind::Num => {
                    let values = nums.next().unwrap_or_default();
                    finite(values).and_then(sample).map(Values::Num)
                }
                ColumnKind::Text => {
                    let levels = texts.next().unwrap_or_default().levels;
                    sample(levels.into_iter().collect()).map(Values::Text)
                }
                ColumnKind::Time => {
                    let times = times.next().unwrap_or_default();
                    sample(times.into_iter().collect()).map(Values::Time)
                }
            };
            columns.push(SampledColumn {
                stream: ctx.stream(name, "random sample"),
                values: values.map_err(|e| e.column(name))?,
            });
        }
        Ok(RandomSampleImputer { columns })
    }

    fn examples() -> Vec<Example<Self>> {
        vec![
            Example::on(&["age", "fare"], RandomSampleImputerParams {}),
            Example::on(&["seen", "deck", "age"], RandomSampleImputerParams {}),
        ]
    }
}

fn sample<T: SampleValue>(counted: Vec<(T, u64)>) -> Result<Sample<T>> {
    if counted.is_empty() {
        let message = "expected a value to learn from, found none";
        let error = Error::new(Code::TooFewRows, message);
        return Err(error.remedy("drop the column, or fill it with a constant"));
    }
    Sample::new(counted)
}

fn finite(counted: Vec<(f64, u64)>) -> Result<Vec<(f64, u64)>> {
    match counted.iter().find(|(x, _)| !x.is_finite()) {
        None => Ok(counted),
        Some((x, _)) => {
            let message = format!("expected finite values to draw from, found {x}");
            Err(Error::new(Code::NotFinite, message))
        }
    }
}

/// How often each time occurs in time columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TimeCounts {
    slots: Slots,
    columns: Vec<BTreeMap<i64, u64>>,
}

impl TimeCounts {
    fn new(slots: &[usize]) -> Self {
        TimeCounts { slots: Slots::new(slots), columns: vec![BTreeMap::new(); slots.len()] }
    }
}

impl Aggregate for TimeCounts {
    fn observe(&mut self, block: &Batch) {
        for (slot, counts) in self.slots.iter().zip(&mut self.columns) {
            let times = block.time(slot).iter();
            for &time in times.filter(|&&time| time != MISSING_TIME) {
                *counts.entry(time).or_default() += 1;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (counts, others) in self.columns.iter_mut().zip(&other.columns) {
            for (&time, &n) in others {
                *counts.entry(time).or_default() += n;
            }
        }
    }
}

/// The stream and the training values of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomSampleImputer {
    columns: Vec<SampledColumn>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampledColumn {
    stream: Stream,
    values: Values,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Values {
    Num(Sample<f64>),
    Text(Sample<String>),
    Time(Sample<i64>),
}

impl Values {
    fn kind(&self) -> ColumnKind {
        match self {
            Values::Num(_) => ColumnKind::Num,
            Values::Text(_) => ColumnKind::Text,
            Values::Time(_) => ColumnKind::Time,
        }
    }
}

impl SampledColumn {
    fn fill(&self, column: &mut Column, keys: &[RowKey]) {
        for (row, &key) in keys.iter().enumerate() {
            if !column.is_missing(row) {
                continue;
            }
            match (&mut *column, &self.values) {
                (Column::Num(v), Values::Num(sample)) => v[row] = *sample.draw(&self.stream, key),
                (Column::Time(v), Values::Time(sample)) => v[row] = *sample.draw(&self.stream, key),
                (Column::Text(v), Values::Text(sample)) => {
                    v.set(row, sample.draw(&self.stream, key));
                }
                (column, values) => {
                    unreachable!("{} values for a {} column", values.kind(), column.kind())
                }
            }
        }
    }
}

impl Transform for RandomSampleImputer {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.columns.len(), slots.len())?;
        for (&slot, column) in slots.iter().zip(&self.columns) {
            let field = &input.fields()[slot];
            if field.kind != column.values.kind() {
                let message = format!(
                    "expected training values of kind {}, found {}",
                    field.kind,
                    column.values.kind()
                );
                return Err(malformed(message).column(&field.name));
            }
        }
        Ok(input.clone())
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        let keys = std::mem::take(batch.keys_mut());
        assert_eq!(keys.len(), batch.n_rows(), "rows are keyed before any step");
        for (&slot, column) in slots.iter().zip(&self.columns) {
            column.fill(&mut batch.columns_mut()[slot], &keys);
        }
        batch.set_keys(keys);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::codec::{decode, encode};
    use crate::config::Task;
    use crate::rng::{Draw, Seed};
    use crate::testing::{apply, fit, nums, table, texts};

    const COLUMNS: [&str; 3] = ["n", "t", "s"];

    /// 400 rows with a value of each kind in every fourth row, told apart by `id`.
    fn gaps() -> Batch {
        let rows = || 0..400usize;
        let id: Vec<f64> = rows().map(|i| i as f64).collect();
        let n: Vec<f64> =
            rows().map(|i| if i % 4 == 0 { (i % 7) as f64 } else { f64::NAN }).collect();
        let t: Vec<&str> = rows().map(|i| ["b", "", "", "", "a"][i % 5]).collect();
        let time = |i: usize| {
            if i % 4 == 0 { -(i as i64 % 9) } else { MISSING_TIME }
        };
        table(&[
            ("id", nums(&id)),
            ("n", nums(&n)),
            ("t", texts(&t)),
            ("s", Column::Time(rows().map(time).collect())),
        ])
    }

    fn fit_as(step: &str, seed: u64) -> RandomSampleImputer {
        let t = gaps();
        let schema = std::sync::Arc::clone(t.schema());
        let ctx = FitContext::new(step, Seed(seed), Task::Regression, &schema, &[1, 2, 3]);
        let rows = MemoryRows::from_batch(t);
        RandomSampleImputerParams {}.fit(&rows, &ctx).unwrap()
    }

    #[test]
    fn a_fill_is_the_drawn_place_among_the_sorted_training_values() {
        let x = [5.0, f64::NAN, 1.0, f64::NAN, 1.0, 1.0];
        let t = table(&[("id", nums(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), ("x", nums(&x))]);
        let fitted = fit(&RandomSampleImputerParams {}, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        let stream = Stream::new(Seed(7), "step", "x", "random sample");
        for (row, &before) in x.iter().enumerate() {
            // The sorted training values are 1, 1, 1, 5.
            let drawn = [1.0, 1.0, 1.0, 5.0][stream.row(t.keys()[row]).bounded(4) as usize];
            let expected = if before.is_nan() { drawn } else { before };
            assert_eq!(batch.num(1)[row], expected, "row {row}");
        }
    }

    #[test]
    fn a_row_alone_gets_what_it_gets_in_a_batch_in_any_order() {
        let (t, fitted) = (gaps(), fit_as("step", 7));
        let whole = apply(&fitted, &t, &COLUMNS);
        let reversed: Vec<usize> = (0..t.n_rows()).rev().collect();
        let backward = apply(&fitted, &t.select(&reversed), &COLUMNS);
        for row in 0..t.n_rows() {
            let alone = apply(&fitted, &t.select(&[row]), &COLUMNS);
            for slot in 1..4 {
                let value = whole.column(slot).value(row);
                assert!(!whole.column(slot).is_missing(row));
                assert_eq!(alone.column(slot).value(0), value);
                assert_eq!(backward.column(slot).value(t.n_rows() - 1 - row), value);
            }
        }
    }

    #[test]
    fn seed_step_and_column_each_change_the_draws() {
        let t = gaps();
        let n_filled = |fitted: &RandomSampleImputer| apply(fitted, &t, &COLUMNS).num(1).to_vec();
        let base = n_filled(&fit_as("step", 7));
        assert_eq!(base, n_filled(&fit_as("step", 7)));
        assert_ne!(base, n_filled(&fit_as("step", 8)));
        assert_ne!(base, n_filled(&fit_as("other", 7)));
        let twins = table(&[
            ("id", t.column(0).clone()),
            ("n", t.column(1).clone()),
            ("m", t.column(1).clone()),
        ]);
        let fitted = fit(&RandomSampleImputerParams {}, &twins, &["n", "m"]).unwrap();
        let batch = apply(&fitted, &twins, &["n", "m"]);
        assert_ne!(batch.num(1), batch.num(2));
    }

    #[test]
    fn the_order_of_training_rows_does_not_matter_and_values_stay_in_proportion() {
        let t = gaps();
        let reversed: Vec<usize> = (0..t.n_rows()).rev().collect();
        let forward = fit(&RandomSampleImputerParams {}, &t, &COLUMNS).unwrap();
        let backward = fit(&RandomSampleImputerParams {}, &t.select(&reversed), &COLUMNS).unwrap();
        assert_eq!(encode(&forward).unwrap(), encode(&backward).unwrap());
        // 240 gaps in `t`, filled a or b, 80 training rows each: 120 with a deviation of
        // sqrt(240 / 4) = 7.7; five of them are allowed.
        let batch = apply(&forward, &t, &COLUMNS);
        let is_a = |row: &usize| batch.text(2).get(*row) == Some("a") && row % 5 != 4;
        let n_a = (0..t.n_rows()).filter(is_a).count();
        assert!((82..=158).contains(&n_a), "{n_a} of 240");
    }

    #[test]
    fn the_state_survives_storage_and_must_fit_the_columns() {
        let fitted = fit_as("step", 7);
        let bytes = encode(&fitted).unwrap();
        assert_eq!(decode::<RandomSampleImputer>(&bytes).unwrap(), fitted);
        let t = gaps();
        assert_eq!(
            fitted.output(t.schema(), &[1, 3, 2]).unwrap_err().to_string(),
            "column `s`: expected training values of kind time, found text"
        );
    }

    #[test]
    fn a_column_without_values_is_named() {
        let t = table(&[("x", texts(&["", ""]))]);
        let error = fit(&RandomSampleImputerParams {}, &t, &["x"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `x`: expected a value to learn from, found none \
             (drop the column, or fill it with a constant)"
        );
    }

    #[test]
    fn an_infinite_training_value_is_refused() {
        let t = table(&[("x", nums(&[1.0, f64::NEG_INFINITY]))]);
        let error = fit(&RandomSampleImputerParams {}, &t, &["x"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `x`: expected finite values to draw from, found -inf"
        );
    }
}
