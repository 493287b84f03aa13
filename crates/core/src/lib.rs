//! core

pub mod digest;
pub mod rng;
