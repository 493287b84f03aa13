//! What a draw and a row key cost.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use samescore_core::digest::{KeyHasher, RowKey};
use samescore_core::rng::{BottomK, Draw, Seed, Stream, poisson_bootstrap};

fn draws(c: &mut Criterion) {
    let stream = Stream::new(Seed(42), "bag", "fare", "rows");
    let mut pcg = stream.pcg();
    c.bench_function("pcg next_u64", |b| b.iter(|| pcg.next_u64()));
    c.bench_function("bounded(1000)", |b| b.iter(|| pcg.bounded(black_box(1000))));
    c.bench_function("uniform", |b| b.iter(|| pcg.uniform()));
    c.bench_function("bernoulli(0.3)", |b| b.iter(|| pcg.bernoulli(black_box(0.3))));
    c.bench_function("normal", |b| b.iter(|| pcg.normal()));
    c.bench_function("exponential", |b| b.iter(|| pcg.exponential()));
    c.bench_function("poisson(3)", |b| b.iter(|| pcg.poisson(black_box(3.0))));
    c.bench_function("poisson(300)", |b| b.iter(|| pcg.poisson(black_box(300.0))));
    c.bench_function("gamma(2)", |b| b.iter(|| pcg.gamma(black_box(2.0))));
}

fn rows(c: &mut Criterion) {
    let stream = Stream::new(Seed(42), "bag", "fare", "rows");
    let mut key = 0u128;
    let mut next_key = move || {
        key = key.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        RowKey(key)
    };
    c.bench_function("first draw of a row", |b| b.iter(|| stream.hash(next_key())));
    let mut row = stream.row(RowKey(7));
    c.bench_function("further draw of a row", |b| b.iter(|| row.draw()));
    c.bench_function("poisson_bootstrap", |b| b.iter(|| poisson_bootstrap(&stream, next_key())));
    let mut sample = BottomK::new(1000);
    c.bench_function("bottom-k observe (k = 1000)", |b| {
        b.iter(|| {
            let key = next_key();
            sample.observe(stream.hash(key), key, ());
        })
    });
}

fn keys(c: &mut Criterion) {
    let hasher = KeyHasher::new("bench", &[("fare", "num"), ("deck", "text")]);
    c.bench_function("row key of 12 words", |b| {
        b.iter(|| {
            let mut row = hasher.clone();
            for word in 0..12u64 {
                row.word(black_box(word));
            }
            row.finish()
        })
    });
    c.bench_function("text_words (12 bytes)", |b| {
        b.iter(|| hasher.text_words(black_box("Southampton ")))
    });
    c.bench_function("stream of a name", |b| {
        b.iter(|| Stream::new(Seed(42), black_box("bag"), "fare", "rows"))
    });
}

criterion_group!(benches, draws, rows, keys);
criterion_main!(benches);
