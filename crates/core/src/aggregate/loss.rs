//! What a row costs, as a function of the weighted sum of its columns.

use serde::{Deserialize, Serialize};

use crate::math;

/// A convex loss of the weighted sum z and the target y.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// −ln(probability of the row's class), times what a row of class 0 and of class 1 counts.
    Logistic([f64; 2]),
    /// e^z − y z.
    Poisson,
    /// y e^−z + z.
    Gamma,
    /// e^((2 − p) z) / (2 − p) − y e^((1 − p) z) / (1 − p), for a power p between 1 and 2.
    Tweedie(f64),
    /// max(0, 1 − z)² for class 1, max(0, 1 + z)² for class 0, times what a row of class 0 and of
    /// class 1 counts.
    SquaredHinge([f64; 2]),
    /// max(0, |y − z| − epsilon)².
    SquaredTube(f64),
    /// The largest a (y − z) − `width` a² / 2 for a between `quantile` − 1 and `quantile`.
    Pinball {
        /// The quantile, between 0 and 1.
        quantile: f64,
        /// How wide the kink is rounded off; 0 gives the loss itself.
        width: f64,
    },
    /// What [`Loss::Pinball`] has of its rounded kink: the loss inside it, 0 outside.
    PinballKink {
        /// The quantile, between 0 and 1.
        quantile: f64,
        /// How wide the kink is rounded off.
        width: f64,
    },
    /// s + h((y − z) / s) s with the spread s, where h(u) is u² up to |u| = epsilon, then 2 epsilon
    /// |u| − epsilon².
    Huber(f64),
}

/// A loss with its derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossTerms {
    /// The loss.
    pub loss: f64,
    /// By z.
    pub slope: f64,
    /// Twice by z.
    pub curvature: f64,
    /// By the spread.
    pub spread_slope: f64,
    /// What multiplies the curvature for z and the spread, and squared for the spread twice.
    pub lever: f64,
}

impl Loss {
    /// Whether the spread is a variable.
    pub fn has_spread(self) -> bool {
        matches!(self, Loss::Huber(_))
    }

    /// The largest size of [`LossTerms::lever`].
    pub fn lever_max(self) -> f64 {
        match self {
            Loss::Huber(epsilon) => epsilon,
            _ => 0.0,
        }
    }

    /// Whether a step that moves no z by more than 1 lowers the sum, being the one that a model of
    /// second order asks for: the third derivative is at most the second in size.
    pub fn is_smooth(self) -> bool {
        matches!(self, Loss::Logistic(_) | Loss::Poisson | Loss::Gamma | Loss::Tweedie(_))
    }

    /// The loss of one row.
    #[inline]
    pub fn terms(self, z: f64, y: f64, spread: f64) -> LossTerms {
        match self {
            Loss::Logistic(class_weights) => logistic(z, y, class_weights),
            Loss::Poisson => {
                let mean = math::exp(z);
                smooth(mean - y * z, mean - y, mean)
            }
            Loss::Gamma => {
                let ratio = y * math::exp(-z);
                smooth(ratio + z, 1.0 - ratio, ratio)
            }
            Loss::Tweedie(power) => tweedie(z, y, power),
            Loss::SquaredHinge(class_weights) => {
                let side = if y == 1.0 { 1.0 } else { -1.0 };
                let weight = class_weights[usize::from(y == 1.0)];
                let short = 1.0 - side * z;
                if short > 0.0 {
                    let slope = -2.0 * side * short;
                    smooth(weight * (short * short), weight * slope, weight * 2.0)
                } else {
                    LossTerms::default()
                }
            }
            Loss::SquaredTube(epsilon) => {
                let rest = y - z;
                let beyond = rest.abs() - epsilon;
                if beyond > 0.0 {
                    let slope = if rest > 0.0 { -2.0 * beyond } else { 2.0 * beyond };
                    smooth(beyond * beyond, slope, 2.0)
                } else {
                    LossTerms::default()
                }
            }
            Loss::Pinball { quantile, width } => pinball(y - z, quantile, width),
            Loss::PinballKink { quantile, width } => {
                let terms = pinball(y - z, quantile, width);
                if terms.curvature > 0.0 { terms } else { LossTerms::default() }
            }
            Loss::Huber(epsilon) => huber(y - z, epsilon, spread),
        }
    }
}

#[inline]
fn smooth(loss: f64, slope: f64, curvature: f64) -> LossTerms {
    LossTerms { loss, slope, curvature, ..LossTerms::default() }
}

/// With t = log-odds of the other class than the row's, as in the pass of second order.
#[inline]
fn logistic(z: f64, y: f64, class_weights: [f64; 2]) -> LossTerms {
    let is_positive = y == 1.0;
    let t = if is_positive { -z } else { z };
    let weight = class_weights[usize::from(is_positive)];
    let e = math::exp(-t.abs());
    let odds = 1.0 + e;
    let residual = if t >= 0.0 { 1.0 / odds } else { e / odds };
    let signed = if is_positive { -residual } else { residual };
    let loss = if t > 0.0 { t } else { 0.0 } + math::ln_1p(e);
    smooth(weight * loss, weight * signed, weight * (e / (odds * odds)))
}

#[inline]
fn tweedie(z: f64, y: f64, power: f64) -> LossTerms {
    let (a, b) = (power - 1.0, 2.0 - power);
    let ratio = y * math::exp(-a * z);
    let mean = math::exp(b * z);
    smooth(mean / b + ratio / a, mean - ratio, b * mean + a * ratio)
}

#[inline]
fn pinball(rest: f64, quantile: f64, width: f64) -> LossTerms {
    let beyond = |share: f64| smooth(share * rest - width * share * share / 2.0, -share, 0.0);
    let low = quantile - 1.0;
    if rest > quantile * width {
        beyond(quantile)
    } else if rest < low * width {
        beyond(low)
    } else if width > 0.0 {
        let share = rest / width;
        smooth(rest * share / 2.0, -share, 1.0 / width)
    } else {
        LossTerms::default()
    }
}

#[inline]
fn huber(rest: f64, epsilon: f64, spread: f64) -> LossTerms {
    let lever = rest / spread;
    if lever.abs() <= epsilon {
        return LossTerms {
            loss: spread + rest * lever,
            slope: -2.0 * lever,
            curvature: 2.0 / spread,
            spread_slope: 1.0 - lever * lever,
            lever,
        };
    }
    let slope = if rest > 0.0 { -2.0 * epsilon } else { 2.0 * epsilon };
    let squared = epsilon * epsilon;
    LossTerms {
        loss: spread + 2.0 * epsilon * rest.abs() - spread * squared,
        slope,
        curvature: 0.0,
        spread_slope: 1.0 - squared,
        lever: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [Loss; 9] = [
        Loss::Logistic([1.0, 2.0]),
        Loss::Poisson,
        Loss::Gamma,
        Loss::Tweedie(1.5),
        Loss::SquaredHinge([1.0, 2.0]),
        Loss::SquaredTube(0.25),
        Loss::Pinball { quantile: 0.75, width: 0.5 },
        Loss::Huber(1.25),
        Loss::Tweedie(1.9),
    ];

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let h = 1.0 / 65536.0;
        for loss in LOSSES {
            for (z, y) in [(0.3, 1.0), (-0.75, 1.0), (0.13, 0.0), (2.5, 1.0), (-3.0, 0.0)] {
                let s = 0.8;
                let at = |z: f64| loss.terms(z, y, s);
                let here = at(z);
                // Central differences are right to h²; the bound leaves room for that alone.
                let slope = (at(z + h).loss - at(z - h).loss) / (2.0 * h);
                assert!((slope - here.slope).abs() < 1e-6, "{loss:?} {z} {y}: {slope} {here:?}");
                let bend = (at(z + h).slope - at(z - h).slope) / (2.0 * h);
                assert!((bend - here.curvature).abs() < 1e-6, "{loss:?} {z} {y}: {bend} {here:?}");
                let wide = |s: f64| loss.terms(z, y, s);
                let slope = (wide(s + h).loss - wide(s - h).loss) / (2.0 * h);
                assert!((slope - here.spread_slope).abs() < 1e-6, "{loss:?} {z} {y}");
                let cross = (wide(s + h).slope - wide(s - h).slope) / (2.0 * h);
                let expected = here.curvature * here.lever;
                assert!((cross - expected).abs() < 1e-6, "{loss:?} {z} {y}: {cross} {expected}");
            }
        }
    }

    #[test]
    fn by_hand() {
        let pinball =
            |rest: f64, width: f64| Loss::Pinball { quantile: 0.75, width }.terms(0.0, rest, 1.0);
        assert_eq!(pinball(2.0, 0.0).loss, 1.5);
        assert_eq!(pinball(-2.0, 0.0).loss, 0.5);
        assert_eq!(pinball(0.0, 0.0), LossTerms::default());
        // 0.5² / (2 * 1); beyond 0.75: 0.75 * 2 − 0.75² / 2.
        assert_eq!((pinball(0.5, 1.0).loss, pinball(2.0, 1.0).loss), (0.125, 1.21875));
        // 1 + 0.5²; beyond 1: 1 + 2 * 3 − 1.
        let huber = |rest: f64| Loss::Huber(1.0).terms(0.0, rest, 1.0).loss;
        assert_eq!((huber(0.5), huber(-3.0)), (1.25, 6.0));
        let tube = Loss::SquaredTube(0.5).terms(1.0, 3.0, 1.0);
        assert_eq!((tube.loss, tube.slope), (2.25, -3.0));
        let hinge = Loss::SquaredHinge([1.0; 2]).terms(0.5, 0.0, 1.0);
        assert_eq!((hinge.loss, hinge.slope), (2.25, 3.0));
        assert_eq!(Loss::Poisson.terms(0.0, 2.0, 1.0), smooth(1.0, -1.0, 1.0));
    }
}
