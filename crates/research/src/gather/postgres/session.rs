//! One connection to a server, on the thread that asks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use samescore_core::error::{Code, Error, Result};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, CopyInSink, CopyOutStream, Row};

use super::super::source::Address;
use super::super::sql::identifier;
use super::tls::TlsMode;
use super::{failure, password, tls, versions};
use futures_util::SinkExt;

const CONNECT_SECONDS: u32 = 15;
const KEEPALIVE_SECONDS: u64 = 30;

/// What makes texts of values the same on every server.
const FORMS: &str = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; \
    SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; \
    SET LOCAL bytea_output = 'hex'; SET LOCAL lc_numeric = 'C'; SET LOCAL lc_monetary = 'C'; \
    SET LOCAL lc_time = 'C'; SET LOCAL standard_conforming_strings = on; \
    SET LOCAL xmloption = 'content'";

/// A connection to a server.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    place: String,
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub(crate) fn open(address: &Address) -> Result<Self> {
        let place = match address.host.starts_with('/') {
            true => format!("server `{}`", address.host),
            false => format!("server `{}:{}`", address.host, address.port),
        };
        let user = address.user.clone().or_else(|| {
            let known = ["PGUSER", "USER", "LOGNAME"].into_iter();
            known.filter_map(|name| std::env::var(name).ok()).find(|user| !user.is_empty())
        });
        let user = user.ok_or_else(|| {
            let message = format!("{place}: expected a user, found none");
            Error::new(Code::Server, message).remedy("write postgres://USER@HOST/DATABASE")
        })?;
        let options = &address.options;
        let mode = match address.host.starts_with('/') {
            true => TlsMode::Disable,
            false => options.tls.unwrap_or_else(|| TlsMode::usual(&address.host)),
        };
        let connect_seconds = options.connect_timeout_seconds.unwrap_or(CONNECT_SECONDS);
        let mut config = Config::new();
        config
            .host(&address.host)
            .port(address.port)
            .user(&user)
            .dbname(&address.database)
            .application_name("samescore")
            .connect_timeout(Duration::from_secs(u64::from(connect_seconds)))
            .keepalives_idle(Duration::from_secs(KEEPALIVE_SECONDS))
            .ssl_mode(mode.ssl_mode());
        if let Some(password) = password::find(address, &user)? {
            config.password(password);
        }
        let connector = tls::connector(mode, options.root_file.as_deref())?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            Error::new(Code::Io, format!("the connection cannot be driven: {error}"))
        })?;
        let (client, connection) = runtime
            .block_on(config.connect(connector))
            .map_err(|error| failure::server(&place, &error))?;
        versions::note(address, connection.parameter("server_version").unwrap_or("unknown"));
        // What ends a connection reaches the request that waits.
        runtime.spawn(async move {
            let _ended = connection.await;
        });
        Ok(Session { runtime, client, place })
    }

    /// What messages call the server.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn wait<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> Error {
        failure::server(&self.place, error)
    }

    /// Runs statements that give no rows.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) fn run(&self, text: &str) -> Result<()> {
        self.wait(self.client.batch_execute(text)).map_err(|error| self.failed(&error))
    }

    /// Begins a transaction that sees one state of the database.
    pub(super) fn begin_reading(&self, timeout_seconds: Option<u32>) -> Result<()> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.run(FORMS)?;
        match timeout_seconds {
            Some(seconds) => self.run(&format!("SET LOCAL statement_timeout = '{seconds}s'")),
            None => Ok(()),
        }
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// What the server says.
    pub(super) fn query(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.wait(self.client.query(text, values)).map_err(|error| self.failed(&error))
    }

    /// The types of a query's parameters.
    pub(super) fn parameters(&self, text: &str) -> Result<Vec<Type>, tokio_postgres::Error> {
        Ok(self.wait(self.client.prepare(text))?.params().to_vec())
    }

    /// The names and types of a query's columns.
    ///
    /// # Errors
    /// If the server cannot read the query.
    pub(crate) fn columns(&self, text: &str) -> Result<Vec<(String, Type)>> {
        let statement = self.wait(self.client.prepare(text)).map_err(|e| self.failed(&e))?;
        let column =
            |column: &tokio_postgres::Column| (column.name().to_owned(), column.type_().clone());
        Ok(statement.columns().iter().map(column).collect())
    }

    /// Whether there is a table, or something else that is called so, where statements look for it;
    /// `name` is quoted.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) fn has_table(&self, name: &str) -> Result<bool> {
        let row = self.wait(self.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]));
        row.and_then(|row| row.try_get(0)).map_err(|error| self.failed(&error))
    }

    pub(super) fn copy_out(&self, text: &str) -> Result<Pin<Box<CopyOutStream>>> {
        self.wait(self.client.copy_out(text)).map(Box::pin).map_err(|error| self.failed(&error))
    }

    /// Sends bytes as the input of a COPY, and gives the number of rows.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) fn copy_in(&self, text: &str, bytes: Vec<u8>) -> Result<u64> {
        let send = async {
            let sink: CopyInSink<bytes::Bytes> = self.client.copy_in(text).await?;
            let mut sink = std::pin::pin!(sink);
            sink.send(bytes.into()).await?;
            sink.finish().await
        };
        self.wait(send).map_err(|error| self.failed(&error))
    }
}

/// The name of a table, `TABLE` or `SCHEMA.TABLE`, as it stands in a query. Each part may be in
/// double quotes, within which a point is no sign.
///
/// # Errors
/// If a part is empty, or a quote is not closed.
pub(crate) fn quoted(name: &str) -> Result<String> {
    let wrong = || {
        let message = format!("expected TABLE or SCHEMA.TABLE, found `{name}`");
        Error::new(Code::UnknownSource, message)
            .remedy("put a name with a point or a quote into double quotes")
    };
    let mut parts = vec![String::new()];
    let mut chars = name.chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = chars.next() {
        let last = parts.last_mut().ok_or_else(wrong)?;
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => last.push('"'),
            '"' if is_quoted || last.is_empty() => is_quoted = !is_quoted,
            '"' | '\0' => return Err(wrong()),
            '.' if !is_quoted => parts.push(String::new()),
            _ => last.push(c),
        }
    }
    if is_quoted || parts.len() > 2 || parts.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(parts.iter().map(|part| identifier(part)).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_of_tables_are_quoted_part_by_part() {
        for (name, text) in [
            ("t", "\"t\""),
            ("S.Weird name;drop", "\"S\".\"Weird name;drop\""),
            ("\"a.b\"", "\"a.b\""),
            ("s.\"a\"\"b\"", "\"s\".\"a\"\"b\""),
        ] {
            assert_eq!(quoted(name).unwrap(), text);
        }
        for name in ["", ".", "a.", ".a", "a.b.c", "\"a", "a\"b", "\"\"", "a\0"] {
            assert!(quoted(name).is_err(), "{name}");
        }
    }
}
