//! Score files and feature files, row by row key.

use std::collections::BTreeMap;

use samescore_core::csv_form::CsvTable;
use samescore_core::error::Result;

use super::Difference;

const KEY_COLUMN: &str = "row_key";
/// The bits say what the score says.
const BITS_COLUMN: &str = "bits";
const SCORE_COLUMN: &str = "score";

fn is_score(column: &str) -> bool {
    column == SCORE_COLUMN || column.starts_with("score_")
}

struct Listing {
    header: Vec<String>,
    /// The rows of each key, in the order of their cells.
    rows: BTreeMap<String, Vec<Vec<Cell>>>,
}

/// What stands in a cell; `None` is a missing value, `Some` of an empty text an empty label.
type Cell = Option<String>;

/// One difference per column that differs, its first row by key; before them, rows and columns that
/// only one side has.
pub(super) fn compare(stage: &str, a: &[u8], b: &[u8]) -> Result<Vec<Difference>> {
    let (a, b) = (read(a)?, read(b)?);
    let mut differences = one_sided_columns(stage, &a, &b);
    differences.extend(one_sided_rows(stage, &a, &b));
    for (place, name) in a.header.iter().enumerate() {
        let Some(other) = b.header.iter().position(|n| n == name) else {
            continue;
        };
        let is_told = name == BITS_COLUMN
            && differences.iter().any(|d| d.column.as_deref().is_some_and(is_score));
        if !is_told {
            differences.extend(column(stage, name, (&a, place), (&b, other)));
        }
    }
    Ok(differences)
}

fn read(bytes: &[u8]) -> Result<Listing> {
    let table = CsvTable::open("listing", bytes)?;
    let header = table.names().to_vec();
    let key = header.iter().position(|name| name == KEY_COLUMN).unwrap_or_default();
    let mut rows: BTreeMap<String, Vec<Vec<Cell>>> = BTreeMap::new();
    table.for_each_told_row(|cells| {
        let row: Vec<Cell> = cells.iter().map(|cell| cell.as_deref().map(str::to_owned)).collect();
        rows.entry(row[key].clone().unwrap_or_default()).or_default().push(row);
    });
    rows.values_mut().for_each(|same| same.sort());
    Ok(Listing { header, rows })
}

fn one_sided_columns(stage: &str, a: &Listing, b: &Listing) -> Vec<Difference> {
    let only = |x: &Listing, y: &Listing, left: &str, right: &str| -> Vec<Difference> {
        let absent = x.header.iter().filter(|name| !y.header.contains(name));
        let named = absent.map(|name| Difference {
            column: Some(name.clone()),
            ..Difference::of(stage, left, right)
        });
        named.collect()
    };
    let mut differences = only(a, b, "a column", "no such column");
    differences.extend(only(b, a, "no such column", "a column"));
    differences
}

/// The first row that only the one side has, and the first one that only the other has.
fn one_sided_rows(stage: &str, a: &Listing, b: &Listing) -> Vec<Difference> {
    let only = |x: &Listing, y: &Listing, left: &str, right: &str| -> Option<Difference> {
        let n_in = |listing: &Listing, key: &str| listing.rows.get(key).map_or(0, Vec::len);
        let mut absent = x.rows.iter().filter(|(key, rows)| rows.len() > n_in(y, key)).peekable();
        let first = absent.peek()?.0.clone();
        let n_cells = absent.map(|(key, rows)| (rows.len() - n_in(y, key)) as u64).sum::<u64>();
        Some(Difference { row_key: Some(first), n_cells, ..Difference::of(stage, left, right) })
    };
    let left = only(a, b, "a row", "no such row");
    let right = only(b, a, "no such row", "a row");
    left.into_iter().chain(right).collect()
}

fn column(
    stage: &str,
    name: &str,
    a: (&Listing, usize),
    b: (&Listing, usize),
) -> Option<Difference> {
    let mut first: Option<Difference> = None;
    for (key, rows) in &a.0.rows {
        let others = b.0.rows.get(key).map(Vec::as_slice).unwrap_or_default();
        for (row, other) in rows.iter().zip(others) {
            let (x, y) = (&row[a.1], &other[b.1]);
            if x == y {
                continue;
            }
            match &mut first {
                Some(first) => first.n_cells += 1,
                None => {
                    let mut difference = Difference::of(stage, shown(x), shown(y));
                    if name == BITS_COLUMN {
                        difference.bits = None;
                    }
                    difference.column = Some(name.to_owned());
                    difference.row_key = Some(key.clone());
                    first = Some(difference);
                }
            }
        }
    }
    first
}

fn shown(cell: &Cell) -> &str {
    match cell.as_deref() {
        None => "nothing",
        Some("") => "an empty label",
        Some(text) => text,
    }
}
