//! Takes a part out of a label: the first matching pattern's label, its first characters, or one
//! piece.
//!
//! # Method
//! - `patterns`: the label of the first of `patterns` whose substring occurs, else `default`.
//!   Substrings are compared byte by byte: case matters, nothing is a wildcard.
//! - `first_characters`: the first `n_characters` Unicode scalar values, or all if there are fewer.
//!   A letter and a combining accent behind it are two.
//! - `split_part`: the text is cut at every `separator`, from the front; `part` counts the pieces
//!   from 0, or from the end if negative (−1 is the last).
//!
//! Nothing is learned.
//!
//! # Shape
//! Text columns in, the same columns out, in place; or with `into` one text column in, and a new
//! one behind the last column.
//!
//! # Missing
//! Stays missing. A piece that the text does not have is missing; an empty piece is an empty label.
//!
//! # Ties and order
//! The first pattern of the list wins. So `Mrs` must stand before `Mr`: a pattern that can never
//! win, because an earlier one occurs in it, is refused.
//!
//! # Errors
//! `into` with more than one column, or with a name that exists, is refused.
//!
//! # Example
//! `method = "patterns"`, `patterns = [["Mrs", "Mrs"], ["Mr", "Mr"]]` makes `Allen, Mrs. Eve` the
//! label `Mrs` and `Dr. Who` the label `Other`.

use serde::{Deserialize, Serialize};

use crate::aggregate::Rows;
use crate::batch::{Batch, Column, ColumnKind, Field, Schema};
use crate::error::{Code, Error, Result};
use crate::step::{Example, FitContext, FitTransform, Transform};

/// What to take out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtractTextParams {
    /// How the part is found; it decides which of the other parameters matter.
    pub method: ExtractMethod,
    /// Pairs of substring and label, tried in this order.
    pub patterns: Vec<(String, String)>,
    /// The label if no pattern occurs.
    pub default: String,
    /// How many characters, at least 1.
    pub n_characters: u32,
    /// Where the text is cut; not empty.
    pub separator: String,
    /// Which piece: from 0, or from −1 backwards.
    pub part: i32,
    /// The name of a new column; in place if left out.
    pub into: Option<String>,
}

/// How the part is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtractMethod {
    /// By the first substring that occurs.
    Patterns,
    /// From the front.
    #[default]
    FirstCharacters,
    /// Between separators.
    SplitPart,
}

impl Default for ExtractTextParams {
    fn default() -> Self {
        ExtractTextParams {
            method: ExtractMethod::default(),
            patterns: Vec::new(),
            default: "Other".to_owned(),
            n_characters: 1,
            separator: " ".to_owned(),
            part: 0,
            into: None,
        }
    }
}

impl ExtractTextParams {
    fn rule(&self) -> ExtractRule {
        match self.method {
            ExtractMethod::Patterns => ExtractRule::Patterns {
                patterns: self.patterns.clone(),
                default: self.default.clone(),
            },
            ExtractMethod::FirstCharacters => ExtractRule::FirstCharacters { n: self.n_characters },
            ExtractMethod::SplitPart => {
                ExtractRule::SplitPart { separator: self.separator.clone(), part: self.part }
            }
        }
    }
}

impl FitTransform for ExtractTextParams {
    type Fitted = ExtractText;

    fn validate(&self) -> Result<()> {
        self.rule().check()
    }

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, _rows: &dyn Rows, _ctx: &FitContext<'_>) -> Result<ExtractText> {
        Ok(ExtractText { rule: self.rule(), into: self.into.clone() })
    }

    fn made(&self, fitted: &ExtractText, _: &[String]) -> bool {
        fitted.rule == self.rule() && fitted.into == self.into
    }

    fn examples() -> Vec<Example<Self>> {
        let titles = ["Mrs", "Mr", "Miss", "Master"];
        let patterns = ExtractTextParams {
            method: ExtractMethod::Patterns,
            patterns: titles.map(|t| (t.to_owned(), t.to_owned())).to_vec(),
            into: Some("title".to_owned()),
            ..Default::default()
        };
        let last =
            ExtractTextParams { method: ExtractMethod::SplitPart, part: -1, ..Default::default() };
        vec![
            Example::on(&["deck", "grade"], ExtractTextParams::default()),
            Example::on(&["name"], patterns),
            Example::on(&["deck", "name"], last),
        ]
    }
}

/// Nothing is learned; the rule as the params give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtractText {
    rule: ExtractRule,
    into: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ExtractRule {
    Patterns { patterns: Vec<(String, String)>, default: String },
    FirstCharacters { n: u32 },
    SplitPart { separator: String, part: i32 },
}

impl Transform for ExtractText {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        self.rule.check()?;
        let Some(name) = &self.into else {
            return Ok(input.clone());
        };
        if slots.len() != 1 {
            let message = format!("expected one column for `into`, found {}", slots.len());
            return Err(Error::new(Code::BadParameter, message)
                .remedy("make a step for each column, or leave `into` out"));
        }
        let output = input.with([Field::new(name, ColumnKind::Text)]);
        output.map_err(|e| e.remedy("choose another name for `into`"))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for &slot in slots {
            let mut output = batch.take_text();
            let text = batch.text(slot);
            text.relabel_into(&mut output, None, |label| self.rule.part_of(label));
            match self.into {
                None => batch.replace(slot, Column::Text(output)),
                Some(_) => batch.push(Column::Text(output)),
            }
        }
        Ok(())
    }
}

impl ExtractRule {
    fn check(&self) -> Result<()> {
        let refuse = |message: String| Error::new(Code::BadParameter, message);
        match self {
            ExtractRule::Patterns { patterns, .. } if patterns.is_empty() => {
                Err(refuse("expected a pair in `patterns`, found none".to_owned()))
            }
            ExtractRule::Patterns { patterns, .. } => {
                let wins = |place: usize| {
                    let later = patterns[place].0.as_str();
                    let earlier = patterns[..place].iter().find(|(e, _)| later.contains(e));
                    match earlier {
                        None => Ok(()),
                        Some((earlier, _)) => Err(refuse(format!(
                            "expected patterns that can win, found {later:?} behind {earlier:?}"
                        ))
                        .remedy("put the longer pattern first")),
                    }
                };
                if patterns.iter().any(|(pattern, _)| pattern.is_empty()) {
                    let message = "expected substrings in `patterns`, found an empty one";
                    return Err(refuse(message.to_owned()).remedy("use `default` for the rest"));
                }
                (0..patterns.len()).try_for_each(wins)
            }
            ExtractRule::FirstCharacters { n: 0 } => {
                Err(refuse("expected `n_characters` of at least 1, found 0".to_owned()))
            }
            ExtractRule::SplitPart { separator, .. } if separator.is_empty() => {
                Err(refuse("expected a `separator`, found none".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The part of a label, `None` if it has no such piece.
    fn part_of<'a>(&'a self, label: &'a str) -> Option<&'a str> {
        match self {
            ExtractRule::Patterns { patterns, default } => {
                let first = patterns.iter().find(|(pattern, _)| label.contains(pattern));
                Some(first.map_or(default, |(_, found)| found))
            }
            ExtractRule::FirstCharacters { n } => {
                let end = label.char_indices().nth(*n as usize);
                Some(end.map_or(label, |(end, _)| &label[..end]))
            }
            ExtractRule::SplitPart { separator, part } => {
                let place = if *part >= 0 {
                    i64::from(*part)
                } else {
                    label.split(separator).count() as i64 + i64::from(*part)
                };
                label.split(separator).nth(usize::try_from(place).ok()?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, table, texts};

    fn extracted(params: &ExtractTextParams, values: &[&str]) -> Vec<Option<String>> {
        let t = table(&[("x", texts(values))]);
        let batch = apply(&fit(params, &t, &["x"]).unwrap(), &t, &["x"]);
        let slot = batch.columns().len() - 1;
        (0..values.len()).map(|row| batch.text(slot).get(row).map(str::to_owned)).collect()
    }

    fn some(labels: &[&str]) -> Vec<Option<String>> {
        labels.iter().map(|l| Some((*l).to_owned())).collect()
    }

    fn patterns(pairs: &[(&str, &str)]) -> ExtractTextParams {
        ExtractTextParams {
            method: ExtractMethod::Patterns,
            patterns: pairs.iter().map(|(p, l)| ((*p).to_owned(), (*l).to_owned())).collect(),
            ..Default::default()
        }
    }

    fn piece(separator: &str, part: i32) -> ExtractTextParams {
        ExtractTextParams {
            method: ExtractMethod::SplitPart,
            separator: separator.to_owned(),
            part,
            ..Default::default()
        }
    }

    #[test]
    fn the_first_pattern_wins() {
        let params = patterns(&[("Mrs", "married"), ("Mr", "man"), ("Miss", "unmarried")]);
        let names = ["Allen, Mrs. Eve", "Moor, Mr. Mrs", "Ek, Miss. Mr", "Dr. Who"];
        let expected = some(&["married", "married", "man", "Other"]);
        assert_eq!(extracted(&params, &names), expected);
    }

    #[test]
    fn a_pattern_that_can_never_win_is_refused() {
        let error = patterns(&[("Mr", "Mr"), ("Mrs", "Mrs")]).validate();
        assert_eq!(
            error.unwrap_err().to_string(),
            "expected patterns that can win, found \"Mrs\" behind \"Mr\" \
             (put the longer pattern first)"
        );
        assert!(patterns(&[]).validate().is_err());
        assert!(patterns(&[("", "x")]).validate().is_err());
    }

    #[test]
    fn characters_are_unicode_scalars() {
        let params = ExtractTextParams { n_characters: 2, ..Default::default() };
        let got = extracted(&params, &["Ömer", "Z", "a\u{301}b", ""]);
        assert_eq!(got[..3], some(&["Öm", "Z", "a\u{301}"])[..]);
        assert_eq!(got[3], None);
    }

    #[test]
    fn pieces_count_from_both_ends_and_an_absent_one_is_missing() {
        let values = ["B5 B7 B9", "C", " D"];
        assert_eq!(extracted(&piece(" ", 0), &values), some(&["B5", "C", ""]));
        assert_eq!(extracted(&piece(" ", -1), &values), some(&["B9", "C", "D"]));
        let second = vec![Some("B7".to_owned()), None, Some("D".to_owned())];
        assert_eq!(extracted(&piece(" ", 1), &values), second);
        // From the front "aaa" is cut into "" and "a", also when pieces count from the end.
        assert_eq!(extracted(&piece("aa", -2), &["aaa"]), some(&[""]));
        assert_eq!(extracted(&piece(" ", i32::MIN), &["a b"]), [None]);
        assert!(piece("", 0).validate().is_err());
    }

    #[test]
    fn a_new_column_leaves_the_old_one() {
        let params = ExtractTextParams { into: Some("y".to_owned()), ..Default::default() };
        let t = table(&[("x", texts(&["ab"])), ("z", texts(&["c"]))]);
        let fitted = fit(&params, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        assert_eq!(batch.schema().names().collect::<Vec<_>>(), ["x", "z", "y"]);
        assert_eq!(batch.text(0).get(0), Some("ab"));
        assert_eq!(batch.text(2).get(0), Some("a"));
        assert_eq!(
            fitted.output(batch.schema(), &[0]).unwrap_err().to_string(),
            "column `y`: expected unique names, found it twice (choose another name for `into`)"
        );
        assert_eq!(
            fitted.output(t.schema(), &[0, 1]).unwrap_err().to_string(),
            "expected one column for `into`, found 2 \
             (make a step for each column, or leave `into` out)"
        );
    }
}
