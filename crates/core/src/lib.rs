//! core

pub mod digest;
pub mod math;
pub mod rng;
