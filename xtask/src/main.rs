//! `cargo xtask`: parity, test, bench, tidy, targets. Runs research and deploy as programs and
//! links neither.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 equal or passed, 1 the answer is
//! no, 2 usage or a program that could not be built or run.

mod bench;
mod command;
mod parity;
mod sha256;
mod targets;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "What proves the promise")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fit and score every pipeline in every way, as separate programs: every bit must agree.
    Parity(parity::Options),
    /// Everything: fmt, clippy, docs, tidy, tests of every package, other CPUs, parity.
    Test(test::Options),
    /// What things cost here, in one table, beside peers where there are any.
    Bench(bench::Options),
    /// The rules of the house that no lint can hold.
    Tidy,
    /// The digests of core's conformance suite on other CPUs.
    Targets,
    /// Asserts standard input as the snapshot of a pipeline.
    #[command(hide = true)]
    Snapshot {
        /// The pipeline.
        name: String,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Parity(options) => parity::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Tidy => tidy::run(),
        Task::Targets => targets::run(),
        Task::Snapshot { name } => parity::assert_snapshot(&name),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
