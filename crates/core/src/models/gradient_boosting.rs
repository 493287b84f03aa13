//! Fits trees one after the other, each a step against the gradient of the loss.
//!
//! # Method
//! Gradient boosting with histograms as in LightGBM 4.7.0, whose parameter names and defaults these
//! are. A round adds a tree (for k classes, one per class): its splits gain most by second-order
//! expansion of the loss, its leaf values are −T(G) / (H + `reg_lambda`) times `learning_rate`,
//! where G and H are the sums of gradients and second derivatives and T moves G towards 0 by
//! `reg_alpha`. With `loss` = "absolute_error" or "quantile" the values are quantiles of the
//! residuals. For classes the loss is the log loss. Numbers are cut into at most `max_bin` bins.
//! `growth` = "leaf" splits the leaf with the highest gain next, "depth" level by level. `top_rate`
//! and `other_rate` sample rows one-sidedly by gradient (GOSS).
//!
//! # Shape
//! Numeric and text columns in. For regression the score is the prediction, for two classes the
//! probability of class 1, else the probability of each class. The fit holds two bytes per value
//! and, per row, its target, scores and a few numbers; it does not sort rows.
//!
//! # Missing
//! A split learns the side of missing values; one that had none sends them where more of its rows
//! went. Labels that the fit did not see, or beyond the `max_bin` most frequent ones, are missing.
//!
//! # Ties and order
//! Gradients are rounded to multiples of powers of two before they are added, as whole numbers, so
//! neither the order of rows nor threads matter; sums for leaf values are rounded to 2^-50 of the
//! largest term. Equal gains: lower column, lower bin, missing left, earlier leaf. Rows and columns
//! are drawn by key. A validation row is one whose draw falls into `validation_fraction`; the fit
//! ends when its loss has not improved for `early_stopping_rounds` rounds, and keeps the best.
//! Contributions (TreeSHAP) and their base add up to the margin but for at most 2^-46 times (trees
//! + features) times the sum over trees of the largest absolute leaf value, plus that of the start.
//!
//! # Errors
//! Parameters out of range; a missing or infinite target, one outside the loss's range, one class
//! only; an infinite value in a column; constraints on columns that are not there. A constant
//! target gives a model without splits.
//!
//! # Example
//! x = 0, 0, 1, 1 and y = 1, 1, 3, 3 with `n_estimators` = 1, `learning_rate` = 0.5 and
//! `min_child_samples` = 1: the start is 2, the leaves are −1/2 and 1/2, the scores 1.5 and 2.5.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::link::Link;
use super::ClassWeight;
use super::trees::binning::Binned;
use super::trees::boost::{BoostParams, RowSample, boost};
use super::trees::forest::Forest;
use super::trees::grow::GrowParams;
use super::trees::objective::Objective;
use super::trees::settings::{self, KINDS, at_least, in_share, not_negative};
use super::trees::table::Table;
use crate::aggregate::Rows;
use crate::batch::{Batch, ColumnKind, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitModel, Output, Predict, TargetLoss};

/// The loss, the trees, the samples, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientBoostingParams {
    /// The loss of a regression.
    pub loss: Loss,
    /// For "huber" the residual from which the loss is linear, for "quantile" the quantile.
    pub alpha: f64,
    /// For "tweedie" the power, above 1 and below 2.
    pub tweedie_variance_power: f64,
    /// The most rounds, at least 1.
    pub n_estimators: u32,
    /// What a step is multiplied by, above 0.
    pub learning_rate: f64,
    /// The most leaves of a tree, at least 2.
    pub num_leaves: u32,
    /// The most splits above a leaf; 0 for no bound.
    pub max_depth: u32,
    /// Which leaf is split next.
    pub growth: Growth,
    /// The fewest rows of a leaf, at least 1.
    pub min_child_samples: u32,
    /// The least sum of second derivatives of a leaf.
    pub min_child_weight: f64,
    /// The L1 strength.
    pub reg_alpha: f64,
    /// The L2 strength.
    pub reg_lambda: f64,
    /// What a split must gain more than.
    pub min_split_gain: f64,
    /// The most bins of a column, 2 to 65535; above 255 the fit is slower.
    pub max_bin: u32,
    /// The share of rows that a round sees.
    pub subsample: f64,
    /// The share of rows with the largest gradients that a round keeps; 0 for no such sampling.
    pub top_rate: f64,
    /// The share of all rows that it takes from the others, above 0 with `top_rate` and only then.
    pub other_rate: f64,
    /// The share of columns that a tree sees.
    pub colsample_bytree: f64,
    /// The share of these that a level sees.
    pub colsample_bylevel: f64,
    /// The share of these that a leaf sees.
    pub colsample_bynode: f64,
    /// Columns in which predictions may only rise (1) or only fall (-1).
    pub monotone_constraints: BTreeMap<String, i8>,
    /// Sets of columns that may meet in a branch; a column in no set meets none.
    pub interaction_constraints: Vec<Vec<String>>,
    /// What is added to H where labels are put in order; labels of fewer rows in a leaf are in no
    /// set of it.
    pub cat_smooth: f64,
    /// The L2 strength more for both sides of a split by a set of labels.
    pub cat_l2: f64,
    /// The most labels of a set.
    pub max_cat_threshold: u32,
    /// Where a column has up to so many labels, one is split from the others.
    pub max_cat_to_onehot: u32,
    /// By so many rows a set of labels must be larger than the one tried before, and as many must
    /// be outside it; 0 for all sets of all labels. Not where one label is split from the others.
    #[serde(skip_serializing_if = "is_group_rows")]
    pub min_data_per_group: u32,
    /// What a row of each class counts: one, n / (k n_class), or as a table by label says.
    pub class_weight: ClassWeight,
    /// Rounds without improvement after which to stop; 0 for never.
    pub early_stopping_rounds: u32,
    /// The share of rows to validate with, if the fit may stop early.
    pub validation_fraction: f64,
}

fn group_rows() -> u32 {
    100
}

fn is_group_rows(n_rows: &u32) -> bool {
    *n_rows == group_rows()
}

impl Default for GradientBoostingParams {
    fn default() -> Self {
        GradientBoostingParams {
            loss: Loss::SquaredError,
            alpha: 0.9,
            tweedie_variance_power: 1.5,
            n_estimators: 100,
            learning_rate: 0.1,
            num_leaves: 31,
            max_depth: 0,
            growth: Growth::Leaf,
            min_child_samples: 20,
            min_child_weight: 1e-3,
            reg_alpha: 0.0,
            reg_lambda: 0.0,
            min_split_gain: 0.0,
            max_bin: 255,
            subsample: 1.0,
            top_rate: 0.0,
            other_rate: 0.0,
            colsample_bytree: 1.0,
            colsample_bylevel: 1.0,
            colsample_bynode: 1.0,
            monotone_constraints: BTreeMap::new(),
            interaction_constraints: Vec::new(),
            cat_smooth: 10.0,
            cat_l2: 10.0,
            max_cat_threshold: 32,
            max_cat_to_onehot: 4,
            min_data_per_group: group_rows(),
            class_weight: ClassWeight::None,
            early_stopping_rounds: 0,
            validation_fraction: 0.1,
        }
    }
}

impl FitModel for GradientBoostingParams {
    type Fitted = GradientBoosting;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        for (name, value, least) in [
            ("n_estimators", self.n_estimators, 1),
            ("num_leaves", self.num_leaves, 2),
            ("min_child_samples", self.min_child_samples, 1),
            ("max_cat_threshold", self.max_cat_threshold, 1),
        ] {
            at_least(name, value, least)?;
        }
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("min_child_weight", self.min_child_weight),
            ("reg_alpha", self.reg_alpha),
            ("reg_lambda", self.reg_lambda),
            ("min_split_gain", self.min_split_gain),
            ("cat_smooth", self.cat_smooth),
            ("cat_l2", self.cat_l2),
            ("top_rate", self.top_rate),
            ("other_rate", self.other_rate),
        ] {
            not_negative(name, value)?;
        }
        for (name, value) in [
            ("subsample", self.subsample),
            ("colsample_bytree", self.colsample_bytree),
            ("colsample_bylevel", self.colsample_bylevel),
            ("colsample_bynode", self.colsample_bynode),
            ("validation_fraction", self.validation_fraction),
        ] {
            in_share(name, value)?;
        }
        settings::bins("max_bin", self.max_bin)?;
        self.class_weight.validate()?;
        self.validate_combinations()
    }

    fn tasks(&self) -> &'static [Task] {
        match self.loss {
            // A constraint says which way a prediction goes; of several classes it says nothing.
            Loss::SquaredError if !self.monotone_constraints.is_empty() => {
                &[Task::Regression, Task::Binary]
            }
            Loss::SquaredError => self.class_weight.tasks(),
            _ => &[Task::Regression],
        }
    }

    fn task_reason(&self) -> String {
        self.loss_named()
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

    fn target_loss(&self) -> Option<TargetLoss> {
        self.loss.target_loss(self.alpha, self.tweedie_variance_power)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<GradientBoosting> {
        let grow = self.grow_params(ctx)?;
        let draws_rows = self.subsample < 1.0
            || self.top_rate > 0.0
            || self.other_rate > 0.0
            || self.early_stopping_rounds > 0;
        let mut table = Table::new(rows, draws_rows)?;
        table.weigh_classes(&self.class_weight, ctx)?;
        let data = Binned::new(rows, ctx, &table.kept, self.max_bin)?;
        let data = if grow.node_features.is_none() { data.with_words() } else { data };
        let params = BoostParams {
            objective: self.objective(ctx),
            n_rounds: self.n_estimators,
            learning_rate: self.learning_rate,
            grow,
            rows: if self.top_rate > 0.0 {
                RowSample::OneSided { top: self.top_rate, other: self.other_rate }
            } else if self.subsample < 1.0 {
                RowSample::Share(self.subsample)
            } else {
                RowSample::All
            },
            tree_features: self.colsample_bytree,
            early_stopping: (self.early_stopping_rounds > 0)
                .then_some((self.early_stopping_rounds, self.validation_fraction)),
        };
        let boosted = boost(&table, &data, &params, ctx)?;
        Ok(GradientBoosting {
            forest: boosted.forest,
            link: Link::of(params.objective),
            validation_loss: boosted.validation_loss,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        examples::all()
    }
}

impl GradientBoostingParams {
    fn objective(&self, ctx: &FitContext<'_>) -> Objective {
        match (ctx.n_classes, self.loss) {
            (2, _) => Objective::Binary,
            (3.., _) => Objective::Softmax { n_classes: ctx.n_classes as usize },
            (_, Loss::SquaredError) => Objective::Squared,
            (_, Loss::AbsoluteError) => Objective::Absolute,
            (_, Loss::Huber) => Objective::Huber { delta: self.alpha },
            (_, Loss::Quantile) => Objective::Quantile { level: self.alpha },
            (_, Loss::Poisson) => Objective::Poisson,
            (_, Loss::Gamma) => Objective::Gamma,
            (_, Loss::Tweedie) => Objective::Tweedie { power: self.tweedie_variance_power },
        }
    }

    fn grow_params(&self, ctx: &FitContext<'_>) -> Result<GrowParams> {
        let (monotone, interactions) = constraints::of(self, ctx)?;
        Ok(GrowParams {
            max_leaves: self.num_leaves,
            max_depth: settings::unless_zero(self.max_depth),
            min_rows: self.min_child_samples,
            min_split_rows: 2,
            min_hessian: self.min_child_weight,
            l1: self.reg_alpha,
            l2: self.reg_lambda,
            min_gain: self.min_split_gain,
            leaf_wise: self.growth == Growth::Leaf,
            random_cuts: false,
            level_features: constraints::count(ctx, self.colsample_bytree, self.colsample_bylevel),
            node_features: constraints::count(
                ctx,
                self.colsample_bytree * self.colsample_bylevel,
                self.colsample_bynode,
            ),
            looks_further: false,
            monotone,
            interactions,
            cat_smooth: self.cat_smooth,
            cat_l2: self.cat_l2,
            cat_set_max: self.max_cat_threshold,
            cat_one_vs_rest_max: self.max_cat_to_onehot,
            cat_group_rows: self.min_data_per_group,
        })
    }
}

mod choices;
mod constraints;
mod examples;
mod link;
mod ranges;
#[cfg(test)]
mod tests;

pub use choices::{Growth, Loss};

/// Trees, and how scores become predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientBoosting {
    forest: Forest,
    link: Link,
    validation_loss: Option<f64>,
}

impl Predict for GradientBoosting {
    fn check(&self, features: &Schema) -> Result<()> {
        self.forest.check(features)?;
        let is_several = self.forest.n_outputs > 1;
        let loss_holds = self.validation_loss.is_none_or(f64::is_finite);
        if is_several == (self.link == Link::Softmax) && !self.forest.is_mean && loss_holds {
            return Ok(());
        }
        Err(Error::new(Code::Malformed, "expected a boosted forest, found another one"))
    }

    fn n_outputs(&self) -> usize {
        self.forest.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        self.forest.margins(batch, slots, scores);
        let n_outputs = self.n_outputs();
        let objective = self.link.objective(n_outputs);
        scores.chunks_exact_mut(n_outputs).for_each(|row| objective.link(row));
        Ok(())
    }

    fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        self.forest.outputs(output, features)
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        self.forest.output(output, batch, slots, values)
    }

    fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
        self.forest.importances()
    }

    fn own_figures(&self) -> Vec<(String, f64)> {
        self.validation_loss.map(|loss| ("validation loss".to_owned(), loss)).into_iter().collect()
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let mut facts = self.forest.facts();
        facts.extend(self.own_figures());
        facts
    }
}
