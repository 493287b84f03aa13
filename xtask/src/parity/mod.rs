//! `parity`: research and deploy as separate programs, every pipeline, every way: the same bits.
//!
//! Research and the production programs are built by separate cargo invocations, so that no feature
//! of one reaches the other. Each pipeline of `data/pipelines/` is fitted in every way (the
//! artifact must be one file) and scored in every way (scores and traces must be equal as bytes);
//! then its digests are compared with `snapshots/parity/`, which only `--bless` writes. What
//! differs is named: stage, column, row key, both bit patterns and their distance in ulps.

mod cells;
mod compare;
pub mod faults;
mod fit;
mod locate;
mod paths;
mod pipeline;
mod programs;
mod report;
mod rows;
mod score;
mod snapshot;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::command;
use pipeline::Pipeline;
use programs::Programs;
use report::{Difference, Report};
pub use snapshot::assert_stdin as assert_snapshot;

/// How to run and what to show.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the snapshots of what was found, if every way agrees.
    #[arg(long)]
    bless: bool,
    /// Only these pipelines (default: all).
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pipeline: Vec<String>,
    /// Break the debug build of production in a known way: parity must notice.
    #[arg(long, value_name = "NAME", hide = true, conflicts_with = "bless")]
    fault: Option<String>,
}

/// The forms of the result.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Everything of one pipeline that the phases share.
struct Bench<'a> {
    programs: &'a Programs,
    pipeline: &'a Pipeline,
    /// Where its files go.
    folder: PathBuf,
    /// A fault for the debug build of production.
    fault: Option<&'a str>,
}

impl Bench<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Compares everything and prints the table; true if every bit agrees.
///
/// # Errors
/// If insta's overrides are set, a named pipeline does not exist, or a program cannot be built.
pub fn run(options: &Options) -> Result<bool, String> {
    snapshot::refuse_overrides()?;
    let pipelines = pipeline::all(&options.pipeline)?;
    let programs = Programs::build()?;
    let mut reports = Vec::new();
    for pipeline in &pipelines {
        reports.push(judge(&programs, pipeline, options)?);
    }
    match options.format {
        Format::Text => println!("{}", report::text(&reports)),
        Format::Json => println!("{}", report::json(&reports)),
    }
    Ok(reports.iter().all(Report::is_equal))
}

/// One pipeline from source to verdict. A program that fails is a difference, not an error.
fn judge(programs: &Programs, pipeline: &Pipeline, options: &Options) -> Result<Report, String> {
    let start = Instant::now();
    let folder = fresh_folder(&pipeline.name)?;
    let bench = Bench { programs, pipeline, folder, fault: options.fault.as_deref() };
    let mut report = Report::new(&pipeline.name);
    if let Err(message) = phases(&bench, options, &mut report) {
        report.found(Difference::failure(&message));
    }
    eprintln!("{}: {} ways, {:.1} s", pipeline.name, report.n_ways, start.elapsed().as_secs_f64());
    Ok(report)
}

/// An empty folder of that name, where the files of the last run can be looked at.
fn fresh_folder(name: &str) -> Result<PathBuf, String> {
    let folder = command::target().join("parity").join(name);
    let problem = |e| format!("{}: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(problem)?;
    }
    fs::create_dir_all(&folder).map_err(problem)?;
    Ok(folder)
}

fn phases(bench: &Bench<'_>, options: &Options, report: &mut Report) -> Result<(), String> {
    let sources = rows::Sources::make(bench)?;
    let base = score::base(bench, &sources)?;
    report.n_rows = base.trace.n_rows;
    report.n_stages = base.trace.stages.len() as u64 + 1;
    if options.fault.is_none() {
        fit::every_way(bench, &sources, &base, report)?;
        if let Some(found) = paths::first_in(&base.artifact_bytes) {
            report.found(Difference::artifact(format!(
                "expected no machine path in an artifact, found `{found}`"
            )));
        }
    }
    score::every_way(bench, &sources, &base, report)?;
    if options.fault.is_none() && report.is_equal() {
        let text = snapshot::text(bench, &base)?;
        if !snapshot::agrees(&bench.pipeline.name, &text, options.bless)? {
            report.found(Difference::snapshot(&bench.pipeline.name));
        }
    }
    Ok(())
}
