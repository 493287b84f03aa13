//! Permutation importance: how much worse the figure of merit gets when one input column is drawn
//! anew from its own values.
//!
//! # Method
//! The rows are brought into key order. For each input column and repeat its values are given to
//! the rows in an order drawn by (seed, column, repeat), the rows are scored through the plan that
//! deploy runs, and the figure is taken again. The importance is by how much it is worse: figure −
//! permuted where more is better, else permuted − figure. So neither the order of the source, nor
//! threads, nor the other columns asked for can move a bit. Columns that share what they know hide
//! each other.
//!
//! # Errors
//! If the figure is not defined for the rows.

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Schema};
use samescore_core::config::Config;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::Moments;
use samescore_core::pipeline::{Plan, Table};
use samescore_core::rng::{Stream, permutation};

use crate::metrics::Metric;
use crate::workflow::{self, Hear};

const STEP: &str = "importance";

/// How much one column matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Permuted {
    /// The input column.
    pub column: String,
    /// The mean over the repeats of how much worse the figure got.
    pub mean: f64,
    /// The standard deviation (divisor n − 1) from two repeats on.
    pub std: Option<f64>,
}

/// The importance of every input column.
#[derive(Clone, Debug, PartialEq)]
pub struct Permutation {
    /// The figure of the rows as they are.
    pub figure: f64,
    /// The number of rows.
    pub n_rows: u64,
    /// Rows that got a reason instead of a score.
    pub n_unscored: u64,
    /// In the order of the input.
    pub columns: Vec<Permuted>,
}

/// Shuffles every input column but the key, `n_repeats` times each.
///
/// # Errors
/// If there is no repeat, the source lacks a column or the target, or the figure is not defined.
pub fn permuted(
    plan: &Plan,
    config: &Config,
    batch: &Batch,
    (metric, n_repeats): (&Metric, u64),
    hear: Hear<'_>,
) -> Result<Permutation> {
    if !(1..=1000).contains(&n_repeats) {
        let message = format!("expected 1 to 1000 repeats, found {n_repeats}");
        return Err(Error::new(Code::Usage, message));
    }
    let rows = canonical(&Table::new(config, batch)?);
    let (n_unscored, figure) = figure_of(plan, config, rows.clone(), metric)?;
    let names: Vec<&str> = plan.input().names().collect();
    let shuffled: Vec<&str> =
        names.into_iter().filter(|name| !config.data.key.iter().any(|k| k == name)).collect();
    let total = shuffled.len() as u64 * n_repeats;
    let (mut n_done, mut columns) = (0, Vec::with_capacity(shuffled.len()));
    for name in shuffled {
        let mut worse = Moments::new();
        for repeat in 0..n_repeats {
            hear("shuffling", n_done, total);
            let changed = shuffle(config, &rows, name, repeat)?;
            let (_, other) = figure_of(plan, config, changed, metric)?;
            worse.observe(if metric.is_higher_better { figure - other } else { other - figure });
            n_done += 1;
        }
        let mean = worse.mean().unwrap_or_default();
        columns.push(Permuted { column: name.to_owned(), mean, std: worse.std(1) });
    }
    Ok(Permutation { figure, n_rows: rows.n_rows() as u64, n_unscored, columns })
}

/// All rows of a table as one batch in key order.
fn canonical(table: &Table) -> Batch {
    let mut blocks = table.rows().blocks().iter();
    let mut all = blocks.next().cloned().unwrap_or_default();
    blocks.for_each(|block| all.append(block));
    let mut order: Vec<usize> = (0..all.n_rows()).collect();
    order.sort_by_key(|&row| all.fit_keys()[row]);
    all.select(&order)
}

/// The rows with the values of one column in a drawn order.
fn shuffle(config: &Config, rows: &Batch, name: &str, repeat: u64) -> Result<Batch> {
    let slot = rows.schema().slot(name)?;
    let field = rows.schema().fields()[slot].clone();
    let alone = Batch::new(Schema::new([field])?.into(), vec![rows.column(slot).clone()])?;
    let stream = Stream::new(config.seed, STEP, name, &format!("repeat {repeat}"));
    let order = permutation(rows.n_rows() as u64, &mut stream.pcg());
    let order: Vec<usize> = order.into_iter().map(|row| row as usize).collect();
    let mut changed = rows.clone();
    changed.replace(slot, alone.select(&order).column(0).clone());
    Ok(changed)
}

fn figure_of(plan: &Plan, config: &Config, rows: Batch, metric: &Metric) -> Result<(u64, f64)> {
    let rows = MemoryRows::from_batch(rows);
    let (n_unscored, figures) = workflow::judge(config, plan, &rows, std::slice::from_ref(metric))?;
    let figure = figures.get(metric.name).copied().ok_or_else(|| {
        let message = format!("expected rows for which {} is defined, found others", metric.name);
        Error::new(Code::TooFewRows, message).remedy("give more rows, or name another metric")
    })?;
    Ok((n_unscored, figure))
}
