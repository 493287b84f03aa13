//! The tree engine, one file per phase: the rows of a fit, bins, histograms, splits, growth, draws,
//! losses, boosting and bagging, the stored forest and its walk.
//!
//! Everything that adds over rows adds whole numbers, so neither the order of rows nor threads can
//! move a bit, and rows are never sorted.

pub(super) mod bag;
pub(super) mod binning;
mod bits;
pub(super) mod boost;
mod build;
mod codes;
mod direct;
#[cfg(test)]
mod draws;
mod find;
pub(super) mod forest;
pub(super) mod grow;
mod histogram;
mod importance;
mod leaves;
mod look;
pub(super) mod mean;
pub(super) mod objective;
mod oob;
#[cfg(test)]
mod oracle;
mod outputs;
mod partition;
mod predict;
mod prune;
mod sample;
mod scan;
pub(super) mod settings;
mod shap;
mod split;
pub(super) mod table;
mod terms;
mod traverse;
mod walk;
mod words;

/// How many of `n` columns a share is.
pub(super) fn sample_count(n: usize, ratio: f64) -> usize {
    sample::count_of(n, ratio)
}
