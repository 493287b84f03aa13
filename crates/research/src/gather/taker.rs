//! Cells of any source to values: what a source stores, in its own types, as it comes.
//!
//! # Method
//! Every reader shows each cell to a [`Taker`], in the type in which the source has it. [`Filling`]
//! makes a column of a declared kind of the cells; the inference of a schema is another taker. So
//! one table here says what a stored value is, whatever file or server it stands in.
//!
//! # Shape
//! | stored as | num | text | time |
//! |---|---|---|---|
//! | integer | itself, up to 2^53 | its decimal digits | refused |
//! | float | itself | refused | refused |
//! | bool | 0 or 1 | `false` or `true` | refused |
//! | text, decimal | read as a CSV cell | itself | read as a CSV cell |
//! | timestamp with a zone | refused | refused | its instant, whole microseconds |
//! | date, timestamp without one | refused | refused | local time of the declared zone, or UTC |

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use samescore_core::batch::{CellReader, Column, ColumnKind, TextColumn, push_missing, show_num};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};

/// Years 1 to 9999, as text sources allow.
const TIME_MIN: i64 = -62_135_596_800_000_000;
const TIME_MAX: i64 = 253_402_300_799_999_999;

/// The type in which a source stores a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Integer,
    Float,
    Bool,
    Text,
    Time,
}

impl Stored {
    /// What messages call it.
    fn name(self) -> &'static str {
        match self {
            Stored::Integer => "integer",
            Stored::Float => "float",
            Stored::Bool => "bool",
            Stored::Text => "text",
            Stored::Time => "date or timestamp",
        }
    }

    /// Whether a column of that kind takes it.
    fn fits(self, kind: ColumnKind) -> bool {
        match self {
            Stored::Text => true,
            Stored::Integer | Stored::Bool => kind != ColumnKind::Time,
            Stored::Float => kind == ColumnKind::Num,
            Stored::Time => kind == ColumnKind::Time,
        }
    }
}

/// Takes the cells of one column, one call per row.
pub(super) trait Taker {
    /// No value.
    fn missing(&mut self);
    /// A text; a decimal number comes as its digits.
    fn text(&mut self, cell: &str);
    /// Texts, one after the other.
    fn texts<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) {
        cells.for_each(|cell| self.text(&cell));
    }
    /// So many cells will come, if nothing goes wrong.
    fn reserve(&mut self, _n_rows: usize) {}
    /// An integer.
    fn integer(&mut self, value: i128);
    /// A float; NaN is missing.
    fn float(&mut self, value: f64);
    /// Floats, one after the other; NaN is missing.
    fn floats(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.float(*value));
    }
    /// A truth value.
    fn bool(&mut self, value: bool);
    /// An instant in microseconds of UTC; `None` if it has no whole ones.
    fn time(&mut self, micros: Option<i64>);
    /// A date or time that says no zone, in microseconds as if it were UTC; `None` as above. It is
    /// a local time of the zone that is declared.
    fn local_time(&mut self, micros: Option<i64>);
    /// A cell that no column can take, such as one with a NUL byte, and why.
    fn refused(&mut self, why: Error);
    /// The source stores the whole column in that type, or has no value in it.
    ///
    /// # Errors
    /// If the declared kind cannot take it.
    fn expect(&mut self, stored: Stored) -> Result<()>;
}

/// A taker of which each thread, or each file, has its own.
pub(super) trait Part: Taker + Send + Sized {
    /// Takes over what the others took, as if it had come behind its own cells.
    fn append(&mut self, parts: Vec<Self>);

    /// The cells were those of a file that is one of several: what is wrong with them is there.
    fn of_file(&mut self, path: &Path);

    /// These cells, which another place gives as well, as `given`.
    ///
    /// # Errors
    /// The first row in which the two are not the same value.
    fn same_as(self, given: Self) -> Result<Self, Unlike>;
}

/// A row of which two places do not say the same.
pub(super) struct Unlike {
    pub(super) row: usize,
    /// What the other place says.
    pub(super) expected: String,
    pub(super) found: String,
}

/// A column of a declared kind, and the rows whose cell could not be read.
pub(super) struct Filling {
    reader: CellReader,
    pub(super) column: Column,
    pub(super) faults: Vec<(usize, Error)>,
}

impl Filling {
    pub(super) fn new(declared: &ColumnConfig, missing: &[String]) -> Self {
        let reader = declared.reader(missing);
        Filling { column: Column::empty(declared.kind), faults: Vec::new(), reader }
    }

    /// Takes the numbers of few digits that come first, and gives the cell behind them.
    #[inline]
    pub(super) fn short<'c>(
        &mut self,
        cells: &mut impl Iterator<Item = Cow<'c, str>>,
    ) -> Option<Cow<'c, str>> {
        self.reader.push_short(&mut self.column, cells)
    }

    /// The number of cells taken.
    pub(super) fn n_rows(&self) -> usize {
        self.column.len()
    }

    fn fault(&mut self, error: Error) {
        self.faults.push((self.column.len(), error));
        push_missing(&mut self.column);
    }

    fn refuse(&mut self, stored: Stored) {
        let error = misfit(self.column.kind(), stored);
        self.fault(error);
    }
}

fn misfit(kind: ColumnKind, stored: Stored) -> Error {
    Error::new(Code::WrongKind, format!("expected {kind}, found {}", stored.name()))
        .remedy("declare the kind that the source has, and cast it in a step")
}

/// A float among labels, as a table of SQLite may have it.
fn labelled(value: f64) -> Error {
    let message = format!("expected text, found float {}", show_num(value));
    Error::new(Code::WrongKind, message)
        .remedy("a float has no one text: cast it in the query, or declare the column as num")
}

impl Taker for Filling {
    fn missing(&mut self) {
        push_missing(&mut self.column);
    }

    fn text(&mut self, cell: &str) {
        let row = self.column.len();
        if let Err(error) = self.reader.push(&mut self.column, cell) {
            self.faults.push((row, error));
        }
    }

    fn texts<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) {
        let faults = &mut self.faults;
        self.reader.push_all(&mut self.column, cells, |row, error| faults.push((row, error)));
    }

    fn reserve(&mut self, n_rows: usize) {
        self.column.reserve(n_rows);
    }

    fn integer(&mut self, value: i128) {
        match &mut self.column {
            Column::Num(numbers) => match self.reader.integer(value) {
                Ok(x) => numbers.push(x),
                Err(error) => self.fault(error),
            },
            Column::Text(labels) => push_label(labels, &value.to_string(), &self.reader),
            Column::Time(_) => self.refuse(Stored::Integer),
        }
    }

    fn float(&mut self, value: f64) {
        match &mut self.column {
            Column::Num(numbers) => numbers.push(self.reader.num(value)),
            _ if value.is_nan() => self.missing(),
            Column::Text(_) => self.fault(labelled(value)),
            Column::Time(_) => self.refuse(Stored::Float),
        }
    }

    fn floats(&mut self, values: &[f64]) {
        match &mut self.column {
            Column::Num(numbers) => self.reader.nums(numbers, values),
            _ => values.iter().for_each(|value| self.float(*value)),
        }
    }

    fn bool(&mut self, value: bool) {
        match &mut self.column {
            Column::Num(numbers) => numbers.push(self.reader.num(f64::from(u8::from(value)))),
            Column::Text(labels) => push_label(labels, bool_label(value), &self.reader),
            Column::Time(_) => self.refuse(Stored::Bool),
        }
    }

    fn time(&mut self, micros: Option<i64>) {
        match (&mut self.column, in_range(micros)) {
            (Column::Time(times), Ok(micros)) => times.push(self.reader.time(micros)),
            (Column::Time(_), Err(error)) => self.fault(error),
            _ => self.refuse(Stored::Time),
        }
    }

    fn local_time(&mut self, micros: Option<i64>) {
        let read = in_range(micros).and_then(|micros| self.reader.local_time(micros));
        match (&mut self.column, read) {
            (Column::Time(times), Ok(time)) => times.push(time),
            (Column::Time(_), Err(error)) => self.fault(error),
            _ => self.refuse(Stored::Time),
        }
    }

    fn refused(&mut self, why: Error) {
        self.fault(why);
    }

    fn expect(&mut self, stored: Stored) -> Result<()> {
        match stored.fits(self.column.kind()) {
            true => Ok(()),
            false => Err(misfit(self.column.kind(), stored)),
        }
    }
}

impl Part for Filling {
    fn append(&mut self, mut parts: Vec<Self>) {
        if let ([only], 0) = (parts.as_mut_slice(), self.n_rows()) {
            std::mem::swap(&mut self.column, &mut only.column);
            self.faults.append(&mut only.faults);
            return;
        }
        let columns: Vec<&Column> = parts.iter().map(|part| &part.column).collect();
        let mut before = self.n_rows();
        self.column.append(&columns);
        for part in parts {
            let n_rows = part.n_rows();
            self.faults.extend(part.faults.into_iter().map(|(row, error)| (before + row, error)));
            before += n_rows;
        }
    }

    fn of_file(&mut self, path: &Path) {
        for (row, error) in &mut self.faults {
            let message = format!("`{}` row {row}: {}", path.display(), error.message());
            let named = Error::new(error.code(), message);
            *error = match error.remedy_text() {
                Some(remedy) => named.remedy(remedy),
                None => named,
            };
        }
    }

    fn same_as(mut self, mut given: Self) -> Result<Self, Unlike> {
        let (own, other) = (&self.column, &given.column);
        let faults = self.faults.iter().chain(&given.faults);
        let faulty: BTreeSet<usize> = faults.map(|(row, _)| *row).collect();
        let differs = |row: &usize| !faulty.contains(row) && !is_same(own, other, *row);
        if let Some(row) = (0..own.len()).find(differs) {
            let (expected, found) = (other.value(row).to_string(), own.value(row).to_string());
            return Err(Unlike { row, expected, found });
        }
        self.faults.append(&mut given.faults);
        Ok(self)
    }
}

/// Whether two columns of one kind have the same value in a row.
fn is_same(a: &Column, b: &Column, row: usize) -> bool {
    match (a, b) {
        (Column::Num(a), Column::Num(b)) => a[row].to_bits() == b[row].to_bits(),
        (Column::Text(a), Column::Text(b)) => a.get(row) == b.get(row),
        (Column::Time(a), Column::Time(b)) => a[row] == b[row],
        _ => false,
    }
}

fn in_range(micros: Option<i64>) -> Result<i64> {
    micros.filter(|micros| (TIME_MIN..=TIME_MAX).contains(micros)).ok_or_else(|| {
        let message = "expected whole microseconds from year 1 to 9999, found another instant";
        Error::new(Code::BadValue, message)
    })
}

/// How a truth value is called in a text column.
pub(super) fn bool_label(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn push_label(labels: &mut TextColumn, label: &str, reader: &CellReader) {
    labels.push((!reader.is_marker(label)).then_some(label));
}

/// A decimal number as its digits, all those behind the point included.
pub(super) fn decimal_text(units: i128, n_decimals: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = n_decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - n_decimals);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_their_order_are_the_column() {
        let columns = [ColumnKind::Num, ColumnKind::Text, ColumnKind::Time].map(ColumnConfig::from);
        for declared in columns {
            let cells = ["1", "", "x", "2020-01-01", "2", "x", ""];
            let mut whole = Filling::new(&declared, &[]);
            cells.iter().for_each(|cell| whole.text(cell));
            for cut in 0..cells.len() {
                let mut joined = Filling::new(&declared, &[]);
                let part = |cells: &[&str]| {
                    let mut part = Filling::new(&declared, &[]);
                    cells.iter().for_each(|cell| part.text(cell));
                    part
                };
                joined.append(vec![part(&cells[..cut]), part(&[]), part(&cells[cut..])]);
                let values = |filling: &Filling| -> Vec<String> {
                    (0..cells.len()).map(|row| filling.column.value(row).to_string()).collect()
                };
                assert_eq!(values(&joined), values(&whole));
                assert_eq!(joined.faults, whole.faults);
            }
        }
    }

    #[test]
    fn a_decimal_is_its_digits() {
        for (units, n_decimals, text) in [
            (0, 0, "0"),
            (-5, 2, "-0.05"),
            (1250, 2, "12.50"),
            (-7, 0, "-7"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(decimal_text(units, n_decimals), text);
        }
    }

    #[test]
    fn what_a_kind_cannot_take_is_a_fault_of_its_row() {
        let mut num = Filling::new(&ColumnKind::Num.into(), &["-1".to_owned()]);
        num.integer(9_007_199_254_740_993);
        num.integer(-1);
        num.bool(true);
        num.time(Some(0));
        num.float(-1.0);
        let faults: Vec<(usize, &str)> =
            num.faults.iter().map(|(r, e)| (*r, e.message())).collect();
        assert_eq!(
            faults,
            [
                (0, "expected integer up to 2^53, found \"9007199254740993\""),
                (3, "expected num, found date or timestamp")
            ]
        );
        let missing: Vec<bool> = (0..5).map(|row| num.column.is_missing(row)).collect();
        assert_eq!(missing, [true, true, false, true, true]);
        let mut text = Filling::new(&ColumnKind::Text.into(), &[]);
        text.float(0.5);
        text.float(f64::NAN);
        text.integer(i128::from(u64::MAX));
        text.bool(false);
        assert_eq!(text.faults.len(), 1);
        assert_eq!(text.column.value(2).to_string(), "text \"18446744073709551615\"");
        assert_eq!(text.column.value(3).to_string(), "text \"false\"");
        let mut time = Filling::new(&ColumnKind::Time.into(), &[]);
        time.time(Some(0));
        time.time(None);
        time.time(Some(i64::MAX));
        time.integer(3);
        assert_eq!(time.faults.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(time.expect(Stored::Bool).is_err() && time.expect(Stored::Text).is_ok());
    }
}
