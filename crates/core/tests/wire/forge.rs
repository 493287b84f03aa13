//! Payloads that someone changed and sealed again: refused, or loaded and then sound on every
//! batch.
//!
//! The work runs in a process of its own, so that an abort is seen as well and names the mutation.

use std::time::{Duration, Instant};

use samescore_core::artifact::{Artifact, payload_of, reseal};
use samescore_core::codec;
use samescore_core::config::Config;
use samescore_core::error::Kind;
use samescore_core::models::ModelParams;
use samescore_core::rng::{Draw, Pcg, Seed, Stream};
use samescore_core::selectors::SelectorParams;
use samescore_core::transforms::TransformParams;

use crate::common::cases::cases;
use crate::common::judge::guarded;
use crate::common::msgpack::Value;
use crate::common::tables::{self, TROUBLES};
use crate::common::{in_another_process, pipelines};

const N_MUTATIONS: u64 = 10_000;
const LONGEST: Duration = Duration::from_secs(10);
const KILOBYTES_MAX: u64 = 1 << 20;
const WORKER: &str = "SAMESCORE_FORGE_WORKER";

/// Artifacts to be changed: each case with and without golden rows, which would refuse a changed
/// state before anything else could go wrong.
fn originals() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for case in cases() {
        let table = tables::example(1, 40);
        let Ok(mut config) = pipelines::config(&case, case.tasks[0], &table) else {
            continue;
        };
        for golden_rows in [0, 3] {
            config.golden_rows = golden_rows;
            let artifact = pipelines::seal(&config, &table, 64).expect("an artifact");
            all.push((case.name.clone(), artifact.bytes().to_vec()));
        }
    }
    all
}

#[test]
fn changed_and_sealed_again_nothing_panics() {
    if std::env::var(WORKER).is_ok() {
        return mutate_all();
    }
    let name = "forge::changed_and_sealed_again_nothing_panics";
    let (ok, text) = in_another_process(name, WORKER, "1");
    let last = text.lines().rev().take(30).collect::<Vec<_>>();
    let last: Vec<&str> = last.into_iter().rev().collect();
    assert!(ok, "the other process ended with:\n{}", last.join("\n"));
    assert!(text.contains("mutations loaded"), "the other process did nothing:\n{text}");
}

fn mutate_all() {
    let originals = originals();
    let before = peak_kilobytes();
    let mut failures = Vec::new();
    let mut n_loaded = 0;
    for number in 0..N_MUTATIONS {
        let (name, bytes) = &originals[number as usize % originals.len()];
        let mut draws = Stream::new(Seed(number), "suite", name, "forge").pcg();
        println!("mutation {number} of {name}");
        let payload = match number / originals.len() as u64 % 3 {
            0 => changed_bytes(payload_of(bytes), &mut draws),
            _ => changed_tree(payload_of(bytes), &mut draws),
        };
        let begin = Instant::now();
        match guarded(|| check(&reseal(&payload))) {
            Ok(loaded) => n_loaded += u64::from(loaded),
            Err(found) => failures.push(format!("mutation {number} of {name}: {found}")),
        }
        if begin.elapsed() > LONGEST {
            failures.push(format!("mutation {number} of {name}: took {:?}", begin.elapsed()));
        }
    }
    if let Some((before, after)) = before.zip(peak_kilobytes()) {
        assert!(after - before < KILOBYTES_MAX, "{} KiB more at the peak", after - before);
    }
    println!("{n_loaded} of {N_MUTATIONS} mutations loaded");
    failures.truncate(20);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(n_loaded > 0, "no mutation got past the checks: the suite reaches nothing");
}

/// Whether the bytes load; then every batch must get n results.
fn check(bytes: &[u8]) -> Result<bool, String> {
    let artifact = match Artifact::from_bytes(bytes) {
        Ok(artifact) => artifact,
        Err(e) if e.kind() == Kind::Artifact => return Ok(false),
        Err(e) => return Err(format!("an error of kind {:?}: {e}", e.kind())),
    };
    for batch in TROUBLES.iter().map(|name| tables::troubled(name, 2)) {
        // A changed schema may refuse the batch; a bound one must score.
        if let Ok(bound) = artifact.plan().bind(&batch) {
            let scores = artifact.plan().score(&bound).map_err(|e| format!("scoring: {e}"))?;
            if scores.len() != batch.n_rows() {
                return Err("rows vanished".to_owned());
            }
            if scores.iter().any(|(_, score)| score.is_ok_and(|x| !x.is_finite())) {
                return Err("a score that is not finite".to_owned());
            }
        }
    }
    Ok(true)
}

fn below(n: usize, draws: &mut Pcg) -> usize {
    draws.next_u64() as usize % n.max(1)
}

/// One to four changes of bytes: flips, other values, cuts, repetitions.
fn changed_bytes(payload: &[u8], draws: &mut Pcg) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    for _ in 0..1 + below(4, draws) {
        let place = below(bytes.len(), draws);
        let end = (place + 1 + below(16, draws)).min(bytes.len());
        match below(5, draws) {
            0 => bytes[place] ^= 1 << below(8, draws),
            1 => bytes[place] = draws.next_u64() as u8,
            2 => drop(bytes.drain(place..end)),
            3 => {
                let part = bytes[place..end].to_vec();
                let at = below(bytes.len(), draws);
                bytes.splice(at..at, part);
            }
            _ => bytes[place] = [0xc0, 0xcb, 0xcf, 0xd3, 0xdd, 0xdf, 0xc1, 0xca][below(8, draws)],
        }
        if bytes.is_empty() {
            bytes.push(0xc0);
        }
    }
    bytes
}

/// One to three changes of values, with a fingerprint that fits the changed config.
fn changed_tree(payload: &[u8], draws: &mut Pcg) -> Vec<u8> {
    let mut tree = Value::read(payload);
    for _ in 0..1 + below(3, draws) {
        let n_values = tree.n_values();
        let other = tree.nth_mut(below(n_values, draws)).map(|v| v.clone());
        let part = match below(3, draws) {
            // Most often where the fitted state is.
            0 => Some(&mut tree),
            _ => field(&mut tree, "pipeline"),
        };
        let Some(part) = part else { continue };
        let n_values = part.n_values();
        if let Some(value) = part.nth_mut(below(n_values, draws)) {
            change(value, other, draws);
        }
    }
    let mut bytes = Vec::new();
    if let Some(config) = field(&mut tree, "config") {
        config.write(&mut bytes);
    }
    if let Ok(config) = codec::decode::<Config>(&bytes) {
        if let (Ok(print), Some(place)) =
            (config.fingerprint(), field(&mut tree, "config_fingerprint"))
        {
            *place = Value::Bytes(print.0.to_vec());
        }
    }
    let mut bytes = Vec::new();
    tree.write(&mut bytes);
    bytes
}

fn field<'a>(tree: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let Value::Map(fields) = tree else {
        return None;
    };
    let mut fields = fields.iter_mut();
    let named = fields.find(|(key, _)| *key == Value::Text(name.as_bytes().to_vec()));
    named.map(|(_, value)| value)
}

fn change(value: &mut Value, other: Option<Value>, draws: &mut Pcg) {
    let choice = below(8, draws);
    match value {
        Value::Float(x) => {
            *x = [f64::NAN, f64::INFINITY, -0.0, 0.0, f64::MAX, -*x, 5e-324, -1e300][choice];
        }
        Value::Int(x) => {
            let max = i128::from(u64::MAX);
            *x = [0, -1, max, i128::from(i64::MAX), *x + 1, *x - 1, 1 << 32, i128::from(i64::MIN)]
                [choice];
            *x = (*x).clamp(i128::from(i64::MIN), max);
        }
        Value::Bool(x) => *x = !*x,
        Value::Text(x) => {
            let tags: Vec<&str> =
                [TransformParams::KINDS, SelectorParams::KINDS, ModelParams::KINDS]
                    .concat()
                    .iter()
                    .map(|kind| kind.tag)
                    .collect();
            match choice {
                0 => x.clear(),
                1 => x.push(0xff),
                2 => x.extend_from_slice("é\0".as_bytes()),
                3 | 4 => *x = tags[below(tags.len(), draws)].as_bytes().to_vec(),
                _ => {
                    if let Some(Value::Text(other)) = other {
                        *x = other;
                    }
                }
            }
        }
        Value::Bytes(x) => drop(x.pop()),
        Value::List(x) => change_list(x, other, choice, draws),
        Value::Map(x) => {
            change_list(x, other.map(|v| (Value::Text(b"new".to_vec()), v)), choice, draws)
        }
        Value::Nil => *value = other.unwrap_or(Value::Int(0)),
    }
}

fn change_list<T: Clone>(list: &mut Vec<T>, other: Option<T>, choice: usize, draws: &mut Pcg) {
    let place = below(list.len(), draws);
    match choice {
        0 => list.clear(),
        1 => drop(list.pop()),
        2 => list.reverse(),
        3 if !list.is_empty() => drop(list.remove(place)),
        4 | 5 if !list.is_empty() => {
            let twice = list[place].clone();
            list.insert(below(list.len(), draws), twice);
        }
        6 if !list.is_empty() => {
            let last = list.len() - 1;
            list.swap(place, last);
        }
        _ => list.extend(other),
    }
}

/// The largest memory that the process has had, where the system says so.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
