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

use crate::batch::{Batch, Column, MISSING_CODE, Reordered, RowKeyer, Schema};
use crate::digest::{Digest, Fingerprint, Hasher, RowKey};
use crate::error::Result;
use crate::par;
use crate::pipeline::check_keys;
use crate::trace::compare_rows;

const DOMAIN: &str = "samescore snapshot v1";
const COLUMN_DOMAIN: &str = "samescore snapshot column v1";
/// How many rows of a column go into its hash at once.
const HASH_ROWS: usize = 1024;
/// About how many rows a bucket has, which is sorted in the nearest memory.
const BUCKET_ROWS: usize = 512;
/// More buckets are more than the nearest memory has lines for.
const BUCKET_BITS_MAX: u32 = 12;

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
        let order = order(&batch, &keys(&batch, &[])?);
        let is_ordered = order.iter().zip(0u32..).all(|(row, place)| *row == place);
        let schema = Arc::clone(batch.schema());
        let n_rows = batch.n_rows();
        let mut values = std::mem::take(batch.columns_mut());
        let columns = par::map_with(&mut values, |column, spare: &mut Reordered| {
            if !is_ordered {
                column.reorder(&order, spare);
            }
            column_digest(column)
        });
        let fingerprint = fingerprint_of(&schema, n_rows as u64, &columns);
        let batch = Batch::of_columns(schema, values, n_rows);
        Ok(Canonical { batch, columns, fingerprint })
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

/// The identity of a table of that schema and so many rows, whose columns have these digests in
/// canonical order.
pub fn fingerprint_of(schema: &Schema, n_rows: u64, columns: &[Digest]) -> Fingerprint {
    let mut hasher = Hasher::new(DOMAIN);
    hasher.u64(schema.len() as u64).u64(n_rows);
    for (field, digest) in schema.fields().iter().zip(columns) {
        hasher.str(&field.name).str(&field.kind.to_string()).bytes(&digest.0);
    }
    hasher.finish_fingerprint()
}

/// The keys of all rows by the columns called `key`, or by all columns.
fn keys(batch: &Batch, key: &[String]) -> Result<Vec<RowKey>> {
    let keyer = RowKeyer::new(batch.schema(), key)?;
    let n_parts = par::n_threads().max(1);
    let bound = |part: usize| part * batch.n_rows() / n_parts;
    let parts: Vec<usize> = (0..n_parts).collect();
    Ok(par::map(&parts, |&part| keyer.keys(batch, bound(part)..bound(part + 1))).concat())
}

/// The rows by key, and rows of one key by their cells. Keys are evenly spread, so that each
/// thread orders those of a range, and in it buckets of some rows.
fn order(batch: &Batch, keys: &[RowKey]) -> Vec<u32> {
    let n_parts = par::n_threads().max(1) as u64;
    let parts: Vec<u64> = (0..n_parts).collect();
    let blocks = std::slice::from_ref(batch);
    let ordered = par::map(&parts, |&part| {
        let mut keyed = ordered_part(keys, part, n_parts);
        for same in keyed.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            same.sort_by(|a, b| {
                let by_key = keys[a.1 as usize].cmp(&keys[b.1 as usize]);
                by_key.then_with(|| compare_rows(blocks, (0, a.1), (0, b.1)))
            });
        }
        keyed.into_iter().map(|(_, row)| row).collect::<Vec<u32>>()
    });
    ordered.concat()
}

/// The rows of which the upper half of the key is in one of `n_parts` ranges, by that half and
/// their number.
fn ordered_part(keys: &[RowKey], part: u64, n_parts: u64) -> Vec<(u64, u32)> {
    // The whole part of the product is the range of a key, the fraction its place within it.
    let place = |key: &RowKey| {
        let product = (key.0 >> 64) * u128::from(n_parts);
        ((product >> 64) as u64, product as u64)
    };
    let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(keys.len() / n_parts as usize * 9 / 8);
    let of_part = keys.iter().zip(0u32..).filter(|(key, _)| place(key).0 == part);
    keyed.extend(of_part.map(|(key, row)| ((key.0 >> 64) as u64, row)));
    let n_bits = (keyed.len() / BUCKET_ROWS).max(1).ilog2().min(BUCKET_BITS_MAX);
    if n_bits == 0 {
        keyed.sort();
        return keyed;
    }
    let bucket = |upper: u64| (upper.wrapping_mul(n_parts) >> (64 - n_bits)) as usize;
    let mut ends = vec![0usize; 1 << n_bits];
    keyed.iter().for_each(|(upper, _)| ends[bucket(*upper)] += 1);
    let mut begun = 0;
    for end in &mut ends {
        begun += std::mem::replace(end, begun);
    }
    let mut ordered = vec![(0, 0); keyed.len()];
    for item in keyed {
        let end = &mut ends[bucket(item.0)];
        ordered[*end] = item;
        *end += 1;
    }
    let mut begun = 0;
    for end in ends {
        ordered[begun..end].sort();
        begun = end;
    }
    ordered
}

/// The digest of a column, whose cells are in canonical order.
///
/// SHA-256 of the cells in order: eight bytes per number (its bits) or time, little-endian; per
/// text one byte that says whether there is one, its length in four bytes, its UTF-8.
pub fn column_digest(column: &Column) -> Digest {
    let mut hasher = Hasher::new(COLUMN_DOMAIN);
    let mut words = [0u8; HASH_ROWS * 8];
    let mut bytes = Vec::new();
    match column {
        Column::Num(v) => v.chunks(HASH_ROWS).for_each(|rows| {
            hasher.bytes(le_bytes(&mut words, rows.iter().map(|x| x.to_bits().to_le_bytes())));
        }),
        Column::Time(v) => v.chunks(HASH_ROWS).for_each(|rows| {
            hasher.bytes(le_bytes(&mut words, rows.iter().map(|t| t.to_le_bytes())));
        }),
        Column::Text(v) => v.codes().chunks(HASH_ROWS).for_each(|rows| {
            // The labels of all rows are looked up first: the memory finds many at a time.
            let label = |&code: &u32| (code != MISSING_CODE).then(|| v.level(code as usize));
            let labels: Vec<Option<&str>> = rows.iter().map(label).collect();
            bytes.clear();
            labels.into_iter().for_each(|label| match label {
                None => bytes.push(0),
                Some(label) => {
                    bytes.push(1);
                    // A cell has at most a mebibyte.
                    bytes.extend((label.len() as u32).to_le_bytes());
                    bytes.extend(label.as_bytes());
                }
            });
            hasher.bytes(&bytes);
        }),
    }
    hasher.finish()
}

/// The values, of which there are at most [`HASH_ROWS`], one after the other.
fn le_bytes(
    bytes: &mut [u8; HASH_ROWS * 8],
    values: impl ExactSizeIterator<Item = [u8; 8]>,
) -> &[u8] {
    let n_bytes = values.len() * 8;
    let eights = bytes.chunks_exact_mut(8);
    eights.zip(values).for_each(|(eight, value)| eight.copy_from_slice(&value));
    &bytes[..n_bytes]
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
    fn rows_are_in_the_order_of_their_keys_and_of_their_cells() {
        let some = |x: u64| RowKey(u128::from(x.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | 5);
        // Keys that are spread, that are all of one bucket, and that differ in the lower half.
        let spread: Vec<RowKey> = (0..20_000).map(some).collect();
        let near: Vec<RowKey> = (0..20_000).map(|x| RowKey(x % 7)).collect();
        let low: Vec<RowKey> = (0..20_000).map(|x| RowKey(u128::MAX - x * 3 % 1000)).collect();
        let cells: Vec<f64> = (0..20_000).map(|x| f64::from(x * 31 % 11)).collect();
        let batch = table(&[("a", nums(&cells))]);
        for keys in [spread, near, low] {
            let mut expected: Vec<u32> = (0..20_000).collect();
            expected.sort_by_key(|&row| (keys[row as usize], cells[row as usize].to_bits()));
            for n_threads in [1, 3] {
                let threads = par::Threads::new(n_threads).unwrap();
                assert_eq!(threads.run(|| order(&batch, &keys)), expected);
            }
        }
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
