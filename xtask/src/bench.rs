//! `bench`: the benches of core and deploy, with the rows that those of deploy need.
//!
//! Research converts the Parquet table of the loans pipeline to CSV, because deploy reads no
//! Parquet. Numbers mean something on a machine that does nothing else; criterion says how far they
//! scatter.

use std::fs;

use clap::Args;

use crate::command;

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Only benches whose name contains this text.
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// Only the benches of the pipelines.
    #[arg(long)]
    pipelines: bool,
}

/// Runs every bench; true if all ran.
///
/// # Errors
/// If research cannot be built or the rows cannot be written.
pub fn run(options: &Options) -> Result<bool, String> {
    let folder = command::target().join("tmp");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let research = ["run", "--quiet", "--package", "samescore-research", "--bin", "samescore"];
    let convert = ["--", "convert", "data/pipelines/loans.toml"];
    let mut convert = command::cargo(&[&research[..], &convert].concat());
    command::output(convert.arg(folder.join("loans.csv")))?;
    let all = [
        (!options.pipelines, vec!["bench", "--package", "samescore-core", "--benches"]),
        (true, vec!["bench", "--package", "samescore-deploy", "--bench", "pipelines"]),
        (!options.pipelines, vec!["bench", "--package", "samescore-deploy", "--bench", "score"]),
    ];
    let mut ran = true;
    for (_, mut args) in all.into_iter().filter(|(wanted, _)| *wanted) {
        if let Some(filter) = &options.filter {
            args.extend(["--", filter]);
        }
        ran &= command::passes(&mut command::cargo(&args))?;
    }
    Ok(ran)
}
