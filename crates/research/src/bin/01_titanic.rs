//! Who survived the Titanic: the founding classification pipeline, from the raw list of passengers
//! to an artifact that production scores with. Run it: `cargo run -p samescore-research --bin
//! 01_titanic`.

use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, SplitConfig, Task};
use samescore_core::error::Result;
use samescore_core::models::LogisticRegressionParams;
use samescore_core::par::Threads;
use samescore_core::transforms::*;
use samescore_research::{gather, notebook, render, workflow};

/// The same pipeline as `data/pipelines/titanic.toml`, to the byte.
fn pipeline() -> Config {
    let model = LogisticRegressionParams { c: 0.0005, ..Default::default() };
    let mut config = Config::new("survived", Task::Binary, model)
        .columns(ColumnKind::Num, &["pclass", "age", "sibsp", "parch", "fare", "survived"])
        .columns(ColumnKind::Text, &["name", "sex", "ticket", "cabin", "embarked", "home.dest"]);
    config.data.missing = vec!["?".into()];
    config.split = Some(SplitConfig { test_ratio: 0.1, group: None });

    let labels = ["sex", "cabin", "embarked", "title"];
    config
        .step(
            "first_cabin",
            &["cabin"],
            ExtractTextParams {
                method: ExtractMethod::SplitPart,
                separator: " ".into(),
                part: 0,
                ..Default::default()
            },
        )
        .step(
            "title",
            &["name"],
            ExtractTextParams {
                method: ExtractMethod::Patterns,
                // `Mrs` before `Mr`, which is part of it.
                patterns: ["Mrs", "Mr", "Miss", "Master"].map(|t| (t.into(), t.into())).to_vec(),
                default: "Other".into(),
                into: Some("title".into()),
                ..Default::default()
            },
        )
        .step("drop_raw_text", &["name", "ticket", "home.dest"], DropColumnsParams::default())
        .step("fill_labels", &labels, CategoricalImputerParams::default())
        .step("say_missing", &["age", "fare"], MissingIndicatorParams::default())
        .step("fill_numbers", &["age", "fare"], MeanMedianImputerParams::default())
        .step(
            "cabin_letter",
            &["cabin"],
            ExtractTextParams {
                method: ExtractMethod::FirstCharacters,
                n_characters: 1,
                ..Default::default()
            },
        )
        .step(
            "group_rare",
            &labels,
            RareLabelEncoderParams { ratio_min: 0.05, n_categories: 1, ..Default::default() },
        )
        .step(
            "one_hot",
            &labels,
            OneHotEncoderParams { drop: OneHotDrop::Last, ..Default::default() },
        )
        .step_on_all("scale", StandardScalerParams::default())
}

fn main() -> Result<()> {
    let config = pipeline();
    let passengers = gather::read(&notebook::table("titanic.csv"), &config.data, &[])?;

    let text =
        format!("{} passengers, {} columns.", passengers.n_rows(), config.data.columns.len());
    print!("{}", notebook::heading("Who was on board", &text));
    let age = passengers.num(passengers.schema().slot("age")?);
    print!("{}", render::histogram(age, 10, 40));

    let text = "One passenger in ten, chosen by the hash of the row, is kept from the fit.";
    print!("{}", notebook::heading("Fit", text));
    let outcome = workflow::fit(&config, &passengers, &Threads::new(0)?)?;
    println!("{} rows to learn from, {} to test on", outcome.n_train, outcome.n_test);
    print!("{}", notebook::metrics(&outcome));

    let text = "The largest weights on the scaled features; a minus pulls towards drowning.";
    print!("{}", notebook::heading("What decides", text));
    print!("{}", notebook::weights(&outcome.artifact, 12));

    let text = "Of those scored so, how many did survive?";
    print!("{}", notebook::heading("Is a probability a probability?", text));
    let (truth, scores) = notebook::truth_and_scores(&outcome.artifact, &passengers)?;
    print!("{}", render::calibration(&truth, &scores, 30));

    let text = "The next passenger scored alone, and again inside the whole list:";
    print!("{}", notebook::heading("The promise", text));
    let alone = outcome.artifact.plan().score(&passengers.select(&[17]))?;
    let batch = outcome.artifact.plan().score(&passengers)?;
    for (place, score) in [("alone", alone.get(0)), ("in the list", batch.get(17))] {
        if let Ok(score) = score {
            println!("{place:<12} {score:<22} {:016x}", score.to_bits());
        }
    }

    print!("{}", notebook::heading("Keep it", "The file that production embeds."));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
