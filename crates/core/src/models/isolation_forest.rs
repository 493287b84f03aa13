//! Scores how easily a row is set apart from the others: an anomaly has a score near 1.
//!
//! # Method
//! As scikit-learn 1.9.1 `IsolationForest` (Liu, Ting and Zhou 2008): each of `n_estimators` trees
//! takes `max_samples` rows and splits them at random columns and random values between the
//! smallest and the largest, until a row is alone or the depth is ⌈log₂ of their number⌉. A row's
//! path in a tree is the depth of its leaf plus c(rows in the leaf), where c(n) = 2 (ln (n − 1) +
//! 0.5772…) − 2 (n − 1) / n is the mean depth of a random search tree, c(2) = 1, c(1) = 0. The
//! score is 2^−(mean path / c(`max_samples`)): scikit-learn's `score_samples` without its sign.
//!
//! # Shape
//! Numeric columns in; the score is above 0 and at most 1. The target is ignored in the splits; as
//! a part of a row's fitting key it takes part in the draw of rows. Regression without a
//! `transform` of the target, or binary where class 1 means known anomalies, so that the score can
//! be judged. All rows are in memory during the fit.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The rows of a tree are those with the smallest draws, of equal ones the smaller fitting key. A
//! value equal to a split goes left. A column that is constant in a node is drawn again without it;
//! if all are, the node is a leaf. Paths are added in the order of the trees.
//!
//! # Errors
//! `n_estimators` outside 1 to 10,000, `max_samples` outside 2 to 65,536, `max_features` outside 0
//! to 1; fewer than 2 rows; a missing or infinite value. At scoring, an infinite value is a row's
//! reason.
//!
//! # Example
//! Two rows, 0 and 1: every tree splits once, and each path is 1 = c(2). All scores are 1/2.

use serde::{Deserialize, Serialize};

use super::{linear, ranges};
use crate::aggregate::Rows;
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::par;
use crate::rng::{self, BottomK, Draw, Pcg};
use crate::step::{Example, FitContext, FitModel, Predict};

/// The Euler-Mascheroni constant, rounded to nearest.
const EULER: f64 = 0.577_215_664_901_532_9;
const N_TREES_MAX: u32 = 10_000;
const N_SAMPLES_MAX: u32 = 65_536;

/// How many trees, and what each sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationForestParams {
    /// How many trees, from 1 to 10,000.
    pub n_estimators: u32,
    /// How many rows each tree takes, from 2 to 65,536; all if there are fewer.
    pub max_samples: u32,
    /// The share of the columns that each tree sees, above 0 and at most 1.
    pub max_features: f64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        IsolationForestParams { n_estimators: 100, max_samples: 256, max_features: 1.0 }
    }
}

impl FitModel for IsolationForestParams {
    type Fitted = IsolationForest;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        ranges::between("n_estimators", self.n_estimators, 1, N_TREES_MAX)?;
        ranges::between("max_samples", self.max_samples, 2, N_SAMPLES_MAX)?;
        ranges::share("max_features", self.max_features)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression, Task::Binary]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<IsolationForest> {
        let n_rows = linear::ranges(rows, ctx)?.target.n();
        if n_rows < 2 {
            let message = format!("expected at least 2 rows to fit on, found {n_rows}");
            return Err(Error::new(Code::TooFewRows, message));
        }
        let n_sampled = Ord::min(u64::from(self.max_samples), n_rows) as u32;
        let all = rows.collect()?;
        let numbers: Vec<u32> = (0..self.n_estimators).collect();
        let trees = par::map(&numbers, |&tree| self.grow(&all, ctx, tree, n_sampled));
        let mut forest = IsolationForest { n_sampled, ..Default::default() };
        for tree in trees {
            forest.append(&tree);
            ctx.progress.at(forest.roots.len() as u64, u64::from(self.n_estimators));
        }
        Ok(forest)
    }

    fn examples() -> Vec<Example<Self>> {
        let small =
            IsolationForestParams { n_estimators: 5, max_samples: 16, ..Default::default() };
        let narrow = IsolationForestParams { n_estimators: 3, max_samples: 8, max_features: 0.5 };
        vec![Example::on(COMPLETE_COLUMNS, small), Example::on(&["area", "rooms"], narrow)]
    }
}

impl IsolationForestParams {
    fn grow(&self, all: &Batch, ctx: &FitContext<'_>, tree: u32, n_sampled: u32) -> Nodes {
        let own = |purpose: &str| ctx.stream("", purpose).substream("tree", u64::from(tree));
        let stream = own("rows");
        let mut sample = BottomK::new(u64::from(n_sampled));
        for (row, &key) in (0..).zip(all.fit_keys()) {
            sample.observe(stream.hash(key), key, row);
        }
        let rows: Vec<u32> = sample.finish().into_iter().map(|(_, _, row)| row).collect();
        let n_columns = ctx.slots.len() as u64;
        let n_chosen = Ord::max((self.max_features * n_columns as f64) as u64, 1);
        let mut columns = rng::sample_indices(n_columns, n_chosen, &mut own("columns").pcg());
        columns.sort();
        let depth_max = u32::BITS - (n_sampled - 1).leading_zeros();
        let mut growth =
            Growth { all, slots: ctx.slots, columns, draws: own("splits").pcg(), depth_max };
        let mut nodes = Nodes::default();
        growth.split(rows, 0, &mut nodes);
        nodes
    }
}

/// c(n): the mean depth at which a search tree of `n` random rows ends.
fn mean_depth(n: u32) -> f64 {
    let size = f64::from(n);
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * (math::ln(size - 1.0) + EULER) - 2.0 * (size - 1.0) / size,
    }
}

/// A tree that grows.
struct Growth<'a> {
    all: &'a Batch,
    slots: &'a [usize],
    columns: Vec<u64>,
    draws: Pcg,
    depth_max: u32,
}

impl Growth<'_> {
    /// Adds the node of these rows and all below it, left before right.
    fn split(&mut self, rows: Vec<u32>, depth: u32, nodes: &mut Nodes) {
        let place = nodes.columns.len();
        let n_rows = rows.len() as u32;
        let chosen = if depth < self.depth_max && n_rows > 1 { self.choose(&rows) } else { None };
        let Some((column, bound)) = chosen else {
            nodes.push(0, f64::from(depth) + mean_depth(n_rows));
            return;
        };
        let values = self.all.num(self.slots[column as usize]);
        let (low, high): (Vec<u32>, Vec<u32>) =
            rows.into_iter().partition(|&row| values[row as usize] <= bound);
        nodes.push(column, bound);
        nodes.lefts[place] = nodes.columns.len() as u32;
        self.split(low, depth + 1, nodes);
        nodes.rights[place] = nodes.columns.len() as u32;
        self.split(high, depth + 1, nodes);
    }

    /// A column that varies in these rows, and a bound that leaves rows on both sides.
    fn choose(&mut self, rows: &[u32]) -> Option<(u32, f64)> {
        let mut left = self.columns.clone();
        while !left.is_empty() {
            let column = left.remove(self.draws.bounded(left.len() as u64) as usize);
            let values = self.all.num(self.slots[column as usize]);
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for &row in rows {
                let x = values[row as usize];
                low = if x < low { x } else { low };
                high = if x > high { x } else { high };
            }
            if low < high {
                let bound = math::canonical(low + self.draws.uniform() * (high - low));
                return Some((column as u32, if bound < high { bound } else { low }));
            }
        }
        None
    }
}

/// Nodes of trees: a split, or a leaf, whose children are 0 and whose value is its path.
#[derive(Clone, Debug, Default, PartialEq)]
struct Nodes {
    columns: Vec<u32>,
    values: Vec<f64>,
    lefts: Vec<u32>,
    rights: Vec<u32>,
}

impl Nodes {
    fn push(&mut self, column: u32, value: f64) {
        self.columns.push(column);
        self.values.push(value);
        self.lefts.push(0);
        self.rights.push(0);
    }
}

/// The trees, one after the other; a child stands behind its parent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationForest {
    n_sampled: u32,
    roots: Vec<u32>,
    /// The column of a split; 0 in a leaf.
    columns: Vec<u32>,
    /// The bound of a split; the path of a leaf.
    values: Vec<f64>,
    /// Where a value up to the bound goes; 0 in a leaf.
    lefts: Vec<u32>,
    /// Where a value above the bound goes; 0 in a leaf.
    rights: Vec<u32>,
}

impl IsolationForest {
    fn append(&mut self, tree: &Nodes) {
        let start = self.columns.len() as u32;
        let moved = |child: &u32| if *child == 0 { 0 } else { child + start };
        self.roots.push(start);
        self.columns.extend_from_slice(&tree.columns);
        self.values.extend_from_slice(&tree.values);
        self.lefts.extend(tree.lefts.iter().map(moved));
        self.rights.extend(tree.rights.iter().map(moved));
    }

    /// Whether the nodes from `root` to `end` are a tree: no path is longer than it has nodes.
    fn tree_fits(&self, root: usize, end: usize, n_features: usize) -> bool {
        (root..end).all(|node| {
            let (left, right) = (self.lefts[node] as usize, self.rights[node] as usize);
            let is_leaf = left == 0 && right == 0 && self.values[node] >= 0.0;
            let inside = |child: usize| child > node && child < end;
            (is_leaf || (inside(left) && inside(right)))
                && (self.columns[node] as usize) < n_features
                && self.values[node].is_finite()
        })
    }

    fn path(&self, root: u32, batch: &Batch, slots: &[usize], row: usize) -> f64 {
        let mut node = root as usize;
        loop {
            let (left, right) = (self.lefts[node] as usize, self.rights[node] as usize);
            if left == 0 {
                return self.values[node];
            }
            let x = batch.num(slots[self.columns[node] as usize])[row];
            node = if x <= self.values[node] { left } else { right };
        }
    }
}

impl Predict for IsolationForest {
    fn check(&self, features: &Schema) -> Result<()> {
        let n_nodes = self.columns.len();
        let lengths = [self.values.len(), self.lefts.len(), self.rights.len()];
        let ends = self.roots.iter().skip(1).map(|root| *root as usize).chain([n_nodes]);
        let mut trees = self.roots.iter().map(|root| *root as usize).zip(ends);
        let is_sound = lengths == [n_nodes; 3]
            && self.n_sampled >= 2
            && self.roots.first() == Some(&0)
            && trees.all(|(root, end)| {
                root < end && end <= n_nodes && self.tree_fits(root, end, features.len())
            });
        if is_sound {
            return Ok(());
        }
        let message = "expected trees whose children stand behind them, found another state";
        Err(Error::new(Code::Malformed, message))
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_trees = self.roots.len() as f64;
        let typical = mean_depth(self.n_sampled);
        for (row, score) in scores.iter_mut().enumerate() {
            let mut total = 0.0;
            for &root in &self.roots {
                total += self.path(root, batch, slots, row);
            }
            *score = math::exp2(-(total / n_trees / typical));
            if !slots.iter().all(|&slot| batch.num(slot)[row].is_finite()) {
                linear::fault(batch, slots, row);
            }
        }
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![
            ("trees".to_owned(), self.roots.len() as f64),
            ("rows per tree".to_owned(), f64::from(self.n_sampled)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, refused, regression};

    fn scores(model: &IsolationForest, x: &[f64]) -> Vec<f64> {
        let mut scores = vec![0.0; x.len()];
        model.predict(&mut regression(&[x], &vec![0.0; x.len()]), &[0], &mut scores).unwrap();
        scores
    }

    #[test]
    fn two_rows_by_hand() {
        let t = regression(&[&[0.0, 1.0]], &[0.0; 2]);
        let model = fit_model(&IsolationForestParams::default(), &t).unwrap();
        assert_eq!(scores(&model, &[0.0, 1.0, 50.0]), [0.5; 3]);
    }

    #[test]
    fn mean_depths_are_those_of_the_paper() {
        assert_eq!([0, 1, 2].map(mean_depth), [0.0, 0.0, 1.0]);
        // c(3) = 2 (ln 2 + γ) − 4/3 and c(256), to the digits of a calculator.
        assert!((mean_depth(3) - 1.207_392_357_589_623).abs() < 1e-14, "{}", mean_depth(3));
        assert!((mean_depth(256) - 10.244_770_920_119_917).abs() < 1e-13, "{}", mean_depth(256));
    }

    #[test]
    fn the_example_of_the_scikit_learn_manual() {
        let t = regression(&[&[-1.1, 0.3, 0.5, 100.0]], &[0.0; 4]);
        let model = fit_model(&IsolationForestParams::default(), &t).unwrap();
        let is_outlier: Vec<bool> =
            scores(&model, &[0.1, 0.0, 90.0]).iter().map(|s| *s > 0.5).collect();
        assert_eq!(is_outlier, [false, false, true]);
    }

    #[test]
    fn the_row_far_away_has_the_highest_score() {
        let mut x: Vec<f64> = (0..99).map(|i| f64::from(i * 7 % 31)).collect();
        x.push(500.0);
        let t = regression(&[&x], &vec![0.0; 100]);
        let params = IsolationForestParams { max_samples: 64, ..Default::default() };
        let model = fit_model(&params, &t).unwrap();
        let found = scores(&model, &x);
        assert!(found[..99].iter().all(|score| *score < found[99]), "{found:?}");
        assert!(found.iter().all(|score| (0.0..=1.0).contains(score)));
        assert!(found[99] > 0.6, "{}", found[99]);
    }

    #[test]
    fn every_row_of_the_sample_is_in_one_leaf() {
        let t = regression(&[&[1.0, 1.0, 2.0, 5.0]], &[0.0, 1.0, 0.0, 0.0]);
        let params = IsolationForestParams { n_estimators: 1, ..Default::default() };
        let model = fit_model(&params, &t).unwrap();
        // Three values make three leaves; the two equal rows share one, one level deeper by c(2).
        let n_leaves = model.lefts.iter().filter(|left| **left == 0).count();
        assert_eq!((n_leaves, model.columns.len()), (3, 5));
        assert_eq!(
            refused(&params, &regression(&[&[1.0]], &[0.0])),
            "expected at least 2 rows to fit on, found 1"
        );
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let t = regression(&[&[0.0, 1.0, 4.0]], &[0.0; 3]);
        let model = fit_model(&IsolationForestParams::default(), &t).unwrap();
        assert!(model.check(&features(1)).is_ok() && model.check(&features(0)).is_err());
        let with = |change: fn(&mut IsolationForest)| {
            let mut model = model.clone();
            change(&mut model);
            model.check(&features(1)).is_err()
        };
        assert!(
            with(|m| m.rights[0] = 0)
                && with(|m| m.lefts[1] = 1)
                && with(|m| m.roots[0] = u32::MAX)
        );
        assert!(with(|m| m.values[0] = f64::NAN) && with(|m| m.columns[0] = 1));
        assert!(with(|m| m.roots.clear()) && with(|m| m.n_sampled = 1));
    }
}
