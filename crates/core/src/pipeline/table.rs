//! What a fit gets: keyed rows with their targets, and the fingerprint of what they are.

use std::sync::Arc;

use super::population::{self, PopulationCounts};
use super::target;
use crate::aggregate::{MemoryRows, Rows};
use crate::batch::{BLOCK_ROWS, Batch, Column, MISSING_CODE, RowKeyer, concerns, fit_keys};
use crate::config::Config;
use crate::digest::{Fingerprint, Hasher, RowKey};
use crate::error::{Code, Error, Result};
use crate::faults::{self, Fault};
use crate::math;
use crate::par;

/// How many rows with a repeated or missing key an error lists.
const LISTED_ROWS: usize = 10;

/// A table that is ready to be fitted on.
#[derive(Clone, Debug)]
pub struct Table {
    rows: MemoryRows,
    fingerprint: Fingerprint,
    population: Option<PopulationCounts>,
}

impl Table {
    /// Keys the rows of `batch`, which has at least the declared columns, and reads their targets.
    /// Rows outside the population are left out first: keys need only be unique inside, and the
    /// fingerprint is that of the rows inside.
    ///
    /// # Errors
    /// If a declared column is absent or of another kind, a declared key is missing or not unique,
    /// or a value cannot be a target.
    pub fn new(config: &Config, batch: &Batch) -> Result<Self> {
        Table::with_block_rows(config, batch, BLOCK_ROWS)
    }

    /// The same with blocks of another size, which cannot change any result.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn with_block_rows(config: &Config, batch: &Batch, block_rows: usize) -> Result<Self> {
        config.validate()?;
        if let Some((&row, error)) = batch.faults().first_key_value() {
            return Err(error.clone().row(batch.source_row(row as usize)));
        }
        let mut population = PopulationCounts::new(&config.population);
        let batch = &*population::keep(&config.population, batch, &mut population)?;
        if let Some(counts) = &population {
            counts.check(&config.population)?;
        }
        let input = Arc::new(config.input_schema()?);
        let mut bound = bind(batch, &input)?;
        let target_slot = batch.schema().required(&config.target.column)?;
        let y = target::read(batch.column(target_slot), &config.target)
            .map_err(|e| e.row_in(|row| batch.source_row(row)))?;
        let weights = weights(config, batch)?;
        RowKeyer::new(&input, &config.data.key)?.key(&mut bound);
        if !config.data.key.is_empty() {
            check_keys(&bound, &config.data.key)?;
        }
        let keys = fit_keys(bound.keys(), &y, &weights);
        bound.set_target(y, keys);
        bound.set_weights(weights);
        let fingerprint = fingerprint(&bound, config);
        let rows = MemoryRows::new(input, bound.into_blocks(block_rows));
        Ok(Table { rows, fingerprint, population })
    }

    /// How many rows the filters of the population saw and kept; none without filters.
    pub fn population(&self) -> Option<&PopulationCounts> {
        self.population.as_ref()
    }

    /// The rows.
    pub fn rows(&self) -> &MemoryRows {
        &self.rows
    }

    /// The rows, to be consumed by a fit.
    pub fn into_rows(self) -> MemoryRows {
        self.rows
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    /// The identity of the schema and the multiset of rows with their targets, whatever their
    /// order, blocks or source.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The rows for which `keep` says so, asked with the row's block and its position in the block.
    pub fn filter(&self, keep: impl Fn(&Batch, usize) -> bool + Sync + Send) -> MemoryRows {
        let blocks = par::map(self.rows.blocks(), |block| {
            let rows: Vec<usize> = (0..block.n_rows()).filter(|&row| keep(block, row)).collect();
            block.select(&rows)
        });
        MemoryRows::new(Arc::clone(self.rows.schema()), blocks)
    }
}

/// The columns of `schema`, by name, out of whatever `batch` has.
///
/// # Errors
/// If one is absent or of another kind.
pub(super) fn bind(batch: &Batch, schema: &Arc<crate::batch::Schema>) -> Result<Batch> {
    let slots = bind_slots(batch, schema)?;
    let columns = slots.iter().map(|&slot| batch.column(slot).clone()).collect();
    let mut bound = Batch::new(Arc::clone(schema), columns)?;
    bound.set_n_rows(batch.n_rows());
    let ours = batch.faults().iter().filter(|(_, error)| concerns(error, schema));
    ours.for_each(|(&row, error)| bound.fault_row(row as usize, error.clone()));
    bound.set_source_rows(batch);
    Ok(bound)
}

/// Where in `batch` the columns of `schema` are.
///
/// # Errors
/// If one is absent or of another kind.
pub(super) fn bind_slots(batch: &Batch, schema: &crate::batch::Schema) -> Result<Vec<usize>> {
    let slot_of = |field: &crate::batch::Field| {
        let slot = batch.schema().required(&field.name)?;
        let found = batch.column(slot).kind();
        if found == field.kind {
            return Ok(slot);
        }
        Err(Error::new(Code::WrongKind, format!("expected {}, found {found}", field.kind))
            .column(&field.name))
    };
    let slots: Vec<usize> = schema.fields().iter().map(slot_of).collect::<Result<_>>()?;
    if faults::on(Fault::ReorderedColumns) {
        return Ok(by_order(batch, &slots));
    }
    Ok(slots)
}

/// For a fault: the first number in the batch for the first in the schema, and so on by kind.
fn by_order(batch: &Batch, slots: &[usize]) -> Vec<usize> {
    let of_kind = |slot: usize| {
        let kind = batch.column(slot).kind();
        let same = move |other: &usize| batch.column(*other).kind() == kind;
        let earlier = slots.iter().take_while(|other| **other != slot);
        let mut sorted: Vec<usize> = slots.iter().copied().filter(same).collect();
        sorted.sort();
        sorted[earlier.filter(|other| same(other)).count()]
    };
    slots.iter().map(|&slot| of_kind(slot)).collect()
}

/// Declared keys must be complete and unique at fit.
pub(crate) fn check_keys(batch: &Batch, key: &[String]) -> Result<()> {
    for name in key {
        let column = batch.column(batch.schema().slot(name)?);
        let missing = (0..batch.n_rows()).filter(|&row| column.is_missing(row));
        let missing: Vec<u64> =
            missing.take(LISTED_ROWS).map(|row| batch.source_row(row)).collect();
        if let Some(&first) = missing.first() {
            return Err(Error::new(
                Code::DuplicateKey,
                format!("expected a key in every row, found none in rows {missing:?}"),
            )
            .row(first)
            .column(name));
        }
    }
    let keys = batch.keys();
    let order = math::argsort_by(keys.len(), |a, b| keys[a as usize].cmp(&keys[b as usize]));
    let again = order.windows(2).filter(|pair| keys[pair[0] as usize] == keys[pair[1] as usize]);
    let mut again: Vec<usize> = again.map(|pair| pair[1] as usize).collect();
    again.sort();
    again.truncate(LISTED_ROWS);
    let Some(&first) = again.first() else {
        return Ok(());
    };
    let repeated: Vec<u64> = again.iter().map(|&row| batch.source_row(row)).collect();
    let values: Vec<String> = key
        .iter()
        .filter_map(|name| batch.schema().position(name))
        .map(|slot| batch.column(slot).value(first).to_string())
        .collect();
    Err(Error::new(
        Code::DuplicateKey,
        format!(
            "expected unique keys, found {} again; repeated in rows {repeated:?}",
            values.join(", ")
        ),
    )
    .row(batch.source_row(first))
    .column(&key.join("+"))
    .remedy("declare key columns that are unique together, or none"))
}

/// The weights of the rows; none if each counts one.
fn weights(config: &Config, batch: &Batch) -> Result<Vec<f64>> {
    let Some(name) = &config.data.weight else {
        return Ok(Vec::new());
    };
    let column = batch.column(batch.schema().required(name)?);
    let placed = |e: Error| e.row_in(|row| batch.source_row(row)).column(name);
    target::read_weights(column).map_err(placed)
}

/// SHA-256 over schema, number of rows, and the ascending digests of the rows.
fn fingerprint(batch: &Batch, config: &Config) -> Fingerprint {
    let starts: Vec<usize> = (0..batch.n_rows()).step_by(BLOCK_ROWS).collect();
    let parts = par::map(&starts, |&start| {
        let rows = start..(start + BLOCK_ROWS).min(batch.n_rows());
        rows.map(|row| row_digest(batch, row)).collect::<Vec<[u8; 16]>>()
    });
    let mut rows: Vec<[u8; 16]> = parts.into_iter().flatten().collect();
    rows.sort();
    let mut hasher = Hasher::new("samescore data v1");
    for field in batch.schema().fields() {
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

/// The first half of the SHA-256 of a row's cells in name order, then of its target and weight.
fn row_digest(batch: &Batch, row: usize) -> [u8; 16] {
    let mut hasher = Hasher::new("samescore row v1");
    for column in batch.columns() {
        match column {
            Column::Num(v) => hasher.f64(v[row]),
            Column::Time(v) => hasher.i64(v[row]),
            Column::Text(v) => match v.codes()[row] {
                MISSING_CODE => hasher.u8(0),
                code => hasher.u8(1).str(v.level(code as usize)),
            },
        };
    }
    hasher.f64(batch.target()[row]);
    if let Some(weight) = batch.weights().get(row) {
        hasher.f64(*weight);
    }
    let digest = hasher.finish().0;
    let mut half = [0u8; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// The rows with the smallest fitting keys, as block and row: the same ones whatever the order.
pub(super) fn smallest_keys(blocks: &[Batch], n: usize) -> Vec<(usize, usize)> {
    let mut places: Vec<(RowKey, (usize, usize))> = Vec::new();
    for (b, block) in blocks.iter().enumerate() {
        let rows = block.fit_keys().iter().enumerate();
        places.extend(rows.map(|(r, key)| (*key, (b, r))));
        places.sort();
        places.truncate(n);
    }
    places.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ColumnKind;
    use crate::config::Task;
    use crate::models::LinearRegressionParams;
    use crate::testing::{nums, table, texts};

    fn config(key: &[&str]) -> Config {
        let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
            .columns(ColumnKind::Num, &["a", "y"])
            .columns(ColumnKind::Text, &["b"]);
        config.data.key = key.iter().map(|k| (*k).to_owned()).collect();
        config
    }

    fn batch(order: &[usize]) -> Batch {
        let columns = [
            ("y", nums(&[1.0, 2.0, 2.0, 4.0])),
            ("b", texts(&["u", "v", "v", ""])),
            ("a", nums(&[0.5, 1.5, 1.5, 2.5])),
        ];
        table(&columns).select(order)
    }

    #[test]
    fn the_fingerprint_is_that_of_the_multiset_of_rows() {
        let of = |order: &[usize]| Table::new(&config(&[]), &batch(order)).unwrap().fingerprint();
        assert_eq!(of(&[0, 1, 2, 3]), of(&[3, 2, 0, 1]));
        assert_ne!(of(&[0, 1, 2, 3]), of(&[0, 1, 3]));
        assert_ne!(of(&[0, 1, 2, 3]), of(&[0, 0, 1, 3]));
    }

    #[test]
    fn repeated_and_missing_keys_are_listed() {
        let error = Table::new(&config(&["a"]), &batch(&[0, 1, 2, 3])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `a`: row 2: expected unique keys, found number 1.5 again; repeated in rows [2] \
             (declare key columns that are unique together, or none)"
        );
        let error = Table::new(&config(&["b"]), &batch(&[0, 1, 3])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `b`: row 3: expected a key in every row, found none in rows [3]"
        );
    }

    #[test]
    fn a_row_keeps_its_place_in_the_source_through_a_filter() {
        let table = Table::new(&config(&[]), &batch(&[0, 1, 2, 3])).unwrap();
        let kept = table.filter(|_, row| row == 3);
        assert_eq!(kept.blocks()[0].source_row(0), 3);
    }

    #[test]
    fn an_absent_column_is_named_with_what_there_is() {
        let error = Table::new(&config(&[]), &table(&[("y", nums(&[1.0]))]));
        assert_eq!(error.unwrap_err().to_string(), "column `a`: expected it, found y");
    }
}
