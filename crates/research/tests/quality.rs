//! How well forests, boosting and networks predict rows that they have not seen, next to the peers'
//! figures on the same splits.
//!
//! Draws differ, so what is compared is the mean over splits, and ours may lie one of the peers'
//! standard deviations (over ten splits) below theirs over the same splits. The small tables have
//! all ten splits, the others the first three, to keep the time of the test modest. Tables and
//! figures live outside the project; where they are absent the tests say so and pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, RowKeyer, Schema, fit_keys};
use samescore_core::config::{DataConfig, Task};
use samescore_core::math::{self, Moments};
use samescore_core::models::{GradientBoostingParams, MlpParams, ModelParams, RandomForestParams};
use samescore_core::rng::Seed;
use samescore_core::step::FitContext;
use samescore_research::gather;
use samescore_research::metrics::{self, Cases};
use serde_json::Value;

/// Labels under this share of the training rows are rare.
const RARE_SHARE: f64 = 0.05;

/// A table outside the project, and how it is used.
struct Set {
    /// The folder of its figures.
    name: &'static str,
    table: &'static str,
    target: &'static str,
    /// The label that counts as 1, of a target of labels.
    positive: &'static str,
    task: Task,
    /// Columns that are used; none: all but the target and `unused`.
    used: &'static [&'static str],
    unused: &'static [&'static str],
    n_splits: u64,
}

/// A path in the shared folder beside or one above the checkout.
fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = ["../../../shared", "../../../../shared"].map(|up| root.join(up).join(path));
    let found = roots.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: `{path}` of the shared folder is not here");
    }
    found
}

/// The peers' figures of a model.
fn peer(set: &Set, id: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(&format!("oracles/{}/quality.jsonl", set.name))?);
    let records = text.unwrap().lines().map(serde_json::from_str::<Value>).collect::<Vec<_>>();
    records.into_iter().flatten().find(|record| record["id"] == id)
}

/// The names of a CSV file's columns, or of a label and the numbers f1 to f28.
fn names(path: &Path) -> Vec<String> {
    if path.extension().is_some_and(|ending| ending == "parquet") {
        return (1..=28).map(|i| format!("f{i}")).chain(["label".to_owned()]).collect();
    }
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().next().unwrap().split(',').map(|name| name.replace('"', "")).collect()
}

/// Every column's cells as text; missing ones are empty.
fn table(set: &Set) -> Option<BTreeMap<String, Vec<String>>> {
    let path = shared(set.table)?;
    let is_parquet = path.extension().is_some_and(|ending| ending == "parquet");
    let kind = if is_parquet { ColumnKind::Num } else { ColumnKind::Text };
    let columns = names(&path).into_iter().map(|name| (name, kind.into())).collect();
    let missing = vec!["?".to_owned()];
    let data = DataConfig { columns, missing, ..DataConfig::default() };
    let batch = gather::read(path.as_path(), &data, &[]).unwrap();
    let cell = |column: &Column, row: usize| match column {
        Column::Num(values) => values[row].to_string(),
        Column::Text(texts) => texts.get(row).unwrap_or_default().to_owned(),
        Column::Time(_) => unreachable!("no column of times is declared"),
    };
    let fields = batch.schema().fields().iter().enumerate();
    let mut cells: BTreeMap<String, Vec<String>> = fields
        .map(|(slot, field)| {
            let column = batch.column(slot);
            (field.name.clone(), (0..batch.n_rows()).map(|row| cell(column, row)).collect())
        })
        .collect();
    if set.used.contains(&"title") {
        let title = |name: &String| {
            let rest = name.split_once(", ").map_or("", |(_, rest)| rest);
            rest.split('.').next().unwrap_or_default().to_owned()
        };
        let titles = cells["name"].iter().map(title).collect();
        let decks = cells["cabin"].iter().map(|c| c.chars().take(1).collect()).collect();
        cells.insert("title".into(), titles);
        cells.insert("deck".into(), decks);
    }
    Some(cells)
}

fn is_train(row: u64, split: u64) -> bool {
    let hash = (row + 1_000_003 * split).wrapping_mul(2_654_435_761) & 0xffff_ffff;
    (hash >> 16) % 10 < 7
}

/// Median imputation, then for networks (x - mean) / sd, all of the training rows.
fn numbers(cells: &[String], train: &[bool], is_scaled: bool) -> Vec<f64> {
    let x: Vec<f64> = cells.iter().map(|c| c.parse().unwrap_or(f64::NAN)).collect();
    let pairs = || x.iter().zip(train).filter(|(_, train)| **train).map(|(x, _)| *x);
    let mut present: Vec<f64> = pairs().filter(|x| !x.is_nan()).collect();
    present.sort_by(|a, b| math::total_cmp(*a, *b));
    let n = present.len();
    let median = (present[(n - 1) / 2] + present[n / 2]) / 2.0;
    let fill = |x: f64| if x.is_nan() { median } else { x };
    if !is_scaled {
        return x.iter().map(|&x| fill(x)).collect();
    }
    let mut moments = Moments::new();
    pairs().for_each(|x| moments.observe(fill(x)));
    let (mean, sd) = (moments.mean().unwrap(), moments.std(0).unwrap());
    let sd = if sd == 0.0 { 1.0 } else { sd };
    x.iter().map(|&x| (fill(x) - mean) / sd).collect()
}

/// A 0/1 column per label but the first; missing labels are one, rare and unseen ones another.
fn indicators(cells: &[String], train: &[bool]) -> Vec<Vec<f64>> {
    let labels: Vec<&str> =
        cells.iter().map(|c| if c.is_empty() { "Missing" } else { c.as_str() }).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let pairs = labels.iter().zip(train);
    pairs.filter(|(_, train)| **train).for_each(|(l, _)| *counts.entry(l).or_default() += 1);
    let least = RARE_SHARE * train.iter().filter(|t| **t).count() as f64;
    let kept = |l: &str| counts.get(l).is_some_and(|n| *n as f64 >= least);
    let grouped: Vec<&str> = labels.iter().map(|l| if kept(l) { l } else { "Rare" }).collect();
    let in_train = grouped.iter().zip(train).filter(|(_, train)| **train);
    let mut levels: Vec<&str> = in_train.map(|(l, _)| *l).collect();
    levels.sort();
    levels.dedup();
    let column = |level: &&str| grouped.iter().map(|l| f64::from(u8::from(l == level))).collect();
    levels.iter().skip(1).map(column).collect()
}

/// Targets and features by row, split.
struct Design {
    train: Batch,
    test: Batch,
}

impl Design {
    fn of(set: &Set, cells: &BTreeMap<String, Vec<String>>, split: u64, is_scaled: bool) -> Self {
        let target = cells[set.target].iter();
        let number = |cell: &String| match set.positive {
            "" => cell.parse().unwrap(),
            label => f64::from(u8::from(cell == label)),
        };
        let y: Vec<f64> = target.map(number).collect();
        let train: Vec<bool> = (0..y.len() as u64).map(|row| is_train(row, split)).collect();
        let is_used = |name: &&String| match set.used {
            [] => *name != set.target && !set.unused.contains(&name.as_str()),
            used => used.contains(&name.as_str()),
        };
        let mut features: Vec<Vec<f64>> = Vec::new();
        for name in cells.keys().filter(is_used) {
            let cells = &cells[name];
            let is_number = cells.iter().all(|c| c.is_empty() || c.parse::<f64>().is_ok());
            match is_number && !(set.name == "diabetes" && name == "sex") {
                true => features.push(numbers(cells, &train, is_scaled)),
                false => features.extend(indicators(cells, &train)),
            }
        }
        let names = (0..features.len()).map(|j| Field::new(format!("x{j:03}"), ColumnKind::Num));
        let schema = Arc::new(Schema::new(names).unwrap());
        let side = |in_train: bool| {
            let rows: Vec<usize> = (0..y.len()).filter(|&row| train[row] == in_train).collect();
            let column = |x: &Vec<f64>| Column::num(rows.iter().map(|&row| x[row]));
            let columns = features.iter().map(column).collect();
            let mut batch = Batch::new(Arc::clone(&schema), columns).unwrap();
            RowKeyer::new(&schema, &[]).unwrap().key(&mut batch);
            let target: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
            let keys = fit_keys(batch.keys().to_vec(), &target, &[]);
            batch.set_target(target, keys);
            batch
        };
        Design { train: side(true), test: side(false) }
    }

    /// R2 or the area under the ROC curve of the test rows.
    fn figure(self, model: &ModelParams, task: Task, split: u64) -> f64 {
        let Design { train, mut test } = self;
        let schema = Arc::clone(train.schema());
        let slots: Vec<usize> = (0..schema.len()).collect();
        let ctx = FitContext::new("model", Seed(split), task, &schema, &slots);
        let model = model.fit(&MemoryRows::from_batch(train), &ctx).unwrap();
        let mut scores = vec![0.0; test.n_rows()];
        model.predict(&mut test, &slots, &mut scores).unwrap();
        let cases = Cases::new(test.target(), &scores, 1);
        let figure = match task {
            Task::Regression => metrics::r2(&cases),
            _ => metrics::roc_auc(&cases),
        };
        figure.unwrap()
    }
}

fn models() -> [(&'static str, ModelParams, bool); 3] {
    let network = MlpParams {
        hidden_layer_sizes: vec![64, 32],
        alpha: 1e-3,
        early_stopping: true,
        max_iter: 150,
        ..Default::default()
    };
    [
        ("rf_100", RandomForestParams::default().into(), false),
        ("lgb_default", GradientBoostingParams::default().into(), false),
        ("mlp_64_32", network.into(), true),
    ]
}

fn compare(set: &Set) {
    let Some(cells) = table(set) else { return };
    let measure = if set.task == Task::Regression { "r2" } else { "auc" };
    for (id, model, is_scaled) in models() {
        let Some(peer) = peer(set, id) else { return };
        let (mut ours, mut theirs) = (Moments::new(), Moments::new());
        for split in 0..set.n_splits {
            let design = Design::of(set, &cells, split, is_scaled);
            ours.observe(design.figure(&model, set.task, split));
            theirs.observe(peer["per_seed"][measure][split as usize].as_f64().unwrap());
        }
        let (ours, theirs) = (ours.mean().unwrap(), theirs.mean().unwrap());
        let sd = peer["sd"][measure].as_f64().unwrap();
        let name = set.name;
        println!(
            "{name} {id} {measure}: {ours:.4}, theirs {theirs:.4} on the same splits, sd {sd:.4}"
        );
        assert!(ours >= theirs - sd, "{name} {id} {measure}: {ours} against {theirs}, sd {sd}");
    }
}

#[test]
fn titanic() {
    compare(&Set {
        name: "titanic",
        table: "data/committable/titanic.csv",
        target: "survived",
        positive: "",
        task: Task::Binary,
        used: &["age", "fare", "pclass", "sibsp", "parch", "sex", "embarked", "deck", "title"],
        unused: &[],
        n_splits: 10,
    });
}

#[test]
fn diabetes() {
    compare(&Set {
        name: "diabetes",
        table: "data/committable/diabetes.csv",
        target: "target",
        positive: "",
        task: Task::Regression,
        used: &[],
        unused: &[],
        n_splits: 10,
    });
}

#[test]
fn house_prices() {
    compare(&Set {
        name: "ames",
        table: "data/shared_only/ames.csv",
        target: "SalePrice",
        positive: "",
        task: Task::Regression,
        used: &[],
        unused: &["Order", "PID"],
        n_splits: 3,
    });
}

#[test]
fn credit() {
    compare(&Set {
        name: "credit",
        table: "data/shared_only/credit.csv",
        target: "Status",
        positive: "bad",
        task: Task::Binary,
        used: &[],
        unused: &[],
        n_splits: 3,
    });
}

#[test]
fn higgs() {
    compare(&Set {
        name: "higgs_small",
        table: "data/shared_only/higgs_small_train.parquet",
        target: "label",
        positive: "",
        task: Task::Binary,
        used: &[],
        unused: &[],
        n_splits: 3,
    });
}
