//! Folds and shares as functions of seed, keys and the multiset of rows.

use samescore_core::aggregate::MemoryRows;
use samescore_core::config::{Config, SplitConfig, Task};
use samescore_core::digest::RowKey;
use samescore_core::example;
use samescore_core::math;
use samescore_core::models::ModelParams;
use samescore_core::pipeline::Table;
use samescore_core::rng::Seed;
use samescore_research::convert;
use samescore_research::folds::{FoldPlan, Folds, Purpose, Scheme};
use samescore_research::subset::{self, Share};

fn config(task: Task) -> Config {
    let models = ModelParams::examples().into_iter().map(|e| e.params);
    let model = models.into_iter().find(|m| m.tasks().contains(&task)).unwrap();
    example::config(task, model)
}

fn table(config: &Config, n_rows: usize, is_shuffled: bool, block_rows: usize) -> MemoryRows {
    let mut batch = example::table(n_rows, 1);
    if is_shuffled {
        batch = convert::shuffled(&batch, Seed(9));
    }
    Table::with_block_rows(config, &batch, block_rows).unwrap().into_rows()
}

fn keys(rows: &MemoryRows) -> Vec<RowKey> {
    let mut keys: Vec<RowKey> = rows.blocks().iter().flat_map(|b| b.fit_keys().to_vec()).collect();
    keys.sort();
    keys
}

fn targets(rows: &MemoryRows) -> Vec<f64> {
    rows.blocks().iter().flat_map(|b| b.target().to_vec()).collect()
}

fn schemes() -> [Scheme; 3] {
    [Scheme::KFold, Scheme::Stratified, Scheme::Time { column: "year".to_owned() }]
}

#[test]
fn folds_do_not_depend_on_the_order_or_blocks_of_rows() {
    for task in [Task::Regression, Task::Binary] {
        let config = config(task);
        let (one, two) = (table(&config, 300, false, 4096), table(&config, 300, true, 7));
        for scheme in schemes() {
            let plan = FoldPlan { scheme, n_folds: 4 };
            let [a, b] =
                [&one, &two].map(|rows| Folds::new(&config, rows, &plan, Purpose::Judge).unwrap());
            for fold in 0..4 {
                assert_eq!(keys(&a.train(&one, fold)), keys(&b.train(&two, fold)));
                assert_eq!(keys(&a.test(&one, fold)), keys(&b.test(&two, fold)));
            }
        }
    }
}

#[test]
fn every_row_is_tested_once_and_never_by_a_fit_that_saw_it() {
    let config = config(Task::Regression);
    let rows = table(&config, 200, false, 64);
    for scheme in [Scheme::KFold, Scheme::Stratified] {
        let plan = FoldPlan { scheme, n_folds: 5 };
        let folds = Folds::new(&config, &rows, &plan, Purpose::Judge).unwrap();
        let mut tested = Vec::new();
        for fold in 0..folds.n_folds() {
            let (train, test) = (keys(&folds.train(&rows, fold)), keys(&folds.test(&rows, fold)));
            assert_eq!(train.len() + test.len(), 200);
            assert!(test.iter().all(|key| train.binary_search(key).is_err()));
            tested.extend(test);
        }
        tested.sort();
        assert_eq!(tested, keys(&rows));
    }
}

#[test]
fn strata_differ_by_at_most_one_row_between_folds() {
    let binary = config(Task::Binary);
    let rows = table(&binary, 203, false, 64);
    let plan = FoldPlan { scheme: Scheme::Stratified, n_folds: 4 };
    let folds = Folds::new(&binary, &rows, &plan, Purpose::Judge).unwrap();
    for class in [0.0, 1.0] {
        let n =
            |fold| targets(&folds.test(&rows, fold)).into_iter().filter(|y| *y == class).count();
        let counts: Vec<usize> = (0..4).map(n).collect();
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }
    let regression = config(Task::Regression);
    let rows = table(&regression, 200, false, 64);
    let folds = Folds::new(&regression, &rows, &plan, Purpose::Judge).unwrap();
    let mut sorted = targets(&rows);
    sorted.sort_by(|a, b| math::total_cmp(*a, *b));
    // The lowest tenth of the targets: 20 rows, five in each fold.
    let n =
        |fold| targets(&folds.test(&rows, fold)).into_iter().filter(|y| *y < sorted[20]).count();
    assert_eq!((0..4).map(n).collect::<Vec<_>>(), [5, 5, 5, 5]);
}

#[test]
fn a_fit_in_time_never_sees_what_came_after() {
    let config = config(Task::Regression);
    let rows = table(&config, 300, true, 50);
    let plan = FoldPlan { scheme: Scheme::Time { column: "year".to_owned() }, n_folds: 3 };
    let folds = Folds::new(&config, &rows, &plan, Purpose::Judge).unwrap();
    let slot = rows.blocks()[0].schema().slot("year").unwrap();
    let years = |rows: &MemoryRows| -> Vec<f64> {
        rows.blocks().iter().flat_map(|b| b.num(slot).to_vec()).collect()
    };
    let mut n_before = 0;
    for fold in 0..3 {
        let (train, test) = (years(&folds.train(&rows, fold)), years(&folds.test(&rows, fold)));
        assert!(train.iter().all(|a| test.iter().all(|b| a < b)));
        assert!(train.len() > n_before && !test.is_empty());
        n_before = train.len();
    }
}

#[test]
fn groups_stay_together_in_folds() {
    let mut config = config(Task::Regression);
    config.split = Some(SplitConfig { test_ratio: 0.2, group: Some("rooms".to_owned()) });
    let rows = table(&config, 300, false, 64);
    let plan = FoldPlan { scheme: Scheme::KFold, n_folds: 2 };
    let folds = Folds::new(&config, &rows, &plan, Purpose::Judge).unwrap();
    let slot = rows.blocks()[0].schema().slot("rooms").unwrap();
    let rooms = |rows: &MemoryRows| -> Vec<u64> {
        rows.blocks().iter().flat_map(|b| b.num(slot).to_vec()).map(f64::to_bits).collect()
    };
    let (a, b) = (rooms(&folds.test(&rows, 0)), rooms(&folds.test(&rows, 1)));
    assert!(a.iter().all(|x| !b.contains(x)));
}

#[test]
fn inner_folds_are_unrelated_to_outer_ones() {
    let config = config(Task::Regression);
    let rows = table(&config, 200, false, 64);
    let plan = FoldPlan { scheme: Scheme::KFold, n_folds: 4 };
    let outer = Folds::new(&config, &rows, &plan, Purpose::Outer).unwrap();
    let train = outer.train(&rows, 0);
    let inner = Folds::new(&config, &train, &plan, Purpose::Inner).unwrap();
    for fold in 0..4 {
        let n = inner.test(&train, fold).n_rows();
        assert!((20..60).contains(&n), "{n}");
    }
}

#[test]
fn shares_are_nested_and_hold_the_classes_in_proportion() {
    for task in [Task::Regression, Task::Binary] {
        let config = config(task);
        let (rows, other) = (table(&config, 300, false, 64), table(&config, 300, true, 11));
        let mut before: Vec<RowKey> = Vec::new();
        for part in 1..=9 {
            let share = Share { part, of: 9 };
            let kept = subset::nested(&config, &rows, share);
            let now = keys(&kept);
            assert_eq!(now.len(), (300 * part as usize).div_ceil(9));
            assert!(before.iter().all(|key| now.binary_search(key).is_ok()));
            assert_eq!(now, keys(&subset::nested(&config, &other, share)));
            if task == Task::Binary {
                let n = |rows: &MemoryRows| {
                    targets(rows).into_iter().filter(|y| *y == 1.0).count() as f64
                };
                let expected = n(&rows) * kept.n_rows() as f64 / 300.0;
                assert!((n(&kept) - expected).abs() <= 1.0);
            }
            before = now;
        }
    }
}
