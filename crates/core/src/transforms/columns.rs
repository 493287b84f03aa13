//! What several kinds share: removing columns that a step lists in any order.

use crate::batch::Batch;

/// Up to so many positions in another order are looked through instead of being sorted in a list of
/// their own, which would have to be allocated.
const SCANNED_SLOTS: usize = 64;

/// Removes the columns at `slots`, which stand in any order; one that is listed twice goes once.
pub(super) fn remove_columns(batch: &mut Batch, slots: &[usize]) {
    if slots.is_sorted_by(|a, b| a < b) {
        batch.remove(slots);
        return;
    }
    if slots.len() <= SCANNED_SLOTS {
        for slot in (0..batch.columns().len()).rev() {
            if slots.contains(&slot) {
                batch.remove(&[slot]);
            }
        }
        return;
    }
    let mut ascending = slots.to_vec();
    ascending.sort();
    ascending.dedup();
    batch.remove(&ascending);
}
