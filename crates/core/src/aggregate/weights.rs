//! Aggregates of the rows' weights.

use serde::{Deserialize, Serialize};

use super::Aggregate;
use crate::batch::Batch;
use crate::math::{self, ExactSum};

/// The exact sum and the largest of the rows' weights; a row without one counts 1.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSummary {
    total: ExactSum,
    heaviest: f64,
}

impl WeightSummary {
    /// The sum, rounded once, and the largest weight.
    pub fn finish(&self) -> (f64, f64) {
        (self.total.round(), self.heaviest)
    }
}

impl Aggregate for WeightSummary {
    fn observe(&mut self, block: &Batch) {
        let weights = block.weights();
        if weights.is_empty() && block.n_rows() > 0 {
            self.total.add(block.n_rows() as f64);
            self.heaviest = math::max(self.heaviest, 1.0);
        }
        self.total.add_slice(weights);
        self.heaviest = weights.iter().fold(self.heaviest, |most, w| math::max(most, *w));
    }

    fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        self.heaviest = math::max(self.heaviest, other.heaviest);
    }
}

/// The exact sum of the rows' weights by class; the target is the number of a class.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassTotals(Vec<ExactSum>);

impl ClassTotals {
    /// Of so many classes; rows of another class are not counted.
    pub fn new(n_classes: usize) -> Self {
        ClassTotals(vec![ExactSum::new(); n_classes])
    }

    /// The sums in the order of the classes, each rounded once.
    pub fn finish(&self) -> Vec<f64> {
        self.0.iter().map(ExactSum::round).collect()
    }
}

impl Aggregate for ClassTotals {
    fn observe(&mut self, block: &Batch) {
        for (class, total) in self.0.iter_mut().enumerate() {
            let is_own = |y: f64| y == class as f64;
            if block.weights().is_empty() {
                let n = block.target().iter().filter(|y| is_own(**y)).count();
                total.add(n as f64);
            }
            let rows = block.target().iter().zip(block.weights());
            rows.filter(|(y, _)| is_own(**y)).for_each(|(_, weight)| total.add(*weight));
        }
    }

    fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| a.merge(b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_hand() {
        let t = [("x", crate::testing::nums(&[1.0, 2.0, 3.0]))];
        let mut t = crate::testing::table_with_target(&t, &[0.0, 2.0, 2.0]);
        let seen = |t: &Batch| {
            let (mut summary, mut classes) = (WeightSummary::default(), ClassTotals::new(3));
            summary.observe(t);
            classes.observe(t);
            (summary.finish(), classes.finish())
        };
        assert_eq!(seen(&t), ((3.0, 1.0), vec![1.0, 0.0, 2.0]));
        t.set_weights(vec![0.5, 0.0, 2.0]);
        assert_eq!(seen(&t), ((2.5, 2.0), vec![0.5, 0.0, 2.0]));
    }
}
