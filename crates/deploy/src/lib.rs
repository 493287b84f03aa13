//! samescore-deploy: an artifact in, keyed scores out.
//!
//! A [`Scorer`] is one artifact, checked and compiled. It scores batches ([`Scorer::score_batch`]),
//! lists of typed rows ([`Scorer::score_rows`]) and single typed rows ([`Scorer::score_row`]), and
//! every one of these gives a row the same bits: a score depends on the artifact and the row alone,
//! not on the batch around it, the number of threads, or the way in which the row came.
//!
//! ```
//! use samescore_deploy::Scorer;
//!
//! #[derive(serde::Serialize)]
//! struct House<'a> {
//!     age: Option<f64>, // `None` is missing
//!     area: f64,
//!     grade: &'a str,
//!     rooms: u32,
//!     sex: char,
//! }
//!
//! # let bytes = samescore_core::example::artifact()?.bytes().to_vec();
//! // In a service: `Scorer::from_bytes(include_bytes!("houses.samescore"))`.
//! let scorer = Scorer::from_bytes(&bytes)?;
//! let mut scratch = scorer.scratch();
//! let house = House { age: None, area: 120.5, grade: "Gd", rooms: 4, sex: 'f' };
//! let score = scorer.score_row(&house, &mut scratch)?;
//! println!("{} has {} ({:016x})", score.key, score.value, score.bits());
//!
//! let listed = scorer.score_rows([&house, &house])?;
//! assert_eq!(listed.get(1).map(f64::to_bits), Ok(score.bits()));
//! # Ok::<(), samescore_deploy::Error>(())
//! ```
//!
//! # What is not here
//! No configuration, environment, clock, log, network or global state; no thread unless
//! [`Scorer::threads`] asks for it; one function that opens a file ([`file::read`], for
//! [`Scorer::from_file`]). All arithmetic is in `samescore-core`.
//!
//! # Errors
//! Every refusal is an [`Error`] with a stable [`Code`], the place (step, column), and a text. A
//! row that cannot be scored is never dropped and never ends a batch: it gets its error as its
//! result.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod file;
mod row;
mod scorer;
mod scratch;

pub use samescore_core::batch::{self, Batch, Column, ColumnKind, Field, Schema};
pub use samescore_core::digest::{Digest, RowKey};
pub use samescore_core::error::{Code, Error, Kind, Result};
pub use samescore_core::pipeline::{Membership, Scores};
pub use samescore_core::step::Output;
pub use samescore_core::trace::Trace;
pub use scorer::{Score, Scorer};
pub use scratch::{Row, Scratch};
