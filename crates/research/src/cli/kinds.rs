//! `kinds`: the catalogue of steps and models, from the registries.

use samescore_core::error::{Code, Error};
use samescore_core::models::ModelParams;
use samescore_core::selectors::SelectorParams;
use samescore_core::step::{KindInfo, Parameter};
use samescore_core::transforms::TransformParams;
use samescore_research::render;
use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::shell::{Answer, Shell};

/// List the kinds of steps and models, or print the manual, the parameters and the defaults of one.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore kinds mean_median_imputer")]
pub(super) struct Args {
    /// The kind.
    kind: Option<String>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let all: Vec<&KindInfo> = TransformParams::KINDS
        .iter()
        .chain(SelectorParams::KINDS)
        .chain(ModelParams::KINDS)
        .collect();
    match &args.kind {
        None => Ok(Answer::yes(shell.body(
            || list(&all),
            || {
                let kinds: Vec<Value> = all.iter().map(|info| about(info)).collect();
                json!({ "command": "kinds", "kinds": kinds })
            },
        ))),
        Some(tag) => {
            let Some(info) = all.iter().find(|info| info.tag == tag) else {
                let error =
                    Error::new(Code::UnknownKind, format!("expected a known kind, found `{tag}`"));
                return Err(error.remedy("`samescore kinds` lists all").into());
            };
            let defaults = defaults(tag)?;
            Ok(Answer::yes(shell.body(
                || {
                    let (family, manual, parameters) =
                        (info.family, info.manual(), parameters(info));
                    format!("{tag} ({family})\n\n{manual}{parameters}\n# Defaults\n{defaults}")
                },
                || {
                    let mut about = about(info);
                    about["manual"] = json!(info.manual());
                    about["parameters"] = info.parameters().iter().map(parameter).collect();
                    about["defaults_toml"] = json!(defaults);
                    json!({ "command": "kinds", "kind": about })
                },
            )))
        }
    }
}

fn list(all: &[&KindInfo]) -> String {
    let draws = |info: &KindInfo| if info.draws { "yes" } else { "" }.to_owned();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|info| vec![info.family.into(), info.tag.into(), draws(info), info.summary()])
        .collect();
    render::table(&["family", "kind", "draws", "what it does"], &rows)
}

fn about(info: &KindInfo) -> Value {
    json!({
        "family": info.family,
        "kind": info.tag,
        "draws": info.draws,
        "summary": info.summary(),
    })
}

/// A section of the manual: what each parameter is, and what may stand behind it.
fn parameters(info: &KindInfo) -> String {
    let about = |p: &Parameter| format!("{}: {}\n    {}\n", p.name, p.form, p.doc);
    let all: String = info.parameters().iter().map(about).collect();
    if all.is_empty() { all } else { format!("\n# Parameters\n{all}") }
}

fn parameter(p: &Parameter) -> Value {
    json!({ "name": p.name, "form": p.form.to_string(), "doc": p.doc })
}

/// The params of a kind with their defaults, as a config would say them.
fn defaults(tag: &str) -> Result<String, Error> {
    let (heading, table) = if let Some(params) = ModelParams::default_of(tag) {
        ("[model]", params_table(&params))
    } else if let Some(params) = SelectorParams::default_of(tag) {
        ("[[step]]", params_table(&params))
    } else if let Some(params) = TransformParams::default_of(tag) {
        ("[[step]]", params_table(&params))
    } else {
        ("[[step]]", None)
    };
    let params = table.unwrap_or_default();
    let text = toml::to_string(&params).map_err(|e| {
        Error::new(Code::BadParameter, format!("the defaults cannot be written: {e}"))
    })?;
    Ok(format!("{heading}\nkind = \"{tag}\"\n{text}{}", left_out(tag)))
}

/// The params that a config leaves out by default, as comments: TOML has no word for nothing.
fn left_out(tag: &str) -> String {
    let params = ModelParams::default_of(tag)
        .and_then(|params| serde_json::to_value(params).ok())
        .or_else(|| serde_json::to_value(SelectorParams::default_of(tag)?).ok())
        .or_else(|| serde_json::to_value(TransformParams::default_of(tag)?).ok());
    let fields = params.as_ref().and_then(|params| params[tag].as_object());
    let absent = fields.into_iter().flatten().filter(|(_, value)| value.is_null());
    absent.map(|(name, _)| format!("# {name}: left out by default\n")).collect()
}

/// What stands behind the tag.
fn params_table<P: Serialize>(params: &P) -> Option<toml::Table> {
    let toml::Value::Table(tagged) = toml::Value::try_from(params).ok()? else {
        return None;
    };
    match tagged.into_iter().next() {
        Some((_, toml::Value::Table(params))) => Some(params),
        _ => None,
    }
}
