//! `seeds`: how much of a figure is the luck of the seed.

use std::collections::BTreeMap;

use clap::ValueEnum;
use samescore_research::curves::{self, Spread, Vary};
use samescore_research::{metrics, plot, render};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::folding::{self, FoldArgs, Source, SourceArgs};
use super::shell::{Answer, Shell};

/// Characters of a spread.
const N_SLOTS: usize = 30;

/// Show the spread of each metric over seeds.
///
/// The split is held while the seed of the fit varies, so the spread is that of the fit's own
/// draws. Without --folds, on the share that the config's split keeps; with it, means over folds.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore seeds titanic.toml --count 50 --vary both")]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// How many seeds, from the config's own upwards.
    #[arg(long, value_name = "N", default_value_t = 30)]
    count: u64,
    /// What another seed changes.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "fit")]
    vary: VaryName,
    /// The number of folds, at least 2.
    #[arg(long, value_name = "K")]
    folds: Option<u64>,
    #[command(flatten)]
    scheme: FoldArgs,
    /// A metric to show besides those of the task and the model's loss; may be given again.
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VaryName {
    /// The draws of the fit.
    Fit,
    /// Which rows are kept from the fit.
    Split,
    /// Both.
    Both,
}

impl VaryName {
    fn of(self) -> (Vary, &'static str) {
        match self {
            VaryName::Fit => (Vary::Fit, "fit"),
            VaryName::Split => (Vary::Split, "split"),
            VaryName::Both => (Vary::Both, "both"),
        }
    }
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let plan = args.scheme.plan_if(args.folds)?;
    let Source { loaded, batch, threads } = Source::read(&args.source, shell)?;
    let also = metrics::all_named(&loaded.config, &args.metrics)?;
    let progress = shell.progress("seeds");
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let (vary, name) = args.vary.of();
    let what = (args.count, vary);
    let found = curves::seeds(&loaded.config, &batch, plan.as_ref(), &also, what, &threads, &hear)
        .map_err(|e| loaded.failure(e))?;
    drop(progress);
    let first = loaded.config.seed.0;
    Ok(Answer::yes(shell.body(
        || text(&found) + &folding::weighed(&loaded.config),
        || {
            let spreads: Map<String, Value> =
                found.iter().map(|(name, spread)| (name.clone(), to_json(spread))).collect();
            json!({
                "command": "seeds",
                "first_seed": first,
                "count": args.count,
                "vary": name,
                "weight": loaded.config.data.weight,
                "metrics": spreads,
            })
        },
    )))
}

fn text(found: &BTreeMap<String, Spread>) -> String {
    // Counts of a confusion are in the JSON answer.
    let shown = found.iter().filter(|(name, _)| !name.ends_with("tives"));
    let mut rows = Vec::new();
    let mut is_moving = false;
    for (name, s) in shown {
        let values: Vec<f64> = s.values.iter().copied().flatten().collect();
        is_moving |= s.max > s.min;
        let figures = [Some(s.mean), s.sd, Some(s.min), Some(s.median), Some(s.max)];
        let mut row = vec![name.clone()];
        row.extend(figures.map(|x| x.map_or("-".to_owned(), render::short)));
        row.push(plot::spread(&values, (s.min, s.max), N_SLOTS));
        rows.push(row);
    }
    let header = ["metric", "mean", "sd", "min", "median", "max", "min to max"];
    let text = render::table(&header, &rows);
    if is_moving {
        return text;
    }
    text + "no seed moves a figure: nothing that varies draws\n"
}

fn to_json(s: &Spread) -> Value {
    json!({
        "values": s.values,
        "mean": s.mean,
        "sd": s.sd,
        "min": s.min,
        "median": s.median,
        "max": s.max,
    })
}
