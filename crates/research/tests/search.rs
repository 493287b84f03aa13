//! Searches, seeds and curves as a user calls them: answers, resumption at every line, and every
//! wrong input one by one.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    command.output().unwrap()
}

/// Runs a command that must answer yes, and gives what it printed.
#[track_caller]
fn yes(folder: &Path, args: &[&str]) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json(folder: &Path, args: &[&str]) -> Value {
    let value: Value =
        serde_json::from_str(&yes(folder, &[args, &["--format", "json"]].concat())).unwrap();
    assert_eq!(value["schema_version"], 1);
    value
}

/// Runs a command that must fail with `code`, saying `said` on stderr and nothing on stdout.
#[track_caller]
fn refused(folder: &Path, args: &[&str], code: i32, said: &str) {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    assert!(flat.contains(said), "{args:?}: {flat}");
    assert!(output.stdout.is_empty(), "{args:?} printed to stdout");
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

const REGRESSION: &str = "seed = 3\ngolden_rows = 2\n[data]\nsource = \"t.csv\"\n\
    [data.columns]\na = \"num\"\nb = \"num\"\nday = \"num\"\ny = \"num\"\n\
    [target]\ncolumn = \"y\"\n[[step]]\nkind = \"mean_median_imputer\"\nname = \"fill\"\n\
    [model]\nkind = \"elastic_net\"\nalpha = 0.1\n";
const BINARY: &str = "seed = 3\ngolden_rows = 2\n[data]\nsource = \"t.csv\"\n\
    [data.columns]\na = \"num\"\nday = \"num\"\nc = \"num\"\n\
    [target]\ncolumn = \"c\"\ntask = \"binary\"\n[[step]]\n\
    kind = \"mean_median_imputer\"\nname = \"fill\"\n\
    [model]\nkind = \"logistic_regression\"\n";
const SPACE: &str = "[parameters]\nmodel.alpha = [0.01, 0.1, 100.0]\n";

/// Columns a (with gaps), b, day, y and c, which is 1 in one row of three.
fn table(n_rows: u64) -> String {
    let mut text = "a,b,day,y,c\n".to_owned();
    for row in 0..n_rows {
        let draw = row * 7919 % 101;
        let a = if row % 11 == 5 { String::new() } else { (row * 37 % 53).to_string() };
        let y = 2 * (row * 37 % 53) + draw / 10;
        let c = u64::from((row * 37 % 53) + draw / 3 > 56);
        text.push_str(&format!("{a},{draw},{},{y},{c}\n", row / 4));
    }
    text
}

fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "t.toml", config);
    write(&folder, "t.csv", &table(90));
    write(&folder, "s.toml", SPACE);
    folder
}

#[test]
fn the_winner_is_the_best_mean_and_evaluate_agrees() {
    let folder = folder(REGRESSION);
    let at = folder.path();
    write(&folder, "s.toml", &format!("{SPACE}\"fill.method\" = [\"mean\", \"median\"]\n"));
    let search = ["search", "t.toml", "--space", "s.toml", "--folds", "3", "--out", "w.toml"];
    let found = json(at, &search);
    let trials = found["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 6);
    let means: Vec<f64> = trials.iter().map(|t| t["mean"].as_f64().unwrap()).collect();
    assert!(means.is_sorted(), "{means:?}");
    assert_eq!(found["winner"], trials[0]["trial"]);
    assert_eq!((&found["metric"], &found["is_higher_better"]), (&"rmse".into(), &false.into()));
    let winner = read(&folder, "w.toml");
    let alpha = trials[0]["parameters"]["model.alpha"].as_f64().unwrap();
    assert!(winner.contains(&format!("alpha = {alpha:?}")), "{winner}");
    let evaluated = json(at, &["evaluate", "w.toml", "--folds", "3"]);
    assert_eq!(evaluated["summary"]["rmse"]["mean"], trials[0]["mean"]);
    assert_eq!(evaluated["summary"]["rmse"]["sd"], trials[0]["sd"]);
    let best = json(at, &[&search[..6], &["--metric", "r2"]].concat());
    let means: Vec<f64> =
        best["trials"].as_array().unwrap().iter().map(|t| t["mean"].as_f64().unwrap()).collect();
    assert!(means.iter().rev().is_sorted(), "{means:?}");
    let text = yes(at, &search);
    assert!(text.contains("lower is better") && text.contains("fill.method"), "{text}");
}

#[test]
fn no_bit_depends_on_threads_or_the_order_of_rows() {
    let folder = folder(REGRESSION);
    let at = folder.path();
    write(
        &folder,
        "s.toml",
        "[parameters]\nmodel.alpha = { from = 1e-3, to = 10, scale = \"log\" }",
    );
    let mut lines: Vec<String> = read(&folder, "t.csv").lines().map(str::to_owned).collect();
    lines[1..].reverse();
    write(&folder, "u.csv", &(lines.join("\n") + "\n"));
    for more in [
        &["--method", "random", "--trials", "4", "--scheme", "stratified"][..],
        &["--method", "random", "--trials", "3", "--scheme", "time", "--time", "day"],
        &["--method", "halving", "--trials", "9", "--rungs", "3"],
    ] {
        let search = |source: &str, threads: &str, journal: &str| {
            let args = ["search", "t.toml", "--space", "s.toml", "--folds", "3", "--data", source];
            let last = ["--threads", threads, "--journal", journal];
            let said = yes(at, &[&args[..], more, &last].concat());
            (said, read(&folder, journal))
        };
        let first = search("t.csv", "1", "1.jsonl");
        assert_eq!(search("u.csv", "4", "2.jsonl"), first);
        std::fs::remove_file(at.join("1.jsonl")).unwrap();
        std::fs::remove_file(at.join("2.jsonl")).unwrap();
    }
}

#[test]
fn a_search_that_was_stopped_at_any_line_ends_the_same() {
    for more in [
        &["--nested", "2", "--folds", "2"][..],
        &["--method", "halving", "--trials", "5", "--rungs", "2", "--folds", "2"],
    ] {
        let folder = folder(REGRESSION);
        let at = folder.path();
        if more.contains(&"halving") {
            write(&folder, "s.toml", "[parameters]\nmodel.alpha = { from = 0, to = 9 }");
        }
        let search = || {
            let args = ["search", "t.toml", "--space", "s.toml", "--out", "w.toml"];
            let said = yes(at, &[&args[..], more, &["--journal", "j.jsonl"]].concat());
            (said, read(&folder, "w.toml"), read(&folder, "j.jsonl"))
        };
        let whole = search();
        assert_eq!(search(), whole);
        let lines: Vec<&str> = whole.2.split_inclusive('\n').collect();
        assert!(lines.len() > 10, "{}", whole.2);
        for n in 0..lines.len() {
            let half = &lines[n][..lines[n].len() / 2];
            write(&folder, "j.jsonl", &(lines[..n].concat() + half));
            assert_eq!(search(), whole, "cut in line {n}");
        }
    }
}

#[test]
fn halving_states_its_rungs_and_only_the_best_reach_all_rows() {
    let folder = folder(REGRESSION);
    write(&folder, "s.toml", "[parameters]\nmodel.alpha = { from = 0, to = 9 }");
    let args = ["search", "t.toml", "--space", "s.toml", "--method", "halving", "--trials", "9"];
    let found = json(folder.path(), &[&args[..], &["--rungs", "3", "--folds", "2"]].concat());
    let counts: Vec<u64> = found["rungs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["n_trials"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [9, 3, 1]);
    let reached: Vec<u64> =
        found["trials"].as_array().unwrap().iter().map(|t| t["rung"].as_u64().unwrap()).collect();
    assert_eq!(reached, [3, 2, 2, 1, 1, 1, 1, 1, 1]);
    // 45 training rows leave no room for a rung below 30.
    let found = json(folder.path(), &[&args[..], &["--folds", "2"]].concat());
    assert_eq!(found["rungs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_drawn_trial_that_equals_an_earlier_one_is_left_out() {
    let folder = folder(REGRESSION);
    let args = ["search", "t.toml", "--space", "s.toml", "--method", "random", "--trials", "12"];
    let args = [&args[..], &["--folds", "2"]].concat();
    assert!(yes(folder.path(), &args).contains("3 distinct trials of 12 drawn"));
    assert_eq!(json(folder.path(), &args)["trials"].as_array().unwrap().len(), 3);
}

#[test]
fn a_nested_search_tells_an_honest_figure() {
    let folder = folder(REGRESSION);
    let args = ["search", "t.toml", "--space", "s.toml", "--nested", "3", "--folds", "2"];
    let found = json(folder.path(), &args);
    let outer = found["outer_folds"].as_array().unwrap();
    let n: u64 = outer.iter().map(|o| o["n_test"].as_u64().unwrap()).sum();
    assert_eq!((outer.len(), n), (3, 90));
    assert!(
        outer.iter().all(|o| o["n_train"].as_u64().unwrap() + o["n_test"].as_u64().unwrap() == 90)
    );
    assert!(found["nested"]["mean"].as_f64().unwrap() > 0.0);
    assert!(yes(folder.path(), &args).contains("rmse of the search: "));
}

#[test]
fn rows_that_the_split_keeps_take_no_part() {
    let config = format!("{REGRESSION}[split]\ntest_ratio = 0.3\n");
    let folder = folder(&config);
    let search = ["search", "t.toml", "--space", "s.toml", "--folds", "2"];
    let found = json(folder.path(), &search);
    let (n, kept) = (found["n_rows"].as_u64().unwrap(), found["n_kept"].as_u64().unwrap());
    assert!(n + kept == 90 && kept > 10, "{n} {kept}");
    let first = found["trials"].clone();
    // Wrecking the targets of the kept rows alone moves nothing.
    let fitted = json(folder.path(), &["fit", "t.toml"]);
    assert_eq!(fitted["n_test"].as_u64(), Some(kept));
    let curve = json(folder.path(), &["learning-curve", "t.toml", "--folds", "2", "--points", "2"]);
    let n_train = curve["points"][1]["n_train"].as_array().unwrap();
    assert_eq!(n_train.iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), n);
    assert_eq!(json(folder.path(), &search)["trials"], first);
}

#[test]
fn a_trial_that_cannot_be_fitted_ranks_last_with_its_reason() {
    let folder = folder(&BINARY.replace("[model]", "[model]\npenalty = \"none\""));
    let at = folder.path();
    write(&folder, "s.toml", "[parameters]\nmodel.max_iter = [1, 100]\n");
    let args = ["search", "t.toml", "--space", "s.toml", "--folds", "2"];
    let found = json(at, &args);
    let last = &found["trials"][1];
    assert_eq!((&last["trial"], &last["code"]), (&1.into(), &"SS0308".into()));
    assert!(yes(at, &args).contains("trial 1 failed: step `model`"));
    let resumed = [&args[..], &["--journal", "j.jsonl"]].concat();
    assert_eq!(yes(at, &resumed), yes(at, &resumed));
    write(&folder, "s.toml", "[parameters]\nmodel.max_iter = [1]\n");
    refused(at, &args, 3, "SS0308");
}

#[test]
fn whole_models_compete() {
    let folder = folder(REGRESSION);
    let models =
        "model = [{ kind = \"elastic_net\", alpha = 50.0 }, { kind = \"linear_regression\" }]";
    write(&folder, "s.toml", &format!("[parameters]\n{models}\n"));
    let args = ["search", "t.toml", "--space", "s.toml", "--folds", "2", "--out", "w.toml"];
    let found = json(folder.path(), &args);
    assert_eq!(found["trials"][0]["parameters"]["model"]["kind"], "linear_regression");
    yes(folder.path(), &["fit", "w.toml"]);
}

#[test]
fn a_winner_written_elsewhere_reads_the_same_rows() {
    let folder = folder(REGRESSION);
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let args = ["search", "t.toml", "--space", "s.toml", "--folds", "2", "--out", "out/w.toml"];
    yes(folder.path(), &args);
    yes(folder.path(), &["fit", "out/w.toml"]);
}

#[test]
fn wrong_searches_are_refused_with_place_and_remedy() {
    let folder = folder(REGRESSION);
    let at = folder.path();
    let search = |space: &str, more: &[&str], code: i32, said: &str| {
        write(&folder, "s.toml", space);
        let args = ["search", "t.toml", "--space", "s.toml"];
        refused(at, &[&args[..], more].concat(), code, said);
    };
    search("", &[], 2, "expected parameters to search, found none");
    search("[parameters]\nmodel.alpha = []\n", &[], 2, "s.toml:2:15");
    search("[parameters]\nmodel.alpah = [1.0]\n", &[], 2, "unknown field `alpah`");
    search("[parameters]\nmodel.alpah = [1.0]\n", &[], 2, "s.toml:2:7");
    search("[parameters]\nmodel.alpha = [-1.0]\n", &[], 2, "with model.alpha = -1.0");
    search("[parameters]\nfill.method = [\"men\"]\n", &[], 2, "s.toml:2:6");
    search("[parameters]\nfull.method = [\"mean\"]\n", &[], 2, "steps are fill");
    search("[parameters]\nmodel.alpha = { from = 0, to = 1 }\n", &[], 2, "expected n_points");
    search(SPACE, &["--metric", "rsme"], 2, "expected a metric to rank by, rmse, mae, r2");
    search(SPACE, &["--trials", "3"], 2, "expected --trials with the method random or halving");
    search(SPACE, &["--rungs", "3"], 2, "expected --rungs with the method halving");
    search(SPACE, &["--method", "random", "--trials", "0"], 2, "expected 1 to 100000 trials");
    search(SPACE, &["--method", "halving", "--rungs", "0"], 2, "expected 1 to 30 rungs");
    search(SPACE, &["--folds", "1"], 2, "expected at least 2 folds, found 1");
    search(SPACE, &["--folds", "91"], 3, "expected at least 91 rows for the folds, found 90");
    search(SPACE, &["--nested", "1"], 2, "expected at least 2 folds, found 1");
    search(SPACE, &["--scheme", "time"], 2, "name it with --time");
    search(SPACE, &["--time", "day"], 2, "add --scheme time");
    search(SPACE, &["--scheme", "time", "--time", "date"], 2, "column `date`");
    search(SPACE, &["--scheme", "time", "--time", "y"], 2, "that is not the target");
    search(SPACE, &["--scheme", "time", "--time", "a"], 3, "column `a`: row 5: expected a time");
    write(&folder, "j.jsonl", "a,b\n");
    search(SPACE, &["--journal", "j.jsonl"], 2, "expected the journal of a search");
    write(&folder, "j.jsonl", "");
    yes(at, &["search", "t.toml", "--space", "s.toml", "--journal", "j.jsonl", "--folds", "2"]);
    search(SPACE, &["--journal", "j.jsonl"], 2, "with folds 5, found 2");
    let other = "[parameters]\nmodel.alpha = [1.0]\n";
    search(other, &["--journal", "j.jsonl", "--folds", "2"], 2, "of this search, with space");
    write(&folder, "t.csv", &table(80));
    search(SPACE, &["--journal", "j.jsonl", "--folds", "2"], 2, "of this search, with data");
    refused(at, &["search", "t.toml", "--space", "absent.toml"], 5, "no such file");
}

#[test]
fn folds_that_say_nothing_are_refused_by_name() {
    let folder = folder(BINARY);
    let at = folder.path();
    write(&folder, "s.toml", "[parameters]\nmodel.c = [1.0]\n");
    let search = ["search", "t.toml", "--space", "s.toml"];
    // Three positive rows of thirty, all at the end.
    let mut rare = "a,day,c\n".to_owned();
    (0..30).for_each(|row| rare.push_str(&format!("{row},{row},{}\n", u8::from(row > 26))));
    write(&folder, "t.csv", &rare);
    let time = ["--scheme", "time", "--time", "day", "--folds", "3"];
    let said = "fold 1 of 3: expected rows of two classes to train on, found one class";
    refused(at, &[&search[..], &time].concat(), 3, said);
    refused(at, &[&["evaluate", "t.toml"][..], &time].concat(), 3, said);
    refused(at, &[&["learning-curve", "t.toml"][..], &time].concat(), 3, said);
    let stratified = ["--scheme", "stratified", "--folds", "4"];
    let said = "column `c`: expected at least 4 rows of class 1 for the folds, found 3";
    refused(at, &[&search[..], &stratified].concat(), 3, said);
    yes(at, &[&search[..], &["--scheme", "stratified", "--folds", "3"]].concat());
    let late = (0..30).map(|row| format!("{row},{row},{}\n", u8::from(row < 3)));
    write(&folder, "t.csv", &("a,day,c\n".to_owned() + &late.collect::<String>()));
    let said = "fold 1 of 3: `roc_auc` expected rows of two classes to test on, found one class";
    refused(at, &[&search[..], &time].concat(), 3, said);
    let said = "`pr_auc` expected a row of the positive class to test on, found none";
    refused(at, &[&search[..], &time, &["--metric", "pr_auc"]].concat(), 3, said);
    yes(at, &[&search[..], &time, &["--metric", "log_loss"]].concat());
    yes(at, &[&["evaluate", "t.toml"][..], &time].concat());

    write(&folder, "t.toml", REGRESSION);
    write(&folder, "s.toml", SPACE);
    let flat = (0..30).map(|row| format!("{row},{row},{row},{}\n", (row / 25) * row));
    write(&folder, "t.csv", &("a,b,day,y\n".to_owned() + &flat.collect::<String>()));
    let said = "fold 1 of 3: expected a target that varies to train on, found one value in all";
    refused(at, &[&search[..], &time].concat(), 3, said);
    write(&folder, "t.csv", "a,b,day,y\n1,2,1,1\n2,3,1,2\n3,4,2,3\n4,5,2,4\n");
    let said = "column `day`: expected at least 4 distinct times for the folds, found 2";
    refused(at, &[&search[..], &time].concat(), 3, said);
    let grouped = format!("{REGRESSION}[split]\ntest_ratio = 0.2\ngroup = \"day\"\n");
    write(&folder, "t.toml", &grouped);
    let said = "expected no group column with the scheme time, found one";
    refused(at, &[&search[..], &["--scheme", "time", "--time", "day"]].concat(), 2, said);
    let said = "expected at least 3 groups for the folds, found 2";
    refused(at, &[&search[..], &["--scheme", "stratified", "--folds", "3"]].concat(), 3, said);
}

#[test]
fn evaluate_lays_folds_by_each_scheme() {
    let folder = folder(BINARY);
    let at = folder.path();
    let sizes = |more: &[&str]| -> Vec<(u64, u64)> {
        let found = json(at, &[&["evaluate", "t.toml", "--folds", "4"][..], more].concat());
        let parts = found["parts"].as_array().unwrap().iter();
        parts.map(|p| (p["n_train"].as_u64().unwrap(), p["n_test"].as_u64().unwrap())).collect()
    };
    let drawn = sizes(&[]);
    assert!(drawn.iter().all(|(train, test)| train + test == 90));
    let dealt = sizes(&["--scheme", "stratified"]);
    assert_eq!(dealt, [(67, 23), (67, 23), (68, 22), (68, 22)]);
    // 22 days of four rows and one of two: with the day as group, whole days are dealt out.
    write(&folder, "t.toml", &format!("{BINARY}[split]\ntest_ratio = 0.2\ngroup = \"day\"\n"));
    let grouped = sizes(&["--scheme", "stratified"]);
    assert!(grouped.iter().all(|(train, test)| train + test == 90), "{grouped:?}");
    assert_eq!(grouped.iter().filter(|(_, test)| test % 4 == 0).count(), 3, "{grouped:?}");
    assert!(grouped.iter().all(|(_, test)| (16..=28).contains(test)), "{grouped:?}");
    write(&folder, "t.toml", BINARY);
    // 22 days of four rows and one of two, cut into five parts of whole days.
    let timed = sizes(&["--scheme", "time", "--time", "day"]);
    assert_eq!(timed, [(20, 16), (36, 20), (56, 16), (72, 18)]);
    refused(at, &["evaluate", "t.toml", "--scheme", "stratified"], 2, "add --folds");
}

#[test]
fn seeds_move_what_draws_and_nothing_else() {
    let folder = folder(REGRESSION);
    let at = folder.path();
    refused(at, &["seeds", "t.toml"], 2, "found no split");
    refused(at, &["seeds", "t.toml", "--folds", "2", "--count", "1"], 2, "expected 2 to 100000");
    let split = format!("{REGRESSION}[split]\ntest_ratio = 0.3\n");
    write(&folder, "t.toml", &split);
    let held = yes(at, &["seeds", "t.toml", "--count", "3"]);
    assert!(held.contains("no seed moves a figure"), "{held}");
    let moved = json(at, &["seeds", "t.toml", "--count", "4", "--vary", "split"]);
    let rmse = &moved["metrics"]["rmse"];
    assert!(rmse["max"].as_f64() > rmse["min"].as_f64(), "{rmse}");
    // The second value is that of the next seed.
    write(&folder, "u.toml", &split.replace("seed = 3", "seed = 4"));
    let next = json(at, &["evaluate", "u.toml"]);
    assert_eq!(rmse["values"][1], next["summary"]["rmse"]["mean"]);
    let drawing = split.replace("mean_median_imputer", "random_sample_imputer");
    write(&folder, "t.toml", &drawing);
    let fits = json(at, &["seeds", "t.toml", "--count", "4", "--threads", "1"]);
    let rmse = &fits["metrics"]["rmse"];
    assert!(rmse["max"].as_f64() > rmse["min"].as_f64(), "{rmse}");
    assert_eq!(fits, json(at, &["seeds", "t.toml", "--count", "4", "--threads", "3"]));
    let text = yes(at, &["seeds", "t.toml", "--count", "4", "--vary", "both", "--folds", "2"]);
    assert!(text.contains("min to max") && !text.contains("no seed moves"), "{text}");
}

#[test]
fn curves_show_both_sides() {
    let folder = folder(REGRESSION);
    let at = folder.path();
    let args = ["learning-curve", "t.toml", "--points", "3", "--folds", "2"];
    let curve = json(at, &args);
    let points = curve["points"].as_array().unwrap();
    let sizes: Vec<u64> = points.iter().map(|p| p["n_train"][0].as_u64().unwrap()).collect();
    assert_eq!(sizes, [sizes[2].div_ceil(3), (2 * sizes[2]).div_ceil(3), sizes[2]]);
    let evaluated = json(at, &["evaluate", "t.toml", "--folds", "2"]);
    assert_eq!(points[2]["test"]["rmse"], evaluated["summary"]["rmse"]);
    assert!(points[0]["train"]["rmse"]["mean"].is_number());
    assert!(yes(at, &args).contains("rmse (lower is better), o train, x test"));
    refused(at, &["learning-curve", "t.toml", "--points", "0"], 2, "expected 1 to 1000 points");
    refused(at, &["learning-curve", "t.toml", "--metric", "x"], 2, "expected a metric to rank by");

    let curve = |values: &str| {
        ["validation-curve", "t.toml", "--folds", "2", "--parameter", "model.alpha", "--values"]
            .into_iter()
            .chain([values])
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    fn all(args: &[String]) -> Vec<&str> {
        args.iter().map(String::as_str).collect()
    }
    let found = json(at, &all(&curve("0.1,1.0,10.0")));
    assert_eq!(found["points"][0]["test"]["rmse"], evaluated["summary"]["rmse"]);
    assert_eq!(found["points"][2]["value"], 10.0);
    refused(at, &all(&curve("-1.0")), 2, "with model.alpha = -1.0");
    refused(at, &all(&curve("")), 2, "expected values of the parameter, found none");
    refused(at, &all(&curve("much")), 2, "with model.alpha = \"much\"");
    let method = ["--parameter", "fill.method", "--values", "mean,median", "--folds", "2"];
    yes(at, &[&["validation-curve", "t.toml"][..], &method].concat());
    let unknown = ["--parameter", "model", "--values", "1", "--folds", "2"];
    refused(at, &[&["validation-curve", "t.toml"][..], &unknown].concat(), 2, "expected a table");
}
