//! The rows of a grown tree's leaves: their sums, the step of their scores, and the leaf of a row
//! that was not sampled.
//!
//! The rows of a leaf ascend. Leaves are visited together, a few rows at a time, so that what is
//! known of these stays in the cache.

use std::ops::Range;

use super::binning::Binned;
use super::build::LeafFacts;
use super::find::Best;
use super::forest::leaf_of;
use super::grow::{Grown, GrownLeaf};
use super::partition::Side;
use crate::math::FixedScale;
use crate::par;

/// Rows that all leaves see in turn; so many terms of 50 bits fit an i64.
const NEAR: usize = 4096;

/// The sums of gradients and second derivatives of every leaf, in terms of the scales.
pub(super) fn sums(
    (gradients, hessians): (&[f64], &[f64]),
    grown: &Grown,
    scales: (FixedScale, FixedScale),
) -> Vec<[i128; 2]> {
    let parts = par::map_ranges(gradients.len(), |range| {
        let mut sums = vec![[0i128; 2]; grown.leaves.len()];
        by_leaf(grown, range, |leaf, rows| {
            let (mut g, mut h) = (0i64, 0i64);
            for &row in rows {
                g += scales.0.quantise(gradients[row as usize]);
                h += scales.1.quantise(hessians[row as usize]);
            }
            sums[leaf][0] += i128::from(g);
            sums[leaf][1] += i128::from(h);
        });
        sums
    });
    let add = |mut total: Vec<[i128; 2]>, part: Vec<[i128; 2]>| {
        for (total, part) in total.iter_mut().flatten().zip(part.into_iter().flatten()) {
            *total += part;
        }
        total
    };
    parts.into_iter().reduce(add).unwrap_or_default()
}

/// Adds to every row's score the value of its leaf.
pub(super) fn add(scores: &mut [f64], grown: &Grown, leaves: &[LeafFacts]) {
    let size = scores.len().div_ceil(par::n_threads()).max(1);
    let mut parts: Vec<(usize, &mut [f64])> = scores.chunks_mut(size).enumerate().collect();
    par::map_mut(&mut parts, |(index, scores)| {
        let first = *index * size;
        by_leaf(grown, first..first + scores.len(), |leaf, rows| {
            let value = leaves[leaf].values[0];
            rows.iter().for_each(|&row| scores[row as usize - first] += value);
        });
    });
}

/// Tells `each` every leaf's rows within `range`, at most [`NEAR`] at a time: what is known of
/// these rows stays in the cache while all leaves come. The rows of a leaf ascend.
fn by_leaf(grown: &Grown, range: Range<usize>, mut each: impl FnMut(usize, &[u32])) {
    let start_of = |leaf: &GrownLeaf| {
        let rows = &grown.rows[leaf.rows.clone()];
        leaf.rows.start + rows.partition_point(|&row| (row as usize) < range.start)
    };
    let mut starts: Vec<usize> = grown.leaves.iter().map(start_of).collect();
    let mut start = range.start;
    while start < range.end {
        let end = (start + NEAR).min(range.end);
        for (index, (leaf, start)) in grown.leaves.iter().zip(&mut starts).enumerate() {
            let rows = &grown.rows[*start..leaf.rows.end];
            let n = rows.iter().take_while(|&&row| (row as usize) < end).count();
            each(index, &rows[..n]);
            *start += n;
        }
        start = end;
    }
}

/// Finds the leaf of a row by its bins.
pub(super) struct Walk<'a> {
    sides: Vec<Side<'a>>,
    grown: &'a Grown,
}

impl<'a> Walk<'a> {
    pub fn new(data: &'a Binned, grown: &'a Grown) -> Self {
        let side = |best: &'a Best| Side::new(data, best.feature, &best.cut, best.missing_left);
        Walk { sides: grown.splits.iter().map(|split| side(&split.best)).collect(), grown }
    }

    #[inline]
    pub fn leaf(&self, row: u32) -> usize {
        let mut at = if self.sides.is_empty() { -1 } else { 0 };
        while at >= 0 {
            let split = &self.grown.splits[at as usize];
            at = if self.sides[at as usize].is_left(row) { split.left } else { split.right };
        }
        leaf_of(at)
    }
}
