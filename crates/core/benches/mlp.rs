//! What a fit of a multilayer perceptron and a prediction cost.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{BLOCK_ROWS, Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::models::{Activation, AnyModel, MlpParams, ModelParams};
use samescore_core::par::Threads;
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::FitContext;

const N_COLUMNS: usize = 20;
const N_EPOCHS: u32 = 10;

/// Normal columns; the class is a bent function of three of them and noise.
fn table(n_rows: usize) -> Batch {
    let mut draws = Stream::new(Seed(1), "bench", "", "mlp").pcg();
    let mut columns = vec![Vec::new(); N_COLUMNS];
    let (mut target, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..n_rows {
        columns.iter_mut().for_each(|column| column.push(draws.normal()));
        let x = |j: usize| columns[j][columns[j].len() - 1];
        let signal = x(0) - x(1) * x(2) + draws.normal();
        target.push(f64::from(u8::from(signal > 0.0)));
        keys.push(RowKey(u128::from(draws.next_u64()) << 64 | u128::from(draws.next_u64())));
    }
    let fields = (0..N_COLUMNS).map(|j| Field::new(format!("x{j:02}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let columns = columns.into_iter().map(Column::num).collect();
    let mut batch = Batch::new(schema, columns).expect("equal lengths");
    batch.set_target(target, keys);
    batch
}

fn fit(params: &ModelParams, rows: &MemoryRows) -> AnyModel {
    let schema = Arc::clone(rows.schema());
    let slots: Vec<usize> = (0..schema.len()).collect();
    let task = Task::Binary;
    let ctx = FitContext::new("model", Seed(1), task, &schema, &slots);
    params.fit(rows, &ctx).expect("a fit")
}

fn params(hidden: &[u32], activation: Activation) -> ModelParams {
    let params = MlpParams {
        hidden_layer_sizes: hidden.to_vec(),
        activation,
        max_iter: N_EPOCHS,
        ..Default::default()
    };
    params.into()
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("mlp fit, 20000 rows of 20, 10 epochs");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let rows = MemoryRows::from_batch(table(20_000));
    for activation in [Activation::Relu, Activation::Tanh, Activation::Logistic] {
        for hidden in [&[100][..], &[100, 100]] {
            let params = params(hidden, activation);
            for n_threads in [1, 2] {
                let threads = Threads::new(n_threads).expect("threads");
                let label = format!("{activation:?} {hidden:?}, {n_threads} threads");
                group.bench_function(label, |b| {
                    b.iter(|| threads.run(|| fit(black_box(&params), &rows)))
                });
            }
        }
    }
    group.finish();
}

fn predicts(c: &mut Criterion) {
    let mut group = c.benchmark_group("mlp predict");
    let batch = table(BLOCK_ROWS);
    let params = params(&[100], Activation::Relu);
    let model = fit(&params, &MemoryRows::from_batch(batch.clone()));
    let slots: Vec<usize> = (0..N_COLUMNS).collect();
    for n_rows in [1, BLOCK_ROWS] {
        let mut block = batch.select(&(0..n_rows).collect::<Vec<usize>>());
        let mut scores = vec![0.0; n_rows];
        group.throughput(Throughput::Elements(n_rows as u64));
        group.bench_function(format!("{n_rows} rows of 20, 100 units"), |b| {
            b.iter(|| model.predict(&mut block, &slots, black_box(&mut scores)))
        });
    }
    group.finish();
}

criterion_group!(benches, fits, predicts);
criterion_main!(benches);
