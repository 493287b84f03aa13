//! Contributions against Shapley values by their definition, over all subsets of features.

use super::*;
use crate::models::trees::draws::{ForestShape, draw_forest, draw_table};

/// The expected value below a child when the features in `known` (a bit each) are known.
fn expected(forest: &Forest, tree: &Tree<'_>, child: i32, cells: &[f64], known: u32) -> f64 {
    let Ok(split) = usize::try_from(child) else {
        return tree.value[leaf_of(child)];
    };
    let (left, right) = (tree.left[split], tree.right[split]);
    let feature = tree.feature[split] as usize;
    if known >> feature & 1 == 1 {
        let (x, threshold) = (cells[feature], tree.threshold[split]);
        let is_left = match (x.is_nan(), forest.is_text(feature)) {
            (true, _) => tree.default_left[split],
            (false, true) => forest.set(threshold as usize).contains(&(x as u32)),
            (false, false) => x <= threshold,
        };
        return expected(forest, tree, if is_left { left } else { right }, cells, known);
    }
    let covers = tree.split_covers();
    let cover = |child: i32| match usize::try_from(child) {
        Ok(split) => covers[split],
        Err(_) => tree.leaf_cover(leaf_of(child)),
    };
    let of = |child| cover(child) * expected(forest, tree, child, cells, known);
    (of(left) + of(right)) / covers[split]
}

/// Shapley values by their definition.
fn by_definition(forest: &Forest, cells: &[f64]) -> Vec<f64> {
    let n = cells.len();
    let worth: Vec<f64> = (0..1u32 << n)
        .map(|known| {
            let trees = forest.trees();
            let sums = trees.map(|tree| expected(forest, &tree, tree.root(), cells, known));
            forest.base[0] + math::sum_in_order(sums)
        })
        .collect();
    let factorial = |n: usize| (1..=n).fold(1.0, |product, i| product * i as f64);
    let mut found = vec![0.0; n + 1];
    for (feature, found) in found[..n].iter_mut().enumerate() {
        for known in (0..1u32 << n).filter(|known| known >> feature & 1 == 0) {
            let size = known.count_ones() as usize;
            let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
            let with = worth[(known | 1 << feature) as usize];
            *found += weight * (with - worth[known as usize]);
        }
    }
    found[n] = worth[0];
    found
}

fn shap(forest: &Forest, table: &mut Batch) -> Vec<f64> {
    let slots: Vec<usize> = (0..table.schema().len()).collect();
    let width = forest.n_outputs as usize * (forest.n_features() + 1);
    let mut values = vec![f64::NAN; table.n_rows() * width];
    contributions(forest, table, &slots, &mut values).unwrap();
    values
}

/// The oracle adds terms of both signs over 2^7 subsets, hence 1e-13 of values near 1.
#[test]
fn contributions_are_shapley_values() {
    let shape = ForestShape { n_trees: 3, n_leaves: 12, n_num: 5, ..ForestShape::default() };
    let forest = draw_forest(&shape, 11);
    for n_rows in [1, 45] {
        let mut table = draw_table(&shape, n_rows, 12);
        let found = shap(&forest, &mut table);
        let slots: Vec<usize> = (0..7).collect();
        let mut cells = Vec::new();
        forest.cells(&table, &slots, &mut cells);
        for (row, found) in found.chunks_exact(8).enumerate() {
            let oracle = by_definition(&forest, &cells[row * 7..(row + 1) * 7]);
            for (a, b) in found.iter().zip(&oracle) {
                assert!((a - b).abs() < 1e-13, "row {row}: {found:?} {oracle:?}");
            }
        }
    }
}

#[test]
fn a_split_by_hand() {
    // x <= 0 ? 1 : 5 with 3 and 1 rows, start 0.5: base 0.5 + 2; a row at 1 gets 5 − 2.
    let forest = Forest {
        n_outputs: 1,
        leaf_width: 1,
        base: vec![0.5],
        levels: vec![vec![], vec![]],
        n_leaves: vec![2],
        feature: vec![0],
        threshold: vec![0.0],
        default_left: vec![true],
        left: vec![-1],
        right: vec![-2],
        gain: vec![1.0],
        value: vec![1.0, 5.0],
        rows: vec![3, 1],
        ..Forest::default()
    };
    let x = crate::testing::nums(&[1.0, -1.0, f64::NAN]);
    let mut table = crate::testing::table(&[("x", x.clone()), ("y", x)]);
    assert_eq!(shap(&forest, &mut table), [3.0, 0.0, 2.5, -1.0, 0.0, 2.5, -1.0, 0.0, 2.5]);
    // Without a row both sides count the same: base 0.5 + 3.
    let empty = Forest { rows: vec![0, 0], ..forest };
    assert_eq!(shap(&empty, &mut table)[..3], [2.0, 0.0, 3.5]);
}

/// The bound that the docs state.
fn bound(forest: &Forest) -> f64 {
    let largest = |values: &[f64]| values.iter().fold(0.0, |top, x| math::max(top, x.abs()));
    let trees = math::sum_in_order(forest.trees().map(|tree| largest(tree.value)));
    let n = (forest.n_trees() + forest.n_features()) as f64;
    let parts = if forest.is_mean { forest.n_trees() as f64 } else { 1.0 };
    n * (trees + largest(&forest.base)) / 70_368_744_177_664.0 / parts
}

#[test]
fn contributions_and_base_add_up_to_the_margin() {
    let base = ForestShape { n_trees: 30, n_leaves: 40, n_num: 12, ..ForestShape::default() };
    let shapes = [
        base,
        ForestShape { n_outputs: 3, ..base },
        ForestShape { n_outputs: 3, is_wide: true, is_mean: true, ..base },
        ForestShape { n_leaves: 1, ..base },
        ForestShape { n_trees: 0, ..base },
    ];
    for shape in shapes {
        let forest = draw_forest(&shape, 21);
        let mut table = draw_table(&shape, 50, 22);
        let found = shap(&forest, &mut table);
        let slots: Vec<usize> = (0..table.schema().len()).collect();
        let mut margins = vec![0.0; 50 * shape.n_outputs as usize];
        forest.plain_margins(&mut table, &slots, &mut margins);
        for (found, margin) in found.chunks_exact(forest.n_features() + 1).zip(margins) {
            let total = math::sum_in_order(found.iter().copied());
            assert!((total - margin).abs() <= bound(&forest), "{total} {margin}");
        }
    }
}

#[test]
fn a_row_gets_the_same_alone_and_among_others() {
    let shape = ForestShape::default();
    let forest = draw_forest(&shape, 31);
    let table = draw_table(&shape, 75, 32);
    let all = shap(&forest, &mut table.clone());
    let n = all.len() / 75;
    for row in 0..75 {
        let one = shap(&forest, &mut table.select(&[row]));
        let same = one.iter().zip(&all[row * n..]).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "row {row}");
    }
}

#[test]
fn a_path_of_too_many_columns_is_refused() {
    let n = DEPTH_MAX as u32 + 1;
    let forest = Forest {
        n_outputs: 1,
        leaf_width: 1,
        base: vec![0.0],
        levels: vec![vec![]; n as usize],
        n_leaves: vec![n + 1],
        feature: (0..n).collect(),
        threshold: vec![0.0; n as usize],
        default_left: vec![true; n as usize],
        left: (0..n as i32).map(|split| -split - 1).collect(),
        right: (1..n as i32).chain([-(n as i32) - 1]).collect(),
        gain: vec![1.0; n as usize],
        value: vec![1.0; n as usize + 1],
        rows: vec![1; n as usize + 1],
        ..Forest::default()
    };
    let shape = ForestShape { n_num: n as usize, n_text: 0, ..ForestShape::default() };
    let mut table = draw_table(&shape, 1, 1);
    let slots: Vec<usize> = (0..n as usize).collect();
    let mut values = vec![0.0; n as usize + 1];
    let refused = contributions(&forest, &mut table, &slots, &mut values).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "expected at most 512 columns on the path to a leaf, found more"
    );
}
