//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod descent;
mod elastic_net;
mod linear;
mod linear_regression;
mod logistic_regression;
mod mlp;
mod newton;
mod normal_equations;

pub use elastic_net::ElasticNetParams;
pub use linear_regression::LinearRegressionParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use mlp::{Activation, Initial, MlpParams, Solver};

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "mlp" => mlp: MlpParams => Mlp,
}

#[cfg(test)]
mod tests;
