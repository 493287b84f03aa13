//! Partial dependence: the mean score when one input column has the same value in every row.
//!
//! # Method
//! The grid of a numeric column are its exact quantiles at 0, 1/(n−1), …, 1, each a value that the
//! rows have, without repetition; of a text column its most frequent labels, the first in
//! code-point order of equals. For each value every row is scored with it, through the plan that
//! deploy runs; scores are added exactly. Rows are scored as they are otherwise, so a combination
//! that no real row has counts like any other.
//!
//! # Errors
//! If the column is no numeric or text column of the input, or has no value.

use std::collections::BTreeMap;

use samescore_core::batch::{Batch, Column};
use samescore_core::error::{Code, Error, Result};
use samescore_core::math::{self, ExactSum, QuantileType, quantile_sorted};
use samescore_core::pipeline::Plan;

use crate::workflow::Hear;

/// A value given to every row.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Of a numeric column.
    Num(f64),
    /// Of a text column.
    Text(String),
}

/// What the rows score with that value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The value.
    pub given: Given,
    /// The mean score, for several classes one per class.
    pub means: Vec<f64>,
    /// The number of rows that got a score.
    pub n_scored: u64,
}

/// The mean score over `batch` at up to `n_points` values of `column`.
///
/// # Errors
/// If the column cannot be varied, or no row gets a score.
pub fn dependence(
    plan: &Plan,
    batch: &Batch,
    (column, n_points): (&str, u64),
    hear: Hear<'_>,
) -> Result<Vec<Point>> {
    if !(1..=1000).contains(&n_points) {
        let message = format!("expected 1 to 1000 points, found {n_points}");
        return Err(Error::new(Code::Usage, message));
    }
    if plan.input().position(column).is_none() {
        let names: Vec<&str> = plan.input().names().collect();
        let message = format!("expected an input column, {}, found another", names.join(", "));
        return Err(Error::new(Code::Usage, message).column(column));
    }
    let slot = batch.schema().slot(column)?;
    let grid = grid(batch.column(slot), n_points as usize).map_err(|e| e.column(column))?;
    let mut points = Vec::with_capacity(grid.len());
    for (place, given) in grid.iter().enumerate() {
        hear("scoring", place as u64, grid.len() as u64);
        points.push(point(plan, batch, slot, given)?);
    }
    Ok(points)
}

fn grid(column: &Column, n_points: usize) -> Result<Vec<Given>> {
    let grid: Vec<Given> = match column {
        Column::Num(values) => {
            let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
            sorted.sort_by(|a, b| math::total_cmp(*a, *b));
            let share = |i: usize| i as f64 / n_points.saturating_sub(1).max(1) as f64;
            let at = |i| quantile_sorted(&sorted, share(i), QuantileType::InvertedCdf);
            let mut grid: Vec<f64> = (0..n_points).filter_map(at).collect();
            grid.dedup_by(|a, b| a == b);
            grid.into_iter().map(Given::Num).collect()
        }
        Column::Text(text) => {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            let labels = (0..text.len()).filter_map(|row| text.get(row));
            labels.for_each(|label| *counts.entry(label).or_default() += 1);
            let mut labels: Vec<(&str, u64)> = counts.into_iter().collect();
            labels.sort_by_key(|label| std::cmp::Reverse(label.1));
            labels.truncate(n_points);
            labels.into_iter().map(|(label, _)| Given::Text(label.to_owned())).collect()
        }
        Column::Time(_) => {
            let message = "expected a numeric or text column, found times";
            return Err(Error::new(Code::WrongKind, message));
        }
    };
    if grid.is_empty() {
        return Err(Error::new(Code::TooFewRows, "expected a value in some row, found none"));
    }
    Ok(grid)
}

fn point(plan: &Plan, batch: &Batch, slot: usize, given: &Given) -> Result<Point> {
    let mut changed = batch.clone();
    let n_rows = batch.n_rows();
    changed.replace(
        slot,
        match given {
            Given::Num(x) => Column::num(std::iter::repeat_n(*x, n_rows)),
            Given::Text(label) => Column::text(std::iter::repeat_n(Some(label.as_str()), n_rows)),
        },
    );
    let scores = plan.score(&changed)?;
    let mut sums = vec![ExactSum::new(); scores.width()];
    let mut n_scored = 0;
    for row in 0..scores.len() {
        if let Ok(values) = scores.values(row) {
            sums.iter_mut().zip(values).for_each(|(sum, &x)| sum.add(x));
            n_scored += 1;
        }
    }
    if n_scored == 0 {
        return Err(Error::new(Code::TooFewRows, "expected a row with a score, found none"));
    }
    let means = sums.iter().map(|sum| math::mean(sum, n_scored)).collect();
    Ok(Point { given: given.clone(), means, n_scored })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_values_of_the_rows() {
        let column = Column::num([3.0, 1.0, f64::NAN, 1.0, 2.0, 10.0]);
        let found = grid(&column, 3).unwrap();
        assert_eq!(found, [1.0, 2.0, 10.0].map(Given::Num));
        assert_eq!(grid(&column, 1).unwrap(), [Given::Num(1.0)]);
    }

    #[test]
    fn frequent_labels_come_first_then_code_points() {
        let column = Column::text([Some("b"), Some("a"), None, Some("c"), Some("c")]);
        let found = grid(&column, 2).unwrap();
        assert_eq!(found, ["c", "a"].map(|label| Given::Text(label.to_owned())));
    }

    #[test]
    fn nothing_to_vary_is_said() {
        assert!(grid(&Column::num([f64::NAN]), 2).is_err());
    }
}
