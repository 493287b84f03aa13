//! Puts the rows of a leaf that go left before those that go right, each in their order.

use super::binning::{Binned, Bins};
use super::find::{Best, Cut};
use crate::par;

/// Leaves of fewer rows are partitioned by one thread.
const PARTS_FROM: usize = 1 << 14;

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
                split(buffers, |row| is_small_left(bins[row as usize], cut, missing_left))
            }
            _ => split(buffers, |row| self.is_left(row)),
        }
    }

    /// Copies the rows that go left to the front of the part's room, and those that go right to its
    /// end, the first of them last.
    fn spread(&self, part: &mut Part<'_>) {
        match (self.bins, &self.set) {
            (Bins::Small(bins), None) => {
                let (cut, missing_left) = (self.cut as u8, self.missing_left);
                spread(part, |row| is_small_left(bins[row as usize], cut, missing_left));
            }
            _ => spread(part, |row| self.is_left(row)),
        }
    }
}

#[inline(always)]
fn is_small_left(bin: u8, cut: u8, missing_left: bool) -> bool {
    (bin <= cut) | (missing_left & (bin == u8::MAX))
}

/// Room for the rows that go right, or for all.
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
        if rows.len() >= PARTS_FROM && par::n_threads() > 1 {
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

/// Rows that one thread takes, with room for as many.
struct Part<'a> {
    rows: &'a [u32],
    packed: &'a [i64],
    room_rows: &'a mut [u32],
    room_packed: &'a mut [i64],
    n_left: usize,
}

#[inline(always)]
fn spread(part: &mut Part<'_>, is_left: impl Fn(u32) -> bool) {
    let n = part.rows.len();
    let (rows, packed) = (&part.rows[..n], &part.packed[..n]);
    let (out_rows, out_packed) = (&mut part.room_rows[..n], &mut part.room_packed[..n]);
    let mut n_left = 0;
    for place in 0..n {
        let (row, word) = (rows[place], packed[place]);
        let left = is_left(row);
        let to = if left { n_left } else { n - 1 - (place - n_left) };
        out_rows[to] = row;
        out_packed[to] = word;
        n_left += usize::from(left);
    }
    part.n_left = n_left;
}

/// Where the rows of a part go.
struct Target<'a> {
    left: (&'a mut [u32], &'a mut [i64]),
    right: (&'a mut [u32], &'a mut [i64]),
}

/// One part per thread into the room, then all back in order.
fn in_parts(side: &Side<'_>, rows: &mut [u32], packed: &mut [i64], room: &mut Room) -> usize {
    let n = rows.len();
    let size = n.div_ceil(par::n_threads()).max(1);
    let rooms = room.rows[..n].chunks_mut(size).zip(room.packed[..n].chunks_mut(size));
    let mut parts: Vec<Part<'_>> = rows
        .chunks(size)
        .zip(packed.chunks(size))
        .zip(rooms)
        .map(|((rows, packed), (room_rows, room_packed))| Part {
            rows,
            packed,
            room_rows,
            room_packed,
            n_left: 0,
        })
        .collect();
    par::map_mut(&mut parts, |part| side.spread(part));
    let lefts: Vec<usize> = parts.iter().map(|part| part.n_left).collect();
    drop(parts);
    let n_left = lefts.iter().sum::<usize>();
    let mut right = (rows, packed);
    let mut left = take(&mut right, n_left);
    let mut targets: Vec<(usize, Target<'_>)> = Vec::with_capacity(lefts.len());
    for (part, &n_left) in lefts.iter().enumerate() {
        let n_right = (n - part * size).min(size) - n_left;
        let target = Target { left: take(&mut left, n_left), right: take(&mut right, n_right) };
        targets.push((part * size, target));
    }
    let room = &*room;
    par::map_mut(&mut targets, |(start, target)| {
        let middle = *start + target.left.0.len();
        let end = middle + target.right.0.len();
        target.left.0.copy_from_slice(&room.rows[*start..middle]);
        target.left.1.copy_from_slice(&room.packed[*start..middle]);
        let back = room.rows[middle..end].iter().rev();
        target.right.0.iter_mut().zip(back).for_each(|(to, &row)| *to = row);
        let back = room.packed[middle..end].iter().rev();
        target.right.1.iter_mut().zip(back).for_each(|(to, &word)| *to = word);
    });
    n_left
}

/// The first `n` of both, which are then gone.
fn take<'a>(from: &mut (&'a mut [u32], &'a mut [i64]), n: usize) -> (&'a mut [u32], &'a mut [i64]) {
    let (rows, others) = std::mem::take(&mut from.0).split_at_mut(n);
    let (packed, other_packed) = std::mem::take(&mut from.1).split_at_mut(n);
    *from = (others, other_packed);
    (rows, packed)
}
