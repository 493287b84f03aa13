//! The rows of a fit, wherever they are: changed at once in memory, or on every pass.

use std::borrow::Cow;
use std::sync::Arc;

use super::streamed::StreamedRows;
use crate::aggregate::{MemoryRows, Rows};
use crate::batch::{Batch, Schema};
use crate::digest::RowKey;
use crate::error::{Error, Result};
use crate::par;

/// The rows of a fit.
#[derive(Clone)]
pub enum FitRows {
    /// In memory.
    Memory(MemoryRows),
    /// Read again on every pass.
    Streamed(StreamedRows),
}

impl From<MemoryRows> for FitRows {
    fn from(rows: MemoryRows) -> Self {
        FitRows::Memory(rows)
    }
}

impl From<StreamedRows> for FitRows {
    fn from(rows: StreamedRows) -> Self {
        FitRows::Streamed(rows)
    }
}

impl FitRows {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            FitRows::Memory(rows) => rows.n_rows(),
            FitRows::Streamed(rows) => rows.n_rows(),
        }
    }

    /// Changes every block by `stage`, and takes the schema of the result.
    ///
    /// # Errors
    /// The first block's error; rows that are streamed give it on the next pass.
    pub(super) fn apply(
        &mut self,
        schema: &Arc<Schema>,
        stage: impl Fn(&mut Batch) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        match self {
            FitRows::Memory(rows) => rows.apply(schema, stage),
            FitRows::Streamed(rows) => {
                rows.apply(schema, stage);
                Ok(())
            }
        }
    }

    /// Whether a row has a target like that.
    pub(super) fn any_target(&self, is_like: impl Fn(f64) -> bool) -> bool {
        let target = |block: usize| match self {
            FitRows::Memory(rows) => Cow::Borrowed(rows.blocks()[block].target()),
            FitRows::Streamed(rows) => rows.target(block),
        };
        (0..self.n_blocks()).any(|block| target(block).iter().any(|&y| is_like(y)))
    }

    /// The rows with the smallest fitting keys, as block and row: the same ones whatever the order.
    pub(super) fn smallest_keys(&self, n: usize) -> Vec<(usize, usize)> {
        let keys = |block: usize| match self {
            FitRows::Memory(rows) => Cow::Borrowed(rows.blocks()[block].fit_keys()),
            FitRows::Streamed(rows) => rows.fit_keys(block),
        };
        let mut places: Vec<(RowKey, (usize, usize))> = Vec::new();
        for block in 0..self.n_blocks() {
            places.extend(keys(block).iter().enumerate().map(|(row, key)| (*key, (block, row))));
            places.sort();
            places.truncate(n);
        }
        places.into_iter().map(|(_, place)| place).collect()
    }

    /// Looks at every row once: gives those at `places` in one batch, in that order.
    ///
    /// # Errors
    /// A row that cannot be transformed is an error in a fit: the first one in the order of the
    /// source.
    pub(super) fn survey(&self, places: &[(usize, usize)]) -> Result<Option<Batch>> {
        let blocks: Vec<usize> = (0..self.n_blocks()).collect();
        self.look(&blocks, places)
    }

    /// The rows at `places` in one batch, in that order.
    ///
    /// # Errors
    /// If a block of theirs cannot be read.
    pub(super) fn pick(&self, places: &[(usize, usize)]) -> Result<Option<Batch>> {
        let mut blocks: Vec<usize> = places.iter().map(|(block, _)| *block).collect();
        blocks.sort();
        blocks.dedup();
        self.look(&blocks, places)
    }

    fn look(&self, blocks: &[usize], places: &[(usize, usize)]) -> Result<Option<Batch>> {
        let parts = par::map_ranges(blocks.len(), |range| {
            let (mut first, mut picked) = (None, Vec::new());
            for &index in &blocks[range] {
                self.with_block(index, &mut |block| {
                    earlier(&mut first, first_fault(block));
                    let here = places.iter().enumerate().filter(|(_, (b, _))| *b == index);
                    picked.extend(here.map(|(at, (_, row))| (at, block.select(&[*row]))));
                })?;
            }
            Ok::<_, Error>((first, picked))
        });
        let (mut first, mut picked) = (None, Vec::new());
        for part in parts {
            let (fault, rows) = part?;
            earlier(&mut first, fault);
            picked.extend(rows);
        }
        if let Some((row, error)) = first {
            return Err(error.row(row));
        }
        picked.sort_by_key(|(at, _)| *at);
        let mut picked = picked.into_iter().map(|(_, row)| row);
        let Some(mut all) = picked.next() else {
            return Ok(None);
        };
        picked.for_each(|row| all.append(&row));
        Ok(Some(all))
    }
}

/// A fault and the row of the source that has it.
type Placed = Option<(u64, Error)>;

fn first_fault(block: &Batch) -> Placed {
    let faults = block.faults().iter();
    let placed = faults.map(|(&row, error)| (block.source_row(row as usize), error));
    placed.min_by_key(|(row, _)| *row).map(|(row, error)| (row, error.clone()))
}

fn earlier(first: &mut Placed, other: Placed) {
    if let Some((row, error)) = other {
        if first.as_ref().is_none_or(|(first, _)| row < *first) {
            *first = Some((row, error));
        }
    }
}

impl Rows for FitRows {
    fn schema(&self) -> &Arc<Schema> {
        match self {
            FitRows::Memory(rows) => rows.schema(),
            FitRows::Streamed(rows) => rows.schema(),
        }
    }

    fn n_blocks(&self) -> usize {
        match self {
            FitRows::Memory(rows) => rows.n_blocks(),
            FitRows::Streamed(rows) => rows.n_blocks(),
        }
    }

    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()> {
        match self {
            FitRows::Memory(rows) => rows.with_block(index, see),
            FitRows::Streamed(rows) => rows.with_block(index, see),
        }
    }
}
