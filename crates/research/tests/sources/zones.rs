//! A time without a zone is a local time of the declared one, whatever stores it; an instant is
//! one.

use polars::prelude::{
    DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, Series, TimeUnit, TimeZone,
};
use samescore_core::batch::{TimeFormat, read_time};
use samescore_core::canonical::Canonical;
use samescore_core::config::{ColumnConfig, Zone};
use samescore_research::{snapshot, zones as tables};

use super::arrow::{as_ipc, as_parquet};
use super::*;

/// Local times of Berlin: winter, summer, one that does not exist, one that exists twice, a day.
const LOCAL: [(&str, &str); 5] = [
    ("2020-01-01T12:30:05", "time 2020-01-01T11:30:05Z"),
    ("2020-07-01T12:30:05.25", "time 2020-07-01T10:30:05.250000Z"),
    ("2024-03-31T02:30:00", "time 2024-03-31T01:30:00Z"),
    ("2024-10-27T02:30:00", "time 2024-10-27T00:30:00Z"),
    ("1999-12-31T00:00:00", "time 1999-12-30T23:00:00Z"),
];

fn berlin() -> DataConfig {
    let zone = Some(Zone::Pinned(tables::rules("Europe/Berlin").unwrap()));
    let column = ColumnConfig { zone, ..ColumnKind::Time.into() };
    DataConfig { columns: [("d".to_owned(), column)].into(), ..DataConfig::default() }
}

fn micros(text: &str) -> i64 {
    read_time(text, &TimeFormat::default()).unwrap()
}

/// A column `d` of timestamps, with that zone or none.
fn timestamps(texts: &[&str], unit: TimeUnit, zone: Option<TimeZone>) -> DataFrame {
    let scale = |micros: i64| match unit {
        TimeUnit::Milliseconds => micros / 1000,
        TimeUnit::Microseconds => micros,
        TimeUnit::Nanoseconds => micros * 1000,
    };
    let ticks: Vec<i64> = texts.iter().map(|text| scale(micros(text))).collect();
    let series = Series::new("d".into(), ticks);
    let series = series.i64().unwrap().clone().into_datetime(unit, zone).into_series();
    DataFrame::new(texts.len(), vec![series.into_column()]).unwrap()
}

fn fingerprint(batch: Batch) -> String {
    Canonical::new(batch, &[]).unwrap().fingerprint().to_string()
}

#[test]
fn the_same_local_times_are_the_same_instants_from_every_source() {
    let (folder, data) = (folder(), berlin());
    let texts: Vec<&str> = LOCAL.iter().map(|(text, _)| *text).collect();
    let expected: Vec<&str> = LOCAL.iter().map(|(_, instant)| *instant).collect();
    let csv = put(folder.path(), "t.csv", format!("d\n{}\n", texts.join("\n")));
    let lines: String = texts.iter().map(|text| format!("{{\"d\":\"{text}\"}}\n")).collect();
    let rows: Vec<String> = texts.iter().map(|text| format!("('{text}')")).collect();
    let path = folder.path().join("t.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&format!("CREATE TABLE t (d); INSERT INTO t VALUES {}", rows.join(", ")))
        .unwrap();
    let address = format!("sqlite://{}?table=t", path.display());
    let mut sources = vec![
        Source::from(&csv),
        Source::from(&put(folder.path(), "t.jsonl", lines)),
        Source::parse(address, Path::new("")).unwrap(),
    ];
    for unit in [TimeUnit::Milliseconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds] {
        let local = timestamps(&texts, unit, None);
        let parquet = put(folder.path(), &format!("{unit:?}.parquet"), as_parquet(&local));
        let arrow = put(folder.path(), &format!("{unit:?}.arrow"), as_ipc(&local));
        sources.extend([Source::from(&parquet), Source::from(&arrow)]);
    }
    let identity = fingerprint(gather::read(&csv, &data, &[]).unwrap());
    for source in &sources {
        let read = gather::read(source, &data, &[]).unwrap();
        assert_eq!(cells(&read, "d"), expected, "{source}");
        assert_eq!(fingerprint(read), identity, "{source}");
        let keep = Keep { bytes_max: 0, ..Keep::default() };
        let blocks = gather::blocks(source, &data, 2, &keep).unwrap();
        assert_eq!(cells(&blocks.into_batch().unwrap(), "d"), expected, "{source}");
        // Without a zone they count as UTC.
        let utc = gather::read(source, &declared(&[("d", ColumnKind::Time)]), &[]).unwrap();
        assert_eq!(cells(&utc, "d")[0], "time 2020-01-01T12:30:05Z", "{source}");
        assert_eq!(cells(&gather::read_inferred(source, &[]).unwrap(), "d"), cells(&utc, "d"));
    }
}

#[test]
fn what_is_stored_with_a_zone_is_an_instant_and_a_day_is_a_local_midnight() {
    let (folder, data) = (folder(), berlin());
    let instants =
        timestamps(&["2020-01-01T12:30:05"], TimeUnit::Microseconds, Some(TimeZone::UTC));
    let days = Series::new("d".into(), [18_262i32]).cast(&DataType::Date).unwrap();
    let days = DataFrame::new(1, vec![days.into_column()]).unwrap();
    for (frame, expected) in
        [(instants, "time 2020-01-01T12:30:05Z"), (days, "time 2019-12-31T23:00:00Z")]
    {
        for (name, bytes) in [("t.parquet", as_parquet(&frame)), ("t.arrow", as_ipc(&frame))] {
            let read = gather::read(&put(folder.path(), name, bytes), &data, &[]).unwrap();
            assert_eq!(cells(&read, "d"), [expected], "{name}");
        }
    }
    // Beyond the table of the zone no rule says what a local time will be.
    let late = timestamps(&["2101-02-03T00:00:00"], TimeUnit::Microseconds, None);
    let late = put(folder.path(), "late.parquet", as_parquet(&late));
    assert_eq!(
        faults(&gather::read(&late, &data, &[]).unwrap())[0].1,
        "column `d`: row 0: expected a local time up to 2100, the last year of the pinned rules of \
         `Europe/Berlin`, found 2101-02-03T00:00:00 (store it with its zone)"
    );
}

#[test]
fn the_times_of_a_snapshot_and_of_a_written_file_are_instants() {
    let (folder, data) = (folder(), berlin());
    let text = put(folder.path(), "t.csv", "d\n2020-01-01T12:30:05\n");
    let rows = gather::read(&text, &data, &[]).unwrap();
    for name in ["t.parquet", "t.arrow", "t.jsonl", "u.csv"] {
        let path = written(folder.path(), name, &rows, None);
        let read = gather::read(&path, &data, &[]).unwrap();
        assert_eq!(cells(&read, "d"), ["time 2020-01-01T11:30:05Z"], "{name}");
    }
    let table = Canonical::new(rows, &[]).unwrap();
    let stored = snapshot::store(&folder.path().join("s"), &table, &Default::default()).unwrap();
    let read = gather::read(&stored.path, &data, &[]).unwrap();
    assert_eq!(cells(&read, "d"), ["time 2020-01-01T11:30:05Z"]);
    assert_eq!(fingerprint(read), table.fingerprint().to_string());
}
