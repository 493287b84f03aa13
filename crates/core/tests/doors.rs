//! What the doors refuse: states that contradict their config, tables that grow beyond bounds, and
//! a value that an overflow makes.

use std::collections::BTreeMap;

use samescore_core::artifact::Artifact;
use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, StepParams, Task};
use samescore_core::error::{Code, Result};
use samescore_core::example;
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Plan, Table, fit};
use samescore_core::transforms::*;

fn linear(columns: &[&str]) -> Config {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default());
    let is_kept = |name: &String| columns.contains(&name.as_str());
    config.data.columns.retain(|name, _| is_kept(name) || name == example::REGRESSION_TARGET);
    config
}

fn sealed(config: &Config) -> Result<Artifact> {
    let table = Table::new(config, &example::table(60, 1))?;
    let fingerprint = table.fingerprint();
    let fitted = fit(config, table.into_rows())?;
    Artifact::seal(config, fingerprint, fitted, BTreeMap::new())
}

/// The state that `made` learned, under a config that says `said`.
fn contradiction(columns: &[&str], made: impl Into<StepParams>, said: impl Into<StepParams>) {
    let config = linear(columns);
    let config = config.step("it", &columns[..1], made).step_on_all("drop_text", drop_text());
    let artifact = sealed(&config).expect("a fit");
    let mut other = config.clone();
    other.steps[0].params = said.into();
    let kind = other.steps[0].params.kind();
    assert!(Plan::new(&config, artifact.payload().pipeline.clone()).is_ok());
    match Plan::new(&other, artifact.payload().pipeline.clone()) {
        Ok(_) => panic!("{kind}: expected a refusal, found none"),
        Err(error) => assert_eq!(error.code(), Code::Malformed, "{kind}: {error}"),
    }
}

/// Makes whatever text is left a number.
fn drop_text() -> OrdinalEncoderParams {
    OrdinalEncoderParams::default()
}

#[test]
fn a_state_that_contradicts_its_params_is_refused() {
    let ten = LogTransformerParams { base: LogBase::Ten };
    contradiction(&["area", "rooms"], LogTransformerParams::default(), ten);
    let text = CastParams { errors: CastErrors::Missing, ..CastParams::default() };
    contradiction(&["rooms", "area"], CastParams::default(), text);
    let sum = |func| RelativeFeaturesParams {
        func: vec![func],
        reference: vec!["rooms".to_owned()],
        ..RelativeFeaturesParams::default()
    };
    contradiction(&["area", "rooms"], sum(RelativeFunc::Add), sum(RelativeFunc::Mul));
    let filled = RelativeFeaturesParams { fill_value: Some(1.0), ..sum(RelativeFunc::Add) };
    contradiction(&["area", "rooms"], sum(RelativeFunc::Add), filled);
    let above = |threshold| BinariserParams { threshold };
    contradiction(&["area", "rooms"], above(250.0), above(251.0));
    let clipped = MinMaxScalerParams { clip: true, ..MinMaxScalerParams::default() };
    contradiction(&["area", "rooms"], MinMaxScalerParams::default(), clipped);
    let number = |number| ArbitraryNumberImputerParams { number, ..Default::default() };
    contradiction(&["area", "rooms"], number(1.0), number(2.0));
    let renamed = |new| RenameColumnsParams::of(&[("area", new)]);
    contradiction(&["area", "rooms"], renamed("a"), renamed("b"));
    let rare = RareLabelEncoderParams { replace_with: "other".to_owned(), ..Default::default() };
    contradiction(&["grade", "area"], RareLabelEncoderParams::default(), rare);
    let label = CategoricalImputerParams { fill_value: "x".to_owned(), ..Default::default() };
    contradiction(&["grade", "area"], CategoricalImputerParams::default(), label);
    let encoded = OrdinalEncoderParams { unseen: UnseenRule::Encode, ..Default::default() };
    contradiction(&["grade", "area"], OrdinalEncoderParams::default(), encoded);
    let two = ExtractTextParams { n_characters: 2, ..ExtractTextParams::default() };
    contradiction(&["grade", "area"], ExtractTextParams::default(), two);
    let map = |to: f64| MapValuesParams::of([("Gd", to), ("TA", 2.0), ("Ex", 3.0)]);
    let imputed = |to| MapValuesParams { missing: Some(NumberOrLabel::Number(0.0)), ..map(to) };
    let config = linear(&["grade", "area"])
        .step("it", &["grade"], imputed(1.0))
        .step_on_all("fill", MeanMedianImputerParams::default());
    let artifact = sealed(&config).expect("a fit");
    let mut other = config.clone();
    other.steps[0].params = imputed(1.5).into();
    assert!(Plan::new(&other, artifact.payload().pipeline.clone()).is_err());
}

#[test]
fn columns_do_not_explode() {
    let wide = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("c{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
            .columns(ColumnKind::Num, &names)
            .columns(ColumnKind::Num, &["y"]);
        let reference = names.iter().map(|name| (*name).to_owned()).collect();
        let all = RelativeFeaturesParams { reference, ..RelativeFeaturesParams::default() };
        config = config.step("relate", &names, all);
        let fields = config.data.columns.keys().cloned();
        let fields = fields.map(|name| samescore_core::batch::Field::new(name, ColumnKind::Num));
        let schema = samescore_core::batch::Schema::new(fields).expect("a schema");
        let columns = (0..=n).map(|_| samescore_core::batch::Column::num([1.0, 2.0])).collect();
        let batch = samescore_core::batch::Batch::new(schema.into(), columns).expect("a batch");
        fit(&config, Table::new(&config, &batch)?.into_rows())
    };
    // 101 columns by 101 references are 10201 new ones, a thousand of each are a million.
    for n in [101, 1000] {
        let error = wide(n).expect_err("a limit");
        assert_eq!(
            error.to_string(),
            "step `relate`: expected at most 10000 columns, found more \
             (drop columns, or choose fewer to combine or encode)"
        );
        assert_eq!(error.code(), Code::LimitExceeded);
    }
}
