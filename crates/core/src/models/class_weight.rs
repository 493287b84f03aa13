//! What a row of each class counts in the fit of a classifier.
//!
//! A table by label names every class of the target, and nothing else: scikit-learn 1.9.1 counts a
//! class that is left out as 1, which would hide a misspelt label. A target of numbers has the
//! labels of its numbers; two classes of which one is `positive` have that label and the other one.
//!
//! **This form is part of configs and artifacts and cannot change**: the words `none` and
//! `balanced`, or a table from labels to numbers.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ModelParams, combine, ranges};
use crate::config::{Labels, TargetConfig, Task};
use crate::error::{Code, Error, Result};

/// What a row of each class counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeight {
    /// One.
    #[default]
    None,
    /// n / (k n_class) with k classes: all count the same.
    Balanced,
    /// So much, by label.
    Table(BTreeMap<String, f64>),
}

/// The words of it, as a text says them.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ClassWeight", rename_all = "snake_case")]
enum Word {
    None,
    Balanced,
}

impl Serialize for ClassWeight {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeight::None => Word::None.serialize(to),
            ClassWeight::Balanced => Word::Balanced.serialize(to),
            ClassWeight::Table(weights) => weights.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeight {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = ClassWeight;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\" | \"balanced\" | table of: number, by label")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ClassWeight, E> {
                Ok(match Word::deserialize(StrDeserializer::new(text))? {
                    Word::None => ClassWeight::None,
                    Word::Balanced => ClassWeight::Balanced,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClassWeight, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(ClassWeight::Table)
            }
        }
        from.deserialize_any(Form)
    }
}

impl ClassWeight {
    /// The tasks of a kind that can do all, with these weights: numbers have no classes.
    pub(super) fn tasks(&self) -> &'static [Task] {
        match self {
            ClassWeight::None => &[Task::Regression, Task::Binary, Task::Multiclass],
            _ => &[Task::Binary, Task::Multiclass],
        }
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// If a weight is not above 0, or beyond every use.
    pub(super) fn validate(&self) -> Result<()> {
        match self {
            ClassWeight::None | ClassWeight::Balanced => Ok(()),
            ClassWeight::Table(weights) => weights
                .values()
                .try_for_each(|weight| ranges::moderate_above_zero("class_weight", *weight)),
        }
    }

    /// What a row of each class counts, where the rows of each weigh `totals` and all weigh `n`;
    /// `None` if each counts one.
    ///
    /// # Errors
    /// If a table has other labels than the target.
    pub(super) fn factors(
        &self,
        n: f64,
        totals: &[f64],
        labels: Labels<'_>,
    ) -> Result<Option<Vec<f64>>> {
        let k = totals.len() as f64;
        match self {
            ClassWeight::None => Ok(None),
            ClassWeight::Balanced => Ok(Some(totals.iter().map(|own| n / (k * own)).collect())),
            ClassWeight::Table(weights) => by_class(weights, labels).map(Some),
        }
    }
}

/// The weights in the order of the classes.
fn by_class(weights: &BTreeMap<String, f64>, labels: Labels<'_>) -> Result<Vec<f64>> {
    let names = labels.names(weights.keys());
    let shown = |name: &Option<&str>| match name {
        Some(name) => format!("{name:?}"),
        None => "the other label".to_owned(),
    };
    let refused = |message: String| {
        let known: Vec<String> = names.iter().map(shown).collect();
        let remedy = format!("give each of {} a weight, and nothing else", known.join(", "));
        Error::new(Code::BadParameter, message).remedy(remedy)
    };
    let known = |key: &String| names.contains(&Some(key.as_str()));
    if let Some(key) = weights.keys().find(|key| !known(key)) {
        let message = format!("expected labels of the target in `class_weight`, found {key:?}");
        return Err(refused(message));
    }
    let of = |name: &Option<&str>| {
        let found = name.and_then(|name| weights.get(name)).copied();
        found.ok_or_else(|| {
            let message = "expected every class in `class_weight`, found none of ";
            refused(message.to_owned() + &shown(name))
        })
    };
    names.iter().map(of).collect()
}

impl ModelParams {
    /// Checks that class weights, of this model or one that it holds, are of classes that there
    /// are.
    ///
    /// # Errors
    /// If the target is a number, or has other labels.
    pub(crate) fn check_class_weights(&self, target: &TargetConfig) -> Result<()> {
        self.check_weights_of(target.task, target.labels())
    }

    fn check_weights_of(&self, task: Task, labels: Labels<'_>) -> Result<()> {
        match self.class_weight() {
            None | Some(ClassWeight::None) => {}
            Some(_) if task == Task::Regression => {
                let message =
                    "expected no `class_weight` for a regression, which has no classes, found one";
                let remedy = "leave it out; `weight` under [data] names a column that weighs rows";
                return Err(Error::new(Code::BadParameter, message).remedy(remedy));
            }
            Some(ClassWeight::Balanced) => {}
            Some(ClassWeight::Table(weights)) => {
                by_class(weights, labels)?;
            }
        }
        for estimator in self.estimators() {
            let checked = match self.parts_classes() {
                true => estimator.check_weights_of(Task::Binary, Labels::Numbers),
                false => estimator.check_weights_of(task, labels),
            };
            checked.map_err(|e| combine::named(&e, "estimator", estimator.kind()))?;
        }
        Ok(())
    }

    /// The label that a table of class weights gives the class that is not positive.
    pub(crate) fn other_label(&self, positive: &str) -> Option<&str> {
        let own = match self.class_weight() {
            Some(ClassWeight::Table(weights)) => weights.keys().find(|key| *key != positive),
            _ => None,
        };
        let own = own.map(String::as_str);
        own.or_else(|| self.estimators().iter().find_map(|e| e.other_label(positive)))
    }
}

#[cfg(test)]
mod tests;
