//! `learning-curve`: whether more rows would help.

use samescore_research::curves::{self, Point, Summary};
use samescore_research::metrics::{self, Metric};
use samescore_research::{plot, render};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::folding::{self, FoldArgs, Source, SourceArgs};
use super::shell::{Answer, Shell};

/// Characters of a curve.
const WIDTH: usize = 50;

/// Fit on growing shares of the training rows and show how both sides move.
///
/// A row of a small share is in every larger one. Rows that the config's split keeps take no part.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore learning-curve titanic.toml --points 8")]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The number of shares, evenly from small to whole.
    #[arg(long, value_name = "N", default_value_t = 5)]
    points: u64,
    /// The number of folds, at least 2.
    #[arg(long, value_name = "K", default_value_t = 5)]
    folds: u64,
    #[command(flatten)]
    scheme: FoldArgs,
    /// The metric of the curve; the JSON answer has all.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let plan = args.scheme.plan(args.folds)?;
    let Source { loaded, batch, threads } = Source::read(&args.source, shell)?;
    let metric = metrics::named(&loaded.config, args.metric.as_deref())?;
    let progress = shell.progress("fitting");
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let points =
        curves::learning(&loaded.config, &batch, &plan, &metric, args.points, &threads, &hear)
            .map_err(|e| loaded.failure(e))?;
    drop(progress);
    let labels: Vec<String> = points.iter().map(rows_label).collect();
    Ok(Answer::yes(shell.body(
        || text("rows", &labels, &points, &metric) + &folding::weighed(&loaded.config),
        || {
            let points: Vec<Value> = points.iter().map(to_json).collect();
            json!({
                "command": "learning-curve",
                "metric": metric.name,
                "weight": loaded.config.data.weight,
                "points": points,
            })
        },
    )))
}

/// The training rows of the folds: the one number, or from the fewest to the most.
fn rows_label(point: &Point) -> String {
    let fewest = point.n_train.iter().min().copied().unwrap_or(0);
    let most = point.n_train.iter().max().copied().unwrap_or(0);
    if fewest == most { fewest.to_string() } else { format!("{fewest}-{most}") }
}

/// The table and the chart of a curve.
pub(super) fn text(what: &str, labels: &[String], points: &[Point], metric: &Metric) -> String {
    let of = |summary: &Summary| summary.get(metric.name).copied();
    let cell = |x: Option<f64>| x.map_or("-".to_owned(), render::short);
    let mut rows = Vec::new();
    for (label, point) in labels.iter().zip(points) {
        let sides = [of(&point.train), of(&point.test)];
        let mut row = vec![label.clone()];
        for side in sides {
            row.push(cell(side.map(|(mean, _)| mean)));
            row.push(cell(side.and_then(|(_, sd)| sd)));
        }
        rows.push(row);
    }
    let name = metric.name;
    let header = [
        what.to_owned(),
        format!("train {name}"),
        "sd".to_owned(),
        format!("test {name}"),
        "sd".to_owned(),
    ];
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let side = |get: &dyn Fn(&Point) -> Option<f64>| points.iter().map(get).collect();
    let series = [
        ('o', side(&|point| Some(of(&point.train)?.0))),
        ('x', side(&|point| Some(of(&point.test)?.0))),
    ];
    let better = if metric.is_higher_better { "higher" } else { "lower" };
    let mut text = render::table(&header, &rows);
    text.push_str(&format!("{name} ({better} is better), o train, x test\n"));
    text.push_str(&plot::curve(labels, &series, WIDTH));
    let n_unscored = points.iter().map(|point| point.n_unscored).sum::<u64>();
    if n_unscored > 0 {
        text.push_str(&format!("{n_unscored} rows got a reason instead of a score\n"));
    }
    text
}

/// A point for machines.
pub(super) fn to_json(point: &Point) -> Value {
    let side = |summary: &Summary| -> Map<String, Value> {
        let pairs = summary.iter();
        pairs.map(|(name, (mean, sd))| (name.clone(), json!({ "mean": mean, "sd": sd }))).collect()
    };
    json!({
        "n_train": point.n_train,
        "n_unscored": point.n_unscored,
        "train": side(&point.train),
        "test": side(&point.test),
    })
}
