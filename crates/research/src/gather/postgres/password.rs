//! Where a password comes from: a file, the environment, or the file of passwords that the
//! server's own programs read. Never from an address, an argument or a config.

use std::path::{Path, PathBuf};

use samescore_core::error::{Code, Error, Result};

use super::super::source::Address;
use crate::output_file::refused;

/// The password for an address, if there is one: from its `password_file`, `PGPASSWORD`, or the
/// first line that fits in `PGPASSFILE` (else `.pgpass` of the home folder).
///
/// # Errors
/// If a named file cannot be read.
pub(super) fn find(address: &Address, user: &str) -> Result<Option<String>> {
    if let Some(path) = &address.password_file {
        let text = read(path)?;
        return Ok(Some(text.lines().next().unwrap_or_default().to_owned()));
    }
    if let Ok(password) = std::env::var("PGPASSWORD") {
        return Ok(Some(password));
    }
    let text = match std::env::var_os("PGPASSFILE") {
        Some(path) => read(Path::new(&path))?,
        None => {
            let path = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
            path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
        }
    };
    let host = if address.host.starts_with('/') { "localhost" } else { &address.host };
    let port = address.port.to_string();
    let wanted = [host, &port, &address.database, user];
    Ok(text.lines().find_map(|line| fitting(line, wanted)))
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| refused("read", path, &error))?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("`{}`: expected a password in UTF-8", path.display());
        Error::new(Code::Io, message)
    })
}

/// The password of a line `host:port:database:user:password` that fits.
fn fitting(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        // The password may have colons.
        if c == ':' && fields.len() <= wanted.len() {
            fields.push(String::new());
            continue;
        }
        let c = if c == '\\' { chars.next()? } else { c };
        fields.last_mut()?.push(c);
    }
    let password = fields.get(wanted.len())?;
    let fits = |(field, wanted): (&String, &str)| field == "*" || field == wanted;
    fields.iter().zip(wanted).all(fits).then(|| password.clone())
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_line_of_the_password_file_fits_or_does_not() {
        let wanted = ["h", "5432", "d", "u"];
        for (line, password) in [
            ("h:5432:d:u:secret", Some("secret")),
            ("*:*:*:u:a:b", Some("a:b")),
            ("*:*:*:*:a\\:b\\\\", Some("a:b\\")),
            ("h:5433:d:u:secret", None),
            ("# h:5432:d:u:secret", None),
            ("h:5432:d:u", None),
            ("", None),
        ] {
            assert_eq!(fitting(line, wanted).as_deref(), password, "{line}");
        }
    }
}
