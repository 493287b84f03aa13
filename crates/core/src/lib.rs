//! samescore-core: given the same inputs, exactly the same outputs.
//!
//! Every seeded transform, every model, and the artifact between research and production. Bytes in,
//! bytes out: core knows no file, socket, clock, environment, locale, log or global state. Each
//! room uses only those above it in this list.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod error;

pub mod faults;

pub mod math;

pub mod digest;

pub mod rng;

pub mod par;

pub mod batch;

pub mod csv_form;

pub mod aggregate;

pub mod trace;

pub mod step;

pub mod transforms;

pub mod models;

pub mod selectors;

pub mod codec;

pub mod config;

pub mod pipeline;

pub mod artifact;

pub mod listing;

pub mod example;

#[cfg(test)]
mod testing;
