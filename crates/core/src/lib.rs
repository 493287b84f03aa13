//! core

pub mod math;
