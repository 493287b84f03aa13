//! Cells to values and what counts as missing: one rule for every reader, whatever the source.
//!
//! `NaN` in a num column is the missing number, as programs write it that do not leave it out.
//!
//! A marker means missing by its text. In a num or time column it also stands for the value that it
//! reads as, however a source writes or stores that value: with the marker `-999` the texts `-999`
//! and `-999.0`, the integer and the double −999 are all missing.

use std::borrow::Cow;

use super::parse::read_short;
use super::{
    Column, ColumnKind, MISSING_TIME, TimeFormat, ZoneRules, civil_date, integer_num, parse_local,
    parse_num, read_local, read_num, show_time,
};
use crate::error::{Code, Error, Result};
use crate::math;

/// Longer texts are refused, to bound memory.
pub const FIELD_BYTES_MAX: usize = 1 << 20;

/// Reads the values of one column, from text or as a source stores them.
#[derive(Clone, Debug)]
pub struct CellReader {
    kind: ColumnKind,
    format: TimeFormat,
    zone: Option<ZoneRules>,
    missing: Vec<String>,
    /// What the markers read as.
    numbers: Vec<f64>,
    times: Vec<i64>,
}

impl CellReader {
    /// Cells of that kind; `format` is how times are written. The empty cell and each of `missing`
    /// mean missing. Times without an offset are UTC: whoever reads a declared column asks its
    /// [`ColumnConfig`](crate::config::ColumnConfig) for the reader.
    pub fn new(kind: ColumnKind, format: &TimeFormat, missing: &[String]) -> Self {
        CellReader::zoned(kind, format, None, missing)
    }

    /// The same, but that times without an offset are local times of `zone`.
    pub fn zoned(
        kind: ColumnKind,
        format: &TimeFormat,
        zone: Option<&ZoneRules>,
        missing: &[String],
    ) -> Self {
        let time = |marker: &String| read_local(marker, format, zone);
        CellReader {
            kind,
            format: format.clone(),
            zone: zone.cloned(),
            missing: missing.to_vec(),
            numbers: missing.iter().filter_map(|marker| read_num(marker)).collect(),
            times: missing.iter().filter_map(time).collect(),
        }
    }

    /// Whether a text means missing by itself.
    #[inline]
    pub fn is_marker(&self, text: &str) -> bool {
        text.is_empty() || self.missing.iter().any(|marker| marker == text)
    }

    /// A number as it stands in a column: canonical, and missing if a marker reads as it.
    #[inline]
    pub fn num(&self, x: f64) -> f64 {
        if !self.numbers.is_empty() && self.numbers.contains(&x) {
            math::MISSING
        } else {
            math::canonical(x)
        }
    }

    /// Appends numbers as they stand in a column: those that [`num`](CellReader::num) gives.
    pub fn nums(&self, values: &mut Vec<f64>, read: &[f64]) {
        match self.numbers.is_empty() {
            true => values.extend(read.iter().map(|x| math::canonical(*x))),
            false => values.extend(read.iter().map(|x| self.num(*x))),
        }
    }

    /// An integer as it stands in a num column.
    ///
    /// # Errors
    /// If it is beyond 2^53 and no marker.
    pub fn integer(&self, value: i128) -> Result<f64> {
        let read = match i64::try_from(value) {
            Ok(value) => integer_num(value),
            Err(_) => parse_num(&value.to_string()),
        };
        match read {
            Ok(x) => Ok(self.num(x)),
            Err(_) if self.is_marker(&value.to_string()) => Ok(math::MISSING),
            Err(error) => Err(error),
        }
    }

    /// A time as it stands in a column: missing if a marker reads as it.
    pub fn time(&self, micros: i64) -> i64 {
        if self.times.contains(&micros) { MISSING_TIME } else { micros }
    }

    /// A local time of the column's zone, or of UTC without one, as it stands in a column: by the
    /// rules by which its text would be read.
    ///
    /// # Errors
    /// If it is beyond the last year of the zone's table.
    pub fn local_time(&self, micros: i64) -> Result<i64> {
        let instant = match &self.zone {
            None => Some(micros),
            Some(zone) => zone.instant(micros, civil_date(micros).0),
        };
        match (instant, &self.zone) {
            (Some(instant), _) => Ok(self.time(instant)),
            (None, Some(zone)) => {
                let (name, last) = (&zone.name, zone.until_year);
                let shown = show_time(micros);
                let message = format!(
                    "expected a local time up to {last}, the last year of the pinned rules of \
                     `{name}`, found {}",
                    shown.trim_end_matches('Z')
                );
                Err(Error::new(Code::BadValue, message).remedy("store it with its zone"))
            }
            (None, None) => Ok(MISSING_TIME),
        }
    }

    /// Appends the value of a cell to `column`, which is of the reader's kind. A cell that cannot
    /// be read appends a missing value and is reported.
    ///
    /// # Errors
    /// If the text is not of the declared kind, has a NUL byte, or is too long.
    pub fn push(&self, column: &mut Column, text: &str) -> Result<()> {
        if let Column::Num(values) = column {
            // A marker that reads as a number is missing by that number as well.
            if let Some(x) = read_short(text) {
                values.push(self.num(x));
                return Ok(());
            }
        }
        self.push_other(column, text)
    }

    /// Appends the values of cells, as [`push`](CellReader::push) does one by one; `refused` gets
    /// the place in the column of each that cannot be read, and why.
    pub fn push_all<'c>(
        &self,
        column: &mut Column,
        mut cells: impl Iterator<Item = Cow<'c, str>>,
        mut refused: impl FnMut(usize, Error),
    ) {
        while let Some(cell) = self.push_short(column, &mut cells) {
            let row = column.len();
            if let Err(error) = self.push_other(column, &cell) {
                refused(row, error);
            }
        }
    }

    /// Appends the numbers of few digits that come first, and gives the cell behind them. A column
    /// of another kind gets none.
    #[inline]
    pub fn push_short<'c>(
        &self,
        column: &mut Column,
        cells: &mut impl Iterator<Item = Cow<'c, str>>,
    ) -> Option<Cow<'c, str>> {
        match column {
            Column::Num(values) => cells.find(|cell| match read_short(cell) {
                Some(x) => {
                    values.push(self.num(x));
                    false
                }
                None => true,
            }),
            _ => cells.next(),
        }
    }

    /// Appends a cell that is no number of few digits.
    fn push_other(&self, column: &mut Column, text: &str) -> Result<()> {
        if self.is_marker(text) {
            push_missing(column);
            return Ok(());
        }
        let read = check_text(text).and_then(|()| match column {
            Column::Num(values) if text == "NaN" => {
                values.push(math::MISSING);
                Ok(())
            }
            Column::Num(values) => parse_num(text).map(|x| values.push(self.num(x))),
            Column::Time(values) => {
                let read = parse_local(text, &self.format, self.zone.as_ref());
                read.map(|t| values.push(self.time(t)))
            }
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
    if has_nul(text.as_bytes()) {
        return Err(Error::new(Code::BadValue, "expected text, found a NUL byte"));
    }
    Ok(())
}

/// Whether there is a byte of zeros; eight bytes at a time.
fn has_nul(bytes: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let in_word = |bytes: &[u8]| {
        let mut word = [0u8; 8];
        word.copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        word.wrapping_sub(LOW) & !word & (LOW << 7) != 0
    };
    words.into_iter().any(in_word) || rest.contains(&0)
}

/// Appends the missing value of the column's kind.
#[inline]
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
        reader.push(&mut column, "NaN").unwrap();
        assert!(column.is_missing(4) && reader.push(&mut column, "nan").is_err());
    }

    #[test]
    fn cells_pushed_together_are_those_pushed_one_by_one() {
        let cells = ["1", "", "0.25", "x", "12345678901234567", "?", "-7", "2020-01-01", "-", "3"];
        for kind in [ColumnKind::Num, ColumnKind::Text, ColumnKind::Time] {
            let reader = CellReader::new(kind, &TimeFormat::default(), &["?".to_owned()]);
            let (mut one, mut all) = (Column::empty(kind), Column::empty(kind));
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            for (row, cell) in cells.iter().enumerate() {
                expected.extend(reader.push(&mut one, cell).err().map(|error| (row, error)));
            }
            let together = cells.iter().map(|cell| Cow::Borrowed(*cell));
            reader.push_all(&mut all, together, |row, error| found.push((row, error)));
            assert_eq!(found, expected);
            let shown = |column: &Column| {
                (0..cells.len()).map(|row| column.value(row).to_string()).collect::<Vec<_>>()
            };
            assert_eq!(shown(&all), shown(&one));
        }
    }

    #[test]
    fn a_zero_byte_is_found_wherever_it_stands() {
        for n in 0..40 {
            let mut bytes = vec![1u8; n];
            assert!(!has_nul(&bytes));
            for at in 0..n {
                bytes[at] = 0;
                assert!(has_nul(&bytes), "{at} of {n}");
                bytes[at] = 128;
            }
            assert!(!has_nul(&bytes));
        }
    }

    #[test]
    fn a_marker_is_its_text_and_in_a_num_or_time_column_what_it_reads_as() {
        let markers = ["-999", "1900-01-01", "9007199254740993"].map(str::to_owned);
        let reader = |kind| CellReader::new(kind, &TimeFormat::default(), &markers);
        let read = |kind, text: &str| {
            let mut column = Column::empty(kind);
            reader(kind).push(&mut column, text).unwrap();
            column.is_missing(0)
        };
        for text in ["-999", "-999.0", "-9.99e2"] {
            assert!(read(ColumnKind::Num, text), "{text}");
        }
        let num = reader(ColumnKind::Num);
        assert!(math::is_missing(num.num(-999.0)) && !math::is_missing(num.num(999.0)));
        assert!(math::is_missing(num.integer(-999).unwrap()));
        assert!(math::is_missing(num.integer(9_007_199_254_740_993).unwrap()));
        assert!(num.integer(9_007_199_254_740_995).is_err());
        assert!(read(ColumnKind::Time, "1900-01-01T00:00:00Z"));
        let epoch = super::super::parse_time("1900-01-01", &TimeFormat::default()).unwrap();
        assert_eq!(reader(ColumnKind::Time).time(epoch), MISSING_TIME);
        // A label is its text and nothing else.
        assert!(read(ColumnKind::Text, "-999") && !read(ColumnKind::Text, "-999.0"));
    }
}
