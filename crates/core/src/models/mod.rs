//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod bagging;
mod bernoulli_naive_bayes;
mod calibrated;
mod combine;
mod descent;
mod elastic_net;
mod gaussian_naive_bayes;
mod isolation_forest;
mod k_means;
mod k_nearest_neighbours;
mod linear;
mod linear_regression;
mod logistic_regression;
mod multinomial_naive_bayes;
mod naive_bayes;
mod newton;
mod normal_equations;
mod one_vs_rest;
mod ranges;
mod stacking;
mod threshold;
mod voting;

pub use bagging::BaggingParams;
pub use bernoulli_naive_bayes::BernoulliNaiveBayesParams;
pub use calibrated::{CalibratedParams, Calibration};
pub use elastic_net::ElasticNetParams;
pub use gaussian_naive_bayes::GaussianNaiveBayesParams;
pub use isolation_forest::IsolationForestParams;
pub use k_means::KMeansParams;
pub use k_nearest_neighbours::{KNearestNeighboursParams, Metric, VoteWeight};
pub use linear_regression::LinearRegressionParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use multinomial_naive_bayes::MultinomialNaiveBayesParams;
pub use one_vs_rest::OneVsRestParams;
pub use stacking::StackingParams;
pub use threshold::ThresholdParams;
pub use voting::VotingParams;

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "gaussian_naive_bayes" => gaussian_naive_bayes: GaussianNaiveBayesParams => GaussianNaiveBayes,
    "multinomial_naive_bayes" =>
        multinomial_naive_bayes: MultinomialNaiveBayesParams => MultinomialNaiveBayes,
    "bernoulli_naive_bayes" =>
        bernoulli_naive_bayes: BernoulliNaiveBayesParams => BernoulliNaiveBayes,
    "k_nearest_neighbours" =>
        k_nearest_neighbours: KNearestNeighboursParams => KNearestNeighbours,
    "one_vs_rest" => one_vs_rest: OneVsRestParams => OneVsRest,
    "voting" => voting: VotingParams => Voting,
    "bagging" => bagging: BaggingParams => Bagging,
    "stacking" => stacking: StackingParams => Stacking,
    "calibrated" => calibrated: CalibratedParams => Calibrated,
    "threshold" => threshold: ThresholdParams => Threshold,
    "isolation_forest" => isolation_forest: IsolationForestParams => IsolationForest,
    "k_means" => k_means: KMeansParams => KMeans,
}

#[cfg(test)]
mod tests;
