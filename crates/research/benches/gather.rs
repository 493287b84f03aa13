//! Reading a table, beside polars reading the same file in the same run.
//!
//! The table has [`N_ROWS`] rows of 30 columns: numbers of some digits, whole numbers, a share, a
//! label of few levels, an identifier, a time. Both read every column, on the same number of
//! threads: polars takes `POLARS_MAX_THREADS`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use polars::prelude::{CsvReadOptions, ParquetReader, SerReader};
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::par::Threads;
use samescore_research::convert::{self, Form};
use samescore_research::gather::{self, Format, Source};

const N_ROWS: usize = 2_000_000;
const N_COLUMNS: usize = 30;
const N_THREADS: usize = 2;
const N_RUNS: usize = 5;

/// A table as CSV, the same on every run.
fn table(n_rows: usize) -> String {
    let mut text = String::with_capacity(n_rows * N_COLUMNS * 10);
    let names: Vec<String> = (0..N_COLUMNS).map(|i| format!("c{i:02}")).collect();
    text.push_str(&names.join(","));
    text.push('\n');
    let mut state = 7u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let labels = ["north", "south", "east", "west", "north-east", "elsewhere"];
    for row in 0..n_rows {
        for column in 0..N_COLUMNS {
            if column > 0 {
                text.push(',');
            }
            let x = next();
            // Writing into a string cannot fail.
            let _ = match column {
                _ if x % 50 == 0 && column > 0 => Ok(()),
                0 => write!(text, "id{row:08}"),
                1..=3 => write!(text, "{}", labels[x as usize % labels.len()]),
                4 => write!(text, "20{:02}-{:02}-{:02}", x % 30, 1 + x % 12, 1 + x % 28),
                5..=9 => write!(text, "{}", x % 100_000),
                10..=19 => write!(text, "{}.{:04}", x % 1000, x % 9973),
                _ => write!(text, "0.{:010}", x * 4),
            };
        }
        text.push('\n');
    }
    text
}

/// The table's file, and the columns of it.
fn written(folder: &Path, name: &str, csv: &Path) -> PathBuf {
    let path = folder.join(name);
    let data = declared(csv);
    let batch = gather::read(csv, &data, &[]).expect("the table is one");
    let form = match Format::of(&path) {
        Ok(format) => Form::File { format, group_rows: Some(1 << 18) },
        Err(_) => Form::Sqlite("t".to_owned()),
    };
    let bytes = convert::write(&batch, &data.columns, &form).expect("the table is written");
    std::fs::write(&path, bytes).expect("there is room for the table");
    path
}

fn declared(csv: &Path) -> DataConfig {
    let columns: BTreeMap<String, ColumnConfig> =
        gather::infer(csv, &[]).expect("the table has a schema");
    DataConfig { columns, ..DataConfig::default() }
}

/// The median of [`N_RUNS`] runs, in milliseconds, and the least and the greatest.
fn timed(name: &str, mut run: impl FnMut() -> usize) {
    let mut millis: Vec<u128> = (0..N_RUNS)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(black_box(run()), N_ROWS, "{name}");
            begun.elapsed().as_millis()
        })
        .collect();
    millis.sort();
    let (least, median, greatest) = (millis[0], millis[N_RUNS / 2], millis[N_RUNS - 1]);
    println!("{name:24} {median:6} ms ({least} to {greatest})");
}

fn main() {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let csv = folder.path().join("table.csv");
    let text = table(N_ROWS);
    println!("{N_ROWS} rows, {} MB of CSV, {N_THREADS} threads", text.len() / 1_000_000);
    std::fs::write(&csv, text).expect("there is room for the table");
    let data = declared(&csv);
    let threads = Threads::new(N_THREADS).expect("threads can be started");
    let read = |source: &Source| {
        threads.run(|| gather::read(source, &data, &[])).expect("the table is read").n_rows()
    };
    timed("csv", || read(&Source::from(&csv)));
    timed("csv, polars", || {
        let options = CsvReadOptions::default().with_n_threads(Some(N_THREADS));
        let reader = options.try_into_reader_with_file_path(Some(csv.clone()));
        reader.and_then(SerReader::finish).expect("the table is read").height()
    });
    timed("csv, schema inferred", || {
        let inferred = threads.run(|| gather::infer(&csv, &[]));
        assert_eq!(inferred.expect("the table has a schema").len(), N_COLUMNS);
        N_ROWS
    });
    for name in ["table.parquet", "table.arrow", "table.jsonl", "table.db"] {
        let path = written(folder.path(), name, &csv);
        let source = match name {
            "table.db" => {
                let address = format!("sqlite://{}?table=t", path.display());
                Source::parse(address, Path::new("")).expect("the address is one")
            }
            _ => Source::from(&path),
        };
        timed(name, || read(&source));
        if name == "table.parquet" {
            timed("table.parquet, polars", || {
                let file = std::fs::File::open(&path).expect("the file is there");
                ParquetReader::new(file).finish().expect("the table is read").height()
            });
        }
        let _ = std::fs::remove_file(&path);
    }
}
