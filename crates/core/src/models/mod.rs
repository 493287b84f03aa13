//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod decision_tree;
mod descent;
mod elastic_net;
mod extra_trees;
mod gradient_boosting;
mod linear;
mod linear_regression;
mod logistic_regression;
mod mlp;
mod newton;
mod normal_equations;
mod random_forest;
mod trees;

pub use decision_tree::DecisionTreeParams;
pub use elastic_net::ElasticNetParams;
pub use extra_trees::ExtraTreesParams;
pub use gradient_boosting::{GradientBoostingParams, Growth, Loss};
pub use linear_regression::LinearRegressionParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use mlp::{Activation, Initial, MlpParams, Solver};
pub use random_forest::RandomForestParams;
pub use trees::settings::MaxFeatures;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "decision_tree" => decision_tree: DecisionTreeParams => DecisionTree,
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "extra_trees" => extra_trees: ExtraTreesParams => ExtraTrees,
    "gradient_boosting" => gradient_boosting: GradientBoostingParams => GradientBoosting,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "mlp" => mlp: MlpParams => Mlp,
    "random_forest" => random_forest: RandomForestParams => RandomForest,
}

#[cfg(test)]
mod tests;
