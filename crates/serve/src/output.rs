//! Standard output and standard error. A reader that stops reading is no failure of ours.

use std::io::{self, Write};

use samescore_core::error::{Code, Error, Result};

/// Writes a result to standard output.
///
/// # Errors
/// If it cannot be written, unless the reader has closed it.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Io, format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error; if that is closed, nobody listens.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
