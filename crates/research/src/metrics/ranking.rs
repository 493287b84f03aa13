//! By which figures fits can be ranked, and which way is better.

use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_core::step::TargetLoss;

use super::cases::Cases;
use super::regression;

/// A figure by which fits can be ranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether more is better.
    pub is_higher_better: bool,
    /// What the truth must have for it to be defined.
    pub(crate) needs: Needs,
    of: Of,
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
    /// No value of 0.
    NoZero,
    /// No value below 0.
    NoneBelowZero,
    /// Values above 0.
    AllAboveZero,
}

/// Who takes the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    /// It is among those of every fit for the task.
    Task,
    /// It is taken of models with that loss, or if it is asked for.
    Loss(TargetLoss),
    /// It is taken if it is asked for.
    Percentage,
}

const fn rank_by(name: &'static str, is_higher_better: bool, needs: Needs) -> Metric {
    Metric { name, is_higher_better, needs, of: Of::Task }
}

const fn lowest(name: &'static str, needs: Needs, of: Of) -> Metric {
    Metric { name, is_higher_better: false, needs, of }
}

const PERCENTAGE: Metric = lowest("mape", Needs::NoZero, Of::Percentage);

impl Metric {
    /// The figure; `None` where it is not defined, or where every fit for the task has it.
    pub(super) fn figure(&self, cases: &Cases<'_>) -> Option<f64> {
        match self.of {
            Of::Task => None,
            Of::Percentage => regression::mean_absolute_percentage_error(cases),
            Of::Loss(TargetLoss::Quantile(q)) => Some(regression::pinball(cases, q)),
            Of::Loss(TargetLoss::Poisson) => regression::poisson_deviance(cases),
            Of::Loss(TargetLoss::Gamma) => regression::gamma_deviance(cases),
            Of::Loss(TargetLoss::Tweedie(power)) => regression::tweedie_deviance(cases, power),
        }
    }

    /// The figure that says what a model with that loss is for.
    pub fn of_loss(loss: TargetLoss) -> Metric {
        let of = Of::Loss(loss);
        match loss {
            TargetLoss::Quantile(_) => lowest("pinball", Needs::Rows, of),
            TargetLoss::Poisson => lowest("poisson_deviance", Needs::NoneBelowZero, of),
            TargetLoss::Gamma => lowest("gamma_deviance", Needs::AllAboveZero, of),
            TargetLoss::Tweedie(power) if power >= 2.0 => {
                lowest("tweedie_deviance", Needs::AllAboveZero, of)
            }
            TargetLoss::Tweedie(_) => lowest("tweedie_deviance", Needs::NoneBelowZero, of),
        }
    }
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

/// All by which fits of a config can be ranked: those of its task, that of its model's loss, and of
/// a number also those that have no parameter.
fn known(config: &Config) -> Vec<Metric> {
    let task = config.target.task;
    let mut known = ranking(task).to_vec();
    if task == Task::Regression {
        known.extend(config.model.target_loss().map(Metric::of_loss));
        let others = [TargetLoss::Poisson, TargetLoss::Gamma].map(Metric::of_loss);
        for other in others.into_iter().chain([PERCENTAGE]) {
            if known.iter().all(|metric| metric.name != other.name) {
                known.push(other);
            }
        }
    }
    known
}

/// The figure of that name, or the first of the task.
///
/// # Errors
/// If fits of the config cannot be ranked by it.
pub fn named(config: &Config, name: Option<&str>) -> Result<Metric> {
    let known = known(config);
    let Some(name) = name else {
        return Ok(known[0]);
    };
    known.iter().copied().find(|metric| metric.name == name).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|metric| metric.name).collect();
        let message = format!("expected a metric to rank by, {}, found `{name}`", names.join(", "));
        Error::new(Code::Usage, message)
    })
}

/// The figures of those names.
///
/// # Errors
/// As [`named`].
pub fn all_named(config: &Config, names: &[String]) -> Result<Vec<Metric>> {
    names.iter().map(|name| named(config, Some(name))).collect()
}
