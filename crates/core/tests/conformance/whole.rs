//! Every case inside a whole pipeline: config, table, fit, artifact, plan.

use samescore_core::artifact::Artifact;
use samescore_core::batch::Batch;
use samescore_core::config::Config;
use samescore_core::error::Code;
use samescore_core::pipeline::{Scores, Table};
use samescore_core::rng::Seed;

use crate::common::cases::{Case, STEP, cases};
use crate::common::judge::{guarded, on_cases};
use crate::common::pipelines;
use crate::common::run::threads;
use crate::common::tables::{self, TROUBLES};

/// A sealed pipeline around the case, and the table that it was fitted on.
fn sealed(case: &Case) -> Result<(Config, Batch, Artifact), String> {
    let table = tables::example(3, 60);
    let config = pipelines::config(case, case.tasks[0], &table)?;
    let artifact = pipelines::seal(&config, &table, 1000).map_err(|e| e.to_string())?;
    Ok((config, table, artifact))
}

/// Per row its key, and its score's bits or its reason.
type Results = Vec<(String, Result<u64, String>)>;

fn results(scores: &Scores) -> Results {
    let row = |(key, score): (samescore_core::digest::RowKey, Result<f64, _>)| {
        let score: Result<f64, &samescore_core::error::Error> = score;
        (key.to_string(), score.map(f64::to_bits).map_err(ToString::to_string))
    };
    scores.iter().map(row).collect()
}

fn score(artifact: &Artifact, batch: &Batch) -> Result<Results, String> {
    artifact.plan().score(batch).map(|s| results(&s)).map_err(|e| e.to_string())
}

#[test]
fn an_artifact_is_a_function_of_config_and_rows() {
    on_cases(|case| {
        let (config, table, artifact) = sealed(case)?;
        for (seed, block_rows, n_threads) in [(1, 1, 8), (2, 7, 2), (3, 64, 1), (4, 1000, 8)] {
            let other = tables::reordered(&table, seed);
            let other = match seed % 2 {
                0 => tables::reversed_columns(&tables::with_extra(&other)),
                _ => other,
            };
            let found = threads(n_threads).run(|| pipelines::seal(&config, &other, block_rows));
            if found.map_err(|e| e.to_string())?.bytes() != artifact.bytes() {
                return Err(format!(
                    "another artifact: shuffle {seed}, blocks of {block_rows}, {n_threads} threads"
                ));
            }
        }
        let again = Artifact::from_bytes(artifact.bytes()).map_err(|e| e.to_string())?;
        let text = config.to_toml().map_err(|e| e.to_string())?;
        let config = Config::from_toml(&text).map_err(|e| e.to_string())?;
        let from_text = pipelines::seal(&config, &table, 1000).map_err(|e| e.to_string())?;
        match again.digest() == artifact.digest() && from_text.bytes() == artifact.bytes() {
            true => Ok(()),
            false => Err("another artifact from its bytes or from the config's text".to_owned()),
        }
    });
}

#[test]
fn a_score_is_a_function_of_artifact_and_row() {
    on_cases(|case| {
        let (_, table, artifact) = sealed(case)?;
        let loaded = Artifact::from_bytes(artifact.bytes()).map_err(|e| e.to_string())?;
        let wild = tables::wild(77, 40);
        for batch in [&table, &wild] {
            let whole = score(&artifact, batch)?;
            let n_rows = batch.n_rows();
            if whole.len() != n_rows {
                return Err(format!("{} results for {n_rows} rows", whole.len()));
            }
            let order = tables::shuffled(n_rows, 9);
            let singles = (0..n_rows).map(|row| vec![row]);
            for places in singles.chain([order, (0..n_rows).step_by(4).collect()]) {
                let part = score(&loaded, &batch.select(&places))?;
                let expected: Vec<_> = places.iter().map(|&row| whole[row].clone()).collect();
                if part != expected {
                    return Err(format!("rows {places:?} score otherwise by themselves"));
                }
            }
            for other in [
                tables::with_extra(batch),
                tables::reversed_columns(batch),
                tables::with_idle_labels(batch),
            ] {
                if score(&loaded, &other)? != whole {
                    return Err("extra columns, column order or idle labels moved a score".into());
                }
            }
            let (scores, trace) = artifact.plan().trace(batch).map_err(|e| e.to_string())?;
            let shuffled = tables::reordered(batch, 4);
            let found = threads(8).run(|| loaded.plan().trace(&shuffled));
            let (_, other) = found.map_err(|e| e.to_string())?;
            if results(&scores) != whole || trace != other {
                return Err("traced and plain scores, or two traces, differ".to_owned());
            }
        }
        Ok(())
    });
}

#[test]
fn many_blocks_on_many_threads_score_as_one_row_does() {
    for case in cases().iter().step_by(7) {
        let Ok((_, _, artifact)) = sealed(case) else {
            continue;
        };
        let many = tables::example(5, 9000);
        let whole = threads(1).run(|| score(&artifact, &many)).expect("scores");
        for n in [2, 8] {
            assert!(
                threads(n).run(|| score(&artifact, &many)) == Ok(whole.clone()),
                "{}",
                case.name
            );
        }
        for row in [0, 4095, 4096, 8999] {
            let one = score(&artifact, &many.select(&[row])).expect("a score");
            assert_eq!(one[0], whole[row], "{}", case.name);
        }
    }
}

#[test]
fn the_schema_of_every_stage_is_that_of_its_columns() {
    on_cases(|case| {
        let (_, table, artifact) = sealed(case)?;
        let plan = artifact.plan();
        let names: Vec<String> = plan.stage_names().map(str::to_owned).collect();
        for name in names {
            let blocks = plan.transform(&table, Some(&name)).map_err(|e| e.to_string())?;
            for block in blocks {
                let kinds = block.schema().fields().iter().map(|f| f.kind);
                if !kinds.eq(block.columns().iter().map(|c| c.kind())) {
                    return Err(format!("stage {name}: schema and columns differ"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_column_that_is_absent_or_of_another_kind_is_named() {
    on_cases(|case| {
        let (config, table, artifact) = sealed(case)?;
        for name in artifact.plan().input().names() {
            for (other, code) in [
                (tables::without(&table, name), Code::MissingColumn),
                (tables::with_wrong_kind(&table, name), Code::WrongKind),
            ] {
                let refusals = [
                    artifact.plan().bind(&other).map(|_| ()),
                    artifact.plan().score(&other).map(|_| ()),
                    artifact.plan().trace(&other).map(|_| ()),
                    Table::new(&config, &other).map(|_| ()),
                ];
                for found in refusals {
                    let named = |e: &samescore_core::error::Error| {
                        e.code() == code && e.column_name() == Some(name)
                    };
                    if !found.as_ref().is_err_and(named) {
                        return Err(format!("expected {code:?} naming `{name}`, found {found:?}"));
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_step_on_a_column_that_is_not_there_is_refused_by_name() {
    on_cases(|case| {
        let (mut config, table, _) = sealed(case)?;
        let Some(step) = config.steps.iter_mut().find(|s| s.name == STEP) else {
            return Ok(());
        };
        let Some(named) = &mut step.columns.named else {
            return Ok(());
        };
        named[0] = "not there".to_owned();
        match pipelines::seal(&config, &table, 64) {
            Err(e) if e.code() == Code::UnknownColumn && e.step_name() == Some(STEP) => Ok(()),
            other => Err(format!("expected a refusal, found {:?}", other.map(|_| ()))),
        }
    });
}

#[test]
fn scoring_any_batch_gives_a_finite_score_or_a_reason_per_row() {
    on_cases(|case| {
        let (_, _, artifact) = sealed(case)?;
        for trouble in TROUBLES {
            let batch = tables::troubled(trouble, 1);
            let scores = guarded(|| artifact.plan().score(&batch).map_err(|e| e.to_string()))
                .map_err(|e| format!("{trouble}: {e}"))?;
            if scores.len() != batch.n_rows() {
                return Err(format!("{trouble}: rows vanished"));
            }
            for (_, found) in scores.iter() {
                let sound = match found {
                    Ok(x) => x.is_finite() && !(x == 0.0 && x.is_sign_negative()),
                    Err(e) => e.step_name().is_some() && !e.message().is_empty(),
                };
                if !sound {
                    return Err(format!("{trouble}: a row got {found:?}"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn steps_inserted_before_move_no_draw() {
    on_cases(|case| {
        let (config, table, _) = sealed(case)?;
        let learned = |config: &Config| {
            let artifact = pipelines::seal(config, &table, 64).map_err(|e| e.to_string())?;
            let pipeline = &artifact.payload().pipeline;
            let steps = pipeline.steps.iter();
            let steps: Vec<_> =
                steps.filter(|s| !s.name.starts_with("bystander")).cloned().collect();
            Ok::<_, String>((steps, pipeline.model.clone()))
        };
        let mut other = config.clone();
        if !other.data.columns.contains_key(pipelines::COMPANIONS[0]) {
            return Ok(());
        }
        let before = learned(&config)?;
        let inserted = pipelines::bystanders(case.tasks[0], &table);
        if inserted.is_empty() {
            return Err("no kind leaves a complete column as it is".to_owned());
        }
        other.steps.splice(0..0, inserted);
        match learned(&other)? == before {
            true => Ok(()),
            false => Err("steps that change nothing moved what is learned behind them".to_owned()),
        }
    });
}

#[test]
fn the_seed_moves_nothing_but_draws() {
    on_cases(|case| {
        let (config, table, artifact) = sealed(case)?;
        let mut other = config.clone();
        other.seed = Seed(8);
        let other = pipelines::seal(&other, &table, 64).map_err(|e| e.to_string())?;
        let same = other.payload().pipeline == artifact.payload().pipeline;
        match same || case.params.draws() {
            true => Ok(()),
            false => Err("another seed gives another pipeline, and no kind draws".to_owned()),
        }
    });
}

#[test]
fn a_fingerprint_is_that_of_the_multiset_of_rows() {
    let case = &cases()[0];
    let (config, table, _) = sealed(case).expect("the first case stands in a pipeline");
    let of = |batch: &Batch, block_rows: usize| {
        let table = Table::with_block_rows(&config, batch, block_rows).expect("a table");
        table.fingerprint()
    };
    let expected = of(&table, 4096);
    for (seed, block_rows) in [(1, 1), (2, 7), (3, 64)] {
        let other = tables::reversed_columns(&tables::reordered(&table, seed));
        assert_eq!(of(&other, block_rows), expected);
        assert_eq!(of(&tables::with_idle_labels(&other), block_rows), expected);
    }
    let with_row_again: Vec<usize> = (0..table.n_rows()).chain([0]).collect();
    let once_more = of(&table.select(&with_row_again), 4096);
    assert_ne!(once_more, expected, "a duplicate counts");
    let another: Vec<usize> = (0..table.n_rows()).chain([1]).collect();
    assert_ne!(of(&table.select(&another), 4096), once_more);
    let fewer: Vec<usize> = (1..table.n_rows()).collect();
    assert_ne!(of(&table.select(&fewer), 4096), expected);
}
