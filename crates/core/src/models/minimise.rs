//! Newton's method for a convex sum over rows, with or without absolute values in the penalty.
//!
//! Each step minimises a model of second order ([`super::model_step`]); halving keeps the
//! objective falling. The stated measure is the gradient norm: √(2 · what the model says that the
//! step gains / total weight); without absolute values this is √(g' H⁻¹ g / total weight).

use super::model_step::{self, ModelStep};
use crate::error::Result;
use crate::math;

/// On smooth losses a step of at most this reach always lowers the objective: along it the
/// curvature grows by a factor of e at most, and e - 2 < 1.
const SAFE_REACH: f64 = 1.0;
/// On smooth losses the last step must be shorter than this at an optimum; where weights run away
/// it never is.
const SETTLED_REACH: f64 = 0.5;
/// The share of the promised gain that a halved step must bring.
const GAIN_SHARE: f64 = 1e-4;
/// A promise below this share of the objective cannot be told from rounding.
const ROUNDING: f64 = 1e-14;
const HALVINGS_MAX: u32 = 60;
/// Digits of the second derivatives, by the smallest share that a variable keeps of its own
/// curvature when the ones before it are taken out.
const SHARE_FOR_ONE_SLICE: f64 = 1.0 / 1024.0;
const SHARE_FOR_TWO_SLICES: f64 = 1.0 / 1_073_741_824.0;

/// What is minimised: a convex function plus Σ `l1` |x|.
pub(super) trait Objective {
    /// The convex function and its gradient.
    fn value(&self, x: &[f64]) -> Result<Value>;

    /// Its second derivatives, row by row; `slices` is the number of digits, 1 to 3.
    fn hessian(&self, x: &[f64], here: &Value, slices: u8) -> Result<Vec<f64>>;

    /// What is known of it.
    fn shape(&self) -> &Shape;
}

/// A value with its gradient.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    /// The largest second derivative of a row.
    pub(super) peak: f64,
}

/// What is known of an objective.
pub(super) struct Shape {
    /// The variables that are fitted; the others stay where they start.
    pub(super) is_free: Vec<bool>,
    /// The penalty on each variable's size.
    pub(super) l1: Vec<f64>,
    /// A variable and the least that it may be.
    pub(super) floor: Option<(usize, f64)>,
    /// Whether third derivatives are bounded by second ones; see [`SAFE_REACH`].
    pub(super) is_smooth: bool,
    /// The sum of the rows' weights.
    pub(super) total_weight: f64,
}

/// Where the steps ended.
pub(super) struct Found {
    pub(super) x: Vec<f64>,
    pub(super) n_iterations: u32,
    /// The gradient norm before the last step.
    pub(super) gradient_norm: f64,
    pub(super) is_optimal: bool,
}

/// When to stop.
#[derive(Clone, Copy)]
pub(super) struct Stop {
    pub(super) max_iter: u32,
    /// The gradient norm at which the last step is taken.
    pub(super) tolerance: f64,
}

/// A point and what is known there.
struct Visit {
    x: Vec<f64>,
    at: Value,
    /// With the absolute values.
    objective: f64,
}

/// Steps from `start` until the gradient norm is at most the tolerance, and one step further.
///
/// # Errors
/// If a block cannot be read.
pub(super) fn minimise(problem: &dyn Objective, start: Vec<f64>, stop: Stop) -> Result<Found> {
    let shape = problem.shape();
    let mut slices = 1;
    let mut here = visit(problem, start)?;
    let mut gradient_norm = f64::INFINITY;
    for n_iterations in 1..=stop.max_iter {
        let ended = |here: Visit, gradient_norm, is_optimal| {
            Ok(Found { x: here.x, n_iterations, gradient_norm, is_optimal })
        };
        let Some(mut step) = step(problem, &here, slices)? else {
            return ended(here, gradient_norm, false);
        };
        let needed = slices_for(step.share);
        if needed > slices {
            slices = needed;
            match self::step(problem, &here, slices)? {
                Some(finer) => step = finer,
                None => return ended(here, gradient_norm, false),
            }
        }
        gradient_norm = math::sqrt(math::max(step.gain, 0.0) / shape.total_weight);
        let settled = !shape.is_smooth || step.reach <= SETTLED_REACH;
        if gradient_norm <= stop.tolerance && settled {
            let x = moved(shape, &here.x, &step.change, 1.0);
            return ended(Visit { x, ..here }, gradient_norm, true);
        }
        match advance(problem, &here, &step)? {
            Some(next) => here = next,
            None => return ended(here, gradient_norm, false),
        }
    }
    Ok(Found { x: here.x, n_iterations: stop.max_iter, gradient_norm, is_optimal: false })
}

fn visit(problem: &dyn Objective, x: Vec<f64>) -> Result<Visit> {
    let at = problem.value(&x)?;
    let l1 = &problem.shape().l1;
    let objective = at.value + math::sum_in_order(x.iter().zip(l1).map(|(x, l)| l * x.abs()));
    Ok(Visit { x, at, objective })
}

/// The whole step, or half of it as often as it takes to lower the objective; `None` if no part of
/// it does.
fn advance(problem: &dyn Objective, here: &Visit, step: &ModelStep) -> Result<Option<Visit>> {
    let shape = problem.shape();
    let mut part = 1.0;
    for _ in 0..HALVINGS_MAX {
        let x = moved(shape, &here.x, &step.change, part);
        let falls_far =
            shape.floor.is_some_and(|(v, floor)| x[v] < math::max(here.x[v] / 8.0, floor));
        if !falls_far {
            let next = visit(problem, x)?;
            let promise = part * step.gain;
            let enough = next.objective <= here.objective - GAIN_SHARE * promise;
            let safe = shape.is_smooth && part * step.reach <= SAFE_REACH;
            let level = promise <= ROUNDING * here.objective.abs()
                && next.objective <= here.objective + ROUNDING * here.objective.abs();
            if next.objective.is_finite() && (enough || safe || level) {
                return Ok(Some(next));
            }
        }
        part /= 2.0;
    }
    Ok(None)
}

/// The model's step over the variables that are free; `None` if there is none.
fn step(problem: &dyn Objective, here: &Visit, slices: u8) -> Result<Option<ModelStep>> {
    let shape = problem.shape();
    let n = here.x.len();
    let hessian = problem.hessian(&here.x, &here.at, slices)?;
    let on_floor = |v: usize| shape.floor.is_some_and(|(f, least)| f == v && here.x[v] <= least);
    let free: Vec<usize> = (0..n)
        .filter(|&v| shape.is_free[v] && !(on_floor(v) && here.at.gradient[v] >= 0.0))
        .collect();
    let pick = |values: &[f64]| free.iter().map(|&v| values[v]).collect::<Vec<f64>>();
    let rows = free.iter().flat_map(|&v| free.iter().map(move |&u| (v, u)));
    let model = model_step::Model {
        hessian: rows.map(|(v, u)| hessian[v * n + u]).collect(),
        gradient: pick(&here.at.gradient),
        x: pick(&here.x),
        l1: pick(&shape.l1),
        damped: !shape.is_smooth,
    };
    let Some(found) = model.solve() else {
        return Ok(None);
    };
    let mut change = vec![0.0; n];
    free.iter().zip(&found.change).for_each(|(&v, &d)| change[v] = d);
    Ok(Some(ModelStep { change, ..found }))
}

fn moved(shape: &Shape, x: &[f64], change: &[f64], part: f64) -> Vec<f64> {
    let mut next: Vec<f64> =
        x.iter().zip(change).map(|(x, d)| math::canonical(x + part * d)).collect();
    if let Some((v, floor)) = shape.floor {
        next[v] = math::max(next[v], floor);
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
