//! CSV in blocks: whole records, as many as a block may have, and about 8 MiB of them at most.
//!
//! # Method
//! The file is gone through once, some of it at a time. It is cut behind whole records, and every
//! part is checked, so that what is wrong with the form of the file is found before anything is
//! made of its rows. A part that is not well formed is read as a table of its own under the header,
//! whose error is moved to the row and the line that it has in the file.
//!
//! # Errors
//! A record of more than 256 MiB is refused.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use samescore_core::csv_form::{CsvChunks, CsvTable, for_each_block};
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use crate::file::{self, changed};
use crate::gather::check_names;
use crate::gather::taker::Part;
use crate::output_file::refused;

/// About how many bytes a block has at most.
const BLOCK_BYTES: usize = 8 << 20;
/// How many bytes are read at a time.
pub(super) const READ_BYTES: usize = 1 << 20;
/// A longer record is refused.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// Where the parts of a file are.
pub(super) struct Parts {
    n_columns: usize,
    /// Where the wanted columns stand in a row.
    places: Vec<usize>,
    parts: Vec<Range<u64>>,
}

/// Finds the parts and how many rows each has.
pub(super) fn cut(path: &Path, names: &[&str], step: usize) -> Result<(Parts, Vec<usize>)> {
    let source = path.display().to_string();
    let mut records = Records { path, file: file::open(path)?, rest: Vec::new(), is_done: false };
    let header = records.next(1, usize::MAX)?.unwrap_or_default();
    let (mut parts, mut heights) = (Vec::new(), Vec::new());
    let (mut n_rows, mut n_lines, mut at) = (0u64, 0u64, header.len() as u64);
    let mut wave = records.wave(step)?;
    // A header of blanks alone is one, if there are rows below it.
    let first = [&*header, wave.first().map_or(&[], Vec::as_slice)].concat();
    let chunks = CsvChunks::cut(&source, &first)?;
    check_names(path, chunks.names())?;
    let n_columns = chunks.names().len();
    let absent = chunks.places(names.iter().copied());
    while !wave.is_empty() {
        let counted = par::map(&wave, |part| {
            let n_rows = for_each_block(part, n_columns, |_| ());
            (n_rows, part.iter().filter(|byte| **byte == b'\n').count() as u64)
        });
        for (part, (found, lines)) in wave.iter().zip(counted) {
            let Some(height) = found else {
                let text = [&*header, part].concat();
                let error = CsvTable::open(&source, &text).err();
                return Err(
                    error.map_or_else(|| changed(path), |e| moved(&e, &source, n_rows, n_lines))
                );
            };
            heights.push(height);
            parts.push(at..at + part.len() as u64);
            n_rows += height as u64;
            n_lines += lines;
            at += part.len() as u64;
        }
        wave = records.wave(step)?;
    }
    // What is wrong with the form of the file comes before what is not in it.
    Ok((Parts { n_columns, places: absent?, parts }, heights))
}

impl Parts {
    /// The wanted columns of part `index`.
    pub(super) fn read<T: Part>(
        &self,
        path: &Path,
        index: usize,
        names: &[&str],
        make: &(impl Fn(&str) -> T + Sync),
    ) -> Result<Vec<T>> {
        let io = |e| refused("read", path, &e);
        let part = &self.parts[index];
        let mut file = file::open(path)?;
        file.seek(SeekFrom::Start(part.start)).map_err(io)?;
        let mut bytes = Vec::with_capacity((part.end - part.start) as usize);
        file.take(part.end - part.start).read_to_end(&mut bytes).map_err(io)?;
        let mut takers: Vec<T> = names.iter().map(|name| make(name)).collect();
        let taken = for_each_block(&bytes, self.n_columns, |rows| {
            for (taker, &place) in takers.iter_mut().zip(&self.places) {
                taker.texts(rows.column(place));
            }
        });
        taken.map(|_| takers).ok_or_else(|| changed(path))
    }
}

/// An error about a part of a file, with the row and the line that it has in the file.
fn moved(error: &Error, source: &str, rows: u64, lines: u64) -> Error {
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

/// Whole records of a CSV file, some at a time. In a well-formed file a line feed behind an even
/// number of quotes ends a record.
struct Records<'a> {
    path: &'a Path,
    file: File,
    /// What is read and not yet given, from the beginning of a record on.
    rest: Vec<u8>,
    is_done: bool,
}

impl Records<'_> {
    /// A part for each thread, if there is so much.
    fn wave(&mut self, step: usize) -> Result<Vec<Vec<u8>>> {
        let mut wave = Vec::new();
        while wave.len() < par::n_threads() {
            match self.next(step, BLOCK_BYTES)? {
                Some(part) => wave.push(part),
                None => break,
            }
        }
        Ok(wave)
    }

    /// The next `rows_max` records, or fewer of about `bytes_max` bytes together.
    fn next(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let (mut at, mut n_rows, mut is_quoted) = (0, 0, false);
        loop {
            while let Some(&byte) = self.rest.get(at) {
                at += 1;
                match byte {
                    b'"' => is_quoted = !is_quoted,
                    b'\n' if !is_quoted => {
                        n_rows += 1;
                        if n_rows == rows_max || at >= bytes_max {
                            let rest = self.rest.split_off(at);
                            return Ok(Some(std::mem::replace(&mut self.rest, rest)));
                        }
                    }
                    _ => {}
                }
            }
            if self.is_done {
                let last = std::mem::take(&mut self.rest);
                return Ok((!last.is_empty()).then_some(last));
            }
            self.read_on()?;
        }
    }

    fn read_on(&mut self) -> Result<()> {
        if self.rest.len() > BLOCK_BYTES + RECORD_BYTES_MAX {
            let message = format!(
                "`{}`: expected records of at most {RECORD_BYTES_MAX} bytes, found a longer one",
                self.path.display()
            );
            return Err(Error::new(Code::LimitExceeded, message)
                .remedy("look for a quote that opens and is never closed"));
        }
        let more = (&mut self.file).take(READ_BYTES as u64).read_to_end(&mut self.rest);
        self.is_done = more.map_err(|e| refused("read", self.path, &e))? == 0;
        Ok(())
    }
}
