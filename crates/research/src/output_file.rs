//! Files that a program writes: complete or not at all, and never in the place of what it reads.
//!
//! This file stands in research and in serve, equal byte for byte, which tidy checks: core knows no
//! files, deploy writes none, and research and serve share no other crate.
//!
//! What is written goes into a temporary file in the same folder, is synced, takes the name by a
//! rename, and then the folder is synced. What was there before stays until the rename.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use samescore_core::error::{Code, Error, Result};

/// Makes `bytes` the content of the file at `path`, at once or not at all.
///
/// # Errors
/// If the operating system refuses; then what was there before is unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write(bytes)?;
    draft.finish()
}

/// A file that is being written and takes its name when it is finished; dropped before, it leaves
/// nothing behind and what was there before unchanged.
pub struct Draft {
    path: PathBuf,
    to: To,
}

enum To {
    /// Beside the file whose place it will take.
    Beside(tempfile::NamedTempFile, PathBuf),
    /// A device or a pipe takes the bytes and stays what it is.
    Device(File),
}

impl Draft {
    /// Begins to write the file that will be at `path`.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn begin(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let message = format!("expected a file name, found the folder `{}`", path.display());
            return Err(Error::new(Code::Io, message));
        }
        let to = To::begin(path).map_err(|e| refused("write", path, &e))?;
        Ok(Draft { path: path.to_owned(), to })
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.to {
            To::Beside(file, _) => file.write_all(bytes),
            To::Device(device) => device.write_all(bytes),
        };
        written.map_err(|e| refused("write", &self.path, &e))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// If the operating system refuses; then what was there before is unchanged.
    pub fn finish(self) -> Result<()> {
        self.to.finish().map_err(|e| refused("write", &self.path, &e))
    }
}

impl To {
    fn begin(path: &Path) -> io::Result<Self> {
        // A link is followed.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return File::create(&path).map(To::Device);
        }
        let temporary =
            tempfile::Builder::new().prefix(".samescore-").tempfile_in(folder_of(&path))?;
        Ok(To::Beside(temporary, path))
    }

    fn finish(self) -> io::Result<()> {
        match self {
            To::Beside(temporary, path) => {
                give_usual_mode(temporary.as_file())?;
                temporary.as_file().sync_all()?;
                temporary.persist(&path).map_err(|e| e.error)?;
                sync_folder(folder_of(&path))
            }
            To::Device(mut device) => device.flush(),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
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
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses, before any work, outputs that are one file with an input or with each other, whatever
/// their paths look like. Each path comes with what it is called, such as `--out`; an output that
/// was not asked for is none. A device or a pipe may be both.
///
/// # Errors
/// The first output that would overwrite another file, and which one.
pub fn keep_apart(inputs: &[(&str, &Path)], outputs: &[(&str, Option<&Path>)]) -> Result<()> {
    let known = inputs.iter().copied();
    let mut seen: Vec<(&str, Option<Place>)> = known.map(|(name, p)| (name, place(p))).collect();
    for (name, path) in outputs.iter().filter_map(|(name, path)| Some((*name, (*path)?))) {
        let Some(found) = place(path) else {
            continue;
        };
        if let Some((other, _)) = seen.iter().find(|(_, seen)| seen.as_ref() == Some(&found)) {
            let shown = path.display();
            let message = format!("expected {name} and {other} to be two files, found `{shown}`");
            let error = Error::new(Code::Usage, message);
            return Err(error.remedy("write to another file; nothing was done"));
        }
        seen.push((name, Some(found)));
    }
    Ok(())
}

/// What makes a file one and the same: its number on its device, or the path where it will be.
#[derive(PartialEq)]
enum Place {
    #[cfg(unix)]
    Numbered(u64, u64),
    Path(PathBuf),
}

/// `None` for what is no plain file.
fn place(path: &Path) -> Option<Place> {
    let Ok(found) = std::fs::metadata(path) else {
        let folder = folder_of(path);
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        return Some(Place::Path(folder.join(path.file_name()?)));
    };
    if !found.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some(Place::Numbered(found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    Some(Place::Path(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())))
}

/// What the operating system refused, with the path.
pub(crate) fn refused(verb: &str, path: &Path, error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string().to_lowercase(),
    };
    let refused = Error::new(Code::Io, format!("cannot {verb} `{}`: {reason}", path.display()));
    let is_full = [io::ErrorKind::StorageFull, io::ErrorKind::FileTooLarge].contains(&error.kind());
    match is_full {
        true => refused.remedy("make room there or name another place; nothing was changed"),
        false => refused,
    }
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
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_draft_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut draft = Draft::begin(&path).unwrap();
        draft.write(b"first, ").unwrap();
        drop(draft);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut draft = Draft::begin(&path).unwrap();
        [&b"first, "[..], b"second"].iter().for_each(|part| draft.write(part).unwrap());
        assert!(!path.exists());
        draft.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"first, second");
    }

    #[test]
    fn a_refusal_names_the_path_and_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent").join("a.csv");
        let error = replace(&absent, b"x").unwrap_err();
        assert!(error.to_string().contains("a.csv`: no such file or folder"), "{error}");
        assert!(replace(folder.path(), b"x").unwrap_err().to_string().contains("folder"));
    }

    #[test]
    fn one_file_under_two_names_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("rows.csv"), b"x").unwrap();
        std::fs::hard_link(at("rows.csv"), at("same.csv")).unwrap();
        let rows = at("rows.csv");
        let refused = |outputs: &[(&str, Option<&Path>)]| {
            let found = keep_apart(&[("the rows", &rows)], outputs);
            found.err().map(|e| (e.code(), e.message().to_owned()))
        };
        for path in [at("rows.csv"), at("same.csv"), at(".").join("rows.csv")] {
            let shown = path.display();
            let message = format!("expected --out and the rows to be two files, found `{shown}`");
            assert_eq!(refused(&[("--out", Some(&path))]), Some((Code::Usage, message)));
        }
        let (new, dotted) = (at("new.csv"), at(".").join("new.csv"));
        let both = [("--out", Some(&*new)), ("--trace", Some(&*dotted))];
        assert!(refused(&both).is_some_and(|(_, m)| m.contains("--trace and --out")));
        assert_eq!(refused(&[("--out", Some(&*new)), ("--trace", None)]), None);
        let device = Path::new(if cfg!(unix) { "/dev/null" } else { "NUL" });
        assert_eq!(refused(&[("--out", Some(device)), ("--trace", Some(device))]), None);
    }
}
