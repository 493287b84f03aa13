//! The stored form of trees: flat arrays, the same for every kind of tree model.
//!
//! **This form is part of artifacts and cannot change.** Splits and leaves of all trees lie in
//! arrays of their own, tree by tree. A tree of n leaves has n − 1 splits; its splits stand in
//! depth-first order, left before right, and so do its leaves, left to right. A child is a number
//! within its tree: c ≥ 0 is split c, c < 0 is leaf −c − 1. A child split stands behind its parent.
//!
//! A number goes left if it is at most the threshold. A label goes left if its level is in the
//! split's set. A missing value, and a label that is no level, goes to the default side.

use serde::{Deserialize, Serialize};

use super::traverse::Ready;
use crate::batch::{ColumnKind, Schema};
use crate::error::{Code, Error, Result};

/// Trees over a list of features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::models) struct Forest {
    /// Values per row: 1, or one per class.
    pub n_outputs: u32,
    /// Values per leaf: 1, or `n_outputs`. With 1, tree t belongs to output t mod `n_outputs`.
    pub leaf_width: u32,
    /// Whether outputs are the mean of the trees; otherwise their sum.
    pub is_mean: bool,
    /// Where each output starts.
    pub base: Vec<f64>,
    /// Per feature the labels of a text column in code-point order; empty for a numeric one.
    pub levels: Vec<Vec<String>>,
    /// The number of leaves of each tree.
    pub n_leaves: Vec<u32>,
    /// Per split the feature.
    pub feature: Vec<u32>,
    /// Per split the largest number that goes left; for a text feature the number of its set.
    pub threshold: Vec<f64>,
    /// Per split whether a missing value goes left.
    pub default_left: Vec<bool>,
    /// Per split the left child.
    pub left: Vec<i32>,
    /// Per split the right child.
    pub right: Vec<i32>,
    /// Per split by how much it lowers the objective, at least 0.
    pub gain: Vec<f64>,
    /// `leaf_width` values per leaf.
    pub value: Vec<f64>,
    /// Per leaf the number of training rows.
    pub rows: Vec<u64>,
    /// Per leaf the sum of their weights; empty if every weight was 1.
    pub weight: Vec<f64>,
    /// The levels of all sets, one set after the other, ascending within a set.
    pub set_levels: Vec<u32>,
    /// Where each set ends in `set_levels`.
    pub set_ends: Vec<u32>,
    /// The same, made ready to score. Not stored.
    #[serde(skip)]
    pub ready: Ready,
}

/// One tree of a forest: its part of each array.
#[allow(dead_code, reason = "what explains scores reads gains and covers")]
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct Tree<'a> {
    pub feature: &'a [u32],
    pub threshold: &'a [f64],
    pub default_left: &'a [bool],
    pub left: &'a [i32],
    pub right: &'a [i32],
    pub gain: &'a [f64],
    /// `leaf_width` values per leaf.
    pub value: &'a [f64],
    pub rows: &'a [u64],
    /// Empty if every weight was 1.
    pub weight: &'a [f64],
}

#[allow(dead_code, reason = "what explains scores reads covers")]
impl Tree<'_> {
    /// The number of leaves.
    pub fn n_leaves(&self) -> usize {
        self.rows.len()
    }

    /// Where the walk starts: split 0, or leaf 0 if there is no split.
    pub fn root(&self) -> i32 {
        if self.feature.is_empty() { -1 } else { 0 }
    }

    /// What a leaf covers: the weight of its training rows.
    pub fn leaf_cover(&self, leaf: usize) -> f64 {
        if self.weight.is_empty() { self.rows[leaf] as f64 } else { self.weight[leaf] }
    }

    /// What each split covers: its children's covers, left + right.
    pub fn split_covers(&self) -> Vec<f64> {
        let mut covers = vec![0.0; self.feature.len()];
        for split in (0..covers.len()).rev() {
            let of = |child: i32, covers: &[f64]| match usize::try_from(child) {
                Ok(split) => covers[split],
                Err(_) => self.leaf_cover(leaf_of(child)),
            };
            covers[split] = of(self.left[split], &covers) + of(self.right[split], &covers);
        }
        covers
    }
}

/// The leaf that a negative child is.
#[inline]
pub(in crate::models) fn leaf_of(child: i32) -> usize {
    !child as usize
}

impl Forest {
    /// The number of trees.
    pub fn n_trees(&self) -> usize {
        self.n_leaves.len()
    }

    /// The number of features.
    pub fn n_features(&self) -> usize {
        self.levels.len()
    }

    /// The trees in order.
    pub fn trees(&self) -> impl Iterator<Item = Tree<'_>> {
        let (mut split, mut leaf) = (0, 0);
        let width = self.leaf_width as usize;
        self.n_leaves.iter().map(move |&n| {
            let n = n as usize;
            let (splits, leaves) = (split..split + n - 1, leaf..leaf + n);
            (split, leaf) = (splits.end, leaves.end);
            let weight: &[f64] =
                if self.weight.is_empty() { &[] } else { &self.weight[leaves.clone()] };
            Tree {
                feature: &self.feature[splits.clone()],
                threshold: &self.threshold[splits.clone()],
                default_left: &self.default_left[splits.clone()],
                left: &self.left[splits.clone()],
                right: &self.right[splits.clone()],
                gain: &self.gain[splits],
                value: &self.value[leaves.start * width..leaves.end * width],
                rows: &self.rows[leaves],
                weight,
            }
        })
    }

    /// The levels of a set, ascending.
    pub fn set(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.set_ends[index - 1] as usize };
        &self.set_levels[start..self.set_ends[index] as usize]
    }

    /// Whether a feature is a text column.
    pub fn is_text(&self, feature: usize) -> bool {
        !self.levels[feature].is_empty()
    }

    /// Sizes for `inspect`.
    pub fn facts(&self) -> Vec<(String, f64)> {
        let n_leaves = self.rows.len() as f64;
        vec![("trees".to_owned(), self.n_trees() as f64), ("leaves".to_owned(), n_leaves)]
    }

    /// Checks that every walk through every tree ends in a leaf and reads only what is there,
    /// whoever wrote the state.
    ///
    /// # Errors
    /// If the state is not one that a fit on `features` could have made.
    pub fn check(&self, features: &Schema) -> Result<()> {
        crate::pipeline::check_width(self.levels.len(), features.len())?;
        for (field, levels) in features.fields().iter().zip(&self.levels) {
            let is_right = match field.kind {
                ColumnKind::Num => levels.is_empty(),
                ColumnKind::Text => levels.is_sorted_by(|a, b| a < b),
                ColumnKind::Time => false,
            };
            holds(is_right, "levels of text columns in order")
                .map_err(|e| e.column(&field.name))?;
        }
        self.check_lengths()?;
        self.check_sets()?;
        let numbers = [&self.base, &self.threshold, &self.gain, &self.value, &self.weight];
        for values in numbers {
            holds(values.iter().all(|x| x.is_finite()), "finite numbers")?;
        }
        let covers = self.gain.iter().chain(&self.weight);
        holds(covers.into_iter().all(|x| *x >= 0.0), "gains and weights of at least 0")?;
        self.trees().try_for_each(|tree| self.check_tree(&tree))
    }

    /// Checks a forest whose scores are means.
    ///
    /// # Errors
    /// If it is another one, or one with another start than 0 or without trees.
    pub fn check_means(&self, features: &Schema) -> Result<()> {
        self.check(features)?;
        let is_mean = self.is_mean && self.leaf_width == self.n_outputs && self.n_trees() > 0;
        holds(is_mean && self.base.iter().all(|&x| x == 0.0), "the mean of trees")
    }

    fn check_lengths(&self) -> Result<()> {
        let (outputs, width) = (self.n_outputs as usize, self.leaf_width as usize);
        holds(outputs > 0 && self.base.len() == outputs, "a start for every output")?;
        holds(width == 1 || width == outputs, "one value per leaf or per output")?;
        holds(self.n_leaves.iter().all(|&n| n > 0), "a leaf in every tree")?;
        let n_leaves = self.n_leaves.iter().map(|&n| u64::from(n)).sum::<u64>();
        let n_splits = n_leaves - self.n_leaves.len() as u64;
        let splits = [
            self.feature.len(),
            self.threshold.len(),
            self.default_left.len(),
            self.left.len(),
            self.right.len(),
            self.gain.len(),
        ];
        holds(splits.iter().all(|&n| n as u64 == n_splits), "one entry per split")?;
        holds(self.rows.len() as u64 == n_leaves, "one entry per leaf")?;
        let n_values = n_leaves.checked_mul(width as u64);
        holds(Some(self.value.len() as u64) == n_values, "the values of every leaf")?;
        let n_weights = self.weight.len() as u64;
        holds(n_weights == 0 || n_weights == n_leaves, "no weights or one per leaf")
    }

    fn check_sets(&self) -> Result<()> {
        let ends_ascend = self.set_ends.is_sorted_by(|a, b| a < b);
        let first = self.set_ends.first().is_none_or(|&end| end > 0);
        let last = self.set_ends.last().map_or(0, |&end| end as usize);
        holds(ends_ascend && first && last == self.set_levels.len(), "sets one after the other")?;
        let mut sets = (0..self.set_ends.len()).map(|index| self.set(index));
        holds(sets.all(|set| set.is_sorted_by(|a, b| a < b)), "ascending levels in a set")
    }

    fn check_tree(&self, tree: &Tree<'_>) -> Result<()> {
        let (n_splits, n_leaves) = (tree.feature.len(), tree.n_leaves());
        // Every split but the first, and every leaf, is the child of exactly one earlier split.
        let mut split_seen = vec![false; n_splits];
        let mut leaf_seen = vec![false; n_leaves];
        for split in 0..n_splits {
            for child in [tree.left[split], tree.right[split]] {
                let seen = match usize::try_from(child) {
                    Ok(child) if child > split => split_seen.get_mut(child),
                    Ok(_) => None,
                    Err(_) => leaf_seen.get_mut(leaf_of(child)),
                };
                let is_new = seen.is_some_and(|seen| !std::mem::replace(seen, true));
                holds(is_new, "children that stand behind their parent, each once")?;
            }
            self.check_split(tree.feature[split], tree.threshold[split])?;
        }
        Ok(())
    }

    fn check_split(&self, feature: u32, threshold: f64) -> Result<()> {
        let levels = self.levels.get(feature as usize);
        let Some(levels) = levels else {
            return holds(false, "splits on the model's columns");
        };
        if levels.is_empty() {
            return Ok(());
        }
        let in_range = threshold >= 0.0 && threshold < self.set_ends.len() as f64;
        holds(in_range && threshold.floor() == threshold, "the set of a text split")?;
        let largest = self.set(threshold as usize).last();
        holds(largest.is_some_and(|&level| (level as usize) < levels.len()), "levels of the column")
    }
}

fn holds(rule: bool, what: &str) -> Result<()> {
    if rule {
        return Ok(());
    }
    Err(Error::new(Code::Malformed, format!("expected {what}, found a damaged forest")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Field;

    /// Two trees over (x number, c label): x <= 1 ? (c in {b} ? 1 : 2) : 3, and the leaf 4.
    pub(in crate::models) fn small() -> Forest {
        Forest {
            n_outputs: 1,
            leaf_width: 1,
            is_mean: false,
            base: vec![0.5],
            levels: vec![vec![], vec!["a".into(), "b".into()]],
            n_leaves: vec![3, 1],
            feature: vec![0, 1],
            threshold: vec![1.0, 0.0],
            default_left: vec![true, false],
            left: vec![1, -1],
            right: vec![-3, -2],
            gain: vec![2.0, 1.0],
            value: vec![1.0, 2.0, 3.0, 4.0],
            rows: vec![5, 3, 2, 10],
            weight: vec![],
            set_levels: vec![1],
            set_ends: vec![1],
            ready: Ready::default(),
        }
    }

    fn schema() -> Schema {
        Schema::new([Field::new("x", ColumnKind::Num), Field::new("c", ColumnKind::Text)]).unwrap()
    }

    #[test]
    fn trees_are_parts_of_the_arrays_and_covers_add_up() {
        let forest = small();
        forest.check(&schema()).unwrap();
        let trees: Vec<Tree<'_>> = forest.trees().collect();
        assert_eq!(trees[0].split_covers(), [10.0, 8.0]);
        assert_eq!((trees[0].root(), trees[1].root()), (0, -1));
        assert_eq!(trees[1].value, [4.0]);
    }

    #[test]
    fn what_no_fit_makes_is_refused() {
        type Change = fn(&mut Forest);
        let changes: [Change; 22] = [
            |f| f.left[0] = 0,
            |f| f.left[1] = 0,
            |f| f.right[0] = -1,
            |f| f.right[0] = i32::MIN,
            |f| f.left[0] = i32::MAX,
            |f| f.right[0] = 1,
            |f| f.feature[0] = 2,
            |f| f.threshold[0] = f64::INFINITY,
            |f| f.threshold[1] = 0.5,
            |f| f.threshold[1] = -1.0,
            |f| f.threshold[1] = 1.0,
            |f| f.set_levels[0] = 2,
            |f| f.set_ends[0] = 2,
            |f| f.value[3] = f64::NAN,
            |f| f.gain[0] = -1.0,
            |f| f.rows.truncate(3),
            |f| f.n_leaves[1] = 0,
            |f| f.n_leaves[1] = u32::MAX,
            |f| f.base.clear(),
            |f| f.leaf_width = 7,
            |f| f.levels[1].reverse(),
            |f| f.weight.push(1.0),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut forest = small();
            change(&mut forest);
            assert!(forest.check(&schema()).is_err(), "change {index}");
        }
    }
}
