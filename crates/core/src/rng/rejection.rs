//! Counts and gamma numbers: the laws that take more than one formula.
//!
//! The order of every operation is part of the definition, and so is the order of the words.

use super::Draw;
use crate::math;

/// ln(2 pi) / 2, rounded.
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_8;

/// The count at which the running sum of the law passes `uniform`, or stops moving.
pub(super) fn poisson_inversion(uniform: f64, lambda: f64) -> u64 {
    let mut term = math::exp(-lambda);
    let mut sum = term;
    let mut count = 0;
    while uniform > sum {
        count += 1;
        term = term * lambda / count as f64;
        let longer = sum + term;
        if longer == sum {
            break;
        }
        sum = longer;
    }
    count
}

/// Hörmann 1993, algorithm PTRS (transformed rejection with squeeze), for `lambda` of 10 or more.
pub(super) fn poisson_ptrs<D: Draw + ?Sized>(draws: &mut D, lambda: f64) -> u64 {
    let b = 0.931 + 2.53 * math::sqrt(lambda);
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    let ln_lambda = math::ln(lambda);
    loop {
        let u = draws.uniform() - 0.5;
        let v = draws.uniform();
        let edge = 0.5 - u.abs();
        let proposal = (2.0 * a / edge + b) * u + lambda + 0.43;
        if proposal < 0.0 {
            continue;
        }
        let count = proposal as u64;
        if edge >= 0.07 && v <= squeeze {
            return count;
        }
        if edge < 0.013 && v > edge {
            continue;
        }
        let left = math::ln(v) + math::ln(inverse_alpha) - math::ln(a / (edge * edge) + b);
        if left <= count as f64 * ln_lambda - lambda - ln_factorial(count) {
            return count;
        }
    }
}

/// For `shape` of 1 or more.
pub(super) fn gamma_marsaglia_tsang<D: Draw + ?Sized>(draws: &mut D, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / math::sqrt(9.0 * d);
    loop {
        let x = draws.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = draws.uniform();
        let x2 = x * x;
        if u < 1.0 - 0.0331 * x2 * x2 || math::ln(u) < 0.5 * x2 + d * (1.0 - v + math::ln(v)) {
            return d * v;
        }
    }
}

/// ln(k!): up to 20 of the exact integer, above by Stirling's series to 1 / (1260 k^5).
fn ln_factorial(k: u64) -> f64 {
    if k <= 20 {
        return math::ln((1..=k).product::<u64>() as f64);
    }
    let x = k as f64;
    let x2 = x * x;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / x2) / x2) / x;
    (x + 0.5) * math::ln(x) - x + HALF_LN_2PI + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::bits_hex;

    #[test]
    fn factorials_are_right() {
        let bits = [0, 20, 21, 1000].map(|k| bits_hex(ln_factorial(k)));
        let expected = [
            "0x0000000000000000",
            "0x40452af57aed77be",
            "0x4046b0a8643472d8",
            "0x40b71820d04e2eb6",
        ];
        assert_eq!(bits, expected);
    }
}
