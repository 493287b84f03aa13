//! Which rows are kept from a fit by what the config declares.
//!
//! # Method
//! Each row, or each group of rows, falls on a side by the draw that belongs to its key, so a row's
//! side does not depend on any other row, on order, or on how many rows there are. A row that is in
//! the test part stays there when the ratio grows, and another seed gives another split.
//!
//! # Ties and order
//! Rows use their fitting key, so wholly identical rows fall each on its own side. With a group
//! column, rows that are equal in it stay together; a missing value is a group of its own.

use std::sync::Arc;

use samescore_core::aggregate::{MemoryRows, Rows};
use samescore_core::batch::{Batch, Column, MISSING_CODE};
use samescore_core::config::Config;
use samescore_core::digest::{KeyHasher, MISSING_TEXT, RowKey};
use samescore_core::error::{Code, Error, Result};
use samescore_core::par;
use samescore_core::rng::{Stream, below};

/// The step name under which splits draw.
pub(crate) const STEP: &str = "split";
const GROUP_DOMAIN: &str = "samescore split group v1";

/// Says of each row whether it is kept from the fit.
pub enum Split {
    /// No row is.
    None,
    /// A share of the rows, or of their groups.
    Test {
        /// Where the draws come from.
        stream: Stream,
        /// The share.
        ratio: f64,
        /// The group column.
        group: Option<usize>,
    },
}

impl Split {
    /// The split that a config declares.
    ///
    /// # Errors
    /// If its group column is the target, which no row to be scored has.
    pub fn of(config: &Config) -> Result<Self> {
        match &config.split {
            None => Ok(Split::None),
            Some(split) => Ok(Split::Test {
                stream: Stream::new(config.seed, STEP, "", "test"),
                ratio: split.test_ratio,
                group: group_slot(config)?,
            }),
        }
    }

    /// Whether any row can be kept from the fit.
    pub fn keeps_rows(&self) -> bool {
        !matches!(self, Split::None)
    }

    /// Whether `row` of a keyed block is kept from the fit.
    pub fn is_test(&self, block: &Batch, row: usize) -> bool {
        match self {
            Split::None => false,
            Split::Test { stream, ratio, group } => {
                below(stream, key_of(block, row, *group), *ratio)
            }
        }
    }
}

/// The rows for which `keep` says so, asked with the block's place and the row's place in it.
pub(crate) fn select(
    rows: &MemoryRows,
    keep: impl Fn(usize, usize) -> bool + Sync + Send,
) -> MemoryRows {
    let places: Vec<usize> = (0..rows.blocks().len()).collect();
    let blocks = par::map(&places, |&place| {
        let block = &rows.blocks()[place];
        let kept: Vec<usize> = (0..block.n_rows()).filter(|&row| keep(place, row)).collect();
        block.select(&kept)
    });
    MemoryRows::new(Arc::clone(rows.schema()), blocks)
}

/// The group column that a config declares.
///
/// # Errors
/// If it is the target, which no row to be scored has.
pub(crate) fn group_slot(config: &Config) -> Result<Option<usize>> {
    let Some(group) = config.split.as_ref().and_then(|split| split.group.as_ref()) else {
        return Ok(None);
    };
    if *group == config.target.column {
        let message = "expected a group column that is not the target";
        return Err(Error::new(Code::BadTarget, message).column(group));
    }
    config.input_schema()?.slot(group).map(Some)
}

/// What a row falls by: its fitting key, or the key of its group.
pub(crate) fn key_of(block: &Batch, row: usize, group: Option<usize>) -> RowKey {
    match group {
        None => block.fit_keys()[row],
        Some(slot) => group_key(block.column(slot), row),
    }
}

fn group_key(column: &Column, row: usize) -> RowKey {
    let kind = column.kind().to_string();
    let mut hasher = KeyHasher::new(GROUP_DOMAIN, &[("group", kind.as_str())]);
    match column {
        Column::Num(v) => hasher.word(v[row].to_bits()),
        Column::Time(v) => hasher.word(v[row] as u64),
        Column::Text(v) => {
            let words = match v.codes()[row] {
                MISSING_CODE => MISSING_TEXT,
                code => hasher.text_words(v.level(code as usize)),
            };
            words.into_iter().for_each(|word| hasher.word(word));
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use samescore_core::aggregate::Rows;
    use samescore_core::config::{SplitConfig, Task};
    use samescore_core::example;
    use samescore_core::models::ModelParams;
    use samescore_core::pipeline::Table;

    use super::*;

    fn config(test_ratio: f64, group: Option<&str>) -> Config {
        let mut models = ModelParams::examples().into_iter().map(|example| example.params);
        let Some(model) = models.find(|model| model.tasks().contains(&Task::Regression)) else {
            unreachable!("there is a model")
        };
        let mut config = example::config(Task::Regression, model);
        config.split = Some(SplitConfig { test_ratio, group: group.map(str::to_owned) });
        config
    }

    /// The scoring keys of the rows that are kept from the fit.
    fn test_keys(config: &Config, n_rows: usize) -> Vec<RowKey> {
        let table = Table::new(config, &example::table(n_rows, 1)).unwrap();
        let split = Split::of(config).unwrap();
        let kept = table.filter(|block, row| split.is_test(block, row));
        let mut keys: Vec<RowKey> = kept.blocks().iter().flat_map(|b| b.keys().to_vec()).collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_row_stays_in_the_test_part_when_rows_are_added_or_the_ratio_grows() {
        let few = test_keys(&config(0.2, None), 300);
        let more = test_keys(&config(0.2, None), 600);
        let larger = test_keys(&config(0.4, None), 300);
        assert!((30..90).contains(&few.len()), "{}", few.len());
        assert!(few.iter().all(|key| more.contains(key) && larger.contains(key)));
    }

    #[test]
    fn groups_stay_together() {
        let config = config(0.5, Some("rooms"));
        let table = Table::new(&config, &example::table(400, 1)).unwrap();
        let split = Split::of(&config).unwrap();
        let slot = table.rows().schema().slot("rooms").unwrap();
        let mut sides = std::collections::BTreeMap::new();
        for block in table.rows().blocks() {
            for row in 0..block.n_rows() {
                let group = block.num(slot)[row].to_bits();
                let side = split.is_test(block, row);
                assert_eq!(*sides.entry(group).or_insert(side), side);
            }
        }
        assert!(sides.values().any(|s| *s) && sides.values().any(|s| !*s));
    }
}
