//! A service in thirty lines: `embed ARTIFACT < rows.jsonl` prints a score per row of JSON.

use std::error::Error;
use std::io::{BufRead, Write};

use samescore_deploy::Scorer;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: embed ARTIFACT < rows.jsonl")?;
    // A service embeds it: `Scorer::from_bytes(include_bytes!("model.samescore"))?`.
    let scorer = Scorer::from_file(path)?;
    let mut scratch = scorer.scratch();
    let mut out = std::io::stdout().lock();
    writeln!(out, "row_key,score,bits,code,reason")?;
    for line in std::io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        match scorer.score_row(&row, &mut scratch) {
            Ok(score) => {
                // One score, or for a multiclass task one per class.
                let bits = scratch.values().iter().map(|x| format!("{:016x}", x.to_bits()));
                let bits = bits.collect::<Vec<_>>().join(":");
                writeln!(out, "{},{score},{bits},,", score.key)?;
            }
            Err(reason) => {
                let key = scratch.key().map_or_else(String::new, |key| key.to_string());
                let text = reason.to_string().replace('"', "\"\"");
                writeln!(out, "{key},,,{},\"{text}\"", reason.code())?;
            }
        }
    }
    Ok(())
}
