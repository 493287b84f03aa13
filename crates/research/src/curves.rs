//! How figures move with the number of training rows, with a parameter, or with the seed.
//!
//! # Method
//! A learning curve fits on nested shares of each fold's training rows; a validation curve fits
//! with each value of one parameter; both judge the rows fitted on as well as those kept from the
//! fit. Seeds: the same config under seed, seed + 1, and so on, either with the split held (the
//! spread is that of the fit's own draws), or with the fit held (that of the split), or with both.
//! The fits of a curve leave out the rows that the config's split keeps.
//!
//! # Errors
//! As [`Folds`], and a share whose rows all have one target.

use std::collections::BTreeMap;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::Batch;
use samescore_core::config::Config;
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::{self, Moments};
use samescore_core::par::{self, Threads};
use samescore_core::pipeline::{Plan, Table};
use samescore_core::rng::Seed;

use crate::folds::{self, FoldPlan, Folds, Purpose};
use crate::metrics::Metric;
use crate::search::Space;
use crate::split::Split;
use crate::subset::{self, Share};
use crate::workflow::{self, Counter, Hear, Part};

/// By metric: the mean over folds, and the standard deviation (divisor n − 1) from two on.
pub type Summary = BTreeMap<String, (f64, Option<f64>)>;

/// A place on a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The number of rows fitted on, in each fold.
    pub n_train: Vec<u64>,
    /// Figures of the rows fitted on.
    pub train: Summary,
    /// Figures of the rows kept from the fit.
    pub test: Summary,
    /// Rows kept from the fit, of all folds, that got a reason instead of a score.
    pub n_unscored: u64,
}

/// The curve over `n_points` shares of the training rows, evenly from small to whole.
///
/// # Errors
/// As [`workflow::fit`] and the module.
pub fn learning(
    config: &Config,
    batch: &Batch,
    plan: &FoldPlan,
    metric: &Metric,
    n_points: u64,
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Vec<Point>> {
    if !(1..=1000).contains(&n_points) {
        let message = format!("expected 1 to 1000 points, found {n_points}");
        return Err(Error::new(Code::Usage, message));
    }
    let shares = (1..=n_points).map(|part| Share { part, of: n_points });
    let cases: Vec<(Config, Share)> = shares.map(|share| (config.clone(), share)).collect();
    threads.run(|| points(config, batch, plan, metric, &cases, hear))
}

/// The curve over `values` of the parameter called `name`, as [`Space`] names parameters.
///
/// # Errors
/// If there is no such parameter, or a value is not one of it; as [`workflow::fit`] and the module.
pub fn validation(
    config: &Config,
    batch: &Batch,
    plan: &FoldPlan,
    metric: &Metric,
    (name, values): (&str, &[toml::Value]),
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<Vec<Point>> {
    let space = Space::of(name, values.to_vec(), config)?;
    let base: toml::Table = toml::from_str(&config.to_toml()?).map_err(|e| {
        Error::new(Code::ConfigSyntax, format!("the config cannot be read back: {e}"))
    })?;
    let with =
        |value: &toml::Value| Ok((space.config(&base, std::slice::from_ref(value))?, Share::WHOLE));
    let cases: Vec<(Config, Share)> = values.iter().map(with).collect::<Result<_>>()?;
    threads.run(|| points(config, batch, plan, metric, &cases, hear))
}

fn points(
    config: &Config,
    batch: &Batch,
    plan: &FoldPlan,
    metric: &Metric,
    cases: &[(Config, Share)],
    hear: Hear<'_>,
) -> Result<Vec<Point>> {
    let table = Table::new(config, batch)?;
    let (rows, _) = workflow::training_rows(config, &table)?;
    let folds = Folds::new(config, &rows, plan, Purpose::Judge)?;
    folds.check(&rows, config.target.task, Some(metric))?;
    let n_folds = folds.n_folds();
    let tasks: Vec<(&(Config, Share), u32)> =
        cases.iter().flat_map(|case| (0..n_folds).map(move |fold| (case, fold))).collect();
    let counter = Counter::new("fits", tasks.len() as u64, hear);
    let pairs = par::map(&tasks, |&((config, share), fold)| {
        let train = subset::nested(config, &folds.train(&rows, fold), *share);
        let name = format!("{}, {} rows", folds.name(fold), train.n_rows());
        let pair = check_share(config, &train, &name)
            .and_then(|()| both_sides(config, &train, &folds.test(&rows, fold), metric));
        counter.one();
        pair
    });
    let pairs: Vec<(Part, Part)> = pairs.into_iter().collect::<Result<_>>()?;
    Ok(pairs.chunks(n_folds as usize).map(point).collect())
}

fn check_share(config: &Config, train: &MemoryRows, name: &str) -> Result<()> {
    let blocks = train.blocks().iter();
    let targets: Vec<f64> = blocks.flat_map(|block| block.target().iter().copied()).collect();
    folds::check_train(name, &targets, config.target.task)
}

/// The figures of the rows fitted on, and of the others.
fn both_sides(
    config: &Config,
    train: &MemoryRows,
    test: &MemoryRows,
    metric: &Metric,
) -> Result<(Part, Part)> {
    let also = std::slice::from_ref(metric);
    let (fitted, part) = workflow::fit_and_score(config, train.clone(), test, also)?;
    let plan = Plan::new(config, fitted.pipeline)?;
    let (n_unscored, metrics) = workflow::judge(config, &plan, train, also)?;
    Ok((Part { n_test: part.n_train, n_train: part.n_train, n_unscored, metrics }, part))
}

fn point(pairs: &[(Part, Part)]) -> Point {
    let (train, test): (Vec<Part>, Vec<Part>) = pairs.iter().cloned().unzip();
    Point {
        n_train: test.iter().map(|part| part.n_train).collect(),
        n_unscored: test.iter().map(|part| part.n_unscored).sum::<u64>(),
        train: workflow::summary(&train),
        test: workflow::summary(&test),
    }
}

/// What another seed changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vary {
    /// The draws of the fit.
    Fit,
    /// Which rows are kept from it.
    Split,
    /// Both.
    Both,
}

/// The spread of a figure over seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The value under each seed, in the order of the seeds; absent where it is not defined.
    pub values: Vec<Option<f64>>,
    /// The mean of those that are there.
    pub mean: f64,
    /// Their standard deviation (divisor n − 1).
    pub sd: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// The spread of each figure over `n_seeds` seeds from the config's own on; on the declared test
/// part, or as the mean over folds; `also` besides the figures of every fit.
///
/// # Errors
/// As [`workflow::evaluate`].
pub fn seeds(
    config: &Config,
    batch: &Batch,
    plan: Option<&FoldPlan>,
    also: &[Metric],
    (n_seeds, vary): (u64, Vary),
    threads: &Threads,
    hear: Hear<'_>,
) -> Result<BTreeMap<String, Spread>> {
    if !(2..=100_000).contains(&n_seeds) {
        let message = format!("expected 2 to 100000 seeds, found {n_seeds}");
        return Err(Error::new(Code::Usage, message));
    }
    if config.split.is_none() && plan.is_none() {
        let message = "expected rows that are kept from the fit, found no split";
        return Err(Error::new(Code::Usage, message)
            .remedy("add [split] with a test_ratio to the config, or ask for folds"));
    }
    let seeds: Vec<Seed> = (0..n_seeds).map(|n| Seed(config.seed.0.wrapping_add(n))).collect();
    threads.run(|| {
        let table = Table::new(config, batch)?;
        let counter = Counter::new("seeds", n_seeds, hear);
        let found = par::map(&seeds, |&seed| {
            let with = |varies: bool| match varies {
                true => Config { seed, ..config.clone() },
                false => config.clone(),
            };
            let (fit, split) = (with(vary != Vary::Split), with(vary != Vary::Fit));
            let figures = under_seed(&fit, &split, &table, plan, also);
            counter.one();
            figures
        });
        let found: Vec<Summary> = found.into_iter().collect::<Result<_>>()?;
        Ok(spreads(&found))
    })
}

/// The figures of `fit` on the rows that `split` keeps.
fn under_seed(
    fit: &Config,
    split: &Config,
    table: &Table,
    plan: Option<&FoldPlan>,
    also: &[Metric],
) -> Result<Summary> {
    let rows = table.rows();
    let Some(plan) = plan else {
        let split = Split::of(split)?;
        let train = table.filter(|block, row| !split.is_test(block, row));
        let test = table.filter(|block, row| split.is_test(block, row));
        check_share(fit, &train, "the training rows")?;
        return Ok(workflow::summary(&[workflow::fit_and_score(fit, train, &test, also)?.1]));
    };
    let folds = Folds::new(split, rows, plan, Purpose::Judge)?;
    folds.check(rows, fit.target.task, None)?;
    let parts = (0..folds.n_folds()).map(|fold| {
        let (train, test) = (folds.train(rows, fold), folds.test(rows, fold));
        Ok(workflow::fit_and_score(fit, train, &test, also)?.1)
    });
    Ok(workflow::summary(&parts.collect::<Result<Vec<Part>>>()?))
}

fn spreads(found: &[Summary]) -> BTreeMap<String, Spread> {
    let names: std::collections::BTreeSet<&String> = found.iter().flat_map(|s| s.keys()).collect();
    let spread = |name: &String| {
        let values: Vec<Option<f64>> =
            found.iter().map(|summary| summary.get(name).map(|(mean, _)| *mean)).collect();
        let mut there: Vec<f64> = values.iter().copied().flatten().collect();
        there.sort_by(|a, b| math::total_cmp(*a, *b));
        let mut moments = Moments::new();
        moments.observe_slice(&there);
        let middle = [(there.len() - 1) / 2, there.len() / 2].map(|place| there[place]);
        Some(Spread {
            mean: moments.mean()?,
            sd: moments.std(1),
            min: moments.min()?,
            median: middle[0] / 2.0 + middle[1] / 2.0,
            max: moments.max()?,
            values,
        })
    };
    names.into_iter().filter_map(|name| Some((name.clone(), spread(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_by_hand() {
        let summary = |x: f64| Summary::from([("mae".to_owned(), (x, None))]);
        let found = [summary(4.0), Summary::new(), summary(1.0), summary(1.0), summary(2.0)];
        let spread = &spreads(&found)["mae"];
        assert_eq!(spread.values, [Some(4.0), None, Some(1.0), Some(1.0), Some(2.0)]);
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 1.5, 4.0));
        assert_eq!(spread.mean, 2.0);
        // Squares of 2, -1, -1, 0 over 3.
        assert_eq!(spread.sd, Some(math::sqrt(2.0)));
    }
}
