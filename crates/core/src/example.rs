//! The example table: small, deterministic, with every trouble that real tables have.
//!
//! Every kind gives uses of itself over this table; conformance, values, parity and the docs run
//! them.

mod wide;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::batch::{Batch, Column, ColumnKind, Field, MISSING_TIME, Schema};
use crate::config::{Config, Task};
use crate::error::Result;
use crate::models::{LinearRegressionParams, ModelParams};
use crate::pipeline::{Table, fit};
use crate::rng::{Draw, Seed, Stream};
use crate::transforms::{MeanMedianImputerParams, OrdinalEncoderParams, StandardScalerParams};

pub use wide::{WIDE_BINARY_TARGET, WIDE_REGRESSION_TARGET, wide_table};

/// Name and kind of every column; those of [`NO_FEATURES`] stand last.
pub const COLUMNS: &[(&str, ColumnKind)] = &[
    ("age", ColumnKind::Num),
    ("area", ColumnKind::Num),
    ("constant", ColumnKind::Num),
    ("count", ColumnKind::Num),
    ("deck", ColumnKind::Text),
    ("fare", ColumnKind::Num),
    ("grade", ColumnKind::Text),
    ("name", ColumnKind::Text),
    ("rooms", ColumnKind::Num),
    ("seen", ColumnKind::Time),
    ("sex", ColumnKind::Text),
    ("sold", ColumnKind::Num),
    ("year", ColumnKind::Num),
    ("bought", ColumnKind::Num),
    ("price", ColumnKind::Num),
    ("band", ColumnKind::Text),
    ("weight", ColumnKind::Num),
];

/// The binary target.
pub const BINARY_TARGET: &str = "bought";
/// The regression target, always positive.
pub const REGRESSION_TARGET: &str = "price";
/// The multiclass target: the price as one of [`CLASSES`].
pub const MULTICLASS_TARGET: &str = "band";
/// The labels of the multiclass target.
pub const CLASSES: [&str; 3] = ["low", "mid", "high"];
/// What rows count where a fit is weighted: 0 to 2.
pub const WEIGHT: &str = "weight";
/// Columns that are no features: the targets and the weight.
pub const NO_FEATURES: [&str; 4] = [BINARY_TARGET, REGRESSION_TARGET, MULTICLASS_TARGET, WEIGHT];
/// Columns without a missing value, fit for any model.
pub const COMPLETE_COLUMNS: &[&str] = &["area", "count", "rooms", "year"];

const FIRST_NAMES: [&str; 5] = ["Anna", "Jonas", "Zoë", "Li", "Ömer"];
const TITLES: [&str; 5] = ["Mr", "Mrs", "Miss", "Master", "Dr"];
const GRADES: [&str; 5] = ["Po", "Fa", "TA", "Gd", "Ex"];

/// `n_rows` rows of the table; another seed gives other rows of the same kind.
///
/// `age` and `fare` have missing values, `deck` mostly; `area` is positive, `fare` has ties and
/// zeros, `count` is a small whole number, `constant` is 7.5, `sold` lies after `year`.
pub fn table(n_rows: usize, seed: u64) -> Batch {
    let mut draws = Stream::new(Seed(seed), "example", "", "table").pcg();
    let mut columns: Vec<Column> = COLUMNS.iter().map(|(_, kind)| Column::empty(*kind)).collect();
    for _ in 0..n_rows {
        push_row(&mut columns, &mut draws);
    }
    let fields = COLUMNS.iter().map(|(name, kind)| Field::new(*name, *kind));
    let schema = Schema::new(fields).unwrap_or_default();
    Batch::new(Arc::new(schema), columns).unwrap_or_default()
}

fn push_row(columns: &mut [Column], draws: &mut impl Draw) {
    let missing = |one_in: u64, draws: &mut dyn FnMut() -> u64| draws() % one_in == 0;
    let mut next = || draws.next_u64() >> 11;
    let whole = |n: u64| n as f64;
    let age = if missing(5, &mut next) { f64::NAN } else { whole(next() % 160) / 2.0 };
    let area = whole(next() % 4000 + 200) / 8.0;
    let count = whole(next() % 4);
    let deck = if missing(2, &mut next) {
        None
    } else {
        Some(["A12", "B5 B7", "C", "F G3"][pick(&mut next, 4)])
    };
    let fare = match next() % 10 {
        0 => f64::NAN,
        1 => 0.0,
        _ => whole(next() % 900) * 0.05,
    };
    let grade = GRADES[pick(&mut next, GRADES.len())];
    let title = TITLES[pick(&mut next, TITLES.len())];
    let name = format!("Sørensen, {title}. {}", FIRST_NAMES[pick(&mut next, FIRST_NAMES.len())]);
    let rooms = whole(next() % 7 + 1);
    let day = 86_400_000_000;
    let seen = if missing(6, &mut next) { MISSING_TIME } else { (next() % 20_000) as i64 * day };
    let sex = ["f", "m"][pick(&mut next, 2)];
    let year = whole(1900 + next() % 110);
    let sold = year + whole(next() % 12);
    let noise = whole(next() % 1000);
    let price = 1000.0 + 3.0 * area + 400.0 * rooms + if sex == "f" { 250.0 } else { 0.0 } + noise;
    let bought = f64::from(u8::from(price + 2.0 * whole(next() % 800) > 4200.0));
    let band = CLASSES[usize::from(price > 3200.0) + usize::from(price > 4200.0)];
    let weight = (count + f64::from(u8::from(sex == "f"))) * 0.5;
    let nums = [
        (0, age),
        (1, area),
        (2, 7.5),
        (3, count),
        (5, fare),
        (8, rooms),
        (11, sold),
        (12, year),
        (13, bought),
        (14, price),
        (16, weight),
    ];
    for (slot, x) in nums {
        if let Column::Num(v) = &mut columns[slot] {
            v.push(crate::math::canonical(x));
        }
    }
    let labels =
        [(4, deck), (6, Some(grade)), (7, Some(name.as_str())), (10, Some(sex)), (15, Some(band))];
    for (slot, label) in labels {
        if let Column::Text(v) = &mut columns[slot] {
            v.push(label);
        }
    }
    if let Column::Time(v) = &mut columns[9] {
        v.push(seen);
    }
}

fn pick(next: &mut impl FnMut() -> u64, n: usize) -> usize {
    (next() % n as u64) as usize
}

/// A config over the table with all its columns declared and no step yet.
pub fn config(task: Task, model: impl Into<ModelParams>) -> Config {
    let target = match task {
        Task::Regression => REGRESSION_TARGET,
        Task::Binary => BINARY_TARGET,
        Task::Multiclass => MULTICLASS_TARGET,
    };
    let mut config = Config::new(target, task, model);
    for (name, kind) in COLUMNS {
        if *name == target || !NO_FEATURES.contains(name) {
            config.data.columns.insert((*name).to_owned(), (*kind).into());
        }
    }
    if task == Task::Multiclass {
        config.target.classes = CLASSES.map(str::to_owned).to_vec();
    }
    config
}

/// A small regression pipeline fitted on 200 rows of the table and sealed: an artifact without a
/// file, for the documentation, tests and benches of whatever scores.
///
/// # Errors
/// Never: the tests hold it.
pub fn artifact() -> Result<Artifact> {
    let mut config = config(Task::Regression, LinearRegressionParams::default())
        .step("impute", &["age"], MeanMedianImputerParams::default())
        .step("encode", &["grade", "sex"], OrdinalEncoderParams::default())
        .step("scale", &["age", "area"], StandardScalerParams::default());
    let used = ["age", "area", "grade", "rooms", "sex", REGRESSION_TARGET];
    config.data.columns.retain(|name, _| used.contains(&name.as_str()));
    let rows = Table::new(&config, &table(200, 1))?;
    let data = rows.fingerprint();
    let fitted = fit(&config, rows.into_rows())?;
    Artifact::seal(&config, data, fitted, BTreeMap::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_artifact_is_the_same_file_every_time() {
        let first = artifact().unwrap();
        assert_eq!(first.bytes(), artifact().unwrap().bytes());
        assert_eq!(first.payload().golden.n_rows(), 16);
    }
}
