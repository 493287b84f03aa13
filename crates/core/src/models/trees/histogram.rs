//! Sums of gradients per bin, in integers.
//!
//! Each row's gradient and second derivative are rounded to multiples of powers of two that depend
//! only on their largest sizes in the sample, and lie in one 64-bit word: the gradient above, the
//! second derivative below. One addition adds both. Up to [`CHUNK`] rows cannot overflow a field;
//! then both are added to sums of 64 bits each. So sums are exact, no order of rows can matter, and
//! a child's sums are its parent's less its sibling's, to the bit.

use super::binning::Binned;
use super::words::LANES;
use crate::math::{self, FixedScale};

/// Rows whose packed sums fit.
const CHUNK: usize = 8000;
/// Bits of the sum of second derivatives of a chunk.
const CHUNK_BITS: u32 = 13;
/// Bits of a second derivative.
const HESSIAN_BITS: u32 = 17;
/// Sums are below 2^51, so that they are exact as floats, also after a subtraction.
const SUM_BITS: u32 = 51;
/// Bins of a column of 8 bits, the last for missing values.
pub(super) const N_BINS: usize = 256;
/// Rows whose words are fetched at a time.
const HAND: usize = 1000;

/// Sum of gradients, sum of second derivatives.
pub(super) type Sums = [i64; 2];
/// The sums of one column.
pub(super) type ColumnSums = [Sums; N_BINS];

/// How gradients and second derivatives lie in a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packing {
    pub gradient: FixedScale,
    pub hessian: FixedScale,
    shift: u32,
}

impl Packing {
    /// For `n_rows` rows whose gradients are at most `gradient_max` in size and whose second
    /// derivatives are at most `hessian_max`; `whole` says that these are whole numbers.
    pub fn new(n_rows: usize, gradient_max: f64, hessian_max: f64, whole: bool) -> Self {
        let whole_bits = (0..HESSIAN_BITS).find(|&bits| f64::from(1u32 << bits) >= hessian_max);
        let (hessian, bits) = match whole_bits {
            // A scale of 1: whole numbers stay what they are.
            Some(bits) if whole => (FixedScale::for_max(2.0, 1), bits),
            _ => (FixedScale::for_max(hessian_max, HESSIAN_BITS), HESSIAN_BITS),
        };
        let shift = CHUNK_BITS + bits;
        let row_bits = usize::BITS - n_rows.leading_zeros();
        let gradient_bits = (63 - shift - CHUNK_BITS).min(SUM_BITS.saturating_sub(row_bits).max(8));
        Packing { gradient: FixedScale::for_max(gradient_max, gradient_bits), hessian, shift }
    }

    /// A row in one word. A positive second derivative never becomes 0.
    #[inline]
    pub fn pack(&self, gradient: f64, hessian: f64) -> i64 {
        let h = self.hessian.quantise(hessian);
        let h = if hessian > 0.0 && h < 1 { 1 } else { h };
        (self.gradient.quantise(gradient) << self.shift).wrapping_add(h)
    }

    /// The two fields of a sum of at most [`CHUNK`] rows.
    #[inline]
    pub fn unpack(&self, word: i64) -> Sums {
        [word >> self.shift, word & ((1 << self.shift) - 1)]
    }

    /// The least and largest second derivative among rows.
    pub fn hessian_range(&self, packed: &[i64]) -> (f64, f64) {
        let mask = (1 << self.shift) - 1;
        let (mut least, mut most) = (mask, 0);
        for &word in packed {
            let h = word & mask;
            least = if h < least { h } else { least };
            most = if h > most { h } else { most };
        }
        (least as f64, most as f64)
    }

    /// The sums of any number of rows, and between which their second derivatives lie.
    pub fn totals(&self, packed: &[i64]) -> Totals {
        let mut sums = [0; 2];
        for chunk in packed.chunks(CHUNK) {
            let sum = chunk.iter().fold(0i64, |sum, &word| sum.wrapping_add(word));
            add(&mut sums, self.unpack(sum));
        }
        Totals { sums, hessian_range: self.hessian_range(packed) }
    }
}

/// What a leaf's rows come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Totals {
    pub sums: Sums,
    /// The least and largest second derivative.
    pub hessian_range: (f64, f64),
}

impl Default for Totals {
    fn default() -> Self {
        Totals { sums: [0; 2], hessian_range: (f64::INFINITY, 0.0) }
    }
}

impl Totals {
    /// Those of both.
    pub fn merged(mut self, other: Totals) -> Self {
        add(&mut self.sums, other.sums);
        let ((a, b), (c, d)) = (self.hessian_range, other.hessian_range);
        self.hessian_range = (math::min(a, c), math::max(b, d));
        self
    }
}

#[inline]
fn add(total: &mut Sums, part: Sums) {
    total[0] = total[0].wrapping_add(part[0]);
    total[1] = total[1].wrapping_add(part[1]);
}

/// Columns that one thread sums: those of one part of the words.
pub(super) struct Group {
    /// Which part.
    part: usize,
    /// The first column and how many.
    pub first: usize,
    pub n: usize,
    /// Packed sums of a chunk, by word and lane; zero between uses.
    narrow: Vec<[[i64; N_BINS]; LANES]>,
    /// The words of the rows in hand, by word.
    gathered: Vec<[u64; HAND]>,
}

impl Group {
    /// The columns of all words.
    pub fn all(data: &Binned) -> Vec<Group> {
        let groups = data.words.iter().enumerate().map(|(part, words)| Group {
            part,
            first: words.first,
            n: words.n,
            narrow: vec![[[0; N_BINS]; LANES]; words.n_words()],
            gathered: vec![[0; HAND]; words.n_words()],
        });
        groups.collect()
    }

    /// The sums of the group's columns over `rows`, into `out`, whatever that held.
    pub fn build(
        &mut self,
        data: &Binned,
        rows: &[u32],
        packed: &[i64],
        packing: &Packing,
        out: &mut [ColumnSums],
    ) {
        if rows.is_empty() {
            out.iter_mut().for_each(|column| *column = [[0; 2]; N_BINS]);
        }
        let chunks = rows.chunks(CHUNK).zip(packed.chunks(CHUNK));
        for (index, (rows, packed)) in chunks.enumerate() {
            for (rows, packed) in rows.chunks(HAND).zip(packed.chunks(HAND)) {
                data.words[self.part].gather(rows, &mut self.gathered);
                for (word, narrow) in self.narrow.iter_mut().enumerate() {
                    let n = (self.n - word * LANES).min(LANES);
                    accumulate_lanes(narrow, &self.gathered[word][..rows.len()], packed, n);
                }
            }
            self.flush(packing, index == 0, out);
        }
    }

    /// Moves the packed sums into the wide ones.
    fn flush(&mut self, packing: &Packing, is_first: bool, out: &mut [ColumnSums]) {
        let mask = (1i64 << packing.shift) - 1;
        let narrow = self.narrow.iter_mut().flatten();
        for (wide, narrow) in out.iter_mut().zip(narrow) {
            for (sums, word) in wide.iter_mut().zip(narrow.iter_mut()) {
                let part = [*word >> packing.shift, *word & mask];
                if is_first {
                    *sums = part;
                } else {
                    add(sums, part);
                }
                *word = 0;
            }
        }
    }
}

fn accumulate_lanes(
    narrow: &mut [[i64; N_BINS]; LANES],
    words: &[u64],
    packed: &[i64],
    n_lanes: usize,
) {
    match n_lanes {
        1 => accumulate::<1>(narrow, words, packed),
        2 => accumulate::<2>(narrow, words, packed),
        3 => accumulate::<3>(narrow, words, packed),
        4 => accumulate::<4>(narrow, words, packed),
        5 => accumulate::<5>(narrow, words, packed),
        6 => accumulate::<6>(narrow, words, packed),
        7 => accumulate::<7>(narrow, words, packed),
        _ => accumulate::<8>(narrow, words, packed),
    }
}

#[inline(never)]
fn accumulate<const N: usize>(narrow: &mut [[i64; N_BINS]; LANES], words: &[u64], packed: &[i64]) {
    for (&bins, &word) in words.iter().zip(packed) {
        for (lane, sums) in narrow[..N].iter_mut().enumerate() {
            let bin = (bins >> (8 * lane)) as u8;
            let sum = &mut sums[bin as usize];
            *sum = sum.wrapping_add(word);
        }
    }
}

/// `parent` becomes the sibling of `child`.
pub(super) fn subtract(parent: &mut [ColumnSums], child: &[ColumnSums]) {
    for (parent, child) in parent.iter_mut().zip(child) {
        for (p, c) in parent.iter_mut().zip(child) {
            p[0] = p[0].wrapping_sub(c[0]);
            p[1] = p[1].wrapping_sub(c[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::binning::{Bins, Cuts, NumCuts};
    use super::*;

    #[test]
    fn fields_of_a_full_chunk_do_not_touch() {
        let packing = Packing::new(1_000_000, 1.0, 0.25, false);
        for sign in [1.0, -1.0] {
            let word = packing.pack(sign, 0.25);
            let [g, h] = packing.totals(&vec![word; CHUNK]).sums;
            assert_eq!(g, CHUNK as i64 * packing.gradient.quantise(sign));
            assert_eq!(h, CHUNK as i64 * packing.hessian.quantise(0.25));
        }
    }

    #[test]
    fn a_positive_hessian_is_at_least_one_quantum_and_whole_ones_are_themselves() {
        let packing = Packing::new(10, 1.0, 0.25, false);
        assert_eq!(packing.unpack(packing.pack(0.0, 1e-300)), [0, 1]);
        assert_eq!(packing.unpack(packing.pack(0.0, 0.0)), [0, 0]);
        for largest in [1.0, 2.0, 3.0, 7.0, 100.0] {
            let packing = Packing::new(10, 1.0, largest, true);
            for h in 1..=largest as i64 {
                assert_eq!(packing.unpack(packing.pack(0.0, h as f64)), [0, h]);
            }
        }
    }

    #[test]
    fn a_child_is_its_parent_less_its_sibling() {
        let columns = [|i: u64| (i * i % 7) as u8, |i: u64| (i % 256) as u8];
        let columns = columns.map(|f| Bins::Small((0..20_000).map(f).collect())).to_vec();
        let cuts = vec![Cuts::Num(NumCuts::default()); 2];
        let data = Binned { n_rows: 20_000, cuts, columns, words: vec![] }.with_words();
        let mut group = Group::all(&data).remove(0);
        let packing = Packing::new(20_000, 1.0, 1.0, false);
        let packed: Vec<i64> =
            (0..20_000).map(|i| packing.pack((i % 19) as f64 / -19.0, 0.5)).collect();
        let rows: Vec<u32> = (0..20_000).collect();
        let mut sums = |rows: &[u32]| {
            let packed: Vec<i64> = rows.iter().map(|&r| packed[r as usize]).collect();
            let mut out = vec![[[7; 2]; N_BINS]; 2];
            group.build(&data, rows, &packed, &packing, &mut out);
            out
        };
        let mut parent = sums(&rows);
        subtract(&mut parent, &sums(&rows[..9000]));
        assert_eq!(parent, sums(&rows[9000..]));
    }
}
