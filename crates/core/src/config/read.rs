//! TOML text to [`Config`], with the byte range of whatever is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::columns::refuse_repeated;
use super::places::Places;
use super::{
    ColumnConfig, Columns, Config, DEFAULT_GOLDEN_ROWS, DataConfig, DriftLimits, OnMaxIter,
    RowFilter, SplitConfig, StepConfig, StepParams, TargetConfig, TargetTransform, Task, Zone,
};
use crate::batch::{ColumnKind, TimeFormat};
use crate::error::{Code, Error, Result};
use crate::models::ModelParams;
use crate::rng::Seed;
use crate::selectors::SelectorParams;
use crate::transforms::TransformParams;

/// The text of a config as it stands, without steps and model, which their kinds read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    #[serde(default)]
    seed: u64,
    golden_rows: Option<Spanned<u32>>,
    on_max_iter: Option<OnMaxIter>,
    data: Data,
    target: Target,
    #[serde(default)]
    population: Vec<Spanned<RowFilter>>,
    drift: Option<Spanned<DriftLimits>>,
    split: Option<Split>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    source: Option<String>,
    #[serde(default)]
    key: Vec<Spanned<String>>,
    weight: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    columns: BTreeMap<String, ColumnForm>,
}

/// A declared column as a config writes it: `"num"`, or a table with the format of times.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnForm(pub ColumnConfig);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    kind: ColumnKind,
    #[serde(default)]
    format: TimeFormat,
    zone: Option<Zone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    column: String,
    #[serde(default)]
    task: Task,
    positive: Option<String>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    transform: TargetTransform,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split {
    test_ratio: Spanned<f64>,
    group: Option<String>,
}

impl<'de> Deserialize<'de> for ColumnForm {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> serde::de::Visitor<'de> for Form {
            type Value = ColumnForm;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"num\", \"text\", \"time\", or a table of kind, format and zone")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ColumnForm, E> {
                let kind = ColumnKind::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(ColumnForm(kind.into()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<ColumnForm, A::Error> {
                let from = serde::de::value::MapAccessDeserializer::new(map);
                let t = ColumnTable::deserialize(from)?;
                Ok(ColumnForm(ColumnConfig { kind: t.kind, format: t.format, zone: t.zone }))
            }
        }
        from.deserialize_any(Form)
    }
}

/// Reads a config, but for the tables called `foreign`.
pub(super) fn config(text: &str, foreign: &[&str]) -> Result<Config> {
    let mut root = DeTable::parse(text).map_err(refuse(Code::ConfigSyntax, None))?;
    let span = root.span();
    for name in foreign {
        root.get_mut().remove(*name);
    }
    if !root.get_ref().contains_key("target") {
        let message = "expected a [target] table, found none";
        return Err(Error::new(Code::BadTarget, message).remedy("add [target] with its `column`"));
    }
    if !root.get_ref().contains_key("data") {
        let message = "expected a [data] table, found none";
        return Err(Error::new(Code::BadParameter, message)
            .remedy("add [data]; its columns are inferred if it declares none"));
    }
    let steps = root.get_mut().remove("step");
    let model = root.get_mut().remove("model");
    let rest =
        Root::deserialize(Deserializer::from(root)).map_err(refuse(Code::BadParameter, None))?;
    let model = model.ok_or_else(|| {
        Error::new(Code::BadParameter, "expected a [model] table, found none").at(span)
    })?;
    let target = TargetConfig {
        column: rest.target.column,
        task: rest.target.task,
        positive: rest.target.positive,
        classes: rest.target.classes,
        transform: rest.target.transform,
    };
    let model = read_model(model, &target)?;
    Ok(Config {
        seed: Seed(rest.seed),
        data: read_data(rest.data)?,
        target,
        population: read_population(rest.population)?,
        drift: rest.drift.map(|drift| checked(drift, DriftLimits::validate)).transpose()?,
        split: rest.split.map(read_split).transpose()?,
        steps: read_steps(steps)?,
        model,
        on_max_iter: rest.on_max_iter,
        golden_rows: match rest.golden_rows {
            None => DEFAULT_GOLDEN_ROWS,
            Some(rows) => checked(rows, |n| super::check_golden_rows(*n))?,
        },
    })
}

/// The value, if `check` accepts it; else its error, with the place.
fn checked<T>(value: Spanned<T>, check: impl Fn(&T) -> Result<()>) -> Result<T> {
    check(value.get_ref()).map_err(|e| e.at(value.span()))?;
    Ok(value.into_inner())
}

fn read_data(data: Data) -> Result<DataConfig> {
    let mut seen = BTreeSet::new();
    let again = data.key.iter().find(|name| !seen.insert(name.get_ref().clone()));
    let again = again.map(Spanned::span).unwrap_or_default();
    let key: Vec<String> = data.key.into_iter().map(Spanned::into_inner).collect();
    refuse_repeated(&key).map_err(|e| e.at(again))?;
    let mut missing = data.missing;
    missing.retain(|marker| !marker.is_empty());
    missing.sort();
    Ok(DataConfig {
        source: data.source,
        key,
        weight: data.weight,
        missing,
        columns: data.columns.into_iter().map(|(name, form)| (name, form.0)).collect(),
    })
}

fn read_population(filters: Vec<Spanned<RowFilter>>) -> Result<Vec<RowFilter>> {
    filters.into_iter().map(|filter| checked(filter, RowFilter::check)).collect()
}

fn read_split(split: Split) -> Result<SplitConfig> {
    let test_ratio = checked(split.test_ratio, |ratio| super::data::check_test_ratio(*ratio))?;
    Ok(SplitConfig { test_ratio, group: split.group })
}

/// Turns an error of the TOML reader into ours.
fn refuse(code: Code, within: Option<Range<usize>>) -> impl Fn(toml::de::Error) -> Error {
    move |e| {
        let message = super::words::said(e.message());
        let code = if message.starts_with("unknown field") { Code::UnknownKey } else { code };
        let error = Error::new(code, message);
        match e.span().or_else(|| within.clone()) {
            Some(span) => error.at(span),
            None => error,
        }
    }
}

fn expect_table(value: Spanned<DeValue<'_>>) -> Result<Spanned<DeTable<'_>>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Ok(Spanned::new(span, table)),
        other => {
            let found = other.type_str();
            Err(Error::new(Code::BadParameter, format!("expected a table, found {found}")).at(span))
        }
    }
}

fn read_steps(value: Option<Spanned<DeValue<'_>>>) -> Result<Vec<StepConfig>> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let span = value.span();
    let DeValue::Array(steps) = value.into_inner() else {
        return Err(Error::new(Code::BadParameter, "expected [[step]] tables").at(span));
    };
    let steps = steps.into_iter().map(|step| read_step(expect_table(step)?));
    let steps: Vec<(StepConfig, Range<usize>)> = steps.collect::<Result<_>>()?;
    for (place, (step, span)) in steps.iter().enumerate() {
        if steps[..place].iter().any(|(earlier, _)| earlier.name == step.name) {
            return Err(Error::new(
                Code::DuplicateName,
                "expected unique step names, found it twice",
            )
            .remedy("give each step its own `name`")
            .step(&step.name)
            .at(span.clone()));
        }
    }
    Ok(steps.into_iter().map(|(step, _)| step).collect())
}

fn read_step(mut table: Spanned<DeTable<'_>>) -> Result<(StepConfig, Range<usize>)> {
    let span = table.span();
    let (kind, kind_span) = take_kind(&mut table)?;
    let place = |key: &str| table.get_ref().get(key).map_or_else(|| span.clone(), Spanned::span);
    let (name_span, mut columns_span) = (place("name"), place("columns"));
    if let Some(again) = table.get_ref().get("columns").and_then(repeated) {
        columns_span = again;
    }
    let name: String = take(&mut table, "name")?.unwrap_or_else(|| kind.clone());
    super::step::check_step_name(&name).map_err(|e| e.at(name_span))?;
    let mut columns: Columns = take(&mut table, "columns")?.unwrap_or_default();
    columns.except.sort();
    columns.validate().map_err(|e| e.step(&name).at(columns_span))?;
    let named = |e: Error| e.step(&name).at(span.clone());
    let places = Places::of(table.get_ref());
    let params = read_step_params(&kind, kind_span, table, &span).map_err(named)?;
    params.validate().map_err(|e| named(places.point(e)))?;
    Ok((StepConfig { name: name.clone(), columns, params }, span.clone()))
}

/// Where a list has a text that stands earlier in it as well.
fn repeated(list: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    let DeValue::Array(items) = list.get_ref() else {
        return None;
    };
    let mut seen = BTreeSet::new();
    let again = |item: &&Spanned<DeValue<'_>>| {
        item.get_ref().as_str().is_some_and(|text| !seen.insert(text.to_owned()))
    };
    items.iter().find(again).map(Spanned::span)
}

fn read_step_params(
    kind: &str,
    kind_span: Range<usize>,
    table: Spanned<DeTable<'_>>,
    span: &Range<usize>,
) -> Result<StepParams> {
    let refuse = refuse(Code::BadParameter, Some(span.clone()));
    let refuse = |e| refuse(e).remedy(listed(kind));
    let is_selector = SelectorParams::KINDS.iter().any(|info| info.tag == kind);
    let from = Deserializer::from(table);
    if is_selector {
        if let Some(read) = SelectorParams::read(kind, from) {
            return read.map(StepParams::Selector).map_err(refuse);
        }
    } else if let Some(read) = TransformParams::read(kind, from) {
        return read.map(StepParams::Transform).map_err(refuse);
    }
    let known = TransformParams::KINDS.iter().chain(SelectorParams::KINDS);
    Err(unknown_kind(kind, known.map(|info| info.tag)).at(kind_span))
}

/// The `kind` of a step or model, and where it stands.
fn take_kind(table: &mut Spanned<DeTable<'_>>) -> Result<(String, Range<usize>)> {
    let span = table.get_ref().get("kind").map_or_else(|| table.span(), Spanned::span);
    match take(table, "kind")? {
        Some(kind) => Ok((kind, span)),
        None => Err(Error::new(Code::BadParameter, "expected `kind`, found none").at(span)),
    }
}

/// The model, which can do the target's task.
fn read_model(value: Spanned<DeValue<'_>>, target: &TargetConfig) -> Result<ModelParams> {
    let mut table = expect_table(value)?;
    let span = table.span();
    let (kind, kind_span) = take_kind(&mut table)?;
    let named = |e: Error| e.step(super::MODEL_STEP).at(span.clone());
    let places = Places::of(table.get_ref());
    let Some(read) = ModelParams::read(&kind, Deserializer::from(table)) else {
        let known = ModelParams::KINDS.iter().map(|info| info.tag);
        return Err(named(unknown_kind(&kind, known).at(kind_span)));
    };
    let listed = |e: Error| named(e).remedy(listed(&kind));
    let params = read.map_err(refuse(Code::BadParameter, Some(span.clone()))).map_err(listed)?;
    let checked = params.validate().and_then(|()| super::canonical::check(&params));
    checked.map_err(|e| named(places.point(e)))?;
    params.check_class_weights(target).map_err(|e| named(places.point(e)))?;
    super::task::check(&params, target.task).map_err(|e| e.at(kind_span))?;
    Ok(params)
}

/// Takes a key out of a table; `None` if it is not there.
fn take<T: for<'de> Deserialize<'de>>(
    table: &mut Spanned<DeTable<'_>>,
    key: &str,
) -> Result<Option<T>> {
    let Some(value) = table.get_mut().remove(key) else {
        return Ok(None);
    };
    let span = value.span();
    let read = T::deserialize(ValueDeserializer::from(value));
    read.map(Some).map_err(refuse(Code::BadParameter, Some(span)))
}

/// Where the parameters of a kind are listed.
fn listed(kind: &str) -> String {
    format!("`samescore kinds {kind}` lists its parameters and what they take")
}

fn unknown_kind<'a>(kind: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.collect();
    let meant = super::peers::meant(kind, &known);
    let nearest = || known.iter().copied().min_by_key(|tag| distance(kind, tag));
    let nearest = meant.or_else(nearest).unwrap_or_default();
    Error::new(Code::UnknownKind, format!("expected a known kind, found `{kind}`"))
        .remedy(format!("did you mean `{nearest}`? `samescore kinds` lists all"))
}

/// The number of letters to change, add or take away.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
