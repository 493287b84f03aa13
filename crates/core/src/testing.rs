//! What the unit tests of kinds share: small tables, a fit and an apply without a whole pipeline.

use std::sync::Arc;

use crate::aggregate::{MemoryRows, Rows};
use crate::batch::{Batch, Column, Field, RowKeyer, Schema, fit_keys};
use crate::config::Task;
use crate::error::Result;
use crate::rng::Seed;
use crate::step::{FitContext, FitTransform, Transform};

/// A numeric column; NaN is missing.
pub(crate) fn nums(values: &[f64]) -> Column {
    Column::num(values.iter().copied())
}

/// A text column; the empty string is missing.
pub(crate) fn texts(values: &[&str]) -> Column {
    Column::text(values.iter().map(|v| if v.is_empty() { None } else { Some(*v) }))
}

/// A keyed table with targets 0.
pub(crate) fn table(columns: &[(&str, Column)]) -> Batch {
    let n_rows = columns.first().map_or(0, |(_, c)| c.len());
    table_with_target(columns, &vec![0.0; n_rows])
}

/// A keyed table.
pub(crate) fn table_with_target(columns: &[(&str, Column)], target: &[f64]) -> Batch {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.kind()));
    let schema = Arc::new(Schema::new(fields).unwrap());
    let columns = columns.iter().map(|(_, column)| column.clone()).collect();
    let mut batch = Batch::new(Arc::clone(&schema), columns).unwrap();
    RowKeyer::new(&schema, &[]).unwrap().key(&mut batch);
    let keys = fit_keys(batch.keys().to_vec(), target, &[]);
    batch.set_target(target.to_vec(), keys);
    batch
}

fn slots(batch: &Batch, columns: &[&str]) -> Vec<usize> {
    columns.iter().map(|name| batch.schema().slot(name).unwrap()).collect()
}

/// Fits `params` as step `step` with seed 7 for regression.
pub(crate) fn fit<P: FitTransform>(
    params: &P,
    table: &Batch,
    columns: &[&str],
) -> Result<P::Fitted> {
    params.validate()?;
    let rows = MemoryRows::from_batch(table.clone());
    let rows: &dyn Rows = &rows;
    let mut slots = slots(table, columns);
    for name in params.references() {
        slots.push(table.schema().slot(&name)?);
    }
    let schema = Arc::clone(table.schema());
    let task = Task::Regression;
    let ctx = FitContext::new("step", Seed(7), task, &schema, &slots);
    params.fit(rows, &ctx)
}

/// What a fitted transform makes of a table; `columns` are the step's columns, then its references.
pub(crate) fn apply<T: Transform>(fitted: &T, table: &Batch, columns: &[&str]) -> Batch {
    let mut batch = table.clone();
    let slots = slots(table, columns);
    let schema = Arc::new(fitted.output(table.schema(), &slots).unwrap());
    fitted.apply(&mut batch, &slots).unwrap();
    batch.set_schema(&schema);
    batch
}
