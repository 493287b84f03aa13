//! Files read whole or opened. How they are written is said in [`output_file`](crate::output_file).

use std::fs::File;
use std::path::Path;

use samescore_core::error::{Code, Error, Result};

use crate::output_file::refused;

/// The bytes of a file.
///
/// # Errors
/// If it does not exist, is a folder, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    refuse_folder(path)?;
    std::fs::read(path).map_err(|e| refused("read", path, &e))
}

/// A file, opened to be read a part at a time.
///
/// # Errors
/// As [`read`].
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
    }
}
