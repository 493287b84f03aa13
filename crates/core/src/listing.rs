//! The text form of scores and features: one function for research and deploy.
//!
//! CSV with a header, `\n` line ends, RFC 4180 quotes where they are needed, numbers as the
//! shortest decimal that reads back to the same bits. **Scores**: the declared key columns, then
//! `row_key` (32 hex digits), `score`, `bits` (16 hex digits), `code` and `reason`. A row without a
//! score has the last two instead. **Features**: `row_key`, then per column its values, then `code`
//! and `reason`; a row with a fault has the last two instead of values.
//!
//! **Marks.** Scores can have a last column `population` as well: `in`, or the column of the first
//! filter that the row does not meet, with a `_` behind it where that column is called `in`.
//!
//! A column of the table that is called like one of the listing's own gets a `_` behind its name,
//! and more of them until no other column has that name. Beside features `bits` is such a name too:
//! it is by this column that a listing of scores is known.

use std::fmt::Write;

use crate::batch::{Batch, Column, MISSING_TIME, write_num, write_time};
use crate::error::{Code, Error, Result};
use crate::pipeline::{INSIDE, Membership, Scores};

const ROW_KEY: &str = "row_key";
const POPULATION: &str = "population";
const FEATURE_COLUMNS: [&str; 4] = [ROW_KEY, "bits", "code", "reason"];

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
    marked_scores(source, key, classes, scores, None)
}

/// The same, with whether each row is inside the population.
///
/// # Errors
/// As [`scores`].
pub fn marked_scores(
    source: &Batch,
    key: &[String],
    classes: &[String],
    scores: &Scores,
    marks: Option<&Membership>,
) -> Result<String> {
    if classes.is_empty() {
        return listed(source, key, &["score".to_owned()], (scores, marks), |_, _| ());
    }
    let names: Vec<String> = ["class".to_owned()]
        .into_iter()
        .chain(classes.iter().map(|class| format!("score_{class}")))
        .collect();
    listed(source, key, &names, (scores, marks), |text, row| {
        let class = scores.class(row).ok().and_then(|class| classes.get(class));
        push_cell(text, class.map_or("", String::as_str));
        text.push(',');
    })
}

/// The scores of a binary task with the `class` before each: 1 from `threshold` on, else 0.
///
/// # Errors
/// As [`scores`].
pub fn decided(source: &Batch, key: &[String], threshold: f64, scores: &Scores) -> Result<String> {
    let names = ["class".to_owned(), "score".to_owned()];
    listed(source, key, &names, (scores, None), |text, row| {
        let is_positive = scores.get(row).is_ok_and(|score| score >= threshold);
        text.push_str(if is_positive { "1," } else { "0," });
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
    listed(source, key, names, (values, None), |_, _| ())
}

/// What a mark says of `row`: `in`, or the column of the filter that excludes it.
pub fn mark(marks: &Membership, row: usize) -> std::borrow::Cow<'_, str> {
    match marks.outside(row) {
        None => INSIDE.into(),
        Some(INSIDE) => format!("{INSIDE}_").into(),
        Some(column) => column.into(),
    }
}

/// One line per row; `lead` writes the cells before the values.
fn listed(
    source: &Batch,
    key: &[String],
    names: &[String],
    (scores, marks): (&Scores, Option<&Membership>),
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
    let mut own = vec![ROW_KEY, "bits", "code", "reason"];
    own.extend(names.iter().map(String::as_str));
    own.extend(marks.map(|_| POPULATION));
    for name in free_names(key.iter().map(String::as_str), &own) {
        push_cell(&mut text, &name);
        text.push(',');
    }
    text.push_str("row_key,");
    for name in names {
        push_cell(&mut text, name);
        text.push(',');
    }
    text.push_str("bits,code,reason");
    text.push_str(if marks.is_some() { ",population\n" } else { "\n" });
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
                (0..=names.len()).for_each(|_| text.push(','));
                push_reason(&mut text, reason);
            }
        }
        if let Some(marks) = marks {
            text.push(',');
            push_cell(&mut text, &mark(marks, row));
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

/// The columns of blocks that [`Plan::transform`](crate::pipeline::Plan::transform) gave: of one
/// block at least, whose schema is the header's.
pub fn features(blocks: &[Batch]) -> String {
    let mut text = String::from(ROW_KEY);
    let names = blocks.first().map(|block| free_names(block.schema().names(), &FEATURE_COLUMNS));
    for name in names.unwrap_or_default() {
        text.push(',');
        push_cell(&mut text, &name);
    }
    text.push_str(",code,reason\n");
    for block in blocks {
        for row in 0..block.n_rows() {
            let _ = write!(text, "{}", block.keys()[row]);
            let fault = block.fault_of(row);
            for column in block.columns() {
                text.push(',');
                if fault.is_none() {
                    push_value(&mut text, column, row);
                }
            }
            text.push(',');
            match fault {
                Some(reason) => push_reason(&mut text, reason),
                None => text.push(','),
            }
            text.push('\n');
        }
    }
    text
}

/// The names of a table's columns as a listing shows them beside its `own` ones.
fn free_names<'a>(names: impl Iterator<Item = &'a str>, own: &[&str]) -> Vec<String> {
    let mut free: Vec<String> = names.map(str::to_owned).collect();
    for place in 0..free.len() {
        let mut name = free[place].clone();
        while own.contains(&&*name) || (name != free[place] && free.contains(&name)) {
            name.push('_');
        }
        free[place] = name;
    }
    free
}

fn push_reason(text: &mut String, reason: &Error) {
    let _ = write!(text, "{},", reason.code());
    push_cell(text, &reason.to_string());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::RowKey;
    use crate::testing::{nums, table, texts};

    fn keyed(columns: &[(&str, Column)]) -> Batch {
        let mut block = table(columns);
        block.set_keys((0..block.n_rows() as u128).map(RowKey).collect());
        block
    }

    #[test]
    fn a_row_with_a_fault_has_its_reason_instead_of_values() {
        let mut block = keyed(&[("x", nums(&[0.5, 2.0])), ("s", texts(&["a,b", "c"]))]);
        block.fault(1, 0, Error::new(Code::BadValue, "expected less, found 2"));
        let expected = format!(
            "row_key,x,s,code,reason\n{:032x},0.5,\"a,b\",,\n\
             {:032x},,,SS0301,\"column `x`: expected less, found 2\"\n",
            0, 1
        );
        assert_eq!(features(&[block]), expected);
    }

    #[test]
    fn a_mark_is_the_last_cell_of_a_row_with_or_without_a_score() {
        let columns = [("in", texts(&["a", "b", ""])), ("population", nums(&[1.0, -2.0, 3.0]))];
        let source = table(&columns);
        let mut found = Scores::default();
        found.push(RowKey(1), Ok(&[0.5][..]));
        found.push(RowKey(2), Err(Error::new(Code::BadValue, "no")));
        found.push(RowKey(3), Ok(&[2.0][..]));
        let min = Some(crate::config::Bound::Num(0.0));
        let filters = [
            crate::config::RowFilter { min, ..crate::config::RowFilter::present("population") },
            crate::config::RowFilter::present("in"),
        ];
        let marks = Membership::of(&filters, &source).unwrap();
        let key = ["population".to_owned()];
        let listed = marked_scores(&source, &key, &[], &found, Some(&marks)).unwrap();
        let expected = format!(
            "population_,row_key,score,bits,code,reason,population\n\
             1,{:032x},0.5,3fe0000000000000,,,in\n\
             -2,{:032x},,,SS0301,no,population\n\
             3,{:032x},2,4000000000000000,,,in_\n",
            1, 2, 3
        );
        assert_eq!(listed, expected);
        let plain = scores(&source, &key, &[], &found).unwrap();
        assert_eq!(plain.lines().next(), Some("population,row_key,score,bits,code,reason"));
    }

    #[test]
    fn no_row_leaves_the_header() {
        assert_eq!(features(&[keyed(&[("x", nums(&[]))])]), "row_key,x,code,reason\n");
    }

    #[test]
    fn names_of_the_listing_itself_are_left_to_it() {
        let names = ["code", "row_key", "code_", "score", "bits"];
        assert_eq!(
            free_names(names.into_iter(), &FEATURE_COLUMNS),
            ["code__", "row_key_", "code_", "score", "bits_"]
        );
        let columns = [("score", nums(&[1.0])), ("code", nums(&[2.0]))];
        let mut one = Scores::default();
        one.push(RowKey(0), Ok(&[0.5][..]));
        let listed = scores(&table(&columns), &["score".to_owned(), "code".to_owned()], &[], &one);
        let header = "score_,code_,row_key,score,bits,code,reason";
        assert_eq!(listed.unwrap().lines().next(), Some(header));
    }
}
