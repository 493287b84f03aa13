//! `dependence`: how the mean score moves with one column.

use std::path::PathBuf;

use samescore_core::par::Threads;
use samescore_research::dependence::{Given, Point, dependence};
use samescore_research::{plot, render, workflow};
use serde_json::{Value, json};

use super::failure::Failure;
use super::load::{self, RowArgs};
use super::shell::{Answer, Shell};

/// Characters of the chart.
const WIDTH: usize = 60;

/// Show the mean score of the rows when one column has the same value in all of them.
///
/// For a numeric column at its quantiles, for a text column at its most frequent labels.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  samescore dependence titanic.samescore passengers.csv --column age"
)]
pub(super) struct Args {
    /// The artifact.
    artifact: PathBuf,
    #[command(flatten)]
    rows: RowArgs,
    /// The input column to vary.
    #[arg(long, value_name = "NAME")]
    column: String,
    /// How many values at most.
    #[arg(long, value_name = "N", default_value_t = 11)]
    points: u64,
    /// The number of threads; 0 means one per core. It cannot change a bit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let artifact = load::artifact(&args.artifact)?;
    let plan = artifact.plan();
    let mut gathering = args.rows.gathering()?;
    gathering.data = workflow::scoring_data(&artifact.payload().config);
    let threads = Threads::new(args.threads)?;
    let progress = shell.progress(&format!("reading {}", gathering.source));
    let hear = |what: &str, done, total| progress.at(what, done, total);
    let points = threads.run(|| {
        let batch = gathering.read_rows().map_err(|e| args.rows.failure(e))?;
        dependence(plan, &batch, (&args.column, args.points), &hear)
    })?;
    drop(progress);
    let names: Vec<String> = match plan.classes() {
        [] => vec!["mean score".to_owned()],
        classes => classes.to_vec(),
    };
    let digest = artifact.digest().to_string();
    Ok(Answer::yes(shell.body(
        || text(&args.column, &names, &points),
        || {
            let points: Vec<Value> = points.iter().map(to_json).collect();
            json!({
                "command": "dependence",
                "artifact": digest,
                "column": args.column,
                "classes": plan.classes(),
                "points": points,
            })
        },
    )))
}

fn text(column: &str, names: &[String], points: &[Point]) -> String {
    let labels: Vec<String> = points.iter().map(|point| label(&point.given)).collect();
    let mut header = vec![column];
    header.extend(names.iter().map(String::as_str));
    header.push("rows");
    let rows: Vec<Vec<String>> = points
        .iter()
        .zip(&labels)
        .map(|(point, label)| {
            let means = point.means.iter().map(|x| render::short(*x));
            [label.clone()].into_iter().chain(means).chain([point.n_scored.to_string()]).collect()
        })
        .collect();
    let marks = "xo+*#@%&=~".chars().cycle();
    let series: Vec<(char, Vec<Option<f64>>)> = marks
        .zip(0..names.len())
        .map(|(mark, place)| {
            (mark, points.iter().map(|point| point.means.get(place).copied()).collect())
        })
        .collect();
    render::table(&header, &rows) + &plot::curve(&labels, &series, WIDTH)
}

fn label(given: &Given) -> String {
    match given {
        Given::Num(x) => render::short(*x),
        Given::Text(label) => label.clone(),
    }
}

fn to_json(point: &Point) -> Value {
    let value = match &point.given {
        Given::Num(x) => json!(x),
        Given::Text(label) => json!(label),
    };
    let bits: Vec<String> = point.means.iter().map(|x| format!("{:016x}", x.to_bits())).collect();
    json!({ "value": value, "means": point.means, "bits": bits, "n_scored": point.n_scored })
}
