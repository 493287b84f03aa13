//! What production tells by the artifact alone: whether a row belongs, and which instant a local
//! time is.

use std::collections::BTreeMap;

use samescore_core::artifact::Artifact;
use samescore_core::batch::{TimeFormat, ZoneRules};
use samescore_core::config::{Bound, ColumnConfig, Config, MissingRows, RowFilter, Task, Zone};
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Table, fit};
use samescore_core::transforms::DropColumnsParams;
use samescore_deploy::{Batch, Code, Column, ColumnKind, Field, Schema, Scorer};
use serde_json::json;

const HOUR: i64 = 3_600_000_000;

/// One hour ahead of UTC until the epoch, two from then on.
fn zone() -> ZoneRules {
    ZoneRules {
        name: "Test/Zone".to_owned(),
        tzdb: "by hand".to_owned(),
        until_year: 2000,
        first_offset: 3600,
        changes: vec![(0, 7200)],
    }
}

fn scorer(population: Vec<RowFilter>) -> Scorer {
    let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
        .columns(ColumnKind::Num, &["x", "y"])
        .step("drop", &["at"], DropColumnsParams::default());
    let at = ColumnConfig {
        kind: ColumnKind::Time,
        format: TimeFormat::default(),
        zone: Some(Zone::Pinned(zone())),
    };
    config.data.columns.insert("at".to_owned(), at);
    config.population = population;
    let fields = [
        Field::new("at", ColumnKind::Time),
        Field::new("x", ColumnKind::Num),
        Field::new("y", ColumnKind::Num),
    ];
    let columns = vec![
        Column::Time(vec![0, HOUR, 2 * HOUR]),
        Column::num([1.0, 2.0, 4.0]),
        Column::num([1.0, 3.0, 5.0]),
    ];
    let batch = Batch::new(Schema::new(fields).unwrap().into(), columns).unwrap();
    let table = Table::new(&config, &batch).unwrap();
    let (data, counts) = (table.fingerprint(), table.population().cloned());
    let mut fitted = fit(&config, table.into_rows()).unwrap();
    fitted.population = counts;
    let artifact = Artifact::seal(&config, data, fitted, BTreeMap::new()).unwrap();
    Scorer::from_bytes(artifact.bytes()).unwrap()
}

#[test]
fn a_single_row_is_told_as_it_is_in_a_batch() {
    let max = Some(Bound::Num(5.0));
    let time = RowFilter { min: Some(Bound::Time(0)), ..RowFilter::present("at") };
    let scorer = scorer(vec![
        RowFilter { max, missing: MissingRows::Keep, ..RowFilter::present("x") },
        time,
    ]);
    let rows = [
        (json!({"x": 5, "at": "1970-01-01T02:00:00"}), None),
        (json!({"x": 5.5, "at": "1970-01-01T02:00:00"}), Some("x")),
        (json!({"x": null, "at": "1970-01-01T02:00:00"}), None),
        // 00:59 local is before the epoch, one hour ahead; the same as UTC is inside.
        (json!({"x": 5, "at": "1970-01-01T00:59:00"}), Some("at")),
        (json!({"x": 5, "at": "1970-01-01T00:59:00Z"}), None),
        (json!({"x": 9, "at": ""}), Some("x")),
        (json!({"x": "many", "at": ""}), Some("at")),
    ];
    let mut scratch = scorer.scratch();
    let batch = scorer.batch(rows.iter().map(|(row, _)| row)).unwrap();
    let marks = scorer.membership(&batch).unwrap();
    for (place, (row, expected)) in rows.iter().enumerate() {
        let found = scorer.outside(row, &mut scratch).unwrap();
        assert_eq!(found.as_deref(), *expected, "{row}");
        assert_eq!(marks.outside(place), *expected, "{row}");
    }
    // The scratch serves both questions in turn.
    assert!(scorer.score_row(&rows[0].0, &mut scratch).is_ok());
    assert_eq!(scorer.outside(&rows[1].0, &mut scratch).unwrap().as_deref(), Some("x"));
}

#[test]
fn an_artifact_without_filters_tells_nothing() {
    let scorer = scorer(Vec::new());
    let row = json!({"x": 1, "at": "1970-01-01"});
    let error = scorer.outside(&row, &mut scorer.scratch()).unwrap_err();
    assert_eq!(error.code(), Code::Usage);
}

#[test]
fn local_times_are_read_by_the_table_of_the_artifact() {
    let scorer = scorer(Vec::new());
    let instant = |text: &str| {
        let batch = scorer.batch([json!({"x": 1, "at": text})]).unwrap();
        let fault = batch.fault_of(0).map(ToString::to_string);
        (batch.time(batch.schema().position("at").unwrap())[0], fault)
    };
    assert_eq!(instant("1970-01-01T00:30:00"), (-HOUR / 2, None));
    // The hour that does not exist goes by the offset before it.
    assert_eq!(instant("1970-01-01T01:30:00"), (HOUR / 2, None));
    assert_eq!(instant("1970-01-01T02:30:00"), (HOUR / 2, None));
    assert_eq!(instant("1970-01-01T01:30:00+00:00"), (3 * HOUR / 2, None));
    let (_, fault) = instant("2001-01-01");
    let expected = "column `at`: expected a local time up to 2000, the last year of the pinned \
                    rules of `Test/Zone`, found text \"2001-01-01\" (write it with its offset, \
                    such \
                    as +01:00)";
    assert_eq!(fault.as_deref(), Some(expected));
}
