//! Aggregates of columns together with the target: target by label, and the exact Gram matrix.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::{Batch, MISSING_CODE};
use crate::math::{self, ExactSum, Extent, GramMatrix, GramSpec, Moments};

/// Count, exact sum, minimum and maximum of the target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetSummary {
    moments: Moments,
}

impl TargetSummary {
    /// The target's moments.
    pub fn finish(self) -> Moments {
        self.moments
    }
}

impl Aggregate for TargetSummary {
    fn observe(&mut self, block: &Batch) {
        self.moments.observe_slice(block.target());
    }

    fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
    }
}

/// Where numeric columns and the target lie, in one pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureExtents {
    slots: Slots,
    features: Vec<Extent>,
    target: Extent,
}

impl FeatureExtents {
    /// Of the numeric columns at `slots` and the target.
    pub fn new(slots: &[usize]) -> Self {
        let features = vec![Extent::new(); slots.len()];
        FeatureExtents { slots: Slots::new(slots), features, target: Extent::new() }
    }

    /// The extents by position in `slots`, then that of the target.
    pub fn finish(self) -> (Vec<Extent>, Extent) {
        (self.features, self.target)
    }
}

impl Aggregate for FeatureExtents {
    fn observe(&mut self, block: &Batch) {
        for (slot, extent) in self.slots.iter().zip(&mut self.features) {
            extent.observe_slice(block.num(slot));
        }
        self.target.observe_slice(block.target());
    }

    fn merge(&mut self, other: &Self) {
        self.features.iter_mut().zip(&other.features).for_each(|(a, b)| a.merge(b));
        self.target.merge(&other.target);
    }
}

/// The exact sum of the target and the number of rows per label of text columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelTargets {
    slots: Slots,
    columns: Vec<BTreeMap<String, LevelTarget>>,
}

/// Rows and target of one label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelTarget {
    /// Rows with the label.
    pub n: u64,
    /// The exact sum of their targets.
    pub sum: ExactSum,
}

impl LevelTarget {
    /// The mean target, correctly rounded.
    pub fn mean(&self) -> f64 {
        math::mean(&self.sum, self.n)
    }
}

impl LevelTargets {
    /// Of the text columns at `slots`; rows without a label are skipped.
    pub fn new(slots: &[usize]) -> Self {
        LevelTargets { slots: Slots::new(slots), columns: vec![BTreeMap::new(); slots.len()] }
    }

    /// The labels in code-point order, by position in `slots`.
    pub fn finish(self) -> Vec<BTreeMap<String, LevelTarget>> {
        self.columns
    }
}

impl Aggregate for LevelTargets {
    fn observe(&mut self, block: &Batch) {
        for (slot, levels) in self.slots.iter().zip(&mut self.columns) {
            let text = block.text(slot);
            let mut by_code = vec![LevelTarget::default(); text.n_levels()];
            for (&code, &target) in text.codes().iter().zip(block.target()) {
                if code != MISSING_CODE {
                    by_code[code as usize].n += 1;
                    by_code[code as usize].sum.add(target);
                }
            }
            for (level, seen) in text.levels().zip(&by_code) {
                add_target(levels, level, seen);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for (a, b) in self.columns.iter_mut().zip(&other.columns) {
            b.iter().for_each(|(level, seen)| add_target(a, level, seen));
        }
    }
}

fn add_target(levels: &mut BTreeMap<String, LevelTarget>, level: &str, seen: &LevelTarget) {
    if seen.n == 0 {
        return;
    }
    match levels.get_mut(level) {
        Some(total) => {
            total.n += seen.n;
            total.sum.merge(&seen.sum);
        }
        None => {
            levels.insert(level.to_owned(), seen.clone());
        }
    }
}

/// The exact Gram matrix of a column of ones, numeric columns, and the target, in this order.
///
/// The ones make the sums of the columns part of the matrix, so that no centre needs to be the
/// exact mean. A row's values count times the root of its weight. Rows with a missing value must
/// not be there: models refuse them before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gram {
    slots: Slots,
    gram: math::Gram,
}

impl Gram {
    /// Of ones, the columns at `slots` and the target. `spec` has two entries more than `slots`.
    pub fn new(slots: &[usize], spec: &GramSpec) -> Self {
        Gram { slots: Slots::new(slots), gram: math::Gram::new(spec) }
    }

    /// The matrix: ones first, target last.
    pub fn finish(&self) -> GramMatrix {
        self.gram.finish()
    }
}

impl Aggregate for Gram {
    fn observe(&mut self, block: &Batch) {
        let ones = vec![1.0; block.n_rows()];
        let mut columns: Vec<&[f64]> = vec![&ones];
        columns.extend(self.slots.iter().map(|slot| block.num(slot)));
        columns.push(block.target());
        if block.weights().is_empty() {
            self.gram.observe(&columns);
        } else {
            self.gram.observe_weighted(&columns, block.weights());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.gram.merge(&other.gram);
    }
}
