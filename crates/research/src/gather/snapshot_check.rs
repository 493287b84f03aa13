//! Whether the table of a snapshot is what its manifest says, beyond the SHA-256 of its file.
//!
//! # Method
//! Whoever reads a snapshot, whole or in blocks, holds the number of rows, the names and the kinds
//! of the manifest against the footer of the table, and its fingerprint against what follows from
//! them and the digests of the columns. Whoever reads it whole computes the digests of the columns
//! that are read; not those that are read as another kind, or with markers for missing values.
//!
//! # Errors
//! The first thing that differs, by name.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use polars::prelude::ArrowDataType;
use polars_parquet::read::{infer_schema, read_metadata};
use samescore_core::batch::{ColumnKind, Field, Schema};
use samescore_core::canonical::{column_digest, fingerprint_of};
use samescore_core::config::ColumnConfig;
use samescore_core::digest::Digest;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::taker::Filling;
use super::{Source, foreign, guard, parquet};
use crate::file;
use crate::output_file::refused;
use crate::snapshot::{MANIFEST, Manifest, ManifestColumn, TABLE, of_table, read_manifest};

/// Refuses a manifest that does not belong to the table beside it in `folder`.
///
/// # Errors
/// What differs: rows, columns, kinds, digests or fingerprint.
pub(crate) fn check_manifest(folder: &Path, manifest: &Manifest) -> Result<()> {
    let path = folder.join(TABLE);
    let (n_rows, columns) = footer(&path)?;
    if n_rows != manifest.n_rows {
        return Err(differs(folder, "`n_rows`", n_rows, manifest.n_rows));
    }
    let names = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let known = names(&mut manifest.columns.iter().map(|column| &column.name));
    let found = names(&mut columns.iter().map(|(name, _)| name));
    if known != found {
        return Err(differs(folder, "columns", found, known));
    }
    for (column, (name, kind)) in manifest.columns.iter().zip(&columns) {
        if Some(column.kind) != *kind {
            let kind = kind.map_or_else(|| "another".to_owned(), |kind| kind.to_string());
            return Err(differs(folder, "`kind`", kind, column.kind).column(name));
        }
    }
    let fields = manifest.columns.iter().map(|column| Field::new(&column.name, column.kind));
    let digests: Vec<Digest> = manifest.columns.iter().map(|column| column.digest).collect();
    let expected = fingerprint_of(&Schema::new(fields)?, n_rows, &digests);
    if expected == manifest.fingerprint {
        return Ok(());
    }
    // One of the digests, or the fingerprint itself.
    let columns: BTreeMap<&str, ColumnConfig> =
        manifest.columns.iter().map(|column| (column.name.as_str(), column.kind.into())).collect();
    let make = |name: &str| Filling::new(&columns[name], &[]);
    let taken = parquet::take(&path, file::read(&path)?, None, &make)?;
    let read: Vec<_> = manifest.columns.iter().zip(&taken.columns).collect();
    check_columns(folder, &read)?;
    Err(differs(folder, "`fingerprint`", expected, manifest.fingerprint))
}

/// Refuses columns of a snapshot that do not have the digests of its manifest.
///
/// # Errors
/// The first such column. Of another source there is nothing to check.
pub(super) fn check_read(
    source: &Source,
    (columns, missing): (&BTreeMap<String, ColumnConfig>, &[String]),
    read: &[Filling],
) -> Result<()> {
    let Source::Files(_) = source else {
        return Ok(());
    };
    let files = source.filed()?;
    let [only] = files.as_slice() else {
        return Ok(());
    };
    let Some(folder) = of_table(&only.path).filter(|_| missing.is_empty()) else {
        return Ok(());
    };
    let manifest = read_manifest(folder)?;
    let known: BTreeMap<&str, &ManifestColumn> =
        manifest.columns.iter().map(|column| (column.name.as_str(), column)).collect();
    let columns = columns.keys().zip(read).filter_map(|(name, filling)| {
        let column = known.get(name.as_str())?;
        (column.kind == filling.column.kind()).then_some((*column, filling))
    });
    check_columns(folder, &columns.collect::<Vec<_>>())
}

fn check_columns(folder: &Path, read: &[(&ManifestColumn, &Filling)]) -> Result<()> {
    let digests = par::map(read, |(_, filling)| column_digest(&filling.column));
    match read.iter().zip(digests).find(|((known, _), digest)| known.digest != *digest) {
        None => Ok(()),
        Some(((known, _), digest)) => {
            Err(differs(folder, "`digest`", digest, known.digest).column(&known.name))
        }
    }
}

/// A column of a table; without a kind its type is one that no snapshot has.
type Stored = (String, Option<ColumnKind>);

/// The number of rows and the columns of a table.
fn footer(path: &Path) -> Result<(u64, Vec<Stored>)> {
    let mut file = File::open(path).map_err(|e| refused("read", path, &e))?;
    guard(path, || {
        let footer = read_metadata(&mut file).map_err(|e| foreign(path, &e))?;
        let schema = infer_schema(&footer).map_err(|e| foreign(path, &e))?;
        let kind = |stored: &ArrowDataType| match stored {
            ArrowDataType::Float64 => Some(ColumnKind::Num),
            ArrowDataType::Utf8View | ArrowDataType::LargeUtf8 => Some(ColumnKind::Text),
            ArrowDataType::Timestamp(..) => Some(ColumnKind::Time),
            _ => None,
        };
        let columns =
            schema.iter_values().map(|field| (field.name.to_string(), kind(&field.dtype)));
        Ok((footer.num_rows as u64, columns.collect()))
    })
}

fn differs(folder: &Path, what: &str, expected: impl Display, found: impl Display) -> Error {
    let shown = folder.join(MANIFEST);
    let message = format!(
        "`{}`: expected {what} {expected} as its table has it, found {found}",
        shown.display()
    );
    Error::new(Code::BadSnapshot, message)
        .remedy("remove the snapshot's folder and gather the rows again")
}
