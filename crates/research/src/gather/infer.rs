//! A schema for a table that has none yet, for `init` and for a config that declares no columns.
//!
//! # Method
//! All rows are read, never a sample. A column is num if every cell that is not missing is a
//! number, else time if every such cell is a time, else text. A column without any value is num.
//!
//! Every source gives the answer that the same table as CSV gives: text is judged by what it reads
//! as, and a decimal or a number of JSON is its text; booleans are the labels `true` and `false`,
//! so text; integers are num unless one is beyond 2^53, then text; floats are num, dates and
//! timestamps time.
//!
//! What is inferred is written into the config or the artifact: nothing is inferred at scoring.

use std::collections::BTreeMap;
use std::path::Path;

use samescore_core::batch::{CellReader, ColumnKind, TimeFormat, read_num, read_time};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};

use super::Source;
use super::table::take;
use super::taker::{Part, Stored, Taker, bool_label};

/// Name and kind of every column of a source. `missing` are the texts that mean missing.
///
/// # Errors
/// If the source cannot be read, is not a table, or has no row.
pub fn infer(
    source: impl Into<Source>,
    missing: &[String],
) -> Result<BTreeMap<String, ColumnConfig>> {
    let source = source.into();
    let taken = take(&source, None, &|_: &str| Seen::new(missing))?;
    if taken.n_rows == 0 {
        let message = format!("`{source}`: expected rows to infer a schema from, found none");
        return Err(Error::new(Code::TooFewRows, message));
    }
    let kinds = taken.columns.iter().map(|seen| seen.kind().into());
    Ok(taken.names.into_iter().zip(kinds).collect())
}

/// What the cells of a column have been so far.
#[derive(Clone)]
struct Seen {
    reader: CellReader,
    format: TimeFormat,
    has_value: bool,
    is_num: bool,
    is_time: bool,
}

impl Seen {
    fn new(missing: &[String]) -> Self {
        let format = TimeFormat::default();
        let reader = CellReader::new(ColumnKind::Num, &format, missing);
        Seen { reader, format, has_value: false, is_num: true, is_time: true }
    }

    /// A value that is a number, or a time, or neither.
    fn see(&mut self, is_num: bool, is_time: bool) {
        self.has_value = true;
        self.is_num &= is_num;
        self.is_time &= is_time;
    }

    fn kind(&self) -> ColumnKind {
        match (self.is_num, self.is_time) {
            _ if !self.has_value => ColumnKind::Num,
            (true, _) => ColumnKind::Num,
            (false, true) => ColumnKind::Time,
            (false, false) => ColumnKind::Text,
        }
    }
}

impl Taker for Seen {
    fn missing(&mut self) {}

    fn text(&mut self, cell: &str) {
        if self.reader.is_marker(cell) {
            return;
        }
        let is_num = self.is_num && read_num(cell).is_some();
        let is_time = self.is_time && read_time(cell, &self.format).is_some();
        self.see(is_num, is_time);
    }

    fn integer(&mut self, value: i128) {
        self.see(self.is_num && self.reader.integer(value).is_ok(), false);
    }

    fn float(&mut self, value: f64) {
        if !value.is_nan() {
            self.see(true, false);
        }
    }

    fn bool(&mut self, value: bool) {
        if !self.reader.is_marker(bool_label(value)) {
            self.see(false, false);
        }
    }

    fn time(&mut self, _: Option<i64>) {
        self.see(false, true);
    }

    fn refused(&mut self, _: Error) {
        self.see(false, false);
    }

    fn expect(&mut self, _: Stored) -> Result<()> {
        Ok(())
    }
}

impl Part for Seen {
    fn append(&mut self, parts: Vec<Self>) {
        for part in parts.into_iter().filter(|part| part.has_value) {
            self.see(part.is_num, part.is_time);
        }
    }

    fn of_file(&mut self, _: &Path) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(see: impl Fn(&mut Seen)) -> ColumnKind {
        let mut seen = Seen::new(&["?".to_owned(), "9007199254740995".to_owned()]);
        see(&mut seen);
        seen.kind()
    }

    #[test]
    fn a_kind_holds_for_every_value_or_not_at_all() {
        let of = |cells: &[&str]| {
            let whole = kind_of(|seen| cells.iter().for_each(|cell| seen.text(cell)));
            // Cut anywhere, the parts together say the same.
            for cut in 0..=cells.len() {
                let part = |cells: &[&str]| {
                    let mut part = Seen::new(&["?".to_owned(), "9007199254740995".to_owned()]);
                    cells.iter().for_each(|cell| part.text(cell));
                    part
                };
                let (first, second) = cells.split_at(cut);
                let joined = kind_of(|seen| seen.append(vec![part(first), part(second)]));
                assert_eq!(joined, whole);
            }
            whole
        };
        assert_eq!(of(&["1", "", "2.5e3", "?"]), ColumnKind::Num);
        assert_eq!(of(&["1", "x"]), ColumnKind::Text);
        assert_eq!(of(&["2010-05-01", "", "2010-05-01T10:00Z"]), ColumnKind::Time);
        assert_eq!(of(&["2010-05-01", "2010"]), ColumnKind::Text);
        assert_eq!(of(&["9007199254740993"]), ColumnKind::Text);
        assert_eq!(of(&["", "?"]), ColumnKind::Num);
    }

    #[test]
    fn stored_values_are_what_their_text_would_be() {
        assert_eq!(kind_of(|seen| seen.bool(true)), ColumnKind::Text);
        assert_eq!(kind_of(Seen::missing), ColumnKind::Num);
        assert_eq!(kind_of(|seen| seen.integer(9_007_199_254_740_992)), ColumnKind::Num);
        assert_eq!(kind_of(|seen| seen.integer(9_007_199_254_740_993)), ColumnKind::Text);
        // A marker is no value.
        assert_eq!(kind_of(|seen| seen.integer(9_007_199_254_740_995)), ColumnKind::Num);
        assert_eq!(kind_of(|seen| seen.integer(i128::from(u64::MAX))), ColumnKind::Text);
        assert_eq!(kind_of(|seen| seen.float(0.5)), ColumnKind::Num);
        assert_eq!(kind_of(|seen| seen.float(f64::NAN)), ColumnKind::Num);
        assert_eq!(kind_of(|seen| seen.time(Some(0))), ColumnKind::Time);
        let mixed = |seen: &mut Seen| {
            seen.time(Some(0));
            seen.text("x");
        };
        assert_eq!(kind_of(mixed), ColumnKind::Text);
    }
}
