//! What a fit of each linear model and a prediction cost.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{BLOCK_ROWS, Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::example;
use samescore_core::models::{
    AnyModel, ElasticNetParams, LinearRegressionParams, LogisticRegressionParams, ModelParams,
    Penalty,
};
use samescore_core::par::Threads;
use samescore_core::pipeline::{self, Plan, Table};
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::{Example, FitContext};
use samescore_core::transforms::MeanMedianImputerParams;

/// Normal columns and 0/1 columns in turn, with a noisy linear target.
fn table(n_rows: usize, n_columns: usize, task: Task) -> Batch {
    let mut draws = Stream::new(Seed(1), "bench", "", "models").pcg();
    let mut columns = vec![Vec::with_capacity(n_rows); n_columns];
    let mut target = Vec::with_capacity(n_rows);
    for _ in 0..n_rows {
        let mut signal = draws.normal();
        for (j, column) in columns.iter_mut().enumerate() {
            let x = match j % 2 {
                0 => draws.normal(),
                _ => f64::from(u8::from(draws.bernoulli(0.3))),
            };
            signal += x * (j as f64 - 8.0) / 10.0;
            column.push(x);
        }
        target.push(match task {
            Task::Regression => signal,
            _ => f64::from(u8::from(signal > 0.5)),
        });
    }
    let fields = (0..n_columns).map(|j| Field::new(format!("x{j:03}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let columns = columns.into_iter().map(Column::num).collect();
    let mut batch = Batch::new(schema, columns).expect("equal lengths");
    batch.set_target(target, vec![RowKey::default(); n_rows]);
    batch
}

fn fit(params: &ModelParams, rows: &MemoryRows, task: Task) -> AnyModel {
    let schema = Arc::clone(samescore_core::aggregate::Rows::schema(rows));
    let slots: Vec<usize> = (0..schema.len()).collect();
    let ctx = FitContext::new("model", Seed(1), task, &schema, &slots);
    params.fit(rows, &ctx).expect("a fit")
}

fn cases() -> Vec<(&'static str, ModelParams)> {
    let ridge = LinearRegressionParams { alpha: 1.0, ..Default::default() };
    let net = ElasticNetParams { alpha: 0.1, ..Default::default() };
    let free = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
    vec![
        ("linear_regression", LinearRegressionParams::default().into()),
        ("ridge", ridge.into()),
        ("elastic_net", net.into()),
        ("logistic_regression", LogisticRegressionParams::default().into()),
        ("logistic_regression without penalty", free.into()),
    ]
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (n_rows, n_columns) in [(100_000, 20), (120_000, 25)] {
        for (name, params) in cases() {
            let task = params.tasks()[0];
            let rows = MemoryRows::from_batch(table(n_rows, n_columns, task));
            println!("{name}: {:?}", fit(&params, &rows, task).facts());
            for n_threads in [1, 2] {
                let threads = Threads::new(n_threads).expect("threads");
                let label = format!("{name} {n_rows} x {n_columns}, {n_threads} threads");
                group.bench_function(label, |b| {
                    b.iter(|| threads.run(|| fit(black_box(&params), &rows, task)))
                });
            }
        }
    }
    group.finish();
}

fn predicts(c: &mut Criterion) {
    let mut group = c.benchmark_group("predict");
    for (name, params) in cases() {
        let task = params.tasks()[0];
        let batch = table(BLOCK_ROWS, 20, task);
        let model = fit(&params, &MemoryRows::from_batch(batch.clone()), task);
        let slots: Vec<usize> = (0..20).collect();
        for n_rows in [1, BLOCK_ROWS] {
            let mut block = batch.select(&(0..n_rows).collect::<Vec<usize>>());
            let mut scores = vec![0.0; n_rows];
            group.throughput(Throughput::Elements(n_rows as u64));
            group.bench_function(format!("{name}, {n_rows} rows of 20"), |b| {
                b.iter(|| model.predict(&mut block, &slots, black_box(&mut scores)))
            });
        }
    }
    group.finish();
}

/// A prediction of every registered example in each of its tasks, for a block and for a row.
fn examples(c: &mut Criterion) {
    let rows = example::table(BLOCK_ROWS, 7);
    let mut group = c.benchmark_group("predict example");
    for (place, case) in ModelParams::examples().into_iter().enumerate() {
        for &task in case.params.tasks() {
            let plan = planned(&case, task, &rows);
            let model = &plan.pipeline().model;
            let blocks = plan.transform(&rows, None).expect("the input columns");
            let slots: Vec<usize> = (0..blocks[0].columns().len()).collect();
            for n_rows in [1, BLOCK_ROWS] {
                let mut block = blocks[0].select(&(0..n_rows).collect::<Vec<usize>>());
                let mut scores = vec![0.0; n_rows * plan.n_outputs()];
                group.throughput(Throughput::Elements(n_rows as u64));
                let name = format!("{} {place} {task:?}, {n_rows} rows", case.params.kind());
                group.bench_function(name, |b| {
                    b.iter(|| model.predict(&mut block, &slots, black_box(&mut scores)))
                });
            }
        }
    }
    group.finish();
}

/// The example's model behind an imputer of its columns.
fn planned(case: &Example<ModelParams>, task: Task, rows: &Batch) -> Plan {
    let slots = case.columns.resolve(rows.schema(), case.params.accepts()).expect("columns");
    let used: Vec<&str> = slots.iter().map(|&slot| &*rows.schema().fields()[slot].name).collect();
    let mut config = example::config(task, case.params.clone());
    let target = config.target.column.clone();
    config.data.columns.retain(|name, _| used.contains(&&**name) || *name == target);
    let config = config.step_on_all("impute", MeanMedianImputerParams::default());
    let table = Table::new(&config, rows).expect("the declared columns");
    let fitted = pipeline::fit(&config, table.into_rows()).expect("the example fits");
    Plan::new(&config, fitted.pipeline).expect("a plan")
}

criterion_group!(benches, fits, predicts, examples);
criterion_main!(benches);
