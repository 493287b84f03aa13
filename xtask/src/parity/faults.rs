//! A proof that cannot fail proves nothing: production commits known mistakes, and parity must name
//! the stage of each.
//!
//! Only the debug build of production can be told to. What a mistake in a fit does is shown by
//! core's own tests, which inject all faults, also those that need a value or an order of columns
//! that no command gives; here an artifact is right and its scoring is not.

use comfy_table::{Table, presets};

use super::programs::Programs;
use super::report::Report;
use super::rows::Sources;
use super::{Bench, pipeline, score};

/// Each fault with a pipeline in which it has a place to happen, and the stage that must be named.
const CAUGHT: &[(&str, &str, &str)] = &[
    ("fused-multiply-add", "house_prices", "score"),
    // Refused at load: the self-test of math names the function.
    ("std-exp", "titanic", "math"),
    ("draw-by-batch-position", "house_prices", "fill_with_draws"),
    ("dropped-row", "titanic", "input"),
    // Refused at load: the golden rows name the step.
    ("stale-category-table", "house_prices", "quality"),
];

/// Injects every fault and prints what caught it; true if each is caught at its stage.
///
/// # Errors
/// If the programs cannot be built, or fail without a fault.
pub fn run() -> Result<bool, String> {
    let programs = Programs::build()?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["fault", "pipeline", "caught by", "stage", "expected", "verdict"]);
    let mut all_caught = true;
    for (fault, name, expected) in CAUGHT {
        let report = commit(&programs, fault, name)?;
        let (way, stage) = report.first_place().unwrap_or(("nothing", ""));
        let caught = stage == *expected;
        all_caught &= caught;
        let verdict = if caught { "caught" } else { "MISSED" };
        table.add_row([fault, name, way, stage, expected, verdict]);
    }
    println!("{table}");
    Ok(all_caught)
}

/// One pipeline, fitted and scored without fault, then scored by production with it.
fn commit(programs: &Programs, fault: &str, name: &str) -> Result<Report, String> {
    let pipelines = pipeline::all(&[name.to_owned()])?;
    let pipeline = &pipelines[0];
    let folder = super::fresh_folder(&format!("{name}-{fault}"))?;
    let bench = Bench { programs, pipeline, folder, fault: Some(fault) };
    let sources = Sources::make(&bench)?;
    let base = score::base(&bench, &sources)?;
    let mut report = Report::new(name);
    score::every_way(&bench, &sources, &base, &mut report)?;
    Ok(report)
}
