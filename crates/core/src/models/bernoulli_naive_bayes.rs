//! Fits the probability of each class by how often each column is above a bound in it.
//!
//! # Method
//! As scikit-learn 1.9.1 `BernoulliNB`: a value counts as present if it is above `binarize`. With N
//! the weight of a class and Nⱼ that of its rows with column j present, the share is (Nⱼ + `alpha`)
//! / (N + 2 `alpha`), and that of absence (N − Nⱼ + `alpha`) / (N + 2 `alpha`). The joint logarithm
//! is ln prior + Σ ln of the share that the row shows. Sums over rows are exact.
//!
//! # Shape
//! Numeric columns in; the score is the probability of class 1, or for a multiclass task of each
//! class.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! A value equal to `binarize` is absent. The logarithms are added to that of the prior in the
//! order of the columns. A class without rows has probability 0.
//!
//! # Errors
//! `alpha` not above 0; `binarize` not finite; `class_prior` that are no probabilities, or not one
//! for each class; a missing or infinite value. At scoring, an infinite value is a row's reason.
//!
//! # Example
//! One column, present in 1 of 1 row of class 0 and in 0 of 1 of class 1, `alpha` = 1: the shares
//! are 2/3 and 1/3. A row with it belongs to class 1 with probability 1/3.

use serde::{Deserialize, Serialize};

use super::{linear, naive_bayes, ranges};
use crate::aggregate::{ClassSums, Rows, Term};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The smoothing, the bound and the priors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BernoulliNaiveBayesParams {
    /// What is added to each sum, above 0.
    pub alpha: f64,
    /// A value above it is present.
    pub binarize: f64,
    /// Whether priors are the shares of the rows; otherwise all are alike.
    pub fit_prior: bool,
    /// The prior of each class; none means that `fit_prior` decides.
    pub class_prior: Vec<f64>,
}

impl Default for BernoulliNaiveBayesParams {
    fn default() -> Self {
        BernoulliNaiveBayesParams {
            alpha: 1.0,
            binarize: 0.0,
            fit_prior: true,
            class_prior: Vec::new(),
        }
    }
}

impl FitModel for BernoulliNaiveBayesParams {
    type Fitted = BernoulliNaiveBayes;

    fn validate(&self) -> Result<()> {
        ranges::moderate_above_zero("alpha", self.alpha)?;
        ranges::probabilities("class_prior", &self.class_prior)?;
        if self.binarize.is_finite() {
            return Ok(());
        }
        let message = format!("expected a finite `binarize`, found {}", self.binarize);
        Err(Error::new(Code::BadParameter, message))
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Binary, Task::Multiclass]
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<BernoulliNaiveBayes> {
        linear::ranges(rows, ctx)?;
        let start = ClassSums::new(ctx.slots, ctx.n_classes, Term::Above(self.binarize));
        let (weights, totals) = rows.aggregate(start)?.finish();
        let priors =
            naive_bayes::priors("class_prior", &self.class_prior, self.fit_prior, &weights)?;
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        for (totals, weight) in totals.chunks(ctx.slots.len()).zip(&weights) {
            let whole = math::ln(weight + 2.0 * self.alpha);
            let log = |part: f64| math::canonical(math::ln(part + self.alpha) - whole);
            // Each sum is rounded once, so that the difference could fall below 0.
            let rest = |total: &f64| math::max(weight - total, 0.0);
            present.extend(totals.iter().map(|total| log(*total)));
            absent.extend(totals.iter().map(|total| log(rest(total))));
        }
        let constants = priors.iter().map(|p| naive_bayes::log_prior(*p)).collect();
        let n_outputs = naive_bayes::n_outputs(ctx);
        let binarize = math::canonical(self.binarize);
        Ok(BernoulliNaiveBayes { n_outputs, binarize, priors, present, absent, constants })
    }

    fn examples() -> Vec<Example<Self>> {
        let high = BernoulliNaiveBayesParams {
            alpha: 0.5,
            binarize: 4.0,
            fit_prior: false,
            ..Default::default()
        };
        vec![
            Example::on(COMPLETE_COLUMNS, BernoulliNaiveBayesParams::default()),
            Example::on(&["count", "rooms"], high),
        ]
    }
}

/// Priors and logarithms of shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BernoulliNaiveBayes {
    n_outputs: u32,
    binarize: f64,
    priors: Vec<f64>,
    /// Of class 0 first, as those of absence.
    present: Vec<f64>,
    absent: Vec<f64>,
    constants: Vec<f64>,
}

impl Predict for BernoulliNaiveBayes {
    fn check(&self, features: &Schema) -> Result<()> {
        let tables: [&[f64]; 2] = [&self.present, &self.absent];
        let (n_outputs, n_features) = (self.n_outputs, features.len());
        naive_bayes::check(&self.priors, n_outputs, &self.constants, &tables, n_features)?;
        if self.binarize.is_finite() {
            return Ok(());
        }
        Err(Error::new(Code::Malformed, "expected a finite bound, found another value"))
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_columns = slots.len();
        naive_bayes::predict(batch, slots, &self.priors, scores, |batch, row, class| {
            let present = &self.present[class * n_columns..][..n_columns];
            let absent = &self.absent[class * n_columns..][..n_columns];
            let mut total = self.constants[class];
            for ((&slot, present), absent) in slots.iter().zip(present).zip(absent) {
                let is_present = batch.num(slot)[row] > self.binarize;
                total += if is_present { present } else { absent };
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
    use crate::models::tests::{features, fit_model, regression};

    #[test]
    fn two_rows_by_hand() {
        let t = regression(&[&[1.0, 0.0]], &[0.0, 1.0]);
        let model = fit_model(&BernoulliNaiveBayesParams::default(), &t).unwrap();
        assert_eq!(model.present[0], math::ln(2.0) - math::ln(3.0));
        assert_eq!(model.present[0], model.absent[1]);
        let mut scores = [0.0; 2];
        model.predict(&mut t.clone(), &[0], &mut scores).unwrap();
        // The distance is that of a few roundings of logarithms.
        for (found, expected) in scores.iter().zip([1.0 / 3.0, 2.0 / 3.0]) {
            assert!(math::ulps_between(*found, expected) <= 4, "{found} {expected}");
        }
    }

    #[test]
    fn weights_count_and_a_damaged_state_is_refused() {
        let mut t = regression(&[&[1.0, 0.0, 2.0]], &[0.0, 0.0, 1.0]);
        t.set_weights(vec![3.0, 0.5, 1.0]);
        let mut model = fit_model(&BernoulliNaiveBayesParams::default(), &t).unwrap();
        // (3 + 1) / (3.5 + 2) and (0.5 + 1) / 5.5.
        assert_eq!(model.present[0], math::ln(4.0) - math::ln(5.5));
        assert_eq!(model.absent[0], math::ln(1.5) - math::ln(5.5));
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        model.absent.pop();
        assert!(model.check(&features(1)).is_err());
    }
}
