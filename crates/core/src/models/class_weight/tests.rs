//! The stored form, the fits by hand, and what is refused.

use super::*;
use crate::batch::ColumnKind;
use crate::codec;
use crate::config::Config;
use crate::math;
use crate::models::tests::{fit_as, regression};
use crate::models::{
    BaggingParams, DecisionTreeParams, GradientBoostingParams, LogisticRegressionParams,
    OneVsRestParams, Penalty, RandomForestParams,
};
use crate::pipeline;
use crate::step::Predict;
use crate::testing::{nums, table, texts};

fn weights(pairs: &[(&str, f64)]) -> ClassWeight {
    ClassWeight::Table(pairs.iter().map(|(label, w)| ((*label).to_owned(), *w)).collect())
}

#[test]
fn words_are_stored_as_ever_and_tables_as_maps() {
    for (weight, word) in [(ClassWeight::None, "none"), (ClassWeight::Balanced, "balanced")] {
        let bytes = codec::encode(&weight).unwrap();
        assert_eq!(bytes, codec::encode(&word.to_owned()).unwrap());
        assert_eq!(codec::decode::<ClassWeight>(&bytes).unwrap(), weight);
    }
    let some = weights(&[("no", 1.0), ("yes", 5.0)]);
    let bytes = codec::encode(&some).unwrap();
    assert_eq!(bytes[..4], [0x82, 0xa2, b'n', b'o']);
    assert_eq!(codec::decode::<ClassWeight>(&bytes).unwrap(), some);
    for other in [codec::encode(&5u64), codec::encode(&"Balanced".to_owned())] {
        assert!(codec::decode::<ClassWeight>(&other.unwrap()).is_err());
    }
}

#[test]
fn a_table_weighs_classes_as_weights_of_rows_do() {
    // Rows 0, 0, 1 that no column tells apart, class 1 counts 4 times: 4 of 6.
    let t = regression(&[&[1.0, 1.0, 1.0]], &[0.0, 0.0, 1.0]);
    let class_weight = weights(&[("0", 1.0), ("1", 4.0)]);
    let score = |model: &dyn Fn(&mut crate::batch::Batch, &mut [f64])| {
        let mut scores = [0.0; 3];
        model(&mut t.clone(), &mut scores);
        scores[0]
    };
    let params = DecisionTreeParams { class_weight: class_weight.clone(), ..Default::default() };
    let tree = fit_as(&params, &t, Task::Binary).unwrap();
    assert_eq!(score(&|t, scores| tree.predict(t, &[0], scores).unwrap()), 4.0 / 6.0);
    let params =
        GradientBoostingParams { class_weight: class_weight.clone(), ..Default::default() };
    let boosted = fit_as(&params, &t, Task::Binary).unwrap();
    let found = score(&|t, scores| boosted.predict(t, &[0], scores).unwrap());
    assert!((found - 4.0 / 6.0).abs() < 1e-15, "{found}");
    let params =
        LogisticRegressionParams { class_weight, penalty: Penalty::None, ..Default::default() };
    let line = fit_as(&params, &t, Task::Binary).unwrap();
    // Odds of 4 to 2.
    let intercept = line.line().unwrap().1;
    assert!((intercept - math::ln(2.0)).abs() < 1e-13, "{intercept}");
}

#[test]
fn several_classes_have_the_weights_of_their_labels() {
    let labels = ["c", "a", "b"].map(str::to_owned);
    let some = weights(&[("a", 2.0), ("b", 3.0), ("c", 4.0)]);
    let found = some.factors(9.0, &[1.0; 3], Labels::Listed(&labels)).unwrap();
    assert_eq!(found, Some(vec![4.0, 2.0, 3.0]));
    // 9 / (3 · 1), 9 / (3 · 2), 9 / (3 · 6).
    let found = ClassWeight::Balanced.factors(9.0, &[1.0, 2.0, 6.0], Labels::Listed(&labels));
    assert_eq!(found.unwrap(), Some(vec![3.0, 1.5, 0.5]));
}

fn config(task: Task, model: impl Into<ModelParams>) -> Config {
    let mut config = Config::new("y", task, model).columns(ColumnKind::Num, &["x"]);
    let kind = if task == Task::Regression { ColumnKind::Num } else { ColumnKind::Text };
    config = config.columns(kind, &["y"]);
    match task {
        Task::Binary => config.target.positive = Some("yes".to_owned()),
        Task::Multiclass => config.target.classes = ["a", "b", "c"].map(str::to_owned).to_vec(),
        Task::Regression => {}
    }
    config
}

fn forest(class_weight: ClassWeight) -> RandomForestParams {
    RandomForestParams { class_weight, ..Default::default() }
}

#[test]
fn a_regression_has_no_classes_to_weigh() {
    let said = "step `model`: expected no `class_weight` for a regression, which has no classes, \
                found one (leave it out; `weight` under [data] names a column that weighs rows)";
    for some in [ClassWeight::Balanced, weights(&[("0", 1.0), ("1", 2.0)])] {
        let error = config(Task::Regression, forest(some)).validate().unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::BadParameter, said));
    }
    let bag = BaggingParams {
        estimator: Box::new(forest(ClassWeight::Balanced).into()),
        ..Default::default()
    };
    let error = config(Task::Regression, bag).validate().unwrap_err().to_string();
    assert!(error.starts_with("step `model`: in estimator, `"), "{error}");
    assert!(error.contains("expected no `class_weight` for a regression"), "{error}");
}

#[test]
fn every_kind_that_weighs_classes_refuses_it_of_a_number() {
    let mut n = 0;
    for info in ModelParams::KINDS {
        let params = ModelParams::default_of(info.tag).unwrap();
        let does_both = [Task::Regression, Task::Binary].iter().all(|t| params.tasks().contains(t));
        if params.class_weight().is_none() || !does_both {
            continue;
        }
        n += 1;
        let text = format!(
            "[data.columns]\nx = \"num\"\ny = \"num\"\n[target]\ncolumn = \"y\"\n\
             [model]\nkind = \"{}\"\nclass_weight = \"balanced\"\n",
            info.tag
        );
        let error = Config::from_toml(&text).unwrap_err();
        assert_eq!(&text[error.span().unwrap()], "\"balanced\"", "{error}");
        let weighted = text.replace("\"balanced\"", "{ 0 = 1.0, 1 = 5.0 }");
        let binary = weighted.replace("column =", "task = \"binary\"\ncolumn =");
        let config = Config::from_toml(&binary).unwrap();
        assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
        let negative = binary.replace("5.0", "-5.0");
        let error = Config::from_toml(&negative).unwrap_err().to_string();
        assert_eq!(error, "step `model`: expected `class_weight` above 0, found -5");
    }
    assert_eq!(n, 5);
}

#[test]
fn a_table_names_every_label_and_no_other() {
    let said = |task: Task, pairs: &[(&str, f64)]| {
        let checked = config(task, forest(weights(pairs))).validate();
        checked.err().map(|e| e.to_string()).unwrap_or_default()
    };
    let yes_no = [("no", 1.0), ("yes", 5.0)];
    assert_eq!(said(Task::Binary, &yes_no), "");
    assert_eq!(
        said(Task::Binary, &[("yes", 5.0)]),
        "step `model`: expected every class in `class_weight`, found none of the other label \
         (give each of the other label, \"yes\" a weight, and nothing else)"
    );
    assert_eq!(
        said(Task::Binary, &[("no", 1.0)]),
        "step `model`: expected every class in `class_weight`, found none of \"yes\" \
         (give each of \"no\", \"yes\" a weight, and nothing else)"
    );
    assert_eq!(
        said(Task::Binary, &[("maybe", 1.0), ("no", 1.0), ("yes", 5.0)]),
        "step `model`: expected labels of the target in `class_weight`, found \"no\" \
         (give each of \"maybe\", \"yes\" a weight, and nothing else)"
    );
    assert_eq!(said(Task::Multiclass, &[("a", 1.0), ("b", 1.0), ("c", 2.0)]), "");
    let of_three = " (give each of \"a\", \"b\", \"c\" a weight, and nothing else)";
    assert_eq!(
        said(Task::Multiclass, &[("a", 1.0), ("d", 1.0), ("c", 2.0)]),
        "step `model`: expected labels of the target in `class_weight`, found \"d\"".to_owned()
            + of_three
    );
    assert_eq!(
        said(Task::Multiclass, &[("a", 1.0), ("b", 1.0)]),
        "step `model`: expected every class in `class_weight`, found none of \"c\"".to_owned()
            + of_three
    );
    let of = |pairs: &[(&str, f64)]| OneVsRestParams {
        estimator: Box::new(forest(weights(pairs)).into()),
    };
    let classes = config(Task::Multiclass, of(&[("0", 1.0), ("1", 2.0)]));
    assert!(classes.validate().is_ok());
    assert!(config(Task::Multiclass, of(&[("a", 1.0), ("b", 2.0)])).validate().is_err());
}

#[test]
fn the_other_label_is_that_of_the_rows() {
    let rows = table(&[("x", nums(&[1.0, 2.0, 3.0])), ("y", texts(&["no", "yes", "no"]))]);
    let of = |other: &str| {
        let model = forest(weights(&[(other, 1.0), ("yes", 5.0)]));
        let table = pipeline::Table::new(&config(Task::Binary, model), &rows);
        table.err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert_eq!(of("no"), "");
    assert_eq!(
        of("nope"),
        "step `model`: expected a weight of \"no\" in `class_weight`, found \"nope\" \
         (use the labels of the target)"
    );
}
