//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod descent;
mod elastic_net;
mod elastic_net_cv;
mod gamma_regression;
mod glm;
mod huber_regression;
mod linear;
mod linear_regression;
mod linear_svm;
mod logistic_regression;
mod loss_fit;
mod minimise;
mod model_step;
mod multinomial;
mod newton;
mod normal_equations;
mod poisson_regression;
mod quantile_regression;
mod summary;
mod tweedie_regression;

pub use elastic_net::ElasticNetParams;
pub use elastic_net_cv::ElasticNetCvParams;
pub use gamma_regression::GammaRegressionParams;
pub use huber_regression::HuberRegressionParams;
pub use linear_regression::LinearRegressionParams;
pub use linear_svm::LinearSvmParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use poisson_regression::PoissonRegressionParams;
pub use quantile_regression::QuantileRegressionParams;
pub use tweedie_regression::TweedieRegressionParams;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "elastic_net_cv" => elastic_net_cv: ElasticNetCvParams => ElasticNetCv,
    "gamma_regression" => gamma_regression: GammaRegressionParams => GammaRegression,
    "huber_regression" => huber_regression: HuberRegressionParams => HuberRegression,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "linear_svm" => linear_svm: LinearSvmParams => LinearSvm,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "poisson_regression" => poisson_regression: PoissonRegressionParams => PoissonRegression,
    "quantile_regression" => quantile_regression: QuantileRegressionParams => QuantileRegression,
    "tweedie_regression" => tweedie_regression: TweedieRegressionParams => TweedieRegression,
}

#[cfg(test)]
mod tests;
