//! The values of one column in one block, and one cell of it.

use super::text::reorder;
use super::{ColumnKind, MISSING_TIME, TextColumn, show_num, show_time};
use crate::error::{Code, Error};
use crate::math;

/// The values of one column in one block.
#[derive(Clone, Debug)]
pub enum Column {
    /// Numbers; missing is the canonical NaN.
    Num(Vec<f64>),
    /// Labels; missing is [`MISSING_CODE`](super::MISSING_CODE).
    Text(TextColumn),
    /// Microseconds since the epoch, UTC; missing is [`MISSING_TIME`].
    Time(Vec<i64>),
}

/// A column of parts that have fewer levels each is taken for one whose parts share them.
const KNOWN_LEVELS: usize = 1024;
/// How many rows are looked at before one is written.
const CANONICAL_ROWS: usize = 1024;

/// What the columns before left behind when they were put into order, for the next one.
#[derive(Debug, Default)]
pub(crate) struct Reordered {
    num: Vec<f64>,
    time: Vec<i64>,
    codes: Vec<u32>,
}

/// One cell, as messages and differences show it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, NaN if missing.
    Num(f64),
    /// A label, `None` if missing.
    Text(Option<String>),
    /// A time, [`MISSING_TIME`] if missing.
    Time(i64),
}

impl Column {
    /// An empty column of that kind.
    pub fn empty(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Num => Column::Num(Vec::new()),
            ColumnKind::Text => Column::Text(TextColumn::default()),
            ColumnKind::Time => Column::Time(Vec::new()),
        }
    }

    /// A numeric column with every value made canonical.
    pub fn num(values: impl IntoIterator<Item = f64>) -> Self {
        Column::Num(values.into_iter().map(math::canonical).collect())
    }

    /// A text column; `None` is missing.
    pub fn text<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut text = TextColumn::default();
        values.into_iter().for_each(|v| text.push(v));
        Column::Text(text)
    }

    /// The column's kind.
    #[inline]
    pub fn kind(&self) -> ColumnKind {
        match self {
            Column::Num(_) => ColumnKind::Num,
            Column::Text(_) => ColumnKind::Text,
            Column::Time(_) => ColumnKind::Time,
        }
    }

    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Column::Num(v) => v.len(),
            Column::Text(v) => v.len(),
            Column::Time(v) => v.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of `row` is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Column::Num(v) => math::is_missing(v[row]),
            Column::Text(v) => v.get(row).is_none(),
            Column::Time(v) => v[row] == MISSING_TIME,
        }
    }

    /// The value of `row`.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Column::Num(v) => Value::Num(v[row]),
            Column::Text(v) => Value::Text(v.get(row).map(str::to_owned)),
            Column::Time(v) => Value::Time(v[row]),
        }
    }

    /// Appends a value.
    ///
    /// # Errors
    /// If the value is of another kind.
    pub fn push(&mut self, value: &Value) -> Result<(), Error> {
        match (self, value) {
            (Column::Num(v), Value::Num(x)) => v.push(math::canonical(*x)),
            (Column::Text(v), Value::Text(x)) => v.push(x.as_deref()),
            (Column::Time(v), Value::Time(x)) => v.push(*x),
            (column, value) => {
                return Err(Error::new(
                    Code::WrongKind,
                    format!("expected {}, found {value}", column.kind()),
                ));
            }
        }
        Ok(())
    }

    /// Appends the rows `rows` of `other`, which is of the same kind.
    pub fn extend_from(&mut self, other: &Column, rows: impl Iterator<Item = usize>) {
        match (self, other) {
            (Column::Num(v), Column::Num(o)) => v.extend(rows.map(|i| o[i])),
            (Column::Text(v), Column::Text(o)) => v.extend_from(o, rows),
            (Column::Time(v), Column::Time(o)) => v.extend(rows.map(|i| o[i])),
            (column, other) => {
                unreachable!("extend a {} column from a {} one", column.kind(), other.kind())
            }
        }
    }

    /// Puts all rows into another order.
    pub(crate) fn reorder(&mut self, order: &[u32], spare: &mut Reordered) {
        match self {
            Column::Num(v) => reorder(v, order, &mut spare.num),
            Column::Time(v) => reorder(v, order, &mut spare.time),
            Column::Text(v) => v.reorder(order, &mut spare.codes),
        }
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, n_rows: usize) {
        match self {
            Column::Num(v) => v.reserve_exact(n_rows),
            Column::Time(v) => v.reserve_exact(n_rows),
            Column::Text(v) => v.reserve(n_rows, 0),
        }
    }

    /// Appends all rows of others, which are of the same kind.
    pub fn append(&mut self, others: &[&Column]) {
        let n_rows = others.iter().map(|other| other.len()).sum::<usize>();
        match self {
            Column::Num(v) => v.reserve_exact(n_rows),
            Column::Time(v) => v.reserve_exact(n_rows),
            Column::Text(v) => {
                let levels = others.iter().map(|other| match other {
                    Column::Text(other) => other.n_levels(),
                    _ => 0,
                });
                // Labels that several of them have are counted more than once.
                let most = levels.clone().max().unwrap_or(0);
                let n_levels = if most < KNOWN_LEVELS { most } else { levels.sum::<usize>() };
                v.reserve(n_rows, n_levels);
            }
        }
        for other in others {
            match (&mut *self, other) {
                (Column::Num(v), Column::Num(other)) => v.extend_from_slice(other),
                (Column::Time(v), Column::Time(other)) => v.extend_from_slice(other),
                (column, other) => column.extend_from(other, 0..other.len()),
            }
        }
    }

    /// Forgets the rows and keeps the buffers.
    pub fn clear(&mut self) {
        match self {
            Column::Num(v) => v.clear(),
            Column::Text(v) => v.clear(),
            Column::Time(v) => v.clear(),
        }
    }

    /// Makes every number canonical.
    pub(super) fn make_canonical(&mut self) {
        if let Column::Num(values) = self {
            // Most columns are canonical already: those are only read.
            let is_other = |x: &f64| x.to_bits() != math::canonical(*x).to_bits();
            for block in values.chunks_mut(CANONICAL_ROWS) {
                if block.iter().fold(false, |any, x| any | is_other(x)) {
                    block.iter_mut().for_each(|x| *x = math::canonical(*x));
                }
            }
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Num(x) if math::is_missing(*x) => f.write_str("missing number"),
            Value::Num(x) => write!(f, "number {}", show_num(*x)),
            Value::Text(None) => f.write_str("missing text"),
            Value::Text(Some(s)) => write!(f, "text {s:?}"),
            Value::Time(MISSING_TIME) => f.write_str("missing time"),
            Value::Time(t) => write!(f, "time {}", show_time(*t)),
        }
    }
}
