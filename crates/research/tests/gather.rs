//! `gather` as a program: one fingerprint for one table, whatever it comes from, and no half
//! snapshot, whatever happens.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

fn samescore() -> Command {
    Command::new(env!("CARGO_BIN_EXE_samescore"))
}

fn run(folder: &Path, args: &[&str]) -> Output {
    samescore().current_dir(folder).args(args).output().expect("the command runs")
}

fn answer(folder: &Path, args: &[&str]) -> Value {
    let output = run(folder, &[args, &["--format", "json", "--quiet"]].concat());
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {shown}");
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

fn fingerprint(folder: &Path, source: &str) -> String {
    let found = answer(folder, &["gather", source]);
    found["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

fn complaint(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = run(folder, args);
    let code = output.status.code().expect("an exit code");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A table with every kind of cell, 700 rows.
fn table(folder: &Path) {
    let mut text = String::from("id,amount,name,at\n");
    for row in 0..700u32 {
        let amount = if row % 7 == 0 { String::new() } else { format!("{}.25", row % 90) };
        let name = ["north", "", "\"a, \"\"b\"\"\"", "süd"][row as usize % 4];
        let at = format!("2020-{:02}-{:02}T10:00:00Z", row % 12 + 1, row % 28 + 1);
        text += &format!("{row},{amount},{name},{at}\n");
    }
    std::fs::write(folder.join("t.csv"), text).expect("a file");
    let config = "[data]\nsource = \"t.csv\"\n[target]\ncolumn = \"amount\"\n\
                  [model]\nkind = \"linear_regression\"\n";
    std::fs::write(folder.join("t.toml"), config).expect("a file");
}

#[test]
fn one_table_from_every_source_has_one_fingerprint() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    let expected = fingerprint(folder, "t.csv");
    for (n, out) in
        ["a.csv", "a.csv.gz", "a.parquet", "a.arrow", "a.jsonl", "sqlite://a.db?table=t"]
            .into_iter()
            .enumerate()
    {
        let seed = n.to_string();
        let args = ["convert", "t.toml", out, "--shuffle", &seed, "--row-group-rows", "64"];
        answer(folder, &args);
        for threads in ["1", "3", "8"] {
            let found = answer(folder, &["gather", out, "--threads", threads]);
            assert_eq!(found["fingerprint"], expected.as_str(), "{out} on {threads} threads");
        }
    }
    let query = "sqlite://a.db?query=SELECT id, amount, name, at FROM t ORDER BY amount";
    assert_eq!(fingerprint(folder, query), expected);
}

#[test]
fn a_table_in_several_files_is_one_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    let expected = fingerprint(folder, "t.csv");
    let text = std::fs::read_to_string(folder.join("t.csv")).expect("the table");
    let (header, body) = text.split_once('\n').expect("a header");
    let lines: Vec<&str> = body.lines().collect();
    for n_files in [2, 7] {
        let parts = folder.join(format!("parts{n_files}"));
        std::fs::create_dir(&parts).expect("a folder");
        for part in 0..n_files {
            let rows = lines.iter().skip(part).step_by(n_files).copied();
            let rows: Vec<&str> = [header].into_iter().chain(rows).collect();
            let path = parts.join(format!("{part}.csv"));
            std::fs::write(path, rows.join("\n")).expect("a file");
        }
        assert_eq!(fingerprint(folder, &format!("parts{n_files}/*.csv")), expected);
        assert_eq!(fingerprint(folder, &format!("parts{n_files}")), expected);
    }
}

#[test]
fn a_table_in_folders_of_its_values_is_that_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    let expected = fingerprint(folder, "t.csv");
    let text = std::fs::read_to_string(folder.join("t.csv")).expect("the table");
    let names = ["north", "", "\"a, \"\"b\"\"\"", "süd"];
    let folders = ["north", "__HIVE_DEFAULT_PARTITION__", "a%2C%20%22b%22", "süd"];
    for (name, value) in names.iter().zip(folders) {
        for month in 1..=12 {
            let tail = format!(",{name},2020-{month:02}-");
            let lines = text.lines().filter(|line| line.contains(&tail));
            let rows: String =
                lines.map(|line| line.replace(&format!(",{name},"), ",") + "\n").collect();
            let parts = folder.join(format!("parts/name={value}/{month}"));
            std::fs::create_dir_all(&parts).expect("a folder");
            std::fs::write(parts.join("a.csv"), format!("id,amount,at\n{rows}")).expect("a file");
        }
    }
    for source in ["parts", "parts/**/*.csv", "parts/name=*/*/a.csv"] {
        assert_eq!(fingerprint(folder, source), expected, "{source}");
    }
    let kept = answer(folder, &["gather", "parts", "--out", "kept", "--key", "id"]);
    assert_eq!(kept["fingerprint"], expected.as_str());
    assert_eq!(fingerprint(folder, "kept"), expected);
    // A fit on them is the fit on the table, also in blocks.
    let config = "[data.columns]\nid = \"num\"\namount = \"num\"\nname = \"text\"\n\
                  [target]\ncolumn = \"id\"\n[model]\nkind = \"decision_tree\"\n";
    std::fs::write(folder.join("fit.toml"), config).expect("a file");
    let fit = |args: &[&str]| {
        answer(folder, &[&["fit", "fit.toml", "--data"], args].concat())["artifact"].clone()
    };
    let expected = fit(&["t.csv"]);
    assert_eq!(fit(&["parts"]), expected);
    assert_eq!(fit(&["parts", "--stream", "--block-rows", "16"]), expected);
}

#[test]
fn a_snapshot_is_written_once_and_is_a_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    let first = answer(folder, &["gather", "t.csv", "--out", "kept", "--key", "id"]);
    assert_eq!((&first["is_new"], &first["n_rows"]), (&Value::Bool(true), &Value::from(700)));
    let again = answer(folder, &["gather", "t.csv", "--out", "kept"]);
    assert_eq!((&again["is_new"], &again["path"]), (&Value::Bool(false), &first["path"]));
    let path = first["path"].as_str().expect("a path");
    assert!(path.ends_with(first["fingerprint"].as_str().expect("a fingerprint")));
    assert_eq!(first["fingerprint"].as_str().expect("text"), fingerprint(folder, path));
    assert_eq!(fingerprint(folder, "kept"), fingerprint(folder, path));
    // A fit on the snapshot is the fit on the table.
    let config = "[data.columns]\nid = \"num\"\namount = \"num\"\nname = \"text\"\n\
                  [target]\ncolumn = \"id\"\n[model]\nkind = \"decision_tree\"\n";
    std::fs::write(folder.join("fit.toml"), config).expect("a file");
    let fit =
        |source: &str| answer(folder, &["fit", "fit.toml", "--data", source])["artifact"].clone();
    assert_eq!(fit(path), fit("t.csv"));
    // A snapshot whose rows were changed is refused.
    let table = folder.join(path).join("table.parquet");
    let mut bytes = std::fs::read(&table).expect("the rows");
    bytes[200] ^= 1;
    std::fs::write(&table, bytes).expect("a file");
    let (code, shown) = complaint(folder, &["gather", path]);
    assert!(code == 5 && shown.contains("SS0503"), "{code} {shown}");
}

/// A newer writer of Parquet may move the second; nothing moves the first.
#[test]
fn the_fingerprint_and_the_file_of_a_snapshot_are_what_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/titanic.csv");
    let csv = csv.to_str().expect("UTF-8");
    let found = answer(folder.path(), &["gather", csv, "--out", "kept"]);
    assert_eq!(
        found["fingerprint"],
        "0d38f266e069a8908fa846116b7b81bcf9d1df8a90ff9accd9b6204fd330a1cb"
    );
    let path = folder.path().join(found["path"].as_str().expect("a path"));
    let manifest = std::fs::read(path.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(
        manifest["table_sha256"],
        "6db4807b3b5a805800146190b3db97b96bf7cd540a789ab035b698c7d5d09e4b"
    );
}

#[test]
fn keys_that_repeat_or_lack_are_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    for (key, expected) in [("name", "expected a key in every row"), ("at", "expected unique keys")]
    {
        let (code, shown) = complaint(folder, &["gather", "t.csv", "--out", "kept", "--key", key]);
        assert!(code == 3 && shown.contains(expected), "{code} {shown}");
        assert!(!folder.join("kept").exists());
    }
    let (code, shown) = complaint(folder, &["gather", "t.csv", "--key", "nothing"]);
    assert!(code != 0 && shown.contains("nothing"), "{code} {shown}");
    let (code, shown) = complaint(folder, &["gather"]);
    assert!(code == 2 && shown.contains("source"), "{code} {shown}");
}

/// However long it had to live, a killed process leaves no snapshot or a whole one.
#[test]
fn a_killed_gather_leaves_no_half_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    let expected = fingerprint(folder, "t.csv");
    let (mut n_whole, mut n_none) = (0, 0);
    for attempt in 0..100u64 {
        let out = format!("kept{attempt}");
        let mut child = samescore()
            .current_dir(folder)
            .args(["gather", "t.csv", "--out", &out, "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        std::thread::sleep(Duration::from_micros(attempt * 700));
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let whole = folder.join(&out).join(&expected);
        match whole.exists() {
            false => n_none += 1,
            true => {
                assert_eq!(fingerprint(folder, &format!("{out}/{expected}")), expected);
                n_whole += 1;
            }
        }
        let kept = answer(folder, &["gather", "t.csv", "--out", &out]);
        assert_eq!(kept["fingerprint"], expected.as_str());
    }
    assert!(n_none > 0, "every process was too fast to be killed");
    println!("{n_whole} whole, {n_none} none");
}

#[test]
fn a_full_disk_or_a_forbidden_folder_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(folder);
    // A file where the folder should be.
    std::fs::write(folder.join("kept"), "x").expect("a file");
    let (code, shown) = complaint(folder, &["gather", "t.csv", "--out", "kept"]);
    assert!(code == 5 && shown.contains("kept"), "{code} {shown}");
    assert_eq!(std::fs::read(folder.join("kept")).expect("the file"), b"x");
}

/// Loans, and what was reported of their customers.
fn loans(folder: &Path) {
    std::fs::write(
        folder.join("loans.csv"),
        "id,customer,at,y\n1,a,2020-01-10,1\n2,b,2020-01-10,2\n3,a,2020-01-20,3\n",
    )
    .expect("a file");
    std::fs::write(
        folder.join("reports.jsonl"),
        "{\"customer\":\"a\",\"day\":\"2020-01-05\",\"seen\":\"2020-01-06\",\"debt\":50}\n\
         {\"customer\":\"a\",\"day\":\"2020-01-05\",\"seen\":\"2020-01-15\",\"debt\":55}\n\
         {\"customer\":\"a\",\"day\":\"2020-01-11\",\"seen\":\"2020-01-11\",\"debt\":110}\n",
    )
    .expect("a file");
}

#[test]
fn a_config_brings_source_key_and_joins() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    loans(folder);
    let config = |tail: &str| {
        format!(
            "[data]\nkey = [\"id\"]\n[data.columns]\nid = \"num\"\ncustomer = \"text\"\n\
             debt = \"num\"\ny = \"num\"\n[source]\npath = \"loans.csv\"\n\
             [[join]]\nsource = {{ path = \"reports.jsonl\" }}\non = [\"customer\"]\n\
             as_of = {{ time = \"at\", event_time = \"day\"{tail} }}\n\
             [target]\ncolumn = \"y\"\n[model]\nkind = \"decision_tree\"\n"
        )
    };
    let known = ", known_time = \"seen\", tie = \"latest_known\"";
    std::fs::write(folder.join("c.toml"), config(known)).expect("a file");
    let found = answer(folder, &["gather", "--config", "c.toml", "--out", "kept"]);
    assert_eq!(found["key"], serde_json::json!(["id"]));
    std::fs::write(
        folder.join("expected.csv"),
        "at,customer,debt,id,y\n2020-01-20,a,110,3,3\n2020-01-10,b,,2,2\n2020-01-10,a,50,1,1\n",
    )
    .expect("a file");
    assert_eq!(found["fingerprint"].as_str().expect("text"), fingerprint(folder, "expected.csv"));
    // The same rows, however gathered, are the same fit.
    let by_join = answer(folder, &["fit", "c.toml"]);
    let plain = answer(folder, &["fit", "c.toml", "--data", "expected.csv", "--gathered"]);
    assert_eq!(by_join["artifact"], plain["artifact"]);
    // Another source is joined as the config's own is; so is one that has the column already.
    std::fs::copy(folder.join("loans.csv"), folder.join("other.csv")).expect("a copy");
    for source in ["other.csv", "expected.csv"] {
        let other = answer(folder, &["fit", "c.toml", "--data", source, "--out", "o.samescore"]);
        assert_eq!(other["artifact"], by_join["artifact"], "{source}");
    }
    let other = answer(folder, &["gather", "--config", "c.toml", "other.csv"]);
    assert_eq!(other["fingerprint"], found["fingerprint"]);
    // New rows are gathered by --config as at the fit, and without it the remedy says so.
    let scores = answer(folder, &["score", "c.samescore", "expected.csv"]);
    let (code, shown) = complaint(folder, &["score", "c.samescore", "other.csv"]);
    assert!(code == 3 && shown.contains("joins or groups, give it by --config"), "{shown}");
    let by_config = ["--config", "c.toml"];
    let joined = answer(folder, &[&["score", "c.samescore", "other.csv"], &by_config[..]].concat());
    let by_key = |scores: &Value| {
        let rows = scores["rows"].as_array().expect("rows").iter();
        let mut rows: Vec<String> =
            rows.map(|row| format!("{}{}", row["key"], row["bits"])).collect();
        rows.sort();
        rows
    };
    assert_eq!(by_key(&joined), by_key(&scores));
    for command in ["transform", "drift"] {
        answer(folder, &[&[command, "c.samescore", "other.csv"], &by_config[..]].concat());
    }
    let written = ["score", "c.samescore", "other.csv", "--out", "s.parquet"];
    answer(folder, &[&written[..], &by_config].concat());
    answer(folder, &["gather", "s.parquet"]);
    // Without the known time the event of the fifth is two.
    std::fs::write(folder.join("c.toml"), config("")).expect("a file");
    let (code, shown) = complaint(folder, &["gather", "--config", "c.toml"]);
    assert!(code == 3 && shown.contains("SS0310"), "{code} {shown}");
}

#[test]
fn groups_are_summed_exactly_and_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("people.csv"), "who,y\na,1\nb,2\nc,3\n").expect("a file");
    std::fs::write(
        folder.join("payments.csv"),
        "who,amount\na,1e16\nb,0.1\na,1\na,-1e16\nb,0.2\nb,0.3\n",
    )
    .expect("a file");
    let config = "[data.columns]\nwho = \"text\"\ntotal = \"num\"\nn = \"num\"\ny = \"num\"\n\
        [source]\npath = \"people.csv\"\n[[join]]\nsource = { path = \"payments.csv\" }\n\
        on = [\"who\"]\n[join.aggregate]\nby = [\"who\"]\n[join.aggregate.columns]\n\
        total = { func = \"sum\", of = \"amount\" }\nn = { func = \"count\" }\n\
        [target]\ncolumn = \"y\"\n[model]\nkind = \"decision_tree\"\n";
    std::fs::write(folder.join("c.toml"), config).expect("a file");
    let found = answer(folder, &["gather", "--config", "c.toml"]);
    // 1e16 + 1 - 1e16 is 1, not 0; 0.1 + 0.2 + 0.3 rounded once is 0.6, not 0.6000000000000001.
    std::fs::write(folder.join("expected.csv"), "n,total,who,y\n3,1,a,1\n3,0.6,b,2\n,,c,3\n")
        .expect("a file");
    assert_eq!(found["fingerprint"].as_str().expect("text"), fingerprint(folder, "expected.csv"));
}
