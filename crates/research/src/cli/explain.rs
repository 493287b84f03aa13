//! `explain`: what an error code means.

use samescore_core::error::{Code, Error};
use samescore_research::render;
use serde_json::{Value, json};

use super::failure::Failure;
use super::shell::{Answer, Shell};

/// Explain an error code; without one, list all.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore explain SS0301")]
pub(super) struct Args {
    /// The code, such as SS0301.
    code: Option<String>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let Some(wanted) = &args.code else {
        let rows: Vec<Vec<String>> = Code::ALL
            .iter()
            .map(|c| vec![c.id().into(), c.kind().exit_code().to_string(), c.title().into()])
            .collect();
        return Ok(Answer::yes(shell.body(
            || render::table(&["code", "exit code", "meaning"], &rows),
            || {
                let codes: Vec<Value> = Code::ALL.iter().map(|c| about(*c)).collect();
                json!({ "command": "explain", "codes": codes })
            },
        )));
    };
    let found = Code::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(wanted));
    let Some(&code) = found else {
        let error = Error::new(Code::Usage, format!("expected an error code, found `{wanted}`"));
        return Err(error.remedy("`samescore explain` lists all").into());
    };
    Ok(Answer::yes(shell.body(
        || {
            let exit = code.kind().exit_code();
            format!("{}: {}\nexit code {exit}\n\n{}\n", code.id(), code.title(), code.explanation())
        },
        || json!({ "command": "explain", "code": about(code) }),
    )))
}

fn about(code: Code) -> Value {
    json!({
        "code": code.id(),
        "kind": code.kind().name(),
        "exit_code": code.kind().exit_code(),
        "title": code.title(),
        "explanation": code.explanation(),
    })
}
