//! Judges every registered kind by what the project promises, bitwise, without naming one.
//!
//! Each check runs over every example of every registry, on tables of the example schema: seeded
//! ones as they come, wild ones in which the seed decides each column's trouble, and some with one
//! named trouble everywhere. A failure names the case, the table's seed and the first cell that
//! differs; all cases that fail are listed, not the first alone.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite starts programs and reads files; what it judges does not"
)]

mod common;

#[path = "conformance/aggregates.rs"]
mod aggregates;
#[path = "conformance/digests.rs"]
mod digests;
#[path = "conformance/fits.rs"]
mod fits;
#[path = "conformance/odd.rs"]
mod odd;
#[path = "conformance/outputs.rs"]
mod outputs;
#[path = "conformance/streamed.rs"]
mod streamed;
#[path = "conformance/whole.rs"]
mod whole;
