//! A hundred trees on 200,000 rows: one artifact at 1, 2 and 8 threads and in three orders of the
//! rows, and another one for another seed.
//!
//! Few columns and small trees, so that it takes seconds; what could differ, the sums of many rows
//! over threads and blocks and the draws of rows and columns, is all there.

mod common;

use samescore_core::batch::Batch;
use samescore_core::config::{Config, Task};
use samescore_core::digest::Digest;
use samescore_core::example::{WIDE_BINARY_TARGET, WIDE_REGRESSION_TARGET, wide_table};
use samescore_core::models::{
    GradientBoostingParams, MaxFeatures, ModelParams, RandomForestParams,
};
use samescore_core::rng::Seed;

use common::run::threads;
use common::{pipelines, tables};

const N_ROWS: usize = 200_000;
const N_TREES: u32 = 100;

fn config(model: impl Into<ModelParams>, seed: u64) -> Config {
    let mut config = Config::new(WIDE_BINARY_TARGET, Task::Binary, model);
    for field in wide_table(1, 5, 0).schema().fields() {
        if field.name != WIDE_REGRESSION_TARGET {
            config.data.columns.insert(field.name.clone(), field.kind.into());
        }
    }
    config.seed = Seed(seed);
    config
}

fn expect_one_artifact(model: impl Into<ModelParams> + Clone) {
    let table = wide_table(N_ROWS, 5, 1);
    let digest = |seed: u64, batch: &Batch, block_rows: usize, n_threads: usize| -> Digest {
        let config = config(model.clone(), seed);
        let sealed = threads(n_threads).run(|| pipelines::seal(&config, batch, block_rows));
        sealed.expect("the table can be fitted on").digest()
    };
    let expected = digest(7, &table, 4096, 1);
    let reversed = table.select(&(0..N_ROWS).rev().collect::<Vec<_>>());
    assert_eq!(digest(7, &reversed, 1000, 2), expected, "rows from last to first, 2 threads");
    let shuffled = tables::reordered(&table, 3);
    assert_eq!(digest(7, &shuffled, 30_000, 8), expected, "rows shuffled, 8 threads");
    assert_ne!(digest(8, &shuffled, 30_000, 8), expected, "another seed");
}

#[test]
fn boosting_gives_one_artifact() {
    expect_one_artifact(GradientBoostingParams {
        n_estimators: N_TREES,
        num_leaves: 6,
        subsample: 0.5,
        colsample_bynode: 0.8,
        max_bin: 63,
        ..Default::default()
    });
}

#[test]
fn a_forest_gives_one_artifact() {
    expect_one_artifact(RandomForestParams {
        n_estimators: N_TREES,
        max_features: MaxFeatures::Count(2),
        max_depth: 3,
        max_bin: 63,
        ..Default::default()
    });
}
