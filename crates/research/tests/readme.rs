//! What the README says under Gather runs as it stands there, on the files that come with it.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The section, and its block of that language.
fn block<'r>(readme: &'r str, language: &str) -> &'r str {
    let (_, section) = readme.split_once("\n## Gather\n").expect("the README says how to gather");
    let (section, _) = section.split_once("\n## ").expect("another section follows");
    let (_, block) = section.split_once(&format!("```{language}\n")).expect("an example");
    block.split_once("\n```").expect("the example ends").0
}

#[test]
fn every_example_of_gathering_runs_on_a_fresh_clone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let folder = tempfile::tempdir().expect("a folder");
    let data = fs::canonicalize(root.join("data")).expect("the data");
    std::os::unix::fs::symlink(data, folder.path().join("data")).expect("a link");
    fs::write(folder.path().join("gather.toml"), block(&readme, "toml")).expect("room");
    let program = Path::new(env!("CARGO_BIN_EXE_samescore")).parent().expect("a folder");
    let commands: Vec<&str> =
        block(&readme, "console").lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() > 4);
    for command in commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(folder.path());
        shell.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
        let output = shell.output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
    }
    for made in ["titanic", "fares", "houses"] {
        let snapshots = fs::read_dir(folder.path().join("snapshots").join(made));
        assert_eq!(snapshots.expect("a folder of snapshots").count(), 1, "{made}");
    }
}
