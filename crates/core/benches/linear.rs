//! What a fit of each linear kind costs on 160,000 rows of 50 columns, the table on which peers
//! were measured.

use std::cell::OnceCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::math;
use samescore_core::models::{
    ElasticNetCvParams, ElasticNetParams, GammaRegressionParams, HuberRegressionParams,
    LinearRegressionParams, LinearSvmParams, LogisticRegressionParams, ModelParams, Penalty,
    PoissonRegressionParams, QuantileRegressionParams,
};
use samescore_core::par::Threads;
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::FitContext;

const N_ROWS: usize = 160_000;
const N_COLUMNS: usize = 50;

/// What the target is made to be.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Number,
    Positive,
    Two,
    Three,
}

/// Standard normal columns and a noisy signal of them.
fn rows(target: Target) -> MemoryRows {
    let mut draws = Stream::new(Seed(1), "bench", "", "linear").pcg();
    let mut columns = vec![Vec::new(); N_COLUMNS];
    let mut targets = Vec::with_capacity(N_ROWS);
    for _ in 0..N_ROWS {
        let mut signal = draws.normal();
        for (j, column) in columns.iter_mut().enumerate() {
            let x = draws.normal();
            signal += x * (j as f64 - 25.0) / 100.0;
            column.push(x);
        }
        targets.push(match target {
            Target::Number => signal,
            Target::Positive => math::exp(signal / 4.0),
            Target::Two => f64::from(u8::from(signal > 0.5)),
            Target::Three => f64::from(u8::from(signal > 0.5) + u8::from(signal > 1.5)),
        });
    }
    let fields = (0..N_COLUMNS).map(|j| Field::new(format!("x{j:03}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let columns = columns.into_iter().map(Column::num).collect();
    let mut batch = Batch::new(schema, columns).expect("equal lengths");
    let keys = (0..N_ROWS as u128).map(RowKey).collect();
    batch.set_target(targets, keys);
    MemoryRows::from_batch(batch)
}

fn cases() -> Vec<(&'static str, ModelParams, Target)> {
    let ridge = LinearRegressionParams { alpha: 1.0, ..Default::default() };
    let net = ElasticNetParams { alpha: 0.01, ..Default::default() };
    let sparse = LogisticRegressionParams { penalty: Penalty::L1, c: 0.01, ..Default::default() };
    vec![
        ("ordinary", LinearRegressionParams::default().into(), Target::Number),
        ("ridge", ridge.into(), Target::Number),
        ("elastic_net", net.into(), Target::Number),
        ("elastic_net_cv", ElasticNetCvParams::default().into(), Target::Number),
        ("logistic", LogisticRegressionParams::default().into(), Target::Two),
        ("logistic, l1", sparse.into(), Target::Two),
        ("logistic, 3 classes", LogisticRegressionParams::default().into(), Target::Three),
        ("poisson", PoissonRegressionParams::default().into(), Target::Positive),
        ("gamma", GammaRegressionParams::default().into(), Target::Positive),
        ("huber", HuberRegressionParams::default().into(), Target::Number),
        ("median", QuantileRegressionParams::default().into(), Target::Number),
        ("linear_svm", LinearSvmParams::default().into(), Target::Two),
    ]
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("160000 x 50");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let threads = Threads::new(1).expect("threads");
    for (name, params, target) in cases() {
        let task = match target {
            Target::Two => Task::Binary,
            Target::Three => Task::Multiclass,
            _ => Task::Regression,
        };
        // Made only for what the command line asks for.
        let made = OnceCell::new();
        group.bench_function(name, |b| {
            let rows = made.get_or_init(|| rows(target));
            let schema = Arc::clone(rows.schema());
            let slots: Vec<usize> = (0..schema.len()).collect();
            let ctx = FitContext::new("model", Seed(1), task, &schema, &slots);
            let ctx = if task == Task::Multiclass { ctx.classes(3) } else { ctx };
            b.iter(|| threads.run(|| black_box(&params).fit(rows, &ctx)))
        });
    }
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
