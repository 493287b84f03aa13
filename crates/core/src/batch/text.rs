//! Dictionary-coded text of one block.
//!
//! Codes number the levels in the order in which this block met them; they mean nothing outside the
//! block and are never stored, compared between blocks, or used for an order.

use crate::faults;

/// The code of a missing label.
pub const MISSING_CODE: u32 = u32::MAX;

/// Above this number of levels the index is used instead of a scan.
const SCAN_LEVELS: usize = 8;
const EMPTY: u64 = u64::MAX;

/// Labels of one block: a code per row and the text of each code.
#[derive(Clone, Debug, Default)]
pub struct TextColumn {
    codes: Vec<u32>,
    bytes: String,
    ends: Vec<usize>,
    /// The codes by the hash of their labels, which stands in the upper half: so other labels are
    /// passed by without a look at them, and a larger index is made without one.
    index: Vec<u64>,
}

impl TextColumn {
    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The label of `row`, `None` if missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.codes[row] {
            MISSING_CODE => None,
            code => Some(self.level(code as usize)),
        }
    }

    /// The code of each row.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The number of levels. A level may have no row left.
    pub fn n_levels(&self) -> usize {
        self.ends.len()
    }

    /// The text of a code.
    #[inline]
    pub fn level(&self, code: usize) -> &str {
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.bytes[start..self.ends[code]]
    }

    /// The texts of all codes, by code.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        (0..self.n_levels()).map(|code| self.level(code))
    }

    /// Puts all rows into another order, by the same codes.
    pub(super) fn reorder(&mut self, order: &[u32], spare: &mut Vec<u32>) {
        reorder(&mut self.codes, order, spare);
    }

    /// Appends a label.
    #[inline]
    pub fn push(&mut self, label: Option<&str>) {
        let code = match label {
            None => MISSING_CODE,
            Some(label) => self.intern(label),
        };
        self.codes.push(code);
    }

    /// Puts a label at `row` in place of what was there.
    pub fn set(&mut self, row: usize, label: &str) {
        self.codes[row] = self.intern(label);
    }

    /// Appends the label that `write` appends to the text it is given; nothing written is missing.
    pub fn push_written(&mut self, write: impl FnOnce(&mut String)) {
        self.make_room();
        let start = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() == start {
            self.codes.push(MISSING_CODE);
            return;
        }
        let code = match self.find(&self.bytes[start..]) {
            Ok(code) => {
                self.bytes.truncate(start);
                code
            }
            Err(place) => self.add_level(place),
        };
        self.codes.push(code);
    }

    /// Appends a row by a code that [`TextColumn::intern`] gave.
    pub fn push_code(&mut self, code: u32) {
        debug_assert!(code == MISSING_CODE || (code as usize) < self.n_levels(), "unknown code");
        self.codes.push(code);
    }

    /// The code of a label, new if the block has not met it.
    ///
    /// # Panics
    /// Never on blocks of the stated size: a block has fewer than 2^32 − 1 rows.
    #[inline]
    pub fn intern(&mut self, label: &str) -> u32 {
        self.make_room();
        match self.find(label) {
            Ok(code) => code,
            Err(place) => {
                self.bytes.push_str(label);
                self.add_level(place)
            }
        }
    }

    /// Makes room for so many more rows and levels.
    pub fn reserve(&mut self, n_rows: usize, n_levels: usize) {
        self.codes.reserve_exact(n_rows);
        self.ends.reserve(n_levels);
        let n_levels = self.n_levels() + n_levels;
        if n_levels > SCAN_LEVELS && n_levels * 2 > self.index.len() {
            self.index_levels(n_levels);
        }
    }

    /// Appends the rows `rows` of `other`.
    pub fn extend_from(&mut self, other: &TextColumn, rows: impl Iterator<Item = usize>) {
        let n_rows = rows.size_hint().1.unwrap_or(usize::MAX);
        if n_rows == 1 || n_rows < other.n_levels() / 4 {
            // A table over all levels would cost more than the few rows.
            rows.for_each(|row| self.push(other.get(row)));
            return;
        }
        let mut remap = vec![MISSING_CODE; other.n_levels()];
        for row in rows {
            let code = match other.codes[row] {
                MISSING_CODE => MISSING_CODE,
                old => {
                    let old = old as usize;
                    if remap[old] == MISSING_CODE {
                        remap[old] = self.intern(other.level(old));
                    }
                    remap[old]
                }
            };
            self.codes.push(code);
        }
    }

    /// Writes `output` = this column with each level replaced by what `relabel` says; missing rows
    /// become `missing`. `relabel` is asked once per level.
    pub fn relabel_into<'a>(
        &'a self,
        output: &mut TextColumn,
        missing: Option<&'a str>,
        mut relabel: impl FnMut(&'a str) -> Option<&'a str>,
    ) {
        debug_assert!(output.is_empty(), "the output begins empty");
        if self.n_levels() <= 1 {
            let only = self.levels().next().and_then(&mut relabel);
            for &code in &self.codes {
                output.push(if code == MISSING_CODE { missing } else { only });
            }
            return;
        }
        let missing = missing.map_or(MISSING_CODE, |label| output.intern(label));
        let table: Vec<u32> = self
            .levels()
            .map(|level| relabel(level).map_or(MISSING_CODE, |label| output.intern(label)))
            .collect();
        let codes = self.codes.iter();
        output.codes.extend(codes.map(
            |&c| {
                if c == MISSING_CODE { missing } else { table[c as usize] }
            },
        ));
    }

    /// Appends to `output` the number that `number` gives for each row's label; missing rows become
    /// `missing`. `number` is asked once per level.
    pub fn numbers_into(
        &self,
        output: &mut Vec<f64>,
        missing: f64,
        mut number: impl FnMut(&str) -> f64,
    ) {
        if self.n_levels() <= 1 {
            let only = self.levels().next().map_or(missing, &mut number);
            output
                .extend(self.codes.iter().map(|&c| if c == MISSING_CODE { missing } else { only }));
            return;
        }
        let table = faults::stale_table(self.levels().map(number).collect());
        let codes = self.codes.iter();
        output.extend(codes.map(|&c| if c == MISSING_CODE { missing } else { table[c as usize] }));
    }

    /// Forgets rows and levels and keeps the buffers.
    pub fn clear(&mut self) {
        self.codes.clear();
        self.bytes.clear();
        self.ends.clear();
        self.index.clear();
    }

    /// Makes the text behind the last level a level of its own, at that place in the index, which
    /// has its hash.
    fn add_level(&mut self, place: Option<(usize, u32)>) -> u32 {
        let code = u32::try_from(self.ends.len()).unwrap_or(MISSING_CODE);
        assert!(code != MISSING_CODE, "a block has fewer than 2^32 - 1 levels");
        self.ends.push(self.bytes.len());
        if let Some((place, hash)) = place {
            self.index[place] = entry(hash, code);
        }
        code
    }

    /// The code of `label`, or the free place in the index where it belongs with its hash; `None`
    /// while there is no index yet.
    #[inline]
    fn find(&self, label: &str) -> Result<u32, Option<(usize, u32)>> {
        if self.index.is_empty() {
            let mut start = 0;
            for (code, &end) in self.ends.iter().enumerate() {
                if end - start == label.len() && &self.bytes[start..end] == label {
                    return Ok(code as u32);
                }
                start = end;
            }
            return Err(None);
        }
        let mask = self.index.len() - 1;
        let hash = hash_of(label);
        let mut place = hash as usize & mask;
        loop {
            match self.index[place] {
                EMPTY => return Err(Some((place, hash))),
                // The code is the lower half.
                entry
                    if (entry >> 32) as u32 == hash
                        && self.level(entry as u32 as usize) == label =>
                {
                    return Ok(entry as u32);
                }
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// Makes the index large enough for one more level.
    #[inline]
    fn make_room(&mut self) {
        if self.n_levels() >= SCAN_LEVELS && (self.n_levels() + 1) * 2 > self.index.len() {
            self.index_levels(self.n_levels() + 1);
        }
    }

    /// Makes an index for so many levels, those of now in it.
    fn index_levels(&mut self, n_levels: usize) {
        let size = (n_levels * 2).next_power_of_two();
        let before = std::mem::replace(&mut self.index, vec![EMPTY; size]);
        let put = |index: &mut Vec<u64>, entry: u64| {
            let mut place = (entry >> 32) as usize & (size - 1);
            while index[place] != EMPTY {
                place = (place + 1) & (size - 1);
            }
            index[place] = entry;
        };
        match before.is_empty() {
            true => {
                for code in 0..self.n_levels() {
                    let entry = entry(hash_of(self.level(code)), code as u32);
                    put(&mut self.index, entry);
                }
            }
            false => {
                let known = before.into_iter().filter(|entry| *entry != EMPTY);
                known.for_each(|entry| put(&mut self.index, entry));
            }
        }
    }
}

/// The values of `order`, one after the other; `spare` gets the buffer that is left.
pub(super) fn reorder<T: Copy>(values: &mut Vec<T>, order: &[u32], spare: &mut Vec<T>) {
    spare.clear();
    spare.extend(order.iter().map(|&row| values[row as usize]));
    std::mem::swap(values, spare);
}

fn entry(hash: u32, code: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(code)
}

/// Where the probe for a label begins. Never stored: it only decides how fast a label is found.
fn hash_of(label: &str) -> u32 {
    let mut rest = label.as_bytes();
    let mut h: u64 = 0xcbf2_9ce4_8422_2325 ^ rest.len() as u64;
    let mut mix = |word: u64| {
        h = (h ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^= h >> 29;
    };
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        mix(u64::from_le_bytes(*eight));
        rest = behind;
    }
    // The last bytes, some of them twice.
    match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            mix(u64::from(first) << 32 | u64::from(last));
        }
        _ => {
            if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
                let middle = rest[rest.len() / 2];
                mix(u64::from(*first) << 16 | u64::from(middle) << 8 | u64::from(*last));
            }
        }
    }
    (h ^ (h >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_levels_are_each_found_again() {
        let mut column = TextColumn::default();
        let labels: Vec<String> = (0..10_000).map(|i| format!("level {}", i % 5_000)).collect();
        labels.iter().for_each(|l| column.push(Some(l)));
        assert_eq!(column.n_levels(), 5_000);
        assert!(labels.iter().enumerate().all(|(i, l)| column.get(i) == Some(l)));
        column.clear();
        column.push(Some("level 7"));
        assert_eq!((column.n_levels(), column.get(0)), (1, Some("level 7")));
    }

    #[test]
    fn relabelling_merges_levels_and_fills_missing() {
        let mut column = TextColumn::default();
        [Some("a"), None, Some("b"), Some("a")].into_iter().for_each(|l| column.push(l));
        let mut out = TextColumn::default();
        column.relabel_into(&mut out, Some("x"), |l| if l == "a" { Some("x") } else { None });
        let got: Vec<_> = (0..4).map(|i| out.get(i)).collect();
        assert_eq!(got, [Some("x"), Some("x"), None, Some("x")]);
        assert_eq!(out.n_levels(), 1);
    }

    #[test]
    fn a_label_put_at_a_row_leaves_the_others() {
        let mut column = TextColumn::default();
        [Some("a"), None, None].into_iter().for_each(|l| column.push(l));
        column.set(2, "b");
        column.set(1, "a");
        let got: Vec<_> = (0..3).map(|row| column.get(row)).collect();
        assert_eq!(got, [Some("a"), Some("a"), Some("b")]);
    }

    #[test]
    fn the_empty_label_is_not_missing() {
        let mut column = TextColumn::default();
        column.push(Some(""));
        column.push(None);
        assert_eq!((column.get(0), column.get(1)), (Some(""), None));
    }

    #[test]
    fn a_buffer_used_again_knows_its_first_levels_when_the_index_begins() {
        let mut column = TextColumn::default();
        let labels: Vec<String> = (0..40).map(|i| i.to_string()).collect();
        for _ in 0..2 {
            column.clear();
            for label in labels.iter().chain(&labels) {
                column.push(Some(label));
            }
            assert_eq!(column.n_levels(), labels.len());
        }
    }

    #[test]
    fn a_column_with_room_made_for_more_knows_its_first_levels() {
        for (n_before, n_levels) in [(0, 5_000), (3, 500), (7, 2), (20, 5), (20, 500)] {
            let mut column = TextColumn::default();
            let labels: Vec<String> = (0..600).map(|i| format!("level {}", i % 300)).collect();
            labels[..n_before].iter().for_each(|label| column.push(Some(label)));
            column.reserve(600, n_levels);
            labels[n_before..].iter().for_each(|label| column.push(Some(label)));
            assert_eq!(column.n_levels(), 300, "{n_before} {n_levels}");
            let is_known = |(row, label): (usize, &String)| column.get(row) == Some(label);
            assert!(labels.iter().enumerate().all(is_known));
        }
    }

    #[test]
    fn what_is_written_is_the_label_that_is_pushed() {
        let (mut pushed, mut written) = (TextColumn::default(), TextColumn::default());
        for i in 0..60 {
            let label = (i % 23).to_string();
            let label = Some(label.as_str()).filter(|_| i % 7 > 0);
            pushed.push(label);
            written.push_written(|text| text.push_str(label.unwrap_or_default()));
        }
        assert_eq!(pushed.codes(), written.codes());
        assert!(pushed.levels().eq(written.levels()));
    }
}
