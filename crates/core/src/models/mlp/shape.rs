//! Where the weights and intercepts of each layer stand in one list of numbers.

use std::ops::Range;

/// The sizes of all layers, from the inputs to the outputs, and the places of what is between two
/// of them: first the weights, a row for each unit that gives, then an intercept for each that
/// takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    sizes: Vec<usize>,
    starts: Vec<usize>,
}

impl Shape {
    /// Of at least two sizes.
    pub(super) fn new(sizes: Vec<usize>) -> Self {
        debug_assert!(sizes.len() >= 2, "inputs and outputs");
        let mut starts = vec![0];
        let mut start = 0;
        for pair in sizes.windows(2) {
            start += (pair[0] + 1) * pair[1];
            starts.push(start);
        }
        Shape { sizes, starts }
    }

    /// The number of layers that have weights.
    pub(super) fn n_layers(&self) -> usize {
        self.sizes.len() - 1
    }

    pub(super) fn n_inputs(&self) -> usize {
        self.sizes[0]
    }

    pub(super) fn n_outputs(&self) -> usize {
        self.sizes[self.n_layers()]
    }

    pub(super) fn n_in(&self, layer: usize) -> usize {
        self.sizes[layer]
    }

    pub(super) fn n_out(&self, layer: usize) -> usize {
        self.sizes[layer + 1]
    }

    /// The number of weights and intercepts.
    pub(super) fn n_params(&self) -> usize {
        self.starts[self.n_layers()]
    }

    pub(super) fn weights(&self, layer: usize) -> Range<usize> {
        let start = self.starts[layer];
        start..start + self.n_in(layer) * self.n_out(layer)
    }

    pub(super) fn intercepts(&self, layer: usize) -> Range<usize> {
        self.weights(layer).end..self.starts[layer + 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other() {
        let shape = Shape::new(vec![3, 4, 2]);
        assert_eq!((shape.weights(0), shape.intercepts(0)), (0..12, 12..16));
        assert_eq!((shape.weights(1), shape.intercepts(1)), (16..24, 24..26));
        assert_eq!((shape.n_params(), shape.n_layers(), shape.n_outputs()), (26, 2, 2));
    }
}
