//! What several kinds share: removing columns that a step lists in any order.

use crate::batch::Batch;

/// Removes the columns at `slots`, which are distinct and in any order.
pub(super) fn remove_columns(batch: &mut Batch, slots: &[usize]) {
    if slots.is_sorted() {
        batch.remove(slots);
        return;
    }
    let mut ascending = slots.to_vec();
    ascending.sort();
    batch.remove(&ascending);
}
