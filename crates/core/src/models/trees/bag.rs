//! Forests of independent trees, and the single tree: leaves are means of the target.
//!
//! A split's worth is that of the squared error, for classes of the Gini impurity: both are sums of
//! (sum of targets)² / weight, over the classes where there are several. Leaf values are exact
//! weighted means, rounded once.

use super::binning::Binned;
use super::build::{self, LeafFacts};
use super::forest::Forest;
use super::grow::{GrowParams, Grown, Sample, grow};
use super::histogram::Packing;
use super::look::Workspace;
use super::oob::{self, OutOfBag};
use super::prune::{self, Mass};
use super::sample;
use super::table::Table;
use crate::aggregate::Rows;
use crate::error::Result;
use crate::math::{self, ExactSum};
use crate::par;
use crate::rng::Stream;
use crate::step::FitContext;

/// How to grow a forest.
#[derive(Clone, Debug)]
pub(in crate::models) struct BagParams {
    pub n_trees: u32,
    pub bootstrap: bool,
    pub grow: GrowParams,
    /// The least fall of impurity, as a share of the total weight.
    pub min_impurity_decrease: f64,
    /// See [`prune`].
    pub ccp_alpha: f64,
}

impl BagParams {
    /// How good a forest that these made is on rows that its trees have not seen.
    ///
    /// # Errors
    /// If a block cannot be read.
    pub fn out_of_bag(
        &self,
        forest: &Forest,
        table: &Table,
        rows: &dyn Rows,
        ctx: &FitContext<'_>,
    ) -> Result<OutOfBag> {
        let samples: Vec<Stream> = (0..self.n_trees).map(|tree| row_stream(ctx, tree)).collect();
        oob::judge(forest, table, rows, ctx, &samples)
    }
}

/// The draws of a tree's rows.
fn row_stream(ctx: &FitContext<'_>, tree: u32) -> Stream {
    ctx.stream("", "rows").substream("tree", u64::from(tree))
}

/// Fits a forest: one value per leaf, or `n_classes` of them above two.
pub(in crate::models) fn bag(
    table: &Table,
    data: &Binned,
    params: &BagParams,
    ctx: &FitContext<'_>,
) -> Forest {
    let n_classes = ctx.n_classes as usize;
    let width = if n_classes > 2 { n_classes } else { 1 };
    let mut forest = build::empty(data, vec![0.0; width], width as u32, true);
    let all: Vec<u32> = (0..table.n_rows() as u32).collect();
    let bag = Bag {
        table,
        data,
        params,
        ctx,
        width,
        centre: if n_classes == 0 { table.mean(&all) } else { 0.0 },
        all,
    };
    // Few trees at a time, so that memory does not grow with the forest.
    let trees: Vec<u32> = (0..params.n_trees).collect();
    let mut n_done = 0;
    for some in trees.chunks(2 * par::n_threads()) {
        ctx.progress.at(n_done, u64::from(params.n_trees));
        let grown = par::map(some, |&tree| bag.tree(tree));
        for (grown, leaves) in grown {
            build::push(&mut forest, data, &grown, &leaves);
        }
        n_done += some.len() as u64;
    }
    ctx.progress.at(n_done, u64::from(params.n_trees));
    forest
}

struct Bag<'a> {
    table: &'a Table,
    data: &'a Binned,
    params: &'a BagParams,
    ctx: &'a FitContext<'a>,
    width: usize,
    centre: f64,
    all: Vec<u32>,
}

impl Bag<'_> {
    fn tree(&self, tree: u32) -> (Grown, Vec<LeafFacts>) {
        let (rows, weights) = self.rows_of(tree);
        let heaviest = rows.iter().fold(0.0, |top, &row| math::max(top, weights[row as usize]));
        let is_whole = rows.iter().all(|&r| weights[r as usize].floor() == weights[r as usize]);
        let top = if self.ctx.n_classes > 0 {
            heaviest
        } else {
            let sizes = rows.iter().map(|&row| self.gradient(row, 0, &weights).abs());
            sizes.fold(0.0, math::max)
        };
        let packing = Packing::new(rows.len(), top, heaviest, is_whole);
        let packed = (0..self.width).map(|channel| {
            let pack = |&row: &u32| {
                packing.pack(self.gradient(row, channel, &weights), weights[row as usize])
            };
            rows.iter().map(pack).collect()
        });
        let packed: Vec<Vec<i64>> = packed.collect();
        let totals = packed.iter().map(|packed| packing.totals(packed)).collect();
        let sample = Sample { packed, packing, rows, totals };
        let features: Vec<u32> = (0..self.data.n_features() as u32).collect();
        let mut params = self.params.grow.clone();
        if self.params.min_impurity_decrease > 0.0 {
            let mut total = ExactSum::new();
            sample.rows.iter().for_each(|&row| total.add(weights[row as usize]));
            // Of two classes one is counted, and Gini is that of both.
            let both = if self.ctx.n_classes == 2 { 0.5 } else { 1.0 };
            params.min_gain = self.params.min_impurity_decrease * total.round() * both;
        }
        let stream = self.ctx.stream("", "columns").substream("tree", u64::from(tree));
        let mut space = Workspace::default();
        let grown = grow(self.data, &params, &features, sample, &stream, &mut space);
        // Of two classes one is counted, and Gini is that of both.
        let both = if self.ctx.n_classes == 2 { 2.0 } else { 1.0 };
        let grown = match self.params.ccp_alpha {
            0.0 => grown,
            alpha => prune::prune(grown, alpha, both, |rows| self.mass(rows, &weights)),
        };
        let facts =
            |leaf: &super::grow::GrownLeaf| self.facts(&grown.rows[leaf.rows.clone()], &weights);
        let leaves = grown.leaves.iter().map(facts).collect();
        (grown, leaves)
    }

    /// The rows of a tree and every row's weight in it.
    fn rows_of(&self, tree: u32) -> (Vec<u32>, Vec<f64>) {
        let n = self.table.n_rows();
        let weight = |row: usize| self.table.weight_of(row);
        if !self.params.bootstrap {
            return (self.all.clone(), (0..n).map(weight).collect());
        }
        let stream = row_stream(self.ctx, tree);
        let (mut rows, counts) = sample::bootstrap(&self.all, &self.table.keys, &stream);
        let mut weights = vec![0.0; n];
        for (&row, count) in rows.iter().zip(counts) {
            weights[row as usize] = weight(row as usize) * f64::from(count);
        }
        if rows.is_empty() {
            // A sample of nothing, which only a few rows can give, is the sample of everything.
            rows = self.all.clone();
            weights = (0..n).map(weight).collect();
        }
        (rows, weights)
    }

    #[inline]
    fn gradient(&self, row: u32, channel: usize, weights: &[f64]) -> f64 {
        let (y, w) = (self.table.target.at(row as usize), weights[row as usize]);
        if self.width > 1 {
            return if y == channel as f64 { w } else { 0.0 };
        }
        (y - self.centre) * w
    }

    fn mass(&self, rows: &[u32], weights: &[f64]) -> Mass {
        let LeafFacts { values, weight } = self.facts(rows, weights);
        Mass { weight: weight.unwrap_or(rows.len() as f64), means: values }
    }

    fn facts(&self, rows: &[u32], weights: &[f64]) -> LeafFacts {
        let mut total = ExactSum::new();
        rows.iter().for_each(|&row| total.add(weights[row as usize]));
        let total = total.round();
        let values = (0..self.width).map(|channel| {
            let mut sum = ExactSum::new();
            for &row in rows {
                let (y, w) = (self.table.target.at(row as usize), weights[row as usize]);
                let y = if self.width == 1 { y } else { f64::from(u8::from(y == channel as f64)) };
                sum.add_product(w, y);
            }
            sum.round() / total
        });
        let is_plain = self.table.weight.is_empty() && !self.params.bootstrap;
        LeafFacts { values: values.collect(), weight: (!is_plain).then_some(total) }
    }
}
