//! What embedding the scorer brings along: fewer than 60 crates, listed in a snapshot. A new one is
//! a decision that a reviewer sees.

use std::collections::BTreeSet;
use std::process::Command;

const CRATES_MAX: usize = 60;

/// Name and locked version of every crate that an embedding program links, for every target.
fn linked() -> BTreeSet<String> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--package", "samescore-deploy", "--edges", "normal"])
        .args(["--prefix", "none", "--target", "all", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {errors}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let crates = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?.trim_start_matches('v')))
    });
    crates
        .filter(|(name, _)| !name.starts_with("samescore"))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

#[test]
fn the_scorer_brings_few_crates_and_each_is_known() {
    let linked = linked();
    let n = linked.len();
    assert!(n < CRATES_MAX, "expected fewer than {CRATES_MAX} crates, found {n}");
    let list: Vec<String> = linked.into_iter().collect();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../../../snapshots/deps");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("deploy", list.join("\n")));
}
