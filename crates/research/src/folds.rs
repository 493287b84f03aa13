//! Folds: which rows are tested on, and which are trained on, each in turn.
//!
//! # Method
//! `k-fold`: a row, or a group of rows, falls by the draw that belongs to its key, so its fold does
//! not depend on any other row; folds differ in size as draws do. `stratified`: rows are put in the
//! order of class, then draw, then key, and dealt out in turn, so within each class, and in total,
//! folds differ by at most one row. For regression a class is a bin of the target's ranks, at most
//! ten and no more than rows per fold. With a group column whole groups are dealt out, those with
//! the most rows first, then by draw, then by key: each goes to the fold in which the classes of
//! its rows are rarest, by Σ (rows of a class in the group) · (rows of it in the fold) / (rows of
//! it), the fewest rows first among equals, then the lowest fold. `time`: distinct times are cut,
//! in their order, into one part more than there are folds, each closed as soon as it holds its
//! share of the rows; fold i trains on the parts before part i + 1 and is tested on that part, so
//! no fit sees what came after.
//!
//! Every scheme is a function of seed, keys and the multiset of rows.
//!
//! # Ties and order
//! Equal targets are in one bin, that of the lowest rank among them. Rows of one time are in one
//! part. Rows of one group stay together in `k-fold` and `stratified`; `time` refuses a group
//! column.
//!
//! # Errors
//! Fewer rows, groups, rows of a class, or distinct times than folds; a fold without rows to train
//! or to test on; a fold whose training rows all have one target.

mod checks;
mod groups;

use std::fmt;

use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{Batch, Column, MISSING_TIME};
use samescore_core::config::{Config, Task};
use samescore_core::digest::RowKey;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;
use samescore_core::rng::{Stream, fold};

use crate::metrics::Metric;
use crate::split;

pub(crate) use checks::check_train;
use checks::{check_test, refuse_group, too_few};

/// The most bins of a numeric target.
const N_BINS_MAX: usize = 10;

/// How rows are laid into folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Each row by its own draw.
    KFold,
    /// Evenly within each class, or within each bin of a numeric target.
    Stratified,
    /// Tested on later rows than trained on.
    Time {
        /// The column that says when; numbers or times.
        column: String,
    },
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheme::KFold => f.write_str("k-fold"),
            Scheme::Stratified => f.write_str("stratified"),
            Scheme::Time { column } => write!(f, "time by {column}"),
        }
    }
}

/// A scheme and a number of folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldPlan {
    /// How rows are laid into folds.
    pub scheme: Scheme,
    /// The number of folds, at least 2.
    pub n_folds: u64,
}

/// What folds are for: those of one use are unrelated to those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To judge a config.
    Judge,
    /// To search within the training rows of an outer fold.
    Inner,
    /// To judge a search.
    Outer,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Judge => "fold",
            Purpose::Inner => "inner fold",
            Purpose::Outer => "outer fold",
        }
    }
}

/// The folds of a table: the part in which each row is.
#[derive(Clone, Debug)]
pub struct Folds {
    n_folds: u32,
    is_ordered: bool,
    parts: Vec<Vec<u32>>,
}

impl Folds {
    /// Lays the rows into folds.
    ///
    /// # Errors
    /// If there are fewer than 2 folds, if the rows are too few for them, or if the column of times
    /// or the group column does not suit.
    pub fn new(
        config: &Config,
        rows: &MemoryRows,
        plan: &FoldPlan,
        purpose: Purpose,
    ) -> Result<Self> {
        if plan.n_folds < 2 {
            let message = format!("expected at least 2 folds, found {}", plan.n_folds);
            return Err(Error::new(Code::Usage, message));
        }
        let group = split::group_slot(config)?;
        match plan.scheme {
            Scheme::KFold | Scheme::Stratified => {}
            Scheme::Time { .. } => refuse_group(group, "time")?,
        }
        let n_rows = rows.n_rows();
        let n_folds = match u32::try_from(plan.n_folds) {
            Ok(n) if n as usize <= n_rows && n < u32::MAX => n,
            _ => return Err(too_few("rows", plan.n_folds, n_rows)),
        };
        let stream = Stream::new(config.seed, split::STEP, "", purpose.name());
        let parts = match &plan.scheme {
            Scheme::KFold => by_draw(rows, &stream, n_folds, group),
            Scheme::Stratified => match group {
                None => dealt(config, rows, &stream, n_folds)?,
                Some(group) => groups::dealt(config, rows, &stream, n_folds, group)?,
            },
            Scheme::Time { column } => by_time(config, rows, column, n_folds + 1)?,
        };
        let is_ordered = matches!(plan.scheme, Scheme::Time { .. });
        let folds = Folds { n_folds, is_ordered, parts };
        folds.check_sizes()?;
        Ok(folds)
    }

    /// The number of folds.
    pub fn n_folds(&self) -> u32 {
        self.n_folds
    }

    /// The rows that fold `fold` trains on.
    pub fn train(&self, rows: &MemoryRows, fold: u32) -> MemoryRows {
        split::select(rows, |block, row| self.is_train(self.parts[block][row], fold))
    }

    /// The rows that fold `fold` is tested on.
    pub fn test(&self, rows: &MemoryRows, fold: u32) -> MemoryRows {
        split::select(rows, |block, row| self.is_test(self.parts[block][row], fold))
    }

    /// Refuses folds in which all training rows have one target, and folds in which `metric` is
    /// not defined.
    ///
    /// # Errors
    /// The first such fold.
    pub fn check(&self, rows: &MemoryRows, task: Task, metric: Option<&Metric>) -> Result<()> {
        for fold in 0..self.n_folds {
            let train = self.targets(rows, |part| self.is_train(part, fold));
            check_train(&self.name(fold), &train, task)?;
            if let Some(metric) = metric {
                let test = self.targets(rows, |part| self.is_test(part, fold));
                check_test(&self.name(fold), &test, task, metric)?;
            }
        }
        Ok(())
    }

    /// What errors call a fold.
    pub fn name(&self, fold: u32) -> String {
        format!("fold {} of {}", fold + 1, self.n_folds)
    }

    fn is_train(&self, part: u32, fold: u32) -> bool {
        if self.is_ordered { part <= fold } else { part != fold }
    }

    fn is_test(&self, part: u32, fold: u32) -> bool {
        part == fold + u32::from(self.is_ordered)
    }

    fn targets(&self, rows: &MemoryRows, keep: impl Fn(u32) -> bool) -> Vec<f64> {
        let blocks = rows.blocks().iter().zip(&self.parts);
        let pairs = blocks.flat_map(|(block, parts)| block.target().iter().zip(parts));
        pairs.filter(|(_, part)| keep(**part)).map(|(y, _)| *y).collect()
    }

    fn check_sizes(&self) -> Result<()> {
        for fold in 0..self.n_folds {
            let n = |keep: &dyn Fn(u32) -> bool| {
                self.parts.iter().flatten().filter(|part| keep(**part)).count()
            };
            let wanted = [
                ("train", n(&|part| self.is_train(part, fold))),
                ("test", n(&|part| self.is_test(part, fold))),
            ];
            if let Some((verb, _)) = wanted.iter().find(|(_, n)| *n == 0) {
                let message =
                    format!("{}: expected rows to {verb} on, found none", self.name(fold));
                return Err(Error::new(Code::TooFewRows, message)
                    .remedy("ask for fewer folds, or give more rows"));
            }
        }
        Ok(())
    }
}

fn by_draw(
    rows: &MemoryRows,
    stream: &Stream,
    n_folds: u32,
    group: Option<usize>,
) -> Vec<Vec<u32>> {
    let part = |block: &Batch, row: usize| {
        fold(stream, split::key_of(block, row, group), u64::from(n_folds)) as u32
    };
    let blocks = rows.blocks().iter();
    blocks.map(|block| (0..block.n_rows()).map(|row| part(block, row)).collect()).collect()
}

/// Where a row is: block, and row in the block.
type Place = (usize, usize);

fn places(rows: &MemoryRows) -> impl Iterator<Item = Place> + '_ {
    let blocks = rows.blocks().iter().enumerate();
    blocks.flat_map(|(block, rows)| (0..rows.n_rows()).map(move |row| (block, row)))
}

fn empty_parts(rows: &MemoryRows) -> Vec<Vec<u32>> {
    rows.blocks().iter().map(|block| vec![0; block.n_rows()]).collect()
}

fn dealt(
    config: &Config,
    rows: &MemoryRows,
    stream: &Stream,
    n_folds: u32,
) -> Result<Vec<Vec<u32>>> {
    let strata = strata(config, rows, n_folds)?;
    let mut order: Vec<(u32, u64, RowKey, Place)> = places(rows)
        .zip(strata)
        .map(|((block, row), stratum)| {
            let key = rows.blocks()[block].fit_keys()[row];
            (stratum, stream.hash(key), key, (block, row))
        })
        .collect();
    order.sort();
    let mut parts = empty_parts(rows);
    for (nth, (_, _, _, (block, row))) in order.into_iter().enumerate() {
        parts[block][row] = nth as u32 % n_folds;
    }
    Ok(parts)
}

/// The class of each row, or the bin of its target.
fn strata(config: &Config, rows: &MemoryRows, n_folds: u32) -> Result<Vec<u32>> {
    let targets: Vec<f64> =
        rows.blocks().iter().flat_map(|block| block.target().iter().copied()).collect();
    if config.target.task == Task::Regression {
        return Ok(bins(&targets, (targets.len() / n_folds as usize).clamp(1, N_BINS_MAX)));
    }
    let classes: Vec<u32> = targets.iter().map(|y| *y as u32).collect();
    for class in 0..config.target.n_classes() {
        let n = classes.iter().filter(|c| **c == class).count();
        if n > 0 && n < n_folds as usize {
            let what = format!("rows of class {}", class_name(config, class));
            return Err(too_few(&what, u64::from(n_folds), n).column(&config.target.column));
        }
    }
    Ok(classes)
}

/// A class as the target's column says it.
fn class_name(config: &Config, class: u32) -> String {
    let target = &config.target;
    match (target.classes.get(class as usize), &target.positive) {
        (Some(label), _) => format!("`{label}`"),
        (None, Some(positive)) if class == 1 => format!("`{positive}`"),
        (None, Some(positive)) => format!("other than `{positive}`"),
        (None, None) => class.to_string(),
    }
}

fn bins(targets: &[f64], n_bins: usize) -> Vec<u32> {
    let mut bins = vec![0; targets.len()];
    let mut lowest = (0, None);
    for (rank, place) in math::argsort(targets).into_iter().enumerate() {
        let y = targets[place as usize];
        if lowest.1 != Some(y) {
            lowest = (rank, Some(y));
        }
        bins[place as usize] = (lowest.0 * n_bins / targets.len()) as u32;
    }
    bins
}

fn by_time(
    config: &Config,
    rows: &MemoryRows,
    column: &str,
    n_parts: u32,
) -> Result<Vec<Vec<u32>>> {
    if column == config.target.column {
        let message = "expected a column of times that is not the target";
        return Err(Error::new(Code::BadTarget, message).column(column));
    }
    let slot = rows.schema().slot(column)?;
    let mut timed = Vec::with_capacity(rows.n_rows());
    for (block, row) in places(rows) {
        timed.push((time_of(&rows.blocks()[block], slot, row, column)?, (block, row)));
    }
    timed.sort();
    let n_times = timed.chunk_by(|a, b| a.0 == b.0).count();
    if n_times < n_parts as usize {
        return Err(too_few("distinct times", u64::from(n_parts), n_times).column(column));
    }
    let (n_rows, n_parts) = (timed.len() as u64, u64::from(n_parts));
    let mut parts = empty_parts(rows);
    let (mut part, mut n_before) = (0u64, 0u64);
    for (nth, same) in timed.chunk_by(|a, b| a.0 == b.0).enumerate() {
        // A part is closed when it has its share, or when each part behind needs a time.
        let n_left = (n_times - nth) as u64;
        let is_full = n_before * n_parts >= (part + 1) * n_rows;
        let is_needed = n_left < n_parts - part;
        if nth > 0 && part + 1 < n_parts && (is_full || is_needed) {
            part += 1;
        }
        for (_, (block, row)) in same {
            parts[*block][*row] = part as u32;
        }
        n_before += same.len() as u64;
    }
    Ok(parts)
}

/// A number that is in the order of the times.
fn time_of(block: &Batch, slot: usize, row: usize, name: &str) -> Result<u64> {
    let placed = |e: Error| e.column(name).row(block.source_row(row));
    match block.column(slot) {
        Column::Time(v) if v[row] != MISSING_TIME => Ok((v[row] as u64) ^ (1 << 63)),
        Column::Num(v) if !math::is_missing(v[row]) => Ok(math::order_key(v[row])),
        Column::Text(_) => {
            let message = "expected a column of times or numbers, found text";
            Err(Error::new(Code::ColumnKindMismatch, message).column(name))
        }
        _ => {
            let message = "expected a time in every row, found a missing value";
            Err(placed(Error::new(Code::MissingValue, message)))
        }
    }
}
