//! What several encoders share: a canonical table by label, and the rule for unseen labels.

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::error::{Code, Error, Result};
use crate::math;

/// A table by label, in code-point order without repetition, as it is stored and searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, T)>", into = "Vec<(String, T)>")]
#[serde(bound(deserialize = "T: Deserialize<'de>", serialize = "T: Serialize + Clone"))]
pub struct LevelMap<T> {
    levels: Vec<(String, T)>,
}

impl<T> LevelMap<T> {
    /// A table of these labels, in any order; of a repeated label the last value stays.
    pub fn new(levels: impl IntoIterator<Item = (String, T)>) -> Self {
        let map: std::collections::BTreeMap<String, T> = levels.into_iter().collect();
        LevelMap { levels: map.into_iter().collect() }
    }

    /// The value of a label.
    pub fn get(&self, level: &str) -> Option<&T> {
        let place = self.levels.binary_search_by(|(l, _)| l.as_str().cmp(level)).ok()?;
        Some(&self.levels[place].1)
    }

    /// Labels and values in code-point order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.levels.iter().map(|(level, value)| (level.as_str(), value))
    }

    /// The number of labels.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }
}

impl<T> TryFrom<Vec<(String, T)>> for LevelMap<T> {
    type Error = Error;

    fn try_from(levels: Vec<(String, T)>) -> Result<Self> {
        if levels.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Error::new(Code::Malformed, "expected labels in ascending order"));
        }
        Ok(LevelMap { levels })
    }
}

impl<T> From<LevelMap<T>> for Vec<(String, T)> {
    fn from(map: LevelMap<T>) -> Self {
        map.levels
    }
}

/// What an encoder does with a label that the fit did not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnseenRule {
    /// The value is missing.
    #[default]
    Ignore,
    /// The value is the kind's documented number for unseen labels.
    Encode,
    /// The row gets a reason instead of a score.
    Raise,
}

impl UnseenRule {
    /// The number that an unseen label becomes, where `encoded` is the kind's own one.
    pub fn number(self, encoded: f64) -> f64 {
        match self {
            UnseenRule::Encode => encoded,
            UnseenRule::Ignore | UnseenRule::Raise => math::MISSING,
        }
    }

    /// Under `raise`, gives every row of the text column at `slot` whose label is not `seen` a
    /// fault.
    pub fn fault_rows(self, batch: &mut Batch, slot: usize, seen: impl Fn(&str) -> bool) {
        if self != UnseenRule::Raise || batch.text(slot).levels().all(&seen) {
            return;
        }
        for row in 0..batch.n_rows() {
            let Some(level) = batch.text(slot).get(row) else {
                continue;
            };
            if !seen(level) {
                let found = format!("expected a label seen at fit, found {level:?}");
                let error = Error::new(Code::UnseenLevel, found);
                batch.fault(row, slot, error.remedy("choose another `unseen` rule"));
            }
        }
    }
}
