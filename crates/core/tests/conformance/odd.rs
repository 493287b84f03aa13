//! Tables with one named trouble everywhere: an error or canonical values, never a panic.

use samescore_core::error::Error;
use samescore_core::rng::Seed;

use crate::common::cases::Case;
use crate::common::judge::on_cases;
use crate::common::run;
use crate::common::run::State;
use crate::common::tables::{self, TROUBLES};
use crate::outputs::{check_canonical, check_stored};

/// An error must say what is wrong as the house does.
fn check_message(error: &Error) -> Result<(), String> {
    let message = error.message();
    let begins = message.chars().next().is_some_and(|c| !c.is_uppercase());
    match begins && !message.ends_with('.') && !message.is_empty() {
        true => Ok(()),
        false => Err(format!("a message of another form: {error}")),
    }
}

fn check_apply(case: &Case, state: &State, table: &str) -> Result<(), String> {
    for seed in 0..3 {
        let batch = tables::keyed(&tables::troubled(table, seed), case.tasks[0]);
        let output = state.apply(case, &batch).map_err(|e| format!("apply on {table}: {e}"))?;
        check_canonical(&output).map_err(|e| format!("apply on {table}: {e}"))?;
        if output.rows.len() != batch.n_rows() {
            return Err(format!("apply on {table}: rows vanished"));
        }
    }
    Ok(())
}

#[test]
fn a_fitted_state_survives_every_batch() {
    on_cases(|case| {
        let batch = tables::keyed(&tables::example(0, 60), case.tasks[0]);
        let state = run::fit(case, case.tasks[0], &tables::rows(&batch, 64), Seed(7))
            .map_err(|e| e.to_string())?;
        TROUBLES.iter().try_for_each(|table| check_apply(case, &state, table))
    });
}

#[test]
fn a_fit_on_any_table_gives_a_sound_state_or_an_error() {
    on_cases(|case| {
        for (task, table) in case.tasks.iter().flat_map(|t| TROUBLES.iter().map(move |x| (*t, x))) {
            for seed in 0..3 {
                let batch = tables::keyed(&tables::troubled(table, seed), task);
                match run::fit(case, task, &tables::rows(&batch, 8), Seed(7)) {
                    Err(error) => check_message(&error)?,
                    Ok(state) => {
                        check_stored(&state, &batch).map_err(|e| format!("fit on {table}: {e}"))?;
                        check_apply(case, &state, table)
                            .and_then(|()| check_apply(case, &state, "infinities"))
                            .map_err(|e| format!("fit on {table}: {e}"))?;
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_state_for_other_columns_is_refused_or_harmless() {
    on_cases(|case| {
        let batch = tables::keyed(&tables::example(0, 60), case.tasks[0]);
        let state = run::fit(case, case.tasks[0], &tables::rows(&batch, 64), Seed(7))
            .map_err(|e| e.to_string())?;
        let slots = run::slots(case, batch.schema()).map_err(|e| e.to_string())?;
        let fewer = &slots[..slots.len() - 1];
        // The door never lets a column be listed twice.
        let free = (0..batch.schema().len()).filter(|slot| !slots.contains(slot));
        let accepted = |slot: &usize| {
            let kind = batch.schema().fields()[*slot].kind;
            case.params.accepts().contains(&kind)
        };
        let more: Vec<usize> = slots.iter().copied().chain(free.filter(accepted).take(1)).collect();
        for slots in [fewer, &more] {
            // The door calls `output` on whatever an artifact says; what it lets pass must apply.
            if state.output(batch.schema(), slots).is_ok() {
                let mut batch = batch.clone();
                state.apply_to(&mut batch, slots).map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    });
}
