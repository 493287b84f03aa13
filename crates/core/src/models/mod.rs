//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod descent;
mod elastic_net;
mod gamma_regression;
mod glm;
mod linear;
mod linear_regression;
mod logistic_regression;
mod loss_fit;
mod minimise;
mod model_step;
mod multinomial;
mod newton;
mod normal_equations;
mod poisson_regression;
mod tweedie_regression;

pub use elastic_net::ElasticNetParams;
pub use gamma_regression::GammaRegressionParams;
pub use linear_regression::LinearRegressionParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use poisson_regression::PoissonRegressionParams;
pub use tweedie_regression::TweedieRegressionParams;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "gamma_regression" => gamma_regression: GammaRegressionParams => GammaRegression,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "poisson_regression" => poisson_regression: PoissonRegressionParams => PoissonRegression,
    "tweedie_regression" => tweedie_regression: TweedieRegressionParams => TweedieRegression,
}

#[cfg(test)]
mod tests;
