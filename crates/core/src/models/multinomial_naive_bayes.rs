//! Fits the probability of each class by the share that each column has in the class's total: for
//! counts, such as of words.
//!
//! # Method
//! As scikit-learn 1.9.1 `MultinomialNB`: with Nⱼ the weighted sum of column j over the rows of a
//! class and N their total, the class has the shares (Nⱼ + `alpha`) / (N + `alpha` times the number
//! of columns). The joint logarithm is ln prior + Σ xⱼ ln shareⱼ. Sums over rows are exact.
//!
//! # Shape
//! Numeric columns of values from 0 in; the score is the probability of class 1, or for a
//! multiclass task of each class.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! The products are added to the logarithm of the prior in the order of the columns. A class
//! without rows has probability 0.
//!
//! # Errors
//! `alpha` not above 0; `class_prior` that are no probabilities, or not one for each class; a value
//! that is missing, infinite or below 0. At scoring, such a value is a row's reason.
//!
//! # Example
//! Class 0 has the counts (1, 0) and class 1 (0, 1), `alpha` = 1: the shares are 2/3, 1/3 and 1/3,
//! 2/3. The row (1, 0) belongs to class 1 with probability 1/3.

use serde::{Deserialize, Serialize};

use super::{linear, naive_bayes, ranges};
use crate::aggregate::{ClassSums, Rows, Term};
use crate::batch::{Batch, Schema, Value};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The smoothing and the priors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultinomialNaiveBayesParams {
    /// What is added to each sum, above 0.
    pub alpha: f64,
    /// Whether priors are the shares of the rows; otherwise all are alike.
    pub fit_prior: bool,
    /// The prior of each class; none means that `fit_prior` decides.
    pub class_prior: Vec<f64>,
}

impl Default for MultinomialNaiveBayesParams {
    fn default() -> Self {
        MultinomialNaiveBayesParams { alpha: 1.0, fit_prior: true, class_prior: Vec::new() }
    }
}

impl FitModel for MultinomialNaiveBayesParams {
    type Fitted = MultinomialNaiveBayes;

    fn validate(&self) -> Result<()> {
        ranges::moderate_above_zero("alpha", self.alpha)?;
        ranges::probabilities("class_prior", &self.class_prior)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Binary, Task::Multiclass]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<MultinomialNaiveBayes> {
        for (&slot, m) in ctx.slots.iter().zip(&linear::ranges(rows, ctx)?.features) {
            let least = m.min().unwrap_or_default();
            if least < 0.0 {
                let values = |block: &Batch| block.num(slot).to_vec();
                let error = linear::at_first(negative(least), rows, &values, |x| x == least)?;
                return Err(error.column(ctx.name(slot)));
            }
        }
        let start = ClassSums::new(ctx.slots, ctx.n_classes, Term::Value);
        let (weights, totals) = rows.aggregate(start)?.finish();
        let priors =
            naive_bayes::priors("class_prior", &self.class_prior, self.fit_prior, &weights)?;
        let n_columns = ctx.slots.len();
        let mut logs = Vec::with_capacity(totals.len());
        for totals in totals.chunks(n_columns) {
            let smoothed = totals.iter().map(|total| total + self.alpha);
            let whole = math::ln(math::sum_in_order(smoothed.clone()));
            logs.extend(smoothed.map(|part| math::canonical(math::ln(part) - whole)));
        }
        if !logs.iter().all(|x| x.is_finite()) {
            let message = "expected finite sums of the columns, found one that overflows";
            return Err(Error::new(Code::NotFinite, message).remedy("scale the columns"));
        }
        let constants = priors.iter().map(|p| naive_bayes::log_prior(*p)).collect();
        let n_outputs = naive_bayes::n_outputs(ctx);
        Ok(MultinomialNaiveBayes { n_outputs, priors, logs, constants })
    }

    fn examples() -> Vec<Example<Self>> {
        let flat =
            MultinomialNaiveBayesParams { alpha: 0.25, fit_prior: false, ..Default::default() };
        vec![
            Example::on(&["count", "rooms"], MultinomialNaiveBayesParams::default()),
            Example::on(&["area", "count", "rooms"], flat),
        ]
    }
}

fn negative(found: f64) -> Error {
    let message = format!("expected numbers of at least 0, found {}", Value::Num(found));
    Error::new(Code::BadValue, message).remedy("repair the value, or choose another kind of model")
}

/// Priors and logarithms of shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultinomialNaiveBayes {
    n_outputs: u32,
    priors: Vec<f64>,
    /// Of class 0 first.
    logs: Vec<f64>,
    constants: Vec<f64>,
}

impl Predict for MultinomialNaiveBayes {
    fn check(&self, features: &Schema) -> Result<()> {
        let (n_outputs, n_features) = (self.n_outputs, features.len());
        naive_bayes::check(&self.priors, n_outputs, &self.constants, &[&self.logs], n_features)
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        for row in 0..batch.n_rows() {
            let below = |&&slot: &&usize| batch.num(slot)[row] < 0.0;
            if let Some(&slot) = slots.iter().find(below) {
                let found = batch.num(slot)[row];
                batch.fault(row, slot, negative(found));
            }
        }
        let n_columns = slots.len();
        naive_bayes::predict(batch, slots, &self.priors, scores, |batch, row, class| {
            let logs = &self.logs[class * n_columns..][..n_columns];
            let mut total = self.constants[class];
            for (&slot, log) in slots.iter().zip(logs) {
                total += batch.num(slot)[row] * log;
            }
            total
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

    fn params() -> MultinomialNaiveBayesParams {
        MultinomialNaiveBayesParams::default()
    }

    #[test]
    fn two_rows_by_hand() {
        let t = regression(&[&[1.0, 0.0], &[0.0, 1.0]], &[0.0, 1.0]);
        let model = fit_model(&params(), &t).unwrap();
        assert_eq!(model.logs[0], math::ln(2.0) - math::ln(3.0));
        let mut scores = [0.0; 2];
        model.predict(&mut t.clone(), &[0, 1], &mut scores).unwrap();
        // The distance is that of a few roundings of logarithms.
        for (found, expected) in scores.iter().zip([1.0 / 3.0, 2.0 / 3.0]) {
            assert!(math::ulps_between(*found, expected) <= 4, "{found} {expected}");
        }
    }

    #[test]
    fn values_below_zero_are_refused_or_reasons() {
        let t = regression(&[&[1.0, -2.0]], &[0.0, 1.0]);
        assert_eq!(
            refused(&params(), &t),
            "column `x0`: row 1: expected numbers of at least 0, found number -2 \
             (repair the value, or choose another kind of model)"
        );
        let model = fit_model(&params(), &regression(&[&[1.0, 2.0]], &[0.0, 1.0])).unwrap();
        let mut batch = t.clone();
        model.predict(&mut batch, &[0], &mut [0.0; 2]).unwrap();
        assert!(!batch.has_fault(0) && batch.has_fault(1));
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let t = regression(&[&[1.0, 0.0], &[0.0, 1.0]], &[0.0, 1.0]);
        let mut model = fit_model(&params(), &t).unwrap();
        assert!(model.check(&features(2)).is_ok() && model.check(&features(1)).is_err());
        model.logs[0] = f64::NEG_INFINITY;
        assert!(model.check(&features(2)).is_err());
    }
}
