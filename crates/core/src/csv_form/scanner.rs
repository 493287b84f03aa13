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
                _ => start + special(&self.bytes[start..]),
            };
            // What ends most cells; whatever else it is, is looked at apart.
            let byte = match self.bytes.get(end).copied() {
                Some(byte @ (b',' | b'\n')) => byte,
                other => self.unusual(end, other, n_cells)?,
            };
            see(start, end);
            n_cells += 1;
            self.at = end + 1;
            match byte {
                b',' => continue,
                b'\r' => self.at = end + 2,
                _ => self.at = self.at.min(self.bytes.len()),
            }
            self.line += u64::from(end < self.bytes.len());
            return Ok(n_cells);
        }
    }

    /// A cell ends with the file, or with a carriage return and a line feed.
    #[cold]
    fn unusual(&self, end: usize, byte: Option<u8>, column: usize) -> Result<u8, Fault> {
        match byte {
            None => Ok(b'\n'),
            Some(b'"') => Err(self.fault(
                "expected a quote only around a whole cell, found one inside",
                "put the cell in quotes and double the quotes in it",
                column,
            )),
            Some(byte) => self.line_end(end, column).map(|_| byte),
        }
    }

    fn fault(&self, what: &'static str, remedy: &'static str, column: usize) -> Fault {
        Fault { what, remedy, line: self.line, column }
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
/// All of them are below the digits and letters and the signs that most cells have.
#[inline]
fn special(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const ABOVE: u64 = LOW * (b',' + 1) as u64;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        // The lowest mark is exact; marks above it may be wrong.
        let mut marks = word.wrapping_sub(ABOVE) & !word & (LOW << 7);
        while marks != 0 {
            let place = marks.trailing_zeros() as usize / 8;
            if is_special(eight[place]) {
                return at + place;
            }
            marks &= marks - 1;
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|byte| is_special(*byte));
    rest.map_or(bytes.len(), |n| at + n)
}

#[inline]
fn is_special(byte: u8) -> bool {
    matches!(byte, b',' | b'\n' | b'\r' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for n in 0..40 {
            for fill in [b'a', b'-', b'+', b'!', b'#', b' ', 0x0b, 0x8d, 0xac, 0xff, 0] {
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
