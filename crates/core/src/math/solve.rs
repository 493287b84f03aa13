//! Small dense systems in a fixed order of operations: Cholesky, Householder QR, and Cholesky
//! refined with exact residuals.
//!
//! Matrices are row-major. Every inner sum runs with its index ascending, multiply then add. Sizes
//! are those of a p x p normal matrix; nothing is blocked.

use super::exact_sum::ExactSum;
use super::fixed::{ceil_log2, power_of_two};
use super::functions::sqrt;

const ROUNDS_MAX: usize = 50;

/// Lower Cholesky factor of a symmetric n x n matrix (its lower triangle is read), zeros above.
///
/// `None` when not positive definite: when a pivot, what is left of the diagonal element after
/// subtraction, is not above 2^-52 times that element, hence lost in its rounding.
pub fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    assert_eq!(a.len(), n * n, "the matrix must be n x n");
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let mut rest = a[i * n + j];
            for k in 0..j {
                rest -= l[i * n + k] * l[j * n + k];
            }
            if i > j {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > f64::EPSILON * a[i * n + i] && rest.is_finite() {
                l[i * n + i] = sqrt(rest);
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// Solves L L' x = b for a factor of [`cholesky`]: forward, then backward.
pub fn cholesky_solve(l: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    assert_eq!((l.len(), b.len()), (n * n, n), "the factor must be n x n and b of length n");
    let mut x = b.to_vec();
    for i in 0..n {
        for k in 0..i {
            x[i] -= l[i * n + k] * x[k];
        }
        x[i] /= l[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            x[i] -= l[k * n + i] * x[k];
        }
        x[i] /= l[i * n + i];
    }
    x
}

/// Least squares: the x that minimises |A x - b|, A being m x n with m >= n, by Householder
/// reflections in column order, without pivoting.
///
/// `None` when m < n, or when a column is dependent on those before it: what is left of its norm is
/// not above m * 2^-52 times its norm.
pub fn qr_solve(a: &[f64], m: usize, n: usize, b: &[f64]) -> Option<Vec<f64>> {
    assert_eq!((a.len(), b.len()), (m * n, m), "A must be m x n and b of length m");
    if m < n {
        return None;
    }
    // Column-major, with b as the last column, so that reflections run down contiguous memory.
    let mut columns: Vec<Vec<f64>> =
        (0..n).map(|j| (0..m).map(|i| a[i * n + j]).collect()).collect();
    columns.push(b.to_vec());
    let mut diagonal = Vec::with_capacity(n);
    for j in 0..n {
        let whole = norm(&a.iter().skip(j).step_by(n).copied().collect::<Vec<_>>());
        let (head, tail) = columns.split_at_mut(j + 1);
        let v = &mut head[j][j..];
        let left = norm(v);
        if !(left > m as f64 * f64::EPSILON * whole && left.is_finite()) {
            return None;
        }
        let r = if v[0] > 0.0 { -left } else { left };
        diagonal.push(r);
        // v = x - r e1; |v|^2 / 2 = r^2 - r x1 = -r v1.
        v[0] -= r;
        let half = -r * v[0];
        for column in tail {
            let rest = &mut column[j..];
            let share = super::order::dot(v, rest) / half;
            for (x, y) in rest.iter_mut().zip(v.iter()) {
                *x -= share * y;
            }
        }
    }
    let mut x = columns[n][..n].to_vec();
    for i in (0..n).rev() {
        for k in i + 1..n {
            x[i] -= columns[k][i] * x[k];
        }
        x[i] /= diagonal[i];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

/// Solves G x = r for a symmetric positive definite G given as `gram_hi + gram_lo`, r as `rhs_hi +
/// rhs_lo`.
///
/// Cholesky of the rounded matrix after scaling rows and columns by powers of two, then at most 50
/// corrections from residuals computed without rounding over both halves, until a correction no
/// longer changes x. While the condition number of the scaled G stays below about 1e15, x is the
/// solution of the exact system to about 1 ulp. `None` when the Cholesky factor does not exist (see
/// [`cholesky`]) or the corrections stop shrinking before they are at the size of the rounding of
/// x: then G is too near to a singular matrix.
pub fn solve_spd_refined(
    gram_hi: &[f64],
    gram_lo: &[f64],
    n: usize,
    rhs_hi: &[f64],
    rhs_lo: &[f64],
) -> Option<Vec<f64>> {
    assert_eq!((gram_hi.len(), gram_lo.len()), (n * n, n * n), "the matrix must be n x n");
    assert_eq!((rhs_hi.len(), rhs_lo.len()), (n, n), "the right-hand side must have length n");
    let shifts: Vec<i32> =
        (0..n).map(|i| root_exponent(gram_hi[i * n + i])).collect::<Option<_>>()?;
    let scale: Vec<f64> = shifts.iter().map(|&e| power_of_two(e)).collect();
    let scaled: Vec<f64> = (0..n * n).map(|k| gram_hi[k] * scale[k / n] * scale[k % n]).collect();
    let factor = cholesky(&scaled, n)?;
    let mut x = vec![0.0; n];
    let mut size_before = f64::INFINITY;
    for _ in 0..ROUNDS_MAX {
        let residual: Vec<f64> = (0..n)
            .map(|i| {
                let row = i * n..(i + 1) * n;
                let halves = [&gram_hi[row.clone()], &gram_lo[row]];
                residual(halves, &x, [rhs_hi[i], rhs_lo[i]], shifts[i])
            })
            .collect();
        let step = cholesky_solve(&factor, n, &residual);
        let (mut changed, mut size, mut settled) = (false, 0.0, true);
        for i in 0..n {
            let d = step[i] * scale[i];
            let next = x[i] + d;
            changed |= next != x[i];
            settled &= d.abs() <= 4.0 * f64::EPSILON * next.abs();
            size = super::order::max(size, step[i].abs());
            x[i] = next;
        }
        if !x.iter().all(|v| v.is_finite()) {
            return None;
        }
        if !changed {
            return Some(x);
        }
        if size > size_before / 2.0 {
            return settled.then_some(x);
        }
        size_before = size;
    }
    Some(x)
}

/// (r - G x) 2^shift for one row, rounded once.
fn residual(halves: [&[f64]; 2], x: &[f64], rhs: [f64; 2], shift: i32) -> f64 {
    let mut rest = ExactSum::new();
    rhs.iter().for_each(|&r| rest.add(r));
    for half in halves {
        half.iter().zip(x).for_each(|(&g, &v)| rest.add_product(-g, v));
    }
    rest.round_scaled(shift)
}

/// The e with 2^e within a factor 2 of 1 / sqrt(g); `None` unless g is positive and finite.
fn root_exponent(g: f64) -> Option<i32> {
    (g > 0.0 && g.is_finite()).then(|| -ceil_log2(g).div_euclid(2))
}

fn norm(v: &[f64]) -> f64 {
    sqrt(super::order::dot(v, v))
}

#[cfg(test)]
mod tests {
    use super::super::order::ulps_between;
    use super::*;

    /// 232792560 = lcm(1, ..., 20): times the Hilbert matrix, all integers. Condition 5e14 for n =
    /// 11.
    const LCM: f64 = 232_792_560.0;

    fn hilbert(n: usize) -> Vec<f64> {
        (0..n * n).map(|k| LCM / (k / n + k % n + 1) as f64).collect()
    }

    #[test]
    fn cholesky_by_hand() {
        // [[4, 2], [2, 10]] = [[2, 0], [1, 3]] times its transpose.
        let l = cholesky(&[4.0, 2.0, 2.0, 10.0], 2).expect("positive definite");
        assert_eq!(l, [2.0, 0.0, 1.0, 3.0]);
        // x = (1, 2): b = (8, 22).
        assert_eq!(cholesky_solve(&l, 2, &[8.0, 22.0]), [1.0, 2.0]);
        assert_eq!(cholesky(&[1.0, 1.0, 1.0, 1.0], 2), None);
        assert_eq!(cholesky(&[-1.0], 1), None);
        assert_eq!(cholesky(&[f64::NAN], 1), None);
        assert_eq!(cholesky(&[], 0), Some(vec![]));
    }

    #[test]
    fn least_squares_by_hand() {
        // A line through (0, 1), (1, 2), (2, 4): slope 3/2, intercept 5/6.
        let x = qr_solve(&[1.0, 0.0, 1.0, 1.0, 1.0, 2.0], 3, 2, &[1.0, 2.0, 4.0]).expect("rank 2");
        assert!(ulps_between(x[0], 5.0 / 6.0) <= 8 && ulps_between(x[1], 1.5) <= 8, "{x:?}");
        assert_eq!(qr_solve(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0], 3, 2, &[1.0; 3]), None);
        assert_eq!(qr_solve(&[1.0, 2.0], 1, 2, &[1.0]), None);
        assert_eq!(qr_solve(&[0.0, 0.0], 2, 1, &[1.0, 1.0]), None);
        assert_eq!(qr_solve(&[-2.0, 0.0], 2, 1, &[4.0, 3.0]), Some(vec![-2.0]));
    }

    #[test]
    fn refinement_finds_integer_solutions_exactly() {
        // n = 11 needs lcm(1, ..., 21) = 232792560 as well, because 21 = 3 * 7.
        for n in 2..=11 {
            let g = hilbert(n);
            let expected: Vec<f64> = (0..n).map(|i| (i as f64 - 3.0) * 7.0 + 1.0).collect();
            let rhs: Vec<f64> =
                g.chunks(n).map(|row| super::super::order::dot(row, &expected)).collect();
            let zeros = vec![0.0; n * n];
            let x = solve_spd_refined(&g, &zeros, n, &rhs, &zeros[..n]);
            assert_eq!(x, Some(expected), "n = {n}");
        }
    }

    #[test]
    fn refinement_rounds_rational_solutions() {
        // First column of the inverse Hilbert matrix of order 8, over lcm.
        let inverse = [64.0, -2016.0, 20160.0, -92400.0, 221760.0, -288288.0, 192192.0, -51480.0];
        let mut rhs = [0.0; 8];
        rhs[0] = 1.0;
        let x = solve_spd_refined(&hilbert(8), &[0.0; 64], 8, &rhs, &[0.0; 8]).expect("regular");
        for (found, integer) in x.iter().zip(inverse) {
            assert!(ulps_between(*found, integer / LCM) <= 1, "{found} {}", integer / LCM);
        }
    }

    #[test]
    fn the_low_half_counts() {
        // (1 + 2^-60) x = 1 + 2^-52, so x = 1 + 2^-52 - 2^-60 - ..., which rounds to 1 + 2^-52;
        // with the low half at 2^-53 instead, x = 1 + 2^-52 - 2^-53 - ... is just below the tie and
        // rounds to 1.
        let tiny = super::super::functions::powi(2.0, -60);
        let b = [1.0 + f64::EPSILON];
        assert_eq!(solve_spd_refined(&[1.0], &[tiny], 1, &b, &[0.0]), Some(vec![b[0]]));
        let x = solve_spd_refined(&[1.0], &[f64::EPSILON / 2.0], 1, &b, &[0.0]);
        assert_eq!(x, Some(vec![1.0]));
    }

    #[test]
    fn badly_scaled_and_singular() {
        let (big, small) = (1e150, 1e-150);
        let g = [big * big, 0.5, 0.5, small * small];
        let x = solve_spd_refined(&g, &[0.0; 4], 2, &[big, small], &[0.0; 2]).expect("regular");
        // g = D [[1, .5], [.5, 1]] D: the solution is (2/3) / big, (2/3) / small up to the rounding
        // of the inputs.
        assert!(
            ulps_between(x[0], 2.0 / 3.0 * 1e-150) < 8 && ulps_between(x[1], 2.0 / 3.0 * 1e150) < 8,
            "{x:?}"
        );
        assert_eq!(
            solve_spd_refined(&[1.0, 1.0, 1.0, 1.0], &[0.0; 4], 2, &[1.0; 2], &[0.0; 2]),
            None
        );
        assert_eq!(solve_spd_refined(&[0.0], &[0.0], 1, &[1.0], &[0.0]), None);
        assert_eq!(solve_spd_refined(&[f64::INFINITY], &[0.0], 1, &[1.0], &[0.0]), None);
        let tiny = f64::from_bits(3);
        assert_eq!(solve_spd_refined(&[tiny], &[0.0], 1, &[tiny], &[0.0]), Some(vec![1.0]));
    }
}
