//! Minimal cost-complexity pruning of a grown tree (Breiman and others 1984), as scikit-learn 1.9.1
//! `ccp_alpha`.
//!
//! What a branch saves is by how much its splits lower the impurity, each node's counted by its
//! share of the weight. The weakest link is the branch that saves least for each leaf more than
//! one; it becomes a leaf as long as that is at most `alpha`. Of equally weak links it does not
//! matter which comes first. What is left is found from the leaves upwards: a branch, its own links
//! settled, stays if it saves more than `alpha` for each leaf more than one.

use std::ops::Range;

use super::forest::leaf_of;
use super::grow::{Grown, GrownLeaf, GrownSplit};

/// What the rows of a node weigh, and the means of their targets.
pub(super) struct Mass {
    pub weight: f64,
    pub means: Vec<f64>,
}

/// The tree without the branches that save too little. `mass` is that of rows; `factor` is the
/// impurity of two classes by that of the one that is counted, else 1.
pub(super) fn prune(
    mut grown: Grown,
    alpha: f64,
    factor: f64,
    mass: impl Fn(&[u32]) -> Mass,
) -> Grown {
    let links = Links::new(&grown, factor, mass);
    let cut = links.cut(&grown, alpha);
    if !cut.contains(&true) {
        return grown;
    }
    let mut splits: Vec<Option<GrownSplit>> = grown.splits.drain(..).map(Some).collect();
    let mut leaves: Vec<Option<GrownLeaf>> = grown.leaves.drain(..).map(Some).collect();
    let mut stack: Vec<(i32, Option<(usize, bool)>)> = vec![(0, None)];
    while let Some((child, parent)) = stack.pop() {
        let kept = usize::try_from(child).ok().filter(|&split| !cut[split]);
        let place = match kept {
            Some(_) => grown.splits.len() as i32,
            None => !(grown.leaves.len() as i32),
        };
        if let Some((split, is_left)) = parent {
            let split = &mut grown.splits[split];
            if is_left { split.left = place } else { split.right = place }
        }
        if let Some(split) = kept.and_then(|split| splits[split].take()) {
            let own = grown.splits.len();
            stack.push((split.right, Some((own, false))));
            stack.push((split.left, Some((own, true))));
            grown.splits.push(split);
        } else if let Ok(split) = usize::try_from(child) {
            let rows = links.rows[split].clone();
            let is_of_set = parent.is_some_and(|(split, _)| grown.splits[split].best.is_set);
            grown.leaves.push(GrownLeaf { rows, bounds: None, is_of_set });
        } else {
            grown.leaves.extend(leaves[leaf_of(child)].take());
        }
    }
    grown
}

/// What each split saves.
struct Links {
    rows: Vec<Range<usize>>,
    gains: Vec<f64>,
}

impl Links {
    fn new(grown: &Grown, factor: f64, mass: impl Fn(&[u32]) -> Mass) -> Self {
        let n = grown.splits.len();
        let mut rows = vec![0..0; n];
        let span = |child: i32, rows: &[Range<usize>]| match usize::try_from(child) {
            Ok(split) => rows[split].clone(),
            Err(_) => grown.leaves[leaf_of(child)].rows.clone(),
        };
        let mut gains = vec![0.0; n];
        for (place, split) in grown.splits.iter().enumerate().rev() {
            let (left, right) = (span(split.left, &rows), span(split.right, &rows));
            rows[place] = left.start..right.end;
            let [a, b] = [left, right].map(|rows| mass(&grown.rows[rows]));
            let mut squares = 0.0;
            for (a, b) in a.means.iter().zip(&b.means) {
                squares += (a - b) * (a - b);
            }
            gains[place] = factor * (a.weight / (a.weight + b.weight) * b.weight * squares);
        }
        let whole = mass(&grown.rows).weight;
        gains.iter_mut().for_each(|gain| *gain /= whole);
        Links { rows, gains }
    }

    /// Which splits become leaves; those below them are reached no more.
    fn cut(&self, grown: &Grown, alpha: f64) -> Vec<bool> {
        let n = self.gains.len();
        let (mut cut, mut saved, mut n_leaves) = (vec![false; n], vec![0.0; n], vec![1.0; n]);
        for (place, split) in grown.splits.iter().enumerate().rev() {
            let of =
                |child: i32| usize::try_from(child).map_or((0.0, 1.0), |c| (saved[c], n_leaves[c]));
            let ((a, n_a), (b, n_b)) = (of(split.left), of(split.right));
            let (whole, n) = (self.gains[place] + a + b, n_a + n_b);
            if whole <= alpha * (n - 1.0) {
                cut[place] = true;
            } else {
                (saved[place], n_leaves[place]) = (whole, n);
            }
        }
        cut
    }
}
