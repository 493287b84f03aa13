//! The files of the workspace as text, and the few questions about Rust source that rules ask.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file of the workspace by its path from the root, with `/` between folders.
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

/// Folders that are not part of the project: build output, version control, pending snapshots'
/// home.
const SKIPPED: [&str; 3] = ["target", ".git", "__pycache__"];

impl Tree {
    /// Reads everything below `root`.
    ///
    /// # Errors
    /// If a folder or file cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let problem = |e| format!("{}: {e}", folder.display());
            for entry in fs::read_dir(&folder).map_err(problem)? {
                let path = entry.map_err(problem)?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if SKIPPED.contains(&&*name) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = relative.iter().map(|p| p.to_string_lossy()).collect();
                files.insert(parts.join("/"), bytes);
            }
        }
        Ok(Tree { files })
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let entry = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Tree { files: files.iter().map(entry).collect() }
    }

    /// Path and bytes of every file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(p, b)| (p.as_str(), b.as_slice()))
    }

    /// Path and text of every file that is UTF-8.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter_map(|(p, b)| Some((p, std::str::from_utf8(b).ok()?)))
    }

    /// Path and text of every Rust file.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Whether a source is compiled for tests only: it stands in a folder of tests, or its parent
    /// declares it under `#[cfg(test)]`.
    pub fn is_test(&self, path: &str) -> bool {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let declared = format!("#[cfg(test)]\nmod {};", file.trim_end_matches(".rs"));
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| format!("{folder}/{name}"));
        let declares = |parent: &str| self.text(parent).is_some_and(|t| t.contains(&declared));
        path.contains("/tests/") || parents.iter().any(|p| declares(p)) || {
            declares(&format!("{folder}.rs"))
        }
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?).ok()
    }

    /// Whether the file exists.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

/// The part of a source before its unit tests, which stand last in a file.
pub fn without_tests(source: &str) -> &str {
    let end = source.find("#[cfg(test)]\nmod tests {");
    &source[..end.unwrap_or(source.len())]
}

/// What stands in a source besides code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// Comments become spaces.
    Comments,
    /// Comments and the contents of text and character literals become spaces.
    CommentsAndLiterals,
}

/// The source with what is not code blanked, line for line and column for column.
pub fn code(source: &str, blank: Blank) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, is_comment) = token_end(bytes, at);
        let hide = is_comment || (end > at + 1 && blank == Blank::CommentsAndLiterals);
        if hide && end > at + 1 {
            out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment or literal that begins at `at` ends (`at + 1` if none does), and whether it is
/// a comment.
fn token_end(bytes: &[u8], at: usize) -> (usize, bool) {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        let line = rest.iter().position(|&b| b == b'\n');
        return (at + line.unwrap_or(rest.len()), true);
    }
    if rest.starts_with(b"/*") {
        let end = rest.windows(2).position(|w| w == b"*/");
        return (at + end.map_or(rest.len(), |e| e + 2), true);
    }
    if rest[0] == b'r' && !after_word {
        let hashes = rest[1..].iter().take_while(|&&b| b == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let close = [b"\"".to_vec(), vec![b'#'; hashes]].concat();
            let body = &rest[2 + hashes..];
            let end = body.windows(close.len()).position(|w| w == close);
            let length = end.map_or(rest.len(), |e| 2 + hashes + e + close.len());
            return (at + length, false);
        }
    }
    if rest[0] == b'"' {
        return (at + quoted_length(rest, b'"'), false);
    }
    let is_char = rest[0] == b'\'' && (rest.get(1) == Some(&b'\\') || closes_soon(rest));
    if is_char {
        return (at + quoted_length(rest, b'\''), false);
    }
    (at + 1, false)
}

/// Whether a quote opens a character and not a lifetime: one character, then a quote.
fn closes_soon(rest: &[u8]) -> bool {
    (2..=5).any(|n| {
        rest.get(n) == Some(&b'\'')
            && std::str::from_utf8(&rest[1..n]).is_ok_and(|s| s.chars().count() == 1)
    })
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Positions at which `word` stands as a whole word.
pub fn word_at<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !is_word(before) && !is_word(after)
    })
}

/// The line, from 1, of a position.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        let source = "a(\"x // \\\" y\"); // b\nr#\"q\"# 'c' &'static /* d\n */ e";
        let blanked = code(source, Blank::CommentsAndLiterals);
        assert_eq!(blanked.len(), source.len());
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>(), ["a(", ");", "&'static", "e"]);
        assert!(code(source, Blank::Comments).contains("x // \\\" y"));
    }

    #[test]
    fn a_word_is_whole() {
        let text = "cast recast cast_all \"cast\"";
        assert_eq!(word_at(text, "cast").collect::<Vec<_>>(), [0, 22]);
    }

    #[test]
    fn a_module_declared_for_tests_is_a_test() {
        let parent = "mod a;\n#[cfg(test)]\nmod b;\n";
        let tree = Tree::of(&[("c/src/m/mod.rs", parent)]);
        assert!(tree.is_test("c/src/m/b.rs") && !tree.is_test("c/src/m/a.rs"));
        assert!(tree.is_test("c/tests/a.rs") && !tree.is_test("c/src/b.rs"));
    }

    #[test]
    fn unit_tests_stand_last() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(without_tests(source), "fn a() {}\n");
        assert_eq!(without_tests("fn a() {}"), "fn a() {}");
    }
}
