//! Files: read whole, replaced whole.
//!
//! A file that is written appears complete or not at all: the bytes go into a temporary file in the
//! same folder, are synced, take the name by a rename, and then the folder is synced. What was
//! there before stays until the rename.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use samescore_core::error::{Code, Error, Result};

/// The bytes of a file.
///
/// # Errors
/// If it does not exist, is a folder, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        let message = format!("expected a file, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    std::fs::read(path).map_err(|e| refused("read", path, &e))
}

/// The text of a file.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let message = format!(
            "`{}`: expected UTF-8 text up to the end, found other bytes at {at}",
            path.display()
        );
        Error::new(Code::ConfigSyntax, message)
    })
}

/// Makes `bytes` the content of the file at `path`, at once or not at all.
///
/// # Errors
/// If the operating system refuses; then what was there before is unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.is_dir() {
        let message = format!("expected a file name, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    write_beside(path, bytes).map_err(|e| refused("write", path, &e))
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
    give_usual_mode(temporary.as_file())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    sync_folder(folder)
}

/// Temporary files are private to their owner; a result is as readable as any other new file.
#[cfg(unix)]
fn give_usual_mode(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn give_usual_mode(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What the operating system refused, with the path.
pub(crate) fn refused(verb: &str, path: &Path, error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    };
    Error::new(Code::Io, format!("cannot {verb} `{}`: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_refusal_names_the_path_and_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent").join("a.csv");
        let error = replace(&absent, b"x").unwrap_err();
        assert!(error.to_string().contains("a.csv`: no such file or folder"), "{error}");
        assert!(replace(folder.path(), b"x").unwrap_err().to_string().contains("folder"));
        assert!(read(folder.path()).unwrap_err().to_string().contains("expected a file"));
    }
}
