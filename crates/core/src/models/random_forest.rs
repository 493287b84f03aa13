//! Fits many trees on samples of rows and columns, and takes the mean of their scores.
//!
//! # Method
//! Random forests (Breiman 2001) as in scikit-learn 1.9.1, whose parameter names and defaults these
//! are, but for two things: a row occurs Poisson(1) times in a tree's sample, so that its draw is a
//! function of the row alone, and columns are cut into at most `max_bin` bins of even counts. Trees
//! are those of `decision_tree`; each split looks at `max_features` columns drawn anew, and at
//! further ones while none of them has a split. With `oob_score` each row is predicted by the trees
//! whose samples do not hold it, and the accuracy of that, or R2, is kept: a row counts its weight,
//! without that of its class, and a row that every sample holds is left out.
//!
//! # Shape
//! Numeric and text columns in. For regression the score is the mean target of the row's leaves,
//! for two classes the probability of class 1, else the probability of each class.
//!
//! # Missing
//! A split learns the side of missing values; one that had none sends them where more of its rows
//! went. Labels that the fit did not see, or beyond the `max_bin` most frequent ones, are missing.
//!
//! # Ties and order
//! As for `decision_tree`. The number of times that a row occurs is keyed by the row and the tree,
//! the columns of a split by the tree and the number of leaves looked at before. Trees are added in
//! order.
//! Contributions (TreeSHAP) and their base add up to the margin but for at most 2^-46 times (trees
//! + features) times the sum over trees of the largest absolute leaf value.
//!
//! # Errors
//! Parameters out of range, `oob_score` without `bootstrap`; a missing or infinite target; an
//! infinite value in a column; a binary target of one class. A constant target or too few rows give
//! trees of one leaf.
//!
//! # Example
//! x = 1, 2, 3, 4 and y = 1, 1, 5, 7 with `bootstrap` off: every tree is that of `decision_tree`,
//! and so are the scores 1, 1, 5, 7.

use serde::{Deserialize, Serialize};

use super::ClassWeight;
use super::summary::is_false;
use super::trees::mean::MeanForest;
use super::trees::settings::{BagSettings, KINDS, MaxFeatures, is_zero};
use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::config::Task;
use crate::error::Result;
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel};

/// The trees, what a split looks at, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomForestParams {
    /// The number of trees, at least 1.
    pub n_estimators: u32,
    /// How many columns a split looks at: "auto" is the square root of their number, rounded down,
    /// for classes and all of them for a regression.
    pub max_features: MaxFeatures,
    /// Whether each tree has a sample of the rows; otherwise all have all.
    pub bootstrap: bool,
    /// The most splits above a leaf; 0 for no bound.
    pub max_depth: u32,
    /// The most leaves of a tree, the ones with the highest gains first; 0 for no bound.
    pub max_leaf_nodes: u32,
    /// The fewest rows of a leaf that is split, at least 2.
    pub min_samples_split: u32,
    /// The fewest rows of a leaf, at least 1.
    pub min_samples_leaf: u32,
    /// The least fall of impurity, weighted by the share of rows.
    pub min_impurity_decrease: f64,
    /// What a row of each class counts: one, n / (k n_class), or as a table by label says.
    pub class_weight: ClassWeight,
    /// The most bins of a column, 2 to 65535.
    pub max_bin: u32,
    /// A branch that lowers the impurity by at most so much for each leaf more than one becomes a
    /// leaf, the weakest first; 0 for none. Left out of the stored form where it is 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub ccp_alpha: f64,
    /// Whether trees are judged by the rows that their samples do not hold. Left out of the stored
    /// form where it is false.
    #[serde(skip_serializing_if = "is_false")]
    pub oob_score: bool,
}

impl Default for RandomForestParams {
    fn default() -> Self {
        RandomForestParams {
            n_estimators: 100,
            max_features: MaxFeatures::Auto,
            bootstrap: true,
            max_depth: 0,
            max_leaf_nodes: 0,
            min_samples_split: 2,
            min_samples_leaf: 1,
            min_impurity_decrease: 0.0,
            class_weight: ClassWeight::None,
            max_bin: 255,
            ccp_alpha: 0.0,
            oob_score: false,
        }
    }
}

impl FitModel for RandomForestParams {
    type Fitted = RandomForest;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        self.settings().validate()
    }

    fn tasks(&self) -> &'static [Task] {
        self.class_weight.tasks()
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        KINDS
    }

    fn weighs(&self) -> bool {
        true
    }

    fn class_weight(&self) -> Option<&ClassWeight> {
        Some(&self.class_weight)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<RandomForest> {
        self.settings().fit(rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let few = RandomForestParams { n_estimators: 6, ..Default::default() };
        let shallow = RandomForestParams {
            max_features: MaxFeatures::Share(0.4),
            max_depth: 4,
            min_samples_leaf: 3,
            ..few.clone()
        };
        let whole = RandomForestParams {
            bootstrap: false,
            max_features: MaxFeatures::Count(2),
            max_leaf_nodes: 6,
            ..few.clone()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, few),
            Example::on(&["age", "area", "deck", "fare", "grade", "sex"], shallow),
            Example::on(&["age", "area", "count", "rooms"], whole),
        ]
    }
}

impl RandomForestParams {
    fn settings(&self) -> BagSettings {
        BagSettings {
            n_estimators: self.n_estimators,
            max_features: self.max_features,
            bootstrap: self.bootstrap,
            random_cuts: false,
            max_depth: self.max_depth,
            max_leaf_nodes: self.max_leaf_nodes,
            min_samples_split: self.min_samples_split,
            min_samples_leaf: self.min_samples_leaf,
            min_impurity_decrease: self.min_impurity_decrease,
            class_weight: self.class_weight.clone(),
            max_bin: self.max_bin,
            ccp_alpha: self.ccp_alpha,
            oob_score: self.oob_score,
        }
    }
}

/// The fitted forest.
pub type RandomForest = MeanForest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::models::tests::{fit_as, fit_model, refused, regression};
    use crate::rng::{Seed, Stream, poisson_bootstrap};
    use crate::step::Predict;

    #[test]
    fn without_samples_every_tree_is_the_same() {
        let table = regression(&[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 1.0, 5.0, 7.0]);
        let params = RandomForestParams { n_estimators: 3, bootstrap: false, ..Default::default() };
        let forest = fit_model(&params, &table).unwrap();
        assert_eq!(forest.forest.n_leaves, [3, 3, 3]);
        let (mut batch, mut scores) = (table.clone(), [0.0; 4]);
        forest.predict(&mut batch, &[0], &mut scores).unwrap();
        assert_eq!(scores, [1.0, 1.0, 5.0, 7.0]);
    }

    #[test]
    fn trees_differ_and_cover_about_all_rows() {
        let x: Vec<f64> = (0..200).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| x % 7.0).collect();
        let params = RandomForestParams { n_estimators: 2, ..Default::default() };
        let forest = fit_model(&params, &regression(&[&x], &y)).unwrap().forest;
        let covers: Vec<f64> =
            forest.trees().map(|t| t.weight.iter().fold(0.0, |sum, w| sum + w)).collect();
        assert!(covers.iter().all(|&n| n > 150.0 && n < 250.0) && covers[0] != covers[1]);
    }

    /// The accuracy or R2, and the number of rows, of what each tree says of rows out of its bag,
    /// walked and added up here.
    fn by_hand(forest: &RandomForest, t: &Batch, task: Task) -> (f64, f64) {
        let (mut rows, x) = (Vec::new(), t.num(0));
        for (row, &key) in t.fit_keys().iter().enumerate() {
            let (mut sum, mut n) = (0.0, 0.0);
            for (index, tree) in forest.forest.trees().enumerate() {
                let draws = Stream::new(Seed(7), "model", "", "rows");
                if poisson_bootstrap(&draws.substream("tree", index as u64), key) > 0 {
                    continue;
                }
                let mut at = tree.root();
                while let Ok(split) = usize::try_from(at) {
                    let is_left = x[row] <= tree.threshold[split];
                    at = if is_left { tree.left[split] } else { tree.right[split] };
                }
                sum += tree.value[!at as usize];
                n += 1.0;
            }
            if n > 0.0 {
                rows.push((t.weight(row), t.target()[row], sum / n));
            }
        }
        let total = |term: &dyn Fn(f64, f64) -> f64| {
            rows.iter().fold(0.0, |sum, (w, y, p)| sum + w * term(*y, *p))
        };
        let weight = total(&|_, _| 1.0);
        let score = match task {
            Task::Regression => {
                let mean = total(&|y, _| y) / weight;
                let left = total(&|y, p| (y - p) * (y - p));
                1.0 - left / total(&|y, _| (y - mean) * (y - mean))
            }
            _ => total(&|y, p| f64::from(u8::from((p >= 0.5) == (y == 1.0)))) / weight,
        };
        (rows.len() as f64, score)
    }

    #[test]
    fn rows_out_of_bags_judge_the_forest() {
        let x: Vec<f64> = (0..60).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| (x * 7.0) % 11.0).collect();
        let two: Vec<f64> = y.iter().map(|y| f64::from(u8::from(*y > 4.0))).collect();
        let params = RandomForestParams { n_estimators: 3, oob_score: true, ..Default::default() };
        for (task, y) in [(Task::Regression, &y), (Task::Binary, &two)] {
            let mut table = regression(&[&x], y);
            for weights in [Vec::new(), (0..60).map(|i| f64::from(i % 3)).collect()] {
                table.set_weights(weights);
                let forest = fit_as(&params, &table, task).unwrap();
                let mut judged = table.clone();
                if !table.weights().is_empty() {
                    let kept: Vec<usize> = (0..60).filter(|i| i % 3 > 0).collect();
                    judged = table.select(&kept);
                }
                let (n, score) = by_hand(&forest, &judged, task);
                let found = forest.own_figures();
                assert_eq!(found[0], ("rows out of a bag".to_owned(), n));
                assert!((found[1].1 - score).abs() < 1e-14, "{found:?} {score}");
                // About 1 − (1 − 1/e)³ of them.
                assert!(n > 0.6 * judged.n_rows() as f64 && n < 0.9 * judged.n_rows() as f64);
                let without = RandomForestParams { oob_score: false, ..params.clone() };
                assert_eq!(fit_as(&without, &table, task).unwrap().forest, forest.forest);
            }
        }
        let table = regression(&[&x], &[2.0; 60]);
        let names: Vec<String> =
            fit_model(&params, &table).unwrap().own_figures().into_iter().map(|f| f.0).collect();
        assert_eq!(names, ["rows out of a bag"]);
        let whole = RandomForestParams { bootstrap: false, ..params };
        assert_eq!(
            refused(&whole, &table),
            "expected `bootstrap` with `oob_score`, found none (without samples no row is out of \
             a bag)"
        );
    }

    #[test]
    fn of_several_classes_the_most_probable_one_counts() {
        // Far apart: every tree knows every class that its sample has.
        let x: Vec<f64> = (0..90).map(f64::from).collect();
        let y: Vec<f64> = (0..90).map(|i| f64::from(i / 30)).collect();
        let params = RandomForestParams { n_estimators: 9, oob_score: true, ..Default::default() };
        let forest = fit_as(&params, &regression(&[&x], &y), Task::Multiclass).unwrap();
        let found = forest.own_figures();
        assert_eq!(found[1].0, "out-of-bag accuracy");
        assert!(found[1].1 > 0.95 && found[1].1 <= 1.0, "{found:?}");
    }
}
