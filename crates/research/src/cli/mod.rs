//! The command line: arguments in, one answer out.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 the answer is no, 2 usage
//! or config, 3 data, 4 artifact, 5 input and output, 101 a bug. With `--format json` every answer
//! is one JSON value with a `schema_version`.

mod completions;
mod convert;
mod dependence;
mod diff;
mod drift;
mod evaluate;
mod explain;
mod failure;
mod fit;
mod folding;
mod gather;
mod importance;
mod init;
mod inspect;
mod kinds;
mod learning_curve;
mod listing;
mod load;
mod model;
mod progress;
mod reading;
mod score;
mod search;
mod seeds;
mod shell;
mod transform;
mod validation_curve;
mod verify;
mod write_back;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;
use shell::{Answer, Shell};

/// The version of every JSON answer; a field may be added, none changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// Given the same inputs, exactly the same outputs: fit a pipeline once, score it anywhere, to the
/// bit.
#[derive(Parser)]
#[command(
    name = "samescore",
    version,
    after_help = "Example:\n  samescore init && samescore fit samescore.toml && \
                  samescore score samescore.samescore example.csv",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = shell::Format::Text)]
    format: shell::Format,
    /// No progress and no notes on stderr, only errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// When to colour messages; `auto` follows the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_enum, default_value_t = shell::Colour::Auto)]
    color: shell::Colour,
    #[command(subcommand)]
    command: Command,
    /// Makes a mistake on purpose, so that the proof of sameness is seen to fail.
    #[cfg(debug_assertions)]
    #[arg(long, global = true, hide = true, value_name = "NAME")]
    inject_fault: Option<samescore_core::faults::Fault>,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Gather(gather::Args),
    Fit(fit::Args),
    Score(score::Args),
    Transform(transform::Args),
    Evaluate(evaluate::Args),
    Search(search::Args),
    Seeds(seeds::Args),
    LearningCurve(learning_curve::Args),
    ValidationCurve(validation_curve::Args),
    Inspect(inspect::Args),
    Importance(importance::Args),
    Dependence(dependence::Args),
    Verify(verify::Args),
    Diff(diff::Args),
    Drift(drift::Args),
    Kinds(kinds::Args),
    Explain(explain::Args),
    Convert(convert::Args),
    Completions(completions::Args),
}

/// Reads the arguments, runs the command, writes its answer, gives the exit code.
pub(crate) fn run() -> ExitCode {
    report_bugs();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help goes to stdout with code 0, usage errors to stderr with code 2.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    #[cfg(debug_assertions)]
    samescore_core::faults::inject(cli.inject_fault);
    let shell = Shell::new(cli.format, cli.quiet, cli.color);
    match dispatch(cli.command, &shell).and_then(|answer| shell.write(answer)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            shell.complain(&failure);
            ExitCode::from(failure.error.kind().exit_code())
        }
    }
}

fn dispatch(command: Command, shell: &Shell) -> Result<Answer, Failure> {
    match command {
        Command::Init(args) => init::run(&args, shell),
        Command::Gather(args) => gather::run(&args, shell),
        Command::Fit(args) => fit::run(&args, shell),
        Command::Score(args) => score::run(&args, shell),
        Command::Transform(args) => transform::run(&args, shell),
        Command::Evaluate(args) => evaluate::run(&args, shell),
        Command::Search(args) => search::run(&args, shell),
        Command::Seeds(args) => seeds::run(&args, shell),
        Command::LearningCurve(args) => learning_curve::run(&args, shell),
        Command::ValidationCurve(args) => validation_curve::run(&args, shell),
        Command::Inspect(args) => inspect::run(&args, shell),
        Command::Importance(args) => importance::run(&args, shell),
        Command::Dependence(args) => dependence::run(&args, shell),
        Command::Verify(args) => verify::run(&args, shell),
        Command::Diff(args) => diff::run(&args, shell),
        Command::Drift(args) => drift::run(&args, shell),
        Command::Kinds(args) => kinds::run(&args, shell),
        Command::Explain(args) => explain::run(&args, shell),
        Command::Convert(args) => convert::run(&args, shell),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    }
}

/// A panic is a bug of ours, unless a foreign reader is at work: then it comes back as an error.
fn report_bugs() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !samescore_research::gather::is_guarded() {
            usual(info);
            eprintln!("this is a bug in samescore; please report it with the lines above");
        }
    }));
}
