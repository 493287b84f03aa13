//! A disk that is full in the middle of a write: what was there before stays, nothing half-written
//! is left, and the error says what and where.
//!
//! A limit on the size of files, whose signal is ignored, refuses what a full disk refuses; where
//! that may be done, a small disk of memory is filled as well.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use super::{pipeline, read, yes};

/// Everything in a folder.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one"));
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect()
}

/// Runs the command where no file may have more than so many blocks of 512 bytes.
fn limited(folder: &Path, n_blocks: u32, args: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_samescore")]).args(args);
    command.current_dir(folder).env("NO_COLOR", "1").output().expect("a shell")
}

/// Refuses, names the place, and leaves the folder as it was.
fn expect_refused(folder: &Path, n_blocks: u32, args: &[&str], said: &[&str]) {
    let before = content(folder);
    let output = limited(folder, n_blocks, args);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{args:?}: {told}");
    let flat = told.split_whitespace().filter(|w| *w != "\u{2502}").collect::<Vec<_>>().join(" ");
    for part in said {
        assert!(flat.contains(part), "{args:?}: {part}: {flat}");
    }
    let after = content(folder);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{args:?}");
    assert!(before == after, "{args:?}: a file was changed");
}

#[test]
fn nothing_half_written_is_left_and_what_was_there_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline("titanic.toml"));
    yes(at, &["convert", &config, "t.csv"]);
    yes(at, &["convert", &config, "t.jsonl"]);
    yes(at, &["fit", &config, "--data", "t.csv", "--out", "a.samescore"]);
    for out in ["s.csv", "s.jsonl", "s.parquet"] {
        yes(at, &["score", "a.samescore", "t.csv", "--out", out]);
        // What was there is something else.
        std::fs::write(at.join(out), "before").expect("a file");
        let args = ["score", "a.samescore", "t.csv", "--out", out];
        expect_refused(at, 8, &args, &[&format!("cannot write `{out}`")]);
    }
    yes(at, &["score", "a.samescore", "t.csv", "--out", "sqlite://s.db?table=t"]);
    let table = ["score", "a.samescore", "t.csv", "--out", "sqlite://s.db?table=u"];
    expect_refused(at, 8, &table, &["`s.db`: SQLite says"]);
    let table = ["score", "a.samescore", "t.csv", "--out", "sqlite://new.db?table=t"];
    expect_refused(at, 8, &table, &["`new.db`: SQLite says"]);
    let fit = ["fit", &config, "--data", "t.csv", "--out", "a.samescore", "--seed", "9"];
    expect_refused(at, 1, &fit, &["cannot write `a.samescore`"]);
    let transform = ["transform", "a.samescore", "t.csv", "--out", "s.csv"];
    expect_refused(at, 8, &transform, &["cannot write `s.csv`"]);

    let spill = ["score", "a.samescore", "t.jsonl", "--hold", "0", "--temp", ".", "--out", "s.csv"];
    let said = ["`.`: expected room for a temporary file of the rows", "--temp"];
    expect_refused(at, 8, &spill, &said);
    let fit = ["fit", &config, "--data", "t.jsonl", "--stream", "--hold", "0", "--temp", "."];
    expect_refused(at, 8, &[&fit[..], &["--out", "b.samescore"]].concat(), &said);
    let absent = ["score", "a.samescore", "t.jsonl", "--hold", "0", "--temp", "absent"];
    expect_refused(at, 1 << 20, &absent, &["`absent`: expected room for a temporary file"]);

    std::fs::create_dir(at.join("snapshots")).expect("a folder");
    yes(at, &["gather", "t.csv", "--out", "snapshots"]);
    let before = content(&at.join("snapshots"));
    let mut rows = read(at, "t.csv");
    rows.truncate(rows.len() / 2);
    let end = rows.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    std::fs::write(at.join("half.csv"), &rows[..=end]).expect("a table");
    expect_refused(at, 8, &["gather", "half.csv", "--out", "snapshots"], &["cannot write"]);
    assert!(content(&at.join("snapshots")) == before, "a snapshot is left or gone");
}

#[test]
fn a_disk_that_is_full_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, config) = (folder.path(), pipeline("titanic.toml"));
    yes(at, &["convert", &config, "t.jsonl"]);
    yes(at, &["fit", &config, "--data", "t.jsonl", "--out", "a.samescore"]);
    std::fs::create_dir(at.join("small")).expect("a folder");
    let on_small = |args: &[&str]| {
        let script = "mount -t tmpfs -o size=16k none small || exit 77; \"$0\" \"$@\"; code=$?; \
            ls -A small; exit $code";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_samescore")]).args(args);
        command.current_dir(at).env("NO_COLOR", "1").output()
    };
    let score = ["score", "a.samescore", "t.jsonl"];
    for (args, said) in [
        (&["--out", "small/s.csv"][..], "cannot write `small/s.csv`: no space left"),
        (&["--out", "small/s.parquet"], "cannot write `small/s.parquet`: no space left"),
        (&["--hold", "0", "--temp", "small", "--out", "s.csv"], "no space left"),
    ] {
        let output = match on_small(&[&score[..], args].concat()) {
            Ok(output) if output.status.code() != Some(77) => output,
            _ => {
                println!("skipped: no small disk can be made here");
                return;
            }
        };
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(1) && told.contains("unshare") {
            println!("skipped: no small disk can be made here");
            return;
        }
        let flat =
            told.split_whitespace().filter(|w| *w != "\u{2502}").collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(5), "{args:?}: {told}");
        assert!(flat.contains(said), "{args:?}: {flat}");
        assert!(output.stdout.is_empty(), "{args:?}: {:?} is left", output.stdout);
    }
}
