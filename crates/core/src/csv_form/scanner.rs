//! The record scanner: one pass over bytes, which stops at whatever RFC 4180 does not know.

use crate::error::{Code, Error, Result};

/// What is wrong inside a record.
pub(super) struct Fault {
    what: &'static str,
    remedy: &'static str,
    line: u64,
    column: usize,
}

impl Fault {
    pub(super) fn error(self, source: &str, row: Option<usize>, names: &[String]) -> Error {
        let message = format!("`{}` line {}: {}", source, self.line, self.what);
        let mut error = Error::new(Code::BadValue, message).remedy(self.remedy);
        if let Some(row) = row {
            error = error.row(row as u64);
        }
        match names.get(self.column) {
            Some(name) => error.column(name),
            None => error,
        }
    }
}

/// A place in the bytes of a file.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    /// The next byte.
    pub(super) at: usize,
    /// The line that it is on, from 1.
    pub(super) line: u64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Scanner { bytes, at, line: 1 }
    }

    /// Moves behind the record at `at` and gives the number of its cells; `see` gets where each one
    /// begins and ends, with its quotes.
    #[inline]
    pub(super) fn record(&mut self, mut see: impl FnMut(usize, usize)) -> Result<usize, Fault> {
        let mut n_cells = 0;
        loop {
            let start = self.at;
            let end = match self.bytes.get(start) {
                Some(b'"') => self.quoted(start, n_cells)?,
                _ => self.plain(start, n_cells)?,
            };
            see(start, end);
            n_cells += 1;
            match self.bytes.get(end) {
                Some(b',') => self.at = end + 1,
                Some(b'\r') => {
                    self.at = end + 2;
                    self.line += 1;
                    return Ok(n_cells);
                }
                Some(_) => {
                    self.at = end + 1;
                    self.line += 1;
                    return Ok(n_cells);
                }
                None => {
                    self.at = end;
                    return Ok(n_cells);
                }
            }
        }
    }

    fn fault(&self, what: &'static str, remedy: &'static str, column: usize) -> Fault {
        Fault { what, remedy, line: self.line, column }
    }

    /// The end of an unquoted cell.
    #[inline]
    fn plain(&self, start: usize, column: usize) -> Result<usize, Fault> {
        let end = start + special(&self.bytes[start..]);
        match self.bytes.get(end) {
            Some(b'"') => Err(self.fault(
                "expected a quote only around a whole cell, found one inside",
                "put the cell in quotes and double the quotes in it",
                column,
            )),
            Some(b'\r') => self.line_end(end, column),
            _ => Ok(end),
        }
    }

    /// The end of a quoted cell, behind its closing quote.
    fn quoted(&mut self, start: usize, column: usize) -> Result<usize, Fault> {
        let opened = self.line;
        let mut at = start + 1;
        loop {
            match self.bytes.get(at) {
                None => {
                    self.line = opened;
                    return Err(self.fault(
                        "expected a closing quote, found the end of the file",
                        "close the quote that opens on this line",
                        column,
                    ));
                }
                Some(b'"') if self.bytes.get(at + 1) == Some(&b'"') => at += 2,
                Some(b'"') => break,
                Some(byte) => {
                    self.line += u64::from(*byte == b'\n');
                    at += 1;
                }
            }
        }
        let end = at + 1;
        match self.bytes.get(end) {
            None | Some(b',' | b'\n') => Ok(end),
            Some(b'\r') => self.line_end(end, column),
            Some(_) => Err(self.fault(
                "expected a comma or the end of the line behind a quoted cell, found more text",
                "put the whole cell in quotes and double the quotes in it",
                column,
            )),
        }
    }

    /// A carriage return belongs to a line feed.
    fn line_end(&self, end: usize, column: usize) -> Result<usize, Fault> {
        if self.bytes.get(end + 1) == Some(&b'\n') {
            return Ok(end);
        }
        Err(self.fault(
            "expected lines to end with a line feed, found a lone carriage return",
            "save the file with \\n or \\r\\n line ends",
            column,
        ))
    }
}

/// Where the first comma, quote or byte of a line end is, or else the end; eight bytes at a time.
#[inline]
fn special(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let mut at = 0;
    while let Some(word) = bytes.get(at..at + 8) {
        let mut eight = [0u8; 8];
        eight.copy_from_slice(word);
        let word = u64::from_le_bytes(eight);
        // The lowest mark of each is exact; marks above it may be wrong.
        let mark = |byte: u8| {
            let other = word ^ (LOW * u64::from(byte));
            other.wrapping_sub(LOW) & !other & (LOW << 7)
        };
        let marks = mark(b',') | mark(b'\n') | mark(b'\r') | mark(b'"');
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"'));
    rest.map_or(bytes.len(), |n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for n in 0..40 {
            for fill in [b'a', b'-', b'+', b'!', b'#', 0x0b, 0x8d, 0xff, 0] {
                let mut bytes = vec![fill; n];
                assert_eq!(special(&bytes), n);
                for at in (0..n).rev() {
                    bytes[at] = [b',', b'\n', b'\r', b'"'][at % 4];
                    assert_eq!(special(&bytes), at, "{fill} {n}");
                }
            }
        }
    }
}
