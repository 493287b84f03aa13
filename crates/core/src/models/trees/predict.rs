//! Scores of rows: the plain walk through the stored forest.

use super::forest::{Forest, Tree, leaf_of};
use crate::batch::{Batch, Column, MISSING_CODE};
use crate::math;

impl Forest {
    /// Writes `n_outputs` sums or means of trees per row into `scores`, row by row. Trees are added
    /// in order. [`Forest::margins`] gives the same sooner.
    pub fn plain_margins(&self, batch: &mut Batch, slots: &[usize], scores: &mut [f64]) {
        let mut cells = batch.take_num();
        self.cells(batch, slots, &mut cells);
        let (n_outputs, width) = (self.n_outputs as usize, self.leaf_width as usize);
        let n_features = self.n_features().max(1);
        for row in scores.chunks_exact_mut(n_outputs) {
            row.copy_from_slice(&self.base);
        }
        for (index, tree) in self.trees().enumerate() {
            let first = if width == 1 { index % n_outputs } else { 0 };
            let rows = scores.chunks_exact_mut(n_outputs).zip(cells.chunks_exact(n_features));
            for (scores, cells) in rows {
                let leaf = self.leaf(&tree, cells);
                let values = &tree.value[leaf * width..(leaf + 1) * width];
                let scores = scores[first..].iter_mut().zip(values);
                scores.for_each(|(score, value)| *score += value);
            }
        }
        if self.is_mean && self.n_trees() > 0 {
            let n_trees = self.n_trees() as f64;
            scores.iter_mut().for_each(|score| *score /= n_trees);
        }
        scores.iter_mut().for_each(|score| *score = math::canonical(*score));
        batch.give(Column::Num(cells));
    }

    /// The leaf of a row, whose features are `cells`.
    #[inline]
    pub fn leaf(&self, tree: &Tree<'_>, cells: &[f64]) -> usize {
        let mut at = tree.root();
        while let Ok(split) = usize::try_from(at) {
            let feature = tree.feature[split] as usize;
            let (x, threshold) = (cells[feature], tree.threshold[split]);
            let is_left = if x.is_nan() {
                tree.default_left[split]
            } else if self.is_text(feature) {
                self.set(threshold as usize).binary_search(&(x as u32)).is_ok()
            } else {
                x <= threshold
            };
            at = if is_left { tree.left[split] } else { tree.right[split] };
        }
        leaf_of(at)
    }

    /// The features of all rows, row by row; of a text column the number of the level, missing if
    /// the label is none.
    pub fn cells(&self, batch: &Batch, slots: &[usize], cells: &mut Vec<f64>) {
        let n_features = slots.len();
        cells.clear();
        cells.resize(batch.n_rows() * n_features.max(1), math::MISSING);
        for (feature, &slot) in slots.iter().enumerate() {
            let out = cells.iter_mut().skip(feature).step_by(n_features);
            match batch.column(slot) {
                Column::Num(values) => out.zip(values).for_each(|(cell, &x)| *cell = x),
                Column::Text(text) => {
                    let levels = &self.levels[feature];
                    for (row, cell) in out.enumerate() {
                        let code = text.codes()[row];
                        if code == MISSING_CODE {
                            continue;
                        }
                        let label = text.level(code as usize);
                        if let Ok(level) = levels.binary_search_by(|l| l.as_str().cmp(label)) {
                            *cell = level as f64;
                        }
                    }
                }
                Column::Time(_) => {}
            }
        }
    }
}
