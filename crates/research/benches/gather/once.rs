//! One reading: by whom, of what; and what it takes of the machine.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use polars::prelude::{CsvReadOptions, IpcReader, ParquetReader, SerReader};
use postgres::{Config, NoTls};
use samescore_core::canonical::Canonical;
use samescore_core::par::Threads;
use samescore_research::gather::{self, Format};
use samescore_research::snapshot::{self, About};
use serde::{Deserialize, Serialize};

use crate::{N_THREADS, ONCE, table};

/// The most memory that a program had, and the time of all its threads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spent {
    pub peak_bytes: u64,
    pub cpu_millis: u64,
}

/// What is run.
pub struct Case {
    by: String,
    place: String,
    threads: Threads,
}

impl Case {
    /// `read`, `fingerprint`, `snapshot`, `polars` or `copy`, of a file or of the server at
    /// `folder:port`.
    pub fn named(by: &str, place: &str) -> Self {
        let threads = Threads::new(N_THREADS).expect("threads can be started");
        Case { by: by.to_owned(), place: place.to_owned(), threads }
    }

    /// Runs it and gives the number of rows.
    pub fn run(&self) -> usize {
        match self.by.as_str() {
            "polars" => by_polars(Path::new(&self.place)),
            "copy" => by_copy(&self.place),
            by => self.threads.run(|| ours(&self.place, by)),
        }
    }

    /// What this program has taken when it has run the case.
    pub fn spent(&self) -> Option<Spent> {
        self.run();
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.split_whitespace().next()?.parse().ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name of the program, in parentheses: ticks in its own code, and in the system.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().ok());
        let ticks: u64 = ticks.collect::<Option<Vec<u64>>>()?.into_iter().sum();
        Some(Spent { peak_bytes: kilobytes << 10, cpu_millis: ticks * 10 })
    }
}

/// What a program of its own takes for it; `None` where the system does not say.
pub fn apart(by: &str, place: &str) -> Option<Spent> {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).args([ONCE, by, place]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it says what it took")
}

fn ours(place: &str, by: &str) -> usize {
    let source = match place.rsplit_once(':') {
        Some((folder, port)) => table::served(folder, port),
        None => table::source(Path::new(place)),
    };
    let batch = gather::read(source, &table::declared(), &[]).expect("the table is read");
    if by == "read" {
        return batch.n_rows();
    }
    let ordered = Canonical::new(batch, &[]).expect("the table is in order");
    if by == "snapshot" {
        let folder = beside(place);
        snapshot::store(folder.path(), &ordered, &About::default()).expect("there is room");
    }
    ordered.batch().n_rows()
}

fn beside(place: &str) -> tempfile::TempDir {
    let folder = Path::new(place).parent().map_or_else(PathBuf::new, Path::to_owned);
    tempfile::tempdir_in(folder).expect("there is room")
}

fn by_polars(path: &Path) -> usize {
    let open = || fs::File::open(path).expect("the file is there");
    let frame = match Format::of(path).expect("the ending is known") {
        Format::Parquet => ParquetReader::new(open()).finish(),
        Format::Ipc => IpcReader::new(open()).finish(),
        _ => {
            let options = CsvReadOptions::default().with_n_threads(Some(N_THREADS));
            let reader = options.try_into_reader_with_file_path(Some(path.to_owned()));
            reader.and_then(SerReader::finish)
        }
    };
    frame.expect("the table is read").height()
}

/// The rows as the server sends them, looked at no further than to count them.
fn by_copy(place: &str) -> usize {
    let (folder, port) = place.rsplit_once(':').expect("a server's place");
    let mut config = Config::new();
    let port: u16 = port.parse().expect("a port");
    config.host_path(folder).port(port).user(table::USER).dbname(table::DATABASE);
    let mut client = config.connect(NoTls).expect("a connection");
    let query = format!("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)", table::TABLE);
    let mut rows = client.copy_out(&query).expect("the server sends rows");
    let (mut buffer, mut n_bytes) = (vec![0; 1 << 16], 0);
    loop {
        match rows.read(&mut buffer).expect("the server sends rows") {
            0 => break,
            n => n_bytes += n,
        }
    }
    drop(rows);
    assert!(n_bytes > 0);
    let count = format!("SELECT count(*) FROM {}", table::TABLE);
    let count: i64 = client.query_one(&count, &[]).expect("a count").get(0);
    count as usize
}
