//! Rows as small whole numbers, in which every test of a forest is `code > limit`.
//!
//! A number's code is how many of its feature's thresholds, in order and without repetition, are
//! below it: x > threshold k exactly if code(x) > k. A missing value has code 0 where it goes left
//! and the largest code where it goes right; a feature whose splits send it both ways has two
//! columns of codes. Every split on a text feature has a column of its own: 0 is left, 1 right.

use std::ops::Range;

use super::forest::{Forest, Tree};
use crate::batch::{Batch, Column, MISSING_CODE};
use crate::math;

/// Bytes of the tables of text splits beyond which a forest is not compiled.
const TABLE_BYTES_MAX: usize = 1 << 24;
/// Searches in step.
const N_STEP: usize = 8;

/// The test of a split: a row goes right if its code in `column` is above `limit`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test {
    pub column: u16,
    pub limit: u16,
}

/// How the codes of a row come about.
#[derive(Clone, Debug)]
pub(super) struct Coder {
    features: Vec<Feature>,
    n_columns: usize,
    code_max: u16,
}

#[derive(Clone, Debug)]
enum Feature {
    Unused,
    Num(Cuts),
    Text(Sets),
}

/// The thresholds of a numeric feature.
#[derive(Clone, Debug)]
struct Cuts {
    /// Ascending; behind the last one the largest number up to a power of two less one.
    thresholds: Vec<f64>,
    n: u16,
    /// The column for splits that send a missing value left, right.
    columns: [Option<u16>; 2],
}

/// The splits of a text feature.
#[derive(Clone, Debug)]
struct Sets {
    first: u16,
    n: usize,
    /// By level, by split; the last level is a missing or unknown label.
    right: Vec<u8>,
}

impl Coder {
    /// The codes of a forest and the test of each split; `None` if it has too many.
    pub fn new(forest: &Forest) -> Option<(Self, Vec<Test>)> {
        let mut features = vec![Feature::Unused; forest.n_features()];
        let mut n_sets = vec![0usize; features.len()];
        let mut used = vec![[false; 2]; features.len()];
        let mut cuts = vec![Vec::new(); features.len()];
        for tree in forest.trees() {
            for (split, &feature) in tree.feature.iter().enumerate() {
                let feature = feature as usize;
                if forest.is_text(feature) {
                    n_sets[feature] += 1;
                } else {
                    cuts[feature].push(tree.threshold[split]);
                    used[feature][usize::from(!tree.default_left[split])] = true;
                }
            }
        }
        let (mut n_columns, mut code_max, mut table_bytes) = (0u16, 1, 0usize);
        for (index, feature) in features.iter_mut().enumerate() {
            if n_sets[index] > 0 {
                let (n, n_levels) = (n_sets[index], forest.levels[index].len());
                table_bytes = table_bytes.checked_add(n.checked_mul(n_levels + 1)?)?;
                if table_bytes > TABLE_BYTES_MAX {
                    return None;
                }
                let right = vec![0; n * (n_levels + 1)];
                *feature = Feature::Text(Sets { first: n_columns, n, right });
                n_columns = n_columns.checked_add(u16::try_from(n).ok()?)?;
            } else if !cuts[index].is_empty() {
                let mut cuts = Cuts::new(std::mem::take(&mut cuts[index]))?;
                for (column, used) in cuts.columns.iter_mut().zip(used[index]) {
                    if used {
                        *column = Some(n_columns);
                        n_columns = n_columns.checked_add(1)?;
                    }
                }
                code_max = code_max.max(cuts.n);
                *feature = Feature::Num(cuts);
            }
        }
        let mut coder = Coder { features, n_columns: usize::from(n_columns), code_max };
        let tests = coder.tests(forest);
        Some((coder, tests))
    }

    fn tests(&mut self, forest: &Forest) -> Vec<Test> {
        let mut tests = Vec::with_capacity(forest.feature.len());
        let mut n_seen = vec![0usize; self.features.len()];
        for tree in forest.trees() {
            for (split, &index) in tree.feature.iter().enumerate() {
                let index = index as usize;
                tests.push(match &mut self.features[index] {
                    Feature::Num(cuts) => {
                        cuts.test(tree.threshold[split], tree.default_left[split])
                    }
                    Feature::Text(sets) => {
                        let at = n_seen[index];
                        n_seen[index] += 1;
                        sets.fill(at, forest, &tree, split);
                        Test { column: sets.first + at as u16, limit: 0 }
                    }
                    Feature::Unused => Test { column: 0, limit: 0 },
                });
            }
        }
        tests
    }

    /// The number of codes of a row, at least 1.
    pub fn n_columns(&self) -> usize {
        self.n_columns.max(1)
    }

    /// Whether every code is at most 255.
    pub fn is_narrow(&self) -> bool {
        self.code_max <= 255
    }

    /// Finds the levels of the labels that the block has.
    pub fn read_levels(&self, forest: &Forest, batch: &Batch, slots: &[usize], out: &mut Vec<u32>) {
        out.clear();
        for (index, feature) in self.features.iter().enumerate() {
            if let (Feature::Text(_), Column::Text(text)) = (feature, batch.column(slots[index])) {
                let levels = &forest.levels[index];
                let unknown = levels.len();
                out.extend(text.levels().map(|label| {
                    levels.binary_search_by(|l| l.as_str().cmp(label)).unwrap_or(unknown) as u32
                }));
            }
        }
    }

    /// Writes the codes of some rows: column c of the row at place r goes to
    /// `codes[c * column_step + r * row_step]`. `levels` is what `read_levels` found.
    pub fn write<C: Copy>(
        &self,
        (batch, slots, rows): (&Batch, &[usize], Range<usize>),
        levels: &[u32],
        (column_step, row_step): (usize, usize),
        codes: &mut [C],
        code: impl Fn(u16) -> C,
    ) {
        let mut levels = levels;
        for (feature, &slot) in self.features.iter().zip(slots) {
            match (feature, batch.column(slot)) {
                (Feature::Num(cuts), Column::Num(values)) => {
                    let values = values[rows.clone()].iter().copied();
                    cuts.write(values, (column_step, row_step), codes, &code);
                }
                (Feature::Num(cuts), _) => {
                    let values = rows.clone().map(|_| math::MISSING);
                    cuts.write(values, (column_step, row_step), codes, &code);
                }
                (Feature::Text(sets), Column::Text(text)) => {
                    let (own, others) = levels.split_at(text.n_levels());
                    levels = others;
                    let labels = text.codes()[rows.clone()].iter();
                    let found = labels.map(|&label| match label {
                        MISSING_CODE => sets.n_levels(),
                        label => own[label as usize] as usize,
                    });
                    sets.write(found, (column_step, row_step), codes, &code);
                }
                (Feature::Text(sets), _) => {
                    let found = rows.clone().map(|_| sets.n_levels());
                    sets.write(found, (column_step, row_step), codes, &code);
                }
                (Feature::Unused, _) => {}
            }
        }
    }
}

impl Cuts {
    fn new(mut thresholds: Vec<f64>) -> Option<Self> {
        if thresholds.iter().any(|threshold| !threshold.is_finite()) {
            return None;
        }
        thresholds.sort_by(|a, b| math::total_cmp(*a, *b));
        thresholds.dedup_by(|a, b| a == b);
        let n = u16::try_from(thresholds.len()).ok().filter(|&n| n < u16::MAX)?;
        thresholds.resize((thresholds.len() + 1).next_power_of_two() - 1, f64::MAX);
        Some(Cuts { thresholds, n, columns: [None; 2] })
    }

    fn test(&self, threshold: f64, is_missing_left: bool) -> Test {
        let column = self.columns[usize::from(!is_missing_left)].unwrap_or(0);
        Test { column, limit: self.below(threshold) }
    }

    /// How many thresholds are below x.
    fn below(&self, x: f64) -> u16 {
        let [place] = self.below_each([x]);
        place
    }

    /// How many thresholds are below each number: searches in step, so that each waits while the
    /// others go on. The sign of a difference decides, which no compiler makes a branch of.
    #[inline]
    fn below_each<const N: usize>(&self, xs: [f64; N]) -> [u16; N] {
        let xs = xs.map(|x| if x.is_nan() { f64::NEG_INFINITY } else { x });
        let mut places = [0usize; N];
        let mut bit = self.thresholds.len().trailing_ones();
        while bit > 0 {
            bit -= 1;
            let middles = &self.thresholds[(1 << bit) - 1..];
            for (place, x) in places.iter_mut().zip(xs) {
                let is_above = (middles[*place] - x).to_bits() >> 63;
                *place |= (is_above as usize) << bit;
            }
        }
        // The last places are no thresholds.
        places.map(|place| if place < usize::from(self.n) { place as u16 } else { self.n })
    }

    fn write<C: Copy>(
        &self,
        mut values: impl ExactSizeIterator<Item = f64>,
        steps: (usize, usize),
        codes: &mut [C],
        code: impl Fn(u16) -> C,
    ) {
        let mut first = 0;
        while values.len() > 0 {
            if values.len() < N_STEP {
                self.write_some(
                    [values.next().unwrap_or(math::MISSING)],
                    first,
                    steps,
                    codes,
                    &code,
                );
                first += 1;
            } else {
                let some = std::array::from_fn(|_| values.next().unwrap_or(math::MISSING));
                self.write_some::<C, N_STEP>(some, first, steps, codes, &code);
                first += N_STEP;
            }
        }
    }

    /// Writes the codes of rows from `first` on.
    #[inline]
    fn write_some<C: Copy, const N: usize>(
        &self,
        values: [f64; N],
        first: usize,
        (column_step, row_step): (usize, usize),
        codes: &mut [C],
        code: impl Fn(u16) -> C,
    ) {
        let below = self.below_each(values);
        let start = |column: u16| usize::from(column) * column_step + first * row_step;
        if let Some(left) = self.columns[0].map(start) {
            let places = codes[left..].iter_mut().step_by(row_step);
            places.zip(below).for_each(|(place, below)| *place = code(below));
        }
        if let Some(right) = self.columns[1].map(start) {
            let places = codes[right..].iter_mut().step_by(row_step);
            for (place, (below, x)) in places.zip(below.into_iter().zip(values)) {
                *place = code(if x.is_nan() { self.n } else { below });
            }
        }
    }
}

impl Sets {
    fn n_levels(&self) -> usize {
        self.right.len() / self.n - 1
    }

    /// Notes where each level goes at the split that is number `at` of this feature.
    fn fill(&mut self, at: usize, forest: &Forest, tree: &Tree<'_>, split: usize) {
        let set = forest.set(tree.threshold[split] as usize);
        let n_levels = self.n_levels();
        for level in 0..n_levels {
            let is_left = set.binary_search(&(level as u32)).is_ok();
            self.right[level * self.n + at] = u8::from(!is_left);
        }
        self.right[n_levels * self.n + at] = u8::from(!tree.default_left[split]);
    }

    fn write<C: Copy>(
        &self,
        levels: impl Iterator<Item = usize>,
        (column_step, row_step): (usize, usize),
        codes: &mut [C],
        code: impl Fn(u16) -> C,
    ) {
        for (row, level) in levels.enumerate() {
            let start = usize::from(self.first) * column_step + row * row_step;
            let right = &self.right[level * self.n..(level + 1) * self.n];
            let places = codes[start..].iter_mut().step_by(column_step);
            places.zip(right).for_each(|(place, &right)| *place = code(u16::from(right)));
        }
    }
}
