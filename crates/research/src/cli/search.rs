//! `search`: the best parameters of a pipeline.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use samescore_core::error::{Code, Error};
use samescore_research::search::{
    self, Journal, Judged, Method, Outer, Report, Search, Settings, Space, show,
};
use samescore_research::{file, metrics, output_file, render};
use serde_json::{Value, json};

use super::failure::Failure;
use super::folding::{self, FoldArgs, Source, SourceArgs};
use super::load::{Inputs, Loaded};
use super::shell::{Answer, Shell};

/// Search for the best parameters of a pipeline.
///
/// The space says what to search over: `[parameters]` with keys such as model.PARAM or STEP.PARAM,
/// and for each a list of values or a range { from, to, scale, whole, n_points }. Rows that the
/// config's split keeps take no part.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore search titanic.toml --space space.toml \
                        --method random --trials 50 --out best.toml")]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The space, in TOML: [parameters] with lists or ranges, such as "model.c", "STEP.param",
    /// "model.estimator.KIND.param", "model.kind", or model = [{ kind = ... }, ...] for whole
    /// models.
    #[arg(long, value_name = "SPACE")]
    space: PathBuf,
    /// How trials are chosen.
    #[arg(long, value_enum, value_name = "METHOD", default_value = "grid")]
    method: MethodName,
    /// How many trials are drawn, for random and halving.
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// How many rungs, for halving; without it, as many as trials and rows allow.
    #[arg(long, value_name = "N")]
    rungs: Option<u32>,
    /// The number of folds, at least 2.
    #[arg(long, value_name = "K", default_value_t = 5)]
    folds: u64,
    #[command(flatten)]
    scheme: FoldArgs,
    /// The metric to rank by; without it, the first of the task.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Judge the search itself: search again within each of so many outer folds.
    #[arg(long, value_name = "OUTER_FOLDS")]
    nested: Option<u64>,
    /// Where every fit is recorded; a search that was stopped goes on from there.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Where to write the winner's config.
    #[arg(long, value_name = "WINNER")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// Every combination.
    Grid,
    /// Drawn.
    Random,
    /// Drawn; the best of few rows go on to more.
    Halving,
}

/// How many trials are drawn unless it is said.
const N_TRIALS: u64 = 20;

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let Source { loaded, batch, threads } = Source::read(&args.source, shell)?;
    let inputs = [("the config", &*args.source.config), ("the space", &*args.space)];
    let inputs = Inputs::gathered(&inputs, &loaded.gathering)?;
    let outputs = [("--out", args.out.as_deref()), ("--journal", args.journal.as_deref())];
    output_file::keep_apart(&inputs.all(), &outputs)?;
    let settings = settings(args, &loaded)?;
    let text = file::read_text(&args.space)?;
    let shown = args.space.display().to_string();
    let of_space = |e: Error| match e.span() {
        Some(_) => Failure::in_config(e, &shown, &text),
        None => loaded.failure(e),
    };
    let space = Space::from_toml(&text, &loaded.config).map_err(of_space)?;
    let search = Search::new(&loaded.config, &space, &settings, &batch, &threads);
    let search = search.map_err(of_space)?;
    let journal = match &args.journal {
        None => Journal::none(),
        Some(path) => Journal::open(path, &about(&loaded, &space, &settings, &search)?)?,
    };
    if journal.n_known() > 0 {
        shell.note(&format!("note: {} fits are in the journal already", journal.n_known()));
    }
    let progress = shell.progress("searching");
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let report = search.run(&journal, &threads, &hear).map_err(|e| loaded.failure(e))?;
    journal.finish()?;
    drop(progress);
    if let Some(out) = &args.out {
        output_file::replace(out, winner(&report, &loaded, &args.source.config, out)?.as_bytes())?;
    }
    let names = space.names();
    Ok(Answer::yes(shell.body(
        || to_text(args, &settings, &names, &report) + &folding::weighed(&loaded.config),
        || {
            let mut object = to_json(args, &settings, &names, &report);
            object["weight"] = json!(loaded.config.data.weight);
            object
        },
    )))
}

fn settings(args: &Args, loaded: &Loaded) -> Result<Settings, Error> {
    let method = match args.method {
        MethodName::Grid => Method::Grid,
        MethodName::Random => Method::Random,
        MethodName::Halving => Method::Halving,
    };
    let misplaced = [
        ("--trials", "random or halving", method == Method::Grid && args.trials.is_some()),
        ("--rungs", "halving", method != Method::Halving && args.rungs.is_some()),
    ];
    if let Some((option, methods, _)) = misplaced.iter().find(|(_, _, is_wrong)| *is_wrong) {
        let message =
            format!("expected {option} with the method {methods}, found {}", method.name());
        return Err(Error::new(Code::Usage, message).remedy("choose another --method"));
    }
    Ok(Settings {
        method,
        n_trials: args.trials.unwrap_or(N_TRIALS),
        folds: args.scheme.plan(args.folds)?,
        metric: metrics::named(&loaded.config, args.metric.as_deref())?,
        n_outer: args.nested,
        n_rungs: args.rungs,
    })
}

/// What a journal must be of: everything that can change a result.
fn about(
    loaded: &Loaded,
    space: &Space,
    settings: &Settings,
    search: &Search<'_>,
) -> Result<Value, Error> {
    let n_trials = (settings.method != Method::Grid).then_some(settings.n_trials);
    Ok(json!({
        "release": env!("CARGO_PKG_VERSION"),
        "config": loaded.config.fingerprint()?.to_string(),
        "space": space.fingerprint()?.to_string(),
        "data": search.data_fingerprint().to_string(),
        "method": settings.method.name(),
        "trials": n_trials,
        "rungs": settings.n_rungs,
        "folds": settings.folds.n_folds,
        "scheme": settings.folds.scheme.to_string(),
        "metric": settings.metric.name,
        "nested": settings.n_outer,
    }))
}

/// The winner's config, reading the same source from where it is written.
fn winner(report: &Report, loaded: &Loaded, from: &Path, out: &Path) -> Result<String, Error> {
    let mut config = report.winner().config.clone();
    let gathering = loaded.gathering.clone().absolute();
    let is_beside = from.parent() == out.parent();
    match &mut config.data.source {
        Some(_) if is_beside && gathering.is_plain() => config.to_toml(),
        source => {
            *source = None;
            Ok(config.to_toml()? + "\n" + &gathering.to_tables()?)
        }
    }
}

fn to_text(args: &Args, settings: &Settings, names: &[&str], report: &Report) -> String {
    let metric = settings.metric;
    let better = if metric.is_higher_better { "higher" } else { "lower" };
    let rows = format!(
        "{}, of which {} kept from the search",
        report.n_rows + report.n_kept,
        report.n_kept
    );
    let folds = format!("{}, {}", settings.folds.n_folds, settings.folds.scheme);
    let mut text = render::pairs(&[
        ("method", format!("{}, {}", settings.method.name(), n_trials(settings, report))),
        ("metric", format!("{}, {better} is better", metric.name)),
        ("rows", rows),
        ("folds", folds),
    ]);
    if report.rungs.len() > 1 {
        for (nth, rung) in (1..).zip(&report.rungs) {
            let of = match rung.share.of {
                1 => "all".to_owned(),
                of => format!("{}/{of} of", rung.share.part),
            };
            let n = rung.n_trials;
            text.push_str(&format!("rung {nth}: trials {n}, fitted on {of} the training rows\n"));
        }
    }
    text.push_str(&ranking(metric.name, names, report));
    if let Some((mean, sd)) = report.honest {
        text.push_str(&outer_table(metric.name, names, report));
        let sd = sd.map_or(String::new(), |sd| format!(", sd {}", render::short(sd)));
        text.push_str(&format!("{} of the search: {}{sd}\n", metric.name, render::short(mean)));
    } else {
        text.push_str(
            "the best mean is too good, for it was chosen; --nested tells an honest one\n",
        );
    }
    if let Some(out) = &args.out {
        text.push_str(&format!("winner written to {}\n", out.display()));
    }
    text
}

/// Drawn trials that equal an earlier one are left out, which is said.
fn n_trials(settings: &Settings, report: &Report) -> String {
    let n = report.trials.len();
    match settings.method {
        Method::Random | Method::Halving if (n as u64) < settings.n_trials => {
            format!("{n} distinct trials of {} drawn", settings.n_trials)
        }
        _ => format!("trials {n}"),
    }
}

fn ranking(metric: &str, names: &[&str], report: &Report) -> String {
    let has_rungs = report.rungs.len() > 1;
    let mut header = vec!["rank", "trial"];
    header.extend(names);
    if has_rungs {
        header.push("rung");
    }
    header.extend([metric, "sd", "unscored"]);
    let mut failed = String::new();
    let mut rows = Vec::new();
    for (rank, judged) in (1..).zip(&report.ranked) {
        let trial = &report.trials[judged.index];
        let mut row = vec![rank.to_string(), trial.number.to_string()];
        row.extend(trial.values.iter().map(cell));
        if has_rungs {
            row.push((judged.rung + 1).to_string());
        }
        match &judged.outcome {
            Ok(merit) => {
                row.push(render::short(merit.mean));
                row.push(merit.sd.map_or("-".to_owned(), render::short));
                row.push(merit.n_unscored.to_string());
            }
            Err(e) => {
                row.extend(["-", "-", "-"].map(str::to_owned));
                failed.push_str(&format!("trial {} failed: {e} [{}]\n", trial.number, e.code()));
            }
        }
        rows.push(row);
    }
    render::table(&header, &rows) + &failed
}

fn outer_table(metric: &str, names: &[&str], report: &Report) -> String {
    let inner = format!("inner {metric}");
    let mut header = vec!["outer fold", "train rows", "test rows", "winner"];
    header.extend(names);
    header.extend([inner.as_str(), metric]);
    let row = |(nth, outer): (usize, &Outer)| {
        let trial = &report.trials[outer.index];
        let counts = [nth as u64 + 1, outer.part.n_train, outer.part.n_test, trial.number];
        let mut row: Vec<String> = counts.map(|n| n.to_string()).to_vec();
        row.extend(trial.values.iter().map(cell));
        row.extend([render::short(outer.inner), render::short(outer.value)]);
        row
    };
    let rows: Vec<Vec<String>> = report.outer.iter().enumerate().map(row).collect();
    render::table(&header, &rows)
}

/// A value for the eye.
fn cell(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(x) => render::short(*x),
        toml::Value::String(text) => text.clone(),
        other => show(other),
    }
}

fn to_json(args: &Args, settings: &Settings, names: &[&str], report: &Report) -> Value {
    let trials = report.ranked.iter().enumerate();
    let trials: Vec<Value> = trials.map(|(place, j)| trial_json(names, report, place, j)).collect();
    let outer: Vec<Value> = report.outer.iter().map(|o| outer_json(names, report, o)).collect();
    let rung =
        |rung: &search::Rung| json!({ "share": rung.share.ratio(), "n_trials": rung.n_trials });
    json!({
        "command": "search",
        "method": settings.method.name(),
        "metric": settings.metric.name,
        "is_higher_better": settings.metric.is_higher_better,
        "folds": settings.folds.n_folds,
        "scheme": settings.folds.scheme.to_string(),
        "n_rows": report.n_rows,
        "n_kept": report.n_kept,
        "rungs": report.rungs.iter().map(rung).collect::<Vec<_>>(),
        "trials": trials,
        "winner": report.winner().number,
        "path": args.out.as_ref().map(|out| out.display().to_string()),
        "outer_folds": outer,
        "nested": report.honest.map(|(mean, sd)| json!({ "mean": mean, "sd": sd })),
    })
}

/// The values of a trial by parameter.
fn parameters(names: &[&str], report: &Report, index: usize) -> Value {
    let pairs = names.iter().zip(&report.trials[index].values);
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), json!(value)));
    Value::Object(pairs.collect())
}

fn trial_json(names: &[&str], report: &Report, place: usize, judged: &Judged) -> Value {
    let mut object = json!({
        "rank": place + 1,
        "trial": report.trials[judged.index].number,
        "parameters": parameters(names, report, judged.index),
        "rung": judged.rung + 1,
    });
    match &judged.outcome {
        Ok(merit) => {
            object["mean"] = json!(merit.mean);
            object["sd"] = json!(merit.sd);
            object["by_fold"] = json!(merit.by_fold);
            object["n_unscored"] = json!(merit.n_unscored);
        }
        Err(e) => {
            object["code"] = json!(e.code().id());
            object["reason"] = json!(e.to_string());
        }
    }
    object
}

fn outer_json(names: &[&str], report: &Report, outer: &Outer) -> Value {
    json!({
        "n_train": outer.part.n_train,
        "n_test": outer.part.n_test,
        "n_unscored": outer.part.n_unscored,
        "winner": report.trials[outer.index].number,
        "parameters": parameters(names, report, outer.index),
        "inner_mean": outer.inner,
        "value": outer.value,
        "metrics": outer.part.metrics,
    })
}
