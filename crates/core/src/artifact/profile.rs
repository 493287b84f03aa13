//! What the training rows looked like, by exact counts and ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aggregate::{Aggregate, ColumnMoments, LevelCounts, MissingCounts, Rows, Slots};
use crate::batch::{Batch, ColumnKind, MISSING_TIME};
use crate::error::Result;

/// The profile of every input column by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile {
    /// By column name.
    pub columns: BTreeMap<String, ColumnProfile>,
}

/// Counts and range of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnProfile {
    /// Rows without a value.
    pub n_missing: u64,
    /// What the values are like.
    pub values: ValueProfile,
}

/// The range of a column's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueProfile {
    /// Minimum, mean and maximum; `None` if there is no value.
    Num(Option<[f64; 3]>),
    /// The number of different labels.
    Text(u64),
    /// First and last time in microseconds; `None` if there is no value.
    Time(Option<[i64; 2]>),
}

impl Profile {
    /// The profile of the input columns.
    pub(crate) fn of(rows: &dyn Rows) -> Result<Self> {
        let fields = rows.schema().fields();
        let of_kind = |kind: ColumnKind| -> Vec<usize> {
            (0..fields.len()).filter(|&slot| fields[slot].kind == kind).collect()
        };
        let all: Vec<usize> = (0..fields.len()).collect();
        let (_, missing) = rows.aggregate(MissingCounts::new(&all))?.finish();
        let mut values: BTreeMap<usize, ValueProfile> = BTreeMap::new();
        let nums = of_kind(ColumnKind::Num);
        for (slot, m) in nums.iter().zip(rows.aggregate(ColumnMoments::new(&nums))?.finish()) {
            let range = m.min().zip(m.mean()).zip(m.max());
            let range = range.map(|((min, mean), max)| [min, mean, max]);
            values.insert(*slot, ValueProfile::Num(range));
        }
        let texts = of_kind(ColumnKind::Text);
        for (slot, c) in texts.iter().zip(rows.aggregate(LevelCounts::new(&texts))?.finish()) {
            values.insert(*slot, ValueProfile::Text(c.levels.len() as u64));
        }
        let times = of_kind(ColumnKind::Time);
        for (slot, range) in times.iter().zip(rows.aggregate(TimeRanges::new(&times))?.ranges) {
            values.insert(*slot, ValueProfile::Time(range));
        }
        let columns = values.into_iter().map(|(slot, values)| {
            (fields[slot].name.clone(), ColumnProfile { n_missing: missing[slot], values })
        });
        Ok(Profile { columns: columns.collect() })
    }
}

/// First and last time of time columns; missing is skipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TimeRanges {
    slots: Slots,
    ranges: Vec<Option<[i64; 2]>>,
}

impl TimeRanges {
    fn new(slots: &[usize]) -> Self {
        TimeRanges { slots: Slots::new(slots), ranges: vec![None; slots.len()] }
    }

    fn widen(range: &mut Option<[i64; 2]>, [first, last]: [i64; 2]) {
        *range = Some(match *range {
            None => [first, last],
            Some([a, b]) => [a.min(first), b.max(last)],
        });
    }
}

impl Aggregate for TimeRanges {
    fn observe(&mut self, block: &Batch) {
        for (slot, range) in self.slots.iter().zip(&mut self.ranges) {
            let times = block.time(slot).iter().filter(|t| **t != MISSING_TIME);
            times.for_each(|&t| TimeRanges::widen(range, [t, t]));
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.ranges.iter_mut().zip(&other.ranges) {
            if let Some(b) = *b {
                TimeRanges::widen(a, b);
            }
        }
    }
}
