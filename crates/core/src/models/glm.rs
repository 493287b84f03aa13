//! What the generalised linear models with a logarithmic link share: the fit and the state.

use serde::{Deserialize, Serialize};

use super::linear;
use super::loss_fit::{LossFit, Strength};
use super::minimise::Stop;
use super::summary::is_false;
use crate::aggregate::{Loss, Rows};
use crate::batch::{Batch, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{FitContext, Predict};

/// The params that they share.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) alpha: f64,
    pub(super) fit_intercept: bool,
    pub(super) stop: Stop,
    /// Whether a target of 0 is allowed.
    pub(super) zero_allowed: bool,
}

impl Options {
    /// # Errors
    /// If a parameter is out of its range.
    pub(super) fn validate(&self) -> Result<()> {
        linear::check_not_negative("alpha", self.alpha)?;
        linear::check_stop(self.stop)
    }

    /// # Errors
    /// If the target is out of its range, a feature is not complete, or no optimum is found.
    pub(super) fn fit(
        &self,
        loss: Loss,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
    ) -> Result<LogLinear> {
        let ranges = linear::ranges(rows, ctx)?;
        let (low, high) = (ranges.target.min(), ranges.target.max());
        let (low, high) = (low.unwrap_or_default(), high.unwrap_or_default());
        if low < 0.0 || (low == 0.0 && !self.zero_allowed) {
            let rule = if self.zero_allowed { "of at least 0" } else { "above 0" };
            let message = format!("expected targets {rule}, found {low}");
            let error = Error::new(Code::BadValue, message)
                .remedy("repair the value, or choose a model for such targets");
            let values = |block: &Batch| block.target().to_vec();
            let error = linear::at_first(error, rows, &values, |y| y == low)?;
            return Err(ctx.of_target(error));
        }
        if high == 0.0 {
            let message = "expected a target above 0 in some row, found 0 in all";
            return Err(ctx.of_target(Error::new(Code::BadValue, message)));
        }
        let strength = Strength { l2: self.alpha * ranges.total_weight, l1: 0.0 };
        let is_unique = self.alpha > 0.0;
        let mut fit = LossFit::new(rows, ctx, &ranges, self.fit_intercept, is_unique, loss)?
            .with_penalty(strength);
        if self.fit_intercept {
            let mean = ranges.target.mean().unwrap_or(1.0);
            fit.point.intercept = math::clamp(math::ln(mean), -700.0, 700.0);
        }
        let found = fit.run(self.stop)?;
        let remedy = "scale the columns, raise `alpha`, or raise `max_iter`; without a \
                      penalty a column whose rows all have target 0 has no best weight";
        let is_unsettled = fit.settle(&found, self.stop.max_iter, remedy)?;
        let solution = fit.finish(&found.x)?;
        Ok(LogLinear {
            coefficients: solution.coefficients,
            intercept: solution.intercept,
            n_iterations: found.n_iterations,
            gradient_norm: found.gradient_norm,
            is_unsettled,
        })
    }
}

/// Coefficients and intercept of the logarithm of the mean, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLinear {
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) n_iterations: u32,
    pub(super) gradient_norm: f64,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_unsettled: bool,
}

impl Predict for LogLinear {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        linear::check_norm(self.gradient_norm)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        for (row, score) in scores.iter_mut().enumerate() {
            let is_finite = score.is_finite();
            *score = math::exp(*score);
            if is_finite && !score.is_finite() {
                let message = "expected a finite mean, found an overflow of the exponential";
                batch.fault_row(row, Error::new(Code::NotFinite, message));
            }
        }
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        Some((&self.coefficients, self.intercept))
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![
            ("intercept".to_owned(), self.intercept),
            ("iterations".to_owned(), f64::from(self.n_iterations)),
            ("gradient norm before the last step".to_owned(), self.gradient_norm),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        linear::unsettled(self.is_unsettled, self.n_iterations, self.gradient_norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::tests::{features, regression};

    #[test]
    fn a_mean_that_overflows_gets_a_reason() {
        let model = LogLinear {
            coefficients: vec![1.0],
            intercept: 0.0,
            n_iterations: 1,
            gradient_norm: 0.0,
            is_unsettled: false,
        };
        let mut batch = regression(&[&[0.0, 1000.0, f64::NAN, -1000.0]], &[0.0; 4]);
        let mut scores = [0.0; 4];
        model.predict(&mut batch, &[0], &mut scores).unwrap();
        assert_eq!((scores[0], scores[3]), (1.0, 0.0));
        assert_eq!(batch.faults().keys().copied().collect::<Vec<_>>(), [1, 2]);
        assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
        assert!(LogLinear { gradient_norm: f64::NAN, ..model }.check(&features(1)).is_err());
    }
}
