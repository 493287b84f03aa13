//! Scoring in every way: scores and traces must be equal as bytes.

use std::fs;
use std::path::{Path, PathBuf};

use super::Bench;
use super::compare::{ScoreRow, Trace, differing_bits, read_scores};
use super::fit;
use super::locate;
use super::programs::{Program, Run};
use super::report::{Difference, Report};
use super::rows::Sources;

/// How the production binary goes about a table.
const WAYS: [&str; 8] =
    ["batch", "rows", "reversed", "shuffled", "chunks=1", "chunks=7", "chunks=1000", "reloaded"];
const THREADS: [u32; 3] = [1, 2, 8];

/// The reference: one fit, scored by research.
pub struct Base {
    /// The artifact.
    pub artifact: PathBuf,
    /// Its bytes.
    pub artifact_bytes: Vec<u8>,
    /// The score file.
    pub scores_bytes: Vec<u8>,
    /// The same, read.
    pub scores: Vec<ScoreRow>,
    /// The trace file.
    pub trace_bytes: Vec<u8>,
    /// The same, read.
    pub trace: Trace,
}

/// One way of scoring.
#[derive(Clone, Debug)]
pub struct Way {
    /// What the report calls it.
    pub name: String,
    /// Who scores.
    pub program: Program,
    /// Which form of the rows.
    pub source: PathBuf,
    way: Option<&'static str>,
    n_threads: Option<u32>,
}

impl Way {
    /// The run of this way.
    pub fn run<'a>(&'a self, bench: &'a Bench<'_>, artifact: &'a Path) -> Run<'a> {
        Run {
            program: self.program,
            artifact,
            source: &self.source,
            way: self.way,
            n_threads: self.n_threads,
            fault: bench.fault.filter(|_| self.program == Program::Debug),
        }
    }
}

/// What research makes of the source.
pub fn reference(source: &Path) -> Way {
    Way {
        name: "score research".to_owned(),
        program: Program::Research,
        source: source.to_path_buf(),
        way: None,
        n_threads: Some(1),
    }
}

/// Fits and scores once.
///
/// # Errors
/// If research fails, or writes what cannot be read.
pub fn base(bench: &Bench<'_>, sources: &Sources) -> Result<Base, String> {
    let artifact = bench.file("base.samescore");
    let threads = ["--threads".to_owned(), "1".to_owned()];
    fit::fit(bench, &sources.original, &threads, &artifact)?;
    let [out, trace] = ["base.csv", "base.trace"].map(|name| bench.file(name));
    let way = reference(&sources.original);
    let run = way.run(bench, &artifact);
    bench.programs.score(&run, &out, &trace)?;
    let scores_bytes = read(&out)?;
    let trace_bytes = read(&trace)?;
    Ok(Base {
        artifact_bytes: read(&artifact)?,
        scores: read_scores(&scores_bytes)?,
        scores_bytes,
        trace: Trace::read(&trace_bytes)?,
        trace_bytes,
        artifact,
    })
}

/// What the same way makes of the same rows with another artifact.
///
/// # Errors
/// If it fails.
pub fn with_artifact(bench: &Bench<'_>, way: &Way, artifact: &Path) -> Result<Found, String> {
    let [out, trace] = ["other.csv", "other.trace"].map(|name| bench.file(name));
    let run = way.run(bench, artifact);
    bench.programs.score(&run, &out, &trace)?;
    let scores_bytes = read(&out)?;
    Ok(Found {
        scores: read_scores(&scores_bytes)?,
        scores_bytes,
        trace_bytes: Some(read(&trace)?),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// Every way; with a fault only those that it can reach.
fn ways(sources: &Sources, has_fault: bool) -> Vec<Way> {
    let original = &sources.original;
    let mut ways = Vec::new();
    let mut add = |name: String, program, source: &Path, way, n_threads| {
        ways.push(Way {
            name: format!("score {name}"),
            program,
            source: source.to_path_buf(),
            way,
            n_threads,
        });
    };
    if !has_fault {
        let research = Program::Research;
        add("research csv".to_owned(), research, &sources.csv, None, None);
        add("research parquet".to_owned(), research, &sources.parquet, None, None);
        for n in THREADS {
            add(format!("research {n} threads"), research, original, None, Some(n));
        }
        add("embedded".to_owned(), Program::Embed, &sources.json, None, None);
    }
    let builds = [("debug", Program::Debug), ("release", Program::Release)];
    for (build, program) in &builds[..if has_fault { 1 } else { 2 }] {
        for way in WAYS {
            add(format!("{build} {way}"), *program, &sources.csv, Some(way), None);
        }
        for n in THREADS {
            let name = format!("{build} {n} threads");
            add(name, *program, &sources.csv, Some("batch"), Some(n));
        }
    }
    ways
}

/// Scores in every way and compares each with the reference.
///
/// # Errors
/// If a file of ours cannot be read.
pub fn every_way(
    bench: &Bench<'_>,
    sources: &Sources,
    base: &Base,
    report: &mut Report,
) -> Result<(), String> {
    for way in ways(sources, bench.fault.is_some()) {
        report.n_ways += 1;
        match one_way(bench, &way, base) {
            Err(message) => report.found(Difference::failure(&message).of(&way.name)),
            Ok(found) if found.is_equal(base, way.program) => {}
            Ok(found) => {
                report.differing_bits += differing_bits(&base.scores, &found.scores);
                let reference = reference(&sources.original);
                let sides = [(&reference, &*base.artifact), (&way, &*base.artifact)];
                let difference = locate::first(bench, base, sides, &found);
                report.found(difference.of(&way.name));
            }
        }
    }
    Ok(())
}

/// What one way gave.
pub struct Found {
    scores_bytes: Vec<u8>,
    /// The scores.
    pub scores: Vec<ScoreRow>,
    /// The trace as bytes, where the program gives one.
    trace_bytes: Option<Vec<u8>>,
}

impl Found {
    /// Whether it is the reference. The embedded example leaves out what is not about the score:
    /// for it the rows are compared, in their order, for all others the bytes.
    pub fn is_equal(&self, base: &Base, program: Program) -> bool {
        if program == Program::Embed {
            return self.scores == base.scores;
        }
        let same_trace = self.trace_bytes.as_ref() == Some(&base.trace_bytes);
        same_trace && self.scores_bytes == base.scores_bytes
    }

    /// The trace, if there is one that can be read.
    pub fn trace(&self) -> Option<Trace> {
        Trace::read(self.trace_bytes.as_ref()?).ok()
    }
}

fn one_way(bench: &Bench<'_>, way: &Way, base: &Base) -> Result<Found, String> {
    if way.program == Program::Embed {
        let scores_bytes = bench.programs.embedded(&base.artifact, &way.source)?;
        return Ok(Found { scores: read_scores(&scores_bytes)?, scores_bytes, trace_bytes: None });
    }
    with_artifact(bench, way, &base.artifact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let path = |name: &str| PathBuf::from(name);
        Sources {
            original: path("t.csv"),
            csv: path("t.csv"),
            parquet: path("t.parquet"),
            shuffled: path("s.csv"),
            regrouped: path("r.parquet"),
            json: path("t.jsonl"),
        }
    }

    #[test]
    fn every_way_has_its_own_name() {
        let all = ways(&sources(), false);
        let names: std::collections::BTreeSet<&str> = all.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(all.len(), 2 + 3 + 1 + 2 * (8 + 3));
    }

    #[test]
    fn a_fault_reaches_the_debug_build_only() {
        let all = ways(&sources(), true);
        assert!(all.iter().all(|way| way.program == Program::Debug));
        assert_eq!(all.len(), 8 + 3);
    }
}
