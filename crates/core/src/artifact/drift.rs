//! How new rows differ from the training rows, by the profile of the artifact. Not a matter of
//! identity: a row's score is the same whatever drifts.
//!
//! **PSI.** The population stability index over bins: the sum of (a − e) ln(a / e), with e the share
//! of training values in the bin and a that of the new ones. Bins of numbers are those of the
//! training deciles, bins of text its listed labels and one for all others. Missing values are in
//! no bin: their rate is a figure of its own. A share below 0.0001 counts as 0.0001, without
//! another adjustment, so that an empty bin gives a number, and one that is empty on both sides
//! gives 0. The sum runs in the order of the bins.
//!
//! **New labels.** Those that training never saw. Where the profile lists fewer labels than there
//! were, a label that it does not list may be a rare one, and nothing is said.
//!
//! **Ranges.** Numbers below the smallest or above the largest of training; of times this is shown
//! and not judged.
//!
//! **Rows.** Rows outside the population are counted and not compared, since the profile is of rows
//! inside. A cell that cannot be read counts as missing. Declared keys and times have no PSI. All
//! is exact, whatever the order of the rows and their blocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::{LevelSpread, NumSpread, Spread, bin};
use super::{ColumnProfile, Payload, ValueProfile};
use crate::aggregate::{Aggregate, Rows};
use crate::batch::{Batch, Column, ColumnKind, MISSING_CODE, MISSING_TIME};
use crate::config::{DriftLimits, RowFilter};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::pipeline::Membership;

/// A smaller share counts as this one.
const SHARE_MIN: f64 = 1e-4;
/// So many new labels are shown: the first ones in code-point order.
const NEW_LEVELS_SHOWN: usize = 10;

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
    /// The columns in name order.
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
    /// The population stability index; absent for times, keys, and without any value on one side.
    pub psi: Option<f64>,
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
    /// If the artifact has no profile to compare with, there is no row, or a block cannot be read.
    pub fn of(payload: &Payload, rows: &dyn Rows) -> Result<Self> {
        if **rows.schema() != payload.pipeline.input {
            let message = "expected rows with the input columns of the artifact, found others";
            return Err(Error::new(Code::MissingColumn, message));
        }
        let found = rows.aggregate(DriftCounts::new(payload)?)?;
        let n_outside = (!found.filters.is_empty()).then_some(found.n_outside);
        if found.n_rows == 0 {
            let message = match n_outside {
                None | Some(0) => "expected rows to compare, found none".to_owned(),
                Some(n) => format!("expected rows inside the population, found {n} outside alone"),
            };
            return Err(Error::new(Code::TooFewRows, message));
        }
        let limits = payload.config.drift.unwrap_or_default();
        let fields = payload.pipeline.input.fields();
        let columns = fields.iter().zip(&found.columns).filter_map(|(field, counts)| {
            let profile = payload.profile.columns.get(&field.name)?;
            let mut drift = counts.finish(profile, payload.n_rows, found.n_rows);
            drift.column.clone_from(&field.name);
            drift.kind = field.kind;
            drift.judge(&limits);
            Some(drift)
        });
        Ok(Drift {
            n_rows: found.n_rows,
            n_outside,
            n_unreadable: found.n_unreadable,
            limits,
            columns: columns.collect(),
        })
    }

    /// Whether every limit holds.
    pub fn holds(&self) -> bool {
        self.columns.iter().all(|column| column.breaks.is_empty())
    }
}

impl ColumnDrift {
    fn judge(&mut self, limits: &DriftLimits) {
        let above = |found: Option<f64>, limit: f64| found.is_some_and(|found| found > limit);
        let [trained, now] = self.missing_rate;
        let change = if now > trained { now - trained } else { trained - now };
        let range = self.out_of_range_rate.filter(|_| self.kind == ColumnKind::Num);
        let judged = [
            (DriftBreak::Psi, above(self.psi, limits.psi_max)),
            (DriftBreak::MissingRate, change > limits.missing_rate_change_max),
            (DriftBreak::NewLevels, above(self.new_level_rate, limits.new_level_rate_max)),
            (DriftBreak::OutOfRange, above(range, limits.out_of_range_rate_max)),
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

/// What is counted of new rows: exact, of bounded size.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DriftCounts {
    filters: Vec<RowFilter>,
    n_rows: u64,
    n_outside: u64,
    n_unreadable: u64,
    columns: Vec<ColumnCounts>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ColumnCounts {
    n_missing: u64,
    values: ValueCounts,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValueCounts {
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
        range: Option<[i64; 2]>,
        n_below: u64,
        n_above: u64,
    },
    /// A column that is counted for its missing values alone.
    Present,
}

impl DriftCounts {
    fn new(payload: &Payload) -> Result<Self> {
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
    fn new(profile: &ColumnProfile) -> Self {
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
            (ValueProfile::Time(range), _) => {
                ValueCounts::Time { range: *range, n_below: 0, n_above: 0 }
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
    fn observe(&mut self, column: &Column, rows: &[usize]) {
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
            (ValueCounts::Time { range: Some([first, last]), n_below, n_above }, column) => {
                if let Column::Time(values) = column {
                    for t in rows.iter().map(|&row| values[row]).filter(|t| *t != MISSING_TIME) {
                        *n_below += u64::from(t < *first);
                        *n_above += u64::from(t > *last);
                    }
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
                ValueCounts::Time { n_below, n_above, .. },
                ValueCounts::Time { n_below: below, n_above: above, .. },
            ) => {
                *n_below += below;
                *n_above += above;
            }
            _ => {}
        }
    }

    /// The figures, of `n_trained` rows then and `n_rows` now.
    fn finish(&self, profile: &ColumnProfile, n_trained: u64, n_rows: u64) -> ColumnDrift {
        let n_values = n_rows - self.n_missing;
        let of_values = |n: u64| (n_values > 0).then(|| rate(n, n_values));
        let trained = if n_trained == 0 { 0.0 } else { rate(profile.n_missing, n_trained) };
        let mut drift = ColumnDrift {
            column: String::new(),
            kind: ColumnKind::Num,
            n_values,
            psi: None,
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
                drift.psi = of_bins(spread, bins);
                drift.out_of_range_rate = range.and_then(|_| of_values(n_below + n_above));
                (drift.n_below, drift.n_above) = (*n_below, *n_above);
            }
            (ValueCounts::Text { levels, n_other, others }, Some(Spread::Text(spread))) => {
                drift.psi = of_levels(spread, levels, *n_other);
                if ValueProfile::Text(spread.levels.len() as u64) == profile.values {
                    drift.new_level_rate = of_values(*n_other);
                    drift.new_levels.clone_from(others);
                }
            }
            (ValueCounts::Time { range, n_below, n_above }, _) => {
                drift.out_of_range_rate = range.and_then(|_| of_values(n_below + n_above));
                (drift.n_below, drift.n_above) = (*n_below, *n_above);
            }
            _ => {}
        }
        drift
    }
}

fn of_bins(spread: &NumSpread, bins: &[u64]) -> Option<f64> {
    psi(&spread.bins, bins)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::MemoryRows;
    use crate::artifact::Artifact;
    use crate::config::{Bound, Config, Task};
    use crate::models::LinearRegressionParams;
    use crate::pipeline::{Table, fit};
    use crate::testing::{nums, table, texts};

    fn config() -> Config {
        let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
            .columns(ColumnKind::Num, &["x", "y"])
            .columns(ColumnKind::Text, &["s"])
            .columns(ColumnKind::Time, &["t"])
            .step("codes", &["s"], crate::transforms::OrdinalEncoderParams::default());
        let drop = crate::transforms::DropColumnsParams::default();
        config = config.step("drop", &["t"], drop);
        config
    }

    /// x is 0 to 9 and one missing; s is seven a and four b; t is 100 to 110.
    fn training() -> Batch {
        let x: Vec<f64> = (0..11).map(|i| if i == 10 { f64::NAN } else { f64::from(i) }).collect();
        let s: Vec<&str> = (0..11).map(|i| if i < 7 { "a" } else { "b" }).collect();
        let y: Vec<f64> = (0..11).map(f64::from).collect();
        let t = Column::Time((100..111).collect());
        table(&[("x", nums(&x)), ("s", texts(&s)), ("t", t), ("y", nums(&y))])
    }

    fn sealed(config: &Config) -> Artifact {
        let mut config = config.clone();
        config.steps.insert(
            0,
            crate::config::StepConfig {
                name: "fill".to_owned(),
                columns: crate::config::Columns::named(&["x"]),
                params: crate::transforms::MeanMedianImputerParams::default().into(),
            },
        );
        let table = Table::new(&config, &training()).unwrap();
        let (data, population) = (table.fingerprint(), table.population().cloned());
        let mut fitted = fit(&config, table.into_rows()).unwrap();
        fitted.population = population;
        Artifact::seal(&config, data, fitted, BTreeMap::new()).unwrap()
    }

    fn drift(artifact: &Artifact, batch: &Batch, block_rows: usize) -> Result<Drift> {
        let bound = artifact.plan().bind(batch)?;
        let schema = std::sync::Arc::clone(bound.schema());
        Drift::of(artifact.payload(), &MemoryRows::new(schema, bound.into_blocks(block_rows)))
    }

    #[test]
    fn the_index_by_hand() {
        // (0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5) = 0.25 ln 2 + 0.25 ln 1.5.
        let expected = -0.25 * math::ln(0.5) + 0.25 * math::ln(1.5);
        assert_eq!(psi(&[5, 5], &[1, 3]), Some(expected));
        assert_eq!(psi(&[5, 0, 5], &[10, 0, 10]), Some(0.0));
        // An empty bin counts as 0.0001: here the whole of the other one.
        let floor = (1.0 - 1e-4) * math::ln(1.0 / 1e-4);
        assert_eq!(psi(&[4, 0], &[0, 9]), Some((1e-4 - 1.0) * math::ln(1e-4) + floor));
        assert_eq!(
            (psi(&[0, 0], &[1, 1]), psi(&[1], &[0]), psi(&[1], &[1, 2])),
            (None, None, None)
        );
    }

    #[test]
    fn the_training_rows_do_not_drift() {
        let artifact = sealed(&config());
        let found = drift(&artifact, &training(), 4).unwrap();
        assert!(found.holds(), "{found:?}");
        assert_eq!((found.n_rows, found.n_outside, found.n_unreadable), (11, None, 0));
        for column in &found.columns {
            let psi = if column.kind == ColumnKind::Time { None } else { Some(0.0) };
            assert_eq!(column.psi, psi, "{}", column.column);
            assert_eq!((column.n_below, column.n_above), (0, 0));
        }
    }

    #[test]
    fn every_break_by_hand_whatever_the_blocks() {
        let artifact = sealed(&config());
        let batch = table(&[
            ("x", nums(&[-1.0, 4.0, 20.0, f64::NAN])),
            ("s", texts(&["a", "new", "c", ""])),
            ("t", Column::Time(vec![99, 105, 200, 300])),
        ]);
        let found = drift(&artifact, &batch, 10).unwrap();
        for block_rows in [1, 3] {
            assert_eq!(drift(&artifact, &batch.select(&[3, 1, 0, 2]), block_rows).unwrap(), found);
        }
        let [s, t, x] = &found.columns[..] else { panic!("three columns") };
        assert_eq!((&*s.column, &*t.column, &*x.column), ("s", "t", "x"));
        assert_eq!(x.missing_rate, [1.0 / 11.0, 0.25]);
        assert_eq!((x.n_below, x.n_above, x.out_of_range_rate), (1, 1, Some(2.0 / 3.0)));
        use DriftBreak::*;
        assert_eq!(x.breaks, [Psi, MissingRate, OutOfRange]);
        assert_eq!(s.new_level_rate, Some(2.0 / 3.0));
        assert_eq!(s.new_levels, BTreeMap::from([("c".to_owned(), 1), ("new".to_owned(), 1)]));
        // Bins a, b and the rest: training 7, 4, 0 of 11, now 1, 0, 2 of 3.
        assert_eq!(s.psi, psi(&[7, 4, 0], &[1, 0, 2]));
        assert_eq!(s.breaks, [Psi, MissingRate, NewLevels]);
        assert_eq!((t.n_below, t.n_above, t.psi), (1, 2, None));
        assert!(t.breaks.is_empty() && !found.holds());
    }

    #[test]
    fn limits_of_the_config_decide() {
        let mut config = config();
        config.drift = Some(DriftLimits {
            psi_max: 100.0,
            missing_rate_change_max: 1.0,
            new_level_rate_max: 1.0,
            out_of_range_rate_max: 1.0,
        });
        let batch = table(&[
            ("x", nums(&[50.0])),
            ("s", texts(&["z"])),
            ("t", Column::Time(vec![MISSING_TIME])),
        ]);
        assert!(drift(&sealed(&config), &batch, 1).unwrap().holds());
    }

    #[test]
    fn rows_outside_the_population_are_counted_alone() {
        let mut config = config();
        let max = Some(Bound::Num(5.0));
        config.population = vec![RowFilter { max, ..RowFilter::present("x") }];
        let artifact = sealed(&config);
        let found = drift(&artifact, &training(), 4).unwrap();
        assert_eq!((found.n_rows, found.n_outside), (6, Some(5)));
        assert!(found.holds(), "{found:?}");
        let error = drift(&artifact, &training().select(&[8, 9]), 4).unwrap_err();
        assert_eq!(error.to_string(), "expected rows inside the population, found 2 outside alone");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let artifact = sealed(&config());
        let none = training().select(&[]);
        assert_eq!(drift(&artifact, &none, 4).unwrap_err().code(), Code::TooFewRows);
        let mut old = artifact.payload().clone();
        old.profile.columns.values_mut().for_each(|column| column.spread = None);
        let bound = artifact.plan().bind(&training()).unwrap();
        let error = Drift::of(&old, &MemoryRows::from_batch(bound)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `s`: expected a training profile with quantiles and labels, found none (an \
             older release made the artifact: fit it again)"
        );
        let other = MemoryRows::from_batch(table(&[("x", nums(&[1.0]))]));
        assert_eq!(Drift::of(artifact.payload(), &other).unwrap_err().code(), Code::MissingColumn);
    }

    #[test]
    fn labels_beyond_the_listed_ones_are_not_called_new() {
        let counts = crate::aggregate::Counts {
            levels: (0..101).map(|i| (format!("{i:03}"), 1)).collect(),
            n_missing: 0,
        };
        let profile = ColumnProfile {
            n_missing: 0,
            values: ValueProfile::Text(101),
            spread: Some(Spread::Text(LevelSpread::of(&counts))),
        };
        let mut counts = ColumnCounts { n_missing: 0, values: ValueCounts::new(&profile) };
        counts.observe(&texts(&["000", "100", "zzz"]), &[0, 1, 2]);
        let found = counts.finish(&profile, 101, 3);
        assert_eq!((found.new_level_rate, found.new_levels.len()), (None, 0));
        assert!(found.psi.is_some());
    }
}
