//! The integer form of the Gram matrix: values cut into digits, digit products summed without any
//! rounding.

use super::fixed::power_of_two;
use super::gram::{BLOCK, DIGIT_BITS, GramSpec, centred};

const LANES: usize = 2;
/// 1.5 * 2^52: adding and subtracting it rounds |y| <= 2^51 to an integer, nearest, ties to even.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// Rows of a block side by side in groups of `LANES`, so that a digit column is a slice of groups.
type Group = [f64; LANES];
const GROUPS: usize = BLOCK / LANES;

/// S digits per value; tiles of S digit rows by W digit columns, W a multiple of S.
pub(super) fn add_digits<const S: usize, const W: usize>(
    spec: &GramSpec,
    sums: &mut [i128],
    block: &[&[f64]],
    roots: Option<&[f64]>,
) {
    let p = block.len();
    let n_groups = block.first().map_or(0, |c| c.len().div_ceil(LANES));
    let mut digits = vec![[0.0; LANES]; p * S * GROUPS];
    let mut values = Vec::with_capacity(BLOCK);
    for (j, (x, out)) in block.iter().zip(digits.chunks_exact_mut(S * GROUPS)).enumerate() {
        centred(x, spec.centers[j], roots, &mut values);
        cut::<S>(&values, power_of_two(spec.exponent(j)), out);
    }
    let mut pair = 0;
    for i in 0..p {
        let rows = &digits[i * S * GROUPS..(i + 1) * S * GROUPS];
        let mut j = i;
        while j < p {
            let wide = j + W / S <= p;
            let n_columns = if wide { W / S } else { 1 };
            let columns = &digits[j * S * GROUPS..(j + n_columns) * S * GROUPS];
            let out = &mut sums[pair * (2 * S - 1)..(pair + n_columns) * (2 * S - 1)];
            if wide {
                collect::<S, W>(&tile::<S, W>(rows, columns, n_groups), out);
            } else {
                collect::<S, S>(&tile::<S, S>(rows, columns, n_groups), out);
            }
            pair += n_columns;
            j += n_columns;
        }
    }
}

/// Adds the digit products of one column with W / S others to the sums of their powers.
fn collect<const S: usize, const W: usize>(tile: &[[f64; W]; S], sums: &mut [i128]) {
    for (a, row) in tile.iter().enumerate() {
        for (at, &total) in row.iter().enumerate() {
            let sum = &mut sums[at / S * (2 * S - 1) + a + at % S];
            *sum = sum.wrapping_add(i128::from(total as i64));
        }
    }
}

/// Digits of values * factor, lowest first; a value beyond the bound is cut to it.
fn cut<const S: usize>(values: &[f64], factor: f64, out: &mut [Group]) {
    let bound = power_of_two((DIGIT_BITS * S as u32) as i32);
    let base: [f64; S] = std::array::from_fn(|d| power_of_two((DIGIT_BITS * d as u32) as i32));
    let inverse: [f64; S] =
        std::array::from_fn(|d| power_of_two(-((DIGIT_BITS * d as u32) as i32)));
    for (at, &v) in values.iter().enumerate() {
        let y = v * factor;
        let mut rest = if y.abs() <= bound {
            y
        } else if y > 0.0 {
            bound
        } else if y < 0.0 {
            -bound
        } else {
            0.0
        };
        for d in (0..S).rev() {
            let digit = (rest * inverse[d] + MAGIC) - MAGIC;
            rest -= digit * base[d];
            out[d * GROUPS + at / LANES][at % LANES] = digit;
        }
    }
}

/// Sums of products of every row digit column with every other: integers below 2^53, so exact in
/// any order.
#[inline]
fn tile<const S: usize, const W: usize>(
    rows: &[Group],
    columns: &[Group],
    n: usize,
) -> [[f64; W]; S] {
    let rows: [&[Group]; S] = std::array::from_fn(|r| &rows[r * GROUPS..][..n]);
    let columns: [&[Group]; W] = std::array::from_fn(|c| &columns[c * GROUPS..][..n]);
    let mut sums = [[[0.0; LANES]; W]; S];
    for k in 0..n {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            for (sum, column) in sums.iter_mut().zip(&columns) {
                for lane in 0..LANES {
                    sum[lane] += row[k][lane] * column[k][lane];
                }
            }
        }
    }
    sums.map(|row| row.map(|sum| sum[0] + sum[1]))
}
