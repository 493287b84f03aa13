//! A schema for a table that has none yet, for `init` and for a config that declares no columns.
//!
//! # Method
//! All rows are read, never a sample. A column is num if every cell that is not missing is a
//! number, else time if every such cell is a time, else text. A column without any value is num.
//!
//! Every source gives the answer that the same table as CSV gives: text is judged by what it reads
//! as, also where its source calls it text, and a decimal or a number of JSON is its text; booleans
//! are the labels `true` and `false`,
//! so text; integers are num unless one is beyond 2^53, then text; floats are num, dates and
//! timestamps time.
//!
//! **Numbers are those that lose nothing.** A text counts as a number if the number, written with
//! as many digits, is the digits that stand there. A zero before another digit (`01234`, a postal
//! code or an identifier) makes the column text; so does a number beyond 2^53 or of more than 17
//! digits that f64 would round, one too small for f64, and one too large. Zeros at the end of
//! decimals, a plus sign and an exponent are harmless: `1.50`, `+1.5` and `15e-1` are one number,
//! and a column of labels such as `1e3` that are none must be declared text. `inf` and `-inf` are
//! numbers, and `NaN` is a missing one.
//!
//! What is inferred is written into the config or the artifact: nothing is inferred at scoring.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use samescore_core::batch::{CellReader, ColumnKind, TimeFormat, read_num, read_time};
use samescore_core::config::ColumnConfig;
use samescore_core::error::{Code, Error, Result};

use super::folders::Filed;
use super::reader::BLOCK_ROWS;
use super::table::{Taken, same_columns, take};
use super::taker::{Part, Stored, Taker, Unlike, bool_label};
use super::{Format, Source, blocks, check_names, check_size};
use crate::snapshot;

/// Name and kind of every column of a source. `missing` are the texts that mean missing.
///
/// # Errors
/// If the source cannot be read, is not a table, or has no row.
pub fn infer(
    source: impl Into<Source>,
    missing: &[String],
) -> Result<BTreeMap<String, ColumnConfig>> {
    let source = source.into();
    if let Some(columns) = of_snapshot(&source)? {
        return Ok(columns);
    }
    let make = |_: &str| Seen::new(missing);
    let taken = match &source {
        Source::Files(_) if are_plain(&source)? => by_parts(&source, &make)?,
        _ => take(&source, None, &make)?,
    };
    if taken.n_rows == 0 {
        return Err(no_rows(&source));
    }
    check_delimiter(&source, &taken.names)?;
    let kinds = taken.columns.iter().map(|seen| seen.kind().into());
    Ok(taken.names.into_iter().zip(kinds).collect())
}

/// Whether all files of a source can be read more than once.
fn are_plain(source: &Source) -> Result<bool> {
    let is_plain = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|found| found.is_file());
    Ok(source.files()?.iter().all(is_plain))
}

/// What the files of a source have, of which a part is in memory at a time.
fn by_parts(source: &Source, make: &(impl Fn(&str) -> Seen + Sync)) -> Result<Taken<Seen>> {
    let files = source.filed()?;
    let mut all = Taken { names: Vec::new(), columns: Vec::new(), n_rows: 0 };
    for (place, file) in files.iter().enumerate() {
        let path = &file.path;
        let mut names = blocks::names(file)?;
        check_size(path, 0, names.len())?;
        check_names(path, &names)?;
        match place {
            0 => {
                all.columns = names.iter().map(|name| make(name)).collect();
                all.names.clone_from(&names);
            }
            _ => {
                let columns = vec![(); names.len()];
                let mut found = Taken { names, columns, n_rows: 0 };
                same_columns((&files[0].path, &all.names), path, &mut found)?;
                names = all.names.clone();
            }
        }
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let read = blocks::parts(file, (&wanted, BLOCK_ROWS), make, |parts, n_rows| {
            all.n_rows += n_rows;
            all.columns.iter_mut().zip(parts).for_each(|(seen, part)| seen.append(vec![part]));
            check_size(path, all.n_rows, wanted.len())
        });
        match files.len() {
            1 => read?,
            _ => read.map_err(|e| e.within(&format!("`{}`", path.display())))?,
        }
    }
    Ok(all)
}

/// Refuses one column of a CSV file that is called like several with another mark between them.
pub(super) fn check_delimiter(source: &Source, names: &[String]) -> Result<()> {
    let Source::Files(_) = source else {
        return Ok(());
    };
    let files = source.filed()?;
    let inside = |name: &&String| !files.iter().any(|file| file.names().any(|n| n == *name));
    let names: Vec<&String> = names.iter().filter(inside).collect();
    let [name] = names.as_slice() else {
        return Ok(());
    };
    let is_csv = |file: &Filed| matches!(Format::of(&file.path), Ok(Format::Csv | Format::CsvGz));
    let Some(mark) = name.chars().find(|c| [';', '\t', '|'].contains(c)) else {
        return Ok(());
    };
    if !files.iter().all(is_csv) {
        return Ok(());
    }
    let message = format!(
        "`{source}`: expected cells separated by commas, found {mark:?} in its only column {name:?}"
    );
    Err(Error::new(Code::BadValue, message)
        .remedy("write the file with commas, or declare the column if it is one"))
}

pub(super) fn no_rows(source: &Source) -> Error {
    let message = format!("`{source}`: expected rows to infer a schema from, found none");
    Error::new(Code::TooFewRows, message)
}

/// The columns of a snapshot, which its manifest declares.
pub(super) fn of_snapshot(source: &Source) -> Result<Option<BTreeMap<String, ColumnConfig>>> {
    let Source::Files(_) = source else {
        return Ok(None);
    };
    let files = source.filed()?;
    let [only] = files.as_slice() else {
        return Ok(None);
    };
    let Some(folder) = snapshot::of_table(&only.path).filter(|_| only.is_bare()) else {
        return Ok(None);
    };
    let columns = snapshot::read_manifest(folder)?.columns.into_iter();
    Ok(Some(columns.map(|column| (column.name, column.kind.into())).collect()))
}

/// What the cells of a column have been so far.
#[derive(Clone)]
pub(super) struct Seen {
    reader: CellReader,
    format: TimeFormat,
    has_value: bool,
    is_num: bool,
    is_time: bool,
}

impl Seen {
    pub(super) fn new(missing: &[String]) -> Self {
        let format = TimeFormat::default();
        let reader = CellReader::new(ColumnKind::Num, &format, missing);
        Seen { reader, format, has_value: false, is_num: true, is_time: true }
    }

    /// Whether a text means missing.
    pub(super) fn is_marker(&self, text: &str) -> bool {
        self.reader.is_marker(text)
    }

    /// Whether every value so far is a number.
    pub(super) fn is_num(&self) -> bool {
        self.is_num
    }

    /// A value that is a number, or a time, or neither.
    pub(super) fn see(&mut self, is_num: bool, is_time: bool) {
        self.has_value = true;
        self.is_num &= is_num;
        self.is_time &= is_time;
    }

    pub(super) fn kind(&self) -> ColumnKind {
        match (self.is_num, self.is_time) {
            _ if !self.has_value => ColumnKind::Num,
            (true, _) => ColumnKind::Num,
            (false, true) => ColumnKind::Time,
            (false, false) => ColumnKind::Text,
        }
    }
}

/// How a missing number is written where it is not left out.
pub(super) const NAN: &str = "NaN";
/// No double has more digits.
const SHOWN_MAX: usize = 767;
/// So many digits tell one double from every other.
const DIGITS_MAX: usize = 17;
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether a zero stands before another digit, as in no number.
#[inline]
pub(super) fn is_padded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = match bytes {
        [b'-' | b'+', digits @ ..] => digits,
        digits => digits,
    };
    matches!(digits, [b'0', b'0'..=b'9', ..])
}

/// Whether a text is a number that has the digits that stand there.
pub(super) fn is_num(text: &str) -> bool {
    if text == NAN {
        return true;
    }
    !is_padded(text) && read_num(text).is_some_and(|x| keeps_digits(text, x))
}

fn keeps_digits(text: &str, x: f64) -> bool {
    if x.is_infinite() {
        return true;
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_matches('0');
    if x == 0.0 || digits.is_empty() {
        return digits.is_empty();
    }
    if digits.len() <= DIGITS_MAX && x.abs() < EXACT_MAX {
        return true;
    }
    if digits.len() > SHOWN_MAX {
        return false;
    }
    // Rust writes as many exact digits of a double as it is asked for.
    let shown = format!("{x:.*e}", digits.len() - 1);
    let shown = shown.split('e').next().unwrap_or_default();
    shown.chars().filter(char::is_ascii_digit).eq(digits.chars())
}

impl Taker for Seen {
    fn missing(&mut self) {}

    fn text(&mut self, cell: &str) {
        if self.reader.is_marker(cell) {
            return;
        }
        let is_num = self.is_num && is_num(cell);
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

    fn local_time(&mut self, micros: Option<i64>) {
        self.time(micros);
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

    /// Both say of which kind the column is; whoever reads it compares its cells.
    fn same_as(mut self, given: Self) -> Result<Self, Unlike> {
        self.append(vec![given]);
        Ok(self)
    }
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
        assert_eq!(of(&["NaN", "1", "inf", "-inf"]), ColumnKind::Num);
        assert_eq!(of(&["NaN", "x"]), ColumnKind::Text);
    }

    #[test]
    fn a_number_keeps_its_digits_or_is_text() {
        for text in [
            "0",
            "-0",
            "0.0",
            "0.50",
            "+7",
            "1e3",
            "1E05",
            "-0.001",
            "10",
            "100.00",
            "1e300",
            ".5",
            "5.",
            "0e0",
            "9007199254740992",
            "9.007199254740994e15",
            "0.1000000000000000056",
            "123456789012345680000.0",
            "0.30000000000000004",
            "inf",
            "NaN",
        ] {
            assert!(is_num(text), "{text}");
        }
        for text in [
            "00",
            "007",
            "-01",
            "+00501",
            "01.5",
            "1e400",
            "-1e999",
            "1e-400",
            "nan",
            "1,5",
            "9007199254740993",
            "9007199254740993.0",
            "9.007199254740993e15",
            "0.1000000000000000055",
            "12345678901234567.5",
            "123456789012345678901.5",
        ] {
            assert!(!is_num(text), "{text}");
        }
    }

    #[test]
    fn one_column_with_other_marks_between_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        for header in ["a;b", "a\tb", "a|b"] {
            std::fs::write(&path, format!("{header}\n1\n")).unwrap();
            for refused in
                [infer(&path, &[]).map(|_| ()), super::super::read_inferred(&path, &[]).map(|_| ())]
            {
                let said = refused.unwrap_err().to_string();
                assert!(said.contains("expected cells separated by commas, found"), "{said}");
            }
        }
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
