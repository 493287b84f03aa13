//! The rows of a fit without their columns: target, weight, key.

use std::ops::Range;

use crate::aggregate::Rows;
use crate::digest::RowKey;
use crate::error::{Code, Error, Result};
use crate::math::{self, ExactSum};
use crate::models::ClassWeight;
use crate::step::FitContext;

/// What a fit knows of each row besides its bins. Rows of weight 0 are left out.
pub(in crate::models) struct Table {
    pub target: Targets,
    /// Empty if every weight is 1.
    pub weight: Vec<f64>,
    /// Empty if no draw is asked for.
    pub keys: Vec<RowKey>,
    /// The rows taken, per block.
    pub kept: Vec<Kept>,
}

/// The target of each row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::models) enum Targets {
    /// Whole numbers of a byte, such as classes.
    Small(Vec<u8>),
    Any(Vec<f64>),
}

impl Targets {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Targets::Small(all) => all.len(),
            Targets::Any(all) => all.len(),
        }
    }

    /// That of a row.
    #[inline]
    pub fn at(&self, row: usize) -> f64 {
        match self {
            Targets::Small(all) => f64::from(all[row]),
            Targets::Any(all) => all[row],
        }
    }

    /// Those of all rows in order.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).map(|row| self.at(row))
    }

    /// Puts those of some rows into `out`, whatever that held.
    pub fn read(&self, rows: Range<usize>, out: &mut Vec<f64>) {
        out.clear();
        match self {
            Targets::Small(all) => out.extend(all[rows].iter().map(|&y| f64::from(y))),
            Targets::Any(all) => out.extend_from_slice(&all[rows]),
        }
    }

    /// Adds those of further rows.
    fn extend(&mut self, more: impl Iterator<Item = f64> + Clone) {
        let small = |y: f64| f64::from(y as u8) == y;
        if let (Targets::Small(all), false) = (&*self, more.clone().all(small)) {
            *self = Targets::Any(all.iter().map(|&y| f64::from(y)).collect());
        }
        match self {
            Targets::Small(all) => all.extend(more.map(|y| y as u8)),
            Targets::Any(all) => all.extend(more),
        }
    }
}

/// The rows that are taken of a block.
pub(in crate::models) enum Kept {
    /// So many, which are all.
    All(usize),
    /// These, ascending.
    Some(Vec<u32>),
}

impl Kept {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Kept::All(n) => *n,
            Kept::Some(rows) => rows.len(),
        }
    }

    /// What belongs to the rows that are taken, of what belongs to all.
    pub fn of<'a, T: Copy>(&'a self, all: &'a [T]) -> impl Iterator<Item = T> + Clone + 'a {
        let (whole, rows): (&[T], &[u32]) = match self {
            Kept::All(_) => (all, &[]),
            Kept::Some(rows) => (&[], rows),
        };
        whole.iter().copied().chain(rows.iter().map(|&row| all[row as usize]))
    }
}

impl Table {
    /// Reads the rows, with their keys if something is drawn by row.
    ///
    /// # Errors
    /// If there is no row with a weight, a target is missing or infinite, or a weight is negative,
    /// missing or infinite.
    pub fn new(rows: &dyn Rows, draws_rows: bool) -> Result<Self> {
        let mut table = Table {
            target: Targets::Small(Vec::new()),
            weight: Vec::new(),
            keys: Vec::new(),
            kept: Vec::new(),
        };
        let mut bad: Option<Error> = None;
        for index in 0..rows.n_blocks() {
            rows.with_block(index, &mut |block| {
                let weights = block.weights();
                let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
                for row in 0..block.n_rows() {
                    if let Some(error) = bad_row(block.target()[row], weight(row)) {
                        bad.get_or_insert(error.row(block.source_row(row)));
                    }
                }
                let n_rows = block.n_rows();
                let kept = if (0..n_rows).all(|row| weight(row) > 0.0) {
                    Kept::All(n_rows)
                } else {
                    let all = 0..n_rows as u32;
                    Kept::Some(all.filter(|&row| weight(row as usize) > 0.0).collect())
                };
                let before = table.target.len();
                table.target.extend(kept.of(block.target()));
                if draws_rows {
                    table.keys.extend(kept.of(block.fit_keys()));
                }
                if !weights.is_empty() || !table.weight.is_empty() {
                    table.weight.resize(before, 1.0);
                    match weights.is_empty() {
                        true => table.weight.resize(table.target.len(), 1.0),
                        false => table.weight.extend(kept.of(weights)),
                    }
                }
                table.kept.push(kept);
            })?;
        }
        if let Some(error) = bad {
            return Err(error);
        }
        if table.target.len() == 0 {
            let message = "expected rows with a weight above 0 to fit on, found none";
            return Err(Error::new(Code::TooFewRows, message));
        }
        if table.target.len() > u32::MAX as usize / 2 {
            let message = format!("expected at most 2^31 rows, found {}", table.target.len());
            return Err(Error::new(Code::LimitExceeded, message));
        }
        if table.weight.iter().all(|&w| w == 1.0) {
            table.weight = Vec::new();
        }
        Ok(table)
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.target.len()
    }

    /// The weight of a row.
    #[inline]
    pub fn weight_of(&self, row: usize) -> f64 {
        if self.weight.is_empty() { 1.0 } else { self.weight[row] }
    }

    /// The total weight per class.
    pub fn class_totals(&self, n_classes: usize) -> Vec<f64> {
        let mut totals = vec![ExactSum::new(); n_classes];
        for (row, y) in self.target.iter().enumerate() {
            if let Some(total) = totals.get_mut(y as usize) {
                total.add(self.weight_of(row));
            }
        }
        totals.iter().map(ExactSum::round).collect()
    }

    /// Multiplies each row's weight by what a row of its class counts.
    ///
    /// # Errors
    /// If a table of class weights has other labels than the target.
    pub fn weigh_classes(&mut self, weights: &ClassWeight, ctx: &FitContext<'_>) -> Result<()> {
        if *weights == ClassWeight::None || ctx.n_classes == 0 {
            return Ok(());
        }
        let totals = self.class_totals(ctx.n_classes as usize);
        let all: ExactSum = totals.iter().fold(ExactSum::new(), |mut sum, &x| {
            sum.add(x);
            sum
        });
        let Some(factors) = weights.factors(all.round(), &totals, ctx.labels)? else {
            return Ok(());
        };
        let factor = |y: f64| factors.get(y as usize).copied().unwrap_or(1.0);
        self.weight = (0..self.n_rows())
            .map(|row| self.weight_of(row) * factor(self.target.at(row)))
            .collect();
        if self.weight.iter().all(|&w| w == 1.0) {
            self.weight = Vec::new();
        }
        Ok(())
    }

    /// The weighted mean of the target over `rows`.
    pub fn mean(&self, rows: &[u32]) -> f64 {
        let (mut sum, mut weight) = (ExactSum::new(), ExactSum::new());
        for &row in rows {
            let w = self.weight_of(row as usize);
            sum.add_product(w, self.target.at(row as usize));
            weight.add(w);
        }
        sum.round() / weight.round()
    }
}

fn bad_row(target: f64, weight: f64) -> Option<Error> {
    if math::is_missing(target) {
        return Some(Error::new(Code::MissingValue, "expected a target, found a missing value"));
    }
    if !target.is_finite() {
        return Some(Error::new(Code::NotFinite, "expected a finite target, found an infinity"));
    }
    if !(weight >= 0.0 && weight.is_finite()) {
        let message = format!("expected a weight of at least 0, found {weight}");
        return Some(Error::new(Code::BadValue, message));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_a_byte_grow_to_any_where_they_must() {
        let mut targets = Targets::Small(Vec::new());
        targets.extend([0.0, 255.0].into_iter());
        assert_eq!(targets, Targets::Small(vec![0, 255]));
        for wide in [256.0, 0.5, -1.0] {
            let mut targets = targets.clone();
            targets.extend([1.0, wide].into_iter());
            assert_eq!(targets, Targets::Any(vec![0.0, 255.0, 1.0, wide]));
            let mut some = vec![9.0];
            targets.read(1..3, &mut some);
            assert_eq!(some, [255.0, 1.0]);
        }
        assert!(targets.iter().eq([0.0, 255.0]));
    }

    #[test]
    fn what_is_kept_of_a_block() {
        let all = [10, 11, 12];
        assert!(Kept::All(3).of(&all).eq(all));
        let some = Kept::Some(vec![0, 2]);
        assert!(some.of(&all).eq([10, 12]));
        assert_eq!((some.len(), Kept::All(3).len()), (2, 3));
    }
}
