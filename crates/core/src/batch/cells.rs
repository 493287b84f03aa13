//! Cells of a text source to values: one function for every reader.

use super::{Column, ColumnKind, MISSING_TIME, TimeFormat, parse_num, parse_time};
use crate::error::{Code, Error, Result};
use crate::math;

/// Longer texts are refused, to bound memory.
pub const FIELD_BYTES_MAX: usize = 1 << 20;

/// Reads the cells of one column of a text source.
#[derive(Clone, Debug)]
pub struct CellReader {
    kind: ColumnKind,
    format: TimeFormat,
    missing: Vec<String>,
}

impl CellReader {
    /// Cells of that kind; `format` is how times are written. The empty cell and each of `missing`
    /// mean missing.
    pub fn new(kind: ColumnKind, format: &TimeFormat, missing: &[String]) -> Self {
        CellReader { kind, format: format.clone(), missing: missing.to_vec() }
    }

    /// Appends the value of a cell to `column`, which is of the reader's kind. A cell that cannot
    /// be read appends a missing value and is reported.
    ///
    /// # Errors
    /// If the text is not of the declared kind, has a NUL byte, or is too long.
    pub fn push(&self, column: &mut Column, text: &str) -> Result<()> {
        if text.is_empty() || self.missing.iter().any(|marker| marker == text) {
            push_missing(column);
            return Ok(());
        }
        let read = check_text(text).and_then(|()| match column {
            Column::Num(values) => parse_num(text).map(|x| values.push(x)),
            Column::Time(values) => parse_time(text, &self.format).map(|t| values.push(t)),
            Column::Text(values) => {
                values.push(Some(text));
                Ok(())
            }
        });
        if read.is_err() {
            push_missing(column);
        }
        read
    }

    /// The kind of column that the reader fills.
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }
}

fn check_text(text: &str) -> Result<()> {
    if text.len() > FIELD_BYTES_MAX {
        let message = format!("expected at most {FIELD_BYTES_MAX} bytes, found {}", text.len());
        return Err(Error::new(Code::LimitExceeded, message));
    }
    if text.contains('\0') {
        return Err(Error::new(Code::BadValue, "expected text, found a NUL byte"));
    }
    Ok(())
}

/// Appends the missing value of the column's kind.
pub fn push_missing(column: &mut Column) {
    match column {
        Column::Num(values) => values.push(math::MISSING),
        Column::Text(values) => values.push(None),
        Column::Time(values) => values.push(MISSING_TIME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_declared_markers_are_missing() {
        let reader = CellReader::new(ColumnKind::Num, &TimeFormat::default(), &["?".to_owned()]);
        let mut column = Column::empty(ColumnKind::Num);
        reader.push(&mut column, "?").unwrap();
        reader.push(&mut column, "").unwrap();
        reader.push(&mut column, "2.5").unwrap();
        let error = reader.push(&mut column, "NA").unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected number, found text \"NA\" \
             (declare it as text, or declare this text as a missing marker)"
        );
        assert_eq!((0..4).filter(|&row| column.is_missing(row)).count(), 3);
    }
}
