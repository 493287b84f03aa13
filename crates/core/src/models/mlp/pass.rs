//! One mini-batch forward and back: losses and the gradient of their sum.
//!
//! Threads share the rows on the way forward and back, where no row knows another, and then the
//! rows of each gradient, whose every element adds the rows of the mini-batch in their order. So
//! their number moves nothing.

use super::activation::Activation;
use super::head::Head;
use super::layers::write_sums;
use super::shape::Shape;
use crate::{math, par};

/// Fewer products than this are not worth a second thread.
const N_PRODUCTS_SHARED: usize = 1 << 19;

/// The buffers of a mini-batch.
pub(super) struct Pass {
    /// Inputs, a row for each row of the mini-batch.
    pub(super) inputs: Vec<f64>,
    /// Targets, one per row.
    pub(super) targets: Vec<f64>,
    /// What each row counts.
    pub(super) row_weights: Vec<f64>,
    /// For each hidden layer what dropout multiplies its values by; slopes when the pass is done.
    pub(super) factors: Vec<Vec<f64>>,
    /// Each row's loss times its weight.
    pub(super) losses: Vec<f64>,
    /// The slope of the losses by each input, if asked for.
    pub(super) input_slopes: Vec<f64>,
    /// The values of each hidden layer.
    values: Vec<Vec<f64>>,
    /// The slope of the losses by each layer's sums.
    deltas: Vec<Vec<f64>>,
    /// The weights of each layer, turned.
    turned: Vec<Vec<f64>>,
}

/// The network as it is during one mini-batch.
#[derive(Clone, Copy)]
pub(super) struct Net<'a> {
    pub(super) shape: &'a Shape,
    pub(super) params: &'a [f64],
    pub(super) activation: Activation,
    pub(super) head: Head,
    /// Whether the slopes by the inputs are asked for.
    pub(super) wants_input_slopes: bool,
}

impl Net<'_> {
    fn n_hidden(&self) -> usize {
        (0..self.shape.n_layers() - 1).map(|l| self.shape.n_out(l)).sum::<usize>()
    }
}

/// Some rows of a pass.
struct Tile<'a> {
    inputs: &'a [f64],
    targets: &'a [f64],
    row_weights: &'a [f64],
    losses: &'a mut [f64],
    input_slopes: &'a mut [f64],
    factors: Vec<&'a mut [f64]>,
    values: Vec<&'a mut [f64]>,
    deltas: Vec<&'a mut [f64]>,
}

/// Some rows of the gradient of one layer's weights.
struct Part<'a> {
    layer: usize,
    first: usize,
    gradient: &'a mut [f64],
}

impl Pass {
    /// Empty buffers.
    pub(super) fn new(shape: &Shape) -> Self {
        let per_layer = |n: usize| vec![Vec::new(); n];
        Pass {
            inputs: Vec::new(),
            targets: Vec::new(),
            row_weights: Vec::new(),
            factors: per_layer(shape.n_layers() - 1),
            losses: Vec::new(),
            input_slopes: Vec::new(),
            values: per_layer(shape.n_layers() - 1),
            deltas: per_layer(shape.n_layers()),
            turned: (0..shape.n_layers()).map(|l| vec![0.0; shape.weights(l).len()]).collect(),
        }
    }

    /// Makes all buffers those of `n_rows` rows, with factors of 1.
    pub(super) fn resize(&mut self, net: Net<'_>, n_rows: usize) {
        let shape = net.shape;
        let resize = |buffer: &mut Vec<f64>, width: usize| buffer.resize(n_rows * width, 0.0);
        resize(&mut self.inputs, shape.n_inputs());
        resize(&mut self.targets, 1);
        resize(&mut self.row_weights, 1);
        resize(&mut self.losses, 1);
        resize(&mut self.input_slopes, if net.wants_input_slopes { shape.n_inputs() } else { 0 });
        for l in 0..shape.n_layers() {
            resize(&mut self.deltas[l], shape.n_out(l));
            if l + 1 < shape.n_layers() {
                resize(&mut self.values[l], shape.n_out(l));
                self.factors[l].clear();
                self.factors[l].resize(n_rows * shape.n_out(l), 1.0);
            }
        }
    }

    /// Runs forward and back over the rows whose inputs, targets, weights and factors are set, and
    /// writes the gradient of the sum of weighted losses by the network's parameters.
    pub(super) fn run(&mut self, net: Net<'_>, gradient: &mut [f64]) {
        let n_rows = self.targets.len();
        let n_products =
            n_rows * (net.shape.n_params() + net.activation.n_products() * net.n_hidden());
        let n_tiles = if n_products < N_PRODUCTS_SHARED { 1 } else { par::n_threads() };
        for l in usize::from(!net.wants_input_slopes)..net.shape.n_layers() {
            let weights = &net.params[net.shape.weights(l)];
            math::transpose(weights, net.shape.n_in(l), net.shape.n_out(l), &mut self.turned[l]);
        }
        let turned = std::mem::take(&mut self.turned);
        let mut tiles = self.tiles(net, n_rows.div_ceil(n_tiles).max(1));
        par::map_mut(&mut tiles, |tile| tile.run(net, &turned));
        self.turned = turned;
        self.write_gradient(net.shape, n_tiles, gradient);
    }

    fn tiles(&mut self, net: Net<'_>, tile_rows: usize) -> Vec<Tile<'_>> {
        let shape = net.shape;
        let n_hidden = shape.n_layers() - 1;
        let width = |l: usize| tile_rows * shape.n_out(l);
        let mut tiles = Vec::new();
        let mut input_slopes = self.input_slopes.chunks_mut(tile_rows * shape.n_inputs());
        let inputs = self.inputs.chunks(tile_rows * shape.n_inputs());
        let rows = self.targets.chunks(tile_rows).zip(self.row_weights.chunks(tile_rows));
        for (((targets, row_weights), losses), inputs) in
            rows.zip(self.losses.chunks_mut(tile_rows)).zip(inputs)
        {
            tiles.push(Tile {
                inputs,
                targets,
                row_weights,
                losses,
                input_slopes: input_slopes.next().unwrap_or_default(),
                factors: Vec::with_capacity(n_hidden),
                values: Vec::with_capacity(n_hidden),
                deltas: Vec::with_capacity(n_hidden + 1),
            });
        }
        for (l, deltas) in self.deltas.iter_mut().enumerate() {
            let parts = deltas.chunks_mut(width(l));
            tiles.iter_mut().zip(parts).for_each(|(tile, part)| tile.deltas.push(part));
        }
        for (l, (values, factors)) in self.values.iter_mut().zip(&mut self.factors).enumerate() {
            let parts = values.chunks_mut(width(l)).zip(factors.chunks_mut(width(l)));
            for (tile, (values, factors)) in tiles.iter_mut().zip(parts) {
                tile.values.push(values);
                tile.factors.push(factors);
            }
        }
        tiles
    }

    fn write_gradient(&self, shape: &Shape, n_parts: usize, gradient: &mut [f64]) {
        let n_rows = self.targets.len();
        let mut parts = Vec::new();
        let mut rest = gradient;
        for layer in 0..shape.n_layers() {
            let (n_in, n_out) = (shape.n_in(layer), shape.n_out(layer));
            let (weights, behind) = rest.split_at_mut(n_in * n_out);
            let (intercepts, behind) = behind.split_at_mut(n_out);
            rest = behind;
            intercepts.fill(0.0);
            for row in self.deltas[layer].chunks_exact(n_out) {
                intercepts.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta);
            }
            let part_rows = n_in.div_ceil(n_parts).max(1);
            for (i, gradient) in weights.chunks_mut(part_rows * n_out).enumerate() {
                parts.push(Part { layer, first: i * part_rows, gradient });
            }
        }
        let write = |part: &mut Part<'_>| {
            let l = part.layer;
            let (n_in, n_out) = (shape.n_in(l), shape.n_out(l));
            let values = if l == 0 { &self.inputs } else { &self.values[l - 1] };
            let rows = part.first..part.first + part.gradient.len() / n_out;
            let deltas = &self.deltas[l];
            math::matmul_transposed(values, n_rows, n_in, rows, deltas, n_out, part.gradient);
        };
        if n_parts == 1 {
            parts.iter_mut().for_each(write);
        } else {
            par::map_mut(&mut parts, write);
        }
    }
}

impl Tile<'_> {
    fn run(&mut self, net: Net<'_>, turned: &[Vec<f64>]) {
        self.forward(net);
        self.slopes_of_losses(net);
        self.back(net.shape, turned, net.wants_input_slopes);
    }

    fn forward(&mut self, net: Net<'_>) {
        let (shape, n_rows) = (net.shape, self.targets.len());
        let last = shape.n_layers() - 1;
        for l in 0..=last {
            let weights = &net.params[shape.weights(l)];
            let intercepts = &net.params[shape.intercepts(l)];
            let (before, behind) = self.values.split_at_mut(l);
            let values = before.last().map_or(self.inputs, |values| values);
            if l == last {
                write_sums(weights, intercepts, values, n_rows, self.deltas[l]);
            } else {
                write_sums(weights, intercepts, values, n_rows, behind[0]);
                net.activation.apply_with_slopes(behind[0], self.factors[l]);
            }
        }
    }

    fn slopes_of_losses(&mut self, net: Net<'_>) {
        let n_outputs = net.shape.n_outputs();
        let Some(outputs) = self.deltas.last_mut() else { return };
        net.head.losses_and_slopes(outputs, n_outputs, self.targets, self.losses);
        let rows = self.row_weights.iter().zip(self.losses.iter_mut());
        for ((weight, loss), slopes) in rows.zip(outputs.chunks_exact_mut(n_outputs)) {
            *loss *= weight;
            slopes.iter_mut().for_each(|slope| *slope *= weight);
        }
    }

    fn back(&mut self, shape: &Shape, turned: &[Vec<f64>], to_the_inputs: bool) {
        let n_rows = self.targets.len();
        for l in (1..shape.n_layers()).rev() {
            let (before, from) = self.deltas.split_at_mut(l);
            let (n_in, n_out) = (shape.n_in(l), shape.n_out(l));
            let into = &mut *before[l - 1];
            math::matmul(from[0], n_rows, n_out, &turned[l], n_in, into);
            into.iter_mut().zip(&*self.factors[l - 1]).for_each(|(d, slope)| *d *= slope);
        }
        if to_the_inputs {
            let (n_in, n_out) = (shape.n_in(0), shape.n_out(0));
            math::matmul(self.deltas[0], n_rows, n_out, &turned[0], n_in, self.input_slopes);
        }
    }
}
