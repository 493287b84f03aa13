//! A digest of every stage of a plan: of a table in memory, or of one that is read block by block.
//!
//! # Method
//! A trace is over the rows in the order of their keys. Where the table is not in memory, its rows
//! are counted by the first bits of their keys, and each pass over the source takes those of a
//! range of keys, some thirty million cells, through all stages; the ranges in their order are the
//! order of all rows. Keys are hashes, so that ranges are about equally full; rows of one key,
//! which no range can part, are held together.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Plan, Scores};
use crate::aggregate::Blocks;
use crate::batch::Batch;
use crate::digest::RowKey;
use crate::error::{Error, Result};
use crate::par;
use crate::step::Progress;
use crate::trace::{Trace, Tracing};

/// About how many cells of the widest stage are in memory at a time.
const CELLS_MAX: u64 = 1 << 25;
/// So many rows may be, however wide they are.
const ROWS_MIN: u64 = 1 << 16;
/// So many first bits of a key say in which range it is.
const RANGE_BITS: u32 = 16;

impl Plan {
    /// Scores every row and digests every stage.
    ///
    /// # Errors
    /// If an input column is absent or of another kind, or the float mode of a thread has been
    /// changed.
    pub fn trace(&self, batch: &Batch) -> Result<(Scores, Trace)> {
        self.trace_blocks(self.cut(batch)?)
    }

    /// The parts of a table as blocks for [`Plan::trace_blocks`]: none holds rows of two parts.
    ///
    /// # Errors
    /// If an input column is absent or of another kind.
    pub fn blocks(&self, parts: impl IntoIterator<Item = Batch>) -> Result<Vec<Batch>> {
        let mut blocks = Vec::new();
        for part in parts {
            blocks.extend(self.cut(&part)?);
        }
        Ok(blocks)
    }

    /// Scores the blocks of a table, each by itself, and digests every stage of the whole.
    ///
    /// # Errors
    /// If the float mode of a thread has been changed.
    pub fn trace_blocks(&self, mut blocks: Vec<Batch>) -> Result<(Scores, Trace)> {
        par::check_float_mode()?;
        par::map_mut(&mut blocks, |block| self.key_block(block));
        let mut tracing = self.tracing();
        let parts = self.trace_part(&mut tracing, &mut blocks)?;
        let mut all = Scores::of_width(self.n_outputs());
        parts.into_iter().for_each(|part| all.append(part));
        Ok((all, tracing.finish()))
    }

    /// The trace of a table that is read block by block, in some passes: that of the same rows in
    /// memory. Tells `progress` how many blocks of all passes are read.
    ///
    /// # Errors
    /// If a block cannot be read, an input column is absent or of another kind, or the float mode
    /// of a thread has been changed.
    pub fn trace_streamed(&self, blocks: &dyn Blocks, progress: Progress<'_>) -> Result<Trace> {
        let widths = self.stages.iter().map(|stage| stage.output.len());
        let width = widths.fold(self.input().len(), usize::max) as u64;
        self.trace_in_ranges(blocks, ROWS_MIN.max(CELLS_MAX / width.max(1)), progress)
    }

    fn trace_in_ranges(
        &self,
        blocks: &dyn Blocks,
        rows_max: u64,
        progress: Progress<'_>,
    ) -> Result<Trace> {
        let n_blocks = blocks.n_blocks();
        let counts = par::map_ranges(n_blocks, |range| {
            let mut counts = vec![0u64; 1 << RANGE_BITS];
            for index in range {
                for block in self.keyed(blocks, index)? {
                    block.keys().iter().for_each(|key| counts[range_of(*key)] += 1);
                }
            }
            Ok::<_, Error>(counts)
        });
        let mut total = vec![0u64; 1 << RANGE_BITS];
        for counts in counts {
            total.iter_mut().zip(counts?).for_each(|(total, n)| *total += n);
        }
        let ends = ends(&total, rows_max);
        let (n_read, n_reads) = (AtomicU64::new(0), (n_blocks * (ends.len() + 1)) as u64);
        n_read.store(n_blocks as u64, Ordering::Relaxed);
        let (mut tracing, mut begin) = (self.tracing(), 0);
        let each: Vec<usize> = (0..n_blocks).collect();
        for end in ends {
            let parts = par::map(&each, |&index| {
                let mut part = Vec::new();
                for block in self.keyed(blocks, index)? {
                    part.extend(within(&block, begin..end));
                }
                progress.at(n_read.fetch_add(1, Ordering::Relaxed) + 1, n_reads);
                Ok::<_, Error>(part)
            });
            let mut within = Vec::new();
            for part in parts {
                within.extend(part?);
            }
            self.trace_part(&mut tracing, &mut within)?;
            begin = end;
        }
        Ok(tracing.finish())
    }

    fn tracing(&self) -> Tracing {
        let schemas = self.stages.iter().map(|stage| &*stage.output);
        Tracing::new(self.stage_names().zip(std::iter::once(&*self.unkeyed).chain(schemas)))
    }

    /// The rows of a block of a source, keyed.
    fn keyed(&self, blocks: &dyn Blocks, index: usize) -> Result<Vec<Batch>> {
        par::check_float_mode()?;
        let mut cut = self.cut(&blocks.read(index)?)?;
        cut.iter_mut().for_each(|block| self.key_block(block));
        Ok(cut)
    }

    /// Takes keyed blocks through all stages.
    fn trace_part(&self, tracing: &mut Tracing, blocks: &mut [Batch]) -> Result<Vec<Scores>> {
        let order = tracing.begin(blocks);
        tracing.stage(0, &order, blocks);
        for index in 0..self.stages.len() {
            let done = par::map_mut(blocks, |block| {
                par::check_float_mode()?;
                self.step_block(index, block)
            });
            done.into_iter().collect::<Result<()>>()?;
            tracing.stage(index + 1, &order, blocks);
        }
        let mut parts = Vec::with_capacity(blocks.len());
        for block in blocks {
            let mut scores = Scores::default();
            self.predict_block(block, &mut scores)?;
            parts.push(scores);
        }
        tracing.scores(&order, |block, row| parts[block].values(row));
        Ok(parts)
    }
}

fn range_of(key: RowKey) -> usize {
    (key.0 >> (128 - RANGE_BITS)) as usize
}

/// Where ranges of keys end, which have about `rows_max` rows each.
fn ends(counts: &[u64], rows_max: u64) -> Vec<usize> {
    let (mut ends, mut n_rows) = (Vec::new(), 0u64);
    for (at, n) in counts.iter().enumerate() {
        if n_rows > 0 && n_rows + n > rows_max {
            ends.push(at);
            n_rows = 0;
        }
        n_rows += n;
    }
    if n_rows > 0 {
        ends.push(counts.len());
    }
    ends
}

/// The rows of a keyed block whose keys are in these ranges, with their faults.
fn within(block: &Batch, ranges: std::ops::Range<usize>) -> Option<Batch> {
    let keys = block.keys().iter().enumerate();
    let rows = keys.filter(|(_, key)| ranges.contains(&range_of(**key))).map(|(row, _)| row);
    let rows: Vec<usize> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    let mut part = block.select(&rows);
    for (at, &row) in rows.iter().enumerate() {
        if let Some(error) = block.fault_of(row) {
            part.fault_row(at, error.clone());
        }
    }
    part.keep_faults_unnamed();
    Some(part)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::Schema;
    use crate::config::Task;
    use crate::error::Code;
    use crate::example;
    use crate::models::LinearRegressionParams;
    use crate::pipeline::{Table, fit};
    use crate::transforms::{MeanMedianImputerParams, OrdinalEncoderParams};

    struct InBlocks(Vec<Batch>);

    impl Blocks for InBlocks {
        fn schema(&self) -> &Arc<Schema> {
            self.0[0].schema()
        }

        fn n_blocks(&self) -> usize {
            self.0.len()
        }

        fn read(&self, index: usize) -> Result<Batch> {
            // Cutting a table leaves faults behind: each block has one of its own.
            let mut block = self.0[index].clone();
            block.fault_row(0, Error::new(Code::BadValue, "expected num"));
            Ok(block)
        }
    }

    #[test]
    fn ranges_of_keys_are_the_whole_table() {
        let mut config = example::config(Task::Regression, LinearRegressionParams::default())
            .step("impute", &["age", "area"], MeanMedianImputerParams::default())
            .step("encode", &["sex"], OrdinalEncoderParams::default());
        let used = ["age", "area", "sex", example::REGRESSION_TARGET];
        config.data.columns.retain(|name, _| used.contains(&name.as_str()));
        let batch = example::table(300, 4);
        let table = Table::new(&config, &batch).unwrap();
        let fitted = fit(&config, table.into_rows()).unwrap();
        let plan = Plan::new(&config, fitted.pipeline).unwrap();
        // Every row twice: rows of one key stay together.
        let places: Vec<usize> = (0..600).map(|row| row % 300).collect();
        let blocks = InBlocks(batch.select(&places).into_blocks(37));
        let all: Vec<Batch> = (0..blocks.n_blocks()).map(|i| blocks.read(i).unwrap()).collect();
        let expected = plan.trace_blocks(plan.blocks(all).unwrap()).unwrap().1;
        for rows_max in [1, 7, 100, 1 << 20] {
            let silent = Progress::default();
            let found = plan.trace_in_ranges(&blocks, rows_max, silent).unwrap();
            assert_eq!(found, expected, "{rows_max}");
        }
        assert_eq!(plan.trace_streamed(&blocks, Progress::default()).unwrap(), expected);
    }

    #[test]
    fn ranges_end_where_they_are_full() {
        assert_eq!(ends(&[3, 3, 3, 9, 0, 1], 6), [2, 3, 4, 6]);
        assert_eq!(ends(&[0, 0], 6), [0usize; 0]);
        assert_eq!(ends(&[1, 0], 6), [2]);
    }
}
