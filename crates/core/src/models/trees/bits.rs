//! Small trees over many rows at once: which leaves can a row not reach?
//!
//! A split that sends a row right closes the leaves of its left side. The leaf that a row reaches
//! is the first one that no split closed (QuickScorer, Lucchese et al. 2015). Leaves are looked at
//! in parts of eight, so that one byte per row holds a part and a vector of any width many rows;
//! no step depends on what a row has, so nothing is mispredicted.

use super::codes::Test;
use super::forest::{Tree, leaf_of};

/// Rows that are walked at once.
pub(super) const LANES: usize = 64;
/// Trees with more leaves cost less by walking.
const LEAVES_MAX: usize = 128;
/// Leaves of a part.
const PART: usize = 8;

type Lanes = [u8; LANES];

/// One split's say on one part of the leaves.
#[derive(Clone, Copy, Debug)]
struct Op {
    column: u16,
    limit: i8,
    closed: u8,
}

/// All trees of a forest.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    ops: Vec<Op>,
    /// Where the ops of each part end, tree by tree, part by part.
    part_ends: Vec<u32>,
    /// Where the parts of each tree end.
    tree_ends: Vec<u32>,
}

/// The code of a narrow column for comparisons with a sign.
#[inline]
pub(super) fn narrow(code: u16) -> i8 {
    (code as u8 ^ 0x80) as i8
}

impl Bits {
    /// The trees, of whose splits `tests` are the tests in order; `None` if one is too large.
    pub fn new<'a>(trees: impl Iterator<Item = Tree<'a>>, tests: &[Test]) -> Option<Self> {
        let mut bits = Bits::default();
        let mut tests = tests;
        for tree in trees {
            let (own, others) = tests.split_at(tree.feature.len());
            tests = others;
            if tree.n_leaves() > LEAVES_MAX {
                return None;
            }
            bits.push(&tree, own)?;
        }
        Some(bits)
    }

    fn push(&mut self, tree: &Tree<'_>, tests: &[Test]) -> Option<()> {
        let spans = spans(tree);
        // Leaves are numbered from left to right; a stored forest that does it in another way is
        // walked.
        if spans.iter().any(|span| span.is_none()) {
            return None;
        }
        for part in 0..tree.n_leaves().div_ceil(PART) {
            for (&span, test) in spans.iter().zip(tests) {
                let (start, end) = span.unwrap_or_default();
                let closed = (part * PART..(part + 1) * PART)
                    .enumerate()
                    .filter(|(_, leaf)| (start..end).contains(leaf))
                    .fold(0, |bits, (place, _)| bits | 1u8 << place);
                if closed != 0 {
                    self.ops.push(Op { column: test.column, limit: narrow(test.limit), closed });
                }
            }
            self.part_ends.push(u32::try_from(self.ops.len()).ok()?);
        }
        self.tree_ends.push(self.part_ends.len() as u32);
        Some(())
    }

    /// Tells `each` the leaf of every lane, tree by tree, from the narrow codes of each column.
    pub fn walk(&self, columns: &[[i8; LANES]], mut each: impl FnMut(usize, &Lanes)) {
        let (mut op, mut part) = (0, 0);
        for (tree, &tree_end) in self.tree_ends.iter().enumerate() {
            let ends = &self.part_ends[part..tree_end as usize];
            let last = ends.last().map_or(op, |&end| end as usize);
            let leaves = leaves(&self.ops[op..last], ends, op, columns);
            (op, part) = (last, tree_end as usize);
            each(tree, &leaves);
        }
    }
}

/// The leaf of every lane in one tree, the ends of whose parts count from `first` operations
/// before.
fn leaves(ops: &[Op], ends: &[u32], first: usize, columns: &[[i8; LANES]]) -> Lanes {
    let (mut open, mut start_of) = ([0u8; LANES], [0u8; LANES]);
    let mut end = ops.len();
    for part in (0..ends.len()).rev() {
        let start = if part == 0 { 0 } else { ends[part - 1] as usize - first };
        let closed = closed(&ops[start..end], columns);
        end = start;
        let number = (part * PART) as u8;
        for ((open, start_of), closed) in open.iter_mut().zip(&mut start_of).zip(closed) {
            let is_open = ones(closed != 0xff);
            *open = (!closed & is_open) | (*open & !is_open);
            *start_of = (number & is_open) | (*start_of & !is_open);
        }
    }
    let mut leaves = start_of;
    for (leaf, open) in leaves.iter_mut().zip(open) {
        // The lowest bit alone, and its place.
        let bit = open & open.wrapping_neg();
        let four = ones(bit & 0xf0 != 0) & 4;
        let two = ones(bit & 0xcc != 0) & 2;
        let one = ones(bit & 0xaa != 0) & 1;
        *leaf |= four | two | one;
    }
    leaves
}

/// All bits if it is so.
#[inline]
fn ones(is_so: bool) -> u8 {
    u8::from(is_so).wrapping_neg()
}

#[inline]
fn closed(ops: &[Op], columns: &[[i8; LANES]]) -> Lanes {
    let mut closed = [0u8; LANES];
    for op in ops {
        let codes = &columns[usize::from(op.column)];
        for (closed, &code) in closed.iter_mut().zip(codes) {
            *closed |= ones(code > op.limit) & op.closed;
        }
    }
    closed
}

/// Per split the leaves on its left side, if those of every split are neighbours in order.
fn spans(tree: &Tree<'_>) -> Vec<Option<(usize, usize)>> {
    let n_splits = tree.feature.len();
    // All leaves under a split, from the last split to the first.
    let mut whole: Vec<Option<(usize, usize)>> = vec![None; n_splits];
    let mut left = whole.clone();
    for split in (0..n_splits).rev() {
        let of = |child: i32| match usize::try_from(child) {
            Ok(split) => whole[split],
            Err(_) => Some((leaf_of(child), leaf_of(child) + 1)),
        };
        let (l, r) = (of(tree.left[split]), of(tree.right[split]));
        left[split] = l;
        whole[split] = match (l, r) {
            (Some((start, a)), Some((b, end))) if a == b => Some((start, end)),
            _ => None,
        };
    }
    if whole.iter().any(Option::is_none) {
        left.iter_mut().for_each(|span| *span = None);
    }
    left
}
