//! Looks for the best split of new leaves: which columns, from which histogram.
//!
//! A leaf's histogram over all columns of the tree is kept while it waits to be split. Of two new
//! leaves the one with fewer rows is summed (the left one if equal); the other is the parent less
//! that. Work is cut by groups of columns; each thread sums, subtracts and searches its groups.

use std::cmp::Reverse;

use super::binning::{Binned, Bins};
use super::direct::{self, Direct, DirectLeaf};
use super::find::{Best, ColumnView, Finder};
use super::grow::{GrowParams, Leaf, Queue};
use super::histogram::{self, ColumnSums, Group, N_BINS, Packing, Sums};
use super::partition::Rooms;
use super::scan::Scan;
use super::split::{Line, NONE, Whole};
use crate::math;
use crate::par;
use crate::rng::{Stream, sample_indices};

/// The sums of all columns, group by group.
pub(super) type Histogram = Vec<Vec<ColumnSums>>;

/// What one tree leaves for the next to use.
#[derive(Default)]
pub(super) struct Workspace {
    groups: Vec<Group>,
    spare: Vec<Histogram>,
    direct: Direct,
    /// Rows of a tree, and what goes with them.
    pub rows: Vec<u32>,
    pub packed: Vec<i64>,
    pub rooms: Rooms,
    /// Exponentials of all rows, where a tree sees some.
    pub powers: Vec<i64>,
}

/// Leaves with fewer rows than this share of the tree's keep no histogram.
const KEPT_SHARE: usize = 256;
/// Nor do those with fewer rows than this.
const KEPT_ROWS: usize = 256;

/// Finds splits for the leaves of one tree.
pub(super) struct Looker<'a> {
    data: &'a Binned,
    params: &'a GrowParams,
    finder: &'a Finder,
    packing: Packing,
    features: &'a [u32],
    stream: &'a Stream,
    by_groups: bool,
    n_looks: u64,
    kept_rows: usize,
    space: &'a mut Workspace,
    all_bins: Vec<u16>,
}

/// The columns that a leaf looks at.
struct Columns {
    /// Ascending.
    now: Vec<u32>,
    /// Draws further ones if there is no split yet.
    later: Option<(Vec<u32>, Stream)>,
}

struct Work<'a> {
    group: &'a mut Group,
    large: Vec<ColumnSums>,
    small: Vec<ColumnSums>,
    line: Line,
    scan: Scan,
}

/// Rows of one channel.
#[derive(Clone, Copy)]
struct Part<'a> {
    rows: &'a [u32],
    packed: &'a [i64],
}

impl<'a> Looker<'a> {
    pub fn new(
        data: &'a Binned,
        params: &'a GrowParams,
        finder: &'a Finder,
        packing: Packing,
        features: &'a [u32],
        stream: &'a Stream,
        space: &'a mut Workspace,
    ) -> Self {
        let by_groups =
            !data.words.is_empty() && params.node_features.is_none() && !params.random_cuts;
        if by_groups && space.groups.is_empty() {
            space.groups = Group::all(data);
        }
        Looker {
            data,
            params,
            finder,
            packing,
            features,
            stream,
            by_groups,
            n_looks: 0,
            kept_rows: 0,
            space,
            all_bins: (0..N_BINS as u16).collect(),
        }
    }

    /// Looks at the first leaf.
    pub fn look_root(&mut self, root: &mut Leaf, rows: &[u32], packed: &[Vec<i64>]) {
        self.kept_rows = (rows.len() / KEPT_SHARE).max(KEPT_ROWS);
        self.by_groups &= packed.len() == 1;
        if !self.may_split(root) {
            return;
        }
        let columns = self.columns(root);
        if !self.by_groups {
            root.best = self.look_directly(root, &columns, rows, packed);
            return;
        }
        let search = self.search_of(&columns.now);
        let part = Part { rows, packed: &packed[0] };
        let (data, packing) = (self.data, self.packing);
        let mut works = works(data, self.space, None);
        let whole = whole(root);
        let found = par::map_mut(&mut works, |work| {
            work.group.build(data, part.rows, part.packed, &packing, &mut work.large);
            search.best(
                work.group.first,
                &work.large,
                &whole,
                part,
                (&mut work.line, &mut work.scan),
            )
        });
        let (large, small) = unzip(works);
        root.best = found.into_iter().fold(None, Best::better);
        root.histogram = Some(large);
        self.space.spare.push(small);
    }

    /// Looks at the two children of a leaf, whose histogram is `parent`.
    pub fn look_pair(
        &mut self,
        parent: Option<Histogram>,
        left: &mut Leaf,
        right: &mut Leaf,
        rows: &[u32],
        packed: &[Vec<i64>],
    ) {
        let (small, large) =
            if left.rows.len() <= right.rows.len() { (left, right) } else { (right, left) };
        if !self.may_split(large) {
            self.space.spare.extend(parent);
            return;
        }
        let few = parent.is_none() && large.rows.len() < self.kept_rows;
        if !self.by_groups || few {
            for leaf in [small, large] {
                if self.may_split(leaf) {
                    let columns = self.columns(leaf);
                    leaf.best = self.look_directly(leaf, &columns, rows, packed);
                }
            }
            return;
        }
        let columns = self.columns(large);
        let search = self.search_of(&columns.now);
        let part = |leaf: &Leaf| Part {
            rows: &rows[leaf.rows.clone()],
            packed: &packed[0][leaf.rows.clone()],
        };
        let (small_part, large_part) = (part(small), part(large));
        let (is_known, looks_small) = (parent.is_some(), self.may_split(small));
        let (data, packing) = (self.data, self.packing);
        let mut works = works(data, self.space, parent);
        let of_small = whole(small);
        let of_large = whole(large);
        let found = par::map_mut(&mut works, |work| {
            let Part { rows, packed } = small_part;
            work.group.build(data, rows, packed, &packing, &mut work.small);
            if is_known {
                histogram::subtract(&mut work.large, &work.small);
            } else {
                let Part { rows, packed } = large_part;
                work.group.build(data, rows, packed, &packing, &mut work.large);
            }
            let (first, lines) = (work.group.first, (&mut work.line, &mut work.scan));
            let a = looks_small.then(|| {
                let lines = (&mut *lines.0, &mut *lines.1);
                search.best(first, &work.small, &of_small, small_part, lines)
            });
            (a.flatten(), search.best(first, &work.large, &of_large, large_part, lines))
        });
        let (large_sums, small_sums) = unzip(works);
        for (of_small, of_large) in found {
            small.best = Best::better(small.best.take(), of_small);
            large.best = Best::better(large.best.take(), of_large);
        }
        for (leaf, sums) in [(small, small_sums), (large, large_sums)] {
            if leaf.best.is_some() && leaf.rows.len() >= self.kept_rows {
                leaf.histogram = Some(sums);
            } else {
                self.space.spare.push(sums);
            }
        }
    }

    /// Takes back the histogram of a leaf that is split no more.
    pub fn give_back(&mut self, histogram: Option<Histogram>) {
        self.space.spare.extend(histogram);
    }

    /// Takes back the histograms of waiting leaves behind the first `n` in the queue, once these
    /// are some: they will not be split.
    pub fn keep_best(&mut self, n: usize, queue: &Queue, leaves: &mut [Option<Leaf>]) {
        if queue.len() < n + n / 8 + 4 {
            return;
        }
        let mut waiting: Vec<_> = queue.iter().collect();
        waiting.sort_by(|a, b| b.cmp(a));
        for (_, Reverse(index)) in &waiting[n..] {
            let histogram = leaves[*index].as_mut().and_then(|leaf| leaf.histogram.take());
            self.give_back(histogram);
        }
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        let n_rows = leaf.rows.len() as u64;
        let least =
            u64::from(self.params.min_split_rows).max(2 * u64::from(self.params.min_rows)).max(2);
        leaf.depth < self.params.max_depth && n_rows >= least
    }

    fn search_of(&self, features: &[u32]) -> Search<'a> {
        let mut looked = vec![false; self.data.n_features()];
        features.iter().for_each(|&feature| looked[feature as usize] = true);
        Search { data: self.data, finder: self.finder, all_bins: self.all_bins.clone(), looked }
    }

    fn look_directly(
        &mut self,
        leaf: &Leaf,
        columns: &Columns,
        rows: &[u32],
        packed: &[Vec<i64>],
    ) -> Option<Best> {
        let packed: Vec<&[i64]> = packed.iter().map(|p| &p[leaf.rows.clone()]).collect();
        let cuts = self.params.random_cuts.then(|| self.stream.substream("cut", self.n_looks));
        let direct = DirectLeaf {
            rows: &rows[leaf.rows.clone()],
            packed: &packed,
            whole: Whole { hessian_range: self.packing.hessian_range(packed[0]), ..whole(leaf) },
            cuts,
        };
        let (data, finder, packing) = (self.data, self.finder, &self.packing);
        let look = |features: &[u32], buffers: &mut Direct| {
            direct::best_of(data, finder, packing, &direct, features, buffers)
        };
        let mut best = look(&columns.now, &mut self.space.direct);
        if let (None, Some((allowed, stream))) = (&best, &columns.later) {
            // The columns drawn first stand in front here, too.
            let order = drawn(allowed, allowed.len(), stream);
            let mut others = order.iter().skip(columns.now.len());
            best = others.find_map(|&feature| look(&[feature], &mut self.space.direct));
        }
        best
    }

    /// The columns that a leaf looks at: of the tree, that may meet those above, of the level, of
    /// the leaf.
    fn columns(&mut self, leaf: &Leaf) -> Columns {
        self.n_looks += 1;
        let mut allowed: Vec<u32> = self.features.to_vec();
        if let Some(n) = self.params.level_features {
            let stream = self.stream.substream("level", u64::from(leaf.depth));
            allowed = drawn(&allowed, n as usize, &stream);
            allowed.sort();
        }
        if !self.params.interactions.is_empty() {
            allowed.retain(|&feature| self.may_meet(feature, &leaf.path));
        }
        let Some(n) = self.params.node_features else {
            return Columns { now: allowed, later: None };
        };
        let stream = self.stream.substream("leaf", self.n_looks);
        let mut now = drawn(&allowed, n as usize, &stream);
        now.sort();
        Columns { now, later: self.params.looks_further.then_some((allowed, stream)) }
    }

    /// Whether a set of columns holds `feature` and the whole path; a column in no set is one by
    /// itself.
    fn may_meet(&self, feature: u32, path: &[u32]) -> bool {
        let is_alone = path.iter().all(|&above| above == feature);
        let mut sets = self.params.interactions.iter();
        is_alone
            || sets
                .any(|set| set.contains(&feature) && path.iter().all(|above| set.contains(above)))
    }
}

fn whole(leaf: &Leaf) -> Whole<'_> {
    Whole {
        sums: &leaf.sums,
        n_rows: leaf.rows.len() as u32,
        hessian_range: leaf.hessian_range,
        bounds: leaf.bounds,
    }
}

/// `n` of `features` in drawn order.
fn drawn(features: &[u32], n: usize, stream: &Stream) -> Vec<u32> {
    let chosen = sample_indices(features.len() as u64, n as u64, &mut stream.pcg());
    chosen.into_iter().map(|place| features[place as usize]).collect()
}

/// Groups with room for two leaves, one of which begins as the parent.
fn works<'a>(data: &Binned, space: &'a mut Workspace, parent: Option<Histogram>) -> Vec<Work<'a>> {
    let Workspace { groups, spare, .. } = space;
    debug_assert_eq!(groups.iter().map(|g| g.n).sum::<usize>(), data.n_features());
    let mut fresh = || {
        spare
            .pop()
            .unwrap_or_else(|| groups.iter().map(|group| vec![[[0; 2]; N_BINS]; group.n]).collect())
    };
    let (small, large) = (fresh(), parent.unwrap_or_else(&mut fresh));
    let pairs = large.into_iter().zip(small);
    let works = groups.iter_mut().zip(pairs);
    works
        .map(|(group, (large, small))| Work {
            group,
            large,
            small,
            line: Line::default(),
            scan: Scan::default(),
        })
        .collect()
}

fn unzip(works: Vec<Work<'_>>) -> (Histogram, Histogram) {
    works.into_iter().map(|work| (work.large, work.small)).unzip()
}

/// Looks for the best split among the columns of a group.
struct Search<'a> {
    data: &'a Binned,
    finder: &'a Finder,
    all_bins: Vec<u16>,
    looked: Vec<bool>,
}

impl Search<'_> {
    fn best(
        &self,
        first: usize,
        sums: &[ColumnSums],
        whole: &Whole<'_>,
        part: Part<'_>,
        (line, scan): (&mut Line, &mut Scan),
    ) -> Option<Best> {
        // A column that is worth no more than one before it is not chosen.
        let (mut best, mut floor) = (None, NONE);
        for (lane, sums) in sums.iter().enumerate() {
            let feature = first + lane;
            if !self.looked[feature] {
                continue;
            }
            let (cuts, bins) = (&self.data.cuts[feature], &self.data.columns[feature]);
            let sums: &[Sums] = sums;
            let view = ColumnView {
                feature: feature as u32,
                bins: &self.all_bins[..cuts.n_bins()],
                sums: &[sums],
                missing: bins.missing(),
                n_labels: cuts.n_labels(),
            };
            let mut counts = || {
                let mut counts = vec![0; bins.missing() + 1];
                match bins {
                    Bins::Small(bins) => {
                        part.rows.iter().for_each(|&row| counts[bins[row as usize] as usize] += 1);
                    }
                    Bins::Large(_) => part.rows.iter().for_each(|&row| counts[bins.at(row)] += 1),
                }
                counts
            };
            let found = if view.n_labels.is_some() {
                self.finder.best(&view, whole, line, &mut counts, &mut |_| None)
            } else {
                let lines = (&mut *line, &mut *scan);
                let n_bins = cuts.n_bins();
                self.finder.best_above((&view, n_bins), whole, lines, &mut counts, floor)
            };
            if let (Some(found), false) = (&found, view.n_labels.is_some()) {
                floor = math::max(floor, found.worth);
            }
            best = Best::better(best, found);
        }
        best
    }
}
