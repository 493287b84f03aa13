//! Seeds, streams and draws: every random number of the project.
//!
//! **Method.** A [`Stream`] is 32 bytes derived by SHA-256 from (seed, step name, column, purpose).
//! It draws in two ways: in sequence, by PCG64DXSM ([`Stream::pcg`]), for things that have a
//! canonical order; and by row, by SipHash-2-4 of the row key ([`Stream::row`]), for everything
//! that belongs to a row, so that no draw depends on which rows came before. [`Draw`] turns raw
//! words into numbers by algorithms written here, once, with golden vectors.
//!
//! **Absent.** No generator that seeds itself, no state shared between steps, no stream made by
//! counting or by jumping ahead in another, no `usize` drawn, no algorithm of another crate but the
//! raw output of the two generators.
//!
//! Every number that leaves this room is a promise: a changed algorithm needs a new name.
//!
//! - `stream`: [`Seed`], [`Stream`], [`Pcg`], [`RowDraws`]
//! - `distributions`: [`Draw`]: bounded integers, uniform, normal, exponential, Poisson, gamma
//! - `rejection`: the longer algorithms behind [`Draw`]
//! - `sampling`: shuffle, sampling, folds, shares, bootstrap counts
//! - `bottom_k`: [`BottomK`]

mod bottom_k;
mod distributions;
mod rejection;
mod sampling;
mod stream;

pub use bottom_k::BottomK;
pub use distributions::Draw;
pub use sampling::{
    below, fold, permutation, poisson_bootstrap, sample_indices, share_threshold, shuffle,
};
pub use stream::{ParseSeedError, Pcg, RowDraws, Seed, Stream};
