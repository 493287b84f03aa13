//! What a score of a small pipeline costs (the example artifact: 5 columns, 3 steps, linear): one
//! warm typed row, one warm row set by name, and a batch.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::artifact::Artifact;
use samescore_core::example;
use samescore_deploy::Scorer;
use serde::Serialize;

const BATCH_ROWS: usize = 100_000;

fn scorer(artifact: &Artifact) -> Scorer {
    Scorer::from_bytes(artifact.bytes()).expect("a scorer")
}

#[derive(Serialize)]
struct House {
    age: Option<f64>,
    area: f64,
    grade: &'static str,
    rooms: u32,
    sex: &'static str,
}

const HOUSE: House = House { age: Some(31.5), area: 88.25, grade: "Gd", rooms: 4, sex: "f" };

fn rows(c: &mut Criterion) {
    let small = scorer(&example::artifact().expect("an artifact"));
    let mut scratch = small.scratch();
    c.bench_function("small: one typed row", |b| {
        b.iter(|| small.score_row(black_box(&HOUSE), &mut scratch).expect("a score"));
    });
    c.bench_function("small: one row set by name", |b| {
        b.iter(|| {
            let mut row = small.row(&mut scratch);
            row.set_num("age", 31.5).set_num("area", 88.25).set_text("grade", "Gd");
            row.set_num("rooms", 4.0).set_text("sex", "f");
            row.score().expect("a score")
        });
    });
}

fn batch(c: &mut Criterion) {
    let scorer = scorer(&example::artifact().expect("an artifact"));
    let rows = example::table(BATCH_ROWS, 3);
    let mut group = c.benchmark_group("small");
    group.throughput(Throughput::Elements(BATCH_ROWS as u64));
    group.sample_size(20);
    group.bench_function("a batch, one thread", |b| {
        b.iter(|| scorer.score_batch(black_box(&rows)).expect("scores"));
    });
    group.finish();
}

criterion_group!(benches, rows, batch);
criterion_main!(benches);
