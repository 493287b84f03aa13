//! Each transform's apply per row, over every registered example, and a whole pipeline over them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, RowKeyer};
use samescore_core::config::Task;
use samescore_core::example;
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Scores, Table, fit};
use samescore_core::rng::Seed;
use samescore_core::step::FitContext;
use samescore_core::transforms::{
    MeanMedianImputerParams, OrdinalEncoderParams, StandardScalerParams, TransformParams,
};

const BLOCK_ROWS: usize = 4096;

fn block() -> Batch {
    let mut block = example::table(BLOCK_ROWS, 7);
    let keyer = RowKeyer::new(block.schema(), &[]).expect("the table has columns");
    keyer.key(&mut block);
    block
}

fn apply(c: &mut Criterion) {
    let block = block();
    let mut with_target = block.clone();
    let price = block.schema().position(example::REGRESSION_TARGET).expect("a target");
    with_target.set_target(block.num(price).to_vec(), block.keys().to_vec());
    let rows = MemoryRows::from_batch(with_target);
    let rows: &dyn Rows = &rows;
    let mut group = c.benchmark_group("apply");
    group.throughput(Throughput::Elements(BLOCK_ROWS as u64));
    for (index, example) in TransformParams::examples().into_iter().enumerate() {
        let (schema, params) = (block.schema(), &example.params);
        let mut slots = example.columns.resolve(schema, params.accepts()).expect("columns");
        slots.extend(params.references().iter().map(|name| schema.slot(name).expect("a column")));
        let task = Task::Regression;
        let ctx = FitContext::new("bench", Seed(7), task, schema, &slots);
        let fitted = params.fit(rows, &ctx).expect("the example fits");
        group.bench_function(format!("{} {index}", params.kind()), |b| {
            b.iter_batched_ref(
                || block.clone(),
                |batch| fitted.apply(batch, &slots).expect("bound columns"),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn artifact(n_rows: usize) -> (Artifact, Batch) {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default())
        .step("impute", &["age", "fare"], MeanMedianImputerParams::default())
        .step("encode", &["sex", "grade"], OrdinalEncoderParams::default())
        .step_on_all("scale", StandardScalerParams::default());
    for name in ["deck", "name", "seen", "constant", "bought"] {
        config.data.columns.remove(name);
    }
    let batch = example::table(n_rows, 3);
    let table = Table::new(&config, &batch).expect("the table has the columns");
    let data = table.fingerprint();
    let fitted = fit(&config, table.into_rows()).expect("the example fits");
    let artifact = Artifact::seal(&config, data, fitted, BTreeMap::new()).expect("it seals");
    (artifact, batch)
}

fn pipeline(c: &mut Criterion) {
    let n_rows = 100_000;
    let (artifact, batch) = artifact(n_rows);
    let plan = artifact.plan();
    let mut group = c.benchmark_group("pipeline");
    group.sample_size(10);
    group.throughput(Throughput::Elements(n_rows as u64));
    group.bench_function("batch of 100,000", |b| b.iter(|| plan.score(black_box(&batch))));
    group.throughput(Throughput::Elements(1));
    let row = plan.bind(&batch.select(&[17])).expect("the input columns");
    let slots: Vec<usize> = (0..row.columns().len()).collect();
    let (mut warm, mut scores) = (Batch::default(), Scores::default());
    group.bench_function("one warm row", |b| {
        b.iter(|| {
            warm.fill(&Arc::clone(plan.input()), black_box(&row), &slots, 0..1);
            plan.score_block(&mut warm, &mut scores)
        });
    });
    group.bench_function("load with self-test", |b| {
        b.iter(|| Artifact::from_bytes(black_box(artifact.bytes())));
    });
    group.finish();
}

criterion_group!(benches, apply, pipeline);
criterion_main!(benches);
