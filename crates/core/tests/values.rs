//! What every example learns, and what it makes of the first rows, in bits and in decimals.
//!
//! One snapshot per example under `snapshots/values/`. A moved value is a release note: the kind
//! needs a new version, or the change a reason. Nothing is written unless `INSTA_UPDATE` says so
//! (`always` after a review of why).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite reads files; what it judges does not"
)]

mod common;

use samescore_core::batch::{Batch, Column, Schema, show_num, show_time};
use samescore_core::digest::{bits_hex, sha256};
use samescore_core::rng::Seed;

use common::cases::{Case, Params, cases};
use common::judge::{guarded, on_cases};
use common::msgpack::Value;
use common::run::{self, Cell, Output, State};
use common::{tables, workspace};

const N_ROWS: usize = 5;
/// Longer states end with the number of values left out; the digest is of all of them.
const N_VALUES: usize = 24;

#[test]
fn every_example_learns_and_gives_what_it_did() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(workspace().join("snapshots/values"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        on_cases(|case| {
            let text = described(case)?;
            guarded(|| {
                insta::assert_snapshot!(case.name.as_str(), text);
                Ok(())
            })
        });
    });
}

#[test]
fn every_snapshot_is_of_an_example() {
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    let folder = std::fs::read_dir(workspace().join("snapshots/values"));
    for file in folder.expect("the folder of value snapshots") {
        let name = file.expect("an entry").file_name().to_string_lossy().into_owned();
        let owned = name.strip_suffix(".snap").is_some_and(|stem| names.iter().any(|n| n == stem));
        assert!(owned, "snapshots/values/{name} is of no registered example (remove it)");
    }
}

/// Params, state, schema and first rows.
fn described(case: &Case) -> Result<String, String> {
    let task = case.tasks[0];
    let batch = tables::keyed(&tables::example(1, 60), task);
    let state =
        run::fit(case, task, &tables::rows(&batch, 64), Seed(7)).map_err(|e| e.to_string())?;
    let output = state.apply(case, &batch).map_err(|e| e.to_string())?;
    let params = match &case.params {
        Params::Transform(p) => toml::to_string(p),
        Params::Selector(p) => toml::to_string(p),
        Params::Model(p) => toml::to_string(p),
    };
    let slots = run::slots(case, batch.schema()).map_err(|e| e.to_string())?;
    let columns: Vec<&str> = slots.iter().map(|&s| name_at(batch.schema(), s)).collect();
    Ok(format!(
        "columns: {}\ntask: {task:?}\n\n{}\n{}\n{}",
        columns.join(", "),
        params.map_err(|e| e.to_string())?,
        learned(&state),
        rows(&batch, &output),
    ))
}

fn name_at(schema: &Schema, slot: usize) -> &str {
    &schema.fields()[slot].name
}

/// The learned values one per line, floats in bits and decimals.
fn learned(state: &State) -> String {
    let bytes = state.bytes();
    let mut lines = Vec::new();
    // Two maps around the state say which room and which kind.
    Value::read(&bytes).visit("", &mut |path, value| {
        let value = match value {
            Value::Float(x) => format!("{} {}", bits_hex(*x), show_num(*x)),
            Value::Int(x) => x.to_string(),
            Value::Bool(x) => x.to_string(),
            Value::Text(x) => format!("{:?}", String::from_utf8_lossy(x)),
            Value::Bytes(x) => format!("{} bytes {}", x.len(), sha256(x).short()),
            Value::Nil => "none".to_owned(),
            Value::List(x) if x.is_empty() => "[]".to_owned(),
            Value::List(_) | Value::Map(_) => return,
        };
        let path = path.splitn(4, '.').nth(3).unwrap_or("state");
        lines.push(format!("{path} = {value}"));
    });
    let n_more = lines.len().saturating_sub(N_VALUES);
    lines.truncate(N_VALUES);
    if n_more > 0 {
        lines.push(format!("and {n_more} more"));
    }
    format!("state {}:\n{}\n", sha256(&bytes).short(), lines.join("\n"))
}

/// The columns that the step changed or made, in the first rows.
fn rows(batch: &Batch, output: &Output) -> String {
    let changed: Vec<usize> = (0..output.schema.len())
        .filter(|&slot| {
            let before = batch.schema().position(name_at(&output.schema, slot));
            before.is_none_or(|before| {
                let column: &Column = batch.column(before);
                let rows = output.rows.iter().enumerate();
                rows.into_iter().any(|(row, (cells, _))| cells[slot] != run::cell(column, row))
            })
        })
        .collect();
    let gone = batch.schema().names().filter(|n| output.schema.position(n).is_none());
    let gone: Vec<&str> = gone.collect();
    let mut text = format!("output {}:\n", output.digest().short());
    if !gone.is_empty() && output.schema.len() > 1 {
        text += &format!("without {}\n", gone.join(", "));
    }
    for (row, (cells, fault)) in output.rows.iter().take(N_ROWS).enumerate() {
        text += &format!("row {row}\n");
        for &slot in &changed {
            text += &format!("  {} = {}\n", name_at(&output.schema, slot), shown(&cells[slot]));
        }
        if let Some(fault) = fault {
            text += &format!("  fault: {fault}\n");
        }
    }
    text
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Num(bits) => {
            let x = f64::from_bits(*bits);
            let decimal = if x.is_nan() { "missing".to_owned() } else { show_num(x) };
            format!("{} {decimal}", bits_hex(x))
        }
        Cell::Text(None) => "missing".to_owned(),
        Cell::Text(Some(label)) => format!("{label:?}"),
        Cell::Time(t) => show_time(*t),
    }
}
