//! Rows that cannot be read in blocks where they lie, kept in blocks: in memory up to a bound, the
//! others in a temporary file.
//!
//! # Method
//! A block in the file is its cells as they are in memory, little-endian, then the faults of its
//! rows. The file has no name: the system takes it away when it is closed, however the program
//! ends.
//!
//! # Errors
//! A folder that takes no file, or has no room for it, is named with what the system says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use samescore_core::batch::{Batch, Column, ColumnKind, Schema, TextColumn};
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

/// How rows are kept that are read once and asked for again.
#[derive(Clone, Debug)]
pub struct Keep {
    /// Where the temporary file is made.
    pub folder: PathBuf,
    /// So many bytes of rows stay in memory at most; a block of it more.
    pub bytes_max: u64,
}

impl Keep {
    /// What stays in memory where nothing else is said.
    pub const BYTES_MAX: u64 = 128 << 20;
}

impl Default for Keep {
    /// In the folder that the environment names for temporary files.
    fn default() -> Self {
        Keep { folder: std::env::temp_dir(), bytes_max: Keep::BYTES_MAX }
    }
}

/// Blocks of rows, of which the last ones may be in a file.
pub(super) struct Kept {
    keep: Keep,
    schema: Arc<Schema>,
    blocks: Vec<Place>,
    n_held: u64,
    file: Option<Mutex<File>>,
    n_written: u64,
    /// The codes of faults, by their place.
    codes: Vec<Code>,
}

enum Place {
    Held(Box<Batch>),
    /// Where its bytes begin, how many they are, and how many rows they are.
    Written(u64, usize, usize),
}

impl Kept {
    pub(super) fn new(keep: &Keep, schema: &Arc<Schema>) -> Self {
        Kept {
            keep: keep.clone(),
            schema: Arc::clone(schema),
            blocks: Vec::new(),
            n_held: 0,
            file: None,
            n_written: 0,
            codes: Vec::new(),
        }
    }

    /// Whether all of it is in memory.
    pub(super) fn is_held(&self) -> bool {
        self.file.is_none()
    }

    /// Takes the next block.
    pub(super) fn push(&mut self, block: Batch) -> Result<()> {
        let n_bytes = n_bytes(&block);
        if self.is_held() && self.n_held + n_bytes <= self.keep.bytes_max {
            self.n_held += n_bytes;
            self.blocks.push(Place::Held(Box::new(block)));
            return Ok(());
        }
        let bytes = self.written(&block);
        let file = match self.file.take() {
            Some(file) => file,
            None => Mutex::new(tempfile::tempfile_in(&self.keep.folder).map_err(|e| self.no(&e))?),
        };
        let done = lock(&file).write_all(&bytes);
        self.file = Some(file);
        done.map_err(|e| self.no(&e))?;
        self.blocks.push(Place::Written(self.n_written, bytes.len(), block.n_rows()));
        self.n_written += bytes.len() as u64;
        Ok(())
    }

    /// Block `index`.
    pub(super) fn read(&self, index: usize) -> Result<Batch> {
        let (at, n_bytes, n_rows) = match &self.blocks[index] {
            Place::Held(batch) => return Ok(batch.as_ref().clone()),
            Place::Written(at, n_bytes, n_rows) => (*at, *n_bytes, *n_rows),
        };
        let mut bytes = vec![0; n_bytes];
        if let Some(file) = &self.file {
            let mut file = lock(file);
            let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes));
            read.map_err(|e| self.no(&e))?;
        }
        let read = self.block(&mut Bytes(&bytes), n_rows);
        read.unwrap_or_else(|| {
            Err(self.no(&io::Error::new(io::ErrorKind::InvalidData, "other bytes than written")))
        })
    }

    /// All rows as one batch, if they are in memory.
    pub(super) fn into_batch(self) -> Result<Batch> {
        let held = self.blocks.iter().filter_map(|place| match place {
            Place::Held(block) => Some(block.as_ref()),
            Place::Written(..) => None,
        });
        let held: Vec<&Batch> = held.collect();
        let slots: Vec<usize> = (0..self.schema.len()).collect();
        let columns = par::map(&slots, |&slot| {
            let mut whole = Column::empty(self.schema.fields()[slot].kind);
            let parts: Vec<&Column> = held.iter().map(|block| block.column(slot)).collect();
            whole.append(&parts);
            whole
        });
        let mut all = Batch::new(Arc::clone(&self.schema), columns)?;
        let mut before = 0;
        for block in held {
            for (row, error) in block.faults() {
                all.fault_row(before + *row as usize, error.clone());
            }
            before += block.n_rows();
        }
        Ok(all)
    }

    fn no(&self, error: &io::Error) -> Error {
        let message = format!(
            "`{}`: expected room for a temporary file of the rows, which are read more than once, \
             found: {}",
            self.keep.folder.display(),
            error.to_string().to_lowercase()
        );
        Error::new(Code::Io, message)
            .remedy("make room there, or name another folder with --temp; nothing was written")
    }

    /// A block as bytes.
    fn written(&mut self, block: &Batch) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(n_bytes(block) as usize);
        for column in block.columns() {
            match column {
                Column::Num(v) => v.iter().for_each(|x| bytes.extend(x.to_bits().to_le_bytes())),
                Column::Time(v) => v.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
                Column::Text(v) => {
                    bytes.extend((v.n_levels() as u32).to_le_bytes());
                    v.levels().for_each(|level| put_text(&mut bytes, level));
                    v.codes().iter().for_each(|code| bytes.extend(code.to_le_bytes()));
                }
            }
        }
        bytes.extend((block.faults().len() as u32).to_le_bytes());
        for (row, error) in block.faults() {
            let place = self.codes.iter().position(|code| *code == error.code());
            let place = place.unwrap_or_else(|| {
                self.codes.push(error.code());
                self.codes.len() - 1
            });
            bytes.extend(row.to_le_bytes());
            bytes.extend((place as u32).to_le_bytes());
            put_text(&mut bytes, error.message());
            for part in [error.step_name(), error.column_name(), error.remedy_text()] {
                bytes.push(u8::from(part.is_some()));
                put_text(&mut bytes, part.unwrap_or_default());
            }
            bytes.push(u8::from(error.row_idx().is_some()));
            bytes.extend(error.row_idx().unwrap_or_default().to_le_bytes());
        }
        bytes
    }

    /// The block of these bytes; `None` if they are too few.
    fn block(&self, bytes: &mut Bytes<'_>, n_rows: usize) -> Option<Result<Batch>> {
        let mut columns = Vec::with_capacity(self.schema.len());
        for field in self.schema.fields() {
            columns.push(match field.kind {
                ColumnKind::Num => {
                    let words = bytes.words(n_rows)?;
                    Column::Num(words.map(f64::from_bits).collect())
                }
                ColumnKind::Time => Column::Time(bytes.words(n_rows)?.map(|x| x as i64).collect()),
                ColumnKind::Text => {
                    let mut text = TextColumn::default();
                    let n_levels = bytes.u32()? as usize;
                    text.reserve(n_rows, n_levels);
                    for _ in 0..n_levels {
                        text.intern(bytes.text()?);
                    }
                    let codes = bytes.take(n_rows.checked_mul(4)?)?.chunks_exact(4);
                    codes
                        .for_each(|c| text.push_code(u32::from_le_bytes([c[0], c[1], c[2], c[3]])));
                    Column::Text(text)
                }
            });
        }
        let mut batch = match Batch::new(Arc::clone(&self.schema), columns) {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        for _ in 0..bytes.u32()? {
            let row = bytes.u32()? as usize;
            let code = *self.codes.get(bytes.u32()? as usize)?;
            let mut error = Error::new(code, bytes.text()?);
            for part in [Error::step, Error::column, |e: Error, told: &str| e.remedy(told)] {
                let (is_there, told) = (bytes.take(1)? == [1], bytes.text()?);
                error = if is_there { part(error, told) } else { error };
            }
            let (is_there, place) = (bytes.take(1)? == [1], bytes.words(1)?.next()?);
            error = if is_there { error.row(place) } else { error };
            batch.fault_row(row, error);
        }
        Some(Ok(batch))
    }
}

fn lock(file: &Mutex<File>) -> std::sync::MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About how many bytes a block takes.
fn n_bytes(block: &Batch) -> u64 {
    let of = |column: &Column| match column {
        Column::Num(v) => 8 * v.len(),
        Column::Time(v) => 8 * v.len(),
        Column::Text(v) => 4 * v.len() + v.levels().map(|level| level.len() + 16).sum::<usize>(),
    };
    let of_faults = block.faults().values().map(|e| e.message().len() + 256).sum::<usize>();
    (block.columns().iter().map(of).sum::<usize>() + of_faults + 8) as u64
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// Bytes that are not read yet.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let n = self.u32()? as usize;
        std::str::from_utf8(self.take(n)?).ok()
    }

    fn words(&mut self, n: usize) -> Option<impl Iterator<Item = u64> + use<'a>> {
        let words = self.take(n.checked_mul(8)?)?.chunks_exact(8);
        Some(words.map(|w| u64::from_le_bytes(w.try_into().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use samescore_core::batch::Field;

    use super::*;

    fn block() -> Batch {
        let kinds = [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Time)];
        let fields = kinds.map(|(name, kind)| Field::new(name, kind));
        let columns = vec![
            Column::num([-0.0, f64::NAN, f64::INFINITY]),
            Column::text([Some("x"), None, Some("é\n")]),
            Column::Time(vec![-1, samescore_core::batch::MISSING_TIME, 7]),
        ];
        let mut batch = Batch::new(Arc::new(Schema::new(fields).unwrap()), columns).unwrap();
        batch.fault(1, 2, Error::new(Code::BadValue, "expected a time").remedy("say one"));
        batch.fault_row(2, Error::new(Code::WrongKind, "expected num").row(9).step("s"));
        batch
    }

    /// What a block is, to the bit.
    fn told(batch: &Batch) -> String {
        let bits: Vec<u64> = batch.num(0).iter().map(|x| x.to_bits()).collect();
        let faults: Vec<String> =
            batch.faults().iter().map(|(row, e)| format!("{row} {} {e}", e.code())).collect();
        let labels: Vec<Option<&str>> = (0..3).map(|row| batch.text(1).get(row)).collect();
        format!("{bits:?} {labels:?} {:?} {faults:?}", batch.time(2))
    }

    #[test]
    fn a_block_in_the_file_is_what_it_was_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let block = block();
        for bytes_max in [0, n_bytes(&block), 1 << 20] {
            let keep = Keep { folder: folder.path().to_owned(), bytes_max };
            let mut kept = Kept::new(&keep, block.schema());
            for _ in 0..3 {
                kept.push(block.clone()).unwrap();
            }
            assert_eq!(kept.is_held(), bytes_max == 1 << 20);
            for index in [2, 0, 1] {
                assert_eq!(told(&kept.read(index).unwrap()), told(&block), "{bytes_max}");
            }
            // The file has no name.
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_folder_that_takes_no_file_is_named() {
        let keep = Keep { folder: PathBuf::from("/absent/folder"), bytes_max: 0 };
        let mut kept = Kept::new(&keep, block().schema());
        let error = kept.push(block()).unwrap_err();
        assert_eq!(error.code(), Code::Io);
        assert!(error.to_string().starts_with("`/absent/folder`: expected room"), "{error}");
        assert!(error.to_string().contains("--temp"), "{error}");
    }
}
