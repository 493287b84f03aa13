//! A table that stays where it is: its blocks are read again on every pass of a fit.
//!
//! # Method
//! The first pass writes the ledger: what no block knows alone. Every pass after it reads a block,
//! takes it through the same door, gives its rows the targets, weights and fitting keys of the
//! ledger, leaves out the rows that were left out, and applies the steps fitted so far anew. So a
//! fit sees the very rows that it would see in memory, and its artifact is the same file; what it
//! saves in memory it pays in reading and in applying steps once per pass.
//!
//! # Shape
//! In memory are 24 bytes per row (8 more with weights, 1 more behind a filter; 40 in the first
//! pass), and per thread one block of the source and what the steps make of it. Models
//! that hold their rows (their docs say so) hold them here as well.
//!
//! # Errors
//! Those of a table in memory, with the same rows. A block that is not what it was in the first
//! pass is refused.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::PopulationCounts;
use super::ledger::{Door, Draft, Ledger};
use crate::aggregate::{Blocks, Rows};
use crate::batch::{Batch, Schema};
use crate::config::Config;
use crate::digest::{Fingerprint, KeyHasher, RowKey};
use crate::error::{Code, Error, Result};
use crate::par;
use crate::step::Progress;

const BLOCK_DOMAIN: &str = "samescore block v1";

/// A table that is ready to be fitted on and stays where it is.
#[derive(Clone)]
pub struct StreamedTable(Arc<Shared>);

struct Shared {
    blocks: Arc<dyn Blocks>,
    door: Door,
    ledger: Ledger,
    /// By block what its rows were in the first pass.
    seen: Vec<RowKey>,
}

impl StreamedTable {
    /// Reads all blocks once: keys their rows and reads their targets. The table has at least the
    /// declared columns.
    ///
    /// # Errors
    /// As [`Table::new`](super::Table::new), and if a block cannot be read.
    pub fn new(config: &Config, blocks: Arc<dyn Blocks>) -> Result<Self> {
        StreamedTable::new_heard(config, blocks, Progress::default())
    }

    /// The same, telling `progress` how many blocks are read.
    ///
    /// # Errors
    /// As [`StreamedTable::new`].
    pub fn new_heard(
        config: &Config,
        blocks: Arc<dyn Blocks>,
        progress: Progress<'_>,
    ) -> Result<Self> {
        let door = Door::new(config, blocks.schema())?;
        let blocks = match blocks.n_blocks() {
            0 => Arc::new(NoRows(Arc::clone(blocks.schema()))),
            _ => blocks,
        };
        let n_blocks = blocks.n_blocks();
        let n_read = AtomicU64::new(0);
        let read = |index: usize| {
            let source = blocks.read(index)?;
            let (arrived, source) = door.sift(&source)?;
            let rows = 0..source.n_rows();
            let block = door.admit(&source, rows.clone());
            let part = door.note(&source, rows, &block).arrived(arrived);
            progress.at(n_read.fetch_add(1, Ordering::Relaxed) + 1, n_blocks as u64);
            Ok((content(&block), part))
        };
        let (seen, draft) = Draft::of(n_blocks, read)?;
        let ledger = draft.settle(&door, &|index, see| {
            see(&enter(&*blocks, &door, index)?);
            Ok(())
        })?;
        Ok(StreamedTable(Arc::new(Shared { blocks, door, ledger, seen })))
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.0.ledger.n_rows()
    }

    /// The identity of the schema and the multiset of rows with their targets: that of the same
    /// rows in memory.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.ledger.fingerprint()
    }

    /// How many rows the filters of the population saw and kept; none without filters.
    pub fn population(&self) -> Option<&PopulationCounts> {
        self.0.ledger.population()
    }

    /// The rows.
    pub fn rows(&self) -> StreamedRows {
        StreamedRows {
            shared: Arc::clone(&self.0),
            kept: None,
            n_rows: self.n_rows(),
            schema: Arc::clone(self.0.door.input()),
            stages: Vec::new(),
        }
    }

    /// The rows for which `keep` says so, asked with the row's block and its position in the block,
    /// and the others. Reads all blocks once.
    ///
    /// # Errors
    /// If a block cannot be read, or is not what it was.
    pub fn divide(
        &self,
        keep: impl Fn(&Batch, usize) -> bool + Sync + Send,
    ) -> Result<(StreamedRows, StreamedRows)> {
        let parts = par::map_ranges(self.0.blocks.n_blocks(), |blocks| {
            blocks
                .map(|index| {
                    let block = self.0.read(index)?;
                    Ok((0..block.n_rows()).map(|row| keep(&block, row)).collect())
                })
                .collect::<Result<Vec<Vec<bool>>>>()
        });
        let mut marks = Vec::with_capacity(self.0.blocks.n_blocks());
        for part in parts {
            marks.extend(part?);
        }
        let n_kept = marks.iter().flatten().filter(|kept| **kept).count();
        let marks = Arc::new(marks);
        let side = |side: bool, n_rows: usize| StreamedRows {
            kept: Some((Arc::clone(&marks), side)),
            n_rows,
            ..self.rows()
        };
        Ok((side(true, n_kept), side(false, self.n_rows() - n_kept)))
    }
}

/// The rows of block `index` inside the population, keyed.
fn enter(blocks: &dyn Blocks, door: &Door, index: usize) -> Result<Batch> {
    let source = blocks.read(index)?;
    let (_, source) = door.sift(&source)?;
    Ok(door.admit(&source, 0..source.n_rows()))
}

impl Shared {
    /// Block `index` as a table in memory would hold it.
    fn read(&self, index: usize) -> Result<Batch> {
        let mut block = enter(&*self.blocks, &self.door, index)?;
        if content(&block) != self.seen[index] {
            let row = self.ledger.first_row(index);
            let message = "expected the rows of the first pass from here on, found others";
            return Err(Error::new(Code::SourceChanged, message)
                .row(row as u64)
                .remedy("fit again when nobody writes to the source"));
        }
        self.ledger.sign(index, &mut block);
        Ok(block)
    }
}

/// What the rows of a block are, by their keys in order.
fn content(block: &Batch) -> RowKey {
    let mut hasher = KeyHasher::new(BLOCK_DOMAIN, &[]);
    for key in block.keys() {
        hasher.word(key.0 as u64);
        hasher.word((key.0 >> 64) as u64);
    }
    hasher.finish()
}

/// A table without a row, as one empty block.
struct NoRows(Arc<Schema>);

impl Blocks for NoRows {
    fn schema(&self) -> &Arc<Schema> {
        &self.0
    }

    fn n_blocks(&self) -> usize {
        1
    }

    fn read(&self, _: usize) -> Result<Batch> {
        Ok(Batch::empty(&self.0))
    }
}

/// A change of a block, to be made on every pass.
type Stage = Arc<dyn Fn(&mut Batch) -> Result<()> + Send + Sync>;

/// Rows that are read again on every pass, behind the steps fitted so far.
#[derive(Clone)]
pub struct StreamedRows {
    shared: Arc<Shared>,
    /// By block and row a mark, and the mark of the rows that are left.
    kept: Option<(Arc<Vec<Vec<bool>>>, bool)>,
    n_rows: usize,
    schema: Arc<Schema>,
    stages: Vec<Stage>,
}

impl StreamedRows {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Changes every block by `stage` from now on, and takes the schema of the result.
    pub(super) fn apply(
        &mut self,
        schema: &Arc<Schema>,
        stage: impl Fn(&mut Batch) -> Result<()> + Send + Sync + 'static,
    ) {
        self.stages.push(Arc::new(stage));
        self.schema = Arc::clone(schema);
    }

    /// The fitting keys of a block's rows.
    pub(super) fn fit_keys(&self, block: usize) -> Cow<'_, [RowKey]> {
        self.left(block, self.shared.ledger.fit_keys(block))
    }

    /// The targets of a block's rows, as the source has them.
    pub(super) fn target(&self, block: usize) -> Cow<'_, [f64]> {
        self.left(block, self.shared.ledger.target(block))
    }

    /// What belongs to the rows that are left.
    fn left<'a, T: Copy>(&self, block: usize, all: &'a [T]) -> Cow<'a, [T]> {
        let Some((marks, side)) = &self.kept else {
            return Cow::Borrowed(all);
        };
        let marked = all.iter().zip(&marks[block]);
        Cow::Owned(marked.filter(|(_, mark)| *mark == side).map(|(x, _)| *x).collect())
    }
}

impl Rows for StreamedRows {
    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn n_blocks(&self) -> usize {
        self.shared.blocks.n_blocks()
    }

    fn with_block(&self, index: usize, see: &mut dyn FnMut(&Batch)) -> Result<()> {
        par::check_float_mode()?;
        let mut block = self.shared.read(index)?;
        if let Some((marks, side)) = &self.kept {
            let marked = marks[index].iter().enumerate();
            let rows: Vec<usize> =
                marked.filter(|(_, mark)| *mark == side).map(|(row, _)| row).collect();
            block = block.select(&rows);
        }
        self.stages.iter().try_for_each(|stage| stage(&mut block))?;
        see(&block);
        Ok(())
    }
}
