//! The figures of rows that a fitted plan scores.

use std::collections::BTreeMap;

use samescore_core::aggregate::Rows;
use samescore_core::batch::Batch;
use samescore_core::config::Config;
use samescore_core::error::{Error, Result};
use samescore_core::par;
use samescore_core::pipeline::Plan;

use crate::metrics::{self, Cases, Metric};

/// How many rows got no score, and the figures of the others: those of every fit, that of the
/// model's loss, and those of `also`. Each row counts its weight, if the config names a column.
///
/// # Errors
/// If a block cannot be read.
pub(crate) fn judge(
    config: &Config,
    plan: &Plan,
    rows: &dyn Rows,
    also: &[Metric],
) -> Result<(u64, BTreeMap<String, f64>)> {
    let judged = score(plan, rows)?;
    let target = &config.target;
    let own = config.model.target_loss().map(Metric::of_loss);
    let also: Vec<Metric> = own.into_iter().chain(also.iter().copied()).collect();
    let cases = Cases::new(&judged.truth, &judged.scores, target.n_outputs());
    let cases = cases.weighing(&judged.weights);
    let figures = metrics::decided(target.task, &cases, plan.threshold(), &also);
    Ok((judged.n_unscored, figures))
}

/// What is known of the rows that got a score, and how many got none.
#[derive(Default)]
struct Judged {
    truth: Vec<f64>,
    /// One per class of several.
    scores: Vec<f64>,
    /// None where each counts one.
    weights: Vec<f64>,
    n_unscored: u64,
}

impl Judged {
    /// Adds the rows of a block.
    fn take(&mut self, plan: &Plan, block: &Batch) -> Result<()> {
        let scores = plan.score(block)?;
        for (row, &y) in block.target().iter().enumerate() {
            match scores.values(row) {
                Ok(values) => {
                    self.truth.push(y);
                    self.scores.extend_from_slice(values);
                    self.weights.extend(block.weights().get(row));
                }
                Err(_) => self.n_unscored += 1,
            }
        }
        Ok(())
    }
}

fn score(plan: &Plan, rows: &dyn Rows) -> Result<Judged> {
    let judge = |index| {
        let (mut part, mut judged) = (Judged::default(), Ok(()));
        rows.with_block(index, &mut |block| judged = part.take(plan, block))?;
        judged.map(|()| part)
    };
    let mut all = Judged::default();
    par::in_waves(rows.n_blocks(), judge, |part: Result<Judged>| {
        let part = part?;
        all.truth.extend(part.truth);
        all.scores.extend(part.scores);
        all.weights.extend(part.weights);
        all.n_unscored += part.n_unscored;
        Ok::<bool, Error>(true)
    })?;
    Ok(all)
}
