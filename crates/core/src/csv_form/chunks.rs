//! A file cut into chunks of whole records, which threads can read side by side.
//!
//! # Method
//! In a well-formed file a line feed behind an even number of quotes ends a record. So one pass
//! that counts quotes finds where the file can be cut, and each chunk is read as a file of its own.
//! A chunk that is not well formed says so and no more: what is wrong in the file, and where, is
//! then found by the one scan from the beginning, whose messages are the only ones. If all chunks
//! are well formed, that scan would have gone through the same records.

use std::borrow::Cow;
use std::ops::Range;

use super::scanner::Scanner;
use super::{BYTE_ORDER_MARK, check_names, check_size, header, places, scan, unquoted};
use crate::error::{Code, Error, Result};
use crate::par;

/// About how many bytes a chunk has. It cannot change what is read.
pub const CHUNK_BYTES: usize = 1 << 20;
/// About how many cells are shown at a time.
const BLOCK_CELLS: usize = 4096;

/// A CSV file whose header has been read, cut into chunks of whole records.
#[derive(Clone, Debug)]
pub struct CsvChunks<'a> {
    source: String,
    bytes: &'a [u8],
    names: Vec<String>,
    chunks: Vec<Range<usize>>,
}

/// Some rows that follow each other: where their cells are in the text.
#[derive(Debug)]
pub struct CsvRows<'a> {
    text: &'a str,
    cells: Vec<(usize, usize)>,
    n_columns: usize,
}

impl<'a> CsvRows<'a> {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.cells.len() / self.n_columns
    }

    /// The cells of one column, from the first row to the last, without their quotes.
    pub fn column(&self, place: usize) -> impl Iterator<Item = Cow<'a, str>> {
        let text = self.text;
        let rows = self.cells.chunks_exact(self.n_columns);
        rows.map(move |row| unquoted(&text[row[place].0..row[place].1]))
    }
}

impl<'a> CsvChunks<'a> {
    /// Reads the header and finds the chunks. `source` names the file in messages.
    ///
    /// # Errors
    /// If the header is not well formed, as [`CsvTable::open`](super::CsvTable::open).
    pub fn cut(source: &str, bytes: &'a [u8]) -> Result<Self> {
        Self::cut_by(source, bytes, CHUNK_BYTES)
    }

    fn cut_by(source: &str, bytes: &'a [u8], chunk_bytes: usize) -> Result<Self> {
        let bytes = begin(source, bytes)?;
        let (names, body) = header(source, bytes)?;
        let chunks = cuts(bytes, body, chunk_bytes);
        Ok(CsvChunks { source: source.to_owned(), bytes, names, chunks })
    }

    /// The names in the header.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where each of `wanted` stands in a row.
    ///
    /// # Errors
    /// If one is absent; the message lists what there is.
    pub fn places<'n>(&self, wanted: impl IntoIterator<Item = &'n str>) -> Result<Vec<usize>> {
        places(&self.source, &self.names, wanted)
    }

    /// What `read` makes of every chunk, in their order, on all threads. `read` gets the chunk's
    /// text and gives its number of rows, `None` if it is not well formed: [`for_each_block`] does.
    ///
    /// # Errors
    /// Whatever [`CsvTable::open`](super::CsvTable::open) says of the file.
    pub fn map<T: Send>(
        &self,
        read: impl Fn(&'a [u8]) -> Option<(usize, T)> + Sync + Send,
    ) -> Result<(usize, Vec<T>)> {
        let read = par::map(&self.chunks, |chunk| read(&self.bytes[chunk.clone()]));
        let read: Option<Vec<(usize, T)>> = read.into_iter().collect();
        let Some(read) = read else {
            return Err(self.refusal());
        };
        let n_rows = read.iter().map(|(n_rows, _)| *n_rows).fold(0, usize::saturating_add);
        check_size(&self.source, n_rows, self.names.len())?;
        check_names(&self.source, &self.names)?;
        Ok((n_rows, read.into_iter().map(|(_, made)| made).collect()))
    }

    /// What the scan from the beginning finds.
    fn refusal(&self) -> Error {
        scan(&self.source, self.bytes).err().unwrap_or_else(|| {
            let message =
                format!("`{}`: expected the rows of its header, found others", self.source);
            Error::new(Code::BadValue, message)
        })
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn body(&self) -> usize {
        self.chunks.first().map_or(self.bytes.len(), |chunk| chunk.start)
    }
}

/// Shows the rows of a chunk, some at a time, and gives their number; `None` if it is not
/// well-formed text of `n_columns` cells per row.
pub fn for_each_block<'a>(
    chunk: &'a [u8],
    n_columns: usize,
    mut see: impl FnMut(&CsvRows<'a>),
) -> Option<usize> {
    let text = std::str::from_utf8(chunk).ok()?;
    let mut rows = CsvRows { text, cells: Vec::with_capacity(BLOCK_CELLS + n_columns), n_columns };
    let mut scanner = Scanner::new(chunk, 0);
    let mut n_rows = 0;
    while scanner.at < chunk.len() {
        let n_cells = scanner.record(|start, end| rows.cells.push((start, end))).ok()?;
        if n_cells != n_columns {
            return None;
        }
        n_rows += 1;
        if rows.cells.len() >= BLOCK_CELLS {
            see(&rows);
            rows.cells.clear();
        }
    }
    if !rows.cells.is_empty() {
        see(&rows);
    }
    Some(n_rows)
}

/// The number of rows of a chunk; `None` if it is not well formed.
pub(super) fn count(chunk: &[u8], n_columns: usize) -> Option<usize> {
    std::str::from_utf8(chunk).ok()?;
    let mut scanner = Scanner::new(chunk, 0);
    let mut n_rows = 0;
    while scanner.at < chunk.len() {
        if scanner.record(|_, _| ()).ok()? != n_columns {
            return None;
        }
        n_rows += 1;
    }
    Some(n_rows)
}

/// The bytes behind a byte order mark, if there is something in them.
pub(super) fn begin<'a>(source: &str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    refuse_utf16(source, bytes)?;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let message = format!("`{source}`: expected a header, found an empty file");
        return Err(Error::new(Code::BadValue, message));
    }
    Ok(bytes)
}

/// So many bytes tell UTF-16 without a byte order mark.
const UTF16_SEEN: usize = 64;

/// Refuses a text that is UTF-16 by its byte order mark, or because every second one of its first
/// bytes is NUL, and no other.
///
/// # Errors
/// If it is; `source` names the text.
pub fn refuse_utf16(source: &str, bytes: &[u8]) -> Result<()> {
    let seen = &bytes[..bytes.len().min(UTF16_SEEN)];
    let are = |low: usize| {
        let mut pairs = seen.chunks_exact(2);
        pairs.all(|pair| pair[low] != 0 && pair[1 - low] == 0)
    };
    let is_marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if !is_marked && (seen.len() < 4 || !(are(0) || are(1))) {
        return Ok(());
    }
    let message = format!("`{source}`: expected UTF-8 text, found UTF-16");
    Err(Error::new(Code::BadValue, message).remedy("save the file as UTF-8"))
}

/// Where the chunks are, from `body` to the end.
fn cuts(bytes: &[u8], body: usize, chunk_bytes: usize) -> Vec<Range<usize>> {
    let starts: Vec<usize> = (body..bytes.len()).step_by(chunk_bytes).collect();
    let odd = par::map(&starts, |&start| {
        let end = bytes.len().min(start + chunk_bytes);
        has_odd_quotes(&bytes[start..end])
    });
    let mut chunks = Vec::with_capacity(starts.len());
    let (mut is_quoted, mut begun) = (false, body);
    for (&start, odd) in starts.iter().zip(odd) {
        // A record that is longer than a chunk leaves the cuts inside it out.
        if start > begun {
            let cut = start + end_of_record(&bytes[start..], is_quoted);
            chunks.push(begun..cut);
            begun = cut;
        }
        is_quoted ^= odd;
    }
    if begun < bytes.len() {
        chunks.push(begun..bytes.len());
    }
    chunks
}

/// Behind the last whole record of a text that begins with one; `None` if there is none.
pub fn end_of_records(text: &[u8]) -> Option<usize> {
    let mut is_quoted = has_odd_quotes(text);
    let mut bytes = text.iter().enumerate().rev();
    let last = bytes.find(|(_, byte)| {
        is_quoted ^= **byte == b'"';
        **byte == b'\n' && !is_quoted
    });
    last.map(|(at, _)| at + 1)
}

fn has_odd_quotes(bytes: &[u8]) -> bool {
    // Counted in bytes, so that the compiler can count many at once.
    let of_piece =
        |piece: &[u8]| piece.iter().fold(0u8, |n, byte| n.wrapping_add(u8::from(*byte == b'"')));
    bytes.chunks(128).fold(0u8, |n, piece| n ^ of_piece(piece)) & 1 == 1
}

/// Behind the first line feed that stands outside quotes.
fn end_of_record(bytes: &[u8], mut is_quoted: bool) -> usize {
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the chunks of that size say: the rows, or what is refused.
    fn by_chunks(text: &[u8], chunk_bytes: usize) -> Result<Vec<Vec<String>>, String> {
        let read = || -> Result<Vec<Vec<String>>> {
            let chunks = CsvChunks::cut_by("t.csv", text, chunk_bytes)?;
            let n_columns = chunks.names().len();
            let (n_rows, parts) = chunks.map(|chunk| {
                let mut rows = Vec::new();
                let n_rows = for_each_block(chunk, n_columns, |block| {
                    let columns: Vec<Vec<String>> = (0..n_columns)
                        .map(|place| block.column(place).map(Cow::into_owned).collect())
                        .collect();
                    rows.extend((0..block.n_rows()).map(|row| {
                        columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>()
                    }));
                })?;
                assert_eq!(count(chunk, n_columns), Some(n_rows));
                Some((n_rows, rows))
            })?;
            let rows = parts.concat();
            assert_eq!(rows.len(), n_rows);
            Ok(rows)
        };
        read().map_err(|e| e.to_string())
    }

    /// The same by the one scan from the beginning.
    fn in_sequence(text: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let read = || -> Result<Vec<Vec<String>>> {
            let bytes = begin("t.csv", text)?;
            scan("t.csv", bytes)?;
            let (names, body) = header("t.csv", bytes)?;
            check_names("t.csv", &names)?;
            let whole = std::str::from_utf8(bytes).expect("the scan has looked");
            let mut scanner = Scanner::new(bytes, body);
            let mut rows = Vec::new();
            while scanner.at < bytes.len() {
                let mut cells = Vec::new();
                let cell = |start, end| cells.push(unquoted(&whole[start..end]).into_owned());
                assert!(scanner.record(cell).is_ok());
                rows.push(cells);
            }
            Ok(rows)
        };
        read().map_err(|e| e.to_string())
    }

    #[test]
    fn chunks_of_any_size_say_what_the_scan_from_the_beginning_says() {
        let parts: [&[u8]; 14] = [
            b"a",
            b",",
            b"\n",
            b"\"",
            b"\"\"",
            b"\r\n",
            b",",
            b"\n",
            b"1,2\n",
            b"\"x\ny\",2\n",
            b"\"x,\"\"\",\"\"\n",
            "\u{e9}".as_bytes(),
            b"\r",
            b"\xff",
        ];
        let mut state = 3u64;
        let mut next = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let (mut n_good, mut n_bad) = (0, 0);
        for case in 0..6_000 {
            let mut text = b"a,b\n".to_vec();
            // Most cases of well-formed records, some of anything.
            let (from, to) = [(8, 11), (8, 11), (0, 11), (0, 14)][case % 4];
            for _ in 0..next(12) {
                text.extend_from_slice(parts[from + next(to - from)]);
            }
            let expected = in_sequence(&text);
            match &expected {
                Ok(_) => n_good += 1,
                Err(_) => n_bad += 1,
            }
            for chunk_bytes in [1, 2, 3, 5, 8, 13, 1 << 20] {
                let shown = String::from_utf8_lossy(&text);
                assert_eq!(by_chunks(&text, chunk_bytes), expected, "{chunk_bytes}: {shown:?}");
            }
        }
        assert!(n_good > 2_000 && n_bad > 1_000, "{n_good} good, {n_bad} bad");
    }

    #[test]
    fn whole_records_end_with_a_line_feed_outside_quotes() {
        for (text, end) in [
            (&b""[..], None),
            (b"a,b", None),
            (b"a,\"\n", None),
            (b"a,b\n", Some(4)),
            (b"a,b\n1,\"x\ny", Some(4)),
            (b"a,b\n1,\"x\ny\"\n2", Some(12)),
            (b"\"\"\"\n\"\n\"\n", Some(6)),
        ] {
            assert_eq!(end_of_records(text), end, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_table_of_many_blocks_is_read_to_the_end() {
        let mut text = "a,b,c\n".to_owned();
        for row in 0..10_000 {
            text.push_str(&format!("{row},\"x\n{row}\",\n"));
        }
        let expected = in_sequence(text.as_bytes());
        assert_eq!(by_chunks(text.as_bytes(), 1000), expected);
        assert_eq!(by_chunks(text.as_bytes(), CHUNK_BYTES), expected);
        assert_eq!(expected.map(|rows| rows.len()), Ok(10_000));
    }
}
