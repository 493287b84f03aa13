//! Fits many trees whose cuts are drawn, and takes the mean of their scores.
//!
//! # Method
//! Extremely randomised trees (Geurts, Ernst and Wehenkel 2006) with the parameter names and
//! defaults of scikit-learn 1.9.1. A split looks at `max_features` columns drawn anew; in each, one
//! cut is drawn among the bins that the leaf's rows occupy, each alike, and the best of these is
//! made. Text columns draw one of the sets that `decision_tree` would look at. `ccp_alpha` prunes
//! as there; `oob_score`, with `bootstrap`, judges as in `random_forest`.
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
//! As for `random_forest`; cuts are keyed by the tree, the column and the number of leaves looked
//! at before.
//! Contributions (TreeSHAP) and their base add up to the margin but for at most 2^-46 times (trees
//! + features) times the sum over trees of the largest absolute leaf value.
//!
//! # Errors
//! Parameters out of range; a missing or infinite target; an infinite value in a column; a
//! binary target of one class. A constant target or too few rows give trees of one leaf.
//!
//! # Example
//! x = 1, 2 and y = 0, 4: the only cut is x ≤ 1.5, so every tree scores 0 and 4.

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
pub struct ExtraTreesParams {
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

impl Default for ExtraTreesParams {
    fn default() -> Self {
        ExtraTreesParams {
            n_estimators: 100,
            max_features: MaxFeatures::Auto,
            bootstrap: false,
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

impl FitModel for ExtraTreesParams {
    type Fitted = ExtraTrees;

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

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<ExtraTrees> {
        self.settings().fit(rows, ctx)
    }

    fn examples() -> Vec<Example<Self>> {
        let few = ExtraTreesParams { n_estimators: 6, ..Default::default() };
        let shallow = ExtraTreesParams {
            max_features: MaxFeatures::Share(0.6),
            max_depth: 4,
            bootstrap: true,
            ..few.clone()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, few),
            Example::on(&["age", "area", "deck", "fare", "grade", "sex"], shallow),
        ]
    }
}

impl ExtraTreesParams {
    fn settings(&self) -> BagSettings {
        BagSettings {
            n_estimators: self.n_estimators,
            max_features: self.max_features,
            bootstrap: self.bootstrap,
            random_cuts: true,
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
pub type ExtraTrees = MeanForest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{fit_model, regression};

    #[test]
    fn the_documented_trees() {
        let params = ExtraTreesParams { n_estimators: 4, ..Default::default() };
        let forest = fit_model(&params, &regression(&[&[1.0, 2.0]], &[0.0, 4.0])).unwrap().forest;
        assert_eq!(forest.threshold, [1.5; 4]);
        assert_eq!(forest.value, [0.0, 4.0].repeat(4));
    }

    #[test]
    fn cuts_are_drawn() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let params = ExtraTreesParams { n_estimators: 5, max_depth: 1, ..Default::default() };
        let forest = fit_model(&params, &regression(&[&x], &x)).unwrap().forest;
        assert!(forest.threshold.iter().any(|&t| t != forest.threshold[0]));
    }
}
