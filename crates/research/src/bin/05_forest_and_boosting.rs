//! Trees on the loans: one tree, forests, boosting. They take labels and gaps as they are, so the
//! pipeline before them is short. Run it: `cargo run -p samescore-research --bin
//! 05_forest_and_boosting`.

use samescore_core::batch::{Batch, ColumnKind};
use samescore_core::config::{Config, SplitConfig, Task};
use samescore_core::error::Result;
use samescore_core::models::{
    DecisionTreeParams, ExtraTreesParams, GradientBoostingParams, ModelParams, RandomForestParams,
};
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_core::step::Output;
use samescore_core::transforms::*;
use samescore_research::{gather, notebook, render, workflow};

const NUMBERS: &[&str] = &[
    "income",
    "emp_years",
    "utilisation",
    "amount",
    "term_months",
    "delinq_2y",
    "dti",
    "defaulted",
];

fn pipeline(model: impl Into<ModelParams>) -> Config {
    let mut config = Config::new("defaulted", Task::Binary, model)
        .columns(ColumnKind::Num, NUMBERS)
        .columns(ColumnKind::Text, &["purpose", "grade", "home"])
        .columns(ColumnKind::Time, &["applied_at"]);
    config.seed = Seed(20);
    config.split = Some(SplitConfig { test_ratio: 0.2, group: None });
    let days = CastParams { to: ColumnKind::Num, unit: Some(CastUnit::Days), ..Default::default() };
    config.step("days", &["applied_at"], days)
}

fn models() -> Vec<(&'static str, ModelParams)> {
    let tree = DecisionTreeParams { max_depth: 6, ..Default::default() };
    let forest = RandomForestParams { n_estimators: 20, max_depth: 12, ..Default::default() };
    let extra = ExtraTreesParams { n_estimators: 20, max_depth: 12, ..Default::default() };
    vec![
        ("one tree", tree.into()),
        ("random forest", forest.into()),
        ("extra trees", extra.into()),
        ("gradient boosting", boosting().into()),
    ]
}

fn boosting() -> GradientBoostingParams {
    GradientBoostingParams { n_estimators: 60, num_leaves: 15, ..Default::default() }
}

/// What each feature adds to one applicant's log-odds, the largest first.
fn contributions(outcome: &workflow::Outcome, applicant: &Batch) -> Result<String> {
    let plan = outcome.artifact.plan();
    let names = plan.outputs(Output::Contribution).unwrap_or_default();
    let values = plan.output(Output::Contribution, applicant)?;
    let values = values.values(0).map_err(Clone::clone)?;
    let mut items: Vec<(String, f64)> = names
        .iter()
        .zip(values)
        .map(|(name, &x)| (format!("{}{name}", if x < 0.0 { "−" } else { "+" }), x.abs()))
        .collect();
    items.sort_by(|a, b| samescore_core::math::total_cmp(b.1, a.1).then_with(|| a.0.cmp(&b.0)));
    items.truncate(8);
    Ok(render::bars(&items, 40))
}

fn main() -> Result<()> {
    let threads = Threads::new(0)?;
    let config = pipeline(boosting());
    let loans = gather::read(&notebook::table("sim_loans.parquet"), &config.data, &[])?;

    let text = "One application in five is kept from every fit, the same one for each model.";
    print!("{}", notebook::heading("Four kinds of trees", text));
    let mut rows = Vec::new();
    for (name, model) in models() {
        let outcome = workflow::fit(&pipeline(model), &loans, &threads)?;
        let figure = |metric: &str| outcome.metrics.get(metric).map(|x| render::short(*x));
        let of = |metric: &str| figure(metric).unwrap_or_default();
        rows.push(vec![name.to_owned(), of("roc_auc"), of("log_loss"), of("brier")]);
    }
    print!("{}", render::table(&["model", "AUC", "log loss", "Brier"], &rows));

    let outcome = workflow::fit(&config, &loans, &threads)?;
    let text = "The gain of all splits by a feature, in the boosted trees.";
    print!("{}", notebook::heading("What decides", text));
    let pipeline_of = outcome.artifact.plan().pipeline();
    for (measure, values) in pipeline_of.model.importances() {
        if measure == "gain" {
            let named = pipeline_of.features.iter().cloned().zip(values);
            let mut items: Vec<(String, f64)> = named.collect();
            items.sort_by(|a, b| samescore_core::math::total_cmp(b.1, a.1));
            print!("{}", render::bars(&items, 40));
        }
    }

    let text = "The first applicant: what each feature adds to the log-odds of default.";
    print!("{}", notebook::heading("Why this score", text));
    print!("{}", contributions(&outcome, &loans.select(&[0]))?);

    print!("{}", notebook::heading("Calibration", "Said and came true, in tenths."));
    let (truth, scores) = notebook::truth_and_scores(&outcome.artifact, &loans)?;
    print!("{}", render::calibration(&truth, &scores, 30));

    let text = "Two fits: on all threads, and on one with the loans in reversed order:";
    print!("{}", notebook::heading("The promise", text));
    let reversed: Vec<usize> = (0..loans.n_rows()).rev().collect();
    let again = workflow::fit(&config, &loans.select(&reversed), &Threads::new(1)?)?;
    println!("{}\n{}", outcome.artifact.digest(), again.artifact.digest());

    print!("{}", notebook::heading("Keep it", "The file that production embeds."));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
