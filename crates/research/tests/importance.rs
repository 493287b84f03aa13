//! What a model says of its columns and of its rows besides the score, as a user asks for it.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    command.output().unwrap()
}

#[track_caller]
fn yes(folder: &Path, args: &[&str]) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json(folder: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_str(&yes(folder, &args)).unwrap()
}

#[track_caller]
fn refused(folder: &Path, args: &[&str], said: &str) {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(output.status.code(), Some(0), "{args:?}");
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    assert!(flat.contains(said), "{args:?}: {flat}");
}

const CONFIG: &str = "[data]\nsource = \"t.csv\"\nkey = [\"id\"]\n\
    [data.columns]\nid = \"num\"\na = \"num\"\nb = \"num\"\nc = \"text\"\ny = \"num\"\n\
    [target]\ncolumn = \"y\"\n[model]\n";
const BOOSTED: &str = "kind = \"gradient_boosting\"\nn_estimators = 5\nmin_child_samples = 2\n";

/// A folder with a fitted model of y = 3 a + (c = u), whatever b is.
fn fitted(model: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "id,a,b,c,y\n".to_owned();
    for i in 0..80 {
        let (a, b, c) = (i % 9, i % 7, ["u", "v"][i % 2]);
        let y = 3 * a + usize::from(c == "u");
        writeln!(table, "{i},{a},{b},{c},{y}").unwrap();
    }
    std::fs::write(folder.path().join("t.csv"), table).unwrap();
    std::fs::write(folder.path().join("t.toml"), format!("{CONFIG}{model}")).unwrap();
    yes(folder.path(), &["fit", "t.toml"]);
    folder
}

fn linear() -> TempDir {
    fitted(
        "kind = \"linear_regression\"\n[[step]]\nkind = \"ordinal_encoder\"\ncolumns = [\"c\"]\n",
    )
}

#[test]
fn every_output_has_a_line_per_row_and_adds_up() {
    let folder = fitted(BOOSTED);
    let at = folder.path();
    let score = |output| yes(at, &["score", "t.samescore", "t.csv", "--output", output]);
    let header = |text: &str| text.lines().next().unwrap().to_owned();
    let margin = score("margin");
    assert_eq!(header(&margin), "id,row_key,margin,bits,code,reason");
    assert_eq!(margin.lines().count(), 81);
    let leaf = score("leaf");
    assert_eq!(header(&leaf), "id,row_key,leaf_0,leaf_1,leaf_2,leaf_3,leaf_4,bits,code,reason");
    let contribution = score("contribution");
    let names = "contribution_a,contribution_b,contribution_c,contribution_base";
    assert_eq!(header(&contribution), format!("id,row_key,{names},bits,code,reason"));
    for (margin, contribution) in margin.lines().zip(contribution.lines()).skip(1) {
        let number = |cell: &str| cell.parse::<f64>().unwrap();
        let margin = number(margin.split(',').nth(2).unwrap());
        let cells = contribution.split(',').skip(2).take(4).map(number);
        let total = cells.fold(0.0, |total, x| total + x);
        // 2^-46 times (trees + features) times values of at most 27.
        assert!((total - margin).abs() < 1e-10, "{total} {margin}");
    }
    assert_eq!(score("score"), yes(at, &["score", "t.samescore", "t.csv"]));
}

#[test]
fn outputs_as_json_and_into_a_file() {
    let folder = fitted(BOOSTED);
    let at = folder.path();
    let found = json(at, &["score", "t.samescore", "t.csv", "--output", "leaf"]);
    let row = &found["rows"][3];
    assert_eq!(row["key"]["id"], 3.0);
    assert_eq!(row["values"].as_object().unwrap().len(), 5);
    assert_eq!(row["bits"].as_array().unwrap().len(), 5);
    assert!(row.get("score").is_none());
    let args = ["score", "t.samescore", "t.csv", "--output", "margin", "--out", "m.csv"];
    assert_eq!(json(at, &args)["n_rows"], 80);
    let written = std::fs::read_to_string(at.join("m.csv")).unwrap();
    assert_eq!(written, yes(at, &args[..5]));
}

#[test]
fn a_model_without_the_output_says_so() {
    let folder = linear();
    let args = ["score", "t.samescore", "t.csv", "--output", "leaf"];
    refused(folder.path(), &args, "expected a model that has a leaf, found `linear_regression`");
}

#[test]
fn splits_and_shuffles_agree_about_what_matters() {
    let folder = fitted(BOOSTED);
    let at = folder.path();
    let text = yes(at, &["importance", "t.samescore", "t.csv"]);
    assert!(text.contains("gain") && text.contains("count") && text.contains("worse by"), "{text}");
    let found = json(at, &["importance", "t.samescore", "t.csv", "--repeats", "3"]);
    let features = found["features"].as_array().unwrap();
    let gain = |place: usize| features[place]["measures"]["gain"].as_f64().unwrap();
    assert_eq!(features[0]["column"], "a");
    assert!(gain(0) > gain(1) && gain(0) > gain(2));
    let shuffled = found["permutation"]["columns"].as_array().unwrap();
    let names: Vec<&str> = shuffled.iter().map(|c| c["column"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let mean = |place: usize| shuffled[place]["mean"].as_f64().unwrap();
    assert!(mean(0) > mean(1) && mean(0) > mean(2) && mean(0) > 1.0);
}

#[test]
fn importance_does_not_depend_on_the_order_of_rows_or_threads() {
    let folder = fitted(BOOSTED);
    let at = folder.path();
    let table = std::fs::read_to_string(at.join("t.csv")).unwrap();
    let mut lines: Vec<&str> = table.lines().collect();
    lines[1..].reverse();
    std::fs::write(at.join("reversed.csv"), lines.join("\n") + "\n").unwrap();
    let one = json(at, &["importance", "t.samescore", "t.csv", "--threads", "1"]);
    let two = json(at, &["importance", "t.samescore", "reversed.csv", "--threads", "2"]);
    assert_eq!(one, two);
    let one = json(at, &["dependence", "t.samescore", "t.csv", "--column", "a"]);
    let two = json(at, &["dependence", "t.samescore", "reversed.csv", "--column", "a"]);
    assert_eq!(one, two);
}

#[test]
fn a_linear_model_shows_its_coefficients() {
    let folder = linear();
    let found = json(folder.path(), &["importance", "t.samescore"]);
    assert_eq!(found["permutation"], Value::Null);
    let a = found["features"][0]["measures"]["|coefficient|"].as_f64().unwrap();
    assert!((a - 3.0).abs() < 1e-9, "{a}");
}

#[test]
fn dependence_follows_the_column() {
    let folder = linear();
    let at = folder.path();
    let args = ["dependence", "t.samescore", "t.csv", "--column", "a", "--points", "3"];
    let found = json(at, &args);
    let points = found["points"].as_array().unwrap();
    let values: Vec<f64> = points.iter().map(|p| p["value"].as_f64().unwrap()).collect();
    assert_eq!(values, [0.0, 4.0, 8.0]);
    let mean = |place: usize| points[place]["means"][0].as_f64().unwrap();
    assert!((mean(2) - mean(0) - 24.0).abs() < 1e-9);
    assert!(yes(at, &args).contains("mean score"));
    let labels = json(at, &["dependence", "t.samescore", "t.csv", "--column", "c"]);
    assert_eq!(labels["points"][0]["value"], "u");
    refused(
        at,
        &["dependence", "t.samescore", "t.csv", "--column", "y"],
        "expected an input column",
    );
    let none = ["dependence", "t.samescore", "t.csv", "--column", "a", "--points", "0"];
    refused(at, &none, "expected 1 to 1000 points");
}
