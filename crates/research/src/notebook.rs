//! What a notebook says between its cells: headings, what was learned, and where the artifact went.

use std::path::{Path, PathBuf};

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Column};
use samescore_core::error::{Code, Error, Result};

use crate::workflow::Outcome;
use crate::{output_file, render};

/// The path of a table that comes with the project.
pub fn table(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name)
}

/// A heading with a line of prose below it.
pub fn heading(title: &str, text: &str) -> String {
    format!("\n{title}\n{}\n{text}\n\n", "─".repeat(title.chars().count()))
}

/// The metrics of a fit as a table.
pub fn metrics(outcome: &Outcome) -> String {
    let rows: Vec<Vec<String>> = outcome
        .metrics
        .iter()
        .map(|(name, value)| vec![name.clone(), render::short(*value)])
        .collect();
    render::table(&["metric", "value"], &rows)
}

/// The `n` largest weights of a linear model, as bars of their sizes; a minus stands before the
/// names of those that pull down.
pub fn weights(artifact: &Artifact, n: usize) -> String {
    let pipeline = artifact.plan().pipeline();
    let weights = pipeline.model.coefficients().unwrap_or_default();
    let mut items: Vec<(String, f64)> = pipeline
        .features
        .iter()
        .zip(weights)
        .map(|(name, &w)| (format!("{}{name}", if w < 0.0 { "−" } else { "+" }), w.abs()))
        .collect();
    items.sort_by(|a, b| samescore_core::math::total_cmp(b.1, a.1).then_with(|| a.0.cmp(&b.0)));
    items.truncate(n);
    render::bars(&items, 40)
}

/// The targets and scores of the rows of `batch` that got a score.
///
/// # Errors
/// If the target or an input column is absent.
pub fn truth_and_scores(artifact: &Artifact, batch: &Batch) -> Result<(Vec<f64>, Vec<f64>)> {
    let target = &artifact.payload().config.target.column;
    let slot = batch.schema().slot(target)?;
    let Column::Num(truth) = batch.column(slot) else {
        return Err(Error::new(Code::WrongKind, "expected a numeric target").column(target));
    };
    let scores = artifact.plan().score(batch)?;
    let scored = scores.iter().zip(truth).filter_map(|((_, score), &y)| Some((y, score.ok()?)));
    Ok(scored.unzip())
}

/// Writes the artifact to the path that the notebook was given, if any, and says what it is.
///
/// # Errors
/// If the file cannot be written.
pub fn keep(artifact: &Artifact, path: Option<String>) -> Result<String> {
    let said = format!("artifact {}, {} bytes\n", artifact.digest(), artifact.bytes().len());
    match path {
        None => Ok(said + "(give a path to keep it)\n"),
        Some(path) => {
            output_file::replace(Path::new(&path), artifact.bytes())?;
            Ok(format!("{said}written to {path}\n"))
        }
    }
}
