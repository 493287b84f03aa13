//! What is counted of new rows, in one pass and of bounded size: an exact, mergeable state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::spread::{LevelSpread, Spread, bin};
use super::super::{ColumnProfile, Payload, ValueProfile};
use super::{ColumnDrift, psi, rate};
use crate::aggregate::Aggregate;
use crate::batch::{Batch, Column, ColumnKind, MISSING_CODE, MISSING_TIME};
use crate::config::RowFilter;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::pipeline::Membership;

/// So many new labels are shown: the first ones in code-point order.
const NEW_LEVELS_SHOWN: usize = 10;

/// What is counted of the rows of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DriftCounts {
    pub(super) filters: Vec<RowFilter>,
    pub(super) n_rows: u64,
    pub(super) n_outside: u64,
    pub(super) n_unreadable: u64,
    pub(super) columns: Vec<ColumnCounts>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ColumnCounts {
    pub(super) n_missing: u64,
    pub(super) values: ValueCounts,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ValueCounts {
    Num {
        edges: Vec<f64>,
        bins: Vec<u64>,
        range: Option<[f64; 2]>,
        n_below: u64,
        n_above: u64,
    },
    Text {
        levels: BTreeMap<String, u64>,
        n_other: u64,
        others: BTreeMap<String, u64>,
    },
    Time {
        edges: Vec<i64>,
        /// None in a profile of a release that did not count them.
        bins: Vec<u64>,
        range: Option<[i64; 2]>,
        n_below: u64,
        n_above: u64,
    },
    /// A column that is counted for its missing values alone.
    Present,
}

impl DriftCounts {
    pub(super) fn new(payload: &Payload) -> Result<Self> {
        let profile = &payload.profile.columns;
        let key = &payload.config.data.key;
        let is_old = |field: &&crate::batch::Field| {
            field.kind != ColumnKind::Time
                && !key.contains(&field.name)
                && profile.get(&field.name).is_none_or(|column| column.spread.is_none())
        };
        let fields = payload.pipeline.input.fields();
        if let Some(field) = fields.iter().find(is_old) {
            let message = "expected a training profile with quantiles and labels, found none";
            return Err(Error::new(Code::Usage, message)
                .remedy("an older release made the artifact: fit it again")
                .column(&field.name));
        }
        let columns = fields.iter().map(|field| {
            let values = profile.get(&field.name).map(ValueCounts::new);
            ColumnCounts { n_missing: 0, values: values.unwrap_or(ValueCounts::Present) }
        });
        Ok(DriftCounts {
            filters: payload.config.population.clone(),
            n_rows: 0,
            n_outside: 0,
            n_unreadable: 0,
            columns: columns.collect(),
        })
    }
}

impl ValueCounts {
    pub(super) fn new(profile: &ColumnProfile) -> Self {
        match (&profile.values, &profile.spread) {
            (ValueProfile::Num(range), Some(Spread::Num(spread))) => ValueCounts::Num {
                edges: spread.deciles().to_vec(),
                bins: vec![0; spread.bins.len()],
                range: range.map(|[min, _, max]| [min, max]),
                n_below: 0,
                n_above: 0,
            },
            (ValueProfile::Text(_), Some(Spread::Text(spread))) => ValueCounts::Text {
                levels: spread.levels.keys().map(|level| (level.clone(), 0)).collect(),
                n_other: 0,
                others: BTreeMap::new(),
            },
            (ValueProfile::Time(range), spread) => {
                let (edges, n_bins) = match spread {
                    Some(Spread::Time(spread)) => (spread.deciles().to_vec(), spread.bins.len()),
                    _ => (Vec::new(), 0),
                };
                let bins = vec![0; n_bins];
                ValueCounts::Time { edges, bins, range: *range, n_below: 0, n_above: 0 }
            }
            _ => ValueCounts::Present,
        }
    }
}

impl Aggregate for DriftCounts {
    fn observe(&mut self, block: &Batch) {
        // The columns of the filters are input columns of their kind: the config says so.
        let inside = match Membership::of(&self.filters, block) {
            Ok(membership) => membership.inside(),
            Err(_) => Vec::new(),
        };
        self.n_rows += inside.len() as u64;
        self.n_outside += (block.n_rows() - inside.len()) as u64;
        self.n_unreadable += inside.iter().filter(|row| block.has_fault(**row)).count() as u64;
        for (counts, column) in self.columns.iter_mut().zip(block.columns()) {
            counts.observe(column, &inside);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.n_rows += other.n_rows;
        self.n_outside += other.n_outside;
        self.n_unreadable += other.n_unreadable;
        self.columns.iter_mut().zip(&other.columns).for_each(|(a, b)| a.merge(b));
    }
}

impl ColumnCounts {
    pub(super) fn observe(&mut self, column: &Column, rows: &[usize]) {
        self.n_missing += rows.iter().filter(|row| column.is_missing(**row)).count() as u64;
        match (&mut self.values, column) {
            (ValueCounts::Num { edges, bins, range, n_below, n_above }, Column::Num(values)) => {
                let values = rows.iter().map(|&row| values[row]).filter(|x| !math::is_missing(*x));
                for x in values {
                    if let Some(n) = bins.get_mut(bin(edges, x)) {
                        *n += 1;
                    }
                    *n_below += u64::from(range.is_some_and(|[min, _]| x < min));
                    *n_above += u64::from(range.is_some_and(|[_, max]| x > max));
                }
            }
            (ValueCounts::Text { levels, n_other, others }, Column::Text(values)) => {
                let mut by_code = vec![0u64; values.n_levels()];
                let codes = rows.iter().map(|&row| values.codes()[row]);
                codes.filter(|c| *c != MISSING_CODE).for_each(|c| by_code[c as usize] += 1);
                for (level, n) in values.levels().zip(by_code).filter(|(_, n)| *n > 0) {
                    match levels.get_mut(level) {
                        Some(count) => *count += n,
                        None => {
                            *n_other += n;
                            add_other(others, level, n);
                        }
                    }
                }
            }
            (
                ValueCounts::Time { edges, bins, range: Some([first, last]), n_below, n_above },
                Column::Time(values),
            ) => {
                for t in rows.iter().map(|&row| values[row]).filter(|t| *t != MISSING_TIME) {
                    if let Some(n) = bins.get_mut(bin(edges, t)) {
                        *n += 1;
                    }
                    *n_below += u64::from(t < *first);
                    *n_above += u64::from(t > *last);
                }
            }
            _ => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        self.n_missing += other.n_missing;
        match (&mut self.values, &other.values) {
            (
                ValueCounts::Num { bins, n_below, n_above, .. },
                ValueCounts::Num { bins: b, n_below: below, n_above: above, .. },
            ) => {
                bins.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                *n_below += below;
                *n_above += above;
            }
            (
                ValueCounts::Text { levels, n_other, others },
                ValueCounts::Text { levels: b, n_other: n, others: more },
            ) => {
                levels.values_mut().zip(b.values()).for_each(|(a, b)| *a += b);
                *n_other += n;
                more.iter().for_each(|(level, n)| add_other(others, level, *n));
            }
            (
                ValueCounts::Time { bins, n_below, n_above, .. },
                ValueCounts::Time { bins: b, n_below: below, n_above: above, .. },
            ) => {
                bins.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                *n_below += below;
                *n_above += above;
            }
            _ => {}
        }
    }

    /// The figures, of `n_trained` rows then and `n_rows` now.
    pub(super) fn finish(
        &self,
        profile: &ColumnProfile,
        n_trained: u64,
        n_rows: u64,
    ) -> ColumnDrift {
        let n_values = n_rows - self.n_missing;
        let of_values = |n: u64| (n_values > 0).then(|| rate(n, n_values));
        let trained = if n_trained == 0 { 0.0 } else { rate(profile.n_missing, n_trained) };
        let mut drift = ColumnDrift {
            column: String::new(),
            kind: ColumnKind::Num,
            n_values,
            psi: None,
            n_levels: None,
            missing_rate: [trained, rate(self.n_missing, n_rows)],
            new_level_rate: None,
            new_levels: BTreeMap::new(),
            out_of_range_rate: None,
            n_below: 0,
            n_above: 0,
            breaks: Vec::new(),
        };
        match (&self.values, &profile.spread) {
            (ValueCounts::Num { bins, range, n_below, n_above, .. }, Some(Spread::Num(spread))) => {
                drift.psi = psi(&spread.bins, bins);
                drift.out_of_range_rate = range.and_then(|_| of_values(n_below + n_above));
                (drift.n_below, drift.n_above) = (*n_below, *n_above);
            }
            (ValueCounts::Text { levels, n_other, others }, Some(Spread::Text(spread))) => {
                drift.psi = of_levels(spread, levels, *n_other);
                drift.n_levels = match profile.values {
                    ValueProfile::Text(n) => Some([spread.levels.len() as u64, n]),
                    _ => None,
                };
                if ValueProfile::Text(spread.levels.len() as u64) == profile.values {
                    drift.new_level_rate = of_values(*n_other);
                    drift.new_levels.clone_from(others);
                }
            }
            (ValueCounts::Time { bins, range, n_below, n_above, .. }, spread) => {
                if let Some(Spread::Time(spread)) = spread {
                    drift.psi = psi(&spread.bins, bins);
                }
                drift.out_of_range_rate = range.and_then(|_| of_values(n_below + n_above));
                (drift.n_below, drift.n_above) = (*n_below, *n_above);
            }
            _ => {}
        }
        drift
    }
}

fn of_levels(spread: &LevelSpread, levels: &BTreeMap<String, u64>, n_other: u64) -> Option<f64> {
    let with = |levels: &BTreeMap<String, u64>, rest: u64| -> Vec<u64> {
        levels.values().copied().chain([rest]).collect()
    };
    psi(&with(&spread.levels, spread.n_rest), &with(levels, n_other))
}

/// Counts a label that is not listed, and forgets all but the first ones. A label that is among the
/// first in the end has never been forgotten, so its count is whole.
fn add_other(others: &mut BTreeMap<String, u64>, level: &str, n: u64) {
    match others.get_mut(level) {
        Some(count) => *count += n,
        None => {
            others.insert(level.to_owned(), n);
        }
    }
    if others.len() > NEW_LEVELS_SHOWN {
        others.pop_last();
    }
}
