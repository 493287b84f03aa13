//! What the unit tests of models share, and the sameness that every linear model must have.

use std::sync::Arc;

use super::*;
use crate::aggregate::MemoryRows;
use crate::batch::{Batch, Column};
use crate::config::Task;
use crate::error::Result;
use crate::math;
use crate::par::Threads;
use crate::rng::{Draw, Seed, Stream};
use crate::step::Predict as _;
use crate::step::{FitContext, FitModel};
use crate::testing::{nums, table_with_target};

/// A table of columns `x0`, `x1`, ... with a target.
pub(super) fn regression(columns: &[&[f64]], target: &[f64]) -> Batch {
    let names: Vec<String> = (0..columns.len()).map(|j| format!("x{j}")).collect();
    let columns: Vec<(&str, Column)> =
        names.iter().zip(columns).map(|(name, values)| (name.as_str(), nums(values))).collect();
    table_with_target(&columns, target)
}

/// Fits on every column of a table; the task is the first that the model does.
pub(super) fn fit_model<P: FitModel>(params: &P, table: &Batch) -> Result<P::Fitted> {
    fit_rows(params, &MemoryRows::from_batch(table.clone()))
}

/// The message of a fit that is refused.
pub(super) fn refused<P: FitModel>(params: &P, table: &Batch) -> String
where
    P::Fitted: std::fmt::Debug,
{
    fit_model(params, table).unwrap_err().to_string()
}

/// A schema of so many numeric columns.
pub(super) fn features(n_features: usize) -> crate::batch::Schema {
    let fields = (0..n_features)
        .map(|j| crate::batch::Field::new(format!("x{j}"), crate::batch::ColumnKind::Num));
    crate::batch::Schema::new(fields).unwrap()
}

pub(super) fn fit_rows<P: FitModel>(params: &P, rows: &MemoryRows) -> Result<P::Fitted> {
    params.validate()?;
    let schema = Arc::clone(crate::aggregate::Rows::schema(rows));
    let slots: Vec<usize> = (0..schema.len()).collect();
    let ctx = FitContext::new("model", Seed(7), params.tasks()[0], &schema, &slots);
    params.fit(rows, &ctx)
}

/// Fits for a task; the classes of a multiclass one are the targets' whole numbers.
pub(super) fn fit_as<P: FitModel>(params: &P, table: &Batch, task: Task) -> Result<P::Fitted> {
    params.validate()?;
    fit_blocks(params, table, 4096, task)
}

fn fit_blocks<P: FitModel>(
    params: &P,
    table: &Batch,
    block_rows: usize,
    task: Task,
) -> Result<P::Fitted> {
    let schema = Arc::clone(table.schema());
    let slots: Vec<usize> = (0..schema.len()).collect();
    let mut ctx = FitContext::new("model", Seed(7), task, &schema, &slots);
    if task == Task::Multiclass {
        ctx = ctx.classes(table.target().iter().fold(0, |n, y| Ord::max(n, *y as u32 + 1)));
    }
    let rows = MemoryRows::new(Arc::clone(&schema), table.clone().into_blocks(block_rows));
    params.fit(&rows, &ctx)
}

/// `n_rows` rows of columns on different scales, one of them nearly a sum of two others.
pub(super) fn wide_table(n_rows: usize, task: Task) -> Batch {
    let mut draws = Stream::new(Seed(3), "models", "", "table").pcg();
    let mut columns = vec![Vec::new(); 6];
    let mut target = Vec::new();
    for _ in 0..n_rows {
        let a = draws.normal();
        let b = 1e6 + 250.0 * draws.normal();
        let c = f64::from(u8::from(draws.bernoulli(0.2)));
        let d = 1e-5 * draws.exponential();
        let e = a + c + 1e-3 * draws.normal();
        let row = [a, b, c, d, e, 7.5];
        row.iter().zip(&mut columns).for_each(|(x, v)| v.push(*x));
        let signal = a - 2.0 * c + (b - 1e6) / 500.0 + 3e4 * d + draws.normal();
        target.push(match task {
            Task::Regression => signal,
            _ => f64::from(u8::from(signal > 0.0)),
        });
    }
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    regression(&columns, &target)
}

pub(super) fn bytes<T: serde::Serialize>(state: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(state).unwrap()
}

/// Permuted rows, blocks of other sizes and 1, 2, 8 threads give the same bytes.
pub(super) fn is_the_same_however_seen<P: FitModel + Sync>(params: &P)
where
    P::Fitted: Send,
{
    let ways = [(true, 4096, 1), (false, 1, 2), (false, 37, 8), (true, 1000, 2), (true, 300, 8)];
    is_the_same(params, 300, &ways);
}

/// Each way: whether rows are permuted, rows per block, threads.
fn is_the_same<P: FitModel + Sync>(params: &P, n_rows: usize, ways: &[(bool, usize, usize)])
where
    P::Fitted: Send,
{
    let table = wide_table(n_rows, params.tasks()[0]);
    let expected = bytes(&fit_model(params, &table).unwrap());
    let stride = 7919; // A prime that does not divide the number of rows: a permutation.
    let shuffled: Vec<usize> = (0..n_rows).map(|i| i * stride % n_rows).collect();
    let shuffled = table.select(&shuffled);
    for &(permuted, block_rows, n_threads) in ways {
        let batch = if permuted { &shuffled } else { &table };
        let blocks = batch.clone().into_blocks(block_rows);
        let rows = MemoryRows::new(Arc::clone(batch.schema()), blocks);
        let threads = Threads::new(n_threads).unwrap();
        let found = threads.run(|| bytes(&fit_rows(params, &rows).unwrap()));
        assert_eq!(found, expected, "blocks of {block_rows}, {n_threads} threads");
    }
}

#[test]
fn linear_regression_does_not_depend_on_order_blocks_or_threads() {
    let ridge = LinearRegressionParams { alpha: 0.5, ..Default::default() };
    for params in [LinearRegressionParams::default(), ridge] {
        is_the_same_however_seen(&params);
    }
}

#[test]
fn elastic_net_does_not_depend_on_order_blocks_or_threads() {
    let params = ElasticNetParams { alpha: 0.05, ..Default::default() };
    is_the_same_however_seen(&params);
}

#[test]
fn logistic_regression_does_not_depend_on_order_blocks_or_threads() {
    let free = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
    for params in [LogisticRegressionParams::default(), free] {
        is_the_same_however_seen(&params);
    }
}

/// Every other linear kind, for each of its tasks, weighted and not.
#[test]
fn the_other_kinds_do_not_depend_on_order_blocks_or_threads() {
    is_the_same_weighted(&PoissonRegressionParams::default());
    is_the_same_weighted(&GammaRegressionParams { alpha: 0.0, ..Default::default() });
    is_the_same_weighted(&TweedieRegressionParams::default());
    is_the_same_weighted(&HuberRegressionParams::default());
    is_the_same_weighted(&QuantileRegressionParams::default());
    is_the_same_weighted(&QuantileRegressionParams { alpha: 0.01, ..Default::default() });
    is_the_same_weighted(&LinearSvmParams::default());
    is_the_same_weighted(&ElasticNetCvParams { n_alphas: 5, ..Default::default() });
    is_the_same_weighted(&LinearRegressionParams::default());
    is_the_same_weighted(&ElasticNetParams { alpha: 0.05, ..Default::default() });
    for penalty in [Penalty::L2, Penalty::None, Penalty::L1, Penalty::ElasticNet] {
        is_the_same_weighted(&LogisticRegressionParams { penalty, ..Default::default() });
    }
}

/// For each task, with weights of 0 to 2 and without: permuted rows, small blocks and threads give
/// the same bytes.
fn is_the_same_weighted<P: FitModel + Sync>(params: &P)
where
    P::Fitted: Send,
{
    let n_rows = 200;
    for &task in params.tasks() {
        let table = wide_table(n_rows, task);
        let target: Vec<f64> = match task {
            Task::Regression => table.target().iter().map(|y| math::exp(y / 8.0)).collect(),
            Task::Binary => table.target().to_vec(),
            Task::Multiclass => {
                let thirds = table.num(0).iter().zip(table.target());
                thirds.map(|(x, y)| y + f64::from(u8::from(*x > 0.5))).collect()
            }
        };
        let weights: Vec<f64> = (0..n_rows).map(|i| (i % 5) as f64 * 0.5).collect();
        for weights in [Vec::new(), weights] {
            let mut table = table.clone();
            let keys = crate::batch::fit_keys(table.keys().to_vec(), &target, &weights);
            table.set_target(target.clone(), keys);
            table.set_weights(weights);
            let expected = bytes(&fit_as(params, &table, task).unwrap());
            let shuffled: Vec<usize> = (0..n_rows).map(|i| i * 7919 % n_rows).collect();
            let shuffled = table.select(&shuffled);
            let threads = Threads::new(3).unwrap();
            let found = threads.run(|| bytes(&fit_blocks(params, &shuffled, 23, task).unwrap()));
            assert_eq!(found, expected, "{task:?}");
        }
    }
}

/// Weights that are whole numbers are that many rows, to the rounding of the weighted products.
#[test]
fn a_weight_of_two_is_two_rows() {
    let table = wide_table(120, Task::Binary);
    let twice: Vec<usize> = (0..120).flat_map(|i| vec![i; 1 + i % 3]).collect();
    let twice = table.select(&twice);
    let mut weighted = table.clone();
    weighted.set_weights((0..120).map(|i| (1 + i % 3) as f64).collect());
    for penalty in [Penalty::L2, Penalty::L1] {
        let params = LogisticRegressionParams { penalty, ..Default::default() };
        let a = fit_model(&params, &weighted).unwrap();
        let b = fit_model(&params, &twice).unwrap();
        let pairs = a.coefficients().unwrap().iter().zip(b.coefficients().unwrap());
        for (a, b) in pairs {
            // The distance between two computations of one optimum.
            assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{penalty:?} {a} {b}");
        }
    }
}

#[test]
fn many_rows_take_the_other_form_of_the_products() {
    // Above 4,000,000 products the Gram matrix is one of integers; here 36 for each row.
    let ways = [(true, 4096, 2), (false, 30_000, 8)];
    is_the_same(&LinearRegressionParams::default(), 112_000, &ways);
}

/// Each row twice, so many that some are fitted first, or once with a weight of 2.
#[test]
fn many_rows_have_the_optimum_of_few() {
    let n_rows = 35_000;
    let mut table = wide_table(n_rows, Task::Binary);
    let twice = table.select(&(0..2 * n_rows).map(|i| i % n_rows).collect::<Vec<_>>());
    table.set_weights(vec![2.0; n_rows]);
    for penalty in [Penalty::L2, Penalty::None] {
        let params = LogisticRegressionParams { penalty, ..Default::default() };
        let few = fit_model(&params, &table).unwrap();
        let many = fit_model(&params, &twice).unwrap();
        assert_ne!(bytes(&few), bytes(&many), "two ways");
        let pairs = few.coefficients().unwrap().iter().zip(many.coefficients().unwrap());
        for (a, b) in pairs {
            // The distance between two computations of one optimum.
            assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{penalty:?} {a} {b}");
        }
    }
    is_the_same(&LogisticRegressionParams::default(), 70_000, &[(true, 4096, 2), (false, 999, 8)]);
}

#[test]
fn a_hundred_trees_do_not_depend_on_order_blocks_or_threads() {
    let ways = [(true, 4096, 1), (true, 700, 2), (false, 33, 8)];
    is_the_same(&GradientBoostingParams::default(), 4000, &ways);
    let sampled = GradientBoostingParams {
        top_rate: 0.2,
        other_rate: 0.2,
        colsample_bynode: 0.5,
        early_stopping_rounds: 30,
        ..Default::default()
    };
    is_the_same(&sampled, 2000, &ways);
    let forest = RandomForestParams::default();
    is_the_same(&forest, 1000, &ways);
    is_the_same(&ExtraTreesParams::default(), 1000, &ways);
    is_the_same(&DecisionTreeParams::default(), 4000, &ways);
}

#[test]
fn large_leaves_are_cut_for_threads_and_chunks() {
    let params = GradientBoostingParams { n_estimators: 3, ..Default::default() };
    is_the_same(&params, 70_001, &[(true, 4096, 2), (false, 30_000, 1)]);
}
