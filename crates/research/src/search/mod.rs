//! The search for the best parameters of a pipeline: grid, random, or successive halving, judged on
//! folds, with a figure for the search itself.
//!
//! # Method
//! Each trial is a config; each is fitted on the training rows of every fold and judged on the rest
//! of it. Rows that the config's own split keeps take no part, so `fit` with the winner tells how
//! it does on rows that the search has not seen. Successive halving: the first rung judges every
//! trial on fits with a small share of the training rows, the best third (rounded up) goes on to a
//! rung with three times the share, and the last rung uses all. Rungs: one more than the number of
//! times that the trials can be divided by three, but no more than leave the first rung with 30
//! training rows.
//!
//! Nested: the whole search is done again within the training rows of each outer fold, and its
//! winner is judged on the rest of it. The mean of those figures is that of the search; the best
//! trial's own mean is too good, because it was chosen for it.
//!
//! # Ties and order
//! Trials are ranked by rung, then by rows left without a score (fewer first: others were judged on
//! easier rows), then by the mean of the metric over folds, then by number. A trial that cannot be
//! fitted ranks last, with its reason. A drawn trial that equals an earlier one is left out.
//! Fits run in parallel; nothing depends on which ends first.
//!
//! # Errors
//! A trial that is no valid config, before any fit; rows too few for the folds; a fold or rung with
//! one class or a constant target; no trial that can be fitted.

mod journal;
mod read;
mod run;
mod space;

use samescore_core::config::Config;
use samescore_core::error::Result;

use crate::folds::FoldPlan;
use crate::metrics::Metric;
use crate::subset::Share;
use crate::workflow::Part;

pub use journal::{Journal, Place};
pub use run::Search;
pub use space::{N_TRIALS_MAX, Space, show};

/// How trials are chosen, and how many rows each is fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Every combination.
    Grid,
    /// Drawn.
    Random,
    /// Drawn; the best of few rows go on to more.
    Halving,
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Grid => "grid",
            Method::Random => "random",
            Method::Halving => "halving",
        }
    }
}

/// What is asked of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How trials are chosen.
    pub method: Method,
    /// How many are drawn; without effect on a grid.
    pub n_trials: u64,
    /// How they are judged.
    pub folds: FoldPlan,
    /// By which figure.
    pub metric: Metric,
    /// How many outer folds judge the search itself, if any.
    pub n_outer: Option<u64>,
    /// How many rungs successive halving has, if it is not ours to choose.
    pub n_rungs: Option<u32>,
}

/// A config to be judged.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its number, from 1.
    pub number: u64,
    /// The value of each parameter, in the order of their names.
    pub values: Vec<toml::Value>,
    /// The config with them.
    pub config: Config,
}

/// How good a trial is.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its place among the trials.
    pub index: usize,
    /// The last rung that it came to, from 0.
    pub rung: u32,
    /// What came of its fits there.
    pub outcome: Result<Merit>,
}

/// Figures over the folds.
#[derive(Clone, Debug, PartialEq)]
pub struct Merit {
    /// The mean of the metric over the folds.
    pub mean: f64,
    /// Its standard deviation (divisor n − 1).
    pub sd: Option<f64>,
    /// The metric of each fold.
    pub by_fold: Vec<f64>,
    /// Rows of all folds that got a reason instead of a score.
    pub n_unscored: u64,
}

/// A rung of successive halving; a search without has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// The share of the training rows.
    pub share: Share,
    /// The number of trials.
    pub n_trials: u64,
}

/// How a search did on an outer fold.
#[derive(Clone, Debug)]
pub struct Outer {
    /// Its winner's place among the trials.
    pub index: usize,
    /// The mean of the metric over the inner folds.
    pub inner: f64,
    /// The figures on the outer fold.
    pub part: Part,
    /// The metric there.
    pub value: f64,
}

/// What a search finds.
#[derive(Clone, Debug)]
pub struct Report {
    /// The trials, by number.
    pub trials: Vec<Trial>,
    /// The trials, the best first.
    pub ranked: Vec<Judged>,
    /// The rungs.
    pub rungs: Vec<Rung>,
    /// Rows that took part.
    pub n_rows: u64,
    /// Rows that the config's split keeps from the search.
    pub n_kept: u64,
    /// How the search did on each outer fold.
    pub outer: Vec<Outer>,
    /// Mean and standard deviation of the metric over the outer folds.
    pub honest: Option<(f64, Option<f64>)>,
}

impl Report {
    /// The best trial.
    pub fn winner(&self) -> &Trial {
        &self.trials[self.ranked[0].index]
    }
}
