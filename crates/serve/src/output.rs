//! Where results and errors go. A reader that stops reading is no failure of ours.

use std::io::{self, Write};
use std::path::Path;

use samescore_core::error::{Code, Error, Result};
use samescore_deploy::file;

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

/// Makes `bytes` the content of the file at `path`, at once or not at all: a temporary file in the
/// same folder is written, synced, and takes the name.
///
/// # Errors
/// If the operating system refuses; then what was there before is unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.is_dir() {
        let message = format!("expected a file name, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    write_beside(path, bytes).map_err(|e| file::refused("write", path, &e))
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link is followed; a device or a pipe takes the bytes and stays what it is.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(path, bytes);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new().prefix(".samescore-").tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    #[cfg(unix)]
    {
        // Temporary files are private to their owner; a result is as readable as any other new
        // file.
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        temporary.as_file().set_permissions(mode)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
