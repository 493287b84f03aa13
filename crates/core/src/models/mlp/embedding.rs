//! Labels as vectors of numbers that are learned with the weights.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::MlpParams;
use crate::batch::{Batch, MISSING_CODE};
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};

/// A vector for each label of a column, in code-point order of the labels, then one for a missing
/// label and one for any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Embedding {
    levels: Vec<String>,
    dim: u32,
    vectors: Vec<f64>,
}

impl Embedding {
    /// The number of inputs.
    pub(super) fn dim(&self) -> usize {
        self.dim as usize
    }

    /// The place of a missing label.
    pub(super) fn missing(&self) -> usize {
        self.levels.len()
    }

    /// The place of a label.
    pub(super) fn place(&self, label: &str) -> usize {
        let found = self.levels.binary_search_by(|level| level.as_str().cmp(label));
        found.unwrap_or(self.levels.len() + 1)
    }

    /// The vector at a place.
    pub(super) fn vector(&self, place: usize) -> &[f64] {
        &self.vectors[place * self.dim()..(place + 1) * self.dim()]
    }

    /// # Errors
    /// If labels do not ascend or have not one finite vector each: the artifact is damaged.
    pub(super) fn check(&self) -> Result<()> {
        let malformed = |message: String| Err(Error::new(Code::Malformed, message));
        if !self.levels.windows(2).all(|pair| pair[0] < pair[1]) {
            return malformed("expected labels in ascending order, found another".to_owned());
        }
        let n = (self.levels.len() + 2).checked_mul(self.dim());
        if self.dim == 0 || n != Some(self.vectors.len()) {
            let (n, dim) = (self.vectors.len(), self.dim);
            return malformed(format!(
                "expected whole vectors of {dim} numbers, found {n} numbers"
            ));
        }
        if !self.vectors.iter().all(|x| x.is_finite()) {
            return malformed("expected finite vectors, found another value".to_owned());
        }
        Ok(())
    }
}

/// A text column during a fit.
pub(super) struct TextInput {
    pub(super) slot: usize,
    /// The labels of the training rows.
    levels: Vec<String>,
    /// How many training rows have each label, and how many none.
    counts: Vec<u64>,
    /// The place of each row's vector: a label, missing, or another.
    codes: Vec<u32>,
    dim: usize,
    first_input: usize,
    /// Where its vectors begin among the parameters.
    start: usize,
}

impl TextInput {
    /// Labels that only validation rows have are others.
    pub(super) fn new(
        batch: &Batch,
        slot: usize,
        training: &[u32],
        params: &MlpParams,
        first_input: usize,
    ) -> Self {
        let text = batch.text(slot);
        let mut by_code = vec![0; text.n_levels()];
        let mut n_missing = 0;
        for &row in training {
            match text.codes()[row as usize] {
                MISSING_CODE => n_missing += 1,
                code => by_code[code as usize] += 1,
            }
        }
        let mut seen: Vec<(&str, u64)> = text.levels().zip(by_code).filter(|s| s.1 > 0).collect();
        seen.sort();
        let levels: Vec<String> = seen.iter().map(|(level, _)| (*level).to_owned()).collect();
        let n_levels = levels.len() as u32;
        let place = |level: &str| {
            seen.binary_search_by(|s| s.0.cmp(level)).map_or(n_levels + 1, |place| place as u32)
        };
        let places: Vec<u32> = text.levels().map(place).collect();
        let code = |&code: &u32| match code {
            MISSING_CODE => n_levels,
            code => places[code as usize],
        };
        let counts = seen.iter().map(|(_, n)| *n).chain([n_missing]).collect();
        let dim = match params.embedding_dim {
            0 => n_levels.div_ceil(2).clamp(1, 50) as usize,
            dim => dim as usize,
        };
        let codes = text.codes().iter().map(code).collect();
        TextInput { slot, levels, counts, codes, dim, first_input, start: 0 }
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Its places among the inputs.
    pub(super) fn inputs(&self) -> Range<usize> {
        self.first_input..self.first_input + self.dim
    }

    /// The number of its parameters.
    pub(super) fn n_params(&self) -> usize {
        (self.levels.len() + 2) * self.dim
    }

    /// Says where its vectors begin among the parameters.
    pub(super) fn set_start(&mut self, start: usize) {
        self.start = start;
    }

    /// The labels with the places of their vectors among the parameters.
    pub(super) fn vectors(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let levels = self.levels.iter().map(String::as_str);
        levels.enumerate().map(|(place, level)| (level, self.at(place)))
    }

    /// The place of the vector of missing labels.
    pub(super) fn missing(&self) -> Range<usize> {
        self.at(self.levels.len())
    }

    /// The place of a row's vector.
    pub(super) fn vector(&self, row: usize) -> Range<usize> {
        self.at(self.codes[row] as usize)
    }

    fn at(&self, place: usize) -> Range<usize> {
        let start = self.start + place * self.dim;
        start..start + self.dim
    }

    /// Adds the slopes by the inputs of some rows to the gradient of their vectors, in that order.
    pub(super) fn add_slopes(
        &self,
        rows: impl Iterator<Item = u32>,
        input_slopes: &[f64],
        n_inputs: usize,
        gradient: &mut [f64],
    ) {
        for (row, slopes) in rows.zip(input_slopes.chunks_exact(n_inputs)) {
            let sums = &mut gradient[self.vector(row as usize)];
            sums.iter_mut().zip(&slopes[self.inputs()]).for_each(|(sum, slope)| *sum += slope);
        }
    }

    /// Gives other labels the mean vector of the labels by training rows, each sum exact, and the
    /// same to missing ones if no training row has none. Without labels, others are
    /// as missing ones.
    pub(super) fn settle(&self, params: &mut [f64]) {
        let n_levels = self.levels.len();
        let (n_missing, n_labelled) = (self.counts[n_levels], self.counts[..n_levels].iter());
        let n_labelled = n_labelled.sum::<u64>();
        for i in 0..self.dim {
            let at = |place: usize| self.start + place * self.dim + i;
            let mean = if n_labelled == 0 {
                params[at(n_levels)]
            } else {
                let mut sum = ExactSum::new();
                for (place, &n) in self.counts[..n_levels].iter().enumerate() {
                    sum.add_product(n as f64, params[at(place)]);
                }
                math::mean(&sum, n_labelled)
            };
            params[at(n_levels + 1)] = mean;
            if n_missing == 0 {
                params[at(n_levels)] = mean;
            }
        }
    }

    /// What is stored.
    pub(super) fn finish(&self, params: &[f64]) -> Embedding {
        Embedding {
            levels: self.levels.clone(),
            dim: self.dim as u32,
            vectors: params[self.start..self.start + self.n_params()].to_vec(),
        }
    }
}
