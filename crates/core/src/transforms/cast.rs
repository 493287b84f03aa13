//! Changes the kind of columns: numbers, text and times into one another.
//!
//! # Method
//! The readers and writers are those of the data door, so a column cast in the pipeline holds what
//! it would hold if it had been declared so. Nothing is learned.
//!
//! - text to num: a decimal, correctly rounded (`1.5`, `-2e-7`, `inf`); no blanks around it, no
//!   `nan`.
//! - num to text: the shortest decimal that reads back to the same bits, whole numbers without a
//!   point.
//! - text to time: by `format`, either `iso` or a pattern of `%Y %m %d %H %M %S %f`; UTC if no zone
//!   is written.
//! - time to text: `2010-05-01T13:30:00Z`, with six decimals if the second has a fraction.
//! - time to num: by `unit`. `year`, `month` (1 to 12) and `day` (1 to 31) are parts of the UTC
//!   date; `days` and `seconds` are whole ones since 1970-01-01T00:00:00Z, rounded down.
//! - num to time is refused: a number does not say what it counts. A column that has the kind
//!   already stays as it is.
//!
//! # Shape
//! Columns of any kind in, columns of kind `to` of the same names out, in place.
//!
//! # Missing
//! Stays missing.
//!
//! # Ties and order
//! None.
//!
//! # Errors
//! Text that cannot be read follows `errors`: `raise` gives the row a reason instead of a score (at
//! fit it is an error), `missing` makes it missing. Casting num to time, or time to num without
//! `unit`, is refused before any row is seen.
//!
//! # Example
//! `to = "text"` makes 20 the label `20`; `to = "num"`, `unit = "year"` makes 2010-05-01 the number
//! 2010.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{
    Batch, Column, ColumnKind, MISSING_CODE, MISSING_TIME, Schema, TimeFormat, civil_date,
    parse_num, parse_time, read_num, read_time, write_num, write_time,
};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The kind to change to, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CastParams {
    /// The kind to change to.
    pub to: ColumnKind,
    /// What becomes of text that cannot be read.
    pub errors: CastErrors,
    /// How times are written in text that becomes time.
    pub format: TimeFormat,
    /// What a time that becomes a number counts.
    pub unit: Option<CastUnit>,
}

/// What becomes of text that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastErrors {
    /// The row gets a reason instead of a score.
    #[default]
    Raise,
    /// The value is missing.
    Missing,
}

/// What a time that becomes a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastUnit {
    /// The year of the UTC date.
    Year,
    /// The month of the UTC date, 1 to 12.
    Month,
    /// The day of the month of the UTC date, 1 to 31.
    Day,
    /// Whole days since 1970-01-01, rounded down.
    Days,
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    Seconds,
}

impl Default for CastParams {
    fn default() -> Self {
        CastParams {
            to: ColumnKind::Text,
            errors: CastErrors::default(),
            format: TimeFormat::default(),
            unit: None,
        }
    }
}

impl FitTransform for CastParams {
    type Fitted = Cast;

    fn validate(&self) -> Result<()> {
        self.format.validate()
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num, ColumnKind::Text, ColumnKind::Time]
    }

    fn fit(&self, _rows: &dyn Rows, _ctx: &FitContext<'_>) -> Result<Cast> {
        Ok(self.state())
    }

    fn made(&self, fitted: &Cast, _: &[String]) -> bool {
        *fitted == self.state()
    }

    fn examples() -> Vec<Example<Self>> {
        let number = |unit| CastParams {
            to: ColumnKind::Num,
            errors: CastErrors::Missing,
            unit,
            ..Default::default()
        };
        vec![
            Example::on(&["fare", "rooms", "seen"], CastParams::default()),
            Example::on(&["seen"], number(Some(CastUnit::Year))),
            Example::on(&["age", "deck"], number(None)),
        ]
    }
}

impl CastParams {
    fn state(&self) -> Cast {
        Cast { to: self.to, errors: self.errors, format: self.format.clone(), unit: self.unit }
    }
}

/// Nothing is learned; the rules as the params give them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    to: ColumnKind,
    errors: CastErrors,
    format: TimeFormat,
    unit: Option<CastUnit>,
}

impl Transform for Cast {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        self.format.validate()?;
        for &slot in slots {
            let field = &input.fields()[slot];
            self.check(field.kind).map_err(|e| e.column(&field.name))?;
        }
        Ok(input.with_kind(slots, self.to))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for &slot in slots {
            let output = match (batch.column(slot).kind(), self.to) {
                (ColumnKind::Text, ColumnKind::Num) => self.text_to_num(batch, slot),
                (ColumnKind::Text, ColumnKind::Time) => self.text_to_time(batch, slot),
                (ColumnKind::Num | ColumnKind::Time, ColumnKind::Text) => to_text(batch, slot),
                (ColumnKind::Time, ColumnKind::Num) => self.time_to_num(batch, slot),
                // The kind is there already; num to time has no output schema.
                _ => continue,
            };
            batch.replace(slot, output);
        }
        Ok(())
    }
}

impl Cast {
    /// Refuses a cast that has no meaning.
    fn check(&self, from: ColumnKind) -> Result<()> {
        match (from, self.to, self.unit) {
            (ColumnKind::Num, ColumnKind::Time, _) => Err(Error::new(
                Code::ColumnKindMismatch,
                "expected text or time to cast to time, found num",
            )
            .remedy("declare the column as time, or cast it to text and then by its `format`")),
            (ColumnKind::Time, ColumnKind::Num, None) => Err(Error::new(
                Code::BadParameter,
                "expected `unit` to cast time to num, found none",
            )
            .remedy("set it to year, month, day, days or seconds")),
            _ => Ok(()),
        }
    }

    fn text_to_num(&self, batch: &mut Batch, slot: usize) -> Column {
        let mut output = batch.take_num();
        let mut all_read = true;
        let text = batch.text(slot);
        text.numbers_into(&mut output, math::MISSING, |label| {
            read_num(label).unwrap_or_else(|| {
                all_read = false;
                math::MISSING
            })
        });
        if !all_read {
            self.fault_rows(batch, slot, |label| parse_num(label).map(|_| ()));
        }
        Column::Num(output)
    }

    fn text_to_time(&self, batch: &mut Batch, slot: usize) -> Column {
        let mut output = batch.take_time();
        let mut table = batch.take_time();
        let mut all_read = true;
        let text = batch.text(slot);
        table.extend(text.levels().map(|label| {
            read_time(label, &self.format).unwrap_or_else(|| {
                all_read = false;
                MISSING_TIME
            })
        }));
        output.extend(text.codes().iter().map(|&code| match code {
            MISSING_CODE => MISSING_TIME,
            code => table[code as usize],
        }));
        batch.give(Column::Time(table));
        if !all_read {
            self.fault_rows(batch, slot, |label| parse_time(label, &self.format).map(|_| ()));
        }
        Column::Time(output)
    }

    /// Under `raise`, gives every row of the text column at `slot` that cannot be read a fault.
    fn fault_rows(&self, batch: &mut Batch, slot: usize, read: impl Fn(&str) -> Result<()>) {
        if self.errors == CastErrors::Missing {
            return;
        }
        for row in 0..batch.n_rows() {
            let Some(label) = batch.text(slot).get(row) else {
                continue;
            };
            if let Err(found) = read(label) {
                let error = Error::new(Code::BadValue, found.message());
                let remedy = "repair it at the source, or set `errors = \"missing\"`";
                batch.fault(row, slot, error.remedy(remedy));
            }
        }
    }

    fn time_to_num(&self, batch: &mut Batch, slot: usize) -> Column {
        let mut output = batch.take_num();
        let times = batch.time(slot).iter();
        output.extend(times.map(|&t| match self.unit {
            Some(unit) if t != MISSING_TIME => unit.of(t),
            _ => math::MISSING,
        }));
        Column::Num(output)
    }
}

impl CastUnit {
    /// The number of a time; all are whole and below 2^53.
    fn of(self, micros: i64) -> f64 {
        let (year, month, day) = civil_date(micros);
        let whole = match self {
            CastUnit::Year => year,
            CastUnit::Month => month,
            CastUnit::Day => day,
            CastUnit::Days => micros.div_euclid(MICROS_PER_DAY),
            CastUnit::Seconds => micros.div_euclid(MICROS_PER_SECOND),
        };
        whole as f64
    }
}

/// Each number or time as it is shown; only missing shows as nothing.
fn to_text(batch: &mut Batch, slot: usize) -> Column {
    let mut output = batch.take_text();
    match batch.column(slot) {
        Column::Num(v) => v.iter().for_each(|&x| output.push_written(|text| write_num(text, x))),
        Column::Time(v) => v.iter().for_each(|&t| output.push_written(|text| write_time(text, t))),
        Column::Text(_) => {}
    }
    Column::Text(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table, texts};

    fn cast(params: &CastParams, column: Column) -> Batch {
        let t = table(&[("x", column)]);
        apply(&fit(params, &t, &["x"]).unwrap(), &t, &["x"])
    }

    fn to(kind: ColumnKind) -> CastParams {
        CastParams { to: kind, ..Default::default() }
    }

    #[test]
    fn a_number_becomes_its_shortest_decimal_and_reads_back() {
        let values = [20.0, -0.5, 0.1, 1e300, f64::INFINITY, f64::NAN];
        let text = cast(&to(ColumnKind::Text), nums(&values));
        let got: Vec<_> = (0..6).map(|row| text.text(0).get(row)).collect();
        let expected = ["20", "-0.5", "0.1", "1e300", "inf"].map(Some);
        assert_eq!((&got[..5], got[5]), (&expected[..], None));
        let back = cast(&to(ColumnKind::Num), text.column(0).clone());
        for (row, x) in values.iter().enumerate() {
            assert_eq!(back.num(0)[row].to_bits(), x.to_bits());
        }
    }

    #[test]
    fn text_that_is_no_number_follows_the_rule() {
        let column = texts(&["1.5", "n/a", "", "n/a"]);
        let raised = cast(&to(ColumnKind::Num), column.clone());
        assert_eq!(raised.faults().keys().copied().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(
            raised.faults()[&1].to_string(),
            "column `x`: expected number, found text \"n/a\" \
             (repair it at the source, or set `errors = \"missing\"`)"
        );
        let lenient = CastParams { errors: CastErrors::Missing, ..to(ColumnKind::Num) };
        let batch = cast(&lenient, column);
        assert!(batch.faults().is_empty());
        assert_eq!(batch.num(0)[0], 1.5);
        assert!((1..4).all(|row| math::is_missing(batch.num(0)[row])));
    }

    #[test]
    fn text_becomes_time_by_its_format() {
        let params =
            CastParams { format: TimeFormat("%d.%m.%Y".to_owned()), ..to(ColumnKind::Time) };
        let batch = cast(&params, texts(&["2.1.1970", "", "1970-01-02"]));
        assert_eq!(batch.time(0), [MICROS_PER_DAY, MISSING_TIME, MISSING_TIME]);
        assert_eq!(batch.faults().keys().copied().collect::<Vec<_>>(), [2]);
        let text = cast(&to(ColumnKind::Text), batch.column(0).clone());
        assert_eq!(text.text(0).get(0), Some("1970-01-02T00:00:00Z"));
        assert_eq!(text.text(0).get(1), None);
    }

    #[test]
    fn a_time_becomes_the_number_that_the_unit_says() {
        // Half a second before 1970: 1969-12-31, the day and second before 0.
        for (unit, expected) in [
            (CastUnit::Year, 1969.0),
            (CastUnit::Month, 12.0),
            (CastUnit::Day, 31.0),
            (CastUnit::Days, -1.0),
            (CastUnit::Seconds, -1.0),
        ] {
            let params = CastParams { unit: Some(unit), ..to(ColumnKind::Num) };
            let batch = cast(&params, Column::Time(vec![-500_000, MISSING_TIME]));
            assert_eq!(batch.num(0)[0], expected, "{unit:?}");
            assert!(math::is_missing(batch.num(0)[1]));
        }
    }

    #[test]
    fn casts_without_a_meaning_are_refused_before_any_row() {
        let t = table(&[("x", nums(&[1.0])), ("t", Column::Time(vec![0]))]);
        let refused = |kind, column: &str, slot| {
            let fitted = fit(&to(kind), &t, &[column]).unwrap();
            fitted.output(t.schema(), &[slot]).unwrap_err().to_string()
        };
        assert_eq!(
            refused(ColumnKind::Time, "x", 0),
            "column `x`: expected text or time to cast to time, found num \
             (declare the column as time, or cast it to text and then by its `format`)"
        );
        assert_eq!(
            refused(ColumnKind::Num, "t", 1),
            "column `t`: expected `unit` to cast time to num, found none \
             (set it to year, month, day, days or seconds)"
        );
    }

    #[test]
    fn a_column_of_that_kind_already_stays() {
        let batch = cast(&to(ColumnKind::Num), nums(&[0.1]));
        assert_eq!(batch.num(0), [0.1]);
    }
}
