//! No snapshot comes into being unless somebody blesses it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Asserts a text as the snapshot of a pipeline that does not exist.
fn asserted(update: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["snapshot", "no_such_pipeline"]).env_remove("INSTA_UPDATE").env_remove("CI");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(update) = update {
        command.env("INSTA_UPDATE", update);
    }
    let mut child = command.spawn().unwrap();
    // It may have refused already, and then reads nothing.
    let _ = child.stdin.take().unwrap().write_all(b"rows 3");
    child.wait_with_output().unwrap()
}

fn written() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots/parity");
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("no_such_pipeline")).collect()
}

#[test]
fn a_pipeline_without_a_snapshot_fails_and_leaves_no_file() {
    assert_eq!(asserted(Some("no")).status.code(), Some(1));
    assert_eq!(written(), [""; 0]);
}

#[test]
fn whoever_does_not_say_whether_to_write_is_refused() {
    for update in [None, Some("auto"), Some("new"), Some("unseen"), Some("force")] {
        let output = asserted(update);
        assert_eq!(output.status.code(), Some(2), "{update:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cargo xtask parity"));
    }
    assert_eq!(written(), [""; 0]);
}
