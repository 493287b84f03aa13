//! A table as blocks that are read, cut from a batch.

use std::sync::Arc;

use samescore_core::aggregate::Blocks;
use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Schema};
use samescore_core::config::Config;
use samescore_core::error::Result;
use samescore_core::pipeline::{self, StreamedTable};
use std::collections::BTreeMap;

/// A batch that is read in blocks of so many rows.
pub struct Cut {
    pub batch: Batch,
    pub block_rows: usize,
}

impl Blocks for Cut {
    fn schema(&self) -> &Arc<Schema> {
        self.batch.schema()
    }

    fn n_blocks(&self) -> usize {
        self.batch.n_rows().div_ceil(self.block_rows)
    }

    fn read(&self, index: usize) -> Result<Batch> {
        let slots: Vec<usize> = (0..self.batch.schema().len()).collect();
        let start = index * self.block_rows;
        let end = (start + self.block_rows).min(self.batch.n_rows());
        let mut block = Batch::default();
        block.fill(self.batch.schema(), &self.batch, &slots, start..end);
        Ok(block)
    }
}

/// The table of a batch that is read in blocks of so many rows.
pub fn table(config: &Config, batch: &Batch, block_rows: usize) -> Result<StreamedTable> {
    StreamedTable::new(config, Arc::new(Cut { batch: batch.clone(), block_rows }))
}

/// Fits on a table that is streamed, and seals.
pub fn seal(config: &Config, batch: &Batch, block_rows: usize) -> Result<Artifact> {
    let table = table(config, batch, block_rows)?;
    let fitted = pipeline::fit(config, table.rows())?;
    Artifact::seal(config, table.fingerprint(), fitted, BTreeMap::new())
}
