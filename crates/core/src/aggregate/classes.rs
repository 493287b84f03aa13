//! Weighted sums of numeric columns by class.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::math::ExactSum;

/// What a value adds to the sum of its class and column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Term {
    /// The value.
    Value,
    /// One if it is above this number, else nothing.
    Above(f64),
    /// The square of its distance to the centre of its class and column; centres of class 0 first.
    SquareFrom(Vec<f64>),
}

/// Per class the exact sum of weights, and per class and column the exact sum of weighted terms. A
/// row whose target is no class is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSums {
    slots: Slots,
    term: Term,
    weights: Vec<ExactSum>,
    sums: Vec<ExactSum>,
}

impl ClassSums {
    /// Of the columns at `slots`, for `n_classes` classes.
    pub fn new(slots: &[usize], n_classes: u32, term: Term) -> Self {
        let n_classes = n_classes as usize;
        ClassSums {
            slots: Slots::new(slots),
            term,
            weights: vec![ExactSum::new(); n_classes],
            sums: vec![ExactSum::new(); n_classes * slots.len()],
        }
    }

    /// The weight of each class, and its sum for each column, those of class 0 first; each rounded
    /// once.
    pub fn finish(&self) -> (Vec<f64>, Vec<f64>) {
        let rounded = |sums: &[ExactSum]| sums.iter().map(ExactSum::round).collect();
        (rounded(&self.weights), rounded(&self.sums))
    }

    fn term(&self, place: usize, x: f64) -> f64 {
        match &self.term {
            Term::Value => x,
            Term::Above(bound) => f64::from(u8::from(x > *bound)),
            Term::SquareFrom(centres) => {
                let distance = x - centres.get(place).copied().unwrap_or_default();
                distance * distance
            }
        }
    }
}

impl Aggregate for ClassSums {
    fn observe(&mut self, block: &Batch) {
        let n_columns = self.slots.len();
        let slots: Vec<usize> = self.slots.iter().collect();
        let columns: Vec<&[f64]> = slots.iter().map(|&slot| block.num(slot)).collect();
        for (row, &target) in block.target().iter().enumerate() {
            let class = target as usize;
            if class >= self.weights.len() {
                continue;
            }
            let weight = block.weight(row);
            self.weights[class].add(weight);
            for (j, column) in columns.iter().enumerate() {
                let place = class * n_columns + j;
                let term = self.term(place, column[row]);
                self.sums[place].add_product(weight, term);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(a, b)| a.merge(b));
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| a.merge(b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{nums, table_with_target};

    #[test]
    fn sums_by_class_are_weighted() {
        let mut t = table_with_target(&[("x", nums(&[1.0, 2.0, 5.0]))], &[0.0, 1.0, 0.0]);
        let of = |t: &Batch, term| {
            let mut sums = ClassSums::new(&[0], 2, term);
            sums.observe(t);
            sums.finish()
        };
        assert_eq!(of(&t, Term::Value), (vec![2.0, 1.0], vec![6.0, 2.0]));
        t.set_weights(vec![0.5, 1.0, 2.0]);
        assert_eq!(of(&t, Term::Value), (vec![2.5, 1.0], vec![10.5, 2.0]));
        assert_eq!(of(&t, Term::Above(1.0)).1, [2.0, 1.0]);
        assert_eq!(of(&t, Term::SquareFrom(vec![3.0, 2.5])).1, [2.0 + 8.0, 0.25]);
    }
}
