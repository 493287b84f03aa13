//! Uses over the example table.

use super::{GradientBoostingParams, Growth, Loss};
use crate::example::COMPLETE_COLUMNS;
use crate::models::ClassWeight;
use crate::step::Example;

pub(super) fn all() -> Vec<Example<GradientBoostingParams>> {
    let small = GradientBoostingParams {
        n_estimators: 8,
        num_leaves: 6,
        min_child_samples: 3,
        ..Default::default()
    };
    let with_loss = |loss| GradientBoostingParams { loss, ..small.clone() };
    let deep = GradientBoostingParams {
        growth: Growth::Depth,
        max_depth: 3,
        reg_alpha: 0.5,
        reg_lambda: 1.0,
        cat_smooth: 1.0,
        cat_l2: 1.0,
        max_cat_to_onehot: 2,
        min_data_per_group: 10,
        ..small.clone()
    };
    let sampled = GradientBoostingParams {
        subsample: 0.7,
        colsample_bytree: 0.8,
        colsample_bylevel: 0.8,
        colsample_bynode: 0.7,
        early_stopping_rounds: 3,
        validation_fraction: 0.3,
        ..small.clone()
    };
    let one_sided =
        GradientBoostingParams { top_rate: 0.3, other_rate: 0.3, max_bin: 12, ..small.clone() };
    let constrained = GradientBoostingParams {
        monotone_constraints: [("area".to_owned(), 1), ("year".to_owned(), -1)].into(),
        interaction_constraints: vec![vec!["area".to_owned(), "rooms".to_owned()]],
        ..small.clone()
    };
    let class_weight = ClassWeight::Balanced;
    let balanced = GradientBoostingParams { class_weight, ..small.clone() };
    let mixed = &["age", "area", "deck", "fare", "grade", "rooms", "sex"];
    vec![
        Example::on(COMPLETE_COLUMNS, GradientBoostingParams::default()),
        Example::on(mixed, small.clone()),
        Example::on(mixed, deep),
        Example::on(mixed, sampled),
        Example::on(mixed, one_sided),
        Example::on(COMPLETE_COLUMNS, constrained),
        Example::on(mixed, with_loss(Loss::AbsoluteError)),
        Example::on(COMPLETE_COLUMNS, with_loss(Loss::Huber)),
        Example::on(COMPLETE_COLUMNS, with_loss(Loss::Quantile)),
        Example::on(mixed, with_loss(Loss::Poisson)),
        Example::on(COMPLETE_COLUMNS, with_loss(Loss::Gamma)),
        Example::on(COMPLETE_COLUMNS, with_loss(Loss::Tweedie)),
        Example::on(mixed, balanced),
    ]
}
