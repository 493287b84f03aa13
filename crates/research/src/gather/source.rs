//! What a source is called: a path, a pattern of paths, or an address of a database.
//!
//! # Shape
//! | text | source |
//! |---|---|
//! | `table.csv`, `.csv.gz`, `.parquet`, `.arrow`, `.jsonl` | one file, its format by its ending |
//! | `folder/*.parquet`, `folder/**/*.csv`, `folder/` | all files that match, one table |
//! | `folder/`, `folder/year=*/*.csv` with `year=2020/` in it | the same, `year` is a column |
//! | `snapshots/`, `snapshots/FINGERPRINT` | a snapshot |
//! | `sqlite://file.db?table=t`, `sqlite://file.db?query=SELECT ...` | a table or query of SQLite |
//! | `postgres://user@host:5432/db?table=t`, `...?query=...` | the same of a PostgreSQL server |
//!
//! A server's address may go on with `&sslmode=`, `&sslrootcert=`, `&connect_timeout=`,
//! `&statement_timeout=` (both in whole seconds) and `&password_file=`.
//!
//! In an address `%20` and the like stand for bytes; `%`, `&` and, before the `?`, `?` itself must
//! be written so. Which files a path or pattern means is said in `files`.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use samescore_core::error::{Code, Error, Result};

use super::files;
use super::folders::Filed;

const POSTGRES_PORT: u16 = 5432;

use super::postgres::Options;

/// A place where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, a folder of files, or a pattern of their paths.
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

/// A query.
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

impl Source {
    /// Reads the name of a source. Relative paths begin at `base`.
    ///
    /// # Errors
    /// If it looks like an address and is none of a known form.
    pub fn parse(text: impl AsRef<OsStr>, base: &Path) -> Result<Self> {
        let text = text.as_ref();
        let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once("://")) else {
            return Ok(Source::Files(base.join(text)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest, base),
            "postgres" | "postgresql" => postgres(rest, base),
            _ => Err(Error::new(
                Code::UnknownSource,
                format!("expected sqlite:// or postgres://, found `{scheme}://`"),
            )
            .remedy("give a path for a file")),
        }
    }

    /// The same, for rows with these declared key columns.
    #[must_use]
    pub fn keyed(mut self, key: &[String]) -> Self {
        if let Source::Sqlite(_, Relation::Query(query))
        | Source::Postgres(_, Relation::Query(query)) = &mut self
        {
            query.key = key.to_vec();
        }
        self
    }

    /// The files on this machine that are read, so that no output takes the place of one.
    ///
    /// # Errors
    /// If a folder cannot be listed, or a pattern matches nothing.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        Ok(self.filed()?.into_iter().map(|file| file.path).collect())
    }

    /// The same, with what the folders above them say of their rows.
    pub(super) fn filed(&self) -> Result<Vec<Filed>> {
        match self {
            Source::Files(path) => files::expand(path),
            Source::Sqlite(path, _) => Ok(vec![Filed::named(path.clone())]),
            Source::Postgres(..) => Ok(Vec::new()),
        }
    }

    /// Whether a file has a column that a folder above it gives as well.
    pub(super) fn is_told_twice(&self) -> Result<bool> {
        let Source::Files(_) = self else {
            return Ok(false);
        };
        for file in self.filed()?.iter().filter(|file| !file.is_bare()) {
            if file.opened()?.is_told_twice() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The query, if it is one.
    pub fn query(&self) -> Option<&str> {
        match self {
            Source::Sqlite(_, Relation::Query(query))
            | Source::Postgres(_, Relation::Query(query)) => Some(&query.text),
            _ => None,
        }
    }

    /// The same source for whoever stands in another folder.
    #[must_use]
    pub fn absolute(self) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        match self {
            Source::Files(path) => Source::Files(absolute(path)),
            Source::Sqlite(path, relation) => Source::Sqlite(absolute(path), relation),
            Source::Postgres(mut address, relation) => {
                address.password_file = address.password_file.map(absolute);
                address.options.root_file = address.options.root_file.map(absolute);
                Source::Postgres(address, relation)
            }
        }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Source::Files(path.to_owned())
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Self {
        Source::Files(path.clone())
    }
}

impl From<&Source> for Source {
    fn from(source: &Source) -> Self {
        source.clone()
    }
}

/// The text that [`Source::parse`] reads back. It holds no password.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Files(path) => path.display().fmt(f),
            Source::Sqlite(path, relation) => {
                write!(f, "sqlite://{}?{relation}", encoded(&path.display().to_string(), "%?"))
            }
            Source::Postgres(address, relation) => {
                f.write_str("postgres://")?;
                if let Some(user) = &address.user {
                    write!(f, "{}@", encoded(user, "%?/@:"))?;
                }
                f.write_str(&encoded(&address.host, "%?/@:"))?;
                if address.port != POSTGRES_PORT {
                    write!(f, ":{}", address.port)?;
                }
                write!(f, "/{}?{relation}", encoded(&address.database, "%?"))?;
                if let Some(path) = &address.password_file {
                    let path = path.display().to_string();
                    write!(f, "&password_file={}", encoded(&path, "%&"))?;
                }
                let options = address.options.params();
                options
                    .iter()
                    .try_for_each(|(name, value)| write!(f, "&{name}={}", encoded(value, "%&")))
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Relation::Table(name) => write!(f, "table={}", encoded(name, "%&")),
            Relation::Query(query) => write!(f, "query={}", encoded(&query.text, "%&\n\r\t")),
        }
    }
}

fn sqlite(rest: &str, base: &Path) -> Result<Source> {
    let (path, params) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decoded(path)?;
    if path.is_empty() {
        return Err(refused("expected a file in `sqlite://FILE?table=NAME`, found none"));
    }
    let mut params = Params::read(params)?;
    let relation = params.relation()?;
    params.finish()?;
    Ok(Source::Sqlite(base.join(path), relation))
}

fn postgres(rest: &str, base: &Path) -> Result<Source> {
    let (place, params) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(refused("expected an address without a password, found one")
            .remedy("take it out, and set password_file under [source], or PGPASSWORD"));
    }
    let (host, port) = match host.rsplit_once(':') {
        None => (host, POSTGRES_PORT),
        Some((host, port)) => {
            let port = port.parse();
            (host, port.map_err(|_| refused("expected a number as the port of the address"))?)
        }
    };
    let mut params = Params::read(params)?;
    let host = match params.take("host") {
        Some(host) => host,
        None => decoded(host)?,
    };
    let database = decoded(database)?;
    if host.is_empty() || database.is_empty() {
        let form = "expected `postgres://USER@HOST/DATABASE?table=NAME`, found no";
        let what = if host.is_empty() { "host" } else { "database" };
        return Err(refused(&format!("{form} {what}")));
    }
    let relation = params.relation()?;
    let password_file = params.take("password_file").map(|path| base.join(path));
    let options = Options::read(|name| params.take(name), base)?;
    params.finish()?;
    let user = user.map(decoded).transpose()?;
    Ok(Source::Postgres(Address { host, port, user, database, password_file, options }, relation))
}

fn refused(message: &str) -> Error {
    Error::new(Code::UnknownSource, message)
}

/// What stands behind the `?` of an address.
struct Params(Vec<(String, String)>);

impl Params {
    fn read(text: &str) -> Result<Self> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((name.to_owned(), decoded(value)?))
        });
        Ok(Params(pairs.collect::<Result<_>>()?))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    fn relation(&mut self) -> Result<Relation> {
        relation(self.take("table"), self.take("query"), Vec::new())
    }

    fn finish(&self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!("expected `table` or `query` once, found `{name}`");
                Err(refused(&message).remedy("write `&` inside a value as %26"))
            }
        }
    }
}

/// A table or a query, one of which must be given.
pub(super) fn relation(
    table: Option<String>,
    query: Option<String>,
    allow: Vec<String>,
) -> Result<Relation> {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    match (table, query) {
        (table @ Some(_), None) if given(&table) => Ok(Relation::Table(table.unwrap_or_default())),
        (None, query @ Some(_)) if given(&query) => {
            Ok(Relation::Query(Query { text: query.unwrap_or_default(), allow, key: Vec::new() }))
        }
        (Some(_), Some(_)) => Err(refused("expected a table or a query, found both")),
        _ => Err(refused("expected a table or a query, found neither")
            .remedy("end the address with ?table=NAME or ?query=SELECT ...")),
    }
}

impl Relation {
    /// Whether both name one table of an SQLite file.
    pub fn is_table_of(&self, other: &Relation) -> bool {
        let bare = |name: &str| name.strip_prefix("main.").unwrap_or(name).to_ascii_lowercase();
        match (self, other) {
            (Relation::Table(a), Relation::Table(b)) => bare(a) == bare(b),
            _ => false,
        }
    }
}

/// A text with `%20` and the like read as bytes.
pub(super) fn decoded(text: &str) -> Result<String> {
    let wrong =
        || refused(&format!("expected two hexadecimal digits behind each %, found `{text}`"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = behind;
            continue;
        }
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(wrong());
        };
        bytes.push((high * 16 + low) as u8);
        rest = &behind[2..];
    }
    String::from_utf8(bytes).map_err(|_| refused("expected UTF-8 behind %, found other bytes"))
}

/// A text with these characters as `%20` and the like.
fn encoded(text: &str, special: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match special.contains(c) {
            true => written.push_str(&format!("%{:02X}", u32::from(c))),
            false => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Source> {
        Source::parse(text, Path::new("/base"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (text, shown) in [
            ("t.csv", "/base/t.csv"),
            ("/other/*.parquet", "/other/*.parquet"),
            ("sqlite://a.db?table=t", "sqlite:///base/a.db?table=t"),
            (
                "sqlite:///a%3F.db?query=SELECT %2526%26 FROM t",
                "sqlite:///a%3F.db?query=SELECT %2526%26 FROM t",
            ),
            ("postgresql://u@h:5433/d?table=s.t", "postgres://u@h:5433/d?table=s.t"),
            (
                "postgres://%2Ftmp%2Fs/d?query=SELECT 1&password_file=p",
                "postgres://%2Ftmp%2Fs/d?query=SELECT 1&password_file=/base/p",
            ),
            (
                "postgres://h/d?table=t&statement_timeout_seconds=9&sslmode=require&sslrootcert=r",
                "postgres://h/d?table=t&sslmode=require&sslrootcert=/base/r&statement_timeout=9",
            ),
            (
                "postgres://h/d?table=t&statement_timeout=9&connect_timeout=3",
                "postgres://h/d?table=t&connect_timeout=3&statement_timeout=9",
            ),
            ("postgres:///d?host=/run/s&table=t", "postgres://%2Frun%2Fs/d?table=t"),
        ] {
            let source = parsed(text).unwrap();
            assert_eq!(source.to_string(), shown);
            assert_eq!(parsed(shown).unwrap(), source);
        }
        let Source::Sqlite(path, Relation::Query(query)) =
            parsed("sqlite://a%20b.db?query=SELECT a%2Bb FROM t WHERE c = '%25'").unwrap()
        else {
            panic!("expected a query of SQLite");
        };
        assert_eq!(path, Path::new("/base/a b.db"));
        assert_eq!(query.text, "SELECT a+b FROM t WHERE c = '%'");
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_its_password() {
        for (text, expected) in [
            ("mysql://h/d", "expected sqlite:// or postgres://, found `mysql://`"),
            ("sqlite://?table=t", "expected a file in `sqlite://FILE?table=NAME`, found none"),
            ("sqlite://a.db", "expected a table or a query, found neither"),
            ("sqlite://a.db?table=", "expected a table or a query, found neither"),
            ("sqlite://a.db?table=t&query=SELECT 1", "expected a table or a query, found both"),
            ("sqlite://a.db?table=t&mode=rw", "expected `table` or `query` once, found `mode`"),
            ("sqlite://a.db?table=%2", "expected two hexadecimal digits behind each %"),
            ("sqlite://a.db?table=%FF", "expected UTF-8 behind %, found other bytes"),
            (
                "postgres://u:secret@h/d?table=t",
                "expected an address without a password, found one",
            ),
            (
                "postgres://h/d?table=t&connect_timeout=0",
                "expected whole seconds as connect_timeout, found `0`",
            ),
            ("postgres://h:x/d?table=t", "expected a number as the port of the address"),
            (
                "postgres:///d?table=t",
                "expected `postgres://USER@HOST/DATABASE?table=NAME`, found no host",
            ),
            (
                "postgres://h/?table=t",
                "expected `postgres://USER@HOST/DATABASE?table=NAME`, found no database",
            ),
        ] {
            let error = parsed(text).unwrap_err();
            assert_eq!(error.code(), Code::UnknownSource);
            assert!(
                error.to_string().starts_with(expected),
                "{error} should begin with {expected}"
            );
            assert!(!error.to_string().contains("secret"));
        }
    }
}
