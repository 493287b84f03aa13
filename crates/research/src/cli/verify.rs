//! `verify`: whether an artifact scores here as it did where it was made.

use std::path::PathBuf;

use samescore_research::render;
use serde_json::json;

use super::failure::Failure;
use super::load;
use super::shell::{Answer, Shell};

/// Check an artifact: its hash, its canonical form, its meaning, and its golden rows to the bit.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore verify titanic.samescore")]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let artifact = load::artifact(&args.artifact)?;
    artifact.verify()?;
    let n_rows = artifact.payload().golden.n_rows();
    let digest = artifact.digest().to_string();
    Ok(Answer::yes(shell.body(
        || {
            render::pairs(&[
                ("artifact", digest.clone()),
                ("verified", format!("{n_rows} golden rows score to the bit as recorded")),
            ])
        },
        || {
            json!({
                "command": "verify",
                "artifact": digest,
                "is_verified": true,
                "n_golden_rows": n_rows,
            })
        },
    )))
}
