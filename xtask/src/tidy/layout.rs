//! Lines, files, functions: their sizes, and what may not be left in them.

use super::Finding;
use super::tree::{Blank, Tree, code, line_of};

const COLUMNS_MAX: usize = 100;
const FUNCTION_LOOK: usize = 40;
const FUNCTION_MAX: usize = 70;
/// Rooms of which the style's table says nothing are only reported.
const OTHER_LOOK: usize = 400;

/// No line of Rust has more than 100 columns.
pub fn line_lengths(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        for (i, line) in text.lines().enumerate() {
            let n = line.chars().count();
            if n > COLUMNS_MAX {
                let message = format!("expected at most {COLUMNS_MAX} columns, found {n}");
                found.push(Finding::fail(path, i + 1, message));
            }
        }
    }
    found
}

/// What a file is, with the length to aim for and the length that fails.
fn limits(path: &str, text: &str) -> (&'static str, usize, Option<usize>) {
    let parts: Vec<&str> = path.split('/').collect();
    let is_notebook = path.starts_with("crates/research/src/bin/")
        && parts[parts.len() - 1].starts_with(|c: char| c.is_ascii_digit());
    let in_room = |room: &str| path.starts_with(&format!("crates/core/src/{room}/"));
    if text.contains("registry! {") && path.ends_with("mod.rs") {
        ("a mod.rs with registry", 150, Some(200))
    } else if in_room("models") && parts.len() > 5 {
        ("a phase file", 400, Some(500))
    } else if in_room("transforms") || in_room("selectors") || in_room("models") {
        ("a kind's file", 300, Some(400))
    } else if path.starts_with("xtask/src/") {
        ("an xtask file", 300, Some(400))
    } else if is_notebook {
        ("a notebook", 200, Some(250))
    } else {
        ("a file", OTHER_LOOK, None)
    }
}

/// Files keep to the sizes of the style's table.
pub fn file_sizes(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        let (what, aim, max) = limits(path, text);
        let n = text.lines().count();
        if max.is_some_and(|max| n > max) {
            let max = max.unwrap_or_default();
            let message = format!("expected {what} under {max} lines, found {n} (split by phase)");
            found.push(Finding::fail(path, 0, message));
        } else if n > aim {
            let message = format!("aimed at {what} of {aim} lines, found {n}");
            found.push(Finding::note(path, 0, message));
        }
    }
    found
}

/// No function is longer than 70 lines.
pub fn function_sizes(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        let blanked = code(text, Blank::CommentsAndLiterals);
        let lines: Vec<&str> = blanked.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let Some(name) = function_name(line) else {
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let close = format!("{}}}", " ".repeat(indent));
            let own = |l: &str| l.starts_with(&close) || l.trim_end().ends_with(['}', ';']);
            if own(line) {
                continue;
            }
            let end = lines[i..].iter().position(|l| l.starts_with(&close));
            let n = end.map_or(0, |end| end + 1);
            let message = format!("`{name}` has {n} lines (under {FUNCTION_LOOK} reads best)");
            if n > FUNCTION_MAX {
                found.push(Finding::fail(path, i + 1, message));
            } else if n > FUNCTION_LOOK {
                found.push(Finding::note(path, i + 1, message));
            }
        }
    }
    found
}

/// The name of the function that begins on a line.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(')')?.1.trim_start();
    }
    for word in ["pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// Nothing unfinished is left in code.
pub fn unfinished(tree: &Tree) -> Vec<Finding> {
    const LEFT: [(&str, &str); 4] = [
        ("todo!", "finished code"),
        ("unimplemented!", "finished code"),
        ("dbg!", "no debugging output"),
        ("#[ignore", "a test that runs"),
    ];
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        let blanked = code(text, Blank::CommentsAndLiterals);
        for (left, expected) in LEFT {
            for (at, _) in blanked.match_indices(left) {
                let message = format!("expected {expected}, found `{left}`");
                found.push(Finding::fail(path, line_of(&blanked, at), message));
            }
        }
    }
    found
}

/// Nothing names a place of somebody's machine.
pub fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let folders = ["home", "Users", "root", "work", "tmp"].map(|name| format!("/{name}/"));
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        for folder in &folders {
            for (at, _) in text.match_indices(folder.as_str()) {
                let before = text[..at].chars().next_back();
                let inside = |c: char| c.is_alphanumeric() || "._-/}~*$".contains(c);
                if before.is_some_and(inside) {
                    continue;
                }
                let message =
                    format!("expected no machine path, found `{folder}` (make it relative)");
                found.push(Finding::fail(path, line_of(text, at), message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<(usize, bool)> {
        let found = rule(&Tree::of(&[(path, text)]));
        found.iter().map(|f| (f.line, f.fails)).collect()
    }

    #[test]
    fn a_line_of_101_columns_fails() {
        let text = format!("{}\n{}\n", "é".repeat(100), "é".repeat(101));
        assert_eq!(lines(line_lengths, "a.rs", &text), [(2, true)]);
    }

    #[test]
    fn a_file_is_measured_by_what_it_is() {
        let long = |n: usize| "//! x\n".repeat(n);
        let kind = "crates/core/src/transforms/x.rs";
        assert_eq!(lines(file_sizes, kind, &long(401)), [(0, true)]);
        assert_eq!(lines(file_sizes, kind, &long(301)), [(0, false)]);
        assert_eq!(lines(file_sizes, kind, &long(300)), []);
        let phase = "crates/core/src/models/forest/grow.rs";
        assert_eq!(lines(file_sizes, phase, &long(401)), [(0, false)]);
        let notebook = "crates/research/src/bin/01_x.rs";
        assert_eq!(lines(file_sizes, notebook, &long(251)), [(0, true)]);
        let room = "crates/core/src/math/order.rs";
        assert_eq!(lines(file_sizes, room, &long(900)), [(0, false)]);
        let registry = format!("crate::registry! {{\n{}", long(200));
        let path = "crates/core/src/transforms/mod.rs";
        assert_eq!(lines(file_sizes, path, &registry), [(0, true)]);
    }

    #[test]
    fn a_function_of_71_lines_fails() {
        let body = |n: usize| format!("pub(crate) fn f() {{\n{}}}\n", "    x;\n".repeat(n));
        assert_eq!(lines(function_sizes, "a.rs", &body(69)), [(1, true)]);
        assert_eq!(lines(function_sizes, "a.rs", &body(39)), [(1, false)]);
        assert_eq!(lines(function_sizes, "a.rs", &body(38)), []);
    }

    #[test]
    fn unfinished_code_fails_and_text_about_it_does_not() {
        let text = "fn a() { todo!() }\n// todo!()\nlet s = \"dbg!\";\n#[ignore]\n";
        assert_eq!(lines(unfinished, "a.rs", text), [(1, true), (4, true)]);
    }

    #[test]
    fn a_machine_path_fails_and_an_address_does_not() {
        let home = format!("a = \"/{}/me/x\"", "home");
        assert_eq!(lines(machine_paths, "a.toml", &home), [(1, true)]);
        let address = format!("see https://example.org/{}/x", "home");
        assert_eq!(lines(machine_paths, "a.md", &address), []);
    }
}
