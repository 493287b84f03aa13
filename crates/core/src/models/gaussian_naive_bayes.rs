//! Fits the probability of each class by a normal distribution per class and column.
//!
//! # Method
//! As scikit-learn 1.9.1 `GaussianNB`: per class the prior, and per class and column mean and
//! variance (divisor: the weight of the class); to each variance `var_smoothing` times the largest
//! variance of a column over all rows is added. The joint logarithm of a class is ln prior − ½ Σ ln
//! (2π variance) − ½ Σ (x − mean)² / variance. Sums over rows are exact; a mean is one rounded sum
//! over one other, and the squares are those of the distances to it. Weights of rows count in
//! everything but the largest variance, as there.
//!
//! # Shape
//! Numeric columns in; the score is the probability of class 1, or for a multiclass task of each
//! class.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The squares over variances are added in the order of the columns, halved, and taken from the
//! rest. A class without rows has prior and probability 0.
//!
//! # Errors
//! `priors` that are no probabilities, or not one for each class; `var_smoothing` below 0; a
//! missing or infinite value; a column that is constant within a class where no smoothing helps. At
//! scoring, an infinite value is a row's reason.
//!
//! # Example
//! x = −1, 1 for class 0 and 3, 5 for class 1, without smoothing: means 0 and 4, variances 1. At x
//! = 2 both classes have probability 1/2.

use serde::{Deserialize, Serialize};

use super::{linear, naive_bayes, ranges};
use crate::aggregate::{ClassSums, ColumnMoments, Rows, Term};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// 2π, rounded to nearest.
const TWO_PI: f64 = std::f64::consts::TAU;

/// The priors and the smoothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNaiveBayesParams {
    /// The prior of each class; none means its share of the rows.
    pub priors: Vec<f64>,
    /// The part of the largest variance that is added to all variances, at least 0.
    pub var_smoothing: f64,
}

impl Default for GaussianNaiveBayesParams {
    fn default() -> Self {
        GaussianNaiveBayesParams { priors: Vec::new(), var_smoothing: 1e-9 }
    }
}

impl FitModel for GaussianNaiveBayesParams {
    type Fitted = GaussianNaiveBayes;

    fn validate(&self) -> Result<()> {
        ranges::probabilities("priors", &self.priors)?;
        ranges::moderate_at_least_zero("var_smoothing", self.var_smoothing)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Binary, Task::Multiclass]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<GaussianNaiveBayes> {
        let epsilon = self.epsilon(rows, ctx)?;
        let sums = |term| rows.aggregate(ClassSums::new(ctx.slots, ctx.n_classes, term));
        let (weights, totals) = sums(Term::Value)?.finish();
        let priors = naive_bayes::priors("priors", &self.priors, true, &weights)?;
        let means = shares(&totals, &weights, ctx.slots.len());
        let (_, squares) = sums(Term::SquareFrom(means.clone()))?.finish();
        let mut variances = shares(&squares, &weights, ctx.slots.len());
        variances.iter_mut().for_each(|v| *v += epsilon);
        check_variances(&mut variances, &priors, ctx)?;
        let per_class = variances.chunks(ctx.slots.len()).zip(&priors);
        let constants = per_class.map(|(variances, prior)| constant(variances, *prior)).collect();
        let n_outputs = naive_bayes::n_outputs(ctx);
        Ok(GaussianNaiveBayes { n_outputs, priors, means, variances, constants })
    }

    fn examples() -> Vec<Example<Self>> {
        let smooth = GaussianNaiveBayesParams { var_smoothing: 0.01, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, GaussianNaiveBayesParams::default()),
            Example::on(&["area", "rooms"], smooth),
        ]
    }
}

impl GaussianNaiveBayesParams {
    /// What is added to every variance.
    fn epsilon(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<f64> {
        let mut largest = 0.0;
        linear::ranges(rows, ctx)?;
        let moments = rows.aggregate(ColumnMoments::new(ctx.slots))?.finish();
        for (&slot, m) in ctx.slots.iter().zip(&moments) {
            let variance = m.variance(0).unwrap_or_default();
            if !variance.is_finite() {
                let message = "expected a finite variance, found one that overflows";
                let error = Error::new(Code::NotFinite, message).remedy("scale the column");
                return Err(error.column(ctx.name(slot)));
            }
            largest = math::max(largest, variance);
        }
        Ok(self.var_smoothing * largest)
    }
}

/// Each total over the weight of its class; 0 for a class without weight.
fn shares(totals: &[f64], weights: &[f64], n_columns: usize) -> Vec<f64> {
    let mut shares = Vec::with_capacity(totals.len());
    for (totals, &weight) in totals.chunks(n_columns.max(1)).zip(weights) {
        let of = |total: &f64| if weight > 0.0 { math::canonical(total / weight) } else { 0.0 };
        shares.extend(totals.iter().map(of));
    }
    shares
}

/// Every variance of a class that counts must be above 0; those of the others become 1.
fn check_variances(variances: &mut [f64], priors: &[f64], ctx: &FitContext<'_>) -> Result<()> {
    let n_columns = ctx.slots.len();
    for (place, variance) in variances.iter_mut().enumerate() {
        let (class, j) = (place / n_columns, place % n_columns);
        if priors[class] <= 0.0 {
            *variance = 1.0;
        } else if !(*variance >= f64::MIN_POSITIVE && variance.is_finite()) {
            let message = format!("expected a variance above 0 in class {class}, found {variance}");
            let error = Error::new(Code::TooFewRows, message);
            let error = error.remedy("raise `var_smoothing`, scale or drop the column");
            return Err(error.column(ctx.name(ctx.slots[j])));
        }
    }
    Ok(())
}

/// ln prior − ½ Σ ln (2π variance).
fn constant(variances: &[f64], prior: f64) -> f64 {
    let logs = math::sum_in_order(variances.iter().map(|v| math::ln(TWO_PI * v)));
    naive_bayes::log_prior(prior) - logs / 2.0
}

/// Priors, means and variances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNaiveBayes {
    n_outputs: u32,
    priors: Vec<f64>,
    /// Of class 0 first, as the variances.
    means: Vec<f64>,
    variances: Vec<f64>,
    constants: Vec<f64>,
}

impl Predict for GaussianNaiveBayes {
    fn check(&self, features: &Schema) -> Result<()> {
        let tables: [&[f64]; 2] = [&self.means, &self.variances];
        let (n_outputs, n_features) = (self.n_outputs, features.len());
        naive_bayes::check(&self.priors, n_outputs, &self.constants, &tables, n_features)?;
        if self.variances.iter().all(|v| *v > 0.0) {
            return Ok(());
        }
        Err(Error::new(Code::Malformed, "expected variances above 0, found another value"))
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_columns = slots.len();
        naive_bayes::predict(batch, slots, &self.priors, scores, |batch, row, class| {
            let means = &self.means[class * n_columns..][..n_columns];
            let variances = &self.variances[class * n_columns..][..n_columns];
            let mut total = 0.0;
            for ((&slot, mean), variance) in slots.iter().zip(means).zip(variances) {
                let distance = batch.num(slot)[row] - mean;
                total += distance * distance / variance;
            }
            self.constants[class] - total / 2.0
        });
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        naive_bayes::facts(&self.priors)
    }

    fn class_facts(&self) -> Vec<(&'static str, Vec<f64>)> {
        naive_bayes::class_facts(&self.priors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, fit_model, refused, regression};

    fn exact() -> GaussianNaiveBayesParams {
        GaussianNaiveBayesParams { var_smoothing: 0.0, ..Default::default() }
    }

    fn scores(model: &GaussianNaiveBayes, x: &[f64]) -> Vec<f64> {
        let mut batch = regression(&[x], &vec![0.0; x.len()]);
        let mut scores = vec![0.0; x.len() * model.n_outputs()];
        model.predict(&mut batch, &[0], &mut scores).unwrap();
        scores
    }

    #[test]
    fn two_classes_by_hand() {
        let t = regression(&[&[-1.0, 1.0, 3.0, 5.0]], &[0.0, 0.0, 1.0, 1.0]);
        let model = fit_model(&exact(), &t).unwrap();
        assert_eq!((&model.means[..], &model.variances[..]), (&[0.0, 4.0][..], &[1.0, 1.0][..]));
        let found = scores(&model, &[2.0, 3.0]);
        // At 3 the log-odds are ½ (9 − 1) = 4.
        assert_eq!(found[0], 0.5);
        // The distance is that of two ways to round the same number.
        assert!(math::ulps_between(found[1], math::sigmoid(4.0)) <= 2, "{found:?}");
    }

    #[test]
    fn the_example_of_the_scikit_learn_manual() {
        let (x, z) = ([-1.0, -2.0, -3.0, 1.0, 2.0, 3.0], [-1.0, -1.0, -2.0, 1.0, 1.0, 2.0]);
        let t = regression(&[&x, &z], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        let model = fit_model(&GaussianNaiveBayesParams::default(), &t).unwrap();
        let mut scores = [0.0];
        model.predict(&mut regression(&[&[-0.8], &[-1.0]], &[0.0]), &[0, 1], &mut scores).unwrap();
        // The first class. Its log-odds, with means ∓2 and ∓4/3, variances 2/3 and 2/9, are
        // ¾ (2.8² − 1.2²) + 9/4 ((7/3)² − (1/3)²) = 4.8 + 12.
        let expected = math::sigmoid(-16.8);
        // Smoothing by 1e-9 of the largest variance moves the log-odds by less than 1e-6.
        assert!((scores[0] / expected - 1.0).abs() < 1e-6, "{scores:?} {expected}");
    }

    #[test]
    fn smoothing_takes_its_part_of_the_largest_variance() {
        // The variance of all rows is 5; each class has 1.
        let t = regression(&[&[-1.0, 1.0, 3.0, 5.0]], &[0.0, 0.0, 1.0, 1.0]);
        let params = GaussianNaiveBayesParams { var_smoothing: 0.5, ..Default::default() };
        assert_eq!(fit_model(&params, &t).unwrap().variances, [3.5, 3.5]);
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice() {
        let twice = regression(&[&[-1.0, 2.0, 2.0, 3.0, 5.0]], &[0.0, 0.0, 0.0, 1.0, 1.0]);
        let mut once = regression(&[&[-1.0, 2.0, 3.0, 5.0]], &[0.0, 0.0, 1.0, 1.0]);
        once.set_weights(vec![1.0, 2.0, 1.0, 1.0]);
        assert_eq!(fit_model(&exact(), &once).unwrap(), fit_model(&exact(), &twice).unwrap());
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let y = [0.0, 0.0, 1.0, 1.0];
        assert_eq!(
            refused(&exact(), &regression(&[&y, &[1.0, 1.0, 2.0, 3.0]], &y)),
            "column `x0`: expected a variance above 0 in class 0, found 0 \
             (raise `var_smoothing`, scale or drop the column)"
        );
        let params = GaussianNaiveBayesParams { priors: vec![1.0], ..Default::default() };
        assert_eq!(
            refused(&params, &regression(&[&[1.0, 2.0, 3.0, 5.0]], &y)),
            "expected `priors` for 2 classes, found 1"
        );
        let params = GaussianNaiveBayesParams { priors: vec![0.5, 0.4], ..Default::default() };
        assert!(params.validate().is_err());
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let t = regression(&[&[-1.0, 1.0, 3.0, 5.0]], &[0.0, 0.0, 1.0, 1.0]);
        let model = fit_model(&exact(), &t).unwrap();
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        let with = |change: fn(&mut GaussianNaiveBayes)| {
            let mut model = model.clone();
            change(&mut model);
            model.check(&features(1)).is_err()
        };
        assert!(with(|m| m.variances[1] = 0.0) && with(|m| m.means[0] = f64::NAN));
        assert!(with(|m| m.priors.clear()) && with(|m| m.n_outputs = 3));
        assert!(with(|m| m.constants.clear()));
    }
}
