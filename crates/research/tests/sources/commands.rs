//! Sources as the command takes them.

use std::process::Command;

use super::*;

/// The exit code of a command and what it said, on one line.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap().replace("│ ", "");
    (output.status.code(), told.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[track_caller]
fn yes(folder: &Path, args: &[&str]) {
    let (code, told) = run(folder, args);
    assert_eq!(code, Some(0), "{args:?}: {told}");
}

#[test]
fn every_source_gives_the_same_artifact_and_scores() {
    let folder = folder();
    let at = folder.path();
    yes(at, &["init"]);
    yes(at, &["fit", "samescore.toml"]);
    yes(at, &["score", "samescore.samescore", "example.csv", "--out", "scores.csv"]);
    let artifact = std::fs::read(at.join("samescore.samescore")).unwrap();
    let scores = std::fs::read(at.join("scores.csv")).unwrap();
    std::fs::create_dir(at.join("parts")).unwrap();
    let config = std::fs::read_to_string(at.join("samescore.toml")).unwrap();
    let short = config.lines().find(|line| line.starts_with("source = ")).unwrap();
    let database = "sqlite://t.db?table=the rows";
    for (out, source, table) in [
        ("t.csv.gz", "t.csv.gz", "path = \"t.csv.gz\""),
        ("t.arrow", "t.arrow", "path = \"t.arrow\""),
        ("parts/t.jsonl", "parts/*.jsonl", "path = \"parts/*.jsonl\""),
        ("parts/t.jsonl", "parts", "path = \"parts/\""),
        (database, database, "database = \"sqlite://t.db\"\ntable = \"the rows\""),
        (
            database,
            "sqlite://t.db?query=SELECT * FROM \"the rows\"",
            "url = 'sqlite://t.db?query=SELECT * FROM \"the rows\"'",
        ),
    ] {
        // A file of SQLite is written new.
        let _gone = std::fs::remove_file(at.join("t.db"));
        yes(at, &["convert", "samescore.toml", out]);
        yes(at, &["fit", "samescore.toml", "--data", source, "--out", "o.samescore"]);
        assert!(std::fs::read(at.join("o.samescore")).unwrap() == artifact, "{source}");
        yes(at, &["score", "samescore.samescore", source, "--out", "o.csv"]);
        assert!(std::fs::read(at.join("o.csv")).unwrap() == scores, "{source}");
        let other = config.replace(short, "") + "\n[source]\n" + table + "\n";
        std::fs::write(at.join("o.toml"), other).unwrap();
        yes(at, &["fit", "o.toml", "--out", "o.samescore"]);
        assert!(std::fs::read(at.join("o.samescore")).unwrap() == artifact, "{table}");
    }
}

#[test]
fn a_config_names_one_source_and_no_output_takes_the_place_of_one() {
    let folder = folder();
    let at = folder.path();
    yes(at, &["init"]);
    let config = std::fs::read_to_string(at.join("samescore.toml")).unwrap();
    let refused = |more: &str, expected: &str| {
        std::fs::write(at.join("o.toml"), config.clone() + more).unwrap();
        let (code, told) = run(at, &["fit", "o.toml"]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(expected) && told.contains("o.toml:"), "{told}");
    };
    refused("\n[source]\npath = \"a.csv\"\n", "expected one source, found [source] and `source`");
    refused("\n[source]\nfile = \"a.csv\"\n", "unknown field `file`");
    yes(at, &["fit", "samescore.toml"]);
    yes(at, &["convert", "samescore.toml", "sqlite://t.db?table=t"]);
    std::fs::create_dir(at.join("parts")).unwrap();
    yes(at, &["convert", "samescore.toml", "parts/a.csv"]);
    yes(at, &["convert", "samescore.toml", "parts/b.csv"]);
    for (source, out) in [
        ("parts/*.csv", "parts/b.csv"),
        ("parts", "parts/a.csv"),
        ("sqlite://t.db?table=t", "t.db"),
    ] {
        let before = std::fs::read(at.join(out)).unwrap();
        let (code, told) = run(at, &["score", "samescore.samescore", source, "--out", out]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("expected --out and the source to be two files"), "{told}");
        assert!(std::fs::read(at.join(out)).unwrap() == before);
    }
}
