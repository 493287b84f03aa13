//! One digest of everything that the suite computes, to be compared with other processes and CPUs.

use samescore_core::digest::{Digest, Hasher};

use crate::common::cases::cases;
use crate::common::judge::trial;
use crate::common::pipelines;
use crate::common::{in_another_process, tables};
use crate::fits::base;

/// Where the test `digest` writes what it prints.
const OUTPUT: &str = "SAMESCORE_DIGEST_OUT";
const LINE: &str = "core suite digest: ";

/// State and output of every case on tame and wild tables; artifact and trace of every pipeline.
fn suite_digest() -> Digest {
    let mut hasher = Hasher::new("samescore core suite v1");
    for case in cases() {
        hasher.str(&case.name);
        for seed in [0, 1, 2, 20, 21, 22, 23] {
            let trial = trial(&case, seed);
            let Some(state) = base(&case, &trial) else {
                hasher.str("refused");
                continue;
            };
            hasher.bytes(&state.bytes());
            match state.apply(&case, &trial.batch) {
                Ok(output) => hasher.bytes(&output.digest().0),
                Err(error) => hasher.str(&error.to_string()),
            };
        }
        let table = tables::example(3, 60);
        let Ok(config) = pipelines::config(&case, case.tasks[0], &table) else {
            hasher.str("not in a pipeline");
            continue;
        };
        let artifact = pipelines::seal(&config, &table, 64).expect("a config that was fitted");
        let (_, trace) = artifact.plan().trace(&tables::wild(30, 40)).expect("a trace");
        let stages: Vec<[u8; 32]> =
            trace.stages.iter().flat_map(|s| s.columns.iter().map(|c| c.1.0)).collect();
        hasher.bytes(artifact.bytes()).bytes(&stages.concat()).bytes(&trace.scores.0);
    }
    hasher.finish()
}

#[test]
fn digest() {
    let line = format!("{LINE}{}", suite_digest());
    println!("{line}");
    if let Ok(path) = std::env::var(OUTPUT) {
        std::fs::write(path, line + "\n").expect("the digest's file can be written");
    }
}

#[test]
fn other_processes_compute_the_same() {
    let expected = format!("{LINE}{}", suite_digest());
    for name in ["first", "second"] {
        let path = format!("samescore-digest-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(path);
        let place = path.to_string_lossy();
        let (ok, text) = in_another_process("digests::digest", OUTPUT, &place);
        let written = std::fs::read_to_string(&path);
        let _ = std::fs::remove_file(&path);
        assert!(ok, "the other process failed:\n{text}");
        let written = written.expect("the other process wrote its digest");
        assert_eq!(written.trim_end(), expected);
    }
}
