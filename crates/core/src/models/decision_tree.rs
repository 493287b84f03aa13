//! Fits one tree of splits that lower the impurity most.
//!
//! # Method
//! CART as in scikit-learn 1.9.1, whose parameter names and defaults these are: from the top, each
//! leaf is split where the squared error of its mean, for classes the Gini impurity, falls most. A
//! split must lower it; scikit-learn also makes splits that gain nothing. A column with more than
//! `max_bin` distinct values is cut into `max_bin` bins of even counts. Text columns are split by
//! sets of labels: up to 4 labels of a leaf one against the others, more in order of their mean.
//!
//! `ccp_alpha` prunes the grown tree by minimal cost complexity: the branch that lowers the
//! impurity least for each leaf more than one becomes a leaf, as long as that is at most
//! `ccp_alpha`.
//!
//! # Shape
//! Numeric and text columns in. For regression the score is the mean target of the row's leaf, for
//! two classes the probability of class 1, else the probability of each class.
//!
//! # Missing
//! A split learns the side of missing values; one that had none sends them where more of its rows
//! went. Labels that the fit did not see, or beyond the `max_bin` most frequent ones, are missing.
//!
//! # Ties and order
//! Equal gains: lower column, lower cut, missing left. A threshold lies halfway between the values
//! of the leaf on both sides (of more than `max_bin`, between their bins). Gradients are rounded to
//! powers of two and added as whole numbers, so the order of rows does not matter; means are exact,
//! rounded once. Of equally weak branches all go. Columns drawn for a split are keyed by the number
//! of leaves looked at before. Contributions (TreeSHAP) and their base add up to the margin but for
//! at most 2^-46 times (1 + features) times the largest absolute leaf value.
//!
//! # Errors
//! Parameters out of range; a missing or infinite target; an infinite value in a column; a
//! binary target of one class. A constant target or too few rows give a tree of one leaf.
//!
//! # Example
//! x = 1, 2, 3, 4 and y = 1, 1, 5, 7: the first split is x ≤ 2.5, the second x ≤ 3.5; the leaves
//! are 1, 5 and 7.

use serde::{Deserialize, Serialize};

use super::ClassWeight;
use super::trees::mean::MeanForest;
use super::trees::settings::{BagSettings, KINDS, MaxFeatures, is_zero};
use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::config::Task;
use crate::error::Result;
use crate::example::COMPLETE_COLUMNS;
use crate::step::{Example, FitContext, FitModel};

/// What a split looks at, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTreeParams {
    /// How many columns a split looks at; "auto" is the square root of their number, rounded down,
    /// for classes and all of them for a regression.
    pub max_features: MaxFeatures,
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
}

impl Default for DecisionTreeParams {
    fn default() -> Self {
        DecisionTreeParams {
            max_features: MaxFeatures::All,
            max_depth: 0,
            max_leaf_nodes: 0,
            min_samples_split: 2,
            min_samples_leaf: 1,
            min_impurity_decrease: 0.0,
            class_weight: ClassWeight::None,
            max_bin: 65_535,
            ccp_alpha: 0.0,
        }
    }
}

impl FitModel for DecisionTreeParams {
    type Fitted = DecisionTree;

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

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<DecisionTree> {
        self.settings().fit(rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let small = DecisionTreeParams { max_depth: 3, ..Default::default() };
        let few = DecisionTreeParams {
            max_features: MaxFeatures::Count(2),
            max_leaf_nodes: 5,
            min_samples_leaf: 4,
            max_bin: 40,
            ..Default::default()
        };
        let class_weight = ClassWeight::Balanced;
        let balanced = DecisionTreeParams { class_weight, ..small.clone() };
        vec![
            Example::on(COMPLETE_COLUMNS, DecisionTreeParams::default()),
            Example::on(&["age", "deck", "fare", "grade", "rooms", "sex"], small),
            Example::on(&["age", "area", "grade", "rooms"], few),
            Example::on(&["age", "deck", "fare", "sex"], balanced),
        ]
    }
}

impl DecisionTreeParams {
    fn settings(&self) -> BagSettings {
        BagSettings {
            n_estimators: 1,
            max_features: self.max_features,
            bootstrap: false,
            random_cuts: false,
            max_depth: self.max_depth,
            max_leaf_nodes: self.max_leaf_nodes,
            min_samples_split: self.min_samples_split,
            min_samples_leaf: self.min_samples_leaf,
            min_impurity_decrease: self.min_impurity_decrease,
            class_weight: self.class_weight.clone(),
            max_bin: self.max_bin,
            ccp_alpha: self.ccp_alpha,
            oob_score: false,
        }
    }
}

/// The fitted tree.
pub type DecisionTree = MeanForest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::models::tests::{fit_as, fit_model, regression};

    #[test]
    fn the_documented_tree() {
        let table = regression(&[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 1.0, 5.0, 7.0]);
        let tree = fit_model(&DecisionTreeParams::default(), &table).unwrap().forest;
        assert_eq!(tree.threshold, [2.5, 3.5]);
        assert_eq!(tree.value, [1.0, 5.0, 7.0]);
        assert_eq!((tree.left.as_slice(), tree.right.as_slice()), (&[-1, -2][..], &[1, -3][..]));
        // 1 + 1 + 25 + 49 - 4 · 3.5² = 27 falls to 2, then to 0.
        assert_eq!(tree.gain, [25.0, 2.0]);
        assert_eq!(tree.rows, [2, 1, 1]);
    }

    #[test]
    fn more_values_than_a_byte_counts_have_cuts_of_their_own() {
        let x: Vec<f64> = (0..1000).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| f64::from(u8::from(*x > 700.0))).collect();
        let table = regression(&[&x], &y);
        let tree = fit_model(&DecisionTreeParams::default(), &table).unwrap().forest;
        assert_eq!(
            (tree.threshold.as_slice(), tree.value.as_slice()),
            (&[700.5][..], &[0.0, 1.0][..])
        );
    }

    #[test]
    fn a_constant_target_and_no_usable_column_give_one_leaf() {
        for (x, y) in [([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]), ([5.0; 3], [1.0, 2.0, 6.0])] {
            let table = regression(&[&x], &y);
            let tree = fit_model(&DecisionTreeParams::default(), &table).unwrap().forest;
            assert_eq!(tree.n_leaves, [1]);
            assert_eq!(tree.value, [y.iter().fold(0.0, |sum, y| sum + y) / 3.0]);
        }
    }

    #[test]
    fn of_two_classes_the_decrease_is_that_of_both() {
        // Gini falls from 1/2 to 0, weighted by all rows: 1/2, as scikit-learn has it.
        let table = regression(&[&[1.0, 2.0, 3.0, 4.0]], &[0.0, 0.0, 1.0, 1.0]);
        for (least, n_leaves) in [(0.49, 2), (0.51, 1)] {
            let params = DecisionTreeParams {
                min_impurity_decrease: least,
                ..DecisionTreeParams::default()
            };
            let tree = fit_as(&params, &table, Task::Binary).unwrap().forest;
            assert_eq!(tree.n_leaves, [n_leaves], "{least}");
        }
        // Of a number the variance falls from 1/4.
        for (least, n_leaves) in [(0.24, 2), (0.26, 1)] {
            let params = DecisionTreeParams {
                min_impurity_decrease: least,
                ..DecisionTreeParams::default()
            };
            let tree = fit_model(&params, &table).unwrap().forest;
            assert_eq!(tree.n_leaves, [n_leaves], "{least}");
        }
    }

    /// The number of leaves that a strength of pruning leaves.
    fn n_leaves(ccp_alpha: f64, table: &crate::batch::Batch, task: Task) -> u32 {
        let params = DecisionTreeParams { ccp_alpha, ..DecisionTreeParams::default() };
        fit_as(&params, table, task).unwrap().forest.n_leaves[0]
    }

    #[test]
    fn links_are_cut_by_what_they_save() {
        // The splits of the documented tree lower the mean square by 25 / 4 and 2 / 4. The second
        // saves 1/2 for one leaf more; the first then 25/4, before 27/8 for each of two.
        let table = regression(&[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 1.0, 5.0, 7.0]);
        let strengths = [(0.0, 3), (0.49, 3), (0.5, 2), (3.5, 2), (6.24, 2), (6.25, 1)];
        for (alpha, n) in strengths {
            assert_eq!(n_leaves(alpha, &table, Task::Regression), n, "{alpha}");
        }
        let params = DecisionTreeParams { ccp_alpha: 0.5, ..DecisionTreeParams::default() };
        let tree = fit_model(&params, &table).unwrap().forest;
        assert_eq!((tree.value.as_slice(), tree.rows.as_slice()), (&[1.0, 6.0][..], &[2, 2][..]));
        assert_eq!((tree.threshold.as_slice(), tree.gain.as_slice()), (&[2.5][..], &[25.0][..]));
        assert_eq!((tree.left.as_slice(), tree.right.as_slice()), (&[-1][..], &[-2][..]));
        let negative = DecisionTreeParams { ccp_alpha: -1.0, ..DecisionTreeParams::default() };
        assert!(negative.validate().is_err());
    }

    #[test]
    fn pruned_trees_have_the_leaves_of_those_of_scikit_learn() {
        // Just below and just above each strength of `cost_complexity_pruning_path` of scikit-learn
        // 1.9.1, whatever its seed.
        let x: Vec<f64> = (0..16).map(f64::from).collect();
        let z: Vec<f64> = (0..16).map(|i| f64::from(i * 7 % 16)).collect();
        let of = |y: &[f64]| regression(&[&x, &z], y);
        let numbers = of(&[
            3.1, 1.45, 4.2, 1.9, 5.3, 9.7, 2.6, 6.05, 5.85, 3.55, 5.0, 8.15, 9.35, 7.95, 9.1, 3.25,
        ]);
        let bits = |from: f64| {
            let y = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 2, 2].map(f64::from);
            of(&y.map(|y| math::min(y, from)))
        };
        type Path<'a> = &'a [(f64, u32, u32)];
        let of_numbers: Path<'_> = &[
            (0.00125, 16, 15),
            (0.001953125, 15, 14),
            (0.006328125, 14, 13),
            (0.009401041, 13, 12),
            (0.013203125, 12, 11),
            (0.022578125, 11, 10),
            (0.084609375, 10, 9),
            (0.095703125, 9, 8),
            (0.196992188, 8, 7),
            (0.390625, 7, 6),
            (0.520833333, 6, 5),
            (0.676513672, 5, 3),
            (1.86344401, 3, 2),
            (2.509388021, 2, 1),
        ];
        let of_two: Path<'_> = &[(0.070512821, 6, 3), (0.083104396, 3, 2), (0.135044643, 2, 1)];
        let of_three: Path<'_> =
            &[(0.068181818, 7, 4), (0.076704545, 4, 3), (0.120535714, 3, 2), (0.168526786, 2, 1)];
        for (table, task, path) in [
            (numbers, Task::Regression, of_numbers),
            (bits(1.0), Task::Binary, of_two),
            (bits(2.0), Task::Multiclass, of_three),
        ] {
            for &(strength, before, behind) in path {
                let found = [0.9999, 1.0001].map(|near| n_leaves(strength * near, &table, task));
                assert_eq!(found, [before, behind], "{task:?} {strength}");
            }
        }
    }
}
