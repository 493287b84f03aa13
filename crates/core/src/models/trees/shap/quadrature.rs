//! Gauss-Legendre quadrature on [0, 1]: n points are exact for polynomials of degree 2n − 1.

use crate::math;

/// Steps of Newton's method; four are enough from the start used.
const N_STEPS: usize = 8;

/// A point t and its weight w.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub at: f64,
    /// 1 − t.
    pub rest: f64,
    pub weight: f64,
    /// w / (1 − t).
    pub weight_by_rest: f64,
}

/// The rules by number of points, made when they are asked for.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Vec<Point>>,
}

impl Rules {
    /// The rule of `n` points, ascending.
    pub fn points(&mut self, n: usize) -> &[Point] {
        if self.rules.len() <= n {
            self.rules.resize(n + 1, Vec::new());
        }
        if self.rules[n].len() < n {
            self.rules[n] = rule(n);
        }
        &self.rules[n]
    }
}

fn rule(n: usize) -> Vec<Point> {
    let mut points = Vec::with_capacity(n);
    for i in 0..n {
        // The roots lie symmetrically about 0; those below come from their mirror image.
        let mirror = i.min(n - 1 - i);
        let (root, weight) = root(n, mirror);
        let (low, high) = ((1.0 - root) / 2.0, (1.0 + root) / 2.0);
        let (at, rest) = if i <= n - 1 - i { (low, high) } else { (high, low) };
        points.push(Point { at, rest, weight, weight_by_rest: weight / rest });
    }
    points
}

/// The root number `i` of the Legendre polynomial of degree `n`, from the largest on, and half its
/// weight on [-1, 1].
fn root(n: usize, i: usize) -> (f64, f64) {
    let mut x = math::cos_pi((i as f64 + 0.75) / (n as f64 + 0.5));
    if 2 * i + 1 == n {
        x = 0.0;
    }
    for _ in 0..N_STEPS {
        let (value, slope) = legendre(n, x);
        x -= value / slope;
    }
    let (_, slope) = legendre(n, x);
    (x, 1.0 / ((1.0 - x) * (1.0 + x) * slope * slope))
}

/// The Legendre polynomial of degree `n` at x in (-1, 1), and its slope.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 0..n {
        let k = k as f64;
        let next = ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0);
        (before, value) = (value, next);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_by_hand() {
        let mut rules = Rules::default();
        let one = rules.points(1)[0];
        assert_eq!((one.at, one.weight), (0.5, 1.0));
        // Two points: 1/2 ∓ 1/√12, weights 1/2.
        let two = rules.points(2);
        assert!((two[0].at - (0.5 - 1.0 / math::sqrt(12.0))).abs() < 1e-16);
        assert!((two[0].weight - 0.5).abs() < 1e-15 && two[0].weight == two[1].weight);
        assert!(rules.points(0).is_empty());
    }

    /// ∫ t^k (1 − t)^(d − 1 − k) dt = k! (d − 1 − k)! / d!, to 1e-13 of itself.
    #[test]
    fn weights_of_shapley() {
        let mut rules = Rules::default();
        for d in 1..=24usize {
            let points = rules.points(d.div_ceil(2)).to_vec();
            for k in 0..d {
                let terms = points.iter().map(|p| {
                    let power = |x: f64, n: usize| (0..n).fold(1.0, |product, _| product * x);
                    p.weight * power(p.at, k) * power(p.rest, d - 1 - k)
                });
                let found = math::sum_in_order(terms);
                // 1 / (d · C(d − 1, k)).
                let choose = (0..k).fold(1.0, |c, i| c * (d - 1 - i) as f64 / (i + 1) as f64);
                let expected = 1.0 / (d as f64 * choose);
                assert!((found / expected - 1.0).abs() < 1e-13, "{d} {k}: {found} {expected}");
            }
        }
    }
}
