//! `diff`: the first difference of two results.

use std::path::PathBuf;

use samescore_research::compare::{self, Difference};
use samescore_research::file;
use serde_json::{Value, json};

use super::failure::Failure;
use super::shell::{Answer, Shell};

/// How many differences are listed behind the first.
const LISTED: usize = 20;

/// Name the first difference of two artifacts, score files, feature files or traces.
///
/// Exit code 0: the same result. Exit code 1: they differ; the first line names stage, column, row,
/// both bit patterns and the distance in ulps.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore diff research.csv production.csv")]
pub(super) struct Args {
    /// A file.
    a: PathBuf,
    /// Another file of the same kind.
    b: PathBuf,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let (a, b) = (file::read(&args.a)?, file::read(&args.b)?);
    let (content, differences) = compare::files(&a, &b)?;
    let body = shell.body(
        || text(content.name(), &differences, a == b),
        || {
            let listed: Vec<Value> = differences.iter().map(to_json).collect();
            json!({
                "command": "diff",
                "content": content.name(),
                "is_same": differences.is_empty(),
                "are_bytes_equal": a == b,
                "differences": listed,
            })
        },
    );
    Ok(if differences.is_empty() { Answer::yes(body) } else { Answer::no(body) })
}

fn text(content: &str, differences: &[Difference], are_bytes_equal: bool) -> String {
    let Some((first, more)) = differences.split_first() else {
        let how =
            if are_bytes_equal { "byte for byte" } else { "row by row key, in another order" };
        return format!("same {content}, {how}\n");
    };
    let mut text = format!("{content}s differ, first at {}\n", first.line());
    for difference in more.iter().take(LISTED) {
        text.push_str(&format!("also at {}\n", difference.line()));
    }
    if more.len() > LISTED {
        text.push_str(&format!("and in {} more places\n", more.len() - LISTED));
    }
    text
}

fn to_json(difference: &Difference) -> Value {
    let bits = difference.bits.as_ref();
    json!({
        "stage": difference.stage,
        "column": difference.column,
        "row_key": difference.row_key,
        "path": difference.path,
        "a": difference.a,
        "b": difference.b,
        "a_bits": bits.map(|(a, _, _)| a),
        "b_bits": bits.map(|(_, b, _)| b),
        "ulps": bits.map(|(_, _, ulps)| ulps),
        "n_cells": difference.n_cells,
    })
}
