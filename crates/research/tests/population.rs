//! `[[population]]` as a user meets it: counts at fit and inspection, marks at scoring.

use std::path::Path;
use std::process::{Command, Output};

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Column, ColumnKind};
use samescore_core::config::DataConfig;
use samescore_core::listing;
use samescore_research::{gather, workflow};
use serde_json::Value;

const CONFIG: &str = "[data]\nsource = \"t.csv\"\n\
    [data.columns]\na = \"num\"\nb = \"text\"\ny = \"num\"\n\
    [[population]]\ncolumn = \"a\"\nmin = 1\n\
    [[population]]\ncolumn = \"b\"\nnot = [\"z\"]\nmissing = \"keep\"\n\
    [target]\ncolumn = \"y\"\n[[step]]\nkind = \"categorical_imputer\"\ncolumns = [\"b\"]\n\
    [[step]]\nkind = \"ordinal_encoder\"\ncolumns = [\"b\"]\nunseen = \"encode\"\n\
    [model]\nkind = \"linear_regression\"\n";
const TABLE: &str = "a,b,y\n1,x,1\n0.5,x,9\n2,y,2\n,x,9\n4,z,9\n4,x,3.5\n3,y,4\n5,,5\n";

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").output().expect("it runs")
}

fn yes(folder: &Path, args: &[&str]) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn counts_are_shown_and_marks_are_those_of_core() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: &str| std::fs::write(at.join(name), text).expect("a file");
    write("t.toml", CONFIG);
    write("t.csv", TABLE);
    let told = yes(at, &["fit", "t.toml"]);
    let words = told.split(|c: char| c.is_whitespace() || "│┆|".contains(c));
    let flat = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    assert!(flat.contains("a from 1 8 6"), "{told}");
    assert!(flat.contains("b is not \"z\", or missing 6 5"), "{told}");
    let json = yes(at, &["inspect", "t.samescore", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let expected = serde_json::json!([{"before": 8, "after": 6}, {"before": 6, "after": 5}]);
    assert_eq!(json["artifact"]["population"], expected);
    assert_eq!(json["artifact"]["n_rows"], 5);

    let listed = yes(at, &["score", "t.samescore", "t.csv", "--mark"]);
    let marks: Vec<&str> = listed.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(marks, ["population", "in", "a", "in", "a", "b", "in", "in", "in"]);
    let bytes = std::fs::read(at.join("t.samescore")).expect("an artifact");
    let artifact = Artifact::from_bytes(&bytes).expect("an artifact");
    let data = workflow::scoring_data(&artifact.payload().config);
    let batch = gather::read(&at.join("t.csv"), &data, &[]).expect("rows");
    let scores = artifact.plan().score(&batch).expect("scores");
    let marks = artifact.plan().membership(&batch).expect("marks");
    let ours = listing::marked_scores(&batch, &[], &[], &scores, Some(&marks)).expect("a listing");
    assert_eq!(ours, listed);
    let json = yes(at, &["score", "t.samescore", "t.csv", "--mark", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["rows"][1]["population"], "a");

    // Whatever they are written to.
    let expected = ["in", "a", "in", "a", "b", "in", "in", "in"];
    for out in ["s.parquet", "s.jsonl", "sqlite://s.db?table=s"] {
        yes(at, &["score", "t.samescore", "t.csv", "--mark", "--out", out]);
        let source = gather::Source::parse(out, at).expect("a source");
        let columns = [("population".to_owned(), ColumnKind::Text.into())].into();
        let data = DataConfig { columns, ..DataConfig::default() };
        let rows = gather::read(source, &data, &[]).expect("rows");
        let Column::Text(marks) = rows.column(0) else { panic!("text") };
        let marks: Vec<&str> = (0..rows.n_rows()).filter_map(|row| marks.get(row)).collect();
        assert_eq!(marks, expected, "{out}");
        let told = yes(at, &["score", "t.samescore", "t.csv", "--out", &out.replace("s.", "u.")]);
        assert!(!told.contains("population"));
    }
}

#[test]
fn a_filter_that_cannot_be_is_refused_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), TABLE).expect("a file");
    for (from, to, code, said) in [
        ("min = 1", "mni = 1", 2, "unknown field `mni`"),
        ("column = \"b\"", "column = \"y\"", 2, "rows to be scored have, found the target"),
        ("not = [\"z\"]", "is = []", 2, "expected labels in the list, found none"),
        ("min = 1", "min = 100", 3, "inside the population, found none of 8"),
    ] {
        let text = CONFIG.replacen(from, to, 1);
        std::fs::write(folder.path().join("t.toml"), text).expect("a file");
        let output = samescore(folder.path(), &["fit", "t.toml"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        let flat = told.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        assert!(flat.contains(said), "{flat}");
    }
}
