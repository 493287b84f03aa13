//! A table that lies elsewhere and is read block by block.
//!
//! Core knows no file: whoever has one implements [`Blocks`], and a fit reads them as often as it
//! needs. What is in memory at a time is a block per thread, so a block should be bounded: some ten
//! thousand rows, never the table.

use std::sync::Arc;

use crate::batch::{Batch, Schema};
use crate::error::Result;

/// A table that is read block by block, and may be read again.
pub trait Blocks: Send + Sync {
    /// The columns of every block.
    fn schema(&self) -> &Arc<Schema>;

    /// The number of blocks.
    fn n_blocks(&self) -> usize;

    /// Block `index`, with the schema of all, the faults of its rows, and where they stand in the
    /// source ([`Batch::set_first_row`]). Every call for one block gives the same rows in the same
    /// order. May be called from several threads at a time.
    ///
    /// # Errors
    /// If the block cannot be read.
    fn read(&self, index: usize) -> Result<Batch>;
}
