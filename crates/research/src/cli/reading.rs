//! How a command reads a table that may be larger than memory.

use std::path::PathBuf;

use samescore_core::batch::Batch;
use samescore_core::error::Result;
use samescore_core::par::Threads;
use samescore_research::gather::{BLOCK_ROWS, Keep, SourceBlocks};
use samescore_research::gathering::Gathering;

use super::load::RowArgs;

/// Files from here on are streamed.
const STREAMED_BYTES: u64 = 1 << 30;
/// Files up to here are read whole, whatever their format.
const WHOLE_BYTES: u64 = 64 << 20;
/// A fit streams rows that take more than so many bytes in memory.
const FIT_BYTES: u64 = 1 << 30;

#[derive(clap::Args)]
pub(super) struct ReadArgs {
    /// Where a temporary file goes with the rows of a source that cannot be read in blocks where it
    /// lies (packed files, JSON lines, Arrow IPC, databases) and are too many for --hold; without
    /// it, the system's folder for temporary files.
    #[arg(long, value_name = "FOLDER")]
    temp: Option<PathBuf>,
    /// How many MiB of such rows stay in memory. It cannot change a bit.
    #[arg(long, value_name = "MIB")]
    hold: Option<u64>,
    /// Rows per block. It cannot change a bit.
    #[arg(long, hide = true, value_name = "N")]
    block_rows: Option<usize>,
}

/// A table to fit on.
pub(super) enum Opened {
    /// In memory.
    Whole(Box<Batch>),
    /// To be read block by block on every pass.
    Streamed(Box<SourceBlocks>),
}

impl ReadArgs {
    /// How rows are kept of which a pass over the table sees each once.
    pub(super) fn keep(&self) -> Keep {
        self.keep_up_to(Keep::BYTES_MAX)
    }

    fn keep_up_to(&self, bytes_max: u64) -> Keep {
        Keep {
            folder: self.temp.clone().unwrap_or_else(std::env::temp_dir),
            bytes_max: self.hold.map_or(bytes_max, |mib| mib.saturating_mul(1 << 20)),
        }
    }

    pub(super) fn block_rows(&self) -> usize {
        self.block_rows.unwrap_or(BLOCK_ROWS)
    }

    /// Rows per block of a table in memory.
    pub(super) fn held_rows(&self) -> usize {
        self.block_rows.unwrap_or(samescore_core::batch::BLOCK_ROWS)
    }

    /// The rows of a command that reads an artifact, in blocks.
    pub(super) fn blocks(
        &self,
        rows: &RowArgs,
        gathering: &Gathering,
        threads: &Threads,
    ) -> Result<SourceBlocks> {
        let (block_rows, keep) = (self.block_rows(), self.keep());
        let blocks = threads.run(|| gathering.blocks(block_rows, &keep));
        blocks.map_err(|e| rows.failure(e))
    }

    /// The rows to fit on: in memory, unless they are too many or `is_streamed`. `rows` are they,
    /// if they had to be read already.
    pub(super) fn open(
        &self,
        gathering: &Gathering,
        rows: Option<Batch>,
        is_streamed: bool,
    ) -> Result<Opened> {
        if let (Some(rows), false) = (rows, is_streamed) {
            return Ok(Opened::Whole(Box::new(rows)));
        }
        let keep = self.keep_up_to(FIT_BYTES);
        let streamed =
            || gathering.blocks(self.block_rows(), &keep).map(Box::new).map(Opened::Streamed);
        let (n_bytes, is_cut) = (gathering.n_bytes()?, gathering.is_cut()?);
        let whole_below = if is_cut { STREAMED_BYTES } else { WHOLE_BYTES };
        match n_bytes {
            _ if is_streamed => streamed(),
            Some(n) if n < whole_below => gathering.read_rows().map(Box::new).map(Opened::Whole),
            _ if is_cut => streamed(),
            _ => match gathering.blocks(self.block_rows(), &keep)? {
                blocks if blocks.is_held() => blocks.into_batch().map(Box::new).map(Opened::Whole),
                blocks => Ok(Opened::Streamed(Box::new(blocks))),
            },
        }
    }
}
