//! The source that a config names: `[source]`, or its short form `source` under `[data]`.
//!
//! # Shape
//! One of
//! - `path`: a file, folder or pattern, relative to the config
//! - `url`: an address, as on the command line
//! - `database`, with `table` or `query`: the same in parts, `database` being `sqlite://FILE` or
//!   `postgres://USER@HOST/DATABASE`, and for a server `password_file`, `sslmode` (`disable`,
//!   `prefer`, `require` or `verify-full`), `sslrootcert` (a file of certificates in PEM),
//!   `connect_timeout` and `statement_timeout` (whole seconds), as in an address
//!
//! and for a query `allow`, a list of what may differ from run to run. No password stands in a
//! config.

use std::ops::Range;
use std::path::Path;

use samescore_core::config::Config;
use samescore_core::error::{Code, Error, Result};
use serde::Deserialize;
use toml::Spanned;

use super::postgres::Options;
use super::source::{Relation, Source, relation};

#[derive(Deserialize)]
struct Root {
    source: Option<Spanned<Named>>,
}

/// The table `[source]` of a config, or of a join in it, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    path: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    database: Option<Spanned<String>>,
    table: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    sslmode: Option<Spanned<String>>,
    sslrootcert: Option<Spanned<String>>,
    connect_timeout: Option<Spanned<u32>>,
    statement_timeout: Option<Spanned<u32>>,
    #[serde(default)]
    allow: Vec<String>,
}

/// The source of a config with that text, which stands in the folder `base`; `None` if it names
/// none.
///
/// # Errors
/// If `[source]` is not of its form, or there is a `source` under `[data]` as well; with the place
/// in the text.
pub fn of_config(text: &str, config: &Config, base: &Path) -> Result<Option<Source>> {
    let root: Root = toml::from_str(text).map_err(|e| {
        let message = e.message().trim_end_matches('.');
        let is_unknown = message.starts_with("unknown field");
        let code = if is_unknown { Code::UnknownKey } else { Code::BadParameter };
        let error = Error::new(code, message);
        match e.span() {
            Some(span) => error.at(span),
            None => error,
        }
    })?;
    match (root.source, &config.data.source) {
        (None, None) => Ok(None),
        (None, Some(short)) => Source::parse(short, base).map(Some).map_err(coded),
        (Some(named), Some(_)) => {
            let message = "expected one source, found [source] and `source` under [data]";
            Err(Error::new(Code::BadParameter, message).remedy("take one out").at(named.span()))
        }
        (Some(named), None) => {
            let span = named.span();
            named.into_inner().source(base, span).map(Some)
        }
    }
}

/// The table `[source]` of a config that names a source.
pub fn to_table(source: &Source) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let key = if matches!(source, Source::Files(_)) { "path" } else { "url" };
    let mut table = format!("[source]\n{key} = {}\n", quoted(&source.to_string()));
    if let Source::Sqlite(_, Relation::Query(query)) | Source::Postgres(_, Relation::Query(query)) =
        source
    {
        let allow: Vec<String> = query.allow.iter().map(|name| quoted(name)).collect();
        if !allow.is_empty() {
            table.push_str(&format!("allow = [{}]\n", allow.join(", ")));
        }
    }
    table
}

/// A source that a config names wrongly is an error of the config.
fn coded(error: Error) -> Error {
    let coded = Error::new(Code::BadParameter, error.message());
    match error.remedy_text() {
        Some(remedy) => coded.remedy(remedy),
        None => coded,
    }
}

impl Named {
    /// The source of a config that stands in the folder `base`; the table stands at `whole` in its
    /// text.
    ///
    /// # Errors
    /// If the table names none or two, or keys do not belong together.
    pub fn source(self, base: &Path, whole: Range<usize>) -> Result<Source> {
        let wrong = |message: &str| Error::new(Code::BadParameter, message);
        let stray = [&self.table, &self.query].into_iter().flatten().map(Spanned::span).next();
        let stray = stray.or_else(|| self.of_server());
        let text = match (&self.path, &self.url, &self.database) {
            (Some(path), None, None) => path,
            (None, Some(url), None) => url,
            (None, None, Some(_)) => return self.in_parts(base, whole),
            _ => {
                let message = "expected one of `path`, `url` and `database` under [source]";
                return Err(wrong(message).at(whole));
            }
        };
        if let Some(stray) = stray {
            let message = "expected `table`, `query` and what a server needs beside `database` \
                alone, found it beside another";
            return Err(wrong(message).at(stray));
        }
        let source = Source::parse(text.get_ref(), base);
        let source = source.map_err(|e| coded(e).at(text.span()))?;
        if let (Some(path), false) = (&self.path, matches!(source, Source::Files(_))) {
            return Err(wrong("expected a path, found an address")
                .remedy("call it `url`")
                .at(path.span()));
        }
        source.allowing(self.allow).map_err(|e| e.at(whole))
    }

    /// Where the first key stands that a server alone needs.
    fn of_server(&self) -> Option<Range<usize>> {
        let texts = [&self.password_file, &self.sslmode, &self.sslrootcert];
        let numbers = [&self.connect_timeout, &self.statement_timeout];
        let texts = texts.into_iter().flatten().map(Spanned::span);
        texts.chain(numbers.into_iter().flatten().map(Spanned::span)).next()
    }

    /// How a connection is made.
    fn options(&mut self, base: &Path) -> Result<Options> {
        let texts = [("sslmode", self.sslmode.take()), ("sslrootcert", self.sslrootcert.take())];
        let texts = texts.map(|(name, text)| (name, text.map(|t| (t.span(), t.into_inner()))));
        let numbers = [
            ("connect_timeout", self.connect_timeout.take()),
            ("statement_timeout", self.statement_timeout.take()),
        ];
        let numbers =
            numbers.map(|(name, n)| (name, n.map(|n| (n.span(), n.into_inner().to_string()))));
        let mut options = Options::default();
        for (name, value) in texts.into_iter().chain(numbers) {
            // One by one, so that an error stands where its key does.
            let Some((span, text)) = value else {
                continue;
            };
            let mut text = Some(text);
            let take = |wanted: &str| if wanted == name { text.take() } else { None };
            let one = Options::read(take, base).map_err(|e| coded(e).at(span))?;
            options = options.or(one);
        }
        Ok(options)
    }

    /// `database` with `table` or `query`.
    fn in_parts(mut self, base: &Path, whole: Range<usize>) -> Result<Source> {
        let (of_server, options) = (self.of_server(), self.options(base)?);
        let database = self.database.map(|database| (database.span(), database.into_inner()));
        let (span, database) = database.unwrap_or((whole.clone(), String::new()));
        if database.contains('?') {
            let message = "expected a database without `?`, found one";
            let error = Error::new(Code::BadParameter, message);
            return Err(error.remedy("write `table` or `query` beside it").at(span));
        }
        // The address of any table is that of its database.
        let address = Source::parse(format!("{database}?table=t"), base);
        let address = address.map_err(|e| coded(e).at(span.clone()))?;
        let relation = relation(
            self.table.map(Spanned::into_inner),
            self.query.map(Spanned::into_inner),
            self.allow,
        );
        let relation = relation.map_err(|e| coded(e).at(whole))?;
        match (address, of_server) {
            (Source::Sqlite(path, _), None) => Ok(Source::Sqlite(path, relation)),
            (Source::Postgres(mut address, _), _) => {
                let file = self.password_file;
                address.password_file = file.map(|file| base.join(file.into_inner()));
                address.options = options;
                Ok(Source::Postgres(address, relation))
            }
            (Source::Sqlite(..), Some(place)) => {
                let message = "expected what a server needs for a server alone, found SQLite";
                Err(Error::new(Code::BadParameter, message).at(place))
            }
            (Source::Files(_), _) => {
                let message = "expected sqlite:// or postgres:// as `database`, found a path";
                Err(Error::new(Code::BadParameter, message).remedy("call it `path`").at(span))
            }
        }
    }
}

impl Source {
    /// The same, allowing in its query what is named.
    fn allowing(mut self, names: Vec<String>) -> Result<Self> {
        match &mut self {
            Source::Sqlite(_, Relation::Query(query))
            | Source::Postgres(_, Relation::Query(query)) => {
                query.allow = names;
            }
            _ if names.is_empty() => {}
            _ => {
                let message = "expected `allow` with a query alone, found no query";
                return Err(Error::new(Code::BadParameter, message));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use samescore_core::config::Task;
    use samescore_core::models::LinearRegressionParams;

    use super::*;

    fn named(text: &str, short: Option<&str>) -> Result<Option<Source>> {
        let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default());
        config.data.source = short.map(str::to_owned);
        of_config(text, &config, Path::new("/base"))
    }

    #[test]
    fn each_form_names_its_source() {
        for (text, shown) in [
            ("[source]\npath = \"a/*.csv\"", "/base/a/*.csv"),
            ("[source]\nurl = \"sqlite://a.db?table=t\"", "sqlite:///base/a.db?table=t"),
            (
                "[source]\ndatabase = \"sqlite://a.db\"\nquery = \"SELECT 1 & 2\"",
                "sqlite:///base/a.db?query=SELECT 1 %26 2",
            ),
            (
                "[source]\ndatabase = \"postgres://u@h/d\"\ntable = \"t\"\npassword_file = \"p\"",
                "postgres://u@h/d?table=t&password_file=/base/p",
            ),
            (
                "[source]\ndatabase = \"postgres://u@h/d\"\ntable = \"t\"\nsslmode = \"require\"\n\
                 sslrootcert = \"r.pem\"\nconnect_timeout = 3\nstatement_timeout = 60",
                "postgres://u@h/d?table=t&sslmode=require&sslrootcert=/base/r.pem\
                 &connect_timeout=3&statement_timeout=60",
            ),
        ] {
            let source = named(text, None).unwrap().unwrap();
            assert_eq!(source.to_string(), shown);
            assert_eq!(named(&to_table(&source), None).unwrap(), Some(source));
        }
        let text = "[source]\nurl = \"sqlite://a.db?query=SELECT 1\"\nallow = [\"now\"]";
        let source = named(text, None).unwrap();
        assert_eq!(named(&to_table(source.as_ref().unwrap()), None).unwrap(), source);
        let Some(Source::Sqlite(_, Relation::Query(query))) = source else {
            panic!("expected a query");
        };
        assert_eq!(query.allow, ["now"]);
        assert_eq!(named("", Some("t.csv")).unwrap().unwrap().to_string(), "/base/t.csv");
        assert_eq!(named("", None).unwrap(), None);
    }

    #[test]
    fn what_is_no_source_is_refused_where_it_stands() {
        for (text, expected, at) in [
            ("[source]\n", "expected one of `path`, `url` and `database`", 0),
            ("[source]\npath = \"a\"\nurl = \"b\"", "expected one of `path`, `url`", 0),
            ("[source]\nfile = \"a\"", "unknown field `file`", 9),
            ("[source]\npath = \"sqlite://a?table=t\"", "expected a path, found an address", 16),
            ("[source]\nurl = \"x://a\"", "expected sqlite:// or postgres://, found `x://`", 15),
            ("[source]\npath = \"a\"\ntable = \"t\"", "expected `table`, `query` and", 28),
            ("[source]\npath = \"a\"\nallow = [\"now\"]", "expected `allow` with a query alone", 0),
            (
                "[source]\ndatabase = \"a.db\"\ntable = \"t\"",
                "expected sqlite:// or postgres://",
                20,
            ),
            (
                "[source]\ndatabase = \"sqlite://a\"",
                "expected a table or a query, found neither",
                0,
            ),
            ("[source]\ndatabase = \"sqlite://a?table=t\"", "expected a database without `?`", 20),
            (
                "[source]\ndatabase = \"sqlite://a\"\ntable = \"t\"\npassword_file = \"p\"",
                "expected what a server needs for a server alone",
                61,
            ),
            (
                "[source]\ndatabase = \"postgres://u@h/d\"\ntable = \"t\"\nsslmode = \"none\"",
                "expected `disable`, `prefer`, `require` or `verify-full` as sslmode",
                61,
            ),
            (
                "[source]\ndatabase = \"postgres://u@h/d\"\ntable = \"t\"\nconnect_timeout = 0",
                "expected whole seconds as connect_timeout, found `0`",
                69,
            ),
            ("[source]\npath = \"a\"\nsslmode = \"require\"", "expected `table`, `query` and", 30),
        ] {
            let error = named(text, None).unwrap_err();
            assert_eq!(error.kind(), samescore_core::error::Kind::Config, "{text}");
            assert!(
                error.to_string().starts_with(expected),
                "{error} should begin with {expected}"
            );
            assert_eq!(error.span().map(|span| span.start), Some(at), "{text}");
        }
        let both = named("[source]\npath = \"a\"", Some("b")).unwrap_err();
        assert!(both.to_string().starts_with("expected one source, found [source] and `source`"));
    }
}
