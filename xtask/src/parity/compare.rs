//! Traces and score files as xtask reads them, and where two of them part.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The stage behind the model, as traces call it.
pub const SCORE_STAGE: &str = "score";
/// The stage before the first step.
pub const INPUT_STAGE: &str = "input";

/// The digests of a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Trace {
    /// The number of rows.
    pub n_rows: u64,
    /// The digest of the keys.
    pub keys: String,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// The digest of the scores.
    pub scores: String,
}

/// The digests behind a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Stage {
    /// The step, or `input`.
    pub name: String,
    /// Name and digest of every column.
    pub columns: Vec<(String, String)>,
}

/// The place where two traces part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The stage.
    pub stage: String,
    /// The column; empty if the stages themselves differ.
    pub column: String,
    /// What differs.
    pub what: String,
}

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    /// If it is not one.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|e| format!("expected a trace, found {e}"))
    }
}

/// The first stage and column in which two traces differ, in the order of the stages.
pub fn first_place(a: &Trace, b: &Trace) -> Option<Place> {
    let place = |stage: &str, column: &str, what: String| {
        Some(Place { stage: stage.to_owned(), column: column.to_owned(), what })
    };
    if a.n_rows != b.n_rows {
        let what = format!("{} rows against {}", a.n_rows, b.n_rows);
        return place(INPUT_STAGE, "", what);
    }
    if a.keys != b.keys {
        return place(INPUT_STAGE, "", "the row keys differ".to_owned());
    }
    for (x, y) in a.stages.iter().zip(&b.stages) {
        let names = |s: &Stage| s.columns.iter().map(|c| c.0.clone()).collect::<Vec<_>>();
        if x.name != y.name {
            let what = format!("stage `{}` against `{}`", x.name, y.name);
            return place(&x.name, "", what);
        }
        let mut pairs = x.columns.iter().zip(&y.columns);
        if let Some((p, q)) = pairs.find(|(p, q)| p != q) {
            if p.0 != q.0 {
                let what = format!("column `{}` against `{}`", p.0, q.0);
                return place(&x.name, "", what);
            }
            return place(&x.name, &p.0, "the values differ".to_owned());
        }
        if x.columns.len() != y.columns.len() {
            let n = (names(x).len(), names(y).len());
            return place(&x.name, "", format!("{} columns against {}", n.0, n.1));
        }
    }
    if a.stages.len() != b.stages.len() {
        let what = format!("{} stages against {}", a.stages.len(), b.stages.len());
        return place(SCORE_STAGE, "", what);
    }
    if a.scores != b.scores {
        return place(SCORE_STAGE, SCORE_STAGE, "the scores differ".to_owned());
    }
    None
}

/// One row of a score file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScoreRow {
    /// The row key, in hex.
    pub row_key: String,
    /// The bits of the scores, one per class of several; none where there is a reason.
    pub bits: Vec<u64>,
    /// Code and reason.
    pub reason: (String, String),
}

/// Reads a score file; key columns that a user declared stand before `row_key` and are left out.
///
/// # Errors
/// If it is not one, with the row.
pub fn read_scores(bytes: &[u8]) -> Result<Vec<ScoreRow>, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|e| e.to_string())?;
    let names: BTreeMap<&str, usize> = header.iter().enumerate().map(|(i, n)| (n, i)).collect();
    let column = |name: &str| {
        let found = names.get(name).copied();
        found.ok_or_else(|| format!("expected a column `{name}` in a score file"))
    };
    let [key, bits] = [column("row_key")?, column("bits")?];
    let [code, reason] = [column("code")?, column("reason")?];
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let word = cell(bits);
        let read = |word: &str| {
            let bits = u64::from_str_radix(word.trim_start_matches("0x"), 16);
            bits.map_err(|e| format!("row {}: expected bits, found `{word}`: {e}", rows.len()))
        };
        let bits = match word.as_str() {
            "" => Vec::new(),
            words => words.split(':').map(read).collect::<Result<_, _>>()?,
        };
        rows.push(ScoreRow { row_key: cell(key), bits, reason: (cell(code), cell(reason)) });
    }
    Ok(rows)
}

/// How many bits of the scores differ, rows matched by key; a score on one side only counts 64.
pub fn differing_bits(a: &[ScoreRow], b: &[ScoreRow]) -> u64 {
    let mut n_bits = 0;
    for (x, y) in matched(a, b) {
        let bits = |row: Option<&ScoreRow>, at| row.and_then(|r| r.bits.get(at).copied());
        let width = |row: Option<&ScoreRow>| row.map_or(0, |r| r.bits.len());
        for at in 0..width(x).max(width(y)) {
            n_bits += match (bits(x, at), bits(y, at)) {
                (Some(x), Some(y)) => u64::from((x ^ y).count_ones()),
                _ => 64,
            };
        }
    }
    n_bits
}

/// The first rows by key that differ, with what each side has.
pub fn first_row<'r>(
    a: &'r [ScoreRow],
    b: &'r [ScoreRow],
) -> Option<(Option<&'r ScoreRow>, Option<&'r ScoreRow>)> {
    matched(a, b).into_iter().find(|(x, y)| x != y)
}

type Pair<'r> = (Option<&'r ScoreRow>, Option<&'r ScoreRow>);

/// Rows in key order, side by side; rows of one key in the order of their values.
fn matched<'r>(a: &'r [ScoreRow], b: &'r [ScoreRow]) -> Vec<Pair<'r>> {
    let sorted = |rows: &'r [ScoreRow]| {
        let mut rows: Vec<&ScoreRow> = rows.iter().collect();
        rows.sort();
        rows.into_iter().peekable()
    };
    let (mut a, mut b) = (sorted(a), sorted(b));
    let mut pairs = Vec::new();
    loop {
        let side = match (a.peek(), b.peek()) {
            (None, None) => return pairs,
            (Some(x), Some(y)) => x.row_key.cmp(&y.row_key),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
        };
        let left = if side.is_le() { a.next() } else { None };
        let right = if side.is_ge() { b.next() } else { None };
        pairs.push((left, right));
    }
}

/// How many values lie between two numbers; none between a number and a missing value.
pub fn ulps(a: u64, b: u64) -> Option<u64> {
    let is_nan = |bits: u64| f64::from_bits(bits).is_nan();
    let place = |bits: u64| {
        let magnitude = (bits & !(1 << 63)) as i64;
        if bits >> 63 == 1 { -magnitude } else { magnitude }
    };
    match (is_nan(a), is_nan(b)) {
        (false, false) => Some(place(a).abs_diff(place(b))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(text: &str) -> Trace {
        let stage = |name: &str, digest: &str| Stage {
            name: name.to_owned(),
            columns: vec![("x".to_owned(), "00".to_owned()), ("y".to_owned(), digest.to_owned())],
        };
        let words: Vec<&str> = text.split(' ').collect();
        Trace {
            n_rows: 2,
            keys: "k".to_owned(),
            stages: vec![stage(INPUT_STAGE, words[0]), stage("scale", words[1])],
            scores: words[2].to_owned(),
        }
    }

    fn place(a: &Trace, b: &Trace) -> (String, String) {
        let place = first_place(a, b).unwrap();
        (place.stage, place.column)
    }

    #[test]
    fn the_first_stage_and_column_are_named() {
        let a = trace("1 2 3");
        assert_eq!(first_place(&a, &a), None);
        let named = |text: &str| place(&a, &trace(text));
        assert_eq!(named("9 9 9"), ("input".into(), "y".into()));
        assert_eq!(named("1 9 9"), ("scale".into(), "y".into()));
        assert_eq!(named("1 2 9"), ("score".into(), "score".into()));
        let mut fewer = a.clone();
        fewer.n_rows = 1;
        assert_eq!(place(&a, &fewer), ("input".into(), String::new()));
        let mut reordered = a.clone();
        reordered.stages[1].columns.swap(0, 1);
        assert_eq!(place(&a, &reordered), ("scale".into(), String::new()));
        let mut shorter = a.clone();
        shorter.stages.pop();
        assert_eq!(place(&a, &shorter), ("score".into(), String::new()));
        let mut narrower = a.clone();
        narrower.stages[0].columns.pop();
        assert_eq!(place(&a, &narrower), ("input".into(), String::new()));
    }

    const FILE: &str = "id,row_key,score,bits,code,reason\n7,aa,1,3ff0000000000000,,\n\
                        8,bb,,,E1,\"a, b\"\n";

    #[test]
    fn a_score_file_is_read() {
        let rows = read_scores(FILE.as_bytes()).unwrap();
        assert_eq!(rows[0].bits, [1f64.to_bits()]);
        assert_eq!(read_scores(FILE.replace(",3ff0", ",1:3ff0").as_bytes()).unwrap()[0].bits[0], 1);
        assert_eq!(rows[1].reason, ("E1".to_owned(), "a, b".to_owned()));
        let error = read_scores(FILE.replace("3ff0", "3fz0").as_bytes()).unwrap_err();
        assert!(error.starts_with("row 0: expected bits"), "{error}");
        assert!(read_scores(b"a,b\n").is_err());
    }

    #[test]
    fn rows_are_matched_by_key_and_bits_counted() {
        let a = read_scores(FILE.as_bytes()).unwrap();
        let mut b = a.clone();
        b.reverse();
        assert_eq!((differing_bits(&a, &b), first_row(&a, &b)), (0, None));
        b[1].bits = vec![1f64.to_bits() ^ 0b101];
        assert_eq!(differing_bits(&a, &b), 2);
        assert_eq!(first_row(&a, &b), Some((Some(&a[0]), Some(&b[1]))));
        let fewer = &a[1..];
        assert_eq!(differing_bits(&a, fewer), 64);
        assert_eq!(first_row(&a, fewer), Some((Some(&a[0]), None)));
    }

    #[test]
    fn ulps_count_across_zero() {
        assert_eq!(ulps(1f64.to_bits(), 1f64.to_bits() + 1), Some(1));
        let small = f64::from_bits(1);
        assert_eq!(ulps(small.to_bits(), (-small).to_bits()), Some(2));
        assert_eq!(ulps((-0f64).to_bits(), 0f64.to_bits()), Some(0));
        assert_eq!(ulps(f64::NAN.to_bits(), 0f64.to_bits()), None);
    }
}
