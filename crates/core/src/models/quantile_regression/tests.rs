//! Hand-worked quantiles and refusals.

use super::*;
use crate::models::tests::{fit_model, regression};

fn at(quantile: f64) -> QuantileRegressionParams {
    QuantileRegressionParams { quantile, ..Default::default() }
}

/// A mathematical distance: the solution meets the rows up to rounding.
fn close(found: f64, expected: f64) {
    let distance = (found - expected).abs();
    assert!(distance <= 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
}

#[test]
fn quantiles_of_a_target_alone() {
    let t = regression(&[&[7.5; 5]], &[4.0, 1.0, 100.0, 2.0, 3.0]);
    for (quantile, expected) in [(0.5, 3.0), (0.1, 1.0), (0.7, 4.0), (0.9, 100.0)] {
        let model = fit_model(&at(quantile), &t).unwrap();
        close(model.intercept, expected);
        assert!(model.gap <= 1e-12, "{model:?}");
    }
    // Between 2 and 3 every number is a median.
    let t = regression(&[&[7.5; 4]], &[1.0, 2.0, 3.0, 10.0]);
    let model = fit_model(&at(0.5), &t).unwrap();
    assert!(model.intercept >= 2.0 - 1e-12 && model.intercept <= 3.0 + 1e-12, "{model:?}");
}

#[test]
fn a_plane_through_all_rows_is_the_optimum() {
    let columns: [&[f64]; 2] = [&[0.3456, 0.3304, 0.9054], &[0.8216, 1.3032, 0.4464]];
    let t = regression(&columns, &[1.0, 2.0, 3.0]);
    let model = fit_model(&at(0.5), &t).unwrap();
    let mut scores = [0.0; 3];
    model.predict(&mut t.clone(), &[0, 1], &mut scores).unwrap();
    scores.iter().zip([1.0, 2.0, 3.0]).for_each(|(found, y)| close(*found, y));
    assert_eq!(model.gap, 0.0);
}

#[test]
fn a_median_line_ignores_outliers() {
    let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let y = [1.0, 3.0, 5.0, 700.0, 9.0, 11.0, -40.0];
    let model = fit_model(&at(0.5), &regression(&[&x], &y)).unwrap();
    close(model.coefficients[0], 2.0);
    close(model.intercept, 1.0);
}

#[test]
fn the_penalty_sets_to_zero_and_exact_lines_end() {
    let x = [0.0, 1.0, 2.0, 3.0];
    let y = [1.0, 3.0, 5.0, 7.0];
    let exact = fit_model(&at(0.3), &regression(&[&x], &y)).unwrap();
    close(exact.coefficients[0], 2.0);
    let held = QuantileRegressionParams { alpha: 10.0, ..at(0.5) };
    let held = fit_model(&held, &regression(&[&x], &y)).unwrap();
    assert_eq!(held.coefficients, [0.0]);
    assert!(held.intercept >= 3.0 && held.intercept <= 5.0, "{held:?}");
    let flat = fit_model(&at(0.5), &regression(&[&x], &[4.0; 4])).unwrap();
    assert_eq!((flat.coefficients[0], flat.intercept), (0.0, 4.0));
}

#[test]
fn it_is_a_vertex_no_worse_than_any_other() {
    // Every pair of rows gives a line; the best of them is an optimum (a linear program).
    let x: Vec<f64> = (0..25).map(|i| f64::from(i * 37 % 25)).collect();
    let y: Vec<f64> = (0..25).map(|i| f64::from(i * i * 17 % 101)).collect();
    for quantile in [0.1, 0.5, 0.85] {
        let cost = |a: f64, b: f64| {
            let rest = x.iter().zip(&y).map(|(x, y)| y - (a + b * x));
            math::sum_in_order(
                rest.map(|r| if r > 0.0 { quantile * r } else { (quantile - 1.0) * r }),
            )
        };
        let mut best = f64::INFINITY;
        for i in 0..25 {
            for j in 0..i {
                let b = (y[i] - y[j]) / (x[i] - x[j]);
                best = math::min(best, cost(y[i] - b * x[i], b));
            }
        }
        let model = fit_model(&at(quantile), &regression(&[&x], &y)).unwrap();
        let found = cost(model.intercept, model.coefficients[0]);
        assert!(found <= best * (1.0 + 1e-12), "{quantile}: {found} {best}");
        assert!(model.gap <= 1e-12);
    }
}

#[test]
fn params_have_ranges_and_the_cap_is_an_error() {
    for quantile in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(at(quantile).validate().is_err());
    }
    let short = QuantileRegressionParams { max_iter: 1, ..at(0.5) };
    let t = regression(&[&[1.0, 2.0, 4.0, 8.0]], &[1.0, 0.0, 3.0, 2.0]);
    assert!(fit_model(&short, &t).is_err());
}
