//! Golden rows: training rows with what every stage made of them, re-scored at every load.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Column, Schema};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::math;
use crate::pipeline::{Pipeline, Plan};
use crate::trace::{StageDigest, Trace, expect_same, show_bits};

/// The artifact's self-test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The input columns of the rows, in schema order.
    columns: Vec<Stored>,
    /// What training made of them; `None` if there are no rows.
    trace: Option<Trace>,
    /// Their scores, row by row; missing where a row has a reason instead.
    scores: Vec<f64>,
}

/// A column as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Num(Vec<f64>),
    Text(Vec<Option<String>>),
    Time(Vec<i64>),
}

impl Golden {
    /// Records what the fitted pipeline makes of `raw`, and refuses if that is not what training
    /// saw.
    ///
    /// # Errors
    /// If scoring and training differ in a stage: a step is broken.
    pub(crate) fn record(
        config: &Config,
        pipeline: &Pipeline,
        raw: &Batch,
        seen: Vec<StageDigest>,
    ) -> Result<Self> {
        let plan = Plan::new(config, pipeline.clone())?;
        let (scores, found) = plan.trace(raw)?;
        expect_same(&Trace { stages: seen, ..found.clone() }, &found)?;
        Ok(Golden {
            columns: raw.columns().iter().map(Stored::from_column).collect(),
            trace: Some(found),
            scores: scores.all_values().to_vec(),
        })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.trace.as_ref().map_or(0, |trace| trace.n_rows as usize)
    }

    /// The rows as a batch.
    ///
    /// # Errors
    /// If the stored columns do not fit the schema or are not canonical.
    pub fn rows(&self, schema: &Arc<Schema>) -> Result<Batch> {
        if self.n_rows() == 0 && self.columns.is_empty() {
            return Ok(Batch::empty(schema));
        }
        let columns = self.columns.iter().map(Stored::to_column).collect::<Result<_>>()?;
        let batch = Batch::new(Arc::clone(schema), columns).map_err(|e| bad(&e.to_string()))?;
        if batch.n_rows() != self.n_rows() {
            return Err(bad(
                "expected a score for each golden row, found another number of scores",
            ));
        }
        Ok(batch)
    }

    /// Re-scores the rows.
    ///
    /// # Errors
    /// If a stage or a score is not the recorded one; the first is named.
    pub(crate) fn test(&self, plan: &Plan) -> Result<()> {
        let rows = self.rows(plan.input())?;
        let Some(expected) = &self.trace else {
            return if self.scores.is_empty() {
                Ok(())
            } else {
                Err(bad("expected a trace of the golden rows, found none"))
            };
        };
        let (scores, found) = plan.trace(&rows)?;
        expect_same(expected, &found)?;
        let found = scores.all_values();
        if found.len() != self.scores.len() {
            return Err(bad("the golden rows and their scores differ in number"));
        }
        for (at, (&score, &expected)) in found.iter().zip(&self.scores).enumerate() {
            if score.to_bits() != expected.to_bits() {
                let row = at / scores.width();
                return Err(Error::new(
                    Code::SelfTest,
                    format!("golden row {row} scores {}", show_bits(expected, score)),
                ));
            }
        }
        Ok(())
    }
}

fn bad(message: &str) -> Error {
    Error::new(Code::Malformed, message)
}

impl Stored {
    fn from_column(column: &Column) -> Self {
        match column {
            Column::Num(v) => Stored::Num(v.clone()),
            Column::Time(v) => Stored::Time(v.clone()),
            Column::Text(v) => {
                Stored::Text((0..v.len()).map(|row| v.get(row).map(str::to_owned)).collect())
            }
        }
    }

    fn to_column(&self) -> Result<Column> {
        match self {
            Stored::Num(v) => {
                if v.iter().any(|x| math::canonical(*x).to_bits() != x.to_bits()) {
                    return Err(bad("expected canonical numbers in golden rows, found another"));
                }
                Ok(Column::Num(v.clone()))
            }
            Stored::Time(v) => Ok(Column::Time(v.clone())),
            Stored::Text(v) => Ok(Column::text(v.iter().map(Option::as_deref))),
        }
    }
}
