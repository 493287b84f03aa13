//! Parquet in blocks: its row groups, and parts of those that have more rows than a block may have.
//!
//! What the footer claims is held against the file as when it is read whole. The file is mapped
//! into memory for the time of a read, of which only the pages of one row group are touched.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use polars::prelude::ParallelStrategy;
use samescore_core::error::Result;

use crate::file;
use crate::gather::parquet::{Footer, TAIL_BYTES, check_frame, take_frame};
use crate::gather::table::Wanted;
use crate::gather::taker::Part;
use crate::output_file::refused;

/// The row groups of a file.
pub(super) struct RowGroups {
    footer: Footer,
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
    let footer = Footer::of(path, n_bytes, file, names)?;
    let (mut places, mut heights) = (Vec::new(), Vec::new());
    for (group, n_rows) in footer.heights().enumerate() {
        for from in (0..n_rows).step_by(step) {
            places.push((group, from));
            heights.push(step.min(n_rows - from));
        }
    }
    Ok((RowGroups { footer, places }, heights))
}

impl RowGroups {
    /// The columns that are read.
    pub(super) fn names(self) -> Vec<String> {
        self.footer.names
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
        let (file, rows) = (file::open(path)?, Some((from, n_rows)));
        // Blocks are read side by side; one has no use for more threads.
        let threads = ParallelStrategy::None;
        let frame = self.footer.read(path, file, group..group + 1, rows, threads)?;
        let mut columns: Vec<T> = self.footer.names.iter().map(|name| make(name)).collect();
        take_frame(path, frame, &mut columns)?;
        Ok(columns)
    }
}
