//! One step alone: a fit over blocks, and what the fitted state makes of a batch, cell by cell.

use std::sync::{Arc, OnceLock};

use samescore_core::aggregate::MemoryRows;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema};
use samescore_core::codec;
use samescore_core::config::Task;
use samescore_core::digest::{Digest, Hasher};
use samescore_core::error::Result;
use samescore_core::example::CLASSES;
use samescore_core::math;
use samescore_core::models::AnyModel;
use samescore_core::par::Threads;
use samescore_core::rng::Seed;
use samescore_core::selectors::AnySelector;
use samescore_core::step::{FitContext, Transform};
use samescore_core::transforms::AnyTransform;
use serde::{Deserialize, Serialize};

use super::cases::{Case, STEP};

/// The fitted state of any room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "a few at a time")]
pub enum State {
    Transform(AnyTransform),
    Selector(AnySelector),
    Model(AnyModel),
}

/// One cell by its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Num(u64),
    Text(Option<String>),
    Time(i64),
}

/// What a state makes of a batch: per row its cells and its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub schema: Schema,
    pub rows: Vec<(Vec<Cell>, Option<String>)>,
}

/// The positions of the case's columns, then of its references.
pub fn slots(case: &Case, schema: &Schema) -> Result<Vec<usize>> {
    let mut slots = case.columns.resolve(schema, case.params.accepts())?;
    for name in case.params.references() {
        slots.push(schema.slot(&name)?);
    }
    Ok(slots)
}

/// Fits the case by itself.
pub fn fit(case: &Case, task: Task, rows: &MemoryRows, seed: Seed) -> Result<State> {
    use samescore_core::aggregate::Rows;
    let schema = Arc::clone(rows.schema());
    let slots = slots(case, &schema)?;
    let ctx = FitContext::new(STEP, seed, task, &schema, &slots);
    let ctx = match task {
        Task::Multiclass => ctx.classes(CLASSES.len() as u32),
        _ => ctx,
    };
    case.params.fit(rows, &ctx)
}

impl State {
    /// The canonical bytes.
    pub fn bytes(&self) -> Vec<u8> {
        codec::encode(self).expect("every state can be stored")
    }

    /// The schema behind the step, known without data. A model gives one number.
    pub fn output(&self, schema: &Schema, slots: &[usize]) -> Result<Schema> {
        match self {
            State::Transform(t) => t.output(schema, slots),
            State::Selector(s) => Transform::output(s.selection(), schema, slots),
            State::Model(m) => {
                let features = slots.iter().map(|&slot| schema.fields()[slot].clone());
                m.check(&Schema::new(features)?)?;
                let named = (0..m.n_outputs()).map(|class| match class {
                    0 => "score".to_owned(),
                    _ => format!("score {class}"),
                });
                Schema::new(named.map(|name| Field::new(name, ColumnKind::Num)))
            }
        }
    }

    /// The columns that the step makes of a batch, which is left as the step leaves it.
    pub fn apply_to(&self, batch: &mut Batch, slots: &[usize]) -> Result<Vec<Column>> {
        match self {
            State::Transform(t) => t.apply(batch, slots)?,
            State::Selector(s) => Transform::apply(s.selection(), batch, slots)?,
            State::Model(m) => {
                let width = m.n_outputs();
                let mut scores = vec![0.0; batch.n_rows() * width];
                m.predict(batch, slots, &mut scores)?;
                // As the door does: a score is canonical, and a row with a fault has none.
                let score = |row: usize, class: usize| match batch.has_fault(row) {
                    true => math::MISSING,
                    false => math::canonical(scores[row * width + class]),
                };
                let column =
                    |class| Column::Num((0..batch.n_rows()).map(|r| score(r, class)).collect());
                return Ok((0..width).map(column).collect());
            }
        }
        Ok(batch.columns().to_vec())
    }

    /// What the state makes of a batch.
    pub fn apply(&self, case: &Case, batch: &Batch) -> Result<Output> {
        let slots = slots(case, batch.schema())?;
        let schema = self.output(batch.schema(), &slots)?;
        let mut batch = batch.clone();
        let columns = self.apply_to(&mut batch, &slots)?;
        let rows = (0..batch.n_rows()).map(|row| {
            let cells = columns.iter().map(|column| cell(column, row)).collect();
            let fault = batch.faults().get(&(row as u32));
            (cells, fault.map(ToString::to_string))
        });
        let rows = rows.collect();
        Ok(Output { schema, rows })
    }
}

pub fn cell(column: &Column, row: usize) -> Cell {
    match column {
        Column::Num(v) => Cell::Num(v[row].to_bits()),
        Column::Text(v) => Cell::Text(v.get(row).map(str::to_owned)),
        Column::Time(v) => Cell::Time(v[row]),
    }
}

impl Output {
    /// The rows at `places`.
    pub fn pick(&self, places: &[usize]) -> Output {
        Output {
            schema: self.schema.clone(),
            rows: places.iter().map(|&i| self.rows[i].clone()).collect(),
        }
    }

    /// The first difference in words.
    pub fn expect(&self, found: &Output, what: &str) -> Result<(), String> {
        if self.schema != found.schema {
            return Err(format!("{what}: the schema differs"));
        }
        if self.rows.len() != found.rows.len() {
            let (n, m) = (self.rows.len(), found.rows.len());
            return Err(format!("{what}: expected {n} rows, found {m}"));
        }
        for (row, (a, b)) in self.rows.iter().zip(&found.rows).enumerate() {
            if a != b {
                let name = |slot: usize| self.schema.fields()[slot].name.as_str();
                let place = (0..a.0.len()).find(|&slot| a.0.get(slot) != b.0.get(slot));
                let place = place.map_or("fault", name);
                return Err(format!("{what}: row {row}: {place}: {a:?} against {b:?}"));
            }
        }
        Ok(())
    }

    /// The digest of schema, cells and faults in order.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new("samescore core suite output");
        for field in self.schema.fields() {
            hasher.str(&field.name).str(&field.kind.to_string());
        }
        for (cells, fault) in &self.rows {
            for cell in cells {
                match cell {
                    Cell::Num(bits) => hasher.u64(*bits),
                    Cell::Text(label) => hasher.str(&format!("{label:?}")),
                    Cell::Time(t) => hasher.i64(*t),
                };
            }
            hasher.str(fault.as_deref().unwrap_or_default());
        }
        hasher.finish()
    }
}

/// 1, 2 or 8 threads, started once.
pub fn threads(n: usize) -> &'static Threads {
    static POOLS: OnceLock<[Threads; 3]> = OnceLock::new();
    let start = |n| Threads::new(n).expect("threads can be started");
    let pools = POOLS.get_or_init(|| [start(1), start(2), start(8)]);
    match n {
        1 => &pools[0],
        2 => &pools[1],
        _ => &pools[2],
    }
}
