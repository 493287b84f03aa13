//! Whole groups dealt out so that every fold has its share of every class.

use std::collections::BTreeMap;

use samescore_core::aggregate::MemoryRows;
use samescore_core::config::Config;
use samescore_core::digest::RowKey;
use samescore_core::error::Result;
use samescore_core::rng::Stream;

use super::{empty_parts, places, strata, too_few};
use crate::split;

/// The fold of each row; rows of a group are in one.
pub(super) fn dealt(
    config: &Config,
    rows: &MemoryRows,
    stream: &Stream,
    n_folds: u32,
    group: usize,
) -> Result<Vec<Vec<u32>>> {
    let classes = strata(config, rows, n_folds)?;
    let n_classes = classes.iter().max().map_or(0, |most| *most as usize + 1);
    let key = |block: usize, row: usize| split::key_of(&rows.blocks()[block], row, Some(group));
    let mut groups: BTreeMap<RowKey, Vec<u64>> = BTreeMap::new();
    for ((block, row), class) in places(rows).zip(&classes) {
        let counts = groups.entry(key(block, row)).or_insert_with(|| vec![0; n_classes]);
        counts[*class as usize] += 1;
    }
    if groups.len() < n_folds as usize {
        return Err(too_few("groups", u64::from(n_folds), groups.len()));
    }
    let folds = deal(&groups, |key| stream.hash(key), n_folds as usize);
    let mut parts = empty_parts(rows);
    for (block, row) in places(rows) {
        parts[block][row] = folds[&key(block, row)];
    }
    Ok(parts)
}

/// The fold of each group, from its rows by class.
fn deal(
    groups: &BTreeMap<RowKey, Vec<u64>>,
    draw: impl Fn(RowKey) -> u64,
    n_folds: usize,
) -> BTreeMap<RowKey, u32> {
    let n_classes = groups.values().next().map_or(0, Vec::len);
    let size = |counts: &[u64]| counts.iter().sum::<u64>();
    let mut order: Vec<(RowKey, &[u64])> =
        groups.iter().map(|(key, counts)| (*key, counts.as_slice())).collect();
    order.sort_by_key(|(key, counts)| (std::cmp::Reverse(size(counts)), draw(*key), *key));
    let of_class = |class: usize| groups.values().fold(0, |total: u64, n| total + n[class]);
    let totals: Vec<u64> = (0..n_classes).map(of_class).collect();
    let mut folds = vec![vec![0u64; n_classes]; n_folds];
    let mut found = BTreeMap::new();
    for (key, counts) in order {
        // Whole numbers in a fixed order of operations: the same on every machine.
        let crowd = |fold: &[u64]| {
            let mut crowd = 0.0;
            for ((n, there), total) in counts.iter().zip(fold).zip(&totals) {
                if *n > 0 {
                    crowd += (n * there) as f64 / *total as f64;
                }
            }
            crowd
        };
        let mut best = (0, crowd(&folds[0]), size(&folds[0]));
        for (at, fold) in folds.iter().enumerate().skip(1) {
            let (crowd, n_rows) = (crowd(fold), size(fold));
            if crowd < best.1 || (crowd == best.1 && n_rows < best.2) {
                best = (at, crowd, n_rows);
            }
        }
        folds[best.0].iter_mut().zip(counts).for_each(|(there, n)| *there += n);
        found.insert(key, best.0 as u32);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(groups: &[[u64; 2]], n_folds: usize) -> Vec<u32> {
        let keyed = groups.iter().enumerate();
        let keyed = keyed.map(|(at, counts)| (RowKey(at as u128), counts.to_vec())).collect();
        deal(&keyed, |key| key.0 as u64, n_folds).into_values().collect()
    }

    #[test]
    fn each_fold_has_its_share_of_each_class() {
        // By size: 0, then 1, 2, 3 of two rows each, then 4. Group 0 opens fold 0, and 1 fold 1,
        // where its class is absent; 2 finds 4 rows of class 0 in fold 0 and none in fold 1; 3
        // finds no class 1 in fold 0, two in fold 1; so does 4, and finds two in both: fewer rows
        // decide.
        let groups = [[4, 0], [0, 2], [2, 0], [0, 2], [1, 0]];
        assert_eq!(dealt(&groups, 2), [0, 1, 1, 0, 1]);
    }

    #[test]
    fn equal_groups_fill_the_folds_in_turn() {
        assert_eq!(dealt(&[[1, 1]; 6], 3), [0, 1, 2, 0, 1, 2]);
        // Group 2 finds two rows of its class in both folds, and fewer rows in fold 1; then there
        // are four in fold 1.
        assert_eq!(dealt(&[[2, 3], [2, 0], [2, 0], [2, 0]], 2), [0, 1, 1, 0]);
    }
}
