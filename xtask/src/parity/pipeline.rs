//! The pipelines under `data/pipelines/`, as far as parity must know them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::command;

/// A config with what it says about its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The name of its file without ending.
    pub name: String,
    /// The config.
    pub config: PathBuf,
    /// The rows.
    pub source: PathBuf,
    /// Kind of every declared column but the target.
    pub inputs: BTreeMap<String, String>,
}

/// The pipelines of these names, or all of them, by name.
///
/// # Errors
/// If there is none, a named one does not exist, or a config does not say where its rows are.
pub fn all(names: &[String]) -> Result<Vec<Pipeline>, String> {
    let folder = command::root().join("data").join("pipelines");
    let entries = fs::read_dir(&folder);
    let entries = entries.map_err(|e| format!("data/pipelines: {e}"))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let stem = path.file_stem().unwrap_or_default();
            found.insert(stem.to_string_lossy().into_owned(), path);
        }
    }
    if let Some(name) = names.iter().find(|name| !found.contains_key(*name)) {
        let known: Vec<&str> = found.keys().map(String::as_str).collect();
        let known = known.join(", ");
        return Err(format!("expected a pipeline of {known}, found `{name}`"));
    }
    if found.is_empty() {
        return Err("expected pipelines in data/pipelines, found none".to_owned());
    }
    let wanted = found.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    wanted.map(|(name, path)| read(name, path)).collect()
}

fn read(name: String, config: PathBuf) -> Result<Pipeline, String> {
    let problem = |what: String| format!("data/pipelines/{name}.toml: {what}");
    let text = fs::read_to_string(&config).map_err(|e| problem(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e| problem(format!("{e}")))?;
    let data = table.get("data");
    let source = data.and_then(|d| d.get("source")?.as_str());
    let source = source.ok_or_else(|| problem("expected `source` in [data]".to_owned()))?;
    let source = config.parent().unwrap_or(&config).join(source);
    let target = table.get("target").and_then(|t| t.get("column")?.as_str());
    let columns = data.and_then(|d| d.get("columns")?.as_table());
    let kind = |value: &toml::Value| {
        let plain = value.as_str();
        let kind = plain.or_else(|| value.get("kind")?.as_str());
        kind.unwrap_or_default().to_owned()
    };
    let inputs = columns
        .into_iter()
        .flatten()
        .filter(|(column, _)| Some(column.as_str()) != target)
        .map(|(column, value)| (column.clone(), kind(value)))
        .collect();
    Ok(Pipeline { config, source, inputs, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_gives_its_source_and_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("a.toml");
        let text = "[data]\nsource = \"../t.csv\"\n[data.columns]\nx = \"num\"\ny = \"num\"\n\
                    at = { kind = \"time\", format = \"iso\" }\n[target]\ncolumn = \"y\"\n";
        fs::write(&config, text).unwrap();
        let pipeline = read("a".to_owned(), config).unwrap();
        assert_eq!(pipeline.source, folder.path().join("../t.csv"));
        let kinds: Vec<(&str, &str)> =
            pipeline.inputs.iter().map(|(c, k)| (c.as_str(), k.as_str())).collect();
        assert_eq!(kinds, [("at", "time"), ("x", "num")]);
    }

    #[test]
    fn a_config_without_source_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("a.toml");
        fs::write(&config, "[data]\n").unwrap();
        let error = read("a".to_owned(), config).unwrap_err();
        assert_eq!(error, "data/pipelines/a.toml: expected `source` in [data]");
    }
}
