//! TOML text to a [`Space`], with the byte range of whatever is wrong.

use std::ops::Range;

use samescore_core::config::{Config, MODEL_STEP};
use samescore_core::error::{Code, Error, Result};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::space::{N_TRIALS_MAX, Parameter, Scale, Space, Span, Target, Values};

/// Integers up to here are exact.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl Space {
    /// Reads a space for `config`.
    ///
    /// # Errors
    /// As the module says, with the byte range of what is wrong.
    pub fn from_toml(text: &str, config: &Config) -> Result<Self> {
        let root = DeTable::parse(text).map_err(|e| refuse(&e, Code::ConfigSyntax, None))?;
        let mut parameters = Vec::new();
        for (key, value) in root.into_inner() {
            if key.get_ref() != "parameters" {
                let message = format!("expected [parameters], found `{}`", key.get_ref());
                return Err(Error::new(Code::UnknownKey, message).at(key.span()));
            }
            read_parameters(value, config, &mut parameters)?;
        }
        if parameters.is_empty() {
            return Err(Error::new(
                Code::BadParameter,
                "expected parameters to search, found none",
            )
            .remedy("add [parameters] with keys such as \"model.PARAM\""));
        }
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        match parameters.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => {
                let message = format!("expected `{}` once, found it twice", pair[1].name);
                Err(Error::new(Code::BadParameter, message).at(pair[1].span.clone()))
            }
            None => Ok(Space { parameters }),
        }
    }
}

impl Span {
    fn check(&self) -> std::result::Result<(), String> {
        let (from, to) = (self.from, self.to);
        if !(from.is_finite() && to.is_finite() && from < to) {
            return Err(format!("expected finite `from` below `to`, found {from} and {to}"));
        }
        if self.scale == Scale::Log && from <= 0.0 {
            return Err(format!("expected `from` above 0 on a log scale, found {from}"));
        }
        let is_whole = |x: f64| x == x.trunc() && x.abs() < WHOLE_MAX;
        if self.whole && !(is_whole(from) && is_whole(to)) {
            return Err(format!("expected whole `from` and `to`, found {from} and {to}"));
        }
        match self.n_points {
            Some(n) if !(1..=N_TRIALS_MAX).contains(&n) => {
                Err(format!("expected n_points from 1 to {N_TRIALS_MAX}, found {n}"))
            }
            _ => Ok(()),
        }
    }
}

/// Values to choose from.
pub(super) fn list(values: Vec<toml::Value>) -> Result<Values> {
    if values.is_empty() {
        return Err(Error::new(Code::BadParameter, "expected values to choose from, found none"));
    }
    Ok(Values::List(values))
}

/// What a name replaces.
pub(super) fn target(name: &str, config: &Config) -> Result<Target> {
    if name == MODEL_STEP {
        return Ok(Target::WholeModel);
    }
    if let Some(path) = name.strip_prefix("model.").filter(|path| !path.is_empty()) {
        check_path(path, name, config)?;
        return Ok(Target::Model(path.to_owned()));
    }
    match name.rsplit_once('.') {
        Some((step, key))
            if !key.is_empty() && key != "name" && config.steps.iter().any(|s| s.name == step) =>
        {
            Ok(Target::Step(step.to_owned(), key.to_owned()))
        }
        _ => {
            let message = format!("expected `model.PARAM` or `STEP.PARAM`, found `{name}`");
            let steps: Vec<&str> = config.steps.iter().map(|s| s.name.as_str()).collect();
            let error = Error::new(Code::UnknownKey, message);
            Err(match steps.is_empty() {
                true => error.remedy("the config has no step"),
                false => error.remedy(format!("steps are {}", steps.join(", "))),
            })
        }
    }
}

/// What a path into the resolved model leads to.
fn of_model(path: &str, config: &Config) -> Result<Option<toml::Value>> {
    let text = config.to_toml()?;
    let root: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        Error::new(Code::BadParameter, format!("the config cannot be read: {}", e.message()))
    })?;
    let mut found = root.get(MODEL_STEP);
    for key in path.split('.') {
        found = found.and_then(|value| match key.parse::<usize>() {
            Ok(place) if value.is_array() => value.get(place),
            _ => value.get(key),
        });
    }
    Ok(found.cloned())
}

/// The tables on the way to a parameter of a model inside of the model must be there.
fn check_path(path: &str, name: &str, config: &Config) -> Result<()> {
    let Some((outer, _)) = path.rsplit_once('.') else {
        return Ok(());
    };
    if of_model(outer, config)?.is_some_and(|value| value.is_table()) {
        return Ok(());
    }
    let message =
        format!("expected `model.{outer}` to be a table of the model, found none for `{name}`");
    let error = Error::new(Code::UnknownKey, message);
    Err(error.remedy("name a model inside of the model by its path, as model.estimator.KIND.PARAM"))
}

/// The parameters of a table, or of tables in it: an unquoted `model.c` is a table of a table.
fn read_table(
    owner: &str,
    table: DeTable<'_>,
    config: &Config,
    parameters: &mut Vec<Parameter>,
) -> Result<()> {
    for (key, value) in table {
        let name = format!("{owner}.{}", key.get_ref());
        let inner = name.strip_prefix("model.").map(|path| of_model(path, config)).transpose()?;
        let is_table = inner.flatten().is_some_and(|value| value.is_table() || value.is_array());
        let is_range =
            matches!(value.get_ref(), DeValue::Table(inner) if inner.contains_key("from"));
        match value.get_ref() {
            DeValue::Table(_) if is_table && !is_range => {
                if let DeValue::Table(inner) = value.into_inner() {
                    read_table(&name, inner, config, parameters)?;
                }
            }
            _ => parameters.push(read_parameter(name, key.span(), value, config)?),
        }
    }
    Ok(())
}

fn read_parameters(
    value: Spanned<DeValue<'_>>,
    config: &Config,
    parameters: &mut Vec<Parameter>,
) -> Result<()> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        let message = "expected [parameters] to be a table";
        return Err(Error::new(Code::BadParameter, message).at(span));
    };
    for (key, value) in table {
        let owner = key.get_ref().to_string();
        let is_owner = owner == MODEL_STEP || config.steps.iter().any(|step| step.name == owner);
        let at = key.span();
        match value.get_ref() {
            DeValue::Table(_) if is_owner => {
                if let DeValue::Table(inner) = value.into_inner() {
                    read_table(&owner, inner, config, parameters)?;
                }
            }
            _ => parameters.push(read_parameter(owner, at, value, config)?),
        }
    }
    Ok(())
}

fn read_parameter(
    name: String,
    span: Range<usize>,
    value: Spanned<DeValue<'_>>,
    config: &Config,
) -> Result<Parameter> {
    let target = target(&name, config).map_err(|e| e.at(span.clone()))?;
    let at = value.span();
    let wrong = |e: toml::de::Error| refuse(&e, Code::BadParameter, Some(at.clone()));
    let values = match value.get_ref() {
        DeValue::Array(_) => {
            let values =
                Vec::<toml::Value>::deserialize(ValueDeserializer::from(value)).map_err(wrong)?;
            list(values).map_err(|e| e.at(at.clone()))?
        }
        DeValue::Table(_) if target != Target::WholeModel => {
            let range = Span::deserialize(ValueDeserializer::from(value)).map_err(wrong)?;
            range.check().map_err(|message| {
                let message = format!("`{name}`: {message}");
                Error::new(Code::BadParameter, message).at(at.clone())
            })?;
            Values::Range(range)
        }
        other => {
            let found = other.type_str();
            let message = format!("`{name}`: expected a list or a range of values, found {found}");
            return Err(Error::new(Code::BadParameter, message).at(at));
        }
    };
    Ok(Parameter { name, target, values, span })
}

fn refuse(e: &toml::de::Error, code: Code, within: Option<Range<usize>>) -> Error {
    let message = e.message().trim_end_matches('.');
    let code = if message.starts_with("unknown field") { Code::UnknownKey } else { code };
    let error = Error::new(code, message);
    match e.span().or(within) {
        Some(span) => error.at(span),
        None => error,
    }
}
