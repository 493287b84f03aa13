//! What the training rows looked like, by exact counts, ranges and quantiles.
//!
//! The rows are those fitted on: inside the population, and without those kept for the test. Six
//! passes at most for a table of up to 16 numeric columns, and five more where there are times;
//! counting labels takes memory with the number of distinct ones, as every encoder does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::{LevelSpread, NumSpread, Spread, TimeSpread};
use crate::aggregate::{Aggregate, ColumnMoments, LevelCounts, MissingCounts, Rows, Slots};
use crate::batch::{Batch, ColumnKind, MISSING_TIME};
use crate::error::{Code, Error, Result};

/// The profile of every input column by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile {
    /// By column name.
    pub columns: BTreeMap<String, ColumnProfile>,
}

/// Counts, range and spread of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnProfile {
    /// Rows without a value.
    pub n_missing: u64,
    /// What the values are like.
    pub values: ValueProfile,
    /// How they spread. Absent in artifacts of releases that did not record it (of times: did not
    /// yet), and of declared keys, which name rows and are no measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
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
    /// The profile of the input columns; `key` are the declared key columns.
    pub(crate) fn of(rows: &dyn Rows, key: &[String]) -> Result<Self> {
        let fields = rows.schema().fields();
        let of_kind = |kind: ColumnKind| -> Vec<usize> {
            (0..fields.len()).filter(|&slot| fields[slot].kind == kind).collect()
        };
        let all: Vec<usize> = (0..fields.len()).collect();
        let nums = of_kind(ColumnKind::Num);
        let (texts, times) = (of_kind(ColumnKind::Text), of_kind(ColumnKind::Time));
        let found = rows.aggregate(Summary {
            missing: MissingCounts::new(&all),
            moments: ColumnMoments::new(&nums),
            levels: LevelCounts::new(&texts),
            times: TimeRanges::new(&times),
        })?;
        let (n_rows, missing) = found.missing.finish();
        let moments = found.moments.finish();
        let mut columns: BTreeMap<usize, (ValueProfile, Option<Spread>)> = BTreeMap::new();
        let mut spreads = NumSpread::of(rows, &nums, &moments, n_rows)?;
        for (slot, m) in nums.iter().zip(&moments) {
            let range = m.min().zip(m.mean()).zip(m.max());
            let range = range.map(|((min, mean), max)| [min, mean, max]);
            let spread = spreads.remove(slot).map(Spread::Num);
            columns.insert(*slot, (ValueProfile::Num(range), spread));
        }
        for (slot, counts) in texts.iter().zip(found.levels.finish()) {
            let values = ValueProfile::Text(counts.levels.len() as u64);
            columns.insert(*slot, (values, Some(Spread::Text(LevelSpread::of(&counts)))));
        }
        let is_measured = |slot: &usize| !key.contains(&fields[*slot].name);
        let measured: Vec<usize> = times.iter().copied().filter(is_measured).collect();
        let mut spreads = TimeSpread::of(rows, &measured)?;
        for (slot, range) in times.iter().zip(found.times.ranges) {
            let spread = spreads.remove(slot).map(Spread::Time);
            columns.insert(*slot, (ValueProfile::Time(range), spread));
        }
        let columns = columns.into_iter().map(|(slot, (values, spread))| {
            let name = &fields[slot].name;
            let spread = spread.filter(|_| !key.contains(name));
            (name.clone(), ColumnProfile { n_missing: missing[slot], values, spread })
        });
        Ok(Profile { columns: columns.collect() })
    }

    /// Refuses parts that no fit makes.
    pub(super) fn check(&self) -> Result<()> {
        for (name, column) in &self.columns {
            let is_sound = match (&column.values, &column.spread) {
                (_, None) => true,
                (ValueProfile::Num(_), Some(Spread::Num(spread))) => spread.is_sound(),
                (ValueProfile::Text(_), Some(Spread::Text(spread))) => spread.is_sound(),
                (ValueProfile::Time(_), Some(Spread::Time(spread))) => spread.is_sound(),
                _ => false,
            };
            if !is_sound {
                let message = "expected the profile of a column of its kind, found another";
                return Err(Error::new(Code::Malformed, message).column(name));
            }
        }
        Ok(())
    }
}

/// What one pass finds of every column.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Summary {
    missing: MissingCounts,
    moments: ColumnMoments,
    levels: LevelCounts,
    times: TimeRanges,
}

impl Aggregate for Summary {
    fn observe(&mut self, block: &Batch) {
        self.missing.observe(block);
        self.moments.observe(block);
        self.levels.observe(block);
        self.times.observe(block);
    }

    fn merge(&mut self, other: &Self) {
        self.missing.merge(&other.missing);
        self.moments.merge(&other.moments);
        self.levels.merge(&other.levels);
        self.times.merge(&other.times);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::batch::Column;
    use crate::math::{QuantileType, quantile_sorted};
    use crate::testing::{nums, table, texts};

    fn profile(batch: &Batch, block_rows: usize, key: &[&str]) -> Profile {
        let schema = std::sync::Arc::clone(batch.schema());
        let rows = MemoryRows::new(schema, batch.clone().into_blocks(block_rows));
        let key: Vec<String> = key.iter().map(|k| (*k).to_owned()).collect();
        Profile::of(&rows, &key).unwrap()
    }

    fn num(profile: &Profile, name: &str) -> NumSpread {
        match &profile.columns[name].spread {
            Some(Spread::Num(spread)) => spread.clone(),
            other => panic!("expected numbers, found {other:?}"),
        }
    }

    #[test]
    fn quantiles_and_bins_by_hand() {
        // 0 to 10: the decile at share q is 10 q, so that bin 0 has 0 and 1, each other one more.
        let values: Vec<f64> = (0..=10).map(f64::from).collect();
        let with_gap: Vec<f64> = values.iter().copied().chain([f64::NAN]).collect();
        let flag: Vec<f64> = (0..12).map(|i| f64::from(u8::from(i > 0))).collect();
        let infinite: Vec<f64> =
            (0..12).map(|i| if i < 6 { f64::NEG_INFINITY } else { f64::INFINITY }).collect();
        let columns = [
            ("a", nums(&with_gap)),
            ("flag", nums(&flag)),
            ("inf", nums(&infinite)),
            ("none", nums(&[f64::NAN; 12])),
        ];
        let found = profile(&table(&columns), 5, &[]);
        let a = num(&found, "a");
        assert_eq!(a.quantiles[2..11], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!((a.quantiles[0], a.quantiles[12]), (0.1, 9.9));
        assert_eq!(a.bins, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(found.columns["a"].n_missing, 1);
        // One row in twelve is 0: the first decile is 0 + 1 * 0.1 * 11 - 1 = 1 as all others are.
        assert_eq!(num(&found, "flag").bins, [1, 11, 0, 0, 0, 0, 0, 0, 0, 0]);
        let inf = num(&found, "inf");
        assert!(inf.quantiles.iter().all(|x| x.is_infinite()));
        assert_eq!(inf.bins.iter().sum::<u64>(), 12);
        assert_eq!(num(&found, "none"), NumSpread::default());
    }

    #[test]
    fn quantiles_and_bins_of_times_by_hand() {
        // 0 to 10 seconds: the time below share q is that of 10 q, so that bins are as of numbers.
        let times: Vec<i64> = (0..=10).rev().map(|second| second * 1_000_000).collect();
        let whole = [times.clone(), vec![MISSING_TIME]].concat();
        let columns = [("t", Column::Time(whole.clone())), ("id", Column::Time(whole))];
        let found = profile(&table(&columns), 5, &["id"]);
        let Some(Spread::Time(spread)) = &found.columns["t"].spread else {
            panic!("expected times");
        };
        let seconds: Vec<i64> = spread.quantiles.iter().map(|t| t / 1_000_000).collect();
        assert_eq!(seconds, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9]);
        assert_eq!(spread.bins, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert!(found.columns["id"].spread.is_none() && found.check().is_ok());
        let none = profile(&table(&[("t", Column::Time(vec![MISSING_TIME; 3]))]), 2, &[]);
        assert_eq!(none.columns["t"].spread, Some(Spread::Time(TimeSpread::default())));
        let mut few = none.clone();
        let spread = TimeSpread { quantiles: vec![1; 13], bins: vec![1] };
        few.columns.get_mut("t").unwrap().spread = Some(Spread::Time(spread));
        assert_eq!(few.check().unwrap_err().code(), Code::Malformed);
    }

    #[test]
    fn order_and_blocks_cannot_matter_and_sorting_finds_the_same() {
        let values: Vec<f64> = (0..997u32).map(|i| f64::from(i * i % 613) / 8.0).collect();
        let labels: Vec<String> = values.iter().map(|x| format!("{}", x % 7.0)).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let batch = table(&[("x", nums(&values)), ("s", texts(&labels))]);
        let found = profile(&batch, 1000, &[]);
        let reversed: Vec<usize> = (0..997).rev().collect();
        for block_rows in [1, 7, 400] {
            assert_eq!(profile(&batch.select(&reversed), block_rows, &[]), found);
        }
        let mut sorted = values.clone();
        sorted.sort_by(|a, b| crate::math::total_cmp(*a, *b));
        let spread = num(&found, "x");
        for (q, x) in super::super::PROFILE_QUANTILES.iter().zip(&spread.quantiles) {
            assert_eq!(quantile_sorted(&sorted, *q, QuantileType::Linear), Some(*x));
        }
        assert_eq!(spread.bins.iter().sum::<u64>(), 997);
        let n_first = sorted.iter().filter(|x| **x <= spread.quantiles[2]).count() as u64;
        assert_eq!(spread.bins[0], n_first);
    }

    #[test]
    fn a_key_has_no_spread_and_a_wrong_one_is_refused() {
        let batch = table(&[("id", texts(&["a", "b"])), ("x", nums(&[1.0, 2.0]))]);
        let mut found = profile(&batch, 10, &["id"]);
        assert!(found.columns["id"].spread.is_none() && found.check().is_ok());
        let x = found.columns["x"].spread.clone();
        found.columns.get_mut("id").unwrap().spread = x;
        assert_eq!(found.check().unwrap_err().code(), Code::Malformed);
        let mut short = profile(&batch, 10, &["id"]);
        let few = NumSpread { quantiles: vec![1.0], bins: vec![] };
        short.columns.get_mut("x").unwrap().spread = Some(Spread::Num(few));
        assert!(short.check().is_err());
    }
}
