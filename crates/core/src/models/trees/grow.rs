//! Grows one tree: which leaf is split next, and what its children are.
//!
//! Leaf by leaf, the leaf with the highest gain comes next, ties by the earlier leaf; level by
//! level, the earliest leaf of the lowest depth. A leaf is split if it may get deeper, has rows
//! enough, and its best split gains more than the least gain.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::binning::Binned;
use super::find::{Best, Categories, Finder};
use super::histogram::{Packing, Sums, Totals};
use super::look::{Histogram, Looker, Workspace};
use super::partition::partition;
use super::split::Rule;
use crate::math;
use crate::rng::Stream;

/// What bounds a tree; sizes are `u32::MAX` for no bound.
#[derive(Clone, Debug)]
pub(in crate::models) struct GrowParams {
    pub max_leaves: u32,
    pub max_depth: u32,
    pub min_rows: u32,
    pub min_split_rows: u32,
    pub min_hessian: f64,
    pub l1: f64,
    pub l2: f64,
    pub min_gain: f64,
    pub leaf_wise: bool,
    /// Cuts are drawn, one per column.
    pub random_cuts: bool,
    /// Columns to look at on a level, of those of the tree.
    pub level_features: Option<u32>,
    /// Columns to look at in a leaf, of those of the level.
    pub node_features: Option<u32>,
    /// Whether a leaf without a split looks at further columns.
    pub looks_further: bool,
    /// Per column 1, -1 or 0; empty if none is constrained.
    pub monotone: Vec<i8>,
    /// Sets of columns that may meet on a path; none: all may.
    pub interactions: Vec<Vec<u32>>,
    pub cat_smooth: f64,
    pub cat_l2: f64,
    pub cat_set_max: u32,
    pub cat_one_vs_rest_max: u32,
    /// 0 where every level may be in a set; else see `find`.
    pub cat_group_rows: u32,
}

impl Default for GrowParams {
    fn default() -> Self {
        GrowParams {
            max_leaves: 31,
            max_depth: u32::MAX,
            min_rows: 20,
            min_split_rows: 2,
            min_hessian: 1e-3,
            l1: 0.0,
            l2: 0.0,
            min_gain: 0.0,
            leaf_wise: true,
            random_cuts: false,
            level_features: None,
            node_features: None,
            looks_further: false,
            monotone: Vec::new(),
            interactions: Vec::new(),
            cat_smooth: 10.0,
            cat_l2: 10.0,
            cat_set_max: 32,
            cat_one_vs_rest_max: 4,
            cat_group_rows: 0,
        }
    }
}

/// The rows of a tree and what they weigh.
pub(super) struct Sample {
    pub rows: Vec<u32>,
    /// By channel, by position in `rows`.
    pub packed: Vec<Vec<i64>>,
    pub packing: Packing,
    /// By channel.
    pub totals: Vec<Totals>,
}

/// A tree in bins, in depth-first order, left before right.
pub(super) struct Grown {
    pub splits: Vec<GrownSplit>,
    pub leaves: Vec<GrownLeaf>,
    /// The rows, leaf by leaf.
    pub rows: Vec<u32>,
}

/// A split of a grown tree.
pub(super) struct GrownSplit {
    pub best: Best,
    /// On the scale of the objective.
    pub gain: f64,
    pub left: i32,
    pub right: i32,
}

/// A leaf of a grown tree.
pub(super) struct GrownLeaf {
    /// Where its rows are.
    pub rows: Range<usize>,
    /// Between which its value must lie.
    pub bounds: Option<(f64, f64)>,
    /// Whether it is a side of a cut by a set of levels.
    pub is_of_set: bool,
}

/// A leaf that may be split.
pub(super) struct Leaf {
    pub node: usize,
    pub rows: Range<usize>,
    pub depth: u32,
    pub sums: Vec<Sums>,
    /// Between which its second derivatives lie.
    pub hessian_range: (f64, f64),
    pub bounds: Option<(f64, f64)>,
    /// The columns above, ascending.
    pub path: Vec<u32>,
    pub best: Option<Best>,
    pub histogram: Option<Histogram>,
}

enum Node {
    Leaf { rows: Range<usize>, bounds: Option<(f64, f64)> },
    Split { best: Best, left: usize, right: usize },
}

/// Grows a tree over `features`, which ascend.
pub(super) fn grow(
    data: &Binned,
    params: &GrowParams,
    features: &[u32],
    sample: Sample,
    stream: &Stream,
    space: &mut Workspace,
) -> Grown {
    let finder = finder(params, &sample.packing);
    let Sample { mut rows, mut packed, packing, totals } = sample;
    let bounds = (!params.monotone.is_empty()).then_some((f64::NEG_INFINITY, f64::INFINITY));
    let mut root = Leaf {
        node: 0,
        rows: 0..rows.len(),
        depth: 0,
        sums: totals.iter().map(|totals| totals.sums).collect(),
        hessian_range: totals[0].hessian_range,
        bounds,
        path: Vec::new(),
        best: None,
        histogram: None,
    };
    let mut rooms = std::mem::take(&mut space.rooms);
    rooms.fit(rows.len());
    let mut looker = Looker::new(data, params, &finder, packing, features, stream, space);
    looker.look_root(&mut root, &rows, &packed);
    let mut nodes = vec![Node::Leaf { rows: root.rows.clone(), bounds }];
    let (mut leaves, mut heap) = (vec![Some(root)], BinaryHeap::new());
    let scale = Scale::new(&packing);
    queue(params, &scale, &leaves, 0, &mut heap);
    let mut n_leaves = 1u32;
    while n_leaves < params.max_leaves {
        let Some((_, std::cmp::Reverse(index))) = heap.pop() else { break };
        let Some(leaf) = leaves[index].take() else { continue };
        let Some(best) = leaf.best.clone() else { continue };
        let part = leaf.rows.clone();
        let mut channels: Vec<&mut [i64]> =
            packed.iter_mut().map(|packed| &mut packed[part.clone()]).collect();
        let n_left = partition(data, &best, &mut rows[part.clone()], &mut channels, &mut rooms);
        let (mut left, mut right) = children(&finder, &leaf, &best, n_left, nodes.len());
        nodes[leaf.node] = Node::Split { best, left: left.node, right: right.node };
        for child in [&left, &right] {
            nodes.push(Node::Leaf { rows: child.rows.clone(), bounds: child.bounds });
        }
        n_leaves += 1;
        if n_leaves < params.max_leaves {
            looker.look_pair(leaf.histogram, &mut left, &mut right, &rows, &packed);
        } else {
            looker.give_back(leaf.histogram);
        }
        for child in [left, right] {
            leaves.push(Some(child));
            queue(params, &scale, &leaves, leaves.len() - 1, &mut heap);
        }
        looker.keep_best((params.max_leaves - n_leaves) as usize, &heap, &mut leaves);
    }
    leaves.into_iter().flatten().for_each(|leaf| looker.give_back(leaf.histogram));
    space.rooms = rooms;
    space.packed = packed.pop().unwrap_or_default();
    emit(nodes, rows, &scale)
}

/// The rules of a tree in quanta.
fn finder(params: &GrowParams, packing: &Packing) -> Finder {
    let per_hessian = |x: f64| shifted(x, packing.hessian.exponent());
    Finder {
        rule: Rule {
            lambda: per_hessian(params.l2),
            alpha: shifted(params.l1, packing.gradient.exponent()),
            min_hessian: per_hessian(params.min_hessian),
            min_rows: params.min_rows,
        },
        categories: Categories {
            smooth: per_hessian(params.cat_smooth),
            l2: per_hessian(params.cat_l2),
            set_max: params.cat_set_max,
            one_vs_rest_max: params.cat_one_vs_rest_max,
            level_rows: params.cat_smooth,
            group_rows: params.cat_group_rows,
        },
        monotone: params.monotone.clone(),
    }
}

/// x 2^n, in two steps so that the power of two stays in range.
fn shifted(x: f64, n: i32) -> f64 {
    let half = n / 2;
    x * math::powi(2.0, half) * math::powi(2.0, n - half)
}

/// From quanta to the scale of the objective.
struct Scale {
    gradient: i32,
    hessian: i32,
}

impl Scale {
    fn new(packing: &Packing) -> Self {
        Scale { gradient: packing.gradient.exponent(), hessian: packing.hessian.exponent() }
    }

    fn gain(&self, quanta: f64) -> f64 {
        let gain = shifted(shifted(quanta, -self.gradient), self.hessian - self.gradient);
        math::min(gain, f64::MAX)
    }

    fn value(&self, quanta: f64) -> f64 {
        shifted(quanta, self.hessian - self.gradient)
    }
}

/// Leaves by priority, ties by number.
pub(super) type Queue = BinaryHeap<(u64, std::cmp::Reverse<usize>)>;

fn queue(
    params: &GrowParams,
    scale: &Scale,
    leaves: &[Option<Leaf>],
    index: usize,
    heap: &mut Queue,
) {
    let Some(leaf) = &leaves[index] else { return };
    let Some(best) = &leaf.best else { return };
    if scale.gain(best.gain) <= params.min_gain {
        return;
    }
    let priority = if params.leaf_wise {
        math::order_key(best.gain)
    } else {
        u64::from(u32::MAX - leaf.depth)
    };
    heap.push((priority, std::cmp::Reverse(index)));
}

/// The children of a leaf, not yet looked at.
fn children(finder: &Finder, leaf: &Leaf, best: &Best, n_left: usize, node: usize) -> (Leaf, Leaf) {
    let middle = leaf.rows.start + n_left;
    let mut path = leaf.path.clone();
    if let Err(place) = path.binary_search(&best.feature) {
        path.insert(place, best.feature);
    }
    let right_sums: Vec<Sums> = leaf
        .sums
        .iter()
        .zip(&best.left)
        .map(|(whole, left)| [whole[0].wrapping_sub(left[0]), whole[1].wrapping_sub(left[1])])
        .collect();
    let (mut left_bounds, mut right_bounds) = (leaf.bounds, leaf.bounds);
    let monotone = finder.monotone.get(best.feature as usize).copied().unwrap_or(0);
    if let (Some((low, high)), true) = (leaf.bounds, monotone != 0) {
        let sides = finder.rule.side_values(best.left[0], right_sums[0], (low, high));
        let between = sides.0 / 2.0 + sides.1 / 2.0;
        (left_bounds, right_bounds) = if monotone > 0 {
            (Some((low, between)), Some((between, high)))
        } else {
            (Some((between, high)), Some((low, between)))
        };
    }
    let child = |node, rows, sums, bounds| Leaf {
        node,
        rows,
        depth: leaf.depth + 1,
        sums,
        hessian_range: leaf.hessian_range,
        bounds,
        path: path.clone(),
        best: None,
        histogram: None,
    };
    (
        child(node, leaf.rows.start..middle, best.left.clone(), left_bounds),
        child(node + 1, middle..leaf.rows.end, right_sums, right_bounds),
    )
}

/// The nodes in depth-first order, left before right.
fn emit(nodes: Vec<Node>, rows: Vec<u32>, scale: &Scale) -> Grown {
    let mut grown = Grown { splits: Vec::new(), leaves: Vec::new(), rows };
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut stack: Vec<(usize, Option<(usize, bool)>)> = vec![(0, None)];
    while let Some((index, parent)) = stack.pop() {
        let Some(node) = nodes[index].take() else { continue };
        let place = match &node {
            Node::Split { .. } => grown.splits.len() as i32,
            Node::Leaf { .. } => !(grown.leaves.len() as i32),
        };
        if let Some((split, is_left)) = parent {
            let split = &mut grown.splits[split];
            if is_left { split.left = place } else { split.right = place }
        }
        match node {
            Node::Leaf { rows, bounds } => {
                let bounds = bounds.map(|(low, high)| (scale.value(low), scale.value(high)));
                let parent = parent.and_then(|(split, _)| grown.splits.get(split));
                let is_of_set = parent.is_some_and(|split| split.best.is_set);
                grown.leaves.push(GrownLeaf { rows, bounds, is_of_set });
            }
            Node::Split { best, left, right } => {
                let own = grown.splits.len();
                stack.push((right, Some((own, false))));
                stack.push((left, Some((own, true))));
                let gain = scale.gain(best.gain);
                grown.splits.push(GrownSplit { best, gain, left: 0, right: 0 });
            }
        }
    }
    grown
}
