//! The form of a CSV file, checked byte by byte before any reader guesses: RFC 4180, strictly.
//!
//! Readers differ on what is not well formed (a short row filled with nothing, a quote inside a cell, a
//! lone carriage return), and a difference between two readers is a difference between two scores. So
//! every such file is refused with its row, column and line.

use std::path::Path;

use samescore_core::error::{Code, Error, Result};

/// What a CSV file holds.
pub(super) struct Layout {
    /// The names in the header.
    pub(super) names: Vec<String>,
    /// The number of rows below it.
    pub(super) n_rows: usize,
    /// Where the first row begins.
    pub(super) body: usize,
}

/// Checks the form of the whole file; `bytes` have no byte order mark.
///
/// # Errors
/// If a row has another number of cells than the header, a quote stands where none may, a line ends
/// with a lone carriage return, or the text is not UTF-8.
pub(super) fn scan(path: &Path, bytes: &[u8]) -> Result<Layout> {
    let mut scanner = Scanner {
        bytes,
        at: 0,
        line: 1,
    };
    let mut names = Vec::new();
    let header = scanner.record(|cell| names.push(unquote(cell)));
    header.map_err(|fault| fault.error(path, None, &[]))?;
    let names: Vec<String> = names
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| not_utf8(path, bytes, &[]))?;
    if let Some(place) = names.iter().position(String::is_empty) {
        let message = format!(
            "`{}`: expected a name in the header, found an empty cell",
            path.display()
        );
        let error = Error::new(Code::MissingColumn, message);
        return Err(error.remedy(format!("name column {}", place + 1)));
    }
    let body = scanner.at;
    let mut n_rows = 0usize;
    while scanner.at < bytes.len() {
        let line = scanner.line;
        let n_cells = scanner.record(|_| ());
        let n_cells = n_cells.map_err(|fault| fault.error(path, Some(n_rows), &names))?;
        if n_cells != names.len() {
            return Err(ragged(path, n_rows, line, names.len(), n_cells));
        }
        n_rows += 1;
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(not_utf8(path, bytes, &names));
    }
    Ok(Layout {
        names,
        n_rows,
        body,
    })
}

fn ragged(path: &Path, row: usize, line: u64, expected: usize, found: usize) -> Error {
    let message = format!(
        "`{}` line {line}: expected {expected} cells, found {found}",
        path.display()
    );
    let remedy = match found {
        1 => "remove blank lines, and separate cells by commas",
        _ if found > expected => "put cells that contain a comma in quotes",
        _ => "give every row a cell for every name in the header",
    };
    Error::new(Code::BadValue, message)
        .remedy(remedy)
        .row(row as u64)
}

/// The text of a header cell; `None` if it is not UTF-8.
fn unquote(cell: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(cell).ok()?;
    Some(
        match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => text.to_owned(),
        },
    )
}

/// The first bytes that are not UTF-8, by row and column.
fn not_utf8(path: &Path, bytes: &[u8], names: &[String]) -> Error {
    let bad = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| bytes.len());
    let mut scanner = Scanner {
        bytes,
        at: 0,
        line: 1,
    };
    let (mut record, mut line, mut column) = (0u64, 1, 0);
    while scanner.at <= bad && scanner.at < bytes.len() {
        line = scanner.line;
        column = 0;
        let base = bytes.as_ptr() as usize;
        let before = |cell: &[u8]| cell.as_ptr() as usize - base + cell.len() <= bad;
        if scanner
            .record(|cell| column += usize::from(before(cell)))
            .is_err()
        {
            break;
        }
        record += 1;
    }
    let message = format!(
        "`{}` line {line}: expected UTF-8 text, found other bytes",
        path.display()
    );
    let error = Error::new(Code::BadValue, message).remedy("save the file as UTF-8");
    match (record, names.get(column)) {
        (0 | 1, _) => error,
        (n, Some(name)) => error.row(n - 2).column(name),
        (n, None) => error.row(n - 2),
    }
}

/// What is wrong inside a record.
struct Fault {
    what: &'static str,
    remedy: &'static str,
    line: u64,
    column: usize,
}

impl Fault {
    fn error(self, path: &Path, row: Option<usize>, names: &[String]) -> Error {
        let message = format!("`{}` line {}: {}", path.display(), self.line, self.what);
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

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Scanner<'_> {
    /// Moves behind the record at `at` and gives the number of its cells; `see` gets each cell with its
    /// quotes.
    #[inline]
    fn record(&mut self, mut see: impl FnMut(&[u8])) -> std::result::Result<usize, Fault> {
        let mut n_cells = 0;
        loop {
            let start = self.at;
            let end = match self.bytes.get(start) {
                Some(b'"') => self.quoted(start, n_cells)?,
                _ => self.plain(start, n_cells)?,
            };
            see(&self.bytes[start..end]);
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
        Fault {
            what,
            remedy,
            line: self.line,
            column,
        }
    }

    /// The end of an unquoted cell.
    #[inline]
    fn plain(&self, start: usize, column: usize) -> std::result::Result<usize, Fault> {
        let rest = &self.bytes[start..];
        let stop = rest
            .iter()
            .position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"'));
        let end = stop.map_or(self.bytes.len(), |n| start + n);
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
    fn quoted(&mut self, start: usize, column: usize) -> std::result::Result<usize, Fault> {
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
    fn line_end(&self, end: usize, column: usize) -> std::result::Result<usize, Fault> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &[u8]) -> Result<Layout> {
        scan(Path::new("t.csv"), text)
    }

    fn message(text: &[u8]) -> String {
        match scanned(text) {
            Ok(_) => "ok".to_owned(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_of_rfc_4180_are_counted() {
        let text = b"a,\"b\"\"c\"\r\n1,\"x,\r\ny\"\r\n,\"\"\n\"\",2";
        let layout = scanned(text).ok().unwrap();
        assert_eq!(layout.names, ["a", "b\"c"]);
        assert_eq!((layout.n_rows, layout.body), (3, 10));
        assert_eq!(scanned(b"a\n").ok().unwrap().n_rows, 0);
        assert_eq!(scanned(b"a").ok().unwrap().n_rows, 0);
    }

    #[test]
    fn what_readers_would_guess_about_is_refused_where_it_stands() {
        for (text, expected) in [
            (
                &b"a,b\n1,2\n3\n"[..],
                "row 1: `t.csv` line 3: expected 2 cells, found 1",
            ),
            (
                b"a,b\n1,2,3\n",
                "row 0: `t.csv` line 2: expected 2 cells, found 3",
            ),
            (
                b"a,b\n1,2\n\n",
                "row 1: `t.csv` line 3: expected 2 cells, found 1",
            ),
            (
                b"a,b\n1,x\"y\n",
                "column `b`: row 0: `t.csv` line 2: expected a quote only around",
            ),
            (
                b"a,b\n1,\"x\"y\n",
                "column `b`: row 0: `t.csv` line 2: expected a comma or the end",
            ),
            (
                b"a,b\n1,\"x\ny\n",
                "column `b`: row 0: `t.csv` line 2: expected a closing quote",
            ),
            (
                b"a,b\r1,2\r",
                "`t.csv` line 1: expected lines to end with a line feed",
            ),
            (
                b"a,,c\n",
                "`t.csv`: expected a name in the header, found an empty cell (name column 2)",
            ),
            (
                b"a,b\n1,2\n3,\xff\n",
                "column `b`: row 1: `t.csv` line 3: expected UTF-8 text",
            ),
            (b"a\xff,b\n1,2\n", "`t.csv` line 1: expected UTF-8 text"),
        ] {
            let found = message(text);
            assert!(
                found.starts_with(expected),
                "{found} should begin with {expected}"
            );
        }
    }
}
