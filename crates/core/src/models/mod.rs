//! The registry of models. To add one: write its file, add its `mod` line and its row here.

mod bagging;
mod bernoulli_naive_bayes;
mod calibrated;
mod class_weight;
mod combine;
mod decision_tree;
mod descent;
mod elastic_net;
mod elastic_net_cv;
mod exact_plane;
mod extra_trees;
mod gamma_regression;
mod gaussian_naive_bayes;
mod glm;
mod gradient_boosting;
mod huber_regression;
mod isolation_forest;
mod k_means;
mod k_nearest_neighbours;
mod linear;
mod linear_regression;
mod linear_svm;
mod logistic_regression;
mod loss_fit;
mod minimise;
mod mlp;
mod model_step;
mod multinomial;
mod multinomial_naive_bayes;
mod naive_bayes;
mod newton;
mod normal_equations;
mod one_vs_rest;
mod poisson_regression;
mod quantile_regression;
mod random_forest;
mod ranges;
mod separation;
mod stacking;
mod summary;
mod threshold;
mod trees;
mod tweedie_regression;
mod voting;

pub use bagging::BaggingParams;
pub use bernoulli_naive_bayes::BernoulliNaiveBayesParams;
pub use calibrated::{CalibratedParams, Calibration};
pub use class_weight::ClassWeight;
pub use decision_tree::DecisionTreeParams;
pub use elastic_net::ElasticNetParams;
pub use elastic_net_cv::ElasticNetCvParams;
pub use extra_trees::ExtraTreesParams;
pub use gamma_regression::GammaRegressionParams;
pub use gaussian_naive_bayes::GaussianNaiveBayesParams;
pub use gradient_boosting::{GradientBoostingParams, Growth, Loss};
pub use huber_regression::HuberRegressionParams;
pub use isolation_forest::IsolationForestParams;
pub use k_means::KMeansParams;
pub use k_nearest_neighbours::{KNearestNeighboursParams, Metric, VoteWeight};
pub use linear_regression::LinearRegressionParams;
pub use linear_svm::LinearSvmParams;
pub use logistic_regression::{LogisticRegressionParams, Penalty};
pub use mlp::{Activation, Initial, LearningRate, MlpParams, Solver};
pub use multinomial_naive_bayes::MultinomialNaiveBayesParams;
pub use one_vs_rest::OneVsRestParams;
pub use poisson_regression::PoissonRegressionParams;
pub use quantile_regression::QuantileRegressionParams;
pub use random_forest::RandomForestParams;
pub use stacking::StackingParams;
pub use threshold::ThresholdParams;
pub use trees::settings::MaxFeatures;
pub use tweedie_regression::TweedieRegressionParams;
pub use voting::{Vote, VotingParams};

crate::registry! {
    /// The params of every model, tagged by kind.
    params ModelParams;
    /// The fitted state of every model, tagged by kind.
    fitted AnyModel;
    family "model" as FitModel;
    "bagging" => bagging: BaggingParams => Bagging,
    "bernoulli_naive_bayes" =>
        bernoulli_naive_bayes: BernoulliNaiveBayesParams => BernoulliNaiveBayes,
    "calibrated" => calibrated: CalibratedParams => Calibrated,
    "decision_tree" => decision_tree: DecisionTreeParams => DecisionTree,
    "elastic_net" => elastic_net: ElasticNetParams => ElasticNet,
    "elastic_net_cv" => elastic_net_cv: ElasticNetCvParams => ElasticNetCv,
    "extra_trees" => extra_trees: ExtraTreesParams => ExtraTrees,
    "gamma_regression" => gamma_regression: GammaRegressionParams => GammaRegression,
    "gaussian_naive_bayes" => gaussian_naive_bayes: GaussianNaiveBayesParams => GaussianNaiveBayes,
    "gradient_boosting" => gradient_boosting: GradientBoostingParams => GradientBoosting,
    "huber_regression" => huber_regression: HuberRegressionParams => HuberRegression,
    "isolation_forest" => isolation_forest: IsolationForestParams => IsolationForest,
    "k_means" => k_means: KMeansParams => KMeans,
    "k_nearest_neighbours" => k_nearest_neighbours: KNearestNeighboursParams => KNearestNeighbours,
    "linear_regression" => linear_regression: LinearRegressionParams => LinearRegression,
    "linear_svm" => linear_svm: LinearSvmParams => LinearSvm,
    "logistic_regression" => logistic_regression: LogisticRegressionParams => LogisticRegression,
    "mlp" => mlp: MlpParams => Mlp,
    "multinomial_naive_bayes" =>
        multinomial_naive_bayes: MultinomialNaiveBayesParams => MultinomialNaiveBayes,
    "one_vs_rest" => one_vs_rest: OneVsRestParams => OneVsRest,
    "poisson_regression" => poisson_regression: PoissonRegressionParams => PoissonRegression,
    "quantile_regression" => quantile_regression: QuantileRegressionParams => QuantileRegression,
    "random_forest" => random_forest: RandomForestParams => RandomForest,
    "stacking" => stacking: StackingParams => Stacking,
    "threshold" => threshold: ThresholdParams => Threshold,
    "tweedie_regression" => tweedie_regression: TweedieRegressionParams => TweedieRegression,
    "voting" => voting: VotingParams => Voting,
}

impl ModelParams {
    /// The models that these params hold.
    pub fn estimators(&self) -> Vec<&ModelParams> {
        match self {
            ModelParams::BaggingParams(p) => vec![&p.estimator],
            ModelParams::CalibratedParams(p) => vec![&p.estimator],
            ModelParams::OneVsRestParams(p) => vec![&p.estimator],
            ModelParams::ThresholdParams(p) => vec![&p.estimator],
            ModelParams::StackingParams(p) => {
                p.estimators.iter().chain([&*p.final_estimator]).collect()
            }
            ModelParams::VotingParams(p) => p.estimators.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the models that they hold see one class as 1 and all others as 0.
    fn parts_classes(&self) -> bool {
        matches!(self, ModelParams::OneVsRestParams(_))
    }
}

#[cfg(test)]
mod tests;
