//! Aggregates are commutative monoids: any order, any partition, any merge tree, one state.

use std::fmt::Debug;
use std::sync::Arc;

use samescore_core::aggregate::{
    Aggregate, CentreRace, ClassSums, ClusterSums, ColumnMoments, ColumnQuantiles, ColumnValues,
    Gram, LevelCounts, LevelTargets, MissingCounts, Rows, TargetSummary, Term,
};
use samescore_core::batch::{Batch, ColumnKind, Schema};
use samescore_core::codec;
use samescore_core::config::Task;
use samescore_core::math::{self, GramSpec, QuantileType};
use samescore_core::rng::{Draw, Seed, Stream};

use crate::common::run::threads;
use crate::common::tables;

fn of_kind(schema: &Schema, kind: ColumnKind) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, f)| f.kind == kind).map(|(slot, _)| slot).collect()
}

/// Observes the blocks in a random order on a random number of workers, whose states travel as
/// bytes and are merged in a random order.
fn distributed<A: Aggregate>(start: &A, blocks: &[Batch], seed: u64) -> Vec<u8> {
    let mut draws = Stream::new(Seed(seed), "suite", "", "merge").pcg();
    let n_workers = 1 + draws.next_u64() as usize % 6;
    let mut workers = vec![start.clone(); n_workers];
    for index in tables::shuffled(blocks.len(), seed) {
        workers[draws.next_u64() as usize % n_workers].observe(&blocks[index]);
    }
    while workers.len() > 1 {
        let sent = workers.swap_remove(draws.next_u64() as usize % workers.len());
        let bytes = codec::encode(&sent).expect("a state can be sent");
        let arrived: A = codec::decode(&bytes).expect("a state can be read");
        let place = draws.next_u64() as usize % workers.len();
        workers[place].merge(&arrived);
    }
    codec::encode(&workers[0]).expect("a state can be stored")
}

fn check<A: Aggregate>(name: &str, start: impl Fn(&Batch) -> A) {
    for seed in 0..20 {
        let table = match seed % 2 {
            0 => tables::wild(seed, 50),
            _ => tables::example(seed, 50),
        };
        let batch = tables::keyed(&table, Task::Regression);
        let start = start(&batch);
        let mut whole = start.clone();
        whole.observe(&batch);
        let expected = codec::encode(&whole).expect("a state can be stored");
        for block_rows in [1, 7, 64] {
            let other = tables::reordered(&batch, seed);
            let blocks = other.into_blocks(block_rows);
            for order in 0..3 {
                let found = distributed(&start, &blocks, 3 * seed + order);
                assert!(
                    found == expected,
                    "{name}: table of seed {seed}, blocks of {block_rows}: another state"
                );
            }
        }
        let rows = tables::rows(&batch, 7);
        let rows: &dyn Rows = &rows;
        for n_threads in [1, 2, 8] {
            let found = threads(n_threads).run(|| rows.aggregate(start.clone()));
            let found = codec::encode(&found.expect("rows in memory")).expect("a state");
            assert!(found == expected, "{name}: seed {seed}: {n_threads} threads");
        }
    }
}

#[test]
fn moments_merge() {
    check("moments", |b| ColumnMoments::new(&of_kind(b.schema(), ColumnKind::Num)));
}

#[test]
fn distinct_values_merge() {
    check("values", |b| ColumnValues::new(&of_kind(b.schema(), ColumnKind::Num)));
}

#[test]
fn level_counts_merge() {
    check("levels", |b| LevelCounts::new(&of_kind(b.schema(), ColumnKind::Text)));
}

#[test]
fn level_targets_merge() {
    check("level targets", |b| LevelTargets::new(&of_kind(b.schema(), ColumnKind::Text)));
}

#[test]
fn missing_counts_merge() {
    check("missing", |b| MissingCounts::new(&(0..b.schema().len()).collect::<Vec<_>>()));
}

#[test]
fn target_summaries_merge() {
    check("target", |_| TargetSummary::default());
}

#[test]
fn gram_matrices_merge() {
    check("gram", |batch| {
        // Only columns without a gap: the models refuse the others before.
        let slots = of_kind(batch.schema(), ColumnKind::Num);
        let complete = |slot: &usize| batch.num(*slot).iter().all(|x| x.is_finite());
        let slots: Vec<usize> = slots.into_iter().filter(complete).collect();
        let columns = slots.iter().map(|&slot| batch.num(slot)).chain([batch.target()]);
        let reach = columns.map(|c| c.iter().fold(0.0, |reach, x| math::max(reach, x.abs())));
        // A column of ones stands before them.
        let max_abs: Vec<f64> = std::iter::once(1.0).chain(reach).collect();
        let spec = GramSpec {
            centers: vec![0.0; max_abs.len()],
            max_abs,
            slices: 3,
            n_rows: batch.n_rows() as u64,
        };
        Gram::new(&slots, &spec)
    });
}

/// Numeric columns without a gap, and two centres: the first two rows.
fn centres(batch: &Batch) -> (Vec<usize>, Vec<f64>) {
    let slots = of_kind(batch.schema(), ColumnKind::Num);
    let complete = |slot: &usize| batch.num(*slot).iter().all(|x| x.is_finite());
    let slots: Vec<usize> = slots.into_iter().filter(complete).collect();
    let value = |row: usize| slots.iter().map(move |&slot| batch.num(slot)[row]);
    let centres = value(0).chain(value(1)).collect();
    (slots, centres)
}

#[test]
fn cluster_sums_and_races_merge() {
    check("clusters", |batch| {
        let (slots, centres) = centres(batch);
        ClusterSums::new(&slots, &centres)
    });
    check("race", |batch| {
        let (slots, centres) = centres(batch);
        CentreRace::new(&slots, &centres, Stream::new(Seed(7), "step", "", "race"))
    });
}

#[test]
fn class_sums_merge() {
    check("classes", |batch| {
        let (slots, _) = centres(batch);
        let prices = batch.target().iter().fold(0.0, |most, y| math::max(most, *y));
        // Prices as classes; a row of the upper half is of none and left out.
        ClassSums::new(&slots[..1], prices as u32 / 2, Term::Value)
    });
}

#[test]
fn quantiles_are_those_of_the_sorted_values() {
    let qs = [0.0, 0.1, 0.5, 0.75, 1.0];
    for seed in 0..20 {
        let batch = tables::keyed(&tables::wild(seed, 50), Task::Regression);
        let slots = of_kind(batch.schema(), ColumnKind::Num);
        let expected: Vec<Vec<Option<u64>>> = slots
            .iter()
            .map(|&slot| {
                let mut values: Vec<f64> =
                    batch.num(slot).iter().copied().filter(|x| !x.is_nan()).collect();
                values.sort_by(|a, b| math::total_cmp(*a, *b));
                let of = |q: &f64| math::quantile_sorted(&values, *q, QuantileType::default());
                qs.iter().map(|q| of(q).map(f64::to_bits)).collect()
            })
            .collect();
        for (block_rows, n_threads) in [(1000, 1), (7, 2), (1, 8)] {
            let rows = tables::rows(&tables::reordered(&batch, seed), block_rows);
            let found = threads(n_threads)
                .run(|| ColumnQuantiles::of(&rows, &slots, &qs, QuantileType::default()))
                .expect("rows in memory");
            assert_eq!(bits(&found), expected, "seed {seed}, blocks of {block_rows}");
        }
    }
}

fn bits(quantiles: &[Vec<Option<f64>>]) -> Vec<Vec<Option<u64>>> {
    let of_column =
        |column: &Vec<Option<f64>>| column.iter().map(|x| x.map(f64::to_bits)).collect();
    quantiles.iter().map(of_column).collect()
}

#[test]
fn collected_rows_stand_in_one_order() {
    for seed in 0..20 {
        let batch = tables::keyed(&tables::wild(seed, 50), Task::Regression);
        // Every row twice: identical rows are interchangeable, but both stay.
        let doubled: Vec<usize> = (0..batch.n_rows()).chain(0..batch.n_rows()).collect();
        let mut batch = batch.select(&doubled);
        let keys = samescore_core::batch::fit_keys(batch.keys().to_vec(), batch.target(), &[]);
        batch.set_target(batch.target().to_vec(), keys);
        let collected = |batch: &Batch, block_rows: usize| {
            let rows = tables::rows(batch, block_rows);
            assert_eq!(rows.schema(), &Arc::clone(batch.schema()));
            let all = rows.collect().expect("rows in memory");
            let cells: Vec<String> =
                (0..all.n_rows()).map(|row| format!("{:?}", cells_of(&all, row))).collect();
            (all.fit_keys().to_vec(), cells)
        };
        let expected = collected(&batch, 1000);
        assert_eq!(expected.0.len(), 2 * 50);
        assert!(collected(&tables::reordered(&batch, seed), 7) == expected, "seed {seed}");
        assert!(collected(&tables::reordered(&batch, seed + 1), 1) == expected, "seed {seed}");
    }
}

fn cells_of(batch: &Batch, row: usize) -> Vec<impl Debug> {
    batch.columns().iter().map(|c| crate::common::run::cell(c, row)).collect()
}
