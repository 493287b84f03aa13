//! How often each value of a 16-bit digit occurred: one table of the selection by passes.

use serde::{Deserialize, Serialize};

pub(super) const DIGIT_BITS: u32 = 16;

/// Counts of a 16-bit digit. Empty until the first one; stored as ascending pairs of digit and
/// count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u16, u64)>", into = "Vec<(u16, u64)>")]
pub(super) struct Counts(Vec<u64>);

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, digit: u16) {
        if self.0.is_empty() {
            self.0 = vec![0; 1 << DIGIT_BITS];
        }
        self.0[usize::from(digit)] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a = a.saturating_add(*b));
    }

    pub(super) fn present(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        (0..=u16::MAX).zip(self.0.iter().copied()).filter(|&(_, n)| n > 0)
    }
}

impl From<Counts> for Vec<(u16, u64)> {
    fn from(counts: Counts) -> Self {
        counts.present().collect()
    }
}

impl TryFrom<Vec<(u16, u64)>> for Counts {
    type Error = String;

    fn try_from(pairs: Vec<(u16, u64)>) -> Result<Self, String> {
        if pairs.windows(2).any(|w| w[0].0 >= w[1].0) || pairs.iter().any(|&(_, n)| n == 0) {
            return Err("expected ascending digits with counts above 0, found others".into());
        }
        let mut counts = Counts::default();
        for (digit, n) in pairs {
            counts.add(digit);
            counts.0[usize::from(digit)] = n;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unordered_counts_are_refused() {
        for pairs in [vec![(2u16, 1u64), (1, 1)], vec![(1, 0)]] {
            assert!(Counts::try_from(pairs).is_err());
        }
    }
}
