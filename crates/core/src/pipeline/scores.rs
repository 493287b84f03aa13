//! What scoring gives: one result per row.

use std::collections::BTreeMap;

use crate::digest::RowKey;
use crate::error::Error;
use crate::math;

/// One result per row: its key, and its scores or the reason why there are none.
///
/// A row has one score, or for a multiclass task one per class.
#[derive(Clone, Debug)]
pub struct Scores {
    keys: Vec<RowKey>,
    /// Row by row, `width` each.
    values: Vec<f64>,
    width: usize,
    faults: BTreeMap<u64, Error>,
}

impl Default for Scores {
    fn default() -> Self {
        Scores::of_width(1)
    }
}

impl Scores {
    /// No row yet, of so many scores each.
    pub fn of_width(width: usize) -> Self {
        debug_assert!(width > 0, "a row has a score");
        Scores { keys: Vec::new(), values: Vec::new(), width, faults: BTreeMap::new() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many scores a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The scoring key of each row.
    pub fn keys(&self) -> &[RowKey] {
        &self.keys
    }

    /// The score of a row, or the reason why there is none. For a multiclass task it is the
    /// position of the class: see [`Scores::class`].
    ///
    /// # Errors
    /// The reason.
    pub fn get(&self, row: usize) -> Result<f64, &Error> {
        match self.width {
            1 => self.values(row).map(|values| values[0]),
            _ => self.class(row).map(|class| class as f64),
        }
    }

    /// The scores of a row, or the reason why there are none.
    ///
    /// # Errors
    /// The reason.
    pub fn values(&self, row: usize) -> Result<&[f64], &Error> {
        match self.fault(row) {
            Some(reason) => Err(reason),
            None => Ok(&self.values[row * self.width..(row + 1) * self.width]),
        }
    }

    /// The position of the most probable class of a row, the first one of equals; or the reason why
    /// there is none.
    ///
    /// # Errors
    /// The reason.
    pub fn class(&self, row: usize) -> Result<usize, &Error> {
        let values = self.values(row)?;
        let mut best = 0;
        for (class, &value) in values.iter().enumerate() {
            if value > values[best] {
                best = class;
            }
        }
        Ok(best)
    }

    /// Every row's result.
    pub fn iter(&self) -> impl Iterator<Item = (RowKey, Result<f64, &Error>)> {
        (0..self.len()).map(|row| (self.keys[row], self.get(row)))
    }

    /// Every score, row by row; missing where a row has a reason instead.
    pub fn all_values(&self) -> &[f64] {
        &self.values
    }

    /// Forgets the rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
        self.faults.clear();
    }

    /// Appends a row's result; the scores are as many as the width.
    pub fn push(&mut self, key: RowKey, result: Result<&[f64], Error>) {
        match result {
            Ok(values) => {
                debug_assert_eq!(values.len(), self.width, "one score per class");
                self.values.extend_from_slice(values);
            }
            Err(reason) => {
                self.faults.insert(self.len() as u64, reason);
                self.values.resize(self.values.len() + self.width, math::MISSING);
            }
        }
        self.keys.push(key);
    }

    pub(super) fn append(&mut self, other: Scores) {
        let offset = self.len() as u64;
        self.keys.extend(other.keys);
        self.values.extend(other.values);
        self.faults.extend(other.faults.into_iter().map(|(row, e)| (row + offset, e)));
    }

    /// Makes room for `n_rows` rows of `width` scores, and gives it.
    pub(super) fn open(&mut self, n_rows: usize, width: usize) -> &mut [f64] {
        self.clear();
        self.width = width;
        self.values.resize(n_rows * width, 0.0);
        &mut self.values
    }

    /// Names the rows, and takes the scores of those with a reason away.
    pub(super) fn close(&mut self, keys: &[RowKey], faults: &BTreeMap<u32, Error>) {
        self.keys.extend_from_slice(keys);
        for (&row, fault) in faults {
            let start = row as usize * self.width;
            self.values[start..start + self.width].fill(math::MISSING);
            self.faults.insert(u64::from(row), fault.clone());
        }
    }

    fn fault(&self, row: usize) -> Option<&Error> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.get(&(row as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn the_most_probable_class_is_the_first_one_of_equals() {
        let mut scores = Scores::of_width(3);
        scores.push(RowKey(1), Ok(&[0.25, 0.5, 0.25]));
        scores.push(RowKey(2), Err(Error::new(Code::MissingValue, "none")));
        scores.push(RowKey(3), Ok(&[0.25, 0.375, 0.375]));
        assert_eq!((scores.len(), scores.class(0), scores.class(2)), (3, Ok(1), Ok(1)));
        assert_eq!(scores.values(2), Ok(&[0.25, 0.375, 0.375][..]));
        assert_eq!(scores.get(1).map_err(Error::code), Err(Code::MissingValue));
    }
}
