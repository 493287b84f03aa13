//! Coordinate descent for the elastic net, and the exact solution once the signs are known.

use super::normal_equations::NormalEquations;
use crate::math;

/// Rounding that a gradient may show at an optimum, as a share of the sizes of its terms: 2^-44.
const GRADIENT_ROUNDING: f64 = 256.0 * f64::EPSILON;

/// The descent for ½|y − Xb|² + `l1` |b|₁ + ½ `l2` |b|².
pub(super) struct Descent<'a> {
    equations: &'a NormalEquations,
    l1: f64,
    l2: f64,
    n: usize,
    /// Products of features about their means, row by row.
    products: Vec<f64>,
    /// Products of the features with the target.
    with_target: Vec<f64>,
    target_squares: f64,
    weights: Vec<f64>,
    /// x'(y − Xb) of each feature.
    gradient: Vec<f64>,
}

impl<'a> Descent<'a> {
    /// At b = 0.
    pub(super) fn new(equations: &'a NormalEquations, l1: f64, l2: f64) -> Self {
        let n = equations.n_features();
        let all = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        let with_target: Vec<f64> = (0..n).map(|j| equations.covariance(j, n)).collect();
        Descent {
            equations,
            l1,
            l2,
            n,
            products: all.map(|(i, j)| equations.covariance(i, j)).collect(),
            gradient: with_target.clone(),
            with_target,
            target_squares: equations.covariance(n, n),
            weights: vec![0.0; n],
        }
    }

    /// With another penalty.
    pub(super) fn penalise(&mut self, l1: f64, l2: f64) {
        (self.l1, self.l2) = (l1, l2);
    }

    /// The optimum, intercept first, and the number of sweeps; `None` at the cap. The next run
    /// starts there.
    pub(super) fn run(&mut self, max_iter: u32, tolerance: f64) -> Option<(Vec<f64>, u32)> {
        let found = if self.l1 == 0.0 {
            self.smooth().map(|solution| (solution, 0))
        } else {
            self.descend(max_iter, tolerance)
        }?;
        self.weights.copy_from_slice(&found.0[1..]);
        Some(found)
    }

    /// Sweeps from where the weights are.
    fn descend(&mut self, max_iter: u32, tolerance: f64) -> Option<(Vec<f64>, u32)> {
        self.gradient.copy_from_slice(&self.with_target);
        for (row, &weight) in self.products.chunks(self.n).zip(&self.weights) {
            if weight != 0.0 {
                self.gradient.iter_mut().zip(row).for_each(|(g, p)| *g -= p * weight);
            }
        }
        let mut signs = self.signs();
        let mut tried: Option<Vec<i8>> = None;
        for sweep in 1..=max_iter {
            let changed = self.sweep();
            let now = self.signs();
            if now == signs && tried.as_ref() != Some(&now) {
                if let Some(solution) = self.optimum(&now) {
                    return Some((solution, sweep));
                }
                tried = Some(now.clone());
            }
            signs = now;
            let near = self.gap() <= tolerance * self.target_squares;
            if !changed || (near && self.is_dependent(&signs)) {
                return Some((self.settled(), sweep));
            }
        }
        None
    }

    /// Without absolute values in the penalty there are no signs to find.
    fn smooth(&self) -> Option<Vec<f64>> {
        let mut variables = self.equations.variables(|_| true);
        if self.l2 == 0.0 {
            variables = self.equations.independent(&variables);
        }
        self.equations.solve(&variables, self.l2, |_| 0.0)
    }

    /// One visit to every coordinate, in order; whether a bit changed.
    fn sweep(&mut self) -> bool {
        let mut changed = false;
        for j in 0..self.n {
            let row = &self.products[j * self.n..(j + 1) * self.n];
            let curvature = row[j] + self.l2;
            if row[j] <= 0.0 {
                continue;
            }
            let pull = self.gradient[j] + row[j] * self.weights[j];
            let next = soft_threshold(pull, self.l1) / curvature;
            let step = next - self.weights[j];
            if step == 0.0 {
                continue;
            }
            changed = true;
            self.weights[j] = next;
            for (g, product) in self.gradient.iter_mut().zip(row) {
                *g -= product * step;
            }
        }
        changed
    }

    fn signs(&self) -> Vec<i8> {
        self.weights.iter().map(|&b| sign(b)).collect()
    }

    /// The exact optimum, if `signs` are its signs.
    fn optimum(&self, signs: &[i8]) -> Option<Vec<f64>> {
        let mut active: Vec<bool> = signs.iter().map(|s| *s != 0).collect();
        loop {
            let variables = self.equations.variables(|j| active[j]);
            let kept =
                if self.l2 == 0.0 { self.equations.independent(&variables) } else { variables };
            let slope = |j: usize| self.l1 * f64::from(signs[j]);
            let solution = self.equations.solve(&kept, self.l2, slope)?;
            let wrong: Vec<usize> =
                (0..self.n).filter(|&j| active[j] && sign(solution[j + 1]) != signs[j]).collect();
            if wrong.is_empty() {
                return self.is_optimal(&solution).then_some(solution);
            }
            // A coefficient at the edge of being 0, or of a dependent column, may be 0.
            wrong.into_iter().for_each(|j| active[j] = false);
        }
    }

    /// Whether no coefficient at 0 would gain by leaving it.
    fn is_optimal(&self, solution: &[f64]) -> bool {
        (0..self.n).filter(|&j| solution[j + 1] == 0.0).all(|j| {
            let (gradient, size) = self.equations.gradient(j, solution);
            gradient.abs() <= self.l1 + GRADIENT_ROUNDING * (self.l1 + size)
        })
    }

    /// Primal less dual objective: how far the weights can be from the optimum's value.
    fn gap(&self) -> f64 {
        let (b, q) = (&self.weights, &self.gradient);
        let explained = math::dot(b, &self.with_target);
        let residual_target = self.target_squares - explained;
        let residual = residual_target - math::dot(b, q);
        let squares = math::dot(b, b);
        let absolute = math::sum_in_order(b.iter().map(|b| b.abs()));
        let mut steepest = 0.0;
        for (q, b) in q.iter().zip(b) {
            steepest = math::max(steepest, (q - self.l2 * b).abs());
        }
        let shrink = if steepest > self.l1 { self.l1 / steepest } else { 1.0 };
        let fit = residual * (1.0 + shrink * shrink) / 2.0 - shrink * residual_target;
        let penalty = self.l1 * absolute + self.l2 * (1.0 + shrink * shrink) / 2.0 * squares;
        fit + penalty
    }

    /// Whether the columns with a weight depend on each other, so that no system gives their
    /// weights.
    fn is_dependent(&self, signs: &[i8]) -> bool {
        let variables = self.equations.variables(|j| signs[j] != 0);
        self.equations.independent(&variables).len() < variables.len()
    }

    /// Where the descent stands, with the intercept that belongs to it.
    pub(super) fn settled(&self) -> Vec<f64> {
        let mut solution = vec![self.equations.intercept_of(&self.weights)];
        solution.extend(self.weights.iter().map(|&b| math::canonical(b)));
        solution
    }
}

/// What a fit says that stopped at its cap.
pub(super) fn unsettled(is_unsettled: bool) -> Vec<String> {
    let message = "expected an optimum, found coefficients that still move after `max_iter` \
                   sweeps (raise `max_iter`, scale the columns, or lower `l1_ratio`)";
    if is_unsettled { vec![message.to_owned()] } else { Vec::new() }
}

/// `x` moved towards 0 by `by`, and no further.
pub(super) fn soft_threshold(x: f64, by: f64) -> f64 {
    if x > by {
        x - by
    } else if x < -by {
        x + by
    } else {
        0.0
    }
}

pub(super) fn sign(x: f64) -> i8 {
    i8::from(x > 0.0) - i8::from(x < 0.0)
}
