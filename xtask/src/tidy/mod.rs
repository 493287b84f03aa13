//! `tidy`: the rules of the house that no lint can hold, each with its remedy.
//!
//! A finding fails or is only reported (sizes below their limit). Every rule is one function from
//! the tree of files to findings, in one file by theme, with a failing sample as its test.

mod crates;
mod data;
mod docs;
mod kinds;
mod layout;
mod numbers;
mod rooms;
mod snapshots;
mod tree;

use std::fmt;

use crate::command;
use tree::Tree;

/// A place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    line: usize,
    message: String,
    fails: bool,
}

impl Finding {
    /// A broken rule; line 0 means the file as a whole.
    fn fail(path: &str, line: usize, message: impl Into<String>) -> Self {
        Finding { path: path.to_owned(), line, message: message.into(), fails: true }
    }

    /// A place to look at again.
    fn note(path: &str, line: usize, message: impl Into<String>) -> Self {
        Finding { fails: false, ..Finding::fail(path, line, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.fails { "fails" } else { "look" };
        write!(f, "{verdict}: {}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Every rule, in the order in which findings are shown.
const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
    layout::line_lengths,
    layout::file_sizes,
    layout::function_sizes,
    layout::unfinished,
    layout::machine_paths,
    docs::module_docs,
    docs::headings,
    kinds::one_kind_one_file,
    numbers::float_folds,
    numbers::stored_widths,
    rooms::core_knows_no_outside,
    rooms::threads_start_in_par,
    rooms::library_attributes,
    rooms::twins,
    crates::directions,
    crates::exact_pins,
    snapshots::owners,
    data::provenance,
];

/// Prints every finding; true if none fails.
///
/// # Errors
/// If the tree cannot be read.
pub fn run() -> Result<bool, String> {
    let findings = findings(&Tree::read(&command::root())?);
    findings.iter().for_each(|finding| println!("{finding}"));
    let n_failing = findings.iter().filter(|finding| finding.fails).count();
    let n_rules = RULES.len();
    println!(
        "tidy: {n_rules} rules, {n_failing} findings fail, {} to look at",
        findings.len() - n_failing
    );
    Ok(n_failing == 0)
}

fn findings(tree: &Tree) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(tree)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let tree = Tree::read(&command::root()).unwrap();
        let failing = findings(&tree).into_iter().filter(|finding| finding.fails);
        let failing: Vec<String> = failing.map(|finding| finding.to_string()).collect();
        assert!(failing.is_empty(), "{}", failing.join("\n"));
    }

    #[test]
    fn a_finding_names_place_and_verdict() {
        let finding = Finding::fail("a.rs", 3, "expected x, found y");
        assert_eq!(finding.to_string(), "fails: a.rs:3: expected x, found y");
        let note = Finding::note("a.rs", 0, "expected x");
        assert_eq!(note.to_string(), "look: a.rs: expected x");
    }
}
