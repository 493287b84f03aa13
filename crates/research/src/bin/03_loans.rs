//! Which loan defaults: 120,000 applications from Parquet, with times and missing values.
//! Run it: `cargo run -p samescore-research --bin 03_loans`.

use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, SplitConfig, Task};
use samescore_core::error::Result;
use samescore_core::models::LogisticRegressionParams;
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
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
const LABELS: &[&str] = &["purpose", "grade", "home"];

/// The same pipeline as `data/pipelines/loans.toml`, to the byte.
fn pipeline() -> Config {
    let mut config = Config::new("defaulted", Task::Binary, LogisticRegressionParams::default())
        .columns(ColumnKind::Num, NUMBERS)
        .columns(ColumnKind::Text, LABELS)
        .columns(ColumnKind::Time, &["applied_at"]);
    config.seed = Seed(20);
    config.split = Some(SplitConfig { test_ratio: 0.2, group: None });

    let days = CastParams { to: ColumnKind::Num, unit: Some(CastUnit::Days), ..Default::default() };
    let unknown = CategoricalImputerParams { fill_value: "unknown".into(), ..Default::default() };
    let burden = RelativeFeaturesParams {
        func: vec![RelativeFunc::Div],
        reference: vec!["income".into()],
        ..Default::default()
    };
    let one_in_fifty =
        RareLabelEncoderParams { ratio_min: 0.02, n_categories: 3, ..Default::default() };
    let first = OneHotEncoderParams { drop: OneHotDrop::First, ..Default::default() };
    config
        .step("days", &["applied_at"], days)
        .step("say_missing", &["emp_years", "dti"], MissingIndicatorParams::default())
        .step(
            "no_employment",
            &["emp_years"],
            ArbitraryNumberImputerParams { number: -1.0, ..Default::default() },
        )
        .step("draw_dti", &["dti"], RandomSampleImputerParams::default())
        .step("no_home", &["home"], unknown)
        .step("burden", &["amount"], burden)
        .step("logarithms", &["income", "amount"], LogTransformerParams::default())
        .step("group_rare", LABELS, one_in_fifty)
        .step("one_hot", LABELS, first)
        .step_on_all("scale", StandardScalerParams::default())
}

fn main() -> Result<()> {
    let config = pipeline();
    let loans = gather::read(&notebook::table("sim_loans.parquet"), &config.data, &[])?;

    let text = format!("{} applications; the amounts asked for:", loans.n_rows());
    print!("{}", notebook::heading("The book", &text));
    print!("{}", render::histogram(loans.num(loans.schema().slot("amount")?), 12, 40));

    let text = "One application in five, chosen by the hash of the row, is kept from the fit.";
    print!("{}", notebook::heading("Fit", text));
    let outcome = workflow::fit(&config, &loans, &Threads::new(0)?)?;
    println!("{} rows to learn from, {} to test on", outcome.n_train, outcome.n_test);
    print!("{}", notebook::metrics(&outcome));

    print!("{}", notebook::heading("What warns", "A plus raises the probability of default."));
    print!("{}", notebook::weights(&outcome.artifact, 14));

    print!("{}", notebook::heading("Calibration", "Said and came true, in tenths."));
    let (truth, scores) = notebook::truth_and_scores(&outcome.artifact, &loans)?;
    print!("{}", render::calibration(&truth, &scores, 30));

    let text = "How much depends on the seed? Other test rows, other drawn debt ratios:";
    print!("{}", notebook::heading("The seed", text));
    let mut rows = Vec::new();
    for seed in 20..25 {
        let mut other = config.clone();
        other.seed = Seed(seed);
        let fitted = workflow::fit(&other, &loans, &Threads::new(0)?)?;
        let auc = fitted.metrics.get("roc_auc").copied().unwrap_or_default();
        rows.push(vec![seed.to_string(), auc.to_string(), fitted.artifact.digest().short()]);
    }
    print!("{}", render::table(&["seed", "roc_auc", "artifact"], &rows));

    print!("{}", notebook::heading("Keep it", "The file that production embeds."));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
