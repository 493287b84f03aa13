//! How an [`ExactSum`] is stored: its canonical form as bytes and for serde. What is read must be
//! canonical.

use super::exact_sum::{ExactSum, UNIT_EXP2};
use serde::{Deserialize, Serialize};

/// More than the digits of f64 products and of 2^64 of them.
const DIGITS_MAX: usize = 140;
const HEADER: usize = 37;

impl ExactSum {
    /// The canonical bytes: four u64 counts (finite, NaN, +inf, -inf), sign (u8), position (u16),
    /// number of digits (u16), digits (u32 each); all little-endian. This layout cannot change.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored::from(self.clone());
        let mut out = Vec::with_capacity(HEADER + 4 * stored.digits.len());
        stored.counts.iter().for_each(|c| out.extend(c.to_le_bytes()));
        out.push(u8::from(stored.negative));
        out.extend(stored.position.to_le_bytes());
        out.extend((stored.digits.len() as u16).to_le_bytes());
        stored.digits.iter().for_each(|d| out.extend(d.to_le_bytes()));
        out
    }

    /// Reads [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// A wrong length, or bytes that are not the canonical form of any sum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || format!("expected the bytes of an exact sum, found {} bytes", bytes.len());
        let (head, rest) = bytes.split_at_checked(HEADER).ok_or_else(wrong)?;
        let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|k| head[8 * i + k]));
        if head[32] > 1 {
            return Err(format!("expected sign 0 or 1 in an exact sum, found {}", head[32]));
        }
        let n_digits = usize::from(u16::from_le_bytes([head[35], head[36]]));
        if rest.len() != 4 * n_digits {
            return Err(wrong());
        }
        let digits = rest.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
        Self::try_from(Stored {
            counts: [word(0), word(1), word(2), word(3)],
            negative: head[32] == 1,
            position: u16::from_le_bytes([head[33], head[34]]),
            digits: digits.collect(),
        })
    }
}

/// The stored form. Its layout cannot change; another one would be another type.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    /// Finite, NaN, +inf, -inf.
    counts: [u64; 4],
    negative: bool,
    /// The lowest digit counts 2^(32 * position - 2148).
    position: u16,
    digits: Vec<u32>,
}

impl From<ExactSum> for Stored {
    fn from(sum: ExactSum) -> Self {
        let exact = sum.exact();
        let position = if exact.is_zero() { 0 } else { (exact.exp2 - UNIT_EXP2) / 32 };
        Stored {
            counts: [sum.n_finite, sum.n_nan, sum.n_plus_inf, sum.n_minus_inf],
            negative: exact.negative,
            position: position as u16,
            digits: exact.digits,
        }
    }
}

impl TryFrom<Stored> for ExactSum {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let n = stored.digits.len();
        let outer_zero = stored.digits.first() == Some(&0) || stored.digits.last() == Some(&0);
        let spare = n == 0 && (stored.negative || stored.position != 0);
        if outer_zero || spare || usize::from(stored.position) + n > DIGITS_MAX {
            return Err("expected the canonical form of an exact sum, found another one".into());
        }
        let sign = if stored.negative { -1 } else { 1 };
        let [n_finite, n_nan, n_plus_inf, n_minus_inf] = stored.counts;
        let limbs = stored.digits.iter().map(|&d| sign * i64::from(d)).collect();
        let base = u32::from(stored.position);
        Ok(ExactSum { n_finite, n_nan, n_plus_inf, n_minus_inf, base, limbs, adds: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        sum.add_slice(values);
        sum
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let good = sum_of(&[1.0, f64::NAN]).to_bytes();
        assert_eq!(ExactSum::from_bytes(&good).map(|s| s.to_bytes()), Ok(good.clone()));
        assert!(ExactSum::from_bytes(&good[..good.len() - 1]).is_err());
        assert!(ExactSum::from_bytes(&[]).is_err());
        for (at, byte) in [(32, 2), (34, 200), (HEADER - 2, 9)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(ExactSum::from_bytes(&bad).is_err(), "{at}");
        }
        let mut negative_zero = ExactSum::new().to_bytes();
        negative_zero[32] = 1;
        assert!(ExactSum::from_bytes(&negative_zero).is_err());
        let mut outer_zero = good.clone();
        outer_zero[HEADER - 2] += 1;
        outer_zero.extend([0; 4]);
        assert!(ExactSum::from_bytes(&outer_zero).is_err());
    }
}
