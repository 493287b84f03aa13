//! What the commands that judge on folds have in common.

use std::path::PathBuf;

use clap::ValueEnum;
use samescore_core::batch::Batch;
use samescore_core::config::Config;
use samescore_core::error::{Code, Error, Result};
use samescore_core::par::Threads;
use samescore_research::folds::{FoldPlan, Scheme};

use super::failure::Failure;
use super::load::{DataArgs, Loaded};
use super::shell::Shell;

/// How rows are laid into folds.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemeName {
    /// Each row by its own draw; rows of one group together, if the config has `group` under
    /// `split`.
    KFold,
    /// Evenly within each class, or each bin of a numeric target.
    Stratified,
    /// Tested on later rows than fitted on.
    Time,
}

#[derive(clap::Args)]
pub(super) struct FoldArgs {
    /// How rows are laid into folds. Rows that must not be parted are named by `group` under
    /// `split` in the config.
    #[arg(long, value_enum, value_name = "SCHEME", default_value = "k-fold")]
    scheme: SchemeName,
    /// The column that says when, for the scheme time.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
}

impl FoldArgs {
    /// The plan, of `n_folds`.
    pub(super) fn plan(&self, n_folds: u64) -> Result<FoldPlan> {
        let scheme = match (self.scheme, &self.time) {
            (SchemeName::KFold, None) => Scheme::KFold,
            (SchemeName::Stratified, None) => Scheme::Stratified,
            (SchemeName::Time, Some(column)) => Scheme::Time { column: column.clone() },
            (SchemeName::Time, None) => {
                let message = "expected a column of times for the scheme time, found none";
                return Err(Error::new(Code::Usage, message).remedy("name it with --time"));
            }
            (_, Some(_)) => {
                let message = "expected --time with the scheme time alone, found another scheme";
                return Err(Error::new(Code::Usage, message).remedy("add --scheme time"));
            }
        };
        Ok(FoldPlan { scheme, n_folds })
    }

    /// The same if folds are asked for at all.
    pub(super) fn plan_if(&self, n_folds: Option<u64>) -> Result<Option<FoldPlan>> {
        match n_folds {
            Some(n) => self.plan(n).map(Some),
            None if self.scheme == SchemeName::KFold && self.time.is_none() => Ok(None),
            None => {
                let message = "expected a number of folds with a scheme, found none";
                Err(Error::new(Code::Usage, message).remedy("add --folds"))
            }
        }
    }
}

/// The rows and the threads of a command.
#[derive(clap::Args)]
pub(super) struct SourceArgs {
    /// The config, in TOML.
    pub(super) config: PathBuf,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
}

/// By which column rows count in the figures; nothing if each counts one.
pub(super) fn weighed(config: &Config) -> String {
    let name = config.data.weight.as_ref();
    name.map_or(String::new(), |name| format!("each row counts its `{name}` in the metrics\n"))
}

/// A config with its rows.
pub(super) struct Source {
    pub(super) loaded: Loaded,
    pub(super) batch: Batch,
    pub(super) threads: Threads,
}

impl Source {
    pub(super) fn read(args: &SourceArgs, shell: &Shell) -> Result<Self, Failure> {
        let mut loaded = Loaded::read(&args.config, &args.data)?;
        let threads = Threads::new(args.threads)?;
        let progress = shell.progress(&format!("reading {}", loaded.gathering.source));
        let batch = match loaded.take_rows() {
            Some(rows) => rows,
            None => threads.run(|| loaded.gathering.read_rows())?,
        };
        drop(progress);
        Ok(Source { loaded, batch, threads })
    }
}
