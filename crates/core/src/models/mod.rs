//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod decision_tree;
mod descent;
mod elastic_net;
mod elastic_net_cv;
mod extra_trees;
mod gamma_regression;
mod glm;
mod gradient_boosting;
mod huber_regression;
mod linear;
mod linear_regression;
mod linear_svm;
mod logistic_regression;
mod loss_fit;
mod minimise;
mod mlp;
mod model_step;
mod multinomial;
mod newton;
mod normal_equations;
mod poisson_regression;
mod quantile_regression;
mod random_forest;
mod summary;
mod trees;
mod tweedie_regression;

pub use decision_tree::DecisionTreeParams;
pub use elastic_net::ElasticNetParams;
pub use elastic_net_cv::ElasticNetCvParams;
pub use extra_trees::ExtraTreesParams;
pub use gamma_regression::GammaRegressionParams;
pub use gradient_boosting::{GradientBoostingParams, Growth, Loss};
pub use huber_regression::HuberRegressionParams;
pub use linear_regression::LinearRegressionParams;
pub use linear_svm::LinearSvmParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use mlp::{Activation, Initial, MlpParams, Solver};
pub use poisson_regression::PoissonRegressionParams;
pub use quantile_regression::QuantileRegressionParams;
pub use random_forest::RandomForestParams;
pub use trees::settings::MaxFeatures;
pub use tweedie_regression::TweedieRegressionParams;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "decision_tree" => decision_tree: DecisionTreeParams => DecisionTree,
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "elastic_net_cv" => elastic_net_cv: ElasticNetCvParams => ElasticNetCv,
    "extra_trees" => extra_trees: ExtraTreesParams => ExtraTrees,
    "gamma_regression" => gamma_regression: GammaRegressionParams => GammaRegression,
    "gradient_boosting" => gradient_boosting: GradientBoostingParams => GradientBoosting,
    "huber_regression" => huber_regression: HuberRegressionParams => HuberRegression,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "linear_svm" => linear_svm: LinearSvmParams => LinearSvm,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "mlp" => mlp: MlpParams => Mlp,
    "poisson_regression" => poisson_regression: PoissonRegressionParams => PoissonRegression,
    "quantile_regression" => quantile_regression: QuantileRegressionParams => QuantileRegression,
    "random_forest" => random_forest: RandomForestParams => RandomForest,
    "tweedie_regression" => tweedie_regression: TweedieRegressionParams => TweedieRegression,
}

#[cfg(test)]
mod tests;
