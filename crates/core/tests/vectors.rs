//! The elementary functions against correctly rounded results computed with mpmath: `data/vectors`.

use samescore_core::math;
use std::collections::BTreeMap;

const VECTORS: &str = include_str!("../../../data/vectors/functions.txt");
const FUNCTIONS_MIN: usize = 29;
const VECTORS_MIN: usize = 2_000;

/// The function's value for the arguments of one line; `None` when the name or the number of
/// arguments is unknown.
fn evaluate(name: &str, arguments: &[f64]) -> Option<f64> {
    match *arguments {
        [x] => math::UNARY.iter().find(|(n, _)| *n == name).map(|(_, f)| f(x)),
        [x, y] => math::BINARY.iter().find(|(n, _)| *n == name).map(|(_, f)| f(x, y)),
        _ => None,
    }
}

fn from_hex(word: &str) -> f64 {
    assert_eq!(word.len(), 16, "expected 16 hex digits, found `{word}`");
    f64::from_bits(u64::from_str_radix(word, 16).expect("hex digits"))
}

#[test]
fn every_vector_is_met_to_the_bit() {
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in VECTORS.lines() {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let mut numbers: Vec<f64> = words.map(from_hex).collect();
        let expected = numbers.pop().expect("a result");
        let found = evaluate(name, &numbers).unwrap_or_else(|| panic!("no function for `{line}`"));
        if found.to_bits() != expected.to_bits() {
            wrong.push(format!("{line} found {:016x}", found.to_bits()));
        }
        *counts.entry(name).or_insert(0usize) += 1;
    }
    assert!(wrong.is_empty(), "{} wrong, first: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert!(counts.len() >= FUNCTIONS_MIN, "{} functions", counts.len());
    for (name, n) in &counts {
        assert!(*n >= VECTORS_MIN, "{n} vectors for `{name}`");
    }
    let named = math::UNARY.iter().map(|f| f.0).chain(math::BINARY.iter().map(|f| f.0));
    for name in named {
        assert!(counts.contains_key(name), "no vectors for `{name}`");
    }
}
