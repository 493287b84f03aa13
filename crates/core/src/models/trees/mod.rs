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
pub(super) mod importance;
mod look;
pub(super) mod objective;
pub(super) mod outputs;
mod partition;
mod predict;
mod sample;
mod shap;
mod split;
pub(super) mod table;
pub(super) mod traverse;
mod walk;
