//! What several kinds share: removing columns that a step lists in any order.

use crate::batch::Batch;

/// Removes the columns at `slots`, which stand in any order; one that is listed twice goes once.
pub(super) fn remove_columns(batch: &mut Batch, slots: &[usize]) {
    if slots.is_sorted_by(|a, b| a < b) {
        batch.remove(slots);
        return;
    }
    let mut ascending = slots.to_vec();
    ascending.sort();
    ascending.dedup();
    batch.remove(&ascending);
}
