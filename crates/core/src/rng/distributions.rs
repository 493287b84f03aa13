//! From raw words to numbers: one fixed algorithm each.
//!
//! Each method says how many words it takes and in which order, because that is part of its
//! definition: a reader with the words can recompute the number. Integers are exact. Numbers follow
//! from correctly rounded `ln`, `exp` and `sqrt` of `math` and from the written order of
//! operations, so they have the same bits everywhere.

use super::rejection::{gamma_marsaglia_tsang, poisson_inversion, poisson_ptrs};
use super::share_threshold;
use crate::math;

/// Up to this rate, Poisson counts are found by inversion, above it by rejection.
const INVERSION_LAMBDA_MAX: f64 = 30.0;

/// Rates above this one count as this one: 2^40, where the rejection test still resolves counts.
const LAMBDA_MAX: f64 = 1_099_511_627_776.0;

/// A source of words, and the numbers made of them.
///
/// Implementors give `next_u64` only.
pub trait Draw {
    /// The next word, uniform over 0..2^64.
    fn next_u64(&mut self) -> u64;

    /// An integer from 0 to `n - 1`, each equally likely.
    ///
    /// Lemire 2019 (nearly divisionless): the high half of `word * n`; words whose low half is
    /// below `2^64 mod n` are rejected. One word, seldom more.
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

    /// True with probability `p`: `word < p * 2^64`, compared as integers, see [`share_threshold`].
    /// One word, whatever `p` is.
    #[inline]
    fn bernoulli(&mut self, p: f64) -> bool {
        u128::from(self.next_u64()) < share_threshold(p)
    }

    /// A standard normal number: the quantile (Wichura 1988, AS 241) of [`Draw::uniform`]. One
    /// word; from -8.2 to 8.2.
    #[inline]
    fn normal(&mut self) -> f64 {
        math::normal_quantile(self.uniform())
    }

    /// An exponential number of mean 1: `-ln(uniform)`. One word; above 0, at most 36.8.
    #[inline]
    fn exponential(&mut self) -> f64 {
        -math::ln(self.uniform())
    }

    /// A count of mean `lambda`, Poisson. `lambda` of 0, less, or NaN gives 0 and takes no word;
    /// above 2^40 it counts as 2^40.
    ///
    /// Up to 30: inversion, one word. With `term = sum = exp(-lambda)`, while `uniform > sum`: the
    /// count goes up, `term = term * lambda / count`, `sum = sum + term`, until terms no longer
    /// move the sum. Above 30: Hörmann 1993, algorithm PTRS (transformed rejection with squeeze,
    /// its constants), ln(k!) by Stirling's series, two words per try, most often one try.
    fn poisson(&mut self, lambda: f64) -> u64 {
        if lambda.is_nan() || lambda <= 0.0 {
            0
        } else if lambda <= INVERSION_LAMBDA_MAX {
            poisson_inversion(self.uniform(), lambda)
        } else if lambda <= LAMBDA_MAX {
            poisson_ptrs(self, lambda)
        } else {
            poisson_ptrs(self, LAMBDA_MAX)
        }
    }

    /// A gamma number of mean `shape` and scale 1. `shape` of 0, less, or NaN gives 0 and takes no
    /// word; infinite gives infinite.
    ///
    /// Marsaglia, Tsang 2000: with `d = shape - 1/3` and `c = 1 / sqrt(9 d)`, normal `x` until
    /// `v = (1 + c x)^3` is above 0, then uniform `u`; `d v` is taken if `u < 1 - 0.0331 x^4` or
    /// `ln u < x^2 / 2 + d (1 - v + ln v)`, else all is drawn again. A shape below 1 draws for
    /// `shape + 1`, then multiplies by `exp(ln(uniform) / shape)`.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape.is_nan() || shape <= 0.0 {
            return 0.0;
        }
        if shape < 1.0 {
            let larger = gamma_marsaglia_tsang(self, shape + 1.0);
            return larger * math::exp(math::ln(self.uniform()) / shape);
        }
        gamma_marsaglia_tsang(self, shape)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::bits_hex;
    use crate::rng::{Pcg, Seed, Stream};

    /// Words written down in advance, the last one for ever.
    struct Words(Vec<u64>);

    impl Draw for Words {
        fn next_u64(&mut self) -> u64 {
            if self.0.len() > 1 { self.0.remove(0) } else { self.0[0] }
        }
    }

    fn example() -> Pcg {
        Stream::new(Seed(42), "bag", "fare", "rows").pcg()
    }

    /// How often each number from 0 on occurs in 10000 draws.
    fn counts(mut draw: impl FnMut() -> u64) -> Vec<u64> {
        let mut counts = Vec::new();
        for _ in 0..10_000 {
            let value = draw() as usize;
            counts.resize(counts.len().max(value + 1), 0);
            counts[value] += 1;
        }
        counts
    }

    /// How many of 10000 draws are below each limit.
    fn below<const N: usize>(mut draw: impl FnMut() -> f64, limits: [f64; N]) -> [u64; N] {
        let mut counts = [0; N];
        for _ in 0..10_000 {
            let value = draw();
            for (count, limit) in counts.iter_mut().zip(limits) {
                *count += u64::from(value < limit);
            }
        }
        counts
    }

    // Literal values below: recomputed from the docs by an independent implementation in another
    // language, with `ln` and `exp` rounded from 160 bits.

    #[test]
    fn bounded_rejects_the_surplus() {
        // 2^64 mod 3 = 1: only the word 0 is rejected. 2^64 - 1 = 3 * 0x5555555555555555.
        assert_eq!(Words(vec![0, u64::MAX]).bounded(3), 2);
        assert_eq!(Words(vec![0, 1]).bounded(3), 0);
        let third = 0x5555_5555_5555_5555;
        assert_eq!(Words(vec![third]).bounded(3), 0);
        assert_eq!(Words(vec![third + 1]).bounded(3), 1);
        assert_eq!(Words(vec![7]).bounded(1), 0);
        assert_eq!(Words(vec![7]).bounded(1 << 63), 3);
    }

    #[test]
    fn bounded_never_moves() {
        let mut pcg = example();
        let draws: Vec<u64> = (0..12).map(|_| pcg.bounded(10)).collect();
        assert_eq!(draws, [3, 8, 7, 0, 6, 9, 3, 6, 4, 0, 9, 8]);
        let mut pcg = example();
        let expected = [
            0x5fd0_8117_3afc_d2d6,
            0x5189_1f33_e975_a373,
            0x2c56_d0f9_7885_f28f,
            0x4bed_decf_5da1_5091,
        ];
        assert_eq!(expected.map(|_| pcg.bounded((1 << 63) + 1)), expected);
        let mut pcg = example();
        assert_eq!(counts(|| pcg.bounded(7)), [1516, 1440, 1396, 1429, 1491, 1394, 1334]);
    }

    #[test]
    fn uniform_is_open_and_never_moves() {
        assert_eq!(Words(vec![0]).uniform(), f64::EPSILON / 2.0);
        assert_eq!(Words(vec![u64::MAX]).uniform(), 1.0 - f64::EPSILON / 2.0);
        assert_eq!(Words(vec![1 << 63]).uniform(), 0.5 + f64::EPSILON / 2.0);
        let mut pcg = example();
        let expected = [0x3fd8_2648_ea37_f316, 0x3fea_4a15_39bf_3583, 0x3fe7_f420_45ce_bf35u64];
        assert_eq!(expected.map(|_| pcg.uniform().to_bits()), expected);
    }

    #[test]
    fn bernoulli_never_moves() {
        let mut pcg = example();
        assert_eq!(counts(|| u64::from(pcg.bernoulli(0.3))), [6890, 3110]);
        let mut pcg = example();
        assert_eq!(counts(|| u64::from(pcg.bernoulli(0.0))), [10_000]);
        assert_eq!(counts(|| u64::from(pcg.bernoulli(1.0))), [0, 10_000]);
        assert_eq!(counts(|| u64::from(pcg.bernoulli(f64::NAN))), [10_000]);
    }

    #[test]
    fn normal_never_moves() {
        let mut pcg = example();
        let expected = [
            "0xbfd3ffb8eb5c804d",
            "0x3fed7afbaad2c1b6",
            "0x3fe5701c916f96a3",
            "0xc000f6e517f41d8c",
        ];
        assert_eq!(expected.map(|_| bits_hex(pcg.normal())), expected);
        let mut pcg = example();
        let counts = below(|| pcg.normal(), [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!(counts, [216, 1683, 5053, 8518, 9764]);
        assert_eq!(bits_hex(Words(vec![0]).normal()), "0xc0206b48528cea51");
        assert_eq!(bits_hex(Words(vec![u64::MAX]).normal()), "0x40206b48528cea51");
    }

    #[test]
    fn exponential_never_moves() {
        let mut pcg = example();
        let expected = [
            "0x3fef3010b07a6317",
            "0x3fc92939bfb08477",
            "0x3fd28913d980a7c1",
            "0x40104d8e669fe113",
        ];
        assert_eq!(expected.map(|_| bits_hex(pcg.exponential())), expected);
        let mut pcg = example();
        let counts = below(|| pcg.exponential(), [0.5, 1.0, 2.0, 4.0]);
        assert_eq!(counts, [3887, 6248, 8553, 9823]);
    }

    #[test]
    fn poisson_never_moves() {
        let first = |lambda: f64| {
            let mut pcg = example();
            [(); 8].map(|()| pcg.poisson(lambda))
        };
        assert_eq!(first(3.0), [2, 5, 4, 0, 4, 6, 2, 3]);
        assert_eq!(first(30.0), [28, 35, 34, 19, 32, 39, 28, 32]);
        assert_eq!(first(31.0), [29, 35, 29, 30, 30, 32, 31, 35]);
        assert_eq!(first(300.0), [294, 313, 309, 295, 298, 297, 305, 300]);
        let largest = [1_099_511_259_536, 1_099_512_417_379, 1_099_512_176_056];
        assert_eq!(first(LAMBDA_MAX)[..3], largest);
        assert_eq!(first(f64::INFINITY), first(LAMBDA_MAX));
        assert_eq!([0.0, -1.0, f64::NAN].map(first), [[0; 8]; 3]);
        let mut pcg = example();
        let expected = [512, 1591, 2183, 2245, 1735, 950, 458, 218, 69, 28, 9, 2];
        assert_eq!(counts(|| pcg.poisson(3.0)), expected);
    }

    #[test]
    fn poisson_by_rejection_has_mean_and_variance() {
        // Mean and variance are 300. Standard errors over 10000 draws: 0.17 of the mean, 4.2 of the
        // variance. Found: 299.79 (1.2 below) and 304.41 (1.0 above).
        let mut pcg = example();
        let (mut sum, mut squares) = (0, 0);
        for _ in 0..10_000 {
            let count = pcg.poisson(300.0);
            sum += count;
            squares += count * count;
        }
        assert_eq!((sum, squares), (2_997_862, 901_761_794));
        // The variance is (10000 squares - sum^2) / 10^8, here without its fraction.
        assert_eq!((10_000 * squares - sum * sum) / 100_000_000, 304);
    }

    #[test]
    fn largest_word_ends_the_inversion() {
        // 1 - 2^-53 is above every partial sum that rounds below it; the terms run out.
        let count = Words(vec![u64::MAX]).poisson(30.0);
        assert_eq!(count, 83);
    }

    #[test]
    fn gamma_never_moves() {
        let mut pcg = example();
        let expected = ["0x3fdedd1c28f1f3d5", "0x3fa59682d11c4b61", "0x3fc99102995767c1"];
        assert_eq!(expected.map(|_| bits_hex(pcg.gamma(0.5))), expected);
        let mut pcg = example();
        let expected = ["0x3ff4b804497bd90e", "0x400584ab7eb3dcca", "0x4002bbd2ad3d026e"];
        assert_eq!(expected.map(|_| bits_hex(pcg.gamma(2.0))), expected);
        let mut pcg = example();
        let counts = below(|| pcg.gamma(2.0), [0.5, 1.0, 2.0, 4.0]);
        assert_eq!(counts, [975, 2688, 5927, 9061]);
        assert_eq!([0.0, -1.0, f64::NAN].map(|shape| example().gamma(shape)), [0.0; 3]);
        assert_eq!(example().gamma(f64::INFINITY), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn bounded_is_bounded(n in 1u64.., seed: u64) {
            let mut pcg = Stream::new(Seed(seed), "s", "", "bounded").pcg();
            prop_assert!(pcg.bounded(n) < n);
            prop_assert!(pcg.bounded(n >> 40 | 1) < (n >> 40 | 1));
        }

        #[test]
        fn uniform_is_the_midpoint_of_its_cell(word: u64) {
            let x = Words(vec![word]).uniform();
            prop_assert!(0.0 < x && x < 1.0);
            // Scaled by 2^53 it is the odd integer 2 (word >> 12) + 1.
            let scaled = (x * 9_007_199_254_740_992.0) as u64;
            prop_assert_eq!(scaled, (word >> 12) * 2 + 1);
        }
    }
}
