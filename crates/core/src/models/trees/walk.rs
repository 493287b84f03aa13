//! Trees of any size, several walks in step: one row through some trees, or some rows through one.
//!
//! A node is eight bytes and its right child stands behind its left one, so that a step is a load,
//! a comparison and an addition. A leaf leads to itself. Walks in step hide each other's waits for
//! memory.

use super::codes::Test;
use super::forest::{Tree, leaf_of};

/// Walks in step.
pub(super) const N_STEP: usize = 8;
/// Steps between two looks at whether all have arrived.
const N_BLIND: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Node {
    column: u16,
    limit: u16,
    /// The place of the left child, or for a leaf its own.
    left: u32,
}

/// All trees of a forest.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    nodes: Vec<Node>,
    /// The leaf that a node is.
    leaf: Vec<u32>,
    roots: Vec<u32>,
}

impl Walk {
    /// The trees, of whose splits `tests` are the tests in order; `None` if there are too many.
    pub fn new<'a>(trees: impl Iterator<Item = Tree<'a>>, tests: &[Test]) -> Option<Self> {
        let mut walk = Walk::default();
        let mut tests = tests;
        for tree in trees {
            let (own, others) = tests.split_at(tree.feature.len());
            tests = others;
            walk.push(&tree, own)?;
        }
        Some(walk)
    }

    /// Adds a tree level by level.
    fn push(&mut self, tree: &Tree<'_>, tests: &[Test]) -> Option<()> {
        let root = self.nodes.len();
        u32::try_from(root + 2 * tree.n_leaves()).ok()?;
        self.roots.push(root as u32);
        let mut children = vec![tree.root()];
        let mut at = 0;
        while at < children.len() {
            let here = (root + at) as u32;
            match usize::try_from(children[at]) {
                Ok(split) => {
                    let Test { column, limit } = tests[split];
                    let left = (root + children.len()) as u32;
                    self.nodes.push(Node { column, limit, left });
                    self.leaf.push(0);
                    children.extend([tree.left[split], tree.right[split]]);
                }
                Err(_) => {
                    self.nodes.push(Node { column: 0, limit: u16::MAX, left: here });
                    self.leaf.push(leaf_of(children[at]) as u32);
                }
            }
            at += 1;
        }
        Some(())
    }

    /// Tells `each` the leaf of every tree in order, for one row.
    pub fn one_row(&self, codes: &[u16], mut each: impl FnMut(usize, usize)) {
        for (chunk, roots) in self.roots.chunks(N_STEP).enumerate() {
            let mut at = [roots[0]; N_STEP];
            at[..roots.len()].copy_from_slice(roots);
            self.descend(&mut at, [codes; N_STEP]);
            for (place, &node) in at[..roots.len()].iter().enumerate() {
                each(chunk * N_STEP + place, self.leaf[node as usize] as usize);
            }
        }
    }

    /// Tells `each` the tree, row and leaf of every row, tree by tree. `codes` has `n_columns` wide
    /// codes per row.
    pub fn rows(
        &self,
        codes: &[u16],
        n_columns: usize,
        n_rows: usize,
        mut each: impl FnMut(usize, usize, usize),
    ) {
        for (tree, &root) in self.roots.iter().enumerate() {
            for first in (0..n_rows).step_by(N_STEP) {
                let n = N_STEP.min(n_rows - first);
                let of = |place: usize| {
                    let row = first + if place < n { place } else { 0 };
                    &codes[row * n_columns..(row + 1) * n_columns]
                };
                let mut at = [root; N_STEP];
                self.descend(&mut at, std::array::from_fn(of));
                for (place, &node) in at[..n].iter().enumerate() {
                    each(tree, first + place, self.leaf[node as usize] as usize);
                }
            }
        }
    }

    /// Walks from `at` to leaves.
    #[inline]
    fn descend(&self, at: &mut [u32; N_STEP], codes: [&[u16]; N_STEP]) {
        loop {
            for _ in 0..N_BLIND {
                self.step(at, &codes);
            }
            let before = *at;
            self.step(at, &codes);
            if *at == before {
                return;
            }
        }
    }

    #[inline]
    fn step(&self, at: &mut [u32; N_STEP], codes: &[&[u16]; N_STEP]) {
        for (at, codes) in at.iter_mut().zip(codes) {
            let node = self.nodes[*at as usize];
            let is_right = codes[usize::from(node.column)] > node.limit;
            *at = node.left.wrapping_add(u32::from(is_right));
        }
    }
}
