//! Newton's method for logistic regression on columns scaled into [-1, 1].
//!
//! Variables are numbered as in a pass: 0 is the intercept, then the features from 1.

use crate::aggregate::{LogisticPass, LogisticPoint, LogisticSums, Rows};
use crate::error::Result;
use crate::math;

/// A full step that moves no row's log-odds by more than this always lowers the objective: along it
/// the curvature grows by a factor of e at most, and e - 2 < 1.
const SAFE_REACH: f64 = 1.0;
/// At an optimum the last step must be shorter than this; on separated classes it never is.
const SETTLED_REACH: f64 = 0.5;
/// Digits of the second derivatives, by the smallest share that a column keeps of its own curvature
/// when the columns before it are taken out.
const SHARE_FOR_ONE_SLICE: f64 = 1.0 / 1024.0;
const SHARE_FOR_TWO_SLICES: f64 = 1.0 / 1_073_741_824.0;

/// The rows and the objective Σ loss + ½ Σ `ridge` · weight².
pub(super) struct Newton<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) slots: &'a [usize],
    /// The sum of the rows' weights.
    pub(super) total_weight: f64,
    pub(super) fit_intercept: bool,
    /// The penalty on each scaled column's weight.
    pub(super) ridge: Vec<f64>,
}

/// Where the steps ended.
pub(super) struct Ended {
    pub(super) point: LogisticPoint,
    pub(super) n_iterations: u32,
    /// The gradient norm before the last step.
    pub(super) gradient_norm: f64,
    pub(super) is_optimal: bool,
}

/// A point with its sums, penalty included.
struct Visit {
    point: LogisticPoint,
    objective: f64,
    gradient: Vec<f64>,
    sums: LogisticSums,
}

/// What Newton's method would subtract.
struct Step {
    change: Vec<f64>,
    /// √(gradient' · change).
    size: f64,
    /// The most that any row's log-odds can change.
    reach: f64,
    /// The smallest share of its curvature that a variable keeps.
    share: f64,
}

impl Newton<'_> {
    /// Steps from `start` until the gradient norm is at most `tolerance`, and one step further.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub(super) fn run(&self, start: LogisticPoint, max_iter: u32, tolerance: f64) -> Result<Ended> {
        let mut slices = 1;
        let mut here = self.visit(start, slices)?;
        let mut gradient_norm = f64::INFINITY;
        for n_iterations in 1..=max_iter {
            let Some(mut step) = self.step(&here) else {
                return Ok(here.ended(n_iterations, gradient_norm, false));
            };
            let needed = slices_for(step.share);
            if needed > slices {
                slices = needed;
                here = self.visit(here.point, slices)?;
                match self.step(&here) {
                    Some(finer) => step = finer,
                    None => return Ok(here.ended(n_iterations, gradient_norm, false)),
                }
            }
            gradient_norm = step.size / math::sqrt(self.total_weight);
            if gradient_norm <= tolerance && step.reach <= SETTLED_REACH {
                let point = moved(&here.point, &step.change, 1.0);
                return Ok(Visit { point, ..here }.ended(n_iterations, gradient_norm, true));
            }
            here = self.advance(&here, &step, slices)?;
        }
        Ok(here.ended(max_iter, gradient_norm, false))
    }

    /// The whole step, or half of it as often as it takes to lower the objective.
    fn advance(&self, here: &Visit, step: &Step, slices: u8) -> Result<Visit> {
        let mut part = 1.0;
        loop {
            let next = self.visit(moved(&here.point, &step.change, part), slices)?;
            if part * step.reach <= SAFE_REACH || next.objective < here.objective {
                return Ok(next);
            }
            part /= 2.0;
        }
    }

    fn visit(&self, point: LogisticPoint, slices: u8) -> Result<Visit> {
        let pass = LogisticPass::new(self.slots, point.clone(), slices);
        let sums = self.rows.aggregate(pass)?.finish();
        let mut gradient = sums.gradient.clone();
        let mut objective = sums.loss;
        for ((g, ridge), weight) in gradient[1..].iter_mut().zip(&self.ridge).zip(&point.weights) {
            *g += ridge * weight;
            objective += ridge * weight * weight / 2.0;
        }
        Ok(Visit { point, objective, gradient, sums })
    }

    /// `None` if the second derivatives are not positive definite, or a number is not finite.
    fn step(&self, here: &Visit) -> Option<Step> {
        let first = usize::from(!self.fit_intercept);
        let p = here.sums.hessian.p;
        let n = p - first;
        let mut hessian = Vec::with_capacity(n * n);
        for v in first..p {
            for u in first..p {
                let ridge = if v == u && v > 0 { self.ridge[v - 1] } else { 0.0 };
                hessian.push(here.sums.hessian.hi[v * p + u] + ridge);
            }
        }
        let gradient = &here.gradient[first..];
        let factor = math::cholesky(&hessian, n)?;
        let solution = math::cholesky_solve(&factor, n, gradient);
        let mut step = Step {
            size: math::sqrt(math::dot(gradient, &solution)),
            change: vec![0.0; first],
            reach: 0.0,
            share: 1.0,
        };
        for (v, x) in solution.iter().enumerate() {
            let (pivot, whole) = (factor[v * n + v], hessian[v * n + v]);
            step.share = math::min(step.share, pivot * pivot / whole);
            step.reach += x.abs();
        }
        step.change.extend(solution);
        (step.reach.is_finite() && step.size.is_finite()).then_some(step)
    }
}

impl Visit {
    fn ended(self, n_iterations: u32, gradient_norm: f64, is_optimal: bool) -> Ended {
        Ended { point: self.point, n_iterations, gradient_norm, is_optimal }
    }
}

fn moved(point: &LogisticPoint, change: &[f64], part: f64) -> LogisticPoint {
    let mut next = point.clone();
    next.intercept -= part * change[0];
    for (weight, change) in next.weights.iter_mut().zip(&change[1..]) {
        *weight -= part * change;
    }
    next
}

fn slices_for(share: f64) -> u8 {
    if share >= SHARE_FOR_ONE_SLICE {
        1
    } else if share >= SHARE_FOR_TWO_SLICES {
        2
    } else {
        3
    }
}
