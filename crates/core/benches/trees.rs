//! What a fit of the tree models costs, on a table with skewed, tied, categorical and missing
//! values and a noisy non-linear target.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::models::{
    AnyModel, DecisionTreeParams, ExtraTreesParams, GradientBoostingParams, ModelParams,
    RandomForestParams,
};
use samescore_core::par::Threads;
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::FitContext;

/// Four shapes of columns in turn; one value in twenty is missing.
fn table(n_rows: usize, n_columns: usize) -> Batch {
    let mut draws = Stream::new(Seed(1), "bench", "", "trees").pcg();
    let mut columns = vec![Vec::with_capacity(n_rows); n_columns];
    let (mut target, mut keys) = (Vec::new(), Vec::new());
    for row in 0..n_rows {
        let (mut signal, mut decay, mut above) = (0.0, 1.0, 0u32);
        for (j, column) in columns.iter_mut().enumerate() {
            let (x, z) = match j % 4 {
                0 => {
                    let z = draws.normal();
                    (z, z)
                }
                1 => {
                    let z = draws.exponential();
                    ((z * 1000.0).floor(), z - 1.0)
                }
                2 => {
                    let k = draws.bounded(100) as f64;
                    (k, k / 50.0 - 1.0)
                }
                _ => {
                    let k = draws.bounded(3 + 20 * j as u64) as f64;
                    (k, f64::from(u8::from(k % 3.0 == 0.0)))
                }
            };
            signal += decay * if j % 3 == 0 { z } else { z * z };
            decay *= 0.9;
            above += u32::from(j < 8 && z > 0.0);
            column.push(if draws.bernoulli(0.05) { f64::NAN } else { x });
        }
        let noisy = signal + f64::from(above % 2) + 2.0 * draws.normal();
        target.push(f64::from(u8::from(noisy > 3.0)));
        keys.push(RowKey(row as u128));
    }
    let fields = (0..n_columns).map(|j| Field::new(format!("x{j:03}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let columns = columns.into_iter().map(Column::num).collect();
    let mut batch = Batch::new(schema, columns).expect("equal lengths");
    batch.set_target(target, keys);
    batch
}

fn fit(params: &ModelParams, rows: &MemoryRows) -> AnyModel {
    let schema = Arc::clone(rows.schema());
    let slots: Vec<usize> = (0..schema.len()).collect();
    let ctx = FitContext::new("model", Seed(1), Task::Binary, &schema, &slots);
    params.fit(rows, &ctx).expect("a fit")
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    let boosting = GradientBoostingParams { num_leaves: 63, ..Default::default() };
    let forest = RandomForestParams { n_estimators: 20, ..Default::default() };
    let extra = ExtraTreesParams { n_estimators: 20, ..Default::default() };
    let cases: [(&str, usize, ModelParams); 4] = [
        ("gradient_boosting 100 x 63", 160_000, boosting.into()),
        ("random_forest 20", 20_000, forest.into()),
        ("extra_trees 20", 20_000, extra.into()),
        ("decision_tree", 20_000, DecisionTreeParams::default().into()),
    ];
    for (name, n_rows, params) in cases {
        let rows = MemoryRows::from_batch(table(n_rows, 50));
        for n_threads in [1, 2] {
            let threads = Threads::new(n_threads).expect("threads");
            let label = format!("{name}, {n_rows} x 50, {n_threads} threads");
            group.bench_function(label, |b| b.iter(|| threads.run(|| fit(&params, &rows))));
        }
    }
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
