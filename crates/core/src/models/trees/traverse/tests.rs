//! Every way of finding a leaf against the plain walk, on forests drawn at random.

use super::*;
use crate::models::trees::draws::{ForestShape, draw_forest, draw_table};
use crate::rng::{Draw, Seed, Stream};

fn shapes() -> Vec<(&'static str, ForestShape)> {
    let base = ForestShape::default();
    vec![
        ("small trees", base),
        ("one output, numbers only", ForestShape { n_text: 0, ..base }),
        ("stumps of one leaf", ForestShape { n_leaves: 1, ..base }),
        ("128 leaves", ForestShape { n_leaves: 128, n_trees: 5, ..base }),
        ("large trees", ForestShape { n_leaves: 150, n_trees: 5, ..base }),
        ("many thresholds", ForestShape { n_trees: 120, grid: 1 << 20, ..base }),
        ("classes in turn", ForestShape { n_outputs: 3, ..base }),
        ("a leaf for all classes", ForestShape { n_outputs: 3, is_wide: true, ..base }),
        ("a mean", ForestShape { is_mean: true, ..base }),
        ("no tree", ForestShape { n_trees: 0, ..base }),
    ]
}

#[test]
fn every_way_gives_the_bits_of_the_plain_walk() {
    for (name, shape) in shapes() {
        let forest = draw_forest(&shape, 1);
        for n_rows in [1, 2, 9, 23, 24, 64, 150] {
            let mut table = draw_table(&shape, n_rows, 2);
            let slots: Vec<usize> = (0..table.schema().len()).collect();
            forest.check(table.schema()).unwrap();
            let ready = Ready::default();
            let mut expected = vec![0.0; n_rows * forest.n_outputs as usize];
            let mut found = expected.clone();
            forest.plain_margins(&mut table, &slots, &mut expected);
            for _ in 0..2 {
                ready.margins(&forest, &mut table, &slots, &mut found);
                assert!(bits(&found).eq(bits(&expected)), "{name}, {n_rows} rows");
            }
            let compiled = ready.of(&forest).unwrap();
            let is_small = name != "large trees" && name != "many thresholds";
            assert_eq!(compiled.bits.is_some(), is_small, "{name}");
        }
    }
}

#[test]
fn leaves_are_those_of_the_plain_walk() {
    for (name, shape) in shapes() {
        let forest = draw_forest(&shape, 3);
        for n_rows in [1, 20, 70] {
            let mut table = draw_table(&shape, n_rows, 4);
            let slots: Vec<usize> = (0..table.schema().len()).collect();
            let mut found = vec![f64::NAN; n_rows * forest.n_trees()];
            Ready::default().leaves(&forest, &mut table, &slots, &mut found);
            let mut expected = found.clone();
            let plain = Ready(OnceLock::from(None));
            plain.leaves(&forest, &mut table, &slots, &mut expected);
            assert_eq!(found, expected, "{name}, {n_rows} rows");
        }
    }
}

#[test]
fn thresholds_infinities_and_missing_values_go_where_the_walk_says() {
    let shape = ForestShape { n_text: 0, n_trees: 30, ..ForestShape::default() };
    let forest = draw_forest(&shape, 5);
    let mut draws = Stream::new(Seed(6), "odd", "", "").pcg();
    let odd = |draws: &mut dyn FnMut() -> u64, thresholds: &[f64]| {
        let at = thresholds[draws() as usize % thresholds.len()];
        [at, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, 0.0][draws() as usize % 6]
    };
    let columns: Vec<(String, Column)> = (0..shape.n_num)
        .map(|j| {
            let mut next = || draws.next_u64() >> 8;
            let values = (0..100).map(|_| odd(&mut next, &forest.threshold));
            (format!("x{j:02}"), Column::num(values.collect::<Vec<f64>>()))
        })
        .collect();
    let named: Vec<(&str, Column)> =
        columns.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
    let mut table = crate::testing::table(&named);
    let slots: Vec<usize> = (0..named.len()).collect();
    let (mut expected, mut found) = (vec![0.0; 100], vec![0.0; 100]);
    forest.plain_margins(&mut table, &slots, &mut expected);
    Ready::default().margins(&forest, &mut table, &slots, &mut found);
    assert!(bits(&found).eq(bits(&expected)));
}

#[test]
fn ready_forests_are_equal_and_cost_no_text() {
    let (cold, warm) = (Ready::default(), Ready::default());
    let _ = warm.of(&draw_forest(&ForestShape::default(), 1));
    assert_eq!(cold, warm);
}

fn bits(values: &[f64]) -> impl Iterator<Item = u64> + '_ {
    values.iter().map(|x| x.to_bits())
}
