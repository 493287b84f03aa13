//! Gathering beside polars, or beside a binary COPY: what research's benches found, in one table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use comfy_table::Table;
use serde::Deserialize;

use super::estimates::Estimate;
use super::{right, table, time};

/// What the names of these benches begin with.
const GROUP: &str = "gather/";
/// Beside whom: the last part of a name.
const PEERS: [&str; 2] = ["polars", "copy"];
/// The file in which research says what memory and time of all threads each took.
const SPENT: &str = "gather_spent.json";

/// What one bench took when it was all that a program did.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Spent {
    peak_bytes: u64,
    cpu_millis: u64,
}

/// What is said of each bench; nothing where no bench has run.
///
/// # Errors
/// If the file cannot be read.
pub fn spent(target: &Path) -> Result<BTreeMap<String, Spent>, String> {
    let path = target.join("tmp").join(SPENT);
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let problem = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let bytes = fs::read(&path).map_err(|e| problem(&e))?;
    serde_json::from_slice(&bytes).map_err(|e| problem(&e))
}

/// Ours, the peer's, their ratio and the memory of both; `None` where nothing was gathered.
pub fn beside(estimates: &[Estimate], spent: &BTreeMap<String, Spent>) -> Option<Table> {
    let header = ["gather", "ours", "peer", "ratio", "CPU", "peer's", "memory", "peer's", "by"];
    let mut shown = table(&header);
    let gathered = estimates.iter().filter(|e| e.name.starts_with(GROUP));
    for (ours, format, by) in gathered.filter_map(|e| {
        let (format, by) = e.name.rsplit_once('/')?;
        (!PEERS.contains(&by)).then_some((e, format, by))
    }) {
        let named = |peer: &str| format!("{format}/{peer}");
        let peer = PEERS.iter().find_map(|p| {
            let estimate = estimates.iter().find(|e| e.name == named(p))?;
            Some((*p, estimate))
        });
        let theirs = peer.map(|(name, _)| named(name));
        let none = || "–".to_owned();
        let of = |name: Option<&str>| name.and_then(|name| spent.get(name));
        let cpu = |name| of(name).map_or_else(none, |s| time(s.cpu_millis as f64 * 1e6));
        let memory = |name| of(name).map_or_else(none, |s| format!("{} MB", s.peak_bytes >> 20));
        shown.add_row([
            format!("{} {by}", format.trim_start_matches(GROUP)),
            time(ours.nanoseconds),
            peer.map_or_else(none, |(_, peer)| time(peer.nanoseconds)),
            peer.map_or_else(none, |(_, p)| format!("{:.2}", ours.nanoseconds / p.nanoseconds)),
            cpu(Some(&ours.name)),
            cpu(theirs.as_deref()),
            memory(Some(&ours.name)),
            memory(theirs.as_deref()),
            peer.map_or_else(none, |(name, _)| name.to_owned()),
        ]);
    }
    right(&mut shown, 1..8);
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_beside_the_peer_of_its_format() {
        let estimate = |name: &str, nanoseconds: f64| Estimate {
            name: name.to_owned(),
            nanoseconds,
            elements: None,
        };
        let found = [
            estimate("csv", 1.0),
            estimate("gather/csv/polars", 2e9),
            estimate("gather/csv/read", 3e9),
            estimate("gather/sqlite/read", 5e9),
        ];
        let spent = |peak_bytes, cpu_millis| Spent { peak_bytes, cpu_millis };
        let spent = [("gather/csv/read", spent(5 << 20, 4000))];
        let spent = spent.map(|(name, spent)| (name.to_owned(), spent)).into();
        let shown = beside(&found, &spent).unwrap();
        let rows: Vec<Vec<String>> = shown
            .row_iter()
            .map(|row| row.cell_iter().map(|cell| cell.content()).collect())
            .collect();
        let csv = ["csv read", "3.00 s", "2.00 s", "1.50", "4.00 s", "–", "5 MB", "–", "polars"];
        let sqlite = ["sqlite read", "5.00 s", "–", "–", "–", "–", "–", "–", "–"];
        assert_eq!(rows, [csv, sqlite]);
        assert!(beside(&found[..1], &spent).is_none());
        assert!(super::spent(Path::new("absent")).unwrap().is_empty());
    }
}
