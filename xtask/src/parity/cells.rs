//! Feature files (`transform --until`): the first cell in which two differ.

use std::collections::BTreeMap;

use super::compare::ulps;

/// A cell on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The column.
    pub column: String,
    /// The row key; empty if the columns themselves differ.
    pub row_key: String,
    /// What each side has: bits of a number, else the text; nothing if the row is absent.
    pub values: [String; 2],
    /// The distance, if both are numbers.
    pub ulps: Option<u64>,
}

/// The cells of one file by row key, with the names of its columns.
struct Table {
    columns: Vec<String>,
    rows: BTreeMap<(String, u32), Vec<String>>,
}

/// The first cell that differs: columns in order, `column` first if it is named; then rows by key.
///
/// # Errors
/// If one of the files cannot be read.
pub fn first_cell(a: &[u8], b: &[u8], column: &str) -> Result<Option<Cell>, String> {
    let (a, b) = (read(a)?, read(b)?);
    let mut names: Vec<&String> = a.columns.iter().chain(&b.columns).collect();
    names.sort_by_key(|name| (*name != column, a.columns.iter().position(|n| n == *name)));
    for name in names {
        let position = |t: &Table| t.columns.iter().position(|n| n == name);
        let (Some(i), Some(j)) = (position(&a), position(&b)) else {
            let has = |p: Option<usize>| {
                if p.is_some() { "the column" } else { "no column" }
            };
            return Ok(Some(Cell {
                column: name.clone(),
                row_key: String::new(),
                values: [has(position(&a)), has(position(&b))].map(str::to_owned),
                ulps: None,
            }));
        };
        let keys: std::collections::BTreeSet<_> = a.rows.keys().chain(b.rows.keys()).collect();
        for key in keys {
            let x = a.rows.get(key).map(|cells| cells[i].as_str());
            let y = b.rows.get(key).map(|cells| cells[j].as_str());
            if x != y {
                return Ok(Some(cell(name, &key.0, x, y)));
            }
        }
    }
    Ok(None)
}

fn read(bytes: &[u8]) -> Result<Table, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|e| e.to_string())?;
    let columns = header.iter().skip(1).map(str::to_owned).collect();
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let mut cells = record.iter().map(str::to_owned);
        let key = cells.next().unwrap_or_default();
        all.push((key, cells.collect::<Vec<_>>()));
    }
    all.sort();
    let mut rows = BTreeMap::new();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (key, cells) in all {
        let n = seen.entry(key.clone()).or_default();
        rows.insert((key, *n), cells);
        *n += 1;
    }
    Ok(Table { columns, rows })
}

fn cell(column: &str, row_key: &str, x: Option<&str>, y: Option<&str>) -> Cell {
    let bits = |text: Option<&str>| text?.parse().ok().map(f64::to_bits);
    let shown = |text: Option<&str>| match (text, bits(text)) {
        (None, _) => "no such row".to_owned(),
        (Some(""), _) => "missing".to_owned(),
        (Some(text), Some(bits)) => format!("0x{bits:016x} ({text})"),
        (Some(text), None) => format!("{text:?}"),
    };
    Cell {
        column: column.to_owned(),
        row_key: row_key.to_owned(),
        values: [shown(x), shown(y)],
        ulps: bits(x).zip(bits(y)).and_then(|(x, y)| ulps(x, y)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "row_key,x,s\nbb,1.5,b\naa,0.1,\n";

    fn first(b: &str, column: &str) -> Option<Cell> {
        first_cell(A.as_bytes(), b.as_bytes(), column).unwrap()
    }

    #[test]
    fn files_in_another_order_are_equal() {
        assert_eq!(first("row_key,x,s\naa,0.1,\nbb,1.5,b\n", ""), None);
    }

    #[test]
    fn a_number_is_shown_with_bits_and_distance() {
        let cell = first("row_key,x,s\nbb,1.5,b\naa,0.10000000000000002,\n", "").unwrap();
        assert_eq!((cell.column.as_str(), cell.row_key.as_str()), ("x", "aa"));
        assert_eq!(cell.ulps, Some(1));
        assert_eq!(cell.values[0], "0x3fb999999999999a (0.1)");
    }

    #[test]
    fn the_named_column_comes_first() {
        let both = "row_key,x,s\nbb,9,c\naa,0.1,\n";
        assert_eq!(first(both, "s").unwrap().column, "s");
        let cell = first("row_key,x,s\nbb,1.5,b\naa,0.1,z\n", "s").unwrap();
        assert_eq!(cell.values, ["missing", "\"z\""]);
    }

    #[test]
    fn an_absent_row_or_column_is_named() {
        let cell = first("row_key,x,s\nbb,1.5,b\n", "").unwrap();
        assert_eq!(cell.values, ["0x3fb999999999999a (0.1)", "no such row"]);
        let cell = first("row_key,x\nbb,1.5\naa,0.1\n", "").unwrap();
        assert_eq!(cell.column, "s");
    }
}
