//! What a fit must know of all rows of a table at once: targets, weights, fitting keys, and the
//! fingerprint of what the rows are.
//!
//! # Method
//! The [`Door`] takes a block of a source and gives its input columns, keyed. A [`Draft`] takes
//! down what every block says of its rows, in the order of the source; when it has all of them, it
//! settles what no block knows alone: whether keys are unique, which of several equal rows is
//! which, whether there are two classes. A table in memory and one that is streamed go through the
//! same door, so they are refused alike and have the same keys.
//!
//! # Shape
//! Per row a draft holds 40 bytes and a ledger 24, both 8 more where rows have weights; settling
//! takes no more than the draft.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::population::{self, Membership, PopulationCounts};
use super::table::bind_slots;
use super::target::{Targets, Weights};
use crate::batch::{Batch, Column, MISSING_CODE, RowKeyer, Schema, check_rows, fit_keys};
use crate::config::Config;
use crate::digest::{Fingerprint, Hasher, RowKey};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::par;

/// How many rows with a repeated or missing key an error lists.
const LISTED_ROWS: usize = 10;

/// Shows the keyed input columns of a block of the source.
pub(super) type Show<'a> = &'a dyn Fn(usize, &mut dyn FnMut(&Batch)) -> Result<()>;

/// What a config takes out of a source.
pub(super) struct Door {
    config: Config,
    input: Arc<Schema>,
    slots: Vec<usize>,
    target: usize,
    weight: Option<usize>,
    keyer: RowKeyer,
    /// Positions of the declared key columns in the input, as declared.
    key_slots: Vec<usize>,
}

impl Door {
    /// The door to blocks of schema `source`, which has at least the declared columns.
    ///
    /// # Errors
    /// If a declared column is absent or of another kind.
    pub(super) fn new(config: &Config, source: &Schema) -> Result<Self> {
        config.validate()?;
        let input = Arc::new(config.input_schema()?);
        let key = &config.data.key;
        Membership::of(&config.population, &Batch::empty(&Arc::new(source.clone())))?;
        Ok(Door {
            slots: bind_slots(source, &input)?,
            target: source.required(&config.target.column)?,
            weight: config.data.weight.as_ref().map(|name| source.required(name)).transpose()?,
            keyer: RowKeyer::new(&input, key)?,
            key_slots: key.iter().map(|name| input.slot(name)).collect::<Result<_>>()?,
            config: config.clone(),
            input,
        })
    }

    /// The columns of every block behind the door.
    pub(super) fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    /// What is known of a block as it comes from a source, and its rows inside the population.
    pub(super) fn sift<'a>(&self, block: &'a Batch) -> Result<(Arrived, Cow<'a, Batch>)> {
        let filters = &self.config.population;
        let mut population = PopulationCounts::new(filters);
        let inside = population::keep(filters, block, &mut population)?;
        let fault = block.faults().first_key_value();
        let fault = fault.map(|(&row, e)| e.clone().row(block.source_row(row as usize)));
        Ok((Arrived { fault, population }, inside))
    }

    /// The input columns of the rows `rows` of `source`, keyed.
    pub(super) fn admit(&self, source: &Batch, rows: Range<usize>) -> Batch {
        let mut block = Batch::default();
        block.fill(&self.input, source, &self.slots, rows);
        self.keyer.key(&mut block);
        block
    }

    /// What the rows `rows` of `source`, which the door made `block` of, say of themselves.
    pub(super) fn note(&self, source: &Batch, rows: Range<usize>, block: &Batch) -> Draft {
        let place = |row: usize| source.source_row(row);
        let target = source.column(self.target);
        let weights = self.weight.map(|slot| source.column(slot));
        let mut draft = Draft {
            cuts: Cuts(vec![rows.len()]),
            arrived: Arrived::default(),
            targets: Targets::of(target, &self.config.target, rows.clone(), place),
            weights: weights.map(|w| Weights::of(w, rows, place)).unwrap_or_default(),
            keyless: self.key_slots.iter().map(|&slot| keyless(block, slot)).collect(),
            keys: block.keys().to_vec(),
            digests: Vec::new(),
        };
        // Without all targets there is an error to come, and no fingerprint.
        let (target, weights) = (draft.targets.values(), draft.weights.values());
        if target.len() == block.n_rows() {
            let of_row = |row: usize| row_digest(block, row, target[row], weights.get(row));
            draft.digests = (0..block.n_rows()).map(of_row).collect();
        }
        draft
    }
}

/// The first rows of a block without a value in a key column.
fn keyless(block: &Batch, slot: usize) -> Vec<u64> {
    let column = block.column(slot);
    let missing = (0..block.n_rows()).filter(|&row| column.is_missing(row));
    missing.take(LISTED_ROWS).map(|row| block.source_row(row)).collect()
}

/// What is known of rows before those outside the population are left out.
#[derive(Default)]
pub(super) struct Arrived {
    /// The first one.
    fault: Option<Error>,
    population: Option<PopulationCounts>,
}

impl Arrived {
    /// Takes in what stands behind in the source.
    fn merge(&mut self, behind: Arrived) {
        self.fault = self.fault.take().or(behind.fault);
        match (&mut self.population, behind.population) {
            (Some(counts), Some(behind)) => counts.merge(&behind),
            (counts, behind) => *counts = counts.take().or(behind),
        }
    }
}

/// What the blocks so far say of their rows.
#[derive(Default)]
pub(super) struct Draft {
    cuts: Cuts,
    arrived: Arrived,
    targets: Targets,
    weights: Weights,
    /// By declared key column the first rows without one.
    keyless: Vec<Vec<u64>>,
    keys: Vec<RowKey>,
    digests: Vec<[u8; 16]>,
}

impl Draft {
    /// The draft of `n_blocks` blocks, which `read` gives one by one with whatever is to be kept
    /// of each.
    ///
    /// # Errors
    /// The first block's error.
    pub(super) fn of<T: Send>(
        n_blocks: usize,
        read: impl Fn(usize) -> Result<(T, Draft)> + Sync + Send,
    ) -> Result<(Vec<T>, Draft)> {
        let (mut kept, mut draft) = (Vec::with_capacity(n_blocks), Draft::default());
        let read = |index| {
            par::check_float_mode()?;
            read(index)
        };
        // A block per thread at a time: longer parts would be in memory twice when they are joined.
        par::in_waves(n_blocks, read, |part| {
            let (one, part) = part?;
            kept.push(one);
            draft.merge(part);
            Ok::<bool, Error>(true)
        })?;
        Ok((kept, draft))
    }

    /// Takes in what stands behind in the source.
    fn merge(&mut self, behind: Draft) {
        if self.cuts.0.is_empty() {
            *self = behind;
            return;
        }
        let start = self.cuts.n_rows();
        self.cuts.0.extend(behind.cuts.0.iter().map(|end| start + end));
        self.arrived.merge(behind.arrived);
        self.targets.merge(behind.targets);
        self.weights.merge(behind.weights);
        for (rows, behind) in self.keyless.iter_mut().zip(behind.keyless) {
            rows.extend(behind);
            rows.truncate(LISTED_ROWS);
        }
        self.keys.extend_from_slice(&behind.keys);
        self.digests.extend_from_slice(&behind.digests);
    }

    /// The same with what is known of the block as it came.
    pub(super) fn arrived(self, arrived: Arrived) -> Self {
        Draft { arrived, ..self }
    }

    /// Settles what no block knows alone.
    ///
    /// # Errors
    /// The first fault of a row; then a population of no row; then class weights of a label that
    /// there is not; then what cannot be a target; then a weight; then a declared key that is
    /// missing or not unique.
    pub(super) fn settle(self, door: &Door, show: Show<'_>) -> Result<Ledger> {
        check_rows(self.cuts.n_rows())?;
        let config = &door.config;
        let Arrived { fault, population } = self.arrived;
        if let Some(error) = fault {
            return Err(error);
        }
        if let Some(counts) = &population {
            counts.check(&config.population)?;
        }
        self.targets.check_other(config)?;
        let target = self.targets.finish(&config.target)?;
        let weights = self.weights.finish().map_err(|e| match &config.data.weight {
            Some(name) => e.column(name),
            None => e,
        })?;
        let key = &config.data.key;
        refuse_keyless(key, &self.keyless)?;
        // The digests go before more memory is asked for.
        let fingerprint = fingerprint(self.digests, config, &door.input);
        if !key.is_empty() {
            check_unique(&self.keys, (key, &door.key_slots), &self.cuts, show)?;
        }
        let fit_keys = fit_keys(self.keys, &target, &weights);
        Ok(Ledger { cuts: self.cuts, fit_keys, target, weights, fingerprint, population })
    }
}

/// Where each block ends among the rows of all.
#[derive(Default)]
struct Cuts(Vec<usize>);

impl Cuts {
    fn n_rows(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }

    fn rows(&self, block: usize) -> Range<usize> {
        block.checked_sub(1).map_or(0, |before| self.0[before])..self.0[block]
    }

    /// The block that has that row, and its place there.
    fn place(&self, row: usize) -> (usize, usize) {
        let block = self.0.partition_point(|&end| end <= row);
        (block, row - self.rows(block).start)
    }
}

/// Declared keys must be complete and unique at fit.
///
/// # Errors
/// If one is missing or not unique; the first rows of them are listed.
pub(crate) fn check_keys(batch: &Batch, key: &[String]) -> Result<()> {
    let slots: Vec<usize> =
        key.iter().map(|name| batch.schema().slot(name)).collect::<Result<_>>()?;
    let missing: Vec<Vec<u64>> = slots.iter().map(|&slot| keyless(batch, slot)).collect();
    refuse_keyless(key, &missing)?;
    check_unique(batch.keys(), (key, &slots), &Cuts(vec![batch.n_rows()]), &|_, see| {
        see(batch);
        Ok(())
    })
}

/// Refuses rows without a key; `keyless` are the first ones by key column.
fn refuse_keyless(key: &[String], keyless: &[Vec<u64>]) -> Result<()> {
    for (name, rows) in key.iter().zip(keyless) {
        if let Some(&first) = rows.first() {
            let message = format!("expected a key in every row, found none in rows {rows:?}");
            return Err(Error::new(Code::DuplicateKey, message).row(first).column(name));
        }
    }
    Ok(())
}

/// Refuses keys that several rows have; `key` are the key columns and where they are.
fn check_unique(
    keys: &[RowKey],
    (key, slots): (&[String], &[usize]),
    cuts: &Cuts,
    show: Show<'_>,
) -> Result<()> {
    let order = math::argsort_by(keys.len(), |a, b| keys[a as usize].cmp(&keys[b as usize]));
    let again = order.windows(2).filter(|pair| keys[pair[0] as usize] == keys[pair[1] as usize]);
    let mut again: Vec<usize> = again.map(|pair| pair[1] as usize).collect();
    again.sort();
    again.truncate(LISTED_ROWS);
    let (mut repeated, mut values) = (Vec::new(), Vec::new());
    for &row in &again {
        let (block, row) = cuts.place(row);
        show(block, &mut |block| {
            repeated.push(block.source_row(row));
            if values.is_empty() {
                let shown = slots.iter().map(|&slot| block.column(slot).value(row));
                values = shown.map(|value| value.to_string()).collect();
            }
        })?;
    }
    let Some(&first) = repeated.first() else {
        return Ok(());
    };
    Err(Error::new(
        Code::DuplicateKey,
        format!(
            "expected unique keys, found {} again; repeated in rows {repeated:?}",
            values.join(", ")
        ),
    )
    .row(first)
    .column(&key.join("+"))
    .remedy("declare key columns that are unique together, or none"))
}

/// What is known of all rows, in the order of the source.
pub(super) struct Ledger {
    cuts: Cuts,
    fit_keys: Vec<RowKey>,
    target: Vec<f64>,
    weights: Vec<f64>,
    fingerprint: Fingerprint,
    population: Option<PopulationCounts>,
}

impl Ledger {
    /// The number of rows.
    pub(super) fn n_rows(&self) -> usize {
        self.cuts.n_rows()
    }

    /// The identity of the schema and the multiset of rows.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How many rows the filters of the population saw and kept; none without filters.
    pub(super) fn population(&self) -> Option<&PopulationCounts> {
        self.population.as_ref()
    }

    /// The place of a block's first row among all rows.
    pub(super) fn first_row(&self, block: usize) -> usize {
        self.cuts.rows(block).start
    }

    /// The fitting keys of a block's rows.
    pub(super) fn fit_keys(&self, block: usize) -> &[RowKey] {
        &self.fit_keys[self.cuts.rows(block)]
    }

    /// The targets of a block's rows.
    pub(super) fn target(&self, block: usize) -> &[f64] {
        &self.target[self.cuts.rows(block)]
    }

    /// Gives the rows of block `index` their targets, weights and fitting keys.
    pub(super) fn sign(&self, index: usize, block: &mut Batch) {
        block.set_target(self.target(index).to_vec(), self.fit_keys(index).to_vec());
        if !self.weights.is_empty() {
            block.set_weights(self.weights[self.cuts.rows(index)].to_vec());
        }
    }
}

/// SHA-256 over schema, number of rows, and the ascending digests of the rows.
fn fingerprint(mut rows: Vec<[u8; 16]>, config: &Config, input: &Schema) -> Fingerprint {
    sort_digests(&mut rows);
    let mut hasher = Hasher::new("samescore data v1");
    for field in input.fields() {
        hasher.str(&field.name).str(&field.kind.to_string());
    }
    hasher.str(&config.target.column).u64(rows.len() as u64);
    if let Some(weight) = &config.data.weight {
        hasher.str(weight);
    }
    rows.iter().for_each(|row| {
        hasher.bytes(row);
    });
    hasher.finish_fingerprint()
}

/// Sorts digests where they stand: first by their first byte, of which each has its own part of the
/// place, then each part, so that no second place for all of them is needed.
fn sort_digests(rows: &mut [[u8; 16]]) {
    let mut ends = [0usize; 256];
    rows.iter().for_each(|row| ends[row[0] as usize] += 1);
    let mut begins = [0usize; 256];
    let mut total = 0;
    for (begin, end) in begins.iter_mut().zip(&mut ends) {
        *begin = total;
        total += *end;
        *end = total;
    }
    let parts: Vec<Range<usize>> = begins.iter().zip(&ends).map(|(&a, &b)| a..b).collect();
    for (byte, &end) in ends.iter().enumerate() {
        while begins[byte] < end {
            let other = rows[begins[byte]][0] as usize;
            rows.swap(begins[byte], begins[other]);
            begins[other] += 1;
        }
    }
    let mut rest = rows;
    let mut cut = Vec::with_capacity(parts.len());
    for part in parts {
        let (one, behind) = rest.split_at_mut(part.len());
        cut.push(one);
        rest = behind;
    }
    par::map_mut(&mut cut, |part| part.sort());
}

/// The first half of the SHA-256 of a row's cells in name order, then of its target and weight.
fn row_digest(block: &Batch, row: usize, target: f64, weight: Option<&f64>) -> [u8; 16] {
    let mut hasher = Hasher::new("samescore row v1");
    for column in block.columns() {
        match column {
            Column::Num(v) => hasher.f64(v[row]),
            Column::Time(v) => hasher.i64(v[row]),
            Column::Text(v) => match v.codes()[row] {
                MISSING_CODE => hasher.u8(0),
                code => hasher.u8(1).str(v.level(code as usize)),
            },
        };
    }
    hasher.f64(target);
    if let Some(weight) = weight {
        hasher.f64(*weight);
    }
    let digest = hasher.finish().0;
    let mut half = [0u8; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_sorted_where_they_stand() {
        let digest = |i: u32| {
            let mut row = [0u8; 16];
            row[..4].copy_from_slice(&i.wrapping_mul(2_654_435_761).to_le_bytes());
            row
        };
        for n in [0, 1, 2, 255, 1000] {
            let mut rows: Vec<[u8; 16]> = (0..n).chain(0..n / 2).map(digest).collect();
            let mut expected = rows.clone();
            expected.sort();
            sort_digests(&mut rows);
            assert_eq!(rows, expected);
        }
        let mut same = vec![[7u8; 16]; 9];
        sort_digests(&mut same);
        assert_eq!(same, [[7u8; 16]; 9]);
    }
}
