//! Joins of small tables, by hand.

use samescore_core::batch::{MISSING_TIME, parse_time};

use super::*;

fn time(text: &str) -> i64 {
    if text.is_empty() {
        return MISSING_TIME;
    }
    parse_time(text, &Default::default()).unwrap()
}

fn times_of(texts: &[&str]) -> Column {
    Column::Time(texts.iter().map(|text| time(text)).collect())
}

fn texts(labels: &[&str]) -> Column {
    Column::text(labels.iter().map(|l| (!l.is_empty()).then_some(*l)))
}

fn batch(columns: &[(&str, Column)]) -> Batch {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.kind()));
    let values = columns.iter().map(|(_, column)| column.clone()).collect();
    Batch::new(Arc::new(Schema::new(fields).unwrap()), values).unwrap()
}

fn on(name: &str) -> Join {
    Join {
        on: vec![name.to_owned()],
        other_on: None,
        take: None,
        prefix: String::new(),
        matches: Matches::ManyToOne,
        unmatched: Unmatched::Missing,
        as_of: None,
    }
}

fn as_of(tie: Tie) -> AsOf {
    AsOf {
        time: "at".to_owned(),
        event_time: "event".to_owned(),
        known_time: None,
        max_age: None,
        tie,
    }
}

/// The latest event that was known.
fn known(max_age: Option<&str>) -> Join {
    let rule = as_of(Tie::LatestKnown);
    let known_time = Some("known".to_owned());
    let max_age = max_age.map(str::to_owned);
    Join { as_of: Some(AsOf { known_time, max_age, ..rule }), ..on("id") }
}

fn column(batch: &Batch, name: &str) -> Vec<String> {
    let column = batch.column(batch.schema().slot(name).unwrap());
    let shown = |row| {
        if column.is_missing(row) { "-".to_owned() } else { column.value(row).to_string() }
    };
    (0..batch.n_rows()).map(shown).collect()
}

fn applicants() -> Batch {
    batch(&[
        ("id", texts(&["a", "b", "a", "", "c"])),
        ("at", times_of(&["2020-01-10", "2020-01-10", "2020-01-20", "2020-01-10", ""])),
    ])
}

/// Events of `a`; the one of the 5th was corrected on the 15th.
fn events() -> Batch {
    batch(&[
        ("id", texts(&["a", "a", "a", "a", "c"])),
        (
            "event",
            times_of(&["2020-01-05", "2020-01-05", "2020-01-11", "2020-01-01", "2020-01-01"]),
        ),
        (
            "known",
            times_of(&["2020-01-06", "2020-01-15", "2020-01-11", "2020-01-02", "2020-01-01"]),
        ),
        ("amount", Column::num([50.0, 55.0, 110.0, 10.0, 7.0])),
    ])
}

#[test]
fn a_plain_join_takes_the_row_of_the_key() {
    let other =
        batch(&[("who", texts(&["b", "a", "z"])), ("income", Column::num([2.0, 1.0, 26.0]))]);
    let other_on = Some(vec!["who".to_owned()]);
    let plain = Join { other_on, prefix: "p_".to_owned(), ..on("id") };
    let joined = plain.apply(&applicants(), &other).unwrap();
    let names: Vec<&str> = joined.schema().names().collect();
    assert_eq!(names, ["at", "id", "p_income"]);
    let found = column(&joined, "p_income");
    assert_eq!(found, ["number 1", "number 2", "number 1", "-", "-"]);
    let reversed = other.select(&[2, 1, 0]);
    assert_eq!(column(&plain.apply(&applicants(), &reversed).unwrap(), "p_income"), found);
}

#[test]
fn another_multiplicity_than_declared_is_an_error() {
    let twice = batch(&[("id", texts(&["a", "b", "a"])), ("x", Column::num([1.0, 2.0, 3.0]))]);
    let error = on("id").apply(&applicants(), &twice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `id`: row 2: expected each key once, found some again in rows [2], first text \
         \"a\""
    );
    let one = Join { matches: Matches::OneToOne, ..on("id") };
    let once = twice.select(&[0, 1]);
    assert_eq!(one.apply(&applicants(), &once).unwrap_err().code(), Code::WrongMatches);
    let all = Join { unmatched: Unmatched::Error, ..on("id") };
    let error = all.apply(&applicants(), &once).unwrap_err().to_string();
    assert!(error.contains("found none for rows [3, 4]"), "{error}");
}

#[test]
fn the_latest_event_that_was_known_counts_and_never_a_later_one() {
    let joined = known(None).apply(&applicants(), &events()).unwrap();
    // On the 10th the correction of the 15th was not known; on the 20th the event of the 11th
    // is the latest.
    assert_eq!(column(&joined, "amount"), ["number 50", "-", "number 110", "-", "-"]);
    assert!(joined.schema().position("event").is_none());
    // A back-fill that is known later changes nothing.
    let rows = [0, 2, 3, 4];
    let before = known(None).apply(&applicants(), &events().select(&rows)).unwrap();
    assert_eq!(column(&before, "amount"), column(&joined, "amount"));
}

#[test]
fn two_events_at_one_time_fall_under_the_rule() {
    let of = |tie: Tie| {
        let join = Join { as_of: Some(as_of(tie)), ..on("id") };
        join.apply(&applicants(), &events()).map(|t| column(&t, "amount")[0].clone())
    };
    let error = of(Tie::Error).unwrap_err();
    assert_eq!(error.code(), Code::WrongMatches);
    assert!(error.to_string().contains("found rows [0, 1] at one time"), "{error}");
    assert_eq!(of(Tie::Largest("amount".to_owned())).unwrap(), "number 55");
    assert_eq!(of(Tie::Largest("known".to_owned())).unwrap(), "number 55");
    // The same row twice is one event.
    let rows = [0, 0, 3];
    let rule = Join { as_of: Some(as_of(Tie::Error)), ..on("id") };
    let twice = rule.apply(&applicants(), &events().select(&rows)).unwrap();
    assert_eq!(column(&twice, "amount")[0], "number 50");
}

#[test]
fn an_event_beyond_the_age_is_none() {
    let of = |age: &str| {
        known(Some(age)).apply(&applicants(), &events()).map(|t| column(&t, "amount")[0].clone())
    };
    assert_eq!(of("5d").unwrap(), "number 50");
    assert_eq!(of("120h").unwrap(), "number 50");
    assert_eq!(of("119h").unwrap(), "-");
    assert!(of("5 days").unwrap_err().to_string().contains("such as 90d"));
}

#[test]
fn what_is_absent_or_of_another_kind_is_named() {
    let other = batch(&[("id", Column::num([1.0])), ("x", Column::num([1.0]))]);
    let error = on("id").apply(&applicants(), &other).unwrap_err();
    assert!(error.to_string().contains("expected a key column of kind text, found num"));
    let error = on("no").apply(&applicants(), &other).unwrap_err();
    assert!(error.to_string().contains("column `no`"), "{error}");
    let same = batch(&[("id", texts(&["a"])), ("at", Column::num([1.0]))]);
    let error = on("id").apply(&applicants(), &same).unwrap_err();
    assert!(error.to_string().contains("prefix"), "{error}");
}
