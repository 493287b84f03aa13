//! Gathering, beside polars reading the same file, or a binary COPY of the same rows, in one run.
//!
//! `read` makes a batch of every column, `fingerprint` also keys, canonical order and digests, and
//! `snapshot` also writes it down. The table has `SAMESCORE_BENCH_ROWS` rows, else [`N_ROWS`]. All
//! are read by [`N_THREADS`] threads; polars takes as many as `POLARS_MAX_THREADS` says. The memory
//! of each is that of a program which does nothing else: this one, called with [`ONCE`].

#[path = "gather/once.rs"]
mod once;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../tests/postgres/server.rs"]
mod server;
#[path = "gather/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use criterion::{Criterion, SamplingMode, Throughput};

use once::{Case, Spent};

/// Rows of the table, unless the environment says how many.
const N_ROWS: usize = 200_000;
const N_THREADS: usize = 2;
/// The argument before a case that is run once.
const ONCE: &str = "--once";
/// In cargo's folder for temporary files of tests: what each case has taken.
const SPENT: &str = "gather_spent.json";
/// The files, and whether polars reads them.
const FILES: [(&str, &str, bool); 5] = [
    ("csv", "table.csv", true),
    ("parquet", "table.parquet", true),
    ("ipc", "table.arrow", true),
    ("json_lines", "table.jsonl", false),
    ("sqlite", "table.db", false),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [once, by, place] = args.as_slice()
        && once == ONCE
    {
        let spent = Case::named(by, place).spent();
        return println!("{}", serde_json::to_string(&spent).expect("numbers are JSON"));
    }
    let rows = std::env::var("SAMESCORE_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok());
    let n_rows = rows.unwrap_or(N_ROWS);
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut spent = BTreeMap::new();
    files(&mut criterion, n_rows, &mut spent);
    #[cfg(unix)]
    databases(&mut criterion, n_rows, &mut spent);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = serde_json::to_string_pretty(&spent).expect("numbers are JSON");
    fs::create_dir_all(folder).and_then(|()| fs::write(folder.join(SPENT), text)).expect("room");
    criterion.final_summary();
}

fn files(criterion: &mut Criterion, n_rows: usize, spent: &mut BTreeMap<String, Spent>) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let csv = folder.path().join("table.csv");
    fs::write(&csv, table::csv(n_rows)).expect("there is room for the table");
    for (format, name, has_peer) in FILES {
        let path = csv.with_file_name(name);
        if path != csv {
            table::write(&csv, &path);
        }
        let place = path.to_str().expect("UTF-8").to_owned();
        let peer = has_peer.then_some("polars");
        let all: Vec<&str> = ["read", "fingerprint", "snapshot"].into_iter().chain(peer).collect();
        group(criterion, n_rows, format, &all, &place, spent);
        if path != csv {
            fs::remove_file(&path).expect("the file was written");
        }
    }
}

/// A server of one's own, if this machine has one; else a line that says so.
#[cfg(unix)]
fn databases(criterion: &mut Criterion, n_rows: usize, spent: &mut BTreeMap<String, Spent>) {
    use std::io::Write;

    let Some(server) = server::Server::start() else {
        return;
    };
    let mut client = server.client();
    client.batch_execute(&table::create()).expect("the table is made");
    let copy = format!("COPY {} FROM STDIN (FORMAT csv, HEADER)", table::TABLE);
    let mut copy = client.copy_in(&copy).expect("the server takes rows");
    copy.write_all(table::csv(n_rows).as_bytes()).expect("the server takes rows");
    copy.finish().expect("the server takes rows");
    client.batch_execute("VACUUM ANALYZE").expect("the table is there");
    let address = server.address();
    let place = format!("{}:{}", address.host, address.port);
    group(criterion, n_rows, "postgres", &["read", "fingerprint", "copy"], &place, spent);
}

fn group(
    criterion: &mut Criterion,
    n_rows: usize,
    format: &str,
    all: &[&str],
    place: &str,
    spent: &mut BTreeMap<String, Spent>,
) {
    let name = format!("gather/{format}");
    let mut group = criterion.benchmark_group(&name);
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(n_rows as u64));
    for by in all {
        let case = Case::named(by, place);
        group.bench_function(*by, |b| b.iter(|| assert_eq!(case.run(), n_rows, "{name}/{by}")));
        if let Some(found) = once::apart(by, place) {
            println!("{name}/{by}: {} MB, {} CPU ms", found.peak_bytes >> 20, found.cpu_millis);
            spent.insert(format!("{name}/{by}"), found);
        }
    }
    group.finish();
}
