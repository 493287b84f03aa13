//! What a room must not know.

use super::Finding;
use super::tree::{Blank, Tree, code, line_of, without_tests, word_at};

const CORE: &str = "crates/core/src/";
const PAR: &str = "crates/core/src/par.rs";
/// Makes the mistakes on purpose; absent from release builds.
const FAULTS: &str = "crates/core/src/faults.rs";

/// Words that no code of core has, with what to use.
const OUTSIDE: [(&str, &str); 14] = [
    ("HashMap", "BTreeMap or a sorted Vec"),
    ("HashSet", "BTreeSet or a sorted Vec"),
    ("RandomState", "digest"),
    ("DefaultHasher", "digest"),
    ("SystemTime", "a value of the batch"),
    ("Instant", "a bench"),
    ("std::env", "a parameter"),
    ("std::fs", "bytes"),
    ("std::net", "bytes"),
    ("std::io", "bytes"),
    ("std::process", "an error"),
    ("println!", "a returned text"),
    ("eprintln!", "an error"),
    ("static mut", "a parameter"),
];

/// Core knows no file, socket, clock, environment, log or hash order.
pub fn core_knows_no_outside(tree: &Tree) -> Vec<Finding> {
    let core = |path: &str| path.starts_with(CORE) && path != FAULTS;
    banned(tree, core, &OUTSIDE)
}

/// Only `par` starts threads.
pub fn threads_start_in_par(tree: &Tree) -> Vec<Finding> {
    let others = |path: &str| path.starts_with(CORE) && path != PAR;
    let words = [("rayon", "par::map"), ("std::thread", "par::map")];
    banned(tree, others, &words)
}

fn banned(tree: &Tree, judged: impl Fn(&str) -> bool, words: &[(&str, &str)]) -> Vec<Finding> {
    let mut found = Vec::new();
    let code_of = |path: &str| judged(path) && !tree.is_test(path);
    for (path, text) in tree.sources().filter(|(path, _)| code_of(path)) {
        let blanked = code(without_tests(text), Blank::CommentsAndLiterals);
        for (word, instead) in words {
            for at in word_at(&blanked, word) {
                let message = format!("expected no `{word}` in this room (use {instead})");
                found.push(Finding::fail(path, line_of(&blanked, at), message));
            }
        }
    }
    found
}

/// The libraries that are linked into other people's programs forbid unsafe code and printing.
pub fn library_attributes(tree: &Tree) -> Vec<Finding> {
    const ATTRIBUTES: [&str; 2] =
        ["#![forbid(unsafe_code)]", "#![deny(clippy::print_stdout, clippy::print_stderr)]"];
    let mut found = Vec::new();
    for path in ["crates/core/src/lib.rs", "crates/deploy/src/lib.rs"] {
        let Some(text) = tree.text(path) else {
            continue;
        };
        let absent = ATTRIBUTES.iter().filter(|a| !text.contains(**a));
        found.extend(absent.map(|a| Finding::fail(path, 1, format!("expected `{a}`"))));
    }
    found
}

/// One file in two crates that may know nothing of each other.
const TWINS: [&str; 2] = ["crates/research/src/output_file.rs", "crates/serve/src/output_file.rs"];

/// A file that stands in two crates is the same file.
pub fn twins(tree: &Tree) -> Vec<Finding> {
    let [one, other] = TWINS.map(|path| tree.text(path));
    if one == other {
        return Vec::new();
    }
    let message = format!("expected the bytes of `{}` (copy the one that is right)", TWINS[0]);
    vec![Finding::fail(TWINS[1], 0, message)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outside_word_fails_in_core_only() {
        let text = "use std::fs;\n// HashMap\nlet m: HashMap<u8, u8>;\nlet instant = 1;\n";
        let found = core_knows_no_outside(&Tree::of(&[
            ("crates/core/src/batch/mod.rs", text),
            ("crates/research/src/a.rs", text),
        ]));
        let lines: Vec<usize> = found.iter().map(|f| f.line).collect();
        assert_eq!(lines, [3, 1]);
    }

    #[test]
    fn a_thread_outside_par_fails() {
        let text = "use rayon::prelude::*;\n";
        let tree = Tree::of(&[(PAR, text), ("crates/core/src/models/a.rs", text)]);
        let found = threads_start_in_par(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/core/src/models/a.rs");
    }

    #[test]
    fn twins_that_differ_fail() {
        let [one, other] = TWINS;
        assert!(twins(&Tree::of(&[(one, "a"), (other, "a")])).is_empty());
        assert_eq!(twins(&Tree::of(&[(one, "a"), (other, "b")])).len(), 1);
        assert_eq!(twins(&Tree::of(&[(one, "a")])).len(), 1);
    }

    #[test]
    fn a_library_that_allows_unsafe_code_fails() {
        let text = "//! x\n#![deny(clippy::print_stdout, clippy::print_stderr)]\n";
        let found = library_attributes(&Tree::of(&[("crates/core/src/lib.rs", text)]));
        assert_eq!(found.len(), 1);
    }
}
