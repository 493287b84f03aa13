//! Whole records of a text that comes piece by piece, for files that are larger than memory.

use crate::error::{Code, Error, Result};

/// A longer record is refused.
pub const RECORD_BYTES_MAX: usize = 256 << 20;
/// About how many bytes records have together, at most, that are given at a time.
pub const PART_BYTES: usize = 8 << 20;

/// Cuts a text behind whole records. In well-formed CSV a line feed behind an even number of quotes
/// ends one; of other texts every line is one.
#[derive(Clone, Debug)]
pub struct Records {
    quote: Option<u8>,
    /// What came and is not yet given, from the beginning of a record on.
    rest: Vec<u8>,
    /// So far it has been looked through, with so many whole records.
    at: usize,
    n_records: usize,
    is_quoted: bool,
}

impl Records {
    /// The records of CSV.
    pub fn csv() -> Self {
        Records { quote: Some(b'"'), ..Records::lines() }
    }

    /// Lines.
    pub fn lines() -> Self {
        Records { quote: None, rest: Vec::new(), at: 0, n_records: 0, is_quoted: false }
    }

    /// Takes the next bytes of the text.
    ///
    /// # Errors
    /// If a record of the text called `source` is longer than [`RECORD_BYTES_MAX`].
    pub fn push(&mut self, source: &str, bytes: &[u8]) -> Result<()> {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() <= PART_BYTES + RECORD_BYTES_MAX {
            return Ok(());
        }
        let message = format!(
            "`{source}`: expected records of at most {RECORD_BYTES_MAX} bytes, found a longer one"
        );
        Err(Error::new(Code::LimitExceeded, message)
            .remedy("look for a quote that opens and is never closed"))
    }

    /// The next `n_max` records, or fewer of about `bytes_max` bytes together; `None` if more of
    /// the text must come first.
    pub fn next(&mut self, n_max: usize, bytes_max: usize) -> Option<Vec<u8>> {
        while let Some(&byte) = self.rest.get(self.at) {
            self.at += 1;
            match byte {
                _ if Some(byte) == self.quote => self.is_quoted = !self.is_quoted,
                b'\n' if !self.is_quoted => {
                    self.n_records += 1;
                    if self.n_records >= n_max || self.at >= bytes_max {
                        let rest = self.rest.split_off(self.at);
                        (self.at, self.n_records) = (0, 0);
                        return Some(std::mem::replace(&mut self.rest, rest));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// What is left at the end of the text, if anything is.
    pub fn last(&mut self) -> Option<Vec<u8>> {
        (self.at, self.n_records, self.is_quoted) = (0, 0, false);
        let last = std::mem::take(&mut self.rest);
        (!last.is_empty()).then_some(last)
    }
}

/// An error about a part of the file called `source`, behind so many rows and lines of it, with the
/// row and the line that it has in the file.
pub fn error_in_file(error: &Error, source: &str, rows: u64, lines: u64) -> Error {
    let before = format!("`{source}` line ");
    let told = error.message().strip_prefix(&before).and_then(|told| told.split_once(':'));
    let line = told.and_then(|(line, told)| Some((line.parse::<u64>().ok()?, told)));
    let message = match line {
        Some((line, told)) => format!("{before}{}:{told}", line + lines),
        None => error.message().to_owned(),
    };
    let mut moved = Error::new(error.code(), message);
    if let Some(row) = error.row_idx() {
        moved = moved.row(row + rows);
    }
    if let Some(column) = error.column_name() {
        moved = moved.column(column);
    }
    match error.remedy_text() {
        Some(remedy) => moved.remedy(remedy),
        None => moved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All records of a text that comes in pieces, so many at a time.
    fn cut(mut records: Records, text: &str, piece: usize, n_max: usize) -> Vec<String> {
        let mut all = Vec::new();
        for bytes in text.as_bytes().chunks(piece) {
            records.push("t", bytes).unwrap();
            while let Some(part) = records.next(n_max, usize::MAX) {
                all.push(part);
            }
        }
        all.extend(records.last());
        all.into_iter().map(|part| String::from_utf8(part).unwrap()).collect()
    }

    #[test]
    fn records_are_whole_however_the_text_comes() {
        let text = "a,b\n1,\"x\n\"\"y\"\n2,z\n3";
        for piece in [1, 2, 5, 100] {
            let one = ["a,b\n", "1,\"x\n\"\"y\"\n", "2,z\n", "3"];
            assert_eq!(cut(Records::csv(), text, piece, 1), one);
            let two = ["a,b\n1,\"x\n\"\"y\"\n", "2,z\n3"];
            assert_eq!(cut(Records::csv(), text, piece, 2), two);
            let lines = ["a,b\n", "1,\"x\n", "\"\"y\"\n", "2,z\n", "3"];
            assert_eq!(cut(Records::lines(), text, piece, 1), lines);
        }
    }

    #[test]
    fn a_part_ends_behind_the_record_that_fills_it() {
        let mut records = Records::csv();
        records.push("t", b"aaaa\nbbbb\ncccc\n").unwrap();
        assert_eq!(records.next(9, 6).unwrap(), b"aaaa\nbbbb\n");
        assert_eq!(records.next(9, 6), None);
        assert_eq!(records.last().unwrap(), b"cccc\n");
        assert_eq!(records.last(), None);
    }

    #[test]
    fn an_error_of_a_part_is_one_of_the_file() {
        let part = Error::new(Code::BadValue, "`t` line 3: expected 2 cells, found 1").row(1);
        let moved = error_in_file(&part.column("a").remedy("look"), "t", 10, 12);
        assert_eq!(
            moved.to_string(),
            "column `a`: row 11: `t` line 15: expected 2 cells, found 1 (look)"
        );
    }
}
