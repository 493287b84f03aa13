//! Rows and their nearest centres: weighted sums per centre, and a race for a new one.

use serde::{Deserialize, Serialize};

use super::{Aggregate, Slots};
use crate::batch::Batch;
use crate::digest::RowKey;
use crate::math::{self, ExactSum};
use crate::rng::{Draw, Stream};

/// The nearest of the centres, which stand one after the other, and its squared distance: squares
/// added in the order of the columns; of equal ones the lower centre.
pub(crate) fn nearest(centres: &[f64], point: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (index, centre) in centres.chunks(point.len().max(1)).enumerate() {
        let mut total = 0.0;
        for (x, c) in point.iter().zip(centre) {
            let difference = x - c;
            total += difference * difference;
        }
        if total < best.1 {
            best = (index, total);
        }
    }
    best
}

/// Shows each row's values to `see`.
fn each_point(slots: &Slots, block: &Batch, mut see: impl FnMut(usize, &[f64])) {
    let slots: Vec<usize> = slots.iter().collect();
    let columns: Vec<&[f64]> = slots.iter().map(|&slot| block.num(slot)).collect();
    let mut point = vec![0.0; columns.len()];
    for row in 0..block.n_rows() {
        point.iter_mut().zip(&columns).for_each(|(x, column)| *x = column[row]);
        see(row, &point);
    }
}

/// Per centre the exact weight and weighted sums of the rows nearest to it, and the weighted sum of
/// all squared distances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSums {
    slots: Slots,
    centres: Vec<f64>,
    weights: Vec<ExactSum>,
    sums: Vec<ExactSum>,
    inertia: ExactSum,
}

impl ClusterSums {
    /// Of the columns at `slots`, by centres that stand one after the other.
    pub fn new(slots: &[usize], centres: &[f64]) -> Self {
        let n_centres = centres.len() / slots.len().max(1);
        ClusterSums {
            slots: Slots::new(slots),
            centres: centres.to_vec(),
            weights: vec![ExactSum::new(); n_centres],
            sums: vec![ExactSum::new(); centres.len()],
            inertia: ExactSum::new(),
        }
    }

    /// The centre of each cluster's rows, and the sum of squared distances to the centres as they
    /// were. A centre without rows stays.
    pub fn finish(&self) -> (Vec<f64>, f64) {
        let n_columns = self.slots.len().max(1);
        let mut centres = self.centres.clone();
        for (place, centre) in centres.iter_mut().enumerate() {
            let weight = self.weights[place / n_columns].round();
            if weight > 0.0 {
                *centre = math::canonical(self.sums[place].round() / weight);
            }
        }
        (centres, self.inertia.round())
    }
}

impl Aggregate for ClusterSums {
    fn observe(&mut self, block: &Batch) {
        let ClusterSums { slots, centres, weights, sums, inertia } = self;
        let n_columns = slots.len();
        each_point(slots, block, |row, point| {
            let (index, distance) = nearest(centres, point);
            let weight = block.weight(row);
            weights[index].add(weight);
            let sums = &mut sums[index * n_columns..][..n_columns];
            sums.iter_mut().zip(point).for_each(|(sum, x)| sum.add_product(weight, *x));
            inertia.add_product(weight, distance);
        });
    }

    fn merge(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(a, b)| a.merge(b));
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| a.merge(b));
        self.inertia.merge(&other.inertia);
    }
}

/// A draw of one row with probability in proportion to its weight times its squared distance to the
/// nearest centre (times 1 without centres): each row arrives at an exponential time over that
/// number, and the first one wins; of equal times the smaller fitting key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentreRace {
    slots: Slots,
    centres: Vec<f64>,
    stream: Stream,
    first: Option<(u64, RowKey, Vec<f64>)>,
}

impl CentreRace {
    /// Among the columns at `slots`, with the centres so far.
    pub fn new(slots: &[usize], centres: &[f64], stream: Stream) -> Self {
        CentreRace { slots: Slots::new(slots), centres: centres.to_vec(), stream, first: None }
    }

    /// The winner's values; `None` if every row is a centre or weighs nothing.
    pub fn finish(self) -> Option<Vec<f64>> {
        self.first.map(|(_, _, point)| point)
    }
}

impl Aggregate for CentreRace {
    fn observe(&mut self, block: &Batch) {
        let CentreRace { slots, centres, stream, first } = self;
        each_point(slots, block, |row, point| {
            let distance = if centres.is_empty() { 1.0 } else { nearest(centres, point).1 };
            let rate = block.weight(row) * distance;
            if rate > 0.0 {
                let key = block.fit_keys()[row];
                let time = math::order_key(stream.row(key).exponential() / rate);
                if first.as_ref().is_none_or(|(t, k, _)| (time, key) < (*t, *k)) {
                    *first = Some((time, key, point.to_vec()));
                }
            }
        });
    }

    fn merge(&mut self, other: &Self) {
        let key = |first: &Option<(u64, RowKey, Vec<f64>)>| first.as_ref().map(|f| (f.0, f.1));
        let is_earlier = match (key(&self.first), key(&other.first)) {
            (_, None) => false,
            (None, _) => true,
            (ours, theirs) => theirs < ours,
        };
        if is_earlier {
            self.first.clone_from(&other.first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;
    use crate::testing::{nums, table};

    #[test]
    fn ties_go_to_the_lower_centre() {
        assert_eq!(nearest(&[0.0, 2.0, 2.0], &[1.0]), (0, 1.0));
        assert_eq!(nearest(&[0.0, 0.0, 3.0, 4.0], &[3.0, 3.0]), (1, 1.0));
        assert_eq!(nearest(&[0.0], &[f64::MAX]).1, f64::INFINITY);
    }

    #[test]
    fn sums_by_hand() {
        let mut t = table(&[("x", nums(&[0.0, 1.0, 9.0]))]);
        t.set_weights(vec![1.0, 3.0, 2.0]);
        let mut sums = ClusterSums::new(&[0], &[0.0, 10.0, 50.0]);
        sums.observe(&t);
        // 3 · 1 / 4 and 2 · 9 / 2; 3 · 1 + 2 · 1.
        assert_eq!(sums.finish(), (vec![0.75, 9.0, 50.0], 5.0));
    }

    #[test]
    fn the_race_is_in_proportion() {
        // Squared distances 0, 1 and 9: the last row wins nine times in ten.
        let t = table(&[("x", nums(&[0.0, 1.0, 3.0]))]);
        let mut n_last = 0;
        for seed in 0..1000 {
            let stream = Stream::new(Seed(seed), "race", "", "t");
            let mut race = CentreRace::new(&[0], &[0.0], stream);
            race.observe(&t);
            n_last += u32::from(race.finish() == Some(vec![3.0]));
        }
        // 900 ± 5 standard deviations of 9.5; the seeds are fixed.
        assert!((850..950).contains(&n_last), "{n_last}");
        let mut none = CentreRace::new(&[0], &[0.0, 1.0, 3.0], Stream::new(Seed(1), "", "", ""));
        none.observe(&t);
        assert_eq!(none.finish(), None);
    }
}
