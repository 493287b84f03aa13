//! What a source is called: a path, a pattern of paths, or an address of a database.
//!
//! # Shape
//! | text | source |
//! |---|---|
//! | `table.csv`, `.csv.gz`, `.parquet`, `.arrow`, `.jsonl` | one file, its format by its ending |
//! | `folder/*.parquet`, `folder/**/*.csv`, `folder/` | all files that match, one table |
//! | `snapshots/`, `snapshots/FINGERPRINT` | a snapshot |
//! | `sqlite://file.db?table=t`, `sqlite://file.db?query=SELECT ...` | a table or query of SQLite |
//! | `postgres://user@host:5432/db?table=t`, `...?query=...` | the same of a PostgreSQL server |

use std::path::PathBuf;

use super::postgres::Options;

/// A place where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files of one format, in the order of their names.
    Files(PathBuf),
    /// An SQLite file.
    Sqlite(PathBuf, Relation),
    /// A PostgreSQL server.
    Postgres(Address, Relation),
}

/// What is read from a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// All rows of a table, which may be named with its schema.
    Table(String),
    /// The rows of a query.
    Query(Query),
}

/// A query that has been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The text as given.
    pub text: String,
    /// What is allowed although it may give other rows on another run, by name.
    pub allow: Vec<String>,
    /// The declared key columns of its rows: an order by all of them is total.
    pub key: Vec<String>,
}

/// Where a server is. It holds no password: that comes from a file or the environment when the
/// connection is made, and is in no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host, or the folder of a Unix socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user; none means that of the environment.
    pub user: Option<String>,
    /// The database.
    pub database: String,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// How the connection is secured, and its limits.
    pub options: Options,
}
