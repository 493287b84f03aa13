//! Contributions: how much each feature moves the margin of a row (path-dependent Shapley values).
//!
//! # What is computed
//! The value of a set S of features is the margin expected by the tree when only S is known: at a
//! split on a feature of S the row's side is taken, at another split both sides, each by its share
//! of the weight of the training rows (a split without weight counts both equally). A contribution
//! is the Shapley value of the feature in this game (Lundberg et al. 2018, `TreeSHAP`); the base is
//! the value of the empty set.
//!
//! # How
//! For a leaf of value v, let z be the product of the shares on its path at the splits of one
//! feature, and o be 1 if the row takes all of them, else 0. The contribution of feature i from
//! this leaf is v (oᵢ − zᵢ) ∫₀¹ Π_{j≠i} ((1 − t) zⱼ + t oⱼ) dt, a polynomial in t of degree d − 1
//! for d features, which Gauss-Legendre quadrature with ⌈d/2⌉ points integrates exactly. Every
//! term has one sign and nothing is divided by z, so rounding stays within some units in the last
//! place of each leaf's part.
//!
//! # Order and rounding
//! Trees in order, within a tree leaves from left to right, within a leaf the features in the order
//! of its path: a row's contributions do not depend on the rows beside it. Their sum over the
//! features in order plus the base equals the margin up to rounding: the distance is at most 2^-46
//! times (the number of trees + features) times the sum over trees of the largest absolute leaf
//! value, plus that of the start.

mod quadrature;

use std::ops::Range;

use self::quadrature::Rules;
use super::forest::{Forest, Tree, leaf_of};
use crate::batch::{Batch, Column};
use crate::error::{Code, Error, Result};
use crate::math;

/// More features than this on one path are refused.
const DEPTH_MAX: usize = 512;
/// Rows that are worked on at once, if there are many and if there are few.
const MANY: usize = 32;
const FEW: usize = 8;

/// Writes, row by row and output by output, a contribution per feature and then the base.
///
/// # Errors
/// If more than 512 features stand on the path to a leaf.
pub(super) fn contributions(
    forest: &Forest,
    batch: &mut Batch,
    slots: &[usize],
    values: &mut [f64],
) -> Result<()> {
    let mut cells = batch.take_num();
    forest.cells(batch, slots, &mut cells);
    let width = forest.n_outputs as usize * (forest.n_features() + 1);
    let n_rows = values.len() / width;
    let mut rules = Rules::default();
    let mut start = 0;
    while start < n_rows {
        let n = if n_rows - start > FEW { MANY } else { FEW }.min(n_rows - start);
        let rows = start..start + n;
        let values = &mut values[rows.start * width..rows.end * width];
        if n > FEW {
            Block::<MANY>::new(forest, &cells, rows).write(&mut rules, values)?;
        } else {
            Block::<FEW>::new(forest, &cells, rows).write(&mut rules, values)?;
        }
        start += n;
    }
    batch.give(Column::Num(cells));
    Ok(())
}

/// The features of a path: the share of the training weight that stays on it, and per row whether
/// it does (all bits set).
#[derive(Clone, Copy)]
struct Known<const N: usize> {
    feature: usize,
    share: f64,
    stays: [u64; N],
}

/// What to do next in a tree.
enum Step {
    Enter { split: usize, is_left: bool },
    Leave,
}

/// Some rows: their features and what was found so far, column by column.
struct Block<'a, const N: usize> {
    forest: &'a Forest,
    cells: Vec<[f64; N]>,
    /// Output by output a column per feature.
    found: Vec<[f64; N]>,
    base: Vec<f64>,
    known: Vec<Known<N>>,
    /// What entering changed: the place in `known`, and what was there before.
    before: Vec<(usize, Option<Known<N>>)>,
    products: Vec<[f64; N]>,
}

impl<'a, const N: usize> Block<'a, N> {
    fn new(forest: &'a Forest, cells: &[f64], rows: Range<usize>) -> Self {
        let n_features = forest.n_features();
        let mut columns = vec![[math::MISSING; N]; n_features];
        for (lane, row) in rows.enumerate() {
            let cells = &cells[row * n_features.max(1)..];
            columns.iter_mut().zip(cells).for_each(|(column, &x)| column[lane] = x);
        }
        Block {
            forest,
            cells: columns,
            found: vec![[0.0; N]; forest.n_outputs as usize * n_features],
            base: forest.base.clone(),
            known: Vec::new(),
            before: Vec::new(),
            products: Vec::new(),
        }
    }

    fn write(mut self, rules: &mut Rules, values: &mut [f64]) -> Result<()> {
        for (index, tree) in self.forest.trees().enumerate() {
            self.tree(index, &tree, rules)?;
        }
        let (n_features, n_outputs) = (self.cells.len(), self.base.len());
        let n_trees = self.forest.n_trees() as f64;
        let parts = if self.forest.is_mean && n_trees > 0.0 { n_trees } else { 1.0 };
        for (at, value) in values.iter_mut().enumerate() {
            let (row, place) = (at / (n_outputs * (n_features + 1)), at % (n_features + 1));
            let output = at / (n_features + 1) % n_outputs;
            let total = match self.found.get(output * n_features + place) {
                Some(column) if place < n_features => column[row],
                _ => self.base[output],
            };
            *value = math::canonical(total / parts);
        }
        Ok(())
    }

    fn tree(&mut self, index: usize, tree: &Tree<'_>, rules: &mut Rules) -> Result<()> {
        let covers = tree.split_covers();
        let mut steps = Vec::new();
        match usize::try_from(tree.root()) {
            Ok(split) => visit(&mut steps, split),
            Err(_) => self.leaf(index, tree, 0, rules),
        }
        while let Some(step) = steps.pop() {
            let Step::Enter { split, is_left } = step else {
                self.leave();
                continue;
            };
            let child = if is_left { tree.left[split] } else { tree.right[split] };
            let child_cover = match usize::try_from(child) {
                Ok(split) => covers[split],
                Err(_) => tree.leaf_cover(leaf_of(child)),
            };
            let share = if covers[split] > 0.0 { child_cover / covers[split] } else { 0.5 };
            self.enter(tree, split, is_left, share)?;
            match usize::try_from(child) {
                Ok(split) => {
                    steps.push(Step::Leave);
                    visit(&mut steps, split);
                }
                Err(_) => {
                    self.leaf(index, tree, leaf_of(child), rules);
                    self.leave();
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, tree: &Tree<'_>, split: usize, is_left: bool, share: f64) -> Result<()> {
        let feature = tree.feature[split] as usize;
        let mut stays = self.is_left(tree, split);
        if !is_left {
            stays.iter_mut().for_each(|stays| *stays = !*stays);
        }
        match self.known.iter().position(|known| known.feature == feature) {
            Some(place) => {
                let known = &mut self.known[place];
                self.before.push((place, Some(*known)));
                known.share *= share;
                known.stays.iter_mut().zip(stays).for_each(|(old, new)| *old &= new);
            }
            None if self.known.len() == DEPTH_MAX => {
                let message = format!(
                    "expected at most {DEPTH_MAX} columns on the path to a leaf, found more"
                );
                return Err(Error::new(Code::LimitExceeded, message));
            }
            None => {
                self.before.push((self.known.len(), None));
                self.known.push(Known { feature, share, stays });
            }
        }
        Ok(())
    }

    fn leave(&mut self) {
        match self.before.pop() {
            Some((place, Some(known))) => self.known[place] = known,
            Some((place, None)) => self.known.truncate(place),
            None => {}
        }
    }

    /// Per row all bits if it goes left.
    fn is_left(&self, tree: &Tree<'_>, split: usize) -> [u64; N] {
        let feature = tree.feature[split] as usize;
        let threshold = tree.threshold[split];
        let missing = tree.default_left[split];
        let mask = |is_left: bool| if is_left { u64::MAX } else { 0 };
        let cells = &self.cells[feature];
        if !self.forest.is_text(feature) {
            let missing = mask(missing);
            return cells.map(|x| if x.is_nan() { missing } else { mask(x <= threshold) });
        }
        let set = self.forest.set(threshold as usize);
        cells.map(|x| match x.is_nan() {
            true => mask(missing),
            false => mask(set.binary_search(&(x as u32)).is_ok()),
        })
    }

    /// Adds what a leaf gives to each feature of its path.
    fn leaf(&mut self, index: usize, tree: &Tree<'_>, leaf: usize, rules: &mut Rules) {
        let width = self.forest.leaf_width as usize;
        let first = if width == 1 { index % self.base.len() } else { 0 };
        let values = &tree.value[leaf * width..(leaf + 1) * width];
        let share = self.known.iter().fold(1.0, |share, known| share * known.share);
        for (base, value) in self.base[first..].iter_mut().zip(values) {
            *base += value * share;
        }
        let points = rules.points(self.known.len().div_ceil(2));
        self.products.clear();
        self.products.resize(points.len(), [1.0; N]);
        for known in &self.known {
            for (product, point) in self.products.iter_mut().zip(points) {
                let off = known.share * point.rest;
                let on = off + point.at;
                multiply(product, &known.stays, on, off);
            }
        }
        for known in &self.known {
            let mut total = [0.0; N];
            for (product, point) in self.products.iter().zip(points) {
                let on = known.share * point.rest + point.at;
                let on = (1.0 - known.share) * point.weight / on;
                add_products(&mut total, product, &known.stays, on, -point.weight_by_rest);
            }
            for (output, value) in (first..).zip(values) {
                let found = &mut self.found[output * self.cells.len() + known.feature];
                found.iter_mut().zip(total).for_each(|(found, x)| *found += value * x);
            }
        }
    }
}

fn visit(steps: &mut Vec<Step>, split: usize) {
    steps.push(Step::Enter { split, is_left: false });
    steps.push(Step::Enter { split, is_left: true });
}

/// `on` where all bits are set, `off` where none is.
#[inline]
fn choose(mask: u64, on: f64, off: f64) -> f64 {
    f64::from_bits((on.to_bits() & mask) | (off.to_bits() & !mask))
}

#[inline]
fn multiply<const N: usize>(product: &mut [f64; N], stays: &[u64; N], on: f64, off: f64) {
    for (product, &mask) in product.iter_mut().zip(stays) {
        *product *= choose(mask, on, off);
    }
}

#[inline]
fn add_products<const N: usize>(
    total: &mut [f64; N],
    product: &[f64; N],
    stays: &[u64; N],
    on: f64,
    off: f64,
) {
    for ((total, product), &mask) in total.iter_mut().zip(product).zip(stays) {
        *total += product * choose(mask, on, off);
    }
}

#[cfg(test)]
mod tests;
