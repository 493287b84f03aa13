//! Matrix product with the bits of the naive triple loop: k ascending from 0.0, multiply, then add,
//! never fused.
//!
//! Blocking and vector width do not touch that order: lanes run over the columns of the result, and
//! every element keeps one accumulator over the whole of k.

const ROWS: usize = 4;
const LANES: usize = 4;

/// Writes A B into `c`: A is m x k, B is k x n, C is m x n, all row-major.
///
/// # Panics
/// When a slice has not exactly the length that its shape says.
pub fn matmul(a: &[f64], m: usize, k: usize, b: &[f64], n: usize, c: &mut [f64]) {
    assert_eq!(a.len(), m * k, "A must be m x k");
    assert_eq!(b.len(), k * n, "B must be k x n");
    assert_eq!(c.len(), m * n, "C must be m x n");
    let mut panel = vec![[0.0; LANES]; k];
    for first in (0..n).step_by(LANES) {
        let width = Ord::min(LANES, n - first);
        for (lanes, row) in panel.iter_mut().zip(b.chunks_exact(n)) {
            lanes[..width].copy_from_slice(&row[first..first + width]);
        }
        let mut i = 0;
        while i + ROWS <= m {
            let rows: [&[f64]; ROWS] = std::array::from_fn(|r| &a[(i + r) * k..(i + r + 1) * k]);
            store(&tile(rows, &panel), c, n, i, first, width);
            i += ROWS;
        }
        for i in i..m {
            store(&tile([&a[i * k..(i + 1) * k]], &panel), c, n, i, first, width);
        }
    }
}

#[inline]
fn tile<const R: usize>(rows: [&[f64]; R], panel: &[[f64; LANES]]) -> [[f64; LANES]; R] {
    let mut sums = [[0.0; LANES]; R];
    let rows = rows.map(|row| &row[..panel.len()]);
    for (k, lanes) in panel.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(rows) {
            for (s, b) in sum.iter_mut().zip(lanes) {
                *s += row[k] * b;
            }
        }
    }
    sums
}

fn store(tile: &[[f64; LANES]], c: &mut [f64], n: usize, i: usize, first: usize, width: usize) {
    for (r, sums) in tile.iter().enumerate() {
        let at = (i + r) * n + first;
        c[at..at + width].copy_from_slice(&sums[..width]);
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

    #[test]
    fn two_by_two() {
        let mut c = [0.0; 4];
        matmul(&[1.0, 2.0, 3.0, 4.0], 2, 2, &[5.0, 6.0, 7.0, 8.0], 2, &mut c);
        assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
        matmul(&[], 2, 0, &[], 2, &mut c);
        assert_eq!(c, [0.0; 4]);
        matmul(&[], 0, 2, &[], 0, &mut []);
    }

    proptest! {
        #[test]
        fn has_the_bits_of_the_naive_loop(
            (m, k, n) in (0usize..12, 0usize..20, 0usize..12),
            values in prop::collection::vec(-1e6f64..1e6, 12 * 20 * 2),
        ) {
            let (a, b) = (&values[..m * k], &values[240..240 + k * n]);
            let mut c = vec![f64::NAN; m * n];
            matmul(a, m, k, b, n, &mut c);
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&c), bits(&naive(a, m, k, b, n)));
        }
    }
}
