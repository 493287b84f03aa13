//! A digest per stage and column, and the first difference between two.
//!
//! A trace says what a run computed without saying it: after every step one SHA-256 per column,
//! over the rows in canonical order: by scoring key, and rows of one key by their input columns as
//! whole rows. Rows that are equal in both are interchangeable, so the order of arrival cannot
//! matter. Two runs agree to the bit if their traces are equal as bytes.
//!
//! A row without a score counts by its reason's code, step and column, not by the words.

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

/// A block and a row in it.
pub(crate) type Place = (u32, u32);

/// The canonical order of the rows of a table that stands in blocks.
pub struct RowOrder {
    /// Block and row of every row, by key, then by content.
    places: Vec<Place>,
    /// Where other rows begin, as positions in `places`, ending with its length.
    groups: Vec<usize>,
}

impl RowOrder {
    /// The order of keyed blocks of one schema.
    pub fn new(blocks: &[Batch]) -> Self {
        Self::telling(blocks, &mut keys_hasher())
    }

    /// The same, telling the keys in order.
    fn telling(blocks: &[Batch], keys: &mut Hasher) -> Self {
        let mut keyed: Vec<(RowKey, Place)> = Vec::new();
        for (b, block) in (0u32..).zip(blocks) {
            let rows = (0u32..).zip(block.keys());
            keyed.extend(rows.map(|(r, key)| (*key, (b, r))));
        }
        keyed.sort_by(|a, b| {
            let by_content = || compare_rows(blocks, a.1, b.1);
            a.0.cmp(&b.0).then_with(by_content).then_with(|| a.1.cmp(&b.1))
        });
        let is_other = |i: usize| {
            let ((key, place), (before, above)) = (keyed[i], keyed[i - 1]);
            key != before || compare_rows(blocks, place, above).is_ne()
        };
        let starts = (0..keyed.len()).filter(|&i| i == 0 || is_other(i));
        let groups = starts.chain([keyed.len()]).collect();
        keyed.iter().for_each(|(key, _)| {
            keys.u128(key.0);
        });
        let places = keyed.into_iter().map(|(_, place)| place).collect();
        RowOrder { places, groups }
    }

    /// Places in canonical order, equal rows ordered by `compare`.
    fn ordered(&self, compare: impl Fn(Place, Place) -> std::cmp::Ordering) -> Vec<Place> {
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
        let digests = crate::par::map(&slots, |&slot| {
            let mut hasher = column_hasher();
            self.column(slot, blocks, &mut hasher);
            hasher.finish()
        });
        let names = schema.names().map(str::to_owned);
        StageDigest { name: name.to_owned(), columns: names.zip(digests).collect() }
    }

    /// Tells the cells of a column in order.
    fn column(&self, slot: usize, blocks: &[Batch], hasher: &mut Hasher) {
        let at = |(b, r): Place| (blocks[b as usize].column(slot), r as usize);
        for &place in &self.places {
            match at(place) {
                (Column::Num(v), r) => hasher.u64(v[r].to_bits()),
                (Column::Time(v), r) => hasher.i64(v[r]),
                (Column::Text(v), r) => match v.get(r) {
                    Some(label) => hasher.u8(1).str(label),
                    None => hasher.u8(0),
                },
            };
        }
    }

    /// Tells the scores in order; `at` gives those of a row of a block, or the reason why there are
    /// none. Equal rows may differ here: one of them may have come with a cell that could not be
    /// read.
    fn scores<'a>(
        &self,
        at: impl Fn(usize, usize) -> Result<&'a [f64], &'a Error>,
        hasher: &mut Hasher,
    ) {
        let word = |(b, r): Place| match at(b as usize, r as usize) {
            Ok(values) => (0u8, values.iter().map(|x| x.to_bits()).collect(), String::new()),
            Err(reason) => (1, vec![0u64], identity(reason)),
        };
        for place in self.ordered(|a, b| word(a).cmp(&word(b))) {
            let (tag, bits, reason): (u8, Vec<u64>, String) = word(place);
            hasher.u8(tag);
            bits.iter().for_each(|bits| {
                hasher.u64(*bits);
            });
            hasher.str(&reason);
        }
    }
}

fn keys_hasher() -> Hasher {
    Hasher::new("samescore trace keys v1")
}

fn column_hasher() -> Hasher {
    Hasher::new("samescore trace column v1")
}

fn scores_hasher() -> Hasher {
    Hasher::new("samescore trace scores v1")
}

/// The trace of a table in the making, whose rows come in parts: the keys of each part are above
/// those of the parts before, so that part by part is the order of all.
pub(crate) struct Tracing {
    n_rows: u64,
    keys: Hasher,
    stages: Vec<(String, Vec<(String, Hasher)>)>,
    scores: Hasher,
}

impl Tracing {
    /// The trace of no rows, of these stages.
    pub(crate) fn new<'a>(stages: impl IntoIterator<Item = (&'a str, &'a Schema)>) -> Self {
        let columns =
            |schema: &Schema| schema.names().map(|n| (n.to_owned(), column_hasher())).collect();
        let stages = stages.into_iter().map(|(name, schema)| (name.to_owned(), columns(schema)));
        let (keys, scores) = (keys_hasher(), scores_hasher());
        Tracing { n_rows: 0, keys, stages: stages.collect(), scores }
    }

    /// Begins a part of the rows, as its keyed blocks.
    pub(crate) fn begin(&mut self, blocks: &[Batch]) -> RowOrder {
        let order = RowOrder::telling(blocks, &mut self.keys);
        self.n_rows += order.places.len() as u64;
        order
    }

    /// Takes the part as stage `index` made it.
    pub(crate) fn stage(&mut self, index: usize, order: &RowOrder, blocks: &[Batch]) {
        let columns = self.stages.get_mut(index).map(|(_, columns)| columns.iter_mut());
        let mut columns: Vec<(usize, &mut Hasher)> =
            columns.into_iter().flatten().map(|(_, hasher)| hasher).enumerate().collect();
        crate::par::map_mut(&mut columns, |(slot, hasher)| order.column(*slot, blocks, hasher));
    }

    /// Takes the scores of the part, by block and row.
    pub(crate) fn scores<'a>(
        &mut self,
        order: &RowOrder,
        at: impl Fn(usize, usize) -> Result<&'a [f64], &'a Error>,
    ) {
        order.scores(at, &mut self.scores);
    }

    /// The trace of all parts.
    pub(crate) fn finish(self) -> Trace {
        let digest = |(name, hasher): (String, Hasher)| (name, hasher.finish());
        let stages = self.stages.into_iter().map(|(name, columns)| StageDigest {
            name,
            columns: columns.into_iter().map(digest).collect(),
        });
        Trace {
            n_rows: self.n_rows,
            keys: self.keys.finish(),
            stages: stages.collect(),
            scores: self.scores.finish(),
        }
    }
}

/// What a reason is, whatever its words: code, step and column. No step has a NUL in its name.
fn identity(reason: &Error) -> String {
    let [step, column] = [reason.step_name(), reason.column_name()].map(Option::unwrap_or_default);
    format!("{}\0{step}\0{column}", reason.code())
}

/// Compares two rows column by column.
pub(crate) fn compare_rows(blocks: &[Batch], a: Place, b: Place) -> std::cmp::Ordering {
    let (x, y) = (blocks[a.0 as usize].columns(), blocks[b.0 as usize].columns());
    let (i, j) = (a.1 as usize, b.1 as usize);
    let cells = x.iter().zip(y).map(|(x, y)| compare_cells((x, i), (y, j)));
    cells.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{nums, table};

    /// Rows of one declared key.
    fn keyed(a: &[f64], b: &[f64]) -> [Batch; 1] {
        let mut batch = table(&[("a", nums(a)), ("b", nums(b))]);
        batch.set_keys(vec![RowKey(7); a.len()]);
        [batch]
    }

    fn digests(a: &[f64], b: &[f64]) -> StageDigest {
        let blocks = keyed(a, b);
        RowOrder::new(&blocks).stage("input", blocks[0].schema(), &blocks)
    }

    #[test]
    fn rows_of_one_key_are_ordered_as_whole_rows() {
        assert_eq!(digests(&[1.0, 2.0], &[4.0, 3.0]), digests(&[2.0, 1.0], &[3.0, 4.0]));
        // The same cells in each column, but other rows.
        assert_ne!(digests(&[1.0, 2.0], &[4.0, 3.0]), digests(&[1.0, 2.0], &[3.0, 4.0]));
    }

    #[test]
    fn a_score_belongs_to_its_row_also_among_rows_of_one_key() {
        let of = |a: &[f64], scores: [f64; 2]| {
            let mut hasher = scores_hasher();
            let at = |_, row: usize| Ok(&scores[row..row + 1]);
            RowOrder::new(&keyed(a, &[0.0, 0.0])).scores(at, &mut hasher);
            hasher.finish()
        };
        assert_eq!(of(&[1.0, 2.0], [5.0, 6.0]), of(&[2.0, 1.0], [6.0, 5.0]));
        assert_ne!(of(&[1.0, 2.0], [5.0, 6.0]), of(&[1.0, 2.0], [6.0, 5.0]));
        // Equal rows are interchangeable.
        assert_eq!(of(&[1.0, 1.0], [5.0, 6.0]), of(&[1.0, 1.0], [6.0, 5.0]));
    }

    #[test]
    fn a_reason_counts_by_code_step_and_column_and_not_by_its_words() {
        let of = |reason: Error| {
            let blocks = keyed(&[1.0], &[2.0]);
            let mut hasher = scores_hasher();
            RowOrder::new(&blocks).scores(|_, _| Err(&reason), &mut hasher);
            hasher.finish()
        };
        let reason = |code, words: &str| Error::new(code, words).step("log").column("a");
        let first = of(reason(Code::BadValue, "expected a number above 0, found 0"));
        assert_eq!(first, of(reason(Code::BadValue, "reworded").remedy("other").row(3)));
        assert_ne!(first, of(reason(Code::NotFinite, "expected a number above 0, found 0")));
        assert_ne!(first, of(Error::new(Code::BadValue, "x").step("log").column("b")));
        assert_ne!(first, of(Error::new(Code::BadValue, "x").step("a").column("log")));
    }
}
