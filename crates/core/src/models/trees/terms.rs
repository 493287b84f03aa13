//! Gradients and second derivatives of one output, found anew whenever they are asked for: a fit
//! holds none.
//!
//! What costs most of them is an exponential. It is found for all rows at a time, waits in the
//! words of the sample, and is replaced there by what it leads to.

use std::ops::Range;

use super::histogram::{Packing, Totals};
use super::objective::{HESSIAN_MIN, Objective, Seen};
use super::table::Table;
use crate::math;
use crate::par;

/// Rows that a thread takes at a time.
const CHUNK: usize = 2048;

/// What the terms of the rows follow from.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub objective: Objective,
    pub table: &'a Table,
    /// The score of each row, or for several classes the probability of the class.
    pub scores: &'a [f64],
    pub output: usize,
    pub n_outputs: usize,
    /// What the terms are multiplied by, by row; empty if by nothing.
    pub factors: &'a [f64],
}

/// The largest gradient in size, and the largest second derivative.
pub(super) type Tops = (f64, f64);

/// Terms of neighbouring rows.
#[derive(Default)]
pub(super) struct Buffers {
    powers: Vec<f64>,
    targets: Vec<f64>,
    pub gradients: Vec<f64>,
    pub hessians: Vec<f64>,
}

impl Buffers {
    fn tops(&self) -> Tops {
        let terms = self.gradients.iter().zip(&self.hessians);
        terms.fold((0.0, 0.0), |tops, (g, &h)| larger(tops, (g.abs(), h)))
    }
}

/// The larger of each; a missing value stays.
#[inline]
fn larger((g, h): Tops, (a, b): Tops) -> Tops {
    let of = |top: f64, x: f64| if x > top || x.is_nan() { x } else { top };
    (of(g, a), of(h, b))
}

impl Terms<'_> {
    /// Writes the bits of every row's exponential, and gives the largest terms.
    pub fn powers(&self, words: &mut [i64]) -> Tops {
        let mut parts: Vec<(usize, &mut [i64])> = words.chunks_mut(CHUNK).enumerate().collect();
        let tops = par::map_with(&mut parts, |(index, words), buffers: &mut Buffers| {
            let first = *index * CHUNK;
            let rows = first..first + words.len();
            self.fill(rows, buffers);
            for (word, power) in words.iter_mut().zip(&buffers.powers) {
                *word = power.to_bits() as i64;
            }
            buffers.tops()
        });
        tops.into_iter().fold((0.0, 0.0), larger)
    }

    /// The largest terms of `rows`, from the exponentials of all.
    pub fn tops(&self, rows: &[u32], powers: &[i64]) -> Tops {
        let parts: Vec<&[u32]> = rows.chunks(4 * CHUNK).collect();
        let tops = par::map(&parts, |part| {
            part.iter().fold((0.0, 0.0), |tops, &row| {
                let (g, h) = self.of(row, powers);
                larger(tops, (g.abs(), h))
            })
        });
        tops.into_iter().fold((0.0, 0.0), larger)
    }

    /// Puts the terms of all rows in the places of their exponentials, and numbers the rows.
    pub fn pack_all(&self, packing: &Packing, rows: &mut [u32], words: &mut [i64]) -> Totals {
        let parts = rows.chunks_mut(CHUNK).zip(words.chunks_mut(CHUNK));
        let mut parts: Vec<_> = parts.enumerate().collect();
        let totals = par::map_with(&mut parts, |(index, (rows, words)), buffers: &mut Buffers| {
            let first = *index * CHUNK;
            rows.iter_mut().zip(first..).for_each(|(row, place)| *row = place as u32);
            buffers.powers.clear();
            buffers.powers.extend(words.iter().map(|&word| f64::from_bits(word as u64)));
            self.fill_from_powers(first..first + words.len(), buffers);
            let terms = buffers.gradients.iter().zip(&buffers.hessians);
            for (word, (&g, &h)) in words.iter_mut().zip(terms) {
                *word = packing.pack(g, h);
            }
            packing.totals(words)
        });
        totals.into_iter().fold(Totals::default(), Totals::merged)
    }

    /// The terms of `rows`, from the exponentials of all.
    pub fn pack(
        &self,
        packing: &Packing,
        rows: &[u32],
        powers: &[i64],
        words: &mut [i64],
    ) -> Totals {
        let parts = rows.chunks(CHUNK).zip(words.chunks_mut(CHUNK));
        let mut parts: Vec<(&[u32], &mut [i64])> = parts.collect();
        let totals = par::map_mut(&mut parts, |(rows, words)| {
            for (word, &row) in words.iter_mut().zip(*rows) {
                let (g, h) = self.of(row, powers);
                *word = packing.pack(g, h);
            }
            packing.totals(words)
        });
        totals.into_iter().fold(Totals::default(), Totals::merged)
    }

    /// Gradient and second derivative of a row.
    #[inline]
    pub fn of(&self, row: u32, powers: &[i64]) -> (f64, f64) {
        let row = row as usize;
        let seen = Seen { score: self.scores[row], target: self.table.target.at(row) };
        let (mut g, mut h) = self.plain(seen, f64::from_bits(powers[row] as u64));
        for all in [&self.table.weight[..], self.factors] {
            if let Some(&factor) = all.get(row) {
                (g, h) = (g * factor, h * factor);
            }
        }
        (g, h)
    }

    /// Finds the terms of neighbouring rows.
    pub fn fill(&self, rows: Range<usize>, buffers: &mut Buffers) {
        buffers.powers.clear();
        buffers.powers.extend_from_slice(&self.scores[rows.clone()]);
        self.objective.powers(&mut buffers.powers);
        self.fill_from_powers(rows, buffers);
    }

    fn fill_from_powers(&self, rows: Range<usize>, buffers: &mut Buffers) {
        let Buffers { powers, targets, gradients, hessians } = buffers;
        self.table.target.read(rows.clone(), targets);
        gradients.resize(rows.len(), 0.0);
        hessians.resize(rows.len(), 0.0);
        let seen = self.scores[rows.clone()].iter().zip(&*targets);
        let seen = seen.map(|(&score, &target)| Seen { score, target });
        let out = gradients.iter_mut().zip(hessians.iter_mut());
        for ((g, h), (seen, &power)) in out.zip(seen.zip(&*powers)) {
            (*g, *h) = self.plain(seen, power);
        }
        for all in [&self.table.weight[..], self.factors] {
            let Some(factors) = all.get(rows.clone()) else { continue };
            for ((g, h), &factor) in gradients.iter_mut().zip(hessians.iter_mut()).zip(factors) {
                (*g, *h) = (*g * factor, *h * factor);
            }
        }
    }

    /// Those of a row of weight 1.
    #[inline]
    fn plain(&self, seen: Seen, power: f64) -> (f64, f64) {
        let Objective::Softmax { .. } = self.objective else {
            return self.objective.gradient(seen, power);
        };
        let (p, k) = (seen.score, self.n_outputs as f64);
        let h = p * (1.0 - p) * (k / (k - 1.0));
        let hit = if seen.target == self.output as f64 { 1.0 } else { 0.0 };
        (p - hit, math::max(h, HESSIAN_MIN))
    }
}
