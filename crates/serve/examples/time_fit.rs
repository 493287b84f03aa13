//! One fit on a generated table, timed: what `cargo xtask bench` runs beside the same fit of a
//! peer.
//!
//! ```text
//! time_fit write N_ROWS N_FEATURES FILE      the table as little-endian doubles, for the peer
//! time_fit TASK N_ROWS N_FEATURES THREADS    one JSON object: by, seconds, figure
//! ```
//!
//! Labels are the numbers of their levels, so that both sides see the same. The first four fifths
//! of the rows are fitted on; the figure is the AUC or R2 of the others.

use std::sync::Arc;
use std::time::Instant;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, ColumnKind, MISSING_CODE, RowKeyer, Schema, fit_keys};
use samescore_core::config::Task;
use samescore_core::error::{Code, Error, Result};
use samescore_core::example::{WIDE_BINARY_TARGET, WIDE_REGRESSION_TARGET, wide_table};
use samescore_core::math::{self, Moments};
use samescore_core::models::*;
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_core::step::FitContext;

const SEED: u64 = 102;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = run(&words) {
        eprintln!("error: {error}");
        std::process::exit(2);
    }
}

fn run(words: &[&str]) -> Result<()> {
    let usage = || Error::new(Code::Usage, "expected TASK or `write`, N_ROWS, N_FEATURES, and one");
    let [task, n_rows, n_features, last] = words else {
        return Err(usage());
    };
    let number = |text: &str| text.parse::<usize>().map_err(|_| usage());
    let table = numbers(&wide_table(number(n_rows)?, number(n_features)?, SEED))?;
    match *task {
        "write" => write(&table, last),
        task => time(task, &table, number(last)?),
    }
}

/// The table with the number of its level in place of each label.
fn numbers(table: &Batch) -> Result<Batch> {
    let level = |code: &u32| if *code == MISSING_CODE { math::MISSING } else { f64::from(*code) };
    let columns = table.columns().iter().map(|column| match column {
        Column::Text(text) => Column::Num(text.codes().iter().map(level).collect()),
        other => other.clone(),
    });
    let slots: Vec<usize> = (0..table.schema().len()).collect();
    let schema = table.schema().with_kind(&slots, ColumnKind::Num);
    Batch::new(Arc::new(schema), columns.collect())
}

fn write(table: &Batch, path: &str) -> Result<()> {
    let slots = 0..table.schema().len();
    let mut bytes = Vec::with_capacity(table.n_rows() * slots.len() * 8);
    for row in 0..table.n_rows() {
        slots.clone().for_each(|s| bytes.extend_from_slice(&table.num(s)[row].to_le_bytes()));
    }
    std::fs::write(path, bytes).map_err(|e| Error::new(Code::Io, format!("`{path}`: {e}")))
}

fn time(name: &str, table: &Batch, n_threads: usize) -> Result<()> {
    let (task, params) = model(name)?;
    let is_tree = matches!(name, "boosting" | "forest");
    let (rows, test, truth) = parts(table, task, !is_tree)?;
    let schema: Arc<Schema> = Arc::clone(test.schema());
    let slots: Vec<usize> = (0..schema.len()).collect();
    let ctx = FitContext::new("model", Seed(1), task, &schema, &slots);
    let threads = Threads::new(n_threads)?;
    let start = Instant::now();
    let fitted = threads.run(|| params.fit(&rows, &ctx))?;
    let seconds = start.elapsed().as_secs_f64();
    let mut scores = vec![0.0; test.n_rows()];
    fitted.predict(&mut test.clone(), &slots, &mut scores)?;
    let figure = match task {
        Task::Regression => r2(&truth, &scores),
        _ => auc(&truth, &scores),
    };
    println!("{{\"by\":\"samescore\",\"seconds\":{seconds},\"figure\":{figure}}}");
    Ok(())
}

fn model(name: &str) -> Result<(Task, ModelParams)> {
    let boosting = GradientBoostingParams {
        n_estimators: 100,
        num_leaves: 63,
        learning_rate: 0.1,
        max_bin: 255,
        ..Default::default()
    };
    let ridge = LinearRegressionParams { alpha: 1.0, ..Default::default() };
    let network = |activation| {
        let mlp = MlpParams { activation, max_iter: 5, ..Default::default() };
        (Task::Binary, MlpParams { n_iter_no_change: 100, ..mlp }.into())
    };
    Ok(match name {
        "boosting" => (Task::Binary, boosting.into()),
        "forest" => {
            (Task::Binary, RandomForestParams { n_estimators: 20, ..Default::default() }.into())
        }
        "ordinary" => (Task::Regression, LinearRegressionParams::default().into()),
        "ridge" => (Task::Regression, ridge.into()),
        "logistic" => (Task::Binary, LogisticRegressionParams::default().into()),
        "network" => network(Activation::Relu),
        "network_tanh" => network(Activation::Tanh),
        "network_logistic" => network(Activation::Logistic),
        other => {
            let message = format!(
                "expected boosting, forest, ordinary, ridge, logistic, network, network_tanh or \
                 network_logistic, found {other}"
            );
            return Err(Error::new(Code::Usage, message));
        }
    })
}

/// Keyed rows to fit on, and the others with their target. Where the model needs it, gaps are
/// filled with the mean of the training rows, and columns brought to mean 0 and deviation 1.
fn parts(table: &Batch, task: Task, is_filled: bool) -> Result<(MemoryRows, Batch, Vec<f64>)> {
    let targets = [WIDE_BINARY_TARGET, WIDE_REGRESSION_TARGET].map(|t| table.schema().slot(t));
    let [binary, regression] = targets;
    let (binary, regression) = (binary?, regression?);
    let y = table.num(if task == Task::Regression { regression } else { binary }).to_vec();
    let n_train = table.n_rows() * 4 / 5;
    let mut features = table.clone();
    let mut gone = [binary, regression];
    gone.sort();
    features.remove(&gone);
    let schema = Arc::new(table.schema().without(&gone));
    let mut features = Batch::new(Arc::clone(&schema), features.columns().to_vec())?;
    if is_filled {
        (0..schema.len()).for_each(|slot| standardise(features.num_mut(slot), n_train));
    }
    let of = |rows: std::ops::Range<usize>| features.select(&rows.collect::<Vec<_>>());
    let (mut train, test) = (of(0..n_train), of(n_train..table.n_rows()));
    RowKeyer::new(&schema, &[])?.key(&mut train);
    let keys = fit_keys(train.keys().to_vec(), &y[..n_train], &[]);
    train.set_target(y[..n_train].to_vec(), keys);
    Ok((MemoryRows::from_batch(train), test, y[n_train..].to_vec()))
}

fn standardise(values: &mut [f64], n_train: usize) {
    let mut moments = Moments::new();
    moments.observe_slice(&values[..n_train]);
    let mean = moments.mean().unwrap_or_default();
    let deviation = moments.std(0).filter(|s| *s > 0.0).unwrap_or(1.0);
    for x in values {
        *x = if math::is_missing(*x) { 0.0 } else { (*x - mean) / deviation };
    }
}

/// The share of pairs of a positive and a negative row that the scores order rightly, ties one
/// half.
fn auc(truth: &[f64], scores: &[f64]) -> f64 {
    let order = math::argsort(scores);
    let (mut below, mut halves, mut n_positive) = (0u64, 0u64, 0u64);
    let mut start = 0;
    while start < order.len() {
        let score = scores[order[start] as usize];
        let ties = order[start..].iter().take_while(|&&row| scores[row as usize] == score).count();
        let rows = &order[start..start + ties];
        let positives = rows.iter().filter(|&&row| truth[row as usize] == 1.0).count() as u64;
        let negatives = ties as u64 - positives;
        halves += positives * (2 * below + negatives);
        below += negatives;
        n_positive += positives;
        start += ties;
    }
    halves as f64 / (2 * below * n_positive) as f64
}

fn r2(truth: &[f64], scores: &[f64]) -> f64 {
    let (mut residual, mut total) = (Moments::new(), Moments::new());
    for (y, p) in truth.iter().zip(scores) {
        residual.observe((y - p) * (y - p));
        total.observe(*y);
    }
    1.0 - residual.mean().unwrap_or_default() / total.variance(0).unwrap_or(1.0)
}
