//! How a gradient moves the parameters.

use serde::{Deserialize, Serialize};

use super::MlpParams;
use crate::math;

/// How a gradient moves the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam (Kingma, Ba 2015).
    #[default]
    Adam,
}

/// A solver with its memory.
pub(super) enum Optimiser {
    Sgd {
        rate: f64,
        momentum: f64,
        is_nesterov: bool,
        velocity: Vec<f64>,
    },
    Adam {
        rate: f64,
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        n_steps: u64,
        first: Vec<f64>,
        second: Vec<f64>,
    },
}

impl Optimiser {
    /// Without a memory yet.
    pub(super) fn new(params: &MlpParams, n: usize) -> Self {
        match params.solver {
            Solver::Sgd => Optimiser::Sgd {
                rate: params.learning_rate_init,
                momentum: params.momentum,
                is_nesterov: params.nesterovs_momentum,
                velocity: vec![0.0; n],
            },
            Solver::Adam => Optimiser::Adam {
                rate: params.learning_rate_init,
                beta_1: params.beta_1,
                beta_2: params.beta_2,
                epsilon: params.epsilon,
                n_steps: 0,
                first: vec![0.0; n],
                second: vec![0.0; n],
            },
        }
    }

    /// Sets the length of the steps to come.
    pub(super) fn set_rate(&mut self, length: f64) {
        match self {
            Optimiser::Sgd { rate, .. } | Optimiser::Adam { rate, .. } => *rate = length,
        }
    }

    /// Moves the parameters against the gradient.
    pub(super) fn step(&mut self, params: &mut [f64], gradient: &[f64]) {
        match self {
            Optimiser::Sgd { rate, momentum, is_nesterov, velocity } => {
                let (rate, momentum) = (*rate, *momentum);
                for ((w, v), g) in params.iter_mut().zip(velocity).zip(gradient) {
                    *v = momentum * *v - rate * g;
                    *w += if *is_nesterov { momentum * *v - rate * g } else { *v };
                }
            }
            Optimiser::Adam { rate, beta_1, beta_2, epsilon, n_steps, first, second } => {
                *n_steps += 1;
                let t = *n_steps as f64;
                let left = [1.0 - math::pow(*beta_1, t), 1.0 - math::pow(*beta_2, t)];
                let rate = *rate * math::sqrt(left[1]) / left[0];
                let (beta_1, beta_2, epsilon) = (*beta_1, *beta_2, *epsilon);
                let memory = first.iter_mut().zip(second);
                for ((w, (m, v)), g) in params.iter_mut().zip(memory).zip(gradient) {
                    *m = beta_1 * *m + (1.0 - beta_1) * g;
                    *v = beta_2 * *v + (1.0 - beta_2) * (g * g);
                    *w -= rate * *m / (math::sqrt(*v) + epsilon);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sgd_by_hand() {
        let mut params = MlpParams { solver: Solver::Sgd, ..Default::default() };
        (params.learning_rate_init, params.momentum) = (0.5, 0.25);
        params.nesterovs_momentum = false;
        let mut plain = Optimiser::new(&params, 1);
        let mut w = [1.0];
        plain.step(&mut w, &[2.0]);
        assert_eq!(w, [0.0]);
        // v = 0.25 (−1) − 0.5 · 2 = −1.25.
        plain.step(&mut w, &[2.0]);
        assert_eq!(w, [-1.25]);
        params.nesterovs_momentum = true;
        let mut nesterov = Optimiser::new(&params, 1);
        let mut w = [1.0];
        // v = −1; w = 1 + 0.25 (−1) − 1.
        nesterov.step(&mut w, &[2.0]);
        assert_eq!(w, [-0.25]);
    }

    #[test]
    fn adam_by_hand() {
        let params = MlpParams {
            learning_rate_init: 0.5,
            beta_1: 0.5,
            beta_2: 0.75,
            epsilon: 0.25,
            ..Default::default()
        };
        let mut adam = Optimiser::new(&params, 1);
        let mut w = [1.0];
        // m = 2, v = 4, rate = 0.5 √0.25 / 0.5 = 0.5; w = 1 − 0.5 · 2 / (2 + 0.25).
        adam.step(&mut w, &[4.0]);
        assert_eq!(w, [1.0 - 1.0 / 2.25]);
        // m = 1, v = 3, left 1 − 0.25 and 1 − 0.5625.
        let rate = 0.5 * math::sqrt(0.4375) / 0.75;
        let expected = w[0] - rate * 1.0 / (math::sqrt(3.0) + 0.25);
        adam.step(&mut w, &[0.0]);
        assert_eq!(w, [expected]);
    }
}
