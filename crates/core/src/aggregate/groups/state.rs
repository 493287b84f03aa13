//! What is known of each group: an exact, mergeable state per new column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::GroupFunc;
use crate::aggregate::{Aggregate, Slots};
use crate::batch::{Batch, Column, MISSING_CODE, MISSING_TIME, Schema};
use crate::math::{self, DistinctCounts, ExactSum, Moments, QuantileType};

/// A value with a total order among those of its column: missing is the largest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cell {
    /// By its order key.
    Num(u64),
    Time(i64),
    Text(String),
    Missing,
}

impl Cell {
    fn of(column: &Column, row: usize) -> Self {
        match column {
            Column::Num(v) if math::is_missing(v[row]) => Cell::Missing,
            Column::Num(v) => Cell::Num(math::order_key(v[row])),
            Column::Time(v) if v[row] == MISSING_TIME => Cell::Missing,
            Column::Time(v) => Cell::Time(v[row]),
            Column::Text(v) => v.get(row).map_or(Cell::Missing, |label| Cell::Text(label.into())),
        }
    }

    /// Appends the value to a column of its kind.
    fn push(&self, column: &mut Column) {
        match (column, self) {
            (Column::Num(v), Cell::Num(key)) => v.push(math::from_order_key(*key)),
            (Column::Time(v), Cell::Time(t)) => v.push(*t),
            (Column::Text(v), Cell::Text(label)) => v.push(Some(label)),
            (column, _) => crate::batch::push_missing(column),
        }
    }
}

/// A new column: its function, bound to positions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    func: GroupFunc,
    of: Option<u32>,
    order: Option<u32>,
    q: Option<f64>,
}

impl Part {
    pub(super) fn new(
        func: GroupFunc,
        of: Option<usize>,
        order: Option<usize>,
        q: Option<f64>,
    ) -> Self {
        let place = |slot: usize| u32::try_from(slot).unwrap_or(u32::MAX);
        Part { func, of: of.map(place), order: order.map(place), q }
    }

    fn start(&self) -> State {
        match self.func {
            GroupFunc::Count => State::Count(0),
            GroupFunc::Sum | GroupFunc::Mean => State::Sum(ExactSum::new()),
            GroupFunc::Min | GroupFunc::Max => State::Extreme(None),
            GroupFunc::Var => State::Moments(Moments::new()),
            GroupFunc::First | GroupFunc::Last => State::End(None),
            GroupFunc::Quantile => State::Values(DistinctCounts::new()),
        }
    }

    /// Whether the function prefers large values to small ones.
    fn is_upper(&self) -> bool {
        matches!(self.func, GroupFunc::Max | GroupFunc::Last)
    }

    /// Takes the rows `rows` of one group in.
    fn observe(&self, state: &mut State, block: &Batch, rows: &[u32]) {
        let of = self.of.map(|slot| block.column(slot as usize));
        let numbers = || match of {
            Some(Column::Num(values)) => rows.iter().map(|&row| values[row as usize]).collect(),
            _ => Vec::new(),
        };
        match state {
            State::Count(n) => {
                let has = |row: &&u32| of.is_none_or(|column| !column.is_missing(**row as usize));
                *n += rows.iter().filter(has).count() as u64;
            }
            State::Sum(sum) => {
                let values: Vec<f64> = numbers();
                values.into_iter().filter(|x| !math::is_missing(*x)).for_each(|x| sum.add(x));
            }
            State::Moments(moments) => {
                let values: Vec<f64> = numbers();
                values.into_iter().for_each(|x| moments.observe(x));
            }
            State::Values(counts) => counts.observe_slice(&numbers()),
            State::Extreme(extreme) => {
                let Some(column) = of else { return };
                let cells = rows.iter().map(|&row| Cell::of(column, row as usize));
                let cells = cells.filter(|cell| *cell != Cell::Missing);
                cells.for_each(|cell| keep(extreme, cell, self.is_upper()));
            }
            State::End(end) => {
                let order = self.order.map(|slot| block.column(slot as usize));
                let (Some(column), Some(order)) = (of, order) else { return };
                for row in rows.iter().map(|&row| row as usize) {
                    if !column.is_missing(row) && !order.is_missing(row) {
                        let pair = (Cell::of(order, row), Cell::of(column, row));
                        keep(end, pair, self.is_upper());
                    }
                }
            }
        }
    }

    fn finish(&self, state: &State, column: &mut Column) {
        let num = |x: f64| match math::is_missing(x) {
            true => Cell::Missing,
            false => Cell::Num(math::order_key(x)),
        };
        let cell = match state {
            State::Count(n) => num(*n as f64),
            State::Sum(sum) => {
                let (_, plus, minus) = sum.special_counts();
                match sum.count() + plus + minus {
                    0 => Cell::Missing,
                    n if self.func == GroupFunc::Mean => num(math::mean(sum, n)),
                    _ => num(sum.round()),
                }
            }
            State::Moments(moments) => num(moments.variance(1).unwrap_or(math::MISSING)),
            State::Values(counts) => {
                let q = self.q.unwrap_or_default();
                let found = math::quantile_counted(&counts.finish(), q, QuantileType::Linear);
                num(found.unwrap_or(math::MISSING))
            }
            State::Extreme(extreme) => extreme.clone().unwrap_or(Cell::Missing),
            State::End(end) => end.as_ref().map_or(Cell::Missing, |(_, value)| value.clone()),
        };
        cell.push(column);
    }
}

/// What one group has of one new column so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Count(u64),
    Sum(ExactSum),
    Moments(Moments),
    Values(DistinctCounts),
    Extreme(Option<Cell>),
    /// Order and value.
    End(Option<(Cell, Cell)>),
}

impl State {
    fn merge(&mut self, other: &State, is_upper: bool) {
        match (self, other) {
            (State::Count(a), State::Count(b)) => *a += b,
            (State::Sum(a), State::Sum(b)) => a.merge(b),
            (State::Moments(a), State::Moments(b)) => a.merge(b),
            (State::Values(a), State::Values(b)) => a.merge(b),
            (State::Extreme(a), State::Extreme(Some(b))) => keep(a, b.clone(), is_upper),
            (State::End(a), State::End(Some(b))) => keep(a, b.clone(), is_upper),
            _ => {}
        }
    }
}

/// Keeps the larger or the smaller of what is kept and what comes.
fn keep<T: Ord>(kept: &mut Option<T>, found: T, is_upper: bool) {
    let is_better = |old: &T| if is_upper { found > *old } else { found < *old };
    if kept.as_ref().is_none_or(is_better) {
        *kept = Some(found);
    }
}

/// The states of all groups by key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Groups {
    by: Slots,
    parts: Vec<Part>,
    groups: BTreeMap<Vec<Cell>, Vec<State>>,
    /// The first row of the source with a cell that could not be read.
    first_unreadable: Option<u64>,
}

impl Groups {
    pub(super) fn new(by: &[usize], parts: Vec<Part>) -> Self {
        let groups = BTreeMap::new();
        Groups { by: Slots::new(by), parts, groups, first_unreadable: None }
    }

    pub(super) fn first_unreadable(&self) -> Option<u64> {
        self.first_unreadable
    }

    /// The columns of the result; `input` is the schema of the rows.
    pub(super) fn finish(&self, input: &Schema) -> Vec<Column> {
        let of_kind = |slot: usize| Column::empty(input.fields()[slot].kind);
        let mut keys: Vec<Column> = self.by.iter().map(of_kind).collect();
        let empty = |part: &Part| match (part.func, part.of) {
            (GroupFunc::Min | GroupFunc::Max | GroupFunc::First | GroupFunc::Last, Some(slot)) => {
                of_kind(slot as usize)
            }
            _ => Column::Num(Vec::new()),
        };
        let mut made: Vec<Column> = self.parts.iter().map(empty).collect();
        for (key, states) in &self.groups {
            keys.iter_mut().zip(key).for_each(|(column, cell)| cell.push(column));
            for ((part, state), column) in self.parts.iter().zip(states).zip(&mut made) {
                part.finish(state, column);
            }
        }
        keys.extend(made);
        keys
    }

    fn note_unreadable(&mut self, row: u64) {
        self.first_unreadable = Some(self.first_unreadable.map_or(row, |first| first.min(row)));
    }
}

/// Per row a number that is equal for equal values of a column of one block, and only for these.
fn ranks(column: &Column) -> Vec<u64> {
    match column {
        Column::Num(v) => v.iter().map(|&x| math::order_key(x)).collect(),
        Column::Time(v) => v.iter().map(|&t| t as u64).collect(),
        Column::Text(v) => {
            let code = |&code: &u32| if code == MISSING_CODE { u64::MAX } else { u64::from(code) };
            v.codes().iter().map(code).collect()
        }
    }
}

impl Aggregate for Groups {
    fn observe(&mut self, block: &Batch) {
        if let Some((&row, _)) = block.faults().first_key_value() {
            self.note_unreadable(block.source_row(row as usize));
        }
        // Rows of one group stand together, so that a group is looked up once per block.
        let ranks: Vec<Vec<u64>> = self.by.iter().map(|slot| ranks(block.column(slot))).collect();
        let key = |row: u32| ranks.iter().map(move |ranks| ranks[row as usize]);
        let order = math::argsort_by(block.n_rows(), |a, b| key(a).cmp(key(b)));
        for rows in order.chunk_by(|a, b| key(*a).eq(key(*b))) {
            let cells = self.by.iter().map(|slot| Cell::of(block.column(slot), rows[0] as usize));
            let start = || self.parts.iter().map(Part::start).collect();
            let states = self.groups.entry(cells.collect()).or_insert_with(start);
            for (part, state) in self.parts.iter().zip(states) {
                part.observe(state, block, rows);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        if let Some(row) = other.first_unreadable {
            self.note_unreadable(row);
        }
        for (key, states) in &other.groups {
            match self.groups.get_mut(key) {
                None => {
                    self.groups.insert(key.clone(), states.clone());
                }
                Some(mine) => {
                    for ((part, a), b) in self.parts.iter().zip(mine).zip(states) {
                        a.merge(b, part.is_upper());
                    }
                }
            }
        }
    }
}
