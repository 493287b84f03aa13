//! Whether a weighted sum of columns separates two classes.
//!
//! Along such a sum the probability of every row's own class only grows: without a penalty there
//! are no best weights, and Newton's steps end up following it. So the point that a fit ended at is
//! tried, whether it is on the right side of every row, and its last step: does it move no row
//! towards the other class, but for rounding, and some row away from it?

use crate::aggregate::{LogisticPoint, Rows};
use crate::batch::Batch;
use crate::error::Result;
use crate::math;
use crate::models::multinomial::ClassLine;

/// Moves this small a share of the largest one are rounding.
const ROUNDING: f64 = 1e-6;
/// Columns with a smaller share of the sum than this do not carry it.
const CARRIES: f64 = 0.1;

/// Whether `point` says the class of every row with a weight, or the step −`change` to it, the
/// intercept's first, led no such row towards the other class.
///
/// # Errors
/// If a block cannot be read.
pub(super) fn separates(
    rows: &dyn Rows,
    slots: &[usize],
    point: &LogisticPoint,
    change: &[f64],
) -> Result<bool> {
    let to_point: Vec<f64> =
        [point.intercept].iter().chain(&point.weights).map(|weight| -weight).collect();
    let (least, most) = moves(rows, slots, point, &to_point)?;
    if least > 0.0 && most.is_finite() {
        return Ok(true);
    }
    let (least, most) = moves(rows, slots, point, change)?;
    Ok(most > 0.0 && most.is_finite() && -least <= ROUNDING * most)
}

/// Whether of several classes every row with a weight has its own as the highest, by one weighted
/// sum of the columns at `slots` per class.
///
/// # Errors
/// If a block cannot be read.
pub(super) fn tells_apart(rows: &dyn Rows, slots: &[usize], lines: &[ClassLine]) -> Result<bool> {
    let mut are_apart = lines.len() > 1;
    for index in 0..rows.n_blocks() {
        rows.with_block(index, &mut |block: &Batch| {
            for row in (0..block.n_rows()).filter(|&row| block.weight(row) > 0.0) {
                let height = |line: &ClassLine| {
                    let terms = line.coefficients.iter().zip(slots);
                    terms.fold(line.intercept, |sum, (c, &slot)| sum + c * block.num(slot)[row])
                };
                let class = block.target()[row] as usize;
                let own = lines.get(class).map_or(f64::NAN, height);
                let mut others = lines.iter().enumerate().filter(|(other, _)| *other != class);
                are_apart &= others.all(|(_, line)| own > height(line));
            }
        })?;
    }
    Ok(are_apart)
}

/// The least and the most by which a step moves a row away from the other class.
fn moves(
    rows: &dyn Rows,
    slots: &[usize],
    point: &LogisticPoint,
    change: &[f64],
) -> Result<(f64, f64)> {
    if change.len() != slots.len() + 1 {
        return Ok((0.0, 0.0));
    }
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for index in 0..rows.n_blocks() {
        rows.with_block(index, &mut |block: &Batch| {
            for row in (0..block.n_rows()).filter(|&row| block.weight(row) > 0.0) {
                let mut moved = -change[0];
                for (j, &slot) in slots.iter().enumerate() {
                    let x = (block.num(slot)[row] - point.centres[j]) * point.scales[j];
                    moved -= change[j + 1] * x;
                }
                let away = if block.target()[row] == 1.0 { moved } else { -moved };
                least = math::min(least, away);
                most = math::max(most, away);
            }
        })?;
    }
    Ok((least, most))
}

/// The slots of the columns that carry a weighted sum, the ones that carry most first.
pub(super) fn carriers(slots: &[usize], weights: &[f64]) -> Vec<usize> {
    let sizes: Vec<f64> = weights.iter().map(|c| c.abs()).collect();
    let largest = sizes.iter().fold(0.0, |most, size| math::max(most, *size));
    let mut order: Vec<usize> = (0..slots.len().min(sizes.len())).collect();
    order.retain(|&j| sizes[j] > 0.0 && sizes[j] >= CARRIES * largest);
    order.sort_by(|&a, &b| math::total_cmp(sizes[b], sizes[a]).then(a.cmp(&b)));
    order.into_iter().map(|j| slots[j]).collect()
}
