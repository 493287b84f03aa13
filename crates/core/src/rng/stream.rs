//! Where draws come from: a seed, the streams derived from it, and the two generators.

use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Lcg128CmDxsm64;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use super::distributions::Draw;
use crate::digest::{Digest, Hasher, RowKey, hex, le_words};
use crate::faults::{self, Fault};

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
        write!(f, "expected a seed from 0 to {}, found `{found}` (use digits only)", u64::MAX)
    }
}

impl std::error::Error for ParseSeedError {}

impl FromStr for Seed {
    type Err = ParseSeedError;

    /// Decimal digits; no sign, no space, no other base.
    fn from_str(text: &str) -> Result<Seed, ParseSeedError> {
        let error = || ParseSeedError { found: text.to_string() };
        if !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(error());
        }
        text.parse().map(Seed).map_err(|_| error())
    }
}

/// The draws of one purpose of one step: a 32-byte key, nothing that moves.
///
/// Two streams that differ in seed, step, column or purpose are unrelated. A stream has no
/// position: asking it twice gives the same draws twice, so each use takes a purpose of its own.
/// Stored as its 32 bytes, in the forms of a [`Digest`]: a fitted state that draws at scoring keeps
/// it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Digest", into = "Digest")]
pub struct Stream {
    key: [u8; 32],
    /// The first 16 bytes of `key` as the two words of a SipHash key.
    row_key: [u64; 2],
}

impl Stream {
    /// The stream of (seed, step name, column, purpose). `column` is empty for a draw that belongs
    /// to no column.
    pub fn new(seed: Seed, step: &str, column: &str, purpose: &str) -> Stream {
        let mut hasher = Hasher::new("samescore stream v1");
        hasher.u64(seed.0);
        if !faults::on(Fault::ReusedSeed) {
            hasher.str(step).str(column).str(purpose);
        }
        Stream::from_key(hasher.finish().0)
    }

    /// A stream below this one: tree 17, repetition 3. Unrelated to its parent, to other labels and
    /// to other indices.
    pub fn substream(&self, label: &str, index: u64) -> Stream {
        let mut hasher = Hasher::new("samescore substream v1");
        hasher.bytes(&self.key).str(label).u64(index);
        Stream::from_key(hasher.finish().0)
    }

    /// A generator at the start of this stream, for draws in sequence.
    ///
    /// Use it for what has a canonical order (columns, trees, rows sorted by key), never for rows
    /// as they come.
    pub fn pcg(&self) -> Pcg {
        Pcg { inner: Lcg128CmDxsm64::from_seed(self.key) }
    }

    /// The draws of one row. A function of stream and key alone.
    #[inline]
    pub fn row(&self, key: RowKey) -> RowDraws {
        let mut prefix = SipHasher24::new_with_keys(self.row_key[0], self.row_key[1]);
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

    fn from_key(key: [u8; 32]) -> Stream {
        let [k0, k1, ..] = le_words(key);
        Stream { key, row_key: [k0, k1] }
    }
}

impl From<Digest> for Stream {
    fn from(key: Digest) -> Stream {
        Stream::from_key(key.0)
    }
}

impl From<Stream> for Digest {
    fn from(stream: Stream) -> Digest {
        Digest(stream.key)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Stream {
        Stream::new(Seed(42), "bag", "fare", "rows")
    }

    #[test]
    fn derivation_never_moves() {
        // Recomputed from the docs by an independent SHA-256.
        let key = "42a969ce440ba2ebc209dbc33a07824250c7b10566010f033c2ffb2432c9c13a";
        assert_eq!(hex(&example().key), key);
        let key = "aa23468eee6e1c54438870092186ef5ebab7a2d5369c4e9d40a356f5d7f550f4";
        assert_eq!(hex(&example().substream("tree", 17).key), key);
    }

    #[test]
    fn a_stored_stream_draws_the_same() {
        let bytes = rmp_serde::to_vec(&example()).unwrap();
        assert_eq!(bytes.len(), 34, "a byte string of 32 bytes and its header");
        let stored: Stream = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(stored, example());
        assert_eq!(stored.hash(RowKey(5)), example().hash(RowKey(5)));
    }

    #[test]
    fn every_part_of_the_name_counts() {
        let (seed, other) = (Seed(42), Seed(43));
        let streams = [
            example(),
            Stream::new(other, "bag", "fare", "rows"),
            Stream::new(seed, "bagf", "are", "rows"),
            Stream::new(seed, "bag", "fare", "columns"),
            Stream::new(seed, "bag", "", "rows"),
            example().substream("", 0),
            example().substream("", 1),
        ];
        for (i, a) in streams.iter().enumerate() {
            for b in &streams[..i] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn pcg_is_numpy_pcg64dxsm() {
        // numpy 2.4.6: PCG64DXSM().random_raw() with its state set to that of these 32 bytes.
        let mut pcg = Stream::from_key(core::array::from_fn(|i| i as u8 + 1)).pcg();
        let expected = [
            0xa954_244e_93de_1417,
            0x1486_ae0e_e347_5ea3,
            0x184b_8e6c_847c_d6c9,
            0x0856_2e09_bf3d_2425,
        ];
        assert_eq!(expected.map(|_| pcg.next_u64()), expected);
        let mut pcg = example().pcg();
        let expected = [
            0x6099_23a8_dfcc_51c8,
            0xd250_a9cd_f9ac_1925,
            0xbfa1_022e_75f9_a5ac,
            0x0458_c797_a6d8_4d10,
            0xadd1_e254_35cc_12b1,
        ];
        assert_eq!(expected.map(|_| pcg.next_u64()), expected);
    }

    #[test]
    fn siphash_is_the_published_one() {
        // Vector of the SipHash paper, appendix A: key 00..0f, message 00..0e.
        let bytes: [u8; 16] = core::array::from_fn(|i| i as u8);
        let hash = SipHasher24::new_with_key(&bytes).hash(&bytes[..15]);
        assert_eq!(hash, 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn row_draws_never_move() {
        // Recomputed by an independent SipHash.
        let key = RowKey(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
        let mut draws = example().row(key);
        let expected = [
            0x9dc2_2b62_aa6d_52de,
            0xaf86_1126_3fe8_71a4,
            0xdff0_4feb_a293_9be5,
            0x43d1_8c89_992f_be90,
        ];
        assert_eq!(expected.map(|_| draws.next_u64()), expected);
        assert_eq!(example().hash(RowKey(key.0 + 1)), 0x259d_7497_6732_5c5a);
    }

    #[test]
    fn seed_is_digits() {
        assert_eq!("18446744073709551615".parse(), Ok(Seed(u64::MAX)));
        assert_eq!(Seed(7).to_string(), "7");
        for text in ["", "+1", "-1", " 1", "1_0", "0x1", "18446744073709551616"] {
            let message = format!(
                "expected a seed from 0 to 18446744073709551615, found `{text}` (use digits only)"
            );
            assert_eq!(text.parse::<Seed>().map_err(|e| e.to_string()), Err(message));
        }
    }

    proptest! {
        #[test]
        fn row_draws_do_not_depend_on_order(keys in prop::collection::vec(any::<u128>(), 1..20)) {
            let draws = |key: u128| {
                let mut row = example().row(RowKey(key));
                [row.next_u64(), row.next_u64(), row.next_u64()]
            };
            let forward: Vec<_> = keys.iter().map(|&key| draws(key)).collect();
            let mut backward: Vec<_> = keys.iter().rev().map(|&key| draws(key)).collect();
            backward.reverse();
            prop_assert_eq!(&forward, &backward);
            // Draws of all rows in turn are those of each row alone.
            let mut rows: Vec<_> = keys.iter().map(|&key| example().row(RowKey(key))).collect();
            for i in 0..3 {
                for (row, alone) in rows.iter_mut().zip(&forward) {
                    prop_assert_eq!(row.next_u64(), alone[i]);
                }
            }
        }
    }
}
