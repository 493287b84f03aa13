//! A whole source whose columns nobody has declared: kinds inferred over all rows, and the rows,
//! from one reading.
//!
//! # Method
//! The first value of a column says as what it is kept; the inference looks on. A column that ends
//! as another kind than it is kept as (numbers first, a label in row one million) is read once
//! more, as the kind that it has. The result is what [`infer`](fn@super::infer) and
//! [`read`] give, one after the other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use samescore_core::batch::{
    Batch, Column, ColumnKind, Field, MISSING_CODE, MISSING_TIME, Schema, TextColumn,
};
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::infer::{Seen, check_delimiter, infer, is_num, is_padded, no_rows, of_snapshot};
use super::table::take;
use super::taker::{Filling, Part, Stored, Taker, Unlike};
use super::{Source, fill, filled, read};

/// All columns of a source with inferred kinds, in name order. `missing` are the texts that mean
/// missing.
///
/// # Errors
/// As [`infer`](fn@super::infer) and [`read`]; and if the source changed between two
/// readings.
pub fn read_inferred(source: impl Into<Source>, missing: &[String]) -> Result<Batch> {
    let source = source.into();
    if let Some(columns) = of_snapshot(&source)? {
        let data = DataConfig { columns, missing: missing.to_vec(), ..DataConfig::default() };
        return read(&source, &data, &[]);
    }
    if source.is_told_twice()? {
        // Cells are compared as values of a kind, which is known when all of them have been seen.
        let columns = infer(&source, missing)?;
        let data = DataConfig { columns, missing: missing.to_vec(), ..DataConfig::default() };
        return read(source, &data, &[]);
    }
    let taken = take(&source, None, &|_: &str| Guess::new(missing))?;
    if taken.n_rows == 0 {
        return Err(no_rows(&source));
    }
    check_delimiter(&source, &taken.names)?;
    let mut columns: BTreeMap<String, Filling> = BTreeMap::new();
    let mut again: BTreeMap<String, ColumnConfig> = BTreeMap::new();
    let mut guesses: Vec<Option<Guess>> = taken.columns.into_iter().map(Some).collect();
    let finished = par::map_mut(&mut guesses, |guess| {
        let guess = guess.take()?;
        let kind = guess.seen.kind();
        Some((kind, guess.finish(kind, missing)))
    });
    for (name, finished) in taken.names.into_iter().zip(finished) {
        match finished {
            Some((_, Some(filling))) => drop(columns.insert(name, filling)),
            Some((kind, None)) => drop(again.insert(name, kind.into())),
            None => {}
        }
    }
    if !again.is_empty() {
        let fillings = fill(&source, &again, missing)?;
        if let Some(other) = fillings.iter().find(|filling| filling.n_rows() != taken.n_rows) {
            return Err(changed(&source, taken.n_rows, other.n_rows()));
        }
        columns.extend(again.into_keys().zip(fillings));
    }
    let fields = columns.iter().map(|(name, filling)| Field::new(name, filling.column.kind()));
    let schema = Arc::new(Schema::new(fields)?);
    filled(&schema, columns.into_values().collect())
}

fn changed(source: &Source, before: usize, after: usize) -> Error {
    let message = format!("`{source}`: expected {before} rows again, found {after}");
    Error::new(Code::SourceChanged, message).remedy("read it when nobody writes to it")
}

/// A column that is kept as what its first value is.
struct Guess {
    seen: Seen,
    missing: Vec<String>,
    /// Rows before the first value.
    n_before: usize,
    /// Rows that are said to come.
    n_to_come: usize,
    kept: Kept,
}

enum Kept {
    /// No value yet.
    Nothing,
    /// Of that kind so far.
    Column(Box<Filling>),
    /// Of two kinds: to be read again.
    Mixed,
}

impl Guess {
    fn new(missing: &[String]) -> Self {
        let seen = Seen::new(missing);
        let missing = missing.to_vec();
        Guess { seen, missing, n_before: 0, n_to_come: 0, kept: Kept::Nothing }
    }

    fn filling(&self, kind: ColumnKind) -> Filling {
        let mut filling = Filling::new(&kind.into(), &self.missing);
        filling.reserve(self.n_to_come);
        (0..self.n_before).for_each(|_| filling.missing());
        filling
    }

    /// The column of the kept kind; `kind` if there is none yet. `None` if what follows cannot
    /// change that it is read again.
    fn column(&mut self, kind: ColumnKind) -> Option<&mut Filling> {
        if matches!(self.kept, Kept::Nothing) {
            self.kept = Kept::Column(Box::new(self.filling(kind)));
        }
        match &mut self.kept {
            Kept::Column(filling) => Some(filling),
            Kept::Nothing | Kept::Mixed => None,
        }
    }

    fn mix(&mut self) {
        self.kept = Kept::Mixed;
    }

    /// The values as `kind`, unless they must be read again.
    fn finish(self, kind: ColumnKind, missing: &[String]) -> Option<Filling> {
        let filling = match self.kept {
            Kept::Nothing => self.filling(kind),
            Kept::Column(filling) => *filling,
            Kept::Mixed => return None,
        };
        match (&filling.column, kind) {
            (kept, kind) if kept.kind() == kind => Some(filling),
            (Column::Text(labels), ColumnKind::Time) => Some(times(labels, missing)),
            _ => None,
        }
    }
}

/// The times that labels are, each level read once.
fn times(labels: &TextColumn, missing: &[String]) -> Filling {
    let mut levels = Filling::new(&ColumnKind::Time.into(), missing);
    labels.levels().for_each(|level| levels.text(level));
    let mut times = Filling::new(&ColumnKind::Time.into(), missing);
    match &levels.column {
        Column::Time(read) if levels.faults.is_empty() => {
            let time = |&code: &u32| match code {
                MISSING_CODE => MISSING_TIME,
                code => read[code as usize],
            };
            times.column = Column::Time(labels.codes().iter().map(time).collect());
        }
        // Which rows have a fault is found row by row.
        _ => (0..labels.len()).for_each(|row| match labels.get(row) {
            Some(label) => times.text(label),
            None => times.missing(),
        }),
    }
    times
}

/// The levels of a text column.
fn n_levels(column: &Column) -> Option<usize> {
    match column {
        Column::Text(labels) => Some(labels.n_levels()),
        Column::Num(_) | Column::Time(_) => None,
    }
}

/// Cells up to the first one that is no number although its digits read as one.
struct Plain<'c, 'i, I> {
    cells: &'i mut I,
    padded: Option<Cow<'c, str>>,
}

impl<'c, I: Iterator<Item = Cow<'c, str>>> Iterator for Plain<'c, '_, I> {
    type Item = Cow<'c, str>;

    #[inline]
    fn next(&mut self) -> Option<Cow<'c, str>> {
        let cell = self.cells.next()?;
        if is_padded(&cell) {
            self.padded = Some(cell);
            return None;
        }
        Some(cell)
    }
}

impl Taker for Guess {
    fn missing(&mut self) {
        match &mut self.kept {
            Kept::Nothing => self.n_before += 1,
            Kept::Column(filling) => filling.missing(),
            Kept::Mixed => {}
        }
    }

    fn text(&mut self, cell: &str) {
        if self.seen.is_marker(cell) {
            return self.missing();
        }
        if let Kept::Column(filling) = &mut self.kept
            && filling.column.kind() == ColumnKind::Num
        {
            if is_num(cell) {
                filling.text(cell);
                return self.seen.see(true, false);
            }
            self.mix();
        }
        if let Kept::Column(filling) = &mut self.kept
            && let Some(before) = n_levels(&filling.column)
        {
            let n_faults = filling.faults.len();
            filling.text(cell);
            // A label that was there before has been looked at.
            if n_levels(&filling.column) != Some(before) || filling.faults.len() != n_faults {
                self.seen.text(cell);
            }
            return;
        }
        let was_empty = matches!(self.kept, Kept::Nothing);
        self.seen.text(cell);
        let kind = if was_empty && self.seen.is_num() { ColumnKind::Num } else { ColumnKind::Text };
        let is_time = |filling: &Filling| filling.column.kind() == ColumnKind::Time;
        match self.column(kind) {
            Some(filling) if is_time(filling) => self.mix(),
            Some(filling) => filling.text(cell),
            None => {}
        }
    }

    fn texts<'c>(&mut self, mut cells: impl Iterator<Item = Cow<'c, str>>) {
        loop {
            // What is kept as numbers began with one: another changes nothing of what was seen.
            let cell = match &mut self.kept {
                Kept::Column(filling) => {
                    let mut plain = Plain { cells: &mut cells, padded: None };
                    let cell = filling.short(&mut plain);
                    cell.or(plain.padded)
                }
                Kept::Nothing | Kept::Mixed => cells.next(),
            };
            match cell {
                Some(cell) => self.text(&cell),
                None => return,
            }
        }
    }

    fn reserve(&mut self, n_rows: usize) {
        self.n_to_come = n_rows;
    }

    fn integer(&mut self, value: i128) {
        self.seen.integer(value);
        let kind = if self.seen.is_num() { ColumnKind::Num } else { ColumnKind::Text };
        if let Some(filling) = self.column(kind) {
            filling.integer(value);
        }
    }

    fn float(&mut self, value: f64) {
        if value.is_nan() {
            return self.missing();
        }
        self.seen.float(value);
        if let Some(filling) = self.column(ColumnKind::Num) {
            filling.float(value);
        }
    }

    fn floats(&mut self, values: &[f64]) {
        match values.iter().find(|value| !value.is_nan()) {
            None => values.iter().for_each(|_| self.missing()),
            Some(first) => {
                self.seen.float(*first);
                if let Some(filling) = self.column(ColumnKind::Num) {
                    filling.floats(values);
                }
            }
        }
    }

    fn bool(&mut self, value: bool) {
        self.seen.bool(value);
        if let Some(filling) = self.column(ColumnKind::Text) {
            filling.bool(value);
        }
    }

    fn time(&mut self, micros: Option<i64>) {
        self.seen.time(micros);
        if let Some(filling) = self.column(ColumnKind::Time) {
            filling.time(micros);
        }
    }

    fn local_time(&mut self, micros: Option<i64>) {
        // An inferred column has no zone.
        self.time(micros);
    }

    fn refused(&mut self, why: Error) {
        self.seen.refused(why.clone());
        if let Some(filling) = self.column(ColumnKind::Text) {
            filling.refused(why);
        }
    }

    fn expect(&mut self, _: Stored) -> Result<()> {
        Ok(())
    }
}

impl Part for Guess {
    fn append(&mut self, parts: Vec<Self>) {
        let seen = |guess: &Guess| guess.seen.clone();
        self.seen.append(parts.iter().map(seen).collect());
        let kinds = parts.iter().filter_map(|part| match &part.kept {
            Kept::Column(filling) => Some(filling.column.kind()),
            Kept::Nothing | Kept::Mixed => None,
        });
        let mut kinds: Vec<ColumnKind> = kinds.collect();
        kinds.dedup();
        let is_mixed = parts.iter().any(|part| matches!(part.kept, Kept::Mixed));
        if is_mixed || kinds.len() > 1 || matches!(self.kept, Kept::Mixed) {
            return self.mix();
        }
        let Some(&kind) = kinds.first() else {
            let n_rows = parts.iter().map(|part| part.n_before).sum::<usize>();
            (0..n_rows).for_each(|_| self.missing());
            return;
        };
        let fillings = parts.into_iter().map(|part| match part.kept {
            Kept::Column(filling) => *filling,
            Kept::Nothing | Kept::Mixed => part.filling(kind),
        });
        let fillings: Vec<Filling> = fillings.collect();
        match self.column(kind) {
            Some(filling) if filling.column.kind() == kind => filling.append(fillings),
            _ => self.mix(),
        }
    }

    fn of_file(&mut self, path: &Path) {
        if let Kept::Column(filling) = &mut self.kept {
            filling.of_file(path);
        }
    }

    /// Columns that two places give are read when their kind is known.
    fn same_as(self, _: Self) -> Result<Self, Unlike> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two readings give is what one gives.
    fn check(text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let missing = ["?".to_owned()];
        let columns = infer(&path, &missing).unwrap();
        let data = DataConfig { columns, missing: missing.to_vec(), ..DataConfig::default() };
        let expected = read(&path, &data, &[]).unwrap();
        let found = read_inferred(&path, &missing).unwrap();
        assert_eq!(found.schema(), expected.schema(), "{text}");
        for (a, b) in found.columns().iter().zip(expected.columns()) {
            for row in 0..expected.n_rows() {
                assert_eq!(a.value(row).to_string(), b.value(row).to_string(), "{text}");
            }
        }
        assert_eq!(found.faults(), expected.faults());
    }

    #[test]
    fn one_reading_gives_what_two_give() {
        check("b,a\n1,x\n,?\n2.5,y\n");
        check("a\n?\n1\n01\nx\n");
        check("a,b,c\n1,01,1\n2,2,NaN\n03,3,2\n4,4,inf\n");
        check("a,b,c\nNaN,1,0.1\n1,1e400,0.1000000000000000056\n,2,\n");
        check("a,b,c\n,2020-01-01,\n1,,2\n2,2020-01-02T10:00Z,\n");
        check("a,b\n2020-01-01,1\nx,2020-01-01\n");
        check("a,b\n9007199254740993,1e400\n1,true\n");
        check("a,b\n,\n?,\"\"\n");
        // A cell that no column can take is a fault, also in a column that is read again.
        check("a,b\n1,x\u{0}\nx\u{0},y\n");
    }
}
