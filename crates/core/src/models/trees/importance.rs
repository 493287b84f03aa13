//! How much each feature matters to a forest: by what its splits gain, and by how many there are.

use super::forest::Forest;
use crate::math::ExactSum;

impl Forest {
    /// `gain`: the sum of the gains of the feature's splits, exact and rounded once; `count`: their
    /// number. One value per feature.
    pub fn importances(&self) -> Vec<(&'static str, Vec<f64>)> {
        let mut gains = vec![ExactSum::new(); self.n_features()];
        let mut counts = vec![0.0; self.n_features()];
        for (&feature, &gain) in self.feature.iter().zip(&self.gain) {
            gains[feature as usize].add(gain);
            counts[feature as usize] += 1.0;
        }
        vec![("gain", gains.iter().map(ExactSum::round).collect()), ("count", counts)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_add_exactly_whatever_their_order() {
        let forest = |gain: Vec<f64>| Forest {
            levels: vec![vec![], vec![], vec![]],
            feature: vec![2, 0, 2, 2],
            gain,
            ..Forest::default()
        };
        let found = forest(vec![1e16, 3.0, 1.0, 1.0]).importances();
        assert_eq!(found[0], ("gain", vec![3.0, 0.0, 1e16 + 2.0]));
        assert_eq!(found[1], ("count", vec![1.0, 0.0, 3.0]));
    }
}
