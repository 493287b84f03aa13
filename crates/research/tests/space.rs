//! The values that a search draws and lays out, and every wrong space one by one.

use samescore_core::batch::ColumnKind;
use samescore_core::config::{Config, Task};
use samescore_core::error::Code;
use samescore_core::models::ElasticNetParams;
use samescore_core::rng::Seed;
use samescore_core::transforms::MeanMedianImputerParams;
use samescore_research::search::{Space, show};

fn config() -> Config {
    Config::new("y", Task::Regression, ElasticNetParams::default())
        .columns(ColumnKind::Num, &["a", "y"])
        .step("fill", &["a"], MeanMedianImputerParams::default())
}

fn base() -> toml::Table {
    toml::from_str(&config().to_toml().unwrap()).unwrap()
}

fn space(text: &str) -> Space {
    Space::from_toml(&format!("[parameters]\n{text}"), &config()).unwrap()
}

#[test]
fn a_grid_is_every_combination_the_last_name_fastest() {
    let both = space(
        "model.alpha = { from = 0.25, to = 4, scale = \"log\", n_points = 3 }\n\
                      \"fill.method\" = [\"mean\", \"median\"]",
    );
    assert_eq!(both.names(), ["fill.method", "model.alpha"]);
    let shown: Vec<String> =
        both.grid().unwrap().iter().map(|v| format!("{} {}", show(&v[0]), show(&v[1]))).collect();
    let expected = ["0.25", "1.0", "4.0"];
    let expected: Vec<String> = ["\"mean\"", "\"median\""]
        .iter()
        .flat_map(|a| expected.iter().map(move |b| format!("{a} {b}")))
        .collect();
    assert_eq!(shown, expected);
    let config = both.config(&base(), &both.grid().unwrap()[0]).unwrap();
    assert!(config.to_toml().unwrap().contains("alpha = 0.25"));
    let whole = space("model.max_iter = { from = 1, to = 3, n_points = 9, whole = true }");
    let whole: Vec<String> = whole.grid().unwrap().iter().map(|v| show(&v[0])).collect();
    assert_eq!(whole, ["1", "2", "3"]);
}

#[test]
fn draws_stay_in_their_range_and_belong_to_trial_and_name() {
    let text = "model.alpha = { from = 1e-3, to = 1e3, scale = \"log\" }\n\
                model.max_iter = { from = 1, to = 4, whole = true }";
    let (one, two) = (space("model.max_iter = { from = 1, to = 4, whole = true }"), space(text));
    let mut seen = std::collections::BTreeMap::new();
    let mut n_below = 0;
    for number in 1..=400 {
        let [alpha, iterations] = two.draw(Seed(7), number).try_into().unwrap();
        assert_eq!(one.draw(Seed(7), number), std::slice::from_ref(&iterations));
        let alpha = alpha.as_float().unwrap();
        assert!((1e-3..=1e3).contains(&alpha));
        n_below += u32::from(alpha < 1.0);
        *seen.entry(iterations.as_integer().unwrap()).or_insert(0) += 1;
    }
    assert!((150..250).contains(&n_below), "{n_below}");
    assert!(seen.keys().copied().eq(1..=4) && seen.values().all(|n| *n > 60), "{seen:?}");
}

#[test]
fn whole_numbers_on_a_log_scale_reach_both_ends() {
    let space = space("model.max_iter = { from = 1, to = 3, scale = \"log\", whole = true }");
    let drawn = (0..200).map(|n| space.draw(Seed(1), n)[0].as_integer().unwrap());
    let drawn: std::collections::BTreeSet<i64> = drawn.collect();
    assert!(drawn.into_iter().eq(1..=3));
}

#[test]
fn a_whole_model_can_be_chosen() {
    let text = "model = [{ kind = \"linear_regression\" }, { kind = \"nothing\" }]";
    let space = space(text);
    let grid = space.grid().unwrap();
    let config = space.config(&base(), &grid[0]).unwrap();
    assert_eq!(config.model.kind(), "linear_regression");
    let error = space.config(&base(), &grid[1]).unwrap_err();
    assert!(error.to_string().contains("found `nothing`"), "{error}");
    assert!(error.span().is_some());
}

#[track_caller]
fn refused(text: &str, said: &str) {
    let error = Space::from_toml(text, &config()).unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn wrong_spaces_are_refused_with_their_place() {
    refused("", "expected parameters to search, found none");
    refused("[parameters]\n", "expected parameters to search, found none");
    refused("[parameter]\n", "expected [parameters], found `parameter`");
    refused("[parameters]\nmodel.alpha = []", "expected values to choose from, found none");
    refused("[parameters]\nmodel.alpha = 1", "expected a list or a range");
    refused("[parameters]\nfil.method = [1]", "(steps are fill)");
    refused("[parameters]\nfill = [1]", "expected `model.PARAM` or `STEP.PARAM`");
    refused("[parameters]\nmodel.a = { from = 1, to = 1 }", "finite `from` below `to`");
    refused("[parameters]\nmodel.a = { from = 0, to = inf }", "finite `from` below `to`");
    refused("[parameters]\nmodel.a = { from = 0, to = 1, scale = \"log\" }", "above 0 on a log");
    refused("[parameters]\nmodel.a = { from = 0.5, to = 1, whole = true }", "expected whole");
    refused("[parameters]\nmodel.a = { from = 0, to = 1, step = 2 }", "unknown field `step`");
    refused("[parameters]\nmodel.a = { from = 0, to = 1, n_points = 0 }", "n_points from 1");
    refused(
        "[parameters]\nmodel.a = [1]\n\"model.b\" = [1]\n\"model.a\" = [2]",
        "expected `model.a` once",
    );
    let open = space("model.alpha = { from = 0, to = 1 }");
    assert!(open.grid().unwrap_err().to_string().contains("expected n_points for a grid"));
    let huge = "{ from = 0, to = 1, n_points = 1000 }";
    let huge = space(&format!("model.alpha = {huge}\nmodel.l1_ratio = {huge}"));
    assert!(huge.grid().unwrap_err().to_string().contains("at most 100000 trials"));
    let unknown = space("model.alpah = [1.0]");
    let error = unknown.config(&base(), &unknown.grid().unwrap()[0]).unwrap_err();
    assert_eq!(error.code(), Code::UnknownKey);
    assert!(error.span().is_some() && error.to_string().contains("with model.alpah = 1.0"));
}

fn nested() -> Config {
    let text = "[data.columns]\na = \"num\"\ny = \"num\"\n[target]\ncolumn = \"y\"\n[model]\n\
        kind = \"voting\"\nestimators = [{ elastic_net = {} }, { random_forest = {} }]\n";
    Config::from_toml(text).unwrap()
}

#[test]
fn a_parameter_of_a_model_inside_of_the_model_has_a_path() {
    let base: toml::Table = toml::from_str(&nested().to_toml().unwrap()).unwrap();
    for name in [
        "model.estimators.1.random_forest.max_depth",
        "\"model.estimators.1.random_forest.max_depth\"",
    ] {
        let text = format!("[parameters]\n{name} = [3, 7]\n");
        let space = Space::from_toml(&text, &nested()).unwrap();
        assert_eq!(space.names(), ["model.estimators.1.random_forest.max_depth"]);
        let config = space.config(&base, &space.grid().unwrap()[1]).unwrap();
        assert!(config.to_toml().unwrap().contains("max_depth = 7"), "{config:?}");
    }
    let wrong = "[parameters]\n\"model.estimators.2.random_forest.max_depth\" = [3]\n";
    assert_eq!(Space::from_toml(wrong, &nested()).unwrap_err().code(), Code::UnknownKey);
}

#[test]
fn a_kind_brings_its_own_defaults() {
    let space = space("model.kind = [\"elastic_net\", \"linear_regression\"]\nmodel.alpha = [0.5]");
    let configs: Vec<Config> =
        space.grid().unwrap().iter().map(|v| space.config(&base(), v).unwrap()).collect();
    let kinds: Vec<&str> = configs.iter().map(|config| config.model.kind()).collect();
    assert_eq!(kinds, ["elastic_net", "linear_regression"]);
    assert!(configs.iter().all(|config| config.to_toml().unwrap().contains("alpha = 0.5")));
}
