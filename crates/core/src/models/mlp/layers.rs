//! The layers as they are stored, and the way from inputs to outputs.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::shape::Shape;
use crate::error::{Code, Error, Result};
use crate::math;

/// The weights between two layers, a row for each unit that gives, and the intercepts of the units
/// that take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layer {
    weights: Vec<f64>,
    intercepts: Vec<f64>,
}

impl Layer {
    /// The number of units that take.
    pub(super) fn n_out(&self) -> usize {
        self.intercepts.len()
    }

    /// The number of weights and intercepts.
    pub(super) fn n_params(&self) -> usize {
        self.weights.len() + self.intercepts.len()
    }
}

/// All layers of a list of numbers.
pub(super) fn layers(shape: &Shape, params: &[f64]) -> Vec<Layer> {
    let layer = |l| Layer {
        weights: params[shape.weights(l)].to_vec(),
        intercepts: params[shape.intercepts(l)].to_vec(),
    };
    (0..shape.n_layers()).map(layer).collect()
}

/// The units of the widest layer behind the inputs.
pub(super) fn widest(layers: &[Layer]) -> usize {
    layers.iter().map(Layer::n_out).max().unwrap_or_default()
}

/// Checks stored layers from `n_inputs` inputs to `n_outputs` outputs: whole rows of finite
/// weights.
///
/// # Errors
/// If they are others: the artifact is damaged.
pub(super) fn check(layers: &[Layer], n_inputs: usize, n_outputs: usize) -> Result<()> {
    let malformed = |message: String| Err(Error::new(Code::Malformed, message));
    if !(1..=super::N_LAYERS_MAX + 1).contains(&layers.len()) {
        let most = super::N_LAYERS_MAX + 1;
        return malformed(format!("expected 1 to {most} layers, found {}", layers.len()));
    }
    if n_inputs == 0 {
        return malformed("expected inputs, found none".to_owned());
    }
    let mut n_in = n_inputs;
    for layer in layers {
        let n_weights = n_in.checked_mul(layer.n_out());
        if layer.n_out() == 0 || n_weights != Some(layer.weights.len()) {
            let (n, n_out) = (layer.weights.len(), layer.n_out());
            return malformed(format!("expected weights from {n_in} to {n_out} units, found {n}"));
        }
        if !layer.weights.iter().chain(&layer.intercepts).all(|x| x.is_finite()) {
            return malformed("expected finite weights, found another value".to_owned());
        }
        n_in = layer.n_out();
    }
    if n_in != n_outputs {
        return malformed(format!("expected {n_outputs} outputs, found {n_in}"));
    }
    Ok(())
}

/// The last layer's sums for `n_rows` rows of inputs. `room` has twice `n_rows` times the widest
/// layer's units.
pub(super) fn outputs<'a>(
    layers: &[Layer],
    activation: Activation,
    inputs: &[f64],
    n_rows: usize,
    room: &'a mut [f64],
) -> &'a mut [f64] {
    let (mut into, mut from) = room.split_at_mut(room.len() / 2);
    let mut n_values = 0;
    for (l, layer) in layers.iter().enumerate() {
        let values = if l == 0 { inputs } else { &from[..n_values] };
        n_values = n_rows * layer.n_out();
        let sums = &mut into[..n_values];
        write_sums(&layer.weights, &layer.intercepts, values, n_rows, sums);
        if l + 1 < layers.len() {
            activation.apply(sums);
        }
        std::mem::swap(&mut into, &mut from);
    }
    &mut from[..n_values]
}

/// Writes Σ value · weight + intercept for each row and unit: the sum in the order of the units
/// that give, from 0.
pub(super) fn write_sums(
    weights: &[f64],
    intercepts: &[f64],
    values: &[f64],
    n_rows: usize,
    sums: &mut [f64],
) {
    let n_out = intercepts.len();
    math::matmul(values, n_rows, weights.len() / n_out, weights, n_out, sums);
    for row in sums.chunks_exact_mut(n_out) {
        for (sum, intercept) in row.iter_mut().zip(intercepts) {
            *sum += intercept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_layers() -> (Shape, Vec<f64>) {
        // Two inputs, two hidden units, one output.
        let params = vec![1.0, -1.0, 2.0, 0.5, 0.0, 1.0, 3.0, -2.0, 0.25];
        (Shape::new(vec![2, 2, 1]), params)
    }

    #[test]
    fn outputs_by_hand() {
        let (shape, params) = two_layers();
        let layers = layers(&shape, &params);
        let mut room = [0.0; 8];
        // Hidden sums of (1, 1): 1 + 2 + 0 = 3, −1 + 0.5 + 1 = 0.5; of (0, −1): −2, 0.5.
        let found = outputs(&layers, Activation::Relu, &[1.0, 1.0, 0.0, -1.0], 2, &mut room);
        assert_eq!(found, [9.0 - 1.0 + 0.25, -1.0 + 0.25]);
        let without_hidden = &layers[1..];
        let found = outputs(without_hidden, Activation::Relu, &[-1.0, 1.0], 1, &mut room);
        assert_eq!(found, [-4.75]);
    }

    #[test]
    fn the_example_of_the_manual() {
        let params = [2.0, -1.0, 0.0, 1.0, 1.0, 3.0, -1.0];
        let layers = layers(&Shape::new(vec![1, 2, 1]), &params);
        let mut room = [0.0; 4];
        assert_eq!(outputs(&layers, Activation::Relu, &[0.5], 1, &mut room), [1.5]);
    }

    #[test]
    fn stored_layers_must_fit() {
        let (shape, params) = two_layers();
        let good = layers(&shape, &params);
        assert!(check(&good, 2, 1).is_ok());
        assert!(check(&good, 3, 1).is_err() && check(&good, 2, 2).is_err());
        assert!(check(&[], 2, 2).is_err() && check(&good, 0, 1).is_err());
        assert!(check(&vec![good[0].clone(); 66], 2, 2).is_err());
        let mut bad = good.clone();
        bad[0].weights[1] = f64::INFINITY;
        assert!(check(&bad, 2, 1).is_err());
        bad[0].weights.pop();
        assert!(check(&bad, 2, 1).is_err());
        let empty = Layer { weights: vec![], intercepts: vec![] };
        assert!(check(&[empty], 2, 0).is_err());
    }
}
