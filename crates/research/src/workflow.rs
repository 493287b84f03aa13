//! From rows to an artifact, and from a config to an honest evaluation: what the command and the
//! notebooks run.
//!
//! # Method
//! Key the rows; keep the declared share from the fit; fit on the rest; score what was kept through
//! the very plan that deploy runs; seal. Metrics are those of the rows that were kept; without a
//! split they are those of the training rows, and their names begin with `train_`.
//!
//! # Errors
//! A row in an error is the row of the source, whatever the split left out before it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use samescore_core::aggregate::MemoryRows;
use samescore_core::artifact::Artifact;
use samescore_core::batch::{BLOCK_ROWS, Batch};
use samescore_core::config::{Config, DataConfig};
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::Moments;
use samescore_core::par::{self, Threads};
use samescore_core::pipeline::{self, Plan, Table};

use crate::folds::{FoldPlan, Folds, Purpose};
use crate::metrics;
use crate::split::Split;

/// What a fit gives.
pub struct Outcome {
    /// The sealed artifact.
    pub artifact: Artifact,
    /// The number of rows fitted on.
    pub n_train: u64,
    /// The number of rows kept from the fit.
    pub n_test: u64,
    /// Rows among those of the metrics that got a reason instead of a score.
    pub n_unscored: u64,
    /// Figures of merit by name, as the artifact holds them.
    pub metrics: BTreeMap<String, f64>,
}

/// Figures of merit of one fold, or of the test part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The number of rows fitted on.
    pub n_train: u64,
    /// The number of rows scored.
    pub n_test: u64,
    /// Rows that got a reason instead of a score.
    pub n_unscored: u64,
    /// Figures of merit by name.
    pub metrics: BTreeMap<String, f64>,
}

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Each fold, or the test part alone.
    pub parts: Vec<Part>,
    /// By name: the mean over the parts, and the standard deviation (divisor n − 1) from two
    /// parts on.
    pub summary: BTreeMap<String, (f64, Option<f64>)>,
}

/// Hears how far a fit is: what is under way, and so much done of so much.
pub type Hear<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);

/// Fits `config` on `batch`, which has at least the declared columns, and seals the artifact. Uses
/// the threads of `threads`.
///
/// # Errors
/// The first thing that the config or the data make impossible, with step, column and row.
pub fn fit(config: &Config, batch: &Batch, threads: &Threads) -> Result<Outcome> {
    fit_in_blocks(config, batch, threads, BLOCK_ROWS, &|_, _, _| ())
}

/// The same with blocks of another size, which cannot change any result, and telling `hear` how far
/// it is.
///
/// # Errors
/// As [`fit`].
pub fn fit_in_blocks(
    config: &Config,
    batch: &Batch,
    threads: &Threads,
    block_rows: usize,
    hear: Hear<'_>,
) -> Result<Outcome> {
    threads.run(|| {
        let table = Table::with_block_rows(config, batch, block_rows)?;
        let split = Split::of(config)?;
        let (mut fitted, part) = fit_part(config, &table, &split, hear)?;
        fitted.population = table.population().cloned();
        let metrics = match split {
            Split::None => prefixed("train_", &part.metrics),
            _ => part.metrics,
        };
        let artifact = Artifact::seal(config, table.fingerprint(), fitted, metrics.clone())?;
        let n_test = if split.keeps_rows() { part.n_test } else { 0 };
        Ok(Outcome {
            artifact,
            n_train: part.n_train,
            n_test,
            n_unscored: part.n_unscored,
            metrics,
        })
    })
}

/// Fits and scores without keeping the artifact: on the declared test part, or on each fold.
/// Tells `hear` how far it is.
///
/// # Errors
/// As [`fit`], and if there is neither a split nor a number of folds, or the rows are too few for
/// the folds.
pub fn evaluate(
    config: &Config,
    batch: &Batch,
    folds: Option<&FoldPlan>,
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Evaluation> {
    if config.split.is_none() && folds.is_none() {
        return Err(Error::new(
            Code::Usage,
            "expected rows that are kept from the fit, found no split",
        )
        .remedy("add [split] with a test_ratio to the config, or ask for folds"));
    }
    threads.run(|| {
        let table = Table::new(config, batch)?;
        let parts = match folds {
            None => vec![fit_part(config, &table, &Split::of(config)?, hear)?.1],
            Some(plan) => {
                let rows = table.rows();
                let folds = Folds::new(config, rows, plan, Purpose::Judge)?;
                folds.check(rows, config.target.task, None)?;
                let counter = Counter::new("folds", u64::from(folds.n_folds()), hear);
                let each: Vec<u32> = (0..folds.n_folds()).collect();
                let parts = par::map(&each, |&fold| {
                    let (train, test) = (folds.train(rows, fold), folds.test(rows, fold));
                    let part = fit_and_score(config, train, &test).map(|(_, part)| part);
                    counter.one();
                    part
                });
                parts.into_iter().collect::<Result<_>>()?
            }
        };
        let summary = summary(&parts);
        Ok(Evaluation { parts, summary })
    })
}

/// Counts fits that are done.
pub(crate) struct Counter<'a> {
    what: &'a str,
    n_done: AtomicU64,
    total: u64,
    hear: Hear<'a>,
}

impl<'a> Counter<'a> {
    pub(crate) fn new(what: &'a str, total: u64, hear: Hear<'a>) -> Self {
        Counter { what, n_done: AtomicU64::new(0), total, hear }
    }

    /// One more is done.
    pub(crate) fn one(&self) {
        let n = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hear)(self.what, n, self.total);
    }
}

/// What to read to score with an artifact: its columns without the target.
pub fn scoring_data(config: &Config) -> DataConfig {
    let mut data = config.data.clone();
    data.columns.remove(&config.target.column);
    if let Some(weight) = data.weight.take() {
        data.columns.remove(&weight);
    }
    data
}

fn fit_part(
    config: &Config,
    table: &Table,
    split: &Split,
    hear: Hear<'_>,
) -> Result<(pipeline::Fitted, Part)> {
    let train = table.filter(|block, row| !split.is_test(block, row));
    let test = match split {
        Split::None => table.rows().clone(),
        _ => table.filter(|block, row| split.is_test(block, row)),
    };
    fit_and_score_heard(config, train, &test, hear)
}

/// Fits on `train` and scores `test`.
///
/// # Errors
/// As [`fit`], and if there is no row to test on.
pub(crate) fn fit_and_score(
    config: &Config,
    train: MemoryRows,
    test: &MemoryRows,
) -> Result<(pipeline::Fitted, Part)> {
    fit_and_score_heard(config, train, test, &|_, _, _| ())
}

fn fit_and_score_heard(
    config: &Config,
    train: MemoryRows,
    test: &MemoryRows,
    hear: Hear<'_>,
) -> Result<(pipeline::Fitted, Part)> {
    let n_train = train.n_rows() as u64;
    let fitted = pipeline::fit_heard(config, train, hear)?;
    let plan = Plan::new(config, fitted.pipeline.clone())?;
    if test.n_rows() == 0 {
        return Err(Error::new(Code::TooFewRows, "expected rows to test on, found none")
            .remedy("raise the test_ratio, or give more rows"));
    }
    let (n_unscored, metrics) = judge(config, &plan, test)?;
    let part = Part { n_train, n_test: test.n_rows() as u64, n_unscored, metrics };
    Ok((fitted, part))
}

/// How many rows got no score, and the figures of the others.
///
/// # Errors
/// Never for a plan of this config.
pub(crate) fn judge(
    config: &Config,
    plan: &Plan,
    rows: &MemoryRows,
) -> Result<(u64, BTreeMap<String, f64>)> {
    let (truth, scores, n_unscored) = score(plan, rows)?;
    let target = &config.target;
    Ok((n_unscored, metrics::of(target.task, &truth, &scores, target.n_outputs())))
}

/// The rows that the config's own split leaves to be fitted on, and how many it keeps.
///
/// # Errors
/// As [`Split::of`].
pub(crate) fn training_rows(config: &Config, table: &Table) -> Result<(MemoryRows, u64)> {
    let split = Split::of(config)?;
    let train = table.filter(|block, row| !split.is_test(block, row));
    let n_kept = (table.n_rows() - train.n_rows()) as u64;
    Ok((train, n_kept))
}

/// Targets and scores (one per class of several) of the rows that got a score, and how many got
/// none.
fn score(plan: &Plan, rows: &MemoryRows) -> Result<(Vec<f64>, Vec<f64>, u64)> {
    let (mut truth, mut scored, mut n_unscored) = (Vec::new(), Vec::new(), 0);
    for block in rows.blocks() {
        let scores = plan.score(block)?;
        for (row, &y) in block.target().iter().enumerate() {
            match scores.values(row) {
                Ok(values) => {
                    truth.push(y);
                    scored.extend_from_slice(values);
                }
                Err(_) => n_unscored += 1,
            }
        }
    }
    Ok((truth, scored, n_unscored))
}

fn prefixed(prefix: &str, metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    metrics.iter().map(|(name, value)| (format!("{prefix}{name}"), *value)).collect()
}

pub(crate) fn summary(parts: &[Part]) -> BTreeMap<String, (f64, Option<f64>)> {
    let mut by_name: BTreeMap<String, Moments> = BTreeMap::new();
    for part in parts {
        for (name, value) in &part.metrics {
            by_name.entry(name.clone()).or_default().observe(*value);
        }
    }
    let summed = by_name.into_iter().filter_map(|(name, m)| Some((name, (m.mean()?, m.std(1)))));
    summed.collect()
}
