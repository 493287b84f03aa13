//! From rows to an artifact, and from a config to an honest evaluation: what the command and the
//! notebooks run.
//!
//! # Method
//! Key the rows; keep the declared share from the fit; fit on the rest; score what was kept through
//! the very plan that deploy runs; seal. Metrics are those of the rows that were kept; without a
//! split they are those of the training rows, and their names begin with `train_`.
//!
//! A table is in memory, or streamed: read from its source block by block on every pass. Its
//! figures then take the truth and the scores of the rows that were kept, 16 bytes a row or more
//! with several classes. Both ways give the same bytes.
//!
//! # Errors
//! A row in an error is the row of the source, whatever the split left out before it.

mod judge;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use samescore_core::aggregate::{Blocks, MemoryRows, Rows};
use samescore_core::artifact::Artifact;
use samescore_core::batch::{BLOCK_ROWS, Batch};
use samescore_core::config::{Config, DataConfig};
use samescore_core::digest::Fingerprint;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::Moments;
use samescore_core::par::{self, Threads};
use samescore_core::pipeline::{self, FitRows, Plan, PopulationCounts, StreamedTable, Table};
use samescore_core::step::Progress;

use crate::folds::{FoldPlan, Folds, Purpose};
use crate::metrics::Metric;
use crate::split::Split;

pub(crate) use judge::judge;

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
        let (train, test) = sides(&table, &split);
        let about = (table.fingerprint(), table.population().cloned());
        seal(config, about, &split, (train.into(), test.into()), hear)
    })
}

/// The same of a table that is read block by block, as often as the fit needs: larger than memory,
/// with the same artifact.
///
/// # Errors
/// As [`fit`], and if the source cannot be read or changes meanwhile.
pub fn fit_streamed(
    config: &Config,
    blocks: Arc<dyn Blocks>,
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Outcome> {
    threads.run(|| {
        let (about, split, sides) = open_streamed(config, blocks, hear)?;
        seal(config, about, &split, sides, hear)
    })
}

/// What an artifact says of the rows of a table.
type AboutRows = (Fingerprint, Option<PopulationCounts>);

/// The rows of a streamed table to fit on, and those to judge by.
fn open_streamed(
    config: &Config,
    blocks: Arc<dyn Blocks>,
    hear: Hear<'_>,
) -> Result<(AboutRows, Split, (FitRows, FitRows))> {
    let hear_blocks = |done: u64, total: u64| hear("reading", done, total);
    let table = StreamedTable::new_heard(config, blocks, Progress::new(&hear_blocks))?;
    let split = Split::of(config)?;
    let (train, test) = match split {
        Split::None => (table.rows(), table.rows()),
        _ => table.divide(|block, row| !split.is_test(block, row))?,
    };
    let about = (table.fingerprint(), table.population().cloned());
    Ok((about, split, (train.into(), test.into())))
}

/// Fits on the one side, judges by the other, and seals.
fn seal(
    config: &Config,
    (data, population): AboutRows,
    split: &Split,
    (train, test): (FitRows, FitRows),
    hear: Hear<'_>,
) -> Result<Outcome> {
    let test = (&test as &dyn Rows, test.n_rows());
    let (mut fitted, part) = fit_and_score_heard(config, train, test, &[], hear)?;
    fitted.population = population;
    let metrics = match split {
        Split::None => prefixed("train_", &part.metrics),
        _ => part.metrics,
    };
    let artifact = Artifact::seal(config, data, fitted, metrics.clone())?;
    let n_test = if split.keeps_rows() { part.n_test } else { 0 };
    let (n_train, n_unscored) = (part.n_train, part.n_unscored);
    Ok(Outcome { artifact, n_train, n_test, n_unscored, metrics })
}

/// Fits and scores without keeping the artifact: on the declared test part, or on each fold.
/// Takes the figures of `also` besides those of every fit. Tells `hear` how far it is.
///
/// # Errors
/// As [`fit`], and if there is neither a split nor a number of folds, or the rows are too few for
/// the folds.
pub fn evaluate(
    config: &Config,
    batch: &Batch,
    folds: Option<&FoldPlan>,
    also: &[Metric],
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Evaluation> {
    if folds.is_none() {
        check_kept(config)?;
    }
    threads.run(|| {
        let table = Table::new(config, batch)?;
        let parts = match folds {
            None => {
                let (train, test) = sides(&table, &Split::of(config)?);
                let test = (&test as &dyn Rows, test.n_rows());
                vec![fit_and_score_heard(config, train.into(), test, also, hear)?.1]
            }
            Some(plan) => {
                let rows = table.rows();
                let folds = Folds::new(config, rows, plan, Purpose::Judge)?;
                folds.check(rows, config.target.task, None)?;
                for metric in also {
                    folds.check(rows, config.target.task, Some(metric))?;
                }
                let counter = Counter::new("folds", u64::from(folds.n_folds()), hear);
                let each: Vec<u32> = (0..folds.n_folds()).collect();
                let parts = par::map(&each, |&fold| {
                    let (train, test) = (folds.train(rows, fold), folds.test(rows, fold));
                    let part = fit_and_score(config, train, &test, also).map(|(_, part)| part);
                    counter.one();
                    part
                });
                parts.into_iter().collect::<Result<_>>()?
            }
        };
        judged_by(&parts, also)?;
        let summary = summary(&parts);
        Ok(Evaluation { parts, summary })
    })
}

/// The same on the declared test part of a table that is read block by block.
///
/// # Errors
/// As [`evaluate`], and if the source cannot be read or changes meanwhile.
pub fn evaluate_streamed(
    config: &Config,
    blocks: Arc<dyn Blocks>,
    also: &[Metric],
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Evaluation> {
    check_kept(config)?;
    threads.run(|| {
        let (_, _, (train, test)) = open_streamed(config, blocks, hear)?;
        let test = (&test as &dyn Rows, test.n_rows());
        let parts = vec![fit_and_score_heard(config, train, test, also, hear)?.1];
        judged_by(&parts, also)?;
        let summary = summary(&parts);
        Ok(Evaluation { parts, summary })
    })
}

/// Refuses parts that lack a figure that was asked for.
fn judged_by(parts: &[Part], also: &[Metric]) -> Result<()> {
    for (nth, part) in (1..).zip(parts) {
        let missing = also.iter().find(|metric| !part.metrics.contains_key(metric.name));
        if let Some(Metric { name, .. }) = missing {
            let message = format!("part {nth}: expected `{name}` of its rows, found none defined");
            return Err(Error::new(Code::TooFewRows, message).remedy("ask for another metric"));
        }
    }
    Ok(())
}

/// Refuses a config that keeps no rows from its fit.
fn check_kept(config: &Config) -> Result<()> {
    match config.split {
        Some(_) => Ok(()),
        None => {
            let message = "expected rows that are kept from the fit, found no split";
            let remedy = "add [split] with a test_ratio to the config, or ask for folds";
            Err(Error::new(Code::Usage, message).remedy(remedy))
        }
    }
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

/// The rows to fit on, and those to judge by.
fn sides(table: &Table, split: &Split) -> (MemoryRows, MemoryRows) {
    let train = table.filter(|block, row| !split.is_test(block, row));
    let test = match split {
        Split::None => table.rows().clone(),
        _ => table.filter(|block, row| split.is_test(block, row)),
    };
    (train, test)
}

/// Fits on `train` and scores `test`.
///
/// # Errors
/// As [`fit`], and if there is no row to test on.
pub(crate) fn fit_and_score(
    config: &Config,
    train: MemoryRows,
    test: &MemoryRows,
    also: &[Metric],
) -> Result<(pipeline::Fitted, Part)> {
    fit_and_score_heard(config, train.into(), (test, test.n_rows()), also, &|_, _, _| ())
}

fn fit_and_score_heard(
    config: &Config,
    train: FitRows,
    (test, n_test): (&dyn Rows, usize),
    also: &[Metric],
    hear: Hear<'_>,
) -> Result<(pipeline::Fitted, Part)> {
    let n_train = train.n_rows() as u64;
    let fitted = pipeline::fit_heard(config, train, hear)?;
    let plan = Plan::new(config, fitted.pipeline.clone())?;
    if n_test == 0 {
        return Err(Error::new(Code::TooFewRows, "expected rows to test on, found none")
            .remedy("raise the test_ratio, or give more rows"));
    }
    let (n_unscored, metrics) = judge(config, &plan, test, also)?;
    let part = Part { n_train, n_test: n_test as u64, n_unscored, metrics };
    Ok((fitted, part))
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
