//! A [`Config`] as TOML text.

use serde::Serialize;

use super::{Columns, Config, DataConfig, StepConfig, StepParams};
use crate::batch::ColumnKind;
use crate::error::{Code, Error, Result};

/// The config as TOML with every default written out.
pub(super) fn toml(config: &Config) -> Result<String> {
    let mut root = toml::Table::new();
    root.insert("seed".into(), integer(config.seed.0)?);
    root.insert("golden_rows".into(), integer(u64::from(config.golden_rows))?);
    if let Some(rule) = &config.on_max_iter {
        root.insert("on_max_iter".into(), value(rule)?);
    }
    root.insert("data".into(), write_data(&config.data)?);
    root.insert("target".into(), value(&config.target)?);
    if !config.population.is_empty() {
        root.insert("population".into(), value(&config.population)?);
    }
    if let Some(drift) = &config.drift {
        root.insert("drift".into(), value(drift)?);
    }
    if let Some(split) = &config.split {
        root.insert("split".into(), value(split)?);
    }
    let steps: Vec<toml::Value> = config.steps.iter().map(write_step).collect::<Result<_>>()?;
    if !steps.is_empty() {
        root.insert("step".into(), toml::Value::Array(steps));
    }
    root.insert("model".into(), flatten(&config.model)?.into());
    toml::to_string(&root).map_err(unwritable)
}

fn write_data(data: &DataConfig) -> Result<toml::Value> {
    let mut table = toml::Table::new();
    if let Some(source) = &data.source {
        table.insert("source".into(), source.clone().into());
    }
    table.insert("key".into(), value(&data.key)?);
    if let Some(weight) = &data.weight {
        table.insert("weight".into(), weight.clone().into());
    }
    table.insert("missing".into(), value(&data.missing)?);
    let mut columns = toml::Table::new();
    for (name, column) in &data.columns {
        let form = match column.kind {
            ColumnKind::Time => value(column)?,
            kind => kind.to_string().into(),
        };
        columns.insert(name.clone(), form);
    }
    table.insert("columns".into(), columns.into());
    Ok(table.into())
}

fn write_step(step: &StepConfig) -> Result<toml::Value> {
    let mut table = match &step.params {
        StepParams::Transform(p) => flatten(p)?,
        StepParams::Selector(p) => flatten(p)?,
    };
    table.insert("name".into(), step.name.clone().into());
    let columns = match &step.columns {
        Columns { named: Some(named), .. } => value(named)?,
        other if *other == Columns::default() => "all".into(),
        other => value(other)?,
    };
    table.insert("columns".into(), columns);
    Ok(table.into())
}

/// `{ kind = { a = 1 } }` as `{ kind = "kind", a = 1 }`.
fn flatten<T: Serialize>(params: &T) -> Result<toml::Table> {
    let unwritten = || Error::new(Code::BadParameter, "the params cannot be written as TOML");
    let tagged = match value(params)? {
        toml::Value::Table(tagged) => tagged,
        _ => return Err(unwritten()),
    };
    let (kind, params) = tagged.into_iter().next().ok_or_else(unwritten)?;
    let toml::Value::Table(mut table) = params else {
        return Err(unwritten());
    };
    table.insert("kind".into(), kind.into());
    Ok(table)
}

fn value<T: Serialize>(x: &T) -> Result<toml::Value> {
    toml::Value::try_from(x).map_err(unwritable)
}

fn integer(x: u64) -> Result<toml::Value> {
    i64::try_from(x).map(toml::Value::Integer).map_err(|_| {
        Error::new(Code::BadParameter, format!("expected at most 2^63 - 1, found {x}"))
    })
}

fn unwritable(e: toml::ser::Error) -> Error {
    Error::new(Code::BadParameter, format!("the config cannot be written as TOML: {e}"))
}
