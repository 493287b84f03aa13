//! Files read block by block, at tiny blocks, against the same files in memory: one artifact, one
//! listing, one refusal.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn samescore(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samescore"));
    command.args(args).current_dir(folder).output().expect("the program starts")
}

fn yes(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = samescore(folder, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    output.stdout
}

fn pipeline(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/pipelines").join(name);
    let path: PathBuf = path.canonicalize().expect("a pipeline of the workspace");
    path.to_str().expect("UTF-8").to_owned()
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("a file that was written")
}

/// Fits a pipeline in memory and streamed, and lists its table in both ways.
fn expect_same(name: &str, csv_rows: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline(name));
    yes(at, &["fit", &config, "--out", "plain.samescore"]);
    yes(at, &["convert", &config, "t.csv"]);
    yes(at, &["convert", &config, "t.parquet", "--row-group-rows", "37"]);
    let sources = csv_rows.iter().map(|rows| ("t.csv", *rows)).chain([("t.parquet", "19")]);
    for (place, (source, rows)) in sources.enumerate() {
        let threads = ["3", "1"][place % 2];
        let options = ["--block-rows", rows, "--threads", threads];
        let fit = ["fit", &config, "--data", source, "--stream", "--out", "streamed.samescore"];
        yes(at, &[&fit[..], &options].concat());
        assert!(read(at, "streamed.samescore") == read(at, "plain.samescore"), "{source} {rows}");

        // Beside a trace a table is scored in memory.
        let score = ["score", "plain.samescore", source, "--out"];
        yes(at, &[&score[..], &["whole.csv", "--trace", "t.trace"]].concat());
        yes(at, &[&score[..], &["blocks.csv"], &options].concat());
        assert!(read(at, "blocks.csv") == read(at, "whole.csv"), "{source} {rows}");
        let printed = yes(at, &[&score[..3], &options].concat());
        assert!(printed == read(at, "whole.csv"), "{source} {rows}: stdout");

        let transform = ["transform", "plain.samescore", source];
        let few = yes(at, &[&transform[..], &options].concat());
        assert!(few == yes(at, &transform), "{source} {rows}: transform");
    }
}

#[test]
fn a_table_with_text_and_a_split_gives_the_same_bytes_in_blocks() {
    expect_same("titanic.toml", &["3", "64"]);
}

#[test]
fn trees_hold_their_rows_and_give_the_same_bytes_in_blocks() {
    expect_same("titanic_boosting.toml", &["64"]);
}

#[test]
fn several_classes_give_the_same_bytes_in_blocks() {
    expect_same("titanic_class.toml", &["7"]);
}

#[test]
fn other_outputs_than_scores_are_listed_in_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline("titanic_boosting.toml"));
    yes(at, &["fit", &config, "--out", "plain.samescore"]);
    yes(at, &["convert", &config, "t.csv"]);
    for output in ["margin", "leaf", "contribution"] {
        let score = ["score", "plain.samescore", "t.csv", "--output", output];
        yes(at, &[&score[..], &["--out", "whole.csv", "--trace", "t.trace"]].concat());
        let blocks = yes(at, &[&score[..], &["--block-rows", "100"]].concat());
        assert!(blocks == read(at, "whole.csv"), "{output}");
    }
}

const CONFIG: &str = "[data]\nsource = \"t.csv\"\nkey = [\"id\"]\n\
    [data.columns]\nid = \"num\"\na = \"num\"\ny = \"num\"\n\
    [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n";

#[test]
fn what_is_wrong_with_a_table_is_told_in_the_same_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("t.toml"), CONFIG).expect("a config");
    for (rows, said) in [
        ("1,1,1\n2,2,3\n3,x,4\n", "row 2"),
        ("1,1,1\n2,2,\n3,5,4\n", "row 1"),
        ("1,1,1\n2,2,3\n3,3,4\n2,4,5\n1,5,6\n", "repeated in rows [3, 4]"),
        ("1,1,1\n2,2,3\n3,3\n", "line 4"),
        ("", "found none"),
    ] {
        std::fs::write(at.join("t.csv"), format!("id,a,y\n{rows}")).expect("a table");
        let plain = samescore(at, &["fit", "t.toml"]);
        let told = String::from_utf8_lossy(&plain.stderr).into_owned();
        assert!(!plain.status.success() && told.contains(said), "{told}");
        for block_rows in ["1", "2", "64"] {
            let args = ["fit", "t.toml", "--stream", "--block-rows", block_rows];
            let streamed = samescore(at, &args);
            assert_eq!(streamed.status.code(), plain.status.code());
            assert_eq!(String::from_utf8_lossy(&streamed.stderr), told);
        }
        assert!(!at.join("t.samescore").exists());
    }
    let both = samescore(at, &["fit", "t.toml", "--stream", "--trace", "t.trace"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_listing_that_fails_in_the_middle_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("t.toml"), CONFIG).expect("a config");
    std::fs::write(at.join("t.csv"), "id,a,y\n1,1,1\n2,2,3\n3,3,4\n4,4,6\n").expect("a table");
    yes(at, &["fit", "t.toml"]);
    yes(at, &["convert", "t.toml", "t.parquet", "--row-group-rows", "2"]);
    let mut bytes = read(at, "t.parquet");
    // The pages of the last row group end at the footer, whose length stands before the magic.
    let tail = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[tail..tail + 4].try_into().expect("4 bytes")) as usize;
    let pages = tail - footer;
    bytes[pages / 2 + 8..pages].fill(0xff);
    std::fs::write(at.join("bad.parquet"), bytes).expect("a damaged table");
    let score = ["score", "t.samescore", "bad.parquet", "--out", "s.csv", "--threads", "1"];
    let output = samescore(at, &score);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let names =
        std::fs::read_dir(at).expect("a folder").map(|entry| entry.expect("one").file_name());
    let left: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|name| name != "s.csv" && !name.starts_with('.')), "{left:?}");
}
