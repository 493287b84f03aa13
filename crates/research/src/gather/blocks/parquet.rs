//! Parquet in blocks: its row groups, and parts of those that have more rows than a block may have.
//!
//! What the footer claims is held against the file as when it is read whole. The file is mapped
//! into memory for the time of a read, of which only the pages of one row group are touched.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{FileMetadata, FileMetadataRef, ParallelStrategy, ParquetReader, SerReader};
use samescore_core::error::Result;

use crate::file;
use crate::gather::parquet::{TAIL_BYTES, check_footer, check_frame, take_frame};
use crate::gather::table::Wanted;
use crate::gather::taker::Part;
use crate::gather::{foreign, guard};
use crate::output_file::refused;

/// The row groups of a file.
pub(super) struct RowGroups {
    names: Vec<String>,
    footer: FileMetadataRef,
    /// The footer without row groups.
    bare: FileMetadata,
    /// By block its row group and where it begins there.
    places: Vec<(usize, usize)>,
}

/// Finds the blocks and how many rows each has.
pub(super) fn cut(path: &Path, names: Wanted<'_>, step: usize) -> Result<(RowGroups, Vec<usize>)> {
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
        let names = check_footer(path, n_bytes, &mut reader, names)?;
        let footer = Arc::clone(reader.get_metadata().map_err(|e| foreign(path, &e))?);
        let mut bare = footer.as_ref().clone();
        bare.row_groups.clear();
        let (mut places, mut heights) = (Vec::new(), Vec::new());
        for (group, found) in footer.row_groups.iter().enumerate() {
            let n_rows = found.num_rows();
            for from in (0..n_rows).step_by(step) {
                places.push((group, from));
                heights.push(step.min(n_rows - from));
            }
        }
        Ok((RowGroups { names, footer, bare, places }, heights))
    })
}

impl RowGroups {
    /// The columns that are read.
    pub(super) fn names(self) -> Vec<String> {
        self.names
    }

    /// The `n_rows` rows of block `index`.
    pub(super) fn read<T: Part>(
        &self,
        path: &Path,
        index: usize,
        n_rows: usize,
        make: &(impl Fn(&str) -> T + Sync),
    ) -> Result<Vec<T>> {
        let (group, from) = self.places[index];
        // The reader would look into every row group before the one that is wanted.
        let mut footer = self.bare.clone();
        footer.row_groups.push(self.footer.row_groups[group].clone());
        footer.num_rows = self.footer.row_groups[group].num_rows();
        let frame = guard(path, || {
            let mut reader = ParquetReader::new(file::open(path)?);
            reader.set_metadata(Arc::new(footer));
            let reader = reader.with_columns(Some(self.names.clone()));
            // Blocks are read side by side; one has no use for more threads.
            let reader = reader.read_parallel(ParallelStrategy::None);
            let frame = reader.with_slice(Some((from, n_rows))).finish();
            let chosen = self.names.clone();
            frame.and_then(|frame| frame.select(chosen)).map_err(|e| foreign(path, &e))
        })?;
        Ok(take_frame(path, frame, make)?.columns)
    }
}
