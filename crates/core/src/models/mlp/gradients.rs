//! Gradients against the change of the loss, and their independence of threads.

use super::head::Head;
use super::pass::{Net, Pass};
use super::shape::Shape;
use super::tests::{ACTIVATIONS, draws, normals};
use crate::math;
use crate::models::mlp::Activation;
use crate::par::Threads;
use crate::rng::{Draw, Pcg};

/// A pass of `n_rows` drawn rows through a drawn network.
fn drawn(shape: &Shape, head: Head, n_rows: usize) -> (Vec<f64>, Pass) {
    let mut draws = draws("pass");
    let params = normals(shape.n_params(), &mut draws);
    let mut pass = Pass::new(shape);
    let net = Net {
        shape,
        params: &params,
        activation: Activation::Relu,
        head,
        wants_input_slopes: true,
    };
    pass.resize(net, n_rows);
    pass.inputs = normals(n_rows * shape.n_inputs(), &mut draws);
    let n_classes = shape.n_outputs().max(2) as u64;
    let target = |draws: &mut Pcg| match head {
        Head::Squared => draws.normal(),
        _ => draws.bounded(n_classes) as f64,
    };
    pass.targets = (0..n_rows).map(|_| target(&mut draws)).collect();
    pass.row_weights = (0..n_rows).map(|i| i as f64 / 2.0).collect();
    (params, pass)
}

#[test]
fn gradients_are_what_the_loss_changes_by() {
    for (head, n_outputs) in [(Head::Squared, 1), (Head::Logistic, 1), (Head::Softmax, 3)] {
        for activation in ACTIVATIONS {
            let shape = Shape::new(vec![3, 4, 2, n_outputs]);
            let (params, mut pass) = drawn(&shape, head, 5);
            let factors = [[2.0, 0.0, 1.0, 0.5].repeat(5), vec![1.0; 10]];
            let mut losses = |params: &[f64], inputs: Option<&[f64]>, gradient: &mut [f64]| {
                let wants_input_slopes = true;
                let net = Net { shape: &shape, params, activation, head, wants_input_slopes };
                pass.factors.clone_from_slice(&factors);
                let own = pass.inputs.clone();
                if let Some(inputs) = inputs {
                    pass.inputs.copy_from_slice(inputs);
                }
                pass.run(net, gradient);
                let loss = math::sum_in_order(pass.losses.iter().copied());
                let inputs = std::mem::replace(&mut pass.inputs, own);
                (loss, inputs, pass.input_slopes.clone())
            };
            let mut gradient = vec![0.0; shape.n_params()];
            let (_, inputs, input_slopes) = losses(&params, None, &mut gradient);
            let mut ignored = gradient.clone();
            let h = 1.0 / 65_536.0;
            // Losses are below 100 and third derivatives below 1000: rounding gives 100 · 2^-52 / h
            // and the difference 1000 h² / 6, both below 1e-7.
            for (i, slope) in gradient.iter().enumerate() {
                let mut at = |x: f64| {
                    let mut moved = params.clone();
                    moved[i] += x;
                    losses(&moved, None, &mut ignored).0
                };
                let change = (at(h) - at(-h)) / (2.0 * h);
                assert!((change - slope).abs() < 2e-7, "{head:?} {activation:?} {i}: {change}");
            }
            for (i, slope) in input_slopes.iter().enumerate() {
                let mut at = |x: f64| {
                    let mut moved = inputs.clone();
                    moved[i] += x;
                    losses(&params, Some(&moved), &mut ignored).0
                };
                let change = (at(h) - at(-h)) / (2.0 * h);
                assert!((change - slope).abs() < 2e-7, "{head:?} {activation:?} {i}: {change}");
            }
        }
    }
}

#[test]
fn a_gradient_does_not_depend_on_threads() {
    // Enough products to be shared.
    let shape = Shape::new(vec![37, 61, 29, 1]);
    let (params, mut pass) = drawn(&shape, Head::Logistic, 203);
    let net = Net {
        shape: &shape,
        params: &params,
        activation: Activation::Tanh,
        head: Head::Logistic,
        wants_input_slopes: true,
    };
    let mut run = |n_threads: usize| {
        pass.factors = vec![vec![1.0; 203 * 61], vec![0.5; 203 * 29]];
        let mut gradient = vec![0.0; shape.n_params()];
        Threads::new(n_threads).unwrap().run(|| pass.run(net, &mut gradient));
        let numbers = gradient.iter().chain(&pass.losses).chain(&pass.input_slopes);
        numbers.map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    let expected = run(1);
    assert!(expected == run(2) && expected == run(3) && expected == run(8));
}
