//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod bernoulli_naive_bayes;
mod descent;
mod elastic_net;
mod gaussian_naive_bayes;
mod k_nearest_neighbours;
mod linear;
mod linear_regression;
mod logistic_regression;
mod multinomial_naive_bayes;
mod naive_bayes;
mod newton;
mod normal_equations;
mod ranges;

pub use bernoulli_naive_bayes::BernoulliNaiveBayesParams;
pub use elastic_net::ElasticNetParams;
pub use gaussian_naive_bayes::GaussianNaiveBayesParams;
pub use k_nearest_neighbours::{KNearestNeighboursParams, Metric, VoteWeight};
pub use linear_regression::LinearRegressionParams;
pub use logistic_regression::{ClassWeight, LogisticRegressionParams, Penalty};
pub use multinomial_naive_bayes::MultinomialNaiveBayesParams;

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
}

#[cfg(test)]
mod tests;
