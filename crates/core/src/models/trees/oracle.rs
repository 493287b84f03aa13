//! A second trainer for small tables, without bins or histograms: every leaf tries every value of
//! every column with sums of 128 bits. The engine must equal it to the bit.

use super::grow::GrowParams;
use super::histogram::Packing;
use crate::aggregate::MemoryRows;
use crate::config::Task;
use crate::math::{self, FixedScale};
use crate::models::tests::regression;
use crate::models::trees::binning::Binned;
use crate::models::trees::boost::{BoostParams, RowSample, boost};
use crate::models::trees::forest::Forest;
use crate::models::trees::objective::Objective;
use crate::models::trees::table::Table;
use crate::par::Threads;
use crate::rng::{Draw, Seed, Stream};
use crate::step::FitContext;

/// A split of the second trainer.
#[derive(Clone, Debug, PartialEq)]
struct Split {
    feature: usize,
    threshold: f64,
    missing_left: bool,
    /// In quanta.
    gain: f64,
}

struct Naive<'a> {
    columns: &'a [Vec<f64>],
    grow: &'a GrowParams,
    packing: Packing,
    /// Gradient and second derivative of each row in quanta.
    quanta: Vec<[i128; 2]>,
}

enum Node {
    Leaf(Vec<usize>),
    Split(Split, usize, usize),
}

impl Naive<'_> {
    fn sums(&self, rows: &[usize]) -> [f64; 2] {
        let add = |sum: [i128; 2], row: &usize| {
            [sum[0] + self.quanta[*row][0], sum[1] + self.quanta[*row][1]]
        };
        rows.iter().fold([0, 0], add).map(|sum| sum as f64)
    }

    fn shrunk(&self, g: f64) -> f64 {
        let alpha = self.grow.l1 * math::powi(2.0, self.packing.gradient.exponent());
        math::max(g.abs() - alpha, 0.0) * if g < 0.0 { -1.0 } else { 1.0 }
    }

    fn goes_left(&self, row: usize, split: &Split) -> bool {
        let x = self.columns[split.feature][row];
        if x.is_nan() { split.missing_left } else { x <= split.threshold }
    }

    /// Every cut of every column, the first of the best.
    fn best(&self, rows: &[usize], depth: u32) -> Option<Split> {
        let mut best: Option<(f64, Split)> = None;
        let lambda = self.grow.l2 * math::powi(2.0, self.packing.hessian.exponent());
        let least = self.grow.min_hessian * math::powi(2.0, self.packing.hessian.exponent());
        let whole = self.sums(rows);
        for feature in 0..self.columns.len() {
            let mut all = self.columns[feature].clone();
            all.retain(|x| !x.is_nan());
            all.sort_by(|a, b| math::total_cmp(*a, *b));
            all.dedup();
            let of_leaf = |x: f64| rows.iter().any(|&row| self.columns[feature][row] == x);
            let has_missing = rows.iter().any(|&row| self.columns[feature][row].is_nan());
            for (place, &x) in all.iter().enumerate().filter(|(_, x)| of_leaf(**x)) {
                let threshold = all.get(place + 1).map_or(f64::MAX, |next| x * 0.5 + next * 0.5);
                for missing_left in if has_missing { vec![true, false] } else { vec![true] } {
                    let split = Split { feature, threshold, missing_left, gain: 0.0 };
                    let is_left = |row: &&usize| self.goes_left(**row, &split);
                    let left: Vec<usize> = rows.iter().filter(is_left).copied().collect();
                    let n_right = rows.len() - left.len();
                    let [gl, hl] = self.sums(&left);
                    let [gr, hr] = [whole[0] - gl, whole[1] - hl];
                    let fewest = left.len().min(n_right);
                    if fewest < self.grow.min_rows as usize || fewest == 0 {
                        continue;
                    }
                    if hl < least || hr < least {
                        continue;
                    }
                    let raw = (hl, hr);
                    let (gl, gr) = (self.shrunk(gl), self.shrunk(gr));
                    let (hl, hr) = (hl + lambda, hr + lambda);
                    let worth = (gl * gl * hr + gr * gr * hl) / (hl * hr);
                    let g = self.shrunk(whole[0]);
                    let gain = worth - g * g / (whole[1] + lambda);
                    // Nobody to learn from: where there is more.
                    let heavier = raw.0 >= raw.1;
                    let missing_left = if has_missing { missing_left } else { heavier };
                    if best.as_ref().is_none_or(|(top, _)| gain > *top)
                        && gain > worth * math::powi(2.0, -44)
                    {
                        best = Some((gain, Split { gain, missing_left, ..split }));
                    }
                }
            }
        }
        let (_, split) = best?;
        (depth < self.grow.max_depth).then_some(split)
    }

    /// The nodes; the first is the root.
    fn grow(&self) -> Vec<Node> {
        let mut nodes = vec![Node::Leaf((0..self.quanta.len()).collect())];
        // Per leaf in order of creation: node, depth, best split.
        let mut leaves = Vec::new();
        let see = |nodes: &[Node], node: usize, depth: u32| match &nodes[node] {
            Node::Leaf(rows) => (node, depth, self.best(rows, depth)),
            Node::Split(..) => (node, depth, None),
        };
        leaves.push(see(&nodes, 0, 0));
        let mut n_leaves = 1;
        while n_leaves < self.grow.max_leaves {
            let mut next: Option<usize> = None;
            for (index, (_, depth, split)) in leaves.iter().enumerate() {
                let Some(split) = split else { continue };
                let is_next = next.is_none_or(|other: usize| {
                    let (_, d, s) = &leaves[other];
                    let gain = s.as_ref().map_or(0.0, |s: &Split| s.gain);
                    if self.grow.leaf_wise { split.gain > gain } else { depth < d }
                });
                if is_next {
                    next = Some(index);
                }
            }
            let Some(index) = next else { break };
            let (node, depth, split) = leaves[index].clone();
            leaves[index].2 = None;
            let Some(split) = split else { break };
            let Node::Leaf(rows) = &nodes[node] else { break };
            let (left, right) = rows.iter().partition(|&&row| self.goes_left(row, &split));
            let first = nodes.len();
            nodes.extend([Node::Leaf(left), Node::Leaf(right)]);
            nodes[node] = Node::Split(split, first, first + 1);
            leaves.push(see(&nodes, first, depth + 1));
            leaves.push(see(&nodes, first + 1, depth + 1));
            n_leaves += 1;
        }
        nodes
    }
}

/// Splits and leaf rows in depth-first order.
fn walk(nodes: &[Node], node: usize, splits: &mut Vec<Split>, leaves: &mut Vec<Vec<usize>>) {
    match &nodes[node] {
        Node::Leaf(rows) => leaves.push(rows.clone()),
        Node::Split(split, left, right) => {
            splits.push(split.clone());
            walk(nodes, *left, splits, leaves);
            walk(nodes, *right, splits, leaves);
        }
    }
}

/// −T(G) / (H + λ) from sums of terms rounded to 2^-50 of the largest.
fn step(terms: &[(f64, f64)], rows: &[usize], tops: (f64, f64), grow: &GrowParams) -> f64 {
    let scales = (FixedScale::for_max(tops.0, 50), FixedScale::for_max(tops.1, 50));
    let (mut g, mut h) = (0i128, 0i128);
    for &row in rows {
        g += i128::from(scales.0.quantise(terms[row].0));
        h += i128::from(scales.1.quantise(terms[row].1));
    }
    let (g, h) = (scales.0.value(g), scales.1.value(h));
    let shrunk = if g > grow.l1 {
        g - grow.l1
    } else if g < -grow.l1 {
        g + grow.l1
    } else {
        0.0
    };
    math::canonical(-shrunk / (h + grow.l2))
}

/// Compares splits and leaf values of every tree.
fn check(columns: &[Vec<f64>], target: &[f64], params: &BoostParams) {
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let rows = MemoryRows::from_batch(regression(&slices, target));
    let schema = crate::aggregate::Rows::schema(&rows).clone();
    let slots: Vec<usize> = (0..columns.len()).collect();
    let ctx = FitContext::new("model", Seed(7), Task::Regression, &schema, &slots);
    let table = Table::new(&rows, false).unwrap();
    let data = Binned::new(&rows, &ctx, &table.kept, 255).unwrap();
    let direct: Forest = boost(&table, &data, params, &ctx).unwrap().forest;
    let data = data.with_words();
    let fit = || boost(&table, &data, params, &ctx).unwrap().forest;
    let found = Threads::new(2).unwrap().run(fit);
    assert_eq!(found, direct);
    let mut scores = vec![found.base[0]; target.len()];
    for tree in found.trees() {
        let terms: Vec<(f64, f64)> = scores
            .iter()
            .zip(target)
            .map(|(&score, &target)| {
                let mut power = [score];
                params.objective.powers(&mut power);
                params.objective.gradient(super::objective::Seen { score, target }, power[0])
            })
            .collect();
        let top =
            |f: fn(&(f64, f64)) -> f64| terms.iter().fold(0.0, |top, term| math::max(top, f(term)));
        let tops = (top(|t| t.0.abs()), top(|t| t.1));
        let packing = Packing::new(target.len(), tops.0, tops.1, params.objective.is_unit());
        let quanta = |&(g, h): &(f64, f64)| packing.unpack(packing.pack(g, h)).map(i128::from);
        let quanta = terms.iter().map(quanta).collect();
        let nodes = Naive { columns, grow: &params.grow, packing, quanta }.grow();
        let (mut splits, mut leaves) = (Vec::new(), Vec::new());
        walk(&nodes, 0, &mut splits, &mut leaves);
        let same = |f: fn(&Split) -> f64| splits.iter().map(f).collect::<Vec<f64>>();
        assert_eq!(tree.threshold, same(|split| split.threshold));
        let features: Vec<u32> = splits.iter().map(|split| split.feature as u32).collect();
        assert_eq!(tree.feature, features);
        let sides: Vec<bool> = splits.iter().map(|split| split.missing_left).collect();
        assert_eq!(tree.default_left, sides);
        let values: Vec<f64> = leaves
            .iter()
            .map(|rows| step(&terms, rows, tops, &params.grow) * params.learning_rate)
            .collect();
        assert_eq!(tree.value, values);
        let sizes: Vec<u64> = leaves.iter().map(|rows| rows.len() as u64).collect();
        assert_eq!(tree.rows, sizes);
        for (rows, value) in leaves.iter().zip(values) {
            rows.iter().for_each(|&row| scores[row] += value);
        }
    }
}

#[test]
fn small_tables_equal_the_second_trainer() {
    for seed in 0..60 {
        let mut draws = Stream::new(Seed(seed), "oracle", "", "table").pcg();
        let n = 5 + draws.bounded(60) as usize;
        let mut column = |n_values: u64, missing: f64| -> Vec<f64> {
            let mut value = || {
                let x = draws.bounded(n_values) as f64 / 4.0;
                if draws.bernoulli(missing) { f64::NAN } else { x }
            };
            (0..n).map(|_| value()).collect()
        };
        let columns = vec![column(6, 0.2), column(1000, 0.0), column(2, 0.5), column(30, 0.05)];
        let objective = [Objective::Squared, Objective::Poisson, Objective::Huber { delta: 0.7 }];
        let mut target = column(40, 0.0);
        target[0] = 3.0;
        let grow = GrowParams {
            max_leaves: 2 + draws.bounded(9) as u32,
            max_depth: [2, u32::MAX][draws.bounded(2) as usize],
            min_rows: 1 + draws.bounded(4) as u32,
            l1: [0.0, 0.3][draws.bounded(2) as usize],
            l2: [0.0, 1.0][draws.bounded(2) as usize],
            leaf_wise: draws.bernoulli(0.7),
            ..GrowParams::default()
        };
        let params = BoostParams {
            objective: objective[seed as usize % 3],
            n_rounds: 3,
            learning_rate: 0.3,
            grow,
            rows: RowSample::All,
            tree_features: 1.0,
            early_stopping: None,
        };
        check(&columns, &target, &params);
    }
}
