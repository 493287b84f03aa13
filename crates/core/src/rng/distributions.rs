//! From raw words to numbers: one fixed algorithm each.

/// A source of words, and the numbers made of them.
///
/// Implementors give `next_u64` only. How many words a number takes is part of its definition.
pub trait Draw {
    /// The next word, uniform over 0..2^64.
    fn next_u64(&mut self) -> u64;

    /// An integer from 0 to `n - 1`, each equally likely.
    ///
    /// Lemire 2019 (nearly divisionless): the high half of `word * n`; words whose low half is below
    /// `2^64 mod n` are rejected. One word, seldom more.
    ///
    /// # Panics
    /// If `n` is 0: an empty range is a mistake of the caller, never of data.
    #[inline]
    fn bounded(&mut self, n: u64) -> u64 {
        assert!(n > 0, "expected a range of at least 1, found 0");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let rejected_below = n.wrapping_neg() % n;
            while (product as u64) < rejected_below {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// A number in (0, 1), open at both ends: `((word >> 12) + 1/2) * 2^-52`, exact. One word.
    #[inline]
    fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * f64::EPSILON
    }

    /// True with probability `p`: `word < p * 2^64`, compared as integers, see
    /// [`share_threshold`](super::share_threshold). One word, whatever `p` is.
    #[inline]
    fn bernoulli(&mut self, p: f64) -> bool {
        u128::from(self.next_u64()) < super::share_threshold(p)
    }
}
