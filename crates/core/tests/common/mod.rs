//! What the core suites share: every registered example as a case, tables, a fit of one step alone.
//!
//! Nothing here names a kind: the registries say what there is, so a new kind is judged the moment
//! that it is registered.

#![allow(dead_code, reason = "each suite uses its part")]

pub mod blocks;
pub mod cases;
pub mod judge;
pub mod msgpack;
pub mod pipelines;
pub mod run;
pub mod tables;

/// The folder of the whole workspace.
pub fn workspace() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the test `name` of this very program again, in a process of its own, with one environment
/// variable set, and gives what it printed.
pub fn in_another_process(name: &str, variable: &str, value: &str) -> (bool, String) {
    let program = std::env::current_exe().expect("a test program knows where it is");
    let output = std::process::Command::new(program)
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(variable, value)
        .output()
        .expect("a test program can be run again");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
