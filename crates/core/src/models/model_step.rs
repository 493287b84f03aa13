//! The step that minimises a model of second order: g'd + ½ d'Hd + Σ `l1` |x + d|.
//!
//! Without absolute values this is one Cholesky solution. With them coordinate descent finds which
//! variables are not 0 and their signs; as soon as a sweep leaves the signs as they were, the
//! system of those variables is solved; if its signs agree and no other variable's derivative
//! exceeds its penalty, that is the minimum of the model, else the descent goes on.

use super::descent::{sign, soft_threshold};
use crate::math;

const SWEEPS_MAX: u32 = 1000;
/// Rounding that a derivative may show at a minimum, as a share of the sizes of its terms: 2^-40.
const ROUNDING: f64 = 4096.0 * f64::EPSILON;
/// What is added to the diagonal of a matrix that is not positive definite, as a share of its
/// largest number: 2^-40, and 2^8 times more at each try.
const DAMPING_FIRST: f64 = 1.0 / 1_099_511_627_776.0;
const DAMPING_FACTOR: f64 = 256.0;
const DAMPING_TRIES: u32 = 6;

/// The model at a point x.
pub(super) struct Model {
    pub(super) hessian: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) x: Vec<f64>,
    pub(super) l1: Vec<f64>,
    /// Whether a matrix that is not positive definite gets a larger diagonal.
    pub(super) damped: bool,
}

/// A step.
#[derive(Clone, Debug)]
pub(super) struct ModelStep {
    /// What is added to x.
    pub(super) change: Vec<f64>,
    /// Twice what the model promises, for a whole step without absolute values; in all cases the
    /// slope of the objective along the step, negated.
    pub(super) gain: f64,
    /// The most that any row's weighted sum can change.
    pub(super) reach: f64,
    /// The smallest share of its curvature that a variable keeps.
    pub(super) share: f64,
}

impl Model {
    /// `None` if the matrix is not positive definite, or a number is not finite.
    pub(super) fn solve(&self) -> Option<ModelStep> {
        let n = self.gradient.len();
        let (change, share) = if self.l1.iter().all(|l| *l == 0.0) {
            let all: Vec<usize> = (0..n).collect();
            self.system(&all, &self.gradient)?
        } else {
            self.descend()?
        };
        let mut gain = -math::dot(&self.gradient, &change);
        for ((l, x), d) in self.l1.iter().zip(&self.x).zip(&change) {
            gain += l * (x.abs() - (x + d).abs());
        }
        let reach = math::sum_in_order(change.iter().map(|d| d.abs()));
        (reach.is_finite() && gain.is_finite()).then_some(ModelStep { change, gain, reach, share })
    }

    /// −H⁻¹ slope over some variables, and the smallest share of its curvature that one keeps.
    fn system(&self, variables: &[usize], slope: &[f64]) -> Option<(Vec<f64>, f64)> {
        let n = self.gradient.len();
        let m = variables.len();
        let pairs = variables.iter().flat_map(|&v| variables.iter().map(move |&u| (v, u)));
        let mut matrix: Vec<f64> = pairs.map(|(v, u)| self.hessian[v * n + u]).collect();
        let factor = math::cholesky(&matrix, m);
        let factor = match factor {
            None if self.damped => damped(&mut matrix, slope, m)?,
            factor => factor?,
        };
        let mut share = 1.0;
        for v in 0..m {
            let pivot = factor[v * m + v];
            share = math::min(share, pivot * pivot / matrix[v * m + v]);
        }
        let change = math::cholesky_solve(&factor, m, slope).iter().map(|d| -d).collect();
        Some((change, share))
    }

    /// Coordinate descent, and the exact minimum once the signs are known.
    fn descend(&self) -> Option<(Vec<f64>, f64)> {
        let n = self.gradient.len();
        let mut to = self.x.clone();
        let mut slope = self.gradient.clone();
        let signs_of = |to: &[f64]| to.iter().map(|&b| sign(b)).collect::<Vec<i8>>();
        let mut signs = signs_of(&to);
        let mut tried: Option<Vec<i8>> = None;
        for _ in 0..SWEEPS_MAX {
            let changed = self.sweep(&mut to, &mut slope);
            let now = signs_of(&to);
            if now == signs && tried.as_ref() != Some(&now) {
                if let Some(found) = self.with_signs(&now) {
                    return Some(found);
                }
                tried = Some(now.clone());
            }
            signs = now;
            if !changed {
                break;
            }
        }
        let change: Vec<f64> = to.iter().zip(&self.x).map(|(to, x)| to - x).collect();
        let finite = (0..n).all(|v| change[v].is_finite());
        finite.then_some((change, 0.0))
    }

    /// One visit to every variable, in order; whether a bit changed.
    fn sweep(&self, to: &mut [f64], slope: &mut [f64]) -> bool {
        let n = to.len();
        let mut changed = false;
        for v in 0..n {
            let row = &self.hessian[v * n..(v + 1) * n];
            if row[v] <= 0.0 {
                continue;
            }
            let next = soft_threshold(row[v] * to[v] - slope[v], self.l1[v]) / row[v];
            let step = next - to[v];
            if step == 0.0 {
                continue;
            }
            changed = true;
            to[v] = next;
            slope.iter_mut().zip(row).for_each(|(s, h)| *s += h * step);
        }
        changed
    }

    /// The minimum of the model, if `signs` are those of its penalised variables.
    fn with_signs(&self, signs: &[i8]) -> Option<(Vec<f64>, f64)> {
        let n = self.gradient.len();
        let mut active: Vec<bool> = (0..n).map(|v| self.l1[v] == 0.0 || signs[v] != 0).collect();
        loop {
            let kept: Vec<usize> = (0..n).filter(|&v| active[v]).collect();
            let mut change: Vec<f64> =
                (0..n).map(|v| if active[v] { 0.0 } else { -self.x[v] }).collect();
            let slope: Vec<f64> = kept
                .iter()
                .map(|&v| {
                    let pulled = math::dot(&self.hessian[v * n..(v + 1) * n], &change);
                    self.gradient[v] + pulled + self.l1[v] * f64::from(signs[v])
                })
                .collect();
            let (found, share) = self.system(&kept, &slope)?;
            kept.iter().zip(&found).for_each(|(&v, &d)| change[v] = d);
            let is_wrong =
                |v: &usize| self.l1[*v] > 0.0 && sign(self.x[*v] + change[*v]) != signs[*v];
            let wrong: Vec<usize> = kept.into_iter().filter(is_wrong).collect();
            if wrong.is_empty() {
                return self.is_minimum(&active, &change).then_some((change, share));
            }
            wrong.into_iter().for_each(|v| active[v] = false);
        }
    }

    /// Whether no variable at 0 would gain by leaving it.
    fn is_minimum(&self, active: &[bool], change: &[f64]) -> bool {
        let n = active.len();
        (0..n).filter(|&v| !active[v]).all(|v| {
            let (mut slope, mut size) = (self.gradient[v], self.gradient[v].abs());
            for (h, d) in self.hessian[v * n..(v + 1) * n].iter().zip(change) {
                slope += h * d;
                size += (h * d).abs();
            }
            slope.abs() <= self.l1[v] + ROUNDING * (self.l1[v] + size)
        })
    }
}

/// The factor of the matrix with as much on its diagonal as it takes.
fn damped(matrix: &mut [f64], slope: &[f64], n: usize) -> Option<Vec<f64>> {
    let diagonal = (0..n).map(|v| matrix[v * n + v]);
    let mut largest = diagonal.fold(0.0, math::max);
    if largest == 0.0 {
        // Nothing bends: a step of at most 1 down the slope, or none.
        let steepest = slope.iter().fold(0.0, |size, s| math::max(size, s.abs()));
        largest = if steepest > 0.0 { steepest } else { 1.0 } / DAMPING_FIRST;
    }
    let mut damping = largest * DAMPING_FIRST;
    for _ in 0..DAMPING_TRIES {
        (0..n).for_each(|v| matrix[v * n + v] += damping);
        if let Some(factor) = math::cholesky(matrix, n) {
            return Some(factor);
        }
        damping *= DAMPING_FACTOR;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(hessian: &[f64], gradient: &[f64], x: &[f64], l1: &[f64]) -> Model {
        Model {
            hessian: hessian.to_vec(),
            gradient: gradient.to_vec(),
            x: x.to_vec(),
            l1: l1.to_vec(),
            damped: false,
        }
    }

    #[test]
    fn without_absolute_values_it_is_the_system() {
        let step = model(&[4.0, 0.0, 0.0, 4.0], &[-4.0, 8.0], &[0.0; 2], &[0.0; 2]).solve();
        let step = step.unwrap();
        // d = (1, -2); gain 4 * 1 + 8 * 2.
        assert_eq!((step.change, step.gain, step.reach), (vec![1.0, -2.0], 20.0, 3.0));
        assert!(model(&[1.0, 1.0, 1.0, 1.0], &[1.0; 2], &[0.0; 2], &[0.0; 2]).solve().is_none());
        let flat = Model { damped: true, ..model(&[1.0; 4], &[1.0; 2], &[0.0; 2], &[0.0; 2]) };
        assert!(flat.solve().is_some());
        let none = Model { damped: true, ..model(&[0.0], &[1.0], &[0.0], &[0.0]) };
        assert!(none.solve().unwrap().change[0] < 0.0);
    }

    #[test]
    fn small_variables_are_set_to_zero() {
        // From x = (3, 1): the first loses 2 / 4 of its optimum 3, the second cannot leave 0.
        let step = model(&[4.0, 0.0, 0.0, 4.0], &[0.0, 3.0], &[3.0, 1.0], &[2.0, 2.0]).solve();
        assert_eq!(step.unwrap().change, [-0.5, -1.0]);
        // A variable without a penalty next to one: 4 d0 + 2 d1 = 4, 2 d0 + 4 d1 = 5 - 1.
        let step = model(&[4.0, 2.0, 2.0, 4.0], &[-4.0, -5.0], &[0.0; 2], &[0.0, 1.0]).solve();
        let step = step.unwrap();
        let off = math::max((step.change[0] - 2.0 / 3.0).abs(), (step.change[1] - 2.0 / 3.0).abs());
        assert!(off < 1e-15, "{step:?}");
    }
}
