//! What is predicted.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// More classes than this are refused: each is a column of scores.
pub const N_CLASSES_MAX: usize = 1_000;

/// What the target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A number.
    #[default]
    Regression,
    /// One of two classes; scores are probabilities of the positive one.
    Binary,
    /// One of several classes; a score is a probability per class.
    Multiclass,
}

/// What to predict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The column.
    pub column: String,
    /// What it is.
    pub task: Task,
    /// For a binary target of text: the label that counts as 1.
    pub positive: Option<String>,
    /// For a multiclass target: its labels, in the order of the scores. The class of a num column
    /// is its number in shortest decimal form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// What the model learns instead of the target itself; undone after every prediction.
    pub transform: TargetTransform,
}

/// A transform of the target with its inverse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetTransform {
    /// The target itself.
    #[default]
    Identity,
    /// Natural logarithm; the target must be positive. Undone by `exp`.
    Log,
    /// ln(1 + y); the target must be above −1. Undone by `exp_m1`.
    Log1p,
    /// Square root; the target must not be negative. Undone by squaring, also below 0: a prediction
    /// z of −3 gives 9, as 3 does. Choose a model or features that do not predict below 0.
    Sqrt,
}

impl TargetConfig {
    /// The number of classes: 0 for regression, 2 for binary.
    pub fn n_classes(&self) -> u32 {
        match self.task {
            Task::Regression => 0,
            Task::Binary => 2,
            Task::Multiclass => u32::try_from(self.classes.len()).unwrap_or(u32::MAX),
        }
    }

    /// What its classes are called.
    pub fn labels(&self) -> Labels<'_> {
        match (self.task, &self.positive) {
            (Task::Multiclass, _) => Labels::Listed(&self.classes),
            (_, Some(positive)) => Labels::Positive(positive),
            (_, None) => Labels::Numbers,
        }
    }

    /// How many scores a row gets.
    pub fn n_outputs(&self) -> usize {
        match self.task {
            Task::Regression | Task::Binary => 1,
            Task::Multiclass => self.classes.len(),
        }
    }

    pub(super) fn validate_classes(&self) -> Result<()> {
        let refused = |message: String| {
            let error = Error::new(Code::BadTarget, message).column(&self.column);
            Err(error.remedy("list each label once under `classes`"))
        };
        if self.task != Task::Multiclass {
            return match self.classes.as_slice() {
                [] => Ok(()),
                _ => refused("expected `classes` for task multiclass alone, found some".to_owned()),
            };
        }
        let n_classes = self.classes.len();
        if n_classes == 2 {
            let message = "expected three or more classes, found two";
            let error = Error::new(Code::BadTarget, message).column(&self.column);
            return Err(error.remedy("two classes are task binary, with `positive` for labels"));
        }
        if !(3..=N_CLASSES_MAX).contains(&n_classes) {
            return refused(format!("expected 3 to {N_CLASSES_MAX} classes, found {n_classes}"));
        }
        let mut sorted: Vec<&String> = self.classes.iter().collect();
        sorted.sort();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => refused(format!("expected unique classes, found {:?} twice", pair[0])),
            None => Ok(()),
        }
    }
}

/// What the classes of a target are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels<'a> {
    /// By their numbers: 0, 1, …
    Numbers,
    /// Class 1 by this label; class 0 is whatever other label there is.
    Positive(&'a str),
    /// By these labels.
    Listed(&'a [String]),
}

/// The numbers that classes can have as labels.
const DIGITS: [&str; 2] = ["0", "1"];

impl<'a> Labels<'a> {
    /// The labels in the order of the classes. The one that is not known is the first of `others`
    /// that is not the known one, if there is one.
    pub(crate) fn names(
        self,
        others: impl IntoIterator<Item = &'a String>,
    ) -> Vec<Option<&'a str>> {
        match self {
            Labels::Numbers => DIGITS.map(Some).to_vec(),
            Labels::Positive(positive) => {
                let other = others.into_iter().find(|label| *label != positive);
                vec![other.map(String::as_str), Some(positive)]
            }
            Labels::Listed(labels) => labels.iter().map(|label| Some(label.as_str())).collect(),
        }
    }
}

/// A task as a config writes it.
pub(super) fn task_name(task: Task) -> String {
    format!("{task:?}").to_lowercase()
}
