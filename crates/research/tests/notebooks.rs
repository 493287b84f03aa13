//! A notebook's builder and the TOML of the same pipeline give the same artifact, to the byte.

use std::path::Path;
use std::process::Command;

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("notebooks print text")
}

fn same_artifact(notebook: &str, pipeline: &str) {
    let folder = tempfile::tempdir().expect("a folder for two files");
    let of = |name: &str| folder.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    let (built, declared) = (of("built.samescore"), of("declared.samescore"));
    let told = run(notebook, &[&built]);
    assert!(told.contains("The promise") || told.contains("The seed"), "{told}");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/pipelines").join(pipeline);
    let config = config.to_str().expect("a path in UTF-8");
    run(env!("CARGO_BIN_EXE_samescore"), &["fit", config, "--out", &declared]);
    let read = |path: &str| std::fs::read(path).expect("the artifact was written");
    assert!(read(&built) == read(&declared), "{notebook} and {pipeline} differ");
}

#[test]
fn titanic() {
    same_artifact(env!("CARGO_BIN_EXE_01_titanic"), "titanic.toml");
}

#[test]
fn house_prices() {
    same_artifact(env!("CARGO_BIN_EXE_02_house_prices"), "house_prices.toml");
}

#[test]
fn loans() {
    same_artifact(env!("CARGO_BIN_EXE_03_loans"), "loans.toml");
}

#[test]
fn gather() {
    let told = run(env!("CARGO_BIN_EXE_04_gather"), &[]);
    let is_print = |word: &&str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let of_sources: Vec<Vec<&str>> = ["CSV", "Parquet", "SQLite"]
        .map(|source| {
            let line = told.lines().find(|line| line.contains(&format!("\u{2502} {source} ")));
            line.unwrap_or_default().split_whitespace().filter(is_print).collect()
        })
        .to_vec();
    let fingerprint = "0d38f266e069a8908fa846116b7b81bcf9d1df8a90ff9accd9b6204fd330a1cb";
    assert!(of_sources.iter().all(|found| found == &[fingerprint]), "{told}");
    assert_eq!(told.matches(&format!("written: {fingerprint}")).count(), 1, "{told}");
    assert_eq!(told.matches(&format!("found: {fingerprint}")).count(), 1, "{told}");
    let (_, refused) = told.split_once("A query that is refused").expect("a query");
    assert!(refused.contains("expected the same rows on every run, found `avg`"), "{refused}");
    assert!(refused.contains("mean_fare"), "{refused}");
}
