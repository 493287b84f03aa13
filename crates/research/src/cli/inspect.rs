//! `inspect`: what an artifact says about itself, also when it is refused.

use std::path::PathBuf;

use samescore_core::artifact::{
    Artifact, ColumnProfile, PROFILE_QUANTILES, Payload, Spread, ValueProfile,
};
use samescore_core::batch::show_time;
use samescore_core::digest::Digest;
use samescore_core::error::Error;
use samescore_research::render;
use serde_json::{Value, json};

use super::failure::Failure;
use super::shell::{Answer, Shell};
use super::{load, model};

/// Show what an artifact holds. A refused one is shown as far as it can be read, with the reason.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore inspect titanic.samescore")]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let bytes = load::artifact_bytes(&args.artifact)?;
    let verdict = Artifact::from_bytes(&bytes).map(|_| ());
    let peeked = Artifact::peek(&bytes);
    let body = shell.body(
        || text(&peeked, &verdict, bytes.len()),
        || {
            let refusal = verdict.as_ref().err();
            let said = |e: &Error| json!({ "code": e.code().id(), "message": e.to_string() });
            json!({
                "command": "inspect",
                "bytes": bytes.len(),
                "is_accepted": refusal.is_none(),
                "refusal": refusal.map(said),
                "artifact": peeked.as_ref().ok().map(|(digest, payload)| about(digest, payload)),
            })
        },
    );
    Ok(match &verdict {
        Ok(()) => Answer::yes(body),
        Err(error) => Answer::with_code(body, error.kind().exit_code()),
    })
}

fn text(
    peeked: &Result<(Digest, Payload), Error>,
    verdict: &Result<(), Error>,
    n_bytes: usize,
) -> String {
    let verdict = match verdict {
        Ok(()) => "accepted: it scores here as it did where it was made".to_owned(),
        Err(e) => format!("REFUSED {}: {e}", e.code()),
    };
    let Ok((digest, payload)) = peeked else {
        return render::pairs(&[("verdict", verdict), ("bytes", n_bytes.to_string())]);
    };
    let config = &payload.config;
    let mut text = render::pairs(&[
        ("artifact", digest.to_string()),
        ("verdict", verdict),
        ("bytes", n_bytes.to_string()),
        ("config", payload.config_fingerprint.to_string()),
        ("data", payload.data_fingerprint.to_string()),
        ("rows", format!("{} fitted on", payload.n_rows)),
        ("seed", config.seed.to_string()),
        (
            "target",
            format!(
                "{} ({:?}, {:?})",
                config.target.column, config.target.task, config.target.transform
            ),
        ),
        (
            "key",
            if config.data.key.is_empty() {
                "the whole row".into()
            } else {
                config.data.key.join(", ")
            },
        ),
        ("golden rows", payload.golden.n_rows().to_string()),
    ]);
    if let Some(counts) = &payload.population {
        text.push_str(&super::fit::population_table(&config.population, counts));
    }
    text.push_str(&render::table(&["input", "kind", "missing", "values"], &inputs(payload)));
    let steps: Vec<Vec<String>> = payload
        .pipeline
        .steps
        .iter()
        .map(|s| vec![s.name.clone(), s.state.kind().to_owned(), s.columns.join(", ")])
        .collect();
    text.push_str(&render::table(&["step", "kind", "columns"], &steps));
    text.push_str(&model::text(payload));
    let metrics: Vec<Vec<String>> =
        payload.metrics.iter().map(|(name, x)| vec![name.clone(), render::short(*x)]).collect();
    text + &render::table(&["metric", "value"], &metrics)
}

fn inputs(payload: &Payload) -> Vec<Vec<String>> {
    let row = |name: &str, kind: String| {
        let Some(profile) = payload.profile.columns.get(name) else {
            return vec![name.to_owned(), kind, "-".into(), String::new()];
        };
        let values = match &profile.values {
            ValueProfile::Num(Some([min, mean, max])) => {
                let [min, mean, max] = [min, mean, max].map(|x| render::short(*x));
                format!("{min} to {max}, mean {mean}{}", quantiles(profile))
            }
            ValueProfile::Text(n) => format!("{n} labels{}", frequent(profile)),
            ValueProfile::Time(Some([first, last])) => {
                let median = match &profile.spread {
                    Some(Spread::Time(spread)) => spread.quantiles.get(PROFILE_QUANTILES.len() / 2),
                    _ => None,
                };
                let median = median.map(|t| format!(", 50% {}", show_time(*t)));
                let (first, last) = (show_time(*first), show_time(*last));
                format!("{first} to {last}{}", median.unwrap_or_default())
            }
            ValueProfile::Num(None) | ValueProfile::Time(None) => "none".to_owned(),
        };
        vec![name.to_owned(), kind, profile.n_missing.to_string(), values]
    };
    payload.pipeline.input.fields().iter().map(|f| row(&f.name, f.kind.to_string())).collect()
}

/// Some of the quantiles in training, as far as they were recorded.
fn quantiles(profile: &ColumnProfile) -> String {
    let Some(Spread::Num(spread)) = &profile.spread else {
        return String::new();
    };
    let shown = PROFILE_QUANTILES.iter().zip(&spread.quantiles);
    let shown = shown.filter(|(q, _)| [0.05, 0.5, 0.95].contains(*q));
    shown.map(|(q, x)| format!(", {}% {}", q * 100.0, render::short(*x))).collect()
}

/// The most frequent labels in training, as far as they were recorded.
fn frequent(profile: &ColumnProfile) -> String {
    let Some(Spread::Text(spread)) = &profile.spread else {
        return String::new();
    };
    let mut levels: Vec<(&String, &u64)> = spread.levels.iter().collect();
    levels.sort_by(|a, b| b.1.cmp(a.1));
    let shown = levels.iter().take(3).map(|(level, n)| format!("{level:?} {n}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if shown.is_empty() { shown } else { format!(": {shown}") }
}

fn about(digest: &Digest, payload: &Payload) -> Value {
    let steps: Vec<Value> = payload
        .pipeline
        .steps
        .iter()
        .map(|s| json!({ "name": s.name, "kind": s.state.kind(), "columns": s.columns }))
        .collect();
    let mut about = json!({
        "digest": digest.to_string(),
        "kinds": payload.kinds,
        "config_toml": payload.config.to_toml().ok(),
        "config_fingerprint": payload.config_fingerprint.to_string(),
        "data_fingerprint": payload.data_fingerprint.to_string(),
        "n_rows": payload.n_rows,
        "population": payload.population,
        "input": payload.pipeline.input,
        "profile": payload.profile,
        "steps": steps,
        "features": payload.pipeline.features,
        "metrics": payload.metrics,
        "n_golden_rows": payload.golden.n_rows(),
    });
    if let Value::Object(object) = &mut about {
        object.extend(model::json(payload));
    }
    about
}
