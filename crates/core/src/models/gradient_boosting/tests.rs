//! Hand-worked fits, stopping, constraints, and refusals.

use super::*;
use crate::batch::Column;
use crate::models::tests::{fit_model, refused, regression};
use crate::testing::{nums, table_with_target, texts};

fn one_round() -> GradientBoostingParams {
    GradientBoostingParams {
        n_estimators: 1,
        learning_rate: 0.5,
        min_child_samples: 1,
        ..Default::default()
    }
}

fn scores(model: &GradientBoosting, table: &Batch) -> Vec<f64> {
    let slots: Vec<usize> = (0..table.schema().len()).collect();
    let mut scores = vec![0.0; table.n_rows()];
    model.predict(&mut table.clone(), &slots, &mut scores).unwrap();
    scores
}

#[test]
fn the_documented_round() {
    let table = regression(&[&[0.0, 0.0, 1.0, 1.0]], &[1.0, 1.0, 3.0, 3.0]);
    let model = fit_model(&one_round(), &table).unwrap();
    assert_eq!(model.forest.base, [2.0]);
    assert_eq!(model.forest.value, [-0.5, 0.5]);
    // 2² / 2 + 2² / 2.
    assert_eq!(
        (model.forest.gain.as_slice(), model.forest.threshold.as_slice()),
        (&[4.0][..], &[0.5][..])
    );
    assert_eq!(scores(&model, &table), [1.5, 1.5, 2.5, 2.5]);
}

#[test]
fn leaf_values_have_both_strengths() {
    let table = regression(&[&[0.0, 0.0, 1.0, 1.0]], &[1.0, 1.0, 3.0, 3.0]);
    let params = GradientBoostingParams { reg_alpha: 0.5, reg_lambda: 1.0, ..one_round() };
    let model = fit_model(&params, &table).unwrap();
    // 0.5 · (2 - 0.5) / (2 + 1).
    assert_eq!(model.forest.value, [-0.25, 0.25]);
}

#[test]
fn medians_are_leaf_values_of_the_absolute_loss() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let table = regression(&[&x], &[1.0, 2.0, 30.0, 5.0, 6.0, 70.0]);
    let params =
        GradientBoostingParams { loss: Loss::AbsoluteError, learning_rate: 1.0, ..one_round() };
    let model = fit_model(&params, &table).unwrap();
    assert_eq!(scores(&model, &table), [2.0, 2.0, 2.0, 6.0, 6.0, 6.0]);
}

#[test]
fn missing_values_and_labels_learn_their_sides() {
    let x = [1.0, 1.0, 2.0, 2.0, f64::NAN, f64::NAN];
    let table = regression(&[&x], &[0.0, 0.0, 5.0, 5.0, 5.0, 5.0]);
    let model = fit_model(&one_round(), &table).unwrap();
    assert_eq!(model.forest.default_left, [false]);
    let labels = ["a", "b", "c", "a", "b", "c", "", ""];
    let y = [1.0, 9.0, 1.0, 1.0, 9.0, 1.0, 9.0, 9.0];
    let table = table_with_target(&[("c", texts(&labels))], &y);
    let params = GradientBoostingParams { cat_l2: 0.0, ..one_round() };
    let forest = fit_model(&params, &table).unwrap().forest;
    assert_eq!(forest.levels, [["a", "b", "c"]]);
    assert_eq!(forest.set(0), [1]);
    assert_eq!((forest.default_left[0], forest.feature.len()), (true, 1));
}

#[test]
fn many_labels_are_ordered_by_their_gradients() {
    let labels: Vec<String> = (0..60).map(|i| format!("l{:02}", i % 20)).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let y: Vec<f64> = (0..60).map(|i| f64::from(u8::from(i % 20 % 3 == 0))).collect();
    let table = table_with_target(&[("c", texts(&labels))], &y);
    let params = GradientBoostingParams {
        cat_l2: 0.0,
        cat_smooth: 0.0,
        min_data_per_group: 0,
        ..one_round()
    };
    let forest = fit_model(&params, &table).unwrap().forest;
    // The seven labels with ones: their gradients are the lowest, and they are under half.
    assert_eq!(forest.set(0), [0, 3, 6, 9, 12, 15, 18]);
}

#[test]
fn both_sides_of_a_set_have_more_strength() {
    let labels = ["a", "a", "b", "b", "c", "c", "d", "d"];
    let table =
        table_with_target(&[("c", texts(&labels))], &[0.0, 0.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0]);
    let params = GradientBoostingParams {
        num_leaves: 2,
        cat_l2: 4.0,
        cat_smooth: 0.0,
        max_cat_to_onehot: 3,
        min_data_per_group: 0,
        ..one_round()
    };
    let forest = fit_model(&params, &table).unwrap().forest;
    // Gradients 2 and -2: 8² / (4 + 4) + 8² / (4 + 4), and 0.5 · 8 / (4 + 4).
    assert_eq!((forest.set(0), forest.gain.as_slice()), (&[2, 3][..], &[16.0][..]));
    assert_eq!(forest.value, [0.5, -0.5]);
    let one = GradientBoostingParams { max_cat_to_onehot: 4, ..params };
    let forest = fit_model(&one, &table).unwrap().forest;
    // One label from the others: 4² / 2 + 4² / 6, and 0.5 · 4 / 2, 0.5 · 4 / 6.
    assert_eq!((forest.set(0), forest.gain.as_slice()), (&[0][..], &[16.0 / 2.0 + 16.0 / 6.0][..]));
    assert_eq!(forest.value, [-1.0, 0.5 * (4.0 / 6.0)]);
}

#[test]
fn predictions_rise_where_they_must() {
    let x: Vec<f64> = (0..200).map(f64::from).collect();
    let noisy: Vec<f64> = x.iter().map(|x| x / 50.0 + (x * 37.0 % 11.0)).collect();
    let table = regression(&[&x], &noisy);
    let free = GradientBoostingParams { min_child_samples: 1, ..Default::default() };
    let rises = |params: &GradientBoostingParams| {
        scores(&fit_model(params, &table).unwrap(), &table).is_sorted()
    };
    assert!(!rises(&free));
    let monotone_constraints = [("x0".to_owned(), 1)].into();
    assert!(rises(&GradientBoostingParams { monotone_constraints, ..free }));
}

#[test]
fn columns_meet_only_in_their_sets() {
    let column = |k: usize| -> Vec<f64> { (0..300).map(|i| (i * k % 13) as f64).collect() };
    let (a, b, c) = (column(3), column(5), column(7));
    let y: Vec<f64> = (0..300).map(|i| a[i] * b[i] + c[i] * a[i]).collect();
    let table = regression(&[&a, &b, &c], &y);
    let sets = vec![vec!["x0".to_owned(), "x1".to_owned()]];
    let params = GradientBoostingParams { interaction_constraints: sets, ..Default::default() };
    let forest = fit_model(&params, &table).unwrap().forest;
    for tree in forest.trees() {
        assert!(tree.feature.contains(&2) != tree.feature.iter().any(|&f| f < 2));
    }
}

#[test]
fn a_fit_stops_when_validation_does_not_improve() {
    let x: Vec<f64> = (0..400).map(|i| f64::from(i * 7 % 101)).collect();
    let y: Vec<f64> = (0..400).map(|i| f64::from(i * 13 % 17)).collect();
    let table = regression(&[&x], &y);
    let params = GradientBoostingParams {
        early_stopping_rounds: 5,
        validation_fraction: 0.3,
        ..Default::default()
    };
    let model = fit_model(&params, &table).unwrap();
    assert!(model.forest.n_trees() < 100 && model.validation_loss.is_some());
}

#[test]
fn a_constant_target_needs_no_tree() {
    let table = regression(&[&[1.0, 2.0, 3.0]], &[4.0; 3]);
    let params = GradientBoostingParams { min_child_samples: 1, ..Default::default() };
    let model = fit_model(&params, &table).unwrap();
    assert_eq!((scores(&model, &table), model.forest.feature.len()), (vec![4.0; 3], 0));
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let table = regression(&[&[1.0, 2.0]], &[-1.0, 2.0]);
    let poisson = GradientBoostingParams { loss: Loss::Poisson, ..one_round() };
    let message = "expected targets of at least 0, found -1 (choose another `loss`)";
    assert_eq!(refused(&poisson, &table), message);
    let infinite = regression(&[&[1.0, f64::INFINITY]], &[1.0, 2.0]);
    let message = "column `x0`: row 1: expected finite numbers, found an infinity \
                   (repair the value, or make it missing: trees take missing values)";
    assert_eq!(refused(&one_round(), &infinite), message);
    let table = table_with_target(&[("x", nums(&[1.0, 2.0]))], &[1.0, f64::INFINITY]);
    assert!(refused(&one_round(), &table).ends_with("expected a finite target, found an infinity"));
    let unknown = [("y".to_owned(), 1)].into();
    let params = GradientBoostingParams { monotone_constraints: unknown, ..one_round() };
    assert!(refused(&params, &table).contains("column `y`"));
    for (name, params) in [
        ("learning_rate", GradientBoostingParams { learning_rate: 0.0, ..one_round() }),
        ("num_leaves", GradientBoostingParams { num_leaves: 1, ..one_round() }),
        ("subsample", GradientBoostingParams { subsample: f64::NAN, ..one_round() }),
        ("other_rate", GradientBoostingParams { top_rate: 0.5, ..one_round() }),
        ("top_rate", GradientBoostingParams { other_rate: 0.5, ..one_round() }),
        ("max_bin", GradientBoostingParams { max_bin: 1, ..one_round() }),
        ("reg_lambda", GradientBoostingParams { reg_lambda: -1.0, ..one_round() }),
    ] {
        assert!(params.validate().unwrap_err().to_string().contains(name), "{name}");
    }
}

/// Labels of few rows say more about their own rows than about others: they are in no set.
#[test]
fn rare_labels_are_in_no_set_and_sets_grow_by_groups() {
    // Twenty labels of 60 rows each and thirty of 2 rows each, half of both high.
    let label = |row: usize| match row < 1200 {
        true => format!("often {}", row % 20),
        false => format!("seldom {}", row % 30),
    };
    let labels: Vec<String> = (0..1260).map(label).collect();
    let shown: Vec<Option<&str>> = labels.iter().map(|label| Some(label.as_str())).collect();
    let is_high = |row: usize| if row < 1200 { row % 20 < 10 } else { row % 30 < 15 };
    let target: Vec<f64> = (0..1260).map(|row| f64::from(u8::from(is_high(row)))).collect();
    let table = table_with_target(&[("x", Column::text(shown))], &target);
    let set =
        |params: &GradientBoostingParams| fit_model(params, &table).unwrap().forest.set(0).to_vec();
    let params = GradientBoostingParams { num_leaves: 2, ..one_round() };
    assert_eq!(set(&params).len(), 10);
    let all = GradientBoostingParams { min_data_per_group: 0, ..params.clone() };
    assert_eq!(set(&all).len(), 25);
    // Groups of five labels: a set of ten is tried, none of nine or eleven.
    let groups = GradientBoostingParams { min_data_per_group: 300, ..params.clone() };
    assert_eq!(set(&groups).len(), 10);
    // Of seven labels: sets of seven, which is fewer than are high, and a second of no more.
    let groups = GradientBoostingParams { min_data_per_group: 420, ..params };
    assert_eq!(set(&groups).len(), 7);
}
