//! Puts the rows of a leaf that go left before those that go right, each in their order.

use super::binning::{Binned, Bins};
use super::find::{Best, Cut};
use crate::par;

/// Leaves of more rows are partitioned in parts.
const PART_ROWS: usize = 1 << 15;

/// Which rows go left.
pub(super) struct Side<'a> {
    bins: &'a Bins,
    cut: usize,
    /// One bit per bin, for a set of levels.
    set: Option<Vec<u64>>,
    missing_left: bool,
}

impl<'a> Side<'a> {
    pub fn new(data: &'a Binned, feature: u32, cut: &Cut, missing_left: bool) -> Self {
        let bins = &data.columns[feature as usize];
        let (cut, set) = match cut {
            Cut::Bin(bin) => (*bin as usize, None),
            Cut::Levels(levels) => {
                let mut set = vec![0u64; (bins.missing() + 1) / 64];
                levels.iter().for_each(|&level| set[level as usize / 64] |= 1 << (level % 64));
                (0, Some(set))
            }
        };
        Side { bins, cut, set, missing_left }
    }

    /// Whether a row goes left.
    #[inline]
    pub fn is_left(&self, row: u32) -> bool {
        let bin = self.bins.at(row);
        if bin == self.bins.missing() {
            return self.missing_left;
        }
        match &self.set {
            None => bin <= self.cut,
            Some(set) => (set[bin / 64] >> (bin % 64)) & 1 == 1,
        }
    }

    /// Splits one channel, without a branch that depends on a row.
    fn split(
        &self,
        rows: &mut [u32],
        packed: &mut [i64],
        right_rows: &mut [u32],
        right_packed: &mut [i64],
    ) -> usize {
        let buffers = (rows, packed, right_rows, right_packed);
        match (self.bins, &self.set) {
            (Bins::Small(bins), None) => {
                let (cut, missing_left) = (self.cut as u8, self.missing_left);
                split(buffers, |row| {
                    let bin = bins[row as usize];
                    (bin <= cut) | (missing_left & (bin == u8::MAX))
                })
            }
            _ => split(buffers, |row| self.is_left(row)),
        }
    }
}

/// Room for the rows that go right.
#[derive(Default)]
pub(super) struct Room {
    rows: Vec<u32>,
    packed: Vec<i64>,
}

impl Room {
    fn resize(&mut self, n: usize) {
        if self.rows.len() < n {
            self.rows.resize(n, 0);
            self.packed.resize(n, 0);
        }
    }
}

/// Partitions `rows` and what goes with each; gives the number that go left.
pub(super) fn partition(
    data: &Binned,
    best: &Best,
    rows: &mut [u32],
    packed: &mut [&mut [i64]],
    room: &mut Room,
) -> usize {
    let side = Side::new(data, best.feature, &best.cut, best.missing_left);
    room.resize(rows.len());
    if let [packed] = packed {
        if rows.len() > 2 * PART_ROWS && par::n_threads() > 1 {
            return in_parts(&side, rows, packed, room);
        }
        return one(&side, rows, packed, &mut room.rows, &mut room.packed);
    }
    let sides: Vec<bool> = rows.iter().map(|&row| side.is_left(row)).collect();
    for packed in packed {
        let right = &mut room.packed;
        let (mut n_left, mut n_right) = (0, 0);
        for (place, &is_left) in sides.iter().enumerate() {
            let word = packed[place];
            packed[n_left] = word;
            right[n_right] = word;
            n_left += usize::from(is_left);
            n_right += usize::from(!is_left);
        }
        packed[n_left..].copy_from_slice(&right[..n_right]);
    }
    let (mut n_left, mut n_right) = (0, 0);
    for (place, &is_left) in sides.iter().enumerate() {
        let row = rows[place];
        rows[n_left] = row;
        room.rows[n_right] = row;
        n_left += usize::from(is_left);
        n_right += usize::from(!is_left);
    }
    rows[n_left..].copy_from_slice(&room.rows[..n_right]);
    n_left
}

/// One channel; each row is written to both sides and only one of the two counts.
fn one(
    side: &Side<'_>,
    rows: &mut [u32],
    packed: &mut [i64],
    right_rows: &mut [u32],
    right_packed: &mut [i64],
) -> usize {
    let n_left = side.split(rows, packed, right_rows, right_packed);
    let n_right = rows.len() - n_left;
    rows[n_left..].copy_from_slice(&right_rows[..n_right]);
    packed[n_left..].copy_from_slice(&right_packed[..n_right]);
    n_left
}

/// Rows and what goes with them, then room for those that go right.
type Buffers<'a> = (&'a mut [u32], &'a mut [i64], &'a mut [u32], &'a mut [i64]);

#[inline(always)]
fn split(buffers: Buffers<'_>, is_left: impl Fn(u32) -> bool) -> usize {
    let (rows, packed, right_rows, right_packed) = buffers;
    let n = rows.len();
    let (rows, packed) = (&mut rows[..n], &mut packed[..n]);
    let (right_rows, right_packed) = (&mut right_rows[..n], &mut right_packed[..n]);
    let (mut n_left, mut n_right) = (0, 0);
    for place in 0..n {
        let (row, word) = (rows[place], packed[place]);
        let left = is_left(row);
        rows[n_left] = row;
        packed[n_left] = word;
        right_rows[n_right] = row;
        right_packed[n_right] = word;
        n_left += usize::from(left);
        n_right += usize::from(!left);
    }
    n_left
}

struct Part<'a> {
    rows: &'a mut [u32],
    packed: &'a mut [i64],
    right_rows: &'a mut [u32],
    right_packed: &'a mut [i64],
}

/// Parts by themselves, in parallel; then left rows close up and right rows follow.
fn in_parts(side: &Side<'_>, rows: &mut [u32], packed: &mut [i64], room: &mut Room) -> usize {
    let n = rows.len();
    let mut parts: Vec<Part<'_>> = rows
        .chunks_mut(PART_ROWS)
        .zip(packed.chunks_mut(PART_ROWS))
        .zip(room.rows[..n].chunks_mut(PART_ROWS).zip(room.packed[..n].chunks_mut(PART_ROWS)))
        .map(|((rows, packed), (right_rows, right_packed))| Part {
            rows,
            packed,
            right_rows,
            right_packed,
        })
        .collect();
    let lefts = par::map_mut(&mut parts, |part| {
        side.split(part.rows, part.packed, part.right_rows, part.right_packed)
    });
    drop(parts);
    let mut end = 0;
    for (index, &n_left) in lefts.iter().enumerate() {
        let start = index * PART_ROWS;
        rows.copy_within(start..start + n_left, end);
        packed.copy_within(start..start + n_left, end);
        end += n_left;
    }
    let total = end;
    for (index, &n_left) in lefts.iter().enumerate() {
        let start = index * PART_ROWS;
        let n_right = (n - start).min(PART_ROWS) - n_left;
        rows[end..end + n_right].copy_from_slice(&room.rows[start..start + n_right]);
        packed[end..end + n_right].copy_from_slice(&room.packed[start..start + n_right]);
        end += n_right;
    }
    total
}
