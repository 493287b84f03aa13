//! `completions`: what a shell needs to complete this command.

use clap_complete::Shell as Target;

use super::failure::Failure;
use super::shell::Answer;

/// Print the completions for a shell.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore completions bash > /etc/bash_completion.d/samescore")]
pub(super) struct Args {
    /// The shell.
    shell: Target,
}

pub(super) fn run(args: &Args, mut command: clap::Command) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "samescore", &mut script);
    Ok(Answer::yes(String::from_utf8_lossy(&script).into_owned()))
}
