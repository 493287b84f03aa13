//! Parquet through polars' reader: what is stored in the file's own types, to the declared kinds.
//!
//! # Method
//! Only Parquet's own schema counts: the Arrow schema that writers add as a note is ignored, so a
//! categorical column is text, and a time is an instant if `isAdjustedToUTC` says so and else a
//! local time, whoever wrote the file. Before anything is read the footer is held against the file:
//! what it claims must fit into it.
//!
//! A few bytes may be many rows: a column that says one value two thousand million times is a legal
//! file of some kilobytes, is read, and takes the memory of its cells. What a file only claims
//! takes none: rows are set aside for [`ROWS_PER_BYTE`] of its bytes, and beyond that as they come,
//! never for more than twice of those that have been unpacked; row groups of more rows are unpacked
//! in slices of [`SLICE_ROWS`].
//!
//! # Shape
//! Integers, floats, bools, strings, dates and timestamps as the table in [`taker`](super::taker)
//! says; a decimal is its digits, read as a CSV cell. Everything else (nested, binary, time of day)
//! is refused by name; so is a duration, which is told from an integer by the writer's note alone.
//!
//! # Missing
//! Null, NaN, an empty string, and the declared markers by the one rule of
//! [`CellReader`](samescore_core::batch::CellReader). A column of nulls alone is of any kind.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::{
    ArrowDataType, Column, DataFrame, FileMetadata, FileMetadataRef, ParallelStrategy,
    ParquetReader, SerReader,
};
use polars_parquet::read::infer_schema;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;

use super::gzip::UNPACKED_BYTES_MAX;
use super::stored::show;
use super::table::{Taken, Wanted, choose};
use super::taker::Part;
use super::{check_names, check_size, foreign, guard};
use crate::snapshot;

const MAGIC: &[u8] = b"PAR1";
/// Magic, empty footer, its length, magic.
const FILE_BYTES_MIN: usize = 12;
/// The length of the footer, magic.
pub(super) const TAIL_BYTES: usize = 8;
/// What a cell takes at least, however few bytes a page needs to repeat it.
const CELL_BYTES: u64 = 8;

/// Row groups are read together until they have so many rows.
const PART_ROWS: usize = 1 << 17;
/// So many rows for a byte of the file need no proof.
const ROWS_PER_BYTE: usize = 8;
/// Larger row groups, of more rows than need no proof, are read so many rows at a time.
const SLICE_ROWS: usize = 1 << 20;

/// The wanted columns of a file's content.
pub(super) fn take<T: Part>(
    path: &Path,
    bytes: Vec<u8>,
    wanted: Wanted<'_>,
    make: &(impl Fn(&str) -> T + Sync),
) -> Result<Taken<T>> {
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    check_frame(path, bytes.len(), &bytes, tail)?;
    let footer = Footer::of(path, bytes.len(), Cursor::new(&bytes), wanted)?;
    let n_rows = footer.n_rows();
    let cells = (n_rows as u64).saturating_mul(footer.names.len() as u64);
    check_unpacked(path, cells.saturating_mul(CELL_BYTES))?;
    let proven = n_rows.min(bytes.len().saturating_mul(ROWS_PER_BYTE));
    let parts = footer.parts(proven);
    let mut columns: Vec<T> = footer.names.iter().map(|name| make(name)).collect();
    columns.iter_mut().for_each(|column| column.reserve(proven));
    // Parts are read side by side, and the columns of those too few for all threads.
    let n_beside = parts.len() - parts.len() % par::n_threads().max(1);
    let threads = |part| match part < n_beside {
        true => ParallelStrategy::None,
        false => ParallelStrategy::Auto,
    };
    let (mut done, mut room) = (0, proven);
    par::in_waves(
        parts.len(),
        |part| {
            let (groups, rows) = parts[part].clone();
            footer.read(path, Cursor::new(&bytes), groups, rows, threads(part))
        },
        |frame| {
            let frame = frame?;
            let height = frame.height();
            if done + height > room {
                let more = height.max(done);
                columns.iter_mut().for_each(|column| column.reserve(more));
                room = done + more;
            }
            done += height;
            take_frame(path, frame, &mut columns).map(|()| true)
        },
    )?;
    if done != n_rows && !footer.names.is_empty() {
        return Err(damaged(path, &format!("{n_rows} rows as its footer says, found {done}")));
    }
    Ok(Taken { names: footer.names, columns, n_rows })
}

/// Shows rows that have been read to the takers of their columns.
pub(super) fn take_frame<T: Part>(path: &Path, frame: DataFrame, columns: &mut [T]) -> Result<()> {
    // The times of a snapshot are instants, whatever wrote it says of them.
    let is_utc = snapshot::of_table(path).is_some();
    // Each column goes when it has been shown, and leaves its memory to others.
    let read = frame.into_columns().into_iter().map(Some);
    let mut shown: Vec<(Option<Column>, &mut T)> = read.zip(columns).collect();
    let shown = par::map_mut(&mut shown, |(column, taker)| match column.take() {
        Some(column) => show(column.as_materialized_series(), is_utc, *taker)
            .map_err(|e| e.column(column.name().as_str())),
        None => Ok(()),
    });
    shown.into_iter().collect()
}

/// Row groups, and of one of them perhaps some rows alone: from which one on, and how many.
type RowsOf = (Range<usize>, Option<(usize, usize)>);

/// What the end of a file says of its rows, held against the file.
pub(super) struct Footer {
    /// The wanted columns, in the order in which they are asked for.
    pub(super) names: Vec<String>,
    whole: FileMetadataRef,
    /// The same without row groups.
    bare: FileMetadata,
}

impl Footer {
    /// The footer of a file of so many bytes, without its writer's notes.
    pub(super) fn of(
        path: &Path,
        file_bytes: usize,
        file: impl MmapBytesReader,
        wanted: Wanted<'_>,
    ) -> Result<Self> {
        guard(path, || {
            let mut reader = ParquetReader::new(file);
            let names = check_footer(path, file_bytes, &mut reader, wanted)?;
            let whole = Arc::clone(reader.get_metadata().map_err(|e| foreign(path, &e))?);
            let mut bare = whole.as_ref().clone();
            bare.row_groups.clear();
            Ok(Footer { names, whole, bare })
        })
    }

    fn n_rows(&self) -> usize {
        self.heights().sum::<usize>()
    }

    /// How many rows each row group has.
    pub(super) fn heights(&self) -> impl Iterator<Item = usize> {
        self.whole.row_groups.iter().map(|group| group.num_rows())
    }

    /// Row groups one after the other, few of which are smaller than it is worth, and slices of
    /// those that have more rows than are `proven`.
    fn parts(&self, proven: usize) -> Vec<RowsOf> {
        let (mut parts, mut first, mut n_rows) = (Vec::new(), 0, 0);
        let n_groups = self.whole.row_groups.len();
        for (group, height) in self.heights().enumerate() {
            if height > proven.max(SLICE_ROWS) {
                if first < group {
                    parts.push((first..group, None));
                }
                let slices = (0..height).step_by(SLICE_ROWS);
                let rows = |from: usize| Some((from, SLICE_ROWS.min(height - from)));
                parts.extend(slices.map(|from| (group..group + 1, rows(from))));
                (first, n_rows) = (group + 1, 0);
                continue;
            }
            n_rows += height;
            if n_rows >= PART_ROWS || group + 1 == n_groups {
                parts.push((first..group + 1, None));
                (first, n_rows) = (group + 1, 0);
            }
        }
        parts
    }

    /// The wanted columns of row groups: of all their rows, or of so many from one on.
    pub(super) fn read(
        &self,
        path: &Path,
        file: impl MmapBytesReader,
        groups: Range<usize>,
        rows: Option<(usize, usize)>,
        threads: ParallelStrategy,
    ) -> Result<DataFrame> {
        // The reader would look into every row group before the one that is wanted.
        let mut footer = self.bare.clone();
        footer.row_groups.extend_from_slice(&self.whole.row_groups[groups]);
        footer.num_rows = footer.row_groups.iter().map(|group| group.num_rows()).sum::<usize>();
        guard(path, || {
            let mut reader = ParquetReader::new(file);
            reader.set_metadata(Arc::new(footer));
            let reader = reader.with_columns(Some(self.names.clone())).read_parallel(threads);
            let frame = reader.with_slice(rows).finish();
            let chosen = self.names.clone();
            frame.and_then(|frame| frame.select(chosen)).map_err(|e| foreign(path, &e))
        })
    }
}

/// Holds the footer against a file of so many bytes, takes the writer's notes out of it, and gives
/// the names of the wanted columns.
fn check_footer<R: MmapBytesReader>(
    path: &Path,
    file_bytes: usize,
    reader: &mut ParquetReader<R>,
    wanted: Wanted<'_>,
) -> Result<Vec<String>> {
    let mut footer = reader.get_metadata().map_err(|e| foreign(path, &e))?.as_ref().clone();
    let durations = durations(path, &footer);
    footer.key_value_metadata = None;
    let fields = footer.schema_descr.fields().iter();
    let names: Vec<String> = fields.map(|f| f.get_field_info().name.to_string()).collect();
    check_size(path, footer.num_rows, names.len())?;
    check_names(path, &names)?;
    let groups = footer.row_groups.iter();
    let claims: Vec<Claim> = groups
        .flat_map(|group| group.parquet_columns().iter())
        .map(|chunk| (chunk.compressed_size(), chunk.uncompressed_size()))
        .collect();
    check_claims(path, file_bytes, &claims)?;
    let heights = footer.row_groups.iter().map(|group| group.num_rows());
    let counted = heights.fold(0, usize::saturating_add);
    if counted != footer.num_rows {
        let what = format!("{} rows, found {counted} in its row groups", footer.num_rows);
        return Err(damaged(path, &what));
    }
    let (chosen, _) = choose(path, &names, wanted)?;
    reader.set_metadata(Arc::new(footer));
    let schema = reader.schema().map_err(|e| foreign(path, &e))?;
    for name in &chosen {
        if durations.contains(name) {
            return Err(unread("duration").column(name));
        }
        if let Some(field) = schema.get(name.as_str()) {
            check_type(&field.dtype).map_err(|e| e.column(name))?;
        }
    }
    Ok(chosen)
}

/// The columns that a writer's note calls durations: Parquet itself knows integers alone. A note
/// that cannot be read says nothing.
fn durations(path: &Path, footer: &FileMetadata) -> Vec<String> {
    let noted = guard(path, || infer_schema(footer).map_err(|e| foreign(path, &e)));
    let fields = noted.iter().flat_map(|schema| schema.iter_values());
    let durations = fields.filter(|field| matches!(field.dtype, ArrowDataType::Duration(_)));
    durations.map(|field| field.name.to_string()).collect()
}

/// Compressed and unpacked bytes that the footer claims for a chunk of a column.
type Claim = (i64, i64);

/// The frame around the content of a file of so many bytes, with which `head` begins and `tail`
/// ends: magic at both ends, and a footer that fits between.
pub(super) fn check_frame(path: &Path, file_bytes: usize, head: &[u8], tail: &[u8]) -> Result<()> {
    if file_bytes < FILE_BYTES_MIN || !head.starts_with(MAGIC) || !tail.ends_with(MAGIC) {
        let what = "PAR1 at both ends, found something else";
        return Err(damaged(path, what).remedy("check the path, or write the file again"));
    }
    let mut length = [0u8; 4];
    length.copy_from_slice(&tail[tail.len() - TAIL_BYTES..tail.len() - MAGIC.len()]);
    let length = u32::from_le_bytes(length) as usize;
    if length > file_bytes - FILE_BYTES_MIN {
        let what = format!("a footer within the file, found one of {length} bytes");
        return Err(damaged(path, &what));
    }
    Ok(())
}

/// What the footer claims must fit into the file, and into a stated amount of memory.
fn check_claims(path: &Path, file_bytes: usize, claims: &[Claim]) -> Result<()> {
    let (mut packed, mut unpacked) = (0u64, 0u64);
    for &(compressed, uncompressed) in claims {
        let (Ok(compressed), Ok(uncompressed)) =
            (u64::try_from(compressed), u64::try_from(uncompressed))
        else {
            return Err(damaged(path, "sizes of at least 0, found a negative one"));
        };
        packed = packed.saturating_add(compressed);
        unpacked = unpacked.saturating_add(uncompressed);
    }
    if packed > file_bytes as u64 {
        let what = format!("columns within its {file_bytes} bytes, found {packed} claimed");
        return Err(damaged(path, &what));
    }
    check_unpacked(path, unpacked)
}

/// Refuses what would take more memory than is stated.
fn check_unpacked(path: &Path, n_bytes: u64) -> Result<()> {
    if n_bytes > UNPACKED_BYTES_MAX {
        let message = format!(
            "`{}`: expected at most {UNPACKED_BYTES_MAX} bytes unpacked, found {n_bytes} claimed",
            path.display()
        );
        return Err(Error::new(Code::LimitExceeded, message));
    }
    Ok(())
}

pub(super) fn damaged(path: &Path, expected: &str) -> Error {
    Error::new(Code::BadValue, format!("`{}`: expected {expected}", path.display()))
}

fn check_type(stored: &ArrowDataType) -> Result<()> {
    use ArrowDataType as A;
    let found = match stored {
        A::Boolean | A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Date32 | A::Timestamp(..) => {
            return Ok(());
        }
        A::Int8 | A::Int16 | A::Int32 | A::Int64 => return Ok(()),
        A::UInt8 | A::UInt16 | A::UInt32 | A::UInt64 | A::Float32 | A::Float64 => return Ok(()),
        A::Decimal(..) | A::Decimal32(..) | A::Decimal64(..) => return Ok(()),
        A::Decimal256(..) => "decimal of more than 38 digits",
        A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => "binary",
        A::List(_) | A::LargeList(_) | A::FixedSizeList(..) | A::Struct(_) | A::Map(..) => "nested",
        A::Time32(_) | A::Time64(_) => "time of day",
        A::Float16 => "16-bit float",
        A::Duration(_) => "duration",
        _ => "another type",
    };
    Err(unread(found))
}

fn unread(found: &str) -> Error {
    let message = format!("expected a bool, number, text, date or timestamp, found {found}");
    Error::new(Code::WrongKind, message).remedy("cast it where the file is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_none_is_refused_before_it_is_read() {
        let path = Path::new("t.parquet");
        for bytes in
            [&b"PAR1"[..], b"PAR1PAR", b"PAR1\xff\xff\xff\xffPAR1", b"PAR1....\0\0\0\0PARE"]
        {
            let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
            assert!(check_frame(path, bytes.len(), bytes, tail).is_err(), "{bytes:?}");
        }
        assert!(check_claims(path, 100, &[(60, 10), (60, 10)]).is_err());
        assert!(check_claims(path, 100, &[(-1, 10)]).is_err());
        assert!(check_claims(path, 100, &[(1, i64::MAX)]).is_err());
        assert!(check_claims(path, 100, &[(60, 1000), (40, 1000)]).is_ok());
    }
}
