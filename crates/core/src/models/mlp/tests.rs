//! Small networks by hand, sameness, labels, weights, and what is refused.

use super::*;
use crate::batch::Batch;
use crate::math;
use crate::models::tests::{bytes, fit_model, fit_rows, is_the_same_however_seen, regression};
use crate::rng::{Draw, Pcg, Seed, Stream};
use crate::step::{Output, Predict};
use crate::testing::{nums, table_with_target, texts};

pub(super) const ACTIVATIONS: [Activation; 4] =
    [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Logistic];

pub(super) fn draws(purpose: &str) -> Pcg {
    Stream::new(Seed(5), "mlp", "", purpose).pcg()
}

pub(super) fn normals(n: usize, draws: &mut Pcg) -> Vec<f64> {
    (0..n).map(|_| draws.normal()).collect()
}

#[test]
fn one_step_by_hand() {
    // Without hidden layers a regression's output is w x + b. Targets −1 and 1 are standardised
    // already; one step of gradient descent over both rows moves w by rate · (mean of
    // (target − output) x − alpha w / 2) and b by rate · mean of (target − output).
    let params = MlpParams {
        hidden_layer_sizes: vec![],
        solver: Solver::Sgd,
        momentum: 0.0,
        learning_rate_init: 0.5,
        alpha: 0.25,
        max_iter: 1,
        ..Default::default()
    };
    let table = regression(&[&[-2.0, 2.0]], &[-1.0, 1.0]);
    let ended = fit_model(&params, &table).unwrap();
    let bound = math::sqrt(6.0 / 2.0);
    let draw = |stream: Stream| (2.0 * stream.pcg().uniform() - 1.0) * bound;
    let w = draw(Stream::new(Seed(7), "model", "x0", "weights"));
    let b = draw(Stream::new(Seed(7), "model", "", "weights").substream("layer", 0));
    let expected_w = w - 0.5 * (4.0 * w - 2.0 + 0.25 * w / 2.0);
    let expected_b = b - 0.5 * b;
    let mut score = [0.0; 2];
    let mut batch = table.clone();
    ended.predict(&mut batch, &[0], &mut score).unwrap();
    for (score, x) in score.iter().zip([-2.0, 2.0]) {
        // The two orders of operations differ by rounding.
        assert!((score - (expected_w * x + expected_b)).abs() < 1e-14);
    }
    assert_eq!(ended.warnings().len(), 1);
}

#[test]
fn it_learns_exclusive_or() {
    let mut draws = draws("xor");
    let (a, b) = (normals(400, &mut draws), normals(400, &mut draws));
    let target: Vec<f64> =
        a.iter().zip(&b).map(|(a, b)| f64::from(u8::from((*a > 0.0) != (*b > 0.0)))).collect();
    let signed: Vec<f64> = target.iter().map(|y| 2.0 * y - 1.0).collect();
    for activation in ACTIVATIONS {
        let params = MlpParams {
            hidden_layer_sizes: vec![8],
            activation,
            learning_rate_init: 0.05,
            batch_size: 40,
            max_iter: 60,
            ..Default::default()
        };
        let table = regression(&[&a, &b], &signed);
        let found = fit_model(&params, &table).unwrap();
        let mut scores = vec![0.0; 400];
        found.predict(&mut table.clone(), &[0, 1], &mut scores).unwrap();
        let right = scores.iter().zip(&signed).filter(|(s, y)| **s * **y > 0.0).count();
        assert!(right > 350, "{activation:?}: {right} of 400");
    }
}

#[test]
fn fits_do_not_depend_on_order_blocks_or_threads() {
    let params = MlpParams {
        hidden_layer_sizes: vec![5, 3],
        batch_size: 64,
        max_iter: 2,
        learning_rate_init: 1e-9,
        early_stopping: true,
        dropout: 0.5,
        ..Default::default()
    };
    is_the_same_however_seen(&params);
}

fn labelled() -> Batch {
    let labels = ["a", "b", "", "c", "a", "b", "a", ""];
    let numbers = [0.5, 1.0, -1.0, 0.0, 0.25, 2.0, -0.5, 1.5];
    let target = [1.0, 2.0, 0.0, 3.0, 1.0, 2.0, 1.0, 0.0];
    let columns = [("n", nums(&numbers)), ("t", texts(&labels))];
    table_with_target(&columns, &target)
}

fn with_labels() -> MlpParams {
    MlpParams {
        hidden_layer_sizes: vec![4],
        activation: Activation::Tanh,
        learning_rate_init: 0.05,
        max_iter: 150,
        alpha: 0.0,
        ..Default::default()
    }
}

#[test]
fn labels_are_told_apart_and_others_get_the_mean() {
    let table = labelled();
    let found = fit_model(&with_labels(), &table).unwrap();
    let mut scores = vec![0.0; 8];
    found.predict(&mut table.clone(), &[0, 1], &mut scores).unwrap();
    for (score, y) in scores.iter().zip(table.target()) {
        assert!((score - y).abs() < 0.4, "{scores:?}");
    }
    let Input::Text(embedding) = &found.inputs[1] else { panic!("a text column") };
    assert_eq!((embedding.missing(), embedding.place("b"), embedding.place("z")), (3, 1, 4));
    // Three rows of a, two of b, one of c; half of three labels are two numbers.
    let vector = |place| embedding.vector(place);
    for i in 0..2 {
        let mean = (3.0 * vector(0)[i] + 2.0 * vector(1)[i] + vector(2)[i]) / 6.0;
        assert!((vector(4)[i] - mean).abs() < 1e-15);
    }
    assert_ne!(vector(3), vector(4));
}

#[test]
fn labels_that_only_validation_rows_have_are_others() {
    let params = MlpParams { early_stopping: true, validation_fraction: 0.5, ..with_labels() };
    let table = labelled();
    let found = fit_model(&params, &table).unwrap();
    let Input::Text(embedding) = &found.inputs[1] else { panic!("a text column") };
    // Every label is known or another, never out of range.
    for label in ["a", "b", "c", "z"] {
        assert_eq!(embedding.vector(embedding.place(label)).len(), embedding.dim());
    }
    assert!(found.check_state().is_ok());
    assert!(found.validation_loss.is_some());
}

#[test]
fn a_row_alone_scores_as_in_a_batch() {
    let table = labelled();
    let found = fit_model(&MlpParams { max_iter: 3, ..with_labels() }, &table).unwrap();
    let rows: Vec<usize> = (0..150).map(|i| i * 5 % 8).collect();
    let mut scores = vec![0.0; 150];
    found.predict(&mut table.select(&rows), &[0, 1], &mut scores).unwrap();
    for (&row, score) in rows.iter().zip(&scores) {
        let mut alone = [0.0];
        found.predict(&mut table.select(&[row]), &[0, 1], &mut alone).unwrap();
        assert_eq!(alone[0].to_bits(), score.to_bits());
    }
}

#[test]
fn early_stopping_keeps_the_best() {
    let mut draws = draws("noise");
    let (x, y) = (normals(60, &mut draws), normals(60, &mut draws));
    let params = MlpParams {
        hidden_layer_sizes: vec![20],
        learning_rate_init: 0.05,
        early_stopping: true,
        n_iter_no_change: 3,
        max_iter: 500,
        ..Default::default()
    };
    let found = fit_model(&params, &regression(&[&x], &y)).unwrap();
    assert!(found.is_settled && found.n_iterations < 500, "{}", found.n_iterations);
    // The same without patience for the epochs behind the best one.
    let stop = found.n_iterations - params.n_iter_no_change - 1;
    let shorter = MlpParams { max_iter: stop, ..params };
    let again = fit_model(&shorter, &regression(&[&x], &y)).unwrap();
    assert_eq!((again.layers, again.validation_loss), (found.layers, found.validation_loss));
}

#[test]
fn what_cannot_be_scored_is_a_reason() {
    let table = regression(&[&[1.0, 2.0, 4.0], &[0.0, 1.0, 0.0]], &[1.0, 2.0, 3.0]);
    let params = MlpParams { hidden_layer_sizes: vec![2], max_iter: 2, ..Default::default() };
    let found = fit_model(&params, &table).unwrap();
    let odd = [f64::NAN, f64::INFINITY, 1.0];
    let mut batch = regression(&[&odd, &[0.0; 3]], &[0.0; 3]);
    let mut scores = [0.0; 3];
    found.predict(&mut batch, &[0, 1], &mut scores).unwrap();
    let faults: Vec<String> = batch.faults().values().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2);
    assert!(faults[0].starts_with("column `x0`: expected a number, found a missing value"));
    assert!(faults[1].starts_with("column `x0`: expected a finite number, found an infinity"));
    assert!(scores[2].is_finite());
    let missing = fit_model(&params, &batch).unwrap_err().to_string();
    assert!(
        missing.starts_with("column `x0`: row 0: expected a number in every row, found 1 missing")
    );
}

#[test]
fn a_runaway_fit_is_an_error() {
    let params = MlpParams {
        solver: Solver::Sgd,
        learning_rate_init: 1e6,
        max_iter: 200,
        n_iter_no_change: 1000,
        ..Default::default()
    };
    let table = regression(&[&[1e3, -2e3, 3e3]], &[1.0, 2.0, 4.0]);
    let message = fit_model(&params, &table).unwrap_err().to_string();
    assert!(message.contains("expected a finite"), "{message}");
}

#[test]
fn params_have_ranges() {
    let ok = MlpParams::default();
    assert!(ok.validate().is_ok());
    let bad = [
        MlpParams { hidden_layer_sizes: vec![3, 0], ..ok.clone() },
        MlpParams { hidden_layer_sizes: vec![1; 65], ..ok.clone() },
        MlpParams { alpha: -1.0, ..ok.clone() },
        MlpParams { tol: f64::NAN, ..ok.clone() },
        MlpParams { batch_size: 0, ..ok.clone() },
        MlpParams { max_iter: 0, ..ok.clone() },
        MlpParams { learning_rate_init: 0.0, ..ok.clone() },
        MlpParams { epsilon: 0.0, ..ok.clone() },
        MlpParams { momentum: 1.0, ..ok.clone() },
        MlpParams { beta_2: -0.1, ..ok.clone() },
        MlpParams { dropout: 1.0, ..ok.clone() },
        MlpParams { validation_fraction: 1.0, ..ok.clone() },
        MlpParams { embedding_dim: 2000, ..ok.clone() },
    ];
    for params in bad {
        assert!(params.validate().is_err(), "{params:?}");
    }
    let wide = MlpParams { hidden_layer_sizes: vec![65_536; 2], ..ok };
    let table = regression(&[&[1.0, 2.0]], &[1.0, 2.0]);
    let message = fit_model(&wide, &table).unwrap_err().to_string();
    assert!(message.starts_with("expected at most 16777216 weights"), "{message}");
}

#[test]
fn the_state_survives_its_bytes() {
    let found = fit_model(&MlpParams { max_iter: 2, ..with_labels() }, &labelled()).unwrap();
    let again: Mlp = rmp_serde::from_slice(&bytes(&found)).unwrap();
    assert_eq!(again, found);
    let rows = crate::aggregate::MemoryRows::from_batch(labelled());
    let same = fit_rows(&MlpParams { max_iter: 2, ..with_labels() }, &rows).unwrap();
    assert_eq!(bytes(&same), bytes(&found));
}

fn fit_classes(params: &MlpParams, table: &Batch, task: Task, n_classes: u32) -> Mlp {
    let slots: Vec<usize> = (0..table.schema().len()).collect();
    let ctx = FitContext::new("model", Seed(7), task, table.schema(), &slots).classes(n_classes);
    let rows = crate::aggregate::MemoryRows::from_batch(table.clone());
    params.fit(&rows, &ctx).unwrap()
}

#[test]
fn probabilities_of_classes_add_up_and_margins_stand_behind_them() {
    let x: Vec<f64> = (0..30).map(|i| f64::from(i) / 10.0).collect();
    let y: Vec<f64> = (0..30).map(|i| f64::from(i / 10)).collect();
    let params = MlpParams { learning_rate_init: 0.02, max_iter: 150, ..Default::default() };
    let table = regression(&[&x], &y);
    let found = fit_classes(&params, &table, Task::Multiclass, 3);
    assert_eq!(found.n_outputs(), 3);
    let (mut scores, mut margins) = (vec![0.0; 90], vec![0.0; 90]);
    found.predict(&mut table.clone(), &[0], &mut scores).unwrap();
    found.output(Output::Margin, &mut table.clone(), &[0], &mut margins).unwrap();
    let mut n_right = 0;
    for (i, (p, z)) in scores.chunks(3).zip(margins.chunks(3)).enumerate() {
        // Three roundings of numbers below 1.
        assert!((p[0] + p[1] + p[2] - 1.0).abs() < 4e-16);
        for class in 1..3 {
            let odds = math::ln(p[class] / p[0]);
            assert!((odds - (z[class] - z[0])).abs() < 1e-12, "{odds} {z:?}");
        }
        let best = if p[0] > p[1] && p[0] > p[2] { 0 } else { 1 + usize::from(p[2] > p[1]) };
        n_right += usize::from(best == i / 10);
    }
    assert!(n_right >= 27, "{n_right} of 30");
    assert_eq!(found.outputs(Output::Margin, table.schema()).unwrap()[2], "margin_2");
    assert_eq!(found.outputs(Output::Leaf, table.schema()), None);
}

#[test]
fn two_classes_have_one_output() {
    let table = regression(&[&[-1.0, 1.0, -2.0, 2.0]], &[0.0, 1.0, 0.0, 1.0]);
    let params = MlpParams { learning_rate_init: 0.1, ..Default::default() };
    let found = fit_classes(&params, &table, Task::Binary, 2);
    let mut scores = [0.0; 4];
    found.predict(&mut table.clone(), &[0], &mut scores).unwrap();
    assert!(scores[0] < 0.1 && scores[1] > 0.9, "{scores:?}");
    assert_eq!(found.n_outputs(), 1);
}

#[test]
fn a_weight_is_a_number_of_rows() {
    let mut draws = draws("weights");
    let (x, y) = (normals(50, &mut draws), normals(50, &mut draws));
    let plain = regression(&[&x], &y);
    let mut weighted = plain.clone();
    weighted.set_weights(vec![2.0; 50]);
    let params = MlpParams { batch_size: 16, max_iter: 4, alpha: 0.25, ..Default::default() };
    let found = fit_model(&params, &plain).unwrap();
    // All twice: twice the loss, twice the penalty, twice the divisor, without a rounding more.
    let doubled = MlpParams { alpha: 0.5, ..params.clone() };
    assert_eq!(fit_model(&doubled, &weighted).unwrap(), found);
    weighted.set_weights(vec![0.0; 50]);
    let message = fit_model(&params, &weighted).unwrap_err().to_string();
    assert_eq!(message, "expected weights with a positive, finite sum, found 0");
}

#[test]
fn a_stored_state_must_fit() {
    let table = labelled();
    let good = fit_model(&MlpParams { max_iter: 1, ..with_labels() }, &table).unwrap();
    assert!(good.check(table.schema()).is_ok());
    let numbers = crate::models::tests::features(2);
    let message = good.check(&numbers).unwrap_err().to_string();
    assert_eq!(message, "column `x1`: expected text, found num");
    assert!(good.check(&crate::models::tests::features(1)).is_err());
    let broken: [fn(&mut Mlp); 5] = [
        |m| drop(m.layers.pop()),
        |m| m.layers.clear(),
        |m| m.loss = f64::NAN,
        |m| m.outcome = Outcome::Number { centre: f64::INFINITY, scale: 1.0 },
        |m| m.outcome = Outcome::Classes,
    ];
    for (i, break_it) in broken.into_iter().enumerate() {
        let mut bad = good.clone();
        break_it(&mut bad);
        assert!(bad.check(table.schema()).is_err(), "{i}");
    }
}
