//! A proof that cannot fail proves nothing: production and fits commit known mistakes, and parity
//! must name the stage of each.
//!
//! Only debug builds can be told to. Core's own tests inject all faults, also those that need a
//! value or an order of columns that no command gives. Here one of two things is wrong: the scoring
//! of a right artifact, or the fit, and then the two artifacts are told apart by what they make of
//! the same rows.

use comfy_table::{Table, presets};

use super::programs::Programs;
use super::report::Report;
use super::rows::Sources;
use super::{Bench, fit, pipeline, score};

/// Who commits a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Culprit {
    Scoring,
    Fit,
}

/// What must come of a fault.
struct Caught {
    fault: &'static str,
    culprit: Culprit,
    /// A pipeline in which the fault has a place to happen.
    pipeline: &'static str,
    stage: &'static str,
    /// Whether column, row and both values must be named. A scorer that refuses the artifact at
    /// load, because its golden rows or the self-test of math say so, names the stage alone.
    is_cell: bool,
}

const fn caught(
    fault: &'static str,
    culprit: Culprit,
    [pipeline, stage]: [&'static str; 2],
    is_cell: bool,
) -> Caught {
    Caught { fault, culprit, pipeline, stage, is_cell }
}

const CAUGHT: &[Caught] = &[
    caught("fused-multiply-add", Culprit::Scoring, ["house_prices", "score"], false),
    caught("std-exp", Culprit::Scoring, ["titanic", "math"], false),
    caught("draw-by-batch-position", Culprit::Scoring, ["house_prices", "fill_with_draws"], false),
    caught("dropped-row", Culprit::Scoring, ["titanic", "input"], false),
    caught("stale-category-table", Culprit::Scoring, ["house_prices", "quality"], false),
    caught("sum-split-by-thread", Culprit::Fit, ["diabetes", "scale"], true),
    caught("draw-by-batch-position", Culprit::Fit, ["house_prices", "fill_with_draws"], false),
];

/// Injects every fault and prints what caught it; true if each is caught at its stage, and
/// down to the cell where that must be.
///
/// # Errors
/// If the programs cannot be built, or fail without a fault.
pub fn run() -> Result<bool, String> {
    let programs = Programs::build()?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["fault", "pipeline", "caught by", "stage", "expected", "verdict"]);
    let mut all_caught = true;
    let mut lines = String::new();
    for Caught { fault, culprit, pipeline, stage: expected, is_cell } in CAUGHT {
        let report = commit(&programs, fault, *culprit, pipeline)?;
        let (way, stage) = report.first_place().unwrap_or(("nothing", ""));
        let caught = stage == *expected && (!is_cell || report.is_first_a_cell());
        all_caught &= caught;
        let verdict = if caught { "caught" } else { "MISSED" };
        table.add_row([fault, pipeline, way, stage, expected, verdict]);
        lines += &report.first_line().map(|line| format!("{line}\n")).unwrap_or_default();
    }
    println!("{table}\n{lines}");
    Ok(all_caught)
}

/// One pipeline without fault, then with it.
fn commit(
    programs: &Programs,
    fault: &str,
    culprit: Culprit,
    name: &str,
) -> Result<Report, String> {
    let pipelines = pipeline::all(&[name.to_owned()])?;
    let pipeline = &pipelines[0];
    let folder = super::fresh_folder(&format!("{name}-{fault}-{culprit:?}"))?;
    let scoring = Some(fault).filter(|_| culprit == Culprit::Scoring);
    let bench = Bench { programs, pipeline, folder, fault: scoring };
    let sources = Sources::make(&bench)?;
    let base = score::base(&bench, &sources)?;
    let mut report = Report::new(name);
    match culprit {
        Culprit::Scoring => score::every_way(&bench, &sources, &base, &mut report)?,
        Culprit::Fit => fit::with_fault(&bench, &sources, &base, fault, &mut report)?,
    }
    Ok(report)
}
