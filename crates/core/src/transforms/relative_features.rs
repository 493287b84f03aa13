//! Combines columns with reference columns: sums, differences, quotients, powers, elapsed years.
//!
//! # Method
//! As feature-engine 1.9.4 `RelativeFeatures`, with column x and reference r: `add` x + r, `sub` x
//! − r, `mul` x × r, `div` x / r, `floordiv` and `mod` as in Python, `pow` x^r; and `elapsed` r −
//! x. All but `floordiv`, `mod` and `pow` are one operation. `pow` is correctly rounded; NumPy's is
//! that of the C library and may be one unit in the last place away. `truediv` is not offered: it
//! is `div` by another name.
//!
//! # Shape
//! Numeric columns and references in. They stay, and behind the last column come
//! `COLUMN_FUNC_REFERENCE`: by function, within it by reference, within it by column, each in the
//! order given. `drop_original` then drops columns and references. With `in_place` (one function,
//! one reference) the result takes the place of its column and the reference stays.
//!
//! # Missing
//! A missing column or reference gives a missing result, also in `pow`, where NumPy makes 1 of x^0
//! and 1^r with a missing operand: what is unknown is not 1.
//!
//! # Ties and order
//! `mod`: the exact remainder of the division towards zero; if it is not 0 and its sign is not that
//! of r, r is added. `floordiv`: (x − remainder) / r, less 1 if r was added, then rounded to a
//! whole number, halves down; a quotient beyond f64 is infinite. These are NumPy's rules, and the
//! result of `mod` has the sign of r.
//!
//! # Errors
//! Division by zero (`div`, `floordiv`, `mod`) gives `fill_value` if there is one. Otherwise, and
//! wherever two numbers have no result (∞ − ∞, a fractional power of a negative number), it is an
//! error at fit, and at scoring the row gets this reason; feature-engine refuses the whole table
//! for the first and lets NaN through for the second. A reference that is not numeric, a new name
//! that exists already, and a table of more than 10000 columns are errors at fit.
//!
//! # Example
//! `func = ["elapsed"], reference = ["sold"], in_place = true` turns `year` 1990 into 20 where
//! `sold` is 2010.

use serde::{Deserialize, Serialize};

pub use super::relative_func::RelativeFunc;
use super::state::{check_numbers, malformed};
use crate::aggregate::Rows;
use crate::batch::{Batch, Column, ColumnKind, Field, Schema, Value};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform};

/// What to combine with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelativeFeaturesParams {
    /// The functions, each once.
    pub func: Vec<RelativeFunc>,
    /// The reference columns, each once.
    pub reference: Vec<String>,
    /// Put the result in the place of its column; for one function and one reference.
    pub in_place: bool,
    /// Drop columns and references afterwards.
    pub drop_original: bool,
    /// The result of a division by zero; without it such a row is refused.
    pub fill_value: Option<f64>,
}

impl Default for RelativeFeaturesParams {
    fn default() -> Self {
        RelativeFeaturesParams {
            func: vec![RelativeFunc::Sub],
            reference: Vec::new(),
            in_place: false,
            drop_original: false,
            fill_value: None,
        }
    }
}

impl FitTransform for RelativeFeaturesParams {
    type Fitted = RelativeFeatures;

    fn validate(&self) -> Result<()> {
        let bad = |message: &str| Err(Error::new(Code::BadParameter, message));
        let again = |i: usize| self.func[..i].contains(&self.func[i]);
        let named_again = |i: usize| self.reference[..i].contains(&self.reference[i]);
        if self.func.is_empty() || (0..self.func.len()).any(again) {
            return bad("expected one or more functions in `func`, each once");
        }
        if self.reference.is_empty() || (0..self.reference.len()).any(named_again) {
            return bad("expected one or more columns in `reference`, each once");
        }
        if self.in_place && (self.func.len() > 1 || self.reference.len() > 1) {
            return bad("expected one function and one reference for `in_place`, found more");
        }
        if self.in_place && self.drop_original {
            return bad("expected `in_place` or `drop_original`, found both");
        }
        if self.fill_value.is_some_and(|x| !x.is_finite()) {
            return bad("expected a finite `fill_value`, found none");
        }
        Ok(())
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Num]
    }

    fn references(&self) -> Vec<String> {
        self.reference.clone()
    }

    fn fit(&self, _: &dyn Rows, _: &FitContext<'_>) -> Result<RelativeFeatures> {
        Ok(self.state())
    }

    fn made(&self, fitted: &RelativeFeatures, _: &[String]) -> bool {
        *fitted == self.state()
    }

    fn examples() -> Vec<Example<Self>> {
        use RelativeFunc::{Add, Div, Elapsed, Floordiv, Mod, Mul, Pow, Sub};
        let params = |func: &[RelativeFunc], reference: &[&str]| RelativeFeaturesParams {
            func: func.to_vec(),
            reference: reference.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        let elapsed = RelativeFeaturesParams { in_place: true, ..params(&[Elapsed], &["sold"]) };
        let dropped = RelativeFeaturesParams {
            drop_original: true,
            fill_value: Some(0.0),
            ..params(&[Div, Floordiv, Mod], &["count"])
        };
        vec![
            Example::on(&["year"], elapsed),
            Example::on(&["area", "fare"], params(&[Add, Sub, Mul], &["rooms", "age"])),
            Example::on(&["area", "fare"], dropped),
            Example::on(&["area"], params(&[Pow], &["count"])),
        ]
    }
}

impl RelativeFeaturesParams {
    fn state(&self) -> RelativeFeatures {
        RelativeFeatures {
            func: self.func.clone(),
            n_references: self.reference.len() as u64,
            in_place: self.in_place,
            drop_original: self.drop_original,
            fill_value: self.fill_value.map(math::canonical),
        }
    }
}

/// The functions and how many of the step's names are references; nothing is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelativeFeatures {
    func: Vec<RelativeFunc>,
    n_references: u64,
    in_place: bool,
    drop_original: bool,
    fill_value: Option<f64>,
}

impl RelativeFeatures {
    /// The slots of the columns, and of the references.
    fn split<'a>(&self, slots: &'a [usize]) -> (&'a [usize], &'a [usize]) {
        let n_references = usize::try_from(self.n_references).unwrap_or(usize::MAX);
        slots.split_at(slots.len().saturating_sub(n_references))
    }

    /// Function, column and reference of each result, in order.
    fn results<'a>(
        &'a self,
        slots: &'a [usize],
    ) -> impl Iterator<Item = (RelativeFunc, usize, usize)> + 'a {
        let (columns, references) = self.split(slots);
        let by_reference = move |func: RelativeFunc| {
            references.iter().flat_map(move |&r| columns.iter().map(move |&c| (func, c, r)))
        };
        self.func.iter().flat_map(move |&func| by_reference(func))
    }

    fn value(&self, func: RelativeFunc, x: f64, r: f64) -> f64 {
        if math::is_missing(x) || math::is_missing(r) {
            return math::MISSING;
        }
        match self.fill_value {
            Some(fill) if func.divides() && r == 0.0 => fill,
            _ => math::canonical(func.of(x, r)),
        }
    }

    /// Gives every row whose two numbers have no result a fault.
    fn fault_rows(batch: &mut Batch, results: &[f64], func: RelativeFunc, c: usize, r: usize) {
        for (row, &result) in results.iter().enumerate() {
            let (x, reference) = (batch.num(c)[row], batch.num(r)[row]);
            if !math::is_missing(result) || math::is_missing(x) || math::is_missing(reference) {
                continue;
            }
            let error = if func.divides() && reference == 0.0 {
                let name = &batch.schema().fields()[r].name;
                let message = format!("expected a reference `{name}` other than 0, found 0");
                Error::new(Code::BadValue, message).remedy("declare a `fill_value`")
            } else {
                let (x, reference) = (Value::Num(x), Value::Num(reference));
                let name = func.name();
                let message = format!("expected a result of `{name}`, found {x} with {reference}");
                Error::new(Code::BadValue, message)
            };
            batch.fault(row, c, error);
        }
    }
}

impl Transform for RelativeFeatures {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        let (columns, references) = self.split(slots);
        let mut fields = slots.iter().map(|&slot| &input.fields()[slot]);
        if let Some(other) = fields.find(|field| field.kind != ColumnKind::Num) {
            let message = format!("expected num, found {}", other.kind);
            return Err(Error::new(Code::ColumnKindMismatch, message).column(&other.name));
        }
        if references.len() as u64 != self.n_references {
            return Err(malformed("expected as many references as the step names"));
        }
        check_numbers(self.fill_value.as_slice())?;
        if self.in_place {
            if self.func.len() != 1 || references.len() != 1 || self.drop_original {
                return Err(malformed("expected one function and one reference in place"));
            }
            if columns.contains(&references[0]) {
                let message = "expected a reference that is not a column of the step, found one";
                let error = Error::new(Code::RepeatedColumn, message);
                let error = error.column(&input.fields()[references[0]].name);
                return Err(error.remedy("`in_place` would change the reference itself"));
            }
            return Ok(input.clone());
        }
        let name = |slot: usize| &input.fields()[slot].name;
        let fields = self.results(slots).map(|(func, c, r)| {
            let new = format!("{}_{}_{}", name(c), func.name(), name(r));
            Field::new(new, ColumnKind::Num)
        });
        let output = input.with(fields)?;
        Ok(if self.drop_original { output.without(slots) } else { output })
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for (func, c, r) in self.results(slots) {
            let mut output = batch.take_num();
            let pairs = batch.num(c).iter().zip(batch.num(r));
            output.extend(pairs.map(|(&x, &reference)| self.value(func, x, reference)));
            Self::fault_rows(batch, &output, func, c, r);
            if self.in_place {
                batch.replace(c, Column::Num(output));
            } else {
                batch.push(Column::Num(output));
            }
        }
        if self.drop_original {
            // From the last slot down, each once, without a list of them.
            let mut above = usize::MAX;
            while let Some(&slot) = slots.iter().filter(|&&slot| slot < above).max() {
                batch.remove(&[slot]);
                above = slot;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, nums, table, texts};

    fn params(func: &[RelativeFunc], reference: &[&str]) -> RelativeFeaturesParams {
        RelativeFeaturesParams {
            func: func.to_vec(),
            reference: reference.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        }
    }

    /// `func` of one x and one r, both present.
    fn result(func: RelativeFunc, x: f64, r: f64) -> Batch {
        let t = table(&[("x", nums(&[x])), ("r", nums(&[r]))]);
        let fitted = fit(&params(&[func], &["r"]), &t, &["x"]).unwrap();
        apply(&fitted, &t, &["x", "r"])
    }

    #[test]
    fn new_columns_go_by_function_then_reference_then_column() {
        use RelativeFunc::{Add, Sub};
        let names = ["a", "b", "r", "s"];
        let columns = [1.0, 2.0, 10.0, 20.0].map(|x| nums(&[x]));
        let t = table(&names.into_iter().zip(columns).collect::<Vec<_>>());
        let fitted = fit(&params(&[Sub, Add], &["r", "s"]), &t, &["a", "b"]).unwrap();
        let batch = apply(&fitted, &t, &names);
        let new: Vec<&str> = batch.schema().names().skip(4).collect();
        let expected = "a_sub_r b_sub_r a_sub_s b_sub_s a_add_r b_add_r a_add_s b_add_s";
        assert_eq!(new.join(" "), expected);
        let got: Vec<f64> = (4..12).map(|slot| batch.num(slot)[0]).collect();
        assert_eq!(got, [-9.0, -8.0, -19.0, -18.0, 11.0, 12.0, 21.0, 22.0]);
    }

    #[test]
    fn elapsed_years_in_place_leave_the_reference() {
        let t = table(&[("year", nums(&[1990.0, f64::NAN])), ("sold", nums(&[2010.0, 2008.0]))]);
        let elapsed = RelativeFeaturesParams {
            in_place: true,
            ..params(&[RelativeFunc::Elapsed], &["sold"])
        };
        let fitted = fit(&elapsed, &t, &["year"]).unwrap();
        let batch = apply(&fitted, &t, &["year", "sold"]);
        assert_eq!((batch.num(0)[0], batch.num(1)[0]), (20.0, 2010.0));
        assert!(math::is_missing(batch.num(0)[1]) && batch.faults().is_empty());
        let error = fitted.output(t.schema(), &[0, 1, 1]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `sold`: expected a reference that is not a column of the step, found one \
             (`in_place` would change the reference itself)"
        );
    }

    #[test]
    fn division_by_zero_is_filled_or_a_reason() {
        use RelativeFunc::{Div, Floordiv, Mod};
        for func in [Div, Floordiv, Mod] {
            let batch = result(func, 3.0, 0.0);
            assert!(math::is_missing(batch.num(2)[0]));
            assert_eq!(
                batch.faults()[&0].to_string(),
                "column `x`: expected a reference `r` other than 0, found 0 \
                 (declare a `fill_value`)"
            );
        }
        let t = table(&[("x", nums(&[3.0, f64::NAN])), ("r", nums(&[0.0, 0.0]))]);
        let filled = RelativeFeaturesParams {
            fill_value: Some(-1.0),
            drop_original: true,
            ..params(&[Div], &["r"])
        };
        let fitted = fit(&filled, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x", "r"]);
        assert_eq!(batch.schema().names().collect::<Vec<_>>(), ["x_div_r"]);
        assert_eq!(batch.num(0)[0], -1.0);
        assert!(math::is_missing(batch.num(0)[1]) && batch.faults().is_empty());
    }

    #[test]
    fn numbers_without_a_result_give_a_reason_and_missing_ones_do_not() {
        use RelativeFunc::{Pow, Sub};
        let batch = result(Pow, -8.0, 0.5);
        assert_eq!(
            batch.faults()[&0].to_string(),
            "column `x`: expected a result of `pow`, found number -8 with number 0.5"
        );
        assert!(result(Sub, f64::INFINITY, f64::INFINITY).has_fault(0));
        for (x, r) in [(f64::NAN, 0.0), (1.0, f64::NAN)] {
            let batch = result(Pow, x, r);
            assert!(math::is_missing(batch.num(2)[0]) && !batch.has_fault(0));
        }
        assert_eq!(result(Pow, 2.0, 10.0).num(2), [1024.0]);
    }

    #[test]
    fn a_text_reference_and_bad_params_are_refused() {
        let t = table(&[("x", nums(&[1.0])), ("r", texts(&["a"]))]);
        let fitted = fit(&params(&[RelativeFunc::Add], &["r"]), &t, &["x"]).unwrap();
        let error = fitted.output(t.schema(), &[0, 1]).unwrap_err();
        assert_eq!(error.to_string(), "column `r`: expected num, found text");
        let both = [RelativeFunc::Add, RelativeFunc::Add];
        assert!(params(&both, &["r"]).validate().is_err());
        assert!(params(&both[..1], &[]).validate().is_err());
        let in_place = RelativeFeaturesParams { in_place: true, ..params(&both[..1], &["r", "s"]) };
        assert!(in_place.validate().is_err());
        let t = table(&[("x", nums(&[1.0])), ("r", nums(&[1.0]))]);
        let fitted = fit(&params(&[RelativeFunc::Div], &["r"]), &t, &["x"]).unwrap();
        for forged in [-0.0, f64::NAN, f64::INFINITY] {
            let forged = RelativeFeatures { fill_value: Some(forged), ..fitted.clone() };
            assert!(forged.output(t.schema(), &[0, 1]).is_err());
        }
    }
}
