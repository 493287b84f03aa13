//! The integer form of the Gram matrix for one digit: products of integers of 21 bits, summed in
//! f64 without any rounding.

use super::fixed::power_of_two;
use super::gram::{BLOCK, DIGIT_BITS, GramSpec, centred};

const LANES: usize = 2;
/// 1.5 * 2^52: adding and subtracting it rounds |y| <= 2^51 to an integer, nearest, ties to even.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// Columns on either side of a tile.
const TALL: usize = 3;
const WIDE: usize = 3;

/// Rows of a block side by side in groups of `LANES`, so that a column is a slice of groups.
type Group = [f64; LANES];

/// Adds the products of every pair of columns of a block.
pub(super) fn add_digits(
    spec: &GramSpec,
    sums: &mut [i128],
    block: &[&[f64]],
    roots: Option<&[f64]>,
) {
    let p = block.len();
    let n_groups = block.first().map_or(0, |c| c.len().div_ceil(LANES));
    let mut digits = vec![[0.0; LANES]; p * n_groups];
    let mut values = Vec::with_capacity(BLOCK);
    for (j, x) in block.iter().enumerate() {
        centred(x, spec.centers[j], roots, &mut values);
        cut(&values, power_of_two(spec.exponent(j)), &mut digits[j * n_groups..][..n_groups]);
    }
    let column = |j: usize| &digits[Ord::min(j, p - 1) * n_groups..][..n_groups];
    for i in (0..p).step_by(TALL) {
        let rows: [&[Group]; TALL] = std::array::from_fn(|r| column(i + r));
        for j in (i..p).step_by(WIDE) {
            let totals = tile(rows, std::array::from_fn(|c| column(j + c)));
            for (v, row) in (i..p).zip(&totals) {
                for (u, &total) in (j..p).zip(row).filter(|(u, _)| *u >= v) {
                    let sum = &mut sums[v * (2 * p - v + 1) / 2 + u - v];
                    *sum = sum.wrapping_add(i128::from(total as i64));
                }
            }
        }
    }
}

/// Integers nearest to values * factor; a value beyond the bound is cut to it.
fn cut(values: &[f64], factor: f64, out: &mut [Group]) {
    let bound = power_of_two(DIGIT_BITS as i32);
    for (group, values) in out.iter_mut().zip(values.chunks(LANES)) {
        for (digit, v) in group.iter_mut().zip(values) {
            let y = v * factor;
            let cut = if y.abs() <= bound {
                y
            } else if y > 0.0 {
                bound
            } else if y < 0.0 {
                -bound
            } else {
                0.0
            };
            *digit = (cut + MAGIC) - MAGIC;
        }
    }
}

/// Sums of products of every row column with every other: integers of at most 2^53, so exact in
/// any order.
#[inline]
fn tile(rows: [&[Group]; TALL], columns: [&[Group]; WIDE]) -> [[f64; WIDE]; TALL] {
    let n = rows[0].len();
    let (rows, columns) = (rows.map(|r| &r[..n]), columns.map(|c| &c[..n]));
    let mut sums = [[[0.0; LANES]; WIDE]; TALL];
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
