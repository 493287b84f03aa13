//! What a fit chooses from.

use serde::{Deserialize, Serialize};

use crate::step::TargetLoss;

/// The loss of a regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The squared residual.
    #[default]
    SquaredError,
    /// Its size.
    AbsoluteError,
    /// Squared near 0, linear beyond `alpha`.
    Huber,
    /// That of the quantile `alpha`.
    Quantile,
    /// The Poisson deviance, log link.
    Poisson,
    /// The gamma deviance, log link.
    Gamma,
    /// The Tweedie deviance, log link.
    Tweedie,
}

impl Loss {
    /// What it minimises the mean of, if not an error.
    pub(super) fn target_loss(self, alpha: f64, power: f64) -> Option<TargetLoss> {
        match self {
            Loss::Quantile => Some(TargetLoss::Quantile(alpha)),
            Loss::Poisson => Some(TargetLoss::Poisson),
            Loss::Gamma => Some(TargetLoss::Gamma),
            Loss::Tweedie => Some(TargetLoss::Tweedie(power)),
            Loss::SquaredError | Loss::AbsoluteError | Loss::Huber => None,
        }
    }
}

/// Which leaf is split next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The one with the highest gain.
    #[default]
    Leaf,
    /// The first of the lowest depth.
    Depth,
}
