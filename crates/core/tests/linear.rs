//! The linear models against certified values and proven optima.
//!
//! These are mathematical distances, not sameness: our own bits are compared without tolerance in
//! conformance. Certified values are those of NIST's Statistical Reference Datasets (linear
//! regression: Norris, Longley, Wampler 1 to 5), in the public domain, with 15 digits.

use std::sync::Arc;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::math;
use samescore_core::models::{
    AnyModel, GammaRegressionParams, HuberRegressionParams, LinearRegressionParams,
    LogisticRegressionParams, ModelParams, Penalty, PoissonRegressionParams,
    QuantileRegressionParams, TweedieRegressionParams,
};
use samescore_core::rng::{Draw, Seed, Stream};
use samescore_core::step::FitContext;

fn fit(columns: &[Vec<f64>], target: &[f64], params: impl Into<ModelParams>) -> AnyModel {
    let params = params.into();
    let task = params.tasks()[0];
    fit_as(columns, target, params, task)
}

fn fit_as(columns: &[Vec<f64>], target: &[f64], params: ModelParams, task: Task) -> AnyModel {
    let names = (0..columns.len()).map(|j| Field::new(format!("x{j:02}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(names).unwrap());
    let columns = columns.iter().map(|c| Column::num(c.iter().copied())).collect();
    let mut batch = Batch::new(Arc::clone(&schema), columns).unwrap();
    batch.set_target(target.to_vec(), vec![RowKey::default(); target.len()]);
    let slots: Vec<usize> = (0..schema.len()).collect();
    let mut ctx = FitContext::new("model", Seed(0), task, &schema, &slots);
    if task == Task::Multiclass {
        ctx = ctx.classes(3);
    }
    params.fit(&MemoryRows::from_batch(batch), &ctx).unwrap()
}

/// Certified: coefficients with standard errors, intercept first.
struct Certified {
    coefficients: Vec<(f64, f64)>,
    residual_sd: f64,
    r_squared: f64,
    f: Option<f64>,
}

/// Number of digits that two numbers share, at most 16.
fn digits(found: f64, certified: f64) -> f64 {
    let apart = (found - certified).abs() / if certified == 0.0 { 1.0 } else { certified.abs() };
    if apart == 0.0 { 16.0 } else { math::min(-math::log10(apart), 16.0) }
}

/// At least so many digits of every coefficient, and so many of everything else.
fn check(
    name: &str,
    columns: &[Vec<f64>],
    target: &[f64],
    certified: &Certified,
    [least, least_others]: [f64; 2],
) {
    let params = LinearRegressionParams { summary: true, ..Default::default() };
    let model = fit(columns, target, params);
    let rows = model.summary(0.05).unwrap();
    let facts = model.facts();
    let fact = |name: &str| facts.iter().find(|(n, _)| n == name).map(|(_, x)| *x);
    let (mut worst, mut worst_others) = (16.0, 16.0);
    for (row, &(coefficient, error)) in rows.iter().zip(&certified.coefficients) {
        worst = math::min(worst, digits(row.estimate, coefficient));
        worst_others = math::min(worst_others, digits(row.standard_error, error));
    }
    let sd = fact("residual standard deviation").unwrap();
    worst_others = math::min(worst_others, digits(sd, certified.residual_sd));
    let r_squared = fact("R squared").unwrap();
    worst_others = math::min(worst_others, digits(r_squared, certified.r_squared));
    if let Some(f) = certified.f {
        worst_others = math::min(worst_others, digits(fact("F statistic").unwrap(), f));
    }
    println!("{name}: {worst:.1} digits of coefficients, {worst_others:.1} of the rest");
    assert_eq!(rows.len(), certified.coefficients.len());
    assert!(worst >= least, "{name}: {worst} digits of the coefficients: {rows:?}");
    assert!(worst_others >= least_others, "{name}: {worst_others} digits: {rows:?} {facts:?}");
}

#[test]
fn norris() {
    let rows: [(f64, f64); 36] = [
        (0.1, 0.2),
        (338.8, 337.4),
        (118.1, 118.2),
        (888.0, 884.6),
        (9.2, 10.1),
        (228.1, 226.5),
        (668.5, 666.3),
        (998.5, 996.3),
        (449.1, 448.6),
        (778.9, 777.0),
        (559.2, 558.2),
        (0.3, 0.4),
        (0.1, 0.6),
        (778.1, 775.5),
        (668.8, 666.9),
        (339.3, 338.0),
        (448.9, 447.5),
        (10.8, 11.6),
        (557.7, 556.0),
        (228.3, 228.1),
        (998.0, 995.8),
        (888.8, 887.6),
        (119.6, 120.2),
        (0.3, 0.3),
        (0.6, 0.3),
        (557.6, 556.8),
        (339.3, 339.1),
        (888.0, 887.2),
        (998.5, 999.0),
        (778.9, 779.0),
        (10.2, 11.1),
        (117.6, 118.3),
        (228.9, 229.2),
        (668.4, 669.1),
        (449.2, 448.9),
        (0.2, 0.5),
    ];
    let (y, x): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
    let certified = Certified {
        coefficients: vec![
            (-0.262323073774029, 0.232818234301152),
            (1.00211681802045, 0.429796848199937e-3),
        ],
        residual_sd: 0.884796396144373,
        r_squared: 0.999993745883712,
        f: Some(5436385.54079785),
    };
    // The intercept loses what rounding the slope costs 400 away from it.
    check("Norris", &[x], &y, &certified, [12.5, 13.5]);
}

#[test]
fn longley() {
    let rows: [[f64; 7]; 16] = [
        [60323.0, 83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0],
        [61122.0, 88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0],
        [60171.0, 88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0],
        [61187.0, 89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0],
        [63221.0, 96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0],
        [63639.0, 98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0],
        [64989.0, 99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0],
        [63761.0, 100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0],
        [66019.0, 101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0],
        [67857.0, 104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0],
        [68169.0, 108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0],
        [66513.0, 110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0],
        [68655.0, 112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0],
        [69564.0, 114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0],
        [69331.0, 115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0],
        [70551.0, 116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0],
    ];
    let column = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (1..7).map(column).collect();
    let certified = Certified {
        coefficients: vec![
            (-3482258.63459582, 890420.383607373),
            (15.0618722713733, 84.9149257747669),
            (-0.358191792925910e-1, 0.334910077722432e-1),
            (-2.02022980381683, 0.488399681651699),
            (-1.03322686717359, 0.214274163161675),
            (-0.511041056535807e-1, 0.226073200069370),
            (1829.15146461355, 455.478499142212),
        ],
        residual_sd: 304.854073561965,
        r_squared: 0.995479004577296,
        f: Some(330.285339234588),
    };
    check("Longley", &columns, &column(0), &certified, [14.0, 14.5]);
}

/// Polynomials of degree 5 at 0, 1, ..., 20.
#[test]
fn wampler() {
    let columns: Vec<Vec<f64>> =
        (1..=5).map(|power| (0..=20).map(|x| math::powi(f64::from(x), power)).collect()).collect();
    let polynomial = |factor: f64| -> Vec<f64> {
        let term = |x: usize, k: usize| math::powi(factor, k as i32 + 1) * columns[k][x];
        (0..=20).map(|x| 1.0 + math::sum_in_order((0..5).map(|k| term(x, k)))).collect()
    };
    let y1 = polynomial(1.0);
    let ones = |errors: [f64; 6]| errors.iter().map(|e| (1.0, *e)).collect::<Vec<_>>();
    let exact =
        |coefficients| Certified { coefficients, residual_sd: 0.0, r_squared: 1.0, f: None };
    check("Wampler 1", &columns, &y1, &exact(ones([0.0; 6])), [15.0, 15.0]);
    // The data have five decimals: 1 + x / 10 + ... + (x / 10)^5 rounded to them is exact.
    let y2: Vec<f64> = polynomial(0.1).iter().map(|y| (y * 1e5).round() / 1e5).collect();
    let tenths: Vec<(f64, f64)> = ["1", "0.1", "0.01", "0.001", "0.0001", "0.00001"]
        .map(|x| (x.parse().unwrap(), 0.0))
        .to_vec();
    check("Wampler 2", &columns, &y2, &exact(tenths), [13.0, 15.0]);
    let noise = [
        759.0, -2048.0, 2048.0, -2048.0, 2523.0, -2048.0, 2048.0, -2048.0, 1838.0, -2048.0, 2048.0,
        -2048.0, 1838.0, -2048.0, 2048.0, -2048.0, 2523.0, -2048.0, 2048.0, -2048.0, 759.0,
    ];
    let errors = [
        2152.32624678170,
        2363.55173469681,
        779.343524331583,
        101.475507550350,
        5.64566512170752,
        0.112324854679312,
    ];
    for (name, factor, r_squared, f) in [
        ("Wampler 3", 1.0, 0.999995559025820, 675524.458240122),
        ("Wampler 4", 100.0, 0.957478440825662, 67.5524458240122),
        ("Wampler 5", 1e4, 0.224668921574940e-2, 6.75524458240122e-3),
    ] {
        let y: Vec<f64> = y1.iter().zip(noise).map(|(y, e)| y + factor * e).collect();
        let certified = Certified {
            coefficients: ones(errors.map(|e| factor * e)),
            residual_sd: factor * 2360.14502379268,
            r_squared,
            f: Some(f),
        };
        check(name, &columns, &y, &certified, [15.0, 13.5]);
    }
}

/// Columns, one of them nearly the sum of two others, and a target of two classes.
fn classes(n_rows: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut draws = Stream::new(Seed(5), "linear", "", "table").pcg();
    let (mut columns, mut target) = (vec![Vec::new(); 6], Vec::new());
    for _ in 0..n_rows {
        let mut row: Vec<f64> = (0..5).map(|_| draws.normal()).collect();
        row.push(row[0] - row[1] + 0.01 * draws.normal());
        let signal = row[0] - 0.5 * row[2] + 0.1 * row[3] + draws.normal();
        columns.iter_mut().zip(&row).for_each(|(column, x)| column.push(*x));
        target.push(f64::from(u8::from(signal > 0.3)));
    }
    (columns, target)
}

/// The objective less the value of a feasible point of the dual problem, as a share: no solution is
/// better by more.
#[test]
fn logistic_lasso_has_no_duality_gap() {
    let (columns, target) = classes(400);
    for c in [0.01, 0.1, 1.0, 100.0] {
        let params = LogisticRegressionParams { penalty: Penalty::L1, c, ..Default::default() };
        let model = fit(&columns, &target, params);
        let weights = model.coefficients().unwrap();
        let intercept = model.facts()[0].1;
        let z: Vec<f64> = (0..target.len())
            .map(|i| intercept + math::sum_in_order((0..6).map(|j| weights[j] * columns[j][i])))
            .collect();
        let residuals: Vec<f64> =
            z.iter().zip(&target).map(|(z, y)| math::sigmoid(*z) - y).collect();
        let loss = z.iter().zip(&target).map(|(z, y)| math::softplus(*z) - y * z);
        let primal =
            math::sum_in_order(loss) + math::sum_in_order(weights.iter().map(|w| w.abs())) / c;
        // The dual's conditions: residuals sum to 0, and no column's product exceeds 1 / c.
        let sum = math::sum_in_order(residuals.iter().copied());
        assert!(sum.abs() <= 1e-11, "{c}: {sum}");
        let steepest = columns.iter().map(|x| math::dot(x, &residuals).abs()).fold(0.0, math::max);
        let shrink = math::min(1.0, 1.0 / c / steepest);
        let entropy = |p: f64| if p > 0.0 { p * math::ln(p) } else { 0.0 };
        let dual = residuals.iter().zip(&target).map(|(r, y)| {
            let p = y + shrink * r;
            -entropy(p) - entropy(1.0 - p)
        });
        let dual = math::sum_in_order(dual);
        let gap = (primal - dual) / primal;
        println!("c = {c}: objective {primal}, gap {gap:e}, weights {weights:?}");
        assert!(gap.abs() <= 1e-12, "{c}: {gap}");
    }
}

/// Two classes fitted as several: the difference of both lines is the line of the two, with half
/// the penalty on it.
#[test]
fn two_classes_as_several() {
    let (columns, target) = classes(300);
    let two = LogisticRegressionParams { c: 2.0, ..Default::default() };
    let two = fit(&columns, &target, two);
    let names = (0..6).map(|j| Field::new(format!("x{j:02}"), ColumnKind::Num));
    let schema = Arc::new(Schema::new(names).unwrap());
    let batch_columns = columns.iter().map(|c| Column::num(c.iter().copied())).collect();
    let mut batch = Batch::new(Arc::clone(&schema), batch_columns).unwrap();
    batch.set_target(target.clone(), vec![RowKey::default(); 300]);
    let slots: Vec<usize> = (0..6).collect();
    let params = LogisticRegressionParams { c: 1.0, ..Default::default() };
    let ctx = FitContext::new("model", Seed(0), Task::Multiclass, &schema, &slots).classes(2);
    let params: ModelParams = params.into();
    let several = params.fit(&MemoryRows::from_batch(batch.clone()), &ctx).unwrap();
    assert_eq!((several.n_outputs(), two.n_outputs()), (2, 1));
    let (mut shares, mut scores) = (vec![0.0; 600], vec![0.0; 300]);
    several.predict(&mut batch.clone(), &slots, &mut shares).unwrap();
    two.predict(&mut batch, &slots, &mut scores).unwrap();
    for (shares, score) in shares.chunks(2).zip(&scores) {
        // |b|² / 2 for b, against |b / 2|² for both halves: half as much.
        assert!((shares[1] - score).abs() < 1e-10, "{shares:?} {score}");
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-15);
    }
}

/// Spector and Mazzeo (1980), as printed in Greene's Econometric Analysis: grade point average,
/// test score, whether taught by the new method, whether the grade improved. The published fit has
/// the decimals below.
#[test]
fn logistic_summary_of_a_published_study() {
    let rows: [[f64; 4]; 32] = [
        [2.66, 20.0, 0.0, 0.0],
        [2.89, 22.0, 0.0, 0.0],
        [3.28, 24.0, 0.0, 0.0],
        [2.92, 12.0, 0.0, 0.0],
        [4.00, 21.0, 0.0, 1.0],
        [2.86, 17.0, 0.0, 0.0],
        [2.76, 17.0, 0.0, 0.0],
        [2.87, 21.0, 0.0, 0.0],
        [3.03, 25.0, 0.0, 0.0],
        [3.92, 29.0, 0.0, 1.0],
        [2.63, 20.0, 0.0, 0.0],
        [3.32, 23.0, 0.0, 0.0],
        [3.57, 23.0, 0.0, 0.0],
        [3.26, 25.0, 0.0, 1.0],
        [3.53, 26.0, 0.0, 0.0],
        [2.74, 19.0, 0.0, 0.0],
        [2.75, 25.0, 0.0, 0.0],
        [2.83, 19.0, 0.0, 0.0],
        [3.12, 23.0, 1.0, 0.0],
        [3.16, 25.0, 1.0, 1.0],
        [2.06, 22.0, 1.0, 0.0],
        [3.62, 28.0, 1.0, 1.0],
        [2.89, 14.0, 1.0, 0.0],
        [3.51, 26.0, 1.0, 0.0],
        [3.54, 24.0, 1.0, 1.0],
        [2.83, 27.0, 1.0, 1.0],
        [3.39, 17.0, 1.0, 1.0],
        [2.67, 24.0, 1.0, 0.0],
        [3.65, 21.0, 1.0, 1.0],
        [4.00, 23.0, 1.0, 1.0],
        [3.10, 21.0, 1.0, 0.0],
        [2.39, 19.0, 1.0, 1.0],
    ];
    let column = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..3).map(column).collect();
    let params =
        LogisticRegressionParams { penalty: Penalty::None, summary: true, ..Default::default() };
    let model = fit(&columns, &column(3), params);
    let found = model.summary(0.05).unwrap();
    let published = [
        (-13.0213, 4.931, -2.641, 0.008, -22.687, -3.356),
        (2.8261, 1.263, 2.238, 0.025, 0.351, 5.301),
        (0.0952, 0.142, 0.672, 0.501, -0.182, 0.373),
        (2.3787, 1.065, 2.234, 0.025, 0.292, 4.465),
    ];
    for (row, (estimate, error, z, p, low, high)) in found.iter().zip(published) {
        // Half a unit of the last printed decimal.
        let printed = |found: f64, shown: f64, half: f64| {
            assert!((found - shown).abs() <= half * 1.0001, "{found} {shown} {row:?}");
        };
        printed(row.estimate, estimate, 0.00005);
        printed(row.standard_error, error, 0.0005);
        printed(row.statistic, z, 0.0005);
        printed(row.p_value, p, 0.0005);
        printed(row.low, low, 0.0005);
        printed(row.high, high, 0.0005);
    }
    let facts = model.facts();
    let likelihood = facts.iter().find(|(name, _)| name == "log-likelihood").unwrap().1;
    assert!((likelihood + 12.890).abs() <= 0.0005, "{likelihood}");
}

/// Three columns and a positive target of whole numbers divided, so that any language makes them.
fn peers_table() -> (Vec<Vec<f64>>, Vec<f64>) {
    let whole = |n: u32, by: u32| f64::from(n) / f64::from(by);
    let rows: Vec<u32> = (0..60).collect();
    let columns = vec![
        rows.iter().map(|i| whole(i * 37 % 61, 16)).collect(),
        rows.iter().map(|i| whole(i * 17 % 29, 8) - 1.0).collect(),
        rows.iter().map(|i| whole(i * i % 23, 4)).collect::<Vec<f64>>(),
    ];
    let y = |i: &u32| {
        let row = *i as usize;
        1.0 + columns[0][row]
            + 0.25 * (columns[1][row] * columns[1][row])
            + whole(i * 7919 % 101, 20)
    };
    let target = rows.iter().map(y).collect();
    (columns, target)
}

/// Coefficients of scikit-learn 1.9.1, whose solvers stop where the last digits are still open: the
/// distance is theirs to the optimum.
#[test]
fn generalised_models_are_those_of_a_peer() {
    let (columns, target) = peers_table();
    let poisson = PoissonRegressionParams { alpha: 0.5, ..Default::default() };
    let gamma = GammaRegressionParams { alpha: 0.5, ..Default::default() };
    let tweedie = TweedieRegressionParams { alpha: 0.5, ..Default::default() };
    let cases: [(ModelParams, [f64; 4]); 3] = [
        (
            poisson.into(),
            [0.22294100744104167, 0.04497541986048252, 0.008552075311961265, 1.2513412626493832],
        ),
        (
            gamma.into(),
            [0.18183485032749208, 0.031947806064387296, 0.005363865172686815, 1.3404993469236501],
        ),
        (
            tweedie.into(),
            [0.21216088545114528, 0.037683384029134806, 0.007336674263309132, 1.278531970459394],
        ),
    ];
    for (params, expected) in cases {
        let model = fit(&columns, &target, params);
        let found = [model.coefficients().unwrap(), &[model.facts()[0].1]].concat();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-11, "{}: {found} {expected}", model.kind());
        }
    }
}

#[test]
fn robust_models_are_no_worse_than_a_peer() {
    let (columns, target) = peers_table();
    let rests = |model: &AnyModel| -> Vec<f64> {
        let weights = model.coefficients().unwrap().to_vec();
        let intercept = model.facts()[0].1;
        (0..60)
            .map(|i| {
                let sum = math::sum_in_order((0..3).map(|j| weights[j] * columns[j][i]));
                target[i] - sum - intercept
            })
            .collect()
    };
    let huber = HuberRegressionParams { alpha: 0.01, ..Default::default() };
    let model = fit(&columns, &target, huber);
    let weights = model.coefficients().unwrap();
    let spread = model.facts()[1].1;
    let cost = rests(&model).into_iter().map(|r| {
        let near = r.abs() <= 1.35 * spread;
        if near { r * r / spread } else { 2.7 * r.abs() - spread * (1.35 * 1.35) }
    });
    let ours = 60.0 * spread + math::sum_in_order(cost) + 0.01 * math::dot(weights, weights);
    println!("huber: {ours} against 181.3681379826186, spread {spread}");
    assert!(ours <= 181.3681379826186 * (1.0 + 1e-13));
    assert!((weights[0] - 1.4195800183983531).abs() < 1e-5, "{weights:?}");
    // The peer's linear programs are exact to their rounding.
    for (quantile, alpha, peer, first) in [
        (0.3, 0.0, 0.49053797675534117, 1.1601534951254928),
        (0.75, 0.05, 0.5751503788680399, 0.6753950338600456),
    ] {
        let params = QuantileRegressionParams { quantile, alpha, ..Default::default() };
        let model = fit(&columns, &target, params);
        let weights = model.coefficients().unwrap();
        let cost = rests(&model)
            .into_iter()
            .map(|r| if r > 0.0 { quantile * r } else { (quantile - 1.0) * r });
        let sizes = math::sum_in_order(weights.iter().map(|w| w.abs()));
        let ours = math::sum_in_order(cost) / 60.0 + alpha * sizes;
        println!("quantile {quantile}: {ours} against {peer}, {:?}", model.facts());
        assert!(ours <= peer * (1.0 + 1e-12), "{quantile}: {ours} {peer}");
        assert!((weights[0] - first).abs() < 1e-10, "{weights:?}");
    }
}

#[test]
fn several_classes_and_both_penalties_are_those_of_a_peer() {
    let (columns, target) = peers_table();
    let bands: Vec<f64> =
        target.iter().map(|y| f64::from(u8::from(*y > 4.5) + u8::from(*y > 6.5))).collect();
    let intercepts = |model: &AnyModel| -> Vec<f64> {
        let facts = model.facts().into_iter();
        facts.filter(|(name, _)| name.starts_with("intercept")).map(|(_, x)| x).collect()
    };
    let close = |found: &[f64], expected: &[f64], by: f64| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= by, "{found} {expected}");
        }
    };
    let squares = LogisticRegressionParams { c: 0.7, ..Default::default() };
    let model = fit_as(&columns, &bands, squares.into(), Task::Multiclass);
    close(&intercepts(&model), &[1.837870102960469, -0.5929016052918386, -1.244968497668632], 1e-8);
    let sizes = LogisticRegressionParams { penalty: Penalty::L1, c: 0.3, ..Default::default() };
    let model = fit_as(&columns, &bands, sizes.into(), Task::Multiclass);
    close(
        &intercepts(&model),
        &[1.6957815784536765, -0.9064031823752268, -0.7893783960784245],
        1e-6,
    );
    let two: Vec<f64> = target.iter().map(|y| f64::from(u8::from(*y > 5.5))).collect();
    let both =
        LogisticRegressionParams { penalty: Penalty::ElasticNet, c: 0.7, ..Default::default() };
    let model = fit(&columns, &two, both);
    close(model.coefficients().unwrap(), &[1.8110647415386287, 0.0, -0.021948036077899295], 1e-7);
    assert_eq!(model.coefficients().unwrap()[1], 0.0);
    close(&intercepts(&model), &[-2.492299924068777], 1e-6);
}
