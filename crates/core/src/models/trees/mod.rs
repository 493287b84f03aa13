//! The tree engine, one file per phase: bins, histograms, splits, growth, draws, objectives, and
//! the stored forest.

pub(super) mod forest;
