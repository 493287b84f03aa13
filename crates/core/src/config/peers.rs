//! Which kind is meant by a name that another library has for it.

/// Names without case, `_` and endings, and our kinds, line by line.
const PEERS: &str = include_str!("peers.txt");

fn peers() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEERS.lines().filter_map(|line| line.split_once(' '))
}

/// The kind among `known` that a name of another library means.
pub(super) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let squashed = |name: &str| name.to_lowercase().replace(['_', '-', ' ', '.'], "");
    let name = squashed(name);
    let endings = ["", "classifier", "regressor", "regression", "cv"];
    endings.iter().find_map(|ending| {
        let stem = name.strip_suffix(ending)?;
        let of_peer = peers().find(|(peer, _)| *peer == stem).map(|(_, kind)| kind);
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
        for (name, same) in [
            ("XGBClassifier", "xgboost"),
            ("CatBoost", "lightgbm"),
            ("LogisticRegressionCV", "logistic"),
            ("lasso_cv", "ridge-cv"),
            ("K Means", "kmeans"),
            ("SVC", "linear_svc"),
        ] {
            assert!(meant(name, &known).is_some(), "{name}");
            assert_eq!(meant(name, &known), meant(same, &known), "{name}");
        }
        for tag in &known {
            assert_eq!(meant(&format!("{tag}_classifier"), &known), Some(*tag));
        }
        assert_eq!(meant("random_forrest", &known), None);
        let all = peers().map(|(_, kind)| kind);
        let steps = crate::transforms::TransformParams::KINDS.iter();
        let steps = steps.chain(crate::selectors::SelectorParams::KINDS).map(|info| info.tag);
        let known: Vec<&str> = known.into_iter().chain(steps).collect();
        all.for_each(|kind| assert!(known.contains(&kind), "{kind}"));
    }
}
