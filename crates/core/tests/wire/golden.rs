//! Artifacts of every kind ever released, under `data/artifacts/v1/`. **Append only**: a file there
//! is never changed and never leaves.

use std::collections::BTreeSet;
use std::path::PathBuf;

use samescore_core::artifact::{Artifact, reseal};
use samescore_core::codec;

use crate::common::cases::cases;
use crate::common::{pipelines, tables, workspace};

/// Set it to write an artifact for each kind that has none. What is there stays.
const WRITE: &str = "SAMESCORE_WRITE_ARTIFACTS";

fn folder() -> PathBuf {
    workspace().join("data/artifacts/v1")
}

/// Writes what is missing: the first example of each kind that has no file.
fn write_missing() {
    for case in cases().iter().filter(|case| case.name.ends_with("__1")) {
        let path = folder().join(format!("{}.samescore", case.params.kind()));
        if path.exists() {
            continue;
        }
        let table = tables::example(1, 60);
        let config = pipelines::config(case, case.tasks[0], &table).expect("a pipeline");
        let artifact = pipelines::seal(&config, &table, 64).expect("an artifact");
        std::fs::create_dir_all(folder()).expect("the folder");
        std::fs::write(path, artifact.bytes()).expect("the file");
    }
}

#[test]
fn every_artifact_ever_released_loads_and_scores_as_recorded() {
    if std::env::var(WRITE).is_ok() {
        write_missing();
    }
    let files = std::fs::read_dir(folder()).expect("the folder of golden artifacts");
    let mut found: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let path = file.expect("an entry of the folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".samescore") else {
            continue;
        };
        let bytes = std::fs::read(&path).expect("a golden artifact");
        // Loading re-scores the golden rows and compares the digest of every stage.
        let artifact = Artifact::from_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        artifact.verify().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(artifact.payload().golden.n_rows() > 0, "{name} has no golden rows");
        let payload = codec::encode(artifact.payload()).expect("a payload");
        assert!(reseal(&payload) == bytes, "{name}: other bytes when written again");
        found.insert(stem.to_owned());
    }
    let kinds: BTreeSet<&str> = cases().iter().map(|case| case.params.kind()).collect();
    let absent: Vec<&str> = kinds.into_iter().filter(|kind| !found.contains(*kind)).collect();
    assert!(
        absent.is_empty(),
        "no golden artifact of {absent:?}: run this test with {WRITE}=1 and commit the new files"
    );
}
