//! A fitted state is a function of params, seed and the multiset of rows.

use samescore_core::batch::Batch;
use samescore_core::codec;
use samescore_core::config::{Config, Task};
use samescore_core::example;
use samescore_core::models::ModelParams;
use samescore_core::rng::Seed;

use crate::common::cases::{Case, Params, cases};
use crate::common::judge::{Trial, Verdict, on_cases, on_tables};
use crate::common::run::{self, State, threads};
use crate::common::tables;

const SEED: Seed = Seed(7);

/// The fit of a trial, `None` if the table cannot be fitted on.
pub fn base(case: &Case, trial: &Trial) -> Option<State> {
    run::fit(case, trial.task, &tables::rows(&trial.batch, 1000), SEED).ok()
}

/// The state's bytes, or the code and column of the error.
fn outcome(case: &Case, task: Task, batch: &Batch, block_rows: usize, n_threads: usize) -> Outcome {
    let rows = tables::rows(batch, block_rows);
    let fitted = threads(n_threads).run(|| run::fit(case, task, &rows, SEED));
    match fitted {
        Ok(state) => Outcome::State(state.bytes()),
        Err(e) => Outcome::Refused(format!("{} {:?}", e.code(), e.column_name())),
    }
}

#[derive(PartialEq)]
enum Outcome {
    State(Vec<u8>),
    Refused(String),
}

#[test]
fn a_fit_depends_neither_on_row_order_nor_blocks_nor_threads() {
    on_tables(|case, trial| -> Verdict {
        let (task, batch) = (trial.task, &trial.batch);
        let expected = outcome(case, task, batch, 1000, 1);
        for (order, block_rows, n_threads) in [
            (None, 1000, 1),
            (None, 1, 8),
            (Some(1), 7, 2),
            (Some(2), 64, 8),
            (Some(3), 1, 1),
            (Some(4), 1000, 2),
        ] {
            let other = order.map_or(batch.clone(), |seed| tables::reordered(batch, seed));
            if outcome(case, task, &other, block_rows, n_threads) != expected {
                let order = order.map_or("the same".to_owned(), |seed| format!("shuffle {seed}"));
                return Err(format!(
                    "another state in {order} order, blocks of {block_rows}, {n_threads} threads"
                ));
            }
        }
        Ok(matches!(expected, Outcome::State(_)))
    });
}

#[test]
fn labels_without_rows_do_not_reach_a_state() {
    on_tables(|case, trial| -> Verdict {
        let expected = outcome(case, trial.task, &trial.batch, 1000, 1);
        let idle = tables::with_idle_labels(&trial.batch);
        if outcome(case, trial.task, &idle, 1000, 1) != expected {
            return Err("a label that no row has changed the state".to_owned());
        }
        Ok(matches!(expected, Outcome::State(_)))
    });
}

#[test]
fn a_state_survives_its_bytes() {
    on_tables(|case, trial| -> Verdict {
        let Some(state) = base(case, trial) else {
            return Ok(false);
        };
        let bytes = state.bytes();
        let again: State = codec::decode(&bytes).map_err(|e| format!("not read back: {e}"))?;
        if again.bytes() != bytes {
            return Err("other bytes after a round trip".to_owned());
        }
        let apply = |state: &State| state.apply(case, &trial.batch).map_err(|e| e.to_string());
        apply(&state)?.expect(&apply(&again)?, "after a round trip")?;
        Ok(true)
    });
}

#[test]
fn params_survive_config_text_and_codec() {
    on_cases(|case| {
        let task = case.tasks[0];
        let model = match &case.params {
            Params::Model(p) => p.clone(),
            _ => {
                let mut models = ModelParams::examples().into_iter();
                let model = models.find(|m| m.params.tasks().contains(&task));
                model.ok_or("no model for the task")?.params
            }
        };
        let mut config = example::config(task, model);
        config.steps.extend(case.step());
        let text = config.to_toml().map_err(|e| e.to_string())?;
        let read = Config::from_toml(&text).map_err(|e| format!("{e} in\n{text}"))?;
        if read != config {
            return Err(format!("another config behind\n{text}"));
        }
        let fingerprint = |c: &Config| c.fingerprint().map_err(|e| e.to_string());
        if fingerprint(&read)? != fingerprint(&config)? {
            return Err("another fingerprint behind the text".to_owned());
        }
        let bytes = codec::encode(&config).map_err(|e| e.to_string())?;
        let decoded: Config = codec::decode(&bytes).map_err(|e| e.to_string())?;
        match decoded == config {
            true => Ok(()),
            false => Err("another config behind the codec".to_owned()),
        }
    });
}

#[test]
fn every_tag_gives_defaults_and_every_kind_an_example() {
    use samescore_core::selectors::SelectorParams;
    use samescore_core::transforms::TransformParams;
    let with_example: Vec<&str> = cases().iter().map(|case| case.params.kind()).collect();
    let rooms = [TransformParams::KINDS, SelectorParams::KINDS, ModelParams::KINDS];
    for info in rooms.into_iter().flatten() {
        let default = match info.family {
            "transform" => TransformParams::default_of(info.tag).map(|p| p.kind()),
            "selector" => SelectorParams::default_of(info.tag).map(|p| p.kind()),
            _ => ModelParams::default_of(info.tag).map(|p| p.kind()),
        };
        assert_eq!(default, Some(info.tag));
        assert!(with_example.contains(&info.tag), "{} has no example", info.tag);
    }
}

#[test]
fn the_seed_reaches_only_kinds_that_draw() {
    on_tables(|case, trial| -> Verdict {
        let rows = tables::rows(&trial.batch, 1000);
        let Ok(state) = run::fit(case, trial.task, &rows, SEED) else {
            return Ok(false);
        };
        if case.params.draws() {
            return Ok(true);
        }
        match run::fit(case, trial.task, &rows, Seed(8)) {
            Ok(other) if other.bytes() == state.bytes() => Ok(true),
            Ok(_) => Err("another seed gives another state, and the kind does not draw".to_owned()),
            Err(e) => Err(format!("another seed gives an error: {e}")),
        }
    });
}

#[test]
fn a_kind_that_draws_hears_the_seed() {
    let mut heard = std::collections::BTreeMap::new();
    for case in cases().iter().filter(|case| case.params.draws()) {
        let trial = crate::common::judge::trial(case, 11);
        let rows = tables::rows(&trial.batch, 1000);
        let outputs = |seed: u64| {
            let state = run::fit(case, trial.task, &rows, Seed(seed)).expect("an example fits");
            let output = state.apply(case, &trial.batch).expect("an example applies");
            (state.bytes(), output)
        };
        let first = outputs(1);
        let hears = (2..12).any(|seed| outputs(seed) != first);
        *heard.entry(case.params.kind()).or_insert(false) |= hears;
    }
    let deaf: Vec<&&str> =
        heard.iter().filter(|(_, heard)| !**heard).map(|(kind, _)| kind).collect();
    assert!(deaf.is_empty(), "no example of {deaf:?} hears the seed");
}
