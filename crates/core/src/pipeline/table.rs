//! What a fit gets: keyed rows with their targets, and the fingerprint of what they are.

use std::sync::Arc;

use super::ledger::{Door, Draft};
use super::population::{self, PopulationCounts};
use crate::aggregate::{MemoryRows, Rows};
use crate::batch::{BLOCK_ROWS, Batch, Field, Schema, concerns};
use crate::config::Config;
use crate::digest::Fingerprint;
use crate::error::{Code, Error, Result};
use crate::faults::{self, Fault};
use crate::par;

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
        let door = Door::new(config, batch.schema())?;
        if let Some((&row, error)) = batch.faults().first_key_value() {
            return Err(error.clone().row(batch.source_row(row as usize)));
        }
        let mut population = PopulationCounts::new(&config.population);
        let batch = &*population::keep(&config.population, batch, &mut population)?;
        if let Some(counts) = &population {
            counts.check(&config.population)?;
        }
        let step = block_rows.max(1);
        let n_rows = batch.n_rows();
        let read = |index: usize| {
            let rows = index * step..((index + 1) * step).min(n_rows);
            let block = door.admit(batch, rows.clone());
            let part = door.note(batch, rows, &block);
            Ok((block, part))
        };
        let (mut blocks, draft) = Draft::of(n_rows.div_ceil(step).max(1), read)?;
        let ledger = draft.settle(&door, &|index, see| {
            see(&blocks[index]);
            Ok(())
        })?;
        for (index, block) in blocks.iter_mut().enumerate() {
            ledger.sign(index, block);
        }
        let rows = MemoryRows::new(Arc::clone(door.input()), blocks);
        Ok(Table { rows, fingerprint: ledger.fingerprint(), population })
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
pub(super) fn bind(batch: &Batch, schema: &Arc<Schema>) -> Result<Batch> {
    let slots = bind_slots(batch.schema(), schema)?;
    let columns = slots.iter().map(|&slot| batch.column(slot).clone()).collect();
    let mut bound = Batch::new(Arc::clone(schema), columns)?;
    bound.set_n_rows(batch.n_rows());
    let ours = batch.faults().iter().filter(|(_, error)| concerns(error, schema));
    ours.for_each(|(&row, error)| bound.fault_row(row as usize, error.clone()));
    bound.set_source_rows(batch);
    Ok(bound)
}

/// Where in `found` the columns of `wanted` are, by name.
///
/// # Errors
/// If one is absent or of another kind.
pub(super) fn bind_slots(found: &Schema, wanted: &Schema) -> Result<Vec<usize>> {
    let slot_of = |field: &Field| {
        let slot = found.required(&field.name)?;
        let kind = found.fields()[slot].kind;
        if kind == field.kind {
            return Ok(slot);
        }
        Err(Error::new(Code::WrongKind, format!("expected {}, found {kind}", field.kind))
            .column(&field.name))
    };
    let slots: Vec<usize> = wanted.fields().iter().map(slot_of).collect::<Result<_>>()?;
    if faults::on(Fault::ReorderedColumns) {
        return Ok(by_order(found, &slots));
    }
    Ok(slots)
}

/// For a fault: the first number found for the first one wanted, and so on by kind.
fn by_order(found: &Schema, slots: &[usize]) -> Vec<usize> {
    let of_kind = |slot: usize| {
        let kind = found.fields()[slot].kind;
        let same = move |other: &usize| found.fields()[*other].kind == kind;
        let earlier = slots.iter().take_while(|other| **other != slot);
        let mut sorted: Vec<usize> = slots.iter().copied().filter(same).collect();
        sorted.sort();
        sorted[earlier.filter(|other| same(other)).count()]
    };
    slots.iter().map(|&slot| of_kind(slot)).collect()
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
