//! What a forest costs per row: scores of a block and of a single row, leaves, contributions.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{BLOCK_ROWS, Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::models::{AnyModel, GradientBoostingParams, ModelParams};
use samescore_core::par::Threads;
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::{FitContext, Output};

const N_COLUMNS: usize = 30;

/// Uniform columns, one value in twenty missing, and a target that bends and is noisy.
fn table(n_rows: usize) -> Batch {
    let mut draws = Stream::new(Seed(1), "bench", "", "forest").pcg();
    let mut columns = vec![Vec::new(); N_COLUMNS];
    let mut target = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        for column in &mut columns {
            let x = draws.uniform();
            column.push(if draws.bernoulli(0.05) { f64::NAN } else { x });
        }
        let known = |j: usize| Some(columns[j][row]).filter(|x| !x.is_nan()).unwrap_or(0.5);
        let bends = (0..N_COLUMNS).map(|j| known(j) * known((j + 1) % N_COLUMNS) * (j % 5) as f64);
        target.push(bends.fold(draws.normal() / 2.0, |total, x| total + x));
    }
    let fields = (0..N_COLUMNS).map(|j| Field::new(format!("x{j:02}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let columns = columns.into_iter().map(Column::num).collect();
    let mut batch = Batch::new(schema, columns).expect("equal lengths");
    batch.set_target(target, (0..n_rows as u128).map(RowKey).collect());
    batch
}

fn fit(n_trees: u32, n_leaves: u32) -> AnyModel {
    let params: ModelParams = GradientBoostingParams {
        n_estimators: n_trees,
        num_leaves: n_leaves,
        ..Default::default()
    }
    .into();
    let rows = MemoryRows::from_batch(table(20_000));
    let schema = Arc::clone(Rows::schema(&rows));
    let slots: Vec<usize> = (0..N_COLUMNS).collect();
    let ctx = FitContext::new("model", Seed(1), Task::Regression, &schema, &slots);
    params.fit(&rows, &ctx).expect("a fit")
}

fn scores(c: &mut Criterion) {
    let slots: Vec<usize> = (0..N_COLUMNS).collect();
    let one = Threads::new(1).expect("a thread");
    for (n_trees, n_leaves) in [(100, 63), (500, 31)] {
        let model = fit(n_trees, n_leaves);
        let mut group = c.benchmark_group(format!("{n_trees} trees of {n_leaves} leaves"));
        for n_rows in [1, 16, BLOCK_ROWS] {
            let mut block = table(n_rows);
            let mut scores = vec![0.0; n_rows];
            group.throughput(Throughput::Elements(n_rows as u64));
            group.bench_function(format!("score {n_rows}"), |b| {
                b.iter(|| {
                    let block = black_box(&mut block);
                    one.run(|| model.predict(block, &slots, &mut scores)).expect("scores");
                });
            });
        }
        let n_rows = 512;
        let mut block = table(n_rows);
        group.throughput(Throughput::Elements(n_rows as u64)).sample_size(10);
        for output in [Output::Leaf, Output::Contribution] {
            let names = model.outputs(output, block.schema()).expect("the output");
            let mut values = vec![0.0; n_rows * names.len()];
            group.bench_function(format!("{output:?} {n_rows}"), |b| {
                b.iter(|| {
                    let block = black_box(&mut block);
                    one.run(|| model.output(output, block, &slots, &mut values)).expect("values");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, scores);
criterion_main!(benches);
