//! The rows of a grown tree's leaves: their sums, the step of their scores, and the leaf of a row
//! that was not sampled.
//!
//! The rows of a leaf ascend. Leaves are visited together, a few rows at a time, so that what is
//! known of these stays in the cache.

use super::binning::Binned;
use super::build::LeafFacts;
use super::find::Best;
use super::forest::leaf_of;
use super::grow::{Grown, GrownLeaf};
use super::partition::Side;
use super::terms::{Buffers, Terms};
use crate::math::FixedScale;
use crate::par;

/// Rows that all leaves see in turn; so many terms of 50 bits fit an i64.
const NEAR: usize = 4096;

/// The sums of gradients and second derivatives of every leaf, in terms of the scales.
pub(super) fn sums(
    terms: &Terms<'_>,
    grown: &Grown,
    scales: (FixedScale, FixedScale),
) -> Vec<[i128; 2]> {
    let parts = par::map_ranges(terms.scores.len(), |range| {
        let mut sums = vec![[0i128; 2]; grown.leaves.len()];
        let (mut buffers, mut quanta) = (Buffers::default(), [vec![0; NEAR], vec![0; NEAR]]);
        let mut next = Next::new(grown, range.start);
        for start in range.clone().step_by(NEAR) {
            let end = (start + NEAR).min(range.end);
            terms.fill(start..end, &mut buffers);
            scales.0.quantise_slice(&buffers.gradients, &mut quanta[0]);
            scales.1.quantise_slice(&buffers.hessians, &mut quanta[1]);
            next.until(end, |leaf, rows| {
                let (mut g, mut h) = (0i64, 0i64);
                for &row in rows {
                    g += quanta[0][row as usize - start];
                    h += quanta[1][row as usize - start];
                }
                sums[leaf][0] += i128::from(g);
                sums[leaf][1] += i128::from(h);
            });
        }
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
        let mut next = Next::new(grown, first);
        for start in (0..scores.len()).step_by(NEAR) {
            let end = (start + NEAR).min(scores.len());
            next.until(first + end, |leaf, rows| {
                let value = leaves[leaf].values[0];
                rows.iter().for_each(|&row| scores[row as usize - first] += value);
            });
        }
    });
}

/// The rows that no visit has seen yet, leaf by leaf.
struct Next<'a> {
    grown: &'a Grown,
    starts: Vec<usize>,
}

impl<'a> Next<'a> {
    /// Those from `first` on.
    fn new(grown: &'a Grown, first: usize) -> Self {
        let start_of = |leaf: &GrownLeaf| {
            let rows = &grown.rows[leaf.rows.clone()];
            leaf.rows.start + rows.partition_point(|&row| (row as usize) < first)
        };
        Next { grown, starts: grown.leaves.iter().map(start_of).collect() }
    }

    /// Tells `each` every leaf's rows before `end`.
    fn until(&mut self, end: usize, mut each: impl FnMut(usize, &[u32])) {
        for (index, (leaf, start)) in self.grown.leaves.iter().zip(&mut self.starts).enumerate() {
            let rows = &self.grown.rows[*start..leaf.rows.end];
            let n = rows.iter().take_while(|&&row| (row as usize) < end).count();
            each(index, &rows[..n]);
            *start += n;
        }
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
