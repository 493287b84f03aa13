//! Programs as others start them: cargo, and what cargo built.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Insta's overrides: any of them could turn a difference green, or write what nobody blessed.
const INSTA_OVERRIDES: [&str; 8] = [
    "INSTA_FORCE_PASS",
    "INSTA_UPDATE",
    "INSTA_FORCE_UPDATE",
    "INSTA_FORCE_UPDATE_SNAPSHOTS",
    "INSTA_OUTPUT",
    "INSTA_SNAPSHOT_REFERENCES_FILE",
    "INSTA_WORKSPACE_ROOT",
    "INSTA_PENDING_DIR",
];

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo builds, as this program was told.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Insta's overrides that are set now.
pub fn insta_overrides() -> Vec<&'static str> {
    let set = |name: &&str| env::var_os(name).is_some();
    INSTA_OVERRIDES.into_iter().filter(set).collect()
}

/// `cargo` with arguments, in the root, as on a build server: no snapshot is written or excused.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    INSTA_OVERRIDES.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.env("INSTA_UPDATE", "no").env("CI", "true");
    command
}

/// Builds with `cargo ARGS`, and gives the executable of the target called `name`, as cargo reports
/// it.
///
/// # Errors
/// If the build fails.
pub fn built(args: &[&str], name: &str) -> Result<PathBuf, String> {
    let format = ["--quiet", "--message-format", "json-render-diagnostics"];
    let mut cargo = cargo(&[args, &format].concat());
    // What the compiler says goes on as it comes; what cargo reports is only read.
    let built = cargo.stderr(Stdio::inherit()).output();
    let built = built.map_err(|e| format!("`{}` did not start: {e}", shown(&cargo)))?;
    if !built.status.success() {
        return Err(format!("`cargo {}` failed", args.join(" ")));
    }
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let named = message["target"]["name"] == name;
        Some(PathBuf::from(message["executable"].as_str().filter(|_| named)?))
    };
    let messages = String::from_utf8_lossy(&built.stdout);
    let found = messages.lines().find_map(executable);
    found.ok_or_else(|| format!("`cargo {}` named no executable `{name}`", args.join(" ")))
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    if let Some(name) = Path::new(&words[0]).file_name() {
        words[0] = name.to_string_lossy().into_owned();
    }
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs with the output passed on; true if it succeeded.
///
/// # Errors
/// If the program cannot be started.
pub fn passes(command: &mut Command) -> Result<bool, String> {
    let status = command.status();
    let status = status.map_err(|e| format!("`{}` did not start: {e}", shown(command)))?;
    Ok(status.success())
}

/// Runs with standard output passed on line by line and seen by `see`; true if it succeeded.
///
/// # Errors
/// If the program cannot be started or read.
pub fn passes_seen(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool, String> {
    let name = shown(command);
    let problem = |e| format!("`{name}` could not be run: {e}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(problem)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(problem)?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            see(&line);
        }
    }
    Ok(child.wait().map_err(problem)?.success())
}

/// Standard output of a program that must succeed.
///
/// # Errors
/// If it cannot be started, or fails: then with what it said.
pub fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let name = shown(command);
    let output = command.output();
    let output = output.map_err(|e| format!("`{name}` did not start: {e}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // A test runner says what failed on standard output.
    let said = [&output.stdout[..], &output.stderr[..]];
    let said = said.into_iter().rfind(|text| !text.is_empty());
    let said = String::from_utf8_lossy(said.unwrap_or_default());
    Err(format!("`{name}` gave {}: {}", output.status, said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_what_it_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let error = output(&mut command).unwrap_err();
        assert!(error.starts_with("`sh -c echo why"), "{error}");
        assert!(error.ends_with("exit status: 3: why"), "{error}");
    }

    #[test]
    fn lines_are_seen_as_they_come() {
        let mut seen = Vec::new();
        let mut command = Command::new("printf");
        command.arg("a\nb\n");
        let passed = passes_seen(&mut command, |line| seen.push(line.to_owned()));
        assert_eq!((passed, seen), (Ok(true), vec!["a".into(), "b".into()]));
    }

    #[test]
    fn children_get_no_override() {
        let command = cargo(&["test"]);
        let force = command.get_envs().find(|(name, _)| *name == "INSTA_FORCE_PASS");
        assert_eq!(force, Some(("INSTA_FORCE_PASS".as_ref(), None)));
        let update = command.get_envs().find(|(name, _)| *name == "INSTA_UPDATE");
        assert_eq!(update.and_then(|(_, v)| v), Some("no".as_ref()));
    }
}
