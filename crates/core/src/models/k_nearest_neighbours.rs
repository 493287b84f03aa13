//! Scores a row by the rows of the fit that are nearest to it.
//!
//! # Method
//! As scikit-learn 1.9.1 `KNeighborsRegressor` and `KNeighborsClassifier` by brute force: exact,
//! without a tree. The `n_neighbors` nearest rows by `metric` vote; `weights` = "uniform" counts
//! each once, "distance" by the inverse of its distance: here the smallest distance over the row's,
//! which is the same in proportion and cannot overflow. If rows have distance 0, they alone vote.
//!
//! # Shape
//! Numeric columns in; the score is the mean target of the neighbours, or the share of class 1, or
//! for a multiclass task of each class. Columns on larger scales weigh more: put a scaler before.
//! The model holds all rows of the fit in memory, and so does the artifact: at most 16,000,000
//! values, rows times columns.
//!
//! # Missing
//! Refused in the fit. At scoring a row with a missing value gets a reason instead of a score.
//!
//! # Ties and order
//! Of rows at one distance those with the smaller fitting key are nearer. Squares (or absolute
//! differences) are added in the order of the columns, and squared distances compared; votes are
//! added from the nearest row on.
//!
//! # Errors
//! `n_neighbors` of 0, or fewer rows than that; too many values; a missing or infinite value. At
//! scoring, an infinite value or distance is a row's reason.
//!
//! # Example
//! Rows at 0, 1, 5 with targets 10, 20, 90 and `n_neighbors` = 2: the score at 0.25 is 15. By
//! "distance", 0.25 and 0.75 away, the weights are 1 and 1/3: (10 + 20 / 3) / (4 / 3) = 12.5.

use serde::{Deserialize, Serialize};

use super::{linear, naive_bayes, ranges};
use crate::aggregate::Rows;
use crate::batch::{Batch, Column, Schema};
use crate::config::Task;
use crate::error::{Code, Error, Result};
use crate::example::COMPLETE_COLUMNS;
use crate::math;
use crate::step::{Example, FitContext, FitModel, Predict};

/// More stored values than this are refused, to bound the artifact.
const N_VALUES_MAX: u64 = 16_000_000;
const N_NEIGHBORS_MAX: u32 = 10_000;
/// Stored rows whose distances are made at a time.
const CHUNK: usize = 128;

/// How many neighbours, and what they count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KNearestNeighboursParams {
    /// How many rows vote, from 1 to 10,000.
    pub n_neighbors: u32,
    /// What each vote counts.
    pub weights: VoteWeight,
    /// What distance is.
    pub metric: Metric,
}

/// What the vote of a neighbour counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteWeight {
    /// One.
    #[default]
    Uniform,
    /// The inverse of its distance.
    Distance,
}

/// What distance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The root of the sum of squared differences.
    #[default]
    Euclidean,
    /// The sum of absolute differences.
    Manhattan,
}

impl Default for KNearestNeighboursParams {
    fn default() -> Self {
        KNearestNeighboursParams {
            n_neighbors: 5,
            weights: VoteWeight::Uniform,
            metric: Metric::Euclidean,
        }
    }
}

impl FitModel for KNearestNeighboursParams {
    type Fitted = KNearestNeighbours;

    fn validate(&self) -> Result<()> {
        ranges::between("n_neighbors", self.n_neighbors, 1, N_NEIGHBORS_MAX)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Regression, Task::Binary, Task::Multiclass]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<KNearestNeighbours> {
        let n_rows = linear::ranges(rows, ctx)?.target.n();
        if n_rows < u64::from(self.n_neighbors) {
            let message =
                format!("expected at least {} rows to fit on, found {n_rows}", self.n_neighbors);
            return Err(Error::new(Code::TooFewRows, message).remedy("lower `n_neighbors`"));
        }
        let n_values = n_rows.saturating_mul(ctx.slots.len() as u64);
        if n_values > N_VALUES_MAX {
            let message = format!("expected at most {N_VALUES_MAX} values, found {n_values}");
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("fit on fewer rows or columns, or choose another model"));
        }
        let all = rows.collect()?;
        Ok(KNearestNeighbours {
            n_outputs: naive_bayes::n_outputs(ctx),
            n_classes: ctx.n_classes,
            n_neighbors: self.n_neighbors,
            weights: self.weights,
            metric: self.metric,
            columns: ctx.slots.iter().map(|&slot| all.num(slot).to_vec()).collect(),
            targets: all.target().to_vec(),
        })
    }

    fn examples() -> Vec<Example<Self>> {
        let near = KNearestNeighboursParams {
            n_neighbors: 3,
            weights: VoteWeight::Distance,
            metric: Metric::Manhattan,
        };
        let one = KNearestNeighboursParams { n_neighbors: 1, ..Default::default() };
        vec![
            Example::on(COMPLETE_COLUMNS, KNearestNeighboursParams::default()),
            Example::on(&["area", "rooms"], near),
            Example::on(&["count", "rooms"], one),
        ]
    }
}

/// The rows of the fit in canonical order, column by column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KNearestNeighbours {
    n_outputs: u32,
    /// 0 for regression.
    n_classes: u32,
    n_neighbors: u32,
    weights: VoteWeight,
    metric: Metric,
    columns: Vec<Vec<f64>>,
    targets: Vec<f64>,
}

impl Predict for KNearestNeighbours {
    fn check(&self, features: &Schema) -> Result<()> {
        crate::pipeline::check_width(self.columns.len(), features.len())?;
        let n_rows = self.targets.len();
        let values = self.columns.iter().flatten().chain(&self.targets);
        let class_fits =
            |y: &f64| *y >= 0.0 && *y < f64::from(self.n_classes) && f64::from(*y as u32) == *y;
        let outputs_fit = match self.n_classes {
            0 | 2 if self.n_outputs == 1 => true,
            n => n > 1 && self.n_outputs == n,
        };
        let is_sound = self.columns.iter().all(|column| column.len() == n_rows)
            && (1..=n_rows).contains(&(self.n_neighbors as usize))
            && self.n_neighbors <= N_NEIGHBORS_MAX
            && values.into_iter().all(|x| x.is_finite())
            && (self.n_classes == 0 || self.targets.iter().all(class_fits))
            && outputs_fit;
        if is_sound {
            return Ok(());
        }
        let message = "expected rows of finite values with targets, found another state";
        Err(Error::new(Code::Malformed, message))
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs as usize
    }

    fn predict(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) -> Result<()> {
        let mut nearest = Nearest {
            distances: batch.take_num(),
            targets: batch.take_num(),
            point: batch.take_num(),
        };
        for (row, scores) in scores.chunks_mut(self.n_outputs()).enumerate() {
            nearest.point.clear();
            nearest.point.extend(slots.iter().map(|&slot| batch.num(slot)[row]));
            scores.fill(0.0);
            if !nearest.point.iter().all(|x| x.is_finite()) {
                linear::fault(batch, slots, row);
                continue;
            }
            self.find(&mut nearest);
            if nearest.distances.iter().all(|d| d.is_finite()) {
                self.vote(&mut nearest, scores);
            } else {
                let message = "expected finite distances, found one that overflows";
                batch.fault_row(row, Error::new(Code::NotFinite, message));
            }
        }
        for buffer in [nearest.point, nearest.targets, nearest.distances] {
            batch.give(Column::Num(buffer));
        }
        Ok(())
    }

    fn facts(&self) -> Vec<(String, f64)> {
        vec![
            ("rows".to_owned(), self.targets.len() as f64),
            ("neighbours".to_owned(), f64::from(self.n_neighbors)),
        ]
    }
}

/// A point and the nearest rows so far: ascending distances (squared ones for euclidean).
struct Nearest {
    point: Vec<f64>,
    distances: Vec<f64>,
    targets: Vec<f64>,
}

impl Nearest {
    /// Takes a row in; of equal distances the one that came first is nearer.
    fn insert(&mut self, distance: f64, target: f64, n_max: usize) {
        if self.distances.len() == n_max {
            self.distances.pop();
            self.targets.pop();
        }
        let place = self.distances.partition_point(|d| *d <= distance);
        self.distances.insert(place, distance);
        self.targets.insert(place, target);
    }
}

impl KNearestNeighbours {
    fn find(&self, nearest: &mut Nearest) {
        let n_max = self.n_neighbors as usize;
        nearest.distances.clear();
        nearest.targets.clear();
        for first in (0..self.targets.len()).step_by(CHUNK) {
            let targets = &self.targets[first..Ord::min(first + CHUNK, self.targets.len())];
            let mut distances = [0.0; CHUNK];
            for (column, x) in self.columns.iter().zip(&nearest.point) {
                let values = &column[first..first + targets.len()];
                match self.metric {
                    Metric::Euclidean => {
                        for (total, value) in distances.iter_mut().zip(values) {
                            let difference = x - value;
                            *total += difference * difference;
                        }
                    }
                    Metric::Manhattan => {
                        for (total, value) in distances.iter_mut().zip(values) {
                            *total += (x - value).abs();
                        }
                    }
                }
            }
            for (&distance, &target) in distances.iter().zip(targets) {
                let is_full = nearest.distances.len() == n_max;
                if !is_full || nearest.distances.last().is_some_and(|last| distance < *last) {
                    nearest.insert(distance, target, n_max);
                }
            }
        }
    }

    fn vote(&self, nearest: &mut Nearest, scores: &mut [f64]) {
        self.weigh(&mut nearest.distances);
        let mut total = 0.0;
        for (weight, target) in nearest.distances.iter().zip(&nearest.targets) {
            total += weight;
            if scores.len() == 1 {
                scores[0] += weight * target;
            } else if let Some(score) = scores.get_mut(*target as usize) {
                *score += weight;
            }
        }
        scores.iter_mut().for_each(|score| *score /= total);
    }

    /// Puts the weights in the place of the ascending distances.
    fn weigh(&self, distances: &mut [f64]) {
        if self.weights == VoteWeight::Uniform {
            return distances.fill(1.0);
        }
        if self.metric == Metric::Euclidean {
            distances.iter_mut().for_each(|d| *d = math::sqrt(*d));
        }
        let smallest = distances.first().copied().unwrap_or_default();
        for distance in distances {
            *distance = match smallest > 0.0 {
                true => smallest / *distance,
                false => f64::from(u8::from(*distance == 0.0)),
            };
        }
    }
}

#[cfg(test)]
mod tests;
