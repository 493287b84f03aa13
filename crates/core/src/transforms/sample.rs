//! A multiset of training values from which the rows draw.

use serde::{Deserialize, Serialize};

use super::state::malformed;
use crate::batch::MISSING_TIME;
use crate::digest::RowKey;
use crate::error::{Error, Result};
use crate::math;
use crate::rng::{Draw, Stream};

/// Ascending values with the number of rows up to and with each; stored as values with counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(T, u64)>", into = "Vec<(T, u64)>")]
#[serde(bound(
    deserialize = "T: SampleValue + Deserialize<'de>",
    serialize = "T: SampleValue + Serialize"
))]
pub(super) struct Sample<T> {
    values: Vec<T>,
    ends: Vec<u64>,
}

/// What a column may hold, in the order in which it is stored.
pub(super) trait SampleValue: Clone {
    /// Whether it is canonical, finite and not missing.
    fn is_value(&self) -> bool;
    /// Whether it comes before `other`.
    fn is_below(&self, other: &Self) -> bool;
}

impl SampleValue for f64 {
    fn is_value(&self) -> bool {
        self.is_finite() && math::canonical(*self).to_bits() == self.to_bits()
    }

    fn is_below(&self, other: &Self) -> bool {
        self < other
    }
}

impl SampleValue for String {
    fn is_value(&self) -> bool {
        true
    }

    fn is_below(&self, other: &Self) -> bool {
        self < other
    }
}

impl SampleValue for i64 {
    fn is_value(&self) -> bool {
        *self != MISSING_TIME
    }

    fn is_below(&self, other: &Self) -> bool {
        self < other
    }
}

impl<T: SampleValue> Sample<T> {
    /// Of ascending values with their counts, at least one.
    pub(super) fn new(counted: Vec<(T, u64)>) -> Result<Self> {
        let ascending = counted.windows(2).all(|pair| pair[0].0.is_below(&pair[1].0));
        if counted.is_empty() || !ascending || !counted.iter().all(|(value, _)| value.is_value()) {
            return Err(malformed("expected training values in ascending order"));
        }
        let mut total = 0u64;
        let mut ends = Vec::with_capacity(counted.len());
        for &(_, count) in &counted {
            let end = total.checked_add(count).filter(|&end| end > total);
            total = end.ok_or_else(|| malformed("expected counts from 1 to 2^64 in all"))?;
            ends.push(total);
        }
        let values = counted.into_iter().map(|(value, _)| value).collect();
        Ok(Sample { values, ends })
    }

    /// The value that the stream draws for a row.
    pub(super) fn draw(&self, stream: &Stream, key: RowKey) -> &T {
        let total = self.ends[self.ends.len() - 1];
        let k = stream.row(key).bounded(total);
        &self.values[self.ends.partition_point(|&end| end <= k)]
    }
}

impl<T: SampleValue> TryFrom<Vec<(T, u64)>> for Sample<T> {
    type Error = Error;

    fn try_from(counted: Vec<(T, u64)>) -> Result<Self> {
        Sample::new(counted)
    }
}

impl<T: SampleValue> From<Sample<T>> for Vec<(T, u64)> {
    fn from(sample: Sample<T>) -> Self {
        let starts = std::iter::once(0).chain(sample.ends.clone());
        let counts = sample.ends.into_iter().zip(starts).map(|(end, start)| end - start);
        sample.values.into_iter().zip(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    #[test]
    fn only_ascending_canonical_values_with_counts_are_a_sample() {
        assert!(Sample::new(Vec::<(f64, u64)>::new()).is_err());
        assert!(Sample::new(vec![(1.0, 1), (1.0, 1)]).is_err());
        assert!(Sample::new(vec![(-0.0, 1)]).is_err());
        assert!(Sample::new(vec![(f64::NAN, 1)]).is_err());
        assert!(Sample::new(vec![(MISSING_TIME, 1)]).is_err());
        assert!(Sample::new(vec![(1i64, 0)]).is_err());
        assert!(Sample::new(vec![(1i64, u64::MAX), (2, 1)]).is_err());
        assert!(Sample::new(vec![(f64::NEG_INFINITY, 1), (0.0, 2)]).is_err());
        assert!(Sample::new(vec![(-1.5, 1), (0.0, 2)]).is_ok());
    }

    #[test]
    fn a_draw_is_a_place_among_the_values_with_repetition() {
        let sample = Sample::new(vec![(-1i64, 2), (4, 1), (9, 3)]).unwrap();
        let stream = Stream::new(Seed(1), "step", "x", "random sample");
        for key in (0..200).map(RowKey) {
            let k = stream.row(key).bounded(6) as usize;
            assert_eq!(*sample.draw(&stream, key), [-1, -1, 4, 9, 9, 9][k]);
        }
    }
}
