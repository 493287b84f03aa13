//! Probabilities in proportion to exponentials.

use super::functions::exp;
use super::order::{max, sum_in_order};
use super::slices::exp_all;

/// Puts e^(z − m) / total in the place of each z, where m is the largest one and the total of all
/// e^(z − m) is added in their order. Gives m and the total.
pub fn softmax(z: &mut [f64]) -> (f64, f64) {
    let highest = z.iter().fold(f64::NEG_INFINITY, |high, &z| max(high, z));
    z.iter_mut().for_each(|z| *z = exp(*z - highest));
    (highest, divide(z))
}

/// The same for every row of `width` values, with the same bits: exponentials are correctly
/// rounded, however many are taken at once.
pub fn softmax_all(z: &mut [f64], width: usize) {
    for z in z.chunks_exact_mut(width) {
        let highest = z.iter().fold(f64::NEG_INFINITY, |high, &z| max(high, z));
        z.iter_mut().for_each(|z| *z -= highest);
    }
    exp_all(z);
    z.chunks_exact_mut(width).for_each(|row| {
        divide(row);
    });
}

/// Divides by their sum, in order, which it gives.
fn divide(powers: &mut [f64]) -> f64 {
    let total = sum_in_order(powers.iter().copied());
    powers.iter_mut().for_each(|e| *e /= total);
    total
}

#[cfg(test)]
mod tests {
    use super::super::ln;
    use super::*;

    #[test]
    fn shares_by_hand() {
        // e^0, e^0 and e^-ln 2: odds of 2 : 2 : 1, up to the rounding of ln 2.
        let mut z = [3.0, 3.0, 3.0 - ln(2.0)];
        let (highest, total) = softmax(&mut z);
        assert_eq!(highest, 3.0);
        assert!((total - 2.5).abs() < 1e-15, "{total}");
        assert!(z.iter().zip([0.4, 0.4, 0.2]).all(|(z, p)| (z - p).abs() < 1e-15), "{z:?}");
        let mut far = [1e300, -1e300, 1e300];
        assert_eq!((softmax(&mut far), far), ((1e300, 2.0), [0.5, 0.0, 0.5]));
    }

    #[test]
    fn many_rows_are_single_rows_bit_by_bit() {
        let z: Vec<f64> = (-90..90).map(|i| f64::from(i) * 9.7 + f64::from(i % 7)).collect();
        for width in [1, 2, 3, 5, 12] {
            let (mut all, mut alone) = (z.clone(), z.clone());
            softmax_all(&mut all, width);
            alone.chunks_exact_mut(width).for_each(|row| {
                softmax(row);
            });
            let bits = |z: &[f64]| z.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&all), bits(&alone), "{width}");
        }
    }
}
