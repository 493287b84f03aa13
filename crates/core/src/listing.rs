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

/// The scores of the rows of `source` in its order. `key` are the declared key columns, `classes`
/// the labels of a multiclass task: its rows have the most probable `class`, a `score_` column per
/// label, and `bits` of each with a colon between them.
///
/// # Errors
/// If `source` lacks a key column.
pub fn scores(
    source: &Batch,
    key: &[String],
    classes: &[String],
    scores: &Scores,
) -> Result<String> {
    if classes.is_empty() {
        return listed(source, key, &["score".to_owned()], scores, |_, _| ());
    }
    let names: Vec<String> = ["class".to_owned()]
        .into_iter()
        .chain(classes.iter().map(|class| format!("score_{class}")))
        .collect();
    listed(source, key, &names, scores, |text, row| {
        let class = scores.class(row).ok().and_then(|class| classes.get(class));
        push_cell(text, class.map_or("", String::as_str));
        text.push(',');
    })
}

/// Another output of the model for the rows of `source`, under the names of
/// [`Plan::outputs`](crate::pipeline::Plan::outputs); with the bits of each value.
///
/// # Errors
/// If `source` lacks a key column.
pub fn outputs(
    source: &Batch,
    key: &[String],
    names: &[String],
    values: &Scores,
) -> Result<String> {
    listed(source, key, names, values, |_, _| ())
}

/// One line per row; `lead` writes the cells before the values.
fn listed(
    source: &Batch,
    key: &[String],
    names: &[String],
    scores: &Scores,
    lead: impl Fn(&mut String, usize),
) -> Result<String> {
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
    text.push_str("row_key,");
    for name in names {
        push_cell(&mut text, name);
        text.push(',');
    }
    text.push_str("bits,code,reason\n");
    for row in 0..scores.len() {
        for &slot in &slots {
            push_value(&mut text, source.column(slot), row);
            text.push(',');
        }
        let _ = write!(text, "{},", scores.keys()[row]);
        match scores.values(row) {
            Ok(values) => {
                lead(&mut text, row);
                push_scores(&mut text, values);
            }
            Err(reason) => {
                (0..names.len()).for_each(|_| text.push(','));
                let _ = write!(text, ",{},", reason.code());
                push_cell(&mut text, &reason.to_string());
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// Appends values, their bits, and two empty cells.
fn push_scores(text: &mut String, values: &[f64]) {
    for &value in values {
        write_num(text, value);
        text.push(',');
    }
    for (place, value) in values.iter().enumerate() {
        let between = if place == 0 { "" } else { ":" };
        let _ = write!(text, "{between}{:016x}", value.to_bits());
    }
    text.push_str(",,");
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
