//! The best cut of a numeric column in one pass, where nothing but sums must be asked.
//!
//! The same expressions as in [`super::split`], hence the same choice. A cut counts only if it is
//! worth more than `floor`, and x / y > t only if x is at least t y as rounded: so most cuts cost
//! products and no quotient.

use super::histogram::{N_BINS, Sums};
use super::split::{Choice, Rule, Whole};

/// Cuts that are looked at together.
const BLOCK: usize = 8;
const SIGN: u64 = 1 << 63;

/// Sums up to each bin.
pub(super) struct Scan {
    g: [[f64; BLOCK]; N_BINS / BLOCK],
    /// With a negative sign, also of zero, behind a bin without rows.
    h: [[f64; BLOCK]; N_BINS / BLOCK],
}

impl Default for Scan {
    fn default() -> Self {
        Scan { g: [[0.0; BLOCK]; N_BINS / BLOCK], h: [[-1.0; BLOCK]; N_BINS / BLOCK] }
    }
}

/// What every cut is held against.
struct Bar {
    whole: [f64; 2],
    missing: [f64; 2],
    lambda: f64,
    need: f64,
}

impl Scan {
    /// The best cut behind one of the first `n_bins` bins of `sums`, whose last one is that of
    /// missing values; none if it is worth no more than `floor`. The index is a bin. Leaves have no
    /// bounds and there is no L1 strength.
    pub fn best(
        &mut self,
        (sums, n_bins): (&[Sums], usize),
        whole: &Whole<'_>,
        rule: &Rule,
        floor: f64,
    ) -> Option<Choice> {
        let (n_bins, missing) = (n_bins.min(N_BINS - 1), sums.last()?);
        self.cumulate(&sums[..n_bins]);
        let bar = Bar {
            whole: whole.sums[0].map(|x| x as f64),
            missing: missing.map(|x| x as f64),
            lambda: rule.lambda,
            need: rule.need(whole),
        };
        let n = n_bins.div_ceil(BLOCK);
        let has_missing = missing[1] != 0;
        let (worth, index, missing_left) = if has_missing {
            self.search::<true>(n, &bar, floor)
        } else {
            self.search::<false>(n, &bar, floor)
        }?;
        let left =
            self.h[index / BLOCK][index % BLOCK] + if missing_left { bar.missing[1] } else { 0.0 };
        rule.choice(whole, (worth, index), left, has_missing.then_some(missing_left))
    }

    fn cumulate(&mut self, sums: &[Sums]) {
        let (mut g, mut h) = (0i64, 0i64);
        let (all_g, all_h) = (self.g.as_flattened_mut(), self.h.as_flattened_mut());
        for ((&[dg, dh], out_g), out_h) in sums.iter().zip(all_g).zip(&mut *all_h) {
            g = g.wrapping_add(dg);
            h = h.wrapping_add(dh);
            *out_g = g as f64;
            *out_h = f64::from_bits((h as f64).to_bits() | (dh.wrapping_sub(1) as u64 & SIGN));
        }
        let end = sums.len().next_multiple_of(BLOCK);
        all_h[sums.len()..end].fill(-1.0);
    }

    /// The worth of the best cut, its bin, and whether missing values go left; the first of equals,
    /// left before right.
    fn search<const MISSING: bool>(
        &self,
        n: usize,
        bar: &Bar,
        floor: f64,
    ) -> Option<(f64, usize, bool)> {
        let (mut top, mut found) = (floor, None);
        for (block, (g, h)) in self.g[..n].iter().zip(&self.h[..n]).enumerate() {
            let mut misses = SIGN;
            for (&g, &h) in g.iter().zip(h) {
                misses &= bar.misses(g, h, top) | h.to_bits();
                if MISSING {
                    let (g, moved) = (g + bar.missing[0], h + bar.missing[1]);
                    misses &= bar.misses(g, moved, top) | h.to_bits();
                }
            }
            if misses != 0 {
                continue;
            }
            for (place, (&g, &h)) in g.iter().zip(h).enumerate() {
                if h.is_sign_negative() {
                    continue;
                }
                let sides: &[bool] = if MISSING { &[true, false] } else { &[false] };
                for &is_left in sides {
                    let moved = if is_left { bar.missing } else { [0.0; 2] };
                    let worth = bar.worth(g + moved[0], h + moved[1]);
                    if worth.is_some_and(|worth| worth > top) {
                        top = worth.unwrap_or(top);
                        found = Some((top, block * BLOCK + place, is_left));
                    }
                }
            }
        }
        found
    }
}

impl Bar {
    /// The products of which the worth of a left side is the quotient.
    #[inline(always)]
    fn products(&self, g: f64, h: f64) -> (f64, f64) {
        let (gr, hr) = (self.whole[0] - g, self.whole[1] - h);
        let (hl, hr) = (h + self.lambda, hr + self.lambda);
        (g * g * hr + gr * gr * hl, hl * hr)
    }

    /// A word with the sign bit if a left side is surely worth no more than `top`, or a side is too
    /// light.
    #[inline(always)]
    fn misses(&self, g: f64, h: f64, top: f64) -> u64 {
        let (x, y) = self.products(g, h);
        let light = (h - self.need).to_bits() | (self.whole[1] - h - self.need).to_bits();
        (x - top * y).to_bits() | light
    }

    fn worth(&self, g: f64, h: f64) -> Option<f64> {
        let (x, y) = self.products(g, h);
        (h >= self.need && self.whole[1] - h >= self.need).then(|| x / y)
    }
}

#[cfg(test)]
mod tests {
    use super::super::find::{Categories, ColumnView, Finder};
    use super::super::split::{Line, NONE};
    use super::*;
    use crate::rng::{Draw, Seed, Stream};

    /// Sums with empty bins, at times without missing values.
    fn sums(draws: &mut impl Draw, n_bins: usize) -> (Vec<Sums>, u32) {
        let (mut sums, mut n_rows) = (vec![[0; 2]; N_BINS], 0);
        let has_missing = draws.bernoulli(0.5);
        let bins = (0..n_bins).chain(has_missing.then_some(N_BINS - 1));
        for bin in bins {
            for _ in 0..draws.bounded(4) {
                let g = draws.bounded(2000) as i64 - 1000;
                sums[bin][0] += g;
                sums[bin][1] += 1 + draws.bounded(50) as i64;
                n_rows += 1;
            }
        }
        (sums, n_rows)
    }

    #[test]
    fn the_choice_is_that_of_the_plain_search() {
        let mut draws = Stream::new(Seed(1), "model", "", "scan").pcg();
        let (mut line, mut scan, mut n_found) = (Line::default(), Scan::default(), 0);
        for round in 0..2000 {
            let n_bins = 1 + draws.bounded(255) as usize;
            let (sums, n_rows) = sums(&mut draws, n_bins);
            let total = sums.iter().fold([0; 2], |[g, h], s| [g + s[0], h + s[1]]);
            let rule = Rule {
                lambda: [0.0, 1.0, 37.5][round % 3],
                alpha: 0.0,
                min_hessian: [0.0, 40.0][round % 2],
                min_rows: 1 + draws.bounded(3) as u32,
            };
            let categories = Categories {
                smooth: 0.0,
                l2: 0.0,
                set_max: 1,
                one_vs_rest_max: 1,
                level_rows: 0.0,
                group_rows: 0,
            };
            let finder = Finder { rule, categories, monotone: vec![] };
            let bins: Vec<u16> = (0..n_bins as u16).collect();
            let view = ColumnView {
                feature: 0,
                bins: &bins,
                sums: &[&sums],
                missing: N_BINS - 1,
                n_labels: None,
            };
            let whole = Whole { sums: &[total], n_rows, hessian_range: (1.0, 50.0), bounds: None };
            // Rows are counted as if each had the largest second derivative.
            let mut counts = || sums.iter().map(|s| (s[1] as u32).div_ceil(50)).collect();
            let plain = finder.best(&view, &whole, &mut line, &mut counts, &mut |_| None);
            let mut above = |floor: f64| {
                let lines = (&mut line, &mut scan);
                finder.best_above((&view, n_bins), &whole, lines, &mut counts, floor)
            };
            assert_eq!(above(NONE), plain);
            if let Some(plain) = plain {
                n_found += 1;
                assert_eq!(above(plain.worth), None);
                let below = f64::from_bits(plain.worth.to_bits() - 1);
                assert_eq!(above(below).map(|best| best.worth), Some(plain.worth));
            }
        }
        assert!(n_found > 1500);
    }
}
