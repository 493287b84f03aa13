//! A table in canonical order, and its identity by content: what a snapshot stands on.
//!
//! # Method
//! Rows are ordered by the key of their whole content, and rows of one key by their cells, so that
//! only wholly identical rows, which are interchangeable, could change places. Each column gets the
//! SHA-256 of its cells in that order, and the table the SHA-256 of its schema, its number of rows
//! and the digests of its columns. So the identity depends on the schema and the multiset of rows
//! alone: not on order, blocks, threads, the declared key, or where the rows came from.
//!
//! The encoding is stored in manifests of snapshots, so it cannot change; another one would get
//! another domain.

use std::sync::Arc;

use crate::batch::{Batch, Column, MISSING_CODE, RowKeyer};
use crate::digest::{Digest, Fingerprint, Hasher, RowKey};
use crate::error::Result;
use crate::par;
use crate::pipeline::check_keys;
use crate::trace::compare_rows;

const DOMAIN: &str = "samescore snapshot v1";
const COLUMN_DOMAIN: &str = "samescore snapshot column v1";
/// How many rows of a column go into its hash at once.
const HASH_ROWS: usize = 1024;

/// A table in canonical order.
#[derive(Clone, Debug)]
pub struct Canonical {
    batch: Batch,
    columns: Vec<Digest>,
    fingerprint: Fingerprint,
}

impl Canonical {
    /// Orders the rows of `batch`. The columns called `key`, if any, must be complete and unique
    /// together.
    ///
    /// # Errors
    /// The first row with a cell that could not be read; a key column that does not exist; a key
    /// that is missing or occurs twice, with the first ten rows.
    pub fn new(mut batch: Batch, key: &[String]) -> Result<Self> {
        if let Some((&row, error)) = batch.faults().first_key_value() {
            return Err(error.clone().row(batch.source_row(row as usize)));
        }
        if !key.is_empty() {
            let keys = keys(&batch, key)?;
            batch.set_keys(keys);
            check_keys(&batch, key)?;
        }
        let order = order(&batch, keys(&batch, &[])?);
        let ordered = par::map(batch.columns(), |column| {
            let ordered = column.reordered(&order);
            let digest = column_digest(&ordered);
            (ordered, digest)
        });
        let (values, columns): (Vec<Column>, Vec<Digest>) = ordered.into_iter().unzip();
        let schema = Arc::clone(batch.schema());
        let n_rows = batch.n_rows();
        drop(batch);
        let mut hasher = Hasher::new(DOMAIN);
        hasher.u64(schema.len() as u64).u64(n_rows as u64);
        for (field, digest) in schema.fields().iter().zip(&columns) {
            hasher.str(&field.name).str(&field.kind.to_string()).bytes(&digest.0);
        }
        let mut batch = Batch::new(schema, values)?;
        batch.set_n_rows(n_rows);
        Ok(Canonical { batch, columns, fingerprint: hasher.finish_fingerprint() })
    }

    /// The rows in canonical order.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The digest of every column, in the order of the schema.
    pub fn columns(&self) -> &[Digest] {
        &self.columns
    }

    /// The identity of the schema and the multiset of rows.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// The keys of all rows by the columns called `key`, or by all columns.
fn keys(batch: &Batch, key: &[String]) -> Result<Vec<RowKey>> {
    let keyer = RowKeyer::new(batch.schema(), key)?;
    let n_parts = par::n_threads().max(1);
    let bound = |part: usize| part * batch.n_rows() / n_parts;
    let parts: Vec<usize> = (0..n_parts).collect();
    Ok(par::map(&parts, |&part| keyer.keys(batch, bound(part)..bound(part + 1))).concat())
}

/// The rows by key, and rows of one key by their cells.
fn order(batch: &Batch, keys: Vec<RowKey>) -> Vec<u32> {
    let mut keyed: Vec<(RowKey, u32)> = keys.into_iter().zip(0u32..).collect();
    // Sorted runs are found and merged by the sort behind it.
    let n_run = keyed.len().div_ceil(par::n_threads().max(1)).max(1);
    let mut runs: Vec<&mut [(RowKey, u32)]> = keyed.chunks_mut(n_run).collect();
    par::map_mut(&mut runs, |run| run.sort());
    keyed.sort();
    let blocks = std::slice::from_ref(batch);
    for same in keyed.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        same.sort_by(|a, b| compare_rows(blocks, (0, a.1), (0, b.1)));
    }
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// SHA-256 of the cells in order: eight bytes per number (its bits) or time, little-endian; per
/// text one byte that says whether there is one, its length in four bytes, its UTF-8.
fn column_digest(column: &Column) -> Digest {
    let mut hasher = Hasher::new(COLUMN_DOMAIN);
    let mut bytes = Vec::new();
    for start in (0..column.len()).step_by(HASH_ROWS) {
        let rows = start..(start + HASH_ROWS).min(column.len());
        bytes.clear();
        match column {
            Column::Num(v) => v[rows].iter().for_each(|x| bytes.extend(x.to_bits().to_le_bytes())),
            Column::Time(v) => v[rows].iter().for_each(|t| bytes.extend(t.to_le_bytes())),
            Column::Text(v) => v.codes()[rows].iter().for_each(|&code| match code {
                MISSING_CODE => bytes.push(0),
                code => {
                    let label = v.level(code as usize);
                    bytes.push(1);
                    // A cell has at most a mebibyte.
                    bytes.extend((label.len() as u32).to_le_bytes());
                    bytes.extend(label.as_bytes());
                }
            }),
        }
        hasher.bytes(&bytes);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::testing::{nums, table, texts};

    fn fingerprint(batch: &Batch) -> Fingerprint {
        Canonical::new(batch.clone(), &[]).unwrap().fingerprint()
    }

    #[test]
    fn the_identity_is_that_of_schema_and_multiset() {
        let whole = example::table(300, 5);
        let reversed: Vec<usize> = (0..300).rev().collect();
        let twice: Vec<usize> = (0..300).chain([7, 7]).collect();
        assert_eq!(fingerprint(&whole), fingerprint(&whole.select(&reversed)));
        let doubled = whole.select(&twice);
        let other: Vec<usize> = [7].into_iter().chain((0..300).rev()).chain([7]).collect();
        assert_eq!(fingerprint(&doubled), fingerprint(&whole.select(&other)));
        assert_ne!(fingerprint(&whole), fingerprint(&doubled));
        let ab = table(&[("a", nums(&[1.0, 2.0])), ("b", nums(&[3.0, 4.0]))]);
        assert_ne!(fingerprint(&ab), fingerprint(&table(&[("a", nums(&[1.0, 2.0]))])));
        let swapped = table(&[("a", nums(&[1.0, 2.0])), ("b", nums(&[4.0, 3.0]))]);
        assert_ne!(fingerprint(&ab), fingerprint(&swapped));
        let renamed = table(&[("a", nums(&[1.0, 2.0])), ("c", nums(&[3.0, 4.0]))]);
        assert_ne!(fingerprint(&ab), fingerprint(&renamed));
    }

    #[test]
    fn threads_and_the_declared_key_change_nothing() {
        let whole = example::table(5000, 5);
        let on = |n: usize| {
            let threads = par::Threads::new(n).unwrap();
            let c = threads.run(|| Canonical::new(whole.clone(), &[])).unwrap();
            (c.fingerprint(), c.columns().to_vec())
        };
        assert_eq!(on(1), on(8));
        let keyed = table(&[("id", nums(&[2.0, 1.0])), ("x", texts(&["u", ""]))]);
        let of = |key: &[String]| Canonical::new(keyed.clone(), key).unwrap().fingerprint();
        assert_eq!(of(&["id".to_owned()]), of(&[]));
    }

    #[test]
    fn the_fingerprint_never_moves() {
        let t = table(&[("a", nums(&[0.5, f64::NAN])), ("b", texts(&["u", ""]))]);
        // SHA-256 by the module docs, computed apart.
        let expected = "652aa0b3a5e689fb6bfdc60ed5218f598a4a782b7c21a293948bef8bf8ee89da";
        assert_eq!(fingerprint(&t).to_string(), expected);
    }

    #[test]
    fn a_declared_key_must_be_complete_and_unique() {
        let t = table(&[("id", nums(&[2.0, 2.0, f64::NAN])), ("x", nums(&[1.0, 2.0, 3.0]))]);
        let message = |key: &str, rows: &[usize]| {
            Canonical::new(t.select(rows), &[key.to_owned()]).unwrap_err().to_string()
        };
        assert!(message("id", &[0, 2]).contains("expected a key in every row"));
        assert!(message("id", &[0, 1]).contains("expected unique keys"));
        assert!(message("none", &[0]).contains("none"));
    }
}
