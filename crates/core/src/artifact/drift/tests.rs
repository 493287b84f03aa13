//! The figures of drift by hand, and what cannot be compared.

use super::counts::{ColumnCounts, ValueCounts};
use super::*;
use crate::aggregate::MemoryRows;
use crate::artifact::{Artifact, ColumnProfile, LevelSpread, Spread, ValueProfile};
use crate::batch::{Batch, Column, MISSING_TIME};
use crate::config::{Bound, Config, RowFilter, Task};
use crate::models::LinearRegressionParams;
use crate::pipeline::{Table, fit};
use crate::testing::{nums, table, texts};

fn config() -> Config {
    let mut config = Config::new("y", Task::Regression, LinearRegressionParams::default())
        .columns(ColumnKind::Num, &["x", "y"])
        .columns(ColumnKind::Text, &["s"])
        .columns(ColumnKind::Time, &["t"])
        .step("codes", &["s"], crate::transforms::OrdinalEncoderParams::default());
    let drop = crate::transforms::DropColumnsParams::default();
    config = config.step("drop", &["t"], drop);
    config
}

/// x is 0 to 9 and one missing; s is seven a and four b; t is 100 to 110.
fn training() -> Batch {
    let x: Vec<f64> = (0..11).map(|i| if i == 10 { f64::NAN } else { f64::from(i) }).collect();
    let s: Vec<&str> = (0..11).map(|i| if i < 7 { "a" } else { "b" }).collect();
    let y: Vec<f64> = (0..11).map(f64::from).collect();
    let t = Column::Time((100..111).collect());
    table(&[("x", nums(&x)), ("s", texts(&s)), ("t", t), ("y", nums(&y))])
}

fn sealed(config: &Config) -> Artifact {
    let mut config = config.clone();
    config.steps.insert(
        0,
        crate::config::StepConfig {
            name: "fill".to_owned(),
            columns: crate::config::Columns::named(&["x"]),
            params: crate::transforms::MeanMedianImputerParams::default().into(),
        },
    );
    let table = Table::new(&config, &training()).unwrap();
    let (data, population) = (table.fingerprint(), table.population().cloned());
    let mut fitted = fit(&config, table.into_rows()).unwrap();
    fitted.population = population;
    Artifact::seal(&config, data, fitted, BTreeMap::new()).unwrap()
}

fn drift(artifact: &Artifact, batch: &Batch, block_rows: usize) -> Result<Drift> {
    let bound = artifact.plan().bind(batch)?;
    let schema = std::sync::Arc::clone(bound.schema());
    Drift::of(artifact.payload(), &MemoryRows::new(schema, bound.into_blocks(block_rows)))
}

#[test]
fn the_index_by_hand() {
    // (0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5) = 0.25 ln 2 + 0.25 ln 1.5.
    let expected = -0.25 * math::ln(0.5) + 0.25 * math::ln(1.5);
    assert_eq!(psi(&[5, 5], &[1, 3]), Some(expected));
    assert_eq!(psi(&[5, 0, 5], &[10, 0, 10]), Some(0.0));
    // An empty bin counts as 0.0001: here the whole of the other one.
    let floor = (1.0 - 1e-4) * math::ln(1.0 / 1e-4);
    assert_eq!(psi(&[4, 0], &[0, 9]), Some((1e-4 - 1.0) * math::ln(1e-4) + floor));
    assert_eq!((psi(&[0, 0], &[1, 1]), psi(&[1], &[0]), psi(&[1], &[1, 2])), (None, None, None));
}

#[test]
fn the_training_rows_do_not_drift() {
    let artifact = sealed(&config());
    let found = drift(&artifact, &training(), 4).unwrap();
    assert!(found.holds(), "{found:?}");
    assert_eq!((found.n_rows, found.n_outside, found.n_unreadable), (11, None, 0));
    for column in &found.columns {
        assert_eq!(column.psi, Some(0.0), "{}", column.column);
        assert_eq!((column.n_below, column.n_above), (0, 0));
    }
}

#[test]
fn every_break_by_hand_whatever_the_blocks() {
    let artifact = sealed(&config());
    let batch = table(&[
        ("x", nums(&[-1.0, 4.0, 20.0, f64::NAN])),
        ("s", texts(&["a", "new", "c", ""])),
        ("t", Column::Time(vec![99, 105, 200, 300])),
    ]);
    let found = drift(&artifact, &batch, 10).unwrap();
    for block_rows in [1, 3] {
        assert_eq!(drift(&artifact, &batch.select(&[3, 1, 0, 2]), block_rows).unwrap(), found);
    }
    let [s, t, x] = &found.columns[..] else { panic!("three columns") };
    assert_eq!((&*s.column, &*t.column, &*x.column), ("s", "t", "x"));
    assert_eq!(x.missing_rate, [1.0 / 11.0, 0.25]);
    assert_eq!((x.n_below, x.n_above, x.out_of_range_rate), (1, 1, Some(2.0 / 3.0)));
    use DriftBreak::*;
    assert_eq!(x.breaks, [Psi, MissingRate, OutOfRange]);
    assert_eq!(s.new_level_rate, Some(2.0 / 3.0));
    assert_eq!(s.new_levels, BTreeMap::from([("c".to_owned(), 1), ("new".to_owned(), 1)]));
    // Bins a, b and the rest: training 7, 4, 0 of 11, now 1, 0, 2 of 3.
    assert_eq!(s.psi, psi(&[7, 4, 0], &[1, 0, 2]));
    assert_eq!(s.breaks, [Psi, MissingRate, NewLevels]);
    // The deciles are 101 to 109: 99 is in the first bin, 105 in the fifth, the others in the last.
    let now = [1, 0, 0, 0, 1, 0, 0, 0, 0, 2];
    assert_eq!(t.psi, psi(&[2, 1, 1, 1, 1, 1, 1, 1, 1, 1], &now));
    assert_eq!((t.n_below, t.n_above, t.out_of_range_rate), (1, 2, Some(0.75)));
    assert_eq!(t.breaks, [Psi, OutOfRange]);
    assert!(!found.holds());
    let mut config = config();
    config.drift = Some(DriftLimits { unjudged: vec!["t".to_owned()], ..DriftLimits::default() });
    let unjudged = drift(&sealed(&config), &batch, 10).unwrap();
    assert_eq!((unjudged.columns[1].psi, &*unjudged.columns[1].breaks), (t.psi, &[][..]));
    assert_eq!(unjudged.columns[2], *x);
}

#[test]
fn times_of_an_older_profile_have_a_range_alone() {
    let mut old = sealed(&config()).payload().clone();
    old.profile.columns.get_mut("t").unwrap().spread = None;
    let bound = sealed(&config()).plan().bind(&training()).unwrap();
    let found = Drift::of(&old, &MemoryRows::from_batch(bound)).unwrap();
    assert_eq!((found.columns[1].psi, found.columns[1].out_of_range_rate), (None, Some(0.0)));
    assert!(found.holds());
}

#[test]
fn limits_of_the_config_decide() {
    let mut config = config();
    config.drift = Some(DriftLimits {
        psi_max: 100.0,
        missing_rate_change_max: 1.0,
        new_level_rate_max: 1.0,
        out_of_range_rate_max: 1.0,
        unjudged: Vec::new(),
    });
    let batch = table(&[
        ("x", nums(&[50.0])),
        ("s", texts(&["z"])),
        ("t", Column::Time(vec![MISSING_TIME])),
    ]);
    assert!(drift(&sealed(&config), &batch, 1).unwrap().holds());
}

#[test]
fn rows_outside_the_population_are_counted_alone() {
    let mut config = config();
    let max = Some(Bound::Num(5.0));
    config.population = vec![RowFilter { max, ..RowFilter::present("x") }];
    let artifact = sealed(&config);
    let found = drift(&artifact, &training(), 4).unwrap();
    assert_eq!((found.n_rows, found.n_outside), (6, Some(5)));
    assert!(found.holds(), "{found:?}");
    // That there are no others is what drifted.
    let found = drift(&artifact, &training().select(&[8, 9]), 4).unwrap();
    assert_eq!((found.n_rows, found.n_outside, found.columns.len()), (0, Some(2), 0));
    assert!(!found.holds());
    let none = drift(&artifact, &training().select(&[]), 4).unwrap_err();
    assert_eq!(none.to_string(), "expected rows to compare, found none");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let artifact = sealed(&config());
    let none = training().select(&[]);
    assert_eq!(drift(&artifact, &none, 4).unwrap_err().code(), Code::TooFewRows);
    let mut old = artifact.payload().clone();
    old.profile.columns.values_mut().for_each(|column| column.spread = None);
    let bound = artifact.plan().bind(&training()).unwrap();
    let error = Drift::of(&old, &MemoryRows::from_batch(bound)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `s`: expected a training profile with quantiles and labels, found none (an \
         older release made the artifact: fit it again)"
    );
    let other = MemoryRows::from_batch(table(&[("x", nums(&[1.0]))]));
    assert_eq!(Drift::of(artifact.payload(), &other).unwrap_err().code(), Code::MissingColumn);
}

#[test]
fn labels_beyond_the_listed_ones_are_not_called_new() {
    let counts = crate::aggregate::Counts {
        levels: (0..101).map(|i| (format!("{i:03}"), 1)).collect(),
        n_missing: 0,
    };
    let profile = ColumnProfile {
        n_missing: 0,
        values: ValueProfile::Text(101),
        spread: Some(Spread::Text(LevelSpread::of(&counts))),
    };
    let mut counts = ColumnCounts { n_missing: 0, values: ValueCounts::new(&profile) };
    counts.observe(&texts(&["000", "100", "zzz"]), &[0, 1, 2]);
    let found = counts.finish(&profile, 101, 3);
    assert_eq!((found.new_level_rate, found.new_levels.len()), (None, 0));
    // A hundred labels of one row each and one row of others; now one row of one, two of others.
    let then = vec![1; 101];
    let mut now = vec![0; 101];
    (now[0], now[100]) = (1, 2);
    assert_eq!((found.psi, found.n_levels), (psi(&then, &now), Some([100, 101])));
}
