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
//! | date, timestamp | refused | refused | UTC, whole microseconds |

use samescore_core::batch::{CellReader, Column, ColumnKind, TextColumn, push_missing};
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
    /// An integer.
    fn integer(&mut self, value: i128);
    /// A float; NaN is missing.
    fn float(&mut self, value: f64);
    /// A truth value.
    fn bool(&mut self, value: bool);
    /// An instant in microseconds of UTC; `None` if it has no whole ones.
    fn time(&mut self, micros: Option<i64>);
    /// A cell that no column can take, such as one with a NUL byte, and why.
    fn refused(&mut self, why: Error);
    /// The source stores the whole column in that type, or has no value in it.
    ///
    /// # Errors
    /// If the declared kind cannot take it.
    fn expect(&mut self, stored: Stored) -> Result<()>;
}

/// A column of a declared kind, and the rows whose cell could not be read.
pub(super) struct Filling {
    reader: CellReader,
    pub(super) column: Column,
    pub(super) faults: Vec<(usize, Error)>,
}

impl Filling {
    pub(super) fn new(declared: &ColumnConfig, missing: &[String]) -> Self {
        let reader = CellReader::new(declared.kind, &declared.format, missing);
        Filling { column: Column::empty(declared.kind), faults: Vec::new(), reader }
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
            _ => self.refuse(Stored::Float),
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
        match (&mut self.column, micros) {
            (Column::Time(times), Some(micros)) if (TIME_MIN..=TIME_MAX).contains(&micros) => {
                times.push(self.reader.time(micros));
            }
            (Column::Time(_), _) => {
                let message =
                    "expected whole microseconds from year 1 to 9999, found another instant";
                self.fault(Error::new(Code::BadValue, message));
            }
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

/// How a truth value is called in a text column.
pub(super) fn bool_label(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn push_label(labels: &mut TextColumn, label: &str, reader: &CellReader) {
    labels.push((!reader.is_marker(label)).then_some(label));
}
