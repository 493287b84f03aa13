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

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use samescore_core::csv_form::{self, CsvChunks, CsvTable, error_in_file, for_each_block};
use samescore_core::error::{Error, Result};
use samescore_core::par;

use crate::file::{self, changed};
use crate::gather::check_names;
use crate::gather::csv::Form;
use crate::gather::taker::Part;
use crate::output_file::refused;

/// How many bytes are read at a time.
pub(super) const READ_BYTES: usize = 1 << 20;

/// Where the parts of a file are.
pub(super) struct Parts {
    form: Form,
    parts: Vec<Range<u64>>,
}

/// Finds the parts and how many rows each has.
pub(super) fn cut(path: &Path, names: &[&str], step: usize) -> Result<(Parts, Vec<usize>)> {
    let mut records = Records::new(path, file::open(path)?, csv_form::Records::csv(), not_read);
    let (mut parts, mut heights) = (Vec::new(), Vec::new());
    let count = |part: &[u8], form: &Form| for_each_block(part, form.n_columns, |_| ());
    let form = walk(
        &mut records,
        names,
        step,
        |p, f| count(p, f).map(|n| (n, ())),
        |part, n, ()| {
            heights.push(n);
            parts.push(part);
            Ok(())
        },
    )?;
    Ok((Parts { form, parts }, heights))
}

/// The wanted columns of every part, in the order of the file, which is read once. `failed` says
/// what a failure of `bytes` is.
pub(super) fn feed<T: Part>(
    path: &Path,
    bytes: impl Read,
    failed: fn(&Path, &std::io::Error) -> Error,
    (names, step): (&[&str], usize),
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    let mut records = Records::new(path, bytes, csv_form::Records::csv(), failed);
    let read = |part: &[u8], form: &Form| form.read(part, names, make);
    walk(&mut records, names, step, read, |_, n_rows, takers| take(takers, n_rows)).map(|_| ())
}

/// The columns of a file.
pub(super) fn names(
    path: &Path,
    bytes: impl Read,
    failed: fn(&Path, &std::io::Error) -> Error,
) -> Result<Vec<String>> {
    let mut records = Records::new(path, bytes, csv_form::Records::csv(), failed);
    let header = records.next(1, usize::MAX)?.unwrap_or_default();
    let behind = records.next(1, usize::MAX)?.unwrap_or_default();
    let first = [header, behind].concat();
    Ok(CsvChunks::cut(&path.display().to_string(), &first)?.names().to_vec())
}

/// Goes through a file part by part. `see` makes something of every part and counts its rows, on
/// all threads, `None` if the part is not well formed; `take` gets it in the order of the file,
/// with where the part is.
fn walk<R: Read, T: Send>(
    records: &mut Records<'_, R>,
    names: &[&str],
    step: usize,
    see: impl Fn(&[u8], &Form) -> Option<(usize, T)> + Sync + Send,
    mut take: impl FnMut(Range<u64>, usize, T) -> Result<()>,
) -> Result<Form> {
    let path = records.path;
    let source = path.display().to_string();
    let header = records.next(1, usize::MAX)?.unwrap_or_default();
    let (mut n_rows, mut n_lines, mut at) = (0u64, 0u64, header.len() as u64);
    let mut wave = records.wave(step)?;
    // A header of blanks alone is one, if there are rows below it.
    let first = [&*header, wave.first().map_or(&[], Vec::as_slice)].concat();
    let chunks = CsvChunks::cut(&source, &first)?;
    check_names(path, chunks.names())?;
    let n_columns = chunks.names().len();
    let (places, mut absent) = match chunks.places(names.iter().copied()) {
        Ok(places) => (places, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    drop(first);
    let form = Form { n_columns, places };
    while !wave.is_empty() {
        let seen = par::map(&wave, |part| {
            let n_lines = part.iter().filter(|byte| **byte == b'\n').count() as u64;
            (see(part, &form), n_lines)
        });
        for (part, (seen, lines)) in wave.iter().zip(seen) {
            let Some((height, made)) = seen else {
                let text = [&*header, part].concat();
                let error = CsvTable::open(&source, &text).err();
                return Err(error.map_or_else(
                    || changed(path),
                    |e| error_in_file(&e, &source, n_rows, n_lines),
                ));
            };
            let end = at + part.len() as u64;
            // What is wrong with the form of the file comes before what is not in it.
            if absent.is_none() {
                take(at..end, height, made)?;
            }
            n_rows += height as u64;
            n_lines += lines;
            at = end;
        }
        wave = records.wave(step)?;
    }
    match absent.take() {
        Some(error) => Err(error),
        None => Ok(form),
    }
}

fn not_read(path: &Path, error: &std::io::Error) -> Error {
    refused("read", path, error)
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
        let read = self.form.read(&bytes, names, make);
        read.map(|(_, takers)| takers).ok_or_else(|| changed(path))
    }
}

/// Whole records of a file, some at a time.
pub(in crate::gather) struct Records<'a, R> {
    path: &'a Path,
    from: R,
    cutter: csv_form::Records,
    failed: fn(&Path, &std::io::Error) -> Error,
    is_done: bool,
}

impl<'a, R: Read> Records<'a, R> {
    pub(in crate::gather) fn new(
        path: &'a Path,
        from: R,
        cutter: csv_form::Records,
        failed: fn(&Path, &std::io::Error) -> Error,
    ) -> Self {
        Records { path, from, cutter, failed, is_done: false }
    }

    /// A part for each thread, if there is so much.
    pub(in crate::gather) fn wave(&mut self, step: usize) -> Result<Vec<Vec<u8>>> {
        let mut wave = Vec::new();
        while wave.len() < par::n_threads() {
            match self.next(step, csv_form::PART_BYTES)? {
                Some(part) => wave.push(part),
                None => break,
            }
        }
        Ok(wave)
    }

    /// The next `rows_max` records, or fewer of about `bytes_max` bytes together.
    fn next(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        while !self.is_done {
            if let Some(part) = self.cutter.next(rows_max, bytes_max) {
                return Ok(Some(part));
            }
            bytes.clear();
            let more = (&mut self.from).take(READ_BYTES as u64).read_to_end(&mut bytes);
            self.is_done = more.map_err(|e| (self.failed)(self.path, &e))? == 0;
            self.cutter.push(&self.path.display().to_string(), &bytes)?;
        }
        Ok(self.cutter.next(rows_max, bytes_max).or_else(|| self.cutter.last()))
    }
}
