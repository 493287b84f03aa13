//! The target at the door: reading it, transforming it, and undoing the transform after a
//! prediction; and the weights of rows.

use std::collections::BTreeMap;

use crate::batch::{Column, show_num};
use crate::config::{TargetConfig, TargetTransform, Task};
use crate::error::{Code, Error, Result};
use crate::math;

/// The target column as numbers: as it is, 1 for the positive label and 0 for the other one, or the
/// position of the label among the classes.
///
/// # Errors
/// If a value is missing, infinite, or not of a class.
pub fn read(column: &Column, config: &TargetConfig) -> Result<Vec<f64>> {
    if config.task == Task::Multiclass {
        return read_classes(column, config).map_err(|e| e.column(&config.column));
    }
    let values: Vec<f64> = match (column, &config.positive) {
        (Column::Num(values), _) => values.clone(),
        (Column::Text(text), Some(positive)) => {
            let mut other: Option<&str> = None;
            for (row, level) in (0..text.len()).filter_map(|row| Some((row, text.get(row)?))) {
                if level != positive && *other.get_or_insert(level) != level {
                    return Err(Error::new(
                        Code::BadTarget,
                        format!(
                            "expected {positive:?} and one other label, found {level:?} as third"
                        ),
                    )
                    .row(row as u64)
                    .column(&config.column));
                }
            }
            let mut values = Vec::with_capacity(text.len());
            text.numbers_into(&mut values, math::MISSING, |l| f64::from(u8::from(l == positive)));
            values
        }
        (other, _) => {
            return Err(Error::new(
                Code::BadTarget,
                format!("expected num or a text column with `positive`, found {}", other.kind()),
            )
            .column(&config.column));
        }
    };
    for (row, &y) in values.iter().enumerate() {
        check_value(y, config).map_err(|e| e.row(row as u64).column(&config.column))?;
    }
    check_range(&values).map_err(|e| e.column(&config.column))?;
    if config.task == Task::Binary {
        let n_positive = values.iter().filter(|y| **y == 1.0).count();
        if !values.is_empty() && (n_positive == 0 || n_positive == values.len()) {
            return Err(Error::new(Code::BadTarget, "expected two classes, found one")
                .remedy("a model of one class has nothing to learn")
                .column(&config.column));
        }
    }
    Ok(values)
}

/// The position of every row's label.
fn read_classes(column: &Column, config: &TargetConfig) -> Result<Vec<f64>> {
    let classes = config.classes.iter().zip(0u32..).map(|(c, at)| (c.as_str(), f64::from(at)));
    let classes: BTreeMap<&str, f64> = classes.collect();
    let position = |row: usize, label: Option<&str>| {
        let Some(label) = label else {
            return Err(missing_target().row(row as u64));
        };
        classes.get(label).copied().ok_or_else(|| {
            let message = format!("expected one of `classes`, found {label:?}");
            Error::new(Code::BadTarget, message).row(row as u64)
        })
    };
    let values: Vec<f64> = match column {
        Column::Text(text) => {
            (0..text.len()).map(|row| position(row, text.get(row))).collect::<Result<_>>()?
        }
        Column::Num(values) => {
            let label = |x: f64| (!math::is_missing(x)).then(|| show_num(x));
            let rows = values.iter().enumerate();
            rows.map(|(row, &x)| position(row, label(x).as_deref())).collect::<Result<_>>()?
        }
        Column::Time(_) => {
            let message = "expected num or text, found time";
            return Err(Error::new(Code::BadTarget, message));
        }
    };
    let mut seen = vec![values.is_empty(); config.classes.len()];
    values.iter().for_each(|&class| seen[class as usize] = true);
    match seen.iter().position(|seen| !seen) {
        None => Ok(values),
        Some(class) => {
            let message = format!(
                "expected rows of every class, found none of {class:?}",
                class = config.classes[class]
            );
            Err(Error::new(Code::BadTarget, message).remedy("leave it out of `classes`"))
        }
    }
}

/// The weights of rows.
///
/// # Errors
/// If one is missing, infinite or negative, or all are 0.
pub fn read_weights(column: &Column) -> Result<Vec<f64>> {
    let Column::Num(values) = column else {
        let message = format!("expected num, found {}", column.kind());
        return Err(Error::new(Code::WrongKind, message));
    };
    for (row, &w) in values.iter().enumerate() {
        if !(w.is_finite() && w >= 0.0) {
            let found = crate::batch::Value::Num(w);
            let message = format!("expected a weight of at least 0, found {found}");
            return Err(Error::new(Code::BadWeight, message).row(row as u64));
        }
    }
    if values.is_empty() || values.iter().any(|w| *w > 0.0) {
        return Ok(values.clone());
    }
    Err(Error::new(Code::BadWeight, "expected a weight above 0, found only zeros"))
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
