//! The plane that meets every row: where there is one, it is the optimum of every loss of residuals
//! that has no penalty, and no method of ever smaller steps need look for it.

use super::linear;
use super::normal_equations::{NormalEquations, Solution};
use crate::aggregate::Rows;
use crate::batch::Batch;
use crate::error::Result;
use crate::math;
use crate::step::FitContext;

/// What the rounding of a plane's terms may leave of a row, as a share of their sizes: 2^-44.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// A plane through all rows.
pub(super) struct Plane {
    pub(super) solution: Solution,
    /// w' (X'X)⁻¹ w with the columns about their means: how large the multipliers of the rows are
    /// that hold the weights w.
    pub(super) pull: f64,
}

/// The plane that meets every row up to rounding; `None` if there is none.
///
/// # Errors
/// If a block cannot be read, or a feature is not complete.
pub(super) fn through_all(
    rows: &dyn Rows,
    ctx: &FitContext<'_>,
    fit_intercept: bool,
) -> Result<Option<Plane>> {
    let equations = NormalEquations::new(rows, ctx, fit_intercept)?;
    let variables = equations.independent(&equations.variables(|_| true));
    let Some(found) = equations.solve(&variables, 0.0, |_| 0.0) else {
        return Ok(None);
    };
    let pull = pull(&equations, &variables, &found);
    let solution = equations.finish(found);
    if linear::check_fitted(&solution.coefficients, solution.intercept, ctx).is_err() {
        return Ok(None);
    }
    let mut meets = true;
    for index in 0..rows.n_blocks() {
        rows.with_block(index, &mut |block| meets &= meets_all(block, ctx, &solution))?;
    }
    Ok(meets.then_some(Plane { solution, pull }))
}

fn meets_all(block: &Batch, ctx: &FitContext<'_>, plane: &Solution) -> bool {
    (0..block.n_rows()).all(|row| {
        let y = block.target()[row];
        let (mut sum, mut size) = (plane.intercept, plane.intercept.abs() + y.abs());
        for (&slot, &weight) in ctx.slots.iter().zip(&plane.coefficients) {
            let term = weight * block.num(slot)[row];
            sum += term;
            size += term.abs();
        }
        block.weight(row) == 0.0 || (y - sum).abs() <= ROUNDING * size
    })
}

fn pull(equations: &NormalEquations, variables: &[usize], found: &[f64]) -> f64 {
    let kept: Vec<usize> = variables.iter().filter_map(|v| v.checked_sub(1)).collect();
    let pairs = kept.iter().flat_map(|&i| kept.iter().map(move |&j| (i, j)));
    let matrix: Vec<f64> = pairs.map(|(i, j)| equations.covariance(i, j)).collect();
    let weights: Vec<f64> = kept.iter().map(|&j| found[j + 1]).collect();
    match math::cholesky(&matrix, kept.len()) {
        Some(factor) => math::dot(&weights, &math::cholesky_solve(&factor, kept.len(), &weights)),
        None => f64::INFINITY,
    }
}
