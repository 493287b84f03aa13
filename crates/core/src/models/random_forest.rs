//! Fits many trees on samples of rows and columns, and takes the mean of their scores.
//!
//! # Method
//! Random forests (Breiman 2001) as in scikit-learn 1.9.1, whose parameter names and defaults these
//! are, but for two things: a row occurs Poisson(1) times in a tree's sample, so that its draw is a
//! function of the row alone, and columns are cut into at most `max_bin` bins of even counts. Trees
//! are those of `decision_tree`; each split looks at `max_features` columns drawn anew, and at
//! further ones while none of them has a split.
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
//! Parameters out of range; a missing or infinite target; an infinite value in a column; a
//! binary target of one class. A constant target or too few rows give trees of one leaf.
//!
//! # Example
//! x = 1, 2, 3, 4 and y = 1, 1, 5, 7 with `bootstrap` off: every tree is that of `decision_tree`,
//! and so are the scores 1, 1, 5, 7.

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
    /// What a row of each class counts.
    pub class_weight: ClassWeight,
    /// The most bins of a column, 2 to 65535.
    pub max_bin: u32,
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
        &[Task::Regression, Task::Binary, Task::Multiclass]
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        KINDS
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<RandomForest> {
        Ok(RandomForest { forest: self.settings().fit(rows, ctx)? })
    }

    fn examples() -> Vec<Example<Self>> {
        let few = RandomForestParams { n_estimators: 6, ..Default::default() };
        let shallow = RandomForestParams {
            max_features: MaxFeatures::Share(0.4),
            max_depth: 4,
            min_samples_leaf: 3,
            class_weight: ClassWeight::Balanced,
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
            class_weight: self.class_weight,
            max_bin: self.max_bin,
        }
    }
}

/// The fitted forest.
pub type RandomForest = MeanForest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{fit_model, regression};
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
}
