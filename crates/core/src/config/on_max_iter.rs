//! What becomes of an iterative fit that ends at its cap.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::models::AnyModel;

/// The rule for every iterative model of a config, those inside of others included. Without it
/// `mlp` and `k_means` warn, and the linear family, whose optimum is what it promises, refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMaxIter {
    /// The fit is refused.
    Error,
    /// The artifact has the model as it stands at the cap, and a warning.
    Warn,
}

impl OnMaxIter {
    /// # Errors
    /// If the rule refuses a model that stopped at its cap.
    pub(crate) fn judge(rule: Option<Self>, model: &AnyModel) -> Result<()> {
        let warnings = model.warnings();
        match warnings.into_iter().next() {
            Some(warning) if rule == Some(OnMaxIter::Error) => {
                Err(Error::new(Code::NotConverged, warning)
                    .remedy("`on_max_iter` = \"warn\" keeps such a fit with a warning"))
            }
            _ => Ok(()),
        }
    }
}
