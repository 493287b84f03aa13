//! JSON lines: one object per line, each of its values a cell.
//!
//! # Method
//! The columns are the names that occur in any line, in the order of their names; where a line
//! lacks one, its cell is missing. A number is its text, read as the same CSV cell is read, so that
//! no reader rounds it first. Chunks of lines are read side by side.
//!
//! # Errors
//! RFC 8259 to the letter, and beyond it: a name that occurs twice in a line, a name without
//! characters, and half of a surrogate pair (`\ud800`) are refused with their row; so are blank
//! lines, and values that are lists or objects, by name, where their column is asked for. A file in
//! UTF-16 is called so.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use samescore_core::csv_form;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::blocks::Records;
use super::json::{Cell, Line, Wrong};
use super::table::{Taken, Wanted, choose, join};
use super::taker::{Part, Taker};
use super::{check_names, check_size};
use crate::output_file::refused;

const CHUNK_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The wanted columns of a file's content.
pub(super) fn take<T: Part>(
    path: &Path,
    bytes: &[u8],
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    csv_form::refuse_utf16(&path.display().to_string(), bytes)?;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(empty(path));
    }
    let chunks = cuts(bytes);
    let (found, n_rows) = columns(path, bytes, &chunks)?;
    check_size(path, n_rows, found.len())?;
    check_names(path, &found)?;
    let (names, places) = choose(path, &found, wanted)?;
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    // Where the taker of each column is, by the column's place.
    let mut slots = vec![None; found.len()];
    places.iter().enumerate().for_each(|(slot, &place)| slots[place] = Some(slot));
    let slot_of = |name: &str| {
        found.binary_search_by(|known| known.as_str().cmp(name)).ok().and_then(|p| slots[p])
    };
    let parts = par::map(&chunks, |chunk| {
        let mut takers: Vec<T> = shown.iter().map(|name| make(name)).collect();
        let read = fill(&bytes[chunk.clone()], &slot_of, &mut takers);
        read.map(|()| takers)
    });
    let mut before = 0;
    let mut taken = Vec::with_capacity(parts.len());
    for (part, chunk) in parts.into_iter().zip(&chunks) {
        taken.push(part.map_err(|wrong| wrong.error(path, before))?);
        before += n_lines(&bytes[chunk.clone()]);
    }
    let columns = join(&shown, taken, make);
    Ok(Taken { names, columns, n_rows })
}

/// The wanted columns of a file, part by part in its order. The file is read once.
pub(super) fn feed<T: Part>(
    path: &Path,
    bytes: impl Read,
    (names, step): (&[&str], usize),
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    let mut records = Records::new(path, bytes, csv_form::Records::lines(), failed);
    let slot_of = |name: &str| names.binary_search(&name).ok();
    let (mut found, mut before) = (BTreeMap::new(), 0u64);
    let mut is_first = true;
    // What is wrong with a cell comes behind what is wrong with a line of the file.
    let mut late = None;
    loop {
        let mut wave = records.wave(step)?;
        if std::mem::take(&mut is_first) {
            let begun = wave.first().map_or(&[][..], Vec::as_slice);
            csv_form::refuse_utf16(&path.display().to_string(), begun)?;
            if let Some(first) = wave.first_mut().filter(|w| w.starts_with(BYTE_ORDER_MARK)) {
                first.drain(..BYTE_ORDER_MARK.len());
            }
            let is_blank = |wave: &[Vec<u8>]| wave.iter().flatten().all(u8::is_ascii_whitespace);
            let mut behind = is_blank(&wave);
            while behind {
                // A file of blanks alone is an empty one.
                match records.wave(step)? {
                    next if next.is_empty() => return Err(empty(path)),
                    next => behind = is_blank(&next),
                }
            }
        }
        if wave.is_empty() {
            break;
        }
        let read = par::map(&wave, |chunk| {
            let mut takers: Vec<T> = names.iter().map(|name| make(name)).collect();
            let names = names_in(chunk);
            let filled = names.is_ok().then(|| fill(chunk, &slot_of, &mut takers));
            (names, filled.unwrap_or(Ok(())).map(|()| takers))
        });
        for (names, takers) in read {
            let (of_chunk, n_rows) = names.map_err(|wrong| wrong.error(path, before))?;
            found.extend(of_chunk);
            match takers {
                _ if late.is_some() => {}
                Ok(takers) => take(takers, n_rows as usize)?,
                Err(wrong) => late = Some(wrong.error(path, before)),
            }
            before += n_rows;
        }
    }
    let found: Vec<String> = found.into_keys().collect();
    check_size(path, usize::try_from(before).unwrap_or(usize::MAX), found.len())?;
    check_names(path, &found)?;
    choose(path, &found, Some(names))?;
    late.map_or(Ok(()), Err)
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    refused("read", path, error)
}

/// The columns of a file, which is read once.
pub(super) fn names(path: &Path, bytes: impl Read) -> Result<Vec<String>> {
    let mut records = Records::new(path, bytes, csv_form::Records::lines(), failed);
    let mut found = BTreeMap::new();
    loop {
        let wave = records.wave(usize::MAX)?;
        if wave.is_empty() {
            return Ok(found.into_keys().collect());
        }
        // What is wrong is told by whoever reads the rows.
        let seen = par::map(&wave, |chunk| {
            names_in(chunk.strip_prefix(BYTE_ORDER_MARK).unwrap_or(chunk)).unwrap_or_default()
        });
        seen.into_iter().for_each(|(names, _)| found.extend(names));
    }
}

fn empty(path: &Path) -> Error {
    let message = format!("`{}`: expected JSON objects, found an empty file", path.display());
    Error::new(Code::BadValue, message)
}

/// Chunks of whole lines.
fn cuts(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut begun = 0;
    while begun < bytes.len() {
        let aim = bytes.len().min(begun + CHUNK_BYTES);
        let end = bytes[aim..].iter().position(|byte| *byte == b'\n');
        let end = end.map_or(bytes.len(), |n| aim + n + 1);
        chunks.push(begun..end);
        begun = end;
    }
    chunks
}

/// The lines of a chunk, without their line ends.
fn lines(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    let chunk = chunk.strip_suffix(b"\n").unwrap_or(chunk);
    chunk.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn n_lines(chunk: &[u8]) -> u64 {
    lines(chunk).count() as u64
}

/// The names in all lines, sorted, and the number of lines.
fn columns(path: &Path, bytes: &[u8], chunks: &[Range<usize>]) -> Result<(Vec<String>, usize)> {
    let seen = par::map(chunks, |chunk| names_in(&bytes[chunk.clone()]));
    let mut names = BTreeMap::new();
    let mut n_rows = 0;
    for seen in seen {
        let (of_chunk, n) = seen.map_err(|wrong| wrong.error(path, n_rows))?;
        names.extend(of_chunk);
        n_rows += n;
    }
    Ok((names.into_keys().collect(), n_rows as usize))
}

/// The names in a chunk with the last row, from 1, that had each.
fn names_in(chunk: &[u8]) -> Result<(BTreeMap<String, u64>, u64), Wrong> {
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    let mut n_rows = 0;
    for line in lines(chunk) {
        n_rows += 1;
        let at = |wrong: Wrong| wrong.row(n_rows - 1);
        let text =
            std::str::from_utf8(line).map_err(|_| at(Wrong::new("UTF-8 text", "other bytes")))?;
        let mut line = Line::begin(text).map_err(at)?;
        while let Some((name, _)) = line.next().map_err(at)? {
            let before = match names.get_mut(name.as_ref()) {
                Some(last) => std::mem::replace(last, n_rows),
                None => names.insert(name.to_string(), n_rows).unwrap_or(0),
            };
            if before == n_rows {
                return Err(at(Wrong::new("each name once", "it twice").column(&name)));
            }
            if name.is_empty() {
                return Err(at(Wrong::new("a name", "an empty one")));
            }
        }
    }
    Ok((names, n_rows))
}

/// Shows the cells of a chunk.
fn fill<T: Taker>(
    chunk: &[u8],
    slot_of: &impl Fn(&str) -> Option<usize>,
    takers: &mut [T],
) -> Result<(), Wrong> {
    let mut cells: Vec<Cell<'_>> = Vec::new();
    // The names of the line before, with their slots: lines mostly have the same names.
    let mut known: Vec<(Cow<'_, str>, Option<usize>)> = Vec::new();
    for (row, line) in lines(chunk).enumerate() {
        let at = |wrong: Wrong| wrong.row(row as u64);
        let text =
            std::str::from_utf8(line).map_err(|_| at(Wrong::new("UTF-8 text", "other bytes")))?;
        cells.clear();
        cells.resize(takers.len(), Cell::Null);
        let mut line = Line::begin(text).map_err(at)?;
        let mut place = 0;
        while let Some((name, cell)) = line.next().map_err(at)? {
            let slot = match known.get(place) {
                Some((same, slot)) if *same == name => *slot,
                _ => {
                    let slot = slot_of(&name);
                    known.truncate(place);
                    known.push((name.clone(), slot));
                    slot
                }
            };
            place += 1;
            match (slot, cell) {
                (None, _) => {}
                (Some(_), Cell::Nested(what)) => {
                    return Err(at(Wrong::new("a number, text or bool", what).column(&name)));
                }
                (Some(slot), cell) => cells[slot] = cell,
            }
        }
        for (taker, cell) in takers.iter_mut().zip(&cells) {
            match cell {
                Cell::Null | Cell::Nested(_) => taker.missing(),
                Cell::Bool(b) => taker.bool(*b),
                Cell::Text(text) => taker.text(text),
            }
        }
    }
    Ok(())
}
