//! The one hash: SHA-256 for identities, keyed SipHash-2-4 for rows, and the only place that makes
//! hex text.
//!
//! **Method.** [`Hasher`] is SHA-256 (FIPS 180-4) over a canonical encoding: the domain string
//! first, then what the caller writes, in the order in which it writes. Integers are fixed-width
//! little-endian, bytes and text carry their length as a `u64` in front, an `f64` is the bits of
//! its canonical form (one NaN, no negative zero). No value is preceded by a type tag: each domain
//! has one fixed sequence of writes, and a list writes its length first.
//!
//! **Absent.** No floating-point arithmetic, no `std::hash::Hash` (it writes `usize` and native
//! byte order), no knowledge of batches, rows or files.
//!
//! The encoding and the text forms are stored in artifacts and traces, so they cannot change; a new
//! encoding gets new domain strings.

use sha2::Digest as _;

mod forms;
mod row_key;

pub use forms::{ParseHexError, bits_hex, hex};
pub(crate) use row_key::le_words;
pub use row_key::{KeyHasher, MISSING_TEXT, RowKey};

/// A SHA-256 of what came out: a file, a column after a step, a trace.
///
/// Ordered as its 32 bytes. Text form: 64 lower-case hex digits. Stored as 32 bytes (as the text
/// form in formats made for people).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A SHA-256 of what went in: a config, a schema, a table. Same forms as [`Digest`], another type,
/// so that the two are never compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Digest {
    /// The first 12 hex digits, for tables and messages.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }
}

impl Fingerprint {
    /// The first 12 hex digits, for tables and messages.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }
}

/// SHA-256 over a domain string and canonically encoded values. See the module docs.
#[derive(Clone)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Starts a hash that no other domain can produce: the length-prefixed `domain` goes in first.
    pub fn new(domain: &str) -> Hasher {
        let mut hasher = Hasher(sha2::Sha256::new());
        hasher.str(domain);
        hasher
    }

    /// One byte.
    pub fn u8(&mut self, x: u8) -> &mut Hasher {
        self.raw(&[x])
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, x: u32) -> &mut Hasher {
        self.raw(&x.to_le_bytes())
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, x: u64) -> &mut Hasher {
        self.raw(&x.to_le_bytes())
    }

    /// Eight bytes, little-endian, two's complement.
    pub fn i64(&mut self, x: i64) -> &mut Hasher {
        self.raw(&x.to_le_bytes())
    }

    /// Sixteen bytes, little-endian.
    pub fn u128(&mut self, x: u128) -> &mut Hasher {
        self.raw(&x.to_le_bytes())
    }

    /// Eight bytes, little-endian: the bits of the canonical form (every NaN is
    /// `0x7ff8000000000000`, -0 is +0).
    pub fn f64(&mut self, x: f64) -> &mut Hasher {
        self.u64(crate::math::canonical(x).to_bits())
    }

    /// The length as `u64`, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Hasher {
        self.u64(bytes.len() as u64);
        self.raw(bytes)
    }

    /// The length in bytes as `u64`, then the UTF-8 bytes, not normalised.
    pub fn str(&mut self, text: &str) -> &mut Hasher {
        self.bytes(text.as_bytes())
    }

    /// The digest of all that was written.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    /// The fingerprint of all that was written: the same 32 bytes as [`Hasher::finish`].
    pub fn finish_fingerprint(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Hasher {
        self.0.update(bytes);
        self
    }
}

/// Plain SHA-256 of a file in parts: the same as [`sha256`] of the whole.
#[derive(Clone, Default)]
pub struct FileHasher(sha2::Sha256);

impl FileHasher {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Plain SHA-256 of `bytes`, without a domain: the identity of a file, as other tools print it.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_published_one() {
        // FIPS 180-4 examples: the empty message and "abc".
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"").to_string(), empty);
        assert_eq!(sha256(b"abc").to_string(), abc);
        assert_eq!(sha256(b"abc").short(), "ba7816bf8f01");
        let mut parts = FileHasher::default();
        parts.update(b"a");
        parts.update(b"bc");
        assert_eq!(parts.finish(), sha256(b"abc"));
    }

    #[test]
    fn encoding_is_the_documented_bytes() {
        let mut hasher = Hasher::new("d");
        hasher.u8(1).u32(2).u64(3).i64(-1).u128(4).f64(1.5).bytes(&[9, 8]).str("é");
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, b'd', 1, 2, 0, 0, 0];
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0xff; 8]);
        bytes.extend([4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0xf8, 0x3f]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, 9, 8]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0xa9]);
        assert_eq!(hasher.clone().finish(), sha256(&bytes));
        assert_eq!(hasher.finish_fingerprint().0, sha256(&bytes).0);
    }

    #[test]
    fn neighbouring_values_do_not_run_together() {
        let of = |a: &str, b: &str| {
            let mut hasher = Hasher::new("pair");
            hasher.str(a).str(b);
            hasher.finish()
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_ne!(Hasher::new("a").finish(), Hasher::new("b").finish());
    }

    #[test]
    fn numbers_are_canonical() {
        let of = |x: f64| {
            let mut hasher = Hasher::new("x");
            hasher.f64(x);
            hasher.finish()
        };
        assert_eq!(of(-0.0), of(0.0));
        assert_eq!(of(f64::from_bits(0xfff0_0000_0000_0001)), of(f64::NAN));
        assert_ne!(of(f64::MIN_POSITIVE), of(0.0));
    }
}
