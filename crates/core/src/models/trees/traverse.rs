//! A forest made ready to score: the same leaves as the plain walk, sooner.
//!
//! It is built from the stored form at the first use and never stored. Which leaf a row reaches
//! does not depend on how it is found, and leaf values are added in the order of the trees, as by
//! the plain walk, so every bit is the same. Rows become codes ([`super::codes`]); many rows go
//! through small trees by [`super::bits`], few rows or large trees by [`super::walk`]. A forest
//! with too many thresholds for codes keeps the plain walk.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::bits::{self, Bits, LANES};
use super::codes::Coder;
use super::forest::Forest;
use super::walk::Walk;
use crate::batch::{Batch, Codes, Column};
use crate::math;

/// With fewer rows than this walking costs less than filling all lanes.
const ROWS_MIN: usize = 24;

/// The compiled form of the forest beside it: skipped where that is stored, equal to every other.
#[derive(Clone, Debug, Default)]
pub(in crate::models) struct Ready(OnceLock<Option<Arc<Compiled>>>);

impl PartialEq for Ready {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Compiled {
    coder: Coder,
    walk: Walk,
    bits: Option<Bits>,
    /// Where the values of each tree begin, by tree.
    values: Vec<usize>,
}

impl Compiled {
    fn new(forest: &Forest) -> Option<Arc<Self>> {
        let (coder, tests) = Coder::new(forest)?;
        let walk = Walk::new(forest.trees(), &tests)?;
        let is_narrow = coder.is_narrow();
        let bits = if is_narrow { Bits::new(forest.trees(), &tests) } else { None };
        let mut end = 0;
        let values = forest.n_leaves.iter().map(|&n| {
            let start = end;
            end += n as usize * forest.leaf_width as usize;
            start
        });
        Some(Arc::new(Compiled { coder, walk, bits, values: values.collect() }))
    }

    /// Tells `each` the rows, tree by tree, and their leaves. Rows come in blocks; within a block
    /// every row's trees come in order.
    fn leaves(
        &self,
        forest: &Forest,
        (batch, slots): (&Batch, &[usize]),
        buffers: &mut Codes,
        mut each: impl FnMut(usize, usize, usize),
    ) {
        let Codes { narrow, wide, levels } = buffers;
        self.coder.read_levels(forest, batch, slots, levels);
        let n_columns = self.coder.n_columns();
        let mut start = 0;
        while start < batch.n_rows() {
            let rows = start..(start + LANES).min(batch.n_rows());
            match &self.bits {
                Some(bits) if rows.len() >= ROWS_MIN => {
                    narrow.resize(n_columns, [0; LANES]);
                    let codes = narrow.as_flattened_mut();
                    let source = (batch, slots, rows.clone());
                    self.coder.write(source, levels, (LANES, 1), codes, bits::narrow);
                    bits.walk(narrow, |tree, leaves| {
                        for (row, &leaf) in rows.clone().zip(leaves) {
                            each(tree, row, usize::from(leaf));
                        }
                    });
                }
                _ => self.walk_rows((batch, slots, rows.clone()), levels, wide, &mut each),
            }
            start = rows.end;
        }
    }

    fn walk_rows(
        &self,
        (batch, slots, rows): (&Batch, &[usize], Range<usize>),
        levels: &[u32],
        wide: &mut Vec<u16>,
        each: &mut impl FnMut(usize, usize, usize),
    ) {
        let n_columns = self.coder.n_columns();
        wide.resize(n_columns * rows.len(), 0);
        let source = (batch, slots, rows.clone());
        self.coder.write(source, levels, (1, n_columns), wide, |code| code);
        if rows.len() == 1 {
            self.walk.one_row(wide, |tree, leaf| each(tree, rows.start, leaf));
        } else {
            self.walk.rows(wide, n_columns, rows.len(), |tree, row, leaf| {
                each(tree, rows.start + row, leaf);
            });
        }
    }
}

impl Forest {
    /// Writes `n_outputs` sums or means of trees per row into `scores`, row by row. Trees are added
    /// in order.
    pub fn margins(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) {
        self.ready.margins(self, batch, slots, scores);
    }

    /// Writes the leaf of every tree into `leaves`, row by row, numbered from 0 within its tree.
    pub fn leaves(&self, batch: &mut Batch, slots: &[usize], leaves: &mut [f64]) {
        self.ready.leaves(self, batch, slots, leaves);
    }
}

impl Ready {
    fn of(&self, forest: &Forest) -> Option<&Compiled> {
        self.0.get_or_init(|| Compiled::new(forest)).as_deref()
    }

    fn margins(&self, forest: &Forest, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) {
        let Some(compiled) = self.of(forest) else {
            return forest.plain_margins(batch, slots, scores);
        };
        let (n_outputs, width) = (forest.n_outputs as usize, forest.leaf_width as usize);
        for row in scores.chunks_exact_mut(n_outputs) {
            row.copy_from_slice(&forest.base);
        }
        let mut buffers = batch.take_codes();
        let source = (&*batch, slots);
        let values = |tree: usize| &forest.value[compiled.values[tree]..];
        if n_outputs == 1 {
            compiled.leaves(forest, source, &mut buffers, |tree, row, leaf| {
                scores[row] += values(tree)[leaf];
            });
        } else if width == 1 {
            compiled.leaves(forest, source, &mut buffers, |tree, row, leaf| {
                scores[row * n_outputs + tree % n_outputs] += values(tree)[leaf];
            });
        } else {
            compiled.leaves(forest, source, &mut buffers, |tree, row, leaf| {
                let scores = scores[row * n_outputs..].iter_mut();
                let values = &values(tree)[leaf * width..(leaf + 1) * width];
                scores.zip(values).for_each(|(score, value)| *score += value);
            });
        }
        batch.give_codes(buffers);
        if forest.is_mean && forest.n_trees() > 0 {
            let n_trees = forest.n_trees() as f64;
            scores.iter_mut().for_each(|score| *score /= n_trees);
        }
        scores.iter_mut().for_each(|score| *score = math::canonical(*score));
    }

    fn leaves(&self, forest: &Forest, batch: &mut Batch, slots: &[usize], leaves: &mut [f64]) {
        let n_trees = forest.n_trees();
        if let Some(compiled) = self.of(forest) {
            let mut buffers = batch.take_codes();
            compiled.leaves(forest, (&*batch, slots), &mut buffers, |tree, row, leaf| {
                leaves[row * n_trees + tree] = leaf as f64;
            });
            return batch.give_codes(buffers);
        }
        let mut cells = batch.take_num();
        forest.cells(batch, slots, &mut cells);
        for (index, tree) in forest.trees().enumerate() {
            let rows = leaves.chunks_exact_mut(n_trees);
            for (leaves, cells) in rows.zip(cells.chunks_exact(slots.len().max(1))) {
                leaves[index] = forest.leaf(&tree, cells) as f64;
            }
        }
        batch.give(Column::Num(cells));
    }
}

#[cfg(test)]
mod tests;
