//! From grown trees to the stored forest.

use super::binning::{Binned, Cuts};
use super::find::Cut;
use super::forest::Forest;
use super::grow::Grown;

/// What a leaf is told to be.
pub(super) struct LeafFacts {
    /// `leaf_width` values.
    pub values: Vec<f64>,
    /// The weight of its rows; `None` if every weight is 1.
    pub weight: Option<f64>,
}

/// A forest without trees.
pub(super) fn empty(data: &Binned, base: Vec<f64>, leaf_width: u32, is_mean: bool) -> Forest {
    let levels = data.cuts.iter().map(|cuts| match cuts {
        Cuts::Num(_) => Vec::new(),
        Cuts::Text(levels) => levels.clone(),
    });
    Forest {
        n_outputs: base.len() as u32,
        leaf_width,
        is_mean,
        base,
        levels: levels.collect(),
        ..Forest::default()
    }
}

/// Adds a tree whose leaves are `leaves`. A threshold is that of the bins; in a forest of means it
/// lies halfway between the leaf's own values on both sides.
pub(super) fn push(forest: &mut Forest, data: &Binned, grown: &Grown, leaves: &[LeafFacts]) {
    forest.n_leaves.push(grown.leaves.len() as u32);
    for split in &grown.splits {
        let feature = split.best.feature;
        let threshold = match (&split.best.cut, &data.cuts[feature as usize]) {
            (Cut::Bin(bin), Cuts::Num(cuts)) => match split.best.next {
                Some(next) if forest.is_mean => cuts.between(*bin as usize, next as usize),
                // Only missing values are on the right.
                None if forest.is_mean => f64::MAX,
                _ => cuts.thresholds.get(*bin as usize).copied().unwrap_or(f64::MAX),
            },
            (Cut::Bin(_), Cuts::Text(_)) => 0.0,
            (Cut::Levels(levels), _) => {
                forest.set_levels.extend(levels);
                forest.set_ends.push(forest.set_levels.len() as u32);
                (forest.set_ends.len() - 1) as f64
            }
        };
        forest.feature.push(feature);
        forest.threshold.push(threshold);
        forest.default_left.push(split.best.missing_left);
        forest.left.push(split.left);
        forest.right.push(split.right);
        forest.gain.push(split.gain);
    }
    for (leaf, facts) in grown.leaves.iter().zip(leaves) {
        forest.value.extend(&facts.values);
        forest.rows.push(leaf.rows.len() as u64);
        forest.weight.extend(facts.weight);
    }
}

/// Leaves the first `n_trees` trees.
pub(super) fn truncate(forest: &mut Forest, n_trees: usize) {
    if n_trees >= forest.n_leaves.len() {
        return;
    }
    forest.n_leaves.truncate(n_trees);
    let n_leaves = forest.n_leaves.iter().map(|&n| n as usize).sum::<usize>();
    let n_splits = n_leaves - n_trees;
    forest.feature.truncate(n_splits);
    forest.threshold.truncate(n_splits);
    forest.default_left.truncate(n_splits);
    forest.left.truncate(n_splits);
    forest.right.truncate(n_splits);
    forest.gain.truncate(n_splits);
    forest.value.truncate(n_leaves * forest.leaf_width as usize);
    forest.rows.truncate(n_leaves);
    forest.weight.truncate(n_leaves);
    // Sets are numbered in the order of the splits that have them.
    let text = forest.feature.iter().filter(|&&f| !forest.levels[f as usize].is_empty());
    let n_sets = text.count();
    forest.set_ends.truncate(n_sets);
    forest.set_levels.truncate(forest.set_ends.last().map_or(0, |&end| end as usize));
}
