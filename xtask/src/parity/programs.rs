//! The programs under comparison: built one by one, and called as a user calls them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command;

/// Research and production, each built alone.
#[derive(Clone, Debug)]
pub struct Programs {
    research: PathBuf,
    debug: PathBuf,
    release: PathBuf,
    embed: PathBuf,
}

/// One of the programs that score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The `samescore` command.
    Research,
    /// The production binary, built for debugging.
    Debug,
    /// The production binary as it is released.
    Release,
    /// The example that a service author copies.
    Embed,
}

/// A scoring run.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Who scores.
    pub program: Program,
    /// The artifact.
    pub artifact: &'a Path,
    /// The rows.
    pub source: &'a Path,
    /// How production goes about it.
    pub way: Option<&'a str>,
    /// The number of threads, if it is not the program's own choice.
    pub n_threads: Option<u32>,
    /// A fault, for the debug build.
    pub fault: Option<&'a str>,
}

impl Programs {
    /// Builds everything, in separate cargo invocations.
    ///
    /// # Errors
    /// If a build fails.
    pub fn build() -> Result<Self, String> {
        let serve = ["build", "--package", "samescore-serve"];
        let release = [&serve[..], &["--release"]].concat();
        let embed = ["build", "--package", "samescore-deploy", "--example", "embed"];
        let research = ["build", "--package", "samescore-research", "--bin", "samescore"];
        Ok(Programs {
            debug: command::built(&serve, "samescore-serve")?,
            release: command::built(&release, "samescore-serve")?,
            embed: command::built(&embed, "embed")?,
            research: command::built(&research, "samescore")?,
        })
    }

    fn command(&self, program: Program) -> Command {
        let mut command = Command::new(match program {
            Program::Research => &self.research,
            Program::Debug => &self.debug,
            Program::Release => &self.release,
            Program::Embed => &self.embed,
        });
        command.current_dir(command::root()).env("NO_COLOR", "1");
        command
    }

    /// A `samescore` command with arguments.
    pub fn research(&self, args: &[&str]) -> Command {
        let mut command = self.command(Program::Research);
        command.args(args);
        command
    }

    /// Scores into `out` and, where the program can, traces into `trace`.
    ///
    /// # Errors
    /// If the program fails.
    pub fn score(&self, run: &Run<'_>, out: &Path, trace: &Path) -> Result<(), String> {
        let mut command = self.command(run.program);
        command.arg("score").args([run.artifact, run.source]);
        command.arg("--out").arg(out).arg("--trace").arg(trace);
        if let Some(way) = run.way {
            command.args(["--way", way]);
        }
        if let Some(n) = run.n_threads {
            command.args(["--threads", &n.to_string()]);
        }
        if let Some(fault) = run.fault {
            command.args(["--inject-fault", fault]);
        }
        command::output(&mut command).map(drop)
    }

    /// The features after the step `until`, into `out`. Neither way nor threads are options here.
    ///
    /// # Errors
    /// If the program fails.
    pub fn transform(&self, run: &Run<'_>, until: &str, out: &Path) -> Result<(), String> {
        let mut command = self.command(run.program);
        command.arg("transform").args([run.artifact, run.source]);
        command.args(["--until", until]).arg("--out").arg(out);
        if let Some(fault) = run.fault {
            command.args(["--inject-fault", fault]);
        }
        command::output(&mut command).map(drop)
    }

    /// What the embedded example prints for rows of JSON.
    ///
    /// # Errors
    /// If it fails, or the rows cannot be read.
    pub fn embedded(&self, artifact: &Path, rows: &Path) -> Result<Vec<u8>, String> {
        let rows = std::fs::File::open(rows).map_err(|e| e.to_string())?;
        let mut command = self.command(Program::Embed);
        command::output(command.arg(artifact).stdin(Stdio::from(rows)))
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
