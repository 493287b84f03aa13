//! Figures by hand, and that neither order nor weights of 1 move a bit.

use super::classes::mean_of;
use super::*;
use samescore_core::config::Config;
use samescore_core::models::{LinearRegressionParams, ModelParams, QuantileRegressionParams};
use samescore_core::step::TargetLoss;

fn one<'a>(y: &'a [f64], p: &'a [f64]) -> Cases<'a> {
    Cases::new(y, p, 1)
}

#[test]
fn figures_by_hand() {
    // Errors 1, 0, -2: mse (1 + 0 + 4) / 3, mae 3 / 3; mean of y is 2, Σ(y-2)² = 2.
    let (y, p) = ([1.0, 2.0, 3.0], [2.0, 2.0, 1.0]);
    let cases = one(&y, &p);
    assert_eq!(mean_squared_error(&cases), 5.0 / 3.0);
    assert_eq!(mean_absolute_error(&cases), 1.0);
    assert_eq!(r2(&cases), Some(1.0 - 2.5));
    assert_eq!(r2(&one(&[1.0, 1.0], &[1.0, 2.0])), None);
}

#[test]
fn figures_of_classes_by_hand() {
    // Classes 0, 0, 1, 2; said 0, 1, 1, 1 (the first of equals).
    let y = [0.0, 0.0, 1.0, 2.0];
    let p = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.25, 0.0, 0.5, 0.5];
    let figures = of(Task::Multiclass, &Cases::new(&y, &p, 3));
    assert_eq!(figures["accuracy"], 0.5);
    // Recalls 1/2, 1, 0.
    assert_eq!(figures["balanced_accuracy"], 0.5);
    // 2/3, 2/4, 0 over 3.
    assert_eq!(figures["macro_f1"], mean_of([2.0 / 3.0, 0.5, 0.0].into_iter()));
    // Probabilities 1/2, 1/4, 1/2, 1/2 of what came true: 5 ln 2 over 4.
    assert_eq!(figures["log_loss"], 1.25 * math::ln(2.0));
}

#[test]
fn every_figure_that_can_rank_is_a_figure_of_its_task() {
    let scores = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25];
    for (task, width) in [(Task::Regression, 1), (Task::Binary, 1), (Task::Multiclass, 3)] {
        let config = Config::new("y", task, LinearRegressionParams::default());
        let figures = of(task, &Cases::new(&[0.0, 1.0], &scores[..2 * width], width));
        for metric in ranking(task) {
            assert!(figures.contains_key(metric.name), "{task:?} {metric:?}");
            assert_eq!(named(&config, Some(metric.name)).unwrap(), *metric);
        }
        assert_eq!(named(&config, None).unwrap(), ranking(task)[0]);
        assert!(named(&config, Some("true_positives")).is_err());
    }
}

#[test]
fn the_figure_of_a_loss_is_known_to_its_model() {
    let of = |model: ModelParams| Config::new("y", Task::Regression, model);
    let plain = of(LinearRegressionParams::default().into());
    let said = |name: &str| named(&plain, Some(name)).unwrap_err().to_string();
    let all = "expected a metric to rank by, rmse, mae, r2, poisson_deviance, gamma_deviance, mape";
    assert_eq!(said("pinball"), format!("{all}, found `pinball`"));
    assert!(said("tweedie_deviance").ends_with("found `tweedie_deviance`"));
    let quantile = of(QuantileRegressionParams { quantile: 0.9, ..Default::default() }.into());
    let pinball = named(&quantile, Some("pinball")).unwrap();
    assert_eq!(pinball, Metric::of_loss(TargetLoss::Quantile(0.9)));
    let asked = ["mape".to_owned(), "poisson_deviance".to_owned()];
    assert_eq!(all_named(&plain, &asked).unwrap().len(), 2);
    let binary = Config::new("y", Task::Binary, LinearRegressionParams::default());
    assert!(all_named(&binary, &asked).is_err());
}

#[test]
fn figures_of_losses_by_hand() {
    let figure = |loss: TargetLoss, y: &[f64], p: &[f64], w: &[f64]| {
        Metric::of_loss(loss).figure(&one(y, p).weighing(w))
    };
    let close = |found: Option<f64>, expected: f64| {
        let found = found.unwrap();
        assert!((found - expected).abs() <= 4e-16 * expected.abs(), "{found} {expected}");
    };
    let (y, p) = ([1.0, 2.0, 4.0], [2.0, 2.0, 1.0]);
    // 1 below its score, 3 above: (0.25 + 0.75 · 3) / 3, and weighted (2 · 0.25 + 2.25) / 4.
    close(figure(TargetLoss::Quantile(0.75), &y, &p, &[]), 2.5 / 3.0);
    close(figure(TargetLoss::Quantile(0.75), &y, &p, &[2.0, 1.0, 1.0]), 2.75 / 4.0);
    // 2 (ln(1/2) − 1 + 2), 0, 2 (4 ln 4 − 4 + 1): 7 ln 2 − 2 twice over 3.
    let ln2 = math::ln(2.0);
    close(figure(TargetLoss::Poisson, &y, &p, &[]), 2.0 * (7.0 * ln2 - 2.0) / 3.0);
    close(figure(TargetLoss::Tweedie(1.0), &y, &p, &[]), 2.0 * (7.0 * ln2 - 2.0) / 3.0);
    // ln 2 + 1/2 − 1, 0, −2 ln 2 + 4 − 1.
    close(figure(TargetLoss::Gamma, &y, &p, &[]), 2.0 * (2.5 - ln2) / 3.0);
    close(figure(TargetLoss::Tweedie(2.0), &y, &p, &[]), 2.0 * (2.5 - ln2) / 3.0);
    // Power 3/2: −4 √y + 2 y / √p + 2 √p, with y = 4, p = 1: −8 + 8 + 2; twice that.
    close(figure(TargetLoss::Tweedie(1.5), &[4.0], &[1.0], &[]), 4.0);
    close(figure(TargetLoss::Tweedie(1.5), &[0.0], &[4.0], &[]), 8.0);
    close(figure(TargetLoss::Poisson, &[0.0], &[0.5], &[]), 1.0);
    for loss in [TargetLoss::Poisson, TargetLoss::Gamma, TargetLoss::Tweedie(1.5)] {
        assert_eq!(figure(loss, &[1.0], &[0.0], &[]), None);
        assert_eq!(figure(loss, &[-1.0], &[1.0], &[]), None);
        // What counts nothing spoils nothing.
        assert!(figure(loss, &[1.0, 1.0], &[1.0, -1.0], &[1.0, 0.0]).is_some());
    }
    assert_eq!(figure(TargetLoss::Gamma, &[0.0], &[1.0], &[]), None);
}

#[test]
fn shares_of_the_target_by_hand() {
    let config = Config::new("y", Task::Regression, LinearRegressionParams::default());
    let mape = named(&config, Some("mape")).unwrap();
    // 1/2, 0 and 3/4; the last counts twice.
    let (y, p) = ([-2.0, 2.0, 4.0], [-3.0, 2.0, 1.0]);
    assert_eq!(mape.figure(&one(&y, &p)), Some(1.25 / 3.0));
    assert_eq!(mape.figure(&one(&y, &p).weighing(&[1.0, 1.0, 2.0])), Some(2.0 / 4.0));
    assert_eq!(mape.figure(&one(&[0.0, 1.0], &[1.0, 1.0])), None);
}

#[test]
fn weights_by_hand() {
    // Errors 1, 0, 2 that count 2, 1, 1: (2 + 4) / 4 and (2 + 2) / 4; the mean is 7 / 4, and
    // Σ w (y − 7/4)² = 2 · 9/16 + 1/16 + 25/16 = 11 / 4.
    let (y, p) = ([1.0, 2.0, 3.0], [2.0, 2.0, 1.0]);
    let cases = one(&y, &p).weighing(&[2.0, 1.0, 1.0]);
    assert_eq!(mean_squared_error(&cases), 1.5);
    assert_eq!(mean_absolute_error(&cases), 1.0);
    assert_eq!(r2(&cases), Some(1.0 - 6.0 / 2.75));
    // One positive of weight 3 above a negative of 2, tied with one of 4: 3 (2 + 4 / 2) of 3 · 6.
    let (y, p) = ([0.0, 0.0, 1.0], [0.2, 0.5, 0.5]);
    let cases = one(&y, &p).weighing(&[2.0, 4.0, 3.0]);
    assert_eq!(roc_auc(&cases), Some(4.0 / 6.0));
    assert_eq!(average_precision(&cases), Some(3.0 / 7.0));
    let figures = of(Task::Binary, &cases);
    assert_eq!((figures["true_negatives"], figures["false_positives"]), (2.0, 4.0));
    assert_eq!(figures["accuracy"], 5.0 / 9.0);
    // Of three classes, classes 0, 0, 1, 2 that count 1, 2, 3, 4; said 0, 1, 1, 1.
    let y = [0.0, 0.0, 1.0, 2.0];
    let p = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.25, 0.0, 0.5, 0.5];
    let cases = Cases::new(&y, &p, 3).weighing(&[1.0, 2.0, 3.0, 4.0]);
    let figures = of(Task::Multiclass, &cases);
    assert_eq!(figures["accuracy"], 0.4);
    // Recalls 1/3, 1, 0; F1 2/4, 6/12, 0.
    assert_eq!(figures["balanced_accuracy"], mean_of([1.0 / 3.0, 1.0, 0.0].into_iter()));
    assert_eq!(figures["macro_f1"], mean_of([0.5, 0.5, 0.0].into_iter()));
    // ln 2 (1 + 2 · 2 + 3 + 4) / 10.
    assert_eq!(figures["log_loss"], 12.0 * math::ln(2.0) / 10.0);
}

#[test]
fn weights_of_one_or_of_any_size_move_no_bit() {
    let y: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i * 7919 % 13 < 5))).collect();
    let p: Vec<f64> = (0..300).map(|i| f64::from(i * 104_729 % 97) / 97.0).collect();
    let w: Vec<f64> = (0..300).map(|i| f64::from(1 + i % 5)).collect();
    let bits = |figures: BTreeMap<String, f64>| -> Vec<(String, u64)> {
        let kept = figures.into_iter().filter(|(name, _)| !name.ends_with("tives"));
        kept.map(|(name, x)| (name, x.to_bits())).collect()
    };
    for task in [Task::Binary, Task::Regression] {
        let with = |w: &[f64]| bits(of(task, &one(&y, &p).weighing(w)));
        assert_eq!(with(&[1.0; 300]), bits(of(task, &one(&y, &p))));
        let expected = with(&w);
        for exponent in [-1000i64, 900] {
            let unit = f64::from_bits(((exponent + 1023) as u64) << 52);
            let scaled: Vec<f64> = w.iter().map(|w| w * unit).collect();
            assert_eq!(with(&scaled), expected, "{exponent}");
        }
    }
    assert!(!of(Task::Binary, &one(&y, &p).weighing(&[0.0; 300])).contains_key("roc_auc"));
}

#[test]
fn a_tied_pair_counts_one_half() {
    // Pairs (0.5 > 0.2), (0.5 = 0.5): 1 and 1/2 of 2.
    assert_eq!(roc_auc(&one(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.5])), Some(0.75));
    assert_eq!(roc_auc(&one(&[1.0, 1.0], &[0.2, 0.5])), None);
    // Threshold 0.5: precision 1/2, recall 1.
    assert_eq!(average_precision(&one(&[0.0, 0.0, 1.0], &[0.2, 0.5, 0.5])), Some(0.5));
}

#[test]
fn half_is_positive() {
    assert_eq!(confusion(&one(&[0.0, 0.0, 1.0, 1.0], &[0.5, 0.4, 0.5, 0.4]), 0.5), [1.0; 4]);
}

#[test]
fn order_of_rows_cannot_matter() {
    let y: Vec<f64> = (0..500).map(|i| f64::from(i * 7919 % 500) * 0.1).collect();
    let p: Vec<f64> = (0..500).map(|i| f64::from(i * 104_729 % 499) * 0.1).collect();
    let (mut back_y, mut back_p) = (y.clone(), p.clone());
    back_y.reverse();
    back_p.reverse();
    let bits = |m: BTreeMap<String, f64>| m.into_values().map(f64::to_bits).collect::<Vec<_>>();
    let forward = bits(of(Task::Regression, &one(&y, &p)));
    assert_eq!(forward, bits(of(Task::Regression, &one(&back_y, &back_p))));
}

#[test]
fn squares_that_would_vanish_or_overflow_do_not() {
    assert_eq!(r2(&one(&[1e-160, 3e-160], &[1e-160, 2e-160])), Some(0.5));
    assert!(mean_squared_error(&one(&[1e150], &[-1e150])).is_finite());
    assert_eq!(r2(&one(&[1e300, 3e300], &[1e300, 3e300])), Some(1.0));
}
