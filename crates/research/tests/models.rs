//! What a user is told of a fitted model: how well coefficients are known, how the fit ended, what
//! is decided, and the classes by name.

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
fn yes(folder: &Path, args: &[&str]) -> (String, String) {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    (String::from_utf8(output.stdout).unwrap(), told)
}

#[track_caller]
fn json(folder: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_str(&yes(folder, &args).0).unwrap()
}

#[track_caller]
fn refused(folder: &Path, args: &[&str], said: &str) {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(output.status.code(), Some(0), "{args:?}");
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    assert!(flat.contains(said), "{args:?}: {flat}");
}

const COLUMNS: &str = "[data.columns]\na = \"num\"\nb = \"num\"\ny = \"num\"\n";

/// A folder with a table of 60 rows, whose target is 1, 2, 3 by turns of `y`, and a config.
fn folder(target: &str, model: &str, y: impl Fn(usize) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "a,b,y\n".to_owned();
    for i in 0..60 {
        writeln!(table, "{},{},{}", i * 7 % 23, i * 5 % 11, y(i)).unwrap();
    }
    std::fs::write(folder.path().join("t.csv"), table).unwrap();
    let config =
        format!("[data]\nsource = \"t.csv\"\n{COLUMNS}[target]\ncolumn = \"y\"\n{target}\n");
    std::fs::write(folder.path().join("t.toml"), format!("{config}[model]\n{model}\n")).unwrap();
    folder
}

fn number(i: usize) -> String {
    (2 * (i * 7 % 23) + i % 4).to_string()
}

fn bit(i: usize) -> String {
    usize::from(i * 7 % 23 + i % 9 > 14).to_string()
}

fn class(i: usize) -> String {
    (1 + (i * 7 % 23 + i % 5) / 10).min(3).to_string()
}

#[test]
fn a_summary_is_seen_in_text_and_json() {
    let least_squares = "kind = \"linear_regression\"\nsummary = true";
    let logit = "kind = \"logistic_regression\"\npenalty = \"none\"\nsummary = true";
    type Target = fn(usize) -> String;
    for (target, model, y, statistic) in [
        ("", least_squares, number as Target, "t"),
        ("task = \"binary\"", logit, bit as Target, "z"),
    ] {
        let folder = folder(target, model, y);
        let fit = json(folder.path(), &["fit", "t.toml"]);
        let about = json(folder.path(), &["inspect", "t.samescore"]);
        let summary = &about["artifact"]["summary"];
        assert_eq!(&fit["summary"], summary);
        assert_eq!(summary["statistic"], statistic);
        let rows = summary["coefficients"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row["column"].as_str().unwrap()).collect();
        assert_eq!(names, ["(intercept)", "a", "b"]);
        for row in rows {
            let value = |name: &str| row[name].as_f64().unwrap();
            // JSON may round a number when it is read.
            let ratio = value("estimate") / value("standard_error");
            assert!((value("statistic") - ratio).abs() <= 1e-12 * ratio.abs());
            assert!(value("low") < value("estimate") && value("estimate") < value("high"));
            assert!((0.0..=1.0).contains(&value("p_value")));
        }
        let (text, _) = yes(folder.path(), &["inspect", "t.samescore"]);
        for word in ["std error", &format!("p of |{statistic}|"), "from 2.5%", "(intercept)"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let (text, _) = yes(folder.path(), &["fit", "t.toml"]);
        assert!(text.contains("std error"), "{text}");
    }
}

#[test]
fn a_fit_that_stops_at_its_cap_says_so_or_is_refused() {
    for (model, said) in [
        ("kind = \"mlp\"\nmax_iter = 3", "a loss that no longer falls"),
        ("kind = \"k_means\"\nmax_iter = 1", "raise `max_iter`"),
        ("kind = \"huber_regression\"\nmax_iter = 1", "a gradient norm"),
        ("kind = \"elastic_net\"\nmax_iter = 1\nalpha = 0.001", "still move"),
    ] {
        let folder = folder("", model, number);
        let at = folder.path();
        let text = std::fs::read_to_string(at.join("t.toml")).unwrap();
        std::fs::write(at.join("warn.toml"), format!("on_max_iter = \"warn\"\n{text}")).unwrap();
        std::fs::write(at.join("error.toml"), format!("on_max_iter = \"error\"\n{text}")).unwrap();
        let (_, told) = yes(at, &["fit", "warn.toml"]);
        assert!(told.contains("warning: ") && told.contains(said), "{told}");
        let fit = json(at, &["fit", "warn.toml"]);
        let about = json(at, &["inspect", "warn.samescore"]);
        assert!(fit["warnings"][0].as_str().unwrap().contains(said), "{fit}");
        assert_eq!(fit["warnings"], about["artifact"]["warnings"]);
        assert!(yes(at, &["inspect", "warn.samescore"]).0.contains(said));
        refused(at, &["fit", "error.toml"], "SS0308");
        // Without the choice each kind has its own rule.
        match model.contains("mlp") || model.contains("k_means") {
            true => assert!(yes(at, &["fit", "t.toml"]).1.contains(said)),
            false => refused(at, &["fit", "t.toml"], "SS0308"),
        }
    }
}

#[test]
fn a_threshold_decides() {
    let model = "kind = \"threshold\"\ncost_false_negative = 5.0";
    let folder = folder("task = \"binary\"", model, bit);
    let at = folder.path();
    let fit = json(at, &["fit", "t.toml"]);
    let threshold = fit["decision_threshold"].as_f64().unwrap();
    assert!(threshold < 0.5, "{threshold}");
    assert!(yes(at, &["inspect", "t.samescore"]).0.contains("threshold"));
    let listed = yes(at, &["score", "t.samescore", "t.csv", "--output", "class"]).0;
    assert!(listed.starts_with("row_key,class,score,bits,code,reason\n"), "{listed}");
    let mut counts = [0.0; 4];
    for (i, line) in listed.lines().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let score: f64 = cells[2].parse().unwrap();
        assert_eq!(cells[1] == "1", score >= threshold);
        counts[usize::from(bit(i) == "1") * 2 + usize::from(score >= threshold)] += 1.0;
    }
    let metrics = &fit["metrics"];
    for (count, name) in counts.iter().zip(["true_n", "false_p", "false_n", "true_p"]) {
        let name =
            if name.ends_with('n') { format!("{name}egatives") } else { format!("{name}ositives") };
        assert_eq!(metrics[format!("train_{name}")], *count, "{name}");
    }
    let rows = json(at, &["score", "t.samescore", "t.csv", "--output", "class"]);
    assert!(["0", "1"].contains(&rows["rows"][0]["class"].as_str().unwrap()));
    let written = ["score", "t.samescore", "t.csv", "--output", "class", "--out", "s.jsonl"];
    yes(at, &written);
    let lines = std::fs::read_to_string(at.join("s.jsonl")).unwrap();
    assert!(lines.lines().next().unwrap().contains("\"class\":\""), "{lines}");
}

#[test]
fn classes_are_named_by_their_labels() {
    let target = "task = \"multiclass\"\nclasses = [\"1\", \"2\", \"3\"]";
    let folder = folder(target, "kind = \"logistic_regression\"", class);
    let at = folder.path();
    yes(at, &["fit", "t.toml"]);
    let score = |output| yes(at, &["score", "t.samescore", "t.csv", "--output", output]).0;
    let header = |text: String| text.lines().next().unwrap().to_owned();
    assert_eq!(header(score("score")), "row_key,class,score_1,score_2,score_3,bits,code,reason");
    assert_eq!(header(score("margin")), "row_key,margin_1,margin_2,margin_3,bits,code,reason");
    let contributions = header(score("contribution"));
    let first = "row_key,contribution_1_a,contribution_1_b,contribution_1_base,contribution_2_a";
    assert!(contributions.starts_with(first), "{contributions}");
    let about = json(at, &["inspect", "t.samescore"]);
    let weights = about["artifact"]["class_coefficients"].as_object().unwrap();
    assert_eq!(weights.keys().collect::<Vec<_>>(), ["1", "2", "3"]);
    let (text, _) = yes(at, &["inspect", "t.samescore"]);
    for word in ["intercept of class 3", "weight of 1"] {
        assert!(text.contains(word) && !text.contains("class 0"), "{word}: {text}");
    }
    assert!(yes(at, &["importance", "t.samescore"]).0.contains("|coefficient| of 2"));
}

#[test]
fn contributions_of_a_line_add_up_to_its_margin() {
    let folder = folder("", "kind = \"linear_regression\"", number);
    let at = folder.path();
    yes(at, &["fit", "t.toml"]);
    let rows = |output| json(at, &["score", "t.samescore", "t.csv", "--output", output]);
    let (parts, margins) = (rows("contribution"), rows("margin"));
    for row in 0..60 {
        let part = |name: &str| parts["rows"][row]["values"][name].as_f64().unwrap();
        let sum = part("contribution_base") + part("contribution_a") + part("contribution_b");
        assert_eq!(sum, margins["rows"][row]["values"]["margin"].as_f64().unwrap());
    }
}

#[test]
fn a_wrong_parameter_or_row_is_named_where_it_is() {
    let place = |model: &str, said: &str, line: &str| {
        let folder = folder("", model, number);
        refused(folder.path(), &["fit", "t.toml"], said);
        refused(folder.path(), &["fit", "t.toml"], line);
    };
    place("kind = \"elastic_net\"\nalpha = -1.0", "found -1", "t.toml:12:9");
    let nested = "kind = \"bagging\"\n[model.estimator.elastic_net]\nl1_ratio = 2.0";
    place(nested, "`l1_ratio`", "t.toml:13:12");
    place("kind = \"xgboost\"", "did you mean `gradient_boosting`", "t.toml:11:8");
    let counts = folder("", "kind = \"poisson_regression\"", |i| (i as i64 - 3).to_string());
    refused(counts.path(), &["fit", "t.toml"], "column `y`: row 0: expected targets of at least 0");
    let holes = folder("", "kind = \"elastic_net\"", number);
    let text = std::fs::read_to_string(holes.path().join("t.csv")).unwrap();
    let text = text.replacen("\n7,", "\n,", 1);
    std::fs::write(holes.path().join("t.csv"), text).unwrap();
    refused(holes.path(), &["fit", "t.toml"], "column `a`: row 1: expected a number in every row");
    let dear = "kind = \"threshold\"\ncost_false_positive = 1e308\ncost_false_negative = 1e308";
    let dear = folder("task = \"binary\"", dear, bit);
    refused(dear.path(), &["fit", "t.toml"], "expected `cost_false_positive` of at most 1e100");
    let boosted =
        folder("task = \"binary\"", "kind = \"gradient_boosting\"\nloss = \"poisson\"", bit);
    refused(boosted.path(), &["fit", "t.toml"], "with `loss` = \"poisson\", found binary");
    let mixed = "kind = \"voting\"\nestimators = [{ linear_regression = {} }]";
    let mixed = folder("task = \"binary\"", mixed, bit);
    refused(mixed.path(), &["fit", "t.toml"], "`voting` of `linear_regression`, found binary");
}

/// The config with the column `b` as weights.
fn weigh(folder: &TempDir) {
    let path = folder.path().join("t.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("[data]\n", "[data]\nweight = \"b\"\n")).unwrap();
}

#[test]
fn metrics_follow_the_loss() {
    let of = |model: &str, name: &str| {
        let folder = folder("", model, |i| (1 + i * 7 % 23 + i % 4).to_string());
        let found = json(folder.path(), &["evaluate", "t.toml", "--folds", "3"]);
        let summary = found["summary"].as_object().unwrap().clone();
        assert!(summary[name]["mean"].as_f64().unwrap() > 0.0, "{summary:?}");
        assert_eq!(summary.len(), 4, "{summary:?}");
        let fit = json(folder.path(), &["fit", "t.toml"]);
        assert!(fit["metrics"][format!("train_{name}")].is_f64(), "{fit}");
        let curve = ["learning-curve", "t.toml", "--folds", "3", "--metric", name];
        assert_eq!(json(folder.path(), &curve)["metric"], name);
    };
    of("kind = \"quantile_regression\"\nquantile = 0.75", "pinball");
    of("kind = \"poisson_regression\"", "poisson_deviance");
    of("kind = \"gamma_regression\"", "gamma_deviance");
    of("kind = \"tweedie_regression\"", "tweedie_deviance");
    of("kind = \"gradient_boosting\"\nloss = \"quantile\"", "pinball");
}

#[test]
fn a_metric_is_shown_where_it_is_asked_for_and_defined() {
    let model = "kind = \"linear_regression\"";
    let above = folder("", model, |i| (1 + i).to_string());
    let asked = ["evaluate", "t.toml", "--folds", "3", "--metric", "mape"];
    let found = json(above.path(), &asked);
    assert!(found["summary"]["mape"]["mean"].is_f64(), "{found}");
    let seeds = ["seeds", "t.toml", "--folds", "3", "--count", "2", "--metric", "mape"];
    assert!(json(above.path(), &seeds)["metrics"]["mape"]["mean"].is_f64());
    let zero = folder("", model, |i| (i % 4).to_string());
    refused(zero.path(), &asked, "`mape` expected targets other than 0 to test on, found one of 0");
    let unknown = ["evaluate", "t.toml", "--folds", "3", "--metric", "pinball"];
    refused(zero.path(), &unknown, "expected a metric to rank by, rmse, mae, r2, poisson_deviance");
    // The line goes below 0, where there is no deviance.
    let steep = folder("", model, |i| (3 * (i * 7 % 23).saturating_sub(12)).to_string());
    let asked = ["evaluate", "t.toml", "--folds", "3", "--metric", "poisson_deviance"];
    refused(steep.path(), &asked, "expected `poisson_deviance` of its rows, found none defined");
}

#[test]
fn metrics_weigh_rows_as_the_fit_does() {
    let folder = folder("", "kind = \"linear_regression\"", number);
    let evaluate = ["evaluate", "t.toml", "--folds", "3"];
    let plain = json(folder.path(), &evaluate);
    assert_eq!(plain["weight"], Value::Null);
    weigh(&folder);
    let weighed = json(folder.path(), &evaluate);
    assert_eq!(weighed["weight"], "b");
    assert_ne!(plain["summary"]["rmse"], weighed["summary"]["rmse"]);
    let said = "each row counts its `b` in the metrics\n";
    for command in [&evaluate[..], &["fit", "t.toml"], &["seeds", "t.toml", "--folds", "3"]] {
        assert!(yes(folder.path(), command).0.contains(said), "{command:?}");
    }
    // One weight for all rows is none.
    let path = folder.path().join("t.csv");
    let table = std::fs::read_to_string(&path).unwrap();
    let level = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let weight = if cells[1] == "b" { "b" } else { "4" };
        [cells[0], weight, cells[2]].join(",") + "\n"
    };
    std::fs::write(&path, table.lines().map(level).collect::<String>()).unwrap();
    let fit = json(folder.path(), &["fit", "t.toml"]);
    let text = std::fs::read_to_string(folder.path().join("t.toml")).unwrap();
    let text = text.replace("weight = \"b\"\n", "").replace("b = \"num\"\n", "");
    std::fs::write(folder.path().join("t.toml"), text).unwrap();
    let without = json(folder.path(), &["fit", "t.toml"]);
    let rmse = |found: &Value| found["metrics"]["train_rmse"].as_f64().unwrap();
    assert!((rmse(&fit) - rmse(&without)).abs() < 1e-12 * rmse(&fit), "{fit} {without}");
}

#[test]
fn classes_are_weighed_by_label_and_numbers_are_not() {
    let model = "kind = \"random_forest\"\nmax_depth = 3\nn_estimators = 10\n";
    let with = |target: &str, weight: &str, y: fn(usize) -> String| {
        folder(target, &format!("{model}class_weight = {weight}"), y)
    };
    let found = |weight: &str| {
        let folder = with("task = \"binary\"", weight, bit);
        let fit = json(folder.path(), &["fit", "t.toml"]);
        fit["metrics"]["train_true_positives"].as_f64().unwrap()
    };
    assert!(found("{ 0 = 1.0, 1 = 20.0 }") > found("{ 0 = 20.0, 1 = 1.0 }"));
    let number = with("", "\"balanced\"", number);
    let said = "step `model`: expected no `class_weight` for a regression";
    refused(number.path(), &["fit", "t.toml"], said);
    let wrong = with("task = \"binary\"", "{ no = 1.0, yes = 5.0 }", bit);
    let said = "expected labels of the target in `class_weight`, found \"no\"";
    refused(wrong.path(), &["fit", "t.toml"], said);
    let help = "help: give each of \"0\", \"1\" a weight, and nothing else";
    refused(wrong.path(), &["fit", "t.toml"], help);
    let kinds = yes(number.path(), &["kinds", "random_forest"]).0;
    assert!(kinds.contains("\"none\" | \"balanced\" | table of: number, by label"), "{kinds}");
}

#[test]
fn out_of_bag_scores_and_centres_are_seen() {
    let forest = "kind = \"random_forest\"\nn_estimators = 10\noob_score = true";
    let folder = folder("", forest, number);
    let told = yes(folder.path(), &["fit", "t.toml"]).0;
    assert!(told.contains("of the fit itself") && told.contains("out-of-bag R2"), "{told}");
    let fit = json(folder.path(), &["fit", "t.toml"]);
    assert!(fit["own_figures"]["out-of-bag R2"].is_f64(), "{fit}");
    assert!(yes(folder.path(), &["inspect", "t.samescore"]).0.contains("out-of-bag R2"));
    let groups = self::folder("", "kind = \"k_means\"\nn_clusters = 3\nn_init = 4", number);
    yes(groups.path(), &["fit", "t.toml"]);
    let text = yes(groups.path(), &["inspect", "t.samescore"]).0;
    assert!(text.contains("centre 0") && text.contains("centre 2"), "{text}");
    let about = json(groups.path(), &["inspect", "t.samescore"]);
    let centres = about["artifact"]["centres"].as_array().unwrap();
    assert_eq!((centres.len(), centres[0].as_array().unwrap().len()), (3, 2), "{about}");
}
