//! What a server or the way to it says, in our form.

use std::error::Error as _;

use samescore_core::error::{Code, Error};
use tokio_postgres::error::SqlState;

/// An error of the server at `place`. None of its words hold a password: the server never gets one
/// in plain text but over a line that the user chose, and does not say it back.
pub(super) fn server(place: &str, error: &tokio_postgres::Error) -> Error {
    let (said, remedy) = match error.as_db_error() {
        Some(found) => {
            let detail = found.detail().map(|detail| format!("; {detail}")).unwrap_or_default();
            let said = format!("{}{detail} (SQLSTATE {})", found.message(), found.code().code());
            (said, remedy(found.code()))
        }
        None => {
            let said = innermost(error);
            let remedy = match said.contains("password missing") {
                true => {
                    "set password_file under [source] or behind the address, PGPASSWORD, or \
                    a line in PGPASSFILE"
                }
                false => "see that the server runs and can be reached",
            };
            (said, Some(remedy))
        }
    };
    let first = said.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    let error = Error::new(Code::Server, format!("{place}: {first}"));
    match remedy {
        Some(remedy) => error.remedy(remedy),
        None => error,
    }
}

fn innermost(error: &tokio_postgres::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        said = format!("{error}: {inner}");
        source = inner.source();
    }
    said
}

fn remedy(code: &SqlState) -> Option<&'static str> {
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            Some("check the user, and the password in password_file, PGPASSWORD or PGPASSFILE")
        }
        SqlState::QUERY_CANCELED => Some("allow more time with statement_timeout"),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            Some("run it again when the server is back; nothing was written")
        }
        SqlState::UNDEFINED_TABLE => {
            Some("names are compared letter by letter; write SCHEMA.TABLE for another schema")
        }
        _ => None,
    }
}
