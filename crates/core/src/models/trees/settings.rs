//! Settings that several tree models have, and their ranges.

use serde::{Deserialize, Serialize};

use super::bag::{BagParams, bag};
use super::binning::{BINS_MAX, Binned};
use super::grow::GrowParams;
use super::mean::MeanForest;
use super::table::Table;
use crate::aggregate::Rows;
use crate::batch::ColumnKind;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::models::ClassWeight;
use crate::step::FitContext;

/// Trees take numbers and labels.
pub(in crate::models) const KINDS: &[ColumnKind] = &[ColumnKind::Num, ColumnKind::Text];
/// The most trees of a model.
const TREES_MAX: u32 = 100_000;

/// How many columns a split looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFeatures {
    /// All for regression, the square root of their number for classes.
    #[default]
    Auto,
    /// All.
    All,
    /// The square root of their number, rounded down.
    Sqrt,
    /// The logarithm of their number to base 2, rounded down.
    Log2,
    /// So many.
    Count(u32),
    /// A share of them, rounded up.
    Share(f64),
}

impl MaxFeatures {
    /// How many of `n`; `None` for all.
    fn of(self, n: usize, has_classes: bool) -> Option<u32> {
        let root = math::sqrt(n as f64).floor() as u32;
        let count = match self {
            MaxFeatures::Auto if has_classes => root,
            MaxFeatures::Auto | MaxFeatures::All => return None,
            MaxFeatures::Sqrt => root,
            MaxFeatures::Log2 => usize::BITS - 1 - n.max(1).leading_zeros(),
            MaxFeatures::Count(count) => count,
            MaxFeatures::Share(share) => super::sample::count_of(n, share) as u32,
        };
        let count = count.max(1);
        ((count as usize) < n).then_some(count)
    }

    fn validate(self) -> Result<()> {
        match self {
            MaxFeatures::Count(0) => Err(out_of_range("max_features", "at least 1 column", 0.0)),
            MaxFeatures::Share(share) => in_share("max_features", share),
            _ => Ok(()),
        }
    }
}

/// What forests and the single tree share.
pub(in crate::models) struct BagSettings {
    pub n_estimators: u32,
    pub max_features: MaxFeatures,
    pub max_depth: u32,
    pub max_leaf_nodes: u32,
    pub min_samples_split: u32,
    pub min_samples_leaf: u32,
    pub min_impurity_decrease: f64,
    pub bootstrap: bool,
    pub random_cuts: bool,
    pub class_weight: ClassWeight,
    pub max_bin: u32,
    pub ccp_alpha: f64,
    pub oob_score: bool,
}

impl BagSettings {
    /// Checks ranges.
    ///
    /// # Errors
    /// If one is out of its range.
    pub fn validate(&self) -> Result<()> {
        at_least("n_estimators", self.n_estimators, 1)?;
        if self.n_estimators > TREES_MAX {
            return Err(out_of_range("n_estimators", "at most 100000", self.n_estimators.into()));
        }
        self.max_features.validate()?;
        at_least("min_samples_split", self.min_samples_split, 2)?;
        at_least("min_samples_leaf", self.min_samples_leaf, 1)?;
        bins("max_bin", self.max_bin)?;
        self.class_weight.validate()?;
        not_negative("min_impurity_decrease", self.min_impurity_decrease)?;
        not_negative("ccp_alpha", self.ccp_alpha)?;
        if self.oob_score && !self.bootstrap {
            let message = "expected `bootstrap` with `oob_score`, found none";
            let remedy = "without samples no row is out of a bag";
            return Err(Error::new(Code::BadParameter, message).remedy(remedy));
        }
        Ok(())
    }

    /// Fits the forest.
    ///
    /// # Errors
    /// If a row has no target or an infinite value.
    pub fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MeanForest> {
        let mut table = Table::new(rows, self.bootstrap)?;
        table.weigh_classes(&self.class_weight, ctx)?;
        let data = Binned::new(rows, ctx, &table.kept, self.max_bin)?;
        let node_features = self.max_features.of(data.n_features(), ctx.n_classes > 0);
        let is_wide = ctx.n_classes > 2;
        let data = if node_features.is_none() && !self.random_cuts && !is_wide {
            data.with_words()
        } else {
            data
        };
        let params = BagParams {
            n_trees: self.n_estimators,
            bootstrap: self.bootstrap,
            grow: GrowParams {
                max_leaves: unless_zero(self.max_leaf_nodes),
                max_depth: unless_zero(self.max_depth),
                min_rows: self.min_samples_leaf,
                min_split_rows: self.min_samples_split,
                min_hessian: 0.0,
                leaf_wise: self.max_leaf_nodes > 0,
                random_cuts: self.random_cuts,
                node_features,
                looks_further: true,
                cat_l2: 0.0,
                ..GrowParams::default()
            },
            min_impurity_decrease: self.min_impurity_decrease,
            ccp_alpha: self.ccp_alpha,
        };
        let forest = bag(&table, &data, &params, ctx);
        if !forest.value.iter().all(|x| x.is_finite()) {
            let message = "expected finite means of the target, found an overflow";
            return Err(Error::new(Code::NotFinite, message).remedy("scale the target"));
        }
        let out_of_bag = match self.oob_score {
            true => Some(params.out_of_bag(&forest, &table, rows, ctx)?),
            false => None,
        };
        Ok(MeanForest { forest, out_of_bag })
    }
}

/// For stored forms that leave a 0 out.
pub(in crate::models) fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// 0 means no bound.
pub(in crate::models) fn unless_zero(bound: u32) -> u32 {
    if bound == 0 { u32::MAX } else { bound }
}

fn out_of_range(name: &str, expected: &str, found: f64) -> Error {
    let message = format!("expected `{name}` of {expected}, found {found}");
    Error::new(Code::BadParameter, message)
}

/// # Errors
/// If `value` is below `least`.
pub(in crate::models) fn at_least(name: &str, value: u32, least: u32) -> Result<()> {
    if value >= least {
        return Ok(());
    }
    Err(out_of_range(name, &format!("at least {least}"), f64::from(value)))
}

/// # Errors
/// If `value` is negative or not finite.
pub(in crate::models) fn not_negative(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(out_of_range(name, "at least 0", value))
}

/// # Errors
/// If `value` is not above 0 and at most 1.
pub(in crate::models) fn in_share(name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(out_of_range(name, "above 0 and at most 1", value))
}

/// # Errors
/// If there can be no so many bins.
pub(in crate::models) fn bins(name: &str, value: u32) -> Result<()> {
    if (2..=BINS_MAX).contains(&value) {
        return Ok(());
    }
    Err(out_of_range(name, "2 to 65535", f64::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_to_look_at() {
        assert_eq!(MaxFeatures::Auto.of(50, true), Some(7));
        assert_eq!(MaxFeatures::Auto.of(50, false), None);
        assert_eq!(MaxFeatures::Log2.of(50, false), Some(5));
        assert_eq!(MaxFeatures::Log2.of(1, false), None);
        assert_eq!(MaxFeatures::Share(0.01).of(50, false), Some(1));
        assert_eq!(MaxFeatures::Count(50).of(50, false), None);
    }
}
