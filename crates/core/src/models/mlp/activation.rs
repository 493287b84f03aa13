//! What a hidden unit makes of its sum, and how fast that changes.

use serde::{Deserialize, Serialize};

use crate::math;

/// 1/√2 and 1/√(2π), rounded.
const SQRT_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
const NORMAL_PEAK: f64 = 0.398_942_280_401_432_7;

/// What a hidden unit makes of its sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// z above 0, else 0.
    #[default]
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// z Φ(z) with the standard normal distribution Φ(z) = ½ (1 + erf(z / √2)).
    Gelu,
    /// 1 / (1 + e^−z).
    Logistic,
}

impl Activation {
    /// How many products take about as long as one value with its slope.
    pub(super) fn n_products(self) -> usize {
        match self {
            Activation::Relu => 1,
            Activation::Tanh | Activation::Logistic => 30,
            Activation::Gelu => 60,
        }
    }

    /// Puts the value of each sum in its place.
    pub(super) fn apply(self, sums: &mut [f64]) {
        match self {
            Activation::Relu => sums.iter_mut().for_each(|z| *z = relu(*z)),
            Activation::Tanh => math::tanh_all(sums),
            Activation::Gelu => gelu(sums, None),
            Activation::Logistic => math::sigmoid_all(sums),
        }
    }

    /// Puts the value of each sum in its place, times its factor, and the slope, times the same
    /// factor, in the factor's place.
    pub(super) fn apply_with_slopes(self, sums: &mut [f64], factors: &mut [f64]) {
        match self {
            Activation::Relu => each(sums, factors, |z| (relu(z), if z > 0.0 { 1.0 } else { 0.0 })),
            Activation::Tanh => {
                math::tanh_all(sums);
                each(sums, factors, |t| (t, 1.0 - t * t));
            }
            Activation::Gelu => gelu(sums, Some(factors)),
            Activation::Logistic => {
                math::sigmoid_all(sums);
                each(sums, factors, |p| (p, p * (1.0 - p)));
            }
        }
    }
}

#[inline]
fn each(sums: &mut [f64], factors: &mut [f64], f: impl Fn(f64) -> (f64, f64)) {
    for (sum, factor) in sums.iter_mut().zip(factors) {
        let (value, slope) = f(*sum);
        *sum = value * *factor;
        *factor *= slope;
    }
}

/// A sum that is no number stays none, so that an overflow is seen.
#[inline]
fn relu(z: f64) -> f64 {
    if z <= 0.0 { 0.0 } else { z }
}

/// Value z Φ(z) and slope Φ(z) + z φ(z), with the normal density φ(z) = e^(−z²/2) / √(2π); without
/// factors the value alone.
fn gelu(sums: &mut [f64], mut factors: Option<&mut [f64]>) {
    const CHUNK: usize = 64;
    for (i, sums) in sums.chunks_mut(CHUNK).enumerate() {
        let (mut shares, mut bells) = ([0.0; CHUNK], [0.0; CHUNK]);
        let shares = &mut shares[..sums.len()];
        shares.iter_mut().zip(&*sums).for_each(|(share, z)| *share = z * SQRT_HALF);
        math::erf_all(shares);
        shares.iter_mut().for_each(|share| *share = 0.5 * (1.0 + *share));
        if let Some(factors) = &mut factors {
            let bells = &mut bells[..sums.len()];
            bells.iter_mut().zip(&*sums).for_each(|(bell, z)| *bell = -0.5 * (z * z));
            math::exp_all(bells);
            let rows = sums.iter_mut().zip(&mut factors[i * CHUNK..]);
            for ((z, factor), (share, bell)) in rows.zip(shares.iter().zip(bells)) {
                let (value, slope) = within(*z, (*z * share, share + *z * (NORMAL_PEAK * *bell)));
                *z = value * *factor;
                *factor *= slope;
            }
        } else {
            sums.iter_mut()
                .zip(shares)
                .for_each(|(z, share)| *z = within(*z, (*z * *share, 0.0)).0);
        }
    }
}

/// Beyond 40 both have met their limits, and infinity times 0 would be no number.
#[inline]
fn within(z: f64, found: (f64, f64)) -> (f64, f64) {
    if z < -40.0 {
        (0.0, 0.0)
    } else if z > 40.0 {
        (z, 1.0)
    } else {
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 4] =
        [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Logistic];

    #[test]
    fn values_by_hand() {
        let values = ALL.map(|f| {
            let mut z = [-1.0, 0.0, 2.0];
            f.apply(&mut z);
            z
        });
        assert_eq!(values[0], [0.0, 0.0, 2.0]);
        assert_eq!(values[1], [-math::tanh(1.0), 0.0, math::tanh(2.0)]);
        // Φ(−1) and Φ(2) to 16 digits: 0.1586552539314571, 0.9772498680518208.
        assert!((values[2][0] + 0.158_655_253_931_457_1).abs() < 1e-16);
        assert_eq!((values[2][1], values[2][2]), (0.0, 2.0 * 0.977_249_868_051_820_8));
        assert_eq!(values[3], [math::sigmoid(-1.0), 0.5, math::sigmoid(2.0)]);
    }

    #[test]
    fn a_slope_is_the_change_of_the_value() {
        for f in ALL {
            for z in [-45.0, -3.0, -0.7, 0.3, 1.9, 45.0] {
                let h = 1.0 / 65_536.0;
                let (mut around, mut here, mut slope) = ([z - h, z + h], [z], [1.0]);
                f.apply(&mut around);
                f.apply_with_slopes(&mut here, &mut slope);
                let change = (around[1] - around[0]) / (2.0 * h);
                // The third derivatives are below 2: an error of h² / 3 and rounding.
                assert!((change - slope[0]).abs() < 1e-9, "{f:?} at {z}: {change} {slope:?}");
                let mut alone = [z];
                f.apply(&mut alone);
                assert_eq!(alone, here, "{f:?} at {z}");
            }
        }
    }

    #[test]
    fn values_and_slopes_are_those_of_single_values_bit_by_bit() {
        let single = |f: Activation, z: f64| match f {
            Activation::Relu => (relu(z), if z > 0.0 { 1.0 } else { 0.0 }),
            Activation::Tanh => (math::tanh(z), 1.0 - math::tanh(z) * math::tanh(z)),
            Activation::Logistic => (math::sigmoid(z), math::sigmoid(z) * (1.0 - math::sigmoid(z))),
            Activation::Gelu if z.abs() > 40.0 => (relu(z), if z > 0.0 { 1.0 } else { 0.0 }),
            Activation::Gelu => {
                let share = 0.5 * (1.0 + math::erf(z * SQRT_HALF));
                (z * share, share + z * (NORMAL_PEAK * math::exp(-0.5 * (z * z))))
            }
        };
        let sums: Vec<f64> = (-1000..1000).map(|i| f64::from(i) * 0.0431).collect();
        for f in ALL {
            let (mut values, mut slopes) = (sums.clone(), vec![0.75; sums.len()]);
            f.apply_with_slopes(&mut values, &mut slopes);
            let mut alone = sums.clone();
            f.apply(&mut alone);
            for (i, &z) in sums.iter().enumerate() {
                let (value, slope) = single(f, z);
                let expected = [value * 0.75, 0.75 * slope, value].map(f64::to_bits);
                let found = [values[i], slopes[i], alone[i]].map(f64::to_bits);
                assert_eq!(found, expected, "{f:?} at {z}");
            }
        }
    }

    #[test]
    fn a_factor_multiplies_value_and_slope() {
        let (mut z, mut factors) = ([3.0, 3.0, -3.0], [2.0, 0.0, 2.0]);
        Activation::Relu.apply_with_slopes(&mut z, &mut factors);
        assert_eq!((z, factors), ([6.0, 0.0, 0.0], [2.0, 0.0, 0.0]));
    }

    #[test]
    fn extremes_stay_numbers_and_what_is_none_stays_none() {
        for f in ALL {
            let mut z = [f64::NEG_INFINITY, -1e308, 1e308, f64::NAN];
            let mut slopes = [1.0; 4];
            f.apply_with_slopes(&mut z, &mut slopes);
            assert!(z[..3].iter().all(|x| x.is_finite()), "{f:?}: {z:?}");
            assert!(slopes[..3].iter().all(|x| x.is_finite()), "{f:?}: {slopes:?}");
            assert!(z[3].is_nan(), "{f:?}");
        }
    }
}
