//! Hand-worked fits, and what cannot be fitted.

use super::*;
use crate::config::Task;
use crate::math;
use crate::models::tests::{fit_as, fit_model, refused, regression};
use crate::step::Predict;

fn free() -> LogisticRegressionParams {
    LogisticRegressionParams { penalty: Penalty::None, ..Default::default() }
}

/// A mathematical distance, not a sameness: the expected value itself is rounded.
fn close(found: f64, expected: f64) {
    let distance = (found - expected).abs();
    assert!(distance <= 1e-14 * (1.0 + expected.abs()), "{found} {expected}");
}

const X: [f64; 6] = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
const Y: [f64; 6] = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0];

#[test]
fn two_groups_have_their_own_odds() {
    let model = fit_model(&free(), &regression(&[&X], &Y)).unwrap();
    close(model.intercept, -math::ln(2.0));
    close(model.coefficients[0], 2.0 * math::ln(2.0));
    // The scale of a column changes its coefficient, not the scores: odds 1/2 give 1/3.
    let t = regression(&[&X.map(|x| 1e3 + 3.0 * x)], &Y);
    let model = fit_model(&free(), &t).unwrap();
    let mut batch = t.clone();
    let mut scores = [0.0; 6];
    model.predict(&mut batch, &[0], &mut scores).unwrap();
    // The distance to the optimum itself: the fit stops at a stated gradient norm.
    assert!((scores[0] - 1.0 / 3.0).abs() < 1e-12, "{scores:?}");
}

#[test]
fn the_penalty_balances_the_residuals() {
    // Symmetric data: b0 = 0, and b = c Σ (y - p) x = 2 c sigmoid(-b), at b = 1 for c = (1 + e)
    // / 2.
    let params = LogisticRegressionParams { c: (1.0 + math::exp(1.0)) / 2.0, ..Default::default() };
    let model = fit_model(&params, &regression(&[&[-1.0, 1.0]], &[0.0, 1.0])).unwrap();
    close(model.coefficients[0], 1.0);
    close(model.intercept, 0.0);
    assert!(model.gradient_norm <= 1e-10 && model.n_iterations <= 8);
}

#[test]
fn balanced_classes_count_the_same() {
    // One positive of four: without a useful column the balanced odds are 1.
    let t = regression(&[&[1.0, 1.0, 1.0, 1.0]], &[0.0, 0.0, 0.0, 1.0]);
    let plain = fit_model(&LogisticRegressionParams::default(), &t).unwrap();
    close(plain.intercept, -math::ln(3.0));
    assert_eq!(plain.coefficients, [0.0]);
    let balanced =
        LogisticRegressionParams { class_weight: ClassWeight::Balanced, ..Default::default() };
    close(fit_model(&balanced, &t).unwrap().intercept, 0.0);
}

#[test]
fn without_intercept_the_log_odds_go_through_zero() {
    let params = LogisticRegressionParams { fit_intercept: false, ..free() };
    // Only the rows with x = 1 say anything: odds 2.
    let model = fit_model(&params, &regression(&[&X], &Y)).unwrap();
    close(model.coefficients[0], math::ln(2.0));
    assert_eq!(model.intercept, 0.0);
}

#[test]
fn a_column_that_depends_on_earlier_ones_has_coefficient_zero() {
    let other = X.map(|x| 1.0 - x);
    let model = fit_model(&free(), &regression(&[&[7.5; 6], &X, &other], &Y)).unwrap();
    assert_eq!((model.coefficients[0], model.coefficients[2]), (0.0, 0.0));
    close(model.coefficients[1], 2.0 * math::ln(2.0));
    // With a penalty two equal columns share.
    let params = LogisticRegressionParams::default();
    let model = fit_model(&params, &regression(&[&X, &X], &Y)).unwrap();
    close(model.coefficients[0], model.coefficients[1]);
}

#[test]
fn more_columns_than_rows() {
    let t = regression(&[&[0.0, 1.0], &[3.0, 1.0], &[2.0, 2.5]], &[0.0, 1.0]);
    assert!(fit_model(&LogisticRegressionParams::default(), &t).is_ok());
    assert!(refused(&free(), &t).contains("found them separated by"));
}

#[test]
fn separated_classes_are_named() {
    let noise = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
    let all = refused(&free(), &regression(&[&noise, &X], &X));
    let said = "expected classes that overlap, found them separated by a weighted sum of `x1`";
    assert!(all.contains(said), "{all}");
    let ends = ": the larger its weights, the better, so that no finite ones are best (set \
                `penalty` to \"l2\", and `c`, to bound the weights, or leave a column out)";
    assert!(all.ends_with(ends), "{all}");
    // Only one rare value separates: its rows are all positive.
    let rare = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let some = refused(&free(), &regression(&[&X, &rare], &Y));
    assert!(some.contains("expected classes that overlap") && some.contains("`x1`"), "{some}");
    // Neither column alone, but their sum: x0 + x1 is below 4 for class 0, above for class 1.
    let (a, b) = ([0.0, 3.0, 1.0, 5.0, 2.0, 4.0], [3.0, 0.0, 2.0, 0.0, 4.0, 1.0]);
    let sum = refused(&free(), &regression(&[&a, &b], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
    assert!(sum.starts_with("expected classes that overlap, found them separated by"), "{sum}");
    assert!(sum.contains("`x0`") && sum.contains("`x1`"), "{sum}");
    // Too few steps for classes that overlap say that, and nothing of separation.
    let short = LogisticRegressionParams { max_iter: 1, ..free() };
    let few = refused(&short, &regression(&[&X], &Y));
    assert!(few.contains("expected an optimum within 1 steps"), "{few}");
    // Three classes on a line, and the same around each other.
    let line = [0.0, 1.0, 5.0, 6.0, 10.0, 11.0];
    let several =
        |classes: &[f64]| fit_as(&free(), &regression(&[&line], classes), Task::Multiclass);
    let apart = several(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]).unwrap_err().to_string();
    assert!(apart.contains("expected classes that overlap") && apart.contains("`x0`"), "{apart}");
    assert!(several(&[0.0, 1.0, 2.0, 2.0, 1.0, 0.0]).is_ok());
    // A penalty holds it.
    let params = LogisticRegressionParams { c: 1e6, ..Default::default() };
    assert!(fit_model(&params, &regression(&[&noise, &X], &X)).is_ok());
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let params = LogisticRegressionParams::default();
    assert_eq!(
        refused(&params, &regression(&[&[1.0, 2.0]], &[1.0, 1.0])),
        "expected rows of two classes, found one"
    );
    let infinite = regression(&[&[1.0, f64::NEG_INFINITY]], &[0.0, 1.0]);
    let message = refused(&params, &infinite);
    assert!(message.starts_with("column `x0`: row 1: expected finite"), "{message}");
    assert!(fit_model(&params, &regression(&[&[]], &[])).is_err());
    let short = LogisticRegressionParams { max_iter: 2, ..Default::default() };
    assert!(refused(&short, &regression(&[&X], &Y)).contains("raise `max_iter`"));
    for (c, tolerance, max_iter) in [(0.0, 1e-9, 9), (1.0, f64::NAN, 9), (1.0, 1e-9, 0)] {
        let params = LogisticRegressionParams { c, tolerance, max_iter, ..Default::default() };
        assert!(params.validate().is_err());
    }
}

#[test]
fn extreme_scales_neither_panic_nor_hang() {
    for scale in [1e-320, 1e-200, 1e200, 8e307] {
        let t = regression(&[&X.map(|x| x * scale)], &Y);
        for params in [free(), LogisticRegressionParams::default()] {
            match fit_model(&params, &t) {
                Ok(model) => assert!(model.check(&crate::models::tests::features(1)).is_ok()),
                Err(error) => assert_eq!(error.column_name(), Some("x0"), "{error}"),
            }
        }
    }
}

#[test]
fn rows_that_cannot_be_scored_get_a_reason() {
    let model = fit_model(&free(), &regression(&[&X], &Y)).unwrap();
    let mut batch = regression(&[&[0.0, f64::NAN, f64::INFINITY]], &[0.0; 3]);
    let mut scores = [0.0; 3];
    model.predict(&mut batch, &[0], &mut scores).unwrap();
    close(scores[0], 1.0 / 3.0);
    assert_eq!(batch.faults().keys().copied().collect::<Vec<_>>(), [1, 2]);
}
