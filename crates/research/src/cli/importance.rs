//! `importance`: which columns an artifact's model leans on.

use std::path::PathBuf;

use samescore_core::artifact::Payload;
use samescore_core::math;
use samescore_core::par::Threads;
use samescore_research::gathering::Gathering;
use samescore_research::importance::{Permutation, permuted};
use samescore_research::metrics::{self, Metric};
use samescore_research::render;
use serde_json::{Value, json};

use super::failure::Failure;
use super::folding;
use super::load;
use super::shell::{Answer, Shell};

/// Characters of a bar.
const WIDTH: usize = 40;

/// Show how much each column matters to an artifact.
///
/// For each column that the model sees: the gain and number of its splits, or the size of its
/// coefficient. With a source that has the target also for each input column: how much worse the
/// figure gets when its values are shuffled.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore importance titanic.samescore passengers.csv")]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
    /// Rows with the target: a file, a folder or pattern of files, or the address of a database.
    source: Option<PathBuf>,
    /// The config of the fit, if it joins or groups: the rows are gathered as they were then.
    #[arg(long, value_name = "FILE", requires = "source")]
    config: Option<PathBuf>,
    /// The figure of merit; without it, the first of the task.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// How often each column is shuffled.
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeats: u64,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let artifact = load::artifact(&args.artifact)?;
    let (payload, plan) = (artifact.payload(), artifact.plan());
    let config = &payload.config;
    let metric = metrics::named(config, args.metric.as_deref())?;
    let threads = Threads::new(args.threads)?;
    let shuffled = match &args.source {
        None => None,
        Some(source) => {
            let mut gathering = match &args.config {
                Some(config) => load::gathering(config, Some(source))?,
                None => Gathering::of(load::source(source)?),
            };
            gathering.data = config.data.clone();
            let progress = shell.progress(&format!("reading {}", gathering.source));
            let hear = |what: &str, done, total| progress.at(what, done, total);
            Some(threads.run(|| {
                let batch = gathering.read_rows()?;
                permuted(plan, config, &batch, (&metric, args.repeats), &hear)
            })?)
        }
    };
    let measures = measures(payload);
    let features: Vec<String> = plan.features().names().map(str::to_owned).collect();
    let digest = artifact.digest().to_string();
    Ok(Answer::yes(shell.body(
        || {
            let kind = payload.pipeline.model.kind();
            let mut text = text(kind, &features, &measures);
            if measures.is_empty() && shuffled.is_none() {
                text.push_str(
                    "with a source that has the target, every column is shuffled and judged\n",
                );
            }
            if let Some(found) = &shuffled {
                text.push_str(&shuffled_text(found, &metric));
                text.push_str(&folding::weighed(config));
            }
            text
        },
        || {
            let of = |place: usize| -> serde_json::Map<String, Value> {
                let pairs = measures.iter();
                pairs.map(|(name, values)| (name.clone(), json!(values.get(place)))).collect()
            };
            let features: Vec<Value> = features
                .iter()
                .enumerate()
                .map(|(place, name)| json!({ "column": name, "measures": of(place) }))
                .collect();
            json!({
                "command": "importance",
                "artifact": digest,
                "model": payload.pipeline.model.kind(),
                "features": features,
                "weight": config.data.weight,
                "permutation": shuffled.as_ref().map(|found| shuffled_json(found, &metric)),
            })
        },
    )))
}

/// What the model itself says of its columns, by measure.
fn measures(payload: &Payload) -> Vec<(String, Vec<f64>)> {
    let model = &payload.pipeline.model;
    let own = model.importances().into_iter();
    let mut measures: Vec<(String, Vec<f64>)> =
        own.map(|(name, values)| (name.to_owned(), values)).collect();
    if let Some(weights) = model.coefficients() {
        measures.push(("|coefficient|".to_owned(), weights.iter().map(|w| w.abs()).collect()));
    }
    let classes = payload.config.target.classes.iter();
    for (label, weights) in classes.zip(model.class_coefficients()) {
        let sizes = weights.iter().map(|w| w.abs()).collect();
        measures.push((format!("|coefficient| of {label}"), sizes));
    }
    measures
}

fn text(kind: &str, features: &[String], measures: &[(String, Vec<f64>)]) -> String {
    let Some((first, leading)) = measures.first() else {
        return format!("a model of kind {kind} does not say how much its columns matter\n");
    };
    let at = |values: &[f64], place: usize| values.get(place).copied().unwrap_or(math::MISSING);
    let order = descending(features, |place| at(leading, place));
    let rows: Vec<Vec<String>> = order
        .iter()
        .map(|&place| {
            let values = measures.iter().map(|(_, values)| render::short(at(values, place)));
            [features[place].clone()].into_iter().chain(values).collect()
        })
        .collect();
    let header: Vec<&str> =
        ["column"].into_iter().chain(measures.iter().map(|(name, _)| name.as_str())).collect();
    let bars: Vec<(String, f64)> =
        order.iter().map(|&place| (features[place].clone(), at(leading, place))).collect();
    format!("{}{first}\n{}", render::table(&header, &rows), render::bars(&bars, WIDTH))
}

fn descending(names: &[String], value: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| {
        math::total_cmp(value(b), value(a)).then_with(|| names[a].cmp(&names[b]))
    });
    order
}

fn shuffled_text(found: &Permutation, metric: &Metric) -> String {
    let names: Vec<String> = found.columns.iter().map(|c| c.column.clone()).collect();
    let order = descending(&names, |place| found.columns[place].mean);
    let rows: Vec<Vec<String>> = order
        .iter()
        .map(|&place| {
            let column = &found.columns[place];
            let std = column.std.map_or("-".to_owned(), render::short);
            vec![column.column.clone(), render::short(column.mean), std]
        })
        .collect();
    let bars: Vec<(String, f64)> =
        order.iter().map(|&place| (names[place].clone(), found.columns[place].mean)).collect();
    let mut text = format!(
        "{} of {} rows: {}; worse by, when a column is shuffled\n",
        metric.name,
        found.n_rows,
        render::short(found.figure)
    );
    text.push_str(&render::table(&["input column", "worse by", "sd"], &rows));
    text.push_str(&render::bars(&bars, WIDTH));
    if found.n_unscored > 0 {
        text.push_str(&format!("{} rows got a reason instead of a score\n", found.n_unscored));
    }
    text
}

fn shuffled_json(found: &Permutation, metric: &Metric) -> Value {
    let columns: Vec<Value> = found
        .columns
        .iter()
        .map(|c| json!({ "column": c.column, "mean": c.mean, "sd": c.std }))
        .collect();
    json!({
        "metric": metric.name,
        "is_higher_better": metric.is_higher_better,
        "figure": found.figure,
        "n_rows": found.n_rows,
        "n_unscored": found.n_unscored,
        "columns": columns,
    })
}
