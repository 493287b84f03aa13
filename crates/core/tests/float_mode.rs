//! A thread whose float mode somebody has changed computes nothing, in whatever way rows are scored
//! or fitted. A test of its own: it changes the threads of the whole process.

#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "only an instruction can change the float mode of a thread")]

use std::arch::asm;
use std::collections::BTreeMap;

use samescore_core::artifact::Artifact;
use samescore_core::batch::BLOCK_ROWS;
use samescore_core::config::Task;
use samescore_core::error::{Code, Error, Result};
use samescore_core::example;
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::StandardScalerParams;

/// The default mode, and one that flushes subnormal numbers to zero.
const DEFAULT: u32 = 0x1f80;
const FLUSH: u32 = 0x9fc0;

fn set_mode(mode: u32) {
    // SAFETY: the instruction reads four bytes and changes the float mode of this thread alone.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &mode, options(nostack, readonly)) };
}

fn refused<T>(result: Result<T>, what: &str) {
    match result.map_err(|e: Error| e.code()) {
        Err(code) => assert_eq!(code, Code::HostFloatMode, "{what}"),
        Ok(_) => panic!("{what}: expected a refusal, found none"),
    }
}

#[test]
fn threads_of_another_mode_compute_nothing() {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default());
    config.data.columns.retain(|name, _| ["area", "rooms", "price"].contains(&name.as_str()));
    // A trace computes in its steps.
    let config = config.step("scale", &["area"], StandardScalerParams::default());
    let table = example::table(2 * BLOCK_ROWS + 1, 1);
    let rows = || Table::new(&config, &table).expect("a table");
    let fingerprint = rows().fingerprint();
    let fitted = fit(&config, rows().into_rows()).expect("a fit");
    let artifact = Artifact::seal(&config, fingerprint, fitted, BTreeMap::new());
    let artifact = artifact.expect("an artifact");
    let plan = artifact.plan();

    // The threads that maps use without a pool of ours are those of the whole process.
    let before = rows();
    rayon::broadcast(|_| set_mode(FLUSH));
    refused(plan.score(&table), "score");
    refused(plan.transform(&table, None), "transform");
    refused(plan.trace(&table), "trace");
    refused(fit(&config, before.into_rows()), "fit");
    rayon::broadcast(|_| set_mode(DEFAULT));
    assert!(plan.score(&table).is_ok());

    set_mode(FLUSH);
    let one = table.select(&[0]);
    let found = [plan.score(&one).err(), plan.transform(&one, None).err(), plan.trace(&one).err()];
    set_mode(DEFAULT);
    for (error, what) in found.into_iter().zip(["score", "transform", "trace"]) {
        refused(error.map_or(Ok(()), Err), what);
    }
}
