//! The best split of one column in one leaf.
//!
//! With G and H the sums of gradients and second derivatives on a side, T(G) = G moved towards 0 by
//! the L1 strength, and λ the L2 strength, a split is worth
//! (T(Gl)² (Hr + λ) + T(Gr)² (Hl + λ)) / ((Hl + λ) (Hr + λ)), and gains what this is above
//! T(G)² / (H + λ). The sums are whole numbers of quanta below 2^51; the expression is evaluated as
//! written. A gain within 2^-44 of the worth is rounding and counts as none. Ties go to the lower
//! bin, then to missing values left. Where no missing value is in the leaf they go where H is
//! larger, left if equal.

use super::histogram::Sums;
use crate::math;

/// What a split must keep, in quanta.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The L2 strength.
    pub lambda: f64,
    /// The L1 strength.
    pub alpha: f64,
    /// The least sum of second derivatives on a side.
    pub min_hessian: f64,
    /// The fewest rows on a side.
    pub min_rows: u32,
}

/// A leaf to split.
#[derive(Clone, Debug)]
pub(super) struct Whole<'a> {
    /// The sums of the leaf, per channel.
    pub sums: &'a [Sums],
    /// Its rows.
    pub n_rows: u32,
    /// Between which their second derivatives lie: no choice depends on how tightly.
    pub hessian_range: (f64, f64),
    /// Between which its value must stay, in quanta; `None` if anywhere.
    pub bounds: Option<(f64, f64)>,
}

/// Left sides to choose from, and the side of the missing values.
#[derive(Default)]
pub(super) struct Line {
    /// Per channel, per candidate: the sum of gradients without missing values.
    pub g: Vec<f64>,
    /// Likewise of second derivatives.
    pub h: Vec<f64>,
    /// Per candidate the rows; empty if they were not counted.
    pub n: Vec<u32>,
    /// Per candidate its bin, for a numeric column.
    pub bins: Vec<u16>,
    /// The number of candidates.
    pub len: usize,
    /// The sums of missing values, per channel.
    pub missing: Vec<Sums>,
    /// The rows with a missing value, if counted.
    pub n_missing: u32,
    worth: Vec<f64>,
}

/// A chosen candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    pub index: usize,
    pub missing_left: bool,
    /// In quanta.
    pub gain: f64,
    /// Whether the rows on both sides are surely enough.
    pub is_sure: bool,
    /// What both sides are worth, in quanta.
    pub worth: f64,
}

/// Below every worth.
pub(super) const NONE: f64 = -1.0;
/// Gains below this share of the worth are rounding: 2^-44.
const ROUNDING: f64 = 1.0 / 17_592_186_044_416.0;

#[inline]
fn shrunk<const L1: bool>(g: f64, alpha: f64) -> f64 {
    if !L1 {
        return g;
    }
    if g > alpha {
        g - alpha
    } else if g < -alpha {
        g + alpha
    } else {
        0.0
    }
}

#[inline]
fn worth<const L1: bool>(left: (f64, f64), right: (f64, f64), rule: (f64, f64)) -> f64 {
    let (lambda, alpha) = rule;
    let (gl, gr) = (shrunk::<L1>(left.0, alpha), shrunk::<L1>(right.0, alpha));
    let (hl, hr) = (left.1 + lambda, right.1 + lambda);
    (gl * gl * hr + gr * gr * hl) / (hl * hr)
}

impl Rule {
    /// What a leaf is worth by itself.
    pub fn worth_of(&self, whole: &Whole<'_>) -> f64 {
        let parts = whole.sums.iter().map(|s| {
            let (g, h) = (s[0] as f64, s[1] as f64);
            if let Some(bounds) = whole.bounds {
                return self.bounded(g, h, bounds).1;
            }
            let t = shrunk::<true>(g, self.alpha);
            if h + self.lambda > 0.0 { t * t / (h + self.lambda) } else { 0.0 }
        });
        math::sum_in_order(parts)
    }

    /// The value of a side within bounds, and what it is worth.
    fn bounded(&self, g: f64, h: f64, bounds: (f64, f64)) -> (f64, f64) {
        let h = h + self.lambda;
        if h <= 0.0 {
            return (0.0, 0.0);
        }
        let value = math::clamp(-shrunk::<true>(g, self.alpha) / h, bounds.0, bounds.1);
        let worth = -(2.0 * g * value + h * value * value) - 2.0 * self.alpha * value.abs();
        (value, worth)
    }

    /// The values of both sides of a split within bounds.
    pub fn side_values(&self, left: Sums, right: Sums, bounds: (f64, f64)) -> (f64, f64) {
        let value = |s: Sums| self.bounded(s[0] as f64, s[1] as f64, bounds).0;
        (value(left), value(right))
    }

    /// What the sum of second derivatives of a side is at least: enough rows cannot have less.
    pub fn need(&self, whole: &Whole<'_>) -> f64 {
        let of_rows = f64::from(self.min_rows) * whole.hessian_range.0;
        math::max(self.min_hessian, math::max(1.0, of_rows))
    }

    /// The choice of a candidate of this worth, if it is a gain: `left` is its sum of second
    /// derivatives, `side` whether missing values go left, where there are any.
    pub fn choice(
        &self,
        whole: &Whole<'_>,
        (worth, index): (f64, usize),
        left: f64,
        side: Option<bool>,
    ) -> Option<Choice> {
        let gain = worth - self.worth_of(whole);
        if gain <= worth * ROUNDING {
            return None;
        }
        let right = whole.sums[0][1] as f64 - left;
        let is_sure = self.is_sure(left, whole) && self.is_sure(right, whole);
        let missing_left = side.unwrap_or(left >= right);
        Some(Choice { index, missing_left, gain, is_sure, worth })
    }

    /// Whether too few rows cannot have this sum.
    fn is_sure(&self, h: f64, whole: &Whole<'_>) -> bool {
        let others = f64::from(self.min_rows.saturating_sub(1));
        self.min_rows <= 1 || h > others * whole.hessian_range.1
    }
}

impl Line {
    /// No candidates, for `n_channels`.
    pub fn clear(&mut self, n_channels: usize) {
        self.g.clear();
        self.h.clear();
        self.n.clear();
        self.missing.clear();
        self.missing.resize(n_channels, [0; 2]);
        (self.len, self.n_missing) = (0, 0);
    }

    /// Makes a candidate of every cut behind a bin that has rows; `bins` ascend.
    pub fn cumulate(&mut self, bins: &[u16], sums: &[&[Sums]]) {
        let Some(first) = sums.first() else { return };
        self.bins.resize(bins.len(), 0);
        self.g.resize(bins.len(), 0.0);
        self.h.resize(bins.len(), 0.0);
        let (mut g, mut h, mut len) = (0i64, 0i64, 0);
        for &bin in bins {
            // An empty bin is written over by the next one.
            let [dg, dh] = first[bin as usize];
            g = g.wrapping_add(dg);
            h = h.wrapping_add(dh);
            self.bins[len] = bin;
            self.g[len] = g as f64;
            self.h[len] = h as f64;
            len += usize::from(dh != 0);
        }
        self.bins.truncate(len);
        self.g.truncate(len);
        self.h.truncate(len);
        self.len = len;
        for sums in &sums[1..] {
            let (mut g, mut h) = (0i64, 0i64);
            for &bin in &self.bins {
                let [dg, dh] = sums[bin as usize];
                g = g.wrapping_add(dg);
                h = h.wrapping_add(dh);
                self.g.push(g as f64);
                self.h.push(h as f64);
            }
        }
    }

    /// The best candidate.
    pub fn choose(&mut self, whole: &Whole<'_>, rule: &Rule, ask: &Ask) -> Option<Choice> {
        let has_missing = self.missing.iter().any(|s| s[1] != 0);
        let sides: &[bool] = if has_missing { &[true, false] } else { &[true] };
        let mut best: Option<(f64, usize, bool)> = None;
        for &missing_left in sides {
            self.fill(missing_left, whole, rule, ask);
            let range = ask.only.map_or(0..self.len, |only| only..(only + 1).min(self.len));
            let (mut top, mut place) = (NONE, usize::MAX);
            for (index, &worth) in range.clone().zip(&self.worth[range]) {
                if worth > top {
                    (top, place) = (worth, index);
                }
            }
            let is_better =
                best.is_none_or(|(worth, index, _)| top > worth || (top == worth && place < index));
            if top >= 0.0 && is_better {
                best = Some((top, place, missing_left));
            }
        }
        let (worth, index, missing_left) = best?;
        let of_missing = if missing_left { self.missing[0][1] as f64 } else { 0.0 };
        let left = self.h[index] + of_missing;
        let side = has_missing.then_some(missing_left);
        let choice = rule.choice(whole, (worth, index), left, side)?;
        Some(Choice { is_sure: choice.is_sure || !self.n.is_empty(), ..choice })
    }

    /// The worth of every candidate with the missing values on one side.
    fn fill(&mut self, missing_left: bool, whole: &Whole<'_>, rule: &Rule, ask: &Ask) {
        self.worth.clear();
        self.worth.resize(self.len, 0.0);
        if whole.bounds.is_some() {
            self.fill_bounded(missing_left, whole, rule, ask);
        } else {
            let fill = if rule.alpha > 0.0 { Self::add::<true> } else { Self::add::<false> };
            (0..whole.sums.len()).for_each(|c| fill(self, c, missing_left, whole, rule, ask));
        }
        if self.n.is_empty() {
            return;
        }
        let behind = if missing_left { self.n_missing } else { 0 };
        for (worth, &n) in self.worth.iter_mut().zip(&self.n) {
            let left = n + behind;
            if left < rule.min_rows || whole.n_rows - left < rule.min_rows {
                *worth = NONE;
            }
        }
    }

    /// Adds the worth in one channel.
    fn add<const L1: bool>(
        &mut self,
        channel: usize,
        missing_left: bool,
        whole: &Whole<'_>,
        rule: &Rule,
        ask: &Ask,
    ) {
        let part = channel * self.len..(channel + 1) * self.len;
        let [g, h] = whole.sums[channel].map(|x| x as f64);
        let missing = if missing_left { self.missing[channel] } else { [0; 2] };
        let [gm, hm] = missing.map(|x| x as f64);
        let (need, strengths) = (rule.need(whole), (ask.lambda, rule.alpha));
        let sums = self.g[part.clone()].iter().zip(&self.h[part]);
        for (out, (&gl, &hl)) in self.worth.iter_mut().zip(sums) {
            let (gl, hl) = (gl + gm, hl + hm);
            let (gr, hr) = (g - gl, h - hl);
            let worth = *out + worth::<L1>((gl, hl), (gr, hr), strengths);
            *out = if (hl >= need) & (hr >= need) { worth } else { NONE };
        }
    }

    fn fill_bounded(&mut self, missing_left: bool, whole: &Whole<'_>, rule: &Rule, ask: &Ask) {
        let Some(bounds) = whole.bounds else { return };
        let rule = &Rule { lambda: ask.lambda, ..rule.clone() };
        let [g, h] = whole.sums[0].map(|x| x as f64);
        let missing = if missing_left { self.missing[0] } else { [0; 2] };
        let [gm, hm] = missing.map(|x| x as f64);
        let need = rule.need(whole);
        for (out, (&gl, &hl)) in self.worth.iter_mut().zip(self.g.iter().zip(&self.h)) {
            let (gl, hl) = (gl + gm, hl + hm);
            let (gr, hr) = (g - gl, h - hl);
            let (left, worth_left) = rule.bounded(gl, hl, bounds);
            let (right, worth_right) = rule.bounded(gr, hr, bounds);
            let is_ordered = match ask.monotone {
                0 => true,
                1.. => left <= right,
                _ => left >= right,
            };
            let worth = worth_left + worth_right;
            let fits = is_ordered && hl >= need && hr >= need;
            *out = if fits { math::max(worth, 0.0) } else { NONE };
        }
    }
}

/// How a line is to be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The L2 strength, in quanta.
    pub lambda: f64,
    /// 1 if the right value must not be lower, -1 if it must not be higher, else 0.
    pub monotone: i8,
    /// The only candidate to look at.
    pub only: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule { lambda: 0.0, alpha: 0.0, min_hessian: 0.0, min_rows: 1 }
    }

    const ASK: Ask = Ask { lambda: 0.0, monotone: 0, only: None };

    /// Four rows with gradients -1, -1, 1, 1 in four bins.
    fn line() -> Line {
        let mut line = Line::default();
        line.clear(1);
        (line.g, line.h, line.len) = (vec![-1.0, -2.0, -1.0, 0.0], vec![1.0, 2.0, 3.0, 4.0], 4);
        line
    }

    #[test]
    fn the_best_cut_by_hand() {
        let whole = Whole { sums: &[[0, 4]], n_rows: 4, hessian_range: (1.0, 1.0), bounds: None };
        // Cut after bin 1: 4 / 2 + 4 / 2 = 4; after bin 0: 1 + 1 / 3.
        let choice = line().choose(&whole, &rule(), &ASK).unwrap();
        assert_eq!((choice.index, choice.missing_left, choice.gain), (1, true, 4.0));
        // With an L2 strength of 2: 4 / 4 + 4 / 4; an L1 strength of 1 takes 1 from each sum.
        let ask = Ask { lambda: 2.0, ..ASK };
        assert_eq!(line().choose(&whole, &rule(), &ask).unwrap().gain, 2.0);
        let lasso = Rule { alpha: 1.0, ..rule() };
        assert_eq!(line().choose(&whole, &lasso, &ASK).unwrap().gain, 1.0);
    }

    #[test]
    fn rows_on_a_side_are_sure_or_must_be_counted() {
        let whole = Whole { sums: &[[0, 6]], n_rows: 4, hessian_range: (1.0, 2.0), bounds: None };
        let rule = Rule { min_rows: 2, ..rule() };
        let mut line = line();
        line.h = vec![2.0, 4.0, 5.0, 6.0];
        // 4 / 4 + 4 / 2 behind bin 1, but 2 quanta on the right may be one row.
        let choice = line.choose(&whole, &rule, &ASK).unwrap();
        assert_eq!((choice.index, choice.is_sure), (1, false));
        line.n = vec![2, 3, 3, 4];
        let choice = line.choose(&whole, &rule, &ASK).unwrap();
        assert_eq!((choice.index, choice.is_sure), (0, true));
    }

    #[test]
    fn missing_values_go_where_the_gain_is() {
        let mut line = line();
        line.missing = vec![[-3, 1]];
        let whole = Whole { sums: &[[-3, 5]], n_rows: 5, hessian_range: (1.0, 1.0), bounds: None };
        // Left: (-5)^2 / 3 + 2^2 / 2; right: (-2)^2 / 2 + (-1)^2 / 3, and missing alone 9.
        let choice = line.choose(&whole, &rule(), &ASK).unwrap();
        assert_eq!((choice.index, choice.missing_left), (1, true));
        line.missing = vec![[9, 1]];
        let whole = Whole { sums: &[[9, 5]], n_rows: 5, hessian_range: (1.0, 1.0), bounds: None };
        // Missing alone on the right: 0 / 4 + 81 / 1.
        let choice = line.choose(&whole, &rule(), &ASK).unwrap();
        assert_eq!((choice.index, choice.missing_left, choice.gain), (3, false, 81.0 - 81.0 / 5.0));
    }

    #[test]
    fn order_of_values_can_be_forced() {
        let whole = Whole {
            sums: &[[0, 4]],
            n_rows: 4,
            hessian_range: (1.0, 1.0),
            bounds: Some((-9.0, 9.0)),
        };
        // The left value is 1, the right one -1: falling.
        let falling = Ask { monotone: -1, ..ASK };
        assert_eq!(line().choose(&whole, &rule(), &falling).unwrap().gain, 4.0);
        let rising = Ask { monotone: 1, ..ASK };
        assert_eq!(line().choose(&whole, &rule(), &rising), None);
        // Within 1/2 of 0: 2 (2 · 2 · 1/2 - 2 / 4) = 3.
        let whole = Whole { bounds: Some((-0.5, 0.5)), ..whole };
        assert_eq!(line().choose(&whole, &rule(), &ASK).unwrap().gain, 3.0);
    }

    #[test]
    fn rounding_is_no_gain() {
        let mut line = Line::default();
        line.clear(1);
        (line.g, line.h, line.len) = (vec![-3.0, -10.0], vec![3.0, 10.0], 2);
        let whole =
            Whole { sums: &[[-10, 10]], n_rows: 10, hessian_range: (1.0, 1.0), bounds: None };
        assert_eq!(line.choose(&whole, &rule(), &ASK), None);
    }
}
