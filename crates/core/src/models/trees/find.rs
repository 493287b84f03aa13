//! From the sums per bin of a column to its best split.
//!
//! A numeric column is cut after a bin. A text column sends a set of levels left: where it has at
//! most `one_vs_rest_max` labels, one level; else levels in ascending order of G / (H + `smooth`),
//! ties by level, from either end, at most `set_max` of them and at most half. Both sides of such a
//! split have the L2 strength `l2` more, in its gain and if they become leaves; the leaf that is
//! split has not. Where `group_rows` is not 0, levels of fewer than `level_rows` rows are in no
//! set, and each set has at least `group_rows` rows more than the one before, and leaves as many.
//! Such rows are estimated: n h / H for a level of h in a leaf of n rows and H.

use super::histogram::Sums;
use super::scan::Scan;
use super::split::{Ask, Choice, Line, Rule, Whole};
use crate::math;

/// How text columns are split; strengths in quanta.
#[derive(Clone, Debug)]
pub(super) struct Categories {
    pub smooth: f64,
    pub l2: f64,
    pub set_max: u32,
    pub one_vs_rest_max: u32,
    pub level_rows: f64,
    pub group_rows: u32,
}

/// Which rows go left, missing values apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cut {
    /// Those up to this bin.
    Bin(u32),
    /// Those of these levels, ascending.
    Levels(Vec<u32>),
}

/// A split to make.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    /// In quanta.
    pub gain: f64,
    /// What both sides are worth, in quanta.
    pub worth: f64,
    pub feature: u32,
    pub cut: Cut,
    pub missing_left: bool,
    /// Whether levels were put in order to find the cut, which costs its sides more L2 strength.
    pub is_set: bool,
    /// The first bin on the right that has rows, behind a cut that is a bin.
    pub next: Option<u32>,
    /// What goes left, per channel.
    pub left: Vec<Sums>,
}

impl Best {
    /// The better of two; a tie goes to the first, which has the lower feature.
    pub fn better(a: Option<Best>, b: Option<Best>) -> Option<Best> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// The sums of one column in one leaf.
pub(super) struct ColumnView<'a> {
    pub feature: u32,
    /// The bins to look at, ascending, without the missing one.
    pub bins: &'a [u16],
    /// By channel, by bin.
    pub sums: &'a [&'a [Sums]],
    /// The bin of missing values.
    pub missing: usize,
    /// How many labels a text column has; `None` for a numeric one.
    pub n_labels: Option<usize>,
}

/// What decides about splits in one tree.
pub(super) struct Finder {
    pub rule: Rule,
    pub categories: Categories,
    /// Per column 1, -1 or 0; empty if no column is constrained.
    pub monotone: Vec<i8>,
}

/// The only candidate to look at, out of so many.
pub(super) type Pick<'a> = &'a mut dyn FnMut(usize) -> Option<usize>;

impl Finder {
    /// The best split of a column. `counts` gives the rows per bin when they are needed.
    pub fn best(
        &self,
        view: &ColumnView<'_>,
        whole: &Whole<'_>,
        line: &mut Line,
        counts: &mut dyn FnMut() -> Vec<u32>,
        pick: Pick<'_>,
    ) -> Option<Best> {
        line.clear(whole.sums.len());
        let missing = |sums: &&[Sums]| sums[view.missing];
        line.missing.clear();
        line.missing.extend(view.sums.iter().map(missing));
        if let Some(n_labels) = view.n_labels {
            return self.best_of_levels((view, n_labels), whole, line, counts, pick);
        }
        line.cumulate(view.bins, view.sums);
        let monotone = self.monotone.get(view.feature as usize).copied().unwrap_or(0);
        let only = pick(line.len);
        let ask = Ask { lambda: self.rule.lambda, monotone, only };
        let choice = self.choose(view, whole, line, &ask, counts, &mut |line, counts| {
            let mut n = 0;
            line.n.extend(line.bins.iter().map(|&bin| {
                n += counts[bin as usize];
                n
            }));
        })?;
        let cut = Cut::Bin(u32::from(line.bins[choice.index]));
        let next = line.bins.get(choice.index + 1).map(|&bin| u32::from(bin));
        let best = self.made(view, &line.bins[..=choice.index], choice, cut);
        Some(Best { next, ..best })
    }

    /// Chooses; where the sums do not say whether the rows are enough, counts and chooses again.
    fn choose(
        &self,
        view: &ColumnView<'_>,
        whole: &Whole<'_>,
        line: &mut Line,
        ask: &Ask,
        counts: &mut dyn FnMut() -> Vec<u32>,
        count: &mut dyn FnMut(&mut Line, &[u32]),
    ) -> Option<Choice> {
        let choice = line.choose(whole, &self.rule, ask)?;
        if choice.is_sure {
            return Some(choice);
        }
        let rows = counts();
        count(line, &rows);
        line.n_missing = rows[view.missing];
        line.choose(whole, &self.rule, ask)
    }

    fn made(&self, view: &ColumnView<'_>, bins: &[u16], choice: Choice, cut: Cut) -> Best {
        let left = view.sums.iter().map(|sums| {
            let start = if choice.missing_left { sums[view.missing] } else { [0; 2] };
            bins.iter().fold(start, |[g, h], &bin| {
                let [dg, dh] = sums[bin as usize];
                [g.wrapping_add(dg), h.wrapping_add(dh)]
            })
        });
        Best {
            gain: choice.gain,
            worth: choice.worth,
            feature: view.feature,
            cut,
            missing_left: choice.missing_left,
            is_set: false,
            next: None,
            left: left.collect(),
        }
    }

    /// The best split of a numeric column of a leaf, whose bins are the first `n_bins`, from one
    /// channel; none if it is worth no more than `floor`. The same as [`Finder::best`].
    pub fn best_above(
        &self,
        (view, n_bins): (&ColumnView<'_>, usize),
        whole: &Whole<'_>,
        (line, scan): (&mut Line, &mut Scan),
        counts: &mut dyn FnMut() -> Vec<u32>,
        floor: f64,
    ) -> Option<Best> {
        let sums = view.sums[0];
        let mut plain = || {
            let best = self.best(view, whole, line, counts, &mut |_| None);
            best.filter(|best| best.worth > floor)
        };
        if whole.bounds.is_some() || self.rule.alpha > 0.0 {
            return plain();
        }
        let choice = scan.best((sums, n_bins), whole, &self.rule, floor)?;
        if !choice.is_sure {
            return plain();
        }
        let cut = Cut::Bin(choice.index as u32);
        let behind = choice.index + 1..n_bins;
        let next = behind.map(|bin| bin as u32).find(|&bin| sums[bin as usize][1] != 0);
        let best = self.made(view, &view.bins[..=choice.index], choice, cut);
        Some(Best { next, ..best })
    }

    fn best_of_levels(
        &self,
        (view, n_labels): (&ColumnView<'_>, usize),
        whole: &Whole<'_>,
        line: &mut Line,
        counts: &mut dyn FnMut() -> Vec<u32>,
        pick: Pick<'_>,
    ) -> Option<Best> {
        let present = view.bins.iter().copied().filter(|&bin| view.sums[0][bin as usize][1] != 0);
        let mut levels: Vec<u16> = present.collect();
        let is_set = n_labels > self.categories.one_vs_rest_max as usize;
        let sets = match is_set {
            true => self.sets(view, whole, &mut levels),
            false => (0..levels.len()).map(|place| (place, place + 1)).collect(),
        };
        for sums in view.sums {
            for set in &sets {
                let total = set_of(&levels, *set).iter().fold([0i64; 2], |[g, h], &bin| {
                    let [dg, dh] = sums[bin as usize];
                    [g.wrapping_add(dg), h.wrapping_add(dh)]
                });
                line.g.push(total[0] as f64);
                line.h.push(total[1] as f64);
            }
        }
        line.len = sets.len();
        let ask = Ask {
            lambda: self.rule.lambda + if is_set { self.categories.l2 } else { 0.0 },
            monotone: 0,
            only: pick(line.len),
        };
        let choice = self.choose(view, whole, line, &ask, counts, &mut |line, counts| {
            line.n.extend(sets.iter().map(|set| {
                set_of(&levels, *set).iter().map(|&bin| counts[bin as usize]).sum::<u32>()
            }));
        })?;
        let set = set_of(&levels, sets[choice.index]);
        let mut cut: Vec<u32> = set.iter().map(|&level| u32::from(level)).collect();
        cut.sort();
        Some(Best { is_set, ..self.made(view, set, choice, Cut::Levels(cut)) })
    }

    /// The sets to choose from, as parts of `levels`, which are put in order for it; of those that
    /// are in no set none is left.
    fn sets(
        &self,
        view: &ColumnView<'_>,
        whole: &Whole<'_>,
        levels: &mut Vec<u16>,
    ) -> Vec<(usize, usize)> {
        let channel = leading_channel(whole.sums);
        let ratio = |level: u16| {
            let [g, h] = view.sums[channel][level as usize];
            g as f64 / (h as f64 + self.categories.smooth)
        };
        let per_hessian = f64::from(whole.n_rows) / whole.sums[channel][1] as f64;
        let rows = |level: u16| view.sums[channel][level as usize][1] as f64 * per_hessian;
        if self.categories.group_rows > 0 {
            levels.retain(|&level| rows(level) >= self.categories.level_rows);
        }
        levels.sort_by(|&a, &b| math::total_cmp(ratio(a), ratio(b)));
        let n = levels.len();
        let up = self.lengths(whole, levels.iter().map(|&level| rows(level)));
        let down = self.lengths(whole, levels.iter().rev().map(|&level| rows(level)));
        let up = up.into_iter().map(|length| (0, length));
        up.chain(down.into_iter().map(|length| (n - length, n))).collect()
    }

    /// How many levels of those that have so many rows each may be a set.
    fn lengths(&self, whole: &Whole<'_>, rows: impl ExactSizeIterator<Item = f64>) -> Vec<usize> {
        let longest = rows.len().div_ceil(2).min(self.categories.set_max as usize);
        let group_rows = f64::from(self.categories.group_rows);
        let (mut lengths, mut since, mut rest) = (Vec::new(), 0.0, f64::from(whole.n_rows));
        for (length, rows) in (1..=longest).zip(rows) {
            since += rows;
            rest -= rows;
            if rest < group_rows {
                break;
            }
            if since >= group_rows {
                lengths.push(length);
                since = 0.0;
            }
        }
        lengths
    }
}

fn set_of(levels: &[u16], (start, end): (usize, usize)) -> &[u16] {
    &levels[start..end]
}

/// The channel with the largest sum of gradients in size; the first of equals.
fn leading_channel(sums: &[Sums]) -> usize {
    let mut best = 0;
    for (channel, sum) in sums.iter().enumerate() {
        if sum[0].unsigned_abs() > sums[best][0].unsigned_abs() {
            best = channel;
        }
    }
    best
}
