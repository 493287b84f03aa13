//! The form of a CSV file: RFC 4180 strictly, and one way to read it for research and deploy.
//!
//! Readers differ on what is not well formed (a short row filled with nothing, a quote inside a
//! cell, a lone carriage return, a blank line), and a difference between two readers is a
//! difference between two scores. So every such file is refused with its row, column and line,
//! whoever reads.
//!
//! A byte order mark at the beginning is skipped once. A cell in quotes and the same cell without
//! are the same cell; an empty one is missing either way (see
//! [`CellReader`](crate::batch::CellReader)). Rows are numbered from 0 without the header, lines
//! from 1 with it.

mod chunks;
mod records;
mod scanner;

use std::borrow::Cow;

use crate::batch::found::{self, check_names, check_size};
pub use crate::batch::{COLUMNS_MAX, ROWS_MAX};
use crate::error::{Code, Error, Result};

pub use chunks::{CHUNK_BYTES, CsvChunks, CsvRows, end_of_records, for_each_block, refuse_utf16};
pub use records::{PART_BYTES, RECORD_BYTES_MAX, Records, error_in_file};
use scanner::Scanner;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A CSV file that is well formed.
#[derive(Clone, Debug)]
pub struct CsvTable<'a> {
    source: String,
    text: &'a str,
    names: Vec<String>,
    n_rows: usize,
    /// Where the first row begins.
    body: usize,
}

impl<'a> CsvTable<'a> {
    /// Checks the form of a whole file. `source` names it in messages.
    ///
    /// # Errors
    /// If the text is not UTF-8, there is no header, a name is empty or occurs twice, a row has
    /// another number of cells than the header, a quote stands where none may, a line ends with a
    /// lone carriage return, or the table is beyond [`ROWS_MAX`] or [`COLUMNS_MAX`].
    pub fn open(source: &str, bytes: &'a [u8]) -> Result<Self> {
        let chunks = CsvChunks::cut(source, bytes)?;
        let n_columns = chunks.names().len();
        let (n_rows, _) = chunks.map(|chunk| Some((chunks::count(chunk, n_columns)?, ())))?;
        let text = std::str::from_utf8(chunks.bytes())
            .map_err(|_| not_utf8(source, chunks.bytes(), chunks.names()))?;
        let (names, body) = (chunks.names().to_vec(), chunks.body());
        Ok(CsvTable { source: source.to_owned(), text, names, n_rows, body })
    }

    /// The names in the header.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The rows as text, without header and byte order mark.
    pub fn body(&self) -> &'a str {
        &self.text[self.body..]
    }

    /// Where each of `wanted` stands in a row.
    ///
    /// # Errors
    /// If one is absent; the message lists what there is.
    pub fn places<'n>(&self, wanted: impl IntoIterator<Item = &'n str>) -> Result<Vec<usize>> {
        places(&self.source, &self.names, wanted)
    }

    /// Shows each row in order: its cells in the order of the header, without their quotes.
    pub fn for_each_row(&self, see: impl FnMut(&[Cow<'a, str>])) {
        self.for_each_record(unquoted, see);
    }

    /// The same, where an empty cell without quotes is none: so a listing tells a missing value
    /// from an empty label.
    pub fn for_each_told_row(&self, see: impl FnMut(&[Option<Cow<'a, str>>])) {
        self.for_each_record(|cell| (!cell.is_empty()).then(|| unquoted(cell)), see);
    }

    fn for_each_record<T>(&self, read: impl Fn(&'a str) -> T, mut see: impl FnMut(&[T])) {
        let mut scanner = Scanner::new(self.text.as_bytes(), self.body);
        let mut cells = Vec::with_capacity(self.names.len());
        for _ in 0..self.n_rows {
            cells.clear();
            let scanned = scanner.record(|start, end| cells.push(read(&self.text[start..end])));
            debug_assert!(scanned.is_ok(), "the scan has read this record before");
            see(&cells);
        }
    }
}

/// Where each of `wanted` stands among `names`.
fn places<'n>(
    source: &str,
    names: &[String],
    wanted: impl IntoIterator<Item = &'n str>,
) -> Result<Vec<usize>> {
    found::places(source, names, wanted).map_err(|absent| match names {
        [only] if only.contains([';', '\t', '|']) => {
            absent.remedy("cells are separated by commas; write the file with commas")
        }
        _ => absent,
    })
}

/// The names, and where the first row begins.
fn header(source: &str, bytes: &[u8]) -> Result<(Vec<String>, usize)> {
    let mut scanner = Scanner::new(bytes, 0);
    let mut places = Vec::new();
    let header = scanner.record(|start, end| places.push((start, end)));
    header.map_err(|fault| fault.error(source, None, &[]))?;
    let cell = |&(start, end): &(usize, usize)| std::str::from_utf8(&bytes[start..end]).ok();
    let names: Option<Vec<String>> =
        places.iter().map(|place| Some(unquoted(cell(place)?).into_owned())).collect();
    let names = names.ok_or_else(|| not_utf8(source, bytes, &[]))?;
    if let Some(place) = names.iter().position(String::is_empty) {
        let message = format!("`{source}`: expected a name in the header, found an empty cell");
        let error = Error::new(Code::MissingColumn, message);
        return Err(error.remedy(format!("name column {}", place + 1)));
    }
    Ok((names, scanner.at))
}

/// One pass over the whole file, for the first thing that is wrong in it.
fn scan(source: &str, bytes: &[u8]) -> Result<()> {
    let (names, body) = header(source, bytes)?;
    let mut scanner = Scanner::new(bytes, body);
    scanner.line = 1 + bytes[..body].iter().filter(|byte| **byte == b'\n').count() as u64;
    let mut n_rows = 0usize;
    while scanner.at < bytes.len() {
        let line = scanner.line;
        let n_cells = scanner.record(|_, _| ());
        let n_cells = n_cells.map_err(|fault| fault.error(source, Some(n_rows), &names))?;
        if n_cells != names.len() {
            return Err(ragged(source, n_rows, line, names.len(), n_cells));
        }
        n_rows += 1;
    }
    std::str::from_utf8(bytes).map_err(|_| not_utf8(source, bytes, &names)).map(|_| ())
}

fn ragged(source: &str, row: usize, line: u64, expected: usize, found: usize) -> Error {
    let message = format!("`{}` line {line}: expected {expected} cells, found {found}", source);
    let remedy = match found {
        1 => "remove blank lines, and separate cells by commas",
        _ if found > expected => "put cells that contain a comma in quotes",
        _ => "give every row a cell for every name in the header",
    };
    Error::new(Code::BadValue, message).remedy(remedy).row(row as u64)
}

/// A cell without its quotes.
#[inline]
fn unquoted(cell: &str) -> Cow<'_, str> {
    match cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(inner) if inner.contains('"') => Cow::Owned(inner.replace("\"\"", "\"")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(cell),
    }
}

/// The first bytes that are not UTF-8, by row and column.
fn not_utf8(source: &str, bytes: &[u8], names: &[String]) -> Error {
    let bad = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| bytes.len());
    let mut scanner = Scanner::new(bytes, 0);
    let (mut record, mut line, mut column) = (0u64, 1, 0);
    while scanner.at <= bad && scanner.at < bytes.len() {
        line = scanner.line;
        column = 0;
        let read = scanner.record(|_, end| column += usize::from(end <= bad));
        if read.is_err() {
            break;
        }
        record += 1;
    }
    let message = format!("`{}` line {line}: expected UTF-8 text, found other bytes", source);
    let error = Error::new(Code::BadValue, message).remedy("save the file as UTF-8");
    match (record, names.get(column)) {
        (0 | 1, _) => error,
        (n, Some(name)) => error.row(n - 2).column(name),
        (n, None) => error.row(n - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &[u8]) -> Result<CsvTable<'_>> {
        CsvTable::open("t.csv", text)
    }

    fn message(text: &[u8]) -> String {
        match opened(text) {
            Ok(_) => "ok".to_owned(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_of_rfc_4180_are_counted() {
        let text = b"a,\"b\"\"c\"\r\n1,\"x,\r\ny\"\r\n,\"\"\n\"\",2";
        let layout = opened(text).unwrap();
        assert_eq!(layout.names, ["a", "b\"c"]);
        assert_eq!((layout.n_rows(), layout.body), (3, 10));
        let mut rows = Vec::new();
        layout.for_each_row(|cells| rows.push(cells.join("|")));
        assert_eq!(rows, ["1|x,\r\ny", "|", "|2"]);
        let mut told = Vec::new();
        layout.for_each_told_row(|cells| told.push(cells.to_vec()));
        assert_eq!(told[1..], [[None, Some("".into())], [Some("".into()), Some("2".into())]]);
        assert_eq!(opened(b"a\n").unwrap().n_rows(), 0);
        assert_eq!(opened(b"a").unwrap().n_rows(), 0);
    }

    #[test]
    fn what_readers_would_guess_about_is_refused_where_it_stands() {
        for (text, expected) in [
            (&b"a,b\n1,2\n3\n"[..], "row 1: `t.csv` line 3: expected 2 cells, found 1"),
            (b"a,b\n1,2,3\n", "row 0: `t.csv` line 2: expected 2 cells, found 3"),
            (b"a,b\n1,2\n\n", "row 1: `t.csv` line 3: expected 2 cells, found 1"),
            (b"a,b\n1,x\"y\n", "column `b`: row 0: `t.csv` line 2: expected a quote only around"),
            (b"a,b\n1,\"x\"y\n", "column `b`: row 0: `t.csv` line 2: expected a comma or the end"),
            (b"a,b\n1,\"x\ny\n", "column `b`: row 0: `t.csv` line 2: expected a closing quote"),
            (b"a,b\r1,2\r", "`t.csv` line 1: expected lines to end with a line feed"),
            (
                b"a,,c\n",
                "`t.csv`: expected a name in the header, found an empty cell (name column 2)",
            ),
            (b"a,b\n1,2\n3,\xff\n", "column `b`: row 1: `t.csv` line 3: expected UTF-8 text"),
            (b"a\xff,b\n1,2\n", "`t.csv` line 1: expected UTF-8 text"),
        ] {
            let found = message(text);
            assert!(found.starts_with(expected), "{found} should begin with {expected}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_skipped() {
        let table = opened(b"\xef\xbb\xbfa\n\n1\n").unwrap();
        assert_eq!((table.names(), table.n_rows()), (&["a".to_owned()][..], 2));
        let twice = opened(b"\xef\xbb\xbf\xef\xbb\xbfa\n1\n").unwrap();
        assert_eq!(twice.names(), ["\u{feff}a"]);
        let utf16 = "`t.csv`: expected UTF-8 text, found UTF-16 (save the file as UTF-8)";
        for text in [
            &b"\xff\xfea\0"[..],
            b"\xfe\xff\0a\0,",
            b"a\0,\0b\0\n\x001\0,\x002\0",
            b"\0a\0,\0b\0\n",
        ] {
            assert_eq!(message(text), utf16);
        }
        // A NUL here and there is none.
        assert_eq!(message(b"a,b\n1\0,2\n"), "ok");
        assert!(!message(b"a\0\0\0,\0\0\0").contains("UTF-16"));
        assert!(message(b" \n").contains("found an empty file"));
    }

    #[test]
    fn columns_are_found_by_name_or_named() {
        let table = opened(b"b, a,C\n1,2,3\n").unwrap();
        assert_eq!(table.places(["b", "C"]).unwrap(), [0, 2]);
        for (name, expected) in [
            ("x", "column `x`: expected it in `t.csv`, found b,  a, C"),
            (
                "a",
                "column `a`: expected it in `t.csv`, found b,  a, C \
                 (names are compared byte by byte, blanks included)",
            ),
            (
                "c",
                "column `c`: expected it in `t.csv`, found b,  a, C \
                 (names are compared byte by byte, capitals included)",
            ),
        ] {
            assert_eq!(table.places([name]).unwrap_err().to_string(), expected);
        }
        assert!(message(b"a,b,a\n").starts_with("column `a`: expected unique names in `t.csv`"));
    }
}
