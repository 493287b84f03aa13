//! What a score costs: one warm typed row, one warm row set by name, and a batch.
//!
//! The pipelines are fitted here on the example table, so that a clean checkout has what it needs:
//! `small` is the example artifact (5 columns, 3 steps, linear), `mixed` has 8 columns, of which 3
//! are text, and a missing indicator, imputers, encoders, a scaler and a logistic model.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::artifact::Artifact;
use samescore_core::config::Task;
use samescore_core::models::LogisticRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::{
    ArbitraryNumberImputerParams, MeanMedianImputerParams, MissingIndicatorParams,
    OrdinalEncoderParams, StandardScalerParams,
};
use samescore_core::{error::Result, example};
use samescore_deploy::Scorer;
use serde::Serialize;

const BATCH_ROWS: usize = 100_000;

fn mixed() -> Result<Artifact> {
    let mut config = example::config(Task::Binary, LogisticRegressionParams::default())
        .step("absent", &["age", "fare"], MissingIndicatorParams::default())
        .step("impute", &["age", "fare"], MeanMedianImputerParams::default())
        .step("encode", &["deck", "grade", "sex"], OrdinalEncoderParams::default())
        .step("fill", &["deck"], ArbitraryNumberImputerParams::default())
        .step("scale", &["age", "area", "fare"], StandardScalerParams::default());
    for dropped in ["constant", "name", "seen", "sold", "year"] {
        config.data.columns.remove(dropped);
    }
    let table = Table::new(&config, &example::table(500, 1))?;
    let data = table.fingerprint();
    let fitted = fit(&config, table.into_rows())?;
    Artifact::seal(&config, data, fitted, BTreeMap::new())
}

fn scorer(artifact: Result<Artifact>) -> Scorer {
    let artifact = artifact.expect("an artifact");
    Scorer::from_bytes(artifact.bytes()).expect("a scorer")
}

#[derive(Serialize)]
struct Row {
    age: Option<f64>,
    area: f64,
    count: u32,
    deck: Option<&'static str>,
    fare: f64,
    grade: &'static str,
    rooms: u32,
    sex: &'static str,
}

const ROW: Row = Row {
    age: Some(31.5),
    area: 88.25,
    count: 2,
    deck: Some("B5 B7"),
    fare: 14.05,
    grade: "Gd",
    rooms: 4,
    sex: "f",
};

fn rows(c: &mut Criterion) {
    for (name, scorer) in [("small", scorer(example::artifact())), ("mixed", scorer(mixed()))] {
        let mut scratch = scorer.scratch();
        c.bench_function(&format!("{name}: one typed row"), |b| {
            b.iter(|| scorer.score_row(black_box(&ROW), &mut scratch).expect("a score"));
        });
    }
    let scorer = scorer(mixed());
    let mut scratch = scorer.scratch();
    c.bench_function("mixed: one row set by name", |b| {
        b.iter(|| {
            let mut row = scorer.row(&mut scratch);
            row.set_num("age", 31.5).set_num("area", 88.25).set_num("count", 2.0);
            row.set_text("deck", "B5 B7").set_num("fare", 14.05).set_text("grade", "Gd");
            row.set_num("rooms", 4.0).set_text("sex", "f");
            row.score().expect("a score")
        });
    });
}

fn batches(c: &mut Criterion) {
    let table = example::table(BATCH_ROWS, 3);
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH_ROWS as u64));
    group.sample_size(20);
    for (name, scorer) in [("small", scorer(example::artifact())), ("mixed", scorer(mixed()))] {
        group.bench_function(name, |b| {
            b.iter(|| scorer.score_batch(black_box(&table)).expect("scores"));
        });
    }
    group.finish();
    let bytes = mixed().expect("an artifact").bytes().to_vec();
    c.bench_function("load and self-test", |b| {
        b.iter_batched(
            || bytes.clone(),
            |bytes| Scorer::from_bytes(&bytes).expect("a scorer"),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, rows, batches);
criterion_main!(benches);
