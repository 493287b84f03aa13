//! How new rows differ from the training rows, by the profile of the artifact. Not a matter of
//! identity: a row's score is the same whatever drifts.
//!
//! **PSI.** The population stability index over bins: the sum of (a − e) ln(a / e), with e the
//! share of training values in the bin and a that of the new ones. Bins of numbers and times are
//! those of the training deciles, bins of text its listed labels and one for all others. Missing
//! values are in no bin: their rate is a figure of its own. A share below 0.0001 counts as 0.0001,
//! without another adjustment, so that an empty bin gives a number, and one that is empty on both
//! sides gives 0. The sum runs in the order of the bins.
//!
//! **New labels.** Those that training never saw. Where the profile lists fewer labels than there
//! were, a label that it does not list may be a rare one, and nothing is said.
//!
//! **Ranges.** Numbers and times below the smallest or above the largest of training.
//!
//! **Rows.** Rows outside the population are counted and not compared, since the profile is of rows
//! inside. If there are no others, no column has figures, and the limits do not hold: that is what
//! drifted. A cell that cannot be read counts as missing. Declared keys have no PSI, nor have times
//! in artifacts of releases that did not count them. All is exact, whatever the order of the rows
//! and their blocks.
//!
//! **Judged** is every figure against the limits, but for those of the columns that the config
//! names as `unjudged`: a time that moves on, for instance.

mod counts;

use std::collections::BTreeMap;

use serde::Serialize;

use super::Payload;
use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::config::DriftLimits;
use crate::error::{Code, Error, Result};
use crate::math;
use counts::DriftCounts;

/// A smaller share counts as this one.
const SHARE_MIN: f64 = 1e-4;

/// What differs between new rows and the training rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// The number of new rows that were compared.
    pub n_rows: u64,
    /// Rows outside the population, which were not; absent if the artifact states no population.
    pub n_outside: Option<u64>,
    /// Rows among those compared that have a cell which cannot be read.
    pub n_unreadable: u64,
    /// The limits.
    pub limits: DriftLimits,
    /// The columns in name order; none if no row is inside the population.
    pub columns: Vec<ColumnDrift>,
}

/// What differs in one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The number of new rows with a value.
    pub n_values: u64,
    /// The population stability index; absent for keys, and without any value on one side.
    pub psi: Option<f64>,
    /// Of text, how many labels have a bin of their own, and how many training had: the others are
    /// one bin together.
    pub n_levels: Option<[u64; 2]>,
    /// The share of rows without a value, in training and now.
    pub missing_rate: [f64; 2],
    /// The share of values that are new labels; absent where it cannot be told.
    pub new_level_rate: Option<f64>,
    /// The first new labels and the number of their rows.
    pub new_levels: BTreeMap<String, u64>,
    /// The share of values outside the range of training.
    pub out_of_range_rate: Option<f64>,
    /// Values below the range.
    pub n_below: u64,
    /// Values above the range.
    pub n_above: u64,
    /// The limits that do not hold.
    pub breaks: Vec<DriftBreak>,
}

/// A limit that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftBreak {
    /// `psi_max`.
    Psi,
    /// `missing_rate_change_max`.
    MissingRate,
    /// `new_level_rate_max`.
    NewLevels,
    /// `out_of_range_rate_max`.
    OutOfRange,
}

impl Drift {
    /// Compares `rows`, which have the artifact's input columns, with the training rows.
    ///
    /// # Errors
    /// If the artifact has no profile to compare with, there is no row at all, or a block cannot be
    /// read.
    pub fn of(payload: &Payload, rows: &dyn Rows) -> Result<Self> {
        if **rows.schema() != payload.pipeline.input {
            let message = "expected rows with the input columns of the artifact, found others";
            return Err(Error::new(Code::MissingColumn, message));
        }
        let found = rows.aggregate(DriftCounts::new(payload)?)?;
        let n_outside = (!found.filters.is_empty()).then_some(found.n_outside);
        if found.n_rows == 0 && found.n_outside == 0 {
            let message = "expected rows to compare, found none";
            return Err(Error::new(Code::TooFewRows, message));
        }
        let limits = payload.config.drift.clone().unwrap_or_default();
        let fields = payload.pipeline.input.fields();
        let fields = if found.n_rows == 0 { &[][..] } else { fields };
        let columns = fields.iter().zip(&found.columns).filter_map(|(field, counts)| {
            let profile = payload.profile.columns.get(&field.name)?;
            let mut drift = counts.finish(profile, payload.n_rows, found.n_rows);
            drift.column.clone_from(&field.name);
            drift.kind = field.kind;
            if !limits.unjudged.contains(&field.name) {
                drift.judge(&limits);
            }
            Some(drift)
        });
        let (n_rows, n_unreadable) = (found.n_rows, found.n_unreadable);
        let columns = columns.collect();
        Ok(Drift { n_rows, n_outside, n_unreadable, limits, columns })
    }

    /// Whether every limit holds, and there are rows to say so.
    pub fn holds(&self) -> bool {
        self.n_rows > 0 && self.columns.iter().all(|column| column.breaks.is_empty())
    }
}

impl ColumnDrift {
    fn judge(&mut self, limits: &DriftLimits) {
        let above = |found: Option<f64>, limit: f64| found.is_some_and(|found| found > limit);
        let [trained, now] = self.missing_rate;
        let change = if now > trained { now - trained } else { trained - now };
        let judged = [
            (DriftBreak::Psi, above(self.psi, limits.psi_max)),
            (DriftBreak::MissingRate, change > limits.missing_rate_change_max),
            (DriftBreak::NewLevels, above(self.new_level_rate, limits.new_level_rate_max)),
            (DriftBreak::OutOfRange, above(self.out_of_range_rate, limits.out_of_range_rate_max)),
        ];
        self.breaks = judged.iter().filter(|(_, is)| *is).map(|(what, _)| *what).collect();
    }
}

/// The population stability index of two lists of counts per bin, equally long; `None` if one of
/// them counts nothing.
pub fn psi(expected: &[u64], actual: &[u64]) -> Option<f64> {
    let n_expected = expected.iter().fold(0u64, |n, count| n.saturating_add(*count));
    let n_actual = actual.iter().fold(0u64, |n, count| n.saturating_add(*count));
    if n_expected == 0 || n_actual == 0 || expected.len() != actual.len() {
        return None;
    }
    let share = |count: u64, n: u64| math::max(rate(count, n), SHARE_MIN);
    let mut index = 0.0;
    for (&e, &a) in expected.iter().zip(actual) {
        let (e, a) = (share(e, n_expected), share(a, n_actual));
        index += (a - e) * math::ln(a / e);
    }
    Some(math::canonical(index))
}

/// The share of `count` among `n`, which is not 0.
fn rate(count: u64, n: u64) -> f64 {
    count as f64 / n as f64
}

#[cfg(test)]
mod tests;
