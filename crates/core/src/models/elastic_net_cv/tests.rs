//! Fits by hand, and the folds checked one by one against `elastic_net`.

use super::*;
use crate::batch::Batch;
use crate::models::ElasticNetParams;
use crate::models::tests::{fit_model, refused, regression};
use crate::rng::{Seed, Stream};

fn table(n: usize) -> Batch {
    let value = |i: usize, a: usize, b: usize| f64::from(u32::try_from(i * a % b).unwrap());
    let x: Vec<f64> = (0..n).map(|i| value(i, 37, 61)).collect();
    let z: Vec<f64> = (0..n).map(|i| value(i, 17, 29)).collect();
    let noise: Vec<f64> = (0..n).map(|i| value(i, 7919, 101)).collect();
    let y: Vec<f64> = (0..n).map(|i| 2.0 * x[i] - 0.5 * z[i] + noise[i] / 4.0).collect();
    regression(&[&x, &z, &noise.iter().map(|v| v * v % 13.0).collect::<Vec<_>>()], &y)
}

#[test]
fn without_noise_the_smallest_alpha_is_best() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    let params = ElasticNetCvParams { alphas: vec![0.5, 8.0, 0.125], cv: 4, ..Default::default() };
    let model = fit_model(&params, &regression(&[&x], &y)).unwrap();
    assert_eq!(model.alpha, 0.125);
    let net = ElasticNetParams { alpha: 0.125, ..Default::default() };
    let net = fit_model(&net, &regression(&[&x], &y)).unwrap();
    assert_eq!(Some(model.coefficients.as_slice()), net.coefficients());
    // A path starts where every coefficient is 0.
    let start = ElasticNetCvParams { n_alphas: 1, ..Default::default() };
    let start = fit_model(&start, &regression(&[&x], &y)).unwrap();
    // x'y / n / 0.5 with x'x / n = 33.25.
    assert_eq!((start.alpha, start.coefficients[0]), (133.0, 0.0));
}

#[test]
fn errors_are_those_of_nets_fitted_without_the_fold() {
    let t = table(80);
    let params = ElasticNetCvParams {
        alphas: vec![3.0, 0.3],
        l1_ratio: vec![1.0, 0.25],
        cv: 3,
        ..Default::default()
    };
    let model = fit_model(&params, &t).unwrap();
    let stream = Stream::new(Seed(7), "model", "", "folds");
    let fold_of = |row: usize| ((u128::from(stream.hash(t.fit_keys()[row])) * 3) >> 64) as usize;
    let mut best = f64::INFINITY;
    for l1_ratio in [1.0, 0.25] {
        for alpha in [3.0, 0.3] {
            let mut squares = 0.0;
            for fold in 0..3 {
                let (own, others): (Vec<usize>, Vec<usize>) =
                    (0..80).partition(|&row| fold_of(row) == fold);
                let net = ElasticNetParams { alpha, l1_ratio, ..Default::default() };
                let net = fit_model(&net, &t.select(&others)).unwrap();
                let mut own = t.select(&own);
                let mut scores = vec![0.0; own.n_rows()];
                net.predict(&mut own, &[0, 1, 2], &mut scores).unwrap();
                for (score, y) in scores.iter().zip(own.target()) {
                    squares += (score - y) * (score - y);
                }
            }
            if (model.alpha, model.l1_ratio) == (alpha, l1_ratio) {
                // The distance of a plain sum of squares from the exact one.
                let distance = (model.mean_squared_error - squares / 80.0).abs();
                assert!(distance <= 1e-12 * squares / 80.0, "{model:?} {squares}");
            }
            best = math::min(best, squares / 80.0);
        }
    }
    assert!(model.mean_squared_error <= best * (1.0 + 1e-12), "{model:?} {best}");
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let few = refused(&ElasticNetCvParams::default(), &table(4));
    assert_eq!(few, "expected at least 5 rows, found 4 (lower `cv`)");
    let flat = fit_model(&ElasticNetCvParams::default(), &regression(&[&[1.0; 9]], &[3.0; 9]));
    assert_eq!(flat.unwrap().intercept, 3.0);
    let bad = |change: fn(&mut ElasticNetCvParams)| {
        let mut params = ElasticNetCvParams::default();
        change(&mut params);
        params.validate().unwrap_err().to_string()
    };
    assert!(bad(|p| p.l1_ratio = vec![]).contains("at least one"));
    assert!(bad(|p| p.l1_ratio = vec![0.5, 2.0]).contains("between 0 and 1"));
    assert!(bad(|p| p.l1_ratio = vec![0.0]).contains("`alphas`"));
    assert!(bad(|p| p.alphas = vec![1.0, -1.0]).contains("above 0"));
    assert!(bad(|p| p.eps = 1.0).contains("`eps`"));
    assert!(bad(|p| p.n_alphas = 0).contains("`n_alphas`"));
    assert!(bad(|p| p.cv = 1).contains("`cv`"));
}
