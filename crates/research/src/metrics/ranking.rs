//! By which figures fits can be ranked, and which way is better.

use samescore_core::config::Task;
use samescore_core::error::{Code, Error, Result};

/// A figure by which fits can be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether more is better.
    pub is_higher_better: bool,
    /// What the truth must have for it to be defined.
    pub(crate) needs: Needs,
}

/// What the truth must have for a figure to be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A row.
    Rows,
    /// Two different values.
    TwoValues,
    /// A row of the positive class.
    Positive,
}

const fn rank_by(name: &'static str, is_higher_better: bool, needs: Needs) -> Metric {
    Metric { name, is_higher_better, needs }
}

/// The figures by which fits of a task can be ranked; the first is taken unless another is named.
/// Counts of a confusion are none of them: neither more nor less of one alone is better.
pub fn ranking(task: Task) -> &'static [Metric] {
    const REGRESSION: &[Metric] = &[
        rank_by("rmse", false, Needs::Rows),
        rank_by("mae", false, Needs::Rows),
        rank_by("r2", true, Needs::TwoValues),
    ];
    const BINARY: &[Metric] = &[
        rank_by("roc_auc", true, Needs::TwoValues),
        rank_by("pr_auc", true, Needs::Positive),
        rank_by("log_loss", false, Needs::Rows),
        rank_by("brier", false, Needs::Rows),
        rank_by("accuracy", true, Needs::Rows),
    ];
    const MULTICLASS: &[Metric] = &[
        rank_by("log_loss", false, Needs::Rows),
        rank_by("accuracy", true, Needs::Rows),
        rank_by("balanced_accuracy", true, Needs::Rows),
        rank_by("macro_f1", true, Needs::Rows),
    ];
    match task {
        Task::Regression => REGRESSION,
        Task::Binary => BINARY,
        Task::Multiclass => MULTICLASS,
    }
}

/// The figure of that name, or the first of the task.
///
/// # Errors
/// If fits of the task cannot be ranked by it.
pub fn named(task: Task, name: Option<&str>) -> Result<Metric> {
    let known = ranking(task);
    let Some(name) = name else {
        return Ok(known[0]);
    };
    known.iter().copied().find(|metric| metric.name == name).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|metric| metric.name).collect();
        let message = format!("expected a metric to rank by, {}, found `{name}`", names.join(", "));
        Error::new(Code::Usage, message)
    })
}
