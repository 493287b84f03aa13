//! Columns as small whole numbers: the cuts of each column, and the bin of each row.
//!
//! A numeric column with at most `max_bin` distinct values has one bin for each. With more, the
//! distinct values are taken in ascending order: a value that occurs in at least n / `max_bin` rows
//! has a bin of its own, and the bins between share their rows evenly. Both are functions of the
//! multiset of values. A threshold lies halfway between the last value of a bin and the first of
//! the next; where that is not below the next, it is the last value. A text column has a bin per
//! label, of its `max_bin` most frequent ones (ties by code point); others count as missing.
//!
//! Up to 8 columns of one row share a 64-bit word (4 if `max_bin` is above 255), so that the words
//! of a block of columns are what a histogram reads.

use crate::aggregate::{LevelCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, MISSING_CODE};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::par;
use crate::step::FitContext;

/// Bins of 8 bits hold so many values besides the missing one.
pub(in crate::models) const SMALL_BINS: u32 = 255;
/// The largest `max_bin`.
pub(in crate::models) const BINS_MAX: u32 = 65_535;

/// Where a column is cut.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) enum Cuts {
    /// The largest number of each bin but the last.
    Num(Vec<f64>),
    /// The label of each bin.
    Text(Vec<String>),
}

impl Cuts {
    /// The number of bins, without the one of missing values.
    pub fn n_bins(&self) -> usize {
        match self {
            Cuts::Num(thresholds) => thresholds.len() + 1,
            Cuts::Text(levels) => levels.len(),
        }
    }
}

/// Neighbouring columns whose bins share a word per row.
pub(in crate::models) struct Block {
    /// The first column.
    pub first: usize,
    /// How many columns.
    pub n: usize,
    /// The bins of each row, the first column in the lowest bits.
    pub words: Vec<u64>,
}

/// The bins of every row and column.
pub(in crate::models) struct Binned {
    pub n_rows: usize,
    pub cuts: Vec<Cuts>,
    pub blocks: Vec<Block>,
    /// Per column its block and the lowest bit of its lane.
    pub places: Vec<(u32, u32)>,
    /// 8 or 16.
    pub lane_bits: u32,
}

impl Binned {
    /// Bins the columns at `ctx.slots`, of the rows that `kept` lists per block of `rows`.
    ///
    /// # Errors
    /// If a number is infinite; the column is named.
    pub fn new(
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        kept: &[Vec<u32>],
        max_bin: u32,
    ) -> Result<Self> {
        let lane_bits = if max_bin <= SMALL_BINS { 8 } else { 16 };
        let levels = levels_of(rows, ctx, max_bin)?;
        let groups = groups(ctx.slots.len(), 64 / lane_bits as usize);
        let parts = par::map(&groups, |&(first, n)| {
            let group = Group { ctx, first, n, kept, max_bin, lane_bits };
            group.bin(rows, &levels)
        });
        let mut binned = Binned {
            n_rows: kept.iter().map(Vec::len).sum::<usize>(),
            cuts: Vec::new(),
            blocks: Vec::new(),
            places: Vec::new(),
            lane_bits,
        };
        for ((first, n), part) in groups.into_iter().zip(parts) {
            let (cuts, words) = part?;
            let block = binned.blocks.len() as u32;
            binned.places.extend((0..n as u32).map(|lane| (block, lane * lane_bits)));
            binned.cuts.extend(cuts);
            binned.blocks.push(Block { first, n, words });
        }
        Ok(binned)
    }

    /// The number of columns.
    pub fn n_features(&self) -> usize {
        self.cuts.len()
    }

    /// The bin of a missing value.
    pub fn missing(&self) -> usize {
        (1 << self.lane_bits) - 1
    }

    /// The words that hold a column, and how to read it: shift, then mask.
    pub fn lane(&self, feature: usize) -> (&[u64], u32, u64) {
        let (block, shift) = self.places[feature];
        (&self.blocks[block as usize].words, shift, self.missing() as u64)
    }
}

/// Columns in blocks of at most `n_max`, evenly, so that every thread has as many blocks.
fn groups(n_features: usize, n_max: usize) -> Vec<(usize, usize)> {
    let n_threads = par::n_threads().min(8);
    let n_groups = n_features.div_ceil(n_max).next_multiple_of(n_threads).min(n_features).max(1);
    let bound = |group: usize| group * n_features / n_groups;
    (0..n_groups).map(|g| (bound(g), bound(g + 1) - bound(g))).collect()
}

/// The labels that get a bin, by position in `ctx.slots`, in code-point order.
fn levels_of(rows: &dyn Rows, ctx: &FitContext<'_>, max_bin: u32) -> Result<Vec<Vec<String>>> {
    let is_text = |slot: usize| ctx.schema.fields()[slot].kind == ColumnKind::Text;
    let text: Vec<usize> = ctx.slots.iter().copied().filter(|&slot| is_text(slot)).collect();
    let mut counts = rows.aggregate(LevelCounts::new(&text))?.finish().into_iter();
    let levels = ctx.slots.iter().map(|&slot| {
        if !is_text(slot) {
            return Vec::new();
        }
        let mut levels: Vec<(String, u64)> =
            counts.next().map(|c| c.levels.into_iter().collect()).unwrap_or_default();
        // The sort is stable, so equal counts stay in code-point order.
        levels.sort_by(|a, b| b.1.cmp(&a.1));
        levels.truncate(max_bin as usize);
        let mut levels: Vec<String> = levels.into_iter().map(|(label, _)| label).collect();
        levels.sort();
        levels
    });
    Ok(levels.collect())
}

struct Group<'a> {
    ctx: &'a FitContext<'a>,
    first: usize,
    n: usize,
    kept: &'a [Vec<u32>],
    max_bin: u32,
    lane_bits: u32,
}

impl Group<'_> {
    fn bin(&self, rows: &dyn Rows, levels: &[Vec<String>]) -> Result<(Vec<Cuts>, Vec<u64>)> {
        let n_rows = self.kept.iter().map(Vec::len).sum::<usize>();
        let missing = (1u64 << self.lane_bits) - 1;
        let mut words = vec![0u64; n_rows];
        let mut numbers: Vec<Vec<f64>> = vec![Vec::with_capacity(n_rows); self.n];
        for (index, kept) in self.kept.iter().enumerate() {
            rows.with_block(index, &mut |block| {
                for (lane, numbers) in numbers.iter_mut().enumerate() {
                    self.see(block, kept, lane, levels, numbers);
                }
            })?;
        }
        let mut cuts = Vec::new();
        for (lane, numbers) in numbers.iter().enumerate() {
            let shift = lane as u32 * self.lane_bits;
            let levels = &levels[self.first + lane];
            if self.is_text(lane) {
                // Codes came as numbers.
                let bins = numbers.iter().map(|&x| if x.is_nan() { missing } else { x as u64 });
                words.iter_mut().zip(bins).for_each(|(word, bin)| *word |= bin << shift);
                cuts.push(Cuts::Text(levels.clone()));
                continue;
            }
            let thresholds = thresholds(numbers, self.max_bin)
                .map_err(|e| e.column(self.ctx.name(self.ctx.slots[self.first + lane])))?;
            let finder = Finder::new(&thresholds);
            for (word, &x) in words.iter_mut().zip(numbers) {
                let bin = if x.is_nan() { missing } else { finder.find(x) };
                *word |= bin << shift;
            }
            cuts.push(Cuts::Num(thresholds));
        }
        Ok((cuts, words))
    }

    fn is_text(&self, lane: usize) -> bool {
        let slot = self.ctx.slots[self.first + lane];
        self.ctx.schema.fields()[slot].kind == ColumnKind::Text
    }

    fn see(
        &self,
        block: &Batch,
        kept: &[u32],
        lane: usize,
        levels: &[Vec<String>],
        numbers: &mut Vec<f64>,
    ) {
        let kept = kept.iter().map(|&row| row as usize);
        match block.column(self.ctx.slots[self.first + lane]) {
            Column::Num(values) => numbers.extend(kept.map(|row| values[row])),
            Column::Text(text) => {
                let levels = &levels[self.first + lane];
                let code = |label: &str| levels.binary_search_by(|l| l.as_str().cmp(label));
                let table: Vec<f64> = text
                    .levels()
                    .map(|label| code(label).map_or(math::MISSING, |code| code as f64))
                    .collect();
                numbers.extend(kept.map(|row| match text.codes()[row] {
                    MISSING_CODE => math::MISSING,
                    code => table[code as usize],
                }));
            }
            Column::Time(_) => numbers.extend(kept.map(|_| math::MISSING)),
        }
    }
}

/// The largest number of each bin but the last.
fn thresholds(values: &[f64], max_bin: u32) -> Result<Vec<f64>> {
    let present = values.iter().filter(|x| !x.is_nan());
    let mut keys: Vec<u64> = present.map(|&x| math::order_key(x)).collect();
    keys.sort();
    let ends = [keys.first(), keys.last()];
    if ends.into_iter().flatten().any(|&key| math::from_order_key(key).is_infinite()) {
        let message = "expected finite numbers, found an infinity";
        return Err(Error::new(Code::NotFinite, message).remedy("clip or drop such values"));
    }
    let mut distinct: Vec<(u64, u64)> = Vec::new();
    for key in keys {
        match distinct.last_mut() {
            Some((last, n)) if *last == key => *n += 1,
            _ => distinct.push((key, 1)),
        }
    }
    let value = |place: usize| math::from_order_key(distinct[place].0);
    let counts: Vec<u64> = distinct.iter().map(|&(_, n)| n).collect();
    Ok(bin_ends(&counts, max_bin).iter().map(|&end| between(value(end), value(end + 1))).collect())
}

/// The position of the last distinct value of every bin but the last.
fn bin_ends(counts: &[u64], max_bin: u32) -> Vec<usize> {
    let (n_distinct, max_bin) = (counts.len(), u64::from(max_bin));
    if n_distinct as u64 <= max_bin {
        return (0..n_distinct.saturating_sub(1)).collect();
    }
    let total: u128 = counts.iter().map(|&n| u128::from(n)).sum();
    let is_big = |place: usize| u128::from(counts[place]) * u128::from(max_bin) >= total;
    let big = (0..n_distinct).filter(|&place| is_big(place));
    let (n_big, rows_big) =
        big.fold((0, 0), |(n, rows), place| (n + 1, rows + u128::from(counts[place])));
    // What the bins without a big value have to share.
    let mut bins_left = u128::from(max_bin).saturating_sub(n_big).max(1);
    let mut rows_left = total - rows_big;
    let (mut share, mut ends, mut rows) = (rows_left, Vec::new(), 0u128);
    for place in 0..n_distinct - 1 {
        let n = u128::from(counts[place]);
        rows += n;
        if !is_big(place) {
            rows_left -= n;
        }
        let is_full = rows * bins_left >= share;
        let is_half = 2 * rows * bins_left >= share && is_big(place + 1);
        if is_big(place) || is_full || is_half {
            ends.push(place);
            rows = 0;
            if !is_big(place) {
                bins_left = (bins_left - 1).max(1);
                share = rows_left;
            }
            if ends.len() as u64 == max_bin - 1 {
                break;
            }
        }
    }
    ends
}

/// A number that is at least `a` and below `b`: halfway, if that is one.
fn between(a: f64, b: f64) -> f64 {
    let half = a * 0.5 + b * 0.5;
    if half >= a && half < b { math::canonical(half) } else { a }
}

/// Finds the bin of a number: how many thresholds lie below it.
struct Finder<'a> {
    thresholds: &'a [f64],
}

impl<'a> Finder<'a> {
    fn new(thresholds: &'a [f64]) -> Self {
        Finder { thresholds }
    }

    #[inline]
    fn find(&self, x: f64) -> u64 {
        self.thresholds.partition_point(|&threshold| threshold < x) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_with_cuts_halfway() {
        let values = [3.0, 1.0, f64::NAN, 1.0, 2.0];
        assert_eq!(thresholds(&values, 255).unwrap(), [1.5, 2.5]);
        assert_eq!(thresholds(&[f64::NAN], 255).unwrap(), [0.0; 0]);
        assert!(thresholds(&[f64::NEG_INFINITY, 1.0], 255).is_err());
    }

    #[test]
    fn a_cut_between_neighbours_is_the_lower_one() {
        let above = f64::from_bits(1.0f64.to_bits() + 1);
        assert_eq!(between(1.0, above), 1.0);
        assert_eq!(between(-f64::MAX, f64::MAX), 0.0);
        assert_eq!(between(0.0, f64::from_bits(1)), 0.0);
    }

    #[test]
    fn a_frequent_value_has_its_bin_and_the_others_share() {
        // 100 rows in 4 bins: the value of 40 rows is big, the 60 others go to 3 bins of 20.
        let mut counts = vec![5; 13];
        counts[6] = 40;
        assert_eq!(bin_ends(&counts, 4), [3, 5, 6]);
        assert_eq!(bin_ends(&[1; 10], 5), [1, 3, 5, 7]);
        assert_eq!(bin_ends(&[1; 5], 5), [0, 1, 2, 3]);
        assert_eq!(bin_ends(&[7, 1, 1, 1], 2), [0]);
    }

    #[test]
    fn bins_count_the_thresholds_below() {
        let finder = Finder::new(&[1.0, 2.0]);
        let bins = [0.5, 1.0, 1.5, 2.0, 9.0].map(|x| finder.find(x));
        assert_eq!(bins, [0, 0, 1, 1, 2]);
    }
}
