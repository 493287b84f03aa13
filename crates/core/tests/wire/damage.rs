//! A file that is not what was written: every flipped bit, every cut, every addition is refused.

use samescore_core::artifact::{Artifact, payload_of, reseal};
use samescore_core::error::{Code, Kind};

use crate::common::cases::cases;
use crate::common::judge::guarded;
use crate::common::msgpack::Value;
use crate::common::{pipelines, tables};

fn small() -> Vec<u8> {
    let table = tables::example(1, 30);
    let case = &cases()[0];
    let mut config = pipelines::config(case, case.tasks[0], &table).expect("a pipeline");
    config.golden_rows = 2;
    let artifact = pipelines::seal(&config, &table, 64).expect("an artifact");
    artifact.bytes().to_vec()
}

/// The code with which the bytes are refused.
fn refused(bytes: &[u8], what: &str) -> Code {
    let load = || Ok(Artifact::from_bytes(bytes).map(|_| ()));
    match guarded(load).unwrap_or_else(|panic| panic!("{what}: {panic}")) {
        Ok(()) => panic!("{what}: accepted"),
        Err(e) => {
            assert_eq!(e.kind(), Kind::Artifact, "{what}: {e}");
            e.code()
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = small();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            refused(&bytes, &format!("bit {bit} of byte {place}"));
            bytes[place] ^= 1 << bit;
        }
    }
    assert!(Artifact::from_bytes(&bytes).is_ok(), "the artifact itself loads");
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let bytes = small();
    for length in 0..bytes.len() {
        refused(&bytes[..length], &format!("the first {length} bytes"));
    }
    for n in 1..=64 {
        for byte in [0x00, 0xc0, 0xff] {
            let longer = [bytes.as_slice(), &vec![byte; n]].concat();
            assert_eq!(refused(&longer, &format!("{n} more bytes")), Code::Corrupt);
            let payload = [payload_of(&bytes), &vec![byte; n]].concat();
            let code = refused(&reseal(&payload), &format!("{n} more bytes behind the hash"));
            assert_eq!(code, Code::Malformed);
        }
    }
}

#[test]
fn the_codes_say_what_is_wrong() {
    let bytes = small();
    let with = |place: usize, byte: u8| {
        let mut other = bytes.clone();
        other[place] = byte;
        refused(&other, "a changed header")
    };
    assert_eq!(with(0, b'X'), Code::NotAnArtifact);
    assert_eq!(with(4, 2), Code::UnknownFormat);
    assert_eq!(with(6, 1), Code::UnknownFormat);
    assert_eq!(with(8, !bytes[8]), Code::Corrupt);
    assert_eq!(with(16, !bytes[16]), Code::Corrupt);
    assert_eq!(with(48, !bytes[48]), Code::Corrupt);
    assert_eq!(refused(b"", "nothing"), Code::NotAnArtifact);
    assert_eq!(refused(&bytes[..47], "half a header"), Code::Corrupt);
    assert_eq!(refused(&reseal(b""), "no payload"), Code::Malformed);
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    for n in [65, 1_000, 1_000_000] {
        for opening in [&[0x91][..], &[0xdd, 0, 0, 0, 1], &[0x81, 0xa1, b'a'], &[0x81]] {
            let mut payload = opening.repeat(n);
            payload.push(0xc0);
            refused(&reseal(&payload), &format!("{n} times {opening:x?}"));
        }
    }
    // In the place of every field of the payload in turn.
    let tree = Value::read(payload_of(&small()));
    let Value::Map(fields) = &tree else {
        panic!("a payload is a map");
    };
    for place in 0..fields.len() {
        let mut fields = fields.clone();
        fields[place].1 = (0..10_000).fold(Value::Nil, |inner, _| Value::List(vec![inner]));
        let mut payload = Vec::new();
        Value::Map(fields).write(&mut payload);
        refused(&reseal(&payload), &format!("10000 lists in field {place}"));
    }
}

#[test]
fn lengths_beyond_the_bytes_cost_no_memory() {
    let claims: [&[u8]; 6] = [
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xdc, 0xff, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
    ];
    let bytes = small();
    let payload = payload_of(&bytes);
    for claim in claims {
        refused(&reseal(claim), "a length alone");
        for place in (0..payload.len()).step_by(3) {
            let forged = [&payload[..place], claim, &payload[place..]].concat();
            refused(&reseal(&forged), &format!("a length at byte {place}"));
        }
    }
}

#[test]
fn the_tree_of_a_payload_is_written_back_to_the_same_bytes() {
    let bytes = small();
    let mut payload = Vec::new();
    Value::read(payload_of(&bytes)).write(&mut payload);
    assert!(payload == payload_of(&bytes), "the suite's own reader of the codec is wrong");
}
