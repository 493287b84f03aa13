//! `drift` and zones of columns, as a user meets them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = "[data]\nsource = \"t.csv\"\n\
    [data.columns]\na = \"num\"\nb = \"text\"\ny = \"num\"\n\
    at = { kind = \"time\", format = \"%d.%m.%Y %H:%M\", zone = \"Europe/Berlin\" }\n\
    [target]\ncolumn = \"y\"\n\
    [[step]]\nkind = \"drop_columns\"\ncolumns = [\"at\"]\n\
    [[step]]\nkind = \"ordinal_encoder\"\ncolumns = [\"b\"]\nunseen = \"encode\"\n\
    [model]\nkind = \"linear_regression\"\n";
const TABLE: &str = "a,b,y,at\n1,x,1,31.03.2024 01:30\n2,y,2,31.03.2024 02:30\n\
    4,x,3.5,27.10.2024 02:30\n3,y,4,01.07.2024 12:00\n";

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    // No time zone and no database of the machine may matter.
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env("TZ", "Asia/Tokyo");
    command.env("TZDIR", "/nowhere").output().expect("it runs")
}

fn runs(folder: &Path, args: &[&str], code: i32) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(folder: &Path, args: &[&str], code: i32) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_str(&runs(folder, &args, code)).expect("JSON")
}

fn fitted() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.toml"), CONFIG).expect("a file");
    std::fs::write(folder.path().join("t.csv"), TABLE).expect("a file");
    runs(folder.path(), &["fit", "t.toml"], 0);
    folder
}

#[test]
fn the_training_rows_are_within_the_limits_and_others_are_not() {
    let folder = fitted();
    let at = folder.path();
    let told = runs(at, &["drift", "t.samescore", "t.csv"], 0);
    assert!(told.contains("within the limits"), "{told}");
    let new = "a,b,at\n-5,z,01.01.2030 00:00\n,x,01.01.2024 00:00\n4,q\u{e9},\n";
    std::fs::write(at.join("new.csv"), new).expect("a file");
    let told = runs(at, &["drift", "t.samescore", "new.csv"], 1);
    assert!(told.contains("BEYOND THE LIMITS in 3 of 3 columns"), "{told}");
    assert!(told.contains("new in b: \"q\u{e9}\" (1), \"z\" (1)"), "{told}");
    let found = json(at, &["drift", "t.samescore", "new.csv"], 1);
    assert_eq!(found["is_within_limits"], false);
    let drift = &found["drift"];
    assert_eq!((&drift["n_rows"], &drift["n_outside"]), (&Value::from(3), &Value::Null));
    assert_eq!(drift["limits"]["psi_max"], 0.25);
    let (a, t, b) = (&drift["columns"][0], &drift["columns"][1], &drift["columns"][2]);
    assert_eq!(
        (&a["column"], &b["column"], &t["column"]),
        (&"a".into(), &"b".into(), &"at".into())
    );
    assert_eq!((&a["n_below"], &a["out_of_range_rate"]), (&1.into(), &0.5.into()));
    assert_eq!(b["new_level_rate"], 2.0 / 3.0);
    assert_eq!((&t["n_below"], &t["n_above"]), (&1.into(), &1.into()));
    assert!(t["psi"].as_f64().expect("a number") > 0.25, "{t}");
    assert_eq!(t["breaks"], serde_json::json!(["psi", "missing_rate", "out_of_range"]));
    assert_eq!(b["n_levels"], serde_json::json!([2, 2]));
    let again = json(at, &["drift", "t.samescore", "new.csv", "--threads", "3"], 1);
    assert_eq!(again, found);
}

#[test]
fn limits_of_the_config_decide_the_exit_code() {
    let folder = fitted();
    let at = folder.path();
    std::fs::write(at.join("new.csv"), "a,b,at\n9,x,01.07.2024 12:00\n").expect("a file");
    runs(at, &["drift", "t.samescore", "new.csv"], 1);
    let wide = "[drift]\npsi_max = 50.0\nout_of_range_rate_max = 1.0\n";
    std::fs::write(at.join("t.toml"), format!("{CONFIG}{wide}")).expect("a file");
    runs(at, &["fit", "t.toml"], 0);
    runs(at, &["drift", "t.samescore", "new.csv"], 0);
    let shown = json(at, &["inspect", "t.samescore"], 0);
    let toml = shown["artifact"]["config_toml"].as_str().expect("TOML");
    assert!(toml.contains("missing_rate_change_max = 0.05"), "{toml}");
}

#[test]
fn no_row_inside_the_population_is_an_answer() {
    let folder = fitted();
    let at = folder.path();
    let filter = "[[population]]\ncolumn = \"a\"\nmax = 10\n";
    std::fs::write(at.join("t.toml"), format!("{CONFIG}{filter}")).expect("a file");
    runs(at, &["fit", "t.toml"], 0);
    std::fs::write(at.join("new.csv"), "a,b,at\n11,x,01.07.2024 12:00\n,y,\n").expect("a file");
    let told = runs(at, &["drift", "t.samescore", "new.csv"], 1);
    assert!(told.contains("BEYOND THE LIMITS: 0 rows inside the population"), "{told}");
    assert!(told.contains("2 rows outside the population"), "{told}");
    let found = json(at, &["drift", "t.samescore", "new.csv"], 1);
    assert_eq!(found["is_within_limits"], false);
    let drift = &found["drift"];
    assert_eq!((&drift["n_rows"], &drift["n_outside"]), (&0.into(), &2.into()));
    assert_eq!(drift["columns"], serde_json::json!([]));
}

#[test]
fn many_labels_are_compared_by_those_listed_and_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let rows = (0..300).map(|row| format!("{row},l{:03},{row},01.07.2024 12:00\n", row % 150));
    let text = format!("a,b,y,at\n{}", rows.collect::<String>());
    std::fs::write(at.join("t.csv"), text).expect("a file");
    std::fs::write(at.join("t.toml"), CONFIG).expect("a file");
    runs(at, &["fit", "t.toml"], 0);
    let told = runs(at, &["drift", "t.samescore", "t.csv"], 0);
    let said = "b: PSI of the 100 most frequent of 150 labels and of all others together";
    assert!(told.contains(said), "{told}");
    let found = json(at, &["drift", "t.samescore", "t.csv"], 0);
    let b = &found["drift"]["columns"][2];
    assert_eq!((&b["psi"], &b["new_level_rate"]), (&0.0.into(), &Value::Null));
    assert_eq!(b["n_levels"], serde_json::json!([100, 150]));
}

#[test]
fn an_artifact_without_a_profile_and_no_row_are_refused() {
    let folder = fitted();
    let at = folder.path();
    std::fs::write(at.join("none.csv"), "a,b,at\n").expect("a file");
    runs(at, &["drift", "t.samescore", "none.csv"], 3);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/artifacts/v1");
    let mut old: Vec<_> = std::fs::read_dir(root).expect("a folder").flatten().collect();
    old.sort_by_key(std::fs::DirEntry::path);
    let is_artifact =
        |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "samescore");
    let old = old.iter().map(std::fs::DirEntry::path).find(is_artifact).expect("an old artifact");
    let output = samescore(at, &["drift", old.to_str().expect("a path"), "t.csv"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(2 | 3)), "{told}");
}

#[test]
fn local_times_are_read_by_the_pinned_table_in_both_worlds() {
    let folder = fitted();
    let at = folder.path();
    let shown = json(at, &["inspect", "t.samescore"], 0);
    // 01:30 of winter, and the hour that comes twice: the earlier one, of summer.
    let range = &shown["artifact"]["profile"]["at"]["values"]["time"];
    let micros = |text: &str| {
        let format = samescore_core::batch::TimeFormat::default();
        samescore_core::batch::read_time(text, &format).expect("a time")
    };
    assert_eq!(range[0], micros("2024-03-31T00:30:00Z"));
    assert_eq!(range[1], micros("2024-10-27T00:30:00Z"));
    let toml = shown["artifact"]["config_toml"].as_str().expect("TOML").to_owned();
    assert!(toml.contains("tzdb = ") && toml.contains("until_year = 2100"), "{toml}");
    // The resolved config fits to the same artifact.
    std::fs::write(at.join("again.toml"), toml).expect("a file");
    runs(at, &["fit", "again.toml", "--data", "t.csv"], 0);
    let read = |name: &str| std::fs::read(at.join(name)).expect("an artifact");
    assert!(read("again.samescore") == read("t.samescore"));
    let bad = CONFIG.replace("Europe/Berlin", "Europe/Nowhere");
    std::fs::write(at.join("bad.toml"), bad).expect("a file");
    let output = samescore(at, &["fit", "bad.toml"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("Europe/Nowhere"), "{told}");
}
