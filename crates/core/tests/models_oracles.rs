//! The linear models against published and independently computed optima.
//!
//! These are mathematical distances between our optimum and one computed elsewhere in extended
//! precision, not sameness: our own bits are compared without tolerance in conformance. The
//! reference results live outside the project; where they are absent the tests say so and pass.

#![allow(clippy::disallowed_methods, reason = "a test may read the files it compares with")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::config::Task;
use samescore_core::digest::RowKey;
use samescore_core::error::{Code, Result};
use samescore_core::math;
use samescore_core::models::{
    AnyModel, ElasticNetParams, LinearRegressionParams, LogisticRegressionParams, ModelParams,
    Penalty,
};
use samescore_core::rng::Seed;
use samescore_core::step::FitContext;
use serde_json::Value;

/// Rows under this share of the training rows have a rare label.
const RARE_SHARE: f64 = 0.05;

/// The reference file `path`; `None`, with a line that says so, where it is absent.
fn shared(path: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let roots = ["../../../shared", "../../../../shared"].map(|up| root.join(up));
    let found = roots.iter().find_map(|root| fs::read_to_string(root.join(path)).ok());
    if found.is_none() {
        println!("skipped: the reference results `{path}` are not here");
    }
    found
}

fn records(path: &str) -> Option<Vec<Value>> {
    let text = shared(path)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Some(lines.map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// A table of complete numeric columns with a target.
struct Design {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    target: Vec<f64>,
}

/// A model's coefficients and intercept.
struct Line {
    intercept: f64,
    coefficients: Vec<f64>,
}

impl Design {
    fn fit(&self, params: impl Into<ModelParams>, task: Task) -> Result<AnyModel> {
        let fields = self.names.iter().map(|name| Field::new(name, ColumnKind::Num));
        // Kept in this order: a schema of its own may sort names, so columns are looked up by name.
        let schema = Arc::new(Schema::new(fields).unwrap());
        let columns = self.columns.iter().map(|c| Column::num(c.iter().copied()));
        let mut batch = Batch::new(Arc::clone(&schema), columns.collect()).unwrap();
        batch.set_target(self.target.clone(), vec![RowKey::default(); self.target.len()]);
        let rows = MemoryRows::from_batch(batch);
        let slots: Vec<usize> = self.names.iter().map(|n| schema.slot(n).unwrap()).collect();
        let ctx = FitContext::new("model", Seed(0), task, &schema, &slots);
        let params = params.into();
        params.validate().unwrap();
        params.fit(&rows, &ctx)
    }

    fn line(&self, params: impl Into<ModelParams>, task: Task) -> Line {
        let model = self.fit(params, task).unwrap();
        let facts = model.facts();
        let intercept = facts.iter().find(|(name, _)| name == "intercept").unwrap().1;
        Line { intercept, coefficients: model.coefficients().unwrap().to_vec() }
    }

    fn expected(&self, record: &Value) -> Line {
        let coefficients = match &record["coef"] {
            Value::Array(_) => numbers(&record["coef"]),
            by_name => self.names.iter().map(|name| number(&by_name[name])).collect(),
        };
        Line { intercept: number(&record["intercept"]), coefficients }
    }

    /// intercept + Σ coefficient · value of each row.
    fn sums(&self, line: &Line) -> Vec<f64> {
        let row = |i: usize| {
            let terms = self.columns.iter().zip(&line.coefficients);
            math::sum_in_order(terms.map(|(c, b)| c[i] * b)) + line.intercept
        };
        (0..self.target.len()).map(row).collect()
    }
}

/// Largest distance of coefficients as a share of the largest coefficient, intercept included.
fn distance(found: &Line, expected: &Line) -> f64 {
    let all = |line: &Line| [&[line.intercept][..], &line.coefficients].concat();
    let (found, expected) = (all(found), all(expected));
    let size = expected.iter().fold(0.0, |size, x| math::max(size, x.abs()));
    let gaps = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    gaps.fold(0.0, math::max) / size
}

/// Largest relative distance of one coefficient.
fn relative_distance(found: &Line, expected: &Line) -> f64 {
    let pairs = found.coefficients.iter().zip(&expected.coefficients);
    pairs
        .map(|(a, b)| if a == b { 0.0 } else { ((a - b) / b).abs() })
        .fold(((found.intercept - expected.intercept) / expected.intercept).abs(), math::max)
}

/// Rows of a CSV text, header first: commas, quotes doubled inside quotes.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

/// The training rows of split seed 0, by column.
fn training(table: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let rows = csv(&shared(&format!("data/committable/{table}.csv"))?);
    let (header, rows) = rows.split_first().unwrap();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (i, row) in (0u64..).zip(rows) {
        let hash = i.wrapping_mul(2_654_435_761) & 0xffff_ffff;
        if (hash >> 16) % 10 < 7 {
            for (name, cell) in header.iter().zip(row) {
                columns.entry(name.clone()).or_default().push(cell.clone());
            }
        }
    }
    if let Some(names) = columns.get("name").cloned() {
        let title = |name: &String| {
            let rest = name.split_once(", ").map_or("", |(_, rest)| rest);
            rest.split('.').next().unwrap_or_default().to_owned()
        };
        columns.insert("title".into(), names.iter().map(title).collect());
        let cabins = columns["cabin"].iter();
        let deck = cabins.map(|cabin| cabin.chars().take(1).collect());
        let deck: Vec<String> = deck.collect();
        columns.insert("cabin0".into(), deck);
    }
    Some(columns)
}

/// Median imputation, then (x - mean) / sd with divisor n.
fn scaled(cells: &[String]) -> Vec<f64> {
    let x: Vec<f64> = cells.iter().map(|c| c.parse().unwrap_or(f64::NAN)).collect();
    let mut present: Vec<f64> = x.iter().copied().filter(|x| !x.is_nan()).collect();
    present.sort_by(|a, b| math::total_cmp(*a, *b));
    let n = present.len();
    let median = (present[(n - 1) / 2] + present[n / 2]) / 2.0;
    let mut moments = math::Moments::new();
    let filled: Vec<f64> = x.iter().map(|x| if x.is_nan() { median } else { *x }).collect();
    moments.observe_slice(&filled);
    let (mean, sd) = (moments.mean().unwrap(), moments.std(0).unwrap());
    filled.iter().map(|x| (x - mean) / sd).collect()
}

/// Missing and rare labels grouped.
fn grouped(cells: &[String]) -> Vec<String> {
    let named = |c: &String| {
        if c.is_empty() { "Missing".into() } else { c.clone() }
    };
    let labels: Vec<String> = cells.iter().map(named).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    labels.iter().for_each(|l| *counts.entry(l).or_default() += 1);
    let rare = |l: &String| (counts[l.as_str()] as f64) < RARE_SHARE * cells.len() as f64;
    labels.iter().map(|l| if rare(l) { "Rare".into() } else { l.clone() }).collect()
}

/// The design matrix of the reference results, checked against their digests.
fn design(table: &str, target: &str, records: &[Value]) -> Option<Design> {
    let columns = training(table)?;
    let prep = records.iter().find(|r| r["id"] == "prepA").unwrap();
    let names = prep["columns"].as_array().unwrap().iter();
    let names: Vec<String> = names.map(|name| name.as_str().unwrap().to_owned()).collect();
    let values = |name: &String| match name.split_once('=') {
        None => scaled(&columns[name]),
        Some((column, label)) => {
            grouped(&columns[column]).iter().map(|l| f64::from(u8::from(l == label))).collect()
        }
    };
    let found = Design {
        columns: names.iter().map(values).collect(),
        target: columns[target].iter().map(|c| c.parse().unwrap()).collect(),
        names,
    };
    for (name, column) in found.names.iter().zip(&found.columns) {
        let weight =
            |i: u64| (i.wrapping_mul(2_654_435_761) & 0xffff_ffff) as f64 / 4_294_967_296.0;
        let sum = math::sum_in_order((0..).zip(column).map(|(i, x)| x * weight(i)));
        let expected = number(&prep["train"][name]["wsum"]);
        // The distance to a published checksum: the peer rounds each scaled value on its own.
        assert!(
            (sum - expected).abs() < 1e-9 * column.len() as f64,
            "{table} {name}: {sum} {expected}"
        );
    }
    Some(found)
}

#[test]
fn least_squares_and_ridge() {
    for (table, target) in [("diabetes", "target"), ("sim_houses", "sale_price")] {
        let Some(records) = records(&format!("oracles/{table}/models.jsonl")) else {
            return;
        };
        let Some(design) = design(table, target, &records) else {
            return;
        };
        let mut n_compared = 0;
        for record in &records {
            let id = record["id"].as_str().unwrap();
            let alpha = match id {
                "ols.exact" => 0.0,
                id => match id.strip_prefix("ridge.exact_") {
                    Some(alpha) => alpha.parse().unwrap(),
                    None => continue,
                },
            };
            let params = LinearRegressionParams { alpha, ..Default::default() };
            let found = design.line(params, Task::Regression);
            let apart = relative_distance(&found, &design.expected(record));
            println!("{table} {id}: {apart:e}");
            assert!(apart <= 1e-9, "{table} {id}: {apart:e}");
            n_compared += 1;
        }
        assert!(n_compared >= 2, "{table}");
    }
}

#[test]
fn lasso_and_elastic_net() {
    for (table, target) in [("diabetes", "target"), ("sim_houses", "sale_price")] {
        let Some(records) = records(&format!("oracles/{table}/models.jsonl")) else {
            return;
        };
        let Some(design) = design(table, target, &records) else {
            return;
        };
        let mut n_compared = 0;
        for record in &records {
            let id = record["id"].as_str().unwrap();
            if !id.starts_with("lasso.") && !id.starts_with("enet.") {
                continue;
            }
            let params = ElasticNetParams {
                alpha: number(&record["alpha"]),
                l1_ratio: number(&record["l1_ratio"]),
                ..Default::default()
            };
            let (found, expected) =
                (design.line(params.clone(), Task::Regression), design.expected(record));
            let (ours, theirs) =
                (penalised(&design, &params, &found), penalised(&design, &params, &expected));
            let apart = relative_distance(&found, &expected);
            println!("{table} {id}: objective {ours} against {theirs}, coefficients {apart:e}");
            assert!(ours <= theirs * (1.0 + 1e-12), "{table} {id}: {ours} {theirs}");
            assert!(apart <= 1e-9, "{table} {id}: {apart:e}");
            n_compared += 1;
        }
        assert!(n_compared >= 6, "{table}");
    }
}

/// The objective of the elastic net.
fn penalised(design: &Design, params: &ElasticNetParams, line: &Line) -> f64 {
    let residuals = design.target.iter().zip(design.sums(line)).map(|(y, z)| y - z);
    let fit = math::sum_in_order(residuals.map(|r| r * r)) / (2.0 * design.target.len() as f64);
    let absolute = math::sum_in_order(line.coefficients.iter().map(|b| b.abs()));
    let squares = math::dot(&line.coefficients, &line.coefficients);
    fit + params.alpha * params.l1_ratio * absolute
        + params.alpha * (1.0 - params.l1_ratio) / 2.0 * squares
}

#[test]
fn logistic() {
    let Some(records) = records("oracles/titanic/models.jsonl") else {
        return;
    };
    let Some(design) = design("titanic", "survived", &records) else {
        return;
    };
    let mut n_compared = 0;
    for record in &records {
        let id = record["id"].as_str().unwrap();
        if !id.starts_with("logit.C_") {
            continue;
        }
        n_compared += 1;
        let Some(c) = record["C"].as_f64() else {
            let params = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
            let error = design.fit(params, Task::Binary).unwrap_err();
            println!("titanic {id}: {error}");
            assert_eq!(error.code(), Code::NotConverged);
            // The women with a rare title all survived: sex and title run away together.
            assert!(error.message().contains("`sex=male`"), "{error}");
            continue;
        };
        let params = LogisticRegressionParams { c, ..Default::default() };
        let found = design.line(params, Task::Binary);
        let apart = relative_distance(&found, &design.expected(record));
        let steepest = logistic_gradient(&design, c, &found);
        println!("titanic {id}: coefficients {apart:e}, gradient {steepest:e}");
        assert!(apart <= 1e-9, "{id}: {apart:e}");
        assert!(steepest <= 1e-9, "{id}: {steepest:e}");
    }
    assert_eq!(n_compared, 3);
}

/// The largest derivative of c Σ loss + ½ |b|².
fn logistic_gradient(design: &Design, c: f64, line: &Line) -> f64 {
    let residuals: Vec<f64> = (design.sums(line).iter().zip(&design.target))
        .map(|(z, y)| math::sigmoid(*z) - y)
        .collect();
    let columns = design.columns.iter().zip(&line.coefficients);
    let derivatives = columns.map(|(x, b)| c * math::dot(x, &residuals) + b);
    let intercept = c * math::sum_in_order(residuals.iter().copied());
    derivatives.fold(intercept.abs(), |steepest, d| math::max(steepest, d.abs()))
}

#[test]
fn certified_least_squares() {
    let Some(records) = records("oracles/nist/nist.jsonl") else {
        return;
    };
    let mut n_compared = 0;
    for record in records.iter().filter(|r| r.get("X").is_some()) {
        let rows: Vec<Vec<f64>> = record["X"].as_array().unwrap().iter().map(numbers).collect();
        let n = rows[0].len();
        let design = Design {
            names: (0..n).map(|j| format!("x{j:02}")).collect(),
            columns: (0..n).map(|j| rows.iter().map(|r| r[j]).collect()).collect(),
            target: numbers(&record["y"]),
        };
        let found = design.line(LinearRegressionParams::default(), Task::Regression);
        let expected = design.expected(record);
        let apart = relative_distance(&found, &expected);
        println!("{}: {apart:e}, by size {:e}", record["id"], distance(&found, &expected));
        assert!(apart <= 1e-9, "{}: {apart:e}", record["id"]);
        n_compared += 1;
    }
    assert!(n_compared >= 5);
}
