//! What every file says first, and the fixed headings of a kind's manual.

use super::Finding;
use super::kinds;
use super::tree::Tree;

const HEADINGS: [&str; 6] = ["Method", "Shape", "Missing", "Ties and order", "Errors", "Example"];

/// Every source begins with what it gives.
pub fn module_docs(tree: &Tree) -> Vec<Finding> {
    let silent = tree.sources().filter(|(_, text)| !text.starts_with("//! "));
    let message = "expected a module doc (`//!`) on the first line";
    silent.map(|(path, _)| Finding::fail(path, 1, message)).collect()
}

/// A kind's manual has its first sentence and the fixed headings, in order, none empty.
pub fn headings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for kind in kinds::registered(tree) {
        let Some(text) = tree.text(&kind.path) else {
            let message = format!("expected the file of kind `{}`", kind.tag);
            found.push(Finding::fail(&kind.path, 0, message));
            continue;
        };
        found.extend(check_manual(&kind.path, text));
    }
    found
}

fn check_manual(path: &str, text: &str) -> Vec<Finding> {
    let docs = text.lines().take_while(|line| line.starts_with("//!"));
    let docs: Vec<&str> = docs.map(|l| l.trim_start_matches("//!").trim()).collect();
    let mut found = Vec::new();
    let is_heading = |line: &&str| line.starts_with("# ");
    let first: Vec<&str> =
        docs.iter().copied().take_while(|l| !l.is_empty() && !is_heading(l)).collect();
    if !first.join(" ").ends_with('.') {
        let message = "expected a first sentence that says what the kind gives";
        found.push(Finding::fail(path, 1, message));
    }
    let names: Vec<&str> = docs.iter().filter_map(|l| l.strip_prefix("# ")).collect();
    if names != HEADINGS {
        let message =
            format!("expected the headings {}, found {}", HEADINGS.join(", "), names.join(", "));
        found.push(Finding::fail(path, 1, message));
    }
    for (i, line) in docs.iter().enumerate().filter(|(_, l)| is_heading(l)) {
        let body = docs[i + 1..].iter().take_while(|l| !is_heading(l));
        if body.into_iter().all(|l| l.is_empty()) {
            let message = format!("expected text under `{line}` (say `None.` if there is none)");
            found.push(Finding::fail(path, i + 1, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual(headings: &[&str]) -> String {
        let sections = headings.iter().map(|h| format!("//! # {h}\n//! Text.\n//!\n"));
        format!("//! Gives x.\n//!\n{}", sections.collect::<String>())
    }

    #[test]
    fn a_file_without_docs_fails() {
        let tree = Tree::of(&[("a.rs", "//! Gives x.\n"), ("b.rs", "use x;\n")]);
        let found = module_docs(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "b.rs");
    }

    #[test]
    fn a_manual_with_every_heading_passes() {
        assert_eq!(check_manual("a.rs", &manual(&HEADINGS)), []);
    }

    #[test]
    fn a_missing_a_misplaced_and_an_empty_heading_fail() {
        assert_eq!(check_manual("a.rs", &manual(&HEADINGS[1..])).len(), 1);
        let mut swapped = HEADINGS;
        swapped.swap(0, 1);
        assert_eq!(check_manual("a.rs", &manual(&swapped)).len(), 1);
        let empty = manual(&HEADINGS).replace("# Shape\n//! Text.\n", "# Shape\n");
        assert_eq!(check_manual("a.rs", &empty)[0].line, 6);
    }

    #[test]
    fn a_manual_without_a_first_sentence_fails() {
        let text = manual(&HEADINGS).replace("Gives x.", "Gives x");
        assert_eq!(check_manual("a.rs", &text).len(), 1);
    }

    #[test]
    fn a_registered_kind_without_file_fails() {
        let registry = "crate::registry! {\n    \"a_b\" => a_b: P => F,\n}\n";
        let tree = Tree::of(&[("crates/core/src/models/mod.rs", registry)]);
        assert_eq!(headings(&tree).len(), 1);
    }
}
