//! What nobody should fit on, and what nobody should ask for: for every kind of model a named error
//! or a sound artifact, never a panic or an endless fit.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use samescore_core::batch::{Batch, Column, Schema};
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_core::example::{BINARY_TARGET, CLASSES, REGRESSION_TARGET, WEIGHT};
use samescore_core::models::{
    ElasticNetParams, LinearRegressionParams, LogisticRegressionParams, Penalty,
};

use common::cases::{Case, Params};
use common::judge::{guarded, on_cases};
use common::{pipelines, tables};

/// A trouble of the rows, and whether a fit on it must be refused.
struct Trouble {
    name: &'static str,
    refused: bool,
    tasks: &'static [Task],
    make: fn(&mut Config, Batch) -> Batch,
}

const ALL: &[Task] = &[Task::Regression, Task::Binary, Task::Multiclass];
const NUMBER: &[Task] = &[Task::Regression];

const TROUBLES: &[Trouble] = &[
    trouble("constant target", false, NUMBER, |_, t| {
        with_number(&t, REGRESSION_TARGET, |_, _| 5.0)
    }),
    trouble("one class", true, &[Task::Binary], |_, t| with_number(&t, BINARY_TARGET, |_, _| 1.0)),
    trouble("one of three classes", false, &[Task::Multiclass], |config, t| {
        let labels = (0..t.n_rows()).map(|_| Some(CLASSES[0]));
        with(&t, &config.target.column, Column::text(labels))
    }),
    trouble("more classes than rows", false, &[Task::Multiclass], |_, t| t.select(&[0, 1])),
    trouble("missing target", true, ALL, |config, t| match config.target.task {
        Task::Multiclass => {
            let labels = (0..t.n_rows()).map(|row| (row > 0).then_some(CLASSES[row % 3]));
            with(&t, &config.target.column, Column::text(labels))
        }
        _ => {
            let gap = |row: usize, y: f64| if row == 3 { f64::NAN } else { y };
            with_number(&t, &config.target.column, gap)
        }
    }),
    trouble("infinite target", true, NUMBER, |_, t| {
        let infinite = |row: usize, y: f64| if row == 3 { f64::INFINITY } else { y };
        with_number(&t, REGRESSION_TARGET, infinite)
    }),
    trouble("huge target", false, NUMBER, |_, t| {
        with_number(&t, REGRESSION_TARGET, |row, _| if row % 2 == 0 { f64::MAX } else { 1.0 })
    }),
    trouble("negative weight", true, ALL, |config, t| {
        weighted(config, &t, |row, w| if row == 2 { -1.0 } else { w })
    }),
    trouble("missing weight", true, ALL, |config, t| {
        weighted(config, &t, |row, w| if row == 2 { f64::NAN } else { w })
    }),
    trouble("infinite weight", true, ALL, |config, t| {
        weighted(config, &t, |row, w| if row == 2 { f64::INFINITY } else { w })
    }),
    trouble("weights all zero", true, ALL, |config, t| weighted(config, &t, |_, _| 0.0)),
    trouble("huge weights", true, ALL, |config, t| weighted(config, &t, |_, _| f64::MAX)),
    trouble("tiny weights", true, ALL, |config, t| weighted(config, &t, |_, _| 1e-320)),
    trouble("large weights", false, ALL, |config, t| weighted(config, &t, |_, _| 1e50)),
    trouble("small weights", false, ALL, |config, t| weighted(config, &t, |_, _| 1e-50)),
    trouble("no row", true, ALL, |_, t| t.select(&[])),
    trouble("one row", false, ALL, |_, t| t.select(&[0])),
    trouble("three rows", false, ALL, |_, t| t.select(&[0, 1, 2])),
    trouble("no columns", true, ALL, |config, t| {
        let target = config.target.column.clone();
        config.data.columns.retain(|name, _| *name == target);
        t
    }),
    trouble("infinite feature", false, ALL, |_, t| {
        with_number(&t, "area", |row, x| if row == 4 { f64::NEG_INFINITY } else { x })
    }),
    trouble("collinear columns", false, ALL, |_, t| {
        let area = t.num(t.schema().slot("area").expect("a column")).to_vec();
        with_number(&with_number(&t, "rooms", |row, _| area[row]), "year", |row, _| {
            2.0 * area[row] + 1.0
        })
    }),
    trouble("equal rows", false, ALL, |_, t| t.select(&[5; 40])),
];

const fn trouble(
    name: &'static str,
    refused: bool,
    tasks: &'static [Task],
    make: fn(&mut Config, Batch) -> Batch,
) -> Trouble {
    Trouble { name, refused, tasks, make }
}

fn with(table: &Batch, name: &str, column: Column) -> Batch {
    let slot = table.schema().slot(name).expect("a column of the table");
    let mut columns = table.columns().to_vec();
    columns[slot] = column;
    let schema: Arc<Schema> = Arc::clone(table.schema());
    Batch::new(schema, columns).expect("columns of one length")
}

fn with_number(table: &Batch, name: &str, change: impl Fn(usize, f64) -> f64) -> Batch {
    let slot = table.schema().slot(name).expect("a column of the table");
    let numbers = table.num(slot).iter().enumerate();
    with(table, name, Column::num(numbers.map(|(row, &x)| change(row, x))))
}

fn weighted(config: &mut Config, table: &Batch, change: impl Fn(usize, f64) -> f64) -> Batch {
    let kind = samescore_core::batch::ColumnKind::Num;
    config.data.columns.insert(WEIGHT.to_owned(), kind.into());
    config.data.weight = Some(WEIGHT.to_owned());
    with_number(table, WEIGHT, |row, w| change(row, w + 0.5))
}

/// The error of a fit, which must be one as the house writes them, or no error and scores that are
/// finite or have a reason.
fn judge(config: &Config, table: &Batch) -> Result<Option<Error>, String> {
    let artifact = match pipelines::seal(config, table, 16) {
        Ok(artifact) => artifact,
        Err(error) => {
            let message = error.message();
            let begins = message.chars().next().is_some_and(|c| !c.is_uppercase());
            if !begins || message.ends_with('.') || message.contains("panicked") {
                return Err(format!("a message of another form: {error}"));
            }
            return Ok(Some(error));
        }
    };
    let scores = artifact.plan().score(&tables::example(9, 20)).map_err(|e| e.to_string())?;
    for row in 0..scores.len() {
        if let Ok(values) = scores.values(row) {
            if values.iter().any(|x| !x.is_finite()) {
                return Err(format!("a score of {values:?} in row {row}"));
            }
        }
    }
    Ok(None)
}

fn on_models(check: impl Fn(&Case, Task, &Config) -> Result<(), String>) {
    on_cases(|case| {
        if !matches!(case.params, Params::Model(_)) {
            return Ok(());
        }
        for &task in &case.tasks {
            let config = pipelines::config(case, task, &tables::example(0, 60))?;
            check(case, task, &config)?;
        }
        Ok(())
    });
}

#[test]
fn rows_with_a_trouble_are_refused_by_name_or_fitted_soundly() {
    on_models(|case, task, config| {
        for trouble in TROUBLES.iter().filter(|t| t.tasks.contains(&task)) {
            let mut config = config.clone();
            let table = (trouble.make)(&mut config, tables::example(0, 60));
            let found = guarded(|| judge(&config, &table));
            let found = found.map_err(|e| format!("{}, {task:?}: {e}", trouble.name))?;
            if trouble.refused && found.is_none() {
                return Err(format!("{}, {task:?}: {} fitted", trouble.name, case.name));
            }
        }
        Ok(())
    });
}

/// What stands in place of a number of a config.
const ABSURD: [&str; 9] =
    ["0", "-1", "nan", "inf", "1e300", "1e-300", "0.5", "4294967295", "1000000000000"];

#[test]
fn absurd_parameters_are_refused_by_name_or_fitted_soundly() {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    on_models(|case, task, config| {
        let text = config.to_toml().map_err(|e| e.to_string())?;
        let lines: Vec<&str> = text.lines().collect();
        let mut section = "";
        for (at, line) in lines.iter().enumerate() {
            section = if line.starts_with('[') { line } else { section };
            let Some((name, value)) = line.split_once(" = ") else { continue };
            let place = format!("{} {section} {name}", case.params.kind());
            let is_number = value.parse::<f64>().is_ok();
            if !section.starts_with("[model") || !is_number || !seen.borrow_mut().insert(place) {
                continue;
            }
            for absurd in ABSURD {
                let changed = format!("{name} = {absurd}");
                let mut lines = lines.clone();
                lines[at] = &changed;
                let table = tables::example(0, 60);
                let found = guarded(|| match Config::parse(&lines.join("\n")) {
                    Ok(config) => judge(&config, &table),
                    Err(error) => Ok(Some(error)),
                });
                found.map_err(|e| format!("{task:?}, {section} {changed}: {e}"))?;
            }
        }
        Ok(())
    });
    let n_places = seen.borrow().len();
    assert!(n_places > 100, "only {n_places} numbers of configs were changed");
}

#[test]
fn classes_that_a_column_separates_have_no_optimum_without_a_penalty() {
    let table = tables::example(0, 60);
    let area = table.num(table.schema().slot("area").expect("a column")).to_vec();
    let separated =
        with_number(&table, BINARY_TARGET, |row, _| f64::from(u8::from(area[row] > 250.0)));
    let params = LogisticRegressionParams { penalty: Penalty::None, ..Default::default() };
    let mut config = samescore_core::example::config(Task::Binary, params);
    config.data.columns.retain(|name, _| ["area", BINARY_TARGET].contains(&name.as_str()));
    let error = judge(&config, &separated).expect("an error by name").expect("no optimum");
    assert_eq!(error.code(), Code::NotConverged, "{error}");
    assert!(error.to_string().contains("so that no finite ones are best"), "{error}");
    config.model = LogisticRegressionParams::default().into();
    assert!(judge(&config, &separated).expect("a fit").is_none(), "a penalty has an optimum");
}

#[test]
fn of_columns_that_depend_on_earlier_ones_the_first_counts() {
    let table = tables::example(0, 60);
    let area = table.num(table.schema().slot("area").expect("a column")).to_vec();
    let table = with_number(&table, "rooms", |row, _| area[row]);
    let coefficients = |model: samescore_core::models::ModelParams| {
        let mut config = samescore_core::example::config(Task::Regression, model);
        let used = ["area", "rooms", REGRESSION_TARGET];
        config.data.columns.retain(|name, _| used.contains(&name.as_str()));
        let artifact = pipelines::seal(&config, &table, 64).expect("a fit");
        let model = &artifact.payload().pipeline.model;
        model.coefficients().expect("a linear model").to_vec()
    };
    let plain = coefficients(LinearRegressionParams::default().into());
    assert!(plain[0] != 0.0 && plain[1] == 0.0, "{plain:?}");
    let ridge = coefficients(LinearRegressionParams { alpha: 1.0, ..Default::default() }.into());
    assert!(ridge[0] == ridge[1] && ridge[0] != 0.0, "{ridge:?}");
    let lasso = ElasticNetParams { alpha: 0.5, l1_ratio: 1.0, ..Default::default() };
    let lasso = coefficients(lasso.into());
    assert!(lasso[0] != 0.0 && lasso[1] == 0.0, "{lasso:?}");
}
