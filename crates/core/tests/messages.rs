//! Every error code with its title, and one real message for each that core can give.
//!
//! The snapshot `snapshots/messages/errors.snap` is the list that research and deploy print from. A
//! new code fails here until it is triggered, or named below as one that only the programs give.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a suite reads files; what it judges does not"
)]

mod common;

use std::collections::BTreeMap;

use samescore_core::artifact::{Artifact, payload_of, reseal};
use samescore_core::batch::{Batch, CellReader, Column, ColumnKind, Field, Schema, TimeFormat};
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error};
use samescore_core::example;
use samescore_core::faults::Fault;
use samescore_core::models::*;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::*;

use common::msgpack::Value;
use common::{tables, workspace};

/// Codes that core never gives by itself, or only on a host that this test cannot make.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::BadSnapshot, "the programs, which read snapshots"),
    (Code::BadWeight, "a column of weights, behind a model that honours them"),
    (Code::HostFloatMode, "a host with another float mode"),
    (Code::Io, "the programs, which read and write files"),
    (Code::RefusedQuery, "the programs, which read databases"),
    (Code::Server, "the programs, which read databases"),
    (Code::SourceChanged, "the programs, which read files"),
    (Code::UnknownSource, "the programs, which read files"),
    (Code::WrongMatches, "the programs, which join tables"),
];

const TEXT: &str = "[data.columns]\nage = \"num\"\nsex = \"text\"\ny = \"num\"\n\
                    [target]\ncolumn = \"y\"\n[model]\nkind = \"linear_regression\"\n";

fn linear() -> Config {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default());
    let kept = ["area", "rooms", example::REGRESSION_TARGET];
    config.data.columns.retain(|name, _| kept.contains(&name.as_str()));
    config
}

fn table() -> Batch {
    tables::example(1, 40)
}

fn refused<T>(result: Result<T, Error>) -> Error {
    match result {
        Ok(_) => panic!("expected an error, found none"),
        Err(error) => error,
    }
}

fn fitted(config: &Config, table: &Batch) -> Result<Artifact, Error> {
    let table = Table::new(config, table)?;
    let fingerprint = table.fingerprint();
    let fitted = fit(config, table.into_rows())?;
    Artifact::seal(config, fingerprint, fitted, BTreeMap::new())
}

fn replaced(table: &Batch, name: &str, column: Column) -> Batch {
    let slot = table.schema().slot(name).expect("a column of the table");
    let mut table = table.clone();
    table.replace(slot, column);
    table
}

/// What each way of being wrong gives, in the order of the codes.
fn triggered() -> Vec<Error> {
    let mut all = config_errors();
    all.extend(schema_and_data_errors());
    all.extend(artifact_errors());
    all
}

fn config_errors() -> Vec<Error> {
    let read = |from: &str, to: &str| refused(Config::from_toml(&TEXT.replace(from, to)));
    let step = |text: &str| refused(Config::from_toml(&format!("{TEXT}[[step]]\n{text}\n")));
    let with = |config: Config| refused(fitted(&config, &table()));
    let kinds = TransformParams::KINDS[0].tag;
    let scaler = StandardScalerParams::default();
    let mut text_left = linear();
    text_left.data.columns.insert("sex".to_owned(), ColumnKind::Text.into());
    vec![
        read("[target]", "[target"),
        read("column = \"y\"", "column = \"y\"\ncolour = \"red\""),
        read("column = \"y\"", "column = 7"),
        read("[data.columns]", "golden_rows = 65\n[data.columns]"),
        step(&format!("kind = \"{kinds}s\"")),
        step(&format!("kind = \"{kinds}\"\n[[step]]\nkind = \"{kinds}\"")),
        with(linear().step("scale", &["height"], scaler.clone())),
        with(text_left.clone().step("scale", &["sex"], scaler)),
        with(text_left),
        read("column = \"y\"", "column = \"sex\""),
        refused("another".parse::<Fault>()),
        read("[data.columns]", "[data]\nkey = [\"age\", \"age\"]\n[data.columns]"),
        with(linear().step("rename", &["area"], RenameColumnsParams::of(&[("area", "rooms")]))),
    ]
}

fn schema_and_data_errors() -> Vec<Error> {
    let artifact = fitted(&linear(), &table()).expect("a fit");
    let number = CellReader::new(ColumnKind::Num, &TimeFormat::default(), &[]);
    let read = |text: &str| refused(number.push(&mut Column::empty(ColumnKind::Num), text));
    let one = table().select(&[0]);
    let gap = replaced(&one, "area", Column::num([f64::NAN]));
    let score = |batch: &Batch| {
        let scores = artifact.plan().score(batch).expect("bound columns");
        refused(scores.get(0).map_err(Clone::clone))
    };
    let mut unseen = linear();
    unseen.data.columns.insert("sex".to_owned(), ColumnKind::Text.into());
    let encoder =
        OrdinalEncoderParams { unseen: UnseenRule::Raise, ..OrdinalEncoderParams::default() };
    let unseen = fitted(&unseen.step("encode", &["sex"], encoder), &table()).expect("a fit");
    let other = replaced(&one, "sex", Column::text([Some("x")]));
    let scores = unseen.plan().score(&other).expect("bound columns");
    let mut keyed = linear();
    keyed.data.key = vec!["rooms".to_owned()];
    let infinite = (0..40).map(|row| if row == 3 { f64::INFINITY } else { 1.0 });
    let stopped = LogisticRegressionParams { max_iter: 1, ..LogisticRegressionParams::default() };
    let mut logistic = example::config(Task::Binary, stopped);
    let kept = ["area", "rooms", example::BINARY_TARGET];
    logistic.data.columns.retain(|name, _| kept.contains(&name.as_str()));
    let fields = ["a", "a"].map(|name| Field::new(name, ColumnKind::Num));
    vec![
        refused(artifact.plan().score(&tables::without(&table(), "rooms"))),
        refused(artifact.plan().score(&tables::with_wrong_kind(&table(), "rooms"))),
        refused(Schema::new(fields)),
        read("12\u{0}"),
        score(&gap),
        refused(scores.get(0).map_err(Clone::clone)),
        refused(Table::new(&keyed, &table())),
        refused(fitted(&linear(), &table().select(&[]))),
        refused(fitted(&linear(), &replaced(&table(), "area", Column::num(infinite)))),
        read(&"1".repeat(2 << 20)),
        refused(fitted(&logistic, &table())),
    ]
}

fn artifact_errors() -> Vec<Error> {
    let artifact = fitted(&linear(), &table()).expect("a fit");
    let load = |bytes: &[u8]| refused(Artifact::from_bytes(bytes));
    let with = |place: usize, byte: u8| {
        let mut bytes = artifact.bytes().to_vec();
        bytes[place] = byte;
        load(&bytes)
    };
    // The same artifact with another learned number: it no longer scores as recorded.
    let mut tree = Value::read(payload_of(artifact.bytes()));
    let learned = artifact.payload().pipeline.model.coefficients().expect("a linear model")[0];
    let place = (0..tree.n_values()).find(|&n| tree.nth_mut(n) == Some(&mut Value::Float(learned)));
    let place = place.expect("the coefficient is stored");
    *tree.nth_mut(place).expect("a value") = Value::Float(2.0);
    let mut forged = Vec::new();
    tree.write(&mut forged);
    vec![
        load(b"PK\x03\x04 an archive"),
        with(4, 9),
        with(60, !artifact.bytes()[60]),
        load(&reseal(&[0xc0])),
        load(&reseal(&forged)),
    ]
}

#[test]
fn every_code_has_its_message() {
    let mut text = String::new();
    let found = triggered();
    for code in Code::ALL {
        let messages = found.iter().filter(|error| error.code() == *code);
        let mut messages: Vec<String> = messages.map(ToString::to_string).collect();
        let elsewhere = ELSEWHERE.iter().find(|row| row.0 == *code);
        if let (true, Some((_, where_from))) = (messages.is_empty(), elsewhere) {
            messages.push(format!("({where_from})"));
        }
        assert!(!messages.is_empty(), "{code:?} is given by nothing here:\n{found:#?}");
        let exit = code.kind().exit_code();
        text += &format!("{code} {} (exit {exit}): {}\n", code.kind().name(), code.title());
        messages.iter().for_each(|message| text += &format!("  {message}\n"));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(workspace().join("snapshots/messages"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("errors", text));
}

#[test]
fn messages_have_one_form() {
    for error in triggered() {
        let message = error.message();
        let first = message.chars().next();
        assert!(first.is_some_and(|c| !c.is_uppercase()), "{error}");
        assert!(!message.ends_with('.'), "{error}");
        assert!(message.chars().count() < 400, "a long message: {error}");
    }
}
