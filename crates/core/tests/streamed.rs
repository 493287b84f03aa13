//! A table that is read block by block against the same table in memory: the same artifact, the
//! same sides of a split, the same refusals.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite counts calls; what it judges does not"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use samescore_core::aggregate::{Blocks, Rows};
use samescore_core::batch::{Batch, Column, ColumnKind, Schema};
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_core::example::{self, MULTICLASS_TARGET, REGRESSION_TARGET, WEIGHT};
use samescore_core::models::{LinearRegressionParams, LogisticRegressionParams};
use samescore_core::pipeline::{StreamedTable, Table, fit};
use samescore_core::transforms::{
    DropColumnsParams, LogTransformerParams, MeanMedianImputerParams, OrdinalEncoderParams,
    RandomSampleImputerParams, StandardScalerParams,
};

use common::run::threads;
use common::{blocks, pipelines, tables};

const BLOCKS: [(usize, usize); 4] = [(1, 8), (3, 2), (64, 1), (1000, 8)];

/// Steps that draw, learn from the target, and drop a time.
fn config() -> Config {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default())
        .step("impute", &["age"], MeanMedianImputerParams::default())
        .step("draw", &["fare"], RandomSampleImputerParams::default())
        .step("encode", &["grade", "sex"], OrdinalEncoderParams::default())
        .step("scale", &["age", "area"], StandardScalerParams::default())
        .step("drop", &["seen"], DropColumnsParams::default());
    let used = ["age", "area", "fare", "grade", "rooms", "seen", "sex", "year", REGRESSION_TARGET];
    config.data.columns.retain(|name, _| used.contains(&name.as_str()));
    config
}

fn expect_same(config: &Config, batch: &Batch, what: &str) {
    let expected = pipelines::seal(config, batch, 4096).expect("the table can be fitted on");
    for (block_rows, n_threads) in BLOCKS {
        let found = threads(n_threads).run(|| blocks::seal(config, batch, block_rows));
        let found = found.expect("the same table can be fitted on");
        assert!(
            found.bytes() == expected.bytes(),
            "{what}: another artifact, blocks of {block_rows}, {n_threads} threads"
        );
    }
}

fn with(batch: &Batch, name: &str, kind: ColumnKind, column: Column) -> Batch {
    let slot = batch.schema().slot(name).expect("a column of the table");
    let mut columns = batch.columns().to_vec();
    columns[slot] = column;
    let schema = Arc::new(batch.schema().with_kind(&[slot], kind));
    Batch::new(schema, columns).expect("columns of one length")
}

#[test]
fn weights_keys_and_identical_rows_in_blocks_are_those_in_memory() {
    let table = example::table(150, 5);
    expect_same(&config(), &table, "plain");
    let mut weighted = config();
    weighted.data.columns.insert(WEIGHT.to_owned(), ColumnKind::Num.into());
    weighted.data.weight = Some(WEIGHT.to_owned());
    expect_same(&weighted, &table, "weights");
    // Every row four times, far apart: occurrence numbers go over all blocks.
    let places: Vec<usize> = (0..4).flat_map(|_| 0..100).collect();
    expect_same(&config(), &table.select(&places), "identical rows");
    let mut keyed = config();
    keyed.data.columns.insert("count".to_owned(), ColumnKind::Num.into());
    keyed.data.key = vec!["count".to_owned()];
    let numbers = Column::num((0..150u32).rev().map(f64::from));
    expect_same(&keyed, &with(&table, "count", ColumnKind::Num, numbers), "declared key");
}

#[test]
fn labels_and_classes_as_targets_are_those_in_memory() {
    let table = example::table(150, 6);
    let mut binary = config();
    binary.model = LogisticRegressionParams::default().into();
    binary.target.task = Task::Binary;
    binary.target.column = "name".to_owned();
    binary.target.positive = Some("yes".to_owned());
    binary.data.columns.remove(REGRESSION_TARGET);
    binary.data.columns.insert("name".to_owned(), ColumnKind::Text.into());
    let labels: Vec<Option<&str>> =
        table.num(1).iter().map(|x| Some(if *x > 250.0 { "yes" } else { "no" })).collect();
    expect_same(&binary, &with(&table, "name", ColumnKind::Text, Column::text(labels)), "labels");
    let mut classes = config();
    classes.model = LogisticRegressionParams::default().into();
    classes.target.task = Task::Multiclass;
    classes.target.column = MULTICLASS_TARGET.to_owned();
    classes.target.classes = example::CLASSES.map(str::to_owned).to_vec();
    classes.data.columns.remove(REGRESSION_TARGET);
    classes.data.columns.insert(MULTICLASS_TARGET.to_owned(), ColumnKind::Text.into());
    expect_same(&classes, &table, "classes");
}

#[test]
fn a_division_has_the_rows_of_two_filters() {
    let (config, batch) = (config(), example::table(150, 7));
    let keep = |block: &Batch, row: usize| block.fit_keys()[row].0 % 3 != 0;
    let table = Table::new(&config, &batch).expect("a table");
    let (train, test) = (table.filter(keep), table.filter(|block, row| !keep(block, row)));
    let pipeline = fit(&config, train.clone()).expect("a fit").pipeline;
    for (block_rows, n_threads) in BLOCKS {
        threads(n_threads).run(|| {
            let streamed = blocks::table(&config, &batch, block_rows).expect("a table");
            assert_eq!(streamed.n_rows(), 150);
            let (kept, others) = streamed.divide(keep).expect("two sides");
            assert_eq!((kept.n_rows(), others.n_rows()), (train.n_rows(), test.n_rows()));
            for (rows, expected) in [(&kept, &train), (&others, &test)] {
                let found = rows.collect().expect("all rows");
                let expected = expected.collect().expect("all rows");
                assert_eq!(found.fit_keys(), expected.fit_keys());
                assert_eq!(found.target(), expected.target());
            }
            assert!(fit(&config, kept).expect("a fit").pipeline == pipeline);
        });
    }
}

/// What memory and blocks of several sizes say of a table that cannot be fitted on.
fn refusal(config: &Config, batch: &Batch, expected: &str) {
    let in_memory = pipelines::seal(config, batch, 4096).map(|_| ()).expect_err(expected);
    assert!(in_memory.to_string().contains(expected), "{in_memory} should contain {expected}");
    for (block_rows, n_threads) in BLOCKS {
        let found = threads(n_threads).run(|| blocks::seal(config, batch, block_rows));
        assert_eq!(found.map(|_| ()), Err(in_memory.clone()), "blocks of {block_rows}");
    }
}

#[test]
fn what_cannot_be_fitted_on_is_refused_in_the_same_words() {
    let (plain, table) = (config(), example::table(90, 8));
    let changed = |name: &str, row: usize, x: f64| {
        let slot = table.schema().slot(name).expect("a column of the table");
        let mut values = table.num(slot).to_vec();
        values[row] = x;
        with(&table, name, ColumnKind::Num, Column::num(values))
    };
    refusal(&plain, &changed(REGRESSION_TARGET, 71, f64::NAN), "row 71: expected a target");
    refusal(&plain, &changed(REGRESSION_TARGET, 2, f64::INFINITY), "row 2: expected a finite");
    refusal(&plain, &changed(REGRESSION_TARGET, 2, 1e308), "found");
    refusal(&plain, &tables::without(&table, "age"), "column `age`: expected it, found");
    refusal(&plain, &tables::with_wrong_kind(&table, "age"), "column `age`: expected num");
    refusal(&plain, &table.select(&[]), "expected rows to fit on, found none");
    // A step that cannot transform several rows names the first one.
    let mut log = plain.clone();
    log.steps.insert(
        2,
        log.clone().step("log", &["fare"], LogTransformerParams::default()).steps[5].clone(),
    );
    refusal(&log, &table, "step `log`: column `fare`: row ");

    let mut weighted = plain.clone();
    weighted.data.columns.insert(WEIGHT.to_owned(), ColumnKind::Num.into());
    weighted.data.weight = Some(WEIGHT.to_owned());
    refusal(&weighted, &changed(WEIGHT, 50, -1.0), "row 50: expected a weight of at least 0");
    let zeros = with(&table, WEIGHT, ColumnKind::Num, Column::num(vec![0.0; 90]));
    refusal(&weighted, &zeros, "expected a weight above 0");

    let mut keyed = plain.clone();
    keyed.data.key = vec!["rooms".to_owned(), "year".to_owned()];
    refusal(&keyed, &table.select(&[5, 4, 3, 4, 5]), "repeated in rows [4, 5]");
    let mut by_age = plain.clone();
    by_age.data.key = vec!["age".to_owned()];
    refusal(&by_age, &table, "expected a key in every row, found none in rows");

    let mut faulty = table.clone();
    for row in [60, 9] {
        faulty.fault(row, 0, Error::new(Code::BadValue, "expected a number, found text"));
    }
    // What is wrong with the source comes before what is wrong with a target.
    refusal(&plain, &faulty, "column `age`: row 9: expected a number");
}

/// A table whose block 1 has its first two rows in another order from the third reading on.
struct Changing(Batch, AtomicUsize);

impl Blocks for Changing {
    fn schema(&self) -> &Arc<Schema> {
        self.0.schema()
    }

    fn n_blocks(&self) -> usize {
        2
    }

    fn read(&self, index: usize) -> Result<Batch> {
        let mut rows: Vec<usize> = (index * 20..index * 20 + 20).collect();
        if index == 1 && self.1.fetch_add(1, Ordering::SeqCst) > 1 {
            rows.swap(0, 1);
        }
        Ok(self.0.select(&rows))
    }
}

#[test]
fn a_source_that_changes_under_the_fit_is_refused() {
    let config = config();
    let changing = Changing(example::table(40, 9), AtomicUsize::new(0));
    let table = StreamedTable::new(&config, Arc::new(changing)).expect("the first pass");
    let error = fit(&config, table.rows()).map(|_| ()).expect_err("a change");
    assert_eq!((error.code(), error.row_idx()), (Code::SourceChanged, Some(20)));
}

#[test]
fn a_source_without_blocks_is_a_table_without_rows() {
    let config = config();
    let empty = blocks::Cut { batch: example::table(0, 1), block_rows: 7 };
    assert_eq!(empty.n_blocks(), 0);
    let table = StreamedTable::new(&config, Arc::new(empty)).expect("a table");
    let expected = Table::new(&config, &example::table(0, 1)).expect("a table");
    assert_eq!((table.n_rows(), table.fingerprint()), (0, expected.fingerprint()));
    let error = fit(&config, table.rows()).map(|_| ()).expect_err("no row");
    assert_eq!(error.message(), "expected rows to fit on, found none");
}
