//! What a logistic fit learns, and how it scores.

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Schema};
use crate::config::N_CLASSES_MAX;
use crate::error::{Code, Error, Result};
use crate::faults;
use crate::math;
use crate::models::linear;
use crate::models::multinomial::ClassLine;
use crate::models::summary::{StandardErrors, is_false};
use crate::step::{CoefficientSummary, Output, Predict};

/// Coefficients and intercept of the log-odds, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticRegression {
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) n_iterations: u32,
    pub(super) gradient_norm: f64,
    /// One line per class of a multiclass task, whose `coefficients` are empty; none for two
    /// classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) classes: Vec<ClassLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<StandardErrors>,
    /// Whether the fit stopped at its cap.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_unsettled: bool,
}

impl LogisticRegression {
    /// Writes each class's weighted sum.
    fn sums(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) {
        let n_classes = self.classes.len();
        for (k, line) in self.classes.iter().enumerate() {
            scores.chunks_exact_mut(n_classes).for_each(|row| row[k] = line.intercept);
            for (&slot, &weight) in slots.iter().zip(&line.coefficients) {
                let rows = scores.chunks_exact_mut(n_classes).zip(batch.num(slot));
                for (row, &x) in rows {
                    row[k] = faults::multiply_add(row[k], weight, x);
                }
            }
        }
        for (row, scores) in scores.chunks_exact(n_classes).enumerate() {
            if !scores.iter().all(|z| z.is_finite()) {
                linear::fault(batch, slots, row);
            }
        }
    }
}

impl Predict for LogisticRegression {
    fn check(&self, features: &Schema) -> Result<()> {
        linear::check_norm(self.gradient_norm)?;
        if let Some(summary) = &self.summary {
            summary.check(features.len())?;
        }
        if self.classes.is_empty() {
            return linear::check(&self.coefficients, self.intercept, features.len());
        }
        let n_classes = self.classes.len();
        if !self.coefficients.is_empty() || !(2..=N_CLASSES_MAX).contains(&n_classes) {
            let message = format!("expected lines of 2 classes or more alone, found {n_classes}");
            return Err(Error::new(Code::Malformed, message));
        }
        linear::check(&[], self.intercept, 0)?;
        let mut lines = self.classes.iter();
        lines.try_for_each(|line| linear::check(&line.coefficients, line.intercept, features.len()))
    }

    fn n_outputs(&self) -> usize {
        Ord::max(self.classes.len(), 1)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        if !self.classes.is_empty() {
            self.sums(batch, slots, scores);
            math::softmax_all(scores, self.classes.len());
            return Ok(());
        }
        linear::predictor(batch, slots, &self.coefficients, self.intercept, scores);
        math::sigmoid_all(scores);
        Ok(())
    }

    fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        output.names(self.n_outputs(), features)
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        let lines: Vec<(&[f64], f64)> = match self.line() {
            Some(line) => vec![line],
            None => self.classes.iter().map(|c| (c.coefficients.as_slice(), c.intercept)).collect(),
        };
        match output {
            Output::Margin if self.classes.is_empty() => {
                linear::predictor(batch, slots, &self.coefficients, self.intercept, values);
            }
            Output::Margin => self.sums(batch, slots, values),
            Output::Contribution => linear::contributions(batch, slots, &lines, values),
            Output::Leaf => return Err(linear::no_output(output)),
        }
        Ok(())
    }

    fn line(&self) -> Option<(&[f64], f64)> {
        let line = (self.coefficients.as_slice(), self.intercept);
        self.classes.is_empty().then_some(line)
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let mut facts = Vec::new();
        if self.classes.is_empty() {
            facts.push(("intercept".to_owned(), self.intercept));
        }
        facts.push(("iterations".to_owned(), f64::from(self.n_iterations)));
        facts.push(("gradient norm before the last step".to_owned(), self.gradient_norm));
        facts.extend(self.summary.iter().flat_map(|summary| summary.facts.clone()));
        facts
    }

    fn class_facts(&self) -> Vec<(&'static str, Vec<f64>)> {
        if self.classes.is_empty() {
            return Vec::new();
        }
        vec![("intercept", self.classes.iter().map(|line| line.intercept).collect())]
    }

    fn class_coefficients(&self) -> Vec<&[f64]> {
        self.classes.iter().map(|line| line.coefficients.as_slice()).collect()
    }

    fn warnings(&self) -> Vec<String> {
        linear::unsettled(self.is_unsettled, self.n_iterations, self.gradient_norm)
    }

    fn summary(&self, tail: f64) -> Option<Vec<CoefficientSummary>> {
        let errors = self.summary.as_ref()?;
        Some(errors.summary(self.intercept, &self.coefficients, tail))
    }
}
