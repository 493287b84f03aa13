//! A digest per stage and column, and the first difference between two.
//!
//! A trace says what a run computed without saying it: after every step one SHA-256 per column,
//! over the rows in canonical order (by scoring key; rows of one key in the order of their values,
//! so that the order of arrival cannot matter). Two runs agree to the bit if their traces are equal
//! as bytes.

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Column, Schema};
use crate::digest::{Digest, Hasher, RowKey, bits_hex};
use crate::error::{Code, Error, Result};
use crate::math;

/// The digests of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The number of rows.
    pub n_rows: u64,
    /// The digest of the scoring keys.
    pub keys: Digest,
    /// The stages in order; the first is the input as bound, each further one a step.
    pub stages: Vec<StageDigest>,
    /// The digest of the scores, or of the reasons where there is none.
    pub scores: Digest,
}

/// The digests behind one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageDigest {
    /// The step's name, or `input`.
    pub name: String,
    /// Name and digest of every column, in schema order.
    pub columns: Vec<(String, Digest)>,
}

/// The name of the stage before the first step.
pub const INPUT_STAGE: &str = "input";
/// The name of the stage behind the model.
pub const SCORE_STAGE: &str = "score";

/// The canonical order of the rows of a table that stands in blocks.
pub struct RowOrder {
    /// Block and row of every row, by key.
    places: Vec<(u32, u32)>,
    /// Where rows of another key begin, as positions in `places`, ending with its length.
    groups: Vec<usize>,
    keys: Digest,
}

impl RowOrder {
    /// The order of keyed blocks.
    pub fn new(blocks: &[Batch]) -> Self {
        let mut keyed: Vec<(RowKey, (u32, u32))> = Vec::new();
        for (b, block) in blocks.iter().enumerate() {
            let rows = block.keys().iter().enumerate();
            keyed.extend(rows.map(|(r, key)| (*key, (b as u32, r as u32))));
        }
        keyed.sort();
        let starts = (0..keyed.len()).filter(|&i| i == 0 || keyed[i].0 != keyed[i - 1].0);
        let groups = starts.chain([keyed.len()]).collect();
        let mut hasher = Hasher::new("samescore trace keys v1");
        keyed.iter().for_each(|(key, _)| {
            hasher.u128(key.0);
        });
        let places = keyed.into_iter().map(|(_, place)| place).collect();
        RowOrder { places, groups, keys: hasher.finish() }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> u64 {
        self.places.len() as u64
    }

    /// The digest of the keys in order.
    pub fn keys(&self) -> Digest {
        self.keys
    }

    /// Places in canonical order, rows of one key ordered by `compare`.
    fn ordered(
        &self,
        compare: impl Fn((u32, u32), (u32, u32)) -> std::cmp::Ordering,
    ) -> Vec<(u32, u32)> {
        let mut places = self.places.clone();
        for bounds in self.groups.windows(2) {
            if bounds[1] - bounds[0] > 1 {
                places[bounds[0]..bounds[1]].sort_by(|&a, &b| compare(a, b));
            }
        }
        places
    }

    /// The digests of all columns of the blocks behind a stage.
    pub fn stage(&self, name: &str, schema: &Schema, blocks: &[Batch]) -> StageDigest {
        let slots: Vec<usize> = (0..schema.len()).collect();
        let digests = crate::par::map(&slots, |&slot| self.column(slot, blocks));
        let names = schema.names().map(str::to_owned);
        StageDigest { name: name.to_owned(), columns: names.zip(digests).collect() }
    }

    fn column(&self, slot: usize, blocks: &[Batch]) -> Digest {
        let at = |(b, r): (u32, u32)| (blocks[b as usize].column(slot), r as usize);
        let places = self.ordered(|a, b| compare_cells(at(a), at(b)));
        let mut hasher = Hasher::new("samescore trace column v1");
        for place in places {
            match at(place) {
                (Column::Num(v), r) => hasher.u64(v[r].to_bits()),
                (Column::Time(v), r) => hasher.i64(v[r]),
                (Column::Text(v), r) => match v.get(r) {
                    Some(label) => hasher.u8(1).str(label),
                    None => hasher.u8(0),
                },
            };
        }
        hasher.finish()
    }

    /// The digest of the scores; `at` gives those of a row of a block, or the reason why there are
    /// none.
    pub fn scores<'a>(&self, at: impl Fn(usize, usize) -> Result<&'a [f64], &'a Error>) -> Digest {
        let word = |(b, r): (u32, u32)| match at(b as usize, r as usize) {
            Ok(values) => (0u8, values.iter().map(|x| x.to_bits()).collect(), String::new()),
            Err(reason) => (1, vec![0u64], reason.to_string()),
        };
        let mut hasher = Hasher::new("samescore trace scores v1");
        for place in self.ordered(|a, b| word(a).cmp(&word(b))) {
            let (tag, bits, reason): (u8, Vec<u64>, String) = word(place);
            hasher.u8(tag);
            bits.iter().for_each(|bits| {
                hasher.u64(*bits);
            });
            hasher.str(&reason);
        }
        hasher.finish()
    }
}

fn compare_cells(a: (&Column, usize), b: (&Column, usize)) -> std::cmp::Ordering {
    match (a, b) {
        ((Column::Num(x), i), (Column::Num(y), j)) => x[i].to_bits().cmp(&y[j].to_bits()),
        ((Column::Time(x), i), (Column::Time(y), j)) => x[i].cmp(&y[j]),
        ((Column::Text(x), i), (Column::Text(y), j)) => x.get(i).cmp(&y.get(j)),
        _ => std::cmp::Ordering::Equal,
    }
}

/// The first place where two traces differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceDifference {
    /// The stage.
    pub stage: String,
    /// The column; empty where stages or their columns themselves differ.
    pub column: String,
    /// What differs, in words.
    pub what: String,
}

/// The first difference of two traces, in the order of the stages.
pub fn first_difference(a: &Trace, b: &Trace) -> Option<TraceDifference> {
    let differ = |stage: &str, column: &str, what: String| {
        Some(TraceDifference { stage: stage.to_owned(), column: column.to_owned(), what })
    };
    if a.n_rows != b.n_rows {
        return differ(INPUT_STAGE, "", format!("{} rows against {}", a.n_rows, b.n_rows));
    }
    if a.keys != b.keys {
        return differ(INPUT_STAGE, "", "the row keys differ".to_owned());
    }
    for (x, y) in a.stages.iter().zip(&b.stages) {
        if x.name != y.name {
            return differ(&x.name, "", format!("stage `{}` against `{}`", x.name, y.name));
        }
        let names = |s: &StageDigest| s.columns.iter().map(|c| c.0.clone()).collect::<Vec<_>>();
        if names(x) != names(y) {
            return differ(&x.name, "", "the columns differ".to_owned());
        }
        let mut pairs = x.columns.iter().zip(&y.columns);
        if let Some(((name, p), (_, q))) = pairs.find(|(p, q)| p.1 != q.1) {
            return differ(&x.name, name, format!("digest {} against {}", p.short(), q.short()));
        }
    }
    if a.stages.len() != b.stages.len() {
        let what = format!("{} stages against {}", a.stages.len(), b.stages.len());
        return differ(SCORE_STAGE, "", what);
    }
    if a.scores != b.scores {
        let what = format!("digest {} against {}", a.scores.short(), b.scores.short());
        return differ(SCORE_STAGE, SCORE_STAGE, what);
    }
    None
}

/// Two numbers that should be one: both bit patterns and how far apart.
pub fn show_bits(a: f64, b: f64) -> String {
    match math::ulps_between(a, b) {
        u64::MAX => format!("{} against {}, one is missing", bits_hex(a), bits_hex(b)),
        1 => format!("{} against {}, 1 ulp apart", bits_hex(a), bits_hex(b)),
        ulps => format!("{} against {}, {ulps} ulps apart", bits_hex(a), bits_hex(b)),
    }
}

/// Refuses a self-test whose digests are not those recorded, naming the first stage and column.
///
/// # Errors
/// If `found` differs from `expected`.
pub fn expect_same(expected: &Trace, found: &Trace) -> Result<()> {
    match first_difference(expected, found) {
        None => Ok(()),
        Some(d) => {
            let error = Error::new(
                Code::SelfTest,
                format!("expected the recorded digest, found another: {}", d.what),
            );
            let error = if d.column.is_empty() { error } else { error.column(&d.column) };
            Err(error.step(&d.stage))
        }
    }
}
