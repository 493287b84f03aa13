//! The rows that the benches of deploy need and cannot read: those of a Parquet file, as CSV.

use std::fs;

use crate::command;

/// The pipeline whose rows are in a Parquet file.
const PIPELINE: &str = "loans";

/// Writes `loans.csv` into cargo's folder for temporary files of tests, by research's own command.
///
/// # Errors
/// If research cannot be built or the file cannot be written.
pub fn put() -> Result<(), String> {
    let folder = command::target().join("tmp");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let args = ["run", "--quiet", "--package", "samescore-research", "--bin", "samescore", "--"];
    let mut convert = command::cargo(&args);
    convert.arg("convert").arg(format!("data/pipelines/{PIPELINE}.toml"));
    command::output(convert.arg(folder.join(format!("{PIPELINE}.csv")))).map(drop)
}
