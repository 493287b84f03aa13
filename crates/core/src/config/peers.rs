//! Which kind is meant by a name that another library has for it.

/// Names without case, `_` and endings, and our kinds.
const PEERS: &[(&str, &str)] = &[
    ("ada", "gradient_boosting"),
    ("bayes", "gaussian_naive_bayes"),
    ("bernoullinb", "bernoulli_naive_bayes"),
    ("calibratedclassifier", "calibrated"),
    ("calibration", "calibrated"),
    ("cat", "gradient_boosting"),
    ("catboost", "gradient_boosting"),
    ("dt", "decision_tree"),
    ("enet", "elastic_net"),
    ("gamma", "gamma_regression"),
    ("gaussiannb", "gaussian_naive_bayes"),
    ("gbdt", "gradient_boosting"),
    ("gbm", "gradient_boosting"),
    ("glm", "poisson_regression"),
    ("gradientboosted", "gradient_boosting"),
    ("histgradientboosting", "gradient_boosting"),
    ("huber", "huber_regression"),
    ("iforest", "isolation_forest"),
    ("kmeans", "k_means"),
    ("kneighbors", "k_nearest_neighbours"),
    ("knearestneighbors", "k_nearest_neighbours"),
    ("knn", "k_nearest_neighbours"),
    ("labelencoder", "ordinal_encoder"),
    ("lasso", "elastic_net"),
    ("lassocv", "elastic_net_cv"),
    ("lgb", "gradient_boosting"),
    ("lgbm", "gradient_boosting"),
    ("lightgbm", "gradient_boosting"),
    ("linear", "linear_regression"),
    ("linearsvc", "linear_svm"),
    ("linearsvr", "linear_svm"),
    ("lm", "linear_regression"),
    ("log", "log_transformer"),
    ("logistic", "logistic_regression"),
    ("logisticregressioncv", "logistic_regression"),
    ("logit", "logistic_regression"),
    ("minmax", "min_max_scaler"),
    ("multinomialnb", "multinomial_naive_bayes"),
    ("naivebayes", "gaussian_naive_bayes"),
    ("neuralnetwork", "mlp"),
    ("nn", "mlp"),
    ("ohe", "one_hot_encoder"),
    ("ols", "linear_regression"),
    ("onehot", "one_hot_encoder"),
    ("onevsrestclassifier", "one_vs_rest"),
    ("ovr", "one_vs_rest"),
    ("poisson", "poisson_regression"),
    ("quantile", "quantile_regression"),
    ("rf", "random_forest"),
    ("ridge", "linear_regression"),
    ("ridgecv", "elastic_net_cv"),
    ("scale", "standard_scaler"),
    ("scaler", "standard_scaler"),
    ("selectfrommodel", "select_by_coefficient"),
    ("simpleimputer", "mean_median_imputer"),
    ("imputer", "mean_median_imputer"),
    ("standardize", "standard_scaler"),
    ("svc", "linear_svm"),
    ("svm", "linear_svm"),
    ("svr", "linear_svm"),
    ("tree", "decision_tree"),
    ("tunedthreshold", "threshold"),
    ("tunedthresholdclassifiercv", "threshold"),
    ("tweedie", "tweedie_regression"),
    ("xgb", "gradient_boosting"),
    ("xgboost", "gradient_boosting"),
    ("xgbrf", "random_forest"),
    ("xt", "extra_trees"),
    ("zscore", "standard_scaler"),
];

/// The kind among `known` that a name of another library means.
pub(super) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let squashed = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let name = squashed(name);
    let endings = ["", "classifier", "regressor", "regression", "cv"];
    endings.iter().find_map(|ending| {
        let stem = name.strip_suffix(ending)?;
        let of_peer = PEERS.iter().find(|(peer, _)| *peer == stem).map(|(_, kind)| *kind);
        let is_it = |tag: &&&str| Some(**tag) == of_peer || squashed(tag) == stem;
        known.iter().find(is_it).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelParams;

    #[test]
    fn names_of_other_libraries_mean_our_kinds() {
        let known: Vec<&str> = ModelParams::KINDS.iter().map(|info| info.tag).collect();
        for (name, kind) in [
            ("xgboost", "gradient_boosting"),
            ("XGBClassifier", "gradient_boosting"),
            ("lightgbm", "gradient_boosting"),
            ("catboost", "gradient_boosting"),
            ("svc", "linear_svm"),
            ("random_forest_classifier", "random_forest"),
            ("RandomForestRegressor", "random_forest"),
            ("logistic", "logistic_regression"),
            ("LogisticRegressionCV", "logistic_regression"),
            ("lasso_cv", "elastic_net_cv"),
            ("KMeans", "k_means"),
            ("MLPClassifier", "mlp"),
        ] {
            assert_eq!(meant(name, &known), Some(kind), "{name}");
        }
        assert_eq!(meant("random_forrest", &known), None);
        let all = PEERS.iter().map(|(_, kind)| kind);
        let steps = crate::transforms::TransformParams::KINDS.iter();
        let steps = steps.chain(crate::selectors::SelectorParams::KINDS).map(|info| info.tag);
        let known: Vec<&str> = known.into_iter().chain(steps).collect();
        all.for_each(|kind| assert!(known.contains(kind), "{kind}"));
    }
}
