//! Choosing rows and orders: what has a canonical order is shuffled, what has a key is hashed.

use std::collections::BTreeMap;

use super::{Draw, Stream};
use crate::digest::RowKey;

/// Puts `items` into a uniformly drawn order: Durstenfeld's shuffle from the last position down,
/// position `i` swapped with `bounded(i + 1)`.
///
/// The result depends on the order before: shuffle only what has a canonical order.
pub fn shuffle<T>(items: &mut [T], draws: &mut impl Draw) {
    for last in (1..items.len()).rev() {
        let other = draws.bounded(last as u64 + 1);
        items.swap(last, other as usize);
    }
}

/// A uniformly drawn order of 0..n: [`shuffle`] of the ascending numbers.
pub fn permutation(n: u64, draws: &mut impl Draw) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    shuffle(&mut order, draws);
    order
}

/// `k` of the numbers 0..n without repetition (all of them if `k > n`), in the order in which they
/// were drawn: number `i` is what stands at `i + bounded(n - i)` after the earlier choices were
/// swapped to the front. Takes space for `k` numbers, whatever `n` is.
pub fn sample_indices(n: u64, k: u64, draws: &mut impl Draw) -> Vec<u64> {
    let mut moved = BTreeMap::new();
    let mut chosen = Vec::new();
    for front in 0..k.min(n) {
        let place = front + draws.bounded(n - front);
        let at_front = moved.remove(&front).unwrap_or(front);
        if place == front {
            chosen.push(at_front);
        } else {
            chosen.push(moved.insert(place, at_front).unwrap_or(place));
        }
    }
    chosen
}

/// The fold of a row, 0 to `n_folds - 1`: the first draws of the row, [`Draw::bounded`].
///
/// Rows that must stay together are given the key of their group.
///
/// # Panics
/// If `n_folds` is 0: the config is validated before anything is drawn.
pub fn fold(stream: &Stream, key: RowKey, n_folds: u64) -> u64 {
    stream.row(key).bounded(n_folds)
}

/// Whether a row belongs to a share `ratio` of all rows: its first draw is below
/// [`share_threshold`]. A row in a share is in every larger share of the same stream.
pub fn below(stream: &Stream, key: RowKey, ratio: f64) -> bool {
    u128::from(stream.hash(key)) < share_threshold(ratio)
}

/// How many words `w` of 0..2^64 satisfy `w < ratio * 2^64`: the product rounded up to an integer,
/// from the mantissa and exponent of `ratio`, exact. A ratio of 1 or more gives 2^64; 0, less, and
/// NaN give 0.
pub fn share_threshold(ratio: f64) -> u128 {
    if ratio >= 1.0 {
        return 1 << 64;
    }
    if ratio.is_nan() || ratio <= 0.0 {
        return 0;
    }
    let bits = ratio.to_bits();
    let biased = (bits >> 52) as u32;
    let fraction = u128::from(bits & ((1 << 52) - 1));
    // ratio = mantissa * 2^(exponent - 1075); the product is mantissa * 2^(exponent - 1011).
    let (mantissa, exponent) =
        if biased == 0 { (fraction, 1) } else { (fraction | 1 << 52, biased) };
    if exponent >= 1011 {
        return mantissa << (exponent - 1011);
    }
    // Further down than 53 bits, the product is above 0 and not above 1.
    let shift = (1011 - exponent).min(64);
    (mantissa + ((1 << shift) - 1)) >> shift
}

/// Thresholds of Poisson(1): entry `k` is floor(2^64 * P(count <= k)).
const POISSON_1: [u64; 20] = [
    0x5e2d_58d8_b3bc_df1a,
    0xbc5a_b1b1_6779_be35,
    0xeb71_5e1d_c158_2dc2,
    0xfb23_9797_34a2_52f1,
    0xff10_25f5_9174_dc3d,
    0xffd9_0f3b_a405_5e19,
    0xfffa_8b71_fc72_c913,
    0xffff_540c_0914_b3c9,
    0xffff_ed1f_4aa8_f120,
    0xffff_fe21_6e64_1462,
    0xffff_ffd4_d85d_3183,
    0xffff_fffc_6da2_62b4,
    0xffff_ffff_ba12_d178,
    0xffff_ffff_fb07_c64c,
    0xffff_ffff_ffab_8ea5,
    0xffff_ffff_fffa_be22,
    0xffff_ffff_ffff_b11a,
    0xffff_ffff_ffff_fba1,
    0xffff_ffff_ffff_ffc5,
    0xffff_ffff_ffff_fffd,
];

/// How often a row occurs in a bootstrap sample: Poisson(1) from its first draw.
///
/// The count is the number of entries of a fixed table, floor(2^64 * P(count <= k)) for k = 0 to
/// 19, that are not above the draw: integers only. Replaces n draws with replacement; the size of
/// the sample is itself random, n on average.
pub fn poisson_bootstrap(stream: &Stream, key: RowKey) -> u32 {
    let draw = stream.hash(key);
    POISSON_1.iter().take_while(|&&threshold| draw >= threshold).count() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::Seed;

    fn example() -> Stream {
        Stream::new(Seed(42), "bag", "fare", "rows")
    }

    /// The keys 1 to 10000, whose draws the counts below are of.
    fn keys() -> impl Iterator<Item = RowKey> {
        (1..=10_000).map(RowKey)
    }

    /// How often each number from 0 on occurs.
    fn counts(values: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut counts = Vec::new();
        for value in values {
            counts.resize(counts.len().max(value as usize + 1), 0);
            counts[value as usize] += 1;
        }
        counts
    }

    // Literal values of this module: recomputed from the docs by independent implementations of
    // SHA-256, SipHash, PCG64DXSM and the algorithm in question.

    #[test]
    fn orders_never_move() {
        assert_eq!(permutation(10, &mut example().pcg()), [2, 6, 9, 1, 8, 4, 0, 5, 7, 3]);
        let chosen = sample_indices(1000, 6, &mut example().pcg());
        assert_eq!(chosen, [377, 821, 749, 19, 680, 936]);
        assert_eq!(permutation(0, &mut example().pcg()), [0; 0]);
        assert_eq!(sample_indices(0, 3, &mut example().pcg()), [0; 0]);
    }

    #[test]
    fn folds_never_move() {
        let folds: Vec<u64> = keys().take(10).map(|key| fold(&example(), key, 5)).collect();
        assert_eq!(folds, [0, 3, 3, 4, 2, 1, 1, 1, 4, 0]);
        let folds = keys().map(|key| fold(&example(), key, 5));
        assert_eq!(counts(folds), [1930, 1998, 2085, 1992, 1995]);
    }

    #[test]
    fn shares_never_move_and_are_nested() {
        let share = |ratio| keys().filter(|&key| below(&example(), key, ratio)).count();
        assert_eq!([0.0, 0.25, 1.0].map(share), [0, 2459, 10_000]);
        for key in keys().filter(|&key| below(&example(), key, 0.25)) {
            assert!(below(&example(), key, 0.3));
        }
    }

    #[test]
    fn share_threshold_is_exact() {
        assert_eq!(share_threshold(0.5), 1 << 63);
        assert_eq!(share_threshold(0.75), 3 << 62);
        assert_eq!(share_threshold(1.0), 1 << 64);
        // 0.1 is 0x1.999999999999ap-4: no bit lies below 2^-64.
        assert_eq!(share_threshold(0.1), 0x1999_9999_9999_9a00);
        // The largest number below 1 is 1 - 2^-53.
        assert_eq!(share_threshold(1.0 - f64::EPSILON / 2.0), (1 << 64) - (1 << 11));
        // 2^-12 + 2^-64 needs 53 bits and is whole; half of it is not, so it is rounded up.
        let whole = f64::from_bits(0x3f30_0000_0000_0001);
        assert_eq!(share_threshold(whole), (1 << 52) + 1);
        assert_eq!(share_threshold(whole / 2.0), (1 << 51) + 1);
        // One word of 2^64 is the least above none.
        for tiny in [f64::from_bits(1), f64::MIN_POSITIVE, 1e-20, f64::EPSILON / 4096.0] {
            assert_eq!(share_threshold(tiny), 1);
        }
        for none in [0.0, -0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(share_threshold(none), 0);
        }
        assert_eq!(share_threshold(f64::INFINITY), 1 << 64);
    }

    #[test]
    fn bootstrap_counts_never_move() {
        let count = |key| u64::from(poisson_bootstrap(&example(), key));
        let first: Vec<u64> = keys().take(12).map(count).collect();
        assert_eq!(first, [0, 1, 2, 3, 1, 0, 0, 0, 2, 0, 1, 0]);
        assert_eq!(counts(keys().map(count)), [3612, 3736, 1869, 609, 127, 40, 6, 1]);
    }

    #[test]
    fn bootstrap_table_is_floor_of_the_distribution() {
        // exp(-1) = 1/0! - 1/1! + 1/2! - ... in units of 2^-120. Divisions lose under 1 unit each,
        // so all is good to 2^7 units, and no floor to 2^-64 may be nearer to an integer than that.
        let unit = 1u128 << 120;
        let (mut inverse_e, mut term) = (0, unit);
        for i in 1..=40u128 {
            inverse_e = if i % 2 == 1 { inverse_e + term } else { inverse_e - term };
            term /= i;
        }
        let (mut sum, mut term) = (0u128, inverse_e);
        for (k, &threshold) in POISSON_1.iter().enumerate() {
            sum += term;
            assert_eq!((sum >> 56) as u64, threshold);
            assert_eq!((sum - 128) >> 56, (sum + 128) >> 56);
            term /= k as u128 + 1;
        }
        // After the last entry, less than one word in 2^64 is left.
        assert_eq!((sum + term) >> 56, (1 << 64) - 1);
    }

    proptest! {
        #[test]
        fn shuffles_are_permutations(n in 0u64..200, seed: u64) {
            let stream = Stream::new(Seed(seed), "s", "", "order");
            let mut order = permutation(n, &mut stream.pcg());
            order.sort();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
        }

        #[test]
        fn sampling_is_the_front_of_a_swapped_table(n in 0u64..100, k in 0u64..120, seed: u64) {
            let stream = Stream::new(Seed(seed), "s", "", "sample");
            let mut draws = stream.pcg();
            let mut table: Vec<u64> = (0..n).collect();
            let k_chosen = k.min(n) as usize;
            for front in 0..k_chosen {
                table.swap(front, front + draws.bounded(n - front as u64) as usize);
            }
            prop_assert_eq!(sample_indices(n, k, &mut stream.pcg()), &table[..k_chosen]);
        }
    }
}
