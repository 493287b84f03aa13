//! What is made of a table block by block, in the order of its rows: for tables that are larger
//! than memory.
//!
//! # Shape
//! As many blocks are at hand as there are threads, with what was made of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use samescore_core::aggregate::{Blocks, Rows};
use samescore_core::batch::{Batch, Schema};
use samescore_core::error::Result;
use samescore_core::par::{self, Threads};
use samescore_core::pipeline::Plan;

/// Shows what `make` makes of every block to `take`, in the order of the blocks, until it says that
/// it has enough. `make` runs on the threads of `threads`.
///
/// # Errors
/// The first block's error, after the blocks before it are taken.
pub fn each_block<T: Send, E: From<samescore_core::error::Error> + Send>(
    blocks: &dyn Blocks,
    threads: &Threads,
    make: impl Fn(Batch) -> Result<T> + Sync + Send,
    mut take: impl FnMut(T) -> Result<bool, E> + Send,
) -> Result<(), E> {
    let made = |index| make(blocks.read(index)?);
    threads.run(|| par::in_waves(blocks.n_blocks(), made, |one| take(one?)))
}

/// The input columns of a plan out of blocks, for one pass.
pub struct BoundRows<'a> {
    plan: &'a Plan,
    blocks: &'a dyn Blocks,
    n_read: AtomicU64,
    hear: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> BoundRows<'a> {
    /// Those of `blocks`; tells `hear` how many blocks of how many are read.
    pub fn new(
        plan: &'a Plan,
        blocks: &'a dyn Blocks,
        hear: &'a (dyn Fn(u64, u64) + Sync),
    ) -> Self {
        BoundRows { plan, blocks, n_read: AtomicU64::new(0), hear }
    }
}

impl Rows for BoundRows<'_> {
    fn schema(&self) -> &Arc<Schema> {
        self.plan.input()
    }

    fn n_blocks(&self) -> usize {
        self.blocks.n_blocks()
    }

    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()> {
        see(&self.plan.bind(&self.blocks.read(index)?)?);
        let n_read = self.n_read.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hear)(n_read, self.blocks.n_blocks() as u64);
        Ok(())
    }
}

/// Blocks that tell how many of their rows have been read, over all passes.
pub struct HeardBlocks<F> {
    blocks: Arc<dyn Blocks>,
    n_read: AtomicU64,
    hear: F,
}

impl<F: Fn(u64) + Send + Sync> HeardBlocks<F> {
    /// The same blocks, telling `hear`.
    pub fn new(blocks: Arc<dyn Blocks>, hear: F) -> Self {
        HeardBlocks { blocks, n_read: AtomicU64::new(0), hear }
    }
}

impl<F: Fn(u64) + Send + Sync> Blocks for HeardBlocks<F> {
    fn schema(&self) -> &Arc<Schema> {
        self.blocks.schema()
    }

    fn n_blocks(&self) -> usize {
        self.blocks.n_blocks()
    }

    fn read(&self, index: usize) -> Result<Batch> {
        let block = self.blocks.read(index)?;
        let n_rows = block.n_rows() as u64;
        (self.hear)(self.n_read.fetch_add(n_rows, Ordering::Relaxed) + n_rows);
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use samescore_core::error::{Code, Error};
    use samescore_core::example;

    use super::*;

    /// Seven blocks of the example table; the last one cannot be read.
    struct Seven(Batch);

    impl Blocks for Seven {
        fn schema(&self) -> &Arc<Schema> {
            self.0.schema()
        }

        fn n_blocks(&self) -> usize {
            7
        }

        fn read(&self, index: usize) -> Result<Batch> {
            match index {
                6 => Err(Error::new(Code::Io, "gone")),
                _ => Ok(self.0.select(&[index])),
            }
        }
    }

    #[test]
    fn blocks_are_taken_in_order_until_an_error_or_enough() {
        let blocks = Seven(example::table(7, 1));
        for n_threads in [1, 3] {
            let threads = Threads::new(n_threads).unwrap();
            for (enough, expected) in [(99, vec![0, 1, 2, 3, 4, 5]), (2, vec![0, 1, 2])] {
                let mut seen = Vec::new();
                let done: Result<()> = each_block(
                    &blocks,
                    &threads,
                    |block| Ok(block.source_row(0)),
                    |row| {
                        seen.push(row);
                        Ok(row < enough)
                    },
                );
                assert_eq!((seen, done.is_err()), (expected, enough == 99));
            }
        }
    }
}
