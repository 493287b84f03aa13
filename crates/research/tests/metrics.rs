//! Our figures of merit against reference values, where those are on this machine.
//!
//! The references are exactly rounded, or a peer's floats; ours are exact sums with a few roundings
//! behind them. A figure may therefore lie a few units in the last place away: this is a test of
//! mathematics, not of sameness.

use std::path::{Path, PathBuf};

use samescore_core::batch::parse_num;
use samescore_core::config::{Config, Task};
use samescore_core::csv_form::CsvTable;
use samescore_core::models::LinearRegressionParams;
use samescore_research::metrics::{self, Cases};
use serde_json::Value;

/// The reference values, in a shared folder beside or one above the checkout.
fn references() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../../../shared", "../../../../shared"].map(|up| here.join(up));
    let folders = places.map(|place| place.join("oracles/metrics"));
    folders.into_iter().find(|folder| folder.exists())
}

/// Truth, score and weight of each row of a case; no weights if it has none.
fn case(folder: &Path, id: &str) -> [Vec<f64>; 3] {
    let bytes = std::fs::read(folder.join(format!("{id}.csv"))).unwrap();
    let mut columns = [const { Vec::new() }; 3];
    CsvTable::open(id, &bytes).unwrap().for_each_row(|cells| {
        let cells = columns.iter_mut().zip(cells);
        cells.for_each(|(column, cell)| column.push(parse_num(cell).unwrap()));
    });
    columns
}

/// Relative distance, or absolute near 0.
fn distance(found: f64, expected: f64) -> f64 {
    let size = if expected.abs() > 1e-300 { expected.abs() } else { 1.0 };
    (found - expected).abs() / size
}

fn check(id: &str, name: &str, found: Option<f64>, expected: &Value, bound: f64) -> usize {
    let Some(expected) = expected.as_f64() else {
        return 0;
    };
    let found = found.unwrap_or(f64::NAN);
    assert!(distance(found, expected) <= bound, "{id} {name}: {found:e} against {expected:e}");
    1
}

/// Counts and accuracy at the reference's threshold.
fn threshold(id: &str, cases: &Cases<'_>, record: &Value) -> usize {
    let (at, counts) = (&record["at_threshold_ge"], "confusion_tn_fp_fn_tp");
    let figures = metrics::decided(Task::Binary, cases, record["threshold"].as_f64().unwrap(), &[]);
    let names = ["true_negatives", "false_positives", "false_negatives", "true_positives"];
    let mut n = check(id, "accuracy", figures.get("accuracy").copied(), &at["accuracy"], 4e-16);
    for (place, name) in names.iter().enumerate() {
        n += check(id, name, figures.get(*name).copied(), &at[counts][place], 4e-15);
    }
    n
}

#[test]
fn figures_agree_with_reference_values() {
    let Some(folder) = references() else {
        println!("skipped: no shared reference values of metrics");
        return;
    };
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let config = Config::new("y", Task::Regression, LinearRegressionParams::default());
    let mape = [metrics::named(&config, Some("mape")).unwrap()];
    let mut n_checked = 0;
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let id = record["id"].as_str().unwrap();
        if id.starts_with("psi") {
            continue;
        }
        let [truth, scores, weights] = case(&folder, id);
        let cases = Cases::new(&truth, &scores, 1).weighing(&weights);
        if id.starts_with("reg") {
            // Squares of this case are subnormal in the reference.
            let bound = if id == "reg_tiny" { 1e-4 } else { 4e-15 };
            let r2 = metrics::r2(&cases);
            n_checked += check(id, "r2", r2, &record["r2_exact"], 4e-15);
            let figures = metrics::decided(Task::Regression, &cases, 0.5, &mape);
            n_checked +=
                check(id, "rmse", figures.get("rmse").copied(), &record["rmse_exact"], bound);
            n_checked += check(id, "mae", figures.get("mae").copied(), &record["mae_exact"], 4e-16);
            // Targets of this case are below what scikit-learn divides by at least.
            if id != "reg_tiny" {
                let found = figures.get("mape").copied();
                n_checked += check(id, "mape", found, &record["mape"], 4e-15);
            }
        } else {
            let figures = metrics::of(Task::Binary, &cases);
            n_checked += threshold(id, &cases, &record);
            for (name, reference, bound) in [
                ("roc_auc", "auc_exact", 0.0),
                ("roc_auc", "auc", 4e-15),
                ("pr_auc", "prauc_average_precision", 4e-15),
                ("brier", "brier_exact", 4e-16),
                ("log_loss", "logloss_exact_clip_eps", 4e-16),
            ] {
                n_checked += check(id, name, figures.get(name).copied(), &record[reference], bound);
            }
        }
    }
    println!("{n_checked} figures checked");
    assert!(n_checked >= 65, "{n_checked} figures checked");
}
