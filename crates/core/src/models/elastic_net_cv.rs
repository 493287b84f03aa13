//! Fits an elastic net whose penalty is chosen by cross-validation.
//!
//! # Method
//! The objective of `elastic_net` for every `l1_ratio` of a list and every `alpha` of a path, as
//! scikit-learn 1.9.1 `ElasticNetCV`. Without `alphas` the path of a ratio goes from the smallest
//! alpha at which every coefficient is 0, max |x'y| / (n · ratio) over the centred columns, down to
//! `eps` times it, in `n_alphas` steps of one factor. Rows fall into `cv` folds by a draw of their
//! key. For each fold the nets of the path are fitted on the other rows, each starting from the one
//! before, and judged on the fold. The pair with the smallest mean squared error over all rows is
//! fitted on all of them. (There it is the mean of the folds' means; drawn folds differ in size.)
//!
//! One pass over the rows gives the exact products of every fold; products of the other rows are
//! their sums, and the squared error of a fold is a form in its own products, evaluated without
//! rounding but for the coefficients. So a fit costs hardly more passes than that of one net, and
//! neither order, blocks nor threads can move a bit.
//!
//! # Shape
//! Numeric columns in; the score is b₀ + Σ bⱼ xⱼ. Regression only. Columns on one scale share the
//! penalty fairly: put a scaler before the model (its mean and deviation are then those of all
//! rows).
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! Of pairs with equal errors the first is taken: ratios in the order of their list, then larger
//! alphas first. A fold without rows judges nothing. The rest is as in `elastic_net`.
//!
//! # Errors
//! An empty list of ratios, a ratio outside 0 to 1, or 0 without `alphas`; `alphas` not above 0;
//! `eps` not between 0 and 1, `n_alphas` of 0 or above 10,000, `cv` below 2 or above 1000;
//! `max_iter` of 0, `tolerance` not above 0; fewer rows than folds, or all rows in one fold; a
//! missing or infinite value; `max_iter` sweeps without an optimum. At scoring, an infinite value
//! is a row's reason.
//!
//! # Example
//! y = 2 x without noise: the errors grow with alpha, so the smallest of `alphas` is chosen.

use serde::{Deserialize, Serialize};

use super::descent::{self, Descent};
use super::linear::{self, Ranges};
use super::minimise::Stop;
use super::normal_equations::NormalEquations;
use super::summary::is_false;
use crate::aggregate::{FoldGrams, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::par;
use crate::step::{Example, FitContext, FitModel, Predict};

const N_ALPHAS_MAX: u32 = 10_000;
const N_FOLDS_MAX: u32 = 1000;

/// The penalties to choose from, the folds, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticNetCvParams {
    /// The shares of the absolute values in the penalty, 0 to 1; 1 is the lasso.
    pub l1_ratio: Vec<f64>,
    /// The weights of the whole penalty, above 0; none means a path from the data.
    pub alphas: Vec<f64>,
    /// How many alphas a path has, 1 to 10,000.
    pub n_alphas: u32,
    /// The last alpha of a path as a share of the first, between 0 and 1.
    pub eps: f64,
    /// The number of folds, 2 to 1000.
    pub cv: u32,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most sweeps over the columns for one net, at least 1.
    pub max_iter: u32,
    /// The duality gap of one net, as a share of Σ (y − mean)², at which the descent may stop;
    /// above 0.
    pub tolerance: f64,
}

impl Default for ElasticNetCvParams {
    fn default() -> Self {
        ElasticNetCvParams {
            l1_ratio: vec![0.5],
            alphas: Vec::new(),
            n_alphas: 100,
            eps: 1e-3,
            cv: 5,
            fit_intercept: true,
            max_iter: 10_000,
            tolerance: 1e-12,
        }
    }
}

impl FitModel for ElasticNetCvParams {
    type Fitted = ElasticNetCv;

    const DRAWS: bool = true;

    fn validate(&self) -> Result<()> {
        let refuse = |rule: &str, found: f64| {
            let message = format!("expected {rule}, found {found}");
            Err(Error::new(Code::BadParameter, message))
        };
        if self.l1_ratio.is_empty() {
            return refuse("at least one `l1_ratio`", 0.0);
        }
        for &ratio in &self.l1_ratio {
            if !(0.0..=1.0).contains(&ratio) {
                return refuse("`l1_ratio` between 0 and 1", ratio);
            }
            if ratio == 0.0 && self.alphas.is_empty() {
                return refuse("`alphas` for an `l1_ratio` of 0, whose path has no start", ratio);
            }
        }
        self.alphas.iter().try_for_each(|&alpha| linear::check_positive("alphas", alpha))?;
        if !(self.eps > 0.0 && self.eps < 1.0) {
            return refuse("`eps` between 0 and 1", self.eps);
        }
        if !(1..=N_ALPHAS_MAX).contains(&self.n_alphas) {
            return refuse("`n_alphas` from 1 to 10000", f64::from(self.n_alphas));
        }
        if !(2..=N_FOLDS_MAX).contains(&self.cv) {
            return refuse("`cv` from 2 to 1000", f64::from(self.cv));
        }
        linear::check_stop(Stop { max_iter: self.max_iter, tolerance: self.tolerance })
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<ElasticNetCv> {
        let ranges = linear::ranges(rows, ctx)?;
        if ranges.target.n() < u64::from(self.cv) {
            let message =
                format!("expected at least {} rows, found {}", self.cv, ranges.target.n());
            return Err(Error::new(Code::TooFewRows, message).remedy("lower `cv`"));
        }
        let folds = Folds::new(self, &ranges, rows, ctx)?;
        let (alpha, l1_ratio, error, is_cut) = self.choose(&folds, ctx)?;
        let mut descent = Descent::new(&folds.all, 0.0, 0.0);
        let last = self.net(&folds.all, &mut descent, (alpha, l1_ratio), ctx)?;
        let (solution, n_iterations) = (last.solution, last.n_iterations);
        let found = folds.all.finish(solution);
        linear::check_fitted(&found.coefficients, found.intercept, ctx)?;
        Ok(ElasticNetCv {
            coefficients: found.coefficients,
            intercept: found.intercept,
            alpha,
            l1_ratio,
            mean_squared_error: error,
            n_iterations,
            is_unsettled: is_cut || last.is_cut,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let few = ElasticNetCvParams { n_alphas: 10, ..Default::default() };
        let lists = ElasticNetCvParams {
            l1_ratio: vec![0.0, 0.5, 1.0],
            alphas: vec![0.1, 10.0, 1.0],
            cv: 3,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, few),
            Example::on(&["area", "constant", "rooms", "sold", "year"], lists),
        ]
    }
}

/// The products of all rows, and of each fold with those of the other rows.
struct Folds {
    all: NormalEquations,
    pairs: Vec<(NormalEquations, NormalEquations)>,
}

impl Folds {
    fn new(
        params: &ElasticNetCvParams,
        ranges: &Ranges,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
    ) -> Result<Self> {
        let spec = NormalEquations::spec(ranges, params.fit_intercept);
        let stream = ctx.stream("", "folds");
        let grams = FoldGrams::new(ctx.slots, &spec, stream, params.cv as usize);
        let grams = rows.aggregate(grams)?;
        let of = |gram| NormalEquations::of(gram, &spec, params.fit_intercept, ranges);
        let all = of(grams.finish_all().unwrap_or_else(|| grams.finish()[0].clone()));
        all.check_range(ctx)?;
        let others = grams.finish_others();
        if let Some(empty) = others.iter().position(|gram| gram.n == 0) {
            let message = format!("expected rows outside of fold {empty}, found none");
            return Err(Error::new(Code::TooFewRows, message).remedy("lower `cv`"));
        }
        let pairs = others.into_iter().zip(grams.finish());
        Ok(Folds { all, pairs: pairs.map(|(others, own)| (of(others), of(own))).collect() })
    }
}

/// One net: its coefficients, intercept first, its sweeps, and whether they ended at the cap.
struct Net {
    solution: Vec<f64>,
    n_iterations: u32,
    is_cut: bool,
}

impl ElasticNetCvParams {
    /// The best alpha and ratio, with their mean squared error, and whether a net stopped at its
    /// cap.
    fn choose(&self, folds: &Folds, ctx: &FitContext<'_>) -> Result<(f64, f64, f64, bool)> {
        let paths: Vec<Vec<f64>> =
            self.l1_ratio.iter().map(|&ratio| self.path(&folds.all, ratio)).collect();
        let tasks: Vec<(usize, usize)> = (0..paths.len())
            .flat_map(|path| (0..folds.pairs.len()).map(move |fold| (path, fold)))
            .collect();
        let errors = par::map(&tasks, |&(path, fold)| {
            let (others, own) = &folds.pairs[fold];
            let mut descent = Descent::new(others, 0.0, 0.0);
            let mut is_cut = false;
            let of = |&alpha: &f64| {
                let net = self.net(others, &mut descent, (alpha, self.l1_ratio[path]), ctx)?;
                is_cut |= net.is_cut;
                Ok(own.squared_error(&net.solution))
            };
            let errors = paths[path].iter().map(of).collect::<Result<Vec<f64>>>()?;
            Ok((errors, is_cut))
        });
        let errors: Vec<(Vec<f64>, bool)> = errors.into_iter().collect::<Result<_>>()?;
        let is_cut = errors.iter().any(|(_, is_cut)| *is_cut);
        let mut best: Option<(f64, f64, f64)> = None;
        for (path, folds_of_path) in errors.chunks(folds.pairs.len()).enumerate() {
            for (k, &alpha) in paths[path].iter().enumerate() {
                let squares = math::sum_in_order(folds_of_path.iter().map(|(errors, _)| errors[k]));
                let error = squares / folds.all.total_weight();
                if error.is_finite() && best.is_none_or(|(_, _, least)| error < least) {
                    best = Some((alpha, self.l1_ratio[path], error));
                }
            }
        }
        let best = best.map(|(alpha, l1_ratio, error)| (alpha, l1_ratio, error, is_cut));
        best.ok_or_else(|| {
            Error::new(Code::NotFinite, "expected a finite squared error, found none")
                .remedy("scale the target")
        })
    }

    /// The alphas of a ratio, largest first.
    fn path(&self, all: &NormalEquations, l1_ratio: f64) -> Vec<f64> {
        if !self.alphas.is_empty() {
            let order = math::argsort(&self.alphas);
            return order.iter().rev().map(|&i| self.alphas[i as usize]).collect();
        }
        let n = all.n_features();
        let largest = (0..n).map(|j| all.covariance(j, n).abs()).fold(0.0, math::max);
        let first = largest / (all.total_weight() * l1_ratio);
        let first = if first > 0.0 && first.is_finite() { first } else { 1.0 };
        let last = f64::from(Ord::max(self.n_alphas, 2) - 1);
        (0..self.n_alphas).map(|i| first * math::pow(self.eps, f64::from(i) / last)).collect()
    }

    /// One net, from where the descent stands.
    fn net(
        &self,
        equations: &NormalEquations,
        descent: &mut Descent<'_>,
        (alpha, l1_ratio): (f64, f64),
        ctx: &FitContext<'_>,
    ) -> Result<Net> {
        let penalty = equations.total_weight() * alpha;
        descent.penalise(penalty * l1_ratio, penalty * (1.0 - l1_ratio));
        let found = descent.run(self.max_iter, self.tolerance);
        let is_cut = found.is_none();
        let found = found.or_else(|| ctx.keeps(0.0).then(|| (descent.settled(), self.max_iter)));
        let found = found.map(|(solution, n_iterations)| Net { solution, n_iterations, is_cut });
        found.ok_or_else(|| {
            let message = format!(
                "expected an optimum for alpha {alpha} within {} sweeps, found none",
                self.max_iter
            );
            Error::new(Code::NotConverged, message)
                .remedy("scale the columns, raise `max_iter` or `eps`, or lower `l1_ratio`")
        })
    }
}

/// Coefficients, intercept and the chosen penalty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNetCv {
    coefficients: Vec<f64>,
    intercept: f64,
    alpha: f64,
    l1_ratio: f64,
    mean_squared_error: f64,
    n_iterations: u32,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    is_unsettled: bool,
}

impl Predict for ElasticNetCv {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        let facts = [self.alpha, self.l1_ratio, self.mean_squared_error];
        facts.into_iter().try_for_each(linear::check_norm)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        Some((&self.coefficients, self.intercept))
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let n_nonzero = self.coefficients.iter().filter(|b| **b != 0.0).count();
        vec![
            ("intercept".to_owned(), self.intercept),
            ("alpha".to_owned(), self.alpha),
            ("l1_ratio".to_owned(), self.l1_ratio),
            ("mean squared error in the folds".to_owned(), self.mean_squared_error),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("coefficients not zero".to_owned(), n_nonzero as f64),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        descent::unsettled(self.is_unsettled)
    }
}

#[cfg(test)]
mod tests;
