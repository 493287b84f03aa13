//! What criterion has written under `target/criterion`.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The median of one bench.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Group and function.
    pub name: String,
    /// Of one iteration.
    pub nanoseconds: f64,
    /// Elements of one iteration, where the bench says so.
    pub elements: Option<u64>,
}

/// Every estimate in a folder, in name order; none if there is no folder.
///
/// # Errors
/// If a file cannot be read, or is not criterion's.
pub fn collect(folder: &Path) -> Result<Vec<Estimate>, String> {
    let mut found = Vec::new();
    if folder.is_dir() {
        walk(folder, &mut found)?;
    }
    found.sort_by(|a: &Estimate, b| a.name.cmp(&b.name));
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<Estimate>) -> Result<(), String> {
    let problem = |e: std::io::Error| format!("{}: {e}", folder.display());
    if folder.file_name().is_some_and(|name| name == "new") {
        let files = ["benchmark.json", "estimates.json"].map(|name| folder.join(name));
        if files.iter().all(|file| file.is_file()) {
            let texts = files.map(|file| fs::read(file).map_err(problem));
            let [benchmark, estimates] = texts;
            found.push(read(&benchmark?, &estimates?)?);
        }
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            walk(&path, found)?;
        }
    }
    Ok(())
}

fn read(benchmark: &[u8], estimates: &[u8]) -> Result<Estimate, String> {
    let json = |bytes: &[u8]| -> Result<Value, String> {
        serde_json::from_slice(bytes).map_err(|e| format!("expected an estimate, found {e}"))
    };
    let (benchmark, estimates) = (json(benchmark)?, json(estimates)?);
    let name = benchmark["full_id"].as_str();
    let median = estimates["median"]["point_estimate"].as_f64();
    match (name, median) {
        (Some(name), Some(nanoseconds)) => Ok(Estimate {
            name: name.to_owned(),
            nanoseconds,
            elements: benchmark["throughput"]["Elements"].as_u64(),
        }),
        _ => Err("expected `full_id` and a median, found none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, median) in [("b", 2.5), ("a", 7.0)] {
            let new = folder.path().join(name).join("new");
            fs::create_dir_all(&new).unwrap();
            let benchmark = format!("{{\"full_id\":\"{name}\",\"throughput\":{{\"Elements\":4}}}}");
            fs::write(new.join("benchmark.json"), benchmark).unwrap();
            let estimates = format!("{{\"median\":{{\"point_estimate\":{median}}}}}");
            fs::write(new.join("estimates.json"), estimates).unwrap();
        }
        let found = collect(folder.path()).unwrap();
        let a = Estimate { name: "a".to_owned(), nanoseconds: 7.0, elements: Some(4) };
        assert_eq!((found.len(), &found[0]), (2, &a));
        assert!(collect(&folder.path().join("absent")).unwrap().is_empty());
        assert!(read(b"{}", b"{}").is_err());
    }
}
