//! Arrow IPC files (also called Feather, version 2), read by the format's own description.
//!
//! # Method
//! The footer says where the batches are; each has its rows in buffers. What the footer and the
//! batches claim is held against the file before anything is set aside for it: a buffer must lie in
//! the file, and rows must fit into their buffers. Buffers packed by LZ4 or ZSTD are unpacked as
//! far as they say and no further. A dictionary (a categorical) is the text that its indices mean.
//!
//! # Shape
//! As the table in [`taker`](super::taker) says; a decimal is its digits. Nested, binary, times of
//! day and durations are refused by name where they are asked for.
//!
//! # Missing
//! Null, NaN, and the declared markers. A column of nulls alone is of any kind.

mod parts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use samescore_core::csv_form::ROWS_MAX;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::arrow::{Array, Type, Value, show};
use super::arrow_schema::{FIELDS_MAX, Field, Layout};
use super::flat::Table;
use super::gzip::UNPACKED_BYTES_MAX;
use super::parquet::damaged;
use super::table::{Taken, Wanted, choose};
use super::taker::{Part, Taker};
use super::{check_names, check_size};
pub(super) use parts::{feed, names};

const MAGIC: &[u8] = b"ARROW1";
/// Magic with padding; length of the footer, magic.
const FILE_BYTES_MIN: usize = 8 + 10;
/// The length of the footer, magic.
const TAIL_BYTES: usize = 10;
const BLOCK_BYTES: usize = 24;

/// The wanted columns of a file's content.
pub(super) fn take<T: Part>(
    path: &Path,
    bytes: &[u8],
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let file = File::open(path, bytes)?;
    let found: Vec<String> = file.fields.iter().map(|field| field.name.clone()).collect();
    check_size(path, file.n_rows, found.len())?;
    check_names(path, &found)?;
    let (names, places) = choose(path, &found, wanted)?;
    for (name, &place) in names.iter().zip(&places) {
        file.fields[place].expected().map_err(|e| e.column(name))?;
    }
    let columns: Vec<(&String, usize)> = names.iter().zip(places).collect();
    let columns = par::map(&columns, |(name, place)| {
        let mut taker = make(name);
        file.show(*place, 0, &mut taker).map(|()| taker).map_err(|e| e.column(name))
    });
    let columns = columns.into_iter().collect::<Result<_>>()?;
    Ok(Taken { names, columns, n_rows: file.n_rows })
}

/// A file whose claims have been checked.
struct File<'a> {
    path: &'a Path,
    fields: Vec<Field>,
    batches: Vec<Batch<'a>>,
    dictionaries: BTreeMap<i64, Vec<Batch<'a>>>,
    n_rows: usize,
}

/// A batch of rows, or of the values of a dictionary.
struct Batch<'a> {
    n_rows: usize,
    codec: Codec,
    buffers: Vec<&'a [u8]>,
    /// Buffers behind each column of views.
    views: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    None,
    Lz4,
    Zstd,
}

/// Where the footer of a file of `n_bytes` bytes begins and ends, by its first and last ones.
fn footer_place(path: &Path, n_bytes: usize, head: &[u8], tail: &[u8]) -> Result<Range<usize>> {
    if head.starts_with(b"FEA1") {
        let what = "Arrow IPC, found Feather of version 1";
        return Err(damaged(path, what).remedy("write it again as version 2"));
    }
    if n_bytes < FILE_BYTES_MIN || !head.starts_with(MAGIC) || !tail.ends_with(MAGIC) {
        let what = "ARROW1 at both ends, found something else";
        return Err(damaged(path, what).remedy("check the path, or write the file again"));
    }
    let end = n_bytes - TAIL_BYTES;
    let mut length = [0u8; 4];
    length.copy_from_slice(&tail[tail.len() - TAIL_BYTES..][..4]);
    let length = i32::from_le_bytes(length);
    let start = usize::try_from(length).ok().and_then(|n| end.checked_sub(n));
    match start.filter(|start| *start >= 8) {
        Some(start) => Ok(start..end),
        None => {
            let what = format!("a footer within the file, found one of {length} bytes");
            Err(damaged(path, &what))
        }
    }
}

/// The footer of these bytes, which numbers that can be read.
fn footer_of(path: &Path, bytes: &[u8]) -> Result<Footer> {
    let read = read_footer(bytes).ok_or_else(|| damaged(path, "a footer, found no such"))?;
    match read.is_big_endian {
        true => Err(damaged(path, "little-endian numbers, found big-endian ones")),
        false => Ok(read),
    }
}

/// Holds what a file of `n_bytes` bytes claims to have against it.
fn check_claims(
    path: &Path,
    n_bytes: usize,
    (n_rows, is_packed): (usize, bool),
    unpacked: u64,
) -> Result<()> {
    // A batch of nulls has no buffers: its rows are held against the whole file.
    let rows_max = n_bytes.saturating_mul(8).saturating_add(1024);
    if n_rows > ROWS_MAX || (!is_packed && n_rows > rows_max) {
        let what = format!("rows within its {n_bytes} bytes, found {n_rows} claimed");
        return Err(damaged(path, &what));
    }
    if unpacked > UNPACKED_BYTES_MAX {
        let message = format!(
            "`{}`: expected at most {UNPACKED_BYTES_MAX} bytes unpacked, found {unpacked} claimed",
            path.display()
        );
        return Err(Error::new(Code::LimitExceeded, message));
    }
    Ok(())
}

fn outside(path: &Path) -> Error {
    damaged(path, "batches within the file, found one outside")
}

impl<'a> File<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let place = footer_place(path, bytes.len(), bytes, bytes)?;
        let read = footer_of(path, &bytes[place.clone()])?;
        let mut file = File {
            path,
            fields: read.fields,
            batches: Vec::new(),
            dictionaries: BTreeMap::new(),
            n_rows: 0,
        };
        let (bytes, mut unpacked) = (&bytes[..place.start], 0u64);
        for block in &read.batches {
            file.batch(block, bytes, &mut unpacked)?;
        }
        for block in &read.dictionaries {
            file.dictionary(block, bytes, &mut unpacked)?;
        }
        let is_packed = file.batches.iter().any(|batch| batch.codec != Codec::None);
        check_claims(path, bytes.len(), (file.n_rows, is_packed), unpacked)?;
        Ok(file)
    }

    fn batch(&mut self, block: &Block, bytes: &'a [u8], unpacked: &mut u64) -> Result<()> {
        let outside = || outside(self.path);
        let (header, body) = block.message(bytes, RECORD_BATCH).ok_or_else(outside)?;
        let batch = Batch::read(&header, body, unpacked).ok_or_else(outside)?;
        self.n_rows = self.n_rows.saturating_add(batch.n_rows);
        self.batches.push(batch);
        Ok(())
    }

    fn dictionary(&mut self, block: &Block, bytes: &'a [u8], unpacked: &mut u64) -> Result<()> {
        let outside = || outside(self.path);
        let (header, body) = block.message(bytes, DICTIONARY_BATCH).ok_or_else(outside)?;
        let data = header.table(1).ok_or_else(outside)?;
        let batch = Batch::read(&data, body, unpacked).ok_or_else(outside)?;
        let known = self.dictionaries.entry(header.i64(0).unwrap_or(0)).or_default();
        if header.u8(2).unwrap_or(0) == 0 {
            // Not more of it, but another in its place.
            known.clear();
        }
        known.push(batch);
        Ok(())
    }

    /// Shows the cells of a column; the first batch begins at `first_row` of the file.
    fn show(&self, place: usize, first_row: u64, taker: &mut impl Taker) -> Result<()> {
        let field = &self.fields[place];
        let mut before = Layout::default();
        for field in &self.fields[..place] {
            before.n_buffers += field.layout.n_buffers;
            before.n_views += field.layout.n_views;
        }
        let stored = field.dictionary.map_or(field.stored, |(_, index)| index);
        let arrays = self.batches.iter().map(|b| self.array(b, stored, before));
        let arrays: Vec<Array<'_>> = arrays.collect::<Result<_>>()?;
        let has_value = |array: &Array<'_>| {
            (0..array.n_rows).any(|row| array.value(row) != Some(Value::Missing))
        };
        if let (Some(stored), true) = (field.expected()?, arrays.iter().any(has_value)) {
            taker.expect(stored)?;
        }
        let values = match field.dictionary {
            None => Vec::new(),
            Some((id, _)) => {
                let batches = self.dictionaries.get(&id).map_or(&[][..], Vec::as_slice);
                let arrays = batches.iter().map(|b| self.array(b, field.stored, Layout::default()));
                arrays.collect::<Result<_>>()?
            }
        };
        let mut row = first_row;
        for array in &arrays {
            for at in 0..array.n_rows {
                let value = array.value(at);
                let value = match (value, field.dictionary) {
                    (Some(Value::Integer(index)), Some(_)) => entry(&values, index),
                    (value, _) => value,
                };
                match value {
                    Some(value) => show(value, taker),
                    None => {
                        let what = "values within their buffers, found one outside, or no UTF-8";
                        return Err(damaged(self.path, what).row(row));
                    }
                }
                row += 1;
            }
        }
        Ok(())
    }

    /// A column of a batch, unpacked.
    fn array(&self, batch: &Batch<'a>, stored: Type, before: Layout) -> Result<Array<'a>> {
        let n_views = batch.views.iter().take(before.n_views).sum::<usize>();
        let start = before.n_buffers + n_views;
        let n_buffers = match stored {
            Type::Null | Type::Other(_) => 0,
            Type::Text { .. } => 3,
            Type::TextView => 2 + batch.views.get(before.n_views).copied().unwrap_or(0),
            _ => 2,
        };
        let wrong = || damaged(self.path, "rows within their buffers, found more claimed");
        let buffers =
            batch.buffers.get(start..start.saturating_add(n_buffers)).ok_or_else(wrong)?;
        let buffers = buffers.iter().map(|b| {
            unpacked(b, batch.codec).ok_or_else(|| {
                damaged(self.path, "buffers as they were packed, found a damaged one")
            })
        });
        let array =
            Array { stored, n_rows: batch.n_rows, buffers: buffers.collect::<Result<_>>()? };
        if array.is_whole() { Ok(array) } else { Err(wrong()) }
    }
}

/// The value that an index means.
fn entry<'v>(values: &'v [Array<'_>], index: i128) -> Option<Value<'v>> {
    let mut index = usize::try_from(index).ok()?;
    for array in values {
        if index < array.n_rows {
            return array.value(index);
        }
        index -= array.n_rows;
    }
    None
}

const DICTIONARY_BATCH: u8 = 2;
const RECORD_BATCH: u8 = 3;

/// Where a message is.
#[derive(Clone, Copy)]
struct Block {
    offset: i64,
    meta_bytes: i32,
    body_bytes: i64,
}

impl Block {
    /// The same in bytes that begin with it.
    fn alone(&self) -> Self {
        Block { offset: 0, ..*self }
    }

    /// Where it begins and how long header and body are, if it is within so many bytes.
    fn place(&self, n_bytes: u64) -> Option<(u64, u64, u64)> {
        let at = u64::try_from(self.offset).ok()?;
        let n_meta = u64::try_from(self.meta_bytes).ok()?;
        let n_body = u64::try_from(self.body_bytes).ok()?;
        let end = at.checked_add(n_meta)?.checked_add(n_body)?;
        (end <= n_bytes).then_some((at, n_meta, n_body))
    }

    /// Its header, which is of that kind, and its body.
    fn message<'a>(&self, bytes: &'a [u8], kind: u8) -> Option<(Table<'a>, &'a [u8])> {
        let start = usize::try_from(self.offset).ok()?;
        let middle = start.checked_add(usize::try_from(self.meta_bytes).ok()?)?;
        let end = middle.checked_add(usize::try_from(self.body_bytes).ok()?)?;
        let meta = bytes.get(start..middle)?;
        let body = bytes.get(middle..end)?;
        // Behind a mark of four bytes, which older files lack, the length; then the message.
        let meta = meta.strip_prefix(&[0xff; 4]).unwrap_or(meta).get(4..)?;
        let message = Table::root(meta)?;
        (message.u8(1)? == kind).then_some((message.table(2)?, body))
    }
}

struct Footer {
    is_big_endian: bool,
    fields: Vec<Field>,
    batches: Vec<Block>,
    dictionaries: Vec<Block>,
}

fn read_footer(bytes: &[u8]) -> Option<Footer> {
    let footer = Table::root(bytes)?;
    let schema = footer.table(1)?;
    let mut n_fields_max = FIELDS_MAX;
    let fields = schema.tables(1)?;
    let fields = fields.iter().map(|field| Field::read(field, &mut n_fields_max));
    let fields = fields.collect::<Option<_>>()?;
    let blocks = |slot: usize| -> Option<Vec<Block>> {
        let Some(blocks) = footer.vector(slot, BLOCK_BYTES) else {
            return Some(Vec::new());
        };
        let block = |i: usize| {
            let (offset, body_bytes) = (blocks.i64(i, 0)?, blocks.i64(i, 16)?);
            Some(Block { offset, meta_bytes: blocks.i32(i, 8)?, body_bytes })
        };
        (0..blocks.len()).map(block).collect()
    };
    Some(Footer {
        is_big_endian: schema.i16(0).unwrap_or(0) != 0,
        fields,
        batches: blocks(3)?,
        dictionaries: blocks(2)?,
    })
}

impl<'a> Batch<'a> {
    /// Reads a batch, and adds to `unpacked` what its buffers claim to become.
    fn read(header: &Table<'a>, body: &'a [u8], unpacked: &mut u64) -> Option<Self> {
        let n_rows = usize::try_from(header.i64(0).unwrap_or(0)).ok()?;
        let codec = match header.table(3) {
            None => Codec::None,
            Some(packing) => match packing.u8(0).unwrap_or(0) {
                0 => Codec::Lz4,
                1 => Codec::Zstd,
                _ => return None,
            },
        };
        let places = header.vector(2, 16);
        let mut buffers = Vec::with_capacity(places.map_or(0, |places| places.len()));
        for i in 0..places.map_or(0, |places| places.len()) {
            let start = usize::try_from(places?.i64(i, 0)?).ok()?;
            let n_bytes = usize::try_from(places?.i64(i, 8)?).ok()?;
            let buffer = body.get(start..start.checked_add(n_bytes)?)?;
            if codec != Codec::None {
                *unpacked = unpacked.saturating_add(claim(buffer).unwrap_or(0));
            }
            buffers.push(buffer);
        }
        let counts = header.vector(4, 8);
        let views = (0..counts.map_or(0, |counts| counts.len()))
            .map(|i| usize::try_from(counts?.i64(i, 0)?).ok());
        Some(Batch { n_rows, codec, buffers, views: views.collect::<Option<_>>()? })
    }
}

/// How many bytes a packed buffer claims to become.
fn claim(buffer: &[u8]) -> Option<u64> {
    let length = i64::from_le_bytes(buffer.get(..8)?.try_into().ok()?);
    u64::try_from(length).ok()
}

/// A buffer as it was before it was packed.
fn unpacked(buffer: &[u8], codec: Codec) -> Option<Cow<'_, [u8]>> {
    if codec == Codec::None || buffer.is_empty() {
        return Some(Cow::Borrowed(buffer));
    }
    let packed = buffer.get(8..)?;
    let Some(claimed) = claim(buffer) else {
        // A length of -1 says that packing would have made it longer.
        return Some(Cow::Borrowed(packed));
    };
    let mut whole = Vec::new();
    let read = match codec {
        Codec::Lz4 => lz4::Decoder::new(packed).ok()?.take(claimed).read_to_end(&mut whole),
        _ => zstd::Decoder::new(packed).ok()?.take(claimed).read_to_end(&mut whole),
    };
    (read.is_ok() && whole.len() as u64 == claimed).then_some(Cow::Owned(whole))
}
