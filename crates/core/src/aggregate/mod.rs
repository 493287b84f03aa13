//! The one way in which a fit sees many rows: exact, mergeable aggregates.
//!
//! An [`Aggregate`] observes blocks and merges with another of its kind. Both are exact, so neither
//! the order of rows, nor blocks, threads or machines can move a bit of what it finishes to. Its
//! state serialises: a worker elsewhere sends a few kilobytes. Nothing here counts global
//! positions.
//!
//! [`Rows`] is a table seen as blocks. [`MemoryRows`] holds them in memory; the rows of a
//! [`StreamedTable`](crate::pipeline::StreamedTable) come from [`Blocks`] that lie elsewhere.

mod blocks;
mod classes;
mod clusters;
mod columns;
mod folds;
mod gradient;
mod groups;
mod loss;
mod loss_pass;
mod softmax_pass;
mod subset;
mod target;
mod weights;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::{BLOCK_ROWS, Batch, Schema, check_rows};
use crate::error::{Error, Result};
use crate::math;
use crate::par;

pub use blocks::Blocks;
pub use classes::{ClassSums, Term};
pub(crate) use clusters::nearest;
pub use clusters::{CentreRace, ClusterSums};
pub use columns::{
    ColumnMoments, ColumnQuantiles, ColumnValues, Counts, LevelCounts, MissingCounts,
};
pub use folds::FoldGrams;
pub use gradient::{LogisticPass, LogisticPoint, LogisticSums};
pub use groups::{GroupBy, GroupColumn, GroupFunc};
pub use loss::{Loss, LossTerms};
pub use loss_pass::{CurvaturePass, LossPass, LossPoint, LossSums};
pub use softmax_pass::{SoftmaxCurvature, SoftmaxPass, SoftmaxPoint, SoftmaxSums};
pub use subset::Subset;
pub use target::{FeatureExtents, Gram, LevelTarget, LevelTargets, TargetSummary};
pub use weights::{ClassTotals, WeightSummary};

/// An exact summary of rows: a commutative monoid under `merge`.
pub trait Aggregate: Clone + Send + Sync + Serialize + for<'de> Deserialize<'de> {
    /// Takes the rows of a block in.
    fn observe(&mut self, block: &Batch);

    /// Takes in what `other` has observed.
    fn merge(&mut self, other: &Self);
}

/// Positions of columns in a schema, as an aggregate keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slots(Vec<u32>);

impl Slots {
    /// These positions in this order.
    pub fn new(slots: &[usize]) -> Self {
        Slots(slots.iter().map(|&s| u32::try_from(s).unwrap_or(u32::MAX)).collect())
    }

    /// The positions.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(|&s| s as usize)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A table seen as blocks.
pub trait Rows: Sync {
    /// The columns of every block.
    fn schema(&self) -> &Arc<Schema>;

    /// The number of blocks.
    fn n_blocks(&self) -> usize;

    /// Shows block `index` to `see`.
    ///
    /// # Errors
    /// If the block cannot be read.
    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()>;

    /// All rows in one batch, in canonical order: by fitting key. Only models that must hold their
    /// data in memory ask for this, and say so in their docs.
    ///
    /// # Errors
    /// If a block cannot be read, or there are more rows than a batch may hold.
    fn collect(&self) -> Result<Batch> {
        let mut all = Batch::empty(self.schema());
        for index in 0..self.n_blocks() {
            self.with_block(index, &mut |block| all.append(block))?;
        }
        check_rows(all.n_rows())?;
        let key = |row: u32| all.fit_keys()[row as usize];
        let order = math::argsort_by(all.n_rows(), |a, b| key(a).cmp(&key(b)));
        let order: Vec<usize> = order.into_iter().map(|row| row as usize).collect();
        Ok(all.select(&order))
    }
}

impl dyn Rows + '_ {
    /// What `start` becomes after all rows.
    ///
    /// # Errors
    /// If a block cannot be read, or the float mode of a thread has been changed.
    pub fn aggregate<A: Aggregate>(&self, start: A) -> Result<A> {
        let parts = par::map_ranges(self.n_blocks(), |blocks| {
            // The float mode belongs to the thread, and a library in it may have changed it.
            par::check_float_mode()?;
            let mut part = start.clone();
            for index in blocks {
                self.with_block(index, &mut |block| part.observe(block))?;
            }
            Ok::<A, Error>(part)
        });
        let mut total: Option<A> = None;
        for part in parts {
            let part = part?;
            match &mut total {
                None => total = Some(part),
                Some(total) => total.merge(&part),
            }
        }
        Ok(total.unwrap_or(start))
    }
}

/// A table in memory.
#[derive(Clone, Debug)]
pub struct MemoryRows {
    schema: Arc<Schema>,
    blocks: Vec<Batch>,
}

impl MemoryRows {
    /// The blocks of a table, all of one schema.
    pub fn new(schema: Arc<Schema>, blocks: Vec<Batch>) -> Self {
        debug_assert!(blocks.iter().all(|b| b.schema() == &schema), "one schema for all blocks");
        MemoryRows { schema, blocks }
    }

    /// A batch, cut into blocks of the usual size.
    pub fn from_batch(batch: Batch) -> Self {
        MemoryRows { schema: Arc::clone(batch.schema()), blocks: batch.into_blocks(BLOCK_ROWS) }
    }

    /// The blocks.
    pub fn blocks(&self) -> &[Batch] {
        &self.blocks
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.blocks.iter().map(Batch::n_rows).sum::<usize>()
    }

    /// Changes every block by `step`, in parallel, and takes the schema of the result.
    ///
    /// # Errors
    /// The first block's error.
    pub(crate) fn apply(
        &mut self,
        schema: &Arc<Schema>,
        step: impl Fn(&mut Batch) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        let done = par::map_mut(&mut self.blocks, |block| {
            par::check_float_mode()?;
            step(block)
        });
        self.schema = Arc::clone(schema);
        done.into_iter().collect()
    }
}

impl Rows for MemoryRows {
    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()> {
        see(&self.blocks[index]);
        Ok(())
    }
}
