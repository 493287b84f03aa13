//! What a house is worth: the founding regression pipeline with all its steps, and one imputer that
//! draws at random and still gives every house the same value for ever. Run it: `cargo run -p
//! samescore-research --bin 02_house_prices`.

use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, SplitConfig, TargetTransform, Task};
use samescore_core::error::Result;
use samescore_core::models::ElasticNetParams;
use samescore_core::par::Threads;
use samescore_core::transforms::*;
use samescore_research::{gather, notebook, render, workflow};

const NUMBERS: &[&str] = &[
    "id",
    "lot_frontage",
    "lot_area",
    "overall_qual",
    "overall_cond",
    "year_built",
    "year_remod",
    "veneer_area",
    "total_bsmt_sf",
    "floor1_sf",
    "floor2_sf",
    "living_sf",
    "fireplaces",
    "garage_year",
    "garage_cars",
    "garage_area",
    "porch_sf",
    "lot_area_copy",
    "sale_price",
];
const LABELS: &[&str] = &[
    "zone",
    "street",
    "neighborhood",
    "roof_matl",
    "exter_qual",
    "bsmt_qual",
    "central_air",
    "kitchen_qual",
    "fireplace_qu",
    "garage_finish",
    "utilities",
    "sale_condition",
];
const KEPT: &[&str] = &[
    "zone",
    "lot_frontage",
    "lot_area",
    "street",
    "neighborhood",
    "overall_qual",
    "overall_cond",
    "year_built",
    "year_remod",
    "roof_matl",
    "veneer_area",
    "exter_qual",
    "bsmt_qual",
    "total_bsmt_sf",
    "central_air",
    "first_floor_sf",
    "second_floor_sf",
    "living_sf",
    "kitchen_qual",
    "fireplaces",
    "fireplace_qu",
    "garage_year",
    "garage_finish",
    "garage_cars",
    "garage_area",
    "porch_sf",
    "year_sold",
    "sale_condition",
];
const CATEGORIES: &[&str] = &[
    "zone",
    "street",
    "neighborhood",
    "overall_cond",
    "roof_matl",
    "central_air",
    "sale_condition",
];

/// The same pipeline as `data/pipelines/house_prices.toml`, to the byte.
fn pipeline() -> Config {
    let lasso = ElasticNetParams { alpha: 0.001, l1_ratio: 1.0, ..Default::default() };
    let mut config = Config::new("sale_price", Task::Regression, lasso)
        .columns(ColumnKind::Num, NUMBERS)
        .columns(ColumnKind::Text, LABELS)
        .columns(ColumnKind::Time, &["sale_date"]);
    config.data.key = vec!["id".into()];
    // The logarithm and its inverse are part of the pipeline: production cannot forget one.
    config.target.transform = TargetTransform::Log;
    config.split = Some(SplitConfig { test_ratio: 0.1, group: None });
    engineered(config)
}

fn engineered(config: Config) -> Config {
    let label = CastParams { to: ColumnKind::Text, ..Default::default() };
    let year = CastParams { to: ColumnKind::Num, unit: Some(CastUnit::Year), ..Default::default() };
    let renamed = [
        ("sale_date", "year_sold"),
        ("floor1_sf", "first_floor_sf"),
        ("floor2_sf", "second_floor_sf"),
    ];
    let old = renamed.map(|(old, _)| old);
    let names = renamed.map(|(old, new)| (old.into(), new.into())).into();
    let frequent = CategoricalImputerParams {
        method: CategoricalImputeMethod::Frequent,
        ..Default::default()
    };
    let elapsed = RelativeFeaturesParams {
        func: vec![RelativeFunc::Elapsed],
        reference: vec!["year_sold".into()],
        in_place: true,
        ..Default::default()
    };
    let grades = graded(&[("Missing", 0), ("Po", 1), ("Fa", 2), ("TA", 3), ("Gd", 4), ("Ex", 5)]);
    let finish = MapValuesParams {
        missing: Some(NumberOrLabel::Number(0.0)),
        ..graded(&[("Unf", 1), ("RFn", 2), ("Fin", 3)])
    };
    let one_in_hundred =
        RareLabelEncoderParams { ratio_min: 0.01, n_categories: 1, ..Default::default() };
    let by_price = OrdinalEncoderParams { unseen: UnseenRule::Raise, ..Default::default() };
    config
        .step("condition_is_a_label", &["overall_cond"], label)
        .step("year_of_sale", &["sale_date"], year)
        .step("rename", &old, RenameColumnsParams { names })
        .step("listed_columns", KEPT, KeepColumnsParams::default())
        .step("fill_with_missing", &["fireplace_qu"], CategoricalImputerParams::default())
        .step("fill_with_frequent", &["bsmt_qual", "garage_finish"], frequent)
        .step("say_missing", &["lot_frontage"], MissingIndicatorParams::default())
        .step(
            "fill_with_mean",
            &["lot_frontage"],
            MeanMedianImputerParams { method: ImputeMethod::Mean },
        )
        // Each draw belongs to the row's key: a row scored alone next year gets the same one.
        .step(
            "fill_with_draws",
            &["garage_year", "veneer_area"],
            RandomSampleImputerParams::default(),
        )
        .step("elapsed_years", &["year_remod"], elapsed)
        .step("drop_reference", &["year_sold"], DropColumnsParams::default())
        .step(
            "logarithms",
            &["lot_frontage", "first_floor_sf", "living_sf"],
            LogTransformerParams::default(),
        )
        .step("has_porch", &["porch_sf"], BinariserParams { threshold: 0.0 })
        .step("quality", &["exter_qual", "bsmt_qual", "kitchen_qual", "fireplace_qu"], grades)
        .step("finish", &["garage_finish"], finish)
        .step("group_rare", CATEGORIES, one_in_hundred)
        .step("order_by_price", CATEGORIES, by_price)
        .step_on_all("scale", MinMaxScalerParams::default())
}

fn graded(grades: &[(&str, u8)]) -> MapValuesParams {
    let number = |x: u8| NumberOrLabel::Number(f64::from(x));
    MapValuesParams {
        mapping: grades.iter().map(|&(label, x)| (label.to_owned(), number(x))).collect(),
        unseen: UnmappedRule::Raise,
        ..Default::default()
    }
}

fn main() -> Result<()> {
    let config = pipeline();
    let houses = gather::read(&notebook::table("sim_houses.csv"), &config.data, &[])?;

    let text =
        format!("{} houses; prices lean to the right, hence the logarithm.", houses.n_rows());
    print!("{}", notebook::heading("Prices", &text));
    let prices = houses.num(houses.schema().slot("sale_price")?);
    print!("{}", render::histogram(prices, 12, 40));

    print!(
        "{}",
        notebook::heading("Fit", "Eighteen steps and a lasso, one house in ten kept apart.")
    );
    let outcome = workflow::fit(&config, &houses, &Threads::new(0)?)?;
    print!("{}", notebook::metrics(&outcome));

    let text = "The lasso's weights on features between 0 and 1; the rest are zero or small.";
    print!("{}", notebook::heading("What a price is made of", text));
    print!("{}", notebook::weights(&outcome.artifact, 12));

    print!("{}", notebook::heading("Where it errs", "Flat would be perfect."));
    let (truth, scores) = notebook::truth_and_scores(&outcome.artifact, &houses)?;
    print!("{}", render::residuals(&truth, &scores, 60));

    let text = "Two fits with 1 and 2 threads, the second on the houses in reversed order:";
    print!("{}", notebook::heading("The promise", text));
    let reversed: Vec<usize> = (0..houses.n_rows()).rev().collect();
    let again = workflow::fit(&config, &houses.select(&reversed), &Threads::new(2)?)?;
    println!("{}\n{}", outcome.artifact.digest(), again.artifact.digest());

    print!("{}", notebook::heading("Keep it", "The file that production embeds."));
    print!("{}", notebook::keep(&outcome.artifact, std::env::args().nth(1))?);
    Ok(())
}
