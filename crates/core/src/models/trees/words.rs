//! The bins of some columns row by row, for histograms: a row in no order costs one line of the
//! cache.
//!
//! Eight columns lie in a word, the first in the lowest bits. The words are cut into one part per
//! thread at hand and parts of at most a line, each held by itself, so that a thread fetches what
//! it adds and nothing else. A row of a part takes 1, 2, 4 or 8 words, so that none lies across two
//! lines.

use std::hint::black_box;

use crate::par;

/// Columns in a word.
pub(super) const LANES: usize = 8;
/// Words in a line.
pub(super) const LINE: usize = 8;
/// Rows whose lines are touched before their words are copied: many more loads than copies can wait
/// for memory at a time.
const TOUCHED: usize = 125;
/// Lines that a thread makes at a time.
const MADE_LINES: usize = 1 << 11;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; LINE]);

/// The bins of neighbouring columns, row by row.
#[derive(Clone, Debug)]
pub(in crate::models) struct Words {
    /// The first column.
    pub first: usize,
    /// How many columns.
    pub n: usize,
    lines: Vec<Line>,
}

impl Words {
    /// All columns, of `n_rows` rows.
    pub fn all(columns: &[&[u8]], n_rows: usize) -> Vec<Words> {
        let n_words = columns.len().div_ceil(LANES);
        let n_parts = par::n_threads().clamp(1, n_words.max(1));
        let bound = |part: usize| part * n_words / n_parts;
        let mut all = Vec::new();
        for part in 0..n_parts {
            let (mut word, end) = (bound(part), bound(part + 1));
            while word < end {
                let n = taken(end - word);
                let first = word * LANES;
                let some = &columns[first..columns.len().min(first + n * LANES)];
                all.push(Words::new(first, some, n_rows));
                word += n;
            }
        }
        all
    }

    fn new(first: usize, columns: &[&[u8]], n_rows: usize) -> Words {
        let mut words = Words { first, n: columns.len(), lines: Vec::new() };
        let per_line = LINE / words.stride();
        words.lines = vec![Line([0; LINE]); n_rows.div_ceil(per_line)];
        let stride = words.stride();
        let mut parts: Vec<(usize, &mut [Line])> =
            words.lines.chunks_mut(MADE_LINES).enumerate().collect();
        par::map_mut(&mut parts, |(index, lines)| {
            let first = *index * MADE_LINES * per_line;
            for (column, bins) in columns.iter().enumerate() {
                let (word, shift) = (column / LANES, 8 * (column % LANES));
                for (line, bins) in lines.iter_mut().zip(bins[first..].chunks(per_line)) {
                    let places = line.0.iter_mut().skip(word).step_by(stride);
                    places.zip(bins).for_each(|(place, &bin)| *place |= u64::from(bin) << shift);
                }
            }
        });
        words
    }

    /// The words of a row.
    pub fn n_words(&self) -> usize {
        self.n.div_ceil(LANES)
    }

    fn stride(&self) -> usize {
        self.n_words().next_power_of_two()
    }

    /// Fetches the words of rows, by word, in one go: misses of the cache overlap better alone than
    /// between additions.
    pub fn gather<const HAND: usize>(&self, rows: &[u32], out: &mut [[u64; HAND]]) {
        match self.n_words() {
            0 => {}
            1 => gather::<1, 1, HAND>(&self.lines, rows, out),
            2 => gather::<2, 2, HAND>(&self.lines, rows, out),
            3 => gather::<3, 4, HAND>(&self.lines, rows, out),
            4 => gather::<4, 4, HAND>(&self.lines, rows, out),
            5 => gather::<5, 8, HAND>(&self.lines, rows, out),
            6 => gather::<6, 8, HAND>(&self.lines, rows, out),
            7 => gather::<7, 8, HAND>(&self.lines, rows, out),
            _ => gather::<8, 8, HAND>(&self.lines, rows, out),
        }
    }
}

/// How many of `n` words go into one part: at most a line, and a third more room than words.
fn taken(n: usize) -> usize {
    match n {
        5 => 4,
        _ => n.min(LINE),
    }
}

#[inline]
fn gather<const N: usize, const STRIDE: usize, const HAND: usize>(
    lines: &[Line],
    rows: &[u32],
    out: &mut [[u64; HAND]],
) {
    let Some(out) = out.first_chunk_mut::<N>() else { return };
    let rows = &rows[..rows.len().min(HAND)];
    for (index, part) in rows.chunks(TOUCHED).enumerate() {
        let touch =
            part.iter().fold(0, |all, &row| all ^ lines[row as usize / (LINE / STRIDE)].0[0]);
        black_box(touch);
        for (place, &row) in part.iter().enumerate() {
            let (row, place) = (row as usize, index * TOUCHED + place);
            let start = row % (LINE / STRIDE) * STRIDE;
            let words = &lines[row / (LINE / STRIDE)].0[start..start + STRIDE];
            for word in 0..N {
                out[word][place] = words[word];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::par::Threads;

    #[test]
    fn every_bin_of_every_row_is_found_again() {
        let n_rows = 37;
        for (n_columns, n_threads) in [(1, 1), (17, 1), (40, 1), (50, 1), (50, 2), (130, 3), (0, 2)]
        {
            let bin = |row: usize, column: usize| (row * 31 + column * 7 + 1) as u8;
            let columns: Vec<Vec<u8>> =
                (0..n_columns).map(|c| (0..n_rows).map(|r| bin(r, c)).collect()).collect();
            let slices: Vec<&[u8]> = columns.iter().map(Vec::as_slice).collect();
            let all = Threads::new(n_threads).unwrap().run(|| Words::all(&slices, n_rows));
            assert!(all.len() >= n_threads.min(n_columns.div_ceil(LANES)));
            let mut column = 0;
            for words in all {
                assert_eq!(words.first, column);
                let mut out = vec![[0u64; 3]; words.n_words()];
                words.gather(&[36, 0, 5], &mut out);
                for own in 0..words.n {
                    for (place, row) in [36, 0, 5].into_iter().enumerate() {
                        let found = (out[own / LANES][place] >> (8 * (own % LANES))) as u8;
                        assert_eq!(found, bin(row, column + own));
                    }
                }
                column += words.n;
            }
            assert_eq!(column, n_columns);
        }
    }
}
