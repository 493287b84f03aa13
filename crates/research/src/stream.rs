//! What is made of a table block by block, in the order of its rows: for tables that are larger
//! than memory.
//!
//! # Shape
//! As many blocks are at hand as there are threads, with what was made of each.

use samescore_core::aggregate::Blocks;
use samescore_core::batch::Batch;
use samescore_core::error::Result;
use samescore_core::par::{self, Threads};

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
    threads.run(|| {
        let n_blocks = blocks.n_blocks();
        let mut next = 0;
        while next < n_blocks {
            let wave: Vec<usize> = (next..n_blocks.min(next + par::n_threads())).collect();
            next += wave.len();
            let made = par::map(&wave, |&index| make(blocks.read(index)?));
            for one in made {
                if !take(one?)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use samescore_core::batch::Schema;
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
