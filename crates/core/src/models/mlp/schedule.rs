//! How long the steps of each epoch are.

use serde::{Deserialize, Serialize};

use super::MlpParams;
use crate::math;

/// How the length of a step changes from epoch to epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearningRate {
    /// Not at all.
    #[default]
    Constant,
    /// Divided by (1 + rows seen) to the power `power_t`.
    Invscaling,
    /// Times `gamma` after every `step_size` epochs.
    Step,
    /// Down to `eta_min` along half a wave of the cosine.
    Cosine,
}

/// The length of the steps of an epoch, counted from 0, of so many training rows.
pub(super) fn rate(params: &MlpParams, epoch: u32, n_rows: usize) -> f64 {
    let first = params.learning_rate_init;
    let n_warm = params.warmup_epochs;
    if epoch < n_warm {
        return first * (f64::from(epoch + 1) / (f64::from(n_warm) + 1.0));
    }
    let epoch = epoch - n_warm;
    match params.learning_rate {
        LearningRate::Constant => first,
        LearningRate::Invscaling => {
            let n_seen = f64::from(epoch) * n_rows as f64;
            first / math::pow(n_seen + 1.0, params.power_t)
        }
        LearningRate::Step => {
            let n_cuts = epoch / Ord::max(params.step_size, 1);
            first * math::pow(params.gamma, f64::from(n_cuts))
        }
        LearningRate::Cosine => {
            let n_epochs = f64::from(Ord::max(params.max_iter.saturating_sub(n_warm), 1));
            let wave = math::cos_pi(f64::from(epoch) / n_epochs);
            params.eta_min + (first - params.eta_min) * ((1.0 + wave) / 2.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(params: &MlpParams, n: u32) -> Vec<f64> {
        (0..n).map(|epoch| rate(params, epoch, 4)).collect()
    }

    #[test]
    fn by_hand() {
        let with = |learning_rate| MlpParams {
            learning_rate,
            learning_rate_init: 0.5,
            ..Default::default()
        };
        assert_eq!(rates(&with(LearningRate::Constant), 3), [0.5; 3]);
        // Behind 0, 4 and 8 rows, the root of 1, 5 and 9.
        let inverse = rates(&with(LearningRate::Invscaling), 3);
        assert_eq!(inverse, [0.5, 0.5 / math::sqrt(5.0), 0.5 / 3.0]);
        let step = MlpParams { step_size: 2, gamma: 0.25, ..with(LearningRate::Step) };
        assert_eq!(rates(&step, 5), [0.5, 0.5, 0.125, 0.125, 0.03125]);
        // cos 0 = 1, cos π / 2 = 0 and cos π = −1, the end of the half wave behind the last epoch.
        let cosine = MlpParams { max_iter: 2, eta_min: 0.25, ..with(LearningRate::Cosine) };
        assert_eq!(rates(&cosine, 3), [0.5, 0.375, 0.25]);
    }

    #[test]
    fn a_warm_up_comes_before_the_schedule() {
        let warm = MlpParams {
            learning_rate: LearningRate::Step,
            learning_rate_init: 1.0,
            warmup_epochs: 3,
            step_size: 1,
            gamma: 0.5,
            ..Default::default()
        };
        assert_eq!(rates(&warm, 6), [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]);
    }
}
