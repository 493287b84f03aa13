//! The target at the door: reading it, transforming it, and undoing the transform after a
//! prediction; and the weights of rows.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::batch::{Column, show_num};
use crate::config::{Config, MODEL_STEP, TargetConfig, TargetTransform, Task};
use crate::error::{Code, Error, Result};
use crate::math;

/// The targets of a part of a table, as numbers: as they are, 1 for the positive label and 0 for
/// the other one, or the position of the label among the classes. Parts merge in the order of the
/// source, so that what is refused does not depend on how the table was cut.
#[derive(Default)]
pub struct Targets {
    values: Vec<f64>,
    /// The first label besides the positive one with its row, and the first one besides both.
    others: Vec<(String, u64)>,
    bad: Option<Error>,
}

impl Targets {
    /// Those of the rows `rows`; `place` says where a row stands in the source.
    pub fn of(
        column: &Column,
        config: &TargetConfig,
        rows: Range<usize>,
        place: impl Fn(usize) -> u64,
    ) -> Self {
        let mut targets = Targets::default();
        targets.values.reserve(rows.len());
        if config.task == Task::Multiclass {
            targets.bad = targets.read_classes(column, config, rows, place).err();
            return targets;
        }
        let first = rows.start;
        match (column, &config.positive) {
            (Column::Num(values), _) => targets.values.extend_from_slice(&values[rows]),
            (Column::Text(text), Some(positive)) => {
                for row in rows {
                    let label = text.get(row);
                    if let Some(other) = label.filter(|label| label != positive) {
                        targets.note(other, place(row));
                    }
                    let is_positive = |label| f64::from(u8::from(label == positive));
                    targets.values.push(label.map_or(math::MISSING, is_positive));
                }
            }
            (other, _) => {
                let found = other.kind();
                let message =
                    format!("expected num or a text column with `positive`, found {found}");
                targets.bad = Some(Error::new(Code::BadTarget, message));
                return targets;
            }
        }
        let checked =
            targets.values.iter().enumerate().map(|(at, &y)| (at, check_value(y, config)));
        let mut bad = checked.filter_map(|(at, checked)| Some((at, checked.err()?)));
        targets.bad = bad.next().map(|(at, error)| error.row(place(first + at)));
        targets
    }

    /// The position of every row's label.
    fn read_classes(
        &mut self,
        column: &Column,
        config: &TargetConfig,
        rows: Range<usize>,
        place: impl Fn(usize) -> u64,
    ) -> Result<()> {
        let classes = config.classes.iter().zip(0u32..).map(|(c, at)| (c.as_str(), f64::from(at)));
        let classes: BTreeMap<&str, f64> = classes.collect();
        let position = |row: usize, label: Option<&str>| {
            let Some(label) = label else {
                return Err(missing_target().row(place(row)));
            };
            classes.get(label).copied().ok_or_else(|| {
                let message = format!("expected one of `classes`, found {label:?}");
                Error::new(Code::BadTarget, message).row(place(row))
            })
        };
        for row in rows {
            self.values.push(match column {
                Column::Text(text) => position(row, text.get(row))?,
                Column::Num(values) if math::is_missing(values[row]) => position(row, None)?,
                Column::Num(values) => position(row, Some(&show_num(values[row])))?,
                Column::Time(_) => break,
            });
        }
        match column {
            Column::Time(_) => {
                let message = "expected num or text, found time";
                Err(Error::new(Code::BadTarget, message))
            }
            _ => Ok(()),
        }
    }

    /// Remembers a label that is not the positive one.
    fn note(&mut self, label: &str, row: u64) {
        if self.others.len() < 2 && self.others.iter().all(|(known, _)| known != label) {
            self.others.push((label.to_owned(), row));
        }
    }

    /// Those read so far: all of them, unless one cannot be a target.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Takes in what stands behind in the source.
    pub fn merge(&mut self, behind: Targets) {
        self.values.extend_from_slice(&behind.values);
        behind.others.iter().for_each(|(label, row)| self.note(label, *row));
        self.bad = self.bad.take().or(behind.bad);
    }

    /// Refuses class weights that call the label besides the positive one something else.
    ///
    /// # Errors
    /// If they do.
    pub fn check_other(&self, config: &Config) -> Result<()> {
        let positive = config.target.positive.as_deref();
        let said = positive.and_then(|positive| config.model.other_label(positive));
        match (said, self.others.as_slice()) {
            (Some(said), [(found, _)]) if said != found => {
                let message =
                    format!("expected a weight of {found:?} in `class_weight`, found {said:?}");
                Err(Error::new(Code::BadParameter, message)
                    .remedy("use the labels of the target")
                    .step(MODEL_STEP))
            }
            _ => Ok(()),
        }
    }

    /// The targets of all rows.
    ///
    /// # Errors
    /// If a value is missing, infinite, or not of a class.
    pub fn finish(self, config: &TargetConfig) -> Result<Vec<f64>> {
        self.checked(config).map_err(|e| e.column(&config.column))
    }

    fn checked(self, config: &TargetConfig) -> Result<Vec<f64>> {
        if let ([_, (level, row)], Some(positive)) = (&*self.others, &config.positive) {
            let message =
                format!("expected {positive:?} and one other label, found {level:?} as third");
            return Err(Error::new(Code::BadTarget, message).row(*row));
        }
        let values = match self.bad {
            Some(error) => return Err(error),
            None => self.values,
        };
        if config.task == Task::Multiclass {
            return check_classes(&values, config).map(|()| values);
        }
        check_range(&values)?;
        if config.task == Task::Binary {
            let n_positive = values.iter().filter(|y| **y == 1.0).count();
            if !values.is_empty() && (n_positive == 0 || n_positive == values.len()) {
                return Err(Error::new(Code::BadTarget, "expected two classes, found one")
                    .remedy("a model of one class has nothing to learn"));
            }
        }
        Ok(values)
    }
}

/// Every class has a row, unless there is none at all.
fn check_classes(values: &[f64], config: &TargetConfig) -> Result<()> {
    let mut seen = vec![values.is_empty(); config.classes.len()];
    values.iter().for_each(|&class| seen[class as usize] = true);
    match seen.iter().position(|seen| !seen) {
        None => Ok(()),
        Some(class) => {
            let message = format!(
                "expected rows of every class, found none of {class:?}",
                class = config.classes[class]
            );
            Err(Error::new(Code::BadTarget, message).remedy("leave it out of `classes`"))
        }
    }
}

/// No use has larger weights; sums of products with them stay far from the end of numbers.
const WEIGHT_MAX: f64 = 1e50;
/// Nor only smaller ones.
const WEIGHT_MIN: f64 = 1e-50;
const SCALE_WEIGHTS: &str = "divide all weights by one number at the source";

/// The weights of a part of a table; parts merge in the order of the source.
#[derive(Default)]
pub struct Weights {
    values: Vec<f64>,
    bad: Option<Error>,
}

impl Weights {
    /// Those of the rows `rows`; `place` says where a row stands in the source.
    pub fn of(column: &Column, rows: Range<usize>, place: impl Fn(usize) -> u64) -> Self {
        let Column::Num(values) = column else {
            let message = format!("expected num, found {}", column.kind());
            let bad = Some(Error::new(Code::WrongKind, message));
            return Weights { values: Vec::new(), bad };
        };
        let bad = rows.clone().find(|&row| !(0.0..=WEIGHT_MAX).contains(&values[row]));
        let bad = bad.map(|row| {
            let found = crate::batch::Value::Num(values[row]);
            let is_large = values[row] > WEIGHT_MAX && values[row].is_finite();
            let error = if is_large {
                let message = format!("expected a weight of at most {WEIGHT_MAX:e}, found {found}");
                Error::new(Code::BadWeight, message).remedy(SCALE_WEIGHTS)
            } else {
                let message = format!("expected a weight of at least 0, found {found}");
                Error::new(Code::BadWeight, message)
            };
            error.row(place(row))
        });
        Weights { values: values[rows].to_vec(), bad }
    }

    /// Those read so far: all of them, unless they are no numbers.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Takes in what stands behind in the source.
    pub fn merge(&mut self, behind: Weights) {
        self.values.extend_from_slice(&behind.values);
        self.bad = self.bad.take().or(behind.bad);
    }

    /// The weights of all rows.
    ///
    /// # Errors
    /// If one is missing, infinite, negative or beyond every use, or all are 0 or near it.
    pub fn finish(self) -> Result<Vec<f64>> {
        if let Some(error) = self.bad {
            return Err(error);
        }
        let largest = self.values.iter().copied().fold(0.0, math::max);
        if self.values.is_empty() || largest >= WEIGHT_MIN {
            return Ok(self.values);
        }
        if largest == 0.0 {
            return Err(Error::new(Code::BadWeight, "expected a weight above 0, found only zeros"));
        }
        let message = format!(
            "expected a weight of at least {WEIGHT_MIN:e}, found {largest:e} as the largest"
        );
        Err(Error::new(Code::BadWeight, message).remedy(SCALE_WEIGHTS))
    }
}

fn missing_target() -> Error {
    Error::new(Code::MissingValue, "expected a target, found a missing value")
        .remedy("filter the rows before the fit")
}

/// Refuses targets that lie further apart than any number is large.
fn check_range(values: &[f64]) -> Result<()> {
    let low = values.iter().copied().fold(f64::INFINITY, math::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, math::max);
    if values.is_empty() || (high - low).is_finite() {
        return Ok(());
    }
    let (low, high) = (show_num(low), show_num(high));
    let message = format!("expected targets with a finite range, found {low} and {high}");
    Err(Error::new(Code::NotFinite, message).remedy("scale the target at the source"))
}

fn check_value(y: f64, config: &TargetConfig) -> Result<()> {
    if math::is_missing(y) {
        return Err(missing_target());
    }
    if y.is_infinite() {
        return Err(Error::new(Code::NotFinite, "expected a finite target, found an infinity"));
    }
    if config.task == Task::Binary && y != 0.0 && y != 1.0 {
        let found = show_num(y);
        return Err(Error::new(Code::BadTarget, format!("expected 0 or 1, found {found}")));
    }
    let (ok, rule) = match config.transform {
        TargetTransform::Identity => (true, ""),
        TargetTransform::Log => (y > 0.0, "above 0 for transform log"),
        TargetTransform::Log1p => (y > -1.0, "above -1 for transform log1p"),
        TargetTransform::Sqrt => (y >= 0.0, "of at least 0 for transform sqrt"),
    };
    if ok {
        return Ok(());
    }
    let found = show_num(y);
    Err(Error::new(Code::BadTarget, format!("expected a target {rule}, found {found}")))
}

impl TargetTransform {
    /// What the model learns for target `y`.
    pub fn forward(self, y: f64) -> f64 {
        match self {
            TargetTransform::Identity => y,
            TargetTransform::Log => math::ln(y),
            TargetTransform::Log1p => math::ln_1p(y),
            TargetTransform::Sqrt => math::sqrt(y),
        }
    }

    /// The prediction on the scale of the target.
    pub fn inverse(self, z: f64) -> f64 {
        match self {
            TargetTransform::Identity => z,
            TargetTransform::Log => math::exp(z),
            TargetTransform::Log1p => math::exp_m1(z),
            TargetTransform::Sqrt => z * z,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(task: Task, positive: Option<&str>, transform: TargetTransform) -> TargetConfig {
        let positive = positive.map(str::to_owned);
        TargetConfig { column: "y".into(), task, positive, classes: Vec::new(), transform }
    }

    /// The targets of a column that comes in two parts.
    fn read(column: &Column, config: &TargetConfig) -> Result<Vec<f64>> {
        let place = |row: usize| row as u64;
        let cut = column.len() / 2;
        let mut targets = Targets::of(column, config, 0..cut, place);
        targets.merge(Targets::of(column, config, cut..column.len(), place));
        targets.finish(config)
    }

    fn read_weights(column: &Column) -> Result<Vec<f64>> {
        let place = |row: usize| row as u64;
        let mut weights = Weights::of(column, 0..1, place);
        weights.merge(Weights::of(column, 1..column.len(), place));
        weights.finish()
    }

    #[test]
    fn a_third_label_is_found_across_parts() {
        let config = config(Task::Binary, Some("a"), TargetTransform::Identity);
        for labels in [["b", "b", "a", "c"], ["a", "a", "b", "c"], ["b", "c", "d", "a"]] {
            let error = read(&Column::text(labels.map(Some)), &config).unwrap_err();
            let row = labels.iter().position(|label| *label == "c").unwrap();
            assert_eq!(
                error.to_string(),
                format!(
                    "column `y`: row {row}: expected \"a\" and one other label, \
                     found \"c\" as third"
                )
            );
        }
    }

    #[test]
    fn labels_become_zero_and_one() {
        let column = Column::text([Some("bad"), Some("good"), Some("bad")]);
        let read_as = read(&column, &config(Task::Binary, Some("bad"), TargetTransform::Identity));
        assert_eq!(read_as.unwrap(), [1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_class_is_its_position() {
        let mut classes = config(Task::Multiclass, None, TargetTransform::Identity);
        classes.classes = ["low", "1.5", "high"].map(str::to_owned).to_vec();
        let text = Column::text([Some("high"), Some("low"), Some("1.5")]);
        assert_eq!(read(&text, &classes).unwrap(), [2.0, 0.0, 1.0]);
        let unknown = read(&Column::num([1.5, 2.0]), &classes).unwrap_err().to_string();
        assert_eq!(unknown, "column `y`: row 1: expected one of `classes`, found \"2\"");
        let absent = read(&Column::text([Some("low"), Some("1.5")]), &classes).unwrap_err();
        assert!(absent.to_string().contains("found none of \"high\""), "{absent}");
    }

    #[test]
    fn weights_are_not_negative_and_not_all_zero() {
        assert_eq!(read_weights(&Column::num([0.0, 2.5])).unwrap(), [0.0, 2.5]);
        for bad in [[0.0, 0.0], [1.0, -1.0], [f64::NAN, 1.0], [f64::INFINITY, 1.0]] {
            assert!(read_weights(&Column::num(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn weights_beyond_every_use_are_refused_by_name() {
        let said = |weights: [f64; 2]| {
            let refused = read_weights(&Column::num(weights));
            refused.err().map(|e| e.to_string()).unwrap_or_default()
        };
        let scale = " (divide all weights by one number at the source)";
        assert_eq!(
            said([1.0, 1e300]),
            "row 1: expected a weight of at most 1e50, found number 1e300".to_owned() + scale
        );
        assert_eq!(
            said([1e-320, 0.0]),
            "expected a weight of at least 1e-50, found 1e-320 as the largest".to_owned() + scale
        );
        for fine in [[1e50, 1e-320], [1e-50, 0.0]] {
            assert_eq!(said(fine), "");
        }
    }

    #[test]
    fn what_cannot_be_a_target_is_refused_with_its_row() {
        let binary = config(Task::Binary, None, TargetTransform::Identity);
        let two = read(&Column::num([0.0, 2.0]), &binary).unwrap_err();
        assert_eq!(two.to_string(), "column `y`: row 1: expected 0 or 1, found 2");
        assert!(read(&Column::num([1.0, 1.0]), &binary).is_err());
        let log = config(Task::Regression, None, TargetTransform::Log);
        assert!(read(&Column::num([1.0, 0.0]), &log).is_err());
        assert!(read(&Column::num([f64::NAN]), &log).is_err());
        let far = config(Task::Regression, None, TargetTransform::Identity);
        assert_eq!(
            read(&Column::num([-1e308, 1e308]), &far).unwrap_err().to_string(),
            "column `y`: expected targets with a finite range, found -1e308 and 1e308 \
             (scale the target at the source)"
        );
    }

    #[test]
    fn every_transform_is_undone() {
        use TargetTransform::*;
        for transform in [Identity, Log, Log1p, Sqrt] {
            assert_eq!(transform.inverse(transform.forward(1.0)), 1.0, "{transform:?}");
        }
    }
}
