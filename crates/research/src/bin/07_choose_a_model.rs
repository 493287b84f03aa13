//! Which model for the Titanic? A search over kinds and parameters, judged on folds, then judged
//! itself; and how much of the answer is the seed's. Run it: `cargo run -p samescore-research --bin
//! 07_choose_a_model`.

use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, SplitConfig, Task};
use samescore_core::error::Result;
use samescore_core::models::LogisticRegressionParams;
use samescore_core::par::Threads;
use samescore_core::transforms::*;
use samescore_research::curves::{self, Vary};
use samescore_research::folds::{FoldPlan, Scheme};
use samescore_research::search::{Journal, Method, Search, Settings, Space, show};
use samescore_research::{gather, metrics, notebook, plot, render, workflow};

const NUMBERS: &[&str] = &["pclass", "age", "sibsp", "parch", "fare"];
const LABELS: &[&str] = &["sex", "embarked", "title"];

/// What is tried: four models, and how missing ages are filled.
const SPACE: &str = r#"
[parameters]
"fill_numbers.method" = ["mean", "median"]
model = [
    { kind = "logistic_regression", c = 0.1 },
    { kind = "logistic_regression", c = 1.0 },
    { kind = "random_forest", n_estimators = 40, max_depth = 6 },
    { kind = "gradient_boosting", n_estimators = 40, num_leaves = 7 },
]
"#;

fn pipeline() -> Config {
    let mut config = Config::new("survived", Task::Binary, LogisticRegressionParams::default())
        .columns(ColumnKind::Num, NUMBERS)
        .columns(ColumnKind::Num, &["survived"])
        .columns(ColumnKind::Text, &["name", "sex", "embarked"]);
    config.data.missing = vec!["?".into()];
    config.split = Some(SplitConfig { test_ratio: 0.2, group: None });
    let title = ExtractTextParams {
        method: ExtractMethod::Patterns,
        patterns: ["Mrs", "Mr", "Miss", "Master"].map(|t| (t.into(), t.into())).to_vec(),
        default: "Other".into(),
        into: Some("title".into()),
        ..Default::default()
    };
    config
        .step("title", &["name"], title)
        .step("drop_name", &["name"], DropColumnsParams::default())
        .step("fill_labels", LABELS, CategoricalImputerParams::default())
        .step("fill_numbers", NUMBERS, MeanMedianImputerParams::default())
        .step("one_hot", LABELS, OneHotEncoderParams::default())
        .step_on_all("scale", StandardScalerParams::default())
}

fn main() -> Result<()> {
    let threads = Threads::new(0)?;
    let config = pipeline();
    let passengers = gather::read(&notebook::table("titanic.csv"), &config.data, &[])?;
    let folds = FoldPlan { scheme: Scheme::Stratified, n_folds: 5 };
    let metric = metrics::named(&config, Some("roc_auc"))?;

    let text = "Eight trials on five folds; one passenger in five never takes part.";
    print!("{}", notebook::heading("The search", text));
    let space = Space::from_toml(SPACE, &config)?;
    let settings = Settings {
        method: Method::Grid,
        n_trials: 0,
        folds: folds.clone(),
        metric,
        n_outer: Some(3),
        n_rungs: None,
    };
    let search = Search::new(&config, &space, &settings, &passengers, &threads)?;
    let report = search.run(&Journal::none(), &threads, &|_, _, _| ())?;
    let mut rows = Vec::new();
    for judged in &report.ranked {
        let trial = &report.trials[judged.index];
        let shown: Vec<String> = trial.values.iter().map(show).collect();
        if let Ok(merit) = &judged.outcome {
            let spread = merit.sd.map(render::short).unwrap_or_default();
            rows.push(vec![render::short(merit.mean), spread, shown.join(", ")]);
        }
    }
    print!("{}", render::table(&["AUC", "± over folds", "trial"], &rows));

    let text = "The winner's figure is flattered by having been chosen. Searched anew on two \
                thirds and judged on the other third, three times:";
    print!("{}", notebook::heading("An honest figure", text));
    if let Some((mean, sd)) = report.honest {
        println!("AUC {} ± {}", render::short(mean), render::short(sd.unwrap_or_default()));
    }

    let winner = report.winner().config.clone();
    let text = "Twenty seeds for the draws of the fit, and twenty for who is kept apart:";
    print!("{}", notebook::heading("How much is the seed's", text));
    for (name, vary) in [("fit", Vary::Fit), ("split", Vary::Split)] {
        let quiet = &|_: &str, _: u64, _: u64| ();
        let spread = curves::seeds(&winner, &passengers, None, &[], (20, vary), &threads, quiet)?;
        if let Some(auc) = spread.get("roc_auc") {
            let values: Vec<f64> = auc.values.iter().copied().flatten().collect();
            let strip = plot::spread(&values, (0.75, 0.95), 40);
            let sd = auc.sd.unwrap_or_default();
            println!("{name:<6} 0.75 |{strip}| 0.95  sd {}", render::short(sd));
        }
    }

    print!("{}", notebook::heading("The winner", "Fitted on four fifths, tested on the rest."));
    let outcome = workflow::fit(&winner, &passengers, &threads)?;
    print!("{}", notebook::metrics(&outcome));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
