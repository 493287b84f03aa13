//! Where draws come from: a seed, the streams derived from it, and the two generators.

use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Lcg128CmDxsm64;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use super::distributions::Draw;
use crate::digest::{Hasher, RowKey, hex, le_words};

/// The one number that a user gives. Text form: decimal digits only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSeedError {
    found: String,
}

impl fmt::Display for ParseSeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        write!(
            f,
            "expected a seed from 0 to {}, found `{found}` (use digits only)",
            u64::MAX
        )
    }
}

impl std::error::Error for ParseSeedError {}

impl FromStr for Seed {
    type Err = ParseSeedError;

    /// Decimal digits; no sign, no space, no other base.
    fn from_str(text: &str) -> Result<Seed, ParseSeedError> {
        let error = || ParseSeedError {
            found: text.to_string(),
        };
        if !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(error());
        }
        text.parse().map(Seed).map_err(|_| error())
    }
}

/// The draws of one purpose of one step: a 32-byte key, nothing that moves.
///
/// Two streams that differ in seed, step, column or purpose are unrelated. A stream has no position:
/// asking it twice gives the same draws twice, so each use takes a purpose of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The stream of (seed, step name, column, purpose). `column` is empty for a draw that belongs
    /// to no column.
    pub fn new(seed: Seed, step: &str, column: &str, purpose: &str) -> Stream {
        let mut hasher = Hasher::new("samescore stream v1");
        hasher.u64(seed.0).str(step).str(column).str(purpose);
        Stream {
            key: hasher.finish().0,
        }
    }

    /// A stream below this one: tree 17, repetition 3. Unrelated to its parent, to other labels and
    /// to other indices.
    pub fn substream(&self, label: &str, index: u64) -> Stream {
        let mut hasher = Hasher::new("samescore substream v1");
        hasher.bytes(&self.key).str(label).u64(index);
        Stream {
            key: hasher.finish().0,
        }
    }

    /// A generator at the start of this stream, for draws in sequence.
    ///
    /// Use it for what has a canonical order (columns, trees, rows sorted by key), never for rows as
    /// they come.
    pub fn pcg(&self) -> Pcg {
        Pcg {
            inner: Lcg128CmDxsm64::from_seed(self.key),
        }
    }

    /// The draws of one row. A function of stream and key alone.
    #[inline]
    pub fn row(&self, key: RowKey) -> RowDraws {
        let [k0, k1, ..] = le_words(self.key);
        let mut prefix = SipHasher24::new_with_keys(k0, k1);
        // The crate hashes the bytes of the machine: `to_le` makes them little-endian everywhere.
        let [high, low] = [(key.0 >> 64) as u64, key.0 as u64];
        prefix.write_u64(high.swap_bytes().to_le());
        prefix.write_u64(low.swap_bytes().to_le());
        RowDraws { prefix, index: 0 }
    }

    /// The first draw of a row: `row(key).next_u64()`.
    #[inline]
    pub fn hash(&self, key: RowKey) -> u64 {
        self.row(key).draw()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({}..)", hex(&self.key[..6]))
    }
}

/// Draws in sequence: PCG64DXSM (O'Neill 2014 with the DXSM output; the generator of the same name
/// in NumPy), 128 bits of state and 127 of increment taken from the 32 bytes of the stream.
#[derive(Clone, Debug)]
pub struct Pcg {
    inner: Lcg128CmDxsm64,
}

impl Draw for Pcg {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// Draws of one row: draw `i` is SipHash-2-4 of the 16 bytes of the key (big-endian, as stored) and
/// `i` (`u64`, little-endian), under the first 16 bytes of the stream.
#[derive(Clone, Debug)]
pub struct RowDraws {
    prefix: SipHasher24,
    index: u64,
}

impl RowDraws {
    /// The next draw of this row.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        let mut hasher = self.prefix;
        hasher.write_u64(self.index.to_le());
        self.index = self.index.wrapping_add(1);
        hasher.finish()
    }
}

impl Draw for RowDraws {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.draw()
    }
}
