//! Fits a linear support vector machine: a weighted sum of the columns that keeps a margin between
//! two classes, or that stays within a tube around the target.
//!
//! # Method
//! The objective of scikit-learn 1.9.1 `LinearSVC` and `LinearSVR` with squared losses: ½ Σ bⱼ² +
//! `c` Σ loss, with z = b₀ + Σ bⱼ xⱼ. Binary: a row costs max(0, 1 − z)² if its class is 1 and
//! max(0, 1 + z)² else; `class_weight` = "balanced" multiplies that by n / (2 n_class). Regression:
//! max(0, |y − z| − `epsilon`)². The intercept b₀ has no penalty
//! (there it has one). Newton's method with step halving on columns (and for regression a target)
//! that are centred and scaled by powers of two; sums over rows are exact and rounded once. The
//! gradient norm is √(g' H⁻¹ g / n), with gradient g and second derivatives H in those scaled
//! variables and n rows (or the sum of weights); when it is at most `tolerance`, that one step is
//! taken and the fit ends. The objective is quadratic while the same rows cost something, so that
//! the optimum is met to rounding.
//!
//! # Shape
//! Numeric columns in. Regression: the score is z. Binary: the score is 1 / (1 + e^−z), 0.5 on the
//! border between the classes. It orders rows as z does but is no calibrated probability.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! z starts with b₀ and adds bⱼ xⱼ in the order of the columns, each product rounded. The
//! coefficients of the optimum are unique. Where b₀ is not, because no row costs anything, it is
//! where the steps from 0 lead; it does not depend on the order of rows.
//!
//! # Errors
//! `c` not above 0, `epsilon` below 0, `tolerance` not above 0, `max_iter` of 0; a missing or
//! infinite value; a target of one class; class weights of a regression; no optimum within
//! `max_iter` steps. At scoring, an infinite value is a row's reason.
//!
//! # Example
//! x = −1, 1 and y = 0, 1 with `c` = 1: b₀ = 0, and b₁ = 4 c (1 − b₁) gives b₁ = 4 / 5.

use serde::{Deserialize, Serialize};

use super::ClassWeight;
use super::linear;
use super::loss_fit::{LossFit, Strength};
use super::minimise::Stop;
use super::summary::is_false;
use crate::aggregate::{ClassTotals, Loss, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// The weight of the losses, the width of the tube, and when to stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvmParams {
    /// The weight of the losses against half the squared coefficients, above 0.
    pub c: f64,
    /// For regression: how far a row may lie from the sum without a cost, at least 0.
    pub epsilon: f64,
    /// Whether b₀ is fitted; otherwise it is 0.
    pub fit_intercept: bool,
    /// The most Newton steps, at least 1.
    pub max_iter: u32,
    /// The gradient norm at which the last step is taken, above 0.
    pub tolerance: f64,
    /// For two classes: what a row of each counts, as a word or by label. Left out of the stored
    /// form where it is "none".
    #[serde(skip_serializing_if = "is_none")]
    pub class_weight: ClassWeight,
}

fn is_none(class_weight: &ClassWeight) -> bool {
    *class_weight == ClassWeight::None
}

impl Default for LinearSvmParams {
    fn default() -> Self {
        LinearSvmParams {
            c: 1.0,
            epsilon: 0.0,
            fit_intercept: true,
            max_iter: 200,
            tolerance: 1e-10,
            class_weight: ClassWeight::None,
        }
    }
}

impl FitModel for LinearSvmParams {
    type Fitted = LinearSvm;

    fn validate(&self) -> Result<()> {
        linear::check_positive("c", self.c)?;
        linear::check_not_negative("epsilon", self.epsilon)?;
        self.class_weight.validate()?;
        linear::check_stop(self.stop())
    }

    fn tasks(&self) -> &'static [Task] {
        match self.class_weight {
            ClassWeight::None => &[Task::Binary, Task::Regression],
            _ => &[Task::Binary],
        }
    }

    fn weighs(&self) -> bool {
        true
    }

    fn class_weight(&self) -> Option<&ClassWeight> {
        Some(&self.class_weight)
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<LinearSvm> {
        let ranges = linear::ranges(rows, ctx)?;
        let is_classifier = ctx.task == Task::Binary;
        let loss = if is_classifier {
            Loss::SquaredHinge(self.class_weights(rows, ctx, ranges.total_weight)?)
        } else {
            Loss::SquaredTube(0.0)
        };
        let mut fit = LossFit::new(rows, ctx, &ranges, self.fit_intercept, true, loss)?
            .with_penalty(Strength { l2: 1.0 / self.c, l1: 0.0 });
        if !is_classifier {
            fit = fit.with_scaled_target(&ranges.target, self.fit_intercept);
            fit.loss = Loss::SquaredTube(self.epsilon * fit.point.target_scale);
        }
        let found = fit.run(self.stop())?;
        let remedy = "scale the columns, lower `c`, or raise `max_iter`";
        let is_unsettled = fit.settle(&found, self.max_iter, remedy)?;
        let solution = fit.finish(&found.x)?;
        Ok(LinearSvm {
            coefficients: solution.coefficients,
            intercept: solution.intercept,
            is_classifier,
            n_iterations: found.n_iterations,
            gradient_norm: found.gradient_norm,
            is_unsettled,
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let tube = LinearSvmParams { c: 0.01, epsilon: 100.0, ..Default::default() };
        let balanced =
            LinearSvmParams { class_weight: ClassWeight::Balanced, c: 0.1, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, LinearSvmParams::default()),
            Example::on(&["area", "constant", "rooms", "sold", "year"], tube),
            Example::on(COMPLETE_COLUMNS, balanced),
        ]
    }
}

impl LinearSvmParams {
    fn stop(&self) -> Stop {
        Stop { max_iter: self.max_iter, tolerance: self.tolerance }
    }

    /// What a row of each class counts: one, n / (k n_class), or as a table by label says.
    fn class_weights(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        total_weight: f64,
    ) -> Result<[f64; 2]> {
        let totals = rows.aggregate(ClassTotals::new(2))?.finish();
        if totals.iter().any(|total| *total <= 0.0) {
            let message = "expected rows of two classes, found one";
            return Err(Error::new(Code::TooFewRows, message));
        }
        let factors = self.class_weight.factors(total_weight, &totals, ctx.labels)?;
        Ok(factors.map_or([1.0; 2], |factors| [factors[0], factors[1]]))
    }
}

/// Coefficients and intercept, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSvm {
    coefficients: Vec<f64>,
    intercept: f64,
    is_classifier: bool,
    n_iterations: u32,
    gradient_norm: f64,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    is_unsettled: bool,
}

impl Predict for LinearSvm {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check(&self.coefficients, self.intercept, features.len())?;
        linear::check_norm(self.gradient_norm)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        if self.is_classifier {
            math::sigmoid_all(scores);
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::models::tests::{fit_as, fit_model, refused, regression};

    /// A mathematical distance, not a sameness: the expected value itself is rounded.
    fn close(found: f64, expected: f64) {
        let distance = (found - expected).abs();
        assert!(distance <= 1e-13 * (1.0 + expected.abs()), "{found} {expected}");
    }

    #[test]
    fn two_rows_by_hand() {
        // ½ b² + c 2 (1 − b)²: b = 4 c (1 − b).
        let t = regression(&[&[-1.0, 1.0]], &[0.0, 1.0]);
        for (c, expected) in [(1.0, 0.8), (0.25, 0.5)] {
            let model = fit_model(&LinearSvmParams { c, ..Default::default() }, &t).unwrap();
            close(model.coefficients[0], expected);
            close(model.intercept, 0.0);
        }
        // Rows beyond the margin cost nothing: the same line.
        let t = regression(&[&[-1.0, 1.0, 9.0, -5.0]], &[0.0, 1.0, 1.0, 0.0]);
        let model = fit_model(&LinearSvmParams::default(), &t).unwrap();
        close(model.coefficients[0], 0.8);
    }

    #[test]
    fn balanced_classes_count_alike() {
        // Three rows at −1 and one at 1: class weights 4 / 6 and 4 / 2. ½ b² + 2 (1 − z)² + 2 (1 +
        // z)² with z = ±b: b = 8 (1 − b), as two rows with c = 2.
        let t = regression(&[&[-1.0, -1.0, -1.0, 1.0]], &[0.0, 0.0, 0.0, 1.0]);
        let params = LinearSvmParams { class_weight: ClassWeight::Balanced, ..Default::default() };
        let model = fit_model(&params, &t).unwrap();
        close(model.coefficients[0], 8.0 / 9.0);
        close(model.intercept, 0.0);
        let table = BTreeMap::from([("0".to_owned(), 2.0 / 3.0), ("1".to_owned(), 2.0)]);
        let class_weight = ClassWeight::Table(table);
        let table = LinearSvmParams { class_weight, ..Default::default() };
        assert_eq!(fit_model(&table, &t).unwrap(), model);
    }

    #[test]
    fn a_tube_around_a_line() {
        // Rows y = 2 x at ±1, epsilon = 0.5: ½ b² + 2 c (1.5 − b)², b = 4 c (1.5 − b) = 1.2.
        let t = regression(&[&[-1.0, 1.0]], &[-2.0, 2.0]);
        let params = LinearSvmParams { epsilon: 0.5, ..Default::default() };
        let model = fit_as(&params, &t, Task::Regression).unwrap();
        close(model.coefficients[0], 1.2);
        // A tube wider than the target: nothing costs anything at b = 0.
        let params = LinearSvmParams { epsilon: 5.0, ..Default::default() };
        let model = fit_as(&params, &t, Task::Regression).unwrap();
        assert_eq!(model.coefficients, [0.0]);
        // Without a tube and for large c it is least squares.
        let params = LinearSvmParams { c: 1e12, ..Default::default() };
        let t = regression(&[&[0.0, 1.0, 2.0, 3.0]], &[1.0, 3.5, 4.5, 7.0]);
        let model = fit_as(&params, &t, Task::Regression).unwrap();
        assert!((model.coefficients[0] - 1.9).abs() < 1e-11, "{model:?}");
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let params = LinearSvmParams::default();
        let one = regression(&[&[1.0, 2.0]], &[1.0, 1.0]);
        assert_eq!(refused(&params, &one), "expected rows of two classes, found one");
        for (c, epsilon) in [(0.0, 0.0), (1.0, -1.0), (f64::NAN, 0.0)] {
            let params = LinearSvmParams { c, epsilon, ..Default::default() };
            assert!(params.validate().is_err());
        }
        for scale in [1e-300, 1e300] {
            let t = regression(&[&[scale, -scale, 0.0]], &[0.0, 1.0, 1.0]);
            let _ = fit_model(&params, &t);
        }
    }
}
