//! From the last layer's sums to scores, losses and the first slopes.

use crate::math;

/// What the outputs mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// One number; half its squared distance from the target is the loss.
    Squared,
    /// The log-odds of class 1; −ln(probability of the row's class) is the loss.
    Logistic,
    /// The logarithms of odds for each class; the loss is as above.
    Softmax,
}

impl Head {
    /// The loss of a row with target `y`; the slope of the loss by each output goes in its place.
    pub(super) fn loss_and_slopes(self, outputs: &mut [f64], y: f64) -> f64 {
        match self {
            Head::Squared => {
                let distance = outputs[0] - y;
                outputs[0] = distance;
                0.5 * (distance * distance)
            }
            Head::Logistic => {
                let z = outputs[0];
                outputs[0] = math::sigmoid(z) - y;
                math::softplus(if y > 0.5 { -z } else { z })
            }
            Head::Softmax => {
                let class = y as usize;
                let own = outputs[class];
                let (highest, total) = math::softmax(outputs);
                outputs[class] -= 1.0;
                (highest - own) + math::ln(total)
            }
        }
    }

    /// As [`Head::loss_and_slopes`] for rows of `n_outputs` outputs; the losses go in `losses`.
    pub(super) fn losses_and_slopes(
        self,
        outputs: &mut [f64],
        n_outputs: usize,
        targets: &[f64],
        losses: &mut [f64],
    ) {
        if self == Head::Logistic {
            return logistic(outputs, targets, losses);
        }
        let rows = outputs.chunks_exact_mut(n_outputs).zip(targets);
        for ((outputs, &y), loss) in rows.zip(losses) {
            *loss = self.loss_and_slopes(outputs, y);
        }
    }

    /// Puts the scores in the place of the outputs, but for a regression's scale.
    pub(super) fn score(self, outputs: &mut [f64]) {
        match self {
            Head::Squared => {}
            Head::Logistic => outputs[0] = math::sigmoid(outputs[0]),
            Head::Softmax => {
                math::softmax(outputs);
            }
        }
    }
}

/// Log-odds z become sigmoid(z) − y, and the losses softplus(±z), with the expressions of `math`,
/// whose exponential they share.
fn logistic(outputs: &mut [f64], targets: &[f64], losses: &mut [f64]) {
    const CHUNK: usize = 64;
    let rows = targets.chunks(CHUNK).zip(losses.chunks_mut(CHUNK));
    for (outputs, (targets, losses)) in outputs.chunks_mut(CHUNK).zip(rows) {
        let mut powers = [0.0; CHUNK];
        let powers = &mut powers[..outputs.len()];
        powers.iter_mut().zip(&*outputs).for_each(|(e, z)| *e = -z.abs());
        math::exp_all(powers);
        let rows = outputs.iter_mut().zip(&*powers).zip(targets.iter().zip(losses));
        for ((z, &e), (&y, loss)) in rows {
            let wrong = if y > 0.5 { -*z } else { *z };
            *loss = if wrong > 0.0 { wrong } else { 0.0 } + math::ln_1p(e);
            *z = (if *z >= 0.0 { 1.0 } else { e }) / (1.0 + e) - y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_and_slopes_by_hand() {
        let mut z = [3.0];
        assert_eq!((Head::Squared.loss_and_slopes(&mut z, 5.0), z), (2.0, [-2.0]));
        let mut z = [0.0];
        assert_eq!((Head::Logistic.loss_and_slopes(&mut z, 1.0), z), (math::ln(2.0), [-0.5]));
        // Odds of 1 : 1 : 2.
        let mut z = [1.0, 1.0, 1.0 + math::ln(2.0)];
        let loss = Head::Softmax.loss_and_slopes(&mut z, 0.0);
        assert!((loss - 2.0 * math::ln(2.0)).abs() < 1e-15, "{loss}");
        assert!(z.iter().zip([-0.75, 0.25, 0.5]).all(|(z, s)| (z - s).abs() < 1e-15), "{z:?}");
    }

    #[test]
    fn many_rows_are_single_rows_bit_by_bit() {
        let odds: Vec<f64> = (-90..90).map(|i| f64::from(i) * 9.7).chain([0.0, -0.0]).collect();
        for y in [0.0, 1.0] {
            for (head, n_outputs) in [(Head::Logistic, 1), (Head::Squared, 1), (Head::Softmax, 2)] {
                let (mut all, mut alone) = (odds.clone(), odds.clone());
                let n_rows = odds.len() / n_outputs;
                let mut losses = vec![0.0; n_rows];
                head.losses_and_slopes(&mut all, n_outputs, &vec![y; n_rows], &mut losses);
                for (row, loss) in alone.chunks_exact_mut(n_outputs).zip(&losses) {
                    let expected = head.loss_and_slopes(row, y);
                    assert_eq!(loss.to_bits(), expected.to_bits(), "{head:?} {y} {row:?}");
                }
                let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&all), bits(&alone), "{head:?} {y}");
            }
        }
    }

    #[test]
    fn far_outputs_have_finite_losses() {
        for (head, y) in [(Head::Logistic, 1.0), (Head::Logistic, 0.0), (Head::Softmax, 1.0)] {
            let mut z = if head == Head::Softmax { vec![1e300, -1e300] } else { vec![-1e300] };
            let loss = head.loss_and_slopes(&mut z, y);
            assert!(loss.is_finite() && z.iter().all(|x| x.is_finite()), "{head:?} {y}: {loss}");
        }
    }

    #[test]
    fn two_classes_are_one_log_odds() {
        let (mut two, mut one) = ([0.0, 0.75], [0.75]);
        Head::Softmax.score(&mut two);
        Head::Logistic.score(&mut one);
        assert!((two[1] - one[0]).abs() < 1e-16);
    }
}
