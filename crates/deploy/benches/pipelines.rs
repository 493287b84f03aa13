//! What the pipelines of `data/pipelines/` cost: a fit, a batch on one thread, a warm typed row,
//! and a load with its self-test.
//!
//! Everything is fitted here, on all rows of the table, read before the clock starts. `titanic`
//! reads `data/titanic.csv`. `loans` is a Parquet file, which this crate cannot read: its rows are
//! taken from `loans.csv` in cargo's folder for temporary files of tests, where `cargo xtask bench`
//! puts them. Without that file its benches are left out, and that is said.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::artifact::Artifact;
use samescore_core::batch::CellReader;
use samescore_core::config::Config;
use samescore_core::csv_form::CsvTable;
use samescore_core::par::Threads;
use samescore_core::pipeline::{Table, fit};
use samescore_deploy::{Batch, Column, Field, Result, Schema, Scorer, file};
use serde::Serialize;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");

/// A pipeline's config and the rows that it is fitted on.
fn pipeline(name: &str, csv: &Path) -> Result<(Config, Batch)> {
    let config = file::read(format!("{DATA}/pipelines/{name}.toml"))?;
    let config = Config::from_toml(&String::from_utf8_lossy(&config))?;
    let rows = file::read(csv)?;
    let csv = CsvTable::open(name, &rows)?;
    let places = csv.places(config.data.columns.keys().map(String::as_str))?;
    let declared = config.data.columns.values();
    let readers: Vec<CellReader> = declared.map(|c| c.reader(&config.data.missing)).collect();
    let mut columns: Vec<Column> = readers.iter().map(|r| Column::empty(r.kind())).collect();
    let mut read = Ok(());
    csv.for_each_row(|cells| {
        for ((column, reader), &place) in columns.iter_mut().zip(&readers).zip(&places) {
            let cell = reader.push(column, &cells[place]);
            read = std::mem::replace(&mut read, Ok(())).and(cell);
        }
    });
    read?;
    let fields = config.data.columns.iter().map(|(name, c)| Field::new(name.clone(), c.kind));
    let batch = Batch::new(Arc::new(Schema::new(fields)?), columns)?;
    Ok((config, batch))
}

/// What `samescore fit` does after reading: keys and fingerprints, the fit, the sealed artifact.
fn fitted(config: &Config, batch: &Batch) -> Result<Artifact> {
    let table = Table::new(config, batch)?;
    let data = table.fingerprint();
    let fitted = fit(config, table.into_rows())?;
    Artifact::seal(config, data, fitted, BTreeMap::new())
}

#[derive(Serialize)]
struct Loan {
    applied_at: &'static str,
    purpose: &'static str,
    grade: &'static str,
    income: f64,
    emp_years: Option<f64>,
    utilisation: f64,
    amount: f64,
    term_months: u16,
    delinq_2y: u8,
    dti: Option<f64>,
    home: Option<&'static str>,
}

const LOAN: Loan = Loan {
    applied_at: "2019-04-05T06:07:08",
    purpose: "car",
    grade: "B",
    income: 41_250.5,
    emp_years: None,
    utilisation: 0.375,
    amount: 12_000.0,
    term_months: 36,
    delinq_2y: 0,
    dti: None,
    home: Some("rent"),
};

#[derive(Serialize)]
struct Passenger {
    pclass: u8,
    name: &'static str,
    sex: &'static str,
    age: Option<f64>,
    sibsp: u8,
    parch: u8,
    ticket: &'static str,
    fare: f64,
    cabin: Option<&'static str>,
    embarked: &'static str,
    #[serde(rename = "home.dest")]
    home_dest: Option<&'static str>,
}

const PASSENGER: Passenger = Passenger {
    pclass: 1,
    name: "Allison, Master. Hudson Trevor",
    sex: "male",
    age: Some(0.9167),
    sibsp: 1,
    parch: 2,
    ticket: "113781",
    fare: 151.55,
    cabin: Some("C22 C26"),
    embarked: "S",
    home_dest: Some("Montreal, PQ / Chesterville, ON"),
};

/// All benches of one pipeline.
fn measure<T: Serialize>(c: &mut Criterion, name: &str, csv: &Path, row: &T) {
    let (config, batch) = pipeline(name, csv).expect("a pipeline and its rows");
    let artifact = fitted(&config, &batch).expect("a fit");
    let scorer = Scorer::from_bytes(artifact.bytes()).expect("a scorer");
    let mut group = c.benchmark_group(name);
    fits(&mut group, &config, &batch);
    group.throughput(Throughput::Elements(batch.n_rows() as u64));
    group.bench_function("all rows in a batch, one thread", |b| {
        b.iter(|| scorer.score_batch(black_box(&batch)).expect("scores"));
    });
    group.throughput(Throughput::Elements(1));
    let mut scratch = scorer.scratch();
    group.bench_function("one warm typed row", |b| {
        b.iter(|| scorer.score_row(black_box(row), &mut scratch).expect("a score"));
    });
    group.bench_function("load and self-test", |b| {
        b.iter(|| Scorer::from_bytes(black_box(artifact.bytes())).expect("a scorer"));
    });
    group.finish();
}

fn fits(group: &mut BenchmarkGroup<'_, WallTime>, config: &Config, batch: &Batch) {
    group.sample_size(10);
    for n_threads in [1, 2] {
        let threads = Threads::new(n_threads).expect("threads");
        group.bench_function(format!("fit, threads: {n_threads}"), |b| {
            b.iter(|| threads.run(|| fitted(black_box(config), batch).expect("a fit")));
        });
    }
}

fn pipelines(c: &mut Criterion) {
    measure(c, "titanic", &Path::new(DATA).join("titanic.csv"), &PASSENGER);
    let loans = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("loans.csv");
    if loans.is_file() {
        measure(c, "loans", &loans, &LOAN);
    } else {
        eprintln!("loans: not measured, `{}` is absent (`cargo xtask bench`)", loans.display());
    }
}

criterion_group!(benches, pipelines);
criterion_main!(benches);
