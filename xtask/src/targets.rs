//! `targets`: one test binary on several CPUs, whose digests must be one.
//!
//! The release build of core's conformance suite runs as it is, on an emulated CPU of 2008 without
//! AVX and FMA, and with the C library told that this CPU has none. Each run writes its digests to
//! the file that `SAMESCORE_DIGEST_OUT` names. A run that cannot be made here is reported as not
//! run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command;

const PACKAGE: &str = "samescore-core";
const SUITE: &str = "conformance";
/// The one test of the suite that computes and writes them.
const TEST: &str = "digests::digest";
const DIGESTS: &str = "SAMESCORE_DIGEST_OUT";
const EMULATOR: &str = "qemu-x86_64";

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Digests(String),
    Failed(String),
    Absent(String),
}

/// Compares the digests of every run that can be made; true if none differs or fails.
///
/// # Errors
/// If the suite cannot be built, or this machine itself cannot run it.
pub fn run() -> Result<bool, String> {
    let args = ["test", "--release", "--no-run", "--package", PACKAGE, "--test", SUITE];
    let binary = command::built(&args, SUITE)?;
    let folder = tempfile::tempdir_in(command::target()).map_err(|e| e.to_string())?;
    let out = |name: &str| folder.path().join(name);
    let native = match suite(Command::new(&binary), &out("native")) {
        Run::Digests(digests) => digests,
        Run::Failed(why) | Run::Absent(why) => return Err(format!("this machine: {why}")),
    };
    let runs = [
        ("emulated CPU without AVX and FMA", emulated(&binary, &out("emulated"))),
        ("C library without AVX2 and FMA", untuned(&binary, &out("untuned"))),
    ];
    let n_digests = native.lines().count();
    println!("this machine: {n_digests} digests");
    let mut same = true;
    for (name, run) in &runs {
        let (ok, line) = verdict(&native, run);
        println!("{name}: {line}");
        same &= ok;
    }
    Ok(same)
}

/// Whether a run agrees (one that was not made does not disagree), and the line that says so.
fn verdict(native: &str, run: &Run) -> (bool, String) {
    match run {
        Run::Absent(why) => (true, format!("NOT RUN: {why}")),
        Run::Failed(why) => (false, format!("failed: {why}")),
        Run::Digests(digests) if digests == native => (true, "the same digests".to_owned()),
        Run::Digests(digests) => {
            let mut pairs = native.lines().zip(digests.lines());
            let first = pairs.find(|(a, b)| a != b);
            let (a, b) = first.unwrap_or(("another number of lines", ""));
            (false, format!("differs first in `{a}` against `{b}`"))
        }
    }
}

/// Runs the suite; its digests stand in `out` afterwards.
fn suite(mut program: Command, out: &Path) -> Run {
    program.current_dir(command::root().join("crates/core"));
    program.args(["--exact", TEST]).env(DIGESTS, out);
    match command::output(&mut program) {
        Err(why) => Run::Failed(why),
        Ok(_) => match fs::read_to_string(out) {
            Ok(digests) if !digests.is_empty() => Run::Digests(digests),
            _ => Run::Failed(format!("the suite wrote no digests to {DIGESTS}")),
        },
    }
}

fn emulated(binary: &Path, out: &Path) -> Run {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Run::Absent("the emulator runs x86-64 programs of Linux".to_owned());
    }
    if let Err(e) = Command::new(EMULATOR).arg("--version").output() {
        return Run::Absent(format!("`{EMULATOR}`: {e} (Debian: qemu-user)"));
    }
    let mut program = Command::new(EMULATOR);
    program.args(["-cpu", "Nehalem"]).arg(binary);
    suite(program, out)
}

fn untuned(binary: &Path, out: &Path) -> Run {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
        return Run::Absent("the tunables are those of glibc on x86-64".to_owned());
    }
    let mut program = Command::new(binary);
    program.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F");
    suite(program, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_run_is_said_and_what_differs_is_named() {
        let not_run = Run::Absent("no emulator".to_owned());
        assert_eq!(verdict("a 1\n", &not_run), (true, "NOT RUN: no emulator".to_owned()));
        let same = Run::Digests("a 1\nb 2\n".to_owned());
        assert!(verdict("a 1\nb 2\n", &same).0);
        let (ok, line) = verdict("a 1\nb 3\n", &same);
        assert!(!ok);
        assert_eq!(line, "differs first in `b 3` against `b 2`");
        assert!(!verdict("a 1\n", &same).0);
        assert!(!verdict("a 1\n", &Run::Failed("x".to_owned())).0);
    }

    #[test]
    fn a_suite_without_digests_fails() {
        let folder = tempfile::tempdir().unwrap();
        let run = suite(Command::new("true"), &folder.path().join("none"));
        assert!(matches!(run, Run::Failed(why) if why.contains(DIGESTS)));
    }
}
