//! Neighbours by hand, by a plain sort, and of the scikit-learn manual.

use super::*;
use crate::models::tests::{features, fit_model, refused, regression};
use crate::rng::{Draw, Seed, Stream};

fn params(n_neighbors: u32, weights: VoteWeight) -> KNearestNeighboursParams {
    KNearestNeighboursParams { n_neighbors, weights, ..Default::default() }
}

fn score(model: &KNearestNeighbours, columns: &[&[f64]]) -> Vec<f64> {
    let mut batch = regression(columns, &vec![0.0; columns[0].len()]);
    let slots: Vec<usize> = (0..columns.len()).collect();
    let mut scores = vec![0.0; batch.n_rows() * model.n_outputs()];
    model.predict(&mut batch, &slots, &mut scores).unwrap();
    scores
}

#[test]
fn three_rows_by_hand() {
    let t = regression(&[&[0.0, 1.0, 5.0]], &[10.0, 20.0, 90.0]);
    let uniform = fit_model(&params(2, VoteWeight::Uniform), &t).unwrap();
    assert_eq!(score(&uniform, &[&[0.25, 4.0]]), [15.0, 55.0]);
    let near = fit_model(&params(2, VoteWeight::Distance), &t).unwrap();
    // The distance is that of the rounded thirds.
    let found = score(&near, &[&[0.25, 1.0]]);
    assert!((found[0] - 12.5).abs() < 1e-14, "{found:?}");
    assert_eq!(found[1], 20.0, "a row at distance 0 votes alone");
}

#[test]
fn the_examples_of_the_scikit_learn_manual() {
    let x = [0.0, 1.0, 2.0, 3.0];
    let t = regression(&[&x], &[0.0, 0.0, 1.0, 1.0]);
    let two = fit_model(&params(2, VoteWeight::Uniform), &t).unwrap();
    assert_eq!(score(&two, &[&[1.5]]), [0.5]);
    let schema = std::sync::Arc::clone(t.schema());
    let ctx = FitContext::new("model", Seed(7), Task::Multiclass, &schema, &[0]).classes(2);
    let rows = crate::aggregate::MemoryRows::from_batch(t.clone());
    let three = params(3, VoteWeight::Uniform).fit(&rows, &ctx).unwrap();
    assert_eq!(score(&three, &[&[0.9]]), [2.0 / 3.0, 1.0 / 3.0]);
}

#[test]
fn the_smaller_fitting_key_wins_a_tie() {
    let t = regression(&[&[1.0, -1.0, 1.0]], &[10.0, 20.0, 30.0]);
    let model = fit_model(&params(1, VoteWeight::Uniform), &t).unwrap();
    let first = (0..3).min_by_key(|&row| t.fit_keys()[row]).unwrap();
    assert_eq!(score(&model, &[&[0.0]]), [t.target()[first]]);
}

#[test]
fn the_chunks_find_what_a_plain_sort_finds() {
    let mut draws = Stream::new(Seed(5), "knn", "", "table").pcg();
    let mut column = || (0..700).map(|_| draws.bounded(12) as f64).collect::<Vec<f64>>();
    let (a, b, y) = (column(), column(), column());
    let t = regression(&[&a, &b], &y);
    for metric in [Metric::Euclidean, Metric::Manhattan] {
        let params = KNearestNeighboursParams { metric, n_neighbors: 9, ..Default::default() };
        let model = fit_model(&params, &t).unwrap();
        for (x, z) in [(3.0, 4.0), (0.5, 11.0), (20.0, -3.0)] {
            let size = |row: usize| {
                let (d, e) = (f64::abs(a[row] - x), f64::abs(b[row] - z));
                if metric == Metric::Euclidean { d * d + e * e } else { d + e }
            };
            let mut order: Vec<usize> = (0..700).collect();
            order.sort_by_key(|&row| (math::order_key(size(row)), t.fit_keys()[row]));
            let mut total = 0.0;
            order[..9].iter().for_each(|&row| total += y[row]);
            assert_eq!(score(&model, &[&[x], &[z]]), [total / 9.0]);
        }
    }
}

#[test]
fn what_cannot_be_fitted_or_scored_is_said() {
    let t = regression(&[&[0.0, 1.0]], &[1.0, 2.0]);
    assert_eq!(
        refused(&params(3, VoteWeight::Uniform), &t),
        "expected at least 3 rows to fit on, found 2 (lower `n_neighbors`)"
    );
    assert!(params(0, VoteWeight::Uniform).validate().is_err());
    let model = fit_model(&params(1, VoteWeight::Uniform), &t).unwrap();
    let mut batch = regression(&[&[f64::NAN, 1e300, 1.0]], &[0.0; 3]);
    model.predict(&mut batch, &[0], &mut [0.0; 3]).unwrap();
    assert_eq!([0, 1, 2].map(|row| batch.has_fault(row)), [true, true, false]);
}

#[test]
fn a_damaged_state_is_refused() {
    let t = regression(&[&[0.0, 1.0]], &[1.0, 2.0]);
    let model = fit_model(&params(1, VoteWeight::Uniform), &t).unwrap();
    assert!(model.check(&features(1)).is_ok() && model.check(&features(2)).is_err());
    let with = |change: fn(&mut KNearestNeighbours)| {
        let mut model = model.clone();
        change(&mut model);
        model.check(&features(1)).is_err()
    };
    assert!(with(|m| m.columns[0].truncate(1)) && with(|m| m.n_neighbors = 3));
    assert!(with(|m| m.n_classes = 2) && with(|m| m.n_outputs = 2));
    assert!(with(|m| m.targets[0] = f64::INFINITY) && with(|m| m.n_neighbors = 0));
}
