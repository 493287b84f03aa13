//! Every file under `data/` says where it is from.

use super::Finding;
use super::tree::Tree;
use crate::sha256;

const README: &str = "data/README.md";
/// What we write ourselves, by hand or by program, and keep beside the tables: pipelines, their
/// artifacts of every format released (each held by the wire tests), and the generators of vectors.
const OURS: [&str; 2] = ["data/pipelines/", "data/artifacts/"];

/// `data/README.md` names every table and its SHA-256, and nothing that is not there.
pub fn provenance(tree: &Tree) -> Vec<Finding> {
    let readme = tree.text(README).unwrap_or_default();
    let mut found = Vec::new();
    for (path, bytes) in tree.files().filter(|(p, _)| p.starts_with("data/")) {
        let ours = OURS.iter().any(|folder| path.starts_with(folder)) || path.ends_with(".py");
        if path.ends_with("README.md") || ours {
            continue;
        }
        let name = path.trim_start_matches("data/");
        let Some(section) = section(readme, name) else {
            let message = format!("expected a section `{name}` in {README}: source and licence");
            found.push(Finding::fail(path, 0, message));
            continue;
        };
        let digest = sha256::hex(bytes);
        if !section.contains(&digest) {
            let message = format!("expected its sha256 in {README}, found none like `{digest}`");
            found.push(Finding::fail(path, 0, message));
        }
    }
    found
}

/// The text under the heading that names the file, up to the next heading.
fn section<'r>(readme: &'r str, name: &str) -> Option<&'r str> {
    let is_heading = |line: &str| line.starts_with('#');
    let names = |line: &str| line.trim_start_matches('#').trim().trim_matches('`') == name;
    let mut at = 0;
    let mut start = None;
    for line in readme.split_inclusive('\n') {
        if let Some(start) = start.filter(|_| is_heading(line)) {
            return Some(&readme[start..at]);
        }
        if is_heading(line) && names(line) {
            start = Some(at);
        }
        at += line.len();
    }
    start.map(|start| &readme[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_found(readme: &str) -> usize {
        provenance(&Tree::of(&[(README, readme), ("data/a.csv", "abc")])).len()
    }

    #[test]
    fn a_table_without_section_or_digest_fails() {
        let digest = sha256::hex(b"abc");
        assert_eq!(n_found(""), 1);
        assert_eq!(n_found("### a.csv\n- sha256: `00`\n"), 1);
        assert_eq!(n_found(&format!("### a.csv\n### b.csv\n- sha256: `{digest}`\n")), 1);
        assert_eq!(n_found(&format!("### a.csv\n- sha256: `{digest}`\n### b\n")), 0);
    }
}
