//! The pipeline for a table that may not be shipped, where that table is at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The table, beside or one above the checkout.
fn table() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../../../shared", "../../../../shared"];
    places.iter().map(|up| here.join(up).join("data/shared_only/ames.csv")).find(|p| p.exists())
}

fn samescore(args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_samescore")).args(args).output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_founding_table_gives_one_artifact_in_any_order_and_loses_no_row() {
    let Some(table) = table() else {
        println!("skipped: no shared table `ames.csv`");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for the artifacts");
    let of = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/pipelines/own/ames.toml");
    let (config, table) = (config.to_str().expect("UTF-8"), table.to_str().expect("UTF-8"));
    let (first, again, shuffled, scores) =
        (of("first.samescore"), of("again.samescore"), of("shuffled.parquet"), of("scores.csv"));
    samescore(&["fit", config, "--data", table, "--out", &first]);
    samescore(&["convert", config, &shuffled, "--data", table, "--shuffle", "3"]);
    samescore(&["fit", config, "--data", &shuffled, "--out", &again, "--threads", "2"]);
    let read = |path: &str| std::fs::read(path).expect("the file was written");
    assert!(
        read(&first) == read(&again),
        "the order or the format of the rows reached the artifact"
    );
    samescore(&["score", &first, table, "--out", &scores]);
    let scores = String::from_utf8(read(&scores)).expect("scores are text");
    assert_eq!(scores.lines().count(), 2931, "a header and a line for every sale");
    assert!(scores.lines().skip(1).all(|line| line.ends_with(",,")), "a sale got no score");
}
