//! Keys of rows. A row's key comes from the row alone: its declared key columns, else all its input
//! columns. For a fit, the target and an occurrence number among wholly identical rows join it.

use std::ops::Range;

use super::{Batch, Column, MISSING_CODE, Schema};
use crate::digest::{KeyHasher, MISSING_TEXT, RowKey};
use crate::error::Result;
use crate::math;

const SCORING_DOMAIN: &str = "samescore row key v1";
const FITTING_DOMAIN: &str = "samescore fit key v1";
/// How many rows are keyed side by side.
const KEYED_ROWS: usize = 64;

/// Gives rows of one schema their scoring keys.
#[derive(Clone)]
pub struct RowKeyer {
    /// Key columns in name order, so that the order of columns cannot matter.
    slots: Vec<usize>,
    start: KeyHasher,
}

impl RowKeyer {
    /// Keys from the columns `key`, or from all columns if `key` is empty.
    ///
    /// # Errors
    /// If a key column does not exist.
    pub fn new(schema: &Schema, key: &[String]) -> Result<Self> {
        let mut slots: Vec<usize> = if key.is_empty() {
            (0..schema.len()).collect()
        } else {
            key.iter().map(|name| schema.slot(name)).collect::<Result<_>>()?
        };
        slots.sort_by(|&a, &b| schema.fields()[a].name.cmp(&schema.fields()[b].name));
        let kinds: Vec<String> =
            slots.iter().map(|&s| schema.fields()[s].kind.to_string()).collect();
        let named: Vec<(&str, &str)> = slots
            .iter()
            .zip(&kinds)
            .map(|(&s, kind)| (schema.fields()[s].name.as_str(), kind.as_str()))
            .collect();
        Ok(RowKeyer { start: KeyHasher::new(SCORING_DOMAIN, &named), slots })
    }

    /// Sets the scoring key of every row.
    pub fn key(&self, batch: &mut Batch) {
        let mut keys = std::mem::take(batch.keys_mut());
        keys.clear();
        if batch.n_rows() == 1 {
            keys.push(self.key_of_one(batch));
        } else {
            self.keys_of_rows(batch, 0..batch.n_rows(), &mut keys);
        }
        batch.set_keys(keys);
    }

    /// The scoring keys of the rows `rows`.
    pub fn keys(&self, batch: &Batch, rows: Range<usize>) -> Vec<RowKey> {
        let mut keys = Vec::with_capacity(rows.len());
        self.keys_of_rows(batch, rows, &mut keys);
        keys
    }

    fn key_of_one(&self, batch: &Batch) -> RowKey {
        let mut hasher = self.start.clone();
        for &slot in &self.slots {
            match batch.column(slot) {
                Column::Num(v) => hasher.word(v[0].to_bits()),
                Column::Time(v) => hasher.word(v[0] as u64),
                Column::Text(v) => {
                    let words = v.get(0).map_or(MISSING_TEXT, |label| self.start.text_words(label));
                    words.into_iter().for_each(|w| hasher.word(w));
                }
            }
        }
        hasher.finish()
    }

    fn keys_of_rows(&self, batch: &Batch, rows: Range<usize>, keys: &mut Vec<RowKey>) {
        // A label is hashed once per block, not once per row.
        let words_of_level = |slot: usize| -> Vec<[u64; 2]> {
            match batch.column(slot) {
                Column::Text(v) => v.levels().map(|label| self.start.text_words(label)).collect(),
                _ => Vec::new(),
            }
        };
        let texts: Vec<Vec<[u64; 2]>> = self.slots.iter().map(|&s| words_of_level(s)).collect();
        let mut hashers = vec![self.start.clone(); rows.len().min(KEYED_ROWS)];
        for start in rows.clone().step_by(KEYED_ROWS) {
            let block = start..rows.end.min(start + KEYED_ROWS);
            let hashers = &mut hashers[..block.len()];
            hashers.fill(self.start.clone());
            for (&slot, levels) in self.slots.iter().zip(&texts) {
                feed(hashers, batch.column(slot), levels, block.clone());
            }
            keys.extend(hashers.iter().map(KeyHasher::finish));
        }
    }
}

/// Feeds a cell to the hasher of each of the rows `rows`; `levels` has the words of each level.
fn feed(hashers: &mut [KeyHasher], column: &Column, levels: &[[u64; 2]], rows: Range<usize>) {
    match column {
        Column::Num(v) => hashers.iter_mut().zip(&v[rows]).for_each(|(h, x)| h.word(x.to_bits())),
        Column::Time(v) => hashers.iter_mut().zip(&v[rows]).for_each(|(h, t)| h.word(*t as u64)),
        Column::Text(v) => hashers.iter_mut().zip(&v.codes()[rows]).for_each(|(h, &code)| {
            let words = if code == MISSING_CODE { MISSING_TEXT } else { levels[code as usize] };
            words.into_iter().for_each(|w| h.word(w));
        }),
    }
}

/// The fitting keys of a whole table: scoring key, target, weight where rows have one, and
/// occurrence number among rows that have all in common. Identical rows are interchangeable, so
/// which of them gets which number is free.
pub fn fit_keys(mut keys: Vec<RowKey>, target: &[f64], weights: &[f64]) -> Vec<RowKey> {
    let start = KeyHasher::new(FITTING_DOMAIN, &[]);
    let weight = |row: usize| weights.get(row).copied();
    let content = |keys: &[RowKey], row: u32| {
        let row = row as usize;
        (keys[row], math::order_key(target[row]), weight(row).map(math::order_key))
    };
    let by_content = |a: u32, b: u32| content(&keys, a).cmp(&content(&keys, b));
    let order = math::argsort_by(keys.len(), by_content);
    let (mut occurrence, mut before) = (0u64, None);
    // Each key gives way to its own fitting key: there may be very many.
    for row in order {
        let this = Some(content(&keys, row));
        occurrence = if this == before { occurrence + 1 } else { 0 };
        before = this;
        let row = row as usize;
        let mut hasher = start.clone();
        hasher.word(keys[row].0 as u64);
        hasher.word((keys[row].0 >> 64) as u64);
        hasher.word(math::canonical(target[row]).to_bits());
        hasher.word(occurrence);
        if let Some(weight) = weight(row) {
            hasher.word(math::canonical(weight).to_bits());
        }
        keys[row] = hasher.finish();
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::{ColumnKind, Field};

    fn keyed(key: &[&str]) -> Batch {
        let schema =
            Schema::new([Field::new("b", ColumnKind::Text), Field::new("a", ColumnKind::Num)])
                .unwrap();
        let columns = vec![
            Column::text([Some("x"), None, Some("x"), Some("")]),
            Column::num([1.0, 1.0, 1.0, f64::NAN]),
        ];
        let mut batch = Batch::new(Arc::new(schema), columns).unwrap();
        let key: Vec<String> = key.iter().map(|k| (*k).to_owned()).collect();
        RowKeyer::new(batch.schema(), &key).unwrap().key(&mut batch);
        batch
    }

    #[test]
    fn a_row_alone_has_the_key_that_it_has_in_a_block() {
        let batch = keyed(&[]);
        let keyer = RowKeyer::new(batch.schema(), &[]).unwrap();
        for row in 0..batch.n_rows() {
            let mut alone = batch.select(&[row]);
            keyer.key(&mut alone);
            assert_eq!(alone.keys()[0], batch.keys()[row]);
        }
    }

    #[test]
    fn rows_keyed_side_by_side_have_the_keys_that_they_have_alone() {
        let whole = crate::example::table(3 * KEYED_ROWS + 5, 1);
        let keyer = RowKeyer::new(whole.schema(), &[]).unwrap();
        let keys = keyer.keys(&whole, 3..whole.n_rows() - 1);
        for (row, key) in (3..).zip(&keys) {
            let mut alone = whole.select(&[row]);
            keyer.key(&mut alone);
            assert_eq!(alone.keys()[0], *key);
        }
        assert_eq!(keys.len(), whole.n_rows() - 4);
    }

    #[test]
    fn equal_content_gives_equal_keys_and_missing_is_content() {
        let keys = keyed(&[]).keys().to_vec();
        assert_eq!(keys[0], keys[2]);
        assert_ne!(keys[0], keys[1]);
        assert_ne!(keys[1], keys[3]);
        let declared = keyed(&["a"]).keys().to_vec();
        assert_eq!(declared[0], declared[1]);
    }

    #[test]
    fn identical_rows_get_different_fitting_keys_and_order_does_not_matter() {
        let keys = keyed(&[]).keys().to_vec();
        let target = [1.0, 2.0, 1.0, 2.0];
        let mut forward = fit_keys(keys.to_vec(), &target, &[]);
        assert_ne!(forward[0], forward[2]);
        let reversed: Vec<RowKey> = keys.iter().rev().copied().collect();
        let mut backward = fit_keys(reversed.to_vec(), &[2.0, 1.0, 2.0, 1.0], &[]);
        forward.sort();
        backward.sort();
        assert_eq!(forward, backward);
    }
}
