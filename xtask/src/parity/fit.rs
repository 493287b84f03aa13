//! Fitting in every way: the artifact must be one file.

use std::fs;
use std::path::{Path, PathBuf};

use super::Bench;
use super::locate;
use super::programs::text;
use super::report::{Difference, Report};
use super::rows::Sources;
use super::score::{self, Base};
use crate::command;

/// Tables with more rows are not cut into blocks of a row.
const SMALL_ROWS_MAX: u64 = 5_000;
const SMALL_BLOCKS: [u32; 3] = [1, 7, 1_000];
const LARGE_BLOCKS: [u32; 3] = [997, 10_000, 1_000_000];

/// One way of fitting.
struct Way {
    name: String,
    source: PathBuf,
    options: Vec<String>,
}

impl Way {
    fn new(name: &str, source: &Path, options: &str) -> Self {
        Way {
            name: format!("fit {name}"),
            source: source.to_path_buf(),
            options: options.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

/// Fits `source` into `out`.
///
/// # Errors
/// If the fit fails.
pub fn fit(bench: &Bench<'_>, source: &Path, options: &[String], out: &Path) -> Result<(), String> {
    let config = text(&bench.pipeline.config);
    let args = ["fit", config, "--data", text(source), "--out", text(out)];
    let mut command = bench.programs.research(&args);
    command::output(command.args(options)).map(drop)
}

fn ways(sources: &Sources, n_rows: u64) -> Vec<Way> {
    let original = &sources.original;
    let mut ways = vec![
        Way::new("again", original, "--threads 1"),
        Way::new("csv", &sources.csv, ""),
        Way::new("parquet", &sources.parquet, ""),
        Way::new("rows shuffled", &sources.shuffled, ""),
        Way::new("rows regrouped", &sources.regrouped, "--threads 8 --block-rows 333"),
    ];
    for n in [2, 8] {
        ways.push(Way::new(&format!("{n} threads"), original, &format!("--threads {n}")));
    }
    let small = n_rows <= SMALL_ROWS_MAX;
    for n in if small { SMALL_BLOCKS } else { LARGE_BLOCKS } {
        let options = format!("--block-rows {n}");
        ways.push(Way::new(&format!("blocks of {n}"), original, &options));
    }
    ways
}

/// Fits in every way and compares each artifact with the first.
///
/// # Errors
/// If a fit fails.
pub fn every_way(
    bench: &Bench<'_>,
    sources: &Sources,
    base: &Base,
    report: &mut Report,
) -> Result<(), String> {
    report.n_ways += 1;
    for way in ways(sources, base.trace.n_rows) {
        one_way(bench, sources, base, &way, report)?;
    }
    Ok(())
}

fn one_way(
    bench: &Bench<'_>,
    sources: &Sources,
    base: &Base,
    way: &Way,
    report: &mut Report,
) -> Result<(), String> {
    let out = bench.file("other.samescore");
    report.n_ways += 1;
    if let Err(message) = fit(bench, &way.source, &way.options, &out) {
        report.found(Difference::failure(&message).of(&way.name));
        return Ok(());
    }
    let bytes = fs::read(&out).map_err(|e| e.to_string())?;
    if bytes != base.artifact_bytes {
        report.differing_bits += differing_bits(&base.artifact_bytes, &bytes);
        report.found(blame(bench, sources, base, &out).of(&way.name));
    }
    Ok(())
}

/// How many bits of two files differ; every bit of what only the longer has counts.
fn differing_bits(a: &[u8], b: &[u8]) -> u64 {
    let common = a.iter().zip(b).map(|(x, y)| u64::from((x ^ y).count_ones()));
    common.sum::<u64>() + 8 * a.len().abs_diff(b.len()) as u64
}

/// One fit that commits `fault`, which the artifact must show.
///
/// # Errors
/// If a file of ours cannot be read.
pub fn with_fault(
    bench: &Bench<'_>,
    sources: &Sources,
    base: &Base,
    fault: &str,
    report: &mut Report,
) -> Result<(), String> {
    let options = format!("--threads 2 --block-rows 7 --inject-fault {fault}");
    let way = Way::new(&format!("with {fault}"), &sources.original, &options);
    one_way(bench, sources, base, &way, report)
}

/// What two artifacts make of the same rows says in which stage, column and row their fits parted.
fn blame(bench: &Bench<'_>, sources: &Sources, base: &Base, other: &Path) -> Difference {
    let reference = score::reference(&sources.original);
    match score::with_artifact(bench, &reference, other) {
        Err(message) => Difference::failure(&message),
        Ok(found) if found.is_equal(base, reference.program) => said_by_diff(bench, base, other),
        Ok(found) => {
            let sides = [(&reference, &*base.artifact), (&reference, other)];
            locate::first(bench, base, sides, &found)
        }
    }
}

/// The artifacts score alike here: the command that compares artifacts says what differs.
fn said_by_diff(bench: &Bench<'_>, base: &Base, other: &Path) -> Difference {
    let args = ["diff", text(&base.artifact), text(other), "--format", "json"];
    let output = bench.programs.research(&args).output();
    match output.map_err(|e| e.to_string()).and_then(|output| in_artifact(&output.stdout)) {
        Ok(difference) => difference,
        Err(e) => Difference::artifact(format!("the artifacts differ and score alike: {e}")),
    }
}

/// The first difference that `diff` names.
fn in_artifact(answer: &[u8]) -> Result<Difference, String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).map_err(|e| e.to_string())?;
    let first = &answer["differences"][0];
    let said = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
    if said("stage").is_empty() {
        return Err(format!("expected a stage, found {first}"));
    }
    let shown = |bits: &str, value: &str| match (said(bits), said(value)) {
        (bits, value) if bits.is_empty() => value,
        (bits, value) => format!("{bits} ({value})"),
    };
    Ok(Difference {
        stage: said("stage"),
        column: said("column"),
        row_key: said("row_key"),
        values: Some([shown("a_bits", "a"), shown("b_bits", "b")]),
        ulps: first["ulps"].as_u64(),
        ..Difference::artifact(format!("the learned `{}`", said("path")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_over_the_longer_file() {
        assert_eq!(differing_bits(b"ab", b"ab"), 0);
        assert_eq!(differing_bits(&[0b101, 0], &[0b010, 0, 9]), 3 + 8);
    }
    #[test]
    fn what_only_an_artifact_shows_is_named_by_stage_and_column() {
        let answer = r#"{"differences": [{"stage": "scale", "column": "age", "row_key": null,
            "path": "state.mean.0", "a": "1.5", "b": "1.5000000000000002",
            "a_bits": "0x3ff8000000000000", "b_bits": "0x3ff8000000000001", "ulps": 1}]}"#;
        let found = in_artifact(answer.as_bytes()).unwrap();
        assert_eq!((&*found.stage, &*found.column, found.ulps), ("scale", "age", Some(1)));
        assert_eq!(found.values.unwrap()[0], "0x3ff8000000000000 (1.5)");
        assert!(in_artifact(b"{}").is_err() && in_artifact(b"").is_err());
    }
}
