//! A proof that cannot fail proves nothing: every injected fault must be caught, at its place.
//!
//! One audit compares runs that must agree. Without a fault it finds nothing; with each fault it
//! must name the check and the stage of the table below. Every fault runs in a process of its own,
//! because its switch is global; release builds have no switch, and nothing to test here.
#![cfg(debug_assertions)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite starts programs and reads files; what it judges does not"
)]

mod common;

use std::collections::BTreeMap;

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Column, ColumnKind};
use samescore_core::config::{Config, Task};
use samescore_core::error::Result;
use samescore_core::faults::{Fault, inject};
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::trace::{Trace, first_difference};
use samescore_core::transforms::*;
use samescore_core::{example, math};

use common::in_another_process;
use common::run::threads;
use common::tables;

const INJECTED: &str = "SAMESCORE_INJECTED_FAULT";

/// What catches each fault first, and the stage that it names.
const CAUGHT: &[(Fault, &str, &str)] = &[
    (Fault::HashMapOrder, "fit again", "encode"),
    (Fault::FusedMultiplyAdd, "load", "score"),
    (Fault::SumSplitByThread, "fit again", "scale"),
    (Fault::StdExp, "math", "exp"),
    (Fault::DrawByBatchPosition, "load", "sample"),
    (Fault::ReusedSeed, "fit again", "sample"),
    (Fault::DroppedRow, "load", "input"),
    (Fault::NegativeZero, "score", "input"),
    (Fault::ReorderedColumns, "score in another order", "input"),
    (Fault::StaleCategoryTable, "score", "encode"),
];

/// A pipeline in which each fault has a place to happen.
fn config() -> Config {
    let arbitrary = OrdinalEncoderParams {
        method: OrdinalMethod::Arbitrary,
        ..OrdinalEncoderParams::default()
    };
    let mean = MeanMedianImputerParams { method: ImputeMethod::Mean };
    let mut config = example::config(Task::Regression, LinearRegressionParams::default())
        .step("sample", &["age"], drawing())
        .step("impute", &["fare"], mean)
        .step("encode", &["name", "sex"], arbitrary)
        .step("scale", &["area", "fare"], StandardScalerParams::default());
    for unused in ["constant", "deck", "grade", "seen", "sold"] {
        config.data.columns.remove(unused);
    }
    config
}

/// The first registered transform that draws, whichever it is, on numbers.
fn drawing() -> TransformParams {
    let mut examples = TransformParams::examples().into_iter().map(|e| e.params);
    let on_numbers = |p: &TransformParams| p.draws() && p.accepts().contains(&ColumnKind::Num);
    examples.find(on_numbers).expect("a transform that draws")
}

fn sealed(table: &Batch, block_rows: usize) -> Result<Artifact> {
    let config = config();
    let table = Table::with_block_rows(&config, table, block_rows)?;
    let fingerprint = table.fingerprint();
    let fitted = fit(&config, table.into_rows())?;
    Artifact::seal(&config, fingerprint, fitted, BTreeMap::new())
}

/// The table as a source would give it in which every zero is written with a minus.
fn with_signed_zeros(table: &Batch) -> Batch {
    let columns = table.columns().iter().map(|column| match column {
        Column::Num(v) => Column::num(v.iter().map(|x| if *x == 0.0 { -0.0 } else { *x })),
        other => other.clone(),
    });
    Batch::new(std::sync::Arc::clone(table.schema()), columns.collect()).expect("the same columns")
}

/// What was computed before any fault.
struct Reference {
    table: Batch,
    artifact: Artifact,
    trace: Trace,
}

/// The first check that fails, with the stage that it names.
fn audit(reference: &Reference) -> Option<(&'static str, String)> {
    if let Err(found) = math::self_test() {
        let name = found.split('`').nth(1).unwrap_or_default();
        return Some(("math", name.to_owned()));
    }
    let artifact = match Artifact::from_bytes(reference.artifact.bytes()) {
        Ok(artifact) => artifact,
        Err(e) => return Some(("load", e.step_name().unwrap_or("nowhere").to_owned())),
    };
    let table = with_signed_zeros(&reference.table);
    let other = tables::reversed_columns(&tables::reordered(&table, 1));
    for (check, batch) in [("score", &table), ("score in another order", &other)] {
        let found = threads(2).run(|| artifact.plan().trace(batch));
        if let Some(stage) = differs(&reference.trace, found.map(|(_, trace)| trace)) {
            return Some((check, stage));
        }
    }
    for (block_rows, n_threads) in [(64, 1), (7, 2), (1, 8)] {
        let refit = threads(n_threads).run(|| sealed(&other, block_rows));
        let found = refit.and_then(|artifact| artifact.plan().trace(&reference.table));
        if let Some(stage) = differs(&reference.trace, found.map(|(_, trace)| trace)) {
            return Some(("fit again", stage));
        }
    }
    None
}

fn differs(expected: &Trace, found: Result<Trace>) -> Option<String> {
    match found {
        Ok(found) => first_difference(expected, &found).map(|d| d.stage),
        Err(e) => Some(e.step_name().unwrap_or("nowhere").to_owned()),
    }
}

#[test]
fn every_injected_fault_is_caught_where_it_happens() {
    if let Ok(name) = std::env::var(INJECTED) {
        return commit(name.parse().expect("a fault"));
    }
    let listed: Vec<Fault> = CAUGHT.iter().map(|row| row.0).collect();
    assert_eq!(listed, Fault::ALL, "every fault has its row");
    let mut wrong = Vec::new();
    for (fault, check, stage) in CAUGHT {
        let name = "every_injected_fault_is_caught_where_it_happens";
        let (ok, text) = in_another_process(name, INJECTED, fault.name());
        let expected = format!("{fault}: caught by `{check}` at `{stage}`");
        if !ok || !text.lines().any(|line| line.ends_with(&expected)) {
            let found = text.lines().find(|line| line.contains("caught by"));
            let found = found.unwrap_or(&text);
            wrong.push(format!("expected {expected}\n   found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Audits without a fault, then with it, and prints what was caught.
fn commit(fault: Fault) {
    let table = tables::example(4, 80);
    let artifact = sealed(&table, 1000).expect("a fit");
    let (_, trace) = artifact.plan().trace(&table).expect("a trace");
    let reference = Reference { table, artifact, trace };
    assert_eq!(audit(&reference), None, "the audit finds a fault where there is none");
    inject(Some(fault));
    let caught = audit(&reference);
    inject(None);
    let (check, stage) = caught.unwrap_or_else(|| panic!("{fault} was not caught"));
    println!("\n{fault}: caught by `{check}` at `{stage}`");
    assert_eq!(audit(&reference), None, "the fault stays after its switch is off");
}
