//! From scores to predictions.

use serde::{Deserialize, Serialize};

use crate::models::trees::objective::Objective;

/// How the sum of the trees becomes a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Link {
    Identity,
    Exp,
    Logistic,
    Softmax,
}

impl Link {
    pub fn of(objective: Objective) -> Self {
        match objective {
            Objective::Binary => Link::Logistic,
            Objective::Softmax { .. } => Link::Softmax,
            Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } => Link::Exp,
            _ => Link::Identity,
        }
    }

    /// A loss that has this link.
    pub fn objective(self, n_outputs: usize) -> Objective {
        match self {
            Link::Identity => Objective::Squared,
            Link::Exp => Objective::Poisson,
            Link::Logistic => Objective::Binary,
            Link::Softmax => Objective::Softmax { n_classes: n_outputs },
        }
    }
}
