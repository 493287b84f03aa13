//! Whether a model can do a task, and what in it cannot.

use super::target::task_name;
use super::{MODEL_STEP, Task};
use crate::error::{Code, Error, Result};
use crate::models::ModelParams;

/// # Errors
/// If it cannot, naming the parameter or the estimator that is the reason.
pub(super) fn check(model: &ModelParams, task: Task) -> Result<()> {
    if model.tasks().contains(&task) {
        return Ok(());
    }
    let known: Vec<String> = model.tasks().iter().map(|&task| task_name(task)).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(" or ") };
    let found = task_name(task);
    let message =
        format!("expected task {known} for `{}`{}, found {found}", model.kind(), why(model, task));
    Err(Error::new(Code::BadTarget, message).step(MODEL_STEP))
}

/// What of the params decides about the task.
fn why(model: &ModelParams, task: Task) -> String {
    let estimators = model.estimators();
    if let Some(culprit) = estimators.iter().find(|e| !e.tasks().contains(&task)) {
        return format!(" of `{}`{}", culprit.kind(), why(culprit, task));
    }
    model.task_reason()
}
