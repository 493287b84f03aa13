//! What a sum may add and what a stored number may be.

use super::Finding;
use super::tree::{Blank, Tree, code, line_of, without_tests, word_at};

const MATH: &str = "crates/core/src/math/";
const INTEGERS: [&str; 11] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i32", "i64", "i128", "isize", "i16"];

/// Outside `math`, a `.sum()` or `.product()` says which integer it gives: floats are added by
/// `math`.
pub fn float_folds(tree: &Tree) -> Vec<Finding> {
    let ours = |path: &str| path.starts_with("crates/") && path.contains("/src/");
    let mut found = Vec::new();
    for (path, text) in tree.sources().filter(|(p, _)| ours(p) && !p.starts_with(MATH)) {
        let blanked = code(without_tests(text), Blank::CommentsAndLiterals);
        for fold in [".sum", ".product"] {
            for (at, _) in blanked.match_indices(fold) {
                let rest = &blanked[at + fold.len()..];
                let typed = rest.strip_prefix("::<").and_then(|r| r.split_once('>'));
                let whole = typed.is_some_and(|(t, _)| INTEGERS.contains(&t));
                if rest.starts_with("()") || (rest.starts_with("::<") && !whole) {
                    let message = format!(
                        "expected `{fold}::<INTEGER>()`, found another (floats: `math::ExactSum`)"
                    );
                    found.push(Finding::fail(path, line_of(&blanked, at), message));
                }
            }
        }
    }
    found
}

/// Nothing that core stores has the width of the machine.
pub fn stored_widths(tree: &Tree) -> Vec<Finding> {
    let core = tree.sources().filter(|(p, _)| p.starts_with("crates/core/src/"));
    let mut found = Vec::new();
    for (path, text) in core {
        let blanked = code(without_tests(text), Blank::CommentsAndLiterals);
        let lines: Vec<&str> = blanked.lines().collect();
        let derives = |line: &str| line.starts_with("#[derive(") && line.contains("Serialize");
        let opens =
            |line: &str| word_at(line, "struct").chain(word_at(line, "enum")).next().is_some();
        for start in (0..lines.len()).filter(|&i| derives(lines[i])) {
            let item = lines[start..].iter().skip_while(|line| !opens(line));
            let n = lines[start..].len() - item.clone().count();
            let last = item
                .clone()
                .position(|l| l.starts_with('}') || l.ends_with([';', '}']) && !l.starts_with(' '));
            let body = (n..).zip(item.take(last.map_or(0, |last| last + 1)));
            let wide = body.filter(|(_, line)| {
                let word = |w: &str| word_at(line, w).next().is_some();
                word("usize") || word("isize")
            });
            found.extend(wide.map(|(i, _)| {
                let message = "expected a fixed width in stored state, found `usize`";
                Finding::fail(path, start + i + 1, message)
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        let found = rule(&Tree::of(&[(path, text)]));
        found.iter().map(|f| f.line).collect()
    }

    #[test]
    fn a_sum_that_does_not_say_its_integer_fails() {
        let text = "a.sum();\nb.sum::<f64>();\nc.sum::<u64>();\nd.product();\nself.sum.add(x);\n";
        let path = "crates/core/src/batch/mod.rs";
        assert_eq!(lines(float_folds, path, text), [1, 2, 4]);
        assert!(lines(float_folds, "crates/core/src/math/a.rs", text).is_empty());
    }

    #[test]
    fn a_stored_usize_fails() {
        let stored = "#[derive(Clone, Serialize)]\nstruct A {\n    n: Vec<usize>,\n}\n";
        let free = "#[derive(Clone)]\nstruct A {\n    n: usize,\n}\nfn f(n: usize) {}\n";
        let path = "crates/core/src/models/a.rs";
        assert_eq!(lines(stored_widths, path, stored), [3]);
        assert!(lines(stored_widths, path, free).is_empty());
        let tuple = "#[derive(Serialize)]\nstruct A(Vec<u32>);\nfn f(n: usize) {}\n";
        assert!(lines(stored_widths, path, tuple).is_empty());
        let unit = "#[derive(Serialize)]\nstruct A {}\nfn f(n: usize) {}\n";
        assert!(lines(stored_widths, path, unit).is_empty());
        let wide = tuple.replace("u32", "usize");
        assert_eq!(lines(stored_widths, path, &wide), [2]);
    }
}
