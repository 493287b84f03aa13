//! What two artifacts hold, part by part in the order of a row's life.

use samescore_core::artifact::{Artifact, Payload};
use samescore_core::digest::Fingerprint;
use samescore_core::error::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;

use super::Difference;

/// One difference per part that differs. Refused artifacts are compared as far as they can be read.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Result<Vec<Difference>> {
    let ((digest_a, a), (digest_b, b)) = (Artifact::peek(a)?, Artifact::peek(b)?);
    let mut found = Vec::new();
    found.extend(part("config", &a.config, &b.config, &[])?);
    let names = |x: &Fingerprint, y: &Fingerprint| {
        let named = |f: &Fingerprint| format!("rows of fingerprint {}", f.short());
        (x != y).then(|| Difference::of("data", &named(x), &named(y)))
    };
    found.extend(names(&a.data_fingerprint, &b.data_fingerprint));
    found.extend(part("population", &a.population, &b.population, &[])?);
    found.extend(profile(&a, &b)?);
    found.extend(part("input", &a.pipeline.input, &b.pipeline.input, &[])?);
    found.extend(steps(&a, &b)?);
    let features = &a.pipeline.features;
    found.extend(part("features", features, &b.pipeline.features, &[])?);
    found.extend(part("model", &a.pipeline.model, &b.pipeline.model, features)?);
    found.extend(part("metrics", &a.metrics, &b.metrics, &[])?);
    found.extend(part("golden rows", &a.golden, &b.golden, &[])?);
    if found.is_empty() {
        found.push(Difference::of("file", &digest_a.to_string(), &digest_b.to_string()));
        found.iter_mut().for_each(|d| d.bits = None);
    }
    Ok(found)
}

/// The first input column whose counts or range differ.
fn profile(a: &Payload, b: &Payload) -> Result<Option<Difference>> {
    let mut found = part("input profile", &a.profile, &b.profile, &[])?;
    if let Some(difference) = &mut found {
        let of = |payload: &Payload| payload.profile.columns.clone();
        let (x, y) = (of(a), of(b));
        let differs = x.iter().find(|(name, column)| y.get(*name) != Some(*column));
        difference.column = differs.map(|(name, _)| name.clone());
    }
    Ok(found)
}

fn steps(a: &Payload, b: &Payload) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for (x, y) in a.pipeline.steps.iter().zip(&b.pipeline.steps) {
        found.extend(part(&x.name, x, y, &x.columns)?);
    }
    let (n, m) = (a.pipeline.steps.len(), b.pipeline.steps.len());
    if n != m {
        found.push(Difference::of("steps", &format!("{n} steps"), &format!("{m} steps")));
    }
    Ok(found)
}

/// The first value at which two parts differ. Lists as long as `columns` hold a value per column.
fn part<T: Serialize>(stage: &str, a: &T, b: &T, columns: &[String]) -> Result<Option<Difference>> {
    let value = |x: &T| {
        serde_json::to_value(x)
            .map_err(|e| Error::new(Code::Malformed, format!("it cannot be shown: {e}")))
    };
    let mut walk = Walk { stage, columns, path: Vec::new(), column: None };
    Ok(walk.first(&value(a)?, &value(b)?))
}

struct Walk<'a> {
    stage: &'a str,
    columns: &'a [String],
    path: Vec<String>,
    column: Option<String>,
}

impl Walk<'_> {
    fn first(&mut self, a: &Value, b: &Value) -> Option<Difference> {
        match (a, b) {
            (Value::Object(x), Value::Object(y)) if x.keys().eq(y.keys()) => {
                let mut pairs = x.iter().zip(y.values());
                pairs.find_map(|((key, x), y)| self.below(key, None, x, y))
            }
            (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
                let is_per_column = x.len() == self.columns.len();
                let column = |at: usize| {
                    if is_per_column { self.columns.get(at).cloned() } else { None }
                };
                let columns: Vec<Option<String>> = (0..x.len()).map(column).collect();
                let mut pairs = x.iter().zip(y).zip(columns).enumerate();
                pairs.find_map(|(at, ((x, y), name))| self.below(&at.to_string(), name, x, y))
            }
            _ if a == b => None,
            _ => Some(Difference {
                column: self.column.clone(),
                path: (!self.path.is_empty()).then(|| self.path.join(".")),
                ..Difference::of(self.stage, &shown(a), &shown(b))
            }),
        }
    }

    fn below(
        &mut self,
        key: &str,
        column: Option<String>,
        a: &Value,
        b: &Value,
    ) -> Option<Difference> {
        let before = self.column.clone();
        self.path.push(key.to_owned());
        if column.is_some() {
            self.column = column;
        }
        let found = self.first(a, b);
        self.column = before;
        self.path.pop();
        found
    }
}

/// A value, cut to what a message can show.
fn shown(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}
