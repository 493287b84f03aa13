//! The text form of scores and features: one function for research and deploy.
//!
//! CSV with a header, `\n` line ends, RFC 4180 quotes where they are needed, numbers as the
//! shortest decimal that reads back to the same bits. **Scores**: the declared key columns, then
//! `row_key` (32 hex digits), `score`, `bits` (16 hex digits), `code` and `reason`. A row without a
//! score has the last two instead. **Features**: `row_key`, then per column its values; a row with
//! a fault is all empty.

use std::fmt::Write;

use crate::batch::{Batch, Column, MISSING_TIME, write_num, write_time};
use crate::error::{Code, Error, Result};
use crate::pipeline::Scores;

/// The scores of the rows of `source` in its order. `key` are the declared key columns.
///
/// # Errors
/// If `source` lacks a key column.
pub fn scores(source: &Batch, key: &[String], scores: &Scores) -> Result<String> {
    let slots: Vec<usize> = key
        .iter()
        .map(|name| {
            let slot = source.schema().position(name);
            slot.ok_or_else(|| Error::new(Code::MissingColumn, "expected it").column(name))
        })
        .collect::<Result<_>>()?;
    let mut text = String::with_capacity(64 * (scores.len() + 1));
    for name in key {
        push_cell(&mut text, name);
        text.push(',');
    }
    text.push_str("row_key,score,bits,code,reason\n");
    for (row, (row_key, score)) in scores.iter().enumerate() {
        for &slot in &slots {
            push_value(&mut text, source.column(slot), row);
            text.push(',');
        }
        let _ = write!(text, "{row_key}");
        match score {
            Ok(score) => {
                text.push(',');
                write_num(&mut text, score);
                let _ = write!(text, ",{:016x},,", score.to_bits());
            }
            Err(reason) => {
                text.push_str(&format!(",,,{},", reason.code()));
                push_cell(&mut text, &reason.to_string());
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// The columns of blocks that [`Plan::transform`](crate::pipeline::Plan::transform) gave.
pub fn features(blocks: &[Batch]) -> String {
    let mut text = String::from("row_key");
    if let Some(first) = blocks.first() {
        for name in first.schema().names() {
            text.push(',');
            push_cell(&mut text, name);
        }
    }
    text.push('\n');
    for block in blocks {
        for row in 0..block.n_rows() {
            let _ = write!(text, "{}", block.keys()[row]);
            for column in block.columns() {
                text.push(',');
                if !block.has_fault(row) {
                    push_value(&mut text, column, row);
                }
            }
            text.push('\n');
        }
    }
    text
}

/// Appends a value; missing is empty, and an empty label is `""`.
fn push_value(text: &mut String, column: &Column, row: usize) {
    match column {
        Column::Num(v) => write_num(text, v[row]),
        Column::Time(v) if v[row] == MISSING_TIME => {}
        Column::Time(v) => write_time(text, v[row]),
        Column::Text(v) => match v.get(row) {
            None => {}
            Some("") => text.push_str("\"\""),
            Some(label) => push_cell(text, label),
        },
    }
}

/// Appends a cell, in quotes if it needs them.
fn push_cell(text: &mut String, cell: &str) {
    if !cell.contains([',', '"', '\n', '\r']) {
        text.push_str(cell);
        return;
    }
    text.push('"');
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}
