//! One pipeline from config to score.
use samescore_core::artifact::Artifact;
use samescore_core::config::Task;
use samescore_core::example;
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::*;
use std::collections::BTreeMap;

#[test]
fn a_pipeline_is_fitted_sealed_loaded_and_scores() {
    let config = example::config(Task::Regression, LinearRegressionParams::default())
        .step("impute", &["age", "fare"], MeanMedianImputerParams::default())
        .step("encode", &["sex", "grade"], OrdinalEncoderParams::default())
        .step("scale", &["age", "fare"], StandardScalerParams::default());
    let mut config = config;
    for drop in ["deck", "name", "seen", "constant"] {
        config.data.columns.remove(drop);
    }
    let batch = example::table(60, 1);
    let table = Table::new(&config, &batch).unwrap();
    let fp = table.fingerprint();
    let fitted = fit(&config, table.into_rows()).unwrap();
    let artifact = Artifact::seal(&config, fp, fitted, BTreeMap::new()).unwrap();
    let again = Artifact::from_bytes(artifact.bytes()).unwrap();
    let scores = again.plan().score(&batch).unwrap();
    for row in 0..batch.n_rows() {
        let one = again.plan().score(&batch.select(&[row])).unwrap();
        assert_eq!(one.get(0).unwrap().to_bits(), scores.get(row).unwrap().to_bits());
    }
    println!("{} bytes {:?}", artifact.bytes().len(), scores.get(0));
    println!("{}", config.to_toml().unwrap());
}
