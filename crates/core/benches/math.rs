//! Speed of the math room: every function against std's, exact sums against a plain loop, Gram
//! matrices against the plain product.
#![allow(
    clippy::disallowed_methods,
    reason = "std's functions are the yardstick here; no result is used"
)]
#![allow(missing_docs, reason = "the harness macros declare public items without one")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::math::{self, ExactSum, FixedScale, FixedSum, Gram, GramSpec, Moments};
use std::hint::black_box;
use std::time::Duration;

const N_CALLS: usize = 1024;
const N_VALUES: usize = 1 << 20;
const N_ROWS: usize = 100_000;
const N_COLUMNS: usize = 16;

/// Values in [0, 1) by a linear congruential recurrence.
fn uniform(n: usize, mut state: u64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / 9_007_199_254_740_992.0
        })
        .collect()
}

type Unary = fn(f64) -> f64;

/// Name, ours, std's, range of arguments. std has no erf and no sin_pi, so these stand alone.
fn pairs() -> Vec<(&'static str, Option<Unary>, f64, f64)> {
    vec![
        ("exp", Some(f64::exp), -10.0, 10.0),
        ("exp2", Some(f64::exp2), -10.0, 10.0),
        ("exp10", None, -10.0, 10.0),
        ("exp_m1", Some(f64::exp_m1), -2.0, 2.0),
        ("ln", Some(f64::ln), 1e-3, 1e3),
        ("log2", Some(f64::log2), 1e-3, 1e3),
        ("log10", Some(f64::log10), 1e-3, 1e3),
        ("ln_1p", Some(f64::ln_1p), -0.9, 10.0),
        ("sqrt", Some(f64::sqrt), 0.0, 1e3),
        ("rsqrt", None, 1e-3, 1e3),
        ("cbrt", Some(f64::cbrt), -1e3, 1e3),
        ("sin", Some(f64::sin), -10.0, 10.0),
        ("cos", Some(f64::cos), -10.0, 10.0),
        ("tan", Some(f64::tan), -10.0, 10.0),
        ("asin", Some(f64::asin), -1.0, 1.0),
        ("acos", Some(f64::acos), -1.0, 1.0),
        ("atan", Some(f64::atan), -10.0, 10.0),
        ("sinh", Some(f64::sinh), -10.0, 10.0),
        ("cosh", Some(f64::cosh), -10.0, 10.0),
        ("tanh", Some(f64::tanh), -3.0, 3.0),
        ("asinh", Some(f64::asinh), -10.0, 10.0),
        ("acosh", Some(f64::acosh), 1.0, 20.0),
        ("atanh", Some(f64::atanh), -1.0, 1.0),
        ("erf", None, -3.0, 3.0),
        ("erfc", None, -3.0, 3.0),
        ("sin_pi", None, -5.0, 5.0),
        ("cos_pi", None, -5.0, 5.0),
        ("tan_pi", None, -5.0, 5.0),
        ("ln_gamma", None, 0.1, 50.0),
    ]
}

fn functions(c: &mut Criterion) {
    let mut group = c.benchmark_group("function");
    group.throughput(Throughput::Elements(N_CALLS as u64));
    let unit = uniform(N_CALLS, 1);
    for (name, std, low, high) in pairs() {
        let inputs: Vec<f64> = unit.iter().map(|u| low + (high - low) * u).collect();
        let ours = math::UNARY.iter().find(|f| f.0 == name).expect("a function of ours").1;
        for (who, f) in [("ours", Some(ours)), ("std", std)] {
            let Some(f) = f else { continue };
            group.bench_function(format!("{name}/{who}"), |b| {
                b.iter(|| black_box(&inputs).iter().fold(0, |bits, &x| bits ^ f(x).to_bits()));
            });
        }
    }
    let other = uniform(N_CALLS, 2);
    type Binary = fn(f64, f64) -> f64;
    let binary: [(&str, Binary, Binary); 3] = [
        ("pow", math::pow, f64::powf),
        ("hypot", math::hypot, f64::hypot),
        ("atan2", math::atan2, f64::atan2),
    ];
    for (name, ours, std) in binary {
        for (who, f) in [("ours", ours), ("std", std)] {
            group.bench_function(format!("{name}/{who}"), |b| {
                b.iter(|| {
                    let arguments = black_box(&unit).iter().zip(black_box(&other));
                    arguments.fold(0, |bits, (&x, &y)| bits ^ f(10.0 * x, 10.0 * y).to_bits())
                });
            });
        }
    }
    group.bench_function("self_test", |b| b.iter(math::self_test));
}

/// Functions of whole slices; `function` has the same of single values.
fn slices(c: &mut Criterion) {
    let mut group = c.benchmark_group("slice");
    group.throughput(Throughput::Elements(N_CALLS as u64));
    let inputs: Vec<f64> = uniform(N_CALLS, 1).iter().map(|u| 6.0 * u - 3.0).collect();
    type InPlace = fn(&mut [f64]);
    for (name, f) in [
        ("exp", math::exp_all as InPlace),
        ("tanh", math::tanh_all as InPlace),
        ("sigmoid", math::sigmoid_all as InPlace),
        ("erf", math::erf_all as InPlace),
    ] {
        let mut values = inputs.clone();
        group.bench_function(name, |b| {
            b.iter(|| {
                values.copy_from_slice(&inputs);
                f(black_box(&mut values));
            });
        });
    }
    group.finish();
}

fn sums(c: &mut Criterion) {
    let mut group = c.benchmark_group("sum");
    group.throughput(Throughput::Elements(N_VALUES as u64));
    let values: Vec<f64> = uniform(N_VALUES, 3).iter().map(|u| 2000.0 * (u - 0.5)).collect();
    group.bench_function("plain", |b| {
        b.iter(|| black_box(&values).iter().fold(0.0, |total, x| total + x));
    });
    group.bench_function("exact_add", |b| {
        b.iter(|| {
            let mut sum = ExactSum::new();
            black_box(&values).iter().for_each(|&x| sum.add(x));
            sum.round()
        });
    });
    group.bench_function("exact_slice", |b| {
        b.iter(|| {
            let mut sum = ExactSum::new();
            sum.add_slice(black_box(&values));
            sum.round()
        });
    });
    group.bench_function("moments_slice", |b| {
        b.iter(|| {
            let mut moments = Moments::new();
            moments.observe_slice(black_box(&values));
            moments.variance(1)
        });
    });
    group.bench_function("fixed_slice", |b| {
        b.iter(|| {
            let mut sum = FixedSum::new(FixedScale::for_max(1000.0, 42));
            sum.add_slice(black_box(&values));
            sum.round()
        });
    });
}

fn gram(c: &mut Criterion) {
    let mut group = c.benchmark_group("gram_100k_x_16");
    group.sample_size(10);
    let data: Vec<Vec<f64>> = (0..N_COLUMNS).map(|j| uniform(N_ROWS, 7 + j as u64)).collect();
    let columns: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
    group.bench_function("plain", |b| {
        b.iter(|| {
            let columns = black_box(&columns);
            let mut total = 0;
            for (i, x) in columns.iter().enumerate() {
                for y in &columns[i..] {
                    total ^= math::dot(x, y).to_bits();
                }
            }
            total
        });
    });
    for slices in 1..=3 {
        let spec = GramSpec {
            n_rows: N_ROWS as u64,
            centers: vec![0.5; N_COLUMNS],
            max_abs: vec![0.5; N_COLUMNS],
            slices,
        };
        group.bench_function(format!("{slices}_slices"), |b| {
            b.iter(|| {
                let mut gram = Gram::new(&spec);
                gram.observe(black_box(&columns));
                gram.finish()
            });
        });
    }
}

fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul_96");
    let (a, b) = (uniform(96 * 96, 11), uniform(96 * 96, 12));
    let mut out = vec![0.0; 96 * 96];
    group.bench_function("ours", |bench| {
        bench.iter(|| math::matmul(black_box(&a), 96, 96, black_box(&b), 96, &mut out));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700))
        .sample_size(20);
    targets = functions, slices, sums, gram, matmul
}
criterion_main!(benches);
