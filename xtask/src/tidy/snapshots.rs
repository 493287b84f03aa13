//! Every snapshot has an owner, and none is pending.

use super::Finding;
use super::kinds;
use super::tree::Tree;

/// A snapshot of parity belongs to a pipeline of that name; any other names the source that asserts
/// it, or a kind, and that source exists.
pub fn owners(tree: &Tree) -> Vec<Finding> {
    let kinds = kinds::registered(tree);
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        if path.ends_with(".snap.new") || path.ends_with(".pending-snap") {
            found.push(Finding::fail(path, 0, "expected no pending snapshot (review it)"));
        }
        let Some(stem) = path.strip_suffix(".snap") else {
            continue;
        };
        let name = stem.rsplit('/').next().unwrap_or(stem);
        if stem.starts_with("snapshots/parity/") {
            if !tree.has(&format!("data/pipelines/{name}.toml")) {
                let message = format!("expected a pipeline `{name}`, found none (remove it)");
                found.push(Finding::fail(path, 0, message));
            }
            continue;
        }
        let source = text.lines().find_map(|line| line.strip_prefix("source: "));
        if !source.is_some_and(|s| tree.has(s.trim_matches('"'))) {
            let message = "expected a `source:` that exists (the test moved: write it again)";
            found.push(Finding::fail(path, 0, message));
        }
        let first = name.split(['.', '@']).next().unwrap_or(name);
        let of_kind = stem.starts_with("snapshots/values/");
        if of_kind && !kinds.iter().any(|kind| first.starts_with(&kind.tag)) {
            let message = "expected the name of a registered kind (remove it)";
            found.push(Finding::fail(path, 0, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_found(files: &[(&str, &str)]) -> usize {
        owners(&Tree::of(files)).len()
    }

    #[test]
    fn a_parity_snapshot_without_pipeline_fails() {
        let snapshot = ("snapshots/parity/a.snap", "---\n---\n");
        assert_eq!(n_found(&[snapshot]), 1);
        assert_eq!(n_found(&[snapshot, ("data/pipelines/a.toml", "")]), 0);
    }

    #[test]
    fn a_snapshot_without_source_or_kind_fails() {
        let text = "---\nsource: crates/core/tests/values.rs\n---\n";
        let source = ("crates/core/tests/values.rs", "//! x\n");
        let errors = ("snapshots/messages/errors.snap", text);
        assert_eq!(n_found(&[errors]), 1);
        assert_eq!(n_found(&[errors, source]), 0);
        assert_eq!(n_found(&[("snapshots/values/gone.snap", text), source]), 1);
        let registry = ("crates/core/src/models/mod.rs", "    \"gone\" => gone: P => F,\n");
        let kind = ("snapshots/values/gone-2.snap", text);
        assert_eq!(n_found(&[kind, source, registry]), 0);
    }

    #[test]
    fn a_pending_snapshot_fails() {
        assert_eq!(n_found(&[("snapshots/messages/a.snap.new", "")]), 1);
    }
}
