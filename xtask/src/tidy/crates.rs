//! Which crate may know which, and what is pinned exactly.

use super::Finding;
use super::tree::Tree;

/// Each manifest with those of our crates that it may name.
const DIRECTIONS: [(&str, &[&str]); 5] = [
    ("crates/core/Cargo.toml", &[]),
    ("crates/research/Cargo.toml", &["samescore-core"]),
    ("crates/deploy/Cargo.toml", &["samescore-core"]),
    ("crates/serve/Cargo.toml", &["samescore-core", "samescore-deploy"]),
    ("xtask/Cargo.toml", &[]),
];

/// Whatever touches a float, a draw or a stored byte.
const PINNED: [&str; 7] =
    ["metallic", "rand_pcg", "rmp-serde", "toml", "polars", "linfa", "linfa-elasticnet"];

/// core <- research; core <- deploy <- serve; xtask links none of ours, in no kind of dependency.
pub fn directions(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.texts().filter(|(p, _)| p.ends_with("Cargo.toml")) {
        let manifest: toml::Table = match text.parse() {
            Ok(manifest) => manifest,
            Err(e) => {
                found.push(Finding::fail(path, 0, format!("expected TOML, found {e}")));
                continue;
            }
        };
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(p, _)| *p == path) else {
            if manifest.contains_key("package") {
                let message = "expected a known crate (say in tidy what it may depend on)";
                found.push(Finding::fail(path, 0, message));
            }
            continue;
        };
        for name in dependencies(&manifest) {
            let ours = name.starts_with("samescore") || name == "xtask";
            if ours && !allowed.contains(&name.as_str()) {
                let message = format!("expected no dependency on `{name}` (see the directions)");
                found.push(Finding::fail(path, 0, message));
            }
        }
    }
    found
}

/// The packages of every dependency table, also those of a target.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in manifest {
        let Some(table) = value.as_table() else {
            continue;
        };
        if key.ends_with("dependencies") {
            let package = |(name, value): (&String, &toml::Value)| {
                let renamed = value.get("package").and_then(|p| p.as_str());
                renamed.unwrap_or(name).to_owned()
            };
            names.extend(table.iter().map(package));
        } else if key == "target" {
            let targets = table.values().filter_map(|t| t.as_table());
            names.extend(targets.flat_map(dependencies));
        }
    }
    names
}

/// The crates behind a number are pinned to one version, in one place.
pub fn exact_pins(tree: &Tree) -> Vec<Finding> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let shared = manifest.get("workspace").and_then(|w| w.get("dependencies"));
    let loose = PINNED.iter().filter(|name| {
        let entry = shared.and_then(|s| s.get(**name));
        let version = entry.and_then(|e| e.as_str().or_else(|| e.get("version")?.as_str()));
        version.is_some_and(|v| !v.starts_with('='))
    });
    loose
        .map(|name| {
            let message = format!("expected `{name}` pinned as `=x.y.z`: it is behind a number");
            Finding::fail("Cargo.toml", 0, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, text: &str) -> usize {
        directions(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_dependency_against_the_directions_fails() {
        let on = |table: &str, name: &str| format!("[{table}]\n{name}.workspace = true\n");
        let deploy = "crates/deploy/Cargo.toml";
        assert_eq!(judged(deploy, &on("dependencies", "samescore-core")), 0);
        assert_eq!(judged(deploy, &on("dev-dependencies", "samescore-research")), 1);
        let target = on("target.'cfg(unix)'.dependencies", "samescore-core");
        assert_eq!(judged("xtask/Cargo.toml", &target), 1);
        let renamed =
            "[build-dependencies]\na = { package = \"samescore-deploy\", path = \"b\" }\n";
        assert_eq!(judged("crates/research/Cargo.toml", renamed), 1);
    }

    #[test]
    fn an_unknown_crate_fails() {
        assert_eq!(judged("crates/new/Cargo.toml", "[package]\nname = \"new\"\n"), 1);
        assert_eq!(judged("Cargo.toml", "[workspace]\n"), 0);
    }

    #[test]
    fn a_loose_pin_fails() {
        let text =
            "[workspace.dependencies]\nmetallic = { version = \"0.3\" }\ntoml = \"=1.2.1\"\n";
        assert_eq!(exact_pins(&Tree::of(&[("Cargo.toml", text)])).len(), 1);
    }
}
