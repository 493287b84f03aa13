//! Our elastic net and linfa's own, side by side on one table, through the same traits.
//!
//! Both minimise the same objective over columns that our scaler has centred (linfa's model does
//! not centre them itself). Ours is the optimum, to the same bits whatever the order of the rows;
//! linfa's is where its descent stops, and its last bits follow the order in which it adds.
//!
//! Run with `cargo run --package samescore-research --example linfa`.

use std::path::Path;

use linfa::Dataset;
use linfa::traits::{Fit, Predict, Transformer};
use ndarray::{Array1, Array2, Axis, Ix1};
use samescore_core::batch::{Batch, Column};
use samescore_core::config::{DataConfig, Task};
use samescore_core::models::ElasticNetParams;
use samescore_core::transforms::StandardScalerParams;
use samescore_research::linfa::{Estimator, FittedEstimator};
use samescore_research::{gather, metrics, render};

type Table = Dataset<f64, f64, Ix1>;

const ALPHA: f64 = 0.5;
const L1_RATIO: f64 = 0.5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = root.join("data/diabetes.csv");
    let columns = gather::infer(&source, &[])?;
    let data = DataConfig { columns, ..DataConfig::default() };
    let dataset = dataset(&gather::read(&source, &data, &[])?)?;
    let order: Vec<usize> = (0..dataset.records().nrows()).rev().collect();
    let reversed = Dataset::new(
        dataset.records().select(Axis(0), &order),
        dataset.targets().select(Axis(0), &order),
    )
    .with_feature_names(dataset.feature_names().to_vec());

    let params = ElasticNetParams { alpha: ALPHA, l1_ratio: L1_RATIO, ..Default::default() };
    let ours =
        Estimator::new(Task::Regression, params).step("scale", StandardScalerParams::default());
    let theirs = linfa_elasticnet::ElasticNet::<f64>::params()
        .penalty(ALPHA)
        .l1_ratio(L1_RATIO)
        .tolerance(1e-12)
        .max_iterations(100_000);

    let fits = [("in order", &dataset), ("reversed", &reversed)];
    let mut rows = Vec::new();
    for (name, table) in fits {
        let a = ours.fit(table)?;
        let b = theirs.fit(&scaled(&a, table))?;
        let p: Array1<f64> = a.predict(&dataset);
        let q: Array1<f64> = b.predict(&scaled(&a, &dataset));
        for (who, predicted) in [("samescore", p), ("linfa", q)] {
            let (truth, scores) = (dataset.targets().to_vec(), predicted.to_vec());
            let error = metrics::mean_squared_error(&metrics::Cases::new(&truth, &scores, 1));
            rows.push(vec![
                who.to_owned(),
                name.to_owned(),
                render::short(error),
                format!("{:016x}", predicted[0].to_bits()),
            ]);
        }
    }
    print!(
        "{}",
        render::table(&["model", "rows", "training MSE", "bits of the first prediction"], &rows)
    );
    Ok(())
}

/// The table as our model sees it.
fn scaled(fitted: &FittedEstimator, table: &Table) -> Table {
    let records = fitted.transform(table.records());
    Dataset::new(records, table.targets().clone())
}

fn dataset(batch: &Batch) -> Result<Table, Box<dyn std::error::Error>> {
    let target = batch.schema().slot("target")?;
    let features: Vec<usize> = (0..batch.columns().len()).filter(|slot| *slot != target).collect();
    let names: Vec<String> =
        features.iter().map(|&slot| batch.schema().fields()[slot].name.clone()).collect();
    let column = |slot: usize| match batch.column(slot) {
        Column::Num(values) => values.clone(),
        _ => Vec::new(),
    };
    let values: Vec<Vec<f64>> = features.iter().map(|&slot| column(slot)).collect();
    let records = Array2::from_shape_fn((batch.n_rows(), values.len()), |(i, j)| values[j][i]);
    Ok(Dataset::new(records, Array1::from(column(target))).with_feature_names(names))
}
