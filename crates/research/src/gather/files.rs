//! Which files a path, a folder or a pattern means.
//!
//! # Method
//! `*` stands for any characters of one name, `?` for one, `**` for any folders. A folder stands
//! for all files of a known format in it and in the folders below; they must be of one format.
//! Names that begin with `.` or `_` are left out, as the programs that write such folders mean it,
//! unless a pattern names them. A path that exists is itself, whatever characters it has.
//!
//! The files are one table, in the order of their paths. Their names mean nothing beyond that; what
//! a folder called `name=value` means is said in `folders`.
//!
//! A folder with `manifest.json` and `table.parquet` is a snapshot, which is the one table; so is a
//! folder that holds one such folder.

use std::path::{Component, Path, PathBuf};

use samescore_core::error::{Code, Error, Result};

use super::Format;
use super::folders::Filed;
use crate::output_file::refused;
use crate::snapshot::{MANIFEST, TABLE};

/// Folders below each other.
const DEPTH_MAX: usize = 64;

/// The files, in the order of their paths; one at least.
pub(super) fn expand(path: &Path) -> Result<Vec<Filed>> {
    if path.is_dir() {
        return of_folder(path);
    }
    let is_pattern = |part: Component<'_>| is_pattern(&part.as_os_str().to_string_lossy());
    if path.exists() || !path.components().any(is_pattern) {
        return Ok(vec![Filed::named(path.to_owned())]);
    }
    let mut parts = path.components().peekable();
    let mut root = PathBuf::new();
    while let Some(part) = parts.next_if(|part| !is_pattern(*part)) {
        root.push(part);
    }
    let parts: Vec<String> =
        parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let mut found = Vec::new();
    walk(&root, &parts, 0, &mut found)?;
    found.sort();
    found.dedup();
    if found.is_empty() {
        let message = format!("expected files that match `{}`, found none", path.display());
        return Err(Error::new(Code::Io, message));
    }
    Filed::below(&root, found)
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Appends the files below `folder` that match `parts`.
fn walk(folder: &Path, parts: &[String], depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let Some((part, behind)) = parts.split_first() else {
        return Ok(());
    };
    if depth > DEPTH_MAX {
        let message = format!("`{}`: expected at most {DEPTH_MAX} folders", folder.display());
        return Err(Error::new(Code::LimitExceeded, message));
    }
    if part == "**" {
        walk(folder, behind, depth, found)?;
        for entry in list(folder)? {
            // Links are not followed here: they could lead back.
            if entry.is_dir() && !entry.is_symlink() && !is_hidden(&entry) {
                walk(&entry, parts, depth + 1, found)?;
            }
        }
        return Ok(());
    }
    for entry in list(folder)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if (is_hidden(&entry) && part.starts_with(['*', '?'])) || !matches(part, &name) {
            continue;
        }
        match (behind.is_empty(), entry.is_dir()) {
            (true, false) => found.push(entry),
            (false, true) => walk(&entry, behind, depth + 1, found)?,
            _ => {}
        }
    }
    Ok(())
}

/// What is in a folder, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let no = |e: &std::io::Error| refused("read", here, e);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(here).map_err(|e| no(&e))? {
        entries.push(folder.join(entry.map_err(|e| no(&e))?.file_name()));
    }
    entries.sort();
    Ok(entries)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(['.', '_'])
}

/// Whether a name is of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                None => return false,
                Some((behind, from)) => {
                    *from += 1;
                    (p, n) = (*behind, *from);
                }
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn of_folder(folder: &Path) -> Result<Vec<Filed>> {
    if is_snapshot(folder) {
        return Ok(vec![Filed::named(folder.join(TABLE))]);
    }
    let snapshots: Vec<PathBuf> = list(folder)?.into_iter().filter(|e| is_snapshot(e)).collect();
    match snapshots.as_slice() {
        [] => {}
        [one] => return Ok(vec![Filed::named(one.join(TABLE))]),
        [first, ..] => {
            let n = snapshots.len();
            let message = format!("expected one snapshot in `{}`, found {n}", folder.display());
            let error = Error::new(Code::UnknownSource, message);
            return Err(error.remedy(format!("name one, such as `{}`", first.display())));
        }
    }
    let mut found = Vec::new();
    below(folder, 0, &mut found)?;
    let Some(first) = found.first() else {
        let message = format!("expected files in the folder `{}`, found none", folder.display());
        return Err(Error::new(Code::Io, message));
    };
    let format = Format::of(first)?;
    for path in &found {
        let other = Format::of(path).map_err(|e| {
            e.remedy(format!("name the files by a pattern, such as `{}/*.csv`", folder.display()))
        })?;
        if other != format {
            let message = format!(
                "expected files of one format in `{}`, found `{}` beside `{}`",
                folder.display(),
                path.display(),
                first.display()
            );
            return Err(Error::new(Code::UnknownSource, message)
                .remedy("name the files of one format by a pattern"));
        }
    }
    Filed::below(folder, found)
}

/// Appends all files below a folder.
fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DEPTH_MAX {
        let message = format!("`{}`: expected at most {DEPTH_MAX} folders", folder.display());
        return Err(Error::new(Code::LimitExceeded, message));
    }
    for entry in list(folder)?.into_iter().filter(|entry| !is_hidden(entry)) {
        match entry.is_dir() {
            true if entry.is_symlink() => {}
            true => below(&entry, depth + 1, found)?,
            false => found.push(entry),
        }
    }
    Ok(())
}

fn is_snapshot(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file() && folder.join(TABLE).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, all empty.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        folder
    }

    fn expanded(folder: &tempfile::TempDir, pattern: &str) -> Result<Vec<String>> {
        let found = expand(&folder.path().join(pattern))?;
        let inside = |file: Filed| {
            file.path.strip_prefix(folder.path()).unwrap().to_string_lossy().replace('\\', "/")
        };
        Ok(found.into_iter().map(inside).collect())
    }

    #[test]
    fn a_name_is_of_a_pattern_or_not() {
        for (pattern, name, is) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?.csv", "é.csv", true),
            ("?.csv", "ab.csv", false),
            ("*", "", true),
            ("**x", "x", true),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_and_folders_give_their_files_in_order() {
        let dir =
            folder(&["b.csv", "a.csv", "x/c.csv", "x/y/d.csv", ".h.csv", "_SUCCESS", "n.txt"]);
        assert_eq!(expanded(&dir, "*.csv").unwrap(), ["a.csv", "b.csv"]);
        assert_eq!(expanded(&dir, "**/*.csv").unwrap(), ["a.csv", "b.csv", "x/c.csv", "x/y/d.csv"]);
        assert_eq!(expanded(&dir, "x/**/?.csv").unwrap(), ["x/c.csv", "x/y/d.csv"]);
        assert_eq!(expanded(&dir, "*/c.csv").unwrap(), ["x/c.csv"]);
        assert_eq!(expanded(&dir, ".h*").unwrap(), [".h.csv"]);
        assert_eq!(expanded(&dir, "x").unwrap(), ["x/c.csv", "x/y/d.csv"]);
        assert_eq!(expanded(&dir, "absent.csv").unwrap(), ["absent.csv"]);
        let none = expanded(&dir, "*.parquet").unwrap_err().to_string();
        assert!(none.starts_with("expected files that match") && none.ends_with("found none"));
        let mixed = expanded(&dir, "").unwrap_err();
        assert_eq!(mixed.code(), Code::UnknownSource);
        assert!(mixed.to_string().contains("n.txt`"), "{mixed}");
        assert!(mixed.to_string().contains("name the files by a pattern"), "{mixed}");
    }

    #[test]
    fn folders_that_cannot_be_one_table_are_refused() {
        let empty = folder(&["x/_SUCCESS"]);
        let none = expanded(&empty, "x").unwrap_err().to_string();
        assert!(none.starts_with("expected files in the folder"), "{none}");
        let two = folder(&["a.csv", "b.parquet"]);
        let mixed = expanded(&two, "").unwrap_err().to_string();
        assert!(mixed.starts_with("expected files of one format in"), "{mixed}");
    }

    #[test]
    fn a_folder_of_a_value_is_a_column_unless_it_is_named() {
        let keyed = folder(&["t/day=1/a.csv", "t/day=2/b.csv"]);
        for pattern in ["t", "t/**/*.csv", "t/*/?.csv", "t/day=*/*.csv", "t/day=?/?.csv"] {
            let found = expand(&keyed.path().join(pattern)).unwrap();
            assert_eq!(found.len(), 2, "{pattern}");
            assert!(found.iter().all(|file| file.names().eq(["day"])), "{pattern}");
        }
        for pattern in ["t/day=1", "t/day=1/*.csv", "t/day=1/a.csv"] {
            let found = expand(&keyed.path().join(pattern)).unwrap();
            assert_eq!(found.len(), 1, "{pattern}");
            assert!(found[0].is_bare(), "{pattern}");
        }
    }

    #[test]
    fn a_snapshot_is_its_table() {
        let one = folder(&["s/ab/table.parquet", "s/ab/manifest.json"]);
        assert_eq!(expanded(&one, "s").unwrap(), ["s/ab/table.parquet"]);
        assert_eq!(expanded(&one, "s/ab").unwrap(), ["s/ab/table.parquet"]);
        let two = folder(&[
            "ab/table.parquet",
            "ab/manifest.json",
            "cd/table.parquet",
            "cd/manifest.json",
        ]);
        let refused = expanded(&two, "").unwrap_err().to_string();
        assert!(refused.starts_with("expected one snapshot in"), "{refused}");
        assert!(refused.contains("found 2 (name one, such as"), "{refused}");
    }
}
