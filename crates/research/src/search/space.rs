//! What is searched over: named parameters and the values that each may take.
//!
//! # Method
//! `[parameters]` has keys `STEP.param`, `model.param`, or `model`. A value is a list, or a range
//! `{ from, to, scale = "linear" | "log", whole, n_points }`. A parameter of a model inside of the
//! model is named by its path, as `model.estimator.logistic_regression.c`, in a list of models with
//! its place in the list, from 0, as `model.estimators.1.random_forest.max_depth`. `model.kind` or
//! `STEP.kind` is a list of kinds with their defaults (the config's own kind with its parameters);
//! `model` is a list of whole model tables, as `[{ kind = "mlp", alpha = 0.1 }, { kind = "k_means"
//! }]`. A trial's config is the resolved TOML of the config with these values put in, read back
//! as strictly as any config: every parameter of every step and of the model can be searched, and a
//! misspelt one is an error.
//!
//! A grid takes lists as they are and `n_points` of a range, evenly spaced on its scale, ends
//! included; the parameter that is last by name changes fastest. A draw takes each value of a list,
//! or of a range of whole numbers on a linear scale, equally often; any other range by a uniform
//! number on its scale, rounded if whole (then from ½ below to ½ above).
//!
//! # Ties and order
//! Parameters are in the order of their names. A draw belongs to seed, number of the trial and name
//! of the parameter: another parameter, or more trials, move none.
//!
//! # Errors
//! Unknown keys, an empty list or space, a range that is empty or not finite, a logarithm of 0 or
//! less; with the place in the text.

use std::ops::Range;

use samescore_core::config::{Config, MODEL_STEP};
use samescore_core::digest::{Fingerprint, Hasher};
use samescore_core::error::{Code, Error, Result};
use samescore_core::math;
use samescore_core::rng::{Draw, Seed, Stream};
use serde::Deserialize;

use super::read;

/// Larger grids are refused.
pub const N_TRIALS_MAX: u64 = 100_000;

/// What is searched over.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    pub(super) parameters: Vec<Parameter>,
}

/// A parameter and its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) target: Target,
    pub(super) values: Values,
    pub(super) span: Range<usize>,
}

/// What a parameter replaces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    WholeModel,
    Model(String),
    Step(String, String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    List(Vec<toml::Value>),
    Range(Span),
}

/// A range of numbers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    #[serde(default)]
    pub(super) scale: Scale,
    #[serde(default)]
    pub(super) whole: bool,
    pub(super) n_points: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scale {
    #[default]
    Linear,
    Log,
}

impl Space {
    /// One parameter with a list of values.
    ///
    /// # Errors
    /// If the name is not that of a parameter, or the list is empty.
    pub fn of(name: &str, values: Vec<toml::Value>, config: &Config) -> Result<Self> {
        let target = read::target(name, config)?;
        let values = read::list(values)?;
        Ok(Space {
            parameters: vec![Parameter { name: name.to_owned(), target, values, span: 0..0 }],
        })
    }

    /// The names in their order.
    pub fn names(&self) -> Vec<&str> {
        self.parameters.iter().map(|p| p.name.as_str()).collect()
    }

    /// Every combination.
    ///
    /// # Errors
    /// If a range does not say how many points, or there are too many combinations.
    pub fn grid(&self) -> Result<Vec<Vec<toml::Value>>> {
        let axes: Vec<Vec<toml::Value>> =
            self.parameters.iter().map(Parameter::points).collect::<Result<_>>()?;
        let n = axes.iter().try_fold(1u64, |n, axis| n.checked_mul(axis.len() as u64));
        if n.is_none_or(|n| n > N_TRIALS_MAX) {
            let message = format!("expected a grid of at most {N_TRIALS_MAX} trials, found more");
            return Err(Error::new(Code::BadParameter, message)
                .remedy("take fewer points, or draw with --method random"));
        }
        let mut combinations = vec![Vec::new()];
        for axis in &axes {
            let longer = combinations.iter().flat_map(|head: &Vec<toml::Value>| {
                axis.iter()
                    .map(move |value| [head.as_slice(), std::slice::from_ref(value)].concat())
            });
            combinations = longer.collect();
        }
        Ok(combinations)
    }

    /// The values that trial `number` draws.
    pub fn draw(&self, seed: Seed, number: u64) -> Vec<toml::Value> {
        let of = |p: &Parameter| {
            let stream = Stream::new(seed, "search", &p.name, "value");
            p.drawn(&mut stream.substream("trial", number).pcg())
        };
        self.parameters.iter().map(of).collect()
    }

    /// The config with these values, one per parameter.
    ///
    /// # Errors
    /// If the config with them is none; pointing at the parameter where it can.
    pub fn config(&self, base: &toml::Table, values: &[toml::Value]) -> Result<Config> {
        let all: Vec<(&Parameter, &toml::Value)> = self.parameters.iter().zip(values).collect();
        with(base, &all).map_err(|e| placed(&e, base, &all))
    }

    /// The identity of the space.
    ///
    /// # Errors
    /// Never for a space that was read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let mut hasher = Hasher::new("samescore search space v1");
        for parameter in &self.parameters {
            hasher.str(&parameter.name);
            match &parameter.values {
                Values::List(values) => {
                    hasher.u8(0).u64(values.len() as u64);
                    values.iter().for_each(|value| {
                        hasher.str(&show(value));
                    });
                }
                Values::Range(s) => {
                    hasher.u8(1).f64(s.from).f64(s.to).u8(u8::from(s.scale == Scale::Log));
                    hasher.u8(u8::from(s.whole)).u64(s.n_points.unwrap_or(0));
                }
            }
        }
        Ok(hasher.finish_fingerprint())
    }
}

/// The config with some values put in.
fn with(base: &toml::Table, pairs: &[(&Parameter, &toml::Value)]) -> Result<Config> {
    let mut root = base.clone();
    // A kind goes first: the parameters beside it are those of the new one.
    let (kinds, others): (Vec<_>, Vec<_>) =
        pairs.iter().partition(|(parameter, _)| parameter.target.is_kind());
    for (parameter, value) in kinds.into_iter().chain(others) {
        parameter.target.put(&mut root, (*value).clone());
    }
    let text = toml::to_string(&root)
        .map_err(|e| Error::new(Code::BadParameter, format!("cannot be written: {e}")))?;
    Config::from_toml(&text)
}

/// An error of a trial's config, said of the space: of the first value that is wrong by itself.
fn placed(e: &Error, base: &toml::Table, pairs: &[(&Parameter, &toml::Value)]) -> Error {
    let is_wrong = |pair: &&(&Parameter, &toml::Value)| {
        with(base, &[**pair]).is_err_and(|alone| alone.message() == e.message())
    };
    let wrong = pairs.iter().find(is_wrong);
    let said: Vec<String> =
        pairs.iter().map(|(p, value)| format!("{} = {}", p.name, show(value))).collect();
    let mut placed = Error::new(e.code(), format!("with {}: {}", said.join(", "), e.message()));
    if let Some(step) = e.step_name() {
        placed = placed.step(step);
    }
    if let Some(column) = e.column_name() {
        placed = placed.column(column);
    }
    if let Some(remedy) = e.remedy_text() {
        placed = placed.remedy(remedy);
    }
    match wrong {
        Some((parameter, _)) if !parameter.span.is_empty() => placed.at(parameter.span.clone()),
        _ => placed,
    }
}

const KIND: &str = "kind";

impl Target {
    fn put(&self, root: &mut toml::Table, value: toml::Value) {
        let table = match self {
            Target::WholeModel => {
                root.insert(MODEL_STEP.to_owned(), value);
                return;
            }
            Target::Model(_) => root.get_mut(MODEL_STEP),
            Target::Step(step, _) => {
                let steps = root.get_mut("step").and_then(toml::Value::as_array_mut);
                let is_it = |s: &&mut toml::Value| {
                    s.get("name").and_then(|n| n.as_str()) == Some(step.as_str())
                };
                steps.and_then(|steps| steps.iter_mut().find(is_it))
            }
        };
        let (Target::Model(key) | Target::Step(_, key)) = self else {
            return;
        };
        let Some(table) = table.and_then(toml::Value::as_table_mut) else {
            return;
        };
        if self.is_kind() {
            if table.get(KIND) != Some(&value) {
                table.retain(|key, _| key == "name" || key == "columns");
                table.insert(KIND.to_owned(), value);
            }
            return;
        }
        let (path, last) = match key.rsplit_once('.') {
            Some((path, last)) if self.is_model() => (path.split('.').collect(), last),
            _ => (Vec::<&str>::new(), key.as_str()),
        };
        let Some((first, rest)) = path.split_first() else {
            table.insert(last.to_owned(), value);
            return;
        };
        let mut inner = table.get_mut(*first);
        for key in rest {
            inner = inner.and_then(|value| match key.parse::<usize>() {
                Ok(place) if value.is_array() => value.get_mut(place),
                _ => value.get_mut(*key),
            });
        }
        if let Some(inner) = inner.and_then(toml::Value::as_table_mut) {
            inner.insert(last.to_owned(), value);
        }
    }

    fn is_model(&self) -> bool {
        matches!(self, Target::Model(_))
    }

    /// Whether it is the kind of the model or of a step.
    fn is_kind(&self) -> bool {
        matches!(self, Target::Model(key) | Target::Step(_, key) if key == KIND)
    }
}

impl Parameter {
    fn points(&self) -> Result<Vec<toml::Value>> {
        let span = match &self.values {
            Values::List(values) => return Ok(values.clone()),
            Values::Range(span) => span,
        };
        let Some(n) = span.n_points else {
            let message = format!("`{}`: expected n_points for a grid, found none", self.name);
            return Err(Error::new(Code::BadParameter, message)
                .at(self.span.clone())
                .remedy("say how many points, or draw with --method random"));
        };
        let mut points: Vec<toml::Value> = (0..n)
            .map(|nth| match nth {
                0 => span.value(span.from),
                _ if nth == n - 1 => span.value(span.to),
                _ => span.at(nth as f64 / (n - 1) as f64, 0.0),
            })
            .collect();
        points.dedup();
        Ok(points)
    }

    fn drawn(&self, draws: &mut impl Draw) -> toml::Value {
        match &self.values {
            Values::List(values) => values[draws.bounded(values.len() as u64) as usize].clone(),
            Values::Range(span) if span.whole && span.scale == Scale::Linear => {
                let n = (span.to - span.from) as u64 + 1;
                toml::Value::Integer(span.from as i64 + draws.bounded(n) as i64)
            }
            Values::Range(span) => span.at(draws.uniform(), 0.5),
        }
    }
}

impl Span {
    /// The value at `u` of the way from `from` to `to`, on the scale; whole numbers reach `margin`
    /// beyond their ends before they are rounded.
    fn at(&self, u: f64, margin: f64) -> toml::Value {
        let margin = if self.whole { margin } else { 0.0 };
        let (from, to) = (self.from - margin, self.to + margin);
        let x = match self.scale {
            Scale::Linear => from * (1.0 - u) + to * u,
            Scale::Log => math::exp(math::ln(from) * (1.0 - u) + math::ln(to) * u),
        };
        self.value(math::clamp(x, self.from, self.to))
    }

    fn value(&self, x: f64) -> toml::Value {
        if self.whole {
            toml::Value::Integer((x + 0.5).floor() as i64)
        } else {
            toml::Value::Float(x)
        }
    }
}

/// A value on one line.
pub fn show(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} = {}", show(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        toml::Value::Array(values) => {
            let values: Vec<String> = values.iter().map(show).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}
