//! Whether a row belongs to the rows that a model is for: at fit to keep it, at scoring to mark it.
//!
//! A row is inside if it meets every filter of the config; else the first filter that it does not
//! meet excludes it. A cell that could not be read has no value, so its filter judges it as a
//! missing one; such a row has a reason instead of a score in any case, and a fit refuses it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Column, MISSING_CODE, MISSING_TIME, TextColumn, read_num};
use crate::config::{Bound, MissingRows, RowFilter};
use crate::error::{Code, Error, Result};
use crate::math;

/// What a mark says of a row inside the population.
pub const INSIDE: &str = "in";
/// The place of no filter.
const NO_FILTER: u32 = u32::MAX;

/// How many rows each filter saw and kept, in the order of the filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PopulationCounts {
    /// By place of the filter.
    pub filters: Vec<FilterCounts>,
}

/// How many rows a filter saw, and how many of them it kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterCounts {
    /// Rows that met every filter before it.
    pub before: u64,
    /// Rows among them that meet it as well.
    pub after: u64,
}

impl PopulationCounts {
    /// No row yet; `None` without filters.
    pub fn new(filters: &[RowFilter]) -> Option<Self> {
        let counts = vec![FilterCounts::default(); filters.len()];
        (!filters.is_empty()).then_some(PopulationCounts { filters: counts })
    }

    /// Takes the rows of a block in.
    pub fn observe(&mut self, membership: &Membership) {
        let mut excluded = vec![0u64; self.filters.len()];
        for &filter in &membership.outside {
            if let Some(n) = excluded.get_mut(filter as usize) {
                *n += 1;
            }
        }
        let mut n_rows = membership.outside.len() as u64;
        for (counts, excluded) in self.filters.iter_mut().zip(excluded) {
            counts.before += n_rows;
            n_rows -= excluded;
            counts.after += n_rows;
        }
    }

    /// Takes in what `other` has observed.
    pub fn merge(&mut self, other: &Self) {
        for (a, b) in self.filters.iter_mut().zip(&other.filters) {
            a.before += b.before;
            a.after += b.after;
        }
    }

    /// The number of rows that came.
    pub fn n_before(&self) -> u64 {
        self.filters.first().map_or(0, |counts| counts.before)
    }

    /// The number of rows inside.
    pub fn n_after(&self) -> u64 {
        self.filters.last().map_or(0, |counts| counts.after)
    }

    /// Refuses a population of no row.
    ///
    /// # Errors
    /// If rows came and none is inside; the filter that left none is named by its column.
    pub fn check(&self, filters: &[RowFilter]) -> Result<()> {
        let emptied = self.filters.iter().zip(filters).find(|(n, _)| n.before > 0 && n.after == 0);
        let Some((counts, filter)) = emptied else {
            return Ok(());
        };
        let message = format!(
            "expected rows inside the population, found none of {} that came to this filter",
            counts.before
        );
        Err(Error::new(Code::TooFewRows, message).column(&filter.column))
    }

    /// Whether these can be the counts of a fit of `n_rows` rows.
    pub(crate) fn fits(&self, filters: &[RowFilter], n_rows: u64) -> bool {
        let falls = self.filters.iter().all(|counts| counts.after <= counts.before);
        let follows = self.filters.windows(2).all(|pair| pair[0].after == pair[1].before);
        self.filters.len() == filters.len() && falls && follows && n_rows <= self.n_after()
    }
}

/// Per row whether it is inside the population, and if not, which filter excludes it.
#[derive(Clone, Debug)]
pub struct Membership {
    columns: Arc<[String]>,
    /// Per row the place of the first filter that it does not meet.
    outside: Vec<u32>,
}

impl Membership {
    /// Judges every row of `batch`, which has the columns of the filters.
    ///
    /// # Errors
    /// If a column is absent or of another kind.
    pub fn of(filters: &[RowFilter], batch: &Batch) -> Result<Self> {
        let mut outside = vec![NO_FILTER; batch.n_rows()];
        for (place, filter) in filters.iter().enumerate() {
            let column = batch.column(batch.schema().required(&filter.column)?);
            let test = Test::new(filter, column)?;
            let place = u32::try_from(place).unwrap_or(NO_FILTER);
            let open = outside.iter_mut().enumerate().filter(|(_, of)| **of == NO_FILTER);
            open.filter(|(row, _)| !test.holds(*row)).for_each(|(_, of)| *of = place);
        }
        let columns = filters.iter().map(|filter| filter.column.clone()).collect();
        Ok(Membership { columns, outside })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.outside.len()
    }

    /// The place of the first filter that `row` does not meet; `None` if it is inside.
    pub fn filter(&self, row: usize) -> Option<usize> {
        self.outside.get(row).filter(|place| **place != NO_FILTER).map(|place| *place as usize)
    }

    /// The column of the first filter that `row` does not meet; `None` if it is inside.
    pub fn outside(&self, row: usize) -> Option<&str> {
        self.filter(row).and_then(|place| self.columns.get(place)).map(String::as_str)
    }

    /// The rows inside, ascending.
    pub fn inside(&self) -> Vec<usize> {
        (0..self.n_rows()).filter(|&row| self.filter(row).is_none()).collect()
    }

    /// The number of rows outside.
    pub fn n_outside(&self) -> u64 {
        self.outside.iter().filter(|place| **place != NO_FILTER).count() as u64
    }
}

/// The rows of `batch` that are inside the population, with the counts; the batch itself where no
/// filter leaves a row out.
///
/// # Errors
/// If a filter's column is absent or of another kind.
pub(super) fn keep<'a>(
    filters: &[RowFilter],
    batch: &'a Batch,
    counts: &mut Option<PopulationCounts>,
) -> Result<std::borrow::Cow<'a, Batch>> {
    let Some(counts) = counts else {
        return Ok(std::borrow::Cow::Borrowed(batch));
    };
    let membership = Membership::of(filters, batch)?;
    counts.observe(&membership);
    if membership.n_outside() == 0 {
        return Ok(std::borrow::Cow::Borrowed(batch));
    }
    Ok(std::borrow::Cow::Owned(batch.select(&membership.inside())))
}

/// A filter bound to the column that it looks at.
struct Test<'a> {
    keeps_missing: bool,
    values: Values<'a>,
}

enum Values<'a> {
    Num {
        values: &'a [f64],
        min: f64,
        max: f64,
        is: Option<Vec<f64>>,
        not: Vec<f64>,
    },
    Time {
        values: &'a [i64],
        min: i64,
        max: i64,
    },
    /// With whether each label of the block's dictionary is inside.
    Text {
        values: &'a TextColumn,
        inside: Vec<bool>,
    },
}

impl<'a> Test<'a> {
    fn new(filter: &RowFilter, column: &'a Column) -> Result<Self> {
        let wrong = |expected: &str| {
            let message = format!("expected {expected}, found {}", column.kind());
            Err(Error::new(Code::WrongKind, message).column(&filter.column))
        };
        let is_time = |bound: Option<Bound>| matches!(bound, Some(Bound::Time(_)));
        let is_num = |bound: Option<Bound>| matches!(bound, Some(Bound::Num(_)));
        let values = match column {
            Column::Num(values) => {
                if is_time(filter.min) || is_time(filter.max) {
                    return wrong("time");
                }
                let num = |bound: Option<Bound>, none: f64| match bound {
                    Some(Bound::Num(x)) => x,
                    _ => none,
                };
                let numbers = |labels: &[String]| -> Vec<f64> {
                    labels.iter().filter_map(|label| read_num(label)).collect()
                };
                let is = (!filter.is.is_empty()).then(|| numbers(&filter.is));
                let min = num(filter.min, f64::NEG_INFINITY);
                let max = num(filter.max, f64::INFINITY);
                Values::Num { values, min, max, is, not: numbers(&filter.not) }
            }
            Column::Time(values) => {
                if is_num(filter.min) || is_num(filter.max) {
                    return wrong("num");
                }
                let time = |bound: Option<Bound>, none: i64| match bound {
                    Some(Bound::Time(t)) => t,
                    _ => none,
                };
                let (min, max) = (time(filter.min, i64::MIN), time(filter.max, i64::MAX));
                Values::Time { values, min, max }
            }
            Column::Text(values) => {
                if filter.min.is_some() || filter.max.is_some() {
                    return wrong("num or time");
                }
                let (is, not) = (&filter.is, &filter.not);
                let inside = |level: &str| {
                    (is.is_empty() || is.iter().any(|label| label == level))
                        && !not.iter().any(|label| label == level)
                };
                Values::Text { values, inside: values.levels().map(inside).collect() }
            }
        };
        Ok(Test { keeps_missing: filter.missing == MissingRows::Keep, values })
    }

    fn holds(&self, row: usize) -> bool {
        match &self.values {
            Values::Num { values, min, max, is, not } => match values[row] {
                x if math::is_missing(x) => self.keeps_missing,
                x => {
                    x >= *min
                        && x <= *max
                        && is.as_ref().is_none_or(|is| is.contains(&x))
                        && !not.contains(&x)
                }
            },
            Values::Time { values, min, max } => match values[row] {
                MISSING_TIME => self.keeps_missing,
                t => (*min..=*max).contains(&t),
            },
            Values::Text { values, inside } => match values.codes()[row] {
                MISSING_CODE => self.keeps_missing,
                code => inside[code as usize],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{nums, table, texts};

    fn batch() -> Batch {
        let columns = [
            ("a", nums(&[17.0, 18.0, f64::NAN, 30.0, 120.5])),
            ("s", texts(&["x", "y", "x", "", "z"])),
            ("t", Column::Time(vec![-1, 0, 5, MISSING_TIME, 6])),
        ];
        table(&columns)
    }

    fn filter(column: &str) -> RowFilter {
        RowFilter::present(column)
    }

    fn inside(filters: &[RowFilter]) -> Vec<usize> {
        Membership::of(filters, &batch()).unwrap().inside()
    }

    #[test]
    fn each_condition_by_hand() {
        let keep = MissingRows::Keep;
        let num = |x: f64| Some(Bound::Num(x));
        let text = |labels: &[&str]| labels.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        assert_eq!(inside(&[filter("a")]), [0, 1, 3, 4]);
        let range = RowFilter { min: num(18.0), max: num(30.0), ..filter("a") };
        assert_eq!(inside(std::slice::from_ref(&range)), [1, 3]);
        assert_eq!(inside(&[RowFilter { missing: keep, ..range }]), [1, 2, 3]);
        assert_eq!(inside(&[RowFilter { is: text(&["17", "120.5"]), ..filter("a") }]), [0, 4]);
        assert_eq!(inside(&[RowFilter { not: text(&["17"]), ..filter("a") }]), [1, 3, 4]);
        assert_eq!(inside(&[RowFilter { is: text(&["x"]), ..filter("s") }]), [0, 2]);
        let not = RowFilter { not: text(&["x", "q"]), missing: keep, ..filter("s") };
        assert_eq!(inside(&[not]), [1, 3, 4]);
        let times = (Some(Bound::Time(0)), Some(Bound::Time(5)));
        let range = RowFilter { min: times.0, max: times.1, ..filter("t") };
        assert_eq!(inside(&[range]), [1, 2]);
        assert_eq!(inside(&[]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_first_filter_that_excludes_a_row_is_told_and_counted() {
        let adult = RowFilter { min: Some(Bound::Num(18.0)), ..filter("a") };
        let filters = [adult, filter("s")];
        let membership = Membership::of(&filters, &batch()).unwrap();
        let marks: Vec<Option<&str>> = (0..5).map(|row| membership.outside(row)).collect();
        assert_eq!(marks, [Some("a"), None, Some("a"), Some("s"), None]);
        let mut counts = PopulationCounts::new(&filters).unwrap();
        counts.observe(&membership);
        let expected = [FilterCounts { before: 5, after: 3 }, FilterCounts { before: 3, after: 2 }];
        assert_eq!(counts.filters, expected);
        assert_eq!((counts.n_before(), counts.n_after()), (5, 2));
        assert!(counts.fits(&filters, 2) && !counts.fits(&filters, 3));
        // Blocks and their order cannot matter.
        let mut parts = PopulationCounts::new(&filters).unwrap();
        for rows in [&[3, 4][..], &[0, 1, 2]] {
            let mut part = PopulationCounts::new(&filters).unwrap();
            part.observe(&Membership::of(&filters, &batch().select(rows)).unwrap());
            parts.merge(&part);
        }
        assert_eq!(parts, counts);
        assert_eq!(PopulationCounts::new(&[]), None);
    }

    #[test]
    fn a_population_of_no_row_names_the_filter() {
        let none = RowFilter { min: Some(Bound::Num(1e9)), ..filter("a") };
        let filters = [filter("s"), none];
        let mut counts = PopulationCounts::new(&filters).unwrap();
        counts.observe(&Membership::of(&filters, &batch()).unwrap());
        assert_eq!(
            counts.check(&filters).unwrap_err().to_string(),
            "column `a`: expected rows inside the population, found none of 4 that came to this \
             filter"
        );
    }

    #[test]
    fn an_absent_column_and_another_kind_are_refused() {
        let error = Membership::of(&[filter("b")], &batch()).unwrap_err();
        assert_eq!(error.to_string(), "column `b`: expected it, found a, s, t");
        let min = Some(Bound::Num(0.0));
        for (column, found) in [("s", "num or time, found text"), ("t", "num, found time")] {
            let error = Membership::of(&[RowFilter { min, ..filter(column) }], &batch());
            let expected = format!("column `{column}`: expected {found}");
            assert_eq!(error.unwrap_err().to_string(), expected);
        }
    }
}
