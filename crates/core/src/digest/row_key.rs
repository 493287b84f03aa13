//! Row keys: a 128-bit name for a row, made of the row's own values and nothing else.
//!
//! **Method.** SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast
//! short-input PRF", and its 128-bit extension) over fixed-width little-endian words, under a key
//! derived by SHA-256 from a domain and the names and kinds of the key columns. Text goes in as the
//! two words of its own SipHash-2-4-128 under a second key, so that a level of a dictionary is
//! hashed once and not once per row.
//!
//! **Ties and order.** Canonical row order is the order of [`RowKey`], which is the order of its 16
//! stored bytes. Words go in by column, columns sorted by name. Among 2^32 different rows, two
//! share a key with probability 2^-65. The hash key is no secret: this names rows and
//! authenticates none.

use siphasher::sip128::{Hash128, SipHasher24};

use super::Hasher;

/// The key of a row: ordered as its 16 bytes, most significant first.
///
/// Text form: 32 lower-case hex digits. Stored as 16 bytes, big-endian, so that the order of
/// keys is the order of what is stored.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub u128);

/// What stands for a missing text among the words of a row: no SipHash output but by an accident of
/// probability 2^-128 per level. The bytes read `missing text 1  `.
pub const MISSING_TEXT: [u64; 2] =
    [u64::from_le_bytes(*b"missing "), u64::from_le_bytes(*b"text 1  ")];

/// Turns the key columns of one row into its [`RowKey`].
///
/// Make one per table, then per row: clone, feed one [`word`](KeyHasher::word) per number or time
/// and two per text, in the order of the columns sorted by name, and [`finish`](KeyHasher::finish).
/// Cloning copies a few words; nothing allocates after `new`. Rows whose words are fed in turn, a
/// column at a time, are hashed side by side: the rounds of one row wait for each other.
///
/// ```
/// use samescore_core::digest::KeyHasher;
/// let table = KeyHasher::new("example", &[("fare", "num"), ("deck", "text")]);
/// let deck = table.text_words("C");
/// let mut row = table.clone();
/// row.word(deck[0]);
/// row.word(deck[1]);
/// row.word(7.25f64.to_bits());
/// assert_eq!(row.finish(), row.finish());
/// ```
#[derive(Clone, Debug)]
pub struct KeyHasher {
    state: [u64; 4],
    n_words: u64,
    text: [u64; 2],
}

impl KeyHasher {
    /// A hasher for rows of `columns`, given as (name, kind) in any order, under `domain`.
    ///
    /// The order of `columns` does not matter: they are sorted here. Another domain, name, kind or
    /// number of columns gives unrelated keys.
    pub fn new(domain: &str, columns: &[(&str, &str)]) -> KeyHasher {
        let mut sorted = columns.to_vec();
        sorted.sort();
        let mut hasher = Hasher::new("samescore row key v1");
        hasher.str(domain).u64(sorted.len() as u64);
        for (name, kind) in sorted {
            hasher.str(name).str(kind);
        }
        let [row_0, row_1, text_0, text_1] = le_words(hasher.finish().0);
        KeyHasher { state: begin(row_0, row_1), n_words: 0, text: [text_0, text_1] }
    }

    /// Feeds eight bytes, little-endian. A number goes in as the bits of its canonical form, a time
    /// as its microseconds cast to `u64`, a text as its two [`text_words`](KeyHasher::text_words)
    /// or [`MISSING_TEXT`].
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.state = absorbed(self.state, word);
        self.n_words = self.n_words.wrapping_add(1);
    }

    /// The key of the row whose words were fed. Reads only: more words may follow.
    #[inline]
    pub fn finish(&self) -> RowKey {
        let n_bytes = self.n_words.wrapping_mul(8);
        let [h1, h2] = ended(absorbed(self.state, n_bytes << 56));
        RowKey(u128::from_be_bytes(output_bytes(Hash128 { h1, h2 })))
    }

    /// The two words of a text: SipHash-2-4-128 of its UTF-8 bytes, not normalised, under the text
    /// key of this hasher.
    pub fn text_words(&self, text: &str) -> [u64; 2] {
        let hash = SipHasher24::new_with_keys(self.text[0], self.text[1]).hash(text.as_bytes());
        [hash.h1, hash.h2]
    }
}

/// SipHash with 128 bits of output, before its first word.
fn begin(key_0: u64, key_1: u64) -> [u64; 4] {
    let constants = [*b"somepseu", *b"dorandom", *b"lygenera", *b"tedbytes"];
    let [c_0, c_1, c_2, c_3] = constants.map(u64::from_be_bytes);
    [key_0 ^ c_0, key_1 ^ c_1 ^ 0xee, key_0 ^ c_2, key_1 ^ c_3]
}

/// One round.
#[inline(always)]
fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32).wrapping_add(d);
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    [a, b, c.rotate_left(32), d]
}

/// Two rounds for a word.
#[inline(always)]
fn absorbed([a, b, c, d]: [u64; 4], word: u64) -> [u64; 4] {
    let [a, b, c, d] = round(round([a, b, c, d ^ word]));
    [a ^ word, b, c, d]
}

/// Four rounds for each half of the output.
#[inline(always)]
fn ended([a, b, c, d]: [u64; 4]) -> [u64; 2] {
    let four = |state| round(round(round(round(state))));
    let [a, b, c, d] = four([a, b, c ^ 0xee, d]);
    let [e, f, g, h] = four([a, b ^ 0xdd, c, d]);
    [a ^ b ^ c ^ d, e ^ f ^ g ^ h]
}

/// The output as published: the two halves, each little-endian.
#[inline]
fn output_bytes(hash: Hash128) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hash.h1.to_le_bytes());
    bytes[8..].copy_from_slice(&hash.h2.to_le_bytes());
    bytes
}

/// Four words of 32 bytes, little-endian.
pub(crate) fn le_words(bytes: [u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (i, &byte) in bytes.iter().enumerate() {
        words[i / 8] |= u64::from(byte) << (8 * (i % 8));
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> KeyHasher {
        KeyHasher::new("example", &[("fare", "num"), ("deck", "text")])
    }

    /// What [`example`] hashes its words by, from the crate.
    fn reference() -> SipHasher24 {
        let mut hasher = Hasher::new("samescore row key v1");
        hasher.str("example").u64(2).str("deck").str("text").str("fare").str("num");
        let [row_0, row_1, ..] = le_words(hasher.finish().0);
        SipHasher24::new_with_keys(row_0, row_1)
    }

    #[test]
    fn siphash_is_the_published_one() {
        // Reference vectors of SipHash-2-4-128: key 00..0f, message 00..(n-1), n = 0 and 1.
        let hasher = SipHasher24::new_with_key(&core::array::from_fn(|i| i as u8));
        let of = |message: &[u8]| super::super::hex(&output_bytes(hasher.hash(message)));
        assert_eq!(of(&[]), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(of(&[0]), "da87c1d86b99af44347659119b22fc45");
    }

    #[test]
    fn keys_never_move() {
        // Recomputed from the module docs by an independent SipHash and SHA-256.
        let mut row = example();
        let deck = row.text_words("C");
        assert_eq!(deck, [0xeecc_8485_4902_d08b, 0x68bc_e4d9_7749_5408]);
        row.word(deck[0]);
        row.word(deck[1]);
        row.word(7.25f64.to_bits());
        assert_eq!(row.finish().to_string(), "b59c5f367729ccf2e70f352ba0b5f06c");
    }

    #[test]
    fn columns_count_but_not_their_order() {
        let key = |columns: &[(&str, &str)]| KeyHasher::new("example", columns).finish();
        let both = key(&[("a", "num"), ("b", "num")]);
        assert_eq!(both, key(&[("b", "num"), ("a", "num")]));
        assert_ne!(both, key(&[("a", "num"), ("b", "time")]));
        assert_ne!(both, key(&[("a", "num")]));
        assert_ne!(both, KeyHasher::new("other", &[("a", "num"), ("b", "num")]).finish());
    }

    #[test]
    fn missing_text_is_no_text() {
        assert_ne!(example().text_words(""), MISSING_TEXT);
        assert_eq!(MISSING_TEXT, [0x2067_6e69_7373_696d, 0x2020_3120_7478_6574]);
    }

    proptest! {
        #[test]
        fn words_are_the_bytes_of_the_row(words in prop::collection::vec(any::<u64>(), 0..40)) {
            let mut row = example();
            let mut bytes = Vec::new();
            for &word in &words {
                row.word(word);
                bytes.extend(word.to_le_bytes());
            }
            let whole = reference().hash(&bytes);
            prop_assert_eq!(row.finish().0.to_be_bytes(), output_bytes(whole));
        }

        #[test]
        fn order_is_the_order_of_stored_bytes(a: u128, b: u128) {
            let (a, b) = (RowKey(a), RowKey(b));
            let stored = |key: RowKey| rmp_serde::to_vec(&key).unwrap();
            prop_assert_eq!(a.cmp(&b), stored(a).cmp(&stored(b)));
            prop_assert_eq!(rmp_serde::from_slice::<RowKey>(&stored(a)).unwrap(), a);
            prop_assert_eq!(a.to_string().parse::<RowKey>(), Ok(a));
        }
    }
}
