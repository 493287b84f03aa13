//! `test`: everything that must pass, in stages, each a program as one would start it by hand.
//!
//! Packages are built one by one, never together, so that no feature of one reaches another;
//! research is linted once, built once and tested in the same profile. All stages run even if one
//! fails. The last line is the sum of all tests, a stage counting as one: `N passed, M failed`.

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;

use crate::{command, parity, targets, tidy};

/// Which stages to run.
#[derive(Args)]
pub struct Options {
    /// Only these stages (default: all).
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
}

/// The packages without polars.
const LIGHT: [&str; 4] = ["samescore-core", "samescore-deploy", "samescore-serve", "xtask"];
const RESEARCH: &str = "samescore-research";

/// What a stage ran.
#[derive(Default)]
struct Outcome {
    passed: bool,
    n_tests_passed: u64,
    n_tests_failed: u64,
}

type Stage = (&'static str, fn() -> Result<Outcome, String>);

const STAGES: &[Stage] = &[
    ("fmt", || cargo_passes(&["fmt", "--all", "--check"])),
    ("tidy", || own(tidy::run())),
    ("features", || own(features_agree())),
    ("clippy", || clippy(&LIGHT)),
    ("clippy-research", || clippy(&[RESEARCH])),
    ("docs", || docs(&LIGHT)),
    ("docs-research", || docs(&[RESEARCH])),
    ("core", || tests("samescore-core")),
    ("deploy", || tests("samescore-deploy")),
    ("serve", || tests("samescore-serve")),
    ("xtask", || tests("xtask")),
    ("research", || {
        let built = cargo_passes(&["build", "--package", RESEARCH])?;
        if built.passed { tests(RESEARCH) } else { Ok(built) }
    }),
    ("targets", || own(targets::run())),
    ("parity", || own(parity::run(&parity::Options::default()))),
    ("faults", || own(parity::faults::run())),
];

/// Runs the stages; true if nothing failed.
///
/// # Errors
/// If a stage is named that does not exist.
pub fn run(options: &Options) -> Result<bool, String> {
    let known = |name: &String| STAGES.iter().any(|(stage, _)| stage == name);
    if let Some(name) = options.stages.iter().find(|name| !known(name)) {
        let names: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
        return Err(format!("expected a stage of {}, found `{name}`", names.join(", ")));
    }
    let wanted = |name: &str| options.stages.is_empty() || options.stages.iter().any(|s| s == name);
    let mut lines = Vec::new();
    let (mut n_passed, mut n_failed) = (0, 0);
    for (name, stage) in STAGES.iter().filter(|(name, _)| wanted(name)) {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = stage().unwrap_or_else(|message| {
            eprintln!("error: {message}");
            Outcome::default()
        });
        n_passed += outcome.n_tests_passed + u64::from(outcome.passed);
        n_failed += outcome.n_tests_failed + u64::from(!outcome.passed);
        let verdict = if outcome.passed { "ok" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        let n_tests = outcome.n_tests_passed + outcome.n_tests_failed;
        let tests = if n_tests > 0 { format!(", {n_tests} tests") } else { String::new() };
        lines.push(format!("stage {name:<16} {verdict:<6} {seconds:>7.1} s{tests}"));
        println!("{}", lines[lines.len() - 1]);
    }
    println!("\n{}", lines.join("\n"));
    println!("{n_passed} passed, {n_failed} failed");
    Ok(n_failed == 0)
}

fn own(result: Result<bool, String>) -> Result<Outcome, String> {
    Ok(Outcome { passed: result?, ..Outcome::default() })
}

fn cargo_passes(args: &[&str]) -> Result<Outcome, String> {
    own(command::passes(&mut command::cargo(args)))
}

fn with_packages<'a>(args: &[&'a str], packages: &[&'a str]) -> Vec<&'a str> {
    let mut all = args.to_vec();
    packages.iter().for_each(|name| all.extend(["--package", name]));
    all
}

fn clippy(packages: &[&str]) -> Result<Outcome, String> {
    let mut args = with_packages(&["clippy", "--quiet", "--all-targets"], packages);
    args.extend(["--", "--deny", "warnings"]);
    cargo_passes(&args)
}

fn docs(packages: &[&str]) -> Result<Outcome, String> {
    let mut args = vec!["doc", "--quiet", "--no-deps", "--document-private-items"];
    args = with_packages(&args, packages);
    let mut cargo = command::cargo(&args);
    own(command::passes(cargo.env("RUSTDOCFLAGS", "--deny warnings")))
}

fn tests(package: &str) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    let mut cargo = command::cargo(&["test", "--no-fail-fast", "--package", package]);
    outcome.passed = command::passes_seen(&mut cargo, |line| {
        if let Some((passed, failed)) = summary(line) {
            outcome.n_tests_passed += passed;
            outcome.n_tests_failed += failed;
        }
    })?;
    Ok(outcome)
}

/// The counts of a summary line of the standard test runner.
fn summary(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |name: &str| {
        let part = counts.split("; ").find(|part| part.ends_with(name))?;
        part.split(' ').next()?.parse().ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

/// Every crate behind a number or a stored byte has the same features in research and in production
/// (but for those that only add functions); and tests build research's crates as the command does.
fn features_agree() -> Result<bool, String> {
    const BEHIND_NUMBERS: [&str; 6] =
        ["metallic", "rand_core", "rand_pcg", "rmp-serde", "sha2", "siphasher"];
    let research = features(RESEARCH, "normal,build")?;
    let serve = features("samescore-serve", "normal,build")?;
    let tested = features(RESEARCH, "normal,build,dev")?;
    let behind = |name: &str| BEHIND_NUMBERS.iter().any(|b| name.starts_with(&format!("{b} ")));
    let mut differing = differences(&serve, &research, behind);
    differing.extend(rebuilt(&research, &tested));
    for (name, one, other) in &differing {
        eprintln!("`{name}`: features [{one}] in one build, [{other}] in another");
    }
    Ok(differing.is_empty())
}

/// Crates that are judged and stand in both lists with other features: name, one, other.
fn differences(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
    judged: impl Fn(&str) -> bool,
) -> Vec<(String, String, String)> {
    let both = one.iter().filter_map(|(name, features)| Some((name, features, other.get(name)?)));
    both.filter(|(name, a, b)| judged(name) && telling(a) != telling(b))
        .map(|(name, a, b)| (name.clone(), a.clone(), b.clone()))
        .collect()
}

/// Crates that tests would build once more, and whatever stands on them: polars would be compiled
/// twice.
fn rebuilt(
    built: &BTreeMap<String, String>,
    tested: &BTreeMap<String, String>,
) -> Vec<(String, String, String)> {
    let both =
        built.iter().filter_map(|(name, features)| Some((name, features, tested.get(name)?)));
    both.filter(|(_, a, b)| a != b).map(|(n, a, b)| (n.clone(), a.clone(), b.clone())).collect()
}

/// Features without those that add functions and change none.
fn telling(features: &str) -> Vec<&str> {
    const ADD_ONLY: [&str; 5] = ["", "default", "std", "alloc", "oid"];
    let features = features.split(',');
    features.filter(|name| !ADD_ONLY.contains(name)).collect()
}

/// `name version` of every dependency of a package, with its features.
fn features(package: &str, edges: &str) -> Result<BTreeMap<String, String>, String> {
    let args = ["tree", "--locked", "--package", package, "--edges", edges];
    let format = ["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"];
    let text = command::output(&mut command::cargo(&[&args[..], &format].concat()))?;
    let text = String::from_utf8_lossy(&text);
    let rows = text.lines().filter_map(|line| line.split_once('|'));
    Ok(rows.map(|(name, features)| (name.to_owned(), features.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_line_is_counted_and_no_other() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered";
        assert_eq!(summary(line), Some((12, 3)));
        assert_eq!(summary("test a ... ok"), None);
    }

    #[test]
    fn a_feature_that_changes_functions_is_a_difference() {
        let list = |features: &str| {
            let metallic = ("metallic v0.3.1".to_owned(), features.to_owned());
            BTreeMap::from([metallic, ("other v1.0.0".to_owned(), features.to_owned())])
        };
        let metallic = |name: &str| name.starts_with("metallic ");
        let found = differences(&list("_no_fma"), &list("default,std"), metallic);
        assert_eq!(found.len(), 1);
        assert!(differences(&list("_no_fma"), &list("_no_fma,std"), metallic).is_empty());
    }

    #[test]
    fn a_crate_with_another_feature_is_built_again() {
        let list = |features: &str| BTreeMap::from([("serde v1".to_owned(), features.to_owned())]);
        assert_eq!(rebuilt(&list("std"), &list("default,std")).len(), 1);
        assert!(rebuilt(&list("std"), &list("std")).is_empty());
        assert!(rebuilt(&BTreeMap::new(), &list("std")).is_empty());
    }

    #[test]
    fn an_unknown_stage_is_refused() {
        let options = Options { stages: vec!["nonsense".to_owned()] };
        assert!(run(&options).unwrap_err().ends_with("found `nonsense`"));
    }
}
