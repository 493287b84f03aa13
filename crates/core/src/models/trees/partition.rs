//! Puts the rows of a leaf that go left before those that go right, each in their order.

use super::binning::{Binned, Bins};
use super::find::{Best, Cut};
use crate::par;

/// Leaves of fewer rows are partitioned by one thread.
const PARTS_FROM: usize = 1 << 14;
/// There is room for one in so many rows of a tree.
const ROOM_SHARE: usize = 4;

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
}

#[inline(always)]
fn is_small_left(bin: u8, cut: u8, missing_left: bool) -> bool {
    (bin <= cut) | (missing_left & (bin == u8::MAX))
}

/// Room for rows that go right.
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

/// Room for every thread.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
    /// The rows that a thread has room for.
    size: usize,
}

impl Rooms {
    /// Makes room for the leaves of a tree of `n_rows` rows.
    pub fn fit(&mut self, n_rows: usize) {
        let n_threads = par::n_threads().max(1);
        self.rooms.resize_with(n_threads, Room::default);
        self.size = (n_rows / (ROOM_SHARE * n_threads)).max(PARTS_FROM);
    }
}

/// Partitions `rows` and what goes with each; gives the number that go left.
pub(super) fn partition(
    data: &Binned,
    best: &Best,
    rows: &mut [u32],
    packed: &mut [&mut [i64]],
    rooms: &mut Rooms,
) -> usize {
    let side = Side::new(data, best.feature, &best.cut, best.missing_left);
    if let [packed] = packed {
        let part = Part { rows, packed };
        return match &mut rooms.rooms[..] {
            [room, _, ..] if part.rows.len() < PARTS_FROM => part.split(&side, room, rooms.size),
            all => part.split_by_all(&side, all, rooms.size),
        };
    }
    let mut room = Room::default();
    room.resize(rows.len());
    let sides: Vec<bool> = rows.iter().map(|&row| side.is_left(row)).collect();
    for packed in packed {
        let right = &mut room.packed[..];
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

/// Rows of one channel and what goes with them.
struct Part<'a> {
    rows: &'a mut [u32],
    packed: &'a mut [i64],
}

impl Part<'_> {
    /// Both halves, the first of `n` rows.
    fn halves(&mut self, n: usize) -> (Part<'_>, Part<'_>) {
        let (rows, other_rows) = self.rows.split_at_mut(n);
        let (packed, other_packed) = self.packed.split_at_mut(n);
        (Part { rows, packed }, Part { rows: other_rows, packed: other_packed })
    }

    /// By one thread that has room for `size` rows; gives the number that go left.
    fn split(mut self, side: &Side<'_>, room: &mut Room, size: usize) -> usize {
        let n = self.rows.len();
        if n > size {
            let (first, second) = self.halves(n / 2);
            let lefts = [first.split(side, room, size), second.split(side, room, size)];
            return self.join(n / 2, lefts);
        }
        room.resize(n);
        let n_left = side.split(self.rows, self.packed, &mut room.rows, &mut room.packed);
        self.rows[n_left..].copy_from_slice(&room.rows[..n - n_left]);
        self.packed[n_left..].copy_from_slice(&room.packed[..n - n_left]);
        n_left
    }

    /// By as many threads as there are rooms.
    fn split_by_all(mut self, side: &Side<'_>, rooms: &mut [Room], size: usize) -> usize {
        let n = self.rows.len();
        if let [room] = rooms {
            return self.split(side, room, size);
        }
        let middle = rooms.len() / 2;
        let at = (n as u64 * middle as u64 / rooms.len() as u64) as usize;
        let (first_rooms, second_rooms) = rooms.split_at_mut(middle);
        let (first, second) = self.halves(at);
        let mut halves = [Some((first, first_rooms)), Some((second, second_rooms))];
        let lefts = par::map_mut(&mut halves, |half| match half.take() {
            Some((part, rooms)) => part.split_by_all(side, rooms, size),
            None => 0,
        });
        self.join(at, [lefts[0], lefts[1]])
    }

    /// Brings the rows of both parts that go left together, the second of which begins at `at`.
    fn join(&mut self, at: usize, [n, n_more]: [usize; 2]) -> usize {
        let between = n..at + n_more;
        let (rows, packed) = (&mut self.rows[between.clone()], &mut self.packed[between]);
        if rows.len() < PARTS_FROM {
            rows.rotate_left(at - n);
            packed.rotate_left(at - n);
        } else {
            let mut both = [Turn::Rows(rows), Turn::Packed(packed)];
            par::map_mut(&mut both, |turn| match turn {
                Turn::Rows(rows) => rows.rotate_left(at - n),
                Turn::Packed(packed) => packed.rotate_left(at - n),
            });
        }
        n + n_more
    }
}

/// What is turned by one thread.
enum Turn<'a> {
    Rows(&'a mut [u32]),
    Packed(&'a mut [i64]),
}

#[cfg(test)]
mod tests {
    use super::super::binning::{Cuts, NumCuts};
    use super::*;
    use crate::par::Threads;

    #[test]
    fn rows_keep_their_order_on_both_sides_however_little_room_there_is() {
        let n = 100_000usize;
        let bin = |row: usize| match row % 11 {
            0 => u8::MAX,
            _ => (row * row / 7 % 13) as u8,
        };
        let columns = vec![Bins::Small((0..n).map(bin).collect())];
        let cuts = vec![Cuts::Num(NumCuts::default())];
        let data = Binned { n_rows: n, cuts, columns, words: vec![] };
        let best = |cut: u32, missing_left: bool| Best {
            gain: 1.0,
            worth: 1.0,
            feature: 0,
            cut: Cut::Bin(cut),
            missing_left,
            is_set: false,
            next: None,
            left: vec![],
        };
        let all: Vec<u32> = (0..n as u32).filter(|row| row % 10 != 3).collect();
        for (cut, missing_left) in [(4, true), (0, false), (11, true), (12, true)] {
            let best = best(cut, missing_left);
            let side = Side::new(&data, 0, &best.cut, missing_left);
            let (left, right): (Vec<u32>, Vec<u32>) = all.iter().partition(|&&r| side.is_left(r));
            for n_threads in [1, 2, 3, 8] {
                let mut rows = all.clone();
                let mut packed: Vec<i64> = all.iter().map(|&row| -i64::from(row)).collect();
                let n_left = Threads::new(n_threads).unwrap().run(|| {
                    let mut rooms = Rooms::default();
                    rooms.fit(1);
                    partition(&data, &best, &mut rows, &mut [&mut packed[..]], &mut rooms)
                });
                assert_eq!(n_left, left.len());
                assert_eq!(rows, [&left[..], &right[..]].concat());
                assert!(rows.iter().zip(&packed).all(|(&row, &word)| word == -i64::from(row)));
            }
        }
    }
}
