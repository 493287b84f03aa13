//! Our figures of merit against reference values, where those are on this machine.
//!
//! The references are exactly rounded, or a peer's floats; ours are exact sums with a few roundings
//! behind them. A figure may therefore lie a few units in the last place away: this is a test of
//! mathematics, not of sameness.

use std::path::{Path, PathBuf};

use samescore_core::batch::parse_num;
use samescore_core::config::Task;
use samescore_core::csv_form::CsvTable;
use samescore_research::metrics;
use serde_json::Value;

/// The reference values, in a shared folder beside or one above the checkout.
fn references() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../../../shared", "../../../../shared"].map(|up| here.join(up));
    let folders = places.map(|place| place.join("oracles/metrics"));
    folders.into_iter().find(|folder| folder.exists())
}

/// Pairs of truth and score of a case, without weights.
fn case(folder: &Path, id: &str) -> (Vec<f64>, Vec<f64>) {
    let bytes = std::fs::read(folder.join(format!("{id}.csv"))).unwrap();
    let mut pairs = Vec::new();
    CsvTable::open(id, &bytes).unwrap().for_each_row(|cells| {
        pairs.push((parse_num(&cells[0]).unwrap(), parse_num(&cells[1]).unwrap()));
    });
    pairs.into_iter().unzip()
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

#[test]
fn figures_agree_with_reference_values() {
    let Some(folder) = references() else {
        println!("skipped: no shared reference values of metrics");
        return;
    };
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let mut n_checked = 0;
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let id = record["id"].as_str().unwrap();
        if id.contains("weighted") || id.starts_with("psi") {
            continue;
        }
        let (truth, scores) = case(&folder, id);
        if id.starts_with("reg") {
            // Squares of this case are subnormal in the reference.
            let bound = if id == "reg_tiny" { 1e-4 } else { 4e-15 };
            let r2 = metrics::r2(&truth, &scores);
            n_checked += check(id, "r2", r2, &record["r2_exact"], 4e-15);
            let figures = metrics::of(Task::Regression, &truth, &scores, 1);
            n_checked +=
                check(id, "rmse", figures.get("rmse").copied(), &record["rmse_exact"], bound);
            n_checked += check(id, "mae", figures.get("mae").copied(), &record["mae_exact"], 4e-16);
        } else {
            let figures = metrics::of(Task::Binary, &truth, &scores, 1);
            for (name, reference, bound) in [
                ("roc_auc", "auc_exact", 0.0),
                ("pr_auc", "prauc_average_precision", 4e-15),
                ("brier", "brier_exact", 4e-16),
                ("log_loss", "logloss_exact_clip_eps", 4e-16),
            ] {
                n_checked += check(id, name, figures.get(name).copied(), &record[reference], bound);
            }
        }
    }
    println!("{n_checked} figures checked");
    assert!(n_checked >= 30, "{n_checked} figures checked");
}
