//! Columns as small whole numbers: the cuts of each column, and the bin of each row.
//!
//! A numeric column with at most `max_bin` distinct values has one bin for each. With more, the
//! distinct values are taken in ascending order: a value that occurs in at least n / `max_bin` rows
//! has a bin of its own, and the bins between share their rows evenly. Both are functions of the
//! multiset of values. A threshold lies halfway between the last value of a bin and the first of
//! the next; where that is not below the next, it is the last value. A text column has a bin per
//! label, of its `max_bin` most frequent ones (ties by code point); others count as missing.
//!
//! Bins are held by column, which is how rows are partitioned, and for histograms once more by row
//! ([`super::words`]).

use super::table::Kept;
use super::words::Words;
use crate::aggregate::{LevelCounts, Rows};
use crate::batch::{Batch, Column, ColumnKind, MISSING_CODE};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::models::linear;
use crate::par;
use crate::step::FitContext;

/// Bins of 8 bits hold so many values besides the missing one.
pub(in crate::models) const SMALL_BINS: u32 = 255;
/// The largest `max_bin`.
pub(in crate::models) const BINS_MAX: u32 = 65_535;

/// Where a column is cut.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) enum Cuts {
    /// Of a numeric column.
    Num(NumCuts),
    /// The label of each bin.
    Text(Vec<String>),
}

/// The cuts of a numeric column, and what lies between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::models) struct NumCuts {
    /// The largest number of each bin but the last.
    pub thresholds: Vec<f64>,
    /// The least and largest value of each bin.
    pub ranges: Vec<(f64, f64)>,
}

impl NumCuts {
    /// Halfway between the values of two bins.
    pub fn between(&self, left: usize, right: usize) -> f64 {
        between(self.ranges[left].1, self.ranges[right].0)
    }
}

impl Cuts {
    /// The number of bins, without the one of missing values.
    pub fn n_bins(&self) -> usize {
        match self {
            Cuts::Num(cuts) => cuts.thresholds.len() + 1,
            Cuts::Text(levels) => levels.len(),
        }
    }

    /// The number of labels with a bin of their own, of a text column.
    pub fn n_labels(&self) -> Option<usize> {
        match self {
            Cuts::Num(_) => None,
            Cuts::Text(levels) => Some(levels.len()),
        }
    }
}

/// The bins of one column, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) enum Bins {
    /// At most 255 bins; 255 is missing.
    Small(Vec<u8>),
    /// 65535 is missing.
    Large(Vec<u16>),
}

impl Bins {
    /// The bin of a missing value.
    pub fn missing(&self) -> usize {
        match self {
            Bins::Small(_) => u8::MAX.into(),
            Bins::Large(_) => u16::MAX.into(),
        }
    }

    /// The bin of a row.
    #[inline]
    pub fn at(&self, row: u32) -> usize {
        match self {
            Bins::Small(bins) => bins[row as usize].into(),
            Bins::Large(bins) => bins[row as usize].into(),
        }
    }
}

/// The bins of every row and column.
pub(in crate::models) struct Binned {
    pub n_rows: usize,
    pub cuts: Vec<Cuts>,
    pub columns: Vec<Bins>,
    /// The bins row by row; empty if not made, or if a column has more than 255 bins.
    pub words: Vec<Words>,
}

impl Binned {
    /// Bins the columns at `ctx.slots`, of the rows that `kept` lists per block of `rows`.
    ///
    /// # Errors
    /// If a number is infinite; its row and column are named.
    pub fn new(rows: &dyn Rows, ctx: &FitContext<'_>, kept: &[Kept], max_bin: u32) -> Result<Self> {
        let levels = levels_of(rows, ctx, max_bin)?;
        let n_rows = kept.iter().map(Kept::len).sum::<usize>();
        let mut features: Vec<usize> = (0..ctx.slots.len()).collect();
        let n_buffers = par::n_threads().min(features.len());
        let buffers = (0..n_buffers).map(|_| Buffers::of(n_rows)).collect();
        let parts = par::map_with_those(&mut features, buffers, |&mut feature, buffers| {
            let column = OneColumn { slot: ctx.slots[feature], kept, levels: &levels[feature] };
            column.bin(rows, ctx, max_bin, buffers)
        });
        let mut binned =
            Binned { n_rows, cuts: Vec::new(), columns: Vec::new(), words: Vec::new() };
        for part in parts {
            let (cuts, bins) = part?;
            binned.cuts.push(cuts);
            binned.columns.push(bins);
        }
        Ok(binned)
    }

    /// Holds the bins by row, too, for the threads at hand.
    pub fn with_words(mut self) -> Self {
        let columns: Option<Vec<&[u8]>> = self
            .columns
            .iter()
            .map(|bins| match bins {
                Bins::Small(bins) => Some(bins.as_slice()),
                Bins::Large(_) => None,
            })
            .collect();
        let Some(columns) = columns else { return self };
        self.words = Words::all(&columns, self.n_rows);
        self
    }

    /// The number of columns.
    pub fn n_features(&self) -> usize {
        self.cuts.len()
    }
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
        levels.sort_by_key(|level| std::cmp::Reverse(level.1));
        levels.truncate(max_bin as usize);
        let mut levels: Vec<String> = levels.into_iter().map(|(label, _)| label).collect();
        levels.sort();
        levels
    });
    Ok(levels.collect())
}

/// The values of a column.
#[derive(Default)]
struct Buffers {
    numbers: Vec<f64>,
    /// Those that are there, by size.
    keys: Vec<u64>,
}

impl Buffers {
    fn of(n_rows: usize) -> Self {
        Buffers { numbers: Vec::with_capacity(n_rows), keys: Vec::with_capacity(n_rows) }
    }
}

struct OneColumn<'a> {
    slot: usize,
    kept: &'a [Kept],
    levels: &'a [String],
}

impl OneColumn<'_> {
    fn bin(
        &self,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
        max_bin: u32,
        Buffers { numbers, keys }: &mut Buffers,
    ) -> Result<(Cuts, Bins)> {
        numbers.clear();
        for (index, kept) in self.kept.iter().enumerate() {
            rows.with_block(index, &mut |block| self.see(block, kept, numbers))?;
        }
        if ctx.schema.fields()[self.slot].kind == ColumnKind::Text {
            // Levels came as numbers.
            let cuts = Cuts::Text(self.levels.to_vec());
            let bins = pack(&cuts, numbers, |x| x as usize);
            return Ok((cuts, bins));
        }
        let cuts = match num_cuts(numbers, keys, max_bin) {
            Ok(cuts) => cuts,
            Err(error) => return Err(self.placed(error, rows, ctx)?),
        };
        let thresholds = cuts.thresholds.clone();
        let cuts = Cuts::Num(cuts);
        let bins = pack(&cuts, numbers, |x| bin_of(&thresholds, x));
        Ok((cuts, bins))
    }

    /// The error with the column, and the first row that counts and is infinite.
    fn placed(&self, error: Error, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<Error> {
        let values = |block: &Batch| {
            let values = block.num(self.slot).iter().enumerate();
            values.map(|(row, x)| if block.weight(row) > 0.0 { *x } else { 0.0 }).collect()
        };
        let error = error.column(ctx.name(self.slot));
        linear::at_first(error, rows, &values, f64::is_infinite)
    }

    fn see(&self, block: &Batch, kept: &Kept, numbers: &mut Vec<f64>) {
        match block.column(self.slot) {
            Column::Num(values) => numbers.extend(kept.of(values)),
            Column::Text(text) => {
                let code = |label: &str| self.levels.binary_search_by(|l| l.as_str().cmp(label));
                let table: Vec<f64> = text
                    .levels()
                    .map(|label| code(label).map_or(math::MISSING, |code| code as f64))
                    .collect();
                numbers.extend(kept.of(text.codes()).map(|code| match code {
                    MISSING_CODE => math::MISSING,
                    code => table[code as usize],
                }));
            }
            Column::Time(times) => numbers.extend(kept.of(times).map(|_| math::MISSING)),
        }
    }
}

/// The bin of every number.
fn pack(cuts: &Cuts, numbers: &[f64], bin: impl Fn(f64) -> usize) -> Bins {
    if cuts.n_bins() <= SMALL_BINS as usize {
        let small = |&x: &f64| if x.is_nan() { u8::MAX } else { bin(x) as u8 };
        return Bins::Small(numbers.iter().map(small).collect());
    }
    let large = |&x: &f64| if x.is_nan() { u16::MAX } else { bin(x) as u16 };
    Bins::Large(numbers.iter().map(large).collect())
}

/// How many thresholds lie below a number.
#[inline]
fn bin_of(thresholds: &[f64], x: f64) -> usize {
    thresholds.partition_point(|&threshold| threshold < x)
}

/// Where values are cut.
fn num_cuts(values: &[f64], keys: &mut Vec<u64>, max_bin: u32) -> Result<NumCuts> {
    let present = values.iter().filter(|x| !x.is_nan());
    keys.clear();
    keys.extend(present.map(|&x| math::order_key(x)));
    keys.sort();
    let ends = [keys.first(), keys.last()];
    if ends.into_iter().flatten().any(|&key| math::from_order_key(key).is_infinite()) {
        let message = "expected finite numbers, found an infinity";
        return Err(Error::new(Code::NotFinite, message)
            .remedy("repair the value, or make it missing: trees take missing values"));
    }
    let runs = || keys.chunk_by(|a, b| a == b);
    let ends = bin_ends(runs().map(|run| run.len() as u64), max_bin);
    let mut ends = ends.into_iter().peekable();
    let (mut ranges, mut start, mut n_left) = (Vec::new(), None, keys.len());
    for (place, run) in runs().enumerate() {
        let value = math::from_order_key(run[0]);
        let first = start.unwrap_or(value);
        n_left -= run.len();
        let is_end = ends.next_if_eq(&place).is_some() || n_left == 0;
        start = (!is_end).then_some(first);
        if is_end {
            ranges.push((first, value));
        }
    }
    let thresholds = ranges.windows(2).map(|pair| between(pair[0].1, pair[1].0)).collect();
    Ok(NumCuts { thresholds, ranges })
}

/// The position of the last distinct value of every bin but the last, from how often each occurs.
fn bin_ends(counts: impl Iterator<Item = u64> + Clone, max_bin: u32) -> Vec<usize> {
    let (n_distinct, max_bin) = (counts.clone().count(), u64::from(max_bin));
    if n_distinct as u64 <= max_bin {
        return (0..n_distinct.saturating_sub(1)).collect();
    }
    let counts = counts.map(u128::from);
    let total = counts.clone().sum::<u128>();
    let is_big = |n: u128| n * u128::from(max_bin) >= total;
    let big = counts.clone().filter(|&n| is_big(n));
    let (n_big, rows_big) = big.fold((0, 0), |(n_big, rows), n| (n_big + 1, rows + n));
    // What the bins without a big value have to share.
    let mut bins_left = u128::from(max_bin).saturating_sub(n_big).max(1);
    let mut rows_left = total - rows_big;
    let (mut share, mut ends, mut rows) = (rows_left, Vec::new(), 0u128);
    for ((place, n), next) in counts.clone().enumerate().zip(counts.skip(1)) {
        rows += n;
        if !is_big(n) {
            rows_left -= n;
        }
        let is_full = rows * bins_left >= share;
        let is_half = 2 * rows * bins_left >= share && is_big(next);
        if is_big(n) || is_full || is_half {
            ends.push(place);
            rows = 0;
            if !is_big(n) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_with_cuts_halfway() {
        let values = [3.0, 1.0, f64::NAN, 1.0, 2.0];
        let cut = |values: &[f64]| num_cuts(values, &mut Vec::new(), 255);
        let cuts = cut(&values).unwrap();
        assert_eq!(cuts.thresholds, [1.5, 2.5]);
        assert_eq!((cuts.between(0, 2), cuts.ranges[2]), (2.0, (3.0, 3.0)));
        assert_eq!(cut(&[f64::NAN]).unwrap(), NumCuts::default());
        assert!(cut(&[f64::NEG_INFINITY, 1.0]).is_err());
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
        let ends = |counts: &[u64], max_bin| bin_ends(counts.iter().copied(), max_bin);
        assert_eq!(ends(&counts, 4), [3, 5, 6]);
        assert_eq!(ends(&[1; 10], 5), [1, 3, 5, 7]);
        assert_eq!(ends(&[1; 5], 5), [0, 1, 2, 3]);
        assert_eq!(ends(&[7, 1, 1, 1], 2), [0]);
    }

    #[test]
    fn bins_count_the_thresholds_below() {
        let bins = [0.5, 1.0, 1.5, 2.0, 9.0].map(|x| bin_of(&[1.0, 2.0], x));
        assert_eq!(bins, [0, 0, 1, 1, 2]);
    }
}
