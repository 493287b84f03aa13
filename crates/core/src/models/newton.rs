//! Newton's method for logistic regression on columns scaled into [-1, 1].
//!
//! Variables are numbered as in a pass: 0 is the intercept, then the features from 1.
//!
//! **Many rows** (65,536 or more) start from the optimum of about 16,384 of them, those with the
//! smallest fitting keys (and these from that of 2,048 of them), and keep the second derivatives of
//! one point near the optimum for the steps behind it: such a step leaves a fixed small share of
//! the way, and costs a sum of gradients alone. Where that share is not small the usual steps go on
//! from there.

use crate::aggregate::{LogisticPass, LogisticPoint, MemoryRows, Rows, WeightSummary};
use crate::batch::Batch;
use crate::digest::RowKey;
use crate::error::Result;
use crate::math::{self, GramMatrix};

/// A full step that moves no row's log-odds by more than this always lowers the objective: along it
/// the curvature grows by a factor of e at most, and e - 2 < 1.
const SAFE_REACH: f64 = 1.0;
/// At an optimum the last step must be shorter than this; on separated classes it never is.
const SETTLED_REACH: f64 = 0.5;
/// Digits of the second derivatives, by the smallest share that a column keeps of its own curvature
/// when the columns before it are taken out.
const SHARE_FOR_ONE_SLICE: f64 = 1.0 / 1024.0;
const SHARE_FOR_TWO_SLICES: f64 = 1.0 / 1_073_741_824.0;

/// From so many rows on, some of them are fitted first.
const MANY_ROWS: u64 = 65_536;
/// How many are fitted first, about, and how many of them before that.
const SAMPLE_ROWS: [u64; 2] = [2048, 16_384];
/// The gradient norm at which they are.
const SAMPLE_TOLERANCE: f64 = 0.02;
const SAMPLE_ITERATIONS: u32 = 15;
/// A step with second derivatives of another point must leave at most this share of the gradient
/// norm.
const LEFT_MOST: f64 = 0.125;

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
    /// What the step before the last one took away from the variables; empty where there was none.
    pub(super) last_change: Vec<f64>,
}

/// A point with its sums, penalty included.
struct Visit {
    point: LogisticPoint,
    objective: f64,
    gradient: Vec<f64>,
    hessian: Option<GramMatrix>,
}

/// Second derivatives, penalty included, and their Cholesky factor.
struct Bend {
    n: usize,
    factor: Vec<f64>,
    /// The smallest share of its curvature that a variable keeps.
    share: f64,
}

/// What Newton's method would subtract.
struct Step {
    change: Vec<f64>,
    /// √(gradient' · change).
    size: f64,
    /// The most that any row's log-odds can change.
    reach: f64,
}

impl Newton<'_> {
    /// Steps from `start` until the gradient norm is at most `tolerance`, and one step further.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub(super) fn run(
        &self,
        start: LogisticPoint,
        n_rows: u64,
        max_iter: u32,
        tolerance: f64,
    ) -> Result<Ended> {
        if n_rows < MANY_ROWS {
            return self.steps(start, max_iter, tolerance);
        }
        let (point, n_before) = match self.sampled(&start, n_rows)? {
            None => (start, 0),
            Some((near, bend)) => match self.near_steps(near, bend, max_iter, tolerance)? {
                ended if ended.is_optimal => return Ok(ended),
                ended => (ended.point, ended.n_iterations),
            },
        };
        let mut ended = self.steps(point, max_iter - n_before, tolerance)?;
        ended.n_iterations += n_before;
        Ok(ended)
    }

    /// Newton's steps, each with the second derivatives of its point.
    fn steps(&self, start: LogisticPoint, max_iter: u32, tolerance: f64) -> Result<Ended> {
        let mut slices = 1;
        let mut here = self.visit(start, slices)?;
        let mut gradient_norm = f64::INFINITY;
        let mut last_change = Vec::new();
        for n_iterations in 1..=max_iter {
            let Some((finer, bend)) = self.bend(&mut here, slices)? else {
                let ended = here.ended(n_iterations, gradient_norm, false);
                return Ok(Ended { last_change, ..ended });
            };
            slices = finer;
            let Some(step) = self.step(&here, &bend) else {
                let ended = here.ended(n_iterations, gradient_norm, false);
                return Ok(Ended { last_change, ..ended });
            };
            gradient_norm = step.size / math::sqrt(self.total_weight);
            if gradient_norm <= tolerance && step.reach <= SETTLED_REACH {
                let point = moved(&here.point, &step.change, 1.0);
                let ended = Visit { point, ..here }.ended(n_iterations, gradient_norm, true);
                return Ok(Ended { last_change, ..ended });
            }
            here = self.advance(&here, &step, slices)?;
            last_change = step.change;
        }
        Ok(Ended { last_change, ..here.ended(max_iter, gradient_norm, false) })
    }

    /// Steps near the optimum: the first with second derivatives that are about right, the others
    /// with those of the point behind it, as long as they serve.
    fn near_steps(
        &self,
        start: LogisticPoint,
        mut bend: Bend,
        max_iter: u32,
        tolerance: f64,
    ) -> Result<Ended> {
        let mut here = self.visit(start, 0)?;
        let mut gradient_norm = f64::INFINITY;
        for n_iterations in 1..=max_iter {
            let Some(step) = self.step(&here, &bend) else {
                return Ok(here.ended(n_iterations, gradient_norm, false));
            };
            let before = gradient_norm;
            gradient_norm = step.size / math::sqrt(self.total_weight);
            if gradient_norm <= tolerance && step.reach <= SETTLED_REACH {
                let point = moved(&here.point, &step.change, 1.0);
                return Ok(Visit { point, ..here }.ended(n_iterations, gradient_norm, true));
            }
            if step.reach > SAFE_REACH && n_iterations > 1 || gradient_norm > before * LEFT_MOST {
                return Ok(here.ended(n_iterations, gradient_norm, false));
            }
            let is_first = n_iterations == 1;
            let point = moved(&here.point, &step.change, 1.0);
            here = self.visit(point, u8::from(is_first))?;
            if is_first {
                match self.bend(&mut here, 1)? {
                    Some((_, found)) => bend = found,
                    None => return Ok(here.ended(n_iterations, gradient_norm, false)),
                }
                gradient_norm = f64::INFINITY;
            }
        }
        Ok(here.ended(max_iter, gradient_norm, false))
    }

    /// The optimum of some rows, with its second derivatives as those of all rows; `None` if they
    /// have none.
    fn sampled(&self, start: &LogisticPoint, n_rows: u64) -> Result<Option<(LogisticPoint, Bend)>> {
        let part = u128::MAX / u128::from(n_rows);
        let [few, some] = SAMPLE_ROWS.map(|n| part.saturating_mul(u128::from(n)));
        let some = sample(self.rows, |key| key.0 < some)?;
        let few = sample(&some, |key| key.0 < few)?;
        let mut point = start.clone();
        if let Some((near, _)) = self.among(&few)? {
            let ended = near.steps(point.clone(), SAMPLE_ITERATIONS, SAMPLE_TOLERANCE)?;
            point = if ended.is_optimal { ended.point } else { point };
        }
        let Some((near, share)) = self.among(&some)? else { return Ok(None) };
        let ended = near.steps(point, SAMPLE_ITERATIONS, SAMPLE_TOLERANCE)?;
        if !ended.is_optimal {
            return Ok(None);
        }
        let mut here = near.visit(ended.point, 1)?;
        let Some((_, mut bend)) = near.bend(&mut here, 1)? else { return Ok(None) };
        let root = math::sqrt(share);
        bend.factor.iter_mut().for_each(|x| *x /= root);
        Ok(Some((here.point, bend)))
    }

    /// The same objective over some rows, and their share of the weight; `None` if they have none.
    fn among<'b>(&'b self, some: &'b MemoryRows) -> Result<Option<(Newton<'b>, f64)>> {
        let rows: &dyn Rows = some;
        let total_weight = rows.aggregate(WeightSummary::default())?.finish().0;
        let share = total_weight / self.total_weight;
        let ridge = self.ridge.iter().map(|ridge| ridge * share).collect();
        Ok((share > 0.0).then_some((Newton { rows, total_weight, ridge, ..*self }, share)))
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
        let (mut gradient, mut objective) = (sums.gradient, sums.loss);
        for ((g, ridge), weight) in gradient[1..].iter_mut().zip(&self.ridge).zip(&point.weights) {
            *g += ridge * weight;
            objective += ridge * weight * weight / 2.0;
        }
        Ok(Visit { point, objective, gradient, hessian: sums.hessian })
    }

    /// The second derivatives of a point that was visited with `slices` digits of them, and how
    /// many they have in the end: as many as their factor needs. `None` if they are not positive
    /// definite.
    fn bend(&self, here: &mut Visit, slices: u8) -> Result<Option<(u8, Bend)>> {
        let Some(bend) = self.factor(here) else { return Ok(None) };
        let needed = slices_for(bend.share);
        if needed <= slices {
            return Ok(Some((slices, bend)));
        }
        *here = self.visit(here.point.clone(), needed)?;
        Ok(self.factor(here).map(|bend| (needed, bend)))
    }

    fn factor(&self, here: &Visit) -> Option<Bend> {
        let sums = here.hessian.as_ref()?;
        let first = usize::from(!self.fit_intercept);
        let (p, n) = (sums.p, sums.p - first);
        let mut hessian = Vec::with_capacity(n * n);
        for v in first..p {
            for u in first..p {
                let ridge = if v == u && v > 0 { self.ridge[v - 1] } else { 0.0 };
                hessian.push(sums.hi[v * p + u] + ridge);
            }
        }
        let factor = math::cholesky(&hessian, n)?;
        let mut share = 1.0;
        for v in 0..n {
            let (pivot, whole) = (factor[v * n + v], hessian[v * n + v]);
            share = math::min(share, pivot * pivot / whole);
        }
        Some(Bend { n, factor, share })
    }

    /// `None` if a number is not finite.
    fn step(&self, here: &Visit, bend: &Bend) -> Option<Step> {
        let first = usize::from(!self.fit_intercept);
        let gradient = &here.gradient[first..];
        let solution = math::cholesky_solve(&bend.factor, bend.n, gradient);
        let mut step = Step {
            size: math::sqrt(math::dot(gradient, &solution)),
            change: vec![0.0; first],
            reach: 0.0,
        };
        for x in &solution {
            step.reach += x.abs();
        }
        step.change.extend(solution);
        (step.reach.is_finite() && step.size.is_finite()).then_some(step)
    }
}

/// The rows of whose fitting key `keep` says so, in memory.
fn sample(rows: &dyn Rows, keep: impl Fn(RowKey) -> bool) -> Result<MemoryRows> {
    let mut kept = Batch::empty(rows.schema());
    for index in 0..rows.n_blocks() {
        let mut see = |block: &Batch| {
            let keys = block.fit_keys().iter().enumerate();
            let places: Vec<usize> =
                keys.filter(|(_, key)| keep(**key)).map(|(row, _)| row).collect();
            kept.append(&block.select(&places));
        };
        rows.with_block(index, &mut see)?;
    }
    Ok(MemoryRows::from_batch(kept))
}

impl Visit {
    fn ended(self, n_iterations: u32, gradient_norm: f64, is_optimal: bool) -> Ended {
        let last_change = Vec::new();
        Ended { point: self.point, n_iterations, gradient_norm, is_optimal, last_change }
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
