//! The non-decreasing function of least squares.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::math::{self, FixedScale};

/// Points of a non-decreasing function, joined by lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Isotonic {
    scores: Vec<f64>,
    values: Vec<f64>,
}

/// Neighbouring points with one value: whole weights, so that every comparison is exact.
#[derive(Clone, Copy, Debug)]
struct Pool {
    first: f64,
    last: f64,
    positive: i128,
    total: i128,
}

impl Pool {
    fn is_above(&self, other: &Pool) -> bool {
        self.positive * other.total >= other.positive * self.total
    }

    fn take(&mut self, other: &Pool) {
        self.last = other.last;
        self.positive += other.positive;
        self.total += other.total;
    }
}

/// Weights as integers whose sums and products stay in range, whatever their order.
pub(in crate::models) fn whole_weights(weights: &[f64]) -> Vec<i64> {
    let heaviest = weights.iter().fold(0.0, |heaviest, w| math::max(heaviest, *w));
    let bits = 62 - (usize::BITS - weights.len().leading_zeros());
    let scale = FixedScale::for_max(heaviest, bits);
    weights.iter().map(|w| scale.quantise(*w)).collect()
}

impl Isotonic {
    /// Fits targets of 0 and 1.
    ///
    /// # Errors
    /// If no row weighs anything.
    pub(super) fn fit(scores: &[f64], targets: &[f64], weights: &[f64]) -> Result<Self> {
        let weights = whole_weights(weights);
        let mut pools: Vec<Pool> = Vec::new();
        let mut tied: Option<Pool> = None;
        for row in math::argsort(scores) {
            let row = row as usize;
            let total = i128::from(weights[row]);
            if total == 0 {
                continue;
            }
            let positive = if targets[row] > 0.0 { total } else { 0 };
            let point = Pool { first: scores[row], last: scores[row], positive, total };
            match &mut tied {
                Some(pool) if pool.first == point.first => pool.take(&point),
                _ => tied.replace(point).into_iter().for_each(|pool| push(&mut pools, pool)),
            }
        }
        tied.into_iter().for_each(|pool| push(&mut pools, pool));
        let mut found = Isotonic { scores: Vec::new(), values: Vec::new() };
        for pool in pools {
            let value = pool.positive as f64 / pool.total as f64;
            found.scores.push(pool.first);
            found.values.push(value);
            if pool.last > pool.first {
                found.scores.push(pool.last);
                found.values.push(value);
            }
        }
        if found.scores.is_empty() {
            let message = "expected rows with a weight, found none";
            return Err(Error::new(Code::TooFewRows, message));
        }
        Ok(found)
    }

    pub(super) fn is_sound(&self) -> bool {
        self.scores.len() == self.values.len()
            && !self.scores.is_empty()
            && self.scores.iter().all(|x| x.is_finite())
            && self.values.iter().all(|p| (0.0..=1.0).contains(p))
            && self.scores.windows(2).all(|pair| pair[0] < pair[1])
            && self.values.windows(2).all(|pair| pair[0] <= pair[1])
    }

    pub(super) fn n_knots(&self) -> usize {
        self.scores.len()
    }

    /// The value at a score: on the line between its neighbours, constant outside.
    pub(super) fn of(&self, score: f64) -> f64 {
        if math::is_missing(score) {
            return math::MISSING;
        }
        let above = self.scores.partition_point(|x| *x <= score);
        let Some(below) = above.checked_sub(1) else { return self.values[0] };
        let Some(right) = self.values.get(above) else { return self.values[below] };
        let (left, start) = (self.values[below], self.scores[below]);
        let part = (score - start) / (self.scores[above] - start);
        math::clamp(left + part * (right - left), left, *right)
    }
}

/// Adds a pool, and joins it with those before as long as they are not below it.
fn push(pools: &mut Vec<Pool>, mut pool: Pool) {
    while let Some(before) = pools.last().copied().filter(|before| before.is_above(&pool)) {
        pools.pop();
        let mut joined = before;
        joined.take(&pool);
        pool = joined;
    }
    pools.push(pool);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(scores: &[f64], targets: &[f64]) -> Isotonic {
        Isotonic::fit(scores, targets, &vec![1.0; scores.len()]).unwrap()
    }

    #[test]
    fn violators_are_pooled_by_hand() {
        let found = fit(&[0.8, 0.1, 0.6, 0.4], &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(found.scores, [0.1, 0.4, 0.6, 0.8]);
        assert_eq!(found.values, [0.0, 0.5, 0.5, 1.0]);
        assert!(found.is_sound());
        assert_eq!([0.0, 0.1, 0.5, 0.6, 2.0].map(|x| found.of(x)), [0.0, 0.0, 0.5, 0.5, 1.0]);
        assert_eq!(found.of(0.25), 0.5 * ((0.25 - 0.1) / (0.4 - 0.1)));
        assert!(found.of(f64::NAN).is_nan());
    }

    #[test]
    fn equal_scores_are_one_point_and_weights_count() {
        let found = fit(&[0.5, 0.5, 0.5, 0.7], &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!((found.scores, found.values), (vec![0.5, 0.7], vec![1.0 / 3.0, 1.0]));
        let weights = [3.0, 1.0, 0.0];
        let found = Isotonic::fit(&[0.2, 0.4, 0.1], &[1.0, 0.0, 1.0], &weights).unwrap();
        assert_eq!((found.scores, found.values), (vec![0.2, 0.4], vec![0.75, 0.75]));
        assert!(Isotonic::fit(&[0.2], &[1.0], &[0.0]).is_err());
    }

    #[test]
    fn the_fit_is_the_largest_of_smallest_means() {
        // The min-max formula of isotonic regression, over every interval.
        let mut draws = crate::rng::Stream::new(crate::rng::Seed(4), "isotonic", "", "y").pcg();
        use crate::rng::Draw;
        let targets: Vec<f64> =
            (0..40).map(|i| f64::from(u8::from(draws.bounded(40) < i))).collect();
        let scores: Vec<f64> = (0..40).map(f64::from).collect();
        let found = fit(&scores, &targets);
        let mean = |s: usize, t: usize| {
            let ones = targets[s..=t].iter().filter(|y| **y > 0.0).count();
            ones as f64 / (t - s + 1) as f64
        };
        for (i, &score) in scores.iter().enumerate() {
            let least = |s: usize| (i..40).map(|t| mean(s, t)).fold(1.0, math::min);
            let expected = (0..=i).map(least).fold(0.0, math::max);
            assert_eq!(found.of(score), expected, "{i}");
        }
    }
}
