//! Sums of a leaf's columns made from its rows alone, for leaves that look at few columns or have
//! few rows, for several channels, and for more than 255 bins.

use super::binning::{Binned, Bins};
use super::find::{Best, ColumnView, Finder};
use super::histogram::{Packing, Sums};
use super::split::{Line, Whole};
use crate::par;
use crate::rng::{Draw, Stream};

/// Rows times columns from which threads help.
const PARALLEL_FROM: usize = 1 << 13;

/// From so many rows per bin on, every bin is looked at.
const DENSE_ROWS: usize = 2;

/// A leaf to look at.
pub(super) struct DirectLeaf<'a> {
    pub rows: &'a [u32],
    /// By channel.
    pub packed: &'a [&'a [i64]],
    pub whole: Whole<'a>,
    /// Draws one candidate per column, if cuts are drawn.
    pub cuts: Option<Stream>,
}

/// Buffers, empty between uses.
#[derive(Default)]
pub(super) struct Direct {
    sums: Vec<Vec<Sums>>,
    counts: Vec<u32>,
    seen: Vec<u64>,
    bins: Vec<u16>,
    line: Line,
}

/// The best split over `features`, which ascend.
pub(super) fn best_of(
    data: &Binned,
    finder: &Finder,
    packing: &Packing,
    leaf: &DirectLeaf<'_>,
    features: &[u32],
    buffers: &mut Direct,
) -> Option<Best> {
    let n_threads = par::n_threads().min(features.len());
    if n_threads < 2 || leaf.rows.len() * features.len() < PARALLEL_FROM {
        let found = features.iter().map(|&f| buffers.best(data, finder, packing, leaf, f));
        return found.fold(None, Best::better);
    }
    let parts: Vec<&[u32]> = features.chunks(features.len().div_ceil(n_threads)).collect();
    let found = par::map(&parts, |part| {
        let mut buffers = Direct::default();
        let found = part.iter().map(|&f| buffers.best(data, finder, packing, leaf, f));
        found.fold(None, Best::better)
    });
    found.into_iter().fold(None, Best::better)
}

impl Direct {
    fn best(
        &mut self,
        data: &Binned,
        finder: &Finder,
        packing: &Packing,
        leaf: &DirectLeaf<'_>,
        feature: u32,
    ) -> Option<Best> {
        let bins = &data.columns[feature as usize];
        let missing = bins.missing();
        self.make_room(missing + 1, leaf.packed.len());
        match bins {
            Bins::Small(bins) => self.observe(leaf, packing, |row| bins[row].into()),
            Bins::Large(bins) => self.observe(leaf, packing, |row| bins[row].into()),
        }
        self.list_bins(missing);
        let mut draws =
            leaf.cuts.map(|stream| stream.substream("column", u64::from(feature)).pcg());
        let mut pick = |n: usize| {
            let draws = draws.as_mut()?;
            // The last candidate leaves nothing but missing values on the right.
            Some(draws.bounded(n.saturating_sub(1).max(1) as u64) as usize)
        };
        let sums: Vec<&[Sums]> = self.sums.iter().map(Vec::as_slice).collect();
        let view = ColumnView {
            feature,
            bins: &self.bins,
            sums: &sums,
            missing,
            n_labels: data.cuts[feature as usize].n_labels(),
        };
        let counts = &self.counts;
        let best =
            finder.best(&view, &leaf.whole, &mut self.line, &mut || counts.clone(), &mut pick);
        self.clear(missing);
        best
    }

    /// Sums and counts per bin, and which bins have rows.
    #[inline(always)]
    fn observe(
        &mut self,
        leaf: &DirectLeaf<'_>,
        packing: &Packing,
        bin_of: impl Fn(usize) -> usize,
    ) {
        if leaf.rows.len() < DENSE_ROWS * self.counts.len() {
            for &row in leaf.rows {
                let bin = bin_of(row as usize);
                self.seen[bin / 64] |= 1 << (bin % 64);
            }
        } else {
            self.seen.fill(u64::MAX);
        }
        let counts = self.counts.as_mut_slice();
        for (sums, packed) in self.sums.iter_mut().zip(leaf.packed) {
            let sums = &mut sums[..counts.len()];
            for (&row, &word) in leaf.rows.iter().zip(*packed) {
                let sum = &mut sums[bin_of(row as usize)];
                let [g, h] = packing.unpack(word);
                *sum = [sum[0].wrapping_add(g), sum[1].wrapping_add(h)];
            }
        }
        leaf.rows.iter().for_each(|&row| counts[bin_of(row as usize)] += 1);
    }

    fn make_room(&mut self, n_bins: usize, n_channels: usize) {
        if self.counts.len() != n_bins || self.sums.len() != n_channels {
            self.sums = vec![vec![[0; 2]; n_bins]; n_channels];
            self.counts = vec![0; n_bins];
            self.seen = vec![0; n_bins / 64];
        }
    }

    /// The bins that have rows, ascending, without the missing one.
    fn list_bins(&mut self, missing: usize) {
        self.bins.clear();
        for (index, &seen) in self.seen.iter().enumerate() {
            let mut seen = seen;
            while seen != 0 {
                let bin = index * 64 + seen.trailing_zeros() as usize;
                if bin != missing && self.counts[bin] > 0 {
                    self.bins.push(bin as u16);
                }
                seen &= seen - 1;
            }
        }
    }

    fn clear(&mut self, missing: usize) {
        for bin in self.bins.iter().map(|&bin| usize::from(bin)).chain([missing]) {
            self.counts[bin] = 0;
            self.sums.iter_mut().for_each(|sums| sums[bin] = [0; 2]);
        }
        self.seen.fill(0);
    }
}
