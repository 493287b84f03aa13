//! What a figure is of: rows with their truth, their scores and what each counts.

use samescore_core::math::{self, ExactSum};

use super::unit::Unit;

/// Rows of which figures are taken. Truth and scores belong together row by row and are finite.
#[derive(Clone, Debug)]
pub struct Cases<'a> {
    pub(super) truth: &'a [f64],
    /// `width` per row.
    pub(super) scores: &'a [f64],
    pub(super) width: usize,
    /// Near 1 or below; empty where each row counts one.
    weights: Vec<f64>,
    unit: Unit,
    total: f64,
}

impl<'a> Cases<'a> {
    /// Rows with `width` scores each, one per class of several, that count one each.
    pub fn new(truth: &'a [f64], scores: &'a [f64], width: usize) -> Self {
        let (unit, total) = (Unit::ONE, truth.len() as f64);
        Cases { truth, scores, width, weights: Vec::new(), unit, total }
    }

    /// The same where each row counts its weight, finite and at least 0. None, or weights of 1:
    /// each counts one.
    #[must_use]
    pub fn weighing(mut self, weights: &[f64]) -> Self {
        if weights.iter().all(|w| *w == 1.0) {
            return self;
        }
        // Figures are ratios, so that a power of two in every weight changes none.
        self.unit = Unit::of(weights.iter().copied());
        self.weights = weights.iter().map(|w| self.unit.shrink(*w)).collect();
        let mut total = ExactSum::new();
        total.add_slice(&self.weights);
        self.total = total.round();
        self
    }

    /// Whether each row counts one.
    pub(super) fn is_plain(&self) -> bool {
        self.weights.is_empty()
    }

    /// What a row counts.
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }

    /// What all rows count.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// A sum of weights as they were given.
    pub(super) fn as_given(&self, weight: f64) -> f64 {
        self.unit.grow(weight)
    }

    /// The mean of what was added up, each term times its row's weight.
    pub(super) fn mean(&self, sum: &ExactSum) -> f64 {
        match self.is_plain() {
            true => math::mean(sum, self.truth.len() as u64),
            false => sum.round() / self.total,
        }
    }

    /// Each row with one score: its weight, truth and score.
    pub(super) fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        let rows = self.truth.iter().zip(self.scores).enumerate();
        rows.map(|(row, (y, p))| (self.weight(row), *y, *p))
    }

    /// Each row with several scores: its weight, class and scores.
    pub(super) fn classes(&self) -> impl Iterator<Item = (f64, usize, &[f64])> + '_ {
        let rows = self.truth.iter().zip(self.scores.chunks_exact(self.width)).enumerate();
        rows.map(|(row, (y, scores))| (self.weight(row), *y as usize, scores))
    }
}
