//! Count, sum, mean and extremes of a column, exact and mergeable: what
//! [`Moments`](super::Moments) know without squares, for whoever only asks where a column lies. It
//! takes half the time.

use super::exact_sum::{self, ExactSum};
use super::order::{from_order_key, order_key};
use serde::{Deserialize, Serialize};

/// Where a column lies. Missing values are counted and skipped; infinities take part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    n_missing: u64,
    pub(super) sum: ExactSum,
    /// Order keys of the smallest and the largest value.
    extremes: Option<(u64, u64)>,
}

impl Extent {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes every value of a slice in.
    pub fn observe_slice(&mut self, values: &[f64]) {
        self.sum.add_slice(values);
        self.take(values);
    }

    /// Takes one value in; false if it is missing.
    #[inline]
    pub(super) fn observe(&mut self, x: f64) -> bool {
        if x.is_nan() {
            self.n_missing += 1;
            return false;
        }
        self.sum.add(x);
        let key = order_key(x);
        self.widen(key, key);
        true
    }

    /// Takes in what is not in the sum, which has the values already.
    pub(super) fn take(&mut self, values: &[f64]) {
        self.n_missing += self.sum.forget_nan();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &x in values {
            low = if x < low { x } else { low };
            high = if x > high { x } else { high };
        }
        // Without any value, low is still +inf and high -inf.
        if low <= high {
            self.widen(order_key(low), order_key(high));
        }
    }

    /// Takes the rows of another state in: associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.n_missing = self.n_missing.saturating_add(other.n_missing);
        self.sum.merge(&other.sum);
        if let Some((low, high)) = other.extremes {
            self.widen(low, high);
        }
    }

    /// Number of values that were not missing.
    pub fn n(&self) -> u64 {
        let (_, plus, minus) = self.sum.special_counts();
        self.sum.count().saturating_add(plus).saturating_add(minus)
    }

    /// Number of missing values.
    pub fn n_missing(&self) -> u64 {
        self.n_missing
    }

    /// The correctly rounded mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.n() > 0).then(|| exact_sum::mean(&self.sum, self.n()))
    }

    /// The smallest value; `None` without values.
    pub fn min(&self) -> Option<f64> {
        self.extremes.map(|(low, _)| from_order_key(low))
    }

    /// The largest value; `None` without values.
    pub fn max(&self) -> Option<f64> {
        self.extremes.map(|(_, high)| from_order_key(high))
    }

    fn widen(&mut self, low: u64, high: u64) {
        let (a, b) = self.extremes.unwrap_or((low, high));
        self.extremes = Some((Ord::min(a, low), Ord::max(b, high)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::moments::Moments;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_chunks_and_merges_give_what_moments_say(
            (values, shuffled) in prop::collection::vec(prop::num::f64::ANY, 0..600)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
        ) {
            let (mut whole, mut moments) = (Extent::new(), Moments::new());
            whole.observe_slice(&values);
            moments.observe_slice(&values);
            let bits = |x: Option<f64>| x.map(f64::to_bits);
            prop_assert_eq!((whole.n(), whole.n_missing()), (moments.n(), moments.n_missing()));
            prop_assert_eq!(bits(whole.mean()), bits(moments.mean()));
            prop_assert_eq!((whole.min(), whole.max()), (moments.min(), moments.max()));
            let (left, right) = shuffled.split_at(at.index(values.len() + 1));
            let (mut a, mut b) = (Extent::new(), Extent::new());
            a.observe_slice(left);
            b.observe_slice(right);
            b.merge(&a);
            prop_assert_eq!(&b, &whole);
            let bytes = rmp_serde::to_vec(&whole).expect("serialise");
            prop_assert_eq!(rmp_serde::from_slice::<Extent>(&bytes).expect("read"), whole);
        }
    }
}
