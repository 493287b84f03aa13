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
        let cells = self.cells.iter().skip(place).step_by(self.n_columns);
        cells.map(move |&(start, end)| unquoted(&text[start..end]))
    }
}

impl<'a> CsvChunks<'a> {
    /// Reads the header and finds the chunks. `source` names the file in messages.
    ///
    /// # Errors
    /// If the header is not well formed, as [`CsvTable::open`](super::CsvTable::open).
    pub fn cut(source: &str, bytes: &'a [u8]) -> Result<Self> {
        let bytes = begin(source, bytes)?;
        let (names, body) = header(source, bytes)?;
        let chunks = cuts(bytes, body);
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
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let message = format!("`{source}`: expected UTF-8 text, found UTF-16");
        return Err(Error::new(Code::BadValue, message).remedy("save the file as UTF-8"));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let message = format!("`{source}`: expected a header, found an empty file");
        return Err(Error::new(Code::BadValue, message));
    }
    Ok(bytes)
}

/// Where the chunks are, from `body` to the end.
fn cuts(bytes: &[u8], body: usize) -> Vec<Range<usize>> {
    let starts: Vec<usize> = (body..bytes.len()).step_by(CHUNK_BYTES).collect();
    let odd = par::map(&starts, |&start| {
        let end = bytes.len().min(start + CHUNK_BYTES);
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
