//! samescore-core: given the same inputs, exactly the same outputs.
//!
//! Every seeded transform, every model, and the artifact between research and production. Bytes in,
//! bytes out: core knows no file, socket, clock, environment, locale, log or global state. Each
//! room uses only those above it in this list, but for a few names: the traits of `step` say which
//! [`Columns`](config::Columns) and [`Task`](config::Task) a kind is for, the uses that kinds give
//! of themselves are over the table of [`example`], and a fit fills what an [`artifact`] holds.

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

pub mod canonical;

pub mod listing;

pub mod example;

#[cfg(test)]
mod testing;
