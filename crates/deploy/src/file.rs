//! The one place where a file is opened, and how a refusal of the operating system is worded.

use std::io;
use std::path::Path;

use samescore_core::error::{Code, Error, Result};

/// The bytes of a file.
///
/// # Errors
/// Kind `Io`, if it does not exist, is a folder, or cannot be read.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    if path.is_dir() {
        let message = format!("expected a file, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    std::fs::read(path).map_err(|e| refused("read", path, &e))
}

/// What the operating system refused, with the path: `verb` is `read` or `write`.
pub fn refused(verb: &str, path: &Path, error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    };
    let message = format!("cannot {verb} `{}`: {reason}", path.display());
    Error::new(Code::Io, message)
}
