//! The `samescore` command as a user calls it: answers, exit codes, and every wrong input one by
//! one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command that must answer yes, and gives what it printed.
fn yes(folder: &Path, args: &[&str]) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {told}");
    stdout(&output)
}

/// Runs a command that must fail with `code`, and gives what it said on stderr, which must hold
/// `said`.
#[track_caller]
fn refused(folder: &Path, args: &[&str], code: i32, said: &str) -> String {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
    // Messages are wrapped for the eye.
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    assert!(flat.contains(said), "{args:?}: {flat}");
    assert!(output.stdout.is_empty(), "{args:?} printed to stdout");
    told
}

/// A folder with a config, its table, and an artifact.
fn fitted() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    yes(folder.path(), &["init"]);
    yes(folder.path(), &["fit", "samescore.toml"]);
    folder
}

fn write(folder: &TempDir, name: &str, text: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn read(folder: &TempDir, name: &str) -> Vec<u8> {
    std::fs::read(folder.path().join(name)).unwrap()
}

const CONFIG: &str = "[data]\nsource = \"t.csv\"\n\
    [data.columns]\na = \"num\"\nb = \"text\"\ny = \"num\"\n\
    [target]\ncolumn = \"y\"\n[[step]]\nkind = \"ordinal_encoder\"\ncolumns = [\"b\"]\n\
    [model]\nkind = \"linear_regression\"\n";
const TABLE: &str = "a,b,y\n1,x,1\n2,y,2\n4,x,3.5\n3,y,4\n";

/// A folder with a small config and `table`.
fn small(table: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "t.toml", CONFIG.as_bytes());
    write(&folder, "t.csv", table.as_bytes());
    folder
}

#[test]
fn a_table_gives_one_artifact_in_every_form_order_and_number_of_threads() {
    let folder = fitted();
    let at = folder.path();
    let first = read(&folder, "samescore.samescore");
    for (name, more) in [
        ("a.csv", &["--shuffle", "7"][..]),
        ("a.parquet", &[]),
        ("b.parquet", &["--shuffle", "8", "--row-group-rows", "17"]),
    ] {
        yes(at, &[&["convert", "samescore.toml", name], more].concat());
        for options in [&["--threads", "1"][..], &["--threads", "3", "--block-rows", "7"]] {
            let fit = ["fit", "samescore.toml", "--data", name, "--out", "other.samescore"];
            yes(at, &[&fit[..], options].concat());
            assert!(read(&folder, "other.samescore") == first, "{name} {options:?}");
        }
    }
    let scored = |source: &str, threads: &str, out: &str| {
        let args = ["score", "samescore.samescore", source, "--threads", threads, "--out", out];
        yes(at, &args);
        read(&folder, out)
    };
    let scores = scored("example.csv", "1", "s1.csv");
    yes(at, &["convert", "samescore.toml", "same.parquet"]);
    assert!(scored("same.parquet", "4", "s2.csv") == scores);
    scored("a.csv", "2", "s3.csv");
    assert!(yes(at, &["diff", "s1.csv", "s3.csv"]).contains("in another order"));
}

#[test]
fn the_trace_of_a_fit_is_the_trace_of_scoring() {
    let folder = fitted();
    let at = folder.path();
    yes(at, &["fit", "samescore.toml", "--trace", "a.trace"]);
    let score = ["score", "samescore.samescore", "example.csv", "--trace", "b.trace"];
    yes(at, &score);
    assert!(read(&folder, "a.trace") == read(&folder, "b.trace"));
    assert!(yes(at, &["diff", "a.trace", "b.trace"]).contains("same trace"));
}

#[test]
fn rows_never_vanish_and_each_has_a_score_or_a_reason() {
    let folder = small(TABLE);
    let at = folder.path();
    yes(at, &["fit", "t.toml"]);
    write(&folder, "s.csv", b"b,a\nx,1\nx,oops\ny,\nx,2\n");
    let text = yes(at, &["score", "t.samescore", "s.csv"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "row_key,score,bits,code,reason");
    assert!(lines[2].contains(",,,SS0202,") && lines[2].contains("oops"), "{text}");
    assert!(lines[3].contains(",,,SS0302,"), "{text}");
    let json: Value =
        serde_json::from_str(&yes(at, &["score", "t.samescore", "s.csv", "--format", "json"]))
            .unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["rows"][1]["code"], "SS0202");
    let bits = u64::from_str_radix(json["rows"][0]["bits"].as_str().unwrap(), 16).unwrap();
    assert_eq!(json["rows"][0]["score"].as_f64().unwrap().to_bits(), bits);
    write(&folder, "none.csv", b"a,b\n");
    assert_eq!(yes(at, &["score", "t.samescore", "none.csv"]), "row_key,score,bits,code,reason\n");
}

#[test]
fn features_say_why_a_row_has_none() {
    let folder = small(TABLE);
    let at = folder.path();
    yes(at, &["fit", "t.toml"]);
    write(&folder, "s.csv", b"b,a\nx,1\nx,oops\n");
    let text = yes(at, &["transform", "t.samescore", "s.csv"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "row_key,a,b,code,reason");
    assert!(lines[1].ends_with(",,"), "{text}");
    assert!(lines[2].contains(",,,SS0202,\"column `a`: ") && lines[2].contains("oops"), "{text}");
    write(&folder, "none.csv", b"a,b\n");
    assert_eq!(yes(at, &["transform", "t.samescore", "none.csv"]), "row_key,a,b,code,reason\n");
}

#[test]
fn an_output_that_is_an_input_is_refused_before_work() {
    let folder = fitted();
    let at = folder.path();
    let files = ["samescore.toml", "example.csv", "samescore.samescore"];
    let before = files.map(|name| read(&folder, name));
    for args in [
        &["fit", "samescore.toml", "--out", "example.csv"][..],
        &["fit", "samescore.toml", "--out", "./samescore.toml"],
        &["fit", "samescore.toml", "--trace", "samescore.samescore"],
        &["score", "samescore.samescore", "example.csv", "--out", "example.csv"],
        &["score", "samescore.samescore", "example.csv", "--trace", "samescore.samescore"],
        &["score", "samescore.samescore", "example.csv", "--out", "o", "--trace", "o"],
        &["transform", "samescore.samescore", "example.csv", "--out", "example.csv"],
        &["convert", "samescore.toml", "example.csv"],
        &["init", "example.csv", "--force", "--out", "example.csv"],
        &["init", "--force", "--out", "example.csv"],
    ] {
        refused(at, args, 2, "to be two files");
    }
    assert!(files.map(|name| read(&folder, name)) == before);
}

#[test]
fn a_flipped_cell_is_named() {
    let folder = fitted();
    let at = folder.path();
    yes(at, &["transform", "samescore.samescore", "example.csv", "--out", "f.csv"]);
    let text = String::from_utf8(read(&folder, "f.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let mut cells: Vec<String> = lines[6].split(',').map(str::to_owned).collect();
    let key = cells[0].clone();
    let value: f64 = cells[3].parse().unwrap();
    cells[3] = format!("{:?}", f64::from_bits(value.to_bits() + 1));
    lines[6] = cells.join(",");
    write(&folder, "g.csv", (lines.join("\n") + "\n").as_bytes());
    let output = samescore(at, &["diff", "f.csv", "g.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    for part in
        [format!("column `{}`", header[3]), format!("row `{key}`"), "1 ulp apart".to_owned()]
    {
        assert!(said.contains(&part), "{said}");
    }
    let output = samescore(at, &["diff", "f.csv", "g.csv", "--format", "json"]);
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["differences"][0]["ulps"], 1);
    assert_eq!(json["differences"][0]["row_key"], key);
}

#[test]
fn a_flipped_cell_of_the_training_table_is_named_by_its_column() {
    let folder = small(TABLE);
    let at = folder.path();
    yes(at, &["fit", "t.toml", "--out", "1.samescore"]);
    write(&folder, "t.csv", TABLE.replace("2,y,2", "2.5,y,2").as_bytes());
    yes(at, &["fit", "t.toml", "--out", "2.samescore"]);
    let output = samescore(at, &["diff", "1.samescore", "2.samescore"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    assert!(said.contains("first at stage `data`"), "{said}");
    assert!(said.contains("stage `input profile`, column `a`"), "{said}");
    yes(at, &["fit", "t.toml", "--out", "3.samescore", "--seed", "5"]);
    let seeds = stdout(&samescore(at, &["diff", "2.samescore", "3.samescore"]));
    assert!(seeds.contains("first at stage `config`, at `seed`: 0 against 5"), "{seeds}");
}

#[test]
fn wrong_configs_point_at_their_place() {
    let folder = small(TABLE);
    for (from, to, said, place) in [
        (
            "kind = \"ordinal_encoder\"",
            "kind = \"ordinal_encodr\"",
            "did you mean `ordinal_encoder`",
            "t.toml:",
        ),
        ("columns = [\"b\"]", "colums = [\"b\"]", "unknown field `colums`", "t.toml:11:1"),
        (
            "columns = [\"b\"]",
            "columns = [\"c\"]",
            "expected a column that exists, found a, b",
            "t.toml:11:12",
        ),
        (
            "column = \"y\"",
            "column = \"z\"",
            "expected a declared column in `target`, found another name",
            "t.toml:8:10",
        ),
        ("[target]", "[target", "SS0101", "t.toml:7:"),
        ("a = \"num\"", "a = \"number\"", "found `number`", "t.toml:4:5"),
        ("columns = [\"b\"]", "columns = [\"b\", \"b\"]", "SS0111", "t.toml:11:17"),
        ("[data]\n", "[data]\nkey = [\"a\", \"a\"]\n", "SS0111", "t.toml:2:13"),
        ("[data]\n", "golden_rows = 65\n[data]\n", "from 0 to 64", "t.toml:1:15"),
        (
            "columns = [\"b\"]\n",
            "columns = [\"b\"]\n[[step]]\nkind = \"rename_columns\"\nnames = { b = \"a\" }\n",
            "SS0112",
            "t.toml:14:15",
        ),
        ("columns = [\"b\"]", "columns = [\"a\"]", "expected text, found num", "t.toml:11:12"),
    ] {
        write(&folder, "t.toml", CONFIG.replace(from, to).as_bytes());
        let told = refused(folder.path(), &["fit", "t.toml"], 2, said);
        assert!(told.contains(place), "expected {place} in {told}");
    }
    let args = ["fit", "t.toml", "--format", "json"];
    let json: Value = serde_json::from_str(&refused(folder.path(), &args, 2, "SS0107")).unwrap();
    assert_eq!((&json["error"]["exit_code"], &json["schema_version"]), (&2.into(), &1.into()));
    assert!(json["error"]["place"]["line"].as_u64().is_some(), "{json}");
    let refuse = |args: &[&str], code: i32, said: &str| refused(folder.path(), args, code, said);
    refuse(&["fit", "absent.toml"], 5, "no such file or folder");
    refuse(&["fit", "."], 5, "expected a file, found the folder");
    refuse(&["fit", "t.toml", "--seed", "x"], 2, "invalid value 'x'");
    refuse(&["fits"], 2, "unrecognized subcommand");
    write(&folder, "t.toml", CONFIG.as_bytes());
    refuse(&["evaluate", "t.toml"], 2, "found no split");
    refuse(&["evaluate", "t.toml", "--folds", "1"], 2, "expected at least 2 folds");
}

#[test]
fn wrong_tables_are_refused_with_row_column_and_remedy() {
    for (table, said) in [
        ("", "expected a header, found an empty file"),
        ("a,b,y\n", "expected rows to fit on, found none"),
        ("a,b,y\n1,x,1\n2,y\n", "row 1: `t.csv` line 3: expected 3 cells, found 2"),
        ("a,b,y\n1,x,1,7\n", "row 0: `t.csv` line 2: expected 3 cells, found 4"),
        ("a,b,y,a\n1,x,1,7\n", "column `a`: expected unique names"),
        ("a;b;y\n1;x;1\n", "cells are separated by commas"),
        ("A,b,y\n1,x,1\n", "capitals included"),
        ("a,b,y\n1,x,1\n?,y,2\n", "column `a`: row 1: expected number, found text \"?\""),
        ("a,b,y\n1,x,1\n2,y,\n", "column `y`: row 1: expected a target, found a missing value"),
        ("a,b,y\n9007199254740993,x,1\n", "column `a`: row 0: expected integer up to 2^53"),
        ("a,b,y\n1,\"x,1\n", "expected a closing quote"),
        ("a,b,y\n1,x\0,1\n", "column `b`: row 0: expected text, found a NUL byte"),
        ("a,b,y\n,x,1\n2,y,2\n", "column `a`"),
    ] {
        let folder = small(table);
        refused(folder.path(), &["fit", "t.toml"], 3, said);
        assert!(!folder.path().join("t.samescore").exists());
    }
    let folder = small(TABLE);
    write(&folder, "t.csv", b"a,b,y\n1,x,1\n2,\xff,2\n");
    refused(
        folder.path(),
        &["fit", "t.toml"],
        3,
        "column `b`: row 1: `t.csv` line 3: expected UTF-8",
    );
    write(&folder, "t.csv", b"\xff\xfea\0");
    refused(folder.path(), &["fit", "t.toml"], 3, "found UTF-16");
    write(&folder, "t.csv", &[b"\xef\xbb\xbf", TABLE.as_bytes()].concat());
    yes(folder.path(), &["fit", "t.toml"]);
    let refuse = |source: &str, code: i32, said: &str| {
        refused(folder.path(), &["fit", "t.toml", "--data", source], code, said);
    };
    refuse("absent.csv", 5, "no such file or folder");
    refuse("t.toml", 5, "expected a file ending in .csv, .csv.gz, .parquet,");
    refuse(".", 5, "expected a file ending in .csv, .csv.gz, .parquet,");
    refuse("mysql://host/db?table=t", 5, "expected sqlite:// or postgres://, found `mysql://`");
}

#[test]
fn wrong_parquet_files_are_refused_and_none_panics() {
    let folder = small(TABLE);
    let at = folder.path();
    yes(at, &["convert", "t.toml", "t.parquet"]);
    let good = read(&folder, "t.parquet");
    let footer = good.len() - 8;
    let mut cases: Vec<Vec<u8>> = vec![b"PAR1PAR".to_vec(), b"PAR1xxPAR1".to_vec(), TABLE.into()];
    cases.push(good[..good.len() / 2].to_vec());
    cases.push([&good[..footer], &[0xff, 0xff, 0xff, 0x7f], b"PAR1"].concat());
    cases.push([&good[..footer], &[0, 0, 0, 0], b"PAR1"].concat());
    for bytes in &cases {
        write(&folder, "bad.parquet", bytes);
        refused(at, &["fit", "t.toml", "--data", "bad.parquet"], 3, "bad.parquet");
    }
    // Whatever byte is flipped, the answer is an artifact or a refusal, never a panic.
    for place in (0..good.len()).step_by(good.len() / 60 + 1) {
        let mut bytes = good.clone();
        bytes[place] ^= 0x55;
        write(&folder, "bad.parquet", &bytes);
        let output =
            samescore(at, &["fit", "t.toml", "--data", "bad.parquet", "--out", "x.samescore"]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "byte {place}: {code:?}");
    }
}

#[test]
fn wrong_artifacts_are_refused_and_still_inspected() {
    let folder = fitted();
    let at = folder.path();
    let good = read(&folder, "samescore.samescore");
    assert!(yes(at, &["verify", "samescore.samescore"]).contains("golden rows score to the bit"));
    assert!(yes(at, &["inspect", "samescore.samescore"]).contains("accepted"));
    let mut flipped = good.clone();
    let last = flipped.len() - 20;
    flipped[last] ^= 1;
    let mut newer = good.clone();
    newer[4] = 9;
    for (bytes, code) in [
        (flipped, "SS0403"),
        (newer, "SS0402"),
        (good[..100].to_vec(), "SS0403"),
        (b"hello".to_vec(), "SS0401"),
        (Vec::new(), "SS0401"),
    ] {
        write(&folder, "bad.samescore", &bytes);
        refused(at, &["verify", "bad.samescore"], 4, code);
        refused(at, &["score", "bad.samescore", "example.csv"], 4, code);
        let output = samescore(at, &["inspect", "bad.samescore"]);
        assert_eq!(output.status.code(), Some(4));
        assert!(stdout(&output).contains(&format!("REFUSED {code}")));
    }
    let transform = ["transform", "samescore.samescore", "example.csv", "--until", "nowhere"];
    refused(at, &transform, 2, "expected a step, found `nowhere`");
}

#[test]
fn every_kind_and_code_is_explained_and_every_help_has_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let kinds: Value = serde_json::from_str(&yes(at, &["kinds", "--format", "json"])).unwrap();
    for kind in kinds["kinds"].as_array().unwrap() {
        let tag = kind["kind"].as_str().unwrap();
        let manual = yes(at, &["kinds", tag]);
        assert!(
            manual.contains("# Method") && manual.contains(&format!("kind = \"{tag}\"")),
            "{manual}"
        );
    }
    assert!(yes(at, &["kinds", "cast"]).contains("# unit: left out by default"));
    let forest = yes(at, &["kinds", "random_forest"]);
    let choices = "max_features: \"auto\" | \"all\" | \"sqrt\" | \"log2\" | \
                   { count = whole number } | { share = number }\n    How many columns";
    assert!(forest.contains(choices), "{forest}");
    refused(at, &["kinds", "nothing"], 2, "expected a known kind, found `nothing`");
    assert!(yes(at, &["explain", "ss0301"]).contains("exit code 3"));
    refused(at, &["explain", "SS9999"], 2, "expected an error code");
    for command in [
        "init",
        "fit",
        "score",
        "transform",
        "evaluate",
        "search",
        "seeds",
        "learning-curve",
        "validation-curve",
        "inspect",
        "importance",
        "dependence",
        "verify",
        "diff",
        "drift",
        "kinds",
        "explain",
        "completions",
        "convert",
    ] {
        let help = yes(at, &[command, "--help"]);
        assert!(help.contains("Example:\n  samescore "), "{help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(yes(at, &["completions", shell]).contains("samescore"));
    }
}

#[test]
fn init_declares_what_the_table_has_and_its_config_fits() {
    let folder = small(
        "a b,c,when,z\n1,x,2010-05-01,yes\n2,y,2011-05-01,no\n3,,,yes\n4,x,2012-01-01,no\n\
         5,y,,yes\n6,x,2010-01-01,no\n7,y,2011-03-01,yes\n\
         8,x,2013-01-01,no\n9,y,2014-01-01,no\n10,x,2015-01-01,yes\n",
    );
    let at = folder.path();
    yes(at, &["init", "t.csv", "--target", "z", "--out", "z.toml"]);
    let text = String::from_utf8(read(&folder, "z.toml")).unwrap();
    for line in
        ["\"a b\" = \"num\"", "\"when\" = \"time\"", "positive = \"yes\"", "task = \"binary\""]
    {
        assert!(text.contains(line), "{text}");
    }
    refused(at, &["init", "t.csv", "--out", "z.toml"], 2, "expected a new file");
    yes(at, &["init", "t.csv", "--target", "a b", "--out", "a.toml"]);
    yes(at, &["fit", "a.toml"]);
    refused(
        at,
        &["init", "t.csv", "--target", "when", "--out", "w.toml"],
        2,
        "expected numbers or labels",
    );
}

#[test]
fn a_config_without_columns_takes_those_of_its_source() {
    let folder = small(TABLE);
    let declared = CONFIG.replace("[data.columns]\na = \"num\"\nb = \"text\"\ny = \"num\"\n", "");
    yes(folder.path(), &["fit", "t.toml"]);
    write(&folder, "u.toml", declared.as_bytes());
    yes(folder.path(), &["fit", "u.toml"]);
    assert!(read(&folder, "t.samescore") == read(&folder, "u.samescore"));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = fitted();
    let command = format!(
        "set -o pipefail; {} score samescore.samescore example.csv | head -1",
        env!("CARGO_BIN_EXE_samescore")
    );
    let output =
        Command::new("bash").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout(&output), "row_key,score,bits,code,reason\n");
}
