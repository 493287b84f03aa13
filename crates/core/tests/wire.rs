//! The stored form: golden artifacts that load for ever, and whatever else bytes may be, refused.

mod common;

#[path = "wire/damage.rs"]
mod damage;
#[path = "wire/forge.rs"]
mod forge;
#[path = "wire/golden.rs"]
mod golden;
