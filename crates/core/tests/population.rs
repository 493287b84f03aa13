//! A population in a whole fit: what is left out, counted, sealed, and told again at scoring.

use std::collections::BTreeMap;

use samescore_core::artifact::{Artifact, payload_of, reseal};
use samescore_core::batch::Batch;
use samescore_core::codec;
use samescore_core::config::{Bound, Config, RowFilter, Task};
use samescore_core::error::{Code, Result};
use samescore_core::example;
use samescore_core::models::LinearRegressionParams;
use samescore_core::pipeline::{Membership, Table, fit};

/// The example without a population.
fn plain() -> Config {
    let mut config = example::config(Task::Regression, LinearRegressionParams::default());
    let kept = ["area", "rooms", "sex", example::REGRESSION_TARGET];
    config.data.columns.retain(|name, _| kept.contains(&name.as_str()));
    config.step("codes", &["sex"], samescore_core::transforms::OrdinalEncoderParams::default())
}

/// Small houses of one sex.
fn config() -> Config {
    let mut config = plain();
    config.population = vec![
        RowFilter { max: Some(Bound::Num(4.0)), ..RowFilter::present("rooms") },
        RowFilter { is: vec!["f".to_owned()], ..RowFilter::present("sex") },
    ];
    config
}

fn sealed(config: &Config, batch: &Batch) -> Result<Artifact> {
    let table = Table::new(config, batch)?;
    let fingerprint = table.fingerprint();
    let population = table.population().cloned();
    let mut fitted = fit(config, table.into_rows())?;
    fitted.population = population;
    Artifact::seal(config, fingerprint, fitted, BTreeMap::new())
}

fn inside(batch: &Batch) -> Vec<usize> {
    let rooms = batch.num(batch.schema().slot("rooms").unwrap());
    let sex = batch.text(batch.schema().slot("sex").unwrap());
    let is_inside = |&row: &usize| rooms[row] <= 4.0 && sex.get(row) == Some("f");
    (0..batch.n_rows()).filter(is_inside).collect()
}

#[test]
fn rows_outside_are_no_part_of_the_fit() {
    let batch = example::table(300, 3);
    let rows = inside(&batch);
    assert!(rows.len() > 50 && rows.len() < 150, "{}", rows.len());
    let whole = sealed(&config(), &batch).unwrap();
    let payload = whole.payload();
    assert_eq!(payload.n_rows, rows.len() as u64);
    let counts = payload.population.as_ref().unwrap();
    assert_eq!((counts.n_before(), counts.n_after()), (300, rows.len() as u64));
    assert_eq!(counts.filters[0].after, counts.filters[1].before);
    // The same model and fingerprint as of the rows inside alone, without any filter.
    let alone = sealed(&plain(), &batch.select(&rows)).unwrap();
    assert_eq!(alone.payload().data_fingerprint, payload.data_fingerprint);
    assert_eq!(alone.payload().pipeline, payload.pipeline);
    assert_ne!(alone.payload().config_fingerprint, payload.config_fingerprint);
}

#[test]
fn order_and_blocks_cannot_matter() {
    let batch = example::table(200, 3);
    let bytes = sealed(&config(), &batch).unwrap().bytes().to_vec();
    let reversed: Vec<usize> = (0..200).rev().collect();
    assert_eq!(sealed(&config(), &batch.select(&reversed)).unwrap().bytes(), bytes);
    let table = Table::with_block_rows(&config(), &batch, 7).unwrap();
    let (data, population) = (table.fingerprint(), table.population().cloned());
    let mut fitted = fit(&config(), table.into_rows()).unwrap();
    fitted.population = population;
    let again = Artifact::seal(&config(), data, fitted, BTreeMap::new()).unwrap();
    assert_eq!(again.bytes(), bytes);
}

#[test]
fn scoring_tells_a_row_whatever_stands_beside_it() {
    let artifact = sealed(&config(), &example::table(200, 3)).unwrap();
    let batch = example::table(100, 9);
    let marks = artifact.plan().membership(&batch).unwrap();
    assert_eq!(marks.inside(), inside(&batch));
    for row in 0..batch.n_rows() {
        let alone = artifact.plan().membership(&batch.select(&[row])).unwrap();
        assert_eq!(alone.outside(0), marks.outside(row));
        let rooms = batch.num(batch.schema().slot("rooms").unwrap())[row];
        assert_eq!(marks.outside(row) == Some("rooms"), rooms > 4.0);
    }
    let error = example::artifact().unwrap().plan().membership(&batch).unwrap_err();
    assert_eq!(error.code(), Code::Usage);
    assert!(Membership::of(&[], &batch).unwrap().n_outside() == 0);
}

#[test]
fn a_row_that_cannot_be_read_is_refused_at_fit_inside_or_not() {
    let mut batch = example::table(50, 3);
    let outside = (0..50).find(|row| !inside(&batch).contains(row)).unwrap();
    let slot = batch.schema().slot("area").unwrap();
    batch.fault(outside, slot, samescore_core::error::Error::new(Code::BadValue, "no number"));
    let error = Table::new(&config(), &batch).unwrap_err();
    assert_eq!(error.row_idx(), Some(outside as u64));
}

#[test]
fn counts_that_are_not_those_of_the_filters_are_refused() {
    let artifact = sealed(&config(), &example::table(200, 3)).unwrap();
    let refused = |change: &dyn Fn(&mut samescore_core::artifact::Payload)| {
        let mut payload = artifact.payload().clone();
        change(&mut payload);
        let bytes = reseal(&codec::encode(&payload).unwrap());
        assert_eq!(Artifact::from_bytes(&bytes).err().map(|e| e.code()), Some(Code::Malformed));
    };
    refused(&|payload| payload.population = None);
    refused(&|payload| {
        payload.population.as_mut().unwrap().filters.pop();
    });
    refused(&|payload| payload.population.as_mut().unwrap().filters[0].after += 1);
    refused(&|payload| payload.population.as_mut().unwrap().filters[1].after = 3);
    let again = Artifact::from_bytes(&reseal(payload_of(artifact.bytes()))).unwrap();
    assert_eq!(again.payload().config.population, config().population);
    // An artifact without filters has no field for them.
    let plain = sealed(&plain(), &example::table(60, 3)).unwrap();
    let has = |bytes: &[u8]| bytes.windows(10).any(|window| window == b"population");
    assert!(has(artifact.bytes()) && !has(plain.bytes()));
}
