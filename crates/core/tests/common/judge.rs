//! Runs a check over every case and many tables, and reports every case that fails, not the first.

use std::panic::{AssertUnwindSafe, catch_unwind};

use samescore_core::batch::Batch;
use samescore_core::config::Task;

use super::cases::{Case, cases};
use super::tables;

/// How many tables of each kind a check sees.
pub const N_TABLES: u64 = 20;

/// A table on which a case is judged.
pub struct Trial {
    /// Which table, as failures name it.
    pub label: String,
    /// The task.
    pub task: Task,
    /// The keyed rows with their targets.
    pub batch: Batch,
}

/// What a check says: `Ok(true)` if it applied, `Ok(false)` if the table cannot be fitted on.
pub type Verdict = Result<bool, String>;

/// Runs `check` for every case over seeded tables, tame and wild. A case fails by an error, by a
/// panic, or if the check applied to fewer than [`N_TABLES`] of its tables.
pub fn on_tables(check: impl Fn(&Case, &Trial) -> Verdict) {
    on_cases(|case| {
        let mut n_applied = 0;
        for seed in 0..2 * N_TABLES {
            let trial = trial(case, seed);
            let verdict = guarded(|| check(case, &trial)).map_err(|found| {
                let (label, task) = (&trial.label, trial.task);
                format!("{label}, task {task:?}: {found}")
            })?;
            n_applied += u64::from(verdict);
        }
        if n_applied < N_TABLES {
            return Err(format!("only {n_applied} of {} tables could be fitted on", 2 * N_TABLES));
        }
        Ok(())
    });
}

/// The table number `seed` for a case: the first [`N_TABLES`] are tame, the others wild.
pub fn trial(case: &Case, seed: u64) -> Trial {
    let task = case.task(seed);
    let (label, batch) = if seed < N_TABLES {
        let table = tables::example(seed, 40 + 3 * seed as usize);
        (format!("example table of seed {seed}"), table)
    } else {
        (format!("wild table of seed {seed}"), tables::wild(seed, 45))
    };
    let mut keyed = tables::keyed(&batch, task);
    if case.params.weighs() && seed % 3 == 2 {
        keyed = tables::weighted(&keyed, &batch);
    }
    let batch = keyed;
    Trial { label, task, batch }
}

/// Runs `check` for every case and reports each that fails.
///
/// # Panics
/// If one fails.
pub fn on_cases(check: impl Fn(&Case) -> Result<(), String>) {
    let mut failures = Vec::new();
    for case in cases() {
        if let Err(found) = guarded(|| check(&case)) {
            failures.push(format!("{}: {found}", case.name));
        }
    }
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// Runs `work`; a panic becomes an error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("without a message")))
    })
}
