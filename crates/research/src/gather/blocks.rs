//! Sources read block by block, as often as asked: for tables that are larger than memory.
//!
//! # Method
//! Opening a source finds where its blocks are, and reads none of them into a table. A Parquet file
//! is cut where its row groups end, and a row group of more rows than a block may have within; what
//! its footer claims is held against the file as when it is read whole. A CSV file is gone through
//! once, some of it at a time: it is cut behind whole records, and every part is checked as a table
//! of its own under the header, so that what is wrong with the file is found before anything is made
//! of its rows, with the row and the line that they have in the file. A block's cells are read by
//! the readers that read whole files.
//!
//! # Shape
//! A block has at most the rows that the caller says; one of a CSV file has at most 8 MiB or one
//! record. Parquet is mapped into memory for the time of a read, of which only the block's pages
//! are touched.
//!
//! # Errors
//! Those of reading the file whole; and a file that is not what it was when it was opened is
//! refused. A record of more than 256 MiB is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use polars::prelude::{
    DataFrame, FileMetadata, FileMetadataRef, ParallelStrategy, ParquetReader, SerReader,
};
use samescore_core::aggregate::Blocks;
use samescore_core::batch::{Batch, Field, Schema};
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::csv_form::CsvTable;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::parquet::{TAIL_BYTES, check_footer, check_frame};
use super::stored::convert;
use super::{Format, Gathered, batch_of, check_size, csv, foreign, guard, positions};
use crate::file;
use crate::output_file::refused;

/// About how many bytes of a CSV file a block has at most.
const CSV_BLOCK_BYTES: usize = 8 << 20;
/// How many bytes are read at a time.
const READ_BYTES: usize = 1 << 20;
/// A longer record is refused.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// The declared columns of a file, in blocks.
pub struct SourceBlocks {
    path: PathBuf,
    state: State,
    columns: BTreeMap<String, ColumnConfig>,
    missing: Vec<String>,
    schema: Arc<Schema>,
    /// Where the rows of each block begin, and the number of all rows.
    starts: Vec<u64>,
    form: Form,
}

/// Where the blocks are.
enum Form {
    Csv { header: Vec<u8>, parts: Vec<Range<u64>> },
    Parquet(RowGroups),
}

/// The row groups of a Parquet file.
struct RowGroups {
    names: Vec<String>,
    footer: FileMetadataRef,
    /// The footer without row groups.
    bare: FileMetadata,
    /// By block its row group and where it begins there.
    places: Vec<(usize, usize)>,
}

/// What a file that nobody writes to keeps.
#[derive(PartialEq)]
struct State {
    n_bytes: u64,
    changed: Option<SystemTime>,
}

impl State {
    fn of(path: &Path) -> Result<Self> {
        let found = std::fs::metadata(path).map_err(|e| refused("read", path, &e))?;
        Ok(State { n_bytes: found.len(), changed: found.modified().ok() })
    }
}

/// Opens a source for reading in blocks of at most `block_rows` rows.
///
/// # Errors
/// As [`read`](super::read).
pub fn blocks(source: &Path, data: &DataConfig, block_rows: usize) -> Result<SourceBlocks> {
    let columns = data.columns.clone();
    if columns.is_empty() {
        return Err(Error::new(Code::MissingColumn, "expected declared columns, found none")
            .remedy("declare them under [data.columns]"));
    }
    let state = State::of(source)?;
    let step = block_rows.max(1);
    let (starts, form) = match Format::of(source)? {
        Format::Csv => cut_csv(source, &columns, step)?,
        Format::Parquet => cut_parquet(source, &columns, step)?,
    };
    let fields = columns.iter().map(|(name, column)| Field::new(name.clone(), column.kind));
    let schema = Arc::new(Schema::new(fields)?);
    let missing = data.missing.clone();
    Ok(SourceBlocks { path: source.to_owned(), state, columns, missing, schema, starts, form })
}

impl SourceBlocks {
    /// The number of rows.
    pub fn n_rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    fn gather(&self, index: usize) -> Result<Vec<Gathered>> {
        match &self.form {
            Form::Csv { header, parts } => {
                let text = read_part(&self.path, header, &parts[index])?;
                let table = CsvTable::open(&self.path.display().to_string(), &text)?;
                csv::read_table(&table, &self.columns, &self.missing)
            }
            Form::Parquet(groups) => {
                let n_rows = (self.starts[index + 1] - self.starts[index]) as usize;
                let frame = groups.read(&self.path, index, n_rows)?;
                let column = |(name, declared): (&String, &ColumnConfig)| {
                    let series = frame.column(name).map_err(|e| foreign(&self.path, &e))?;
                    let series = series.as_materialized_series();
                    convert(series, declared, &self.missing).map_err(|e| e.column(name))
                };
                self.columns.iter().map(column).collect()
            }
        }
    }

    fn check_unchanged(&self) -> Result<()> {
        if State::of(&self.path)? == self.state {
            return Ok(());
        }
        let message = format!(
            "`{}`: expected the file that was opened, found it changed",
            self.path.display()
        );
        Err(Error::new(Code::SourceChanged, message).remedy("read it when nobody writes to it"))
    }
}

impl RowGroups {
    /// The `n_rows` rows of block `index`.
    fn read(&self, path: &Path, index: usize, n_rows: usize) -> Result<DataFrame> {
        let (group, from) = self.places[index];
        // The reader would look into every row group before the one that is wanted.
        let mut footer = self.bare.clone();
        footer.row_groups.push(self.footer.row_groups[group].clone());
        footer.num_rows = self.footer.row_groups[group].num_rows();
        guard(path, || {
            let mut reader = ParquetReader::new(file::open(path)?);
            reader.set_metadata(Arc::new(footer));
            let reader = reader.with_columns(Some(self.names.clone()));
            // Blocks are read side by side; one has no use for more threads.
            let reader = reader.read_parallel(ParallelStrategy::None);
            let reader = reader.with_slice(Some((from, n_rows)));
            reader.finish().map_err(|e| foreign(path, &e))
        })
    }
}

impl Blocks for SourceBlocks {
    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn n_blocks(&self) -> usize {
        self.starts.len() - 1
    }

    fn read(&self, index: usize) -> Result<Batch> {
        self.check_unchanged()?;
        let gathered = self.gather(index);
        // A file that was changed meanwhile may look damaged.
        self.check_unchanged()?;
        let mut batch = batch_of(&self.columns, gathered?)?;
        batch.set_first_row(self.starts[index]);
        Ok(batch)
    }
}

fn cut_parquet(
    path: &Path,
    columns: &BTreeMap<String, ColumnConfig>,
    step: usize,
) -> Result<(Vec<u64>, Form)> {
    let mut file = file::open(path)?;
    let io = |e| refused("read", path, &e);
    let n_bytes = file.metadata().map_err(io)?.len();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    (&mut file).take(TAIL_BYTES as u64).read_to_end(&mut head).map_err(io)?;
    file.seek(SeekFrom::Start(n_bytes.saturating_sub(TAIL_BYTES as u64))).map_err(io)?;
    (&mut file).take(TAIL_BYTES as u64).read_to_end(&mut tail).map_err(io)?;
    file.rewind().map_err(io)?;
    let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
    check_frame(path, n_bytes, &head, &tail)?;
    guard(path, || {
        let mut reader = ParquetReader::new(file);
        let names = check_footer(path, n_bytes, &mut reader, |found| {
            positions(path, found, columns)?;
            Ok(columns.keys().cloned().collect())
        })?;
        let footer = Arc::clone(reader.get_metadata().map_err(|e| foreign(path, &e))?);
        let mut bare = footer.as_ref().clone();
        bare.row_groups.clear();
        let (mut starts, mut places, mut start) = (vec![0u64], Vec::new(), 0u64);
        for (group, found) in footer.row_groups.iter().enumerate() {
            let n_rows = found.num_rows();
            for from in (0..n_rows).step_by(step) {
                places.push((group, from));
                starts.push(start + from.saturating_add(step).min(n_rows) as u64);
            }
            start += n_rows as u64;
        }
        Ok((starts, Form::Parquet(RowGroups { names, footer, bare, places })))
    })
}

fn cut_csv(
    path: &Path,
    columns: &BTreeMap<String, ColumnConfig>,
    step: usize,
) -> Result<(Vec<u64>, Form)> {
    let source = path.display().to_string();
    let mut records = Records { path, file: file::open(path)?, rest: Vec::new(), is_done: false };
    let header = records.next(1, usize::MAX)?.unwrap_or_default();
    let mut wave: Vec<Vec<u8>> = Vec::new();
    let (mut starts, mut parts) = (vec![0u64], Vec::new());
    let (mut n_rows, mut at, mut n_lines) = (0u64, header.len() as u64, 0u64);
    let mut is_first = true;
    loop {
        while wave.len() < par::n_threads().max(1) {
            match records.next(step, CSV_BLOCK_BYTES)? {
                Some(part) => wave.push(part),
                None => break,
            }
        }
        if is_first {
            // The header alone may be all that there is.
            let text = [&*header, wave.first().map_or(&[], Vec::as_slice)].concat();
            CsvTable::open(&source, &text)?.places(columns.keys().map(String::as_str))?;
            is_first = false;
        }
        let counted = par::map(&wave, |part| {
            let table = CsvTable::open(&source, &[&*header, part].concat()).map(|t| t.n_rows());
            (table, part.iter().filter(|byte| **byte == b'\n').count())
        });
        for (part, (found, lines)) in wave.iter().zip(counted) {
            n_rows += found.map_err(|e| moved(&e, &source, n_rows, n_lines))? as u64;
            n_lines += lines as u64;
            starts.push(n_rows);
            parts.push(at..at + part.len() as u64);
            at += part.len() as u64;
        }
        check_size(path, usize::try_from(n_rows).unwrap_or(usize::MAX), columns.len())?;
        if wave.is_empty() {
            return Ok((starts, Form::Csv { header, parts }));
        }
        wave.clear();
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

/// The header and a part of the rows.
fn read_part(path: &Path, header: &[u8], part: &Range<u64>) -> Result<Vec<u8>> {
    let io = |e| refused("read", path, &e);
    let mut file = file::open(path)?;
    file.seek(SeekFrom::Start(part.start)).map_err(io)?;
    let n_bytes = part.end - part.start;
    let mut text = Vec::with_capacity(header.len() + n_bytes as usize);
    text.extend_from_slice(header);
    file.take(n_bytes).read_to_end(&mut text).map_err(io)?;
    Ok(text)
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
        if self.rest.len() > CSV_BLOCK_BYTES + RECORD_BYTES_MAX {
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

#[cfg(test)]
mod tests {
    use samescore_core::batch::ColumnKind;

    use super::*;
    use crate::gather;

    const KINDS: [(&str, ColumnKind); 3] =
        [("a", ColumnKind::Num), ("b", ColumnKind::Text), ("c", ColumnKind::Time)];

    fn data() -> DataConfig {
        let mut data = DataConfig::default();
        let columns = KINDS.map(|(name, kind)| (name.to_owned(), kind.into()));
        data.columns = columns.into_iter().collect();
        data
    }

    /// Every cell and fault with the row of the source.
    fn cells(batch: &Batch) -> Vec<String> {
        let row = |row: usize| {
            let cells = batch.columns().iter().map(|c| c.value(row).to_string());
            let fault = batch.fault_of(row).map(ToString::to_string);
            let place = batch.source_row(row);
            format!("{place}: {:?} {fault:?}", cells.collect::<Vec<_>>())
        };
        (0..batch.n_rows()).map(row).collect()
    }

    fn outcome(source: &Path, block_rows: usize) -> Result<Vec<String>, String> {
        let open = blocks(source, &data(), block_rows).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        for index in 0..open.n_blocks() {
            let block = open.read(index).map_err(|e| e.to_string())?;
            assert!(block.n_rows() <= block_rows);
            all.extend(cells(&block));
        }
        assert_eq!(open.n_rows(), all.len() as u64);
        Ok(all)
    }

    fn expect_same(source: &Path) {
        let whole = gather::read(source, &data(), &[]);
        let whole = whole.map(|batch| cells(&batch)).map_err(|e| e.to_string());
        for block_rows in [1, 2, 3, 64, 100_000] {
            assert_eq!(outcome(source, block_rows), whole, "blocks of {block_rows}");
        }
    }

    #[test]
    fn csv_blocks_are_the_whole_file_and_refuse_what_it_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        for text in [
            &b"a,b,c\n1,x,2020-01-01\n2,\"y,\n\"\"z\",\n,,2021-02-03T04:05Z\nn/a,u,never\n"[..],
            b"\xef\xbb\xbfx,c,b,a\r\n9,,\"multi\r\nline\",1\r\n9,,v,2\r\n9,,w,3",
            b"a,b,c\n",
            b"a,b,c",
            b"",
            b"a,b\n1,x\n",
            b"a,b,c\n1,x,\n2,y,\n3,z\n4,u,\n",
            b"a,b,\"c\"\n1,\"x\n\ny\",\n2,y,\n3,\"z\"z,\n4,u,\n",
            b"a,b,c\n1,x,\n2,y,\n3,z\"z,\n4,u,\n",
            b"a,b,c\n1,x,\n2,\"y,\n3,z,\n4,u,\n",
            b"a,b,c\n1,x,\n2,\xff,\n3,z,\n",
            b"a,b,c\n1,x,\n\n3,z,\n",
            b"a,b,c\n1,x,\r2,y,\n3,z,\n",
        ] {
            std::fs::write(&path, text).unwrap();
            expect_same(&path);
        }
        let absent = blocks(&folder.path().join("absent.csv"), &data(), 1).map(|_| ());
        assert_eq!(absent.unwrap_err().code(), Code::Io);
        assert!(blocks(folder.path(), &data(), 1).is_err());
    }

    #[test]
    fn records_longer_than_what_is_read_at_a_time_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let long = "x,\n".repeat(READ_BYTES / 2);
        let text = format!("a,b,c\n1,\"{long}\",\n2,y,\n3,\"{long}\",\n4,z,\n");
        std::fs::write(&path, text).unwrap();
        expect_same(&path);
    }

    #[test]
    fn a_file_that_changes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,b,c\n1,x,\n2,y,\n").unwrap();
        let open = blocks(&path, &data(), 1).unwrap();
        open.read(1).unwrap();
        std::fs::write(&path, "a,b,c\n1,x,\n2,y,\n3,z,\n").unwrap();
        assert_eq!(open.read(1).unwrap_err().code(), Code::SourceChanged);
    }
}
