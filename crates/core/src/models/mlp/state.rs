//! What an artifact holds of a network, and how it scores.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::embedding::Embedding;
use super::head::Head;
use super::layers::{self, Layer};
use crate::batch::{Batch, Column};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::models::linear;
use crate::step::Predict;

/// Rows that are worked through at a time; no number depends on it.
const CHUNK_ROWS: usize = 64;

/// The layers with what turns columns into inputs and outputs into scores, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    pub(super) activation: Activation,
    pub(super) inputs: Vec<Input>,
    pub(super) layers: Vec<Layer>,
    pub(super) output: Output,
    pub(super) n_iterations: u32,
    pub(super) loss: f64,
    pub(super) validation_loss: Option<f64>,
    pub(super) is_settled: bool,
}

/// What one column gives the first layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Input {
    /// Its number.
    Num,
    /// The vector of its label.
    Text(Embedding),
}

/// What the outputs become.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Output {
    /// One number: centre + scale · output.
    Number { centre: f64, scale: f64 },
    /// The probability of class 1.
    Probability,
    /// A probability for each class.
    Classes,
}

impl Input {
    fn width(&self) -> usize {
        match self {
            Input::Num => 1,
            Input::Text(embedding) => embedding.dim(),
        }
    }
}

impl Output {
    fn head(self) -> Head {
        match self {
            Output::Number { .. } => Head::Squared,
            Output::Probability => Head::Logistic,
            Output::Classes => Head::Softmax,
        }
    }
}

impl Mlp {
    fn outputs_len(&self) -> usize {
        self.layers.last().map_or(0, Layer::n_out)
    }

    fn n_inputs(&self) -> usize {
        self.inputs.iter().fold(0, |n, input| n + input.width())
    }

    /// Whether the epochs ended before the loss did.
    #[cfg(test)]
    pub(super) fn warnings_len(&self) -> usize {
        usize::from(!self.is_settled)
    }

    /// Whether the columns have these kinds, checked before anything else is used.
    pub(super) fn check_state(&self) -> Result<()> {
        for input in &self.inputs {
            if let Input::Text(embedding) = input {
                embedding.check()?;
            }
        }
        let n_outputs = match self.output {
            Output::Number { centre, scale } => {
                if !(centre.is_finite() && scale.is_finite()) {
                    let message = "expected a finite centre and scale, found another value";
                    return Err(Error::new(Code::Malformed, message));
                }
                1
            }
            Output::Probability => 1,
            Output::Classes => self.outputs_len().max(2),
        };
        layers::check(&self.layers, self.n_inputs(), n_outputs)?;
        let losses = [Some(self.loss), self.validation_loss];
        match losses.into_iter().flatten().all(f64::is_finite) {
            true => Ok(()),
            false => {
                Err(Error::new(Code::Malformed, "expected finite losses, found another value"))
            }
        }
    }

    /// Puts the inputs of the rows from `first` on into `into`; `places` has for each text column
    /// the place of each row's vector.
    fn write_inputs(
        &self,
        batch: &Batch,
        slots: &[usize],
        places: &[f64],
        first: usize,
        into: &mut [f64],
    ) {
        let (n_inputs, n_rows) = (self.n_inputs(), batch.n_rows());
        let mut places = places.chunks_exact(n_rows.max(1));
        let mut at = 0;
        for (input, &slot) in self.inputs.iter().zip(slots) {
            let rows = into.chunks_exact_mut(n_inputs);
            match input {
                Input::Num => {
                    rows.zip(&batch.num(slot)[first..]).for_each(|(row, &x)| row[at] = x);
                }
                Input::Text(embedding) => {
                    let places = places.next().unwrap_or_default();
                    for (row, &place) in rows.zip(&places[first..]) {
                        let vector = embedding.vector(place as usize);
                        row[at..at + vector.len()].copy_from_slice(vector);
                    }
                }
            }
            at += input.width();
        }
    }

    /// Turns outputs into scores; a row with an input or an output that is no finite number gets
    /// missing ones.
    fn write_scores(&self, inputs: &[f64], outputs: &mut [f64], scores: &mut [f64]) {
        let width = self.outputs_len();
        let rows = inputs.chunks_exact(self.n_inputs()).zip(outputs.chunks_exact_mut(width));
        for ((inputs, outputs), scores) in rows.zip(scores.chunks_exact_mut(width)) {
            if !inputs.iter().chain(&*outputs).all(|x| x.is_finite()) {
                scores.fill(math::MISSING);
                continue;
            }
            self.output.head().score(outputs);
            for (score, &x) in scores.iter_mut().zip(&*outputs) {
                *score = math::canonical(match self.output {
                    Output::Number { centre, scale } => centre + scale * x,
                    _ => x,
                });
            }
        }
    }
}

impl Predict for Mlp {
    fn check(&self, n_features: usize) -> Result<()> {
        crate::pipeline::check_width(self.inputs.len(), n_features)?;
        self.check_state()
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let n_rows = batch.n_rows();
        let mut room = batch.take_num();
        for (input, &slot) in self.inputs.iter().zip(slots) {
            if let Input::Text(embedding) = input {
                let place = |label: &str| embedding.place(label) as f64;
                batch.text(slot).numbers_into(&mut room, embedding.missing() as f64, place);
            }
        }
        let n_places = room.len();
        let (n_inputs, n_outputs) = (self.n_inputs(), self.outputs_len());
        let chunk_rows = CHUNK_ROWS.min(n_rows);
        let width = n_inputs + 2 * layers::widest(&self.layers);
        room.resize(n_places + chunk_rows * width, 0.0);
        let (places, work) = room.split_at_mut(n_places);
        let (inputs, work) = work.split_at_mut(chunk_rows * n_inputs);
        for first in (0..n_rows).step_by(CHUNK_ROWS) {
            let n = chunk_rows.min(n_rows - first);
            let inputs = &mut inputs[..n * n_inputs];
            self.write_inputs(batch, slots, places, first, inputs);
            let outputs = layers::outputs(&self.layers, self.activation, inputs, n, work);
            let scores = &mut scores[first * n_outputs..(first + n) * n_outputs];
            self.write_scores(inputs, outputs, scores);
        }
        batch.give(Column::Num(room));
        for (row, scores) in scores.chunks_exact(n_outputs).enumerate() {
            if !scores.iter().all(|x| x.is_finite()) {
                let nums = self.inputs.iter().zip(slots).filter(|(i, _)| matches!(i, Input::Num));
                let nums: Vec<usize> = nums.map(|(_, &slot)| slot).collect();
                linear::fault(batch, &nums, row);
            }
        }
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        let n_params = self.layers.iter().map(Layer::n_params).sum::<usize>();
        let mut facts = vec![
            ("epochs".to_owned(), f64::from(self.n_iterations)),
            ("weights and intercepts".to_owned(), n_params as f64),
            ("loss".to_owned(), self.loss),
        ];
        facts.extend(self.validation_loss.map(|loss| ("validation loss".to_owned(), loss)));
        facts
    }
}
