//! Arrow IPC batch by batch, for files that are larger than memory.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use samescore_core::error::Result;
use samescore_core::par;

use super::{Block, File, Footer, RECORD_BATCH, TAIL_BYTES};
use super::{check_claims, footer_of, footer_place, outside};
use crate::file::{self, changed};
use crate::gather::table::choose;
use crate::gather::taker::Part;
use crate::gather::{check_names, check_size};
use crate::output_file::refused;

/// The wanted columns of a file, batch by batch: beside its dictionaries, one batch is in memory.
pub(in crate::gather) fn feed<T: Part>(
    path: &Path,
    names: &[&str],
    make: &(impl Fn(&str) -> T + Sync),
    mut take: impl FnMut(Vec<T>, usize) -> Result<()>,
) -> Result<()> {
    let (mut from, read) = Bytes::open(path)?;
    let n_bytes = usize::try_from(from.n_bytes).unwrap_or(usize::MAX);
    let (mut claimed, mut is_packed) = (0usize, false);
    for block in &read.batches {
        let (n_rows, packed) = from.claim(block)?;
        claimed = claimed.saturating_add(n_rows);
        is_packed |= packed;
    }
    let mut unpacked = 0u64;
    let dictionaries = read.dictionaries.iter().map(|block| from.message(block));
    let dictionaries: Vec<Vec<u8>> = dictionaries.collect::<Result<_>>()?;
    let mut names_found: Vec<String> = Vec::new();
    names_found.extend(read.fields.iter().map(|field| field.name.clone()));
    check_claims(path, n_bytes, (claimed, is_packed), unpacked)?;
    check_size(path, claimed, names_found.len())?;
    check_names(path, &names_found)?;
    let (names, places) = choose(path, &names_found, Some(names))?;
    for (name, &place) in names.iter().zip(&places) {
        read.fields[place].expected().map_err(|e| e.column(name))?;
    }
    let mut before = 0u64;
    for block in &read.batches {
        let bytes = from.message(block)?;
        let mut one = File {
            path,
            fields: read.fields.clone(),
            batches: Vec::new(),
            dictionaries: BTreeMap::new(),
            n_rows: 0,
        };
        let mut unpacked_again = 0;
        for (block, bytes) in read.dictionaries.iter().zip(&dictionaries) {
            one.dictionary(&block.alone(), bytes, &mut unpacked_again)?;
        }
        one.batch(&block.alone(), &bytes, &mut unpacked)?;
        check_claims(path, n_bytes, (claimed, is_packed), unpacked + unpacked_again)?;
        let columns: Vec<(&String, usize)> = names.iter().zip(places.iter().copied()).collect();
        let columns = par::map(&columns, |(name, place)| {
            let mut taker = make(name);
            one.show(*place, before, &mut taker).map(|()| taker).map_err(|e| e.column(name))
        });
        before += one.n_rows as u64;
        take(columns.into_iter().collect::<Result<_>>()?, one.n_rows)?;
    }
    Ok(())
}

/// The columns of a file.
pub(in crate::gather) fn names(path: &Path) -> Result<Vec<String>> {
    let (_, footer) = Bytes::open(path)?;
    Ok(footer.fields.into_iter().map(|field| field.name).collect())
}

/// A file that is read a part at a time.
struct Bytes<'a> {
    path: &'a Path,
    file: std::fs::File,
    /// How many there are before the footer.
    n_bytes: u64,
}

impl<'a> Bytes<'a> {
    /// A file with its footer.
    fn open(path: &'a Path) -> Result<(Self, Footer)> {
        let mut from = Bytes { path, file: file::open(path)?, n_bytes: 0 };
        from.n_bytes = from.file.metadata().map_err(|e| refused("read", path, &e))?.len();
        let length = usize::try_from(from.n_bytes).unwrap_or(usize::MAX);
        let head = from.read(0, from.n_bytes.min(8))?;
        let tail = from.n_bytes.min(TAIL_BYTES as u64);
        let tail = from.read(from.n_bytes - tail, tail)?;
        let place = footer_place(path, length, &head, &tail)?;
        let footer = from.read(place.start as u64, place.len() as u64)?;
        from.n_bytes = place.start as u64;
        Ok((from, footer_of(path, &footer)?))
    }

    fn read(&mut self, at: u64, n: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self
            .file
            .seek(SeekFrom::Start(at))
            .and_then(|_| (&mut self.file).take(n).read_to_end(&mut bytes));
        read.map_err(|e| refused("read", self.path, &e))?;
        match bytes.len() as u64 == n {
            true => Ok(bytes),
            false => Err(changed(self.path)),
        }
    }

    /// All of a message.
    fn message(&mut self, block: &Block) -> Result<Vec<u8>> {
        let (at, n_meta, n_body) = block.place(self.n_bytes).ok_or_else(|| outside(self.path))?;
        self.read(at, n_meta + n_body)
    }

    /// How many rows a batch claims, and whether it is packed.
    fn claim(&mut self, block: &Block) -> Result<(usize, bool)> {
        let (at, n_meta, _) = block.place(self.n_bytes).ok_or_else(|| outside(self.path))?;
        let meta = self.read(at, n_meta)?;
        let bare = Block { body_bytes: 0, ..block.alone() };
        let claim = bare.message(&meta, RECORD_BATCH).and_then(|(header, _)| {
            let n_rows = usize::try_from(header.i64(0).unwrap_or(0)).ok()?;
            Some((n_rows, header.table(3).is_some()))
        });
        claim.ok_or_else(|| outside(self.path))
    }
}
