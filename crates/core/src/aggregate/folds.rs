//! The exact Gram matrix of each of several folds.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::math::{self, GramMatrix, GramSpec};
use crate::rng::Stream;

/// As [`Gram`](super::Gram), one for each fold; a row's fold is a function of its fitting key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldGrams {
    slots: Slots,
    stream: Stream,
    folds: Vec<math::Gram>,
}

impl FoldGrams {
    /// Of ones, the columns at `slots` and the target, for `n_folds` folds that `stream` draws.
    /// `spec` has two entries more than `slots`, and is that of all rows together.
    pub fn new(slots: &[usize], spec: &GramSpec, stream: Stream, n_folds: usize) -> Self {
        let folds = vec![math::Gram::new(spec); n_folds];
        FoldGrams { slots: Slots::new(slots), stream, folds }
    }

    /// The matrix of the rows of each fold.
    pub fn finish(&self) -> Vec<GramMatrix> {
        self.folds.iter().map(math::Gram::finish).collect()
    }

    /// The matrix of the rows outside of each fold.
    pub fn finish_others(&self) -> Vec<GramMatrix> {
        let without = |fold: usize| {
            let others = self.folds.iter().enumerate().filter(|(other, _)| *other != fold);
            let mut others = others.map(|(_, gram)| gram.clone());
            let first = others.next();
            let total = first.map(|first| {
                others.fold(first, |mut total, gram| {
                    total.merge(&gram);
                    total
                })
            });
            total.unwrap_or_else(|| self.folds[fold].clone()).finish()
        };
        (0..self.folds.len()).map(without).collect()
    }

    /// The matrix of all rows.
    pub fn finish_all(&self) -> Option<GramMatrix> {
        let (first, others) = self.folds.split_first()?;
        let total = others.iter().fold(first.clone(), |mut total, gram| {
            total.merge(gram);
            total
        });
        Some(total.finish())
    }
}

impl Aggregate for FoldGrams {
    fn observe(&mut self, block: &Batch) {
        let n_folds = self.folds.len() as u128;
        // The high half of hash times n_folds: even to 2^-64.
        let fold = |row: usize| {
            ((u128::from(self.stream.hash(block.fit_keys()[row])) * n_folds) >> 64) as usize
        };
        let folds: Vec<usize> = (0..block.n_rows()).map(fold).collect();
        for (fold, gram) in self.folds.iter_mut().enumerate() {
            let rows: Vec<usize> = (0..folds.len()).filter(|&row| folds[row] == fold).collect();
            let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let mut columns = vec![vec![1.0; rows.len()]];
            columns.extend(self.slots.iter().map(|slot| pick(block.num(slot))));
            columns.push(pick(block.target()));
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            if block.weights().is_empty() {
                gram.observe(&columns);
            } else {
                gram.observe_weighted(&columns, &pick(block.weights()));
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.folds.iter_mut().zip(&other.folds).for_each(|(a, b)| a.merge(b));
    }
}
