//! Typed rows: what serde gives becomes what a CSV file of the same characters gives, or is
//! refused.

use std::collections::BTreeMap;

use samescore_core::artifact::Artifact;
use samescore_core::config::{Config, Task};
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::MeanMedianImputerParams;
use samescore_deploy::{Batch, Code, Column, ColumnKind, Field, Kind, Schema, Score, Scorer};
use serde::Serialize;
use serde_json::{Value, json};

fn scorer() -> Scorer {
    let artifact = samescore_core::example::artifact().expect("an artifact");
    Scorer::from_bytes(artifact.bytes()).expect("the artifact loads")
}

fn row() -> Value {
    json!({"age": 30.5, "area": 120, "grade": "Gd", "rooms": 4, "sex": "f"})
}

fn with(field: &str, value: Value) -> Value {
    let mut row = row();
    row[field] = value;
    row
}

fn score(row: &impl Serialize) -> Result<Score, samescore_deploy::Error> {
    let scorer = scorer();
    scorer.score_row(row, &mut scorer.scratch())
}

fn bits(row: &impl Serialize) -> u64 {
    score(row).expect("a score").bits()
}

fn refused(row: &impl Serialize) -> String {
    score(row).expect_err("a refusal").to_string()
}

#[derive(Serialize)]
enum Sex {
    #[serde(rename = "f")]
    Female,
}

#[derive(Serialize)]
struct Rooms(u8);

#[derive(Serialize)]
struct House {
    sex: Sex,
    rooms: Rooms,
    unknown: Vec<u8>,
    grade: Option<&'static str>,
    area: f32,
    #[serde(flatten)]
    rest: BTreeMap<String, f64>,
}

#[test]
fn every_spelling_of_a_row_has_one_score() {
    let house = House {
        sex: Sex::Female,
        rooms: Rooms(4),
        unknown: vec![1, 2],
        grade: Some("Gd"),
        area: 120.0,
        rest: BTreeMap::from([("age".to_owned(), 30.5)]),
    };
    let cells = [("age", "30.5"), ("area", "120"), ("grade", "Gd"), ("rooms", "4"), ("sex", "f")];
    assert_eq!(bits(&row()), bits(&house));
    assert_eq!(bits(&row()), bits(&BTreeMap::from(cells)));
    let reversed = json!({"sex": "f", "rooms": 4, "grade": "Gd", "area": 120, "age": 30.5});
    assert_eq!(bits(&row()), bits(&reversed));
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let mut built = scorer.row(&mut scratch);
    built.set_text("sex", "f").set_num("rooms", 4.0).set_text("grade", "Gd");
    built.set_num("area", 120.0).set_num("age", 30.5);
    assert_eq!(bits(&row()), built.score().expect("a score").bits());
}

#[test]
fn missing_is_none_unit_nan_or_an_empty_text() {
    let missing = bits(&with("age", Value::Null));
    assert_ne!(missing, bits(&row()));
    assert_eq!(missing, bits(&with("age", json!(""))));
    let nan = BTreeMap::from([("age", f64::NAN)]);
    #[derive(Serialize)]
    struct Mixed<'a> {
        #[serde(flatten)]
        nan: BTreeMap<&'a str, f64>,
        area: u16,
        grade: &'a str,
        rooms: i8,
        sex: char,
    }
    let mixed = Mixed { nan, area: 120, grade: "Gd", rooms: 4, sex: 'f' };
    assert_eq!(missing, bits(&mixed));
}

#[test]
fn a_marker_means_missing_however_the_number_is_given() {
    let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
        .columns(ColumnKind::Num, &["x", "y"])
        .step("fill", &["x"], MeanMedianImputerParams::default());
    config.data.missing = vec!["-999".to_owned(), "9007199254740993".to_owned()];
    let schema = Schema::new([Field::new("x", ColumnKind::Num), Field::new("y", ColumnKind::Num)]);
    let columns = vec![Column::num([1.0, 2.0, 4.0]), Column::num([1.0, 3.0, 5.0])];
    let batch = Batch::new(schema.unwrap().into(), columns).unwrap();
    let table = Table::new(&config, &batch).unwrap();
    let data = table.fingerprint();
    let fitted = fit(&config, table.into_rows()).unwrap();
    let artifact = Artifact::seal(&config, data, fitted, BTreeMap::new()).unwrap();
    let scorer = Scorer::from_bytes(artifact.bytes()).unwrap();
    let bits = |x: Value| {
        scorer.score_row(&json!({"x": x}), &mut scorer.scratch()).expect("a score").bits()
    };
    let missing = bits(Value::Null);
    let big = json!(9_007_199_254_740_993_u64);
    for x in [json!(-999), json!(-999.0), json!("-999"), json!("-999.0"), big] {
        assert_eq!(bits(x.clone()), missing, "{x}");
    }
    assert_ne!(bits(json!(-998)), missing);
    let mut scratch = scorer.scratch();
    let mut row = scorer.row(&mut scratch);
    row.set_num("x", -999.0);
    assert_eq!(row.score().expect("a score").bits(), missing);
}

#[test]
fn booleans_are_zero_and_one() {
    assert_eq!(bits(&with("rooms", json!(true))), bits(&with("rooms", json!(1))));
    assert_eq!(bits(&with("rooms", json!(false))), bits(&with("rooms", json!(0))));
}

#[test]
fn values_of_another_kind_are_refused_by_column() {
    for (field, value, expected) in [
        (
            "age",
            json!("old"),
            "column `age`: expected number, found text \"old\" \
             (declare it as text, or declare this text as a missing marker)",
        ),
        ("age", json!([1]), "column `age`: expected number, found a list"),
        ("age", json!({"a": 1}), "column `age`: expected number, found a map"),
        ("sex", json!(3), "column `sex`: expected text, found number 3"),
        ("sex", json!(2.5), "column `sex`: expected text, found number 2.5"),
        ("sex", json!(true), "column `sex`: expected text, found boolean true"),
        ("sex", json!("f\0"), "column `sex`: expected text, found a NUL byte"),
    ] {
        assert_eq!(refused(&with(field, value)), expected);
    }
}

#[test]
fn integers_beyond_two_to_the_53_are_refused_with_their_digits() {
    let limit = 1_i64 << 53;
    assert!(score(&with("rooms", json!(limit))).is_ok());
    assert!(score(&with("rooms", json!(-limit))).is_ok());
    for value in [json!(limit + 1), json!(-limit - 1), json!(u64::MAX)] {
        let digits = value.to_string();
        assert_eq!(
            refused(&with("rooms", value)),
            format!(
                "column `rooms`: expected integer up to 2^53, found {:?} \
                 (declare the column as text if it is an identifier)",
                digits.trim_start_matches('-')
            )
        );
    }
    assert!(score(&BTreeMap::from([("rooms", u128::MAX)])).is_err());
}

#[test]
fn the_reason_does_not_depend_on_the_order_of_fields() {
    let expected = "column `age`: expected a field of that name, found none \
                    (give it as missing if it has no value)";
    let forward = json!({"area": "x", "grade": "Gd", "sex": 1});
    let backward = json!({"sex": 1, "grade": "Gd", "area": "x"});
    assert_eq!(refused(&forward), expected);
    assert_eq!(refused(&backward), expected);
    let error = score(&forward).expect_err("a refusal");
    assert_eq!((error.code(), error.kind()), (Code::MissingColumn, Kind::Schema));
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    struct Twice;
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let fields = [("age", "1"), ("area", "1"), ("age", "1"), ("grade", "Gd")];
            to.collect_map(fields.into_iter().chain([("rooms", "1"), ("sex", "f")]))
        }
    }
    let expected = "column `age`: expected one field of that name, found two";
    assert_eq!(refused(&Twice), expected);
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let mut row = scorer.row(&mut scratch);
    row.set_num("age", 1.0).set_num("age", 1.0);
    assert_eq!(row.score().expect_err("a refusal").to_string(), expected);
}

#[test]
fn what_is_no_row_is_refused() {
    for (value, found) in [
        (json!([1, 2]), "a list"),
        (json!(3), "a number"),
        (json!("x"), "a text"),
        (json!(null), "nothing"),
    ] {
        let expected = format!("expected a row as a struct or map, found {found}");
        assert_eq!(refused(&value), expected);
    }
    let numbered = BTreeMap::from([(1, 2)]);
    assert_eq!(refused(&numbered), "expected field names as text, found a number");
    let scorer = scorer();
    let error = scorer.score_rows([row(), json!(3)]).expect_err("a refusal");
    assert_eq!(error.to_string(), "row 1: expected a row as a struct or map, found a number");
}

#[test]
fn an_unknown_name_in_the_builder_lists_the_known_ones() {
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let mut row = scorer.row(&mut scratch);
    row.set_num("agee", 1.0);
    assert_eq!(
        row.score().expect_err("a refusal").to_string(),
        "column `agee`: expected a column that exists, found age, area, grade, rooms, sex"
    );
}

#[test]
fn rows_of_a_list_keep_their_place_and_a_bad_one_gets_its_reason() {
    let scorer = scorer();
    let rows = [row(), with("age", json!("old")), with("age", Value::Null), with("sex", json!(1))];
    let scores = scorer.score_rows(&rows).expect("scores");
    assert_eq!(scores.len(), rows.len());
    let mut scratch = scorer.scratch();
    for (row, (key, listed)) in rows.iter().zip(scores.iter()) {
        let alone = scorer.score_row(row, &mut scratch);
        assert_eq!(scratch.key(), Some(key));
        match (listed, alone) {
            (Ok(listed), Ok(alone)) => assert_eq!(listed.to_bits(), alone.bits()),
            (Err(listed), Err(alone)) => assert_eq!(*listed, alone),
            (listed, alone) => panic!("{listed:?} in the list, {alone:?} alone"),
        }
    }
    assert_eq!(scores.iter().filter(|(_, score)| score.is_err()).count(), 2);
}

#[test]
fn a_scratch_serves_rows_of_other_types_and_another_scorer() {
    let (one, other) = (scorer(), scorer());
    let mut scratch = one.scratch();
    let house = BTreeMap::from([("sex", "f"), ("area", "120"), ("age", "30.5"), ("rooms", "4")]);
    for _ in 0..3 {
        let expected = bits(&row());
        assert_eq!(one.score_row(&row(), &mut scratch).expect("a score").bits(), expected);
        assert!(one.score_row(&house, &mut scratch).is_err());
        assert_eq!(other.score_row(&row(), &mut scratch).expect("a score").bits(), expected);
    }
}

#[test]
fn times_are_read_by_their_declared_form() {
    use samescore_core::example;
    let model = LinearRegressionParams::default();
    let mut config: Config = example::config(Task::Regression, model);
    let used = ["area", "seen", example::REGRESSION_TARGET];
    config.data.columns.retain(|name, _| used.contains(&name.as_str()));
    config.data.key = vec!["seen".to_owned()];
    let seen = config.data.columns.get_mut("seen").expect("a declared column");
    seen.format = samescore_deploy::batch::TimeFormat("%d/%m/%Y".to_owned());
    let batch = example::table(40, 1);
    let complete: Vec<usize> = (0..40).filter(|&row| !batch.column(9).is_missing(row)).collect();
    let table = Table::new(&config, &batch.select(&complete)).expect("a table");
    let data = table.fingerprint();
    let fitted = fit(&config, table.into_rows()).expect("a fit");
    let sealed = Artifact::seal(&config, data, fitted, BTreeMap::new());
    let scorer = Scorer::from_bytes(sealed.expect("an artifact").bytes()).expect("it loads");
    let mut scratch = scorer.scratch();
    let text = json!({"area": 50, "seen": "02/01/1970"});
    let by_text = scorer.score_row(&text, &mut scratch).expect("a score");
    let mut row = scorer.row(&mut scratch);
    row.set_num("area", 50.0).set_time("seen", 86_400_000_000);
    assert_eq!(row.score().expect("a score"), by_text);
    let number = json!({"area": 50, "seen": 86_400});
    let error = scorer.score_row(&number, &mut scratch).expect_err("a refusal");
    assert_eq!(error.to_string(), "column `seen`: expected time, found number 86400");
}
