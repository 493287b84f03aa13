//! Replaces labels by whole numbers, in an arbitrary order or ordered by the mean target.
//!
//! # Method
//! As feature-engine 1.9.4 `OrdinalEncoder`. Mean targets are exact sums divided and rounded once,
//! so labels of equal mean tie here also where float sums would set them apart by their last bits.
//!
//! # Shape
//! Text columns in, numeric columns of the same names out, in place.
//!
//! # Missing
//! Stays missing (feature-engine refuses it unless told otherwise). Impute first if the model needs
//! a number.
//!
//! # Ties and order
//! The target is the one that the model learns: with a target transform, the transformed one.
//! `arbitrary`: labels in code-point order (feature-engine numbers them as they appear, which
//! depends on the order of the rows). `ordered`: by ascending mean target, equal means by code
//! point, as feature-engine does as long as its unstable sort keeps ties in place. Codes count from
//! 0.
//!
//! # Errors
//! At fit, none. At scoring, a label that was not seen follows `unseen`: `ignore` gives missing,
//! `encode` gives −1, `raise` gives the row a reason instead of a score.
//!
//! # Example
//! Labels b, a with mean targets 1 and 2: `ordered` gives b = 0, a = 1; `arbitrary` gives a = 0, b
//! = 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::malformed;
use crate::aggregate::{LevelCounts, LevelTarget, LevelTargets, Rows};
use crate::batch::{Batch, Column, ColumnKind, Schema};
use crate::error::Result;
use crate::faults;
use crate::math;
use crate::step::{Example, FitContext, FitTransform, Transform, check_width};
use crate::transforms::{LevelMap, UnseenRule};

/// How codes are given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrdinalEncoderParams {
    /// The order of the codes.
    pub method: OrdinalMethod,
    /// What to do with labels that the fit did not see.
    pub unseen: UnseenRule,
}

/// The order of the codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrdinalMethod {
    /// By code point of the label.
    Arbitrary,
    /// By ascending mean target, then by code point.
    #[default]
    Ordered,
}

impl FitTransform for OrdinalEncoderParams {
    type Fitted = OrdinalEncoder;

    fn accepts(&self) -> &'static [ColumnKind] {
        &[ColumnKind::Text]
    }

    fn fit(&self, rows: &dyn Rows, ctx: &FitContext<'_>) -> Result<OrdinalEncoder> {
        let ordered: Vec<Vec<String>> = match self.method {
            OrdinalMethod::Arbitrary => {
                let counts = rows.aggregate(LevelCounts::new(ctx.slots))?.finish();
                let levels = counts.into_iter().map(|c| c.levels.into_keys().collect());
                levels.collect()
            }
            OrdinalMethod::Ordered => {
                let targets = rows.aggregate(LevelTargets::new(ctx.slots))?.finish();
                targets.into_iter().map(by_mean_target).collect()
            }
        };
        let codes = ordered.into_iter().map(|levels| {
            let coded = faults::hash_order(levels).into_iter().enumerate();
            LevelMap::new(coded.map(|(code, level)| (level, code as f64)))
        });
        Ok(OrdinalEncoder { codes: codes.collect(), unseen: self.unseen })
    }

    fn made(&self, fitted: &OrdinalEncoder, _: &[String]) -> bool {
        fitted.unseen == self.unseen
    }

    fn examples() -> Vec<Example<Self>> {
        let arbitrary =
            OrdinalEncoderParams { method: OrdinalMethod::Arbitrary, unseen: UnseenRule::Encode };
        vec![
            Example::on(&["sex", "grade"], OrdinalEncoderParams::default()),
            Example::on(&["deck"], arbitrary),
        ]
    }
}

/// The labels by ascending mean target, then by code point.
fn by_mean_target(levels: BTreeMap<String, LevelTarget>) -> Vec<String> {
    let means = levels.into_iter().map(|(level, t)| (t.mean(), level));
    let mut means: Vec<(f64, String)> = means.collect();
    means.sort_by(|a, b| math::total_cmp(a.0, b.0).then_with(|| a.1.cmp(&b.1)));
    means.into_iter().map(|(_, level)| level).collect()
}

/// The code of each label of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdinalEncoder {
    codes: Vec<LevelMap<f64>>,
    unseen: UnseenRule,
}

impl Transform for OrdinalEncoder {
    fn output(&self, input: &Schema, slots: &[usize]) -> Result<Schema> {
        check_width(self.codes.len(), slots.len())?;
        for codes in &self.codes {
            let mut sorted: Vec<f64> = codes.iter().map(|(_, &code)| code).collect();
            sorted.sort_by(|a, b| math::total_cmp(*a, *b));
            if (0..sorted.len()).any(|i| sorted[i].to_bits() != (i as f64).to_bits()) {
                return Err(malformed("expected each code from 0 once"));
            }
        }
        Ok(input.with_kind(slots, ColumnKind::Num))
    }

    fn apply(&self, batch: &mut Batch, slots: &[usize]) -> Result<()> {
        for (&slot, codes) in slots.iter().zip(&self.codes) {
            let mut output = batch.take_num();
            let unseen = self.unseen.number(-1.0);
            let text = batch.text(slot);
            text.numbers_into(&mut output, math::MISSING, |l| *codes.get(l).unwrap_or(&unseen));
            self.unseen.fault_rows(batch, slot, |level| codes.get(level).is_some());
            batch.replace(slot, Column::Num(output));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply, fit, table_with_target, texts};

    #[test]
    fn codes_ascend_with_the_mean_target() {
        // Means: a (3 + 1) / 2 = 2, b 1, c 2; a and c tie and go by code point.
        let t = table_with_target(&[("x", texts(&["a", "b", "a", "c"]))], &[3.0, 1.0, 1.0, 2.0]);
        let fitted = fit(&OrdinalEncoderParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [1.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn an_unseen_label_follows_the_rule() {
        let train = table_with_target(&[("x", texts(&["a"]))], &[1.0]);
        let other = table_with_target(&[("x", texts(&["z"]))], &[1.0]);
        for (unseen, expected) in [(UnseenRule::Ignore, f64::NAN), (UnseenRule::Encode, -1.0)] {
            let params = OrdinalEncoderParams { unseen, ..Default::default() };
            let fitted = fit(&params, &train, &["x"]).unwrap();
            let got = apply(&fitted, &other, &["x"]).num(0)[0];
            assert_eq!(got.to_bits(), expected.to_bits());
        }
        let params = OrdinalEncoderParams { unseen: UnseenRule::Raise, ..Default::default() };
        let fitted = fit(&params, &train, &["x"]).unwrap();
        let batch = apply(&fitted, &other, &["x"]);
        assert_eq!(
            batch.faults()[&0].to_string(),
            "column `x`: expected a label seen at fit, found \"z\" (choose another `unseen` rule)"
        );
    }

    #[test]
    fn missing_stays_missing_and_arbitrary_codes_go_by_code_point() {
        let t = table_with_target(&[("x", texts(&["b", "", "B", "a"]))], &[0.0; 4]);
        let params =
            OrdinalEncoderParams { method: OrdinalMethod::Arbitrary, ..Default::default() };
        let fitted = fit(&params, &t, &["x"]).unwrap();
        let batch = apply(&fitted, &t, &["x"]);
        assert_eq!((batch.num(0)[0], batch.num(0)[2], batch.num(0)[3]), (2.0, 0.0, 1.0));
        assert!(math::is_missing(batch.num(0)[1]) && batch.faults().is_empty());
    }

    #[test]
    fn means_that_float_sums_would_part_tie() {
        // Both labels have the targets 0.1, 0.2, 0.3 in two orders, whose float sums differ.
        let t = table_with_target(
            &[("x", texts(&["b", "b", "b", "a", "a", "a"]))],
            &[0.1, 0.2, 0.3, 0.3, 0.2, 0.1],
        );
        assert_ne!((0.1 + 0.2) + 0.3, (0.3 + 0.2) + 0.1);
        let fitted = fit(&OrdinalEncoderParams::default(), &t, &["x"]).unwrap();
        assert_eq!(apply(&fitted, &t, &["x"]).num(0), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_forged_state_is_refused() {
        let t = table_with_target(&[("x", texts(&["a"]))], &[1.0]);
        for code in [1.0, f64::NAN, -0.0] {
            let forged = OrdinalEncoder {
                codes: vec![LevelMap::new([("a".to_owned(), code)])],
                unseen: UnseenRule::Ignore,
            };
            assert!(forged.output(t.schema(), &[0]).is_err());
        }
    }
}
