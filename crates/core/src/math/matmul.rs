//! Matrix products with the bits of the naive triple loop: k ascending from 0.0, multiply, then
//! add, never fused.
//!
//! Blocking and vector width do not touch that order: lanes run over the columns of the result, and
//! every element keeps one accumulator over the whole of k. So a product may be cut by rows of the
//! result, and a row alone gets what it gets among others.

use std::ops::Range;

const ROWS: usize = 2;
const LANES: usize = 8;

/// Writes A B into `c`: A is m x k, B is k x n, C is m x n, all row-major. With one or two rows
/// nothing is allocated.
///
/// # Panics
/// When a slice has not exactly the length that its shape says.
pub fn matmul(a: &[f64], m: usize, k: usize, b: &[f64], n: usize, c: &mut [f64]) {
    assert_eq!(a.len(), m * k, "A must be m x k");
    check(k, b, n, m, c);
    if m <= ROWS {
        for i in 0..m {
            one_row(&a[i * k..(i + 1) * k], b, n, &mut c[i * n..(i + 1) * n]);
        }
        return;
    }
    let row = |i: usize| &a[i * k..(i + 1) * k];
    panels(b, k, n, |panel, first| {
        let mut i = 0;
        while i + ROWS <= m {
            let rows: [&[f64]; ROWS] = std::array::from_fn(|r| row(i + r));
            store(&tile(rows, panel), c, n, i, first);
            i += ROWS;
        }
        if i < m {
            store(&tile([row(i)], panel), c, n, i, first);
        }
    });
}

/// Writes the rows `rows` of A' B into `c`: A is k x m, B is k x n, C has n columns and a row for
/// each of `rows`, all row-major.
///
/// # Panics
/// When a slice has not exactly the length that its shape says, or `rows` go beyond m.
pub fn matmul_transposed(
    a: &[f64],
    k: usize,
    m: usize,
    rows: Range<usize>,
    b: &[f64],
    n: usize,
    c: &mut [f64],
) {
    assert_eq!(a.len(), k * m, "A must be k x m");
    assert!(rows.start <= rows.end && rows.end <= m, "the rows are columns of A");
    check(k, b, n, rows.len(), c);
    if n == 1 {
        // One column: the rows of the result are the lanes.
        c.fill(0.0);
        for (row, y) in a.chunks_exact(m.max(1)).zip(b) {
            c.iter_mut().zip(&row[rows.clone()]).for_each(|(sum, x)| *sum += x * y);
        }
        return;
    }
    panels(b, k, n, |panel, first| {
        let mut i = rows.start;
        while i + ROWS <= rows.end {
            store(&tile_columns::<ROWS>(a, m, i, panel), c, n, i - rows.start, first);
            i += ROWS;
        }
        if i < rows.end {
            store(&tile_columns::<1>(a, m, i, panel), c, n, i - rows.start, first);
        }
    });
}

/// Writes A' into `out`: A is m x n, row-major.
///
/// # Panics
/// When a slice has not exactly the length that its shape says.
pub fn transpose(a: &[f64], m: usize, n: usize, out: &mut [f64]) {
    assert_eq!(a.len(), m * n, "A must be m x n");
    assert_eq!(out.len(), m * n, "the transpose must be n x m");
    for first in (0..n).step_by(LANES) {
        let columns = first..Ord::min(first + LANES, n);
        for i in 0..m {
            for j in columns.clone() {
                out[j * m + i] = a[i * n + j];
            }
        }
    }
}

fn check(k: usize, b: &[f64], n: usize, m: usize, c: &[f64]) {
    assert_eq!(b.len(), k * n, "B must be k x n");
    assert_eq!(c.len(), m * n, "C must be m x n");
}

/// The columns of B, some at a time, side by side in memory; the last ones with zeros behind.
fn panels(b: &[f64], k: usize, n: usize, mut see: impl FnMut(&[[f64; LANES]], usize)) {
    let mut panel = vec![[0.0; LANES]; k];
    for first in (0..n).step_by(LANES) {
        let width = Ord::min(LANES, n - first);
        for (lanes, row) in panel.iter_mut().zip(b.chunks_exact(n)) {
            match <&[f64; LANES]>::try_from(&row[first..first + width]) {
                Ok(whole) => *lanes = *whole,
                Err(_) => {
                    lanes[..width].copy_from_slice(&row[first..first + width]);
                    lanes[width..].fill(0.0);
                }
            }
        }
        see(&panel, first);
    }
}

fn one_row(a: &[f64], b: &[f64], n: usize, c: &mut [f64]) {
    c.fill(0.0);
    for (x, row) in a.iter().zip(b.chunks_exact(n.max(1))) {
        for (sum, y) in c.iter_mut().zip(row) {
            *sum += x * y;
        }
    }
}

#[inline]
fn tile<const R: usize>(rows: [&[f64]; R], panel: &[[f64; LANES]]) -> [[f64; LANES]; R] {
    let mut sums = [[0.0; LANES]; R];
    let rows = rows.map(|row| &row[..panel.len()]);
    for (k, lanes) in panel.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(rows) {
            let x = row[k];
            for (s, y) in sum.iter_mut().zip(lanes) {
                *s += x * y;
            }
        }
    }
    sums
}

/// As [`tile`], with rows that are columns `i` to `i + R` of a matrix with `m` columns.
#[inline]
fn tile_columns<const R: usize>(
    a: &[f64],
    m: usize,
    i: usize,
    panel: &[[f64; LANES]],
) -> [[f64; LANES]; R] {
    let mut sums = [[0.0; LANES]; R];
    for (lanes, row) in panel.iter().zip(a.chunks_exact(m)) {
        let xs = &row[i..i + R];
        for (sum, x) in sums.iter_mut().zip(xs) {
            for (s, y) in sum.iter_mut().zip(lanes) {
                *s += x * y;
            }
        }
    }
    sums
}

fn store(tile: &[[f64; LANES]], c: &mut [f64], n: usize, i: usize, first: usize) {
    let width = Ord::min(LANES, n - first);
    for (r, sums) in tile.iter().enumerate() {
        let at = (i + r) * n + first;
        // The whole tile is worth not calling a copy of any length.
        match <&mut [f64; LANES]>::try_from(&mut c[at..at + width]) {
            Ok(whole) => *whole = *sums,
            Err(_) => c[at..at + width].copy_from_slice(&sums[..width]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(a: &[f64], m: usize, k: usize, b: &[f64], n: usize) -> Vec<f64> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                for l in 0..k {
                    c[i * n + j] += a[i * k + l] * b[l * n + j];
                }
            }
        }
        c
    }

    fn bits(v: &[f64]) -> Vec<u64> {
        v.iter().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn two_by_two() {
        let mut c = [0.0; 4];
        matmul(&[1.0, 2.0, 3.0, 4.0], 2, 2, &[5.0, 6.0, 7.0, 8.0], 2, &mut c);
        assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
        matmul_transposed(&[1.0, 3.0, 2.0, 4.0], 2, 2, 0..2, &[5.0, 6.0, 7.0, 8.0], 2, &mut c);
        assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
        matmul_transposed(&[1.0, 3.0, 2.0, 4.0], 2, 2, 1..2, &[5.0, 6.0, 7.0, 8.0], 2, &mut c[..2]);
        assert_eq!(c[..2], [43.0, 50.0]);
        matmul(&[], 2, 0, &[], 2, &mut c);
        assert_eq!(c, [0.0; 4]);
        matmul_transposed(&[], 0, 2, 0..2, &[], 2, &mut c);
        assert_eq!(c, [0.0; 4]);
        matmul(&[], 0, 2, &[], 0, &mut []);
        matmul(&[1.0, 2.0], 1, 2, &[], 0, &mut []);
        transpose(&[], 0, 3, &mut []);
    }

    #[test]
    fn a_row_alone_has_the_bits_that_it_has_among_others() {
        let (m, k, n) = (7, 9, 11);
        let a: Vec<f64> = (0..m * k).map(|i| 1.0 / (i as f64 + 1.0)).collect();
        let b: Vec<f64> = (0..k * n).map(|i| 1.0 / (i as f64 - 30.5)).collect();
        let (mut all, mut one) = (vec![0.0; m * n], vec![0.0; n]);
        matmul(&a, m, k, &b, n, &mut all);
        for i in 0..m {
            matmul(&a[i * k..(i + 1) * k], 1, k, &b, n, &mut one);
            assert_eq!(bits(&one), bits(&all[i * n..(i + 1) * n]));
        }
    }

    proptest! {
        #[test]
        fn has_the_bits_of_the_naive_loop(
            (m, k, n) in (0usize..12, 0usize..20, 0usize..20),
            cut in 0usize..12,
            values in prop::collection::vec(-1e6f64..1e6, 12 * 20 + 20 * 20),
        ) {
            let (a, b) = (&values[..m * k], &values[240..240 + k * n]);
            let expected = bits(&naive(a, m, k, b, n));
            let mut c = vec![f64::NAN; m * n];
            matmul(a, m, k, b, n, &mut c);
            prop_assert_eq!(bits(&c), &expected[..]);
            let mut turned = vec![f64::NAN; m * k];
            transpose(a, m, k, &mut turned);
            let cut = cut.min(m);
            c.fill(f64::NAN);
            let (upper, lower) = c.split_at_mut(cut * n);
            matmul_transposed(&turned, k, m, 0..cut, b, n, upper);
            matmul_transposed(&turned, k, m, cut..m, b, n, lower);
            prop_assert_eq!(bits(&c), &expected[..]);
        }
    }
}
