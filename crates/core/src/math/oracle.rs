//! Tests against reference results computed elsewhere in exact rational arithmetic. Where the
//! shared folder with them is absent, each test prints that it was skipped.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may read the files it compares with and say that it skips"
)]

use super::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The shared folder, beside or one above the checkout.
fn shared(file: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = ["../../../shared", "../../../../shared"].map(|up| here.join(up).join(file));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no shared reference results `{file}`");
    }
    found
}

fn read(file: &str) -> Option<String> {
    shared(file).map(|path| std::fs::read_to_string(path).expect("readable"))
}

/// Just enough JSON for the records.
#[derive(Clone, Debug)]
enum Json {
    Null,
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    fn parse(text: &str) -> Json {
        let mut rest = text;
        Json::value(&mut rest)
    }

    fn value(rest: &mut &str) -> Json {
        *rest = rest.trim_start();
        match rest.as_bytes()[0] {
            b'{' => {
                let mut map = BTreeMap::new();
                while !Json::closes(rest, '}') {
                    let Json::Text(key) = Json::value(rest) else { panic!("expected a key") };
                    *rest = rest.trim_start().strip_prefix(':').expect("a colon");
                    map.insert(key, Json::value(rest));
                }
                Json::Map(map)
            }
            b'[' => {
                let mut list = Vec::new();
                while !Json::closes(rest, ']') {
                    list.push(Json::value(rest));
                }
                Json::List(list)
            }
            b'"' => {
                let mut end = 1;
                while rest.as_bytes()[end] != b'"' {
                    end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                let text = rest[1..end].to_string();
                *rest = &rest[end + 1..];
                Json::Text(text)
            }
            _ => {
                let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
                let word = rest[..end].trim();
                *rest = &rest[end..];
                word.parse().map_or(Json::Null, Json::Number)
            }
        }
    }

    /// Steps over what opens or separates; true, having stepped over the end, when the group
    /// closes.
    fn closes(rest: &mut &str, end: char) -> bool {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(end) {
            *rest = after;
            return true;
        }
        *rest = rest[1..].trim_start();
        let empty = rest.strip_prefix(end);
        *rest = empty.unwrap_or(rest);
        empty.is_some()
    }

    fn get(&self, key: &str) -> &Json {
        match self {
            Json::Map(map) => map.get(key).unwrap_or(&Json::Null),
            _ => &Json::Null,
        }
    }

    fn map(&self) -> impl Iterator<Item = (&String, &Json)> {
        let Json::Map(map) = self else { panic!("expected a map, found {self:?}") };
        map.iter()
    }

    fn list(&self) -> &[Json] {
        let Json::List(list) = self else { panic!("expected a list, found {self:?}") };
        list
    }

    fn number(&self) -> f64 {
        let Json::Number(x) = self else { panic!("expected a number, found {self:?}") };
        *x
    }

    fn numbers(&self) -> Vec<f64> {
        self.list().iter().map(Json::number).collect()
    }

    fn is(&self, text: &str) -> bool {
        matches!(self, Json::Text(t) if t == text)
    }
}

fn records(text: &str) -> Vec<Json> {
    text.lines().map(Json::parse).collect()
}

fn cells(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => out.last_mut().expect("a cell").push(c),
        }
    }
    out
}

/// The training part of a numeric column: the split rule of the reference results for seed 0.
fn training_column(table: &str, name: &str) -> Vec<f64> {
    let mut lines = table.lines();
    let header = cells(lines.next().expect("a header"));
    let at = header.iter().position(|h| h == name).expect("the column");
    let train = |i: u64| (((i * 2_654_435_761) % (1 << 32)) >> 16) % 10 < 7;
    let rows = lines.enumerate().filter(|(i, _)| train(*i as u64));
    rows.map(|(_, line)| cells(line)[at].parse().unwrap_or(MISSING)).collect()
}

fn check_moments(who: &str, values: &[f64], expected: &Json) {
    let mut moments = Moments::new();
    moments.observe_slice(values);
    let found = [
        ("n", Some(moments.n() as f64)),
        ("sum", Some(moments.sum())),
        ("mean", moments.mean()),
        ("var0", moments.variance(0)),
        ("var1", moments.variance(1)),
    ];
    for (key, x) in found {
        assert_eq!(x, Some(expected.get(key).number()), "{who}: {key}");
    }
    // The reference rounds the exact root; ours rounds the variance first: 1 ulp apart at most.
    // A variance below the smallest subnormal has the root 0 here.
    for (key, ddof) in [("sd0", 0), ("sd1", 1)] {
        if moments.variance(ddof) == Some(0.0) {
            continue;
        }
        let sd = moments.std(ddof).expect("values");
        assert!(ulps_between(sd, expected.get(key).number()) <= 1, "{who}: {key} {sd}");
    }
}

#[test]
fn moments_of_the_shared_tables() {
    let mut n_columns = 0;
    for set in ["titanic", "diabetes", "sim_houses"] {
        let Some(text) = read(&format!("oracles/{set}/transforms.jsonl")) else {
            return;
        };
        let Some(table) = read(&format!("data/committable/{set}.csv")) else {
            return;
        };
        let moments =
            text.lines().find(|line| line.contains("\"exact.moments\"")).expect("moments");
        let record = Json::parse(moments);
        for (name, expected) in record.get("columns").map() {
            let values = training_column(&table, name);
            check_moments(&format!("{set}.{name}"), &values, expected);
            n_columns += 1;
        }
        for (name, expected) in record.get("quantiles_linear").map() {
            let values = training_column(&table, name);
            let (qs, expected): (Vec<f64>, Vec<f64>) =
                expected.map().map(|(q, x)| (q.parse::<f64>().expect("a q"), x.number())).unzip();
            let mut select = QuantileSelect::new(&qs, QuantileType::Linear);
            select.observe_slice(&values);
            while select.advance() {
                select.observe_slice(&values);
            }
            let expected: Vec<_> = expected.into_iter().map(Some).collect();
            assert_eq!(select.finish(), expected, "{set}.{name}: {qs:?}");
        }
    }
    assert!(n_columns > 20, "{n_columns} columns");
}

#[test]
fn moments_of_hard_vectors() {
    let Some(text) = read("oracles/nist/nist.jsonl") else {
        return;
    };
    let mut n_vectors = 0;
    for record in records(&text) {
        let Json::Map(_) = record.get("moments") else {
            continue;
        };
        let values: Vec<f64> = match record.get("values") {
            Json::List(list) => list.iter().map(Json::number).collect(),
            short => {
                let head = short.get("head").numbers();
                let n = short.get("pattern_repeats").number() as usize;
                match record.is_cancellation() {
                    // The record shows three of the four values of the cycle.
                    true => [head, vec![0.001]].concat().into_iter().cycle().take(n).collect(),
                    false => (0..n).map(|i| head[if i == 0 { 0 } else { 2 - i % 2 }]).collect(),
                }
            }
        };
        let expected = record.get("moments");
        check_moments(&format!("{:?}", record.get("id")), &values, expected);
        n_vectors += 1;
    }
    assert!(n_vectors >= 7, "{n_vectors} vectors");
}

impl Json {
    fn is_cancellation(&self) -> bool {
        self.get("id").is("cancel")
    }
}

#[test]
fn least_squares_of_hard_designs() {
    let Some(text) = read("oracles/nist/nist.jsonl") else {
        return;
    };
    let mut n_designs = 0;
    for record in records(&text) {
        let Json::List(_) = record.get("X") else {
            continue;
        };
        let design: Vec<Vec<f64>> = record.get("X").list().iter().map(Json::numbers).collect();
        let (n, p) = (design.len(), design[0].len() + 1);
        let mut columns = vec![vec![1.0; n]];
        columns.extend((0..p - 1).map(|j| design.iter().map(|row| row[j]).collect::<Vec<_>>()));
        columns.push(record.get("y").numbers());
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let spec = GramSpec {
            n_rows: n as u64,
            centers: vec![0.0; p + 1],
            max_abs: vec![f64::MAX; p + 1],
            slices: 3,
        };
        let mut gram = Gram::new(&spec);
        gram.observe(&columns);
        let full = gram.finish();
        let part = |m: &[f64], width: usize| -> Vec<f64> {
            m.chunks(p + 1)
                .take(p)
                .flat_map(|row| row[if width == 1 { p..p + 1 } else { 0..p }].to_vec())
                .collect()
        };
        let x = solve_spd_refined(
            &part(&full.hi, p),
            &part(&full.lo, p),
            p,
            &part(&full.hi, 1),
            &part(&full.lo, 1),
        )
        .expect("regular");
        let expected =
            [vec![record.get("intercept").number()], record.get("coef").numbers()].concat();
        for (found, expected) in x.iter().zip(&expected) {
            let ulps = ulps_between(*found, *expected);
            assert!(ulps <= 1, "{:?}: {found} {expected}: {ulps} ulps", record.get("id"));
        }
        n_designs += 1;
    }
    assert!(n_designs >= 6, "{n_designs} designs");
}
