//! Sources read block by block, as often as asked: for tables that are larger than memory.
//!
//! # Method
//! Opening a source finds where its blocks are, and makes no table of them. CSV and Parquet files
//! are cut where they lie ([`csv`], [`parquet`]); several files are one table, as when they are
//! read whole. What cannot be cut (a packed file, another format, a pipe, a database) is read once,
//! as it comes ([`once`]), and its blocks are kept ([`kept`]): in memory up to a bound, beyond it
//! in a temporary file. A block's cells go to the takers that whole files go to.
//!
//! # Shape
//! A block has at most the rows that the caller says, and is of one file.
//!
//! # Errors
//! Those of reading the source whole; and a file that is not what it was when it was opened is
//! refused.

mod csv;
mod kept;
mod once;
mod parquet;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use samescore_core::aggregate::Blocks;
use samescore_core::batch::{Batch, Field, Schema};
use samescore_core::config::{ColumnConfig, DataConfig};
use samescore_core::error::{Code, Error, Result};

use super::folders::Filed;
use super::taker::{Filling, Part};
use super::{Format, Source, check_size, filled};
use crate::file::{Stamp, changed};
use crate::output_file::refused;
use crate::snapshot;

pub(in crate::gather) use csv::Records;
pub use kept::Keep;
pub(in crate::gather) use once::{names, names_inside, parts};

/// The declared columns of a source, in blocks.
pub struct SourceBlocks {
    columns: BTreeMap<String, ColumnConfig>,
    missing: Vec<String>,
    schema: Arc<Schema>,
    /// Where the rows of each block begin, and the number of all rows.
    starts: Vec<u64>,
    form: Form,
}

/// Where the blocks are.
enum Form {
    /// In files, and in which.
    Files { files: Vec<Cut>, places: Vec<(usize, usize)> },
    /// Read once and kept.
    Kept(kept::Kept),
    /// A table in memory.
    Whole(Box<Batch>),
}

/// A file that has been cut.
struct Cut {
    file: Filed,
    stamp: Stamp,
    rows: Rows,
}

enum Rows {
    Csv(csv::Parts),
    Parquet(parquet::RowGroups),
}

/// Opens a source for reading in blocks of at most `block_rows` rows. What cannot be cut is read,
/// and kept as `keep` says.
///
/// # Errors
/// As [`read`](super::read).
pub fn blocks(
    source: &Source,
    data: &DataConfig,
    block_rows: usize,
    keep: &Keep,
) -> Result<SourceBlocks> {
    let (columns, missing) = (data.columns.clone(), data.missing.clone());
    let fields = columns.iter().map(|(name, column)| Field::new(name.clone(), column.kind));
    let schema = Arc::new(Schema::new(fields)?);
    let step = block_rows.max(1);
    let names: Vec<&str> = columns.keys().map(String::as_str).collect();
    let mut starts = vec![0u64];
    let form = match cut(source, &names, step)? {
        Some(cut) => {
            let (mut files, mut places) = (Vec::with_capacity(cut.len()), Vec::new());
            for (file, heights) in cut {
                places.extend((0..heights.len()).map(|index| (files.len(), index)));
                for height in heights {
                    starts.push(starts.last().copied().unwrap_or_default() + height as u64);
                }
                files.push(file);
            }
            let n_rows = starts.last().map_or(0, |n| usize::try_from(*n).unwrap_or(usize::MAX));
            let first = files.first().map_or(Path::new(""), |cut| &cut.file.path);
            check_size(first, n_rows, names.len())?;
            Form::Files { files, places }
        }
        None if names.is_empty() => {
            return Ok(SourceBlocks::held(super::read(source, data, &[])?, step));
        }
        None => {
            let kept;
            (kept, starts) = once::gather(source, data, (&schema, step), keep)?;
            Form::Kept(kept)
        }
    };
    Ok(SourceBlocks { columns, missing, schema, starts, form })
}

/// A cut file, and the number of rows of each block.
type Heights = (Cut, Vec<usize>);

/// Cuts the files of a source; `None` if one cannot be cut.
fn cut(source: &Source, names: &[&str], step: usize) -> Result<Option<Vec<Heights>>> {
    let (Source::Files(_), false) = (source, names.is_empty()) else {
        return Ok(None);
    };
    let mut cut = Vec::new();
    for file in source.filed()? {
        let path = &file.path.clone();
        let format = Format::of(path)?;
        if !matches!(format, Format::Csv | Format::Parquet) {
            return Ok(None);
        }
        let stamp = Stamp::of(path).map_err(|e| refused("read", path, &e))?;
        if !stamp.is_plain && !path.is_dir() {
            return Ok(None);
        }
        let file = file.opened()?;
        check_snapshot(path)?;
        let inside = file.inside(names);
        let (rows, heights) = match format {
            Format::Parquet => {
                let (groups, heights) = parquet::cut(path, Some(&inside), step)?;
                (Rows::Parquet(groups), heights)
            }
            _ => {
                let (parts, heights) = csv::cut(path, &inside, step)?;
                (Rows::Csv(parts), heights)
            }
        };
        cut.push((Cut { file, stamp, rows }, heights));
    }
    Ok(Some(cut))
}

/// Whether the files of a source can be read in blocks where they lie.
///
/// # Errors
/// If there is no such file.
pub fn is_cut(source: &Source) -> Result<bool> {
    if !matches!(source, Source::Files(_)) {
        return Ok(false);
    }
    for path in source.files()? {
        let is_plain = Stamp::of(&path).map_err(|e| refused("read", &path, &e))?.is_plain;
        if !is_plain || !matches!(Format::of(&path)?, Format::Csv | Format::Parquet) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The table of a snapshot must be the one of its manifest.
fn check_snapshot(path: &Path) -> Result<()> {
    match snapshot::of_table(path) {
        Some(folder) => snapshot::open(folder).map(|_| ()),
        None => Ok(()),
    }
}

impl SourceBlocks {
    /// The blocks of a table that is in memory.
    pub fn held(whole: Batch, block_rows: usize) -> Self {
        let (n_rows, step) = (whole.n_rows(), block_rows.max(1));
        let ends = (0..n_rows).step_by(step).map(|at| n_rows.min(at.saturating_add(step)) as u64);
        SourceBlocks {
            columns: BTreeMap::new(),
            missing: Vec::new(),
            schema: Arc::clone(whole.schema()),
            starts: std::iter::once(0).chain(ends).collect(),
            form: Form::Whole(Box::new(whole)),
        }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// Whether all rows are in memory already.
    pub fn is_held(&self) -> bool {
        match &self.form {
            Form::Files { .. } => false,
            Form::Kept(kept) => kept.is_held(),
            Form::Whole(_) => true,
        }
    }

    /// All rows as one table.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub fn into_batch(self) -> Result<Batch> {
        match self.form {
            Form::Whole(whole) => return Ok(*whole),
            Form::Kept(kept) if kept.is_held() => return kept.into_batch(),
            Form::Files { .. } | Form::Kept(_) => {}
        }
        let mut all =
            kept::Kept::new(&Keep { bytes_max: u64::MAX, ..Keep::default() }, &self.schema);
        for index in 0..self.n_blocks() {
            all.push(self.read(index)?)?;
        }
        all.into_batch()
    }

    fn height(&self, index: usize) -> usize {
        (self.starts[index + 1] - self.starts[index]) as usize
    }

    /// Block `place` of a file, `before` rows of which stand before it.
    fn read_cut(
        &self,
        cut: &Cut,
        place: usize,
        (before, height): (usize, usize),
    ) -> Result<Vec<Filling>> {
        let (file, path) = (&cut.file, &cut.file.path);
        let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
        let make = |name: &str| Filling::new(&self.columns[name], &self.missing);
        let columns = match &cut.rows {
            Rows::Csv(parts) => parts.read(path, place, &file.inside(&names), &make),
            Rows::Parquet(groups) => groups.read(path, place, height, &make),
        };
        file.whole(&names, columns?, (before, height), &make)
    }
}

/// Names the file in the faults of a block, `before` rows of which stand before it.
fn name_file(column: &mut Filling, before: usize, path: &Path) {
    column.faults.iter_mut().for_each(|(row, _)| *row += before);
    column.of_file(path);
    column.faults.iter_mut().for_each(|(row, _)| *row -= before);
}

impl Blocks for SourceBlocks {
    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn n_blocks(&self) -> usize {
        self.starts.len() - 1
    }

    fn read(&self, index: usize) -> Result<Batch> {
        let mut batch = match &self.form {
            Form::Files { files, places } => {
                let (file, place) = places[index];
                let cut = &files[file];
                let stays = || match Stamp::of(&cut.file.path) {
                    Ok(stamp) if stamp == cut.stamp => Ok(()),
                    _ => Err(changed(&cut.file.path)),
                };
                stays()?;
                let before = (self.starts[index] - self.starts[index - place]) as usize;
                let taken = self.read_cut(cut, place, (before, self.height(index)));
                // A file that was changed meanwhile may look damaged.
                stays()?;
                let is_one_of = files.len() > 1;
                let mut columns = match is_one_of {
                    true => {
                        taken.map_err(|e| e.within(&format!("`{}`", cut.file.path.display())))?
                    }
                    false => taken?,
                };
                if is_one_of {
                    columns.iter_mut().for_each(|column| name_file(column, before, &cut.file.path));
                }
                filled(&self.schema, columns)?
            }
            Form::Kept(kept) => kept.read(index)?,
            Form::Whole(whole) => {
                let start = self.starts[index] as usize;
                let slots: Vec<usize> = (0..self.schema.len()).collect();
                let mut block = Batch::default();
                block.fill(&self.schema, whole, &slots, start..start + self.height(index));
                block
            }
        };
        if batch.n_rows() != self.height(index) {
            let message = format!("expected {} rows, found {}", self.height(index), batch.n_rows());
            return Err(Error::new(Code::SourceChanged, message).row(self.starts[index]));
        }
        batch.set_first_row(self.starts[index]);
        Ok(batch)
    }
}

#[cfg(test)]
mod tests;
