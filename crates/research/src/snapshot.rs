//! Snapshots: gathered rows under the name of their fingerprint, which never change.
//!
//! # Method
//! The rows in canonical order become `FOLDER/FINGERPRINT/table.parquet`, and what is known about
//! them `manifest.json` beside it. Both are written into a folder of another name, which takes its
//! final name in one rename: a snapshot exists whole or not at all, also if the process is killed.
//! The same rows have the same fingerprint, so gathering them again finds the snapshot.
//!
//! # Shape
//! The manifest: `schema_version`, `fingerprint`, `n_rows`, `columns` (name, kind, digest), `key`,
//! `source` and `query` without secrets, `readers` with their versions, and the SHA-256 of the
//! table's file. No clock, host, user or password.
//!
//! # Errors
//! A folder that cannot be written; a snapshot whose file is not the one that its manifest names,
//! or whose manifest says something else than the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use samescore_core::batch::ColumnKind;
use samescore_core::canonical::Canonical;
use samescore_core::digest::{Digest, FileHasher, Fingerprint, sha256};
use samescore_core::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::gather::check_manifest;
use crate::output_file::{refused, sync_folder};
use crate::{file, row_groups};

/// The name of the rows in the folder of a snapshot.
pub const TABLE: &str = "table.parquet";
/// The name of what is known about them.
pub const MANIFEST: &str = "manifest.json";
/// Folders of this beginning are being written, or were left by a process that was killed.
const UNFINISHED: &str = ".gather-";
/// Held by whoever writes.
const LOCK: &str = "lock";
const SCHEMA_VERSION: u32 = 1;
const ROW_GROUP_ROWS: usize = 1 << 17;
const BUFFER_BYTES: usize = 1 << 16;

/// What is known about the rows of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 1.
    pub schema_version: u32,
    /// The identity of the schema and the multiset of rows.
    pub fingerprint: Fingerprint,
    /// The number of rows.
    pub n_rows: u64,
    /// The columns in name order.
    pub columns: Vec<ManifestColumn>,
    /// The declared key columns, which are complete and unique together.
    pub key: Vec<String>,
    /// Where the rows came from when they were first gathered, without secrets.
    pub source: String,
    /// The query, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Who read and wrote, with versions.
    pub readers: BTreeMap<String, String>,
    /// SHA-256 of the table's file.
    pub table_sha256: Digest,
}

/// A column of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The digest of its cells in canonical order.
    pub digest: Digest,
}

/// What a manifest says of the source.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The source without secrets.
    pub source: String,
    /// The query, if it is one.
    pub query: Option<String>,
    /// The declared key columns.
    pub key: Vec<String>,
    /// Who read, with versions.
    pub readers: BTreeMap<String, String>,
}

/// A snapshot on disk.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its folder.
    pub path: PathBuf,
    /// What is known about it.
    pub manifest: Manifest,
    /// Whether it was written just now; else it was found.
    pub is_new: bool,
}

/// Stores a table under its fingerprint in `folder`, or finds it there.
///
/// # Errors
/// If the folder cannot be written, or what is found there is damaged. Nothing unfinished stays
/// under the final name.
pub fn store(folder: &Path, table: &Canonical, about: &About) -> Result<Snapshot> {
    std::fs::create_dir_all(folder).map_err(|e| refused("make the folder", folder, &e))?;
    remove_unfinished(folder);
    let path = folder.join(table.fingerprint().to_string());
    if path.exists() {
        let manifest = open(&path).map_err(|e| match e.remedy_text() {
            Some(_) => e,
            None => e.remedy("it is no whole snapshot: remove its folder and gather again"),
        })?;
        return Ok(Snapshot { path, manifest, is_new: false });
    }
    let unwritten = |e: io::Error| refused("write into", folder, &e);
    let unfinished =
        tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(folder).map_err(unwritten)?;
    let lock = File::create(unfinished.path().join(LOCK)).map_err(unwritten)?;
    // Without locks on this file system nobody may take this folder for a left one.
    let _ = lock.try_lock();
    let table_sha256 = write_table(&unfinished.path().join(TABLE), table)?;
    let manifest = manifest(table, about, table_sha256);
    write_manifest(&unfinished.path().join(MANIFEST), &manifest)?;
    std::fs::remove_file(unfinished.path().join(LOCK)).map_err(unwritten)?;
    sync_folder(unfinished.path()).map_err(unwritten)?;
    let unfinished = unfinished.keep();
    if let Err(error) = std::fs::rename(&unfinished, &path) {
        let _ = std::fs::remove_dir_all(&unfinished);
        // Another process was first: its snapshot is this one.
        return match open(&path) {
            Ok(manifest) => Ok(Snapshot { path, manifest, is_new: false }),
            Err(_) => Err(refused("write", &path, &error)),
        };
    }
    sync_folder(folder).map_err(unwritten)?;
    Ok(Snapshot { path, manifest, is_new: true })
}

/// The manifest of the snapshot in `folder`, after a look at its table's file.
///
/// # Errors
/// If there is none, the file is not the one that the manifest names, or has other rows, columns or
/// a fingerprint than it says.
pub fn open(folder: &Path) -> Result<Manifest> {
    let manifest = read_manifest(folder)?;
    let path = folder.join(TABLE);
    if sha256_of(&path)? != manifest.table_sha256 {
        return Err(other(&path));
    }
    check_manifest(folder, &manifest)?;
    Ok(manifest)
}

/// The folder of the snapshot whose table is at `path`, if it is one.
pub(crate) fn of_table(path: &Path) -> Option<&Path> {
    let folder = path.parent()?;
    let is_one = path.file_name()? == TABLE && folder.join(MANIFEST).is_file();
    is_one.then_some(folder)
}

/// Refuses the bytes of a snapshot's table that are not those of its manifest, and a manifest that
/// says something else than the table.
///
/// # Errors
/// If so, or the manifest cannot be read. A file that is of no snapshot is none.
pub(crate) fn check_table(path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(folder) = of_table(path) else {
        return Ok(());
    };
    let manifest = read_manifest(folder)?;
    if manifest.table_sha256 != sha256(bytes) {
        return Err(other(path));
    }
    check_manifest(folder, &manifest)
}

fn other(path: &Path) -> Error {
    let message = format!("`{}`: expected the file of the manifest's SHA-256", path.display());
    Error::new(Code::BadSnapshot, format!("{message}, found another"))
        .remedy("remove the snapshot's folder and gather the rows again")
}

/// The manifest in `folder`, as it stands.
///
/// # Errors
/// If there is none, or it is not a manifest.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let bytes = file::read(&path)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| {
        let message = format!("`{}`: expected a manifest, found {e}", path.display());
        Error::new(Code::BadSnapshot, message).remedy("gather the rows again")
    })?;
    if manifest.schema_version != SCHEMA_VERSION {
        let found = manifest.schema_version;
        let message = format!("expected a manifest of version {SCHEMA_VERSION}, found {found}");
        return Err(Error::new(Code::BadSnapshot, message)
            .remedy("a newer release of samescore may know it"));
    }
    Ok(manifest)
}

fn manifest(table: &Canonical, about: &About, table_sha256: Digest) -> Manifest {
    let fields = table.batch().schema().fields().iter().zip(table.columns());
    let columns = fields.map(|(field, digest)| ManifestColumn {
        name: field.name.clone(),
        kind: field.kind,
        digest: *digest,
    });
    let mut readers = about.readers.clone();
    readers.insert("samescore".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Manifest {
        schema_version: SCHEMA_VERSION,
        fingerprint: table.fingerprint(),
        n_rows: table.batch().n_rows() as u64,
        columns: columns.collect(),
        key: about.key.clone(),
        source: about.source.clone(),
        query: about.query.clone(),
        readers,
        table_sha256,
    }
}

fn write_table(path: &Path, table: &Canonical) -> Result<Digest> {
    let wrong = |e: polars::prelude::PolarsError| {
        if let polars::prelude::PolarsError::IO { error, .. } = &e {
            return refused("write", path, error);
        }
        let first = e.to_string().lines().next().unwrap_or_default().to_owned();
        Error::new(Code::Io, format!("cannot write `{}`: {first}", path.display()))
    };
    let refuse = |e: io::Error| refused("write", path, &e);
    let file = Hashed { to: File::create(path).map_err(refuse)?, hasher: FileHasher::default() };
    let file = BufWriter::with_capacity(BUFFER_BYTES, file);
    let file = row_groups::write(file, table.batch(), ROW_GROUP_ROWS).map_err(wrong)?;
    let Hashed { to, hasher } = file.into_inner().map_err(|e| refuse(e.into_error()))?;
    to.sync_all().map_err(refuse)?;
    Ok(hasher.finish())
}

/// A file, and the SHA-256 of what is written to it.
struct Hashed {
    to: File,
    hasher: FileHasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_bytes = self.to.write(bytes)?;
        self.hasher.update(&bytes[..n_bytes]);
        Ok(n_bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn sha256_of(path: &Path) -> Result<Digest> {
    let refuse = |e: io::Error| refused("read", path, &e);
    let mut file = File::open(path).map_err(refuse)?;
    let (mut hasher, mut buffer) = (FileHasher::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(refuse)? {
            0 => return Ok(hasher.finish()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

fn write_manifest(path: &Path, manifest: &Manifest) -> Result<()> {
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|e| Error::new(Code::Io, format!("the manifest cannot be written: {e}")))?;
    let write = || -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|e| refused("write", path, &e))
}

/// Removes what killed processes left; what is locked is being written.
fn remove_unfinished(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(UNFINISHED)) {
        let is_left = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_left {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use samescore_core::example;

    use super::*;

    fn table() -> Canonical {
        Canonical::new(example::table(300, 1), &[]).unwrap()
    }

    fn about() -> About {
        About { source: "t.csv".to_owned(), ..About::default() }
    }

    #[test]
    fn the_same_rows_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(folder.path(), &table(), &about()).unwrap();
        let other = About { source: "elsewhere".to_owned(), ..About::default() };
        let again = store(folder.path(), &table(), &other).unwrap();
        assert!(first.is_new && !again.is_new);
        assert_eq!(first.manifest, again.manifest);
        assert_eq!(first.path, folder.path().join(table().fingerprint().to_string()));
        let names = std::fs::read_dir(&first.path).unwrap();
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [MANIFEST, TABLE]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let stored = store(folder.path(), &table(), &about()).unwrap();
        let path = stored.path.join(TABLE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open(&stored.path).unwrap_err().code(), Code::BadSnapshot);
        let again = store(folder.path(), &table(), &about());
        assert_eq!(again.unwrap_err().code(), Code::BadSnapshot);
        let manifest = std::fs::read(stored.path.join(MANIFEST)).unwrap();
        std::fs::remove_file(stored.path.join(MANIFEST)).unwrap();
        let blocked = store(folder.path(), &table(), &about()).unwrap_err().to_string();
        assert!(blocked.contains("remove its folder and gather again"), "{blocked}");
        std::fs::write(stored.path.join(MANIFEST), manifest).unwrap();
        std::fs::write(stored.path.join(MANIFEST), b"{}").unwrap();
        assert!(open(&stored.path).unwrap_err().to_string().contains("expected a manifest"));
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            File::create(path.join(LOCK)).unwrap()
        };
        let (_left, held) = (make(".gather-left"), make(".gather-held"));
        held.lock().unwrap();
        store(folder.path(), &table(), &about()).unwrap();
        assert!(!folder.path().join(".gather-left").exists());
        assert!(folder.path().join(".gather-held").exists());
    }
}
