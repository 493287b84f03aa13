//! What a score costs: one warm typed row, one warm row set by name, and a batch.
//!
//! The pipelines are fitted here, so that a clean checkout has what it needs: `small` is the
//! example artifact (5 columns, 3 steps, linear), `titanic` is `data/pipelines/titanic.toml` (11
//! columns, 10 steps, logistic) on all rows of `data/titanic.csv`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use samescore_core::artifact::Artifact;
use samescore_core::batch::CellReader;
use samescore_core::config::Config;
use samescore_core::csv_form::CsvTable;
use samescore_core::example;
use samescore_core::pipeline::{Table, fit};
use samescore_deploy::{Batch, Column, Field, Result, Schema, Scorer, file};
use serde::Serialize;

const BATCH_ROWS: usize = 100_000;
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");

/// The artifact of `data/pipelines/titanic.toml`, and its rows.
fn titanic() -> Result<(Artifact, Batch)> {
    let config = file::read(format!("{DATA}/pipelines/titanic.toml"))?;
    let config = Config::from_toml(&String::from_utf8_lossy(&config))?;
    let rows = file::read(format!("{DATA}/titanic.csv"))?;
    let csv = CsvTable::open("titanic.csv", &rows)?;
    let places = csv.places(config.data.columns.keys().map(String::as_str))?;
    let declared = config.data.columns.values();
    let readers: Vec<CellReader> =
        declared.map(|c| CellReader::new(c.kind, &c.format, &config.data.missing)).collect();
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
    let table = Table::new(&config, &batch)?;
    let data = table.fingerprint();
    let fitted = fit(&config, table.into_rows())?;
    Ok((Artifact::seal(&config, data, fitted, BTreeMap::new())?, batch))
}

fn scorer(artifact: &Artifact) -> Scorer {
    Scorer::from_bytes(artifact.bytes()).expect("a scorer")
}

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
    let titanic = scorer(&titanic().expect("an artifact").0);
    let mut scratch = titanic.scratch();
    c.bench_function("titanic: one typed row", |b| {
        b.iter(|| titanic.score_row(black_box(&PASSENGER), &mut scratch).expect("a score"));
    });
}

/// `rows` over and over, up to [`BATCH_ROWS`].
fn repeated(rows: &Batch) -> Batch {
    let places: Vec<usize> = (0..BATCH_ROWS).map(|row| row % rows.n_rows()).collect();
    rows.select(&places)
}

fn batches(c: &mut Criterion) {
    let (artifact, passengers) = titanic().expect("an artifact");
    let small = example::artifact().expect("an artifact");
    let cases = [
        ("small", scorer(&small), example::table(BATCH_ROWS, 3)),
        ("titanic", scorer(&artifact), repeated(&passengers)),
    ];
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH_ROWS as u64));
    group.sample_size(20);
    for (name, scorer, rows) in &cases {
        group.bench_function(*name, |b| {
            b.iter(|| scorer.score_batch(black_box(rows)).expect("scores"));
        });
    }
    group.finish();
    c.bench_function("load and self-test", |b| {
        b.iter(|| Scorer::from_bytes(black_box(artifact.bytes())).expect("a scorer"));
    });
}

criterion_group!(benches, rows, batches);
criterion_main!(benches);
