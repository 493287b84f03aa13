//! One kind, one file: nothing else may need touching when a kind is added.

use super::Finding;
use super::tree::{Blank, Tree, code, line_of, without_tests, word_at};

/// A row of a registry.
pub struct Kind {
    /// The tag.
    pub tag: String,
    /// The file that defines it.
    pub path: String,
    /// Its params type.
    params: String,
}

/// The rooms with a registry.
const ROOMS: [&str; 3] = ["transforms", "models", "selectors"];

const MODELS: &str = "crates/core/src/models/";
const SELECTORS: &str = "crates/core/src/selectors/";

/// Every kind in every registry.
pub fn registered(tree: &Tree) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for room in ROOMS {
        let folder = format!("crates/core/src/{room}");
        let text = tree.text(&format!("{folder}/mod.rs")).unwrap_or_default();
        // A long row is broken behind its first arrow.
        let text = text.replace("=>\n", "=> ");
        for line in text.lines() {
            let Some((tag, rest)) = line.trim().split_once(" => ") else {
                continue;
            };
            let Some((module, types)) = rest.trim().split_once(": ") else {
                continue;
            };
            let Some(tag) = unquoted(tag) else {
                continue;
            };
            let one = format!("{folder}/{module}.rs");
            let split = format!("{folder}/{module}/mod.rs");
            let params = types.split(" => ").next().unwrap_or_default();
            kinds.push(Kind {
                tag: tag.to_owned(),
                path: if tree.has(&split) { split } else { one },
                params: params.to_owned(),
            });
        }
    }
    kinds
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The pipeline over the example table, on which every kind's examples run.
const EXAMPLE: &str = "crates/core/src/example.rs";

/// Sources that may name kinds: whoever picks kinds by hand is a user, a test or a notebook.
fn may_name_kinds(tree: &Tree, path: &str) -> bool {
    let folder = |name: &str| path.contains(&format!("/{name}/"));
    tree.is_test(path)
        || path == EXAMPLE
        || folder("benches")
        || folder("examples")
        || folder("bin")
}

/// A kind's tag, or its params, occur in no source but its own, its `mod.rs`, tests and notebooks.
pub fn one_kind_one_file(tree: &Tree) -> Vec<Finding> {
    let kinds = registered(tree);
    let mut found = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| !may_name_kinds(tree, path)) {
        let blanked = code(without_tests(text), Blank::Comments);
        for kind in &kinds {
            // A big kind is a folder of phases, beside the file of its name or with a `mod.rs`.
            let folder = kind.path.trim_end_matches("mod.rs").trim_end_matches(".rs");
            let room = kind.path.split('/').take(4).collect::<Vec<_>>().join("/");
            let own = path == kind.path
                || path == format!("{room}/mod.rs")
                || (path.starts_with(folder) && path[folder.len()..].starts_with('/'))
                || (kind.path.ends_with("/mod.rs") && path.starts_with(folder));
            // A selector judges by a model, and a model of models holds some: defaults and examples
            // name one.
            let judge = path.starts_with(SELECTORS) && kind.path.starts_with(MODELS);
            let holder = holds_models(&blanked) && kind.path.starts_with(MODELS);
            if own || judge || holder {
                continue;
            }
            let literal = format!("\"{}\"", kind.tag);
            let at = blanked.find(&literal);
            let at = at.or_else(|| word_at(&blanked, &kind.params).next());
            if let Some(at) = at {
                let message = format!(
                    "expected kind `{}` in its own file and registry only (ask the registry)",
                    kind.tag
                );
                found.push(Finding::fail(path, line_of(&blanked, at), message));
            }
        }
    }
    found
}

/// Whether a source is that of a model of models, which says so.
fn holds_models(blanked: &str) -> bool {
    word_at(blanked, "holds_models").next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: (&str, &str) = (
        "crates/core/src/transforms/mod.rs",
        "crate::registry! {\n    \"cast\" => cast: CastParams => Cast,\n}\n",
    );

    fn paths(other: (&str, &str)) -> Vec<String> {
        let own =
            ("crates/core/src/transforms/cast.rs", "//! The \"cast\" kind.\nstruct CastParams;");
        let found = one_kind_one_file(&Tree::of(&[REGISTRY, own, other]));
        found.into_iter().map(|f| f.path).collect()
    }

    #[test]
    fn the_registry_is_read() {
        let kinds = registered(&Tree::of(&[REGISTRY]));
        assert_eq!(kinds[0].tag, "cast");
        assert_eq!(kinds[0].path, "crates/core/src/transforms/cast.rs");
        assert_eq!(kinds[0].params, "CastParams");
    }

    #[test]
    fn a_tag_or_type_in_another_source_fails() {
        let path = "crates/core/src/config/mod.rs";
        assert_eq!(paths((path, "if kind == \"cast\" {}")), [path]);
        assert_eq!(paths((path, "use CastParams;")), [path]);
    }

    #[test]
    fn docs_tests_notebooks_and_other_words_pass() {
        let path = "crates/core/src/config/mod.rs";
        assert!(paths((path, "// the \"cast\" kind\nlet cast = 1;")).is_empty());
        assert!(paths((path, "#[cfg(test)]\nmod tests {\n\"cast\"\n}\n")).is_empty());
        assert!(paths(("crates/core/tests/a.rs", "\"cast\"")).is_empty());
        assert!(paths(("crates/research/src/bin/01_a.rs", "CastParams")).is_empty());
    }
}
