//! The recorded digests of each pipeline: `snapshots/parity/<pipeline>.snap`.
//!
//! insta reads, compares and writes the files. Its settings come from the environment, so this
//! program starts itself again with the one that is meant and none of the others, and refuses to
//! run at all if somebody has set one: a difference must not turn green from outside.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::Bench;
use super::compare::Stage;
use super::programs::text as path_text;
use super::score::Base;
use crate::{command, sha256};

/// How many rows a snapshot shows.
const SHOWN_ROWS: usize = 5;

/// Refuses insta's overrides, and settings that let differences pass. What the settings say of
/// writing does not matter: this program says it itself.
///
/// # Errors
/// If there is one.
pub fn refuse_overrides() -> Result<(), String> {
    let set = command::insta_overrides();
    if let Some(name) = set.first() {
        let remedy = "unset it; `--bless` alone writes snapshots";
        return Err(format!("expected no override of insta, found `{name}` ({remedy})"));
    }
    for name in ["insta.yaml", ".insta.yaml", ".config/insta.yaml"] {
        let settings = std::fs::read_to_string(command::root().join(name)).unwrap_or_default();
        if settings.contains("force_pass") {
            return Err(format!("expected no `force_pass`, found one in `{name}` (remove it)"));
        }
    }
    Ok(())
}

/// Everything that identifies a pipeline's results, readable.
///
/// # Errors
/// If the artifact cannot be inspected.
pub fn text(bench: &Bench<'_>, base: &Base) -> Result<String, String> {
    let artifact = path_text(&base.artifact);
    let args = ["inspect", artifact, "--format", "json"];
    let facts = command::output(&mut bench.programs.research(&args))?;
    let facts: serde_json::Value =
        serde_json::from_slice(&facts).map_err(|e| format!("inspect: {e}"))?;
    let fact = |name: &str| {
        let found = facts["artifact"][name].as_str();
        found.ok_or_else(|| format!("expected `{name}` in what `inspect` says"))
    };
    let mut text = format!(
        "artifact  sha256 {}\nconfig    {}\ndata      {}\nrows      {}\nkeys      {}\n",
        sha256::hex(&base.artifact_bytes),
        fact("config_fingerprint")?,
        fact("data_fingerprint")?,
        base.trace.n_rows,
        base.trace.keys,
    );
    text += "\nstages\n";
    for stage in &base.trace.stages {
        let n_columns = stage.columns.len();
        let digest = digest(stage);
        let _ = writeln!(text, "{:<24} {n_columns:>3} columns  {digest}", stage.name);
    }
    let _ = writeln!(text, "{:<24} {:>11}  {}", "score", "", base.trace.scores);
    text += "\nfirst rows\n";
    for row in base.scores.iter().take(SHOWN_ROWS) {
        if row.bits.is_empty() {
            let _ = writeln!(text, "{}  {} {}", row.row_key, row.reason.0, row.reason.1);
            continue;
        }
        text += &row.row_key;
        for &bits in &row.bits {
            let _ = write!(text, "  {bits:016x}  {:?}", f64::from_bits(bits));
        }
        text.push('\n');
    }
    Ok(text)
}

/// One digest of a stage: over name and digest of each column, in order.
fn digest(stage: &Stage) -> String {
    let lines = stage.columns.iter().map(|(name, digest)| format!("{name}\n{digest}\n"));
    sha256::hex(lines.collect::<String>().as_bytes())
}

/// Compares with the recorded snapshot, or writes it.
///
/// # Errors
/// If this program cannot be started again.
pub fn agrees(name: &str, text: &str, bless: bool) -> Result<bool, String> {
    let problem = |e: std::io::Error| format!("snapshot `{name}`: {e}");
    let program = std::env::current_exe().map_err(problem)?;
    let mut command = Command::new(program);
    command.args(["snapshot", name]).stdin(Stdio::piped());
    command.stdout(Stdio::from(std::io::stderr()));
    command.env("INSTA_UPDATE", if bless { "always" } else { "no" });
    let mut child = command.spawn().map_err(problem)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).map_err(problem)?;
    }
    Ok(child.wait().map_err(problem)?.success())
}

/// What the program does when it is started again: asserts standard input through insta, which
/// prints the difference and panics.
///
/// # Errors
/// If standard input cannot be read, or nobody has said whether insta may write: left to itself it
/// would create files.
pub fn assert_stdin(name: &str) -> Result<bool, String> {
    let update = std::env::var("INSTA_UPDATE").unwrap_or_default();
    if !["no", "always"].contains(&&*update) {
        return Err("expected to be started by parity (run `cargo xtask parity`)".to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|e| e.to_string())?;
    std::panic::set_hook(Box::new(|_| {}));
    let asserted = std::panic::catch_unwind(|| {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(command::root().join("snapshots").join("parity"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, &text));
    });
    Ok(asserted.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_stage_covers_names_and_order() {
        let column = |name: &str| (name.to_owned(), "00".to_owned());
        let stage = |names: [&str; 2]| Stage {
            name: "scale".to_owned(),
            columns: names.map(column).to_vec(),
        };
        assert_ne!(digest(&stage(["a", "b"])), digest(&stage(["b", "a"])));
        assert_eq!(digest(&stage(["a", "b"])), sha256::hex(b"a\n00\nb\n00\n"));
    }
}
