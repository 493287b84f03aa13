//! The Gram matrix X'X of many rows, free of order and partition: every product and sum is an
//! integer.
//!
//! **Method.** A value is centred, `v = x - centre` (one rounding; with weights `v = v * sqrt(w)`,
//! two more), scaled by a power of two so that its column's largest size is at most 2^(21 s), and
//! rounded to an integer (nearest, ties to even). With s = 1 products over 2048 rows sum to 2^53 at
//! most, hence exactly in f64 in any order; block sums go to i128. With s = 2 and 3 products and
//! sums are integers of 128 and 192 bits. With s = 3 a value keeps everything above 2^-63 of its
//! column's maximum.
//!
//! **Small data** (rows times pairs of columns at most 4,000,000) skip the rounding to integers:
//! each pair is an [`ExactSum`] of exact products of the centred values. The choice depends on the
//! specification alone.

use super::exact_sum::ExactSum;
use super::fixed::ceil_log2;
use super::functions::sqrt;
use super::gram_digits::add_digits;
use super::gram_wide::{WideSum, add_wide};
use serde::{Deserialize, Serialize};

pub(super) const DIGIT_BITS: u32 = 21;
pub(super) const BLOCK: usize = 2048;
const EXACT_PRODUCTS_MAX: u64 = 4_000_000;
const EXPONENT_LIMIT: i32 = 1000;

/// What must be known before the pass: a pure function of the data, the same for every part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GramSpec {
    /// Number of rows in all parts together.
    pub n_rows: u64,
    /// What is subtracted from each column.
    pub centers: Vec<f64>,
    /// Largest size of each column's centred (and weighted) values; larger ones are cut to it.
    pub max_abs: Vec<f64>,
    /// Digits of 21 bits per value: 1, 2 or 3.
    pub slices: u8,
}

/// Sums of products of column pairs; see the module text. Missing values are the caller's to
/// exclude: in the integer form a missing value counts as 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Gram {
    spec: GramSpec,
    n: u64,
    sums: Sums,
}

/// X'X of the centred columns as an unevaluated sum of two matrices.
#[derive(Clone, Debug, PartialEq)]
pub struct GramMatrix {
    /// Rows seen.
    pub n: u64,
    /// Columns.
    pub p: usize,
    /// Each element rounded once, p x p row-major, symmetric.
    pub hi: Vec<f64>,
    /// What the rounding left, itself rounded once.
    pub lo: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sums {
    /// Per pair (i <= j, row by row): the sum of integers of one digit.
    Digits(Vec<i128>),
    /// Per pair: the sum of integers of two or three digits.
    Wide(Vec<WideSum>),
    /// Per pair: the exact sum.
    Exact(Vec<ExactSum>),
}

impl Gram {
    /// No rows yet.
    ///
    /// # Panics
    /// When the specification is inconsistent: slices not 1 to 3, or centres and maxima of
    /// different number.
    pub fn new(spec: &GramSpec) -> Self {
        assert!((1..=3).contains(&spec.slices), "a Gram matrix has 1, 2 or 3 slices");
        assert_eq!(spec.centers.len(), spec.max_abs.len(), "one centre and one maximum per column");
        let pairs = spec.n_pairs();
        let sums = if spec.is_exact() {
            Sums::Exact(vec![ExactSum::new(); pairs])
        } else {
            match spec.slices {
                1 => Sums::Digits(vec![0; pairs]),
                _ => Sums::Wide(vec![WideSum::default(); pairs]),
            }
        };
        Gram { spec: spec.clone(), n: 0, sums }
    }

    /// Takes a block of rows in: one slice per column, all of one length.
    pub fn observe(&mut self, columns: &[&[f64]]) {
        self.take(columns, None);
    }

    /// Takes a block of rows in, each centred value multiplied by the square root of its row's
    /// weight (>= 0).
    pub fn observe_weighted(&mut self, columns: &[&[f64]], weights: &[f64]) {
        let roots: Vec<f64> = weights.iter().map(|&w| sqrt(w)).collect();
        self.take(columns, Some(&roots));
    }

    /// Adds the rows of another state: associative and commutative.
    ///
    /// # Panics
    /// When the specifications differ: parts of one fit share theirs.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.spec, other.spec, "the parts of one Gram matrix share their specification");
        self.n = self.n.saturating_add(other.n);
        match (&mut self.sums, &other.sums) {
            (Sums::Digits(a), Sums::Digits(b)) => {
                a.iter_mut().zip(b).for_each(|(x, y)| *x = x.wrapping_add(*y));
            }
            (Sums::Wide(a), Sums::Wide(b)) => a.iter_mut().zip(b).for_each(|(x, y)| x.merge(y)),
            (Sums::Exact(a), Sums::Exact(b)) => a.iter_mut().zip(b).for_each(|(x, y)| x.merge(y)),
            _ => unreachable!("the specification decides the form"),
        }
    }

    /// The matrix, each element rounded from its exact value.
    pub fn finish(&self) -> GramMatrix {
        let p = self.spec.centers.len();
        let mut matrix = GramMatrix { n: self.n, p, hi: vec![0.0; p * p], lo: vec![0.0; p * p] };
        let mut pair = 0;
        for i in 0..p {
            for j in i..p {
                let (hi, lo) = self.pair(pair, i, j).round_pair();
                for at in [i * p + j, j * p + i] {
                    matrix.hi[at] = hi;
                    matrix.lo[at] = lo;
                }
                pair += 1;
            }
        }
        matrix
    }

    fn pair(&self, pair: usize, i: usize, j: usize) -> ExactSum {
        let unit = -(self.spec.exponent(i) + self.spec.exponent(j));
        let mut total = ExactSum::new();
        match &self.sums {
            Sums::Exact(sums) => return sums[pair].clone(),
            Sums::Digits(sums) => total.add_integer(sums[pair], unit),
            Sums::Wide(sums) => sums[pair].add_to(&mut total, unit),
        }
        total
    }

    fn take(&mut self, columns: &[&[f64]], roots: Option<&[f64]>) {
        let p = self.spec.centers.len();
        assert_eq!(columns.len(), p, "one slice per column");
        let n = columns.first().map_or(0, |c| c.len());
        assert!(columns.iter().all(|c| c.len() == n), "columns of one length");
        assert!(roots.is_none_or(|r| r.len() == n), "one weight per row");
        self.n = self.n.saturating_add(n as u64);
        for first in (0..n).step_by(BLOCK) {
            let rows = first..Ord::min(first + BLOCK, n);
            let block: Vec<&[f64]> = columns.iter().map(|c| &c[rows.clone()]).collect();
            let roots = roots.map(|r| &r[rows]);
            match &mut self.sums {
                Sums::Exact(sums) => add_exact(&self.spec, sums, &block, roots),
                Sums::Digits(sums) => add_digits(&self.spec, sums, &block, roots),
                Sums::Wide(sums) => add_wide(&self.spec, sums, &block, roots),
            }
        }
    }
}

impl GramSpec {
    fn n_pairs(&self) -> usize {
        self.centers.len() * (self.centers.len() + 1) / 2
    }

    fn is_exact(&self) -> bool {
        self.n_rows.saturating_mul(self.n_pairs() as u64) <= EXACT_PRODUCTS_MAX
    }

    /// Column j's values are multiplied by 2^exponent.
    pub(super) fn exponent(&self, j: usize) -> i32 {
        let max = self.max_abs[j].abs();
        if max == 0.0 || !max.is_finite() {
            return 0;
        }
        let bits = DIGIT_BITS as i32 * i32::from(self.slices);
        (bits - ceil_log2(max)).clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT)
    }
}

/// The values whose products are summed.
pub(super) fn centred(x: &[f64], centre: f64, roots: Option<&[f64]>, out: &mut Vec<f64>) {
    out.clear();
    match roots {
        None => out.extend(x.iter().map(|x| x - centre)),
        Some(roots) => out.extend(x.iter().zip(roots).map(|(x, root)| (x - centre) * root)),
    }
}

fn add_exact(spec: &GramSpec, sums: &mut [ExactSum], block: &[&[f64]], roots: Option<&[f64]>) {
    let mut columns = vec![Vec::new(); block.len()];
    for ((out, x), &centre) in columns.iter_mut().zip(block).zip(&spec.centers) {
        centred(x, centre, roots, out);
    }
    let mut pair = 0;
    for (i, a) in columns.iter().enumerate() {
        for b in &columns[i..] {
            a.iter().zip(b).for_each(|(&x, &y)| sums[pair].add_product(x, y));
            pair += 1;
        }
    }
}

/// The stored form of [`Gram`], checked when read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    spec: GramSpec,
    n: u64,
    sums: Sums,
}

impl From<Gram> for Stored {
    fn from(gram: Gram) -> Self {
        Stored { spec: gram.spec, n: gram.n, sums: gram.sums }
    }
}

impl TryFrom<Stored> for Gram {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { spec, n, sums } = stored;
        if !(1..=3).contains(&spec.slices) || spec.centers.len() != spec.max_abs.len() {
            return Err("expected a consistent Gram specification, found another one".into());
        }
        let (fits, found) = match &sums {
            Sums::Exact(sums) => (spec.is_exact(), sums.len()),
            Sums::Digits(sums) => (!spec.is_exact() && spec.slices == 1, sums.len()),
            Sums::Wide(sums) => (!spec.is_exact() && spec.slices > 1, sums.len()),
        };
        let expected = spec.n_pairs();
        if !fits || found != expected {
            return Err(format!("expected {expected} Gram sums, found {found}"));
        }
        Ok(Gram { spec, n, sums })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `n_rows` beyond the limit of the exact form.
    const MANY: u64 = 1 << 40;

    fn spec(n_rows: u64, slices: u8, max_abs: &[f64]) -> GramSpec {
        GramSpec { n_rows, centers: vec![0.0; max_abs.len()], max_abs: max_abs.to_vec(), slices }
    }

    fn gram_of(spec: &GramSpec, columns: &[&[f64]]) -> Gram {
        let mut gram = Gram::new(spec);
        gram.observe(columns);
        gram
    }

    #[test]
    fn hand_worked_in_every_form() {
        let (a, b) = ([1.0, 2.0, 3.0], [4.0, -5.0, 6.0]);
        for (n_rows, slices) in [(3, 1), (MANY, 1), (MANY, 2), (MANY, 3)] {
            let found = gram_of(&spec(n_rows, slices, &[3.0, 6.0]), &[&a, &b]).finish();
            assert_eq!(found.hi, [14.0, 12.0, 12.0, 77.0], "{slices} slices");
            assert_eq!((found.lo, found.n, found.p), (vec![0.0; 4], 3, 2));
        }
        // Centre 2, weights 4 and 9: (2 * -1)^2 + (3 * 1)^2 = 13.
        let centred = GramSpec { centers: vec![2.0], ..spec(2, 1, &[3.0]) };
        let mut gram = Gram::new(&centred);
        gram.observe_weighted(&[&[1.0, 3.0]], &[4.0, 9.0]);
        assert_eq!(gram.finish().hi, [13.0]);
        assert!(gram_of(&spec(0, 1, &[]), &[]).finish().hi.is_empty());
    }

    #[test]
    fn one_slice_rounds_to_21_bits_and_three_keep_all() {
        // 1/3 * 2^21 = 699050.67 -> 699051.
        let third = [1.0 / 3.0, 1.0];
        let found = gram_of(&spec(MANY, 1, &[1.0]), &[&third]).finish();
        let q = 699_051.0 / 2_097_152.0;
        assert_eq!(found.hi, [q * q + 1.0]);
        let three = gram_of(&spec(MANY, 3, &[1.0]), &[&third]).finish();
        let exact = gram_of(&spec(2, 3, &[1.0]), &[&third]).finish();
        assert_eq!(three, exact);
        assert!(three.lo[0] != 0.0);
    }

    #[test]
    fn beyond_the_maximum_is_cut_and_missing_is_zero() {
        let found = gram_of(&spec(MANY, 2, &[1.0]), &[&[5.0, f64::NAN, -7.0]]).finish();
        assert_eq!(found.hi, [2.0]);
        let extreme = gram_of(&spec(MANY, 3, &[f64::MAX]), &[&[f64::MAX]]).finish();
        assert_eq!(extreme.hi, [f64::INFINITY]);
        let tiny = gram_of(&spec(MANY, 3, &[f64::from_bits(1)]), &[&[f64::from_bits(1)]]).finish();
        assert_eq!(tiny.hi, [0.0]);
    }

    #[test]
    fn worst_digits_stay_exact() {
        // Every digit at its bound over full blocks: all values at the maximum, in all widths of
        // tile.
        let column = [1.0; 3 * BLOCK + 5];
        for slices in 1..=3 {
            let columns = [column.as_slice(); 11];
            let found = gram_of(&spec(MANY, slices, &[1.0; 11]), &columns).finish();
            assert!(found.hi.iter().all(|&x| x == column.len() as f64), "{slices} slices");
        }
    }

    #[test]
    fn what_is_read_is_consistent() {
        let gram = gram_of(&spec(MANY, 2, &[1.0, 2.0]), &[&[1.0], &[2.0]]);
        let stored = |change: fn(&mut Stored)| {
            let mut stored = Stored::from(gram.clone());
            change(&mut stored);
            Gram::try_from(stored)
        };
        assert_eq!(stored(|_| ()), Ok(gram.clone()));
        assert!(stored(|s| s.spec.slices = 0).is_err());
        assert!(stored(|s| s.spec.slices = 1).is_err());
        assert!(stored(|s| s.spec.n_rows = 1).is_err());
        assert!(stored(|s| s.spec.max_abs.push(1.0)).is_err());
        assert!(stored(|s| s.sums = Sums::Exact(vec![])).is_err());
    }

    proptest! {
        #[test]
        fn three_slices_are_exact_on_values_of_one_range(
            values in prop::collection::vec(0.5f64..1.0, 2..200),
        ) {
            // Values between max/2 and max have their last bit above 2^-63 max: nothing is rounded.
            let n = values.len() / 2;
            let columns = [&values[..n], &values[n..2 * n]];
            let digits = gram_of(&spec(MANY, 3, &[1.0, 1.0]), &columns).finish();
            let exact = gram_of(&spec(n as u64, 3, &[1.0, 1.0]), &columns).finish();
            prop_assert_eq!(digits, exact);
        }

        #[test]
        fn order_blocks_and_merges_give_the_same_bytes(
            (rows, shuffled) in prop::collection::vec(prop::array::uniform3(-9f64..9.0), 0..60)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            at in any::<prop::sample::Index>(),
            slices in 1u8..=3,
            exact in any::<bool>(),
        ) {
            let n_rows = if exact { rows.len() as u64 } else { MANY };
            let centers = vec![0.1, -2.0, 0.0];
            let spec = GramSpec { centers, ..spec(n_rows, slices, &[9.5, 11.0, 9.0]) };
            let part = |rows: &[[f64; 3]]| {
                let column = |j: usize| rows.iter().map(|r| r[j]).collect();
                let columns: [Vec<f64>; 3] = std::array::from_fn(column);
                gram_of(&spec, &columns.each_ref().map(|c| c.as_slice()))
            };
            let whole = part(&rows);
            let (left, right) = shuffled.split_at(at.index(rows.len() + 1));
            let mut merged = part(right);
            merged.merge(&part(left));
            prop_assert_eq!(&merged, &whole);
            let bytes = rmp_serde::to_vec(&merged).expect("serialise");
            prop_assert_eq!(&bytes, &rmp_serde::to_vec(&whole).expect("serialise"));
            prop_assert_eq!(rmp_serde::from_slice::<Gram>(&bytes).expect("read"), whole);
        }
    }
}
