//! What an artifact holds of a network, and how it scores.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::embedding::Embedding;
use super::head::Head;
use super::layers::{self, Layer};
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::models::linear;
use crate::step::{Output, Predict};

/// Rows that are worked through at a time; no number depends on it.
const CHUNK_ROWS: usize = 64;

/// The layers with what turns columns into inputs and outputs into scores, and how the fit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    pub(super) activation: Activation,
    pub(super) inputs: Vec<Input>,
    pub(super) layers: Vec<Layer>,
    pub(super) outcome: Outcome,
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
pub(super) enum Outcome {
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

impl Outcome {
    fn head(self) -> Head {
        match self {
            Outcome::Number { .. } => Head::Squared,
            Outcome::Probability => Head::Logistic,
            Outcome::Classes => Head::Softmax,
        }
    }
}

impl Mlp {
    fn n_inputs(&self) -> usize {
        self.inputs.iter().fold(0, |n, input| n + input.width())
    }

    /// Whether everything but the columns is sound.
    pub(super) fn check_state(&self) -> Result<()> {
        for input in &self.inputs {
            if let Input::Text(embedding) = input {
                embedding.check()?;
            }
        }
        let n_outputs = match self.outcome {
            Outcome::Number { centre, scale } => {
                if !(centre.is_finite() && scale.is_finite()) {
                    let message = "expected a finite centre and scale, found another value";
                    return Err(Error::new(Code::Malformed, message));
                }
                1
            }
            Outcome::Probability => 1,
            Outcome::Classes => self.n_outputs().max(2),
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

    /// Writes what `finish` makes of the outputs of every row; missing values and a fault for a row
    /// with an input or an output that is no finite number.
    fn each_row(
        &self,
        batch: &mut Batch,
        slots: &[usize],
        scores: &mut [f64],
        finish: impl Fn(&mut [f64]),
    ) {
        let n_rows = batch.n_rows();
        let mut room = batch.take_num();
        for (input, &slot) in self.inputs.iter().zip(slots) {
            if let Input::Text(embedding) = input {
                let place = |label: &str| embedding.place(label) as f64;
                batch.text(slot).numbers_into(&mut room, embedding.missing() as f64, place);
            }
        }
        let n_places = room.len();
        let (n_inputs, width) = (self.n_inputs(), self.n_outputs());
        let chunk_rows = CHUNK_ROWS.min(n_rows);
        let per_row = n_inputs + 2 * layers::widest(&self.layers);
        room.resize(n_places + chunk_rows * per_row, 0.0);
        let (places, work) = room.split_at_mut(n_places);
        let (inputs, work) = work.split_at_mut(chunk_rows * n_inputs);
        for (i, scores) in scores.chunks_mut(CHUNK_ROWS * width).enumerate() {
            let n = scores.len() / width;
            let inputs = &mut inputs[..n * n_inputs];
            self.write_inputs(batch, slots, places, i * CHUNK_ROWS, inputs);
            let outputs = layers::outputs(&self.layers, self.activation, inputs, n, work);
            let rows = inputs.chunks_exact(n_inputs).zip(outputs.chunks_exact_mut(width));
            for ((inputs, outputs), scores) in rows.zip(scores.chunks_exact_mut(width)) {
                if inputs.iter().chain(&*outputs).all(|x| x.is_finite()) {
                    finish(outputs);
                    scores.iter_mut().zip(&*outputs).for_each(|(s, x)| *s = math::canonical(*x));
                } else {
                    scores.fill(math::MISSING);
                }
            }
        }
        batch.give(Column::Num(room));
        self.fault_rows(batch, slots, scores);
    }

    fn fault_rows(&self, batch: &mut Batch, slots: &[usize], scores: &[f64]) {
        for (row, scores) in scores.chunks_exact(self.n_outputs()).enumerate() {
            if !scores.iter().all(|x| x.is_finite()) {
                let nums = self.inputs.iter().zip(slots).filter(|(i, _)| matches!(i, Input::Num));
                let nums: Vec<usize> = nums.map(|(_, &slot)| slot).collect();
                linear::fault(batch, &nums, row);
            }
        }
    }
}

impl Outcome {
    /// From the last layer's sums to what is on the scale of the target, before probabilities.
    fn margin(self, outputs: &mut [f64]) {
        if let Outcome::Number { centre, scale } = self {
            outputs.iter_mut().for_each(|x| *x = centre + scale * *x);
        }
    }
}

impl Predict for Mlp {
    fn check(&self, features: &Schema) -> Result<()> {
        crate::pipeline::check_width(self.inputs.len(), features.len())?;
        for (input, field) in self.inputs.iter().zip(features.fields()) {
            let expected = match input {
                Input::Num => ColumnKind::Num,
                Input::Text(_) => ColumnKind::Text,
            };
            if field.kind != expected {
                let message = format!("expected {expected}, found {}", field.kind);
                return Err(Error::new(Code::Malformed, message).column(&field.name));
            }
        }
        self.check_state()
    }

    fn n_outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::n_out)
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        self.each_row(batch, slots, scores, |outputs| {
            self.outcome.margin(outputs);
            self.outcome.head().score(outputs);
        });
        Ok(())
    }

    fn outputs(&self, output: Output, _: &Schema) -> Option<Vec<String>> {
        match (output, self.outcome) {
            (Output::Margin, Outcome::Classes) => {
                Some((0..self.n_outputs()).map(|class| format!("margin_{class}")).collect())
            }
            (Output::Margin, _) => Some(vec!["margin".to_owned()]),
            _ => None,
        }
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        if output != Output::Margin {
            let message = format!("expected the margin, found {output:?}");
            return Err(Error::new(Code::Usage, message));
        }
        self.each_row(batch, slots, values, |outputs| self.outcome.margin(outputs));
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

    fn warnings(&self) -> Vec<String> {
        if self.is_settled {
            return Vec::new();
        }
        let n = self.n_iterations;
        vec![format!(
            "expected a loss that no longer falls, found one that may after {n} epochs (raise \
             `max_iter`)"
        )]
    }
}
