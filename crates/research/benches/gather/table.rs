//! The table that is read, the same on every run, in every form.

use std::fmt::Write;
use std::path::Path;

use samescore_core::batch::ColumnKind;
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_research::convert::{self, Form};
use samescore_research::gather::postgres::Options;
use samescore_research::gather::{self, Address, Format, Relation, Source};

pub const N_COLUMNS: usize = 30;
/// What it is called in a database.
pub const TABLE: &str = "t";
pub const USER: &str = "tester";
pub const DATABASE: &str = "postgres";

/// As CSV: an identifier, labels of few levels, a date, whole numbers, numbers of some digits, and
/// shares; a cell in fifty is missing.
pub fn csv(n_rows: usize) -> String {
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

/// Name and kind of every column, as they are inferred.
pub fn declared() -> DataConfig {
    let column = |i: usize| (format!("c{i:02}"), ColumnConfig::from(kind(i)));
    DataConfig { columns: (0..N_COLUMNS).map(column).collect(), ..DataConfig::default() }
}

fn kind(column: usize) -> ColumnKind {
    match column {
        0..=3 => ColumnKind::Text,
        4 => ColumnKind::Time,
        _ => ColumnKind::Num,
    }
}

/// How a server is told to make the table.
pub fn create() -> String {
    let fields = (0..N_COLUMNS).map(|i| {
        let stored = match kind(i) {
            ColumnKind::Text => "text",
            ColumnKind::Time => "date",
            ColumnKind::Num => "double precision",
        };
        format!("c{i:02} {stored}")
    });
    format!("CREATE TABLE {TABLE} ({})", fields.collect::<Vec<_>>().join(", "))
}

/// Writes the rows of a CSV file in the form that the ending of `path` says, else as SQLite.
pub fn write(csv: &Path, path: &Path) {
    let data = declared();
    let batch = gather::read(csv, &data, &[]).expect("the table is one");
    let form = match Format::of(path) {
        Ok(format) => Form::File { format, group_rows: Some(1 << 18) },
        Err(_) => Form::Sqlite(TABLE.to_owned()),
    };
    let bytes = convert::write(&batch, &data.columns, &form).expect("the table is written");
    std::fs::write(path, bytes).expect("there is room for the table");
}

/// The source that a file is.
pub fn source(path: &Path) -> Source {
    if Format::of(path).is_ok() {
        return Source::from(path);
    }
    let address = format!("sqlite://{}?table={TABLE}", path.display());
    Source::parse(address, Path::new("")).expect("the address is one")
}

/// The source that a server is, whose socket is in a folder.
pub fn served(folder: &str, port: &str) -> Source {
    let address = Address {
        host: folder.to_owned(),
        port: port.parse().expect("a port"),
        user: Some(USER.to_owned()),
        database: DATABASE.to_owned(),
        password_file: None,
        options: Options::default(),
    };
    Source::Postgres(address, Relation::Table(TABLE.to_owned()))
}
