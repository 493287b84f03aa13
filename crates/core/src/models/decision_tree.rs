//! Fits one tree of splits that lower the impurity most.
//!
//! # Method
//! CART as in scikit-learn 1.9.1, whose parameter names and defaults these are: from the top, each
//! leaf is split where the squared error of its mean, for classes the Gini impurity, falls most. A
//! split must lower it; scikit-learn also makes splits that gain nothing. A column with more than
//! `max_bin` distinct values is cut into `max_bin` bins of even counts. Text columns are split by
//! sets of labels: up to 4 labels of a leaf one against the others, more in order of their mean.
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
//! rounded once. Columns drawn for a split are keyed by the number of leaves looked at before.
//! Contributions (TreeSHAP) and their base add up to the margin but for at most 2^-46 times (1 +
//! features) times the largest absolute leaf value.
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
use super::trees::settings::{BagSettings, KINDS, MaxFeatures};
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
    /// What a row of each class counts.
    pub class_weight: ClassWeight,
    /// The most bins of a column, 2 to 65535.
    pub max_bin: u32,
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
        &[Task::Regression, Task::Binary, Task::Multiclass]
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        KINDS
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<DecisionTree> {
        Ok(DecisionTree { forest: self.settings().fit(rows, ctx)? })
    }

    fn examples() -> Vec<Example<Self>> {
        let small = DecisionTreeParams { max_depth: 3, ..Default::default() };
        let few = DecisionTreeParams {
            max_features: MaxFeatures::Count(2),
            max_leaf_nodes: 5,
            min_samples_leaf: 4,
            class_weight: ClassWeight::Balanced,
            max_bin: 40,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, DecisionTreeParams::default()),
            Example::on(&["age", "deck", "fare", "grade", "rooms", "sex"], small),
            Example::on(&["age", "area", "grade", "rooms"], few),
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
            class_weight: self.class_weight,
            max_bin: self.max_bin,
        }
    }
}

/// The fitted tree.
pub type DecisionTree = MeanForest;

#[cfg(test)]
mod tests {
    use super::*;
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
}
