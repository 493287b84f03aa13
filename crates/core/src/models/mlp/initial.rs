//! The parameters before the first step.

use serde::{Deserialize, Serialize};

use super::MlpParams;
use super::activation::Activation;
use super::data::Data;
use super::shape::Shape;
use crate::math;
use crate::rng::{Draw, Pcg};
use crate::step::FitContext;

/// The range of initial weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// ±√(6 / (units that give + units that take)), for logistic units ±√(2 / …) (Glorot, Bengio
    /// 2010).
    #[default]
    Glorot,
    /// ±√(6 / units that give) (He et al. 2015).
    He,
}

impl Initial {
    fn bound(self, n_in: usize, n_out: usize, activation: Activation) -> f64 {
        let (n_in, n_out) = (n_in as f64, n_out as f64);
        math::sqrt(match (self, activation) {
            (Initial::Glorot, Activation::Logistic) => 2.0 / (n_in + n_out),
            (Initial::Glorot, _) => 6.0 / (n_in + n_out),
            (Initial::He, _) => 6.0 / n_in,
        })
    }
}

/// Uniform draws: the weights of a column from that column's stream, those of each label's vector
/// from a stream of its own below, everything behind the inputs from one stream per layer.
pub(super) fn initial(
    params: &MlpParams,
    shape: &Shape,
    data: &Data,
    ctx: &FitContext<'_>,
) -> Vec<f64> {
    let mut all = vec![0.0; data.texts.iter().fold(shape.n_params(), |n, t| n + t.n_params())];
    let bound = |l| params.initial.bound(shape.n_in(l), shape.n_out(l), params.activation);
    let n_out = shape.n_out(0);
    for place in &data.places {
        let rows = place.first * n_out..(place.first + place.width) * n_out;
        let mut draws = ctx.stream(ctx.name(place.slot), "weights").pcg();
        fill(&mut all[rows], bound(0), &mut draws);
    }
    let stream = ctx.stream("", "weights");
    for l in 0..shape.n_layers() {
        let mut draws = stream.substream("layer", l as u64).pcg();
        if l > 0 {
            fill(&mut all[shape.weights(l)], bound(l), &mut draws);
        }
        fill(&mut all[shape.intercepts(l)], bound(l), &mut draws);
    }
    for text in &data.texts {
        let stream = ctx.stream(ctx.name(text.slot), "embedding");
        let bound = math::sqrt(3.0 / text.dim() as f64);
        for (label, vector) in text.vectors() {
            fill(&mut all[vector], bound, &mut stream.substream(label, 0).pcg());
        }
        fill(&mut all[text.missing()], bound, &mut stream.substream("", 1).pcg());
    }
    all
}

fn fill(values: &mut [f64], bound: f64, draws: &mut Pcg) {
    values.iter_mut().for_each(|x| *x = (2.0 * draws.uniform() - 1.0) * bound);
}
