//! What a fit of trees gives whose scores are means over the leaves: one tree, or a forest.

use serde::{Deserialize, Serialize};

use super::forest::Forest;
use crate::batch::{Batch, Schema};
use crate::error::Result;
use crate::step::{Output, Predict};

/// Trees whose mean is the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanForest {
    pub(in crate::models) forest: Forest,
}

impl Predict for MeanForest {
    fn check(&self, features: &Schema) -> Result<()> {
        self.forest.check_means(features)
    }

    fn n_outputs(&self) -> usize {
        self.forest.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        self.forest.margins(batch, slots, scores);
        Ok(())
    }

    fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        self.forest.outputs(output, features)
    }

    fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        self.forest.output(output, batch, slots, values)
    }

    fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
        self.forest.importances()
    }

    fn facts(&self) -> Vec<(String, f64)> {
        self.forest.facts()
    }
}
