//! Rows that cannot be scored, and why.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Batch, Schema};
use crate::error::Error;

impl Batch {
    /// Records that `row` cannot be scored. The first fault of a row stays.
    pub fn fault(&mut self, row: usize, slot: usize, error: Error) {
        let name = self.schema.fields().get(slot).map(|f| f.name.as_str());
        let error = match name {
            Some(name) => error.column(name),
            None => error,
        };
        self.fault_row(row, error);
    }

    /// Records a fault that belongs to no one column.
    pub fn fault_row(&mut self, row: usize, error: Error) {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        if let Entry::Vacant(place) = self.faults.entry(row) {
            place.insert(error);
            self.fresh_faults.push(row);
        }
    }

    /// Why `row` cannot be scored, if so.
    pub fn fault_of(&self, row: usize) -> Option<&Error> {
        u32::try_from(row).ok().and_then(|row| self.faults.get(&row))
    }

    /// Whether `row` has a fault.
    pub fn has_fault(&self, row: usize) -> bool {
        !self.faults.is_empty()
            && u32::try_from(row).is_ok_and(|row| self.faults.contains_key(&row))
    }

    /// The faults by row of this block.
    pub fn faults(&self) -> &BTreeMap<u32, Error> {
        &self.faults
    }

    /// Names the step in the faults that came since the last call.
    pub(crate) fn name_faults(&mut self, step: &str) {
        for row in self.fresh_faults.drain(..) {
            if let Some(error) = self.faults.get_mut(&row) {
                *error = error.clone().step(step);
            }
        }
    }

    /// Leaves the faults that came so far without a step: they are about the row as it arrived.
    pub(crate) fn keep_faults_unnamed(&mut self) {
        self.fresh_faults.clear();
    }
}

/// Whether a fault is of a column of `schema`, or of no one column.
pub(crate) fn concerns(error: &Error, schema: &Schema) -> bool {
    error.column_name().is_none_or(|name| schema.position(name).is_some())
}

#[cfg(test)]
mod tests {
    use crate::batch::rows::tests::batch;
    use crate::error::{Code, Error};

    #[test]
    fn the_first_fault_of_a_row_stays_and_names_its_column() {
        let mut b = batch();
        b.fault(1, 0, Error::new(Code::MissingValue, "first"));
        b.fault(1, 1, Error::new(Code::MissingValue, "second"));
        assert_eq!(b.faults()[&1].to_string(), "column `age`: first");
    }

    #[test]
    fn a_step_is_named_only_in_the_faults_that_came_in_it() {
        let mut b = batch();
        b.fault(0, 0, Error::new(Code::WrongKind, "on arrival"));
        b.keep_faults_unnamed();
        b.fault(0, 0, Error::new(Code::MissingValue, "too late"));
        b.fault(1, 0, Error::new(Code::MissingValue, "in the step"));
        b.name_faults("impute");
        b.name_faults("scale");
        let shown: Vec<String> = b.faults().values().map(ToString::to_string).collect();
        assert_eq!(shown, ["column `age`: on arrival", "step `impute`: column `age`: in the step"]);
    }
}
