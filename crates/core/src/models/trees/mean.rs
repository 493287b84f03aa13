//! What a fit of trees gives whose scores are means over the leaves: one tree, or a forest.

use serde::{Deserialize, Serialize};

use super::forest::Forest;
use super::oob::OutOfBag;
use crate::batch::{Batch, Schema};
use crate::error::Result;
use crate::step::{Output, Predict};

/// Trees whose mean is the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanForest {
    pub(in crate::models) forest: Forest,
    /// How good it is on rows out of bags, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) out_of_bag: Option<OutOfBag>,
}

impl Predict for MeanForest {
    fn check(&self, features: &Schema) -> Result<()> {
        self.out_of_bag.map_or(Ok(()), |found| found.check())?;
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
        let mut facts = self.forest.facts();
        facts.extend(self.own_figures());
        facts
    }

    fn own_figures(&self) -> Vec<(String, f64)> {
        self.out_of_bag.iter().flat_map(OutOfBag::facts).collect()
    }
}
