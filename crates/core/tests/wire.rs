//! The stored form: golden artifacts that load for ever, and whatever else bytes may be, refused.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite starts programs and reads files; what it judges does not"
)]

mod common;

#[path = "wire/damage.rs"]
mod damage;
#[path = "wire/forge.rs"]
mod forge;
#[path = "wire/golden.rs"]
mod golden;
