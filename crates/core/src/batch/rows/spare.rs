//! Buffers that a block keeps, so that the next one of its size allocates nothing.

use super::{Batch, Column, TextColumn};

/// Buffers given back, to be handed out again.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare {
    num: Vec<Vec<f64>>,
    text: Vec<TextColumn>,
    time: Vec<Vec<i64>>,
    slots: Vec<Vec<usize>>,
    codes: Codes,
}

/// Buffers for rows as small whole numbers, which models of trees work on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes {
    /// 64 rows of a column at a time.
    pub narrow: Vec<[i8; 64]>,
    /// Row by row.
    pub wide: Vec<u16>,
    /// Per text column the level of each label of the block's dictionary.
    pub levels: Vec<u32>,
}

impl Batch {
    /// An empty numeric buffer, warm if one was given back.
    pub fn take_num(&mut self) -> Vec<f64> {
        self.spare.num.pop().unwrap_or_default()
    }

    /// An empty text buffer, warm if one was given back.
    pub fn take_text(&mut self) -> TextColumn {
        self.spare.text.pop().unwrap_or_default()
    }

    /// An empty time buffer, warm if one was given back.
    pub fn take_time(&mut self) -> Vec<i64> {
        self.spare.time.pop().unwrap_or_default()
    }

    /// An empty buffer of positions, warm if one was given back.
    pub fn take_slots(&mut self) -> Vec<usize> {
        self.spare.slots.pop().unwrap_or_default()
    }

    /// Gives a buffer of positions back.
    pub fn give_slots(&mut self, mut slots: Vec<usize>) {
        slots.clear();
        self.spare.slots.push(slots);
    }

    /// Gives a buffer back.
    pub fn give(&mut self, mut column: Column) {
        column.clear();
        match column {
            Column::Num(v) => self.spare.num.push(v),
            Column::Text(v) => self.spare.text.push(v),
            Column::Time(v) => self.spare.time.push(v),
        }
    }

    /// The buffers for codes, warm if they were given back.
    pub(crate) fn take_codes(&mut self) -> Codes {
        std::mem::take(&mut self.spare.codes)
    }

    /// Gives the buffers for codes back.
    pub(crate) fn give_codes(&mut self, buffers: Codes) {
        self.spare.codes = buffers;
    }
}

#[cfg(test)]
mod tests {
    use crate::batch::Column;
    use crate::batch::rows::tests::batch;

    #[test]
    fn buffers_given_back_are_handed_out_again() {
        let mut b = batch();
        b.replace(0, Column::num([1.0, 2.0, 3.0]));
        assert!(b.take_num().capacity() >= 3);
    }
}
