//! A record of every fit that a search has done, so that a search that was stopped goes on where it
//! was.
//!
//! # Method
//! JSON lines. The first says which search it is: fingerprints of config, space and data, the
//! release, and every setting that can change a result. Each other line is one fit: its place, and
//! its figures as bits, or the reason why there are none. Lines are in the order in which fits end;
//! when the search is done the file is written again in the order of their places, so it is the
//! same whatever the number of threads and however often it was stopped.
//!
//! # Errors
//! A journal of another search, or of another release, is refused, saying what differs. A last line
//! that was cut is dropped; any other line that cannot be read is an error.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use samescore_core::error::{Code, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::file;
use crate::output_file;
use crate::workflow::Part;

/// What the first line says it is; another form gets another number.
const FORM: &str = "samescore search journal 1";

/// Which fit of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// 0 for the search over all rows, else the outer fold.
    pub outer: u32,
    /// The rung, from 0; one more than there are for the winner of an outer fold.
    pub rung: u32,
    /// The trial, from 1.
    pub trial: u64,
    /// The fold, from 0.
    pub fold: u32,
}

/// A line: where, and what came of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    place: Place,
    outcome: Outcome,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Outcome {
    Part { n_train: u64, n_test: u64, n_unscored: u64, bits: BTreeMap<String, String> },
    Failure(Failure),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    code: String,
    message: String,
    step: Option<String>,
    column: Option<String>,
    row: Option<u64>,
    remedy: Option<String>,
}

/// The record of a search.
pub struct Journal {
    known: BTreeMap<Place, Outcome>,
    kept: Option<Kept>,
}

struct Kept {
    path: PathBuf,
    header: String,
    added: Mutex<(File, BTreeMap<Place, Outcome>)>,
}

impl Journal {
    /// A record that nobody keeps.
    pub fn none() -> Self {
        Journal { known: BTreeMap::new(), kept: None }
    }

    /// The record at `path` of the search that `about` describes, an object; begun if there is
    /// none.
    ///
    /// # Errors
    /// If the file cannot be read or written, is damaged, or is of another search.
    pub fn open(path: &Path, about: &Value) -> Result<Self> {
        let header = json!({ "journal": FORM, "search": about }).to_string();
        let text = if path.exists() { file::read_text(path)? } else { String::new() };
        let n_whole = text.rfind('\n').map_or(0, |last| last + 1);
        let mut lines = text[..n_whole].lines();
        let known = match lines.next() {
            Some(first) => {
                check_header(path, first, &header)?;
                read_lines(path, lines)?
            }
            // Nothing, or the beginning of a first line.
            None if header.starts_with(text.as_str()) => BTreeMap::new(),
            None => return Err(not_a_journal(path)),
        };
        let wrong = |e: &std::io::Error| output_file::refused("write", path, e);
        let mut options = OpenOptions::new();
        let opened = options.create(true).append(true).open(path).map_err(|e| wrong(&e))?;
        opened.set_len(n_whole as u64).map_err(|e| wrong(&e))?;
        let added = Mutex::new((opened, BTreeMap::new()));
        let kept = Kept { path: path.to_owned(), header, added };
        if n_whole == 0 {
            kept.write(&kept.header)?;
        }
        Ok(Journal { known, kept: Some(kept) })
    }

    /// How many fits are known already.
    pub fn n_known(&self) -> usize {
        self.known.len()
    }

    /// What came of the fit at `place`: known already, or by `work`, and then recorded.
    ///
    /// # Errors
    /// What `work` says, now or then. That the system refused something is not recorded.
    pub fn once(&self, place: Place, work: impl FnOnce() -> Result<Part>) -> Result<Part> {
        if let Some(outcome) = self.known.get(&place) {
            return outcome.result();
        }
        let result = work();
        let is_of_the_system = matches!(&result, Err(e) if e.kind() == Kind::Io);
        if let (Some(kept), false) = (&self.kept, is_of_the_system) {
            kept.add(place, Outcome::of(&result))?;
        }
        result
    }

    /// Puts the lines in order, when all is done.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> Result<()> {
        let Some(kept) = self.kept else {
            return Ok(());
        };
        let (_, added) = kept.added.into_inner().unwrap_or_else(|e| e.into_inner());
        let mut text = kept.header + "\n";
        let mut all = self.known;
        all.extend(added);
        for (place, outcome) in all {
            text.push_str(&line(place, outcome)?);
            text.push('\n');
        }
        output_file::replace(&kept.path, text.as_bytes())
    }
}

impl Kept {
    fn add(&self, place: Place, outcome: Outcome) -> Result<()> {
        self.write(&line(place, outcome.clone())?)?;
        self.locked().1.insert(place, outcome);
        Ok(())
    }

    fn write(&self, line: &str) -> Result<()> {
        let bytes = format!("{line}\n");
        let written = self.locked().0.write_all(bytes.as_bytes());
        written.map_err(|e| output_file::refused("write", &self.path, &e))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, (File, BTreeMap<Place, Outcome>)> {
        self.added.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Outcome {
    fn of(result: &Result<Part>) -> Self {
        match result {
            Ok(part) => Outcome::Part {
                n_train: part.n_train,
                n_test: part.n_test,
                n_unscored: part.n_unscored,
                bits: part
                    .metrics
                    .iter()
                    .map(|(name, x)| (name.clone(), format!("{:016x}", x.to_bits())))
                    .collect(),
            },
            Err(e) => Outcome::Failure(Failure {
                code: e.code().id().to_owned(),
                message: e.message().to_owned(),
                step: e.step_name().map(str::to_owned),
                column: e.column_name().map(str::to_owned),
                row: e.row_idx(),
                remedy: e.remedy_text().map(str::to_owned),
            }),
        }
    }

    /// Checked when it was read.
    fn result(&self) -> Result<Part> {
        match self {
            Outcome::Part { n_train, n_test, n_unscored, bits } => {
                let metrics =
                    bits.iter().filter_map(|(name, bits)| Some((name.clone(), value(bits)?)));
                let metrics = metrics.collect();
                Ok(Part { n_train: *n_train, n_test: *n_test, n_unscored: *n_unscored, metrics })
            }
            Outcome::Failure(failure) => Err(failure.error()),
        }
    }

    fn is_readable(&self) -> bool {
        match self {
            Outcome::Part { bits, .. } => bits.values().all(|bits| value(bits).is_some()),
            Outcome::Failure(failure) => code(&failure.code).is_some(),
        }
    }
}

impl Failure {
    fn error(&self) -> Error {
        let mut error = Error::new(code(&self.code).unwrap_or(Code::Io), &self.message);
        if let Some(step) = &self.step {
            error = error.step(step);
        }
        if let Some(column) = &self.column {
            error = error.column(column);
        }
        if let Some(row) = self.row {
            error = error.row(row);
        }
        match &self.remedy {
            Some(remedy) => error.remedy(remedy),
            None => error,
        }
    }
}

fn value(bits: &str) -> Option<f64> {
    u64::from_str_radix(bits, 16).ok().map(f64::from_bits).filter(|x| x.is_finite())
}

fn code(id: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.id() == id)
}

fn line(place: Place, outcome: Outcome) -> Result<String> {
    serde_json::to_string(&Line { place, outcome })
        .map_err(|e| Error::new(Code::Io, format!("the journal cannot be written: {e}")))
}

fn not_a_journal(path: &Path) -> Error {
    let message =
        format!("`{}`: expected the journal of a search, found another file", path.display());
    Error::new(Code::Usage, message).remedy("give another --journal")
}

fn check_header(path: &Path, found: &str, expected: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let (found, expected) = (parsed(found), parsed(expected));
    let is_journal =
        found["journal"].as_str().is_some_and(|form| form.starts_with("samescore search journal"));
    if !is_journal {
        return Err(not_a_journal(path));
    }
    let (found, expected) = (&found["search"], &expected["search"]);
    let names = expected.as_object().into_iter().flat_map(|object| object.keys());
    let differing = names.into_iter().find(|name| found[name] != expected[name]);
    let said = match differing {
        Some(name) => format!("{name} {}, found {}", expected[name], found[name]),
        None => "this release's form, found another".to_owned(),
    };
    let message = format!("`{}`: expected a journal of this search, with {said}", path.display());
    Err(Error::new(Code::Usage, message).remedy("give another --journal, or search as before"))
}

fn read_lines<'a>(
    path: &Path,
    lines: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<Place, Outcome>> {
    let mut known = BTreeMap::new();
    for (nth, line) in lines.enumerate() {
        match serde_json::from_str::<Line>(line) {
            Ok(line) if line.outcome.is_readable() => known.insert(line.place, line.outcome),
            _ => {
                let message = format!(
                    "`{}` line {}: expected a fit of the search, found other text",
                    path.display(),
                    nth + 2
                );
                return Err(Error::new(Code::Io, message)
                    .remedy("remove the lines from there on, or give another --journal"));
            }
        };
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(x: f64) -> Part {
        let metrics = BTreeMap::from([("rmse".to_owned(), x)]);
        Part { n_train: 3, n_test: 2, n_unscored: 1, metrics }
    }

    fn place(trial: u64) -> Place {
        Place { outer: 0, rung: 0, trial, fold: 0 }
    }

    #[test]
    fn what_is_recorded_comes_back_to_the_bit_and_failures_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let about = json!({ "config": "c" });
        let journal = Journal::open(&path, &about).unwrap();
        let failed = || Err(Error::new(Code::NotConverged, "m").step("s").row(3).remedy("r"));
        assert_eq!(journal.once(place(2), || Ok(part(0.1 + 0.2))).unwrap(), part(0.1 + 0.2));
        let told = journal.once(place(1), failed).unwrap_err().to_string();
        journal.once(place(3), || Err(Error::new(Code::Io, "full"))).unwrap_err();
        drop(journal);
        let again = Journal::open(&path, &about).unwrap();
        assert_eq!(again.n_known(), 2);
        assert_eq!(again.once(place(2), || unreachable!("known")).unwrap(), part(0.1 + 0.2));
        assert_eq!(again.once(place(1), || unreachable!("known")).unwrap_err().to_string(), told);
        again.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let trials: Vec<bool> = text.lines().map(|l| l.contains("\"trial\":1")).collect();
        assert_eq!(trials, [false, true, false]);
    }

    #[test]
    fn another_search_another_file_and_damage_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        Journal::open(&path, &json!({ "config": "c", "data": "d" })).unwrap();
        let refused = |about: Value| match Journal::open(&path, &about) {
            Ok(_) => String::new(),
            Err(e) => e.to_string(),
        };
        let said = refused(json!({ "config": "c", "data": "e" }));
        assert!(said.contains("with data \"e\", found \"d\""), "{said}");
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{good}nonsense\n")).unwrap();
        let about = json!({ "config": "c", "data": "d" });
        assert!(refused(about.clone()).contains("line 2: expected a fit"));
        std::fs::write(&path, format!("{good}{{\"pla")).unwrap();
        assert_eq!(refused(about.clone()), "");
        std::fs::write(&path, &good[..9]).unwrap();
        assert_eq!(refused(about.clone()), "");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), good);
        for other in ["a,b\n1,2\n", "a"] {
            std::fs::write(&path, other).unwrap();
            assert!(refused(about.clone()).contains("found another file"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        }
    }
}
