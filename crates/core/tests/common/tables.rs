//! Tables of the example schema: as they are, wild, and with one named trouble.

use std::sync::Arc;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{
    Batch, Column, ColumnKind, Field, MISSING_TIME, RowKeyer, Schema, TextColumn, fit_keys,
};
use samescore_core::config::Task;
use samescore_core::example::{
    self, BINARY_TARGET, CLASSES, MULTICLASS_TARGET, NO_FEATURES, REGRESSION_TARGET, WEIGHT,
};
use samescore_core::rng::{Draw, Seed, Stream, permutation};

/// The example table.
pub fn example(seed: u64, n_rows: usize) -> Batch {
    example::table(n_rows, seed)
}

/// The features of a table with keys, targets and fitting keys, as the door makes them.
pub fn keyed(table: &Batch, task: Task) -> Batch {
    let slot = |name: &str| table.schema().slot(name).expect("a target of the table");
    let y = match task {
        Task::Regression => table.num(slot(REGRESSION_TARGET)).to_vec(),
        Task::Binary => table.num(slot(BINARY_TARGET)).to_vec(),
        Task::Multiclass => classes(table.text(slot(MULTICLASS_TARGET))),
    };
    let mut features = table.clone();
    let mut targets = NO_FEATURES.map(slot);
    targets.sort();
    features.remove(&targets);
    let schema = Arc::new(table.schema().without(&targets));
    let mut batch = Batch::new(Arc::clone(&schema), features.columns().to_vec())
        .expect("the columns of the table");
    let keyer = RowKeyer::new(&schema, &[]).expect("no declared key");
    keyer.key(&mut batch);
    let keys = fit_keys(batch.keys().to_vec(), &y, &[]);
    batch.set_target(y, keys);
    batch
}

/// The position of each label.
fn classes(labels: &TextColumn) -> Vec<f64> {
    let position = |row: usize| {
        let label = labels.get(row).expect("a label in every row");
        CLASSES.iter().position(|class| *class == label).expect("one of the classes") as f64
    };
    (0..labels.len()).map(position).collect()
}

/// The same rows, each with the weight that the table has for it.
pub fn weighted(batch: &Batch, table: &Batch) -> Batch {
    let weights = table.num(table.schema().slot(WEIGHT).expect("the weight of the table")).to_vec();
    let mut batch = batch.clone();
    let keys = fit_keys(batch.keys().to_vec(), batch.target(), &weights);
    batch.set_target(batch.target().to_vec(), keys);
    batch.set_weights(weights);
    batch
}

/// The rows in blocks.
pub fn rows(batch: &Batch, block_rows: usize) -> MemoryRows {
    let schema = Arc::clone(batch.schema());
    MemoryRows::new(schema, batch.clone().into_blocks(block_rows))
}

/// The numbers from 0 below `n` in an order that `seed` decides.
pub fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let stream = Stream::new(Seed(seed), "suite", "", "order");
    let order = permutation(n as u64, &mut stream.pcg());
    order.into_iter().map(|i| i as usize).collect()
}

/// The rows in another order.
pub fn reordered(batch: &Batch, seed: u64) -> Batch {
    batch.select(&shuffled(batch.n_rows(), seed))
}

/// A table of the example schema in which `seed` decides what trouble each column has. The targets
/// stay as they are: the door refuses the others.
pub fn wild(seed: u64, n_rows: usize) -> Batch {
    let mut draws = Stream::new(Seed(seed), "suite", "", "wild").pcg();
    let table = example(seed, n_rows);
    let columns = table.schema().fields().iter().zip(table.columns());
    let columns = columns.map(|(field, column)| {
        let flavour = draws.next_u64() % 24;
        if NO_FEATURES.contains(&field.name.as_str()) {
            return column.clone();
        }
        wild_column(column, flavour, &mut || draws.next_u64() >> 11)
    });
    let columns = columns.collect();
    Batch::new(Arc::clone(table.schema()), columns).expect("the columns of the table")
}

fn wild_column(column: &Column, flavour: u64, next: &mut dyn FnMut() -> u64) -> Column {
    match column {
        Column::Num(v) => Column::num(v.iter().enumerate().map(|(row, &x)| {
            let n = next();
            wild_number(flavour, row, x, n)
        })),
        Column::Text(v) => {
            let mut text = TextColumn::default();
            for row in 0..v.len() {
                let n = next();
                text.push(wild_label(flavour, row, v.get(row), n).as_deref());
            }
            Column::Text(text)
        }
        Column::Time(v) => Column::Time(
            v.iter()
                .enumerate()
                .map(|(row, &t)| {
                    let n = next();
                    wild_time(flavour, row, t, n)
                })
                .collect(),
        ),
    }
}

fn wild_number(flavour: u64, row: usize, x: f64, n: u64) -> f64 {
    let whole = |n: u64| n as f64;
    match flavour {
        0 => 3.25,
        1 => f64::NAN,
        2 if row % 3 == 0 => f64::NAN,
        3 => [f64::INFINITY, x, f64::NEG_INFINITY, x][(n % 4) as usize],
        4 => [-0.0, 0.0, -1.0, 1.0][(n % 4) as usize],
        5 => f64::from_bits(n % 64),
        6 => x * 1e300,
        7 => 1.0 + whole(n % 16) * f64::EPSILON,
        8 => whole(n % 2),
        9 => -whole(n % 1000),
        10 => (whole(n) - 4_503_599_627_370_496.0) * 1e-9,
        _ => x,
    }
}

fn wild_label(flavour: u64, row: usize, label: Option<&str>, n: u64) -> Option<String> {
    match flavour {
        0 => Some("one".to_owned()),
        1 => None,
        2 if row % 3 == 0 => None,
        3 => Some(format!("label {n}")),
        4 => Some(["", " ", "é", "e\u{301}", "日本", "a,b\"c\n"][(n % 6) as usize].to_owned()),
        5 => Some("x".repeat((n % 5) as usize * 100)),
        6 => Some(["1", "01", "1.0", "-0", "NaN"][(n % 5) as usize].to_owned()),
        _ => label.map(str::to_owned),
    }
}

fn wild_time(flavour: u64, row: usize, t: i64, n: u64) -> i64 {
    match flavour {
        0 => 0,
        1 => MISSING_TIME,
        2 if row % 3 == 0 => MISSING_TIME,
        3 => [i64::MIN + 1, i64::MAX, 0, -1][(n % 4) as usize],
        4 => -(n as i64),
        5 => 951_782_400_000_000 + (n % 3) as i64 * 43_200_000_000,
        _ => t,
    }
}

/// Tables with one named trouble in every feature.
pub const TROUBLES: &[&str] = &[
    "no row",
    "one row",
    "constant columns",
    "all missing",
    "unseen labels",
    "infinities",
    "negative zeros",
    "subnormals",
    "huge numbers",
    "negative numbers",
];

/// A table of the example schema with that trouble in every feature.
pub fn troubled(trouble: &str, seed: u64) -> Batch {
    let n_rows = match trouble {
        "no row" => 0,
        "one row" => 1,
        _ => 30,
    };
    let table = example(seed, n_rows);
    let n_features = table.schema().len() - NO_FEATURES.len();
    let columns = table.columns().iter().enumerate().map(|(slot, column)| {
        if slot >= n_features {
            return column.clone();
        }
        trouble_column(trouble, column)
    });
    let columns = columns.collect();
    Batch::new(Arc::clone(table.schema()), columns).expect("the columns of the table")
}

fn trouble_column(trouble: &str, column: &Column) -> Column {
    let rows = 0..column.len();
    match (trouble, column) {
        ("constant columns", _) => {
            let mut constant = Column::empty(column.kind());
            let value = (0..column.len()).find(|&row| !column.is_missing(row));
            let value = column.value(value.unwrap_or(0));
            rows.for_each(|_| constant.push(&value).expect("its own kind"));
            constant
        }
        ("all missing", Column::Num(_)) => Column::num(rows.map(|_| f64::NAN)),
        ("all missing", Column::Text(_)) => Column::text(rows.map(|_| None)),
        ("all missing", Column::Time(_)) => Column::Time(rows.map(|_| MISSING_TIME).collect()),
        ("unseen labels", Column::Text(_)) => {
            let labels = ["never seen", "", "nor this", "\u{0}"];
            Column::text(rows.map(|row| Some(labels[row % labels.len()])))
        }
        ("infinities", Column::Num(v)) => {
            let infinite = [f64::INFINITY, f64::NEG_INFINITY];
            Column::num(rows.map(|r| if r % 3 == 2 { v[r] } else { infinite[r % 3] }))
        }
        ("infinities", Column::Time(_)) => {
            Column::Time(rows.map(|r| [i64::MIN + 1, i64::MAX][r % 2]).collect())
        }
        ("negative zeros", Column::Num(_)) => {
            Column::num(rows.map(|r| if r % 2 == 0 { -0.0 } else { 0.0 }))
        }
        ("subnormals", Column::Num(_)) => Column::num(rows.map(|r| f64::from_bits(r as u64 + 1))),
        ("huge numbers", Column::Num(_)) => {
            Column::num(rows.map(|r| if r % 2 == 0 { f64::MAX } else { -f64::MAX / 3.0 }))
        }
        ("negative numbers", Column::Num(v)) => Column::num(v.iter().map(|x| -x)),
        _ => column.clone(),
    }
}

/// The same values with labels in every text column's dictionary that no row has.
pub fn with_idle_labels(batch: &Batch) -> Batch {
    let mut other = batch.clone();
    for slot in 0..batch.schema().len() {
        if let Column::Text(text) = batch.column(slot) {
            let mut idle = TextColumn::default();
            ["zz idle", "", "a idle"].iter().for_each(|label| {
                idle.intern(label);
            });
            idle.extend_from(text, 0..text.len());
            other.replace(slot, Column::Text(idle));
        }
    }
    other
}

/// The table without a column, with one more, or with its columns in another order.
pub fn without(table: &Batch, name: &str) -> Batch {
    let kept = (0..table.schema().len()).filter(|&s| table.schema().fields()[s].name != name);
    of_slots(table, &kept.collect::<Vec<_>>())
}

pub fn reversed_columns(table: &Batch) -> Batch {
    of_slots(table, &(0..table.schema().len()).rev().collect::<Vec<_>>())
}

pub fn with_extra(table: &Batch) -> Batch {
    let extra = Field::new("aa extra", ColumnKind::Text);
    let fields = [extra].into_iter().chain(table.schema().fields().to_vec());
    let schema = Schema::new(fields).expect("a new name");
    let extra = Column::text((0..table.n_rows()).map(|_| Some("extra")));
    let columns = [extra].into_iter().chain(table.columns().to_vec());
    Batch::new(Arc::new(schema), columns.collect()).expect("one more column")
}

/// The table with another kind of column under the name.
pub fn with_wrong_kind(table: &Batch, name: &str) -> Batch {
    let slot = table.schema().slot(name).expect("a column of the table");
    let (kind, column) = match table.column(slot) {
        Column::Num(v) => (ColumnKind::Text, Column::text(v.iter().map(|_| Some("1")))),
        other => {
            let ones = (0..other.len()).map(|_| 1.0);
            (ColumnKind::Num, Column::num(ones))
        }
    };
    let schema = table.schema().with_kind(&[slot], kind);
    let mut columns = table.columns().to_vec();
    columns[slot] = column;
    Batch::new(Arc::new(schema), columns).expect("the columns of the table")
}

fn of_slots(table: &Batch, slots: &[usize]) -> Batch {
    let fields = slots.iter().map(|&s| table.schema().fields()[s].clone());
    let schema = Schema::new(fields).expect("unique names");
    let columns = slots.iter().map(|&s| table.column(s).clone()).collect();
    Batch::new(Arc::new(schema), columns).expect("columns of the table")
}
