//! What a state makes of a row is a function of the row.

use samescore_core::batch::{Batch, Column, ColumnKind};
use samescore_core::math;

use crate::common::cases::Case;
use crate::common::judge::{Trial, Verdict, on_tables};
use crate::common::msgpack::Value;
use crate::common::run::{Cell, Output, State};
use crate::common::{run, tables};
use crate::fits::base;

/// State and whole-batch output of a trial.
fn fitted(case: &Case, trial: &Trial) -> Result<Option<(State, Output)>, String> {
    let Some(state) = base(case, trial) else {
        return Ok(None);
    };
    let output = state.apply(case, &trial.batch).map_err(|e| format!("apply: {e}"))?;
    Ok(Some((state, output)))
}

#[test]
fn a_row_gets_the_same_in_every_batch() {
    on_tables(|case, trial| -> Verdict {
        let Some((state, whole)) = fitted(case, trial)? else {
            return Ok(false);
        };
        let n_rows = trial.batch.n_rows();
        let mut parts: Vec<(String, Vec<usize>)> =
            (0..n_rows).map(|row| (format!("row {row} alone"), vec![row])).collect();
        parts.push(("every third row".into(), (0..n_rows).step_by(3).collect()));
        parts.push(("shuffled".into(), tables::shuffled(n_rows, 5)));
        parts.push(("the first two, three times".into(), vec![0, 1, 0, 1, 1, 0]));
        parts.push(("no row".into(), Vec::new()));
        for (what, places) in parts {
            let part = trial.batch.select(&places);
            let found = state.apply(case, &part).map_err(|e| e.to_string())?;
            whole.pick(&places).expect(&found, &what)?;
        }
        let idle = tables::with_idle_labels(&trial.batch);
        let found = state.apply(case, &idle).map_err(|e| e.to_string())?;
        whole.expect(&found, "with labels that no row has")?;
        Ok(true)
    });
}

#[test]
fn a_state_learned_on_one_table_applies_to_another() {
    on_tables(|case, trial| -> Verdict {
        let Some(state) = base(case, trial) else {
            return Ok(false);
        };
        let other = tables::keyed(&tables::wild(1000, 40), trial.task);
        let whole = state.apply(case, &other).map_err(|e| e.to_string())?;
        check_canonical(&whole)?;
        for row in 0..other.n_rows() {
            let found = state.apply(case, &other.select(&[row])).map_err(|e| e.to_string())?;
            whole.pick(&[row]).expect(&found, &format!("row {row} alone"))?;
        }
        Ok(true)
    });
}

#[test]
fn the_schema_is_known_before_the_data_and_rows_pass_through() {
    on_tables(|case, trial| -> Verdict {
        let Some(state) = base(case, trial) else {
            return Ok(false);
        };
        let mut batch = trial.batch.clone();
        let slots = run::slots(case, batch.schema()).map_err(|e| e.to_string())?;
        let known = state.output(batch.schema(), &slots).map_err(|e| e.to_string())?;
        let columns = state.apply_to(&mut batch, &slots).map_err(|e| e.to_string())?;
        let expected: Vec<ColumnKind> = known.fields().iter().map(|f| f.kind).collect();
        let found: Vec<ColumnKind> = columns.iter().map(|c| c.kind()).collect();
        if expected != found {
            return Err(format!("the schema says {expected:?}, the columns are {found:?}"));
        }
        let n_rows = trial.batch.n_rows();
        if batch.n_rows() != n_rows || columns.iter().any(|c| c.len() != n_rows) {
            return Err("the number of rows changed".to_owned());
        }
        let same = batch.keys() == trial.batch.keys()
            && batch.fit_keys() == trial.batch.fit_keys()
            && batch.target() == trial.batch.target();
        match same {
            true => Ok(true),
            false => Err("keys or targets changed".to_owned()),
        }
    });
}

#[test]
fn what_leaves_is_canonical_and_what_is_stored_is_finite() {
    on_tables(|case, trial| -> Verdict {
        let Some((state, output)) = fitted(case, trial)? else {
            return Ok(false);
        };
        check_canonical(&output)?;
        check_stored(&state, &trial.batch)?;
        Ok(true)
    });
}

/// One NaN, no −0.0.
pub fn check_canonical(output: &Output) -> Result<(), String> {
    for (row, (cells, _)) in output.rows.iter().enumerate() {
        for (slot, cell) in cells.iter().enumerate() {
            if let Cell::Num(bits) = cell {
                if math::canonical(f64::from_bits(*bits)).to_bits() != *bits {
                    let name = &output.schema.fields()[slot].name;
                    return Err(format!("row {row}: {name}: {bits:#018x} is not canonical"));
                }
            }
        }
    }
    Ok(())
}

/// No number in a state is missing or −0.0, and none is infinite if the rows had no infinity.
pub fn check_stored(state: &State, rows: &Batch) -> Result<(), String> {
    let infinite = |column: &Column| match column {
        Column::Num(v) => v.iter().any(|x| x.is_infinite()),
        _ => false,
    };
    let from_rows = rows.columns().iter().any(infinite);
    let tree = Value::read(&state.bytes());
    let mut found = Ok(());
    tree.visit("state", &mut |path, value| {
        if let Value::Float(x) = value {
            let sound = x.is_finite() || (x.is_infinite() && from_rows);
            if !sound || (*x == 0.0 && x.is_sign_negative()) {
                found = Err(format!("{path} holds {x:?}"));
            }
        }
    });
    found
}
