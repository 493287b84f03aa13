//! Forests and tables drawn at random, for tests and benches.

use std::sync::Arc;

use super::forest::Forest;
use crate::batch::{Batch, Column, ColumnKind, Field, RowKeyer, Schema};
use crate::rng::{Draw, Seed, Stream};

const LEVELS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// What a forest is like.
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct ForestShape {
    pub n_trees: u32,
    pub n_leaves: u32,
    pub n_num: usize,
    pub n_text: usize,
    pub n_outputs: u32,
    /// Whether a leaf has a value per output.
    pub is_wide: bool,
    pub is_mean: bool,
    /// How many thresholds a number can have.
    pub grid: u32,
}

impl Default for ForestShape {
    fn default() -> Self {
        ForestShape {
            n_trees: 20,
            n_leaves: 20,
            n_num: 4,
            n_text: 2,
            n_outputs: 1,
            is_wide: false,
            is_mean: false,
            grid: 50,
        }
    }
}

/// A tree on its way: a split with its children, or a leaf.
enum Node {
    Split(usize, usize),
    Leaf,
}

/// A forest whose splits are drawn: each splits a leaf drawn among those there are.
pub(in crate::models) fn draw_forest(shape: &ForestShape, seed: u64) -> Forest {
    let mut draws = Stream::new(Seed(seed), "forest", "", "draws").pcg();
    let width = if shape.is_wide { shape.n_outputs } else { 1 };
    let levels = LEVELS.map(str::to_owned).to_vec();
    let mut forest = Forest {
        n_outputs: shape.n_outputs,
        leaf_width: width,
        is_mean: shape.is_mean,
        base: (0..shape.n_outputs).map(|_| draws.normal()).collect(),
        levels: [vec![Vec::new(); shape.n_num], vec![levels; shape.n_text]].concat(),
        ..Forest::default()
    };
    for _ in 0..shape.n_trees {
        let mut nodes = vec![Node::Leaf];
        let mut leaves = vec![0];
        while leaves.len() < shape.n_leaves as usize {
            let at = leaves.remove(draws.bounded(leaves.len() as u64) as usize);
            let n = nodes.len();
            nodes[at] = Node::Split(n, n + 1);
            nodes.extend([Node::Leaf, Node::Leaf]);
            leaves.extend([n, n + 1]);
        }
        let (mut n_splits, mut n_leaves) = (0, 0);
        push(&mut forest, &nodes, 0, (&mut n_splits, &mut n_leaves), &mut |forest| {
            draw_split(forest, shape, &mut draws);
        });
        forest.n_leaves.push(n_leaves);
        for _ in 0..n_leaves {
            forest.value.extend((0..width).map(|_| draws.normal()));
            forest.rows.push(1 + draws.bounded(1000));
        }
    }
    forest
}

/// Adds the nodes from `at` on in depth-first order, and gives the child number.
fn push(
    forest: &mut Forest,
    nodes: &[Node],
    at: usize,
    (n_splits, n_leaves): (&mut u32, &mut u32),
    draw: &mut impl FnMut(&mut Forest),
) -> i32 {
    let Node::Split(left, right) = nodes[at] else {
        *n_leaves += 1;
        return -(*n_leaves as i32);
    };
    let (number, place) = (*n_splits as i32, forest.feature.len());
    *n_splits += 1;
    draw(forest);
    forest.left.push(0);
    forest.right.push(0);
    forest.left[place] = push(forest, nodes, left, (n_splits, n_leaves), draw);
    forest.right[place] = push(forest, nodes, right, (n_splits, n_leaves), draw);
    number
}

fn draw_split(forest: &mut Forest, shape: &ForestShape, draws: &mut impl Draw) {
    let feature = draws.bounded((shape.n_num + shape.n_text) as u64) as usize;
    forest.feature.push(feature as u32);
    forest.default_left.push(draws.bernoulli(0.5));
    forest.gain.push(draws.exponential());
    if feature < shape.n_num {
        let place = draws.bounded(u64::from(shape.grid)) as f64;
        forest.threshold.push((place + 0.5) / f64::from(shape.grid));
        return;
    }
    forest.threshold.push(forest.set_ends.len() as f64);
    let own = 1 + draws.bounded(30) as usize;
    forest.set_levels.extend((0..5).filter(|level| own >> level & 1 == 1));
    forest.set_ends.push(forest.set_levels.len() as u32);
}

/// Rows for it, of whose numbers and labels some are missing or unknown.
pub(in crate::models) fn draw_table(shape: &ForestShape, n_rows: usize, seed: u64) -> Batch {
    let mut draws = Stream::new(Seed(seed), "table", "", "draws").pcg();
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for j in 0..shape.n_num {
        fields.push(Field::new(format!("x{j:02}"), ColumnKind::Num));
        let missing = if j == 0 { 0.0 } else { 0.1 };
        columns.push(Column::num((0..n_rows).map(|_| match draws.bernoulli(missing) {
            true => f64::NAN,
            false => draws.uniform(),
        })));
    }
    for j in 0..shape.n_text {
        fields.push(Field::new(format!("z{j:02}"), ColumnKind::Text));
        let labels: Vec<Option<&str>> = (0..n_rows)
            .map(|_| match draws.bounded(7) as usize {
                5 => None,
                6 => Some("unknown"),
                level => Some(LEVELS[level]),
            })
            .collect();
        columns.push(Column::text(labels));
    }
    let schema = Arc::new(Schema::new(fields).expect("distinct names"));
    let mut batch = Batch::new(Arc::clone(&schema), columns).expect("equal lengths");
    RowKeyer::new(&schema, &[]).expect("columns").key(&mut batch);
    batch
}
