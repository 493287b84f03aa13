//! Platt's logistic function of the log-odds, or of the score itself.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};
use crate::models::summary::is_false;

const N_STEPS_MAX: u32 = 100;
/// Half the square of the last step in the metric of the curvature, per unit of weight.
const TOLERANCE: f64 = 1e-20;
/// In that measure, a step from which Newton's method converges as it is.
const SHORT: f64 = 1e-8;
/// Keeps the second derivatives invertible where all scores are alike.
const RIDGE: f64 = 1e-12;
/// 2^-53: nearer to 0 or 1 a score counts as this far away.
const NEAREST: f64 = f64::EPSILON / 2.0;

/// 1 / (1 + e^−(slope z + offset)) of log-odds z, or of scores z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sigmoid {
    slope: f64,
    offset: f64,
    /// Whether z is the score itself: of a score of 0 or 1 there are no log-odds.
    #[serde(default, skip_serializing_if = "is_false")]
    is_raw: bool,
}

/// What the rows say about a point: objective, gradient, second derivatives.
struct Sums {
    loss: f64,
    gradient: [f64; 2],
    curvature: [f64; 3],
}

struct Point {
    z: f64,
    target: f64,
    weight: f64,
}

fn log_odds(score: f64) -> f64 {
    math::logit(math::clamp(score, NEAREST, 1.0 - NEAREST))
}

impl Sigmoid {
    /// Fits targets of 0 and 1.
    ///
    /// # Errors
    /// If no row weighs anything, or there is no optimum within the steps.
    pub(super) fn fit(scores: &[f64], targets: &[f64], weights: &[f64]) -> Result<Self> {
        let (mut positive, mut total) = (ExactSum::new(), ExactSum::new());
        for (y, w) in targets.iter().zip(weights) {
            total.add(*w);
            positive.add_product(*y, *w);
        }
        let (positive, total) = (positive.round(), total.round());
        if !(total > 0.0 && total.is_finite()) {
            let message = "expected rows with a weight, found none";
            return Err(Error::new(Code::TooFewRows, message));
        }
        let negative = math::max(total - positive, 0.0);
        let smoothed = [1.0 / (negative + 2.0), (positive + 1.0) / (positive + 2.0)];
        let is_raw = scores.iter().any(|p| *p <= 0.0 || *p >= 1.0);
        let z = |score: f64| if is_raw { score } else { log_odds(score) };
        let rows = scores.iter().zip(targets).zip(weights);
        let points: Vec<Point> = rows
            .map(|((score, y), weight)| Point {
                z: z(*score),
                target: smoothed[usize::from(*y > 0.0)],
                weight: *weight,
            })
            .collect();
        let offset = math::ln((positive + 1.0) / (negative + 1.0));
        let start = Sigmoid { slope: 0.0, offset, is_raw };
        start.descend(&points, total)
    }

    /// Newton's method, with steps halved until they lower the objective.
    fn descend(mut self, points: &[Point], total: f64) -> Result<Self> {
        let mut here = self.sums(points);
        for _ in 0..N_STEPS_MAX {
            let [aa, ab, bb] = here.curvature;
            let (aa, bb) = (aa + RIDGE * total, bb + RIDGE * total);
            let determinant = aa * bb - ab * ab;
            let [ga, gb] = here.gradient;
            let step = [(bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant];
            let size = ga * step[0] + gb * step[1];
            if !size.is_finite() {
                break;
            }
            if size <= 2.0 * TOLERANCE * total {
                return Ok(self.moved(step, 1.0));
            }
            let mut part = 1.0;
            loop {
                let next = self.moved(step, part);
                let there = next.sums(points);
                // So short a step lowers the objective by less than its rounding.
                if size <= SHORT * total || there.loss < here.loss || part < NEAREST {
                    (self, here) = (next, there);
                    break;
                }
                part /= 2.0;
            }
        }
        let message = format!("expected an optimum within {N_STEPS_MAX} steps, found none");
        Err(Error::new(Code::NotConverged, message).remedy("choose `method` isotonic"))
    }

    fn moved(&self, step: [f64; 2], part: f64) -> Self {
        let (slope, offset) = (self.slope - part * step[0], self.offset - part * step[1]);
        Sigmoid { slope, offset, ..*self }
    }

    /// Each row's terms are plain; their sums are exact.
    fn sums(&self, points: &[Point]) -> Sums {
        let mut sums: [ExactSum; 6] = std::array::from_fn(|_| ExactSum::new());
        for Point { z, target, weight } in points {
            let t = self.slope * z + self.offset;
            let p = math::sigmoid(t);
            let residual = weight * (p - target);
            let curvature = weight * (p * (1.0 - p));
            let terms = [
                weight * (math::softplus(t) - target * t),
                residual * z,
                residual,
                curvature * z * z,
                curvature * z,
                curvature,
            ];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(term));
        }
        let [loss, ga, gb, aa, ab, bb] = sums.map(|sum| sum.round());
        Sums { loss, gradient: [ga, gb], curvature: [aa, ab, bb] }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.slope.is_finite() && self.offset.is_finite()
    }

    pub(super) fn line(&self) -> (f64, f64) {
        (self.slope, self.offset)
    }

    pub(super) fn of(&self, score: f64) -> f64 {
        let z = if self.is_raw { score } else { log_odds(score) };
        math::sigmoid(self.slope * z + self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_scores_by_hand() {
        // Scores 1/4 and 3/4, of 4 rows each, with 1 and 3 positive ones: Platt's targets are 5/6
        // and 1/6, so the means at the two scores are 1/3 and 2/3, met by the two parameters:
        // slope ln 3 + offset = ln 2, and offset 0.
        let scores = [0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75];
        let targets = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let found = Sigmoid::fit(&scores, &targets, &[1.0; 8]).unwrap();
        // The distance is that of an optimum in rounded sums.
        assert!((found.slope - math::ln(2.0) / math::ln(3.0)).abs() < 1e-12, "{found:?}");
        assert!(found.offset.abs() < 1e-12, "{found:?}");
        assert!((found.of(0.75) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn scores_at_the_ends_are_taken_as_they_are() {
        // As above with scores 0 and 1: offset = -ln 2, slope + offset = ln 2.
        let scores = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let targets = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let found = Sigmoid::fit(&scores, &targets, &[1.0; 8]).unwrap();
        assert!(found.is_raw && (found.slope - 2.0 * math::ln(2.0)).abs() < 1e-12, "{found:?}");
        assert!((found.offset + math::ln(2.0)).abs() < 1e-12, "{found:?}");
        assert!((found.of(0.5) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn odd_scores_have_an_optimum() {
        for scores in [[0.5; 4], [0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]] {
            let found = Sigmoid::fit(&scores, &[0.0, 0.0, 1.0, 1.0], &[1.0; 4]).unwrap();
            assert!(found.is_sound() && (0.0..=1.0).contains(&found.of(0.3)), "{found:?}");
        }
        let one_class = Sigmoid::fit(&[0.1, 0.9], &[1.0, 1.0], &[1.0, 1.0]).unwrap();
        assert!(one_class.of(0.5) > 0.5);
        assert!(Sigmoid::fit(&[0.1], &[1.0], &[0.0]).is_err());
    }
}
