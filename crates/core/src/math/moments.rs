//! Count, sum, mean, variance and extremes of a column, exact and mergeable.
//!
//! The state is the exact sum, the exact sum of squares and the extremes, so neither the order of
//! the rows nor the way they were split can move a bit. Mean and variance are correctly rounded:
//! one division of exact integers.

use super::exact_sum::ExactSum;
use super::extent::Extent;
use super::order::MISSING;
use serde::{Deserialize, Serialize};

/// The divisor n * (n - ddof) must stay below 2^126.
const N_MAX: u64 = u64::MAX >> 1;

/// Exact moments of a column. Missing values are counted and skipped; infinities take part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    extent: Extent,
    squares: ExactSum,
}

impl Moments {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one value in.
    #[inline]
    pub fn observe(&mut self, x: f64) {
        if self.extent.observe(x) {
            self.squares.add_product(x, x);
        }
    }

    /// Takes every value of a slice in.
    pub fn observe_slice(&mut self, values: &[f64]) {
        self.extent.sum.add_slice_and_squares(&mut self.squares, values);
        self.extent.take(values);
        self.squares.forget_nan();
    }

    /// Takes the rows of another state in: associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.extent.merge(&other.extent);
        self.squares.merge(&other.squares);
    }

    /// Number of values that were not missing.
    pub fn n(&self) -> u64 {
        self.extent.n()
    }

    /// Number of missing values.
    pub fn n_missing(&self) -> u64 {
        self.extent.n_missing()
    }

    /// The sum, rounded once; 0 without values.
    pub fn sum(&self) -> f64 {
        self.extent.sum.round()
    }

    /// The exact sum, for whoever combines it further.
    pub fn exact_sum(&self) -> &ExactSum {
        &self.extent.sum
    }

    /// The correctly rounded mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        self.extent.mean()
    }

    /// The correctly rounded variance with divisor `n - ddof`; `None` unless `ddof < n < 2^63`;
    /// missing if an infinity took part.
    ///
    /// `(n * sum(x^2) - sum(x)^2) / (n * (n - ddof))`, in integers, rounded once.
    pub fn variance(&self, ddof: u64) -> Option<f64> {
        let n = self.n();
        if n <= ddof || n > N_MAX {
            return None;
        }
        if self.extent.sum.special().is_some() {
            return Some(MISSING);
        }
        let sum = self.extent.sum.exact();
        let spread = self.squares.exact().times_integer(n).minus(&sum.times(&sum));
        Some(spread.over(u128::from(n) * u128::from(n - ddof)))
    }

    /// The square root of the correctly rounded [`variance`](Self::variance): two roundings, in
    /// this order.
    pub fn std(&self, ddof: u64) -> Option<f64> {
        self.variance(ddof).map(super::functions::sqrt)
    }

    /// The smallest value; `None` without values.
    pub fn min(&self) -> Option<f64> {
        self.extent.min()
    }

    /// The largest value; `None` without values.
    pub fn max(&self) -> Option<f64> {
        self.extent.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments_of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        values.iter().for_each(|&x| moments.observe(x));
        moments
    }

    #[test]
    fn hand_worked() {
        // 1, 2, 4: mean 7/3; sum of squares 21; (3 * 21 - 49) / 9 = 14/9 and / 6 = 14/6.
        let m = moments_of(&[1.0, f64::NAN, 4.0, 2.0]);
        assert_eq!((m.n(), m.n_missing(), m.sum()), (3, 1, 7.0));
        assert_eq!(m.mean(), Some(7.0 / 3.0));
        assert_eq!((m.variance(0), m.variance(1)), (Some(14.0 / 9.0), Some(14.0 / 6.0)));
        assert_eq!(m.std(1), Some(super::super::functions::sqrt(14.0 / 6.0)));
        assert_eq!((m.min(), m.max()), (Some(1.0), Some(4.0)));
        assert_eq!((m.variance(3), m.variance(4)), (None, None));
        // A large offset costs nothing: 1e15 + (0, 1, 2) has variance 2/3.
        assert_eq!(moments_of(&[1e15, 1e15 + 1.0, 1e15 + 2.0]).variance(0), Some(2.0 / 3.0));
        assert_eq!(moments_of(&[0.1; 7]).variance(1), Some(0.0));
    }

    #[test]
    fn odd_columns() {
        let none = moments_of(&[f64::NAN]);
        assert_eq!((none.n(), none.mean(), none.variance(0), none.min()), (0, None, None, None));
        let m = moments_of(&[1.0, f64::INFINITY]);
        assert_eq!((m.n(), m.mean(), m.max()), (2, Some(f64::INFINITY), Some(f64::INFINITY)));
        assert!(m.variance(0).is_some_and(f64::is_nan));
        let mut m = Moments::new();
        m.observe_slice(&[f64::INFINITY, f64::NAN]);
        assert_eq!(
            (m.min(), m.max(), m.n_missing()),
            (Some(f64::INFINITY), Some(f64::INFINITY), 1)
        );
        let m = moments_of(&[-0.0]);
        assert_eq!(m.min().map(f64::to_bits), Some(0));
        let tiny = f64::from_bits(1);
        assert_eq!(moments_of(&[tiny, tiny, 4.0 * tiny]).mean(), Some(2.0 * tiny));
        assert_eq!(moments_of(&[f64::MAX, -f64::MAX]).variance(0), Some(f64::INFINITY));
    }

    proptest! {
        #[test]
        fn order_chunks_and_merges_give_the_same_state(
            (values, shuffled) in prop::collection::vec(prop::num::f64::ANY, 0..600)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
        ) {
            let whole = moments_of(&values);
            let (left, right) = shuffled.split_at(at.index(values.len() + 1));
            let (mut a, mut b) = (Moments::new(), Moments::new());
            a.observe_slice(left);
            b.observe_slice(right);
            b.merge(&a);
            prop_assert_eq!(&b, &whole);
            let bytes = rmp_serde::to_vec(&whole).expect("serialise");
            prop_assert_eq!(&rmp_serde::to_vec(&b).expect("serialise"), &bytes);
            prop_assert_eq!(rmp_serde::from_slice::<Moments>(&bytes).expect("read"), whole);
        }
    }
}
