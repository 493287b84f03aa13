//! Configs that are read, and what is said of those that are not.

use super::*;

const TEXT: &str = r#"
seed = 3
[data]
source = "x.csv"
missing = ["?"]
[data.columns]
age = "num"
sex = "text"
seen = { kind = "time", format = "%Y-%m-%d" }
y = "num"
[target]
column = "y"
[[step]]
kind = "mean_median_imputer"
columns = ["age"]
[[step]]
name = "codes"
kind = "ordinal_encoder"
columns = { pattern = "s*", except = ["seen"] }
unseen = "encode"
[model]
kind = "linear_regression"
"#;

#[test]
fn defaults_are_written_out_and_read_back_to_the_same_config() {
    let config = Config::from_toml(TEXT).unwrap();
    let written = config.to_toml().unwrap();
    assert!(written.contains("method = \"median\""), "{written}");
    assert_eq!(Config::from_toml(&written).unwrap(), config);
}

#[test]
fn one_meaning_has_one_fingerprint_or_is_refused() {
    let print = |from: &str, to: &str| {
        let config = Config::from_toml(&TEXT.replace(from, to))?;
        let again = Config::from_toml(&config.to_toml()?)?;
        assert_eq!(again, config, "{to}");
        config.fingerprint()
    };
    let refused = |from: &str, to: &str| print(from, to).unwrap_err().to_string();
    let markers = |list: &str| print("missing = [\"?\"]", list).unwrap();
    assert_eq!(markers("missing = [\"b\", \"\", \"a\"]"), markers("missing = [\"a\", \"b\"]"));
    let except = |list: &str| print("except = [\"seen\"]", list).unwrap();
    assert_eq!(except("except = [\"age\", \"seen\"]"), except("except = [\"seen\", \"age\"]"));
    assert_eq!(
        refused("columns = [\"age\"]", "columns = { named = [\"age\"], except = [\"y\"] }"),
        "step `mean_median_imputer`: expected a list of names or a choice by kind, pattern and \
         except, found both (leave the names that are not wanted out of the list)"
    );
    assert_eq!(
        refused("age = \"num\"", "age = { kind = \"num\", format = \"%Y-%m-%d\" }"),
        "column `age`: expected `format` of a time column, found it of a num (leave it out)"
    );
    assert_eq!(
        refused("[model]\nkind", "[model]\nalpha = -0.0\nkind"),
        "step `model`: expected 0 in `alpha`, found -0.0"
    );
    for (from, to) in [
        ("missing = [\"?\"]", "missing = [\"?\", \"?\"]"),
        ("missing = [\"?\"]", "key = [\"sex\", \"sex\"]"),
        ("columns = [\"age\"]", "columns = [\"age\", \"age\"]"),
        ("except = [\"seen\"]", "except = [\"seen\", \"seen\"]"),
    ] {
        assert!(refused(from, to).contains("once"), "{to}");
    }
}

#[test]
fn the_rule_of_a_cap_is_part_of_the_identity_where_it_is_given() {
    let plain = Config::from_toml(TEXT).unwrap();
    assert!(!plain.to_toml().unwrap().contains("on_max_iter"));
    let text = TEXT.replace("seed = 3", "seed = 3\non_max_iter = \"warn\"");
    let warned = Config::from_toml(&text).unwrap();
    assert_ne!(warned.fingerprint().unwrap(), plain.fingerprint().unwrap());
    assert_eq!(Config::from_toml(&warned.to_toml().unwrap()).unwrap(), warned);
}

#[test]
fn a_config_without_a_target_is_told_so() {
    let text = TEXT.replace("[target]\ncolumn = \"y\"\n", "");
    let error = Config::from_toml(&text).unwrap_err();
    assert_eq!(error.code(), Code::BadTarget);
    assert!(error.to_string().starts_with("expected a [target] table, found none"), "{error}");
}

#[test]
fn the_source_is_not_part_of_the_identity() {
    let a = Config::from_toml(TEXT).unwrap();
    let b = Config::from_toml(&TEXT.replace("x.csv", "y.parquet")).unwrap();
    assert_eq!(a.fingerprint().unwrap(), b.fingerprint().unwrap());
    let c = Config::from_toml(&TEXT.replace("seed = 3", "seed = 4")).unwrap();
    assert_ne!(a.fingerprint().unwrap(), c.fingerprint().unwrap());
}

fn error_at(from: &str, to: &str) -> (String, String) {
    let text = TEXT.replace(from, to);
    let error = Config::from_toml(&text).unwrap_err();
    let span = error.span().unwrap_or(0..0);
    (error.to_string(), text[span].to_owned())
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    let (message, place) = error_at("unseen =", "unsene =");
    assert!(message.starts_with("step `codes`: unknown field `unsene`"), "{message}");
    assert_eq!(place, "unsene");
    assert_eq!(error_at("seed = 3", "sede = 3").1, "sede");
    assert_eq!(error_at("missing =", "mising =").1, "mising");
}

#[test]
fn an_unknown_kind_gets_a_suggestion() {
    let (message, place) = error_at("\"ordinal_encoder\"", "\"ordinal_encodr\"");
    assert_eq!(place, "\"ordinal_encodr\"");
    assert_eq!(
        message,
        "step `codes`: expected a known kind, found `ordinal_encodr` \
         (did you mean `ordinal_encoder`? `samescore kinds` lists all)"
    );
}

#[test]
fn what_is_wrong_by_itself_is_refused_where_it_stands() {
    let twice = |from: &str, to: &str| {
        let text = TEXT.replace(from, to);
        let error = Config::from_toml(&text).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Config, "{error}");
        let span = error.span().unwrap_or(0..0);
        (text[..span.start].matches('\n').count() + 1, text[span].to_owned())
    };
    let line = |n: usize, text: &str| (n, text.to_owned());
    let key = "[data]\nkey = [\"sex\", \"sex\"]";
    assert_eq!(twice("[data]", key), line(4, "\"sex\""));
    assert_eq!(twice("[\"age\"]", "[\"age\", \"age\"]"), line(15, "\"age\""));
    assert_eq!(twice("seed = 3", "golden_rows = 99"), line(2, "99"));
    let split = "[split]\ntest_ratio = 1.0\n[model]";
    assert_eq!(twice("[model]", split), line(22, "1.0"));
    assert_eq!(twice("\"codes\"", "\"model\""), line(17, "\"model\""));
    assert_eq!(twice("\"codes\"", "\"\""), line(17, "\"\""));
    let binary = "\"y\"\ntask = \"binary\"";
    assert_eq!(twice("column = \"y\"", &format!("column = {binary}")).0, 23);
}

#[test]
fn a_wrong_type_is_refused_where_it_stands() {
    assert_eq!(error_at("column = \"y\"", "column = 5").1, "5");
    assert_eq!(error_at("\"num\"\nsex", "\"nmu\"\nsex").1, "\"nmu\"");
}
