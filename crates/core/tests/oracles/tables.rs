//! The shared tables and records: a small CSV reader, the split, the digests, a fit of one kind.

use std::path::Path;
use std::sync::Arc;

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, Field, RowKeyer, Schema, fit_keys, parse_num};
use samescore_core::config::Task;
use samescore_core::digest::sha256;
use samescore_core::math::{self, ulps_between};
use samescore_core::rng::Seed;
use samescore_core::step::FitContext;
use samescore_core::transforms::TransformParams;
use serde_json::Value;

/// One table with the peers' results on it.
pub struct Set {
    pub name: &'static str,
    target: &'static str,
    records: Vec<(String, Value)>,
    /// Header and cells of the file, with the derived columns.
    cells: Vec<(String, Vec<String>)>,
}

/// Train and test rows.
#[derive(Clone)]
pub struct Split {
    pub train: Batch,
    pub test: Batch,
}

/// The sets, or none with a printed line where the shared files are not beside the project.
pub fn sets() -> Vec<Set> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = [manifest.join("../../../shared"), manifest.join("../../../../shared")];
    let Some(shared) = shared.into_iter().find(|path| path.join("oracles").is_dir()) else {
        println!("skipped: no folder `shared` with the reference results beside the project");
        return Vec::new();
    };
    let named = [("titanic", "survived"), ("diabetes", "target"), ("sim_houses", "sale_price")];
    named.map(|(name, target)| Set::read(&shared, name, target)).into()
}

impl Set {
    fn read(shared: &Path, name: &'static str, target: &'static str) -> Set {
        let text = |path: String| std::fs::read_to_string(shared.join(path)).unwrap();
        let lines = text(format!("oracles/{name}/transforms.jsonl"));
        let records =
            lines.lines().map(|line| (line.to_owned(), serde_json::from_str(line).unwrap()));
        let mut rows = csv(&text(format!("data/committable/{name}.csv")));
        let header = rows.remove(0);
        let column = |i: usize| rows.iter().map(|row| row[i].clone()).collect();
        let mut cells: Vec<(String, Vec<String>)> =
            header.into_iter().enumerate().map(|(i, h)| (h, column(i))).collect();
        if name == "titanic" {
            derive(&mut cells, "cabin", "cabin0", |cabin| cabin.chars().take(1).collect());
            derive(&mut cells, "name", "title", |name| {
                let after = name.split_once(", ").unwrap().1;
                after.split_once('.').unwrap().0.to_owned()
            });
        }
        Set { name, target, records: records.collect(), cells }
    }

    /// The record of that id, if the peers can do it on this set.
    pub fn record(&self, id: &str) -> Option<&Value> {
        let found = self.records.iter().map(|(_, record)| record);
        let record = found.into_iter().find(|record| record["id"] == id)?;
        record.get("error").is_none().then_some(record)
    }

    /// The names of the train results of a record, in the order in which the peer has its columns.
    pub fn names(&self, id: &str) -> Vec<String> {
        let found = self.records.iter().find(|(_, record)| record["id"] == id);
        let (line, record) = found.unwrap();
        let place = |name: &String| {
            let key = format!("{}:{{\"n\"", Value::from(name.as_str()));
            line.find(&key).unwrap_or_else(|| panic!("{name} in {id}"))
        };
        let mut names: Vec<String> = record["train"].as_object().unwrap().keys().cloned().collect();
        names.sort_by_key(place);
        names
    }

    /// The numeric columns of the set.
    pub fn nums(&self) -> Vec<String> {
        strings(&self.record("impute.mean").unwrap()["input"])
    }

    /// The text columns of the set; none if it has none.
    pub fn texts(&self) -> Vec<String> {
        let record = self.record("impute.cat_missing");
        record.map_or(Vec::new(), |record| strings(&record["input"]))
    }

    /// Every numeric and text column, split; missing labels become `missing_label` if it is given.
    pub fn split(&self, missing_label: Option<&str>) -> Split {
        let all: Vec<usize> = (0..self.cells[0].1.len()).collect();
        let (test, train) = all.into_iter().partition(|&row| is_test(row as u64));
        let batch = |rows: &Vec<usize>| self.batch(rows, missing_label);
        Split { train: batch(&train), test: batch(&test) }
    }

    fn batch(&self, rows: &[usize], missing_label: Option<&str>) -> Batch {
        let cells = |name: &str| {
            let column = self.cells.iter().find(|(header, _)| header == name).unwrap();
            rows.iter().map(|&row| column.1[row].as_str())
        };
        let num = |cell: &str| match cell {
            "" => f64::NAN,
            _ => parse_num(cell).unwrap(),
        };
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for name in self.nums() {
            columns.push(Column::num(cells(&name).map(num)));
            fields.push(name);
        }
        for name in self.texts() {
            let labels =
                cells(&name).map(|cell| if cell.is_empty() { missing_label } else { Some(cell) });
            columns.push(Column::text(labels));
            fields.push(name);
        }
        let fields = fields.into_iter().zip(&columns);
        let schema = Schema::new(fields.map(|(name, c)| Field::new(name, c.kind()))).unwrap();
        keyed(schema, columns, cells(self.target).map(num).collect())
    }
}

/// The rule by which the peers' test rows were chosen, with seed 0.
fn is_test(row: u64) -> bool {
    ((row * 2_654_435_761 % (1 << 32)) >> 16) % 10 >= 7
}

fn keyed(schema: Schema, columns: Vec<Column>, target: Vec<f64>) -> Batch {
    let mut batch = Batch::new(Arc::new(schema), columns).unwrap();
    RowKeyer::new(&batch.schema().clone(), &[]).unwrap().key(&mut batch);
    let keys = fit_keys(batch.keys().to_vec(), &target, &[]);
    batch.set_target(target, keys);
    batch
}

fn derive(cells: &mut Vec<(String, Vec<String>)>, from: &str, to: &str, f: fn(&str) -> String) {
    let source = &cells.iter().find(|(header, _)| header == from).unwrap().1;
    let derived = source.iter().map(|cell| f(cell)).collect();
    cells.push((to.to_owned(), derived));
}

/// Rows of cells: commas, quotes doubled inside quotes, lines end with a line feed.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(c),
        }
    }
    rows
}

/// The state of `kind` fitted on the train rows, as JSON, and both parts behind the step.
pub fn run(kind: &str, params: Value, columns: &[String], split: &Split) -> (Value, Split) {
    let params = TransformParams::read(kind, params).unwrap().unwrap();
    params.validate().unwrap();
    let schema = Arc::clone(split.train.schema());
    let mut slots: Vec<usize> = columns.iter().map(|name| schema.slot(name).unwrap()).collect();
    slots.extend(params.references().iter().map(|name| schema.slot(name).unwrap()));
    let ctx = FitContext::new("step", Seed(7), Task::Regression, &schema, &slots);
    let state = params.fit(&MemoryRows::from_batch(split.train.clone()), &ctx).unwrap();
    let behind = |rows: &Batch| {
        let mut rows = rows.clone();
        state.apply(&mut rows, &slots).unwrap();
        assert!(rows.faults().is_empty(), "{:?}", rows.faults());
        let output = state.output(&schema, &slots).unwrap();
        keyed(output, rows.columns().to_vec(), rows.target().to_vec())
    };
    let (train, test) = (behind(&split.train), behind(&split.test));
    let state = serde_json::to_value(&state).unwrap()[kind].take();
    (state, Split { train, test })
}

/// The column of that name.
pub fn column<'a>(rows: &'a Batch, name: &str) -> &'a Column {
    rows.column(rows.schema().slot(name).unwrap())
}

/// The numbers of the column of that name.
pub fn num<'a>(rows: &'a Batch, name: &str) -> &'a [f64] {
    rows.num(rows.schema().slot(name).unwrap())
}

/// Requires every bit of a column, by the digest of the peer's.
pub fn same(what: &str, found: &Column, digest: &Value) {
    assert_eq!(found.len() as u64, digest["n"], "rows of {what}");
    let sha = |bytes: &[u8]| sha256(bytes).to_string()[..16].to_owned();
    match found {
        Column::Num(values) => {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect();
            let at = places(digest).map(|(row, x)| (values[row], x)).collect::<Vec<_>>();
            assert_eq!(sha(&bytes), digest["sha"], "{what}: found and expected {at:?}");
        }
        Column::Text(labels) => {
            let label = |row| labels.get(row).unwrap_or("\0");
            let joined = (0..labels.len()).map(label).collect::<Vec<_>>().join("\n");
            assert_eq!(sha(joined.as_bytes()), digest["sha_str"], "{what}");
        }
        Column::Time(_) => panic!("no peer has a time column here"),
    }
}

/// The rows whose values a digest shows, with these values; none in a short digest.
fn places(digest: &Value) -> impl Iterator<Item = (usize, f64)> {
    let at = digest["at"].as_object().cloned().unwrap_or_default();
    at.into_iter().map(|(row, x)| (row.parse().unwrap(), number(&x)))
}

/// The largest distance in ulps between a column and what its digest shows of the peer's.
pub fn distance(values: &[f64], digest: &Value) -> u64 {
    places(digest).map(|(row, x)| ulps_between(values[row], x)).max().unwrap()
}

/// A number of a record.
pub fn number(x: &Value) -> f64 {
    match x.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => x.as_f64().unwrap_or(math::MISSING),
    }
}

/// A list of numbers.
pub fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(number).collect()
}

/// A list of texts.
pub fn strings(list: &Value) -> Vec<String> {
    let text = |x: &Value| x.as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(text).collect()
}
