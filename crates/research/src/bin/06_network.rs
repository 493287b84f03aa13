//! A small neural network for house prices: initial weights, mini-batches and dropout are draws
//! that belong to names and row keys, so a network is as reproducible as a line. Run it: `cargo run
//! -p samescore-research --bin 06_network`.

use samescore_core::batch::{Batch, ColumnKind};
use samescore_core::config::{Config, SplitConfig, TargetTransform, Task};
use samescore_core::error::Result;
use samescore_core::models::{LinearRegressionParams, MlpParams, ModelParams};
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_core::transforms::*;
use samescore_research::{gather, notebook, plot, render, workflow};

const NUMBERS: &[&str] = &[
    "lot_area",
    "overall_qual",
    "year_built",
    "year_remod",
    "total_bsmt_sf",
    "living_sf",
    "fireplaces",
    "garage_cars",
    "garage_area",
    "porch_sf",
];
const AREAS: &[&str] = &["lot_area", "living_sf"];
const LABELS: &[&str] = &["neighborhood", "exter_qual", "kitchen_qual", "central_air"];

/// Numbers on one scale; labels as one column each for a line, or as they are for a network, which
/// learns a vector for each.
fn pipeline(model: impl Into<ModelParams>, labels_as_columns: bool) -> Config {
    let mut config = Config::new("sale_price", Task::Regression, model)
        .columns(ColumnKind::Num, NUMBERS)
        .columns(ColumnKind::Num, &["id", "sale_price"])
        .columns(ColumnKind::Text, LABELS);
    config.data.key = vec!["id".into()];
    config.target.transform = TargetTransform::Log;
    config.split = Some(SplitConfig { test_ratio: 0.2, group: None });
    let config = config
        .step("fill_numbers", NUMBERS, MeanMedianImputerParams::default())
        .step("fill_labels", LABELS, CategoricalImputerParams::default())
        .step("logarithms", AREAS, LogTransformerParams::default())
        .step("scale", NUMBERS, StandardScalerParams::default());
    if labels_as_columns {
        return config.step("one_hot", LABELS, OneHotEncoderParams::default());
    }
    config
}

fn network() -> MlpParams {
    MlpParams {
        hidden_layer_sizes: vec![32, 16],
        batch_size: 64,
        max_iter: 60,
        early_stopping: true,
        ..Default::default()
    }
}

fn fitted(config: &Config, houses: &Batch, threads: &Threads) -> Result<workflow::Outcome> {
    workflow::fit(config, houses, threads)
}

fn main() -> Result<()> {
    let threads = Threads::new(0)?;
    let config = pipeline(network(), false);
    let houses = gather::read(&notebook::table("sim_houses.csv"), &config.data, &[])?;

    let text = "One house in five is kept from both fits, the same ones.";
    print!("{}", notebook::heading("A line and a network", text));
    let ridge = LinearRegressionParams { alpha: 1.0, ..Default::default() };
    let line = fitted(&pipeline(ridge, true), &houses, &threads)?;
    let outcome = fitted(&config, &houses, &threads)?;
    let rows: Vec<Vec<String>> = [("ridge", &line), ("network", &outcome)]
        .into_iter()
        .map(|(name, o)| {
            let of = |metric: &str| o.metrics.get(metric).map(|x| render::short(*x));
            let of = |metric: &str| of(metric).unwrap_or_default();
            vec![name.to_owned(), of("r2"), of("rmse"), of("mae")]
        })
        .collect();
    print!("{}", render::table(&["model", "R2", "RMSE", "MAE"], &rows));

    print!("{}", notebook::heading("How the fit ended", "Facts that the artifact keeps."));
    let model = &outcome.artifact.plan().pipeline().model;
    for (name, value) in model.facts() {
        println!("{name:<32} {}", render::short(value));
    }
    model.warnings().iter().for_each(|warning| println!("warning: {warning}"));

    print!("{}", notebook::heading("Where it errs", "Flat would be perfect."));
    let (truth, scores) = notebook::truth_and_scores(&outcome.artifact, &houses)?;
    print!("{}", render::residuals(&truth, &scores, 60));

    let text = "Twelve seeds: other first weights, other batches, the same houses kept apart.";
    print!("{}", notebook::heading("How much the draws matter", text));
    let spread = samescore_research::curves::seeds(
        &config,
        &houses,
        None,
        &[],
        (12, samescore_research::curves::Vary::Fit),
        &threads,
        &|_, _, _| (),
    )?;
    if let Some(r2) = spread.get("r2") {
        let values: Vec<f64> = r2.values.iter().copied().flatten().collect();
        let (low, high) = (r2.min, r2.max);
        let strip = plot::spread(&values, (low, high), 40);
        println!("R2 {} |{strip}| {}", render::short(low), render::short(high));
        let (mean, sd) = (render::short(r2.mean), render::short(r2.sd.unwrap_or_default()));
        println!("mean {mean}, standard deviation {sd}");
    }

    let text = "One seed, once more: on one thread, with the houses in reversed order:";
    print!("{}", notebook::heading("The promise", text));
    let reversed: Vec<usize> = (0..houses.n_rows()).rev().collect();
    let again = fitted(&config, &houses.select(&reversed), &Threads::new(1)?)?;
    println!("{}\n{}", outcome.artifact.digest(), again.artifact.digest());
    let mut other = config.clone();
    other.seed = Seed(1);
    println!("{} with another seed", fitted(&other, &houses, &threads)?.artifact.digest());

    print!("{}", notebook::heading("Keep it", "The file that production embeds."));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
