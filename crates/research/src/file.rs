//! Files read whole or opened. How they are written is said in [`output_file`](crate::output_file).

use std::fs::File;
use std::path::Path;

use samescore_core::csv_form;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use crate::output_file::refused;

/// The bytes of a file.
///
/// # Errors
/// If it does not exist, is a folder, cannot be read, or changes meanwhile.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_while(path, || ())
}

/// The same; `meanwhile` runs when the bytes are there and nobody has looked yet whether they are
/// still those of the file.
fn read_while(path: &Path, meanwhile: impl FnOnce()) -> Result<Vec<u8>> {
    refuse_folder(path)?;
    let no = |e: &std::io::Error| refused("read", path, e);
    let before = Stamp::of(path).map_err(|e| no(&e))?;
    let bytes = content(path, &before).map_err(|e| no(&e))?;
    meanwhile();
    let after = Stamp::of(path).ok();
    let is_same = after.as_ref() == Some(&before) && before.n_bytes == bytes.len() as u64;
    if before.is_plain && !is_same {
        return Err(changed(path));
    }
    Ok(bytes)
}

/// A file, opened to be read a part at a time.
///
/// # Errors
/// If it does not exist, is a folder, or cannot be read.
pub fn open(path: &Path) -> Result<File> {
    refuse_folder(path)?;
    File::open(path).map_err(|e| refused("read", path, &e))
}

fn refuse_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        let message = format!("expected a file, found the folder `{}`", path.display());
        return Err(Error::new(Code::Io, message));
    }
    Ok(())
}

/// A file that is not what it was.
pub(crate) fn changed(path: &Path) -> Error {
    let message = format!("expected `{}` to stay as it is, found it changed", path.display());
    let error = Error::new(Code::SourceChanged, message);
    error.remedy("read it again when nobody writes to it")
}

/// From here on all threads read a file together.
#[cfg(unix)]
const LARGE_BYTES: u64 = 64 << 20;

#[cfg(unix)]
fn content(path: &Path, stamp: &Stamp) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let Some(n_bytes) = usize::try_from(stamp.n_bytes).ok().filter(|_| stamp.is_plain) else {
        return std::fs::read(path);
    };
    if stamp.n_bytes < LARGE_BYTES {
        return std::fs::read(path);
    }
    const PIECE_BYTES: usize = 8 << 20;
    let file = File::open(path)?;
    let mut bytes = vec![0; n_bytes];
    let mut pieces: Vec<(usize, &mut [u8])> = bytes.chunks_mut(PIECE_BYTES).enumerate().collect();
    let read = par::map_mut(&mut pieces, |(at, piece)| {
        file.read_exact_at(piece, (*at * PIECE_BYTES) as u64)
    });
    read.into_iter().collect::<std::io::Result<()>>()?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn content(path: &Path, _: &Stamp) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// What a file had when it was looked at.
#[derive(PartialEq)]
pub(crate) struct Stamp {
    /// Not a pipe or a device, which have neither length nor age.
    pub(crate) is_plain: bool,
    pub(crate) n_bytes: u64,
    changed: Option<std::time::SystemTime>,
    /// Another file under the same name has another one.
    number: u64,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let number = 0;
        Ok(Stamp {
            is_plain: found.is_file(),
            n_bytes: found.len(),
            changed: found.modified().ok(),
            number,
        })
    }
}

/// The text of a file.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let (bytes, shown) = (read(path)?, path.display().to_string());
    csv_form::refuse_utf16(&shown, &bytes).map_err(|e| {
        let told = Error::new(Code::ConfigSyntax, e.message());
        told.remedy(e.remedy_text().unwrap_or_default())
    })?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let message =
            format!("`{shown}`: expected UTF-8 text up to the end, found other bytes at {at}");
        Error::new(Code::ConfigSyntax, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_no_file_and_other_bytes_are_no_text() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("expected a file"));
        let path = folder.path().join("a.toml");
        std::fs::write(&path, b"a\xff").unwrap();
        assert_eq!(read_text(&path).unwrap_err().code(), Code::ConfigSyntax);
        std::fs::write(&path, b"[\0d\0a\0t\0a\0]\0").unwrap();
        let utf16 = read_text(&path).unwrap_err();
        assert_eq!(utf16.code(), Code::ConfigSyntax);
        assert!(utf16.to_string().ends_with("found UTF-16 (save the file as UTF-8)"));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let appended = || std::fs::write(&path, b"a\n1\n2\n").unwrap();
        let replaced = || {
            std::fs::write(folder.path().join("b"), b"a\n2\n").unwrap();
            std::fs::rename(folder.path().join("b"), &path).unwrap();
        };
        let removed = || std::fs::remove_file(&path).unwrap();
        let all: [&dyn Fn(); 3] = [&appended, &replaced, &removed];
        for change in all {
            std::fs::write(&path, b"a\n1\n").unwrap();
            assert_eq!(read_while(&path, || ()).unwrap(), b"a\n1\n");
            let error = read_while(&path, change).unwrap_err();
            assert_eq!(error.code(), Code::SourceChanged);
            assert!(error.to_string().ends_with(
                "a.csv` to stay as it is, found it changed (read it again when nobody writes to it)"
            ));
        }
    }
}
