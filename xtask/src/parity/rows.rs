//! The same rows in every form: CSV, Parquet, shuffled, in other row groups, as JSON lines.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Bench;
use super::programs::text;
use crate::command;

/// Where each form is.
pub struct Sources {
    /// As the pipeline's config names it.
    pub original: PathBuf,
    /// As CSV.
    pub csv: PathBuf,
    /// As Parquet.
    pub parquet: PathBuf,
    /// As CSV, in another order.
    pub shuffled: PathBuf,
    /// As Parquet in small row groups, in a third order.
    pub regrouped: PathBuf,
    /// As one JSON object per row.
    pub json: PathBuf,
}

impl Sources {
    /// Writes every form, by research's own command.
    ///
    /// # Errors
    /// If the command fails or a file cannot be written.
    pub fn make(bench: &Bench<'_>) -> Result<Self, String> {
        let original = bench.pipeline.source.clone();
        let convert = |name: &str, more: &[&str]| {
            let out = bench.file(name);
            let config = text(&bench.pipeline.config);
            let args = ["convert", config, text(&out), "--data", text(&original)];
            let mut command = bench.programs.research(&[&args[..], more].concat());
            command::output(&mut command).map(|_| out)
        };
        let form = |name: &str| {
            let ending = Path::new(name).extension();
            if original.extension() == ending { Ok(original.clone()) } else { convert(name, &[]) }
        };
        let csv = form("source.csv")?;
        let json = bench.file("source.jsonl");
        write_json(bench, &csv, &json)?;
        Ok(Sources {
            csv,
            parquet: form("source.parquet")?,
            shuffled: convert("shuffled.csv", &["--shuffle", "1"])?,
            regrouped: convert(
                "regrouped.parquet",
                &["--shuffle", "2", "--row-group-rows", "1009"],
            )?,
            json,
            original,
        })
    }
}

fn write_json(bench: &Bench<'_>, csv: &Path, json: &Path) -> Result<(), String> {
    let bytes = fs::read(csv).map_err(|e| format!("{}: {e}", csv.display()))?;
    let is_num = |column: &str| {
        let kind = bench.pipeline.inputs.get(column)?;
        Some(kind == "num")
    };
    let lines = json_lines(&bytes, is_num)?;
    let mut file = fs::File::create(json).map_err(|e| e.to_string())?;
    file.write_all(lines.as_bytes()).map_err(|e| e.to_string())
}

/// One object per row, with the columns for which `is_num` knows the kind. A cell without text is
/// null; a number of a numeric column is the same decimal; anything else is text.
fn json_lines(csv: &[u8], is_num: impl Fn(&str) -> Option<bool>) -> Result<String, String> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let mut lines = String::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let cells = header.iter().zip(record.iter());
        let fields = cells.filter_map(|(name, cell)| {
            let value = match (cell, is_num(name)?) {
                ("", _) => "null".to_owned(),
                (cell, true) if is_json_number(cell) => cell.to_owned(),
                (cell, _) => serde_json::Value::from(cell).to_string(),
            };
            Some(format!("{}:{value}", serde_json::Value::from(name)))
        });
        let fields: Vec<String> = fields.collect();
        lines += &format!("{{{}}}\n", fields.join(","));
    }
    Ok(lines)
}

fn is_json_number(cell: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(cell).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_json_with_their_decimals() {
        let csv = b"x,s,y,drop\n0.10,\"a\"\"b\",,1\n+1,7,2,1\n";
        let is_num = |name: &str| ["x", "s", "y"].contains(&name).then_some(name != "s");
        let lines = json_lines(csv, is_num).unwrap();
        let expected =
            "{\"x\":0.10,\"s\":\"a\\\"b\",\"y\":null}\n{\"x\":\"+1\",\"s\":\"7\",\"y\":2}\n";
        assert_eq!(lines, expected);
    }
}
